//! `tminus fit`: a fit file from a user's own measurements.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::Diagnostic;
use crate::fit_file::{FitFile, embedded_fit, without_copies};
use crate::measure::Measurement;
use crate::preset::Catalog;
use crate::quantity::display_whole;
use crate::report::FitSummary;

use super::args::{Format, GlobalArgs, paths};
use super::catalog::catalog_with;
use super::output::Output;
use super::tables::{Tables, read_tables};
use super::{Failure, live, threads};

/// Flags of `tminus fit`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Few rows are enough: on top of the embedded tables only what they speak about moves. They speak \
for their own GPU architecture and stack, and where the network differs for their cluster.

Examples:
  tminus fit mine.csv -o my.fit.toml
  tminus plan job.toml --fit my.fit.toml
  tminus evaluate --fit my.fit.toml         how well it predicts rows it has not seen")]
pub(crate) struct FitCommandArgs {
    /// Measured tables, CSV or Markdown; `-` is stdin.
    #[arg(value_name = "TABLE", required = true)]
    tables: Vec<PathBuf>,

    /// Write the fit to FILE; an existing file is replaced whole.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Fit to these rows alone, not on top of the embedded tables: takes many rows.
    #[arg(long)]
    alone: bool,

    /// Name of the fit, shown where its predictions are [default: FILE's].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// File with your own models, GPUs, clusters or stacks; repeatable.
    #[arg(long, value_name = "FILE")]
    presets: Vec<PathBuf>,

    /// Format of what is said about the fit on stdout.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

impl FitCommandArgs {
    /// The file the fit goes to.
    pub(super) fn target(&self) -> &Path {
        &self.output
    }

    /// The files that are read.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        paths(self.tables.iter().chain(&self.presets))
    }

    /// The name given, or else the file's up to its first dot but one that hides it.
    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let file = self.output.file_name().unwrap_or_default();
            let file = file.to_string_lossy();
            file.trim_start_matches('.')
                .split('.')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
    }
}

pub(super) fn run(
    args: &FitCommandArgs,
    global: &GlobalArgs,
    output: &Output,
) -> Result<(), Failure> {
    if args.output == Path::new("-") {
        return Err(
            Diagnostic::new("the fit and what is said of it can't both go to stdout")
                .help("name a file: `-o my.fit.toml`")
                .into(),
        );
    }
    if args.name().trim().is_empty() {
        return Err(Diagnostic::new(
            "the fit has no name, by which predictions say what they rest on",
        )
        .help("give it one, `--name mine`; without `--name` it has that of the file it goes to")
        .into());
    }
    let catalog = catalog_with(Catalog::embedded(), &args.presets)?;
    let Tables {
        mut rows,
        sources,
        mut notes,
    } = read_tables(&args.tables, &catalog, &embedded_fit()?)?;
    if !args.alone {
        let copies;
        (rows, copies) = without_copies(rows)?;
        if copies > 0 {
            notes.push(format!(
                "{} in the embedded tables already: left out, since a fit on top of them has what they say",
                if copies == 1 {
                    "1 row stands".to_owned()
                } else {
                    format!("{copies} rows stand")
                }
            ));
        }
    }
    let make = if args.alone {
        FitFile::alone
    } else {
        FitFile::on_top
    };
    let pool = threads::pool(global.threads)?;
    let file = live::shown(global.quiet, "fitting", || {
        pool.install(|| make(args.name(), sources, rows))
    })?;
    output.result(&file.to_toml()?)?;
    let stdout = Output::open(None, &[], global.color, global.quiet)?;
    let target = args.output.display().to_string();
    notes.extend(set_aside(&file));
    notes.extend(strays(&file));
    let summary = FitSummary {
        file: &file,
        target: &target,
        notes: &notes,
    };
    stdout.report(args.format, &summary)
}

/// Rows that are told by themselves; more of them only by number.
const TOLD: usize = 5;

/// Where a row stands: its table, where there are several, and its line.
fn place(file: &FitFile, row: &Measurement) -> String {
    let table = || {
        let mut place = file.rows().iter().position(|of| std::ptr::eq(of, row))?;
        let several = file.sources().len() > 1;
        let source = file.sources().iter().find(|source| {
            let here = place < source.rows;
            place = place.saturating_sub(source.rows);
            here
        });
        source
            .filter(|_| several)
            .map(|source| format!("{}: ", source.name))
    };
    format!("{}line {}", table().unwrap_or_default(), row.line)
}

/// The rows that the fit doesn't follow.
fn set_aside(file: &FitFile) -> Vec<String> {
    let rows = file.set_aside();
    let more = rows.len().saturating_sub(TOLD);
    let told = rows.iter().take(TOLD).map(|(row, said)| {
        format!(
            "{} is not followed, as a bad run or a mistake: {} tokens/s where the fit expects {}",
            place(file, row),
            display_whole(row.throughput_tok_s),
            display_whole(said.expected)
        )
    });
    let rest = (more > 0).then(|| format!("{more} more rows are not followed"));
    told.chain(rest).collect()
}

/// The rows that the fit follows though the others don't lead to expect them.
fn strays(file: &FitFile) -> Vec<String> {
    let rows = file.strays();
    let more = rows.len().saturating_sub(TOLD);
    let told = rows.iter().take(TOLD).map(|(row, said)| {
        format!(
            "{} is farther from what the other rows lead to expect than chance takes one: {} tokens/s where a \
             fit without it expects {} ({} to {} at 90 %); check it, since this fit follows it in part",
            place(file, row),
            display_whole(row.throughput_tok_s),
            display_whole(said.expected),
            display_whole(said.low),
            display_whole(said.high)
        )
    });
    let rest = (more > 0).then(|| format!("{more} more rows are as far from the others"));
    told.chain(rest).collect()
}
