//! Values with the interval they lie in.

use serde::Serialize;

/// A value with the interval it lies in at the stated confidence; all three finite and ordered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Expected value.
    pub expected: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Nothing, for sure.
    pub const ZERO: Self = Self::exactly(0.0);

    /// A value that is known, which both ends are; it is the caller's to be finite.
    #[must_use]
    pub const fn exactly(value: f64) -> Self {
        Self {
            low: value,
            expected: value,
            high: value,
        }
    }

    /// The sum as if all went well together or badly together: its ends are those of the sums of low and
    /// of high ends, further apart than those of what is independent.
    #[must_use]
    pub fn plus_end_by_end(self, other: Self) -> Self {
        Self {
            low: self.low + other.low,
            expected: self.expected + other.expected,
            high: self.high + other.high,
        }
    }

    /// An interval from any three numbers: ends are ordered around the expected value.
    ///
    /// Returns `None` when one of them is not finite, so that no NaN can be shown.
    #[must_use]
    pub fn new(low: f64, expected: f64, high: f64) -> Option<Self> {
        let finite = low.is_finite() && expected.is_finite() && high.is_finite();
        finite.then(|| Self {
            low: low.min(expected),
            expected,
            high: high.max(expected),
        })
    }

    /// The same interval in another unit; a negative factor would swap the ends.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Self {
            low: self.low * factor,
            expected: self.expected * factor,
            high: self.high * factor,
        }
    }

    /// `numerator / self`: the ends change places (a high rate is a low time).
    #[must_use]
    pub fn invert(self, numerator: f64) -> Self {
        Self {
            low: numerator / self.high,
            expected: numerator / self.expected,
            high: numerator / self.low,
        }
    }

    /// Whether `value` lies inside, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}
