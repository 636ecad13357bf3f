//! `tminus advise`: what to measure next.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::advise::{Advice, AdviceError, MeasuringLimits, advise, advise_among};
use crate::diagnostic::{Diagnostic, Origin};
use crate::fit_file::FitFile;
use crate::measure;
use crate::preset::Catalog;
use crate::quantity::MAX_COUNT;
use crate::report::{Fitted, ToMeasure};

use super::args::{
    ConfidenceArgs, FitArgs, GlobalArgs, JobArgs, OutputArgs, RankingArgs, paths, whole,
};
use super::catalog::catalog_with;
use super::input::{TABLE_START, read_text, read_text_or};
use super::output::Output;
use super::{Failure, fit_source, live, request, threads};

/// Flags of `tminus advise`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Names the short runs on the hardware at hand that would narrow the interval of the plan's first
configuration most, and by how much.

Examples:
  tminus advise --model gpt-7b --tokens 134B --cluster r1z1 --stack bf16-gather
  tminus advise job.toml --max-gpus 16 --minutes 10 -k 5
  tminus advise job.toml --format csv -o measured.csv   # fill in throughput_tok_s, then:
  tminus fit measured.csv -o my.fit.toml
  tminus advise --among runs.csv -k 5    # which of these runs tell most about the others

Exit status: 0 advice; 1 nothing can be planned or measured; 2 bad input.")]
pub(crate) struct AdviseArgs {
    /// Job file (`tminus init` prints one); flags override it, `-` is stdin.
    #[arg(value_name = "JOB.toml")]
    job_file: Option<PathBuf>,

    /// Choose among the runs of TABLE, to narrow the intervals of all of them; their throughput may
    /// be empty.
    #[arg(long, value_name = "TABLE")]
    #[arg(conflicts_with_all = ["job_file", "model", "tokens", "cluster", "stack", "global_batch"])]
    #[arg(conflicts_with_all = ["gpus", "seq_len", "micro_batch", "grad_accum", "checkpointing"])]
    among: Option<PathBuf>,

    /// How many measurements to name.
    #[arg(short = 'k', long, value_name = "K", default_value_t = 3)]
    #[arg(allow_hyphen_values = true, value_parser = whole(1_u16, 100))]
    count: u16,

    /// The most GPUs a measurement may take [default: 8; with --among, as many as its runs].
    #[arg(long, value_name = "N")]
    #[arg(allow_hyphen_values = true, value_parser = whole(1, MAX_COUNT))]
    max_gpus: Option<u64>,

    /// The most minutes a measurement may take, start-up included.
    #[arg(long, value_name = "MINUTES", default_value_t = 15)]
    #[arg(allow_hyphen_values = true, value_parser = whole(1_u32, 100_000))]
    minutes: u32,

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

impl AdviseArgs {
    /// The file the advice goes to.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output.output.as_deref()
    }

    /// The files that are read, of those that flags name.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        let files = self.job_file.iter().chain(&self.among);
        paths(files.chain(&self.job.presets).chain(&self.fit.fit))
    }
}

pub(super) fn run(args: &AdviseArgs, global: &GlobalArgs, output: &Output) -> Result<(), Failure> {
    keep_measured(args)?;
    let limits = MeasuringLimits {
        count: usize::from(args.count),
        max_gpus: args.max_gpus.unwrap_or(MeasuringLimits::default().max_gpus),
        minutes: f64::from(args.minutes),
    };
    let mut presets: Vec<String> = Vec::new();
    let (advice, subject, own) = if let Some(table) = &args.among {
        among(args, table, &limits, global)?
    } else {
        let (advice, subject, describes, own) = for_job(args, &limits, global, output)?;
        let job_file = args.job_file.as_deref().filter(|_| describes);
        presets.extend(job_file.map(typed));
        (advice, subject, own)
    };
    presets.extend(args.job.presets.iter().map(|file| typed(file)));
    output.report(
        args.output.format(),
        &ToMeasure {
            advice: &advice,
            subject: &subject,
            fitted: own.as_ref().map(Own::fitted).unwrap_or_default(),
            presets: &presets,
        },
    )
}

/// What the user's own fit was made from.
struct Own {
    name: String,
    tables: Vec<String>,
    alone: bool,
}

