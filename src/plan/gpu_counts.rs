//! The best configuration of every GPU count, for whoever chooses among counts.

use rayon::prelude::*;

use super::candidate::Candidate;
use super::error::PlanError;
use super::physics::Goal;
use super::planner::Planner;
use super::resolve::resolved;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::search::{Axis, Limits, Objective, Watch, sampled_counts};

/// For how many GPU counts of a cluster the best configuration is looked for, at most; beyond, they
/// are spread evenly over their orders of magnitude.
const MAX_COUNTS: u64 = 16_384;

impl Planner<'_> {
    /// The fastest configuration of every GPU count of `cluster`, ascending: of every number of
    /// whole nodes up to `max_nodes` where the request leaves GPU counts open, else of those it
    /// names. Empty when nothing can be launched there.
    ///
    /// # Errors
    /// When there is no space to search.
    pub fn fastest_by_gpu_count(
        &self,
        request: &Request,
        cluster: &Cluster,
        max_nodes: u64,
    ) -> Result<Vec<Candidate>, PlanError> {
        let mut request = resolved(request)?;
        request.clusters = vec![cluster.clone()];
        request.sort = Objective::Time;
        if request.gpus == Axis::Auto {
            request.gpus = every_node_count(&request, cluster, max_nodes);
        }
        let limits = Limits {
            top: 1,
            gpu_counts: MAX_COUNTS,
            allow_tight: request.allow_tight,
            prune: true,
        };
        let goal = Goal::Best(Objective::Time);
        let mut found = self
            .sweep(&request, goal, limits, &Watch::new())?
            .best_by_gpu_count;
        found.retain(|place| cluster.nodes(place.configuration.gpus) <= max_nodes);
        found.sort_by_key(|place| place.configuration.gpus);
        let asked = Some(request.global_batch.min);
        let predicted: Vec<Result<Candidate, PlanError>> = found
            .par_iter()
            .map(|place| self.candidate(&request, cluster, &place.configuration, asked))
            .collect();
        // In order, so that the first error is the one that is told.
        predicted.into_iter().collect()
    }
}

/// How many numbers of whole nodes up to `max_nodes` a request leaves open on a cluster, where that is
/// more than are looked at, and how many those are.
///
/// # Errors
/// When there is no space to search.
pub(crate) fn counts_left_out(
    request: &Request,
    cluster: &Cluster,
    max_nodes: u64,
) -> Result<Option<(u64, u64)>, PlanError> {
    if request.gpus != Axis::Auto {
        return Ok(None);
    }
    let counts = every_node_count(&resolved(request)?, cluster, max_nodes);
    let open = counts.len();
    let weighed = || sampled_counts(&counts, cluster, MAX_COUNTS);
    Ok((open > MAX_COUNTS).then(|| (open, weighed())))
}

/// Every whole node up to the most that can share the global batch, a sequence each.
fn every_node_count(request: &Request, cluster: &Cluster, max_nodes: u64) -> Axis {
    let node = cluster.gpus_per_node.min(cluster.max_gpus).max(1);
    let shortest = request.seq_len.get(0).unwrap_or(1).max(1);
    let sharing = (request.global_batch.max / shortest).max(node);
    let high = cluster
        .max_gpus
        .min(max_nodes.max(1).saturating_mul(cluster.gpus_per_node))
        .min(sharing);
    Axis::Stepped {
        low: node,
        high,
        step: node,
    }
}
