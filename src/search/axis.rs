//! One axis of the search: `8`, `8,16,32`, `8..128` (powers of two), `8..128:8`, `auto`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The values a number takes in the search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Axis {
    /// Whatever makes sense there; see the space's docs for what that means on each axis.
    #[default]
    Auto,
    /// These values, ascending, without repeats.
    List(Vec<u64>),
    /// `low`, `2·low`, `4·low`, … up to `high`.
    Doubling {
        /// First value.
        low: u64,
        /// Last value, at most.
        high: u64,
    },
    /// `low`, `low + step`, … up to `high`.
    Stepped {
        /// First value.
        low: u64,
        /// Last value, at most.
        high: u64,
        /// Difference, at least 1.
        step: u64,
    },
}

/// Why a text is not an axis.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an axis: {reason}")]
pub struct AxisError {
    /// What was typed.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FromStr for Axis {
    type Err = AxisError;

    fn from_str(_text: &str) -> Result<Self, Self::Err> {
        todo!()
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// An on/off choice of the search.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// Both are tried.
    #[default]
    Auto,
    /// On.
    On,
    /// Off.
    Off,
}
