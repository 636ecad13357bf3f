//! Memory pressure: what running close to the limit does to the speed.
//!
//! Measured configurations whose memory verdict is `tight` either went out of memory or ran at
//! 0.3 to 0.9 of the speed they would otherwise have: the allocator frees and asks again for
//! memory all the time. Nothing is known about which of these it will be, so the speed is taken
//! as uniform between them.

use crate::memory::Verdict;

/// Slowest and fastest speed seen under pressure, over the speed without.
const TIGHT_SPEED: (f64, f64) = (0.3, 0.9);

/// How fast a step runs under memory pressure, over its speed without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pressure {
    slowest: f64,
    fastest: f64,
}

impl Pressure {
    /// Of a memory verdict. What overflows doesn't run at all: it is predicted as if it fitted.
    pub(crate) fn of(verdict: Verdict) -> Self {
        let (slowest, fastest) = match verdict {
            Verdict::Tight => TIGHT_SPEED,
            Verdict::Fits | Verdict::Overflows => (1.0, 1.0),
        };
        Self { slowest, fastest }
    }

    /// The expected relative speed.
    pub(crate) fn expected(self) -> f64 {
        f64::midpoint(self.slowest, self.fastest)
    }

    /// Whether there is none.
    pub(crate) fn is_none(self) -> bool {
        self.slowest >= self.fastest
    }

    /// The logarithm of step time over expected step time that the share `probability` of runs
    /// stays under.
    pub(crate) fn quantile(self, probability: f64) -> f64 {
        let expected = self.expected();
        let speed = expected + (0.5 - probability) * (self.fastest - self.slowest);
        (expected / speed).ln()
    }
}
