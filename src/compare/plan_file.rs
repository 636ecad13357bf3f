//! Plans read back: what `plan --format json` and `predict --format json` printed, and what
//! `report -o plan.json` wrote, which holds the booking too.
//!
//! Only what a comparison needs is read; other fields may come and go with versions. What is read
//! is checked as if a person had typed it.

mod booked;
mod kind;

use std::ops::Range;

use serde::Deserialize;

use crate::configuration::Configuration;
use crate::diagnostic::{Diagnostic, Origin};
use crate::forecast::Reliability;
use crate::preset::in_plain_words;
use crate::quantity::{Confidence, Interval, MAX_COUNT, Tokens, plural};
use crate::search::Axis;

pub use booked::PlannedBooking;
use booked::Recommended;
use kind::{Probe, refuse_list};

/// A plan, as far as a comparison needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanFile {
    /// The model's name.
    pub model: String,
    /// The training stack's name.
    pub stack: String,
    /// Parameters of the model, with the sequence length at which it has them where that isn't each
    /// candidate's own; `None` where the plan doesn't say.
    pub params: Option<(u64, Option<u64>)>,
    /// Tokens to train on.
    pub tokens: Tokens,
    /// Whether its job asks for a booking, which the plan alone doesn't hold.
    pub asks_booking: bool,
    /// Confidence of its intervals.
    pub confidence: Confidence,
    /// Name of the fit it was made with.
    pub fit: String,
    /// What goes wrong on its clusters, and what that costs; `None` where it doesn't say.
    pub reliability: Option<Reliability>,
    /// Its candidates, best first.
    pub candidates: Vec<PlannedRun>,
    /// When the run starts, where a report says so of one without a booking.
    pub start: Option<crate::calendar::Moment>,
    /// What runs on the booking that a report recommends; `None` in other plans.
    pub booked: Option<PlannedRun>,
    /// Rank of the knee of its front of time against cost, which a report recommends; `None` in
    /// other plans.
    pub knee: Option<usize>,
}

/// One candidate of a plan.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct PlannedRun {
    /// Its rank; 0 for what a report books.
    pub rank: usize,
    /// Cluster name.
    pub cluster: String,
    /// How it is launched.
    pub configuration: Configuration,
    /// GPU name; `None` where the plan doesn't say.
    pub gpu: Option<String>,
    /// Nodes that hold its GPUs; `None` where the plan doesn't say.
    pub nodes: Option<u64>,
    /// Nodes booked beside those that train; `None` where the plan doesn't say.
    pub spare_nodes: Option<u64>,
    /// Tokens per second.
    pub throughput_tok_s: Interval,
    /// Hours of pure training.
    pub train_h: Interval,
    /// Hours on the wall clock.
    pub time_to_budget_h: Interval,
    /// Dollars, where a price was known.
    pub cost_usd: Option<Interval>,
    /// The booking it runs on, where it is what a report books.
    pub booking: Option<PlannedBooking>,
}

/// A candidate as it is written.
#[derive(Deserialize)]
struct Written {
    rank: usize,
    cluster: String,
    gpus: u64,
    seq_len: u64,
    micro_batch: u64,
    grad_accum: u64,
    activation_checkpointing: bool,
    gpu: Option<String>,
    nodes: Option<u64>,
    spare_nodes: Option<u64>,
    throughput_tok_s: Ends,
    train_h: Ends,
    time_to_budget_h: Ends,
    cost_usd: Option<Ends>,
}

#[derive(Clone, Copy, Deserialize)]
struct Ends {
    low: f64,
    expected: f64,
    high: f64,
}

/// Beyond these lies no throughput, time or cost of any plan, so that ratios stay finite.
const SMALLEST: f64 = 1e-24;
const LARGEST: f64 = 1e24;

impl Ends {
    fn interval(self, name: &str) -> Result<Interval, String> {
        let Self {
            low,
            expected,
            high,
        } = self;
        match Interval::new(low, expected, high) {
            Some(interval)
                if SMALLEST <= low && low <= expected && expected <= high && high <= LARGEST =>
            {
                Ok(interval)
            }
            _ => Err(format!(
                "`{name}` must be positive and in order, but its low, expected and high are {low}, \
                 {expected} and {high}"
            )),
        }
    }

