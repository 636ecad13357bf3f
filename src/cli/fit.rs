//! The fit that predictions rest on, the threads that do the work, and what a failed plan says.

use std::path::Path;

use rayon::ThreadPool;

use crate::diagnostic::Diagnostic;
use crate::fit_file::{FitFile, embedded_fit};
use crate::plan::PlanError;
use crate::throughput::Fit;

use super::Failure;
use super::input::read_text;

/// The fit a user asked for, or else the embedded one.
///
/// # Errors
/// A fit file that can't be read or used.
pub(super) fn chosen(file: Option<&Path>) -> Result<Fit, Diagnostic> {
    match file {
        Some(file) => Ok(read(file)?.fit().clone()),
        None => embedded_fit(),
    }
}

/// Reads a fit file.
///
/// # Errors
/// As [`chosen`].
pub(super) fn read(file: &Path) -> Result<FitFile, Diagnostic> {
    let origin = read_text(file)?;
    FitFile::from_toml(&origin.name, &origin.text)
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
            PlanError::BatchTooLarge { .. } => Self::Refused(
                diagnostic.help("choose a smaller micro-batch or fewer accumulations"),
            ),
            PlanError::Space(_) => Self::Refused(
                diagnostic.help("`8..128` doubles from 8 to 128; `8..128:8` takes every eighth"),
            ),
            _ => Self::Refused(diagnostic),
        }
    }
}
