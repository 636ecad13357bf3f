//! The transformer's shape, and what follows from it: parameters, FLOPs, activation widths.
//!
//! Symbols: `d` model width, `L` layers, `h` query heads, `k` key/value heads, `e` head width
//! (`d/h` unless stated), `f` feed-forward width, `V` vocabulary, `s` sequence length.
//!
//! A block holds the attention matrices `d·h·e + 2·d·k·e + h·e·d`, the feed-forward matrices
//! (`2·d·f`, or `3·d·f` when gated), biases and two norms. Outside the blocks stand the token
//! embedding `V·d`, learned positions, the final norm and, when it isn't tied, the head `V·d`.
//! For a GPT block (`k = h`, `f = 4d`, biases) that is the familiar `12·d² + 13·d`.

mod block;

pub use block::{Block, Gate};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::quantity::Tokens;

/// How positions enter the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Positions {
    /// A learned table; its length is [`Shape::max_positions`] or else the sequence length.
    Learned,
    /// Rotary embeddings: no parameters.
    Rotary,
    /// Linear attention biases: no parameters.
    Alibi,
}

/// Which linear layers carry biases; norms carry one exactly when all linear layers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Biases {
    /// Every linear layer but the head (GPT-2, Pythia).
    All,
    /// The query, key and value projections alone (Qwen 2).
    Qkv,
    /// None (MPT, Llama).
    None,
}

/// The normalisation layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// Mean and variance; a weight, and a bias when [`Biases::All`].
    LayerNorm,
    /// Root mean square; a weight only.
    RmsNorm,
}

/// The feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeedForward {
    /// Two matrices around an activation (GPT).
    Gelu,
    /// Three matrices: the activation of one gates another ([`Gate`]).
    Gated,
}

/// A decoder-only transformer's shape.
///
/// ```
/// use tminus::model::Shape;
/// // The 125M member of the measured family, at sequence length 2048.
/// let shape = Shape::gpt(768, 12, 12, 50_257).unwrap();
/// assert_eq!(shape.params(2_048), 125_226_240);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Shape {
    /// Width of the residual stream, `d`.
    pub d_model: u64,
    /// Blocks, `L`.
    pub n_layers: u64,
    /// Query heads, `h`.
    pub n_heads: u64,
    /// Key/value heads, `k`; divides `n_heads`.
    pub n_kv_heads: u64,
    /// Width of one head, `e`.
    pub head_dim: u64,
    /// Feed-forward width, `f`.
    pub d_ff: u64,
    /// Vocabulary entries, `V`.
    pub vocab_size: u64,
    /// Positions.
    pub positions: Positions,
    /// Length of a learned position table; `None`: as long as the sequence it is trained on.
    pub max_positions: Option<u64>,
    /// Whether the output head is the token embedding.
    pub tied_head: bool,
    /// Biases.
    pub biases: Biases,
    /// Normalisation.
    pub norm: Norm,
    /// Feed-forward.
    pub feed_forward: FeedForward,
}

/// Largest width, and most heads, accepted. This limit and the next two are beyond any model that
/// is trained; what they allow together is bounded by [`MAX_PARAMS`].
pub const MAX_WIDTH: u64 = 1 << 22;
/// Most layers accepted.
pub const MAX_LAYERS: u64 = 1 << 16;
/// Longest sequence accepted.
pub const MAX_SEQ_LEN: u64 = 1 << 26;
/// Most parameters accepted, few enough for 64-bit counts.
pub const MAX_PARAMS: u64 = 100_000_000_000_000_000;

/// Why a shape can't be a transformer; `field` names the key at fault.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ShapeError {
    /// A field is zero or beyond its limit.
    #[error("`{field}` is {value}, but must be from 1 to {max}")]
    OutOfRange {
        /// The key at fault.
        field: &'static str,
        /// Its value.
        value: u64,
        /// The largest value accepted.
        max: u64,
    },
    /// One field must be a multiple of another.
    #[error("`{divisor_field} = {divisor}` does not divide `{field} = {value}`")]
    Indivisible {
        /// The dividend's key.
        field: &'static str,
        /// Its value.
        value: u64,
        /// The divisor's key.
        divisor_field: &'static str,
        /// Its value.
        divisor: u64,
    },
    /// The whole has too many parameters.
    #[error("the model has {params:.3e} parameters; at most {MAX_PARAMS:.0e} are supported")]
    TooManyParams {
        /// How many.
        params: f64,
    },
}

