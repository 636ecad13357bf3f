//! Model and hardware FLOPs utilization, by convention.
//!
//! Utilization is the FLOP/s a run needs by some count, over the FLOP/s its GPUs could deliver.
//! *Model* FLOPs (MFU) count what the model requires; *hardware* FLOPs (HFU) also count what the
//! run computes a second time when it recomputes activations (Korthikanti et al.,
//! arXiv 2205.05198). The starred forms leave attention out and count parameters alone.
//!
//! FLOPs per token, with `P` parameters, `L` layers, `h·e` attention width, `s` sequence length:
//!
//! | | MFU* | MFU | HFU* | HFU |
//! |---|---|---|---|---|
//! | `mosaic-2022` | 6P | 6P + 4·L·he·s | 8P | 8P + 6·L·he·s |
//! | `palm` | 6P | 6P + 12·L·he·s | 8P | 8P + 16·L·he·s |
//!
//! `mosaic-2022` is how the embedded tables were printed: a forward pass of attention counts
//! 2·L·he·s, and it is taken twice for MFU and three times for HFU. `palm` (Chowdhery et al.,
//! arXiv 2204.02311, appendix B) counts the whole square, 4·L·he·s forward, three times for MFU
//! and once more for recomputation. The same run has very different figures under the two, so a
//! figure without its convention can't be compared.
//!
//! HFU here equals MFU when nothing is recomputed. The embedded tables print HFU as if every run
//! recomputed; their columns come out when recomputation is assumed.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::configuration::{Configuration, Setting};
use crate::model::Shape;

/// How FLOPs are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum Convention {
    /// The convention of the embedded tables.
    #[default]
    #[serde(rename = "mosaic-2022")]
    Mosaic2022,
    /// The convention of the `PaLM` paper.
    #[serde(rename = "palm")]
    Palm,
}

impl Convention {
    /// Every convention.
    pub const ALL: [Self; 2] = [Self::Mosaic2022, Self::Palm];

    /// Its name, as shown and as parsed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mosaic2022 => "mosaic-2022",
            Self::Palm => "palm",
        }
    }

    /// Attention FLOPs in units of `L·he·s` per token: (without, with) recomputation.
    fn attention_factors(self) -> (f64, f64) {
        match self {
            Self::Mosaic2022 => (4.0, 6.0),
            Self::Palm => (12.0, 16.0),
        }
    }

    /// FLOPs per token of `shape` at sequence length `seq_len`, all four counts.
    #[must_use]
    pub fn flops_per_token(self, shape: &Shape, seq_len: u64, recompute: bool) -> FlopsPerToken {
        let params = shape.params(seq_len) as f64;
        let attention_unit =
            shape.n_layers as f64 * shape.attention_width() as f64 * seq_len as f64;
        let (model_attention, recomputed_attention) = self.attention_factors();
        let (hardware_params, hardware_attention) = if recompute {
            (8.0 * params, recomputed_attention)
        } else {
            (6.0 * params, model_attention)
        };
        FlopsPerToken {
            model_params: 6.0 * params,
            model: 6.0 * params + model_attention * attention_unit,
            hardware_params,
            hardware: hardware_params + hardware_attention * attention_unit,
        }
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no convention.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a utilization convention: expected `mosaic-2022` or `palm`")]
pub struct UnknownConvention(pub String);

impl FromStr for Convention {
    type Err = UnknownConvention;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|convention| convention.name().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownConvention(text.to_owned()))
    }
}

/// FLOPs that training spends on one token, counted four ways.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlopsPerToken {
    /// For MFU*.
    pub model_params: f64,
    /// For MFU.
    pub model: f64,
    /// For HFU*.
    pub hardware_params: f64,
    /// For HFU.
    pub hardware: f64,
}

/// The four utilizations, as shares of the peak (0.52 is 52 %).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, JsonSchema)]
pub struct Utilization {
    /// Model FLOPs utilization, parameters alone.
    pub mfu_star: f64,
    /// Model FLOPs utilization with attention.
    pub mfu: f64,
    /// Hardware FLOPs utilization, parameters alone.
    pub hfu_star: f64,
    /// Hardware FLOPs utilization with attention.
    pub hfu: f64,
}

