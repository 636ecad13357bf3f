//! `tminus report`: the document that a budget is approved by.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::calendar::Moment;
use crate::diagnostic::{Diagnostic, nearest_names};
use crate::fit_file::embedded_rows;
use crate::job::Sourced;
use crate::plan::PlanError;
use crate::report::{Answer, Approval, Csv, Json, Markdown, Report};
use crate::throughput::evaluate::{Protocol, hold_out};

use super::args::GlobalArgs;
use super::output::Output;
use super::planned::PlannedArgs;
use super::timing::Stopwatch;
use super::{Failure, fit};

/// Flags of `tminus report`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
The HTML is one file without scripts that opens anywhere and prints on A4.

Examples:
  tminus report job.toml -o report.html
  tminus report job.toml --start 2026-12-01T09:00Z -o report.html
  tminus report --model gpt-7b --tokens 134B --cluster r1z1 -o report.md")]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    planned: PlannedArgs,

    /// When the booking starts: `2026-12-01` or `2026-12-01T09:00Z`; the job file's
    /// `[reserve] start` unless given.
    #[arg(long, value_name = "DATE", help_heading = "Job")]
    start: Option<String>,

    /// File to write; its ending chooses the form: .html, .md, .json or .csv.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: PathBuf,
}

/// Forms of a report by the file's ending.
const ENDINGS: [&str; 4] = ["html", "md", "json", "csv"];

impl ReportArgs {
    /// The file the report goes to.
    pub(super) fn output(&self) -> &Path {
        &self.output
    }
}

pub(super) fn run(
    args: &ReportArgs,
    global: &GlobalArgs,
    command: &str,
    output: &Output,
) -> Result<(), Failure> {
    let ending = ending(&args.output)?;
    let planned = args
        .planned
        .plan(global, output, &mut Stopwatch::start(), 1)?;
    let start = match &args.start {
        Some(text) => Some(Sourced::<Moment>::parse_flag("--start", text)?),
        None => planned.request.reserve.start.clone(),
    };
    let rows = embedded_rows()?;
    let confidence = planned.request.confidence;
    let accuracy = fit::pool(global.threads)?
        .install(|| hold_out(&rows, Protocol::LeaveModel, confidence))
        .map_err(PlanError::from)?;
    let approval = Approval {
        plan: &planned.plan,
        request: &planned.request,
        start: start.map(|start| start.value.datetime()),
        command,
        measured: &rows,
        fit_file: planned.fit_file.as_ref(),
        accuracy: accuracy.as_ref(),
    };
    output.result(&text(ending, &approval)?)?;
    Ok(())
}

fn text(ending: &str, approval: &Approval<'_>) -> Result<String, Diagnostic> {
    let answer: &dyn Answer = approval;
    match ending {
        "md" => Markdown.render(answer),
        "json" => Json.render(answer),
        "csv" => Csv.render(answer),
        _ => approval.html(),
    }
    .map_err(|error| Diagnostic::new(error.to_string()))
}

fn ending(path: &Path) -> Result<&'static str, Diagnostic> {
    let written = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    if let Some(known) = ENDINGS.into_iter().find(|ending| *ending == written) {
        return Ok(known);
    }
    let refused = Diagnostic::new(format!(
        "`{}` has no ending that a report can be written as",
        path.display()
    ))
    .help("end the file's name with .html, .md, .json or .csv");
    Err(match nearest_names(&written, ENDINGS).first() {
        Some(near) => refused.help(format!(
            "did you mean `{}`?",
            path.with_extension(near).display()
        )),
        None => refused,
    })
}
