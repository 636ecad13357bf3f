//! The distribution of a run's step time.

use super::pressure::Pressure;
use super::spread::{BadDays, Spread};
use crate::quantity::{Confidence, Interval};

/// Distribution of the seconds per optimizer step of one configuration, over the runs that might
/// be: what the model leaves open, run-to-run noise, bad days, memory pressure.
///
/// [`StepTime::expected_s`] is the step of a run that behaves: about the median, and below the mean,
/// since bad days only ever slow a run down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepTime {
    expected_s: f64,
    spread: Spread,
    pressure: Pressure,
    /// Logarithm, at most 0, of the least time over the expected one: no run is faster.
    least_log: f64,
}

impl StepTime {
    pub(super) fn new(expected_s: f64, spread: Spread, pressure: Pressure) -> Self {
        Self {
            expected_s,
            spread,
            pressure,
            least_log: f64::NEG_INFINITY,
        }
    }

    /// The same where no step takes less than `least_s` seconds: runs that would be faster take as long
    /// as that, or as expected where even that is less.
    pub(super) fn at_least(self, least_s: f64) -> Self {
        let least_log = (least_s / self.expected_s).ln().min(0.0);
        Self { least_log, ..self }
    }

    /// Of a run whose step is known but for the noise between runs, of standard deviation `sd` as a
    /// logarithm.
    pub(crate) fn of_noise(expected_s: f64, sd: f64) -> Self {
        let sd = sd.max(f64::MIN_POSITIVE);
        let spread = Spread {
            faster_sd: sd,
            slower_sd: sd,
            bad_days: BadDays::NEVER,
        };
        Self::new(expected_s, spread, Pressure::NONE)
    }

    /// Expected seconds per step.
    #[must_use]
    pub fn expected_s(&self) -> f64 {
        self.expected_s
    }

    /// Natural logarithm of step time over expected step time that the share `probability` of
    /// runs stays under; it never decreases.
    #[must_use]
    pub fn log_quantile(&self, probability: f64) -> f64 {
        let log = self.spread.quantile(probability) + self.pressure.quantile(probability);
        log.max(self.least_log)
    }

    /// Share of runs whose step time is at most `exp(log)` times the expected one: the inverse of
    /// [`StepTime::log_quantile`].
    #[must_use]
    pub fn probability_within(&self, log: f64) -> f64 {
        if log < self.least_log {
            return 0.0;
        }
        if self.pressure.is_none() {
            return self.spread.probability(log);
        }
        // Both causes have the same rank: find the spread's share of the logarithm.
        let (mut low, mut high) = (
            log - self.pressure.quantile(1.0),
            log - self.pressure.quantile(0.0),
        );
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if middle + self.pressure.quantile(self.spread.probability(middle)) < log {
                low = middle;
            } else {
                high = middle;
            }
        }
        self.spread.probability(f64::midpoint(low, high))
    }

    /// The interval that the central share `confidence` of runs falls into.
    pub(super) fn interval(&self, confidence: Confidence) -> Interval {
        let tail = (1.0 - confidence.get()) / 2.0;
        // Kept finite whatever the logarithms are.
        let end = |log: f64| (self.expected_s * log.exp()).clamp(f64::MIN_POSITIVE, f64::MAX / 1e6);
        Interval {
            low: end(self.log_quantile(tail)),
            expected: self.expected_s,
            high: end(self.log_quantile(1.0 - tail)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bad_runs::BadRuns;
    use super::super::spread::row_sd;
    use super::*;
    use crate::memory::Verdict;
    use crate::stack::Precision;
    use proptest::prelude::*;

    /// Half of the runs of a step of 1 s would be faster than that; none is faster than 0.9 s.
    #[test]
    fn no_run_is_faster_than_the_least_time() {
        let free = StepTime::of_noise(1.0, 0.2);
        let bound = free.at_least(0.9);
        let least_log = 0.9_f64.ln();
        assert!(bound.probability_within(least_log - 1e-9) == 0.0);
        for log in [least_log, -0.05, 0.0, 0.3] {
            let (bound, free) = (bound.probability_within(log), free.probability_within(log));
            assert!((bound - free).abs() < 1e-12, "{log}");
        }
        let interval = bound.interval(Confidence::default());
        let unbound = free.interval(Confidence::default());
        assert!((interval.low - 0.9).abs() < 1e-12 && unbound.low < 0.75);
        assert!((interval.high - unbound.high).abs() < 1e-12);
        // What is expected stays, even where it can't be.
        let beyond = free.at_least(1.1).interval(Confidence::default());
        assert!((beyond.low - 1.0).abs() < 1e-12 && (beyond.expected - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn probability_inverts_the_quantile(
            nodes in 1.0..64.0_f64, sd in 0.0..0.6_f64, waves in 0.0..0.1_f64,
            p in 0.0005..0.9995_f64, tight in any::<bool>(), later in any::<bool>(),
        ) {
            let sd = sd.hypot(row_sd(nodes, 10.0));
            let spread = Spread {
                faster_sd: sd,
                slower_sd: sd.hypot(waves),
                bad_days: BadRuns::PRIOR.on(nodes),
            };
            let verdict = if tight { Verdict::Tight } else { Verdict::Fits };
            let precision = if later { Precision::PureBf16 } else { Precision::Fp32Gather };
            let step = StepTime::new(1.0, spread, Pressure::of(verdict, precision));
            let log = step.log_quantile(p);
            let back = step.probability_within(log);
            // Where bad days leave a gap around the expected value, any share of it will do.
            let gap = spread.quantile(p) == 0.0;
            prop_assert!(gap || (back - p).abs() < 1e-6, "{back} {p}");
            prop_assert!(step.log_quantile((p + 0.0001).min(0.9995)) >= log);
        }
    }
}
