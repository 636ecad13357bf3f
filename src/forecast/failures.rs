//! What failures do to a run: how many there are, and how many hours they cost.
//!
//! While the job runs, failures are a Poisson process, `Λ` per hour. One throws it back to the last
//! checkpoint: with cycles of `L` hours (training, then writing a checkpoint), the work lost is
//! exponential cut off at `L`, with mean `U = L·(1/y − 1/(e^y − 1))`, `y = Λ·L`, half a cycle where
//! failures are rare. Then the job restarts, which fails in turn: `R` hours without failures take
//! `(e^(ΛR) − 1)/Λ` of them. Where no spare node is left, it first waits for one. Together, an hour
//! of training and writing takes
//!
//! ```text
//! (e^(ΛR) + Λ·wait)·(e^y − 1)/y
//! ```
//!
//! hours on average: Daly's complete model (Daly 2006, equation 13) with the wait added. To first
//! order that is `1 / (1 − Λ·(R + wait + L/2))`, as in Kokolis et al. (arXiv 2410.21680).
//!
//! A run of `x` productive hours ends when hours worked less hours lost first reach `x`. For a
//! process that jumps down only, the number of failures until then has the law (Kendall's identity)
//!
//! ```text
//! P(K = k) = θ·(θ + k·ρ)^(k−1)·e^(−θ − k·ρ) / k!,   θ = Λ·x,   ρ = Λ·U
//! ```
//!
//! exact where all lose the same (the generalized Poisson law of Consul & Jain 1973). A run that ends
//! before its first checkpoint starts from scratch until nothing fails for as long as it takes: then
//! the law is geometric, `P(K = k) = (1 − e^(−θ))^k·e^(−θ)`. Given `k`, the hours they cost are
//! represented by three values that have their first four cumulants.

/// Failures of a running job, and what one costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failures {
    /// Failures per hour of the whole job while it runs.
    pub per_h: f64,
    /// Hours from a failure until training goes on.
    pub restart_h: f64,
    /// The most hours of work that one loses: from one checkpoint to the end of the next.
    pub cycle_h: f64,
    /// Share of failures that find no spare node.
    pub wait_share: f64,
    /// Hours that such a one waits for a node.
    pub wait_h: f64,
}

/// A possible outcome of the failures of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// Natural logarithm of hours on the wall clock over productive hours.
    pub(super) log_factor: f64,
    /// Its probability.
    pub(super) weight: f64,
}

/// Up to so many expected failures the outcomes are listed; beyond, the hours they cost together are
/// close to log-normal.
const LISTED: f64 = 40.0;
/// Where rework costs more than this share of the work, its law has too long a tail to list.
const LISTED_LOAD: f64 = 0.5;
/// Probability of the outcomes that are not listed, at most.
const UNLISTED: f64 = 1e-10;

/// An exponential law is represented by so many values, equally likely.
const EXPONENTIAL_POINTS: u32 = 400;

/// First four cumulants of the hours lost, in hours and their powers.
#[derive(Debug, Clone, Copy)]
struct Cumulants([f64; 4]);

/// A Gaussian is represented by so many values to either side of its mean,
const GAUSSIAN_POINTS: i32 = 20;
/// so many standard deviations apart: what is spread by less besides is not smooth any more.
const GAUSSIAN_STEP: f64 = 0.2;

impl Outcome {
    /// No failure, no delay.
    pub(super) const UNDELAYED: Self = Self {
        log_factor: 0.0,
        weight: 1.0,
    };
}

impl Failures {
    /// Hours of work that one failure loses on average.
    #[must_use]
    pub fn lost_h(&self) -> f64 {
        let y = self.per_h * self.cycle_h;
        if y < 1e-4 {
            self.cycle_h * (0.5 - y / 12.0)
        } else {
            self.cycle_h * (y.recip() - y.exp_m1().recip())
        }
    }

    /// Hours that one failure stops the job on average, failures while it restarts included.
    #[must_use]
    pub fn down_h(&self) -> f64 {
        let restart_h = if self.per_h > 0.0 {
            (self.per_h * self.restart_h).exp_m1() / self.per_h
        } else {
            self.restart_h
        };
        restart_h + self.wait_share * self.wait_h
    }

    /// Hours on the wall clock for every hour of training and writing; infinite where failures come
    /// so fast that no cycle is ever finished.
    #[must_use]
    pub fn slowdown(&self) -> f64 {
        // Rounding may leave a little less than nothing.
        let left = (1.0 - self.per_h * self.lost_h()).max(0.0);
        (1.0 + self.per_h * self.down_h()) / left
    }

