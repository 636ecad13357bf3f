//! A job, planned: what `plan`, `report` and `launch` start from.

use std::path::PathBuf;

use clap::Args;

use crate::hardware::Cluster;
use crate::job::Request;
use crate::plan::{Plan, Planner};

use super::args::{ConfidenceArgs, GlobalArgs, JobArgs, RankingArgs};
use super::{Failure, fit, request};

/// The job and how its configurations are ranked.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct PlannedArgs {
    /// Job file (`tminus init` prints one); flags override it, `-` is stdin.
    #[arg(value_name = "JOB.toml")]
    pub(super) job_file: Option<PathBuf>,

    #[command(flatten)]
    pub(super) job: JobArgs,

    #[command(flatten)]
    pub(super) ranking: RankingArgs,

    #[command(flatten)]
    pub(super) confidence: ConfidenceArgs,
}

/// A plan, with the request it answers.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) request: Request,
}

impl PlannedArgs {
    /// Reads the job and plans it, with at least `least` candidates where there are as many.
    pub(super) fn plan(&self, global: &GlobalArgs, least: usize) -> Result<Planned, Failure> {
        let flags = request::settings(&self.job, Some(&self.ranking), &self.confidence);
        let (mut request, catalog) =
            request::load(self.job_file.as_deref(), flags, &self.job.presets)?;
        request.top = request.top.max(least);
        let fit = fit::embedded_fit()?;
        let alternatives: Vec<Cluster> = catalog.clusters().cloned().collect();
        let planner = Planner::new(&fit).alternatives(&alternatives);
        let plan = fit::pool(global.threads)?.install(|| planner.plan(&request))?;
        Ok(Planned { plan, request })
    }
}
