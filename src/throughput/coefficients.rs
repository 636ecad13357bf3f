//! The coefficients of the physics: what each means, what is known of it before any row of the
//! tables is seen, and who says so.
//!
//! All but two are positive and fitted as logarithms, so a spread of 0.1 means about 10 %. The
//! priors are informative on purpose: inside the tables micro-batch × sequence length is nearly
//! constant per model and GPU, so the rows alone can't tell a cost per token from a cost per
//! micro-batch, and left to them the network and the launch overhead drift to values no
//! benchmark has ever shown.

use std::ops::Index;

/// Number of coefficients.
pub const COUNT: usize = 18;

/// Which coefficient; the order of [`COEFFICIENTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Id {
    /// Share of peak that wide matrices reach.
    MatmulEfficiency,
    /// Model width at which half of that is reached.
    HalfWidth,
    /// Attention forward, head width 64.
    AttentionForward64,
    /// Attention backward, head width 64.
    AttentionBackward64,
    /// Attention forward, head width 128.
    AttentionForward128,
    /// Attention backward, head width 128.
    AttentionBackward128,
    /// Memory traffic of a layer.
    LayerBytes,
    /// More of it when recomputing.
    RecomputeBytes,
    /// Memory traffic of the loss.
    LossBytes,
    /// Slowdown of the head at odd vocabulary sizes.
    MisalignedHead,
    /// Collective bandwidth inside a node.
    BusBandwidth,
    /// Launch overhead of a layer.
    LayerOverhead,
    /// Memory traffic of the optimizer.
    OptimizerBytes,
    /// Fixed time per step.
    Fixed,
    /// Synchronization per doubling of nodes.
    Synchronization,
    /// Collective latency per layer across nodes.
    NodeLatency,
    /// Share of communication that compute hides.
    Overlap,
    /// Free scale of throughput.
    Scale,
}

/// How far a coefficient may be from its measured value on something else than the measured
/// stack, GPU or cluster: standard deviations of its logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loosening {
    /// On another stack.
    pub stack: f64,
    /// On another GPU type.
    pub gpu: f64,
    /// On another cluster.
    pub cluster: f64,
}

/// How a coefficient's fitted number maps to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Positive: its natural logarithm is fitted.
    Log,
    /// A share between 0 and 1: its log-odds are fitted.
    Logit,
}

impl Link {
    /// The fitted number of a value.
    #[must_use]
    pub fn fitted(self, value: f64) -> f64 {
        match self {
            Self::Log => value.ln(),
            Self::Logit => {
                // Shares of exactly 0 or 1 have no log-odds.
                let share = value.clamp(1e-3, 1.0 - 1e-3);
                (share / (1.0 - share)).ln()
            }
        }
    }
}

/// One coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// Which.
    pub id: Id,
    /// Its name in fit files.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What is expected of it beforehand, in its unit.
    pub prior: f64,
    /// Standard deviation beforehand, on the fitted scale of `link`.
    pub sd: f64,
    /// The fitted scale.
    pub link: Link,
    /// How far its effective value strays between configurations that the one constant stands
    /// for: standard deviation on the fitted scale.
    pub variation: f64,
    /// How far it may move elsewhere.
    pub loosening: Loosening,
    /// Where that expectation comes from.
    pub source: &'static str,
}

impl Coefficient {
    /// The prior mean on the fitted scale.
    #[must_use]
    pub fn prior_mean(&self) -> f64 {
        self.link.fitted(self.prior)
    }
}