impl ShapeError {
    /// A divisor close to the one refused, as a remedy.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Indivisible { value, divisor, .. } => {
                let nearest = (1..=*value.min(&65_536))
                    .filter(|candidate| value.is_multiple_of(*candidate))
                    .min_by_key(|candidate| candidate.abs_diff(*divisor))?;
                Some(format!("{nearest} divides {value}"))
            }
            _ => None,
        }
    }
}

impl Shape {
    /// A GPT block as in the measured family: multi-head attention, `f = 4d`, GELU, biases,
    /// `LayerNorm`, learned positions as long as the sequence, tied head.
    ///
    /// # Errors
    /// As [`Shape::validate`].
    pub fn gpt(
        d_model: u64,
        n_layers: u64,
        n_heads: u64,
        vocab_size: u64,
    ) -> Result<Self, ShapeError> {
        let head_dim = d_model.checked_div(n_heads).unwrap_or(0);
        let shape = Self::gpt_block(d_model, n_layers, (n_heads, head_dim), vocab_size);
        if n_heads > 0 && !d_model.is_multiple_of(n_heads) {
            return Err(ShapeError::Indivisible {
                field: "d_model",
                value: d_model,
                divisor_field: "n_heads",
                divisor: n_heads,
            });
        }
        shape.validate()
    }

    /// The same with heads of any width, nothing checked.
    pub(crate) fn gpt_block(
        d_model: u64,
        n_layers: u64,
        (n_heads, head_dim): (u64, u64),
        vocab_size: u64,
    ) -> Self {
        Self {
            d_model,
            n_layers,
            n_heads,
            n_kv_heads: n_heads,
            head_dim,
            d_ff: d_model.saturating_mul(4),
            vocab_size,
            positions: Positions::Learned,
            max_positions: None,
            tied_head: true,
            biases: Biases::All,
            norm: Norm::LayerNorm,
            feed_forward: FeedForward::Gelu,
        }
    }

    /// Checks ranges and divisibility.
    ///
    /// # Errors
    /// The first field at fault.
    pub fn validate(self) -> Result<Self, ShapeError> {
        let ranges = [
            ("d_model", self.d_model, MAX_WIDTH),
            ("n_layers", self.n_layers, MAX_LAYERS),
            ("n_heads", self.n_heads, MAX_WIDTH),
            ("n_kv_heads", self.n_kv_heads, MAX_WIDTH),
            ("head_dim", self.head_dim, MAX_WIDTH),
            ("d_ff", self.d_ff, 16 * MAX_WIDTH),
            ("vocab_size", self.vocab_size, 1 << 32),
            (
                "max_positions",
                self.max_positions.unwrap_or(1),
                MAX_SEQ_LEN,
            ),
        ];
        for (field, value, max) in ranges {
            if !(1..=max).contains(&value) {
                return Err(ShapeError::OutOfRange { field, value, max });
            }
        }
        if !self.n_heads.is_multiple_of(self.n_kv_heads) {
            return Err(ShapeError::Indivisible {
                field: "n_heads",
                value: self.n_heads,
                divisor_field: "n_kv_heads",
                divisor: self.n_kv_heads,
            });
        }
        let longest = u128::from(self.max_positions.unwrap_or(MAX_SEQ_LEN));
        let params = self.params_wide(longest);
        if params > u128::from(MAX_PARAMS) {
            return Err(ShapeError::TooManyParams {
                params: params as f64,
            });
        }
        Ok(self)
    }

    /// The longest sequence its learned positions allow; `None` when nothing limits it.
    #[must_use]
    pub fn position_limit(&self) -> Option<u64> {
        match self.positions {
            Positions::Learned => self.max_positions,
            Positions::Rotary | Positions::Alibi => None,
        }
    }

    /// Width of all query heads together, `h·e`; `d` unless the head width is stated.
    #[must_use]
    pub fn attention_width(&self) -> u64 {
        self.n_heads * self.head_dim
    }

