//! `tminus compare`: a launched run against its plan.

mod described;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::calendar::Moment;
use crate::compare::{FinishError, Launched, PlanFile, PlannedRun, Rows, check_units, compare};
use crate::configuration::Setting;
use crate::diagnostic::Diagnostic;
use crate::fit_file::EMBEDDED;
use crate::measure;
use crate::preset::Catalog;
use crate::quantity::{Tokens, plural, without_separators};
use crate::report::Deviation;
use crate::throughput::Fit;

use super::Failure;
use super::args::{FitArgs, Format, whole};
use super::input::read_text;
use super::output::Output;
use super::tables::read_table;
use described::{check_size, describe};

/// Flags of `tminus compare`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Says whether a run is as fast as planned, what most likely explains it when it isn't and which one
measurement would tell, when it ends and what it costs now, and the row to add for `tminus fit`.

Examples:
  tminus plan job.toml --format json -o plan.json
  tminus compare plan.json --measured 25700
  tminus compare plan.json --rank 2 --measured runs.csv -o row.csv
  tminus compare plan.json --measured 371K --done-tokens 40B --at 2026-12-06T09:00Z")]
pub(crate) struct CompareArgs {
    /// What `plan` or `predict` printed with `--format json`, or `report -o plan.json` wrote, which
    /// alone holds the booking; `-` is stdin.
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,

    /// Tokens per second of the run, all GPUs together; or a table of measured rows (CSV or
    /// Markdown), of which those of other configurations help to tell causes apart.
    #[arg(long, value_name = "TOKENS_PER_S|TABLE", allow_hyphen_values = true)]
    measured: String,

    /// Candidate that was launched, by its rank in the plan [default: what a report recommends, its
    /// booking or the knee of its front, or else 1].
    #[arg(long, value_name = "K")]
    #[arg(allow_hyphen_values = true, value_parser = whole(1_u32, 100_000))]
    rank: Option<u32>,

    /// Tokens trained so far: `40B`.
    #[arg(long, value_name = "TOKENS", allow_hyphen_values = true)]
    done_tokens: Option<Tokens>,

    /// When the run started: `2026-12-01` or `2026-12-01T09:00Z`.
    #[arg(long, value_name = "DATE")]
    start: Option<Moment>,

    /// When the tokens done were counted, so that what went by until then counts, outages too:
    /// `2026-12-06T09:00Z` [default: as long after the start as they take at the measured speed].
    #[arg(long, value_name = "DATE", requires = "done_tokens")]
    at: Option<Moment>,

    /// Job file that the plan was made from, where it describes its own model or clusters.
    #[arg(long, value_name = "JOB.toml")]
    job: Option<PathBuf>,

    /// File with your own models, GPUs, clusters, stacks or prices; repeatable.
    #[arg(long, value_name = "FILE")]
    presets: Vec<PathBuf>,

    #[command(flatten)]
    fit: FitArgs,

    /// Write the row to add for `tminus fit` to FILE, which must not be there yet.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    /// Format of what is said on stdout; `csv` is the row for `tminus fit`.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "table",
        help_heading = "Output"
    )]
    format: Format,
}

impl CompareArgs {
    /// The file the row goes to.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output.as_deref()
    }
}

