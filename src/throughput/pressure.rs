//! Memory pressure: what running close to the limit does to the speed.
//!
//! Measured configurations whose memory verdict is `tight` either went out of memory or ran at
//! 0.3 to 0.9 of the speed they would otherwise have: the allocator frees and asks again for
//! memory all the time. Nothing is known about which of these it will be, so the speed is taken
//! as uniform between them.
//!
//! That was the measured stack. Later ones limit the gathers in flight, which is what overran the
//! allocator (`limit_all_gathers`, on by default since `PyTorch` 2.0; arXiv 2304.11277, section
//! 3.4): there full speed is expected, and what was seen is how slow it may be.

use crate::memory::{RanAs, Verdict};
use crate::stack::Precision;

/// Slowest and fastest speed seen under pressure, over the speed without.
pub(crate) const TIGHT_SPEED: (f64, f64) = (0.3, 0.9);

/// The expected logarithm of how much slower runs under pressure are, and its standard deviation.
pub(crate) fn log_slowdown() -> (f64, f64) {
    let (slowest, fastest) = TIGHT_SPEED;
    let width = fastest - slowest;
    // Of a uniform speed u: the means of ln u and of its square.
    let mean = (fastest * fastest.ln() - slowest * slowest.ln()) / width - 1.0;
    let square = |speed: f64| speed * (speed.ln().powi(2) - 2.0 * speed.ln() + 2.0);
    let variance = (square(fastest) - square(slowest)) / width - mean.powi(2);
    (-mean, variance.sqrt())
}

/// How fast a step runs under memory pressure, over its speed without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pressure {
    slowest: f64,
    fastest: f64,
    expected: f64,
}

impl Pressure {
    /// None at all.
    pub(super) const NONE: Self = Self {
        slowest: 1.0,
        fastest: 1.0,
        expected: 1.0,
    };

    /// Of a memory verdict on a stack. What overflows doesn't run at all: it is predicted as if
    /// it fitted.
    pub(crate) fn of(verdict: Verdict, precision: Precision) -> Self {
        let (slowest, fastest) = TIGHT_SPEED;
        match (verdict, precision) {
            (Verdict::Tight, Precision::Fp32Gather) => Self {
                slowest,
                fastest,
                expected: f64::midpoint(slowest, fastest),
            },
            (Verdict::Tight, _) => Self {
                slowest,
                fastest: 1.0,
                expected: 1.0,
            },
            (Verdict::Fits | Verdict::Overflows, _) => Self::NONE,
        }
    }

    /// Of an estimate, where runs are at full speed from `full_speed` bytes to spare on; of what ran by how
    /// it ran.
    pub(crate) fn at(
        margin_bytes: f64,
        ran_as: Option<RanAs>,
        full_speed: f64,
        precision: Precision,
    ) -> Self {
        let verdict = if margin_bytes >= full_speed {
            Verdict::Fits
        } else {
            let estimated = Verdict::of_margin(margin_bytes);
            ran_as.map_or(estimated, |run| run.verdict().min(estimated))
        };
        Self::of(verdict, precision)
    }

    /// The expected relative speed.
    pub(crate) fn expected(self) -> f64 {
        self.expected
    }

    /// The relative speed that a share `share` of outcomes stays below.
    pub(crate) fn speed(self, share: f64) -> f64 {
        self.slowest + share * (self.fastest - self.slowest)
    }

    /// Whether there is none.
    pub(crate) fn is_none(self) -> bool {
        self.slowest >= self.fastest
    }

    /// The logarithm of step time over expected step time that the share `probability` of runs
    /// stays under; half of them are faster than expected, half slower, each evenly spread.
    pub(crate) fn quantile(self, probability: f64) -> f64 {
        let side = if probability < 0.5 {
            self.fastest - self.expected
        } else {
            self.expected - self.slowest
        };
        let speed = self.expected + (1.0 - 2.0 * probability) * side;
        (self.expected / speed).ln()
    }
}