impl Own {
    fn new(file: &FitFile) -> Self {
        let sources = file.sources().iter();
        Self {
            name: file.fit().name().to_owned(),
            tables: sources
                .map(|source| typed(Path::new(&source.name)))
                .collect(),
            alone: file.is_alone(),
        }
    }

    fn fitted(&self) -> Fitted<'_> {
        Fitted {
            name: Some(&self.name),
            tables: &self.tables,
            alone: self.alone,
        }
    }
}

/// Refuses to write over a table that somebody has filled in.
fn keep_measured(args: &AdviseArgs) -> Result<(), Diagnostic> {
    let Some(file) = args.output.output.as_deref().filter(|file| file.is_file()) else {
        return Ok(());
    };
    let catalog = catalog_with(Catalog::embedded(), &args.job.presets)?;
    let holds_speeds = |origin: &Origin| {
        match measure::read_runs(&origin.name, &origin.text, &catalog) {
            Ok(table) => table.rows.iter().any(|row| row.throughput_tok_s > 0.0),
            // One that can't be read may be one that is half filled in.
            Err(_) => origin.text.contains("throughput_tok_s"),
        }
    };
    let lost = read_text(file).is_ok_and(|origin| holds_speeds(&origin));
    if !lost {
        return Ok(());
    }
    let refusal = format!(
        "`{}` may hold measured rows, which would be lost",
        file.display()
    );
    Err(Diagnostic::new(refusal).help("name another file, or move that one away"))
}

/// A file as a person would type it.
fn typed(file: &Path) -> String {
    crate::shell::quoted(&file.to_string_lossy())
}

/// What narrows the rows of a table, with the table's name.
fn among(
    args: &AdviseArgs,
    table: &Path,
    limits: &MeasuringLimits,
    global: &GlobalArgs,
) -> Result<(Advice, String, Option<Own>), Failure> {
    let file = args.fit.fit.as_deref().map(fit_source::read).transpose()?;
    let catalog = catalog_with(Catalog::embedded(), &args.job.presets)?;
    let catalog = fit_source::known_to(catalog, file.as_ref());
    let origin = read_text_or(table, TABLE_START)?;
    let rows = measure::read_runs(&origin.name, &origin.text, &catalog)?.rows;
    // Whoever lists runs has the GPUs for them.
    let largest = rows.iter().map(|row| row.configuration.gpus).max();
    let limits = &MeasuringLimits {
        max_gpus: args.max_gpus.or(largest).unwrap_or(limits.max_gpus),
        ..*limits
    };
    let fit = fit_source::of(file.as_ref())?;
    let confidence = args.confidence.confidence.unwrap_or_default();
    let pool = threads::pool(global.threads)?;
    let advice = live::shown(global.quiet, WEIGHING, || {
        pool.install(|| advise_among(&rows, &fit, confidence, limits))
    })?;
    Ok((advice, origin.name, file.as_ref().map(Own::new)))
}

/// What is being done.
const WEIGHING: &str = "weighing what could be measured";

/// What narrows the answer of a job, with its model's name, and whether the job file has to be named
/// again for its rows to be understood.
fn for_job(
    args: &AdviseArgs,
    limits: &MeasuringLimits,
    global: &GlobalArgs,
    output: &Output,
) -> Result<(Advice, String, bool, Option<Own>), Failure> {
    let flags = request::settings(&args.job, Some(&args.ranking), &args.confidence);
    let job_file = args.job_file.as_deref();
    let opened = request::open(job_file, &args.job.presets, &args.fit)?.kept(output)?;
    let file = opened.file.as_ref();
    let describes = file.is_some_and(|job| job.describes() || !job.settings.presets.is_empty());
    let loaded = opened.single(flags)?;
    let (request, fit) = (&loaded.request, loaded.fit()?);
    let pool = threads::pool(global.threads)?;
    let advice = live::shown(global.quiet, WEIGHING, || {
        pool.install(|| advise(request, &fit, limits))
    })?;
    let own = loaded.fit_file().map(Own::new);
    Ok((advice, request.model.name.clone(), describes, own))
}

impl From<AdviceError> for Failure {
    fn from(error: AdviceError) -> Self {
        match error {
            AdviceError::Plan(error) => error.into(),
            AdviceError::NothingMeasurable { .. } => Self::Infeasible(
                Diagnostic::new(error.to_string())
                    .help("allow more with `--max-gpus` or `--minutes`")
                    .help("or name a cluster with smaller nodes or larger cards"),
            ),
        }
    }
}
