//! Measured rows: what a run was, and how fast it went.

use std::sync::Arc;

use crate::configuration::{Configuration, Setting};
use crate::hardware::Cluster;
use crate::model::Shape;
use crate::stack::Stack;

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
