//! Deadlines.

use std::fmt;
use std::str::FromStr;

use super::span::UNITS;
use super::{Moment, Span};
use crate::quantity::QuantityError;

/// When something has to be done: by a date, or so long after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// By that instant.
    By(Moment),
    /// That long after the start.
    Within(Span),
}

impl Due {
    /// The instant, where lengths of time count from `start`; `None` beyond the years accepted.
    #[must_use]
    pub fn after(self, start: Moment) -> Option<Moment> {
        match self {
            Self::By(moment) => Some(moment),
            Self::Within(span) => start.plus(span),
        }
    }
}

impl FromStr for Due {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let written = text.trim();
        let unit = UNITS.iter().any(|(suffix, _)| written.ends_with(suffix));
        let fail = |error: QuantityError| QuantityError {
            expected: "a date such as 2026-12-15, or a length of time such as 14d",
            ..error
        };
        if unit || !written.contains(['-', ':', 'T']) {
            written.parse().map(Self::Within).map_err(fail)
        } else {
            written.parse().map(Self::By).map_err(fail)
        }
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(moment) => moment.fmt(f),
            Self::Within(span) => span.fmt(f),
        }
    }
}