/// All coefficients, in the order of [`Id`].
pub const COEFFICIENTS: [Coefficient; COUNT] = [
    Coefficient {
        id: Id::MatmulEfficiency,
        name: "matmul_efficiency",
        unit: "share of peak",
        prior: 0.82,
        sd: 0.05,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.15,
            gpu: 0.25,
            cluster: 0.0,
        },
        source: "large bf16 matrix products reach 250 to 270 of the A100's 312 TFLOP/s (cuBLAS)",
    },
    Coefficient {
        id: Id::HalfWidth,
        name: "half_width",
        unit: "model width",
        prior: 1000.0,
        sd: 0.50,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.2,
            gpu: 0.4,
            cluster: 0.0,
        },
        source: "matrix products at width 1024 reach about half the rate of very wide ones, within a factor of 1.6 either way",
    },
    Coefficient {
        id: Id::AttentionForward64,
        name: "attention_forward_64",
        unit: "share of peak",
        prior: 0.34,
        sd: 0.30,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.35,
            gpu: 0.25,
            cluster: 0.0,
        },
        source: "FlashAttention v1 reaches 25 to 40 % of the A100's peak, less when causal (arXiv 2307.08691, section 1 and figures 4 to 6)",
    },
    Coefficient {
        id: Id::AttentionBackward64,
        name: "attention_backward_64",
        unit: "share of peak",
        prior: 0.30,
        sd: 0.30,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.35,
            gpu: 0.25,
            cluster: 0.0,
        },
        source: "FlashAttention v1 reaches 25 to 40 % of the A100's peak, less when causal (arXiv 2307.08691, section 1 and figures 4 to 6)",
    },
    Coefficient {
        id: Id::AttentionForward128,
        name: "attention_forward_128",
        unit: "share of peak",
        prior: 0.34,
        sd: 0.40,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.35,
            gpu: 0.25,
            cluster: 0.0,
        },
        source: "FlashAttention v1 reaches 25 to 40 % of the A100's peak, less when causal (arXiv 2307.08691, section 1 and figures 4 to 6)",
    },
    Coefficient {
        id: Id::AttentionBackward128,
        name: "attention_backward_128",
        unit: "share of peak",
        prior: 0.30,
        sd: 0.30,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.35,
            gpu: 0.25,
            cluster: 0.0,
        },
        source: "FlashAttention v1 reaches 25 to 40 % of the A100's peak, less when causal (arXiv 2307.08691, section 1 and figures 4 to 6)",
    },
    Coefficient {
        id: Id::LayerBytes,
        name: "layer_bytes",
        unit: "B per layer, token and width",
        prior: 100.0,
        sd: 0.50,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.6,
            gpu: 0.3,
            cluster: 0.0,
        },
        source: "count of a block's unfused elementwise kernels, forward and backward: norms, residuals, activation, copies, about 116 B, some of them fused",
    },
    Coefficient {
        id: Id::RecomputeBytes,
        name: "recompute_bytes",
        unit: "B per layer, token and width",
        prior: 45.0,
        sd: 0.40,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.6,
            gpu: 0.3,
            cluster: 0.0,
        },
        source: "the same count, forward alone: about 48 B",
    },
    Coefficient {
        id: Id::LossBytes,
        name: "loss_bytes",
        unit: "B per token and vocabulary entry",
        prior: 75.0,
        sd: 0.25,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.6,
            gpu: 0.3,
            cluster: 0.0,
        },
        source: "count of the loss's kernels: bf16 logits, fp32 copy, log-softmax and its gradient 54 B, one pass for the training metric 22 B",
    },
    Coefficient {
        id: Id::MisalignedHead,
        name: "misaligned_head",
        unit: "slowdown",
        prior: 2.0,
        sd: 0.30,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.2,
            gpu: 0.25,
            cluster: 0.0,
        },
        source: "padding GPT-2's vocabulary from 50257 to 50304 speeds a 124M model up by about 25 %, and the head is 31 % of its matrix FLOPs (nanoGPT)",
    },
    Coefficient {
        id: Id::BusBandwidth,
        name: "bus_bandwidth",
        unit: "B/s per GPU",
        prior: 155e9,
        sd: 0.08,
        link: Link::Log,
        variation: 0.20,
        loosening: Loosening {
            stack: 0.3,
            gpu: 0.4,
            cluster: 0.5,
        },
        source: "FSDP on 8 x A100 NVLink at small fixed micro-batches: 140 to 175 GB/s; NCCL alone 130 to 235 GB/s by message size",
    },
    Coefficient {
        id: Id::LayerOverhead,
        name: "layer_overhead",
        unit: "s per layer and micro-step",
        prior: 1.0e-3,
        sd: 0.15,
        link: Link::Log,
        variation: 0.30,
        loosening: Loosening {
            stack: 0.5,
            gpu: 0.4,
            cluster: 0.0,
        },
        source: "small fixed micro-batches on the same kind of node: about 1 ms a layer for kernel launches and sharding hooks",
    },
    Coefficient {
        id: Id::OptimizerBytes,
        name: "optimizer_bytes",
        unit: "B per sharded parameter",
        prior: 30.0,
        sd: 0.30,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.4,
            gpu: 0.3,
            cluster: 0.0,
        },
        source: "AdamW in fp32 reads parameter, gradient and two moments and writes three of them: 28 B",
    },
    Coefficient {
        id: Id::Fixed,
        name: "fixed",
        unit: "s per step",
        prior: 4.0e-3,
        sd: 0.50,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.5,
            gpu: 0.3,
            cluster: 0.0,
        },
        source: "logging, learning-rate schedule and host synchronization: a few milliseconds",
    },
    Coefficient {
        id: Id::Synchronization,
        name: "synchronization",
        unit: "s per step and doubling of nodes",
        prior: 12.0e-3,
        sd: 0.70,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.5,
            gpu: 0.3,
            cluster: 0.5,
        },
        source: "waiting for the slowest node: of the order of 10 ms a step per doubling",
    },
    Coefficient {
        id: Id::NodeLatency,
        name: "node_latency",
        unit: "s per layer and micro-step",
        prior: 0.5e-3,
        sd: 0.70,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.5,
            gpu: 0.3,
            cluster: 0.5,
        },
        source: "three collectives a block, each with about 0.15 ms of ring latency at 16 GPUs",
    },
    Coefficient {
        id: Id::Overlap,
        name: "overlap",
        unit: "share of communication",
        prior: 0.018,
        sd: 0.3,
        link: Link::Logit,
        variation: 0.0,
        loosening: Loosening {
            stack: 1.5,
            gpu: 0.5,
            cluster: 0.5,
        },
        source: "the measured stack hides essentially none of it; later ones may hide most",
    },
    Coefficient {
        id: Id::Scale,
        name: "scale",
        unit: "factor",
        prior: 1.0,
        sd: 0.001,
        link: Link::Log,
        variation: 0.0,
        loosening: Loosening {
            stack: 0.15,
            gpu: 0.15,
            cluster: 0.05,
        },
        source: "no correction where the tables were measured; elsewhere what all else leaves unexplained",
    },
];

