//! The formulas: bytes per GPU in the phases of a step where memory peaks.
//!
//! Symbols as in [`crate::model`], and `t` = micro-batch × sequence length tokens, `N` GPUs, `q`
//! bytes of a gathered parameter. `B` is a block's parameters, `M` those of its matrices, `R` the
//! root unit's and `P` all of them.
//!
//! **Always there**: the sharded states, `16·P/N`: fp32 parameter, gradient and `AdamW`'s two
//! moments (all stacks keep fp32 masters), and the gathered root unit, `q·R`.
//!
//! **Kept for the backward pass**, per block:
//! - with checkpointing, the block's input: `q·d` per token (the residual stream is as wide as a
//!   gathered parameter);
//! - without, what each operator saves, in bytes per token: the fp32 inputs of both norms `2·4·d`,
//!   their bf16 outputs `2·2·d`, queries, keys and values `2·(he + 2·ke)`, attention's output
//!   `2·he`, and the feed-forward layer's tensors, 2 bytes each: two of width `f` (before and
//!   after GELU), or four when gated (gate, its activation, the other branch, the product). Beside
//!   the matrices: `4·h` for attention's log-sum-exp and 16 for the norms' fp32 statistics. For a
//!   GPT block that is `36·d + 4·h + 16`. Under fp32-gather the trace holds one more bf16 tensor of
//!   width `d` (38·d), and autocast's bf16 copies of the block's matrices live on, `2·M`.
//!
//! **Loss phase**, after the last block's forward pass: `14·t·V` for the bf16 logits (2), their
//! fp32 copy (4), log-softmax (4) and its gradient (4); `6·t·d` for the final norm (fp32 input,
//! bf16 output); and under fp32-gather the bf16 copy of the head, `2·V·d`.
//!
//! **Block phase**, in the last block's backward pass: the bf16 logits are still held, `2·t·V`, with
//! the block's working set `c1·t·d`, gathered blocks and unsharded gradients `c2·B`, and the head's
//! gradient `c3·V·d`. The coefficients come from tracing GPT blocks tensor by tensor; the working
//! set of any other block is scaled by what the block keeps relative to a GPT block of its width.
//!
//! Nobody traced pure-bf16 without checkpointing. Its parameters and gradients are never wider than
//! bf16-gather's, so it takes bf16-gather's kept activations and block coefficients, and
//! fp32-gather's larger working set (14·t·d): an estimate on the high side.
//!
//! Recomputing can only save memory, but coefficients fitted per phase cross for models of few
//! layers or tokens. So a run without checkpointing also passes through the block phase of the run
//! with it, which sets a floor there and changes nothing elsewhere.

use crate::configuration::Setting;
use crate::model::{FeedForward, Shape};
use crate::stack::Precision;

/// Bytes per parameter of the sharded states: parameter, gradient and two moments in fp32.
const STATE_BYTES: f64 = 16.0;
/// Bytes per logit in the loss phase.
const LOSS_BYTES_PER_LOGIT: f64 = 14.0;
/// Bytes per logit held through the backward pass.
const HELD_BYTES_PER_LOGIT: f64 = 2.0;
/// Bytes per token and unit of width that a GPT block's operators keep.
const GPT_KEPT_PER_WIDTH: f64 = 36.0;

/// One phase: bytes that don't depend on the micro-batch, and bytes per token that do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Phase {
    /// Sharded states, bytes.
    pub(super) states: f64,
    /// Gathered parameters, their copies and unsharded gradients, bytes.
    pub(super) gathered: f64,
    /// Activations kept for the backward pass, bytes per token.
    pub(super) activations: f64,
    /// Logits and what the loss makes of them, bytes per token.
    pub(super) logits: f64,
    /// Temporaries, bytes per token.
    pub(super) workspace: f64,
}

/// Coefficients of the block phase: bytes per `t·d`, per block parameter, per `V·d`.
#[derive(Debug, Clone, Copy)]
struct BlockPhase {
    working_set: f64,
    block: f64,
    head: f64,
}

