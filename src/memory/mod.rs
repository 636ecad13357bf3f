//! Peak memory per GPU by part, and whether it fits.

use schemars::JsonSchema;
use serde::Serialize;

use crate::configuration::{Configuration, Setting};

/// Whether a configuration fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Runs at full speed.
    Fits,
    /// May run out of memory, or run slowly under allocator pressure.
    Tight,
    /// Runs out of memory.
    Overflows,
}

/// Peak memory by part, bytes per GPU; the parts add up to the peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryEstimate {
    /// Peak of live tensors.
    pub peak_bytes: f64,
    /// What a process can use.
    pub usable_bytes: f64,
    /// `usable − peak − allocator reserve`: what the verdict is decided on.
    pub margin_bytes: f64,
    /// The verdict.
    pub verdict: Verdict,
}

/// Estimates peak memory.
#[must_use]
pub fn estimate(_setting: &Setting<'_>, _configuration: &Configuration) -> MemoryEstimate {
    todo!()
}
