//! A job, planned: what `plan`, `report` and `launch` start from.

use std::path::PathBuf;

use clap::Args;

use crate::fit_file::{FitFile, embedded_fit};
use crate::hardware::Cluster;
use crate::job::Request;
use crate::plan::{Plan, Planner};

use super::args::{ConfidenceArgs, FitArgs, GlobalArgs, JobArgs, RankingArgs};
use super::output::Output;
use super::timing::Stopwatch;
use super::{Failure, fit, live, request};

/// The job and how its configurations are ranked.
#[derive(Debug, Clone, Args)]
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

    #[command(flatten)]
    pub(super) fit: FitArgs,
}

/// A plan, with the request it answers.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) request: Request,
    /// The user's own fit, where they named one.
    pub(super) fit_file: Option<FitFile>,
}

impl PlannedArgs {
    /// Reads the job and plans it, with at least `least` candidates where there are as many.
    pub(super) fn plan(
        &self,
        global: &GlobalArgs,
        output: &Output,
        stopwatch: &mut Stopwatch,
        least: usize,
    ) -> Result<Planned, Failure> {
        let flags = request::settings(&self.job, Some(&self.ranking), &self.confidence);
        let job_file = self.job_file.as_deref();
        let mut loaded = request::load(job_file, flags, &self.job.presets, &self.fit)?;
        loaded.request.top = loaded.request.top.max(least);
        stopwatch.lap("presets and job");
        let fit_file = loaded.fit_file()?;
        let fit = match &fit_file {
            Some(file) => file.fit().clone(),
            None => embedded_fit()?,
        };
        stopwatch.lap("fit");
        let alternatives: Vec<Cluster> = loaded.catalog.clusters().cloned().collect();
        let planner = Planner::new(&fit).alternatives(&alternatives);
        let pool = fit::pool(global.threads)?;
        let plan = live::watched(global.quiet, |watch| {
            pool.install(|| planner.plan_watched(&loaded.request, watch))
        })?;
        stopwatch.lap("search");
        if plan.partial {
            output.note("the search was ended early: the plan is partial");
        }
        Ok(Planned {
            plan,
            request: loaded.request,
            fit_file,
        })
    }
}
