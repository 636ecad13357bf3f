//! Why there is no plan, and what would make one.

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use super::SpaceReport;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::quantity::{counted, display_thousands};
use crate::search::{Objective, Ranked, SpaceError};
use crate::throughput::FitError;

/// A change to the request under which a configuration can be launched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Remedy {
    /// What to change, in words and flags.
    pub change: String,
    /// A configuration that can be launched then, in words.
    pub configuration: String,
    /// Nodes that it trains on.
    #[serde(skip)]
    pub nodes: u64,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PlanError {
    /// There is no space to search.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// Sequences longer than the model's learned positions.
    #[error(
        "sequence length {seq_len} is more than the {max_positions} positions {model} has learned"
    )]
    BeyondPositions {
        /// The model.
        model: String,
        /// The sequence length asked for.
        seq_len: u64,
        /// Positions the model has.
        max_positions: u64,
    },
    /// No cluster was named.
    #[error("there is no cluster to plan for")]
    NoCluster,
    /// No candidate was asked for.
    #[error("a plan of 0 candidates says nothing; ask for at least 1")]
    NoCandidates,
    /// Cost is what to weigh by, but nothing that can be launched has a price.
    #[error("nothing can be weighed by its cost: no price is known for {}", clusters.join(", "))]
    NoPrice {
        /// Clusters on which something can be launched.
        clusters: Vec<String>,
        /// Why each of them has none, in words.
        why: Vec<String>,
    },
    /// Nothing in the space can be launched.
    #[error("{}", nothing_feasible(space))]
    NothingFeasible {
        /// What became of the points.
        space: SpaceReport,
        /// Changes that would help, the smallest first; empty when none was found.
        remedies: Vec<Remedy>,
    },
    /// The search was ended before it found anything that can be launched.
    #[error(
        "the search was ended after {} configurations, none of which can be launched",
        display_thousands(space.points.into())
    )]
    Cancelled {
        /// What became of the points seen by then.
        space: SpaceReport,
    },
    /// One configuration was asked about, but an axis has several values.
    #[error("one configuration has one {axis}, but `{values}` was given")]
    NotSingle {
        /// The axis.
        axis: &'static str,
        /// Its values, as typed.
        values: String,
    },
    /// A GPU count that the cluster can't give.
    #[error(
        "{cluster} can't give {gpus} GPUs: it has nodes of {gpus_per_node} and gives one job at \
         most {max_gpus}{}, in whole nodes beyond one",
        beside(*spares)
    )]
    ClusterSize {
        /// The cluster.
        cluster: String,
        /// GPUs asked for.
        gpus: u64,
        /// GPUs in a node.
        gpus_per_node: u64,
        /// The most it gives.
        max_gpus: u64,
        /// Nodes kept spare beside them.
        spares: u64,
    },
    /// A cluster that has no node beside the spare ones.
    #[error(
        "{cluster} has no more than {}: with {spares} spare, none is left to train on (`--spares`)",
        counted(*nodes, "node")
    )]
    NoNodeLeft {
        /// The cluster.
        cluster: String,
        /// Its nodes.
        nodes: u64,
        /// Spare nodes asked for.
        spares: u64,
    },
    /// A step of more tokens than are supported.
    #[error(
        "a step of {gpus} GPUs × {micro_batch} × {grad_accum} sequences of {seq_len} tokens has \
         more than 10^18 tokens"
    )]
    BatchTooLarge {
        /// GPUs.
        gpus: u64,
        /// Micro-batch.
        micro_batch: u64,
        /// Gradient accumulation.
        grad_accum: u64,
        /// Sequence length.
        seq_len: u64,
    },
    /// A prediction that isn't a finite number.
    #[error("the prediction for {configuration} is not a finite number")]
    NotFinite {
        /// The configuration, in words.
        configuration: String,
    },
    /// The fit can't be used.
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// Refuses to weigh by cost where none of what can be launched has a price.
pub(super) fn check_priced(request: &Request, places: &[Ranked]) -> Result<(), PlanError> {
    let clusters = places
        .iter()
        .filter_map(|place| request.clusters.get(place.cluster));
    any_priced(request, clusters)
}

/// The same where nothing can be launched: a remedy that changes no price would not help.
pub(super) fn check_priced_at_all(request: &Request) -> Result<(), PlanError> {
    match request.sort {
        Objective::Cost | Objective::Pareto => any_priced(request, request.clusters.iter()),
        Objective::Time | Objective::GpuHours | Objective::Throughput => Ok(()),
    }
}

fn any_priced<'a>(
    request: &Request,
    among: impl Iterator<Item = &'a Cluster>,
) -> Result<(), PlanError> {
    let mut clusters: Vec<&Cluster> = Vec::new();
    for cluster in among {
        if request.pricing.price(cluster).is_some() {
            return Ok(());
        }
        if !clusters.iter().any(|known| known.name == cluster.name) {
            clusters.push(cluster);
        }
    }
    Err(PlanError::NoPrice {
        clusters: clusters.iter().map(|c| c.name.clone()).collect(),
        why: clusters
            .iter()
            .filter_map(|cluster| request.pricing.why_none(cluster))
            .collect(),
    })
}

/// What became of points that can't be launched: `10 out of memory`; empty where there are none.
pub(crate) fn rejected_words(space: &SpaceReport) -> String {
    let rejected = space.rejected;
    let reasons = [
        (rejected.overflows, "out of memory"),
        (rejected.tight, "too near the memory limit"),
        (rejected.global_batch, "not at the global batch"),
        (rejected.cluster_size, "not a size the cluster gives"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, reason)| format!("{} {reason}", display_thousands(count.into())));
    reasons.collect::<Vec<String>>().join(", ")
}

fn nothing_feasible(space: &SpaceReport) -> String {
    let reasons = rejected_words(space);
    let points = match space.points {
        1 => "the only configuration can't".to_owned(),
        points => format!(
            "none of {} configurations can",
            display_thousands(points.into())
        ),
    };
    if reasons.is_empty() {
        "there is no configuration to search".into()
    } else {
        format!("{points} be launched: {reasons}")
    }
}

/// Beside which spare nodes a job runs, if any.
fn beside(spares: u64) -> String {
    if spares == 0 {
        return String::new();
    }
    format!(" beside {} (`--spares`)", counted(spares, "spare node"))
}
