//! What the search asks of the models.

use std::ops::RangeInclusive;

use super::rank::Score;
use super::space::Group;
use crate::memory::Verdict;

/// Predicts what the search needs, in the order in which the search varies things.
pub trait Evaluator: Sync {
    /// What one group and checkpointing choice needs.
    type Group: GroupEvaluator;

    /// Everything that micro-batch and gradient accumulation don't change; called once per group
    /// and checkpointing choice.
    fn group(&self, group: &Group<'_>, activation_checkpointing: bool) -> Self::Group;

    /// US dollars that an hour of the nodes of a group costs, where a price is known. The same
    /// for every group of one cluster and GPU count.
    fn usd_per_hour(&self, _group: &Group<'_>) -> Option<f64> {
        None
    }
}

/// Predicts the points of one group and checkpointing choice.
///
/// A step of `m` sequences per micro-batch and `a` micro-batches trains `m·a` sequences on every
/// GPU; its *pace* is the seconds of the step over those sequences.
pub trait GroupEvaluator: Sync {
    /// What one micro-batch needs.
    type MicroBatch;

    /// Whether a micro-batch fits. A larger micro-batch never gets a better verdict: the engine
    /// finds the limits by bisection.
    fn verdict(&self, micro_batch: u64) -> Verdict;

    /// Everything that gradient accumulation doesn't change; called once per micro-batch.
    fn micro_batch(&self, micro_batch: u64) -> Self::MicroBatch;

    /// Seconds of one optimizer step of `grad_accum` micro-batches. The pace never gets slower
    /// with more of them.
    fn step_s(&self, micro_batch: &Self::MicroBatch, grad_accum: u64) -> f64;

    /// How good a step of `batch_tokens` tokens in `step_s` seconds is.
    fn score(&self, step_s: f64, batch_tokens: f64) -> Score;

    /// A pace, in seconds per sequence, that no step beats whose micro-batches lie in
    /// `micro_batches` and that trains at most `sequences` sequences on every GPU.
    fn fastest_pace(&self, micro_batches: RangeInclusive<u64>, sequences: u64) -> f64;

    /// A score that no step beats that takes at least `least_s_per_token` seconds per token and
    /// whose tokens lie in `batch_tokens`.
    fn best_score(&self, least_s_per_token: f64, batch_tokens: RangeInclusive<f64>) -> Score;
}
