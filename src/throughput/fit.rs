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

use nalgebra::{Cholesky, DMatrix, DVector, Dyn, SMatrix, SVector};
use thiserror::Error;

use super::coefficients::{COEFFICIENTS, COUNT, Values};
use super::interval::row_sd;
use super::physics::Rates;
use super::residual::{Cell, covariance, covariance_matrix};
use super::workload::Workload;
use crate::measure::Measurement;

/// Degrees of freedom of the rows' noise.
pub(crate) const NOISE_FREEDOM: f64 = 4.0;

/// Steps after which a fit that still moves has stalled.
const MAX_STEPS: usize = 60;

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

pub(crate) type Vector = SVector<f64, COUNT>;
pub(crate) type Square = SMatrix<f64, COUNT, COUNT>;

/// What is believed of the coefficients: Gaussian on the fitted scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Belief {
    pub(crate) mean: Vector,
    pub(crate) covariance: Square,
}

impl Belief {
    /// What is believed before any row is seen.
    pub(crate) fn prior() -> Self {
        let mean = Vector::from_iterator(COEFFICIENTS.iter().map(|c| c.prior_mean()));
        let variances = Vector::from_iterator(COEFFICIENTS.iter().map(|c| c.sd.powi(2)));
        Self {
            mean,
            covariance: Square::from_diagonal(&variances),
        }
    }

    pub(crate) fn values(&self) -> Values {
        Values::new(self.mean.into())
    }
}

/// One row as the fit takes it.
#[derive(Debug, Clone)]
struct Observation {
    work: Workload,
    tokens: f64,
    grad_accum: f64,
    log_step: f64,
    sd: f64,
    cell: usize,
}

/// The residual correction's posterior.
#[derive(Debug, Clone)]
pub(crate) struct Correction {
    pub(crate) cells: Vec<Cell>,
    /// Weights of the cells in the correction's mean.
    weights: DVector<f64>,
    /// Square root of each cell's precision.
    roots: DVector<f64>,
    /// Factor of `I + √D·K·√D`.
    factor: Cholesky<f64, Dyn>,
    /// Coefficients' Jacobian as the cells see it.
    jacobian: DMatrix<f64>,
}

/// Mean and variances of the correction at one point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CorrectionAt {
    /// Expected correction of the log step time.
    pub(crate) mean: f64,
    /// Variance that remains when the coefficients are known.
    pub(crate) variance: f64,
    /// What the coefficients' error would be explained away by, per coefficient.
    pub(crate) explained: Vector,
}

impl Correction {
    /// The correction at a point.
    pub(crate) fn at(&self, cell: &Cell) -> CorrectionAt {
        let covariances = DVector::from_iterator(
            self.cells.len(),
            self.cells.iter().map(|c| covariance(cell, c)),
        );
        let mean = covariances.dot(&self.weights);
        let mut scaled = covariances.component_mul(&self.roots);
        self.factor
            .l_dirty()
            .solve_lower_triangular_mut(&mut scaled);
        let variance = (super::residual::prior_variance() - scaled.norm_squared()).max(0.0);
        let explained =
            Vector::from_iterator((self.jacobian.transpose() * covariances).iter().copied());
        CorrectionAt {
            mean,
            variance,
            explained,
        }
    }

    /// The expected correction of the log step time at a point.
    pub(crate) fn mean(&self, cell: &Cell) -> f64 {
        self.cells
            .iter()
            .zip(self.weights.iter())
            .map(|(c, weight)| weight * covariance(cell, c))
            .sum()
    }
}

/// A finished fit.
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) belief: Belief,
    pub(crate) correction: Correction,
    pub(crate) termination: Termination,
}

/// Rows and cells of a fit.
struct Problem {
    rows: Vec<Observation>,
    cells: Vec<Cell>,
    kernel: DMatrix<f64>,
}

