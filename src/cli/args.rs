//! Flags that several commands share. Each group knows how to become what the core takes.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::job::{GlobalBatch, TokenBudget};
use crate::quantity::Confidence;
use crate::search::{Axis, Objective, Switch};

/// Reads a flag that takes a whole number from `low` to `high`, both included.
pub(crate) fn whole<T>(
    low: T,
    high: T,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: Copy + PartialOrd + Display + FromStr + Send + Sync + 'static,
{
    move |text| match text.trim().replace('_', "").parse() {
        Ok(value) if (low..=high).contains(&value) => Ok(value),
        _ => Err(format!("it must be a whole number from {low} to {high}")),
    }
}

/// Files that flags name.
pub(crate) fn paths<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Vec<&'a Path> {
    files.into_iter().map(PathBuf::as_path).collect()
}

/// What is trained, where, and which configurations are tried.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Job")]
pub(crate) struct JobArgs {
    /// Model to train: a preset (`tminus presets models`) or one of your own.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Token budget: `134B`, or `20x` for 20 tokens per parameter [default: 20x].
    #[arg(long, value_name = "TOKENS", allow_hyphen_values = true)]
    pub tokens: Option<TokenBudget>,

    /// Cluster it may run on; repeat it to compare several [default: r7z2 and r1z1].
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,

    /// Training stack: what the sharding and precision policy costs [default: that of the fit's own
    /// rows, or else fp32-gather].
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,

    /// Tokens per optimizer step: `2Mi`, or a range `1Mi..4Mi` [default: the model's].
    #[arg(long, value_name = "TOKENS", allow_hyphen_values = true)]
    pub global_batch: Option<GlobalBatch>,

    /// GPU counts: `8`, `8,16,32`, `8..128` (doubling), `8..128:8` (that step) or `auto`.
    #[arg(long, value_name = "AXIS", allow_hyphen_values = true)]
    pub gpus: Option<Axis>,

    /// Sequence lengths, in tokens; written like `--gpus` [default: the model's].
    #[arg(long, value_name = "AXIS", allow_hyphen_values = true)]
    pub seq_len: Option<Axis>,

    /// Sequences per GPU in one forward and backward pass; written like `--gpus`.
    #[arg(long, value_name = "AXIS", allow_hyphen_values = true)]
    pub micro_batch: Option<Axis>,

    /// Micro-batches per GPU and optimizer step; written like `--gpus`.
    #[arg(long, value_name = "AXIS", allow_hyphen_values = true)]
    pub grad_accum: Option<Axis>,

    /// Activation checkpointing: recompute activations in the backward pass.
    #[arg(long, value_name = "WHEN")]
    pub checkpointing: Option<Checkpointing>,

    /// File with your own models, GPUs, clusters, stacks or prices; repeatable.
    #[arg(long, value_name = "FILE")]
    pub presets: Vec<PathBuf>,
}

/// What goes wrong on the clusters, and which prices hold.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Time and cost")]
pub(crate) struct ForecastArgs {
    /// What failures, checkpoints and start-up cost: the defaults (`tminus presets reliability`), or
    /// `none` for pure training time.
    #[arg(long, value_name = "WHICH", value_parser = ["default", "none"])]
    pub reliability: Option<String>,

    /// Failures that stop the job, per 1000 days of one node of eight GPUs [default: 5.15].
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub failure_rate: Option<String>,

    /// Training time between two checkpoints: `30m`, or `optimal`.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub checkpoint_interval: Option<String>,

    /// Nodes booked beside those that train: `2`, `5%` of them, or `none` [default: 5%].
    #[arg(long, value_name = "NODES", allow_hyphen_values = true)]
    pub spares: Option<String>,

    /// What a GPU-hour costs on every cluster, US dollars: before every price known.
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    pub usd_per_gpu_hour: Option<String>,

    /// Type of price: `on-demand`, `spot`, … (`tminus presets prices`).
    #[arg(long, value_name = "TYPE")]
    pub price_type: Option<String>,

    /// Whose prices.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,

    /// Prices of which region.
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,

