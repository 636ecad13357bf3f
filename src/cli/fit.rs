//! The fit that predictions rest on, the threads that do the work, and what a failed plan says.

use std::path::Path;

use rayon::ThreadPool;

use crate::diagnostic::Diagnostic;
use crate::fit_file::{FitFile, embedded_fit};
use crate::measure::is_apart;
use crate::plan::PlanError;
use crate::preset::Catalog;
use crate::throughput::Fit;

use super::Failure;
use super::input::read_text_or;

/// The fit a user asked for, or else the embedded one.
///
/// # Errors
/// An embedded table that can't be fitted.
pub(super) fn of(file: Option<&FitFile>) -> Result<Fit, Diagnostic> {
    match file {
        Some(file) => Ok(file.fit().clone()),
        None => embedded_fit(),
    }
}

/// The catalog with the stacks and clusters that the rows of a fit were measured on.
pub(super) fn known_to(catalog: Catalog, file: Option<&FitFile>) -> Catalog {
    let rows = file.map_or(&[][..], FitFile::rows).iter();
    catalog.with_measured(rows.map(|row| {
        (
            row.cluster.as_ref(),
            row.stack.as_ref(),
            !is_apart(&row.stack),
        )
    }))
}

/// Reads a fit file.
///
/// # Errors
/// A fit file that can't be read or used.
pub(super) fn read(file: &Path) -> Result<FitFile, Diagnostic> {
    let origin = read_text_or(file, "`tminus fit TABLE… -o FILE` makes a fit file")?;
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
            PlanError::NoPrice { why, .. } => Self::Refused(
                why.into_iter()
                    .fold(diagnostic, Diagnostic::help)
                    .help("`--sort gpu-hours` ranks as any one price would, `--sort time` without"),
            ),
            PlanError::NotSingle { .. } => Self::Refused(
                diagnostic
                    .help("name one value, or leave it out to have it chosen")
                    .help("`tminus plan` compares several"),
            ),
            PlanError::ClusterSize { .. } => Self::Refused(
                diagnostic.help("`tminus presets clusters` lists the clusters with their sizes"),
            ),
            PlanError::NoNodeLeft { nodes, .. } => Self::Refused(match nodes.saturating_sub(1) {
                0 => diagnostic.help("keep none: `--spares none`"),
                most => diagnostic.help(format!("keep fewer: `--spares {most}` at most")),
            }),
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
