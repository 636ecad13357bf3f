//! The planner: a request and a fit become a ranked plan.
//!
//! The types here are what every report shows and what `--format json` prints; field names are
//! part of the program's contract with scripts.

use schemars::JsonSchema;
use serde::Serialize;

use crate::memory::Verdict;
use crate::quantity::Interval;
use crate::throughput::{Basis, BasisDetail, TimeParts};

/// Version of the JSON that `plan` prints; it grows when a field changes meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// One launch configuration with everything predicted about it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Candidate {
    /// Place in the ranking, from 1.
    pub rank: usize,
    /// Cluster name.
    pub cluster: String,
    /// GPU name.
    pub gpu: String,
    /// GPUs.
    pub gpus: u64,
    /// Nodes that hold them.
    pub nodes: u64,
    /// Sequence length, tokens.
    pub seq_len: u64,
    /// Sequences per GPU in one forward and backward pass.
    pub micro_batch: u64,
    /// Micro-batches per GPU and step.
    pub grad_accum: u64,
    /// Sequences per step, all GPUs.
    pub global_batch_seqs: u64,
    /// Tokens per step, all GPUs.
    pub global_batch_tokens: u64,
    /// Share of the asked global batch that is missed, from 0 to 0.05; 0 when met exactly.
    pub global_batch_shortfall: f64,
    /// Whether activations are recomputed.
    pub activation_checkpointing: bool,
    /// Optimizer steps to the token budget.
    pub steps: u64,
    /// Seconds per optimizer step.
    pub step_time_s: Interval,
    /// Tokens per second, all GPUs.
    pub throughput_tok_s: Interval,
    /// Tokens per second and GPU.
    pub throughput_tok_s_gpu: Interval,
    /// Model FLOPs utilization, parameters alone.
    pub mfu_star: f64,
    /// Model FLOPs utilization with attention.
    pub mfu: f64,
    /// Hardware FLOPs utilization, parameters alone.
    pub hfu_star: f64,
    /// Hardware FLOPs utilization with attention.
    pub hfu: f64,
    /// Convention of the four.
    pub utilization_convention: String,
    /// Memory.
    pub memory: MemoryReport,
    /// Hours of pure training: tokens over throughput.
    pub train_h: Interval,
    /// Hours on the wall clock, overheads and failures included.
    pub time_to_budget_h: Interval,
    /// GPU-hours billed, whole nodes.
    pub gpu_hours: Interval,
    /// Dollars; `null` when no price is known.
    pub cost_usd: Option<Interval>,
    /// What the prediction rests on.
    pub basis: Basis,
    /// Its details.
    pub basis_detail: BasisDetail,
    /// Whether its interval can't be told apart from rank 1's.
    pub tied_with_best: bool,
    /// Seconds of one step by part.
    pub time_parts_s: TimeParts,
}

/// Peak memory of a candidate, GiB per GPU.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MemoryReport {
    /// Peak of live tensors.
    pub peak_gib: f64,
    /// What a process can use.
    pub usable_gib: f64,
    /// `usable − peak`, before the allocator's reserve.
    pub headroom_gib: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// Parts of the peak by name; they add up to it.
    pub parts: MemoryParts,
}

/// Parts of the peak, GiB per GPU; they add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct MemoryParts {
    /// Sharded parameters, gradients and optimizer states.
    pub states_gib: f64,
    /// Gathered, unsharded parameters and gradients.
    pub gathered_gib: f64,
    /// Activations kept for the backward pass.
    pub activations_gib: f64,
    /// Logits, log-softmax and their gradient.
    pub logits_gib: f64,
    /// Temporaries of the block being computed.
    pub workspace_gib: f64,
}

/// How many points the space had and what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct SpaceReport {
    /// Points in the space.
    pub points: u64,
    /// Points whose time and memory were computed.
    pub evaluated: u64,
    /// Points that can be launched.
    pub feasible: u64,
    /// Points that can't, by reason.
    pub rejected: Rejections,
}

/// Points that can't be launched, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Rejections {
    /// Out of memory.
    pub overflows: u64,
    /// Too close to the memory limit, and `--allow-tight` was not given.
    pub tight: u64,
    /// No way to meet the global batch.
    pub global_batch: u64,
    /// More GPUs than the cluster has, or not whole nodes.
    pub cluster_size: u64,
}
