//! What failures do to a run: how many there are, and how many hours they cost.
//!
//! Failures of the job are a Poisson process on the wall clock, `Λ` per hour. Each costs
//! `J = restart + U` hours, with `U`, the work since the last checkpoint, uniform between nothing
//! and a whole cycle (the training time between two checkpoints and the time to write one). A run
//! of `x` productive hours ends when `t − Σ J` first reaches `x`. That first passage has the law
//! (Kendall's identity for a process that jumps down only)
//!
//! ```text
//! P(K = k) = θ·(θ + k·ρ)^(k−1)·e^(−θ − k·ρ) / k!,   θ = Λ·x,   ρ = Λ·E[J]
//! ```
//!
//! for the number of failures, exact where all cost the same (Consul & Jain's generalized Poisson
//! law, 1973), and `x / (1 − ρ)` hours in expectation: the goodput of [`WallClock`](super::WallClock).

/// Failures of a running job, and what one costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failures {
    /// Failures per hour of the whole job.
    pub per_h: f64,
    /// Hours from a failure until training goes on.
    pub restart_h: f64,
    /// The most hours of work that one loses: from one checkpoint to the end of the next.
    pub cycle_h: f64,
}

/// A possible outcome of the failures of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// Natural logarithm of hours on the wall clock over productive hours.
    pub(super) log_factor: f64,
    /// Its probability.
    pub(super) weight: f64,
}

/// What the failures of a run may do to its length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delay {
    /// Outcomes; their weights add up to 1.
    pub(super) outcomes: Vec<Outcome>,
    /// Standard deviation of the logarithm around each.
    pub(super) blur: f64,
}

impl Delay {
    /// No failures, no delay.
    pub(super) fn none() -> Self {
        Self {
            outcomes: vec![Outcome {
                log_factor: 0.0,
                weight: 1.0,
            }],
            blur: 0.0,
        }
    }
}

/// Up to so many expected failures the outcomes are listed; beyond, their sum is close to Gaussian.
const LISTED: f64 = 40.0;
/// Where failures cost more than this share of the wall clock, their law has too long a tail to list.
const LISTED_LOAD: f64 = 0.5;
/// Probability of the outcomes that are not listed, at most.
const UNLISTED: f64 = 1e-10;

/// First four cumulants of the hours lost, in hours and their powers.
#[derive(Debug, Clone, Copy)]
struct Cumulants([f64; 4]);

impl Failures {
    /// Of the hours that one failure costs.
    fn cost(&self) -> Cumulants {
        Cumulants([
            self.restart_h + self.cycle_h / 2.0,
            self.cycle_h.powi(2) / 12.0,
            0.0,
            -self.cycle_h.powi(4) / 120.0,
        ])
    }

    /// Hours that one failure costs on average.
    #[must_use]
    pub fn cost_h(&self) -> f64 {
        self.cost().0[0]
    }

    /// Share of the wall clock that failures cost on average; 1 or more when they come faster than
    /// the run recovers.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.per_h * self.cost_h()
    }

    /// What they may do to a run of `productive_h` hours without them. The load must be below 1.
    pub(super) fn delay(&self, productive_h: f64) -> Delay {
        let (mean, load) = (self.per_h * productive_h, self.load());
        if mean <= 0.0 || load.is_nan() {
            return Delay::none();
        }
        if load > LISTED_LOAD || mean / (1.0 - load) > LISTED {
            return self.many(productive_h);
        }
        let mut outcomes = Vec::new();
        let mut listed = 0.0;
        let mut k = 0.0;
        while listed < 1.0 - UNLISTED && k < 20.0 * LISTED {
            let weight = generalized_poisson(k, mean, load);
            listed += weight;
            for (hours, share) in self.cost().times(k).three_points() {
                outcomes.push(Outcome {
                    log_factor: (hours.max(0.0) / productive_h).ln_1p(),
                    weight: weight * share,
                });
            }
            k += 1.0;
        }
        for outcome in &mut outcomes {
            outcome.weight /= listed;
        }
        Delay {
            outcomes,
            blur: 0.0,
        }
    }

    /// Many failures: a log-normal factor with the mean and the variance of the first passage,
    /// `Λ·E[J²]·x / (1 − ρ)³`.
    fn many(&self, productive_h: f64) -> Delay {
        let Cumulants([mean_h, variance, ..]) = self.cost();
        let left = 1.0 - self.load();
        let relative = self.per_h * (variance + mean_h.powi(2)) / (productive_h * left);
        let log_variance = relative.ln_1p();
        Delay {
            outcomes: vec![Outcome {
                log_factor: -left.ln() - log_variance / 2.0,
                weight: 1.0,
            }],
            blur: log_variance.sqrt(),
        }
    }
}

/// Probability of `k` failures in a run that would have `mean` of them if they cost nothing.
fn generalized_poisson(k: f64, mean: f64, load: f64) -> f64 {
    let rate = mean + k * load;
    (mean.ln() + (k - 1.0) * rate.ln() - rate - libm::lgamma(k + 1.0)).exp()
}

impl Cumulants {
    /// Of the sum of `k` independent ones.
    fn times(self, k: f64) -> Self {
        Self(self.0.map(|cumulant| cumulant * k))
    }

    /// Three values with weights that have these four cumulants.
    fn three_points(self) -> Vec<(f64, f64)> {
        let Self([mean, variance, third, fourth]) = self;
        if variance <= 0.0 {
            return vec![(mean, 1.0)];
        }
        let sd = variance.sqrt();
        let skewness = third / sd.powi(3);
        let kurtosis = 3.0 + fourth / variance.powi(2);
        let half = (kurtosis - 0.75 * skewness.powi(2)).sqrt();
        let (low, high) = (skewness / 2.0 - half, skewness / 2.0 + half);
        let (below, above) = (1.0 / (low * (low - high)), 1.0 / (high * (high - low)));
        vec![
            (mean + sd * low, below),
            (mean, 1.0 - below - above),
            (mean + sd * high, above),
        ]
    }
}
