//! How long a step takes: physics with fitted coefficients, a residual correction, an interval.

use schemars::JsonSchema;
use serde::Serialize;

use crate::configuration::{Configuration, Setting};
use crate::measure::Measurement;
use crate::quantity::{Confidence, Interval};

/// Seconds of one optimizer step by part; they add up to the expected step time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, JsonSchema)]
pub struct TimeParts {
    /// Matrix multiplications.
    pub matmul: f64,
    /// Attention kernels.
    pub attention: f64,
    /// Elementwise work and the loss, bound by memory bandwidth.
    pub memory_bound: f64,
    /// Gathers and reductions that compute doesn't hide.
    pub communication: f64,
    /// Kernel launches and sharding hooks, per layer and micro-batch.
    pub layer_overhead: f64,
    /// The optimizer's update.
    pub optimizer: f64,
    /// Waiting for the slowest node.
    pub synchronization: f64,
    /// What every step costs, whatever its size.
    pub fixed: f64,
    /// The residual correction: measured minus physics; may be negative.
    pub residual: f64,
}

/// What a prediction rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// That cell is in the tables.
    Measured,
    /// Inside the measured range on every axis.
    Interpolated,
    /// Outside it on at least one axis.
    Extrapolated,
}

/// A measured row near a configuration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NearestRow {
    /// Model of the row.
    pub model: String,
    /// GPU type of the row.
    pub gpu: String,
    /// GPUs.
    pub gpus: u64,
    /// Sequence length.
    pub seq_len: u64,
    /// Micro-batch.
    pub micro_batch: u64,
    /// Gradient accumulation.
    pub grad_accum: u64,
    /// Distance in the units of the residual correction's length scales: 0 is the same cell.
    pub distance: f64,
    /// What was measured there.
    pub measured_tok_s: f64,
}

/// Why a prediction has the basis it has.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BasisDetail {
    /// Axes that left the measured range, in words.
    pub axes: Vec<String>,
    /// The nearest measured rows, nearest first.
    pub nearest: Vec<NearestRow>,
}

/// A predicted configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Seconds per optimizer step.
    pub step_time_s: Interval,
    /// Tokens per second, all GPUs together.
    pub throughput_tok_s: Interval,
    /// Parts of the expected step time.
    pub time_parts_s: TimeParts,
    /// Basis.
    pub basis: Basis,
    /// Its details.
    pub basis_detail: BasisDetail,
}

/// Why a fit can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Fewer rows than it takes.
    #[error("no measured rows to fit to")]
    NoRows,
}

/// The model fitted to measured rows.
#[derive(Debug, Clone)]
pub struct Fit {}

impl Fit {
    /// Fits to measured rows.
    ///
    /// # Errors
    /// When the fit stalls or is ill-conditioned.
    pub fn new(_rows: &[Measurement]) -> Result<Self, FitError> {
        todo!()
    }

    /// Name of the fit, for provenance.
    #[must_use]
    pub fn name(&self) -> &str {
        todo!()
    }

    /// Rows it was fitted to.
    #[must_use]
    pub fn rows(&self) -> usize {
        todo!()
    }

    /// Predicts one configuration in full.
    #[must_use]
    pub fn predict(
        &self,
        _setting: &Setting<'_>,
        _configuration: &Configuration,
        _confidence: Confidence,
    ) -> Prediction {
        todo!()
    }

    /// The expected step time as a function of micro-batch and gradient accumulation alone, for
    /// the search: everything that doesn't depend on them is computed once, here.
    #[must_use]
    pub fn step_model(
        &self,
        _setting: &Setting<'_>,
        _gpus: u64,
        _seq_len: u64,
        _activation_checkpointing: bool,
    ) -> StepModel {
        todo!()
    }
}

/// Expected step times of one (setting, GPUs, sequence length, checkpointing).
#[derive(Debug, Clone)]
pub struct StepModel {}

impl StepModel {
    /// Expected seconds of one micro-step (forward and backward of one micro-batch), residual
    /// correction included. Independent of gradient accumulation.
    #[must_use]
    pub fn micro_step_s(&self, _micro_batch: u64) -> f64 {
        todo!()
    }

    /// Expected seconds of one optimizer step made of `grad_accum` micro-steps of `micro_step_s`.
    #[must_use]
    pub fn step_s(&self, _micro_step_s: f64, _grad_accum: u64) -> f64 {
        todo!()
    }
}
