//! The job file and the flags, resolved into one request.

use crate::hardware::Cluster;
use crate::model::Model;
use crate::quantity::{Confidence, Tokens};
use crate::search::{Axis, Switch};
use crate::stack::Stack;

/// What the ranking minimises.
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
pub enum Objective {
    /// Time to the token budget, overheads and failures included.
    #[default]
    Time,
    /// Dollars.
    Cost,
    /// GPU-hours.
    GpuHours,
    /// Tokens per second, highest first.
    Throughput,
}

/// Tokens per optimizer step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalBatch {
    /// The fewest accepted.
    pub min: u64,
    /// The most accepted; equal to `min` when one number was asked for.
    pub max: u64,
}

/// A job with every default filled in: all that the planner needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is trained.
    pub model: Model,
    /// On how many tokens.
    pub tokens: Tokens,
    /// Where it may run.
    pub clusters: Vec<Cluster>,
    /// With which stack.
    pub stack: Stack,
    /// GPU counts to try.
    pub gpus: Axis,
    /// Sequence lengths to try.
    pub seq_len: Axis,
    /// Micro-batches to try.
    pub micro_batch: Axis,
    /// Gradient accumulations to try.
    pub grad_accum: Axis,
    /// Activation checkpointing choices to try.
    pub activation_checkpointing: Switch,
    /// Tokens per optimizer step.
    pub global_batch: GlobalBatch,
    /// What the ranking minimises.
    pub sort: Objective,
    /// How many candidates are shown.
    pub top: usize,
    /// Confidence of every interval.
    pub confidence: Confidence,
    /// Whether `tight` configurations are ranked too.
    pub allow_tight: bool,
}