impl Problem {
    fn new(measurements: &[Measurement]) -> Self {
        let mut cells: Vec<Cell> = Vec::new();
        let rows = measurements
            .iter()
            .map(|row| {
                let setting = row.setting();
                let configuration = &row.configuration;
                let cell = Cell::new(&setting, configuration);
                let index = cells
                    .iter()
                    .position(|known| *known == cell)
                    .unwrap_or_else(|| {
                        cells.push(cell);
                        cells.len() - 1
                    });
                let work = Workload::new(
                    &setting,
                    configuration.gpus,
                    configuration.seq_len,
                    configuration.activation_checkpointing,
                );
                Observation {
                    tokens: configuration.micro_batch_tokens() as f64,
                    grad_accum: configuration.grad_accum as f64,
                    log_step: (configuration.global_batch_tokens() as f64 / row.throughput_tok_s)
                        .ln(),
                    sd: row_sd(work.nodes),
                    cell: index,
                    work,
                }
            })
            .collect();
        let kernel = covariance_matrix(&cells);
        Self {
            rows,
            cells,
            kernel,
        }
    }

    /// Physics of all rows: what remains of the observations, and the Jacobian.
    fn physics(&self, values: &Values) -> (DVector<f64>, DMatrix<f64>) {
        let mut remainder = DVector::zeros(self.rows.len());
        let mut jacobian = DMatrix::zeros(self.rows.len(), COUNT);
        for (index, row) in self.rows.iter().enumerate() {
            let rates = Rates::new(&row.work, values);
            let (log_step, gradient) = rates.log_step(row.tokens, row.grad_accum);
            remainder[index] = row.log_step - log_step;
            jacobian
                .row_mut(index)
                .copy_from(&Vector::from(gradient).transpose());
        }
        (remainder, jacobian)
    }

    /// Sums rows into their cells, with weights.
    fn gather(&self, weights: &[f64], matrix: &DMatrix<f64>) -> DMatrix<f64> {
        let mut sums = DMatrix::zeros(self.cells.len(), matrix.ncols());
        for column in 0..matrix.ncols() {
            for (index, row) in self.rows.iter().enumerate() {
                sums[(row.cell, column)] += weights[index] * matrix[(index, column)];
            }
        }
        sums
    }
}

/// The linear algebra of one set of row weights.
struct Weighting {
    precisions: Vec<f64>,
    roots: DVector<f64>,
    factor: Cholesky<f64, Dyn>,
}

impl Weighting {
    /// `None` when the covariance isn't positive definite, which only rounding can bring about.
    fn new(problem: &Problem, weights: &[f64]) -> Option<Self> {
        let precisions: Vec<f64> = problem
            .rows
            .iter()
            .zip(weights)
            .map(|(row, weight)| weight / row.sd.powi(2))
            .collect();
        let mut by_cell = DVector::zeros(problem.cells.len());
        for (row, precision) in problem.rows.iter().zip(&precisions) {
            by_cell[row.cell] += precision;
        }
        let roots = by_cell.map(f64::sqrt);
        let matrix = DMatrix::from_fn(roots.len(), roots.len(), |i, j| {
            f64::from(u8::from(i == j)) + roots[i] * problem.kernel[(i, j)] * roots[j]
        });
        Some(Self {
            precisions,
            roots,
            factor: Cholesky::new(matrix)?,
        })
    }

    /// `√D·(I + √D·K·√D)⁻¹·√D⁻¹·sums`: the cells' view of row sums with the correction
    /// integrated out.
    fn solve(&self, sums: &DMatrix<f64>) -> DMatrix<f64> {
        let mut scaled = sums.clone();
        for mut column in scaled.column_iter_mut() {
            column.component_div_assign(&self.roots);
        }
        self.factor.solve_mut(&mut scaled);
        for mut column in scaled.column_iter_mut() {
            column.component_mul_assign(&self.roots);
        }
        scaled
    }
}

/// The state of the iteration at one point of the coefficients.
struct Step {
    next: Vector,
    /// Posterior precision of the coefficients, the correction integrated out.
    precision: Square,
    /// The cells' view of the Jacobian.
    jacobian: DMatrix<f64>,
}

