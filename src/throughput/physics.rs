//! The physics: how long one step takes, by part, given the coefficients.
//!
//! ```text
//! step       = grad_accum × micro-step + optimizer + synchronization + fixed
//! micro-step = matmul + attention + memory-bound          (grow with the tokens t)
//!            + communication that isn't hidden + layer overhead        (don't)
//! ```
//!
//! Per GPU, with `t` tokens per micro-batch and `r = 1` when blocks are recomputed (else 0):
//!
//! | part | seconds |
//! |---|---|
//! | matmul | `[2·M·L·(3+r) + 6·V·d·m]·t · (1 + d½·√(peak/312e12)/d) / (peak·η)`, `M` matrix parameters of a block |
//! | attention | `2·(s+128)·h·e·L·t · [(1+r)/ε_f + 2.5/ε_b] / peak`, causal, `FlashAttention`'s backward does 2.5 times the forward's FLOPs (arXiv 2307.08691, §3.1) |
//! | memory-bound | `[W·(b + r·b_r) + V·b_v]·t / HBM`, `W` the width of all layers, [`Workload::layer_width`] |
//! | communication | the slower of `B·P·(N−1)/N / (bus·NVLink/300e9)` and, over several nodes, `B·P·(N−1)/N / (0.92·link)`, less the share `o` of the smaller of it and compute, which compute hides |
//! | layer overhead | `L·(κ + τ·(n−1)/n)` |
//! | optimizer | `b_o·P/N / HBM` |
//! | synchronization | `σ·log2(n)`, over `n` nodes |
//! | fixed | `f` |
//!
//! Everything is divided by one free scale. `NVLink` is the rate of a GPU's links inside its node and `link`
//! that out of the node, both in bytes/s. Where two rates are alike, "the slower" and "the smaller" are
//! rounded off: `(a¹⁶ + b¹⁶)^(1/16)` and `a·b/√(a² + b²)`.
//!
//! Every part is positive and grows no faster than its cause: a larger micro-batch at the same
//! global batch is never slower, and neither is a better link or GPU.

use super::coefficients::{COUNT, Id, Values};
use super::workload::Workload;

/// The A100's dense bf16 peak, at which the half-efficiency width was measured; a faster GPU
/// needs wider matrices to reach the same share of its peak.
const REFERENCE_PEAK_FLOPS: f64 = 312e12;

/// FLOPs of the attention backward pass over those of its forward pass.
const ATTENTION_BACKWARD: f64 = 2.5;

/// Nominal `NVLink` rate of the A100 in one direction, for which the bus bandwidth was measured (NVIDIA, A100
/// datasheet: 600 GB/s in both).
///
/// That collectives of other GPUs reach the same share of their links' rate is an assumption. All rows of the
/// embedded tables are of this rate, so that `tminus evaluate` says nothing of it; another GPU leaves the
/// coefficient open ([`super::coefficients::Loosening::gpu`]).
pub(crate) const REFERENCE_LINK_BYTES_PER_S: f64 = 300e9;

/// Share of an inter-node link's rate that a large collective reaches: an assumption, what packets' headers
/// and the collectives' own steps leave where all is tuned.
///
/// The embedded tables hardly show it, since on their clusters links inside the nodes are the slower ones. With
/// a tenth more or less of it, `tminus evaluate` moves by less than 0.005 percentage points in mean error, over
/// all rows of any protocol (0.03 at one number of GPUs), and no row leaves or enters its interval; at half of
/// it, the mean error moves by 0.3. Rows over slower links show it together with their rate, and where none
/// does, intervals leave a quarter of it open.
const LINK_EFFICIENCY: f64 = 0.92;

/// Rates that follow from coefficients and workload, whatever the micro-batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    block_matmul_s: f64,
    head_matmul_s: f64,
    width_penalty: f64,
    attention_forward_s: f64,
    attention_backward_s: f64,
    narrow_head: f64,
    layer_traffic_s: f64,
    recompute_traffic_s: f64,
    loss_s: f64,
    communication_s: f64,
    bus_share: f64,
    link_share: f64,
    overlap: f64,
    launch_s: f64,
    latency_s: f64,
    optimizer_s: f64,
    fixed_s: f64,
    synchronization_s: f64,
    misaligned_head: bool,
    log_scale: f64,
}

/// Seconds of one micro-step by part, the free scale not yet applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MicroStep {
    /// Matrix multiplications.
    pub matmul: f64,
    /// Attention kernels.
    pub attention: f64,
    /// Elementwise work and the loss.
    pub memory_bound: f64,
    /// Communication that isn't hidden.
    pub communication: f64,
    /// Per-layer overhead.
    pub layer_overhead: f64,
}

impl MicroStep {
    /// The whole micro-step.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.matmul + self.attention + self.memory_bound + self.communication + self.layer_overhead
    }
}

