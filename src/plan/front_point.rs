//! A candidate's place on the time–cost front.

use schemars::JsonSchema;
use serde::Serialize;

/// A candidate's place on the time–cost front. A step leads to it from the candidate before it,
/// which is slower and cheaper.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct FrontPoint {
    /// Whether it is the knee.
    pub knee: bool,
    /// The step to it; `null` for the first.
    pub step: Option<FrontStep>,
}

/// What a step along the front costs and saves, by the expected values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct FrontStep {
    /// Dollars more.
    pub extra_usd: f64,
    /// Hours on the wall clock less.
    pub hours_saved: f64,
    /// Dollars for each hour saved.
    pub usd_per_hour_saved: f64,
    /// Hours saved for each dollar more.
    pub hours_saved_per_usd: f64,
    /// Whether the two times can be told apart: their difference is beyond the model's error.
    pub times_told_apart: bool,
    /// Whether the two costs can be told apart.
    pub costs_told_apart: bool,
}
