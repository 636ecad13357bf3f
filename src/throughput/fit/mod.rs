//! The fit: coefficients and residual correction from measured rows.
//!
//! Observed is the logarithm of the step time. It is the physics of the row's workload, plus the
//! residual correction of its cell, plus noise that is heavier than Gaussian (Student's t with
//! [`NOISE_FREEDOM`] degrees of freedom) and grows with the number of nodes. The coefficients
//! have Gaussian priors on their fitted scale.
//!
//! The most probable coefficients are found by Gauss-Newton steps on the physics with the
//! residual correction integrated out, re-weighting rows by their distance from the fit, so that
//! a row 30 % slow pulls no more than one 3 % slow (iteratively re-weighted least squares; Lange,
//! Little & Taylor 1989, *Robust statistical modeling using the t distribution*). Cells rather
//! than rows are correlated, so the matrices are as large as the number of cells (Woodbury).
//! Nothing is drawn at random and nothing depends on threads.

mod belief;
mod correction;
mod problem;

use nalgebra::{DMatrix, DVector};
use thiserror::Error;

use super::bad_runs::{BadRuns, Deviation};
use super::coefficients::Values;
use super::residual::{Cell, Kernel};
use super::scatter::Scatter;
use crate::measure::Measurement;
use problem::{Problem, Weighting, log_determinant, square};

pub(crate) use belief::{Belief, Square, Vector};
pub(crate) use correction::{Correction, Uncertainty};

/// Degrees of freedom of the rows' noise.
pub(crate) const NOISE_FREEDOM: f64 = 4.0;

/// Steps after which a fit that still moves has stalled.
const MAX_STEPS: usize = 300;

/// Steps after which row weights change more slowly, in case they swing between two answers.
const CALM_STEPS: usize = 20;

/// Largest share of a row's weight that a step keeps, and steps until then, weights change less
/// and less.
const MOST_INERTIA: f64 = 0.8;

/// Steps after which a fit has settled too when it no longer gets better by [`WORTH_A_STEP`]:
/// along a direction that no row speaks about, numbers crawl and predictions stay.
const PATIENT_STEPS: usize = 50;

/// A gain in twice the log posterior that is no gain.
const WORTH_A_STEP: f64 = 1e-5;

/// Halvings of a step that makes the fit worse: after them it is too small to matter.
const MAX_HALVINGS: usize = 20;

/// Largest change of a fitted number in one step: keeps the linearisation honest.
const MAX_CHANGE: f64 = 1.0;

/// A fit has settled when no fitted number moves more than this, a hundredth of a per cent.
const SETTLED: f64 = 1e-4;

/// Ratio of the best to the worst determined direction, in units of the prior, beyond which the
/// solution is rounding noise.
const MAX_CONDITION: f64 = 1e12;

/// Why a fit can't be used.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FitError {
    /// Nothing to fit to.
    #[error("no measured rows to fit to")]
    NoRows,
    /// The steps didn't become small.
    #[error(
        "the fit still moved by {change:.1e} after {steps} steps; its coefficients can't be trusted"
    )]
    Stalled {
        /// Steps taken.
        steps: usize,
        /// Largest change of a fitted number in the last of them.
        change: f64,
    },
    /// Some direction is not determined at all.
    #[error(
        "the fit is ill-conditioned (condition number {condition:.1e}); rows contradict each other or repeat"
    )]
    IllConditioned {
        /// Condition number in units of the prior.
        condition: f64,
    },
}

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Termination {
    /// Steps taken.
    pub steps: usize,
    /// Largest change of a fitted number in the last of them.
    pub change: f64,
    /// Condition number of the coefficients' posterior in units of the prior.
    pub condition: f64,
}

/// What a fit starts from.
pub(crate) struct Start<'a> {
    /// What is believed of the coefficients.
    pub(crate) belief: Belief,
    /// The covariance of the correction.
    pub(crate) kernel: Kernel,
    /// How uneven the rows are.
    pub(crate) scatter: Scatter,
    /// Whether several measurements of one run count as one; where starts are compared, all do so or
    /// none.
    pub(crate) merges_repeats: bool,
    /// The part of a cell's log step time that is settled beforehand.
    pub(crate) known: &'a dyn Fn(&Cell) -> f64,
    /// What is known of bad runs beforehand.
    pub(crate) bad_runs: BadRuns,
}

/// A finished fit.
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) belief: Belief,
    pub(crate) correction: Correction,
    pub(crate) termination: Termination,
    /// How uneven the rows are.
    pub(crate) scatter: Scatter,
    /// What the rows show of bad runs.
    pub(crate) bad_runs: BadRuns,
    /// By how much each row's log step time is above physics and correction.
    pub(crate) slower: Vec<f64>,
    /// Logarithm of the rows' probability under the start, by Laplace's approximation; it
    /// compares starts, and a constant is left out.
    pub(crate) log_evidence: f64,
}

