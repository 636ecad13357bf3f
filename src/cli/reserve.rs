//! `tminus reserve`: a deadline, a budget or a node count becomes a booking.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::Diagnostic;
use crate::hardware::Cluster;
use crate::job::{ReserveSettings, Sourced};
use crate::plan::Planner;
use crate::report::Bookings;
use crate::reserve::{Ask, Named, ReserveError, reserve};

use super::args::{ConfidenceArgs, FitArgs, ForecastArgs, GlobalArgs, JobArgs, OutputArgs, paths};
use super::output::Output;
use super::{Failure, request, threads};

/// Flags of `tminus reserve`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Dates are in UTC and explicit: nothing reads the clock. A plain date is its first moment. On the day
`--as-of`, starts that can't be booked yet are refused.

Examples:
  tminus reserve --model gpt-7b --tokens 134B --cluster r1z1 --deadline 14d
  tminus reserve --model gpt-7b --tokens 134B --cluster p4d.24xlarge \\
      --start 2026-12-01T09:00Z --deadline 2026-12-15 --probability 0.95
  tminus reserve job.toml --budget 30k --product slurm
  tminus reserve job.toml --nodes 16 --start 2026-12-01 --format json

Exit status: 0 a booking; 1 none is enough, with what could be had; 2 bad input.")]
pub(crate) struct ReserveArgs {
    /// Job file (`tminus init` prints one); flags override it, `-` is stdin.
    #[arg(value_name = "JOB.toml")]
    job_file: Option<PathBuf>,

    #[command(flatten)]
    booking: BookingArgs,

    #[command(flatten)]
    job: JobArgs,

    #[command(flatten)]
    forecast: ForecastArgs,

    /// Also consider configurations that may run out of memory or run slowly near its limit.
    #[arg(long, help_heading = "Job")]
    allow_tight: bool,

    #[command(flatten)]
    confidence: ConfidenceArgs,

    #[command(flatten)]
    fit: FitArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// What the booking has to achieve, and by which products. Texts are read where errors can name
/// their flag.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Booking")]
struct BookingArgs {
    /// When the run has to be done: a date, or a length of time from the start (`14d`).
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    deadline: Option<String>,

    /// What the booking may cost, US dollars: the fastest within it is found.
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    budget: Option<String>,

    /// How many nodes train.
    #[arg(long, value_name = "N")]
    nodes: Option<u64>,

    /// When the booking can start, at the earliest: `2026-12-01` or `2026-12-01T09:00Z`.
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    start: Option<String>,

    /// How sure it has to be [default: 0.9].
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    probability: Option<String>,

    /// Product to book by (`tminus presets products`); repeatable [default: all that sell the
    /// cluster].
    #[arg(long, value_name = "NAME")]
    product: Vec<String>,
}

impl BookingArgs {
    fn settings(&self, as_of: Option<&str>) -> Result<ReserveSettings, Diagnostic> {
        Ok(ReserveSettings {
            deadline: parsed("--deadline", self.deadline.as_deref())?,
            budget: parsed("--budget", self.budget.as_deref())?,
            nodes: self.nodes.map(|nodes| Sourced::flag("--nodes", nodes)),
            start: parsed("--start", self.start.as_deref())?,
            as_of: parsed("--as-of", as_of)?,
            probability: parsed("--probability", self.probability.as_deref())?,
            products: self
                .product
                .iter()
                .map(|name| Sourced::flag("--product", name.clone()))
                .collect(),
            ..ReserveSettings::default()
        })
    }
}

fn parsed<T>(flag: &'static str, text: Option<&str>) -> Result<Option<Sourced<T>>, Diagnostic>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.map(|text| Sourced::parse_flag(flag, text)).transpose()
}

impl ReserveArgs {
    /// The file the bookings go to.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output.output.as_deref()
    }

    /// The files that are read, of those that flags name.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        let files = self.job_file.iter().chain(&self.job.presets);
        paths(files.chain(&self.fit.fit))
    }
}

pub(super) fn run(args: &ReserveArgs, global: &GlobalArgs, output: &Output) -> Result<(), Failure> {
    let flags = request::settings(&args.job, None, &args.confidence);
    let mut flags = request::with_forecast(flags, &args.forecast)?;
    flags.allow_tight = args
        .allow_tight
        .then(|| Sourced::flag("--allow-tight", true));
    flags.reserve = args.booking.settings(args.forecast.as_of.as_deref())?;
    let job_file = args.job_file.as_deref();
    let opened = request::open(job_file, &args.job.presets, &args.fit)?;
    let loaded = opened.kept(output)?.single(flags)?;
    let request = &loaded.request;
    let ask = Ask::new(request, &loaded.catalog, Named::ByFlag)?;
    let fit = loaded.fit()?;
    let alternatives: Vec<Cluster> = loaded.catalog.clusters().cloned().collect();
    let planner = Planner::new(&fit).alternatives(&alternatives);
    let reservation =
        threads::pool(global.threads)?.install(|| reserve(&planner, request, &ask))?;
    if let Some(replaced) = &request.reserve.replaced {
        output.note(replaced);
    }
    output.report(
        args.output.format(),
        &Bookings {
            reservation: &reservation,
        },
    )
}

impl From<ReserveError> for Failure {
    fn from(error: ReserveError) -> Self {
        let told = |message: String, help: Vec<String>| {
            help.into_iter()
                .fold(Diagnostic::new(message), Diagnostic::help)
        };
        match error {
            ReserveError::NotSold { message, help } => Self::Refused(told(message, help)),
            ReserveError::NotEnough { message, help } => Self::Infeasible(told(message, help)),
            ReserveError::Plan(error) => error.into(),
        }
    }
}
