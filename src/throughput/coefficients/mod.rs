//! The coefficients of the physics: what each means, what is known of it before any row of the
//! tables is seen, and who says so.
//!
//! All but two are positive and fitted as logarithms, so a spread of 0.1 means about 10 %. The
//! priors are informative on purpose: inside the tables micro-batch × sequence length is nearly
//! constant per model and GPU, so the rows alone can't tell a cost per token from a cost per
//! micro-batch, and left to them the network and the launch overhead drift to values no
//! benchmark has ever shown.

mod table;

use std::ops::Index;

pub use table::COEFFICIENTS;

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

impl Id {
    fn is_attention(self) -> bool {
        matches!(
            self,
            Self::AttentionForward64
                | Self::AttentionBackward64
                | Self::AttentionForward128
                | Self::AttentionBackward128
        )
    }
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

    /// Correlation of what is unknown about this coefficient and another: beforehand, and of how
    /// far both move elsewhere.
    #[must_use]
    pub fn correlation(&self, other: &Self) -> f64 {
        if self.id == other.id {
            1.0
        } else if self.id.is_attention() && other.id.is_attention() {
            ATTENTION_KERNELS_ALIKE
        } else {
            0.0
        }
    }
}

/// Correlation of the attention kernels' efficiencies: one library brings all of them, for one GPU,
/// so that what makes one better makes the others better. An assumption; it leaves the ratio of two
/// of them open within a quarter where each is known within a third.
const ATTENTION_KERNELS_ALIKE: f64 = 0.6;

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
