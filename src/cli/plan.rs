//! `tminus plan`: launch configurations, ranked.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::hardware::Cluster;
use crate::plan::Planner;
use crate::report::Ranking;

use super::args::{ConfidenceArgs, FitArgs, GlobalArgs, JobArgs, OutputArgs, RankingArgs};
use super::output::Output;
use super::timing::Stopwatch;
use super::{Failure, fit, live, request};

/// Flags of `tminus plan`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tminus plan --model gpt-7b --tokens 134B --cluster r7z2 --cluster r1z1
  tminus plan --model llama-3-8b --tokens 20x --cluster p4de.24xlarge --sort cost
  tminus plan --model gpt-1b --gpus 8..64 --micro-batch 1..32:1 --checkpointing on
  tminus plan job.toml --top 3 --format json -o plan.json

Exit status: 0 a plan; 1 nothing fits, with the smallest change that would; 2 bad input.")]
pub(crate) struct PlanArgs {
    /// Job file (`tminus init` prints one); flags override it, `-` is stdin.
    #[arg(value_name = "JOB.toml")]
    job_file: Option<PathBuf>,

    #[command(flatten)]
    job: JobArgs,

    #[command(flatten)]
    ranking: RankingArgs,

    #[command(flatten)]
    confidence: ConfidenceArgs,

    #[command(flatten)]
    fit: FitArgs,

    #[command(flatten)]
    output: OutputArgs,
}

impl PlanArgs {
    /// The file the plan goes to.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output.output.as_deref()
    }
}

pub(super) fn run(args: &PlanArgs, global: &GlobalArgs, output: &Output) -> Result<(), Failure> {
    let mut stopwatch = Stopwatch::start();
    let flags = request::settings(&args.job, Some(&args.ranking), &args.confidence);
    let job_file = args.job_file.as_deref();
    let loaded = request::load(job_file, flags, &args.job.presets, &args.fit)?;
    stopwatch.lap("presets and job");
    let (request, fit) = (&loaded.request, loaded.fit()?);
    stopwatch.lap("fit");
    let alternatives: Vec<Cluster> = loaded.catalog.clusters().cloned().collect();
    let planner = Planner::new(&fit).alternatives(&alternatives);
    let pool = fit::pool(global.threads)?;
    let plan = live::watched(global.quiet, |watch| {
        pool.install(|| planner.plan_watched(request, watch))
    })?;
    stopwatch.lap("search");
    if plan.partial {
        output.note("the search was ended early: the plan is partial");
    }
    output.report(
        args.output.format,
        &Ranking {
            plan: &plan,
            request,
        },
    )?;
    stopwatch.lap("report");
    if global.timing {
        stopwatch.show(output);
    }
    Ok(())
}