/// Compares; `row` is where the row for `fit` goes, `output` where the answer does.
pub(super) fn run(args: &CompareArgs, row: &Output, output: &Output) -> Result<(), Failure> {
    if let Some(path) = args.output.as_deref() {
        check_new(path)?;
    }
    let origin = read_text(&args.plan)?;
    let plan = PlanFile::parse(&origin)?;
    let rank = args
        .rank
        .map(|rank| usize::try_from(rank).unwrap_or(usize::MAX));
    let planned = plan.launched(rank)?;
    let by_default = match rank {
        None => plan.taken_by_default(planned),
        Some(_) => None,
    };
    let described = describe(args, &plan, planned, &origin)?;
    let setting = described.setting();
    check_size(planned, &described.cluster, &origin)?;
    let fit = &described.fit;
    let measured = measured(&args.measured, &described.catalog, fit)?;
    let (measured_tok_s, rows) = measured.of(&plan.model, &setting, planned)?;
    check_units(measured_tok_s, planned, &setting).map_err(|refusal| match &by_default {
        Some(taken) => refusal.help(taken),
        None => refusal,
    })?;
    let booked = planned.booking.as_ref();
    let product = booked.and_then(|booking| booking.product.as_deref());
    let sold = product.and_then(|name| described.catalog.product(name).ok());
    let launched = Launched {
        plan: &plan,
        run: planned,
        setting,
        measured_tok_s,
        related: rows.as_ref().map_or(&[], |rows| rows.related.as_slice()),
        product: sold,
        done: args.done_tokens,
        // Of a booking, its own terms tell.
        start: args
            .start
            .or(plan.start.filter(|_| planned.booking.is_none())),
        at: args.at,
    };
    let mut comparison = compare(&launched, fit).map_err(refused)?;
    let more = notes(&comparison, &plan, fit.name(), rows.as_ref(), &measured);
    comparison.notes.extend(more);
    if let (Some(name), None) = (product, sold) {
        comparison.notes.push(format!(
            "the product {name} isn't known here, so neither what is still to pay nor what more of it would take is told: \
             `--presets FILE` or `--job JOB.toml` names the file that describes it"
        ));
    }
    // Of what may not run at all before anything else.
    if plan.asks_booking && planned.booking.is_none() {
        comparison.notes.splice(0..0, by_default);
    } else if planned.rank > 1 {
        comparison.notes.extend(by_default);
    }
    let target = args.output().map(|path| path.display().to_string());
    if target.is_some() {
        row.result(&comparison.fit_row_csv)?;
    }
    output.report(
        args.format,
        &Deviation {
            comparison: &comparison,
            target: target.as_deref(),
        },
    )
}

/// Refuses a file that the row can't go to.
fn check_new(path: &Path) -> Result<(), Diagnostic> {
    if path == Path::new("-") {
        return Err(
            Diagnostic::new("the row and the comparison can't both go to stdout")
                .help("`--format csv` prints the row alone"),
        );
    }
    if path.symlink_metadata().is_err() || path.is_dir() {
        return Ok(());
    }
    Err(
        Diagnostic::new(format!("`{}` is already there", path.display()))
            .help("nothing was written: it may hold rows of yours")
            .help("name a new file with `-o`; `tminus fit` takes several tables"),
    )
}

const SPEED_EXPECTED: &str =
    "give tokens per second as a number such as 25700 or 371K, or a table such as runs.csv";

/// Letters that may follow a number and scale it.
const SCALES: [char; 7] = ['k', 'K', 'M', 'B', 'G', 'T', 'i'];

/// What was measured.
enum Measured {
    /// Tokens per second.
    Speed(f64),
    /// A table, and the name people know it by.
    Table(String, measure::Table),
}

impl Measured {
    /// Tokens per second of the run, and the rows that tell them.
    fn of(
        &self,
        model: &str,
        setting: &Setting<'_>,
        planned: &PlannedRun,
    ) -> Result<(f64, Option<Rows<'_>>), Diagnostic> {
        match self {
            Self::Speed(tok_s) => Ok((*tok_s, None)),
            Self::Table(name, table) => {
                let rows = Rows::new(name, &table.rows, model, setting, &planned.configuration)?;
                Ok((rows.throughput_tok_s(), Some(rows)))
            }
        }
    }
}

