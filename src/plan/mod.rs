//! The planner: a request and a fit become a ranked plan.
//!
//! The types here are what every report shows and what `--format json` prints; field names are
//! part of the program's contract with scripts.

mod candidate;
mod change;
mod error;
mod every_node;
mod finish;
mod front;
mod front_point;
mod gpu_counts;
mod links_note;
mod notes;
mod physics;
mod planner;
mod predict;
mod remedy;
mod resolve;
mod time_limit;
mod together;
mod told;

pub use candidate::{Candidate, MemoryParts, MemoryReport};
pub(crate) use error::rejected_words;
pub use error::{PlanError, Remedy};
pub use front::FrontReport;
pub use front_point::{FrontPoint, FrontStep};
pub(crate) use gpu_counts::counts_left_out;
pub use links_note::links_note;
pub(crate) use notes::{FAILURES_WORTH_A_WORD, apart_note};
pub use notes::{
    failure_note, fit_notes, memory_note, none_left_note, peak_note, shortfall_note, tokens_note,
    waiting_note,
};
pub(crate) use planner::SHOWN_GPU_COUNTS;
pub use planner::{Planner, plan};
pub use resolve::left_out;
pub(crate) use time_limit::{NOTICE, ROOM, high_minutes, is_short_limit, whole_minutes};

use schemars::JsonSchema;
use serde::Serialize;

use crate::forecast::Reliability;
use crate::job::Request;
use crate::search::{Counts, Objective, Switch};
use crate::throughput::Fit;

/// Version of the JSON that `plan` prints; it grows when a field changes meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// A ranked plan: what `plan --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Plan {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What was asked for, every default filled in.
    pub request: RequestReport,
    /// What the predictions rest on.
    pub fit: FitReport,
    /// What was searched.
    pub space: SpaceReport,
    /// The best configurations, best first.
    pub candidates: Vec<Candidate>,
    /// The best configuration of each GPU count of each cluster, in the order of the clusters;
    /// their ranks are among themselves.
    pub best_by_gpu_count: Vec<Candidate>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// The search was ended early: these are the best of what it had seen by then.
    pub partial: bool,
    /// With the ranking `pareto`, the time–cost front whose points the candidates are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub front: Option<FrontReport>,
}

impl Plan {
    /// The candidate to take where none is named: the knee of a front that has one, or else the first.
    #[must_use]
    pub fn recommended(&self) -> Option<&Candidate> {
        let knee = self.front.as_ref().and_then(|front| front.knee_rank);
        let is_knee = |candidate: &&Candidate| Some(candidate.rank) == knee;
        let mut candidates = self.candidates.iter();
        candidates
            .clone()
            .find(is_knee)
            .or_else(|| candidates.next())
    }
}

/// A candidate with what it was predicted for: what `predict --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Predicted {
    /// The candidate.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// Version of this JSON; it grows when a field changes meaning.
    pub schema_version: u32,
    /// What was asked for.
    pub request: PredictedRequest,
    /// What the prediction rests on.
    pub fit: PredictedFit,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

impl Predicted {
    /// Version of the JSON that `predict` prints.
    pub const SCHEMA_VERSION: u32 = 1;
}

/// What a single configuration was predicted for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PredictedRequest {
    /// The model.
    pub model: String,
    /// Its parameters.
    pub params: u64,
    /// Training stack.
    pub stack: String,
    /// Tokens to train on.
    pub tokens: u64,
    /// Confidence of every interval.
    pub confidence: f64,
    /// What goes wrong on a cluster, and what it costs.
    pub reliability: Reliability,
}

/// What a single prediction rests on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PredictedFit {
    /// Name of the fit.
    pub name: String,
    /// Measured rows it was fitted to.
    pub rows: usize,
}

