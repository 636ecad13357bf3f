//! The catalog: embedded presets, and user files that add to them or override them.

use crate::diagnostic::Diagnostic;
use crate::hardware::{Cluster, Gpu};
use crate::model::Model;
use crate::stack::Stack;

/// Everything that can be named in a job.
#[derive(Debug, Clone)]
pub struct Catalog {}

impl Catalog {
    /// The presets embedded in the program.
    #[must_use]
    pub fn embedded() -> Self {
        todo!()
    }

    /// The model of that name or alias, in any of the spellings in use (`gpt-7b`, `gpt7b`).
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn model(&self, _name: &str) -> Result<&Model, Diagnostic> {
        todo!()
    }

    /// The GPU of that name or alias (`a100-40gb`, `a100_40gb`).
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn gpu(&self, _name: &str) -> Result<&Gpu, Diagnostic> {
        todo!()
    }

    /// The cluster of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn cluster(&self, _name: &str) -> Result<&Cluster, Diagnostic> {
        todo!()
    }

    /// The cluster that stands for a GPU when a measured row or a request names none: nodes of
    /// eight, linked as the measured clusters are.
    ///
    /// # Errors
    /// An unknown GPU, with the nearest known ones.
    pub fn generic_cluster(&self, _gpu: &str) -> Result<Cluster, Diagnostic> {
        todo!()
    }

    /// The stack of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn stack(&self, _name: &str) -> Result<&Stack, Diagnostic> {
        todo!()
    }
}
