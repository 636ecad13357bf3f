//! Which cause most likely explains what was measured.
//!
//! Each cause is a hypothesis: a prior probability, a distribution of its size, and what every
//! size does to the step times of the configurations measured ([`Scrutiny`]). What it leaves
//! unexplained has to be chance: the model's own error, shared between configurations, and
//! run-to-run noise. Summed over its sizes that gives how probable it makes the measurements, and
//! by Bayes' rule how probable they make it (`MacKay`, *Information Theory, Inference, and Learning
//! Algorithms*, chapter 28).

use nalgebra::{DMatrix, DVector};

use crate::throughput::{Cause, Scrutiny, Size};

/// Odds of the first cause to the second below which they are taken as not told apart: evidence
/// "not worth more than a bare mention" (Kass & Raftery, *Bayes Factors*, JASA 90, 1995).
pub(super) const CLEAR_ODDS: f64 = 3.0;

/// Speeds that stand for all that memory pressure may leave.
const SPEEDS: u32 = 25;

/// A configuration and how much slower than expected it ran.
pub(super) struct Observation<'a> {
    pub(super) scrutiny: Scrutiny<'a>,
    /// Logarithm of its step time over that expected at full speed.
    pub(super) slowdown: f64,
}

/// A cause, and what the measurements say of it.
#[derive(Debug, Clone)]
pub(super) struct Explanation {
    pub(super) cause: Cause,
    /// How probable it is, given what was measured; those of all causes add up to 1.
    pub(super) probability: f64,
    /// Its sizes, weighted by what was measured.
    pub(super) sizes: Vec<Size>,
    /// Logarithm of the slowdown of the run compared that it leaves unexplained.
    pub(super) unexplained: f64,
}

/// Standard deviations of chance beyond which what a cause leaves is not chance.
const NO_CHANCE: f64 = 4.0;

impl Explanation {
    /// Whether it leaves more of a run than chance, and memory pressure where it was predicted,
    /// explain.
    pub(super) fn falls_short(&self, run: &Scrutiny<'_>) -> bool {
        let slower = self.unexplained > 0.0;
        let slowest = run.pressed_speeds(SPEEDS).into_iter().fold(1.0, f64::min);
        let pressure = if slower { -slowest.ln() } else { 0.0 };
        let waves = if slower { run.slower_sd() } else { 0.0 };
        let variance = run.covariance(run) + run.noise_sd().powi(2) + waves.powi(2);
        self.unexplained.abs() - pressure > NO_CHANCE * variance.sqrt()
    }

    /// Mean and standard deviation of the logarithm of its size.
    pub(super) fn log_size(&self) -> (f64, f64) {
        moments(&self.sizes, |size| size.log)
    }
}

/// Mean and standard deviation of a function of weighted sizes.
pub(super) fn moments(sizes: &[Size], of: impl Fn(&Size) -> f64) -> (f64, f64) {
    let mean: f64 = sizes.iter().map(|size| size.share * of(size)).sum();
    let variance: f64 = sizes
        .iter()
        .map(|size| size.share * (of(size) - mean).powi(2))
        .sum();
    (mean, variance.max(0.0).sqrt())
}