    /// Dollars: a price of nothing is a price.
    fn cost(self) -> Result<Interval, String> {
        Interval::new(self.low, self.expected, self.high)
            .filter(|cost| 0.0 <= cost.low && cost.high <= LARGEST)
            .ok_or_else(|| "`cost_usd` must be in order, and not negative".to_owned())
    }
}

impl TryFrom<Written> for PlannedRun {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written {
            gpus,
            seq_len,
            micro_batch,
            grad_accum,
            ..
        } = written;
        let tokens = [gpus, seq_len, micro_batch, grad_accum]
            .into_iter()
            .try_fold(1, u64::checked_mul);
        if !tokens.is_some_and(|tokens| (1..=MAX_COUNT).contains(&tokens)) {
            return Err(format!(
                "a step of {gpus} GPUs × {micro_batch} × {grad_accum} sequences of {seq_len} tokens \
                 must have from 1 to 10^18 tokens"
            ));
        }
        let of_rank = |problem: String| format!("rank {}: {problem}", written.rank);
        let interval = |ends: Ends, name| ends.interval(name).map_err(of_rank);
        Ok(Self {
            rank: written.rank,
            cluster: written.cluster,
            configuration: Configuration {
                gpus,
                seq_len,
                micro_batch,
                grad_accum,
                activation_checkpointing: written.activation_checkpointing,
            },
            gpu: written.gpu,
            nodes: written.nodes,
            spare_nodes: written.spare_nodes,
            throughput_tok_s: interval(written.throughput_tok_s, "throughput_tok_s")?,
            train_h: interval(written.train_h, "train_h")?,
            time_to_budget_h: interval(written.time_to_budget_h, "time_to_budget_h")?,
            cost_usd: written
                .cost_usd
                .map(Ends::cost)
                .transpose()
                .map_err(of_rank)?,
            booking: None,
        })
    }
}

/// What plans and predictions have in common.
#[derive(Deserialize)]
struct Common {
    request: Asked,
    fit: Fitted,
}

#[derive(Deserialize)]
struct Asked {
    model: String,
    params: Option<u64>,
    seq_len: Option<String>,
    stack: String,
    tokens: u64,
    #[serde(default)]
    booking: bool,
    confidence: f64,
    reliability: Option<Reliability>,
}

impl Asked {
    /// Parameters, which are counted at the shortest sequence length asked for, where one is.
    fn params(&self) -> Option<(u64, Option<u64>)> {
        let asked = self.seq_len.as_ref();
        let shortest = asked.and_then(|axis| axis.parse::<Axis>().ok()?.get(0));
        Some((self.params?, shortest))
    }

    /// What goes wrong, where it is told.
    ///
    /// # Errors
    /// When that can't be.
    fn reliability(&self) -> Result<Option<Reliability>, String> {
        match self.reliability {
            Some(told) if !told.is_possible() => Err(
                "`reliability` must hold no negative figure, nor one beyond any cluster".to_owned(),
            ),
            told => Ok(told),
        }
    }
}

#[derive(Deserialize)]
struct Fitted {
    name: String,
}

#[derive(Deserialize)]
struct Candidates {
    candidates: Vec<PlannedRun>,
}

impl PlanFile {
    /// Reads a plan or a prediction.
    ///
    /// # Errors
    /// When the text is neither, is of another version, or holds what can't be: with the place.
    pub fn parse(origin: &Origin) -> Result<Self, Diagnostic> {
        refuse_list(origin)?;
        let probe: Probe = read(origin)?;
        probe.check_version(origin)?;
        probe.check_kind(origin)?;
        // Each part is read from the text itself, which knows the place of a mistake.
        let candidates = if probe.candidates.is_some() {
            read::<Candidates>(origin)?.candidates
        } else {
            vec![read(origin)?]
        };
        if candidates.is_empty() {
            return Err(
                Diagnostic::new(format!("`{}` holds no candidate", origin.name)).help(WRITE_ONE),
            );
        }
        let Common { request, fit } = read(origin)?;
        let refuse = |error: crate::quantity::QuantityError| {
            Diagnostic::new(format!("`{}`: {error}", origin.name)).in_text(origin.clone())
        };
        let unusable = |problem: String| {
            Diagnostic::new(format!(
                "`{}` can't be used as a plan: {problem}",
                origin.name
            ))
            .in_text(origin.clone())
            .help(WRITE_ONE)
        };
        let mut recommended = read::<Recommended>(origin)?;
        let reliability = request.reliability().map_err(unusable)?;
        Ok(Self {
            reliability,
            params: request.params(),
            asks_booking: request.booking,
            model: request.model,
            stack: request.stack,
            tokens: Tokens::new(request.tokens).map_err(refuse)?,
            confidence: Confidence::new(request.confidence).map_err(refuse)?,
            fit: fit.name,
            candidates,
            knee: recommended.knee(),
            start: recommended.start().map_err(unusable)?,
            booked: recommended.run().map_err(unusable)?,
        })
    }

