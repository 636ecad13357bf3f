//! `tminus plan`: launch configurations, ranked.

use std::path::Path;

use clap::Args;

use crate::report::Ranking;

use super::args::{GlobalArgs, OutputArgs};
use super::output::Output;
use super::planned::{PlannedArgs, plan_opened};
use super::timing::Stopwatch;
use super::{Failure, schedule};

/// Flags of `tminus plan`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tminus plan --model gpt-7b --tokens 134B --cluster r7z2 --cluster r1z1
  tminus plan --model llama-3-8b --tokens 20x --cluster p4de.24xlarge --sort cost
  tminus plan --model gpt-1b --gpus 8..64 --micro-batch 1..32:1 --checkpointing on
  tminus plan job.toml --top 3 --format json -o plan.json
  tminus plan ladder.toml       several [[jobs]] on one calendar

Exit status: 0 a plan; 1 nothing fits, with the smallest change that would; 2 bad input.")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    planned: PlannedArgs,

    #[command(flatten)]
    output: OutputArgs,

    /// Say on stderr what took how long.
    #[arg(long, help_heading = "General")]
    timing: bool,
}

impl PlanArgs {
    /// The file the plan goes to.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output.output.as_deref()
    }

    /// The files that are read, of those that flags name.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        self.planned.inputs()
    }
}

pub(super) fn run(args: &PlanArgs, global: &GlobalArgs, output: &Output) -> Result<(), Failure> {
    let mut stopwatch = Stopwatch::start();
    let mut opened = args.planned.open(output)?;
    let ladder = opened.file.as_mut().and_then(|file| file.ladder.take());
    if let Some(ladder) = ladder {
        let shown = (args.output.format(), args.timing);
        return schedule::run(&args.planned, ladder, &opened, shown, global, output);
    }
    let flags = args.planned.flags()?;
    let planned = plan_opened(opened, flags, global, output, &mut stopwatch, 1)?;
    output.report(
        args.output.format(),
        &Ranking {
            plan: &planned.plan,
            request: &planned.request,
        },
    )?;
    stopwatch.lap("report");
    if args.timing {
        stopwatch.show(output);
    }
    Ok(())
}