    /// Of the hours that one failure costs.
    fn cost(&self) -> Cumulants {
        let (share, wait) = (self.wait_share, self.wait_h);
        let coin = share * (1.0 - share);
        let r = self.per_h * self.restart_h;
        let restart = if r < 1e-2 {
            self.restart_h.powi(2) * r / 3.0
        } else {
            ((2.0 * r).exp_m1() - 2.0 * r * r.exp()) / self.per_h.powi(2)
        };
        Cumulants([
            self.lost_h() + self.down_h(),
            self.cycle_h.powi(2) / 12.0 + restart + coin * wait.powi(2),
            coin * (1.0 - 2.0 * share) * wait.powi(3),
            coin * (1.0 - 6.0 * coin) * wait.powi(4) - self.cycle_h.powi(4) / 120.0,
        ])
    }

    /// What they may do to a run of `productive_h` hours without them; the weights add up to 1.
    /// Their slowdown is finite.
    pub(super) fn outcomes(&self, productive_h: f64) -> Vec<Outcome> {
        let (mean, load) = (self.per_h * productive_h, self.per_h * self.lost_h());
        if mean <= 0.0 || load.is_nan() {
            return vec![Outcome::UNDELAYED];
        }
        let from_scratch = self.cycle_h >= productive_h;
        let expected = if from_scratch {
            mean.exp_m1()
        } else {
            mean / (1.0 - load)
        };
        if from_scratch && expected > LISTED {
            return self.hopeless(productive_h);
        }
        if expected > LISTED || (load > LISTED_LOAD && !from_scratch) {
            return self.many(productive_h);
        }
        let cost = self.cost();
        let mut outcomes = Vec::new();
        let mut listed = 0.0;
        let mut k = 0.0;
        while listed < 1.0 - UNLISTED && k < 20.0 * LISTED {
            let weight = if from_scratch {
                ((-(-mean).exp_m1()).ln() * k - mean).exp()
            } else {
                generalized_poisson(k, mean, load)
            };
            listed += weight;
            for (hours, share) in cost.times(k).three_points() {
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
        outcomes
    }

    /// So many starts from scratch that only the last one succeeds: the sum of a geometric number of
    /// hours is close to exponential (Rényi 1956).
    fn hopeless(&self, productive_h: f64) -> Vec<Outcome> {
        let delay_h = productive_h * (self.slowdown() - 1.0);
        let weight = f64::from(EXPONENTIAL_POINTS).recip();
        (0..EXPONENTIAL_POINTS)
            .map(|point| {
                let longer = 1.0 - (f64::from(point) + 0.5) * weight;
                Outcome {
                    log_factor: (-longer.ln() * delay_h / productive_h).ln_1p(),
                    weight,
                }
            })
            .collect()
    }

    /// Many failures: the hours they cost together are log-normal, with the mean and the variance of
    /// their sum, which is `E[K]·Var(J) + Var(K)·E[J]²` with `J` the cost of one.
    fn many(&self, productive_h: f64) -> Vec<Outcome> {
        let Cumulants([mean_h, variance, ..]) = self.cost();
        let left = 1.0 - self.per_h * self.lost_h();
        let count = self.per_h * productive_h / left;
        let spread = count * (variance + (mean_h / left).powi(2));
        let delay_h = productive_h * (self.slowdown() - 1.0);
        let log_variance = (spread / delay_h.powi(2)).ln_1p();
        let (mean, sd) = (delay_h.ln() - log_variance / 2.0, log_variance.sqrt());
        let points =
            (-GAUSSIAN_POINTS..=GAUSSIAN_POINTS).map(|point| f64::from(point) * GAUSSIAN_STEP);
        let density = |z: f64| (-z.powi(2) / 2.0).exp();
        let total: f64 = points.clone().map(density).sum();
        points
            .map(|z| Outcome {
                log_factor: ((mean + sd * z).exp() / productive_h).ln_1p(),
                weight: density(z) / total,
            })
            .collect()
    }
}

/// Probability of `k` failures in a run that would have `mean` of them if no work were lost.
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
        let kurtosis = (3.0 + fourth / variance.powi(2)).max(1.0 + skewness.powi(2));
        let half = (kurtosis - 0.75 * skewness.powi(2)).sqrt();
        let (low, high) = (skewness / 2.0 - half, skewness / 2.0 + half);
        let (below, above) = (1.0 / (low * (low - high)), 1.0 / (high * (high - low)));
        vec![
            (mean + sd * low, below),
            (mean, (1.0 - below - above).max(0.0)),
            (mean + sd * high, above),
        ]
    }
}
