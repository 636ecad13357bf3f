//! The fit that predictions rest on, the threads that do the work, and what a failed plan says.

use rayon::ThreadPool;

use crate::diagnostic::Diagnostic;
use crate::measure::{self, MOSAICGPT_2023, Measurement};
use crate::plan::PlanError;
use crate::preset::Catalog;
use crate::throughput::Fit;

use super::Failure;

/// Name of the embedded table, as provenance.
pub(super) const EMBEDDED: &str = "mosaicgpt-2023";

/// The rows of the embedded table. Their names are those of the embedded presets: what a user's
/// file overrides must not change what was measured.
pub(super) fn embedded_rows() -> Result<Vec<Measurement>, Diagnostic> {
    let name = format!("{EMBEDDED}.csv");
    Ok(measure::read(&name, MOSAICGPT_2023, &Catalog::embedded())?.rows)
}

/// Fits to the embedded table.
///
/// # Errors
/// When the fit stalls or is ill-conditioned: there is no plan without a fit.
pub(super) fn embedded_fit() -> Result<Fit, Diagnostic> {
    Fit::new(EMBEDDED, embedded_rows()?)
        .map_err(|error| Diagnostic::new(format!("the fit to the embedded table failed: {error}")))
}

/// A pool of that many threads, one per core when none are asked for.
///
/// # Errors
/// When the system gives no threads.
pub(super) fn pool(threads: Option<u16>) -> Result<ThreadPool, Diagnostic> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.map_or(0, usize::from))
        .build()
        .map_err(|error| {
            Diagnostic::new(format!("the threads could not be started: {error}"))
                .help("ask for fewer: --threads 1")
        })
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let diagnostic = Diagnostic::new(error.to_string());
        match error {
            PlanError::NothingFeasible { remedies, .. } if remedies.is_empty() => Self::Infeasible(
                diagnostic
                    .help("no single change was found that would fit; try a larger GPU or cluster")
                    .help("`tminus presets clusters` lists the known ones"),
            ),
            PlanError::NothingFeasible { remedies, .. } => {
                Self::Infeasible(remedies.iter().fold(diagnostic, |diagnostic, remedy| {
                    diagnostic.help(format!("{}: {}", remedy.change, remedy.configuration))
                }))
            }
            PlanError::NotSingle { .. } => Self::Refused(
                diagnostic
                    .help("name one value, or leave it out to have it chosen")
                    .help("`tminus plan` compares several"),
            ),
            PlanError::ClusterSize { .. } => Self::Refused(
                diagnostic.help("`tminus presets clusters` lists the clusters with their sizes"),
            ),
            PlanError::Space(_) => Self::Refused(
                diagnostic.help("`8..128` doubles from 8 to 128; `8..128:8` takes every eighth"),
            ),
            _ => Self::Refused(diagnostic),
        }
    }
}