/// The causes that can explain the observations, the most probable first. The first observation is
/// the run that is compared; a bad day befalls it alone.
pub(super) fn explain(observations: &[Observation<'_>]) -> Vec<Explanation> {
    let Some(run) = observations.first() else {
        return Vec::new();
    };
    let chance = Chance::new(observations);
    let mut found: Vec<(f64, Explanation)> = Cause::ALL
        .iter()
        .filter(|cause| run.scrutiny.prior(**cause) > 0.0)
        .filter(|cause| run.slowdown > 0.0 || !cause.only_slows())
        .map(|&cause| weigh(observations, &chance, cause))
        .filter(|(log, _)| !log.is_nan())
        .collect();
    let best = found.iter().map(|(log, _)| *log).fold(f64::MIN, f64::max);
    let total: f64 = found.iter().map(|(log, _)| (log - best).exp()).sum();
    for (log, explanation) in &mut found {
        explanation.probability = (*log - best).exp() / total;
    }
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found
        .into_iter()
        .map(|(_, explanation)| explanation)
        .collect()
}

/// Logarithm of a cause's prior times the evidence for it, and its sizes as they were weighted.
fn weigh(observations: &[Observation<'_>], chance: &Chance, cause: Cause) -> (f64, Explanation) {
    let prior = observations
        .first()
        .map_or(0.0, |run| run.scrutiny.prior(cause));
    let run = observations.first();
    let mut sizes = run.map_or_else(Vec::new, |run| run.scrutiny.sizes(cause));
    let logs: Vec<f64> = sizes
        .iter()
        .map(|size| {
            let rest = observations.iter().enumerate().map(|(index, observed)| {
                let befalls = index == 0 || cause != Cause::BadDay;
                let effect = if befalls {
                    effect(observed, observations, cause, size.log)
                } else {
                    0.0
                };
                observed.slowdown - effect
            });
            size.share.ln() + chance.log_density(&rest.collect::<Vec<_>>(), cause)
        })
        .collect();
    let best = logs.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = logs.iter().map(|log| (log - best).exp()).sum();
    for (size, log) in sizes.iter_mut().zip(&logs) {
        size.share = (log - best).exp() / total;
    }
    let unexplained = run.map_or(0.0, |run| {
        let (explained, _) = moments(&sizes, |size| effect(run, observations, cause, size.log));
        run.slowdown - explained
    });
    (
        prior.ln() + best + total.ln(),
        Explanation {
            cause,
            probability: 0.0,
            sizes,
            unexplained,
        },
    )
}

/// What a cause of that size does to one of the configurations. Memory pressure where none was
/// predicted holds on what has no more memory to spare than the run.
fn effect(observed: &Observation<'_>, all: &[Observation<'_>], cause: Cause, log_size: f64) -> f64 {
    let roomier = all
        .first()
        .is_some_and(|run| observed.scrutiny.margin_bytes() > run.scrutiny.margin_bytes());
    if cause == Cause::MemoryPressure && (roomier || observed.scrutiny.is_tight()) {
        return 0.0;
    }
    observed.scrutiny.effect(cause, log_size)
}

/// What chance does: a Gaussian around what the cause explains, wider towards slower steps, and
/// memory pressure where it is predicted.
struct Chance {
    covariance: DMatrix<f64>,
    slower_variance: Vec<f64>,
    pressed: Vec<bool>,
    /// Logarithms of the slowdowns that memory pressure may bring.
    pressures: Vec<f64>,
}

impl Chance {
    fn new(observations: &[Observation<'_>]) -> Self {
        let count = observations.len();
        let covariance = DMatrix::from_fn(count, count, |i, j| {
            match (observations.get(i), observations.get(j)) {
                (Some(a), Some(_)) if i == j => {
                    a.scrutiny.covariance(&a.scrutiny) + a.scrutiny.noise_sd().powi(2)
                }
                (Some(a), Some(b)) => a.scrutiny.covariance(&b.scrutiny),
                _ => 0.0,
            }
        });
        let pressed: Vec<bool> = observations.iter().map(|o| o.scrutiny.is_tight()).collect();
        let pressures = observations
            .iter()
            .find(|observed| observed.scrutiny.is_tight())
            .map_or_else(
                || vec![0.0],
                |tight| {
                    let speeds = tight.scrutiny.pressed_speeds(SPEEDS);
                    speeds.iter().map(|speed| -speed.ln()).collect()
                },
            );
        Self {
            covariance,
            slower_variance: observations
                .iter()
                .map(|o| o.scrutiny.slower_sd().powi(2))
                .collect(),
            pressed,
            pressures,
        }
    }

    /// Logarithm of the density of what is left unexplained.
    fn log_density(&self, rest: &[f64], cause: Cause) -> f64 {
        if cause == Cause::NoMemoryPressure {
            return self.gaussian(rest, 0.0);
        }
        let logs: Vec<f64> = self
            .pressures
            .iter()
            .map(|pressure| self.gaussian(rest, *pressure))
            .collect();
        let best = logs.iter().copied().fold(f64::MIN, f64::max);
        let total: f64 = logs.iter().map(|log| (log - best).exp()).sum();
        best + (total / logs.len().max(1) as f64).ln()
    }

    fn gaussian(&self, rest: &[f64], pressure: f64) -> f64 {
        let rest: Vec<f64> = rest
            .iter()
            .zip(&self.pressed)
            .map(|(rest, pressed)| rest - if *pressed { pressure } else { 0.0 })
            .collect();
        let mut covariance = self.covariance.clone();
        for (index, (rest, variance)) in rest.iter().zip(&self.slower_variance).enumerate() {
            if *rest > 0.0
                && let Some(entry) = covariance.get_mut((index, index))
            {
                *entry += variance;
            }
        }
        let Some(factor) = covariance.cholesky() else {
            return f64::MIN / 1e6;
        };
        let rest = DVector::from_vec(rest);
        let log_determinant: f64 = factor.l_dirty().diagonal().iter().map(|d| d.ln()).sum();
        -0.5 * rest.dot(&factor.solve(&rest)) - log_determinant
    }
}