/// Seconds of one optimizer step beyond its micro-steps, the free scale not yet applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerStep {
    /// The optimizer's update.
    pub optimizer: f64,
    /// Waiting for the slowest node.
    pub synchronization: f64,
    /// What every step costs.
    pub fixed: f64,
}

/// Communication that compute hides: the share `overlap` of the smaller of the two, rounded off
/// where they are alike.
fn hidden(overlap: f64, compute: f64, communication: f64) -> f64 {
    if communication <= 0.0 {
        0.0
    } else {
        overlap * soft_min(compute, communication)
    }
}

fn soft_min(a: f64, b: f64) -> f64 {
    a * b / a.hypot(b)
}

/// How sharply the slower of two links decides: collectives pipeline through both, so the faster
/// one costs next to nothing until it is nearly as slow. A power of two, whose root is square roots.
const SLOWER_LINK_SQUARES: u32 = 4;
const SLOWER_LINK_POWER: i32 = 1 << SLOWER_LINK_SQUARES;

/// Seconds of a collective over two links in a row: the slower one's, rounded off where they are
/// alike, so that the fit meets no kink.
fn slower(a: f64, b: f64) -> f64 {
    let most = a.max(b);
    if most <= 0.0 {
        return 0.0;
    }
    let ratio = (a.min(b) / most).powi(SLOWER_LINK_POWER);
    most * (0..SLOWER_LINK_SQUARES).fold(1.0 + ratio, |root, _| root.sqrt())
}

/// By how much [`slower`] grows, relatively, with one of its links.
fn share_of_slower(link: f64, both: f64) -> f64 {
    if both <= 0.0 {
        0.0
    } else {
        (link / both).powi(SLOWER_LINK_POWER)
    }
}

/// The width at which matrix multiplications reach half their efficiency, as a share of `d_model`.
fn half_width(values: &Values, peak_flops: f64, d_model: f64) -> f64 {
    values[Id::HalfWidth] * (peak_flops / REFERENCE_PEAK_FLOPS).sqrt() / d_model
}

/// Share of the peak that matrix multiplications of a model so wide reach.
pub(crate) fn matmul_share(values: &Values, peak_flops: f64, d_model: f64) -> f64 {
    values[Id::MatmulEfficiency] * values[Id::Scale]
        / (1.0 + half_width(values, peak_flops, d_model))
}

impl Rates {
    /// The rates of `work` under `values`.
    #[must_use]
    pub fn new(work: &Workload, values: &Values) -> Self {
        let half_width = half_width(values, work.peak_flops, work.d_model);
        let matmul = (1.0 + half_width) / (work.peak_flops * values[Id::MatmulEfficiency]);
        let misaligned = if work.misaligned_head {
            values[Id::MisalignedHead]
        } else {
            1.0
        };
        // Head widths of 64 and 128 were measured; between them efficiency is interpolated.
        let wide = (work.head_dim / 64.0).log2().clamp(0.0, 1.0);
        let blend = |narrow: Id, broad: Id| {
            (values.log(narrow) * (1.0 - wide) + values.log(broad) * wide).exp()
        };
        let attention = work.attention_flops / work.peak_flops;
        let bus =
            values[Id::BusBandwidth] * work.intra_node_bytes_per_s / REFERENCE_LINK_BYTES_PER_S;
        let intra = work.ring_bytes / bus;
        let inter = if work.nodes > 1.0 {
            work.ring_bytes / (LINK_EFFICIENCY * work.inter_node_bytes_per_s)
        } else {
            0.0
        };
        let communication_s = slower(intra, inter);
        let layer_traffic = work.layer_width / work.hbm_bytes_per_s;
        Self {
            block_matmul_s: work.block_flops * matmul,
            head_matmul_s: work.head_flops * matmul * misaligned,
            width_penalty: half_width / (1.0 + half_width),
            attention_forward_s: attention * (1.0 + work.recompute)
                / blend(Id::AttentionForward64, Id::AttentionForward128),
            attention_backward_s: attention * ATTENTION_BACKWARD
                / blend(Id::AttentionBackward64, Id::AttentionBackward128),
            narrow_head: 1.0 - wide,
            layer_traffic_s: layer_traffic * values[Id::LayerBytes],
            recompute_traffic_s: layer_traffic * work.recompute * values[Id::RecomputeBytes],
            loss_s: work.vocab_size * values[Id::LossBytes] / work.hbm_bytes_per_s,
            communication_s,
            bus_share: share_of_slower(intra, communication_s),
            link_share: share_of_slower(inter, communication_s),
            overlap: values.overlap(),
            launch_s: work.n_layers * values[Id::LayerOverhead],
            latency_s: work.n_layers * values[Id::NodeLatency] * (work.nodes - 1.0) / work.nodes,
            optimizer_s: values[Id::OptimizerBytes] * work.sharded_params / work.hbm_bytes_per_s,
            fixed_s: values[Id::Fixed],
            synchronization_s: values[Id::Synchronization] * work.nodes.log2(),
            misaligned_head: work.misaligned_head,
            log_scale: values.log(Id::Scale),
        }
    }

