//! What a step has to do, before any coefficient says how long it takes.
//!
//! Everything here follows from the shape, the hardware and the sharding policy, and nothing of
//! it depends on the micro-batch or on gradient accumulation, so the search computes it once for
//! all of them.

use crate::configuration::Setting;
use crate::model::{FeedForward, Shape};

/// Share of a block's memory-bound traffic that runs at model width (norms, residuals,
/// projections' inputs and outputs); the rest runs at feed-forward width. An assumption.
///
/// Every model of the embedded tables has a feed-forward four times as wide as the model, where the share
/// cancels: `tminus evaluate` doesn't move with it. At 3.5 times the width, gated, a tenth more of it takes
/// 2 % from the memory-bound work of the layers.
const MODEL_WIDTH_SHARE: f64 = 0.65;

/// A gated feed-forward reads and writes its wide tensors more often: activation, gate and
/// product instead of one activation.
///
/// Counted forward, a plain one passes over them four times (out of a projection, in and out of the
/// activation, into a projection), a gated one six times where one kernel multiplies and activates, 1.5 times
/// as often, and eight where two do, twice as often. Between these it is an assumption. No model of the
/// embedded tables is gated, so that `tminus evaluate` doesn't move with it; where the feed-forward is 3.5
/// times as wide as the model, a tenth more adds 4 % to the memory-bound work of the layers.
const GATED_TRAFFIC: f64 = 1.6;

/// Keys a causal attention kernel visits beyond the triangle: it works in blocks of 128 and
/// computes the diagonal ones whole.
const CAUSAL_BLOCK: f64 = 128.0;

/// Vocabulary sizes that are a multiple of this many entries keep the head's matrices on the
/// fast tensor-core path (16-byte rows of bf16).
const ALIGNED_VOCABULARY: u64 = 8;

/// Bytes/s out of a node that has no training network: ordinary 10 Gbit/s Ethernet.
const ETHERNET_BYTES_PER_S: f64 = 1.25e9;

/// Streaming multiprocessors of the A100: one wave of a matrix multiplication computes this many
/// output tiles at a time. (Later GPUs have up to 148; the difference is within this estimate.)
const MULTIPROCESSORS: f64 = 108.0;

/// Elements of an output tile, 256 × 128: the largest in use for bf16, and the fastest.
const TILE_ELEMENTS: f64 = 256.0 * 128.0;

/// Work per token and per micro-step of one (setting, GPU count, sequence length, checkpointing).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workload {
    /// Block matrix FLOPs per token: forward, backward and recomputation.
    pub block_flops: f64,
    /// Output-head FLOPs per token, forward and backward.
    pub head_flops: f64,
    /// Whether the vocabulary size slows the head down.
    pub misaligned_head: bool,
    /// Model width.
    pub d_model: f64,
    /// Causal attention FLOPs per token, one forward pass.
    pub attention_flops: f64,
    /// Tokens at which the matrix multiplications fill half a wave of the GPU: `partial_wave / t`
    /// is the share of their time that the last, partly filled wave wastes on average.
    pub partial_wave: f64,
    /// Width of a head.
    pub head_dim: f64,
    /// 1 when every block is recomputed, else 0.
    pub recompute: f64,
    /// Layers times the effective width of their memory-bound tensors, per token.
    pub layer_width: f64,
    /// Vocabulary entries.
    pub vocab_size: f64,
    /// Layers.
    pub n_layers: f64,
    /// Bytes that pass every link of the ring of GPUs per micro-step, links between nodes among them:
    /// NCCL gathers and scatters in rings, around which all but a GPU's own share goes (nccl-tests,
    /// *Performance reported by NCCL tests*, "Bus bandwidth").
    pub ring_bytes: f64,
    /// Parameters whose optimizer state one GPU holds.
    pub sharded_params: f64,
    /// GPUs.
    pub gpus: f64,
    /// Nodes.
    pub nodes: f64,
    /// Peak dense bf16 FLOP/s.
    pub peak_flops: f64,
    /// Memory bandwidth, bytes/s.
    pub hbm_bytes_per_s: f64,
    /// Link between GPUs of a node, bytes/s in one direction.
    pub intra_node_bytes_per_s: f64,
    /// Link out of a node, bytes/s in one direction.
    pub inter_node_bytes_per_s: f64,
}

