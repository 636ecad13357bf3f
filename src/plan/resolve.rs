//! What a request leaves open, filled in and checked before anything is searched.

use super::PlanError;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::search::{Axes, Axis};

/// The axes of a request.
pub(super) fn axes(request: &Request) -> Axes {
    Axes {
        gpus: request.gpus.clone(),
        seq_len: request.seq_len.clone(),
        micro_batch: request.micro_batch.clone(),
        grad_accum: request.grad_accum.clone(),
        activation_checkpointing: request.activation_checkpointing,
        global_batch: request.global_batch.min..=request.global_batch.max,
    }
}

/// The request with its sequence length filled in, checked for what no search can mend.
pub(super) fn resolved(request: &Request) -> Result<Request, PlanError> {
    let mut request = request.clone();
    if request.seq_len == Axis::Auto {
        request.seq_len = Axis::list([request.model.seq_len]);
    }
    if request.clusters.is_empty() {
        return Err(PlanError::NoCluster);
    }
    if request.top == 0 {
        return Err(PlanError::NoCandidates);
    }
    room_for_spares(&mut request)?;
    let longest = request.seq_len.largest_up_to(u64::MAX);
    match (request.model.shape.position_limit(), longest) {
        (Some(max_positions), Some(seq_len)) if seq_len > max_positions => {
            Err(PlanError::BeyondPositions {
                model: request.model.name,
                seq_len,
                max_positions,
            })
        }
        _ => Ok(request),
    }
}

/// Leaves the spare nodes that were asked for out of what a job can have, and the clusters on which
/// nothing is left beside them.
fn room_for_spares(request: &mut Request) -> Result<(), PlanError> {
    let Some(spares) = request.reliability.spare_nodes.filter(|spares| *spares > 0) else {
        return Ok(());
    };
    let left = |cluster: &Cluster| cluster.whole_nodes().saturating_sub(spares);
    let all = std::mem::take(&mut request.clusters);
    // Of the largest, since that is where the fewest spares fewer would do.
    let largest = all.iter().rev().max_by_key(|cluster| cluster.whole_nodes());
    let none = largest.map(|cluster| no_node_left(cluster, spares));
    request.clusters = all
        .into_iter()
        .filter(|cluster| left(cluster) > 0)
        .collect();
    if let (true, Some(none)) = (request.clusters.is_empty(), none) {
        return Err(none);
    }
    for cluster in &mut request.clusters {
        cluster.max_gpus = left(cluster).saturating_mul(cluster.gpus_per_node);
    }
    Ok(())
}

fn no_node_left(cluster: &Cluster, spares: u64) -> PlanError {
    PlanError::NoNodeLeft {
        cluster: cluster.name.clone(),
        nodes: cluster.whole_nodes(),
        spares,
    }
}

/// Clusters of a request that are left out beside others, with why.
#[must_use]
pub fn left_out(request: &Request) -> Vec<String> {
    let spares = request.reliability.spare_nodes.unwrap_or(0);
    let clusters = request.clusters.iter();
    clusters
        .filter(|cluster| spares > 0 && cluster.whole_nodes() <= spares)
        .map(|cluster| format!("left out: {}", no_node_left(cluster, spares)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobFile, resolve};
    use crate::preset::Catalog;

    fn request(clusters: &str) -> Request {
        let job =
            format!("model = \"gpt-7b\"\ncluster = [{clusters}]\n[reliability]\nspares = 2\n");
        let file = JobFile::parse("job.toml", &job).unwrap();
        resolve(file.settings, &Catalog::embedded()).unwrap()
    }

    /// Spares that leave a cluster no node leave it out where another is named.
    #[test]
    fn a_cluster_without_a_node_beside_the_spares_is_left_out() {
        let both = request("\"r1z1\", \"gpu_8x_a100_80gb_sxm4\"");
        let left = resolved(&both).unwrap();
        assert_eq!(left.clusters.len(), 1);
        assert_eq!(left.clusters[0].max_gpus, both.clusters[0].max_gpus - 16);
        let told = left_out(&both).join("\n");
        assert!(told.contains("left out: gpu_8x_a100_80gb_sxm4"), "{told}");
        let alone = resolved(&request("\"gpu_8x_a100_80gb_sxm4\""));
        assert!(
            matches!(alone, Err(PlanError::NoNodeLeft { .. })),
            "{alone:?}"
        );
    }
}