/// Fits to measured rows; `pressed` tells which of them ran under memory pressure, none of those
/// beyond its end.
///
/// # Errors
/// When there are no rows, when the steps don't settle, or when rounding decides the answer.
pub(crate) fn solve(
    measurements: &[Measurement],
    pressed: &[bool],
    start: &Start<'_>,
) -> Result<Solution, FitError> {
    if measurements.is_empty() {
        return Err(FitError::NoRows);
    }
    let problem = Problem::new(measurements, pressed, start);
    let solver = Solver::new(&problem, &start.belief)?;
    let mut weights = vec![1.0; problem.rows.len()];
    let mut at = start.belief.mean;
    let mut change = f64::MAX;
    for steps in 1..=MAX_STEPS {
        let weighting = Weighting::new(&problem, &weights).ok_or(UNDETERMINED)?;
        let step = solver.step(&weighting, &at).ok_or(UNDETERMINED)?;
        let next = solver.improved(&weighting, &at, &step.change);
        let gain = solver.misfit(&weighting, &at) - solver.misfit(&weighting, &next);
        change = (next - at).amax();
        if !change.is_finite() {
            break;
        }
        at = next;
        let (remainder, _) = problem.physics(&Values::new(at.into()));
        let seen = DVector::from_column_slice(weighting.seen(&remainder).as_slice());
        if change < SETTLED || (steps > PATIENT_STEPS && gain < WORTH_A_STEP) {
            let chance = log_chance(&weights);
            let settled = Settled {
                at,
                steps,
                change,
                chance,
            };
            return solver.settled(&settled, (step, weighting), (&remainder, seen), start);
        }
        let inertia = match steps {
            ..CALM_STEPS => 0.0,
            _ => (1.0 - CALM_STEPS as f64 / (2.0 * steps as f64)).min(MOST_INERTIA),
        };
        reweight(&mut weights, inertia, &problem, &remainder, &seen);
    }
    Err(FitError::Stalled {
        steps: MAX_STEPS,
        change,
    })
}

/// By how much each measurement's log step time is above physics and correction.
fn slower(problem: &Problem, deviations: &[Deviation]) -> Vec<f64> {
    let measurements = problem.row_of.iter().zip(&problem.own_log);
    let slower = measurements.map(|(row, own_log)| {
        let merged = &problem.rows[*row];
        deviations[*row].log + merged.slowdown + own_log - merged.log_step
    });
    slower.collect()
}

/// How far each row is from physics and correction.
fn deviations(problem: &Problem, remainder: &DMatrix<f64>, seen: &DVector<f64>) -> Vec<Deviation> {
    let corrections = &problem.kernel * seen;
    let rows = problem.rows.iter().zip(remainder.iter());
    rows.map(|(row, remainder)| Deviation {
        nodes: row.work.nodes,
        log: remainder - corrections[row.cell],
        sd: row.sd,
    })
    .collect()
}

/// Weighs each row by how far it is from physics and correction: the weights of Student's t.
///
/// `inertia` is the share of the old weight that is kept.
fn reweight(
    weights: &mut [f64],
    inertia: f64,
    problem: &Problem,
    remainder: &DMatrix<f64>,
    seen: &DVector<f64>,
) {
    for (weight, row) in weights.iter_mut().zip(deviations(problem, remainder, seen)) {
        let distance = row.log / row.sd;
        let new = (NOISE_FREEDOM + 1.0) / (NOISE_FREEDOM + distance.powi(2));
        *weight = inertia * *weight + (1.0 - inertia) * new;
    }
}

/// Logarithm of the probability of weights, over that of even ones. Student's t is a Gaussian whose
/// precision varies by a factor that is distributed as gamma with half the freedom as its shape and
/// rate: without this, rows far off would come at hardly any cost.
fn log_chance(weights: &[f64]) -> f64 {
    let terms = weights.iter().map(|weight| weight.ln() - weight + 1.0);
    NOISE_FREEDOM / 2.0 * terms.sum::<f64>()
}

/// Condition reported when a matrix can't be factored at all.
const UNDETERMINED: FitError = FitError::IllConditioned {
    condition: f64::MAX,
};

/// Gauss-Newton steps on one problem from one belief.
struct Solver<'a> {
    problem: &'a Problem,
    prior: &'a Belief,
    prior_precision: Square,
}

/// Where steps have come to rest.
struct Settled {
    at: Vector,
    /// How many it took.
    steps: usize,
    /// Largest change of the last one.
    change: f64,
    /// Logarithm of the probability of the rows' weights.
    chance: f64,
}

/// Where a step leads.
struct Step {
    change: Vector,
    /// Posterior precision of the coefficients, the correction integrated out.
    precision: Square,
    /// The cells' view of the Jacobian.
    jacobian: DMatrix<f64>,
}

