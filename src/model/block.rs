//! What a trainer has to know of a block beyond its shape, to train the model that was planned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The activation that gates a gated feed-forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// `SiLU`: `SwiGLU` (Llama).
    Silu,
    /// GELU in its tanh form: `GeGLU` (Gemma).
    Gelu,
}

/// Properties of a block on which neither parameters nor memory depend.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Block {
    /// What gates the feed-forward; `None` where it isn't gated, or where it isn't known.
    pub gate: Option<Gate>,
    /// Base of rotary positions; `None` where there are none, or where it isn't known.
    pub rotary_base: Option<u64>,
    /// Share of each head that rotary positions turn; `None` for all of it.
    pub rotary_share: Option<f64>,
    /// Whether attention and feed-forward read the same input, side by side (GPT-NeoX), rather
    /// than one after the other.
    pub parallel: bool,
}
