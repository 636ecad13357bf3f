//! Why a command has no result, and what a plan that failed suggests.

use crate::diagnostic::Diagnostic;
use crate::plan::PlanError;

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Bad usage or input, or a result that couldn't be written: exit status 2.
    Refused(Diagnostic),
    /// Nothing is feasible: exit status 1.
    Infeasible(Diagnostic),
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Refused(diagnostic)
    }
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
                    .help("name one value (a flag goes before the job file), or leave it out to have it chosen")
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
