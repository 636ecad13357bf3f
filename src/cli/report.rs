//! `tminus report`: the document that a budget is approved by.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::calendar::Moment;
use crate::diagnostic::{Diagnostic, nearest_names};
use crate::fit_file::embedded_rows;
use crate::job::{Ladder, ReserveSettings, Sourced};
use crate::measure::Measurement;
use crate::plan::PlanError;
use crate::quantity::Confidence;
use crate::report::{Approval, Csv, Grounds, Html, Json, LadderApproval, Markdown, Report};
use crate::throughput::evaluate::{Evaluation, Protocol, hold_out};

use super::args::GlobalArgs;
use super::output::Output;
use super::planned::{PlannedArgs, plan_opened};
use super::request::Opened;
use super::timing::Stopwatch;
use super::{Failure, schedule, threads};

/// Flags of `tminus report`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
The HTML is one file without scripts that opens anywhere and prints on A4. A job file that asks for
a booking in [reserve] is reported with it, one of several [[jobs]] as their schedule.

Examples:
  tminus report job.toml -o report.html
  tminus report job.toml --start 2026-12-01T09:00Z -o report.html
  tminus report job.toml --sort pareto -o report.html
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
const ENDINGS: [(&str, &dyn Report); 4] = [
    ("html", &Html),
    ("md", &Markdown),
    ("json", &Json),
    ("csv", &Csv),
];

impl ReportArgs {
    /// The file the report goes to.
    pub(super) fn output(&self) -> &Path {
        &self.output
    }

    /// The files that are read, of those that flags name.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        self.planned.inputs()
    }

    /// What the flags say of a booking.
    fn booking(&self) -> Result<ReserveSettings, Diagnostic> {
        let date = |flag: &'static str, text: Option<&String>| {
            text.map(|text| Sourced::<Moment>::parse_flag(flag, text))
                .transpose()
        };
        Ok(ReserveSettings {
            start: date("--start", self.start.as_ref())?,
            as_of: date("--as-of", self.planned.forecast.as_of.as_ref())?,
            ..ReserveSettings::default()
        })
    }
}

pub(super) fn run(
    args: &ReportArgs,
    global: &GlobalArgs,
    command: &str,
    output: &Output,
) -> Result<(), Failure> {
    let form = form(&args.output)?;
    let mut opened = args.planned.open(output)?;
    let ladder = opened.file.as_mut().and_then(|file| file.ladder.take());
    match ladder {
        Some(ladder) => several(args, ladder, &opened, (global, command), form, output),
        None => single(args, opened, (global, command), form, output),
    }
}

/// The report on one job.
fn single(
    args: &ReportArgs,
    opened: Opened,
    (global, command): (&GlobalArgs, &str),
    form: &dyn Report,
    output: &Output,
) -> Result<(), Failure> {
    let mut flags = args.planned.flags()?;
    flags.reserve = args.booking()?;
    let planned = plan_opened(opened, flags, global, output, &mut Stopwatch::start(), 1)?;
    let reservation = planned.booked(global)?;
    let (measured, accuracy) = judged(global, planned.request.confidence)?;
    let start = planned.request.reserve.start.as_ref();
    output.form(
        form,
        &Approval {
            plan: &planned.plan,
            request: &planned.request,
            reservation: reservation.as_ref(),
            start: start.map(|start| start.value.datetime()),
            measured: &measured,
            grounds: Grounds {
                command,
                fit_file: planned.fit_file.as_ref(),
                accuracy: accuracy.as_ref(),
            },
        },
    )
}

/// The report on the jobs of a file with `[[jobs]]`.
fn several(
    args: &ReportArgs,
    ladder: Ladder,
    opened: &Opened,
    (global, command): (&GlobalArgs, &str),
    form: &dyn Report,
    output: &Output,
) -> Result<(), Failure> {
    if args.start.is_some() {
        let refused = Diagnostic::new("--start is about one job, but the file holds several");
        return Err(refused
            .help("set `start` in [schedule] of the file, or `earliest` of a job")
            .into());
    }
    let fit = opened.fit()?;
    let scheduled = schedule::scheduled(&args.planned, ladder, opened, &fit, global, output)?;
    let first = scheduled.agenda.jobs.first();
    let confidence = first.map_or_else(Confidence::default, |job| job.request.confidence);
    let (_, accuracy) = judged(global, confidence)?;
    output.form(
        form,
        &LadderApproval {
            schedule: &scheduled.schedule,
            agenda: &scheduled.agenda,
            grounds: Grounds {
                command,
                fit_file: opened.fit_file(),
                accuracy: accuracy.as_ref(),
            },
        },
    )
}

/// The embedded rows, and how well they are predicted without their own model.
fn judged(
    global: &GlobalArgs,
    confidence: Confidence,
) -> Result<(Vec<Measurement>, Option<Evaluation>), Failure> {
    let rows = embedded_rows()?;
    let accuracy = threads::pool(global.threads)?
        .install(|| hold_out(&rows, Protocol::LeaveModel, confidence))
        .map_err(PlanError::from)?;
    Ok((rows, accuracy))
}

/// The form that a file's ending chooses.
fn form(path: &Path) -> Result<&'static dyn Report, Diagnostic> {
    let written = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    if let Some((_, form)) = ENDINGS.into_iter().find(|(ending, _)| *ending == written) {
        return Ok(form);
    }
    let refused = Diagnostic::new(format!(
        "`{}` has no ending that a report can be written as",
        path.display()
    ))
    .help("end the file's name with .html, .md, .json or .csv");
    Err(
        match nearest_names(&written, ENDINGS.map(|(ending, _)| ending)).first() {
            Some(near) => refused.help(format!(
                "did you mean `{}`?",
                path.with_extension(near).display()
            )),
            None => refused,
        },
    )
}
