//! Numbers of nodes that a search doesn't try: GPU counts left open are doubled, so that a table shows
//! how a job scales, and a number between two of them may be better than either.

use super::candidate::Candidate;
use super::physics::{Goal, Physics};
use super::planner::Planner;
use super::resolve::axes;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::quantity::display_thousands;
use crate::search::{Axis, Limits, Objective, Space, Watch, sweep};

/// Shares by which another number of nodes has to be better to be worth a word.
const WORTH_A_WORD: f64 = 0.03;

/// Numbers of nodes of all clusters times sequence lengths that are looked through for it, at most.
const MOST: u64 = 4_096;

/// That a number of nodes which wasn't tried is better than all that were, and by how much.
pub(super) fn note(planner: &Planner<'_>, request: &Request, best: &Candidate) -> Option<String> {
    let (would, less) = match request.sort {
        Objective::Cost => ("cost", "less"),
        Objective::Time => ("take", "less time"),
        Objective::GpuHours => ("take", "fewer GPU-hours"),
        Objective::Throughput => ("train", "more tokens per second"),
        Objective::Pareto => return None,
    };
    let nodes = request.clusters.iter().map(Cluster::whole_nodes);
    let nodes = nodes.fold(0, u64::saturating_add);
    let places = nodes.saturating_mul(request.seq_len.len().max(1));
    if request.gpus != Axis::Auto || places > MOST {
        return None;
    }
    let space = Space::of_every_node(axes(request), &request.clusters).ok()?;
    let physics = Physics::new(request, planner.fit(), Goal::Best(request.sort));
    let limits = Limits {
        top: 1,
        gpu_counts: 0,
        allow_tight: request.allow_tight,
        prune: true,
    };
    let found = sweep(&space, &physics, limits, &Watch::new()).best;
    let found = planner.candidates(request, &found, request.sort).ok()?;
    let better = found.first()?;
    let saved = (better.ratio_to(best, request.sort)? - 1.0).abs();
    if saved <= WORTH_A_WORD {
        return None;
    }
    let spare = match better.spare_nodes {
        spares if spares <= best.spare_nodes => String::new(),
        1 => ", with a node to spare".to_owned(),
        spares => format!(", with {} nodes to spare", display_thousands(spares.into())),
    };
    let batch = if better.global_batch_shortfall > best.global_batch_shortfall {
        let tokens = display_thousands(better.global_batch_tokens.into());
        format!(", at a global batch of {tokens} tokens")
    } else {
        String::new()
    };
    Some(format!(
        "of the numbers of nodes, powers of two and all were tried: {} GPUs of {} would {would} \
         {:.0} % {less} than rank 1{spare}{batch} (`--gpus {}`); `--sort pareto` tries every number",
        display_thousands(better.gpus.into()),
        better.cluster,
        saved * 100.0,
        better.gpus
    ))
}
