//! `tminus evaluate`: predictions against measured rows.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::fit_file::{FitFile, embedded_fit, embedded_rows, is_copy};
use crate::measure::{Measurement, is_usual};
use crate::plan::FitReport;
use crate::preset::Catalog;
use crate::quantity::Confidence;
use crate::report::accuracy::{self, AccuracyPage, TableAccuracy};
use crate::throughput::evaluate::{Evaluation, Protocol, evaluate, hold_out, hold_out_with};
use crate::throughput::{Fit, FitError, Hypothesis, doubts};

use super::args::{ConfidenceArgs, FitArgs, GlobalArgs, OutputArgs, paths};
use super::catalog::catalog_with;
use super::output::Output;
use super::tables::{Tables, read_tables};
use super::{Failure, fit_source, live, threads};

/// Flags of `tminus evaluate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Without TABLE, rows of the embedded table are held out, and predicted by fits made without them.
With --fit, that is done with the rows of the fit file.
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
    fit: FitArgs,

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

    /// The files that are read, of those that flags name.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        let files = self.tables.iter().chain(&self.presets);
        paths(files.chain(&self.fit.fit))
    }
}

pub(super) fn run(
    args: &EvaluateArgs,
    global: &GlobalArgs,
    output: &Output,
) -> Result<(), Failure> {
    threads::pool(global.threads)?.install(|| {
        if args.tables.is_empty() {
            held_out(args, global.quiet, output)
        } else {
            against_tables(args, global.quiet, output)
        }
    })
}

/// What is being done.
const JUDGING: &str = "predicting measured rows";

/// A fit and the rows it was made from.
struct Judged {
    fit: Fit,
    file: Option<FitFile>,
    embedded: Vec<Measurement>,
}

impl Judged {
    fn load(args: &FitArgs) -> Result<Self, Diagnostic> {
        let file = args.fit.as_deref().map(fit_source::read).transpose()?;
        Ok(Self {
            fit: match &file {
                Some(file) => file.fit().clone(),
                None => embedded_fit()?,
            },
            file,
            embedded: embedded_rows()?,
        })
    }

    /// Every row it was made from.
    fn seen(&self) -> Vec<&Measurement> {
        let own = self.file.iter().flat_map(FitFile::rows);
        let alone = self.file.as_ref().is_some_and(FitFile::is_alone);
        let embedded = self.embedded.iter().filter(|_| !alone);
        own.chain(embedded).collect()
    }
}

/// The rows of the tables against the fit.
fn against_tables(args: &EvaluateArgs, quiet: bool, output: &Output) -> Result<(), Failure> {
    let judged = Judged::load(&args.fit)?;
    let catalog = catalog_with(Catalog::embedded(), &args.presets)?;
    let catalog = fit_source::known_to(catalog, judged.file.as_ref());
    let confidence = args.confidence.confidence.unwrap_or_default();
    let (evaluation, notes) = live::shown(quiet, JUDGING, || {
        let Tables {
            rows, mut notes, ..
        } = read_tables(&args.tables, &catalog, &judged.fit)?;
        let seen = judged.seen();
        notes.extend(in_sample_note(&rows, &seen, args.fit.fit.as_deref()));
        notes.extend(silences(&judged.fit, &rows));
        if judged.file.is_none() {
            notes.splice(0..0, looks_otherwise(&judged.fit, &rows, &seen));
        }
        let evaluation = evaluate(&judged.fit, &rows, confidence).ok_or_else(no_rows)?;
        Ok::<_, Diagnostic>((evaluation, notes))
    })?;
    let answer = TableAccuracy::new(FitReport::new(&judged.fit), evaluation, notes);
    output.report(args.output.format(), &answer)
}

/// Where a user's own rows have no say, and for how many rows.
fn silences(fit: &Fit, rows: &[Measurement]) -> Vec<String> {
    let mut told: Vec<(String, usize)> = Vec::new();
    for text in rows.iter().filter_map(|row| fit.silence(&row.setting())) {
        match told.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => told.push((text, 1)),
        }
    }
    let all = rows.len();
    let told = told.into_iter();
    told.map(|(text, count)| format!("{text} ({count} of {all} rows)"))
        .collect()
}

/// How many rows the fit has seen: their errors say little about rows it has not.
fn in_sample_note(
    rows: &[Measurement],
    seen: &[&Measurement],
    fit: Option<&Path>,
) -> Option<String> {
    let known = |row: &&Measurement| seen.iter().any(|other| is_copy(row, other));
    let count = rows.iter().filter(known).count();
    let command = match fit {
        Some(file) => format!("`tminus evaluate --fit {}`", file.display()),
        None => "`tminus evaluate` without TABLE".to_owned(),
    };
    (count > 0).then(|| {
        format!(
            "{count} of {} rows are among those the fit was made from: their errors are in-sample, \
             and {command} shows how rows it has not seen fare",
            rows.len()
        )
    })
}

/// Share of rows inside their intervals below which it is asked why.
const FEW: f64 = 0.8;