    /// The run that was launched: of a rank, or else what a report recommends, its booking or the
    /// knee of its front.
    ///
    /// # Errors
    /// When there is no such rank.
    pub fn launched(&self, rank: Option<usize>) -> Result<&PlannedRun, Diagnostic> {
        match (rank, &self.booked) {
            (None, Some(booked)) => Ok(booked),
            (Some(rank), _) => self.rank(rank),
            (None, None) => match self.knee.map(|knee| self.rank(knee)) {
                Some(Ok(run)) => Ok(run),
                _ => self.rank(1),
            },
        }
    }

    /// How the run of no rank in particular is named: of what it was taken for, and how to name
    /// another; `None` where there is no other.
    #[must_use]
    pub fn taken_by_default(&self, run: &PlannedRun) -> Option<String> {
        let only = self.booked.is_none() && self.candidates.len() < 2;
        let what = match (run.rank, self.knee) {
            (0, _) => "the booking that the report recommends".to_owned(),
            (rank, Some(knee)) if rank == knee => {
                format!("rank {rank}, the knee of its front, which a report recommends")
            }
            (rank, _) => format!("rank {rank}"),
        };
        if self.asks_booking && self.booked.is_none() {
            return Some(format!(
                "the plan's job asks for a booking, which the plan doesn't hold and `tminus launch` would \
                 have started: the run is taken for {what}, which it need not be; `tminus report JOB.toml -o \
                 plan.json` writes the booking too, and `--rank` names another candidate"
            ));
        }
        (!only).then(|| format!("the run is taken for {what}; `--rank` names another"))
    }

    /// The candidate of a rank.
    ///
    /// # Errors
    /// When there is none.
    pub fn rank(&self, rank: usize) -> Result<&PlannedRun, Diagnostic> {
        self.candidates
            .iter()
            .find(|candidate| candidate.rank == rank)
            .ok_or_else(|| {
                let count = self.candidates.len();
                let candidates = plural(count as u64, "candidate");
                Diagnostic::new(format!(
                    "--rank: there is no rank {rank}: the plan has {count} {candidates}"
                ))
                .help(
                    "`tminus plan --top N --format json` writes more of them, unless these are all",
                )
            })
    }
}

const WRITE_ONE: &str = "write one with `tminus plan … --format json -o plan.json`";

fn read<'a, T: Deserialize<'a>>(origin: &'a Origin) -> Result<T, Diagnostic> {
    serde_json::from_str(&origin.text).map_err(|error| {
        let text = error.to_string();
        // The place is shown by a mark.
        let message = text.split(" at line ").next().unwrap_or(&text);
        let message = in_plain_words(message, ("object", "an object"));
        let message = if message.starts_with("control character") {
            "a quoted text has to end on its line".to_owned()
        } else {
            message
                .replace("EOF while parsing ", "in the middle of ")
                .replace("expected value", "no value that JSON knows")
        };
        let (problem, label) = match error.classify() {
            serde_json::error::Category::Eof => ("ends too early", "the file ends here"),
            serde_json::error::Category::Data => ("can't be used as a plan", "read up to here"),
            _ => ("is not JSON", "not understood"),
        };
        Diagnostic::new(format!("`{}` {problem}: {message}", origin.name))
            .in_text(origin.clone())
            .at(place(&origin.text, error.line(), error.column()), label)
            .help(WRITE_ONE)
    })
}

/// The byte at a line and column, both from 1.
fn place(text: &str, line: usize, column: usize) -> Range<usize> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let at = (start + column.saturating_sub(1)).min(text.len().saturating_sub(1));
    at..(at + 1).min(text.len())
}

#[cfg(test)]
mod tests;
