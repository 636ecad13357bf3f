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

use crate::memory::Verdict;
use crate::stack::Precision;

/// Slowest and fastest speed seen under pressure, over the speed without.
const TIGHT_SPEED: (f64, f64) = (0.3, 0.9);

/// How fast a step runs under memory pressure, over its speed without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pressure {
    slowest: f64,
    fastest: f64,
    expected: f64,
}

impl Pressure {
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
            (Verdict::Fits | Verdict::Overflows, _) => Self {
                slowest: 1.0,
                fastest: 1.0,
                expected: 1.0,
            },
        }
    }

    /// The expected relative speed.
    pub(crate) fn expected(self) -> f64 {
        self.expected
    }

    /// How far the ends of the central share `confidence` lie from the expected step time, as
    /// logarithms: the faster end, then the slower one.
    pub(crate) fn central(self, confidence: f64) -> (f64, f64) {
        let tail = (1.0 - confidence) / 2.0 * (self.fastest - self.slowest);
        let faster = (self.fastest - tail).max(self.expected);
        (
            (self.expected / faster).ln(),
            (self.expected / (self.slowest + tail)).ln(),
        )
    }
}