fn block_phase(precision: Precision, checkpointing: bool) -> BlockPhase {
    let (working_set, block, head) = match (precision, checkpointing) {
        (Precision::Fp32Gather, true) => (42.0, 13.4, 3.6),
        (Precision::Fp32Gather, false) => (14.0, 6.0, 7.3),
        (Precision::Bf16Gather, true) => (42.9, 9.5, 1.0),
        (Precision::Bf16Gather, false) => (0.0, 8.5, 2.5),
        (Precision::PureBf16, true) => (46.0, 6.2, 2.3),
        (Precision::PureBf16, false) => (14.0, 8.5, 2.5),
    };
    BlockPhase {
        working_set,
        block,
        head,
    }
}

/// What one block's operators keep, bytes per token, statistics aside.
fn kept_tensors(shape: &Shape) -> f64 {
    let (d, f) = (shape.d_model as f64, shape.d_ff as f64);
    let (queries, keys) = (shape.attention_width() as f64, shape.kv_width() as f64);
    let norms = 2.0 * (4.0 + 2.0) * d;
    let attention = 2.0 * (queries + 2.0 * keys) + 2.0 * queries;
    let feed_forward = match shape.feed_forward {
        FeedForward::Gelu => 2.0 * 2.0 * f,
        FeedForward::Gated => 4.0 * 2.0 * f,
    };
    norms + attention + feed_forward
}

/// The phases in which memory may peak.
pub(super) fn phases(
    setting: &Setting<'_>,
    gpus: u64,
    seq_len: u64,
    checkpointing: bool,
) -> Vec<Phase> {
    let terms = Terms::new(setting, gpus, seq_len);
    let mut phases = vec![terms.loss(checkpointing), terms.block(checkpointing)];
    if !checkpointing {
        phases.push(terms.block(true));
    }
    phases
}

/// What the formulas of one setting share.
struct Terms<'a> {
    shape: &'a Shape,
    precision: Precision,
    width: f64,
    states: f64,
    root: f64,
}

impl<'a> Terms<'a> {
    fn new(setting: &Setting<'a>, gpus: u64, seq_len: u64) -> Self {
        let (shape, precision) = (setting.shape, setting.stack.precision);
        Self {
            shape,
            precision,
            width: shape.d_model as f64,
            states: STATE_BYTES * shape.params(seq_len) as f64 / gpus.max(1) as f64,
            root: precision.gather_bytes() * shape.root_params(seq_len) as f64,
        }
    }

    fn fp32_gather(&self) -> bool {
        self.precision == Precision::Fp32Gather
    }

    fn head_params(&self) -> f64 {
        self.shape.vocab_size as f64 * self.width
    }

    /// Activations kept over all blocks, bytes per token.
    fn kept(&self, checkpointing: bool) -> f64 {
        let per_block = if checkpointing {
            self.precision.gather_bytes() * self.width
        } else {
            let autocast_copy = if self.fp32_gather() { 2.0 } else { 0.0 };
            let statistics = 4.0 * self.shape.n_heads as f64 + 16.0;
            kept_tensors(self.shape) + autocast_copy * self.width + statistics
        };
        self.shape.n_layers as f64 * per_block
    }

    /// Autocast's bf16 copies of the block matrices that the backward pass holds on to, bytes.
    fn held_copies(&self, checkpointing: bool) -> f64 {
        if checkpointing || !self.fp32_gather() {
            return 0.0;
        }
        2.0 * self.shape.n_layers as f64 * self.shape.block_matrix_params() as f64
    }

    fn loss(&self, checkpointing: bool) -> Phase {
        let head_copy = if self.fp32_gather() {
            2.0 * self.head_params()
        } else {
            0.0
        };
        Phase {
            states: self.states,
            gathered: self.root + head_copy + self.held_copies(checkpointing),
            activations: self.kept(checkpointing),
            logits: LOSS_BYTES_PER_LOGIT * self.shape.vocab_size as f64,
            workspace: 6.0 * self.width,
        }
    }

    fn block(&self, checkpointing: bool) -> Phase {
        let coefficients = block_phase(self.precision, checkpointing);
        let relative_width = kept_tensors(self.shape) / GPT_KEPT_PER_WIDTH;
        Phase {
            states: self.states,
            gathered: self.root
                + self.held_copies(checkpointing)
                + coefficients.block * self.shape.block_params() as f64
                + coefficients.head * self.head_params(),
            activations: self.kept(checkpointing),
            logits: HELD_BYTES_PER_LOGIT * self.shape.vocab_size as f64,
            workspace: coefficients.working_set * relative_width,
        }
    }
}