fn measured(text: &str, catalog: &Catalog, fit: &Fit) -> Result<Measured, Diagnostic> {
    let plain = without_separators(text, &SCALES);
    let number = plain
        .parse::<f64>()
        .ok()
        .or_else(|| Some(plain.parse::<Tokens>().ok()?.as_f64()));
    if let Some(tok_s) = number {
        // Beyond 1e18 tokens no quantity here goes, and below one in 11 days nothing trains.
        return if (1e-6..=1e18).contains(&tok_s) {
            Ok(Measured::Speed(tok_s))
        } else {
            Err(Diagnostic::new(format!(
                "--measured: `{text}` is no throughput: it must be a positive number of tokens per \
                 second"
            ))
            .help(SPEED_EXPECTED))
        };
    }
    let path = Path::new(text);
    if path != Path::new("-") && !path.exists() {
        let refusal = Diagnostic::new(format!(
            "--measured: `{text}` is neither tokens per second nor a file that is there"
        ))
        .help(SPEED_EXPECTED);
        let number = text.trim_end_matches(SCALES);
        let scale = text.strip_prefix(number).unwrap_or_default();
        return Err(if text.to_lowercase().contains("s/s") {
            refusal.help("samples/s times the sequence length are tokens/s")
        } else if let Some(written) = measure::with_decimal_point(number) {
            refusal.help(format!("a decimal comma? write {written}{scale}"))
        } else {
            refusal
        });
    }
    let origin = read_text(path)?;
    let table = read_table(&origin, catalog, fit)?;
    Ok(Measured::Table(origin.name, table))
}

/// What a reader should know besides.
fn notes(
    comparison: &crate::compare::Comparison,
    plan: &PlanFile,
    fit: &str,
    rows: Option<&Rows<'_>>,
    measured: &Measured,
) -> Vec<String> {
    let mut notes = Vec::new();
    if !comparison.plan_agrees {
        let off = comparison.predicted_tok_s.expected / comparison.planned_tok_s.expected - 1.0;
        let decimals = if off.abs() < 5e-4 { 4 } else { 1 };
        let weighed = if plan.fit == fit {
            "the causes are weighed by this prediction".to_owned()
        } else {
            let plans = match plan.fit.as_str() {
                EMBEDDED => "leave `--fit` out".to_owned(),
                other => format!("`--fit FILE` names the file of {other}"),
            };
            format!("no cause is told by another fit than the plan's: {plans}")
        };
        notes.push(format!(
            "the plan was made with fit {} and expects {:.0} tokens/s; this version with fit {fit} \
             predicts {:.0} ({:+.decimals$} %): {weighed}",
            plan.fit,
            comparison.planned_tok_s.expected,
            comparison.predicted_tok_s.expected,
            off * 100.0
        ));
    }
    let (Some(rows), Measured::Table(name, table)) = (rows, measured) else {
        return notes;
    };
    notes.extend(rows.taken());
    let others = |count: usize| format!("{count} {}", plural(count as u64, "other row"));
    if !rows.related.is_empty() && !comparison.causes.is_empty() {
        notes.push(format!(
            "{} of that GPU and stack help to tell the causes apart",
            others(rows.related.len())
        ));
    }
    if rows.unrelated > 0 {
        notes.push(format!(
            "{} of another GPU, cluster or stack are left out",
            others(rows.unrelated)
        ));
    }
    let told = |note: &&String| {
        comparison
            .notes
            .iter()
            .any(|said| note.starts_with(&**said))
    };
    let new = table.notes.iter().filter(|note| !told(note));
    notes.extend(new.map(|note| format!("{name}: {note}")));
    notes
}

fn refused(error: FinishError) -> Diagnostic {
    let diagnostic = Diagnostic::new(error.to_string());
    match error {
        FinishError::Done { .. } => {
            diagnostic.help("`--done-tokens` is what the run has trained so far")
        }
        FinishError::BesideBooking { .. } => diagnostic.help(
            "`--start` is when the run started on it; `--rank` takes a run that isn't on a booking",
        ),
        FinishError::BeforeStart { .. } => diagnostic.help(
            "`--start` is when the run started, `--at` when its `--done-tokens` were counted",
        ),
        FinishError::AfterBooking { .. } => diagnostic
            .help("`--start` is when the run started, `--at` when its `--done-tokens` were counted")
            .help("`--rank` takes a run that isn't on a booking"),
        FinishError::BeyondBooking { .. } => diagnostic
            .help("`--done-tokens` is what the run has trained so far, `--start` when it started")
            .help(
                "`--at` is when they were counted, where they were trained faster than it runs now",
            )
            .help("`--rank` takes a run that isn't on a booking"),
        FinishError::NoStart { .. } | FinishError::BeyondCalendar => {
            diagnostic.help("`--start` is when the run started")
        }
    }
}
