//! The spread of runs: how far one may be from its prediction.
//!
//! The logarithm of a run's step time is spread by three independent causes: what the rows leave
//! open about the coefficients, what the residual correction doesn't know at that distance from
//! the measured cells, and the run-to-run noise, which grows with the number of nodes. On top of
//! that some multi-node runs are simply bad: a slow link, a straggling node. The tables show
//! single 32-GPU cells up to 30 % slow. A *bad day* adds an exponentially distributed slowdown
//! with a probability that grows with the nodes involved.

/// Run-to-run standard deviation of the logarithm of throughput on one node: repeats of one cell
/// of the tables differ by 0.2 to 0.7 %.
const ROW_SD: f64 = 0.005;

/// Nodes beyond which the tables say nothing about how the noise grows.
pub(super) const MEASURED_NODES: f64 = 4.0;

/// Growth of the noise with nodes while measured, and the slower one assumed beyond: powers of their number.
///
/// Both are assumptions. With a tenth more or less of the first, `tminus evaluate` moves by at most 0.002
/// percentage points in mean error over all rows, intervals on 32 GPUs by at most 0.07 in half-width, and no row leaves or
/// enters its interval. The tables end at four nodes, where the second begins, so that they don't move with it.
const ROW_SD_POWERS: (f64, f64) = (0.75, 0.25);

/// By how much the wait for the slowest node differs between runs: standard deviation in seconds
/// per step and doubling of nodes, of the order of the wait itself
/// ([`Id::Synchronization`](super::coefficients::Id::Synchronization)). Rows of one micro-step on
/// two nodes stray by 8 to 26 ms from those of several.
const WAIT_SD_S: f64 = 0.010;

/// Standard deviation of one run's logarithm of throughput, on `nodes` nodes at `step_s` seconds a
/// step.
#[must_use]
pub(crate) fn row_sd(nodes: f64, step_s: f64) -> f64 {
    let (measured, beyond) = ROW_SD_POWERS;
    let relative = ROW_SD
        * nodes.min(MEASURED_NODES).powf(measured)
        * (nodes / MEASURED_NODES).max(1.0).powf(beyond);
    relative.hypot(WAIT_SD_S * nodes.log2() / step_s)
}

/// Runs that something slows down: how many, and by how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BadDays {
    /// Probability of one.
    share: f64,
    /// Mean slowdown of one, as a logarithm.
    slowdown: f64,
}

impl BadDays {
    /// Probability of one.
    pub(crate) fn share(self) -> f64 {
        self.share
    }

    /// Mean slowdown of one, as a logarithm.
    pub(crate) fn slowdown(self) -> f64 {
        self.slowdown
    }

    pub(super) fn new(share: f64, slowdown: f64) -> Self {
        Self { share, slowdown }
    }

    /// None at all.
    pub(super) const NEVER: Self = Self {
        share: 0.0,
        slowdown: 0.0,
    };

    /// The same slowdown, every day.
    fn always(self) -> Self {
        Self { share: 1.0, ..self }
    }
}

/// The distribution of the logarithm of a run's step time around its prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// Standard deviation towards faster runs.
    pub(crate) faster_sd: f64,
    /// Standard deviation towards slower runs, bad days aside.
    pub(crate) slower_sd: f64,
    /// Bad days.
    pub(crate) bad_days: BadDays,
}

impl Spread {
    /// The logarithm that the share `probability` of runs stays under. Half of the runs are at
    /// least as fast as expected; bad days are among the other half.
    pub(crate) fn quantile(&self, probability: f64) -> f64 {
        if probability < 0.5 {
            quantile(probability, self.faster_sd, BadDays::NEVER).min(0.0)
        } else {
            quantile(probability, self.slower_sd, self.bad_days).max(0.0)
        }
    }

    /// The share of runs that stay under the logarithm `log`.
    pub(crate) fn probability(&self, log: f64) -> f64 {
        if log < 0.0 {
            normal(log / self.faster_sd)
        } else {
            distribution(log, self.slower_sd, self.bad_days).max(0.5)
        }
    }

    /// The logarithm that a share `share` of bad days stays under.
    pub(crate) fn bad_day(&self, share: f64) -> f64 {
        quantile(share, self.slower_sd, self.bad_days.always())
    }
}

/// Standard normal distribution function.
pub(crate) fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Standard deviations from the mean within which the share `confidence` of a Gaussian lies.
pub(crate) fn normal_reach(confidence: f64) -> f64 {
    quantile(f64::midpoint(1.0, confidence), 1.0, BadDays::NEVER)
}

/// Distribution function of `sd·Z + B·E`: Gaussian noise, plus on bad days an exponential
/// slowdown.
fn distribution(x: f64, sd: f64, bad: BadDays) -> f64 {
    if bad.slowdown <= 0.0 {
        return normal(x / sd);
    }
    let ratio = sd / bad.slowdown;
    let tail = (ratio.powi(2) / 2.0 - x / bad.slowdown).min(500.0).exp();
    normal(x / sd) - bad.share * tail * normal(x / sd - ratio)
}

/// Where [`distribution`] reaches `probability`, by bisection to rounding.
fn quantile(probability: f64, sd: f64, bad: BadDays) -> f64 {
    let reach = 10.0 * sd + 20.0 * bad.slowdown;
    let (mut low, mut high) = (-reach, reach);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if distribution(middle, sd, bad) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::super::bad_runs::BadRuns;
    use super::*;

    #[test]
    fn gaussian_quantiles_are_the_textbook_ones() {
        for (probability, z) in [
            (0.95, 1.644_853_6),
            (0.05, -1.644_853_6),
            (0.5, 0.0),
            (0.999, 3.090_232_3),
        ] {
            assert!((quantile(probability, 0.02, BadDays::NEVER) / 0.02 - z).abs() < 1e-6);
        }
    }

    #[test]
    fn intervals_widen_with_confidence_and_with_nodes() {
        let spread = |nodes: f64| Spread {
            faster_sd: row_sd(nodes, 10.0),
            slower_sd: row_sd(nodes, 10.0),
            bad_days: BadRuns::PRIOR.on(nodes),
        };
        let mut last = 0.0;
        for nodes in [1.0, 2.0, 4.0, 8.0, 32.0] {
            let ends = |tail: f64| {
                let spread = spread(nodes);
                (spread.quantile(tail), spread.quantile(1.0 - tail))
            };
            let (low, high) = ends(0.05);
            let (wider_low, wider_high) = ends(0.005);
            assert!(wider_low < low && high < wider_high);
            assert!(high - low > last);
            last = high - low;
        }
    }

    #[test]
    fn a_bad_day_mixture_keeps_its_share() {
        // Without noise, half of the bad days are slower than the exponential's median.
        let spread = Spread {
            faster_sd: 1e-9,
            slower_sd: 1e-9,
            bad_days: BadRuns::PRIOR.on(2.0),
        };
        let median = BadRuns::PRIOR.on(2.0).slowdown() * std::f64::consts::LN_2;
        assert!((spread.bad_day(0.5) - median).abs() < 1e-6);
    }
}
