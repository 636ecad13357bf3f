//! One launch configuration: the numbers a person puts into the launch file.

use schemars::JsonSchema;
use serde::Serialize;

use crate::hardware::Cluster;
use crate::model::Shape;
use crate::stack::Stack;

/// What a job runs: fixed while the search varies the [`Configuration`].
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The model's shape.
    pub shape: &'a Shape,
    /// Where it runs.
    pub cluster: &'a Cluster,
    /// The training stack.
    pub stack: &'a Stack,
}

/// How it is launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Configuration {
    /// GPUs, all data parallel and sharded.
    pub gpus: u64,
    /// Tokens in a sequence.
    pub seq_len: u64,
    /// Sequences per GPU in one forward and backward pass.
    pub micro_batch: u64,
    /// Micro-batches per GPU and optimizer step.
    pub grad_accum: u64,
    /// Whether every block's activations are recomputed in the backward pass.
    pub activation_checkpointing: bool,
}

impl Configuration {
    /// Sequences per optimizer step, over all GPUs.
    #[must_use]
    pub fn global_batch_seqs(&self) -> u64 {
        self.gpus * self.micro_batch * self.grad_accum
    }

    /// Tokens per optimizer step, over all GPUs.
    #[must_use]
    pub fn global_batch_tokens(&self) -> u64 {
        self.global_batch_seqs() * self.seq_len
    }

    /// Tokens per GPU in one forward and backward pass.
    #[must_use]
    pub fn micro_batch_tokens(&self) -> u64 {
        self.micro_batch * self.seq_len
    }
}

/// Whether activations are recomputed, or anything else that is switched, as people write it.
pub(crate) fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
