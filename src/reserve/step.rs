//! A booking one step away from another: what is changed, and what that does.

use schemars::JsonSchema;
use serde::Serialize;

use crate::calendar::Moment;

/// A booking one step away.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StepAway {
    /// What is changed.
    pub change: Change,
    /// Nodes that train.
    pub nodes: u64,
    /// Nodes booked in all.
    pub booked_nodes: u64,
    /// Sequences per GPU and micro-step that are fastest on those nodes.
    pub micro_batch: u64,
    /// Micro-steps per optimizer step.
    pub grad_accum: u64,
    /// Hours booked.
    pub booked_h: f64,
    /// When it ends.
    #[schemars(with = "Option<String>")]
    pub end: Option<Moment>,
    /// Probability that the run is done by then and by the deadline.
    pub probability: f64,
    /// Expected dollars; `null` when no price is known.
    pub cost_usd: Option<f64>,
    /// Dollars that suffice with the probability asked for, and no less than `cost_usd`, which is what
    /// a budget is held against; `null` when no price is known.
    pub committed_usd: Option<f64>,
}

/// A step away from a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The next smaller node count.
    FewerNodes,
    /// The next larger node count that makes it likelier to be done in as much time, or cheaper.
    MoreNodes,
    /// The next shorter length sold.
    Shorter,
    /// The next longer length sold.
    Longer,
}
