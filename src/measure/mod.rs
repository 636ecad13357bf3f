//! Measured rows: what a run was, and how fast it went.

use std::sync::Arc;

use crate::configuration::{Configuration, Setting};
use crate::hardware::Cluster;
use crate::model::Shape;
use crate::stack::Stack;

/// The measured tables of `MosaicGPT` training, every column of the published document
/// (`mosaicml/examples`, `llm/throughput`, 2023): 300 rows, CSV with a header.
///
/// `gpu_type` and `gpu` are its two `GPUType` columns, the first with the GPU count in it; the
/// utilization columns assume recomputed activations on every row.
pub const MOSAICGPT_2023: &str = include_str!("../../presets/tables/mosaicgpt-2023.csv");

/// One measured row.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The model's name, as the catalog spells it where it is known there.
    pub model: String,
    /// Its shape.
    pub shape: Shape,
    /// Where it ran.
    pub cluster: Arc<Cluster>,
    /// On which stack.
    pub stack: Arc<Stack>,
    /// How it was launched.
    pub configuration: Configuration,
    /// Measured tokens per second, all GPUs together.
    pub throughput_tok_s: f64,
    /// Line of the table it stands in, from 1.
    pub line: usize,
}

impl Measurement {
    /// What ran, as the models take it.
    #[must_use]
    pub fn setting(&self) -> Setting<'_> {
        Setting {
            shape: &self.shape,
            cluster: &self.cluster,
            stack: &self.stack,
        }
    }
}
