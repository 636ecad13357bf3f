//! The embedded table and the fit to it.

use std::sync::OnceLock;

use serde::Deserialize;

use super::sha256;
use crate::diagnostic::{Diagnostic, Origin};
use crate::measure::{self, MOSAICGPT_2023, Measurement};
use crate::preset::{Catalog, parse};
use crate::throughput::Fit;

/// Name of the embedded table, as provenance.
pub const EMBEDDED: &str = "mosaicgpt-2023";

/// Where the embedded table comes from and how accurate the fit to it is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Rows of the table.
    pub rows: usize,
    /// SHA-256 of its text.
    pub sha256: String,
    /// Who measured it, and where it was published.
    pub source: String,
    /// Errors on rows held out of the fit.
    pub held_out: HeldOutErrors,
}

/// Mean absolute percentage errors of all rows, as shares, each predicted by a fit without its
/// group.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOutErrors {
    /// Without any row of its model.
    pub leave_model: f64,
    /// Without any row of its sequence length.
    pub leave_seq: f64,
    /// Without any row of its GPU count.
    pub leave_gpus: f64,
}

/// The provenance of the embedded table.
///
/// # Errors
/// Never, as long as the embedded file is what the tests have seen.
pub fn provenance() -> Result<Provenance, Diagnostic> {
    parse(&Origin {
        name: "presets/tables/mosaicgpt-2023.toml".to_owned(),
        text: include_str!("../../presets/tables/mosaicgpt-2023.toml").into(),
    })
}

/// SHA-256 of the embedded table.
#[must_use]
pub fn embedded_sha256() -> String {
    sha256(MOSAICGPT_2023)
}

/// The rows of the embedded table. Their names are those of the embedded presets: what a user's
/// file overrides must not change what was measured.
///
/// # Errors
/// Never, as long as the embedded table is what the tests have seen.
pub fn embedded_rows() -> Result<Vec<Measurement>, Diagnostic> {
    let name = format!("{EMBEDDED}.csv");
    Ok(measure::read(&name, MOSAICGPT_2023, &Catalog::embedded())?.rows)
}

/// The fit to the embedded table.
///
/// # Errors
/// When the fit stalls or is ill-conditioned: there is no plan without a fit.
pub fn embedded_fit() -> Result<Fit, Diagnostic> {
    /// It is the same every time, and takes longer than most of what is asked of it.
    static MADE: OnceLock<Fit> = OnceLock::new();

    if let Some(fit) = MADE.get() {
        return Ok(fit.clone());
    }
    let fit = fitted()?;
    Ok(MADE.get_or_init(|| fit).clone())
}

fn fitted() -> Result<Fit, Diagnostic> {
    let fit = Fit::new(EMBEDDED, embedded_rows()?).map_err(|error| {
        Diagnostic::new(format!("the fit to the embedded table failed: {error}"))
    })?;
    Ok(fit.with_held_out(Some(provenance()?.held_out.leave_model), None))
}