    fn compute_s(&self) -> f64 {
        self.block_matmul_s
            + self.head_matmul_s
            + self.attention_forward_s
            + self.attention_backward_s
            + self.layer_traffic_s
            + self.recompute_traffic_s
            + self.loss_s
    }

    /// One micro-step of `tokens` tokens per GPU, by part.
    #[must_use]
    pub fn micro_step(&self, tokens: f64) -> MicroStep {
        let compute = self.compute_s() * tokens;
        MicroStep {
            matmul: (self.block_matmul_s + self.head_matmul_s) * tokens,
            attention: (self.attention_forward_s + self.attention_backward_s) * tokens,
            memory_bound: (self.layer_traffic_s + self.recompute_traffic_s + self.loss_s) * tokens,
            communication: self.communication_s
                - hidden(self.overlap, compute, self.communication_s),
            layer_overhead: self.launch_s + self.latency_s,
        }
    }

    /// Seconds of one micro-step of `tokens` tokens per GPU, the free scale not yet applied.
    #[must_use]
    pub fn micro_step_s(&self, tokens: f64) -> f64 {
        let compute = self.compute_s() * tokens;
        compute + self.communication_s - hidden(self.overlap, compute, self.communication_s)
            + self.launch_s
            + self.latency_s
    }

    /// Share of communication that links between nodes are what bounds: 0 on one node, and where links
    /// inside nodes are the slower ones.
    #[must_use]
    pub fn link_share(&self) -> f64 {
        self.link_share
    }

    /// Seconds per step that no micro-batch changes, by part.
    #[must_use]
    pub fn per_step(&self) -> PerStep {
        PerStep {
            optimizer: self.optimizer_s,
            synchronization: self.synchronization_s,
            fixed: self.fixed_s,
        }
    }

    /// Seconds per step that no micro-batch changes.
    #[must_use]
    pub fn per_step_s(&self) -> f64 {
        self.optimizer_s + self.synchronization_s + self.fixed_s
    }

    /// What the free scale multiplies every time by.
    #[must_use]
    pub fn time_factor(&self) -> f64 {
        (-self.log_scale).exp()
    }

    /// Logarithm of the step time, and its derivatives by the coefficients' logarithms.
    #[must_use]
    pub fn log_step(&self, tokens: f64, grad_accum: f64) -> (f64, [f64; COUNT]) {
        let compute = self.compute_s() * tokens;
        let comm = self.communication_s;
        let (mut kept_compute, mut kept_comm, mut unhidden) = (1.0, 1.0, 0.0);
        if comm > 0.0 {
            let least = soft_min(compute, comm);
            kept_compute -= self.overlap * (least / compute).powi(3);
            kept_comm -= self.overlap * (least / comm).powi(3);
            unhidden = -self.overlap * (1.0 - self.overlap) * least;
        }
        let matmul = (self.block_matmul_s + self.head_matmul_s) * tokens;
        let mut micro = [0.0; COUNT];
        let mut set = |id: Id, value: f64| micro[id as usize] = value;
        let scaled = tokens * kept_compute;
        set(Id::MatmulEfficiency, -matmul * kept_compute);
        set(Id::HalfWidth, matmul * self.width_penalty * kept_compute);
        if self.misaligned_head {
            set(Id::MisalignedHead, self.head_matmul_s * scaled);
        }
        set(
            Id::AttentionForward64,
            -self.attention_forward_s * self.narrow_head * scaled,
        );
        set(
            Id::AttentionForward128,
            -self.attention_forward_s * (1.0 - self.narrow_head) * scaled,
        );
        set(
            Id::AttentionBackward64,
            -self.attention_backward_s * self.narrow_head * scaled,
        );
        set(
            Id::AttentionBackward128,
            -self.attention_backward_s * (1.0 - self.narrow_head) * scaled,
        );
        set(Id::LayerBytes, self.layer_traffic_s * scaled);
        set(Id::RecomputeBytes, self.recompute_traffic_s * scaled);
        set(Id::LossBytes, self.loss_s * scaled);
        set(Id::BusBandwidth, -comm * self.bus_share * kept_comm);
        set(Id::Overlap, unhidden);
        set(Id::LayerOverhead, self.launch_s);
        set(Id::NodeLatency, self.latency_s);

        let step = grad_accum * self.micro_step_s(tokens) + self.per_step_s();
        let mut gradient = micro.map(|part| grad_accum * part / step);
        gradient[Id::OptimizerBytes as usize] = self.optimizer_s / step;
        gradient[Id::Fixed as usize] = self.fixed_s / step;
        gradient[Id::Synchronization as usize] = self.synchronization_s / step;
        gradient[Id::Scale as usize] = -1.0;
        (step.ln() - self.log_scale, gradient)
    }
}