    /// Day that the age of prices is counted from, and that a booking is made [default: the date of
    /// the newest price known].
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub as_of: Option<String>,
}

/// How configurations are ranked, and which.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Ranking")]
pub(crate) struct RankingArgs {
    /// What comes first [default: time].
    #[arg(long, value_name = "BY")]
    pub sort: Option<SortBy>,

    /// Also rank configurations that may run out of memory or run slowly near its limit.
    #[arg(long)]
    pub allow_tight: bool,
}

/// What the predictions rest on.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Fit")]
pub(crate) struct FitArgs {
    /// Fit file that `tminus fit` made from your own measurements.
    #[arg(long, value_name = "FILE")]
    pub fit: Option<PathBuf>,
}

/// How sure the intervals are.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Intervals")]
pub(crate) struct ConfidenceArgs {
    /// Share of outcomes each interval is meant to hold [default: 0.9].
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true)]
    pub confidence: Option<Confidence>,
}

/// How the result leaves the program.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Format of the result [default: by FILE's ending, .json, .csv or .md; else table].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,

    /// Write the result to FILE instead of stdout; an existing file is replaced whole.
    #[arg(short, long, value_name = "FILE")]
    #[arg(value_parser = PathBufValueParser::new().try_map(no_page))]
    pub output: Option<PathBuf>,
}

/// Refuses the name of a page: a table in it would be no page.
fn no_page(path: PathBuf) -> Result<PathBuf, String> {
    let ending = path.extension().unwrap_or_default();
    if ["html", "htm"]
        .iter()
        .any(|page| ending.eq_ignore_ascii_case(page))
    {
        Err(
            "a page is what `tminus report` writes; another ending, such as .json, .csv or .md, is expected here"
                .to_owned(),
        )
    } else {
        Ok(path)
    }
}

impl OutputArgs {
    /// The format asked for, or else that of the file's ending.
    pub(crate) fn format(&self) -> Format {
        let ending = || {
            let ending = self.output.as_deref()?.extension()?.to_str()?;
            Some(match ending.to_ascii_lowercase().as_str() {
                "json" => Format::Json,
                "csv" => Format::Csv,
                "md" => Format::Markdown,
                _ => return None,
            })
        };
        self.format.or_else(ending).unwrap_or(Format::Table)
    }
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
pub(crate) struct GlobalArgs {
    /// Worker threads; the result doesn't depend on it [default: one per core].
    #[arg(long, value_name = "N", global = true)]
    #[arg(allow_hyphen_values = true, value_parser = whole(1_u16, 1024))]
    pub threads: Option<u16>,

    /// Colour; `NO_COLOR` is honoured under `auto`.
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub color: ColorWhen,

    /// Leave out the notes on stderr; errors still show.
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// Formats a result can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, at most 100 columns wide.
    Table,
    /// For scripts; `tminus schema` describes that of most commands.
    Json,
    /// For spreadsheets: a field a column.
    Csv,
    /// For pasting into a document.
    Markdown,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Activation checkpointing choices to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Checkpointing {
    /// In every block.
    On,
    /// Nowhere.
    Off,
    /// Both are tried.
    Auto,
}

impl From<Checkpointing> for Switch {
    fn from(choice: Checkpointing) -> Self {
        match choice {
            Checkpointing::On => Self::On,
            Checkpointing::Off => Self::Off,
            Checkpointing::Auto => Self::Auto,
        }
    }
}

/// What the ranking puts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    /// Shortest time to the token budget.
    Time,
    /// Fewest dollars.
    Cost,
    /// Fewest GPU-hours.
    GpuHours,
    /// Most tokens per second.
    Throughput,
    /// The front of time against cost: none is both faster and cheaper; the cheapest first.
    Pareto,
}

impl From<SortBy> for Objective {
    fn from(by: SortBy) -> Self {
        match by {
            SortBy::Time => Self::Time,
            SortBy::Cost => Self::Cost,
            SortBy::GpuHours => Self::GpuHours,
            SortBy::Throughput => Self::Throughput,
            SortBy::Pareto => Self::Pareto,
        }
    }
}
