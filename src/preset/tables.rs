//! The tables of a preset file, as written. One format for the embedded files and for people's own.

use schemars::JsonSchema;
use serde::Deserialize;

use super::product::ProductTable;
use super::value::{At, Entries, Portion, Positive, PricedOn, Share, Spelled, Whole};
use crate::model::{Biases, FeedForward, Gate, Norm, Positions};
use crate::quantity::{Tokens, UsdPerGpuHour};
use crate::stack::Precision;

/// Models, GPUs, clusters, stacks, prices and products that add to the built-in ones or override those of
/// the same name.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tables {
    /// Models by name.
    pub(crate) models: Entries<ModelTable>,
    /// GPUs by name.
    pub(crate) gpus: Entries<GpuTable>,
    /// Clusters by name.
    pub(crate) clusters: Entries<ClusterTable>,
    /// Training stacks by name.
    pub(crate) stacks: Entries<StackTable>,
    /// Prices; each belongs to the cluster that its `instance` names.
    pub(crate) prices: Vec<PriceTable>,
    /// Products that let one book nodes, by name.
    pub(crate) products: Entries<ProductTable>,
}

/// A family of transformer blocks, which settles the keys that are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Architecture {
    /// Learned positions, biases, `LayerNorm`, GELU, tied head.
    #[default]
    Gpt,
    /// `ALiBi`, no biases, `LayerNorm`, GELU, tied head.
    Mpt,
    /// Rotary positions, no biases, `RMSNorm`, feed-forward gated by `SiLU`, untied head.
    Llama,
}

/// A model: its shape and how it is trained by default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with the keys of a model")]
pub(crate) struct ModelTable {
    /// Name shown; the table's own name unless given.
    pub(crate) name: Option<At<String>>,
    /// Family that settles the keys left out; `gpt` unless given.
    #[serde(default)]
    pub(crate) architecture: Architecture,
    /// Width of the residual stream.
    pub(crate) d_model: At<Whole>,
    /// Blocks.
    pub(crate) n_layers: At<Whole>,
    /// Query heads.
    pub(crate) n_heads: At<Whole>,
    /// Key/value heads; `n_heads` unless given.
    pub(crate) n_kv_heads: Option<At<Whole>>,
    /// Width of one head; `d_model / n_heads` unless given.
    pub(crate) head_dim: Option<At<Whole>>,
    /// Feed-forward width; `4 * d_model` unless given, and required when it is gated.
    pub(crate) d_ff: Option<At<Whole>>,
    /// Vocabulary entries, padding included.
    pub(crate) vocab_size: At<Whole>,
    /// How positions enter the model.
    pub(crate) positions: Option<Positions>,
    /// Length of a learned position table; the sequence length unless given.
    pub(crate) max_positions: Option<At<Whole>>,
    /// Whether the output head is the token embedding.
    pub(crate) tied_head: Option<bool>,
    /// Which linear layers carry biases.
    pub(crate) biases: Option<Biases>,
    /// Normalisation layer.
    pub(crate) norm: Option<Norm>,
    /// Feed-forward layer.
    pub(crate) feed_forward: Option<FeedForward>,
    /// Activation of a gated feed-forward; `silu` under `llama`, otherwise not known unless given.
    pub(crate) gate: Option<At<Gate>>,
    /// Base of rotary positions; not known unless given.
    pub(crate) rotary_base: Option<At<Whole>>,
    /// Share of each head that rotary positions turn; all of it unless given.
    pub(crate) rotary_share: Option<At<Portion>>,
    /// Whether attention and feed-forward read the same input, side by side.
    #[serde(default)]
    pub(crate) parallel_block: bool,
    /// Sequence length it is trained at unless the job says otherwise; unless given, `max_positions` of
    /// a learned position table, or else 2048.
    pub(crate) seq_len: Option<At<Whole>>,
    /// Tokens per optimizer step unless the job says otherwise; by parameter count unless given.
    pub(crate) global_batch: Option<At<Spelled<Tokens>>>,
    /// Other names it is found by.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Where the figures come from.
    #[serde(default)]
    pub(crate) source: String,
}

/// A GPU as its datasheet describes it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with the keys of a GPU")]
pub(crate) struct GpuTable {
    /// Dense bf16 TFLOP/s (no sparsity).
    pub(crate) peak_tflops: Positive,
    /// Memory bandwidth, TB/s.
    pub(crate) hbm_tb_per_s: Positive,
    /// Memory a training process can use, GiB.
    pub(crate) usable_gib: Positive,
    /// Link between the GPUs of one node, GB/s in one direction per GPU.
    pub(crate) intra_node_gb_per_s: Positive,
    /// Whether its matrix units multiply fp8; not told when left out.
    pub(crate) fp8: Option<bool>,
    /// Whether the embedded tables hold measurements on it.
    #[serde(default)]
    pub(crate) measured: bool,
    /// Other names it is found by.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Where the figures come from.
    #[serde(default)]
    pub(crate) source: String,
}

/// A cluster: nodes of one GPU type and the links between them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with the keys of a cluster")]
pub(crate) struct ClusterTable {
    /// Name of its GPU.
    pub(crate) gpu: At<String>,
    /// GPUs in a node; 8 unless given.
    pub(crate) gpus_per_node: Option<At<Whole>>,
    /// The most GPUs one job can have.
    pub(crate) max_gpus: At<Whole>,
    /// Link out of a node, Gbit/s in one direction for the whole node; required beyond one node.
    pub(crate) inter_node_gbps: Option<Positive>,
    /// What a GPU-hour costs, US dollars; a short form of one `[[prices]]` entry.
    pub(crate) usd_per_gpu_hour: Option<Spelled<UsdPerGpuHour>>,
    /// Other names it is found by.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Where the figures come from.
    #[serde(default)]
    pub(crate) source: String,
}

/// A named training stack.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with the keys of a stack")]
pub(crate) struct StackTable {
    /// Precision of what is gathered and reduced.
    pub(crate) precision: Precision,
    /// Share of communication that compute hides, from 0 to below 1; left out, that of the
    /// measured stack.
    pub(crate) overlap: Option<Share>,
    /// Whether the embedded tables were measured on it.
    #[serde(default)]
    pub(crate) measured: bool,
    /// One sentence for people.
    #[serde(default)]
    pub(crate) description: String,
    /// Other names it is found by.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Where the figures come from.
    #[serde(default)]
    pub(crate) source: String,
}

/// What a GPU-hour of a cluster costs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with the keys of a price")]
pub(crate) struct PriceTable {
    /// Name of the cluster it is a price of.
    pub(crate) instance: At<String>,
    /// Who sells it; the instance's name unless given.
    pub(crate) provider: Option<String>,
    /// `on-demand`, `spot`, `capacity-block`, …
    pub(crate) price_type: Option<String>,
    /// US dollars per GPU-hour.
    pub(crate) usd_per_gpu_hour: Spelled<UsdPerGpuHour>,
    /// Region it holds for.
    pub(crate) region: Option<String>,
    /// Date of the price, such as `2026-01-21` or `2026-01`, or `unknown`.
    pub(crate) as_of: Option<Spelled<PricedOn>>,
    /// Who published it.
    #[serde(default)]
    pub(crate) source: String,
}