/// One Gauss-Newton step from `at`.
fn step(
    problem: &Problem,
    weighting: &Weighting,
    prior: &Belief,
    prior_precision: &Square,
    at: &Vector,
) -> Option<Step> {
    let (remainder, jacobian) = problem.physics(&Values::new((*at).into()));
    let sums = problem.gather(&weighting.precisions, &jacobian);
    let seen = weighting.solve(&sums);
    let remainder_sums = problem.gather(
        &weighting.precisions,
        &DMatrix::from_column_slice(remainder.len(), 1, remainder.as_slice()),
    );

    // JᵀC⁻¹J and JᵀC⁻¹r with C⁻¹ = D − D·Z·(D_c⁻¹ − D_c⁻¹·(seen))·Zᵀ·D, by Woodbury.
    let mut weighted = jacobian.clone();
    for (mut row, precision) in weighted.row_iter_mut().zip(&weighting.precisions) {
        row *= *precision;
    }
    let shared = DMatrix::from_fn(sums.nrows(), COUNT, |cell, column| {
        (sums[(cell, column)] - seen[(cell, column)]) / weighting.roots[cell].powi(2)
    });
    let curvature = jacobian.transpose() * &weighted - sums.transpose() * &shared;
    let slope = weighted.transpose() * &remainder - shared.transpose() * remainder_sums;
    let curvature = Square::from_iterator(curvature.iter().copied());
    let slope = Vector::from_iterator(slope.iter().copied());

    let precision = curvature + prior_precision;
    let change = precision
        .cholesky()?
        .solve(&(slope - prior_precision * (at - prior.mean)));
    let next = at + change.map(|value| value.clamp(-MAX_CHANGE, MAX_CHANGE));
    Some(Step {
        next,
        precision,
        jacobian: seen,
    })
}

/// Fits to measured rows, from a belief about the coefficients.
///
/// # Errors
/// When there are no rows, when the steps don't settle, or when rounding decides the answer.
pub(crate) fn solve(measurements: &[Measurement], prior: &Belief) -> Result<Solution, FitError> {
    if measurements.is_empty() {
        return Err(FitError::NoRows);
    }
    let degenerate = FitError::IllConditioned {
        condition: f64::MAX,
    };
    let prior_precision = prior
        .covariance
        .try_inverse()
        .ok_or_else(|| degenerate.clone())?;
    let problem = Problem::new(measurements);
    let mut weights = vec![1.0; problem.rows.len()];
    let mut at = prior.mean;
    let mut change = f64::MAX;
    for steps in 1..=MAX_STEPS {
        let weighting = Weighting::new(&problem, &weights).ok_or_else(|| degenerate.clone())?;
        let Step {
            next,
            precision,
            jacobian,
        } = step(&problem, &weighting, prior, &prior_precision, &at)
            .ok_or_else(|| degenerate.clone())?;
        change = (next - at).amax();
        if !change.is_finite() {
            break;
        }
        at = next;
        let (remainder, _) = problem.physics(&Values::new(at.into()));
        let sums = problem.gather(
            &weighting.precisions,
            &DMatrix::from_column_slice(remainder.len(), 1, remainder.as_slice()),
        );
        let cell_weights = DVector::from_column_slice(weighting.solve(&sums).as_slice());
        if change < SETTLED {
            let termination = Termination {
                steps,
                change,
                condition: condition(&precision, prior),
            };
            if termination.condition > MAX_CONDITION {
                return Err(FitError::IllConditioned {
                    condition: termination.condition,
                });
            }
            let covariance = precision.try_inverse().ok_or(degenerate)?;
            let Problem { cells, .. } = problem;
            let Weighting { roots, factor, .. } = weighting;
            return Ok(Solution {
                belief: Belief {
                    mean: at,
                    covariance,
                },
                correction: Correction {
                    cells,
                    weights: cell_weights,
                    roots,
                    factor,
                    jacobian,
                },
                termination,
            });
        }
        let corrections = &problem.kernel * cell_weights;
        for ((weight, row), remainder) in
            weights.iter_mut().zip(&problem.rows).zip(remainder.iter())
        {
            let distance = (remainder - corrections[row.cell]) / row.sd;
            *weight = (NOISE_FREEDOM + 1.0) / (NOISE_FREEDOM + distance.powi(2));
        }
    }
    Err(FitError::Stalled {
        steps: MAX_STEPS,
        change,
    })
}

/// Condition number of a posterior precision, in units of the prior.
fn condition(precision: &Square, prior: &Belief) -> f64 {
    let scale = prior.covariance.diagonal().map(f64::sqrt);
    let scaled = Square::from_fn(|i, j| scale[i] * precision[(i, j)] * scale[j]);
    let eigenvalues = scaled.symmetric_eigenvalues();
    eigenvalues.max() / eigenvalues.min().max(f64::MIN_POSITIVE)
}