impl FlopsPerToken {
    /// Utilization of one GPU of `peak_flops` FLOP/s that trains `tok_s_per_gpu` tokens per
    /// second; all zero when that is not a finite number (no peak, no throughput).
    #[must_use]
    pub fn utilization(&self, tok_s_per_gpu: f64, peak_flops: f64) -> Utilization {
        let tokens_per_peak_flop = tok_s_per_gpu / peak_flops;
        if !(self.hardware * tokens_per_peak_flop).is_finite() {
            return Utilization::default();
        }
        Utilization {
            mfu_star: self.model_params * tokens_per_peak_flop,
            mfu: self.model * tokens_per_peak_flop,
            hfu_star: self.hardware_params * tokens_per_peak_flop,
            hfu: self.hardware * tokens_per_peak_flop,
        }
    }
}

/// Utilization of a configuration that trains `throughput_tok_s` tokens per second over all its
/// GPUs together.
#[must_use]
pub fn utilization(
    convention: Convention,
    setting: &Setting<'_>,
    configuration: &Configuration,
    throughput_tok_s: f64,
) -> Utilization {
    convention
        .flops_per_token(
            setting.shape,
            configuration.seq_len,
            configuration.activation_checkpointing,
        )
        .utilization(
            throughput_tok_s / configuration.gpus as f64,
            setting.cluster.gpu.peak_flops,
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Biases, FeedForward, Positions};

    #[test]
    fn names_round_trip_and_match_serde() {
        for convention in Convention::ALL {
            assert_eq!(convention.to_string().parse(), Ok(convention));
            assert_eq!(
                serde_json::to_string(&convention).unwrap(),
                format!("\"{convention}\"")
            );
        }
        let error = "megatron".parse::<Convention>().unwrap_err();
        assert!(error.to_string().contains("`megatron`"), "{error}");
    }

    /// The `PaLM` paper's own example (its appendix B and table 3): 540.35B parameters, 238.3K
    /// tokens/s on 6144 chips of 275 TFLOP/s are 46.2 % MFU, and 45.7 % without attention.
    #[test]
    fn palm_540b_is_reproduced() {
        let shape = Shape {
            n_kv_heads: 1,
            head_dim: 256,
            positions: Positions::Rotary,
            biases: Biases::None,
            feed_forward: FeedForward::Gated,
            ..Shape::gpt(18_432, 118, 48, 256_000).unwrap()
        };
        let utilization = Convention::Palm
            .flops_per_token(&shape, 2048, false)
            .utilization(238_300.0 / 6144.0, 275e12);
        assert!(
            (utilization.mfu_star - 0.457).abs() < 5e-4,
            "{utilization:?}"
        );
        assert!((utilization.mfu - 0.462).abs() < 5e-4, "{utilization:?}");
    }

    #[test]
    fn nothing_recomputed_means_hfu_is_mfu() {
        let shape = Shape::gpt(4096, 32, 32, 50_257).unwrap();
        for convention in Convention::ALL {
            let kept = convention
                .flops_per_token(&shape, 2048, false)
                .utilization(3000.0, 312e12);
            assert!((kept.hfu - kept.mfu).abs() < f64::EPSILON);
            assert!((kept.hfu_star - kept.mfu_star).abs() < f64::EPSILON);
            let recomputed = convention
                .flops_per_token(&shape, 2048, true)
                .utilization(3000.0, 312e12);
            assert!(recomputed.hfu > kept.hfu && recomputed.hfu_star > kept.hfu_star);
        }
    }

    #[test]
    fn no_peak_is_no_utilization() {
        let shape = Shape::gpt(768, 12, 12, 50_257).unwrap();
        let flops = Convention::Palm.flops_per_token(&shape, 2048, true);
        assert_eq!(flops.utilization(1.0, 0.0), Utilization::default());
        assert_eq!(flops.utilization(f64::NAN, 1.0), Utilization::default());
    }
}
