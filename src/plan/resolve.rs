//! What a request leaves open, filled in and checked before anything is searched.

use super::PlanError;
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

/// Leaves the spare nodes that were asked for out of what a job can have.
fn room_for_spares(request: &mut Request) -> Result<(), PlanError> {
    let Some(spares) = request.reliability.spare_nodes.filter(|spares| *spares > 0) else {
        return Ok(());
    };
    for cluster in &mut request.clusters {
        let nodes = cluster.whole_nodes();
        if nodes <= spares {
            return Err(PlanError::NoNodeLeft {
                cluster: cluster.name.clone(),
                nodes,
                spares,
            });
        }
        cluster.max_gpus = (nodes - spares).saturating_mul(cluster.gpus_per_node);
    }
    Ok(())
}