/// Coefficient values: the fitted numbers and what they stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    fitted: [f64; COUNT],
    value: [f64; COUNT],
}

impl Values {
    /// Values of fitted numbers, in the order of [`COEFFICIENTS`].
    #[must_use]
    pub fn new(fitted: [f64; COUNT]) -> Self {
        let mut value = fitted.map(f64::exp);
        let overlap = Id::Overlap as usize;
        value[overlap] = 1.0 / (1.0 + (-fitted[overlap]).exp());
        Self { fitted, value }
    }

    /// The prior means.
    #[must_use]
    pub fn prior() -> Self {
        Self::new(COEFFICIENTS.map(|coefficient| coefficient.prior_mean()))
    }

    /// All fitted numbers.
    #[must_use]
    pub fn fitted(&self) -> &[f64; COUNT] {
        &self.fitted
    }

    /// The fitted number (a logarithm) of one coefficient.
    #[must_use]
    pub fn log(&self, id: Id) -> f64 {
        self.fitted[id as usize]
    }

    /// Share of communication that compute hides.
    #[must_use]
    pub fn overlap(&self) -> f64 {
        self.value[Id::Overlap as usize]
    }
}

impl Index<Id> for Values {
    type Output = f64;

    fn index(&self, id: Id) -> &f64 {
        &self.value[id as usize]
    }
}