impl<'a> Solver<'a> {
    fn new(problem: &'a Problem, prior: &'a Belief) -> Result<Self, FitError> {
        let prior_precision = prior.covariance.try_inverse().ok_or(UNDETERMINED)?;
        Ok(Self {
            problem,
            prior,
            prior_precision,
        })
    }

    /// What a fit that has settled says.
    ///
    /// # Errors
    /// When rounding decides the answer.
    fn settled(
        &self,
        settled: &Settled,
        (step, weighting): (Step, Weighting<'_>),
        (remainder, seen): (&DMatrix<f64>, DVector<f64>),
        start: &Start<'_>,
    ) -> Result<Solution, FitError> {
        let &Settled {
            at,
            steps,
            change,
            chance,
        } = settled;
        let problem = self.problem;
        let condition = self.condition(&step.precision);
        if condition > MAX_CONDITION {
            return Err(FitError::IllConditioned { condition });
        }
        let log_evidence = self
            .log_evidence(&weighting, remainder, &at, &step.precision)
            .ok_or(UNDETERMINED)?;
        let log_evidence = log_evidence + chance;
        let covariance = step.precision.try_inverse().ok_or(UNDETERMINED)?;
        let (roots, factor) = weighting.into_parts();
        let deviations = deviations(problem, remainder, &seen);
        let log_evidence = log_evidence + start.bad_runs.log_odds(&deviations, NOISE_FREEDOM);
        // What can't be compared must not come first.
        if !log_evidence.is_finite() {
            return Err(UNDETERMINED);
        }
        Ok(Solution {
            belief: Belief {
                mean: at,
                covariance,
            },
            correction: Correction {
                kernel: start.kernel,
                cells: problem.cells.clone(),
                weights: seen,
                roots,
                factor,
                jacobian: step.jacobian,
            },
            termination: Termination {
                steps,
                change,
                condition,
            },
            scatter: start.scatter,
            bad_runs: start.bad_runs.learned_from(&deviations),
            slower: slower(problem, &deviations),
            log_evidence,
        })
    }

    /// One step from `at`; `None` when rounding leaves no positive definite matrix.
    fn step(&self, weighting: &Weighting<'_>, at: &Vector) -> Option<Step> {
        let (remainder, jacobian) = self.problem.physics(&Values::new((*at).into()));
        let slope = weighting.product(&jacobian, &remainder);
        let slope = Vector::from_iterator(slope.iter().copied());
        let precision = square(&weighting.product(&jacobian, &jacobian)) + self.prior_precision;
        let pull = self.prior_precision * (at - self.prior.mean);
        let change = precision.cholesky()?.solve(&(slope - pull));
        Some(Step {
            change: change.map(|value| value.clamp(-MAX_CHANGE, MAX_CHANGE)),
            precision,
            jacobian: weighting.seen(&jacobian),
        })
    }

    /// The point that a step leads to, the step halved until the fit is no worse there. Where two
    /// links change places as the slower one the physics has a kink, and whole steps jump over it
    /// for ever.
    fn improved(&self, weighting: &Weighting<'_>, at: &Vector, change: &Vector) -> Vector {
        let before = self.misfit(weighting, at);
        let mut change = *change;
        for _ in 0..MAX_HALVINGS {
            if self.misfit(weighting, &(at + change)) <= before {
                break;
            }
            change *= 0.5;
        }
        at + change
    }

    /// Twice the negative log posterior at `at`, weights fixed, up to a constant.
    fn misfit(&self, weighting: &Weighting<'_>, at: &Vector) -> f64 {
        let (remainder, _) = self.problem.physics(&Values::new((*at).into()));
        let moved = at - self.prior.mean;
        weighting.product(&remainder, &remainder)[0] + moved.dot(&(self.prior_precision * moved))
    }

    /// Condition number of a posterior precision, in units of the prior.
    fn condition(&self, precision: &Square) -> f64 {
        let scale = self.prior.covariance.diagonal().map(f64::sqrt);
        let scaled = Square::from_fn(|i, j| scale[i] * precision[(i, j)] * scale[j]);
        let eigenvalues = scaled.symmetric_eigenvalues();
        eigenvalues.max() / eigenvalues.min().max(f64::MIN_POSITIVE)
    }

    fn log_evidence(
        &self,
        weighting: &Weighting<'_>,
        remainder: &DMatrix<f64>,
        at: &Vector,
        precision: &Square,
    ) -> Option<f64> {
        let moved = at - self.prior.mean;
        let misfit = weighting.product(remainder, remainder)[0];
        let strain = moved.dot(&(self.prior_precision * moved));
        let occam = log_determinant(precision)? - log_determinant(&self.prior_precision)?;
        Some(-0.5 * (misfit + strain + weighting.log_determinant() + occam))
    }
}
