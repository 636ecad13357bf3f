//! The training stack: what the sharding and precision policy puts on the wire and in memory.
//!
//! All stacks here shard parameters, gradients and optimizer states over all GPUs (FSDP
//! `FULL_SHARD`), gather each block twice per micro-batch (forward and backward) and
//! reduce-scatter its gradients once, with one unit per block and one for the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The mixed-precision policy of the sharded parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Parameters kept and gathered in fp32, gradients reduced in bf16, bf16 autocast compute and
    /// an fp32 residual stream. What the measured tables call MP mode `DEFAULT`.
    Fp32Gather,
    /// fp32 master weights, gathered in bf16, gradients reduced in fp32.
    Bf16Gather,
    /// Everything that moves is bf16.
    PureBf16,
}

impl Precision {
    /// Bytes per parameter in one all-gather.
    #[must_use]
    pub fn gather_bytes(self) -> f64 {
        match self {
            Self::Fp32Gather => 4.0,
            Self::Bf16Gather | Self::PureBf16 => 2.0,
        }
    }

    /// Bytes per parameter in the gradient reduce-scatter.
    #[must_use]
    pub fn reduce_bytes(self) -> f64 {
        match self {
            Self::Fp32Gather | Self::PureBf16 => 2.0,
            Self::Bf16Gather => 4.0,
        }
    }

    /// Bytes per parameter on the wire per micro-batch: two gathers and one reduction.
    #[must_use]
    pub fn wire_bytes(self) -> f64 {
        2.0 * self.gather_bytes() + self.reduce_bytes()
    }
}

/// The part of a stack's name that says that it multiplies matrices in fp8.
pub(crate) const FP8: &str = "fp8";

/// Share of communication that later software hides, where rows haven't told: FSDP prefetches the
/// next gather while computing (arXiv 2304.11277, section 3.3), assumed to hide half.
const LATER_OVERLAP: f64 = 0.5;

/// A named training stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stack {
    /// Canonical name, such as `fp32-gather`.
    pub name: String,
    /// Precision policy.
    pub precision: Precision,
    /// Share of communication that compute hides, where it is known to differ from the measured
    /// stack's, which hides next to none.
    pub overlap: Option<f64>,
    /// Whether the embedded tables were measured on it.
    pub measured: bool,
    /// One sentence for people.
    pub description: String,
    /// Where the figures come from.
    pub source: String,
}

impl Stack {
    /// Whether it is another to every prediction: of its name, precision and overlap.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.name == other.name
            && self.precision == other.precision
            && self.overlap == other.overlap
    }

    /// Whether it multiplies matrices in fp8, which its name tells (`bf16-gather-fp8`).
    #[must_use]
    pub fn multiplies_in_fp8(&self) -> bool {
        self.name.split('-').any(|part| part == FP8)
    }

    /// What may run in its place where rows don't say so, as tables name the policy and not the year:
    /// later software, which gathers in bf16 under the same name. `None` where it does so already.
    #[must_use]
    pub(crate) fn later(&self) -> Option<Self> {
        (self.precision == Precision::Fp32Gather).then(|| Self {
            name: format!("{} of later software", self.name),
            precision: Precision::Bf16Gather,
            overlap: Some(LATER_OVERLAP),
            measured: false,
            ..self.clone()
        })
    }
}