    /// Width of all key (or value) heads together, `k·e`.
    #[must_use]
    pub fn kv_width(&self) -> u64 {
        self.n_kv_heads * self.head_dim
    }

    /// Parameters in one block's matrices: each takes part in one multiply-add per token.
    #[must_use]
    pub fn block_matrix_params(&self) -> u64 {
        let (d, q, kv) = (self.d_model, self.attention_width(), self.kv_width());
        let matrices = match self.feed_forward {
            FeedForward::Gelu => 2,
            FeedForward::Gated => 3,
        };
        d * q * 2 + d * kv * 2 + matrices * d * self.d_ff
    }

    /// All parameters of one block: matrices, biases, norms.
    #[must_use]
    pub fn block_params(&self) -> u64 {
        let (d, q, kv) = (self.d_model, self.attention_width(), self.kv_width());
        let up = match self.feed_forward {
            FeedForward::Gelu => self.d_ff,
            FeedForward::Gated => 2 * self.d_ff,
        };
        let biases = match self.biases {
            Biases::All => q + 2 * kv + d + up + d,
            Biases::Qkv => q + 2 * kv,
            Biases::None => 0,
        };
        self.block_matrix_params() + biases + 2 * self.norm_params()
    }

    fn norm_params(&self) -> u64 {
        match (self.norm, self.biases) {
            (Norm::LayerNorm, Biases::All) => 2 * self.d_model,
            _ => self.d_model,
        }
    }

    /// Parameters outside the blocks at sequence length `seq_len`: embedding, positions, final
    /// norm and an untied head. One FSDP unit.
    #[must_use]
    pub fn root_params(&self, seq_len: u64) -> u64 {
        let embeddings = if self.tied_head { 1 } else { 2 };
        let positions = match self.positions {
            Positions::Learned => self.max_positions.unwrap_or(seq_len),
            Positions::Rotary | Positions::Alibi => 0,
        };
        (embeddings * self.vocab_size + positions) * self.d_model + self.norm_params()
    }

    /// All parameters at sequence length `seq_len` (which matters for learned positions alone).
    #[must_use]
    pub fn params(&self, seq_len: u64) -> u64 {
        self.n_layers * self.block_params() + self.root_params(seq_len)
    }

    /// [`Shape::params`] for a shape that may still be out of bounds.
    fn params_wide(&self, longest: u128) -> u128 {
        let [d, q, kv, f, v] = [
            self.d_model,
            self.attention_width(),
            self.kv_width(),
            self.d_ff,
            self.vocab_size,
        ]
        .map(u128::from);
        let block = 2 * d * (q + kv) + 3 * d * f + 16 * d + 2 * f + 3 * q;
        u128::from(self.n_layers) * block + (2 * v + longest) * d
    }

    /// FLOPs of one multiply-add per block matrix entry, all layers, one token, forward.
    #[must_use]
    pub fn block_matmul_flops(&self) -> f64 {
        2.0 * self.n_layers as f64 * self.block_matrix_params() as f64
    }

    /// FLOPs of the output head for one token, forward: `2·V·d`.
    #[must_use]
    pub fn head_flops(&self) -> f64 {
        2.0 * self.vocab_size as f64 * self.d_model as f64
    }
}

/// A named model: its shape and how it is trained by default.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Canonical name, such as `gpt-7b`.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// What its blocks are besides.
    pub block: Block,
    /// Sequence length it is trained at unless the job says otherwise.
    pub seq_len: u64,
    /// Reference global batch in tokens.
    pub global_batch: Tokens,
    /// Where the figures come from.
    pub source: String,
}

impl Model {
    /// Parameters at the model's own sequence length.
    #[must_use]
    pub fn params(&self) -> u64 {
        self.shape.params(self.seq_len)
    }
}

/// Reference global batch, in tokens, for a model of `params` parameters that names none.
///
/// The ladder of the measured family: up to 760M 0.5M tokens, to 3B 1M, to 13B 2M, beyond 4M
/// (powers of two, as in the measured tables).
#[must_use]
pub fn reference_global_batch(params: u64) -> u64 {
    match params {
        0..=900_000_000 => 1 << 19,
        900_000_001..=4_000_000_000 => 1 << 20,
        4_000_000_001..=20_000_000_000 => 1 << 21,
        _ => 1 << 22,
    }
}
