//! `tminus evaluate`: predictions against measured rows.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::measure::{self, Measurement};
use crate::plan::FitReport;
use crate::preset::Catalog;
use crate::report::accuracy::{self, AccuracyPage, TableAccuracy};
use crate::throughput::FitError;
use crate::throughput::evaluate::{Evaluation, Protocol, evaluate, hold_out};

use super::args::{ConfidenceArgs, Format, GlobalArgs, OutputArgs};
use super::input::read_text;
use super::output::Output;
use super::{Failure, catalog_with, fit};

/// Flags of `tminus evaluate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Without TABLE, rows of the embedded table are held out, and predicted by fits made without them.
With TABLE, its rows are predicted as they are; those that the fit has seen are counted.

Examples:
  tminus evaluate                                   how accurate the predictions are
  tminus evaluate --protocol leave-model --format json
  tminus evaluate mine.csv README.md                against your own measurements")]
pub(crate) struct EvaluateArgs {
    /// Measured tables, CSV or Markdown; `-` is stdin.
    #[arg(value_name = "TABLE")]
    tables: Vec<PathBuf>,

    /// Which rows are held out; every protocol when left out.
    #[arg(long, value_name = "PROTOCOL", conflicts_with = "tables")]
    protocol: Option<HeldOut>,

    /// File with your own models, GPUs, clusters or stacks; repeatable.
    #[arg(long, value_name = "FILE")]
    presets: Vec<PathBuf>,

    #[command(flatten)]
    confidence: ConfidenceArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Which rows are held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HeldOut {
    /// None: every row is predicted by the fit that has seen it.
    InSample,
    /// Each model in turn.
    LeaveModel,
    /// Each sequence length in turn.
    LeaveSeq,
    /// Each GPU count in turn.
    LeaveGpus,
}

impl From<HeldOut> for Protocol {
    fn from(held_out: HeldOut) -> Self {
        match held_out {
            HeldOut::InSample => Self::InSample,
            HeldOut::LeaveModel => Self::LeaveModel,
            HeldOut::LeaveSeq => Self::LeaveSeq,
            HeldOut::LeaveGpus => Self::LeaveGpus,
        }
    }
}

impl EvaluateArgs {
    /// The file the evaluation goes to.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output.output.as_deref()
    }
}

pub(super) fn run(
    args: &EvaluateArgs,
    global: &GlobalArgs,
    output: &Output,
) -> Result<(), Failure> {
    fit::pool(global.threads)?.install(|| {
        if args.tables.is_empty() {
            held_out(args, output)
        } else {
            against_tables(args, output)
        }
    })
}

/// The rows of the tables against the fit.
fn against_tables(args: &EvaluateArgs, output: &Output) -> Result<(), Failure> {
    let catalog = catalog_with(Catalog::embedded(), &args.presets)?;
    let (rows, mut notes) = read_tables(&args.tables, &catalog)?;
    let fit = fit::embedded_fit()?;
    let seen = fit::embedded_rows()?;
    notes.extend(in_sample_note(&rows, &seen));
    let confidence = args.confidence.confidence.unwrap_or_default();
    let Some(evaluation) = evaluate(&fit, &rows, confidence) else {
        return Err(no_rows().into());
    };
    if args.output.format == Format::Csv {
        notes.iter().for_each(|note| output.note(note));
    }
    let answer = TableAccuracy::new(FitReport::new(&fit), evaluation, notes);
    output.report(args.output.format, &answer)
}

/// The rows of all files, one after the other, and what is to be said about them.
pub(super) fn read_tables(
    files: &[PathBuf],
    catalog: &Catalog,
) -> Result<(Vec<Measurement>, Vec<String>), Diagnostic> {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for file in files {
        let origin = read_text(file)?;
        let table = measure::read(&origin.name, &origin.text, catalog)?;
        let named = |note: String| {
            if files.len() > 1 {
                format!("{}: {note}", origin.name)
            } else {
                note
            }
        };
        notes.extend(table.notes.into_iter().map(named));
        rows.extend(table.rows);
    }
    Ok((rows, notes))
}

/// How many rows the fit has seen: their errors say little about rows it has not.
fn in_sample_note(rows: &[Measurement], seen: &[Measurement]) -> Option<String> {
    let known = |row: &&Measurement| seen.iter().any(|other| same_run(row, other));
    let count = rows.iter().filter(known).count();
    (count > 0).then(|| {
        format!(
            "{count} of {} rows are among those the fit was made from: their errors are in-sample, \
             and `tminus evaluate` without TABLE shows how rows it has not seen fare",
            rows.len()
        )
    })
}

/// Whether two rows are the same run: the same configuration at the same speed, as printed.
fn same_run(a: &Measurement, b: &Measurement) -> bool {
    a.configuration == b.configuration
        && (a.throughput_tok_s / b.throughput_tok_s - 1.0).abs() < 1e-5
        && a.shape == b.shape
        && a.cluster.gpu.name == b.cluster.gpu.name
        && a.stack.name == b.stack.name
}

/// Protocols on the embedded table.
fn held_out(args: &EvaluateArgs, output: &Output) -> Result<(), Failure> {
    let rows = fit::embedded_rows()?;
    let confidence = args.confidence.confidence.unwrap_or_default();
    let evaluated = |protocol: Protocol| -> Result<Evaluation, Diagnostic> {
        hold_out(&rows, protocol, confidence)
            .map_err(|error| fit_failed(protocol, &error))?
            .ok_or_else(no_rows)
    };
    let fit = FitReport::new(&fit::embedded_fit()?);
    if let Some(protocol) = args.protocol {
        let evaluation = evaluated(protocol.into())?;
        let answer = TableAccuracy::new(fit, evaluation, Vec::new());
        return output.report(args.output.format, &answer);
    }
    let protocols: Vec<Evaluation> = Protocol::ALL
        .into_par_iter()
        .map(evaluated)
        .collect::<Result<_, Diagnostic>>()?;
    let headlines = protocols.iter().flat_map(accuracy::embedded).collect();
    let answer = AccuracyPage::new(fit, headlines, protocols);
    output.report(args.output.format, &answer)
}

fn fit_failed(protocol: Protocol, error: &FitError) -> Diagnostic {
    Diagnostic::new(format!(
        "{protocol}: a fit without some rows failed: {error}"
    ))
}

fn no_rows() -> Diagnostic {
    Diagnostic::new("there is no measured row to judge")
}
