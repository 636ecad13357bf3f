//! How sure an interval is meant to be.

use std::str::FromStr;

use serde::Serialize;

use super::QuantityError;

/// The share of outcomes an interval is meant to hold: strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Confidence(f64);

impl Confidence {
    /// Nearly all: what lies outside is taken for a bad run or a mistake.
    pub const NEARLY_ALL: Self = Self(0.99);

    /// A confidence.
    ///
    /// # Errors
    /// When `share` is not from 0.01 to 0.999: outside, the tables can't say.
    pub fn new(share: f64) -> Result<Self, QuantityError> {
        if (0.01..=0.999).contains(&share) {
            Ok(Self(share))
        } else {
            Err(QuantityError {
                text: share.to_string(),
                expected: "a confidence such as 0.9",
                reason: "it must be from 0.01 to 0.999".into(),
            })
        }
    }

    /// The share, between 0 and 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Confidence {
    fn default() -> Self {
        Self(0.9)
    }
}

impl FromStr for Confidence {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = QuantityError::of(text, "a confidence such as 0.9");
        let share: f64 = text
            .trim()
            .parse()
            .map_err(|_| fail("it must be a number"))?;
        Self::new(share).map_err(|error| fail(&error.reason))
    }
}