/// That rows which name no stack are of another than the one they are taken as, where a fit to them
/// would find so: what `tminus fit` says of them.
fn looks_otherwise(fit: &Fit, rows: &[Measurement], seen: &[&Measurement]) -> Option<String> {
    let is_new = |row: &Measurement| !seen.iter().any(|other| is_copy(row, other));
    let assumed = |row: &Measurement| {
        !row.stack_told && is_usual(&row.cluster, &row.stack) && row.stack.later().is_some()
    };
    let untold = rows.iter().filter(|row| assumed(row) && is_new(row));
    let untold: Vec<Measurement> = untold.cloned().collect();
    let stack = &untold.first()?.stack.name;
    let inside = untold.iter().filter(|row| {
        let confidence = Confidence::default();
        let prediction = fit.predict(&row.setting(), &row.configuration, confidence);
        prediction.throughput_tok_s.contains(row.throughput_tok_s)
    });
    if inside.count() as f64 > FEW * untold.len() as f64 {
        return None;
    }
    let fitted = fit.on_top("", &untold).ok()?;
    let found = |hypothesis: &Hypothesis| *hypothesis != Hypothesis::Same;
    let differ = || {
        fitted
            .layers()
            .filter_map(|layer| layer.hypothesis)
            .filter(found)
    };
    differ().next()?;
    let look = if differ().any(|hypothesis| hypothesis == Hypothesis::Later) {
        "look like later software than"
    } else if doubts(fit, rows).is_empty() {
        "don't look like those of"
    } else {
        return None; // What is doubted of them may be why.
    };
    Some(format!(
        "{} of {} rows name no stack and {look} `{stack}`, which they are taken as: a `stack` column tells \
         theirs (`bf16-gather`, where parameters are gathered in bf16), and `tminus fit` learns how fast it is",
        untold.len(),
        rows.len()
    ))
}

/// Protocols on the embedded table, or on the rows of a fit file.
fn held_out(args: &EvaluateArgs, quiet: bool, output: &Output) -> Result<(), Failure> {
    let judged = Judged::load(&args.fit)?;
    let file = judged.file.as_ref();
    let confidence = args.confidence.confidence.unwrap_or_default();
    let base = embedded_fit()?;
    let evaluated = |protocol: Protocol| -> Result<Evaluation, Diagnostic> {
        let evaluation = match file {
            None => hold_out(&judged.embedded, protocol, confidence),
            Some(file) => hold_out_with(file.rows(), protocol, confidence, &|kept| {
                file.refit(&base, kept)
            }),
        };
        evaluation
            .map_err(|error| fit_failed(protocol, &error))?
            .ok_or_else(no_rows)
    };
    let fit = FitReport::new(&judged.fit);
    let at_once = |protocol: Protocol| file.and_then(|file| AtOnce::of(file, protocol));
    if let Some(protocol) = args.protocol.map(Protocol::from) {
        let at_once = at_once(protocol);
        if let Some(at_once) = at_once.filter(AtOnce::leaves_nothing) {
            return Err(at_once.refusal().into());
        }
        let evaluation = live::shown(quiet, JUDGING, || evaluated(protocol))?;
        let notes = at_once.map(|at_once| at_once.note()).into_iter().collect();
        let answer = TableAccuracy::new(fit, evaluation, notes);
        return output.report(args.output.format(), &answer);
    }
    let at_once: Vec<AtOnce> = Protocol::ALL.into_iter().filter_map(at_once).collect();
    let is_left = |protocol: &Protocol| {
        let mut at_once = at_once.iter().filter(|of| of.leaves_nothing());
        !at_once.any(|of| of.protocol == *protocol)
    };
    let left: Vec<Protocol> = Protocol::ALL.into_iter().filter(is_left).collect();
    let protocols: Vec<Evaluation> = live::shown(quiet, JUDGING, || {
        let protocols = left.into_par_iter().map(evaluated);
        protocols.collect::<Result<_, Diagnostic>>()
    })?;
    let headlines = if file.is_some() {
        protocols.iter().filter_map(accuracy::all).collect()
    } else {
        protocols.iter().flat_map(accuracy::embedded).collect()
    };
    let notes = at_once.iter().map(AtOnce::note).collect();
    let answer = AccuracyPage::new(fit, headlines, protocols, notes);
    output.report(args.output.format(), &answer)
}

/// A protocol that holds out every row of a fit at once.
#[derive(Clone, Copy)]
struct AtOnce<'a> {
    protocol: Protocol,
    file: &'a FitFile,
}

impl<'a> AtOnce<'a> {
    fn of(file: &'a FitFile, protocol: Protocol) -> Option<Self> {
        let first = protocol.group(file.rows().first()?);
        let one = file.rows().iter().all(|row| protocol.group(row) == first);
        (one && protocol != Protocol::InSample).then_some(Self { protocol, file })
    }

    /// Whether nothing is left to fit to: on top of the embedded tables, these are.
    fn leaves_nothing(&self) -> bool {
        self.file.is_alone()
    }

    fn note(&self) -> String {
        let (protocol, name) = (self.protocol, self.file.fit().name());
        let so = if self.leaves_nothing() {
            "and without them nothing is left to fit to, so that this is left out"
        } else {
            "so that what is judged is the embedded fit"
        };
        format!("{protocol}: all rows of `{name}` are held out at once, {so}")
    }

    /// That it was asked for alone.
    fn refusal(&self) -> Diagnostic {
        Diagnostic::new(format!(
            "{}: all rows of `{}` are held out at once, and without them nothing is left to fit to",
            self.protocol,
            self.file.fit().name()
        ))
        .help(
            "without `--protocol`, all that can be held out are; a fit on top of the embedded tables, made \
             without `--alone`, can be judged so too",
        )
    }
}

fn fit_failed(protocol: Protocol, error: &FitError) -> Diagnostic {
    Diagnostic::new(format!(
        "{protocol}: a fit without some rows failed: {error}"
    ))
}

fn no_rows() -> Diagnostic {
    Diagnostic::new("there is no measured row to judge")
}
