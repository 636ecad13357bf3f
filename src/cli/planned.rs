//! A job, planned: what `plan`, `report` and `launch` start from.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::Diagnostic;
use crate::fit_file::FitFile;
use crate::hardware::Cluster;
use crate::job::{MAX_TOP, Request, Settings, Sourced};
use crate::plan::{Plan, Planner};
use crate::preset::Catalog;
use crate::reserve::{Ask, Named, Reservation, reserve};
use crate::throughput::Fit;

use super::args::{
    ConfidenceArgs, FitArgs, ForecastArgs, GlobalArgs, JobArgs, RankingArgs, paths, whole,
};
use super::output::Output;
use super::request::Opened;
use super::timing::Stopwatch;
use super::{Failure, live, request, threads};

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

    /// How many configurations to show [default: 10].
    #[arg(long, value_name = "N", help_heading = "Ranking")]
    #[arg(allow_hyphen_values = true, value_parser = whole(1, MAX_TOP))]
    top: Option<u64>,

    #[command(flatten)]
    pub(super) forecast: ForecastArgs,

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
    /// The fit that predictions rest on.
    pub(super) fit: Fit,
    /// The presets of all files together.
    pub(super) catalog: Catalog,
}

impl Planned {
    /// The bookings for a job that asks for one.
    pub(super) fn booked(&self, global: &GlobalArgs) -> Result<Option<Reservation>, Failure> {
        if !self.request.reserve.has_goal() {
            return Ok(None);
        }
        let ask = Ask::new(&self.request, &self.catalog, Named::ByKey)?;
        let alternatives: Vec<Cluster> = self.catalog.clusters().cloned().collect();
        let planner = Planner::new(&self.fit).alternatives(&alternatives);
        let pool = threads::pool(global.threads)?;
        let found = pool.install(|| reserve(&planner, &self.request, &ask))?;
        Ok(Some(found))
    }
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
        let opened = self.open(output)?;
        plan_opened(opened, self.flags()?, global, output, stopwatch, least)
    }

    /// The files that are read, of those that flags name.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        let files = self.job_file.iter().chain(&self.job.presets);
        paths(files.chain(&self.fit.fit))
    }

    /// Reads the job file and the preset files, none of which `output` may take the place of.
    pub(super) fn open(&self, output: &Output) -> Result<Opened, Diagnostic> {
        request::open(self.job_file.as_deref(), &self.job.presets, &self.fit)?.kept(output)
    }

    /// What the flags set.
    ///
    /// # Errors
    /// A flag whose value can't be used.
    pub(super) fn flags(&self) -> Result<Settings, Diagnostic> {
        let flags = request::settings(&self.job, Some(&self.ranking), &self.confidence);
        let flags = Settings {
            top: self.top.map(|top| Sourced::flag("--top", top)),
            ..flags
        };
        request::with_forecast(flags, &self.forecast)
    }
}

/// Plans a job that was read, with what the flags set, as [`PlannedArgs::plan`] does.
pub(super) fn plan_opened(
    opened: Opened,
    flags: Settings,
    global: &GlobalArgs,
    output: &Output,
    stopwatch: &mut Stopwatch,
    least: usize,
) -> Result<Planned, Failure> {
    let mut loaded = opened.single(flags)?;
    loaded.request.top = loaded.request.top.max(least);
    stopwatch.lap("presets and job");
    let fit_file = loaded.fit_file().cloned();
    let fit = loaded.fit()?;
    stopwatch.lap("fit");
    let alternatives: Vec<Cluster> = loaded.catalog.clusters().cloned().collect();
    let planner = Planner::new(&fit).alternatives(&alternatives);
    let pool = threads::pool(global.threads)?;
    let plan = live::watched(global.quiet, &live::SEARCHING, |watch| {
        pool.install(|| planner.plan_watched(&loaded.request, watch))
    })?;
    stopwatch.lap("search");
    if plan.partial {
        output.note("the search was ended early: the plan is partial");
    }
    Ok(Planned {
        plan,
        request: loaded.request,
        catalog: loaded.catalog,
        fit_file,
        fit,
    })
}
