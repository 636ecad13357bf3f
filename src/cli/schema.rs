//! `tminus schema`: JSON Schema of the files that are read and written.

use clap::{Args, ValueEnum};
use schemars::schema_for;

use crate::advise::Advice;
use crate::compare::Comparison;
use crate::diagnostic::Diagnostic;
use crate::job;
use crate::plan::{Plan, Predicted};
use crate::preset;
use crate::report::accuracy::{AccuracyPage, TableAccuracy};
use crate::report::{ApprovalReport, FitReportSummary};
use crate::reserve::Reservation;
use crate::schedule::Schedule;

use super::Failure;
use super::output::Output;

/// Flags of `tminus schema`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tminus schema > job.schema.json
  tminus schema plan | jq '.properties | keys'")]
pub(crate) struct SchemaArgs {
    /// What to describe.
    #[arg(value_name = "WHAT", default_value = "job")]
    what: Described,

    /// Write the schema to FILE instead of stdout; an existing file is replaced whole.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<std::path::PathBuf>,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Described {
    /// The job file.
    Job,
    /// A file of presets.
    Presets,
    /// What `plan --format json` prints.
    Plan,
    /// What `plan --format json` prints for a file of several jobs, and `report -o FILE.json`.
    Schedule,
    /// What `report -o FILE.json` writes for one job.
    Report,
    /// What `predict --format json` prints.
    Candidate,
    /// What `evaluate TABLE --format json` prints, and `evaluate --protocol`.
    Evaluation,
    /// What `evaluate --format json` prints.
    Accuracy,
    /// What `advise --format json` prints.
    Advice,
    /// What `compare --format json` prints.
    Compare,
    /// What `reserve --format json` prints.
    Reserve,
    /// What `fit --format json` prints.
    Fit,
}

pub(super) fn run(args: &SchemaArgs, output: &Output) -> Result<(), Failure> {
    let schema = match args.what {
        Described::Job => job::json_schema(),
        Described::Presets => preset::json_schema(),
        Described::Plan => schema_for!(Plan),
        Described::Schedule => schema_for!(Schedule),
        Described::Report => schema_for!(ApprovalReport<'static>),
        Described::Candidate => schema_for!(Predicted),
        Described::Evaluation => schema_for!(TableAccuracy),
        Described::Accuracy => schema_for!(AccuracyPage),
        Described::Advice => schema_for!(Advice),
        Described::Compare => schema_for!(Comparison),
        Described::Reserve => schema_for!(Reservation),
        Described::Fit => schema_for!(FitReportSummary<'static>),
    };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Diagnostic::new(format!("the schema has no JSON form: {error}")))?;
    output.result(&(text + "\n"))?;
    Ok(())
}