impl Workload {
    /// The work of `setting` on `gpus` GPUs at `seq_len`.
    #[must_use]
    pub fn new(
        setting: &Setting<'_>,
        gpus: u64,
        seq_len: u64,
        activation_checkpointing: bool,
    ) -> Self {
        let Setting {
            shape,
            cluster,
            stack,
        } = setting;
        let recompute = f64::from(u8::from(activation_checkpointing));
        let params = shape.params(seq_len) as f64;
        let wire_bytes = stack.precision.wire_bytes() * params;
        let gpu_count = gpus as f64;
        let nodes = cluster.nodes(gpus) as f64;
        let n_layers = shape.n_layers as f64;
        Self {
            block_flops: shape.block_matmul_flops() * (3.0 + recompute),
            head_flops: 3.0 * shape.head_flops(),
            misaligned_head: !shape.vocab_size.is_multiple_of(ALIGNED_VOCABULARY),
            d_model: shape.d_model as f64,
            attention_flops: 2.0
                * (seq_len as f64 + CAUSAL_BLOCK)
                * shape.attention_width() as f64
                * n_layers,
            partial_wave: partial_wave(shape),
            head_dim: shape.head_dim as f64,
            recompute,
            layer_width: n_layers * memory_bound_width(shape),
            vocab_size: shape.vocab_size as f64,
            n_layers,
            ring_bytes: wire_bytes * (gpu_count - 1.0) / gpu_count,
            sharded_params: params / gpu_count,
            gpus: gpu_count,
            nodes,
            peak_flops: cluster.gpu.peak_flops,
            hbm_bytes_per_s: cluster.gpu.hbm_bytes_per_s,
            intra_node_bytes_per_s: cluster.gpu.intra_node_bytes_per_s,
            inter_node_bytes_per_s: cluster
                .inter_node_bytes_per_s
                .unwrap_or(ETHERNET_BYTES_PER_S),
        }
    }
}

/// Width of a block's memory-bound tensors in units of the model width: `d` for a GPT block.
fn memory_bound_width(shape: &Shape) -> f64 {
    let gating = match shape.feed_forward {
        FeedForward::Gelu => 1.0,
        FeedForward::Gated => GATED_TRAFFIC,
    };
    MODEL_WIDTH_SHARE * shape.d_model as f64
        + (1.0 - MODEL_WIDTH_SHARE) * gating * shape.d_ff as f64 / 4.0
}

/// Half a wave of output tiles over the output columns of a block's matrices, in tokens.
///
/// A matrix multiplication runs in waves of tiles, and its last wave is half empty on average
/// (NVIDIA, *Matrix Multiplication Background User's Guide*, "Wave Quantization"). With `t` rows
/// and `c` columns of output it wastes `½ · 108 · 256 · 128 / (t·c)` of its time; the mean over a
/// block's matrices is weighted by their FLOPs, so that the narrow ones count.
fn partial_wave(shape: &Shape) -> f64 {
    let (d, q, kv) = (
        shape.d_model as f64,
        shape.attention_width() as f64,
        shape.kv_width() as f64,
    );
    let up_columns = match shape.feed_forward {
        FeedForward::Gelu => shape.d_ff as f64,
        FeedForward::Gated => 2.0 * shape.d_ff as f64,
    };
    // (rows, columns) of the weights: projections in, out, up, down.
    let matrices = [
        (d, q + 2.0 * kv),
        (q, d),
        (d, up_columns),
        (shape.d_ff as f64, d),
    ];
    let flops: f64 = matrices.iter().map(|(rows, columns)| rows * columns).sum();
    let per_column: f64 = matrices.iter().map(|(rows, _)| rows).sum();
    0.5 * MULTIPROCESSORS * TILE_ELEMENTS * per_column / flops
}
