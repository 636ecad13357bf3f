//! What is expected of coefficients where none was measured: on later software, on a later GPU.
//!
//! The measured stack is of 2022. What is known of its successors is no measurement of them, but
//! better than to expect that nothing has changed: the means move by these factors, and the
//! loosening of [`coefficients`](super::coefficients) says how far they may be off.

use super::coefficients::Id;
use super::fit::Vector;
use super::layer::Layer;
use crate::configuration::Setting;
use crate::measure::Measurement;
use crate::stack::Precision;

/// A coefficient's expected value over its measured one.
struct Change {
    id: Id,
    factor: f64,
    /// Where that comes from.
    _source: &'static str,
}

const fn change(id: Id, factor: f64, source: &'static str) -> Change {
    Change {
        id,
        factor,
        _source: source,
    }
}

const FLASH_ATTENTION_2: &str = "FlashAttention-2 is 1.3 to 2 times as fast as the first on the A100 (arXiv 2307.08691, section 4.1); \
     some later stacks still run the first, so between 1 and 2";

const BF16_STREAM: &str = "count of a block's elementwise kernels with a bf16 instead of an fp32 residual stream: about 0.7 of the bytes";

/// Stacks that gather in bf16 are later than the measured one.
const LATER_SOFTWARE: [Change; 7] = [
    change(Id::AttentionForward64, 1.4, FLASH_ATTENTION_2),
    change(Id::AttentionBackward64, 1.4, FLASH_ATTENTION_2),
    change(Id::AttentionForward128, 1.4, FLASH_ATTENTION_2),
    change(Id::AttentionBackward128, 1.4, FLASH_ATTENTION_2),
    change(Id::LayerBytes, 0.7, BF16_STREAM),
    change(Id::RecomputeBytes, 0.7, BF16_STREAM),
    change(
        Id::LossBytes,
        0.72,
        "the loss without the measured stack's training metric: 54 of 76 B",
    ),
];

const HOPPER_ATTENTION: &str = "FlashAttention-2 reaches 335 TFLOP/s on the H100, 34 % of its peak (arXiv 2307.08691, section 4.1): \
     1.4 times the first one's share on the A100 would be 45 %";

/// GPUs whose peak is beyond that of any measured one.
const FASTER_GPU: [Change; 6] = [
    change(
        Id::MatmulEfficiency,
        0.87,
        "large bf16 matrix products reach 600 to 750 of the H100's 989 TFLOP/s (cuBLAS), under its power limit",
    ),
    change(Id::AttentionForward64, 0.75, HOPPER_ATTENTION),
    change(Id::AttentionBackward64, 0.75, HOPPER_ATTENTION),
    change(Id::AttentionForward128, 0.75, HOPPER_ATTENTION),
    change(Id::AttentionBackward128, 0.75, HOPPER_ATTENTION),
    change(
        Id::LayerOverhead,
        0.7,
        "launches and hooks run on the host, which in nodes of later GPUs is a later processor too: an assumption",
    ),
];

/// The H100's peak over the A100's, between which what changes on a later GPU was found (datasheets,
/// dense bf16).
const GENERATION: f64 = 989.0 / 312.0;

/// How far a setting's GPU is from those a layer was measured on, by its peak: 0 for one of them, 1 a
/// generation away and beyond; in between a part of the way, so that a GPU that is hardly faster is
/// hardly another.
pub(super) fn generations(layer: &Layer, setting: &Setting<'_>) -> f64 {
    let peak = setting.cluster.gpu.peak_flops;
    let away = |row: &Measurement| (peak / row.cluster.gpu.peak_flops).ln().abs();
    let nearest = layer.rows.iter().map(|(row, _)| away(row));
    (nearest.fold(f64::INFINITY, f64::min) / GENERATION.ln()).clamp(0.0, 1.0)
}

/// What differs from what a layer was measured on, as far as coefficients are expected to follow: the
/// share of each change.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Later {
    software: f64,
    gpu: f64,
}

impl Later {
    fn than(layer: &Layer, setting: &Setting<'_>) -> Self {
        let bf16 = setting.stack.precision != Precision::Fp32Gather;
        let all_fp32 = layer
            .rows
            .iter()
            .all(|(row, _)| row.stack.precision == Precision::Fp32Gather);
        let slower = |peak: f64| peak < setting.cluster.gpu.peak_flops;
        let faster_gpu = layer
            .rows
            .iter()
            .all(|(row, _)| slower(row.cluster.gpu.peak_flops));
        let gpu = if faster_gpu {
            generations(layer, setting)
        } else {
            0.0
        };
        let software = match (all_fp32, bf16) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            // No GPU runs on software that is older than itself.
            (true, false) => gpu,
        };
        Self { software, gpu }
    }
}

/// By how much coefficients are expected to differ at a setting from a layer's, as logarithms.
pub(super) fn expected_change(layer: &Layer, setting: &Setting<'_>) -> Vector {
    let later = Later::than(layer, setting);
    let software = LATER_SOFTWARE.iter().map(|change| (change, later.software));
    let gpu = FASTER_GPU.iter().map(|change| (change, later.gpu));
    let mut change = Vector::zeros();
    for (Change { id, factor, .. }, share) in software.chain(gpu) {
        change[*id as usize] += share * factor.ln();
    }
    change
}