/// A request as resolved, with names in the place of what they name.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RequestReport {
    /// The model.
    pub model: String,
    /// Its parameters, at the shortest sequence length asked for.
    pub params: u64,
    /// Tokens to train on.
    pub tokens: u64,
    /// Clusters.
    pub clusters: Vec<String>,
    /// Training stack.
    pub stack: String,
    /// GPU counts, as an axis is typed.
    pub gpus: String,
    /// Sequence lengths.
    pub seq_len: String,
    /// Micro-batches.
    pub micro_batch: String,
    /// Gradient accumulations.
    pub grad_accum: String,
    /// Activation checkpointing.
    pub activation_checkpointing: Switch,
    /// Fewest tokens per optimizer step.
    pub global_batch_min_tokens: u64,
    /// Most tokens per optimizer step.
    pub global_batch_max_tokens: u64,
    /// What the ranking minimises.
    pub sort: Objective,
    /// How many candidates are shown.
    pub top: usize,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Whether `tight` configurations are ranked too.
    pub allow_tight: bool,
    /// What goes wrong on a cluster, and what it costs.
    pub reliability: Reliability,
    /// The type of price asked for; `null` when any will do.
    pub price_type: Option<String>,
    /// Whose price was asked for.
    pub provider: Option<String>,
    /// The region whose price was asked for.
    pub region: Option<String>,
    /// Whether a booking is asked for too, by a deadline, a budget or a number of nodes.
    pub booking: bool,
}

impl RequestReport {
    /// What is told of a request.
    #[must_use]
    pub fn new(request: &Request) -> Self {
        let shortest = request.seq_len.get(0).unwrap_or(request.model.seq_len);
        Self {
            model: request.model.name.clone(),
            params: request.model.shape.params(shortest),
            tokens: request.tokens.get(),
            clusters: request.clusters.iter().map(|c| c.name.clone()).collect(),
            stack: request.stack.name.clone(),
            gpus: request.gpus.to_string(),
            seq_len: request.seq_len.to_string(),
            micro_batch: request.micro_batch.to_string(),
            grad_accum: request.grad_accum.to_string(),
            activation_checkpointing: request.activation_checkpointing,
            global_batch_min_tokens: request.global_batch.min,
            global_batch_max_tokens: request.global_batch.max,
            sort: request.sort,
            top: request.top,
            confidence: request.confidence.get(),
            allow_tight: request.allow_tight,
            reliability: request.reliability,
            price_type: request.pricing.price_type.clone(),
            provider: request.pricing.provider.clone(),
            region: request.pricing.region.clone(),
            booking: request.reserve.has_goal(),
        }
    }
}

/// What the predictions rest on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FitReport {
    /// Name of the fit.
    pub name: String,
    /// Measured rows it was fitted to.
    pub rows: usize,
    /// Mean absolute error on rows held out of the fit, as a share; `null` where it wasn't
    /// determined.
    pub held_out_mape: Option<f64>,
}

impl FitReport {
    /// What is told of a fit.
    #[must_use]
    pub fn new(fit: &Fit) -> Self {
        Self {
            name: fit.name().to_owned(),
            rows: fit.rows(),
            held_out_mape: fit.held_out_mape(),
        }
    }
}

/// How many points the space had and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct SpaceReport {
    /// Points in the space.
    pub points: u64,
    /// Points whose time was computed; memory is settled for many points at once, and time where a
    /// bound shows that a point can't be among the best.
    pub evaluated: u64,
    /// Points that can be launched.
    pub feasible: u64,
    /// Points that can't, by reason.
    pub rejected: Rejections,
    /// Feasible points that a bound showed can't be among the best: `feasible − evaluated`.
    pub pruned: u64,
}

/// Points that can't be launched, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Rejections {
    /// Out of memory.
    pub overflows: u64,
    /// Too close to the memory limit, and `--allow-tight` was not given.
    pub tight: u64,
    /// No way to meet the global batch.
    pub global_batch: u64,
    /// More GPUs than the cluster has, or not whole nodes.
    pub cluster_size: u64,
}

impl SpaceReport {
    fn new(counts: &Counts) -> Self {
        // A space is refused before it has more points than 64 bits count.
        let narrow = |count: u128| u64::try_from(count).unwrap_or(u64::MAX);
        Self {
            points: narrow(counts.points),
            evaluated: narrow(counts.evaluated),
            feasible: narrow(counts.feasible),
            rejected: Rejections {
                overflows: narrow(counts.overflows),
                tight: narrow(counts.tight),
                global_batch: narrow(counts.global_batch),
                cluster_size: narrow(counts.cluster_size),
            },
            pruned: narrow(counts.feasible.saturating_sub(counts.evaluated)),
        }
    }
}
