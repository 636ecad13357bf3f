//! The one configuration that a request describes.

use super::error::PlanError;
use crate::configuration::{Configuration, Setting};
use crate::hardware::Cluster;
use crate::job::Request;
use crate::memory::{MemoryModel, Verdict};
use crate::quantity::MAX_COUNT;
use crate::search::{Axis, NEAREST};

/// The configuration and its cluster, the first of those named.
pub(super) fn single(request: &Request) -> Result<(&Cluster, Configuration), PlanError> {
    let cluster = request.clusters.first().ok_or(PlanError::NoCluster)?;
    let gpus = one("GPU count", &request.gpus)?
        .unwrap_or_else(|| cluster.gpus_per_node.min(cluster.max_gpus));
    check_size(cluster, gpus)?;
    let seq_len = one("sequence length", &request.seq_len)?.unwrap_or(request.model.seq_len);
    let micro_batch = one("micro-batch", &request.micro_batch)?;
    let grad_accum = one("gradient accumulation", &request.grad_accum)?;
    let setting = Setting {
        shape: &request.model.shape,
        cluster,
        stack: &request.stack,
    };
    let unit = u128::from(gpus) * u128::from(seq_len);
    let share = u128::from(request.global_batch.max) / unit.max(1);
    let most = u64::try_from(share).unwrap_or(u64::MAX).max(1);

    // Checkpointing stays off where that fits no worse: recomputing costs time.
    let choice = request
        .activation_checkpointing
        .choices()
        .iter()
        .map(|&activation_checkpointing| {
            let memory = MemoryModel::new(&setting, gpus, seq_len, activation_checkpointing);
            let micro_batch = micro_batch.unwrap_or_else(|| largest_that_fits(&memory, most));
            (
                memory.verdict(micro_batch),
                activation_checkpointing,
                micro_batch,
            )
        })
        .min_by_key(|(verdict, activation_checkpointing, _)| (*verdict, *activation_checkpointing));
    let (activation_checkpointing, micro_batch) = match choice {
        Some((_, activation_checkpointing, micro_batch)) => (activation_checkpointing, micro_batch),
        None => (false, micro_batch.unwrap_or(1)),
    };
    let grad_accum = grad_accum.unwrap_or_else(|| {
        let step = unit.saturating_mul(u128::from(micro_batch)).max(1);
        nearest_accumulation(request.global_batch.min, request.global_batch.max, step)
    });
    let configuration = Configuration {
        gpus,
        seq_len,
        micro_batch,
        grad_accum,
        activation_checkpointing,
    };
    check_batch(&configuration)?;
    Ok((cluster, configuration))
}

/// The value of an axis that must have at most one; `None` for `auto`.
fn one(name: &'static str, axis: &Axis) -> Result<Option<u64>, PlanError> {
    if axis.len() > 1 {
        return Err(PlanError::NotSingle {
            axis: name,
            values: axis.to_string(),
        });
    }
    Ok(axis.get(0))
}

/// The largest power of two up to `most` that fits, or 1.
fn largest_that_fits(memory: &MemoryModel, most: u64) -> u64 {
    let powers = Axis::Doubling { low: 1, high: most };
    powers
        .iter()
        .take_while(|micro_batch| memory.verdict(*micro_batch) == Verdict::Fits)
        .last()
        .unwrap_or(1)
}

/// The number of micro-steps of `step` tokens whose sum is nearest to the batch, at least 1; where
/// a whole range is accepted, the most that stay within it. Up to a twentieth below comes before
/// anything above, as in a search.
fn nearest_accumulation(min: u64, max: u64, step: u128) -> u64 {
    let (min, max) = (u128::from(min), u128::from(max));
    let below = max / step;
    let (least, whole) = NEAREST;
    let nearest = if below * step * whole >= min * least {
        below
    } else if (below + 1) * step - max < min - below * step {
        below + 1
    } else {
        below
    };
    u64::try_from(nearest.max(1)).unwrap_or(u64::MAX)
}

fn check_size(cluster: &Cluster, gpus: u64) -> Result<(), PlanError> {
    let node = cluster.gpus_per_node;
    let linked = cluster.inter_node_bytes_per_s.is_some();
    let possible = gpus >= 1
        && gpus <= cluster.max_gpus
        && (gpus <= node || (linked && gpus.is_multiple_of(node)));
    if possible {
        return Ok(());
    }
    Err(PlanError::ClusterSize {
        cluster: cluster.name.clone(),
        gpus,
        gpus_per_node: node,
        max_gpus: if linked {
            cluster.max_gpus
        } else {
            cluster.max_gpus.min(node)
        },
    })
}

/// Refuses a step of more tokens than any quantity here can have.
fn check_batch(configuration: &Configuration) -> Result<(), PlanError> {
    let &Configuration {
        gpus,
        seq_len,
        micro_batch,
        grad_accum,
        ..
    } = configuration;
    let tokens = [seq_len, micro_batch, grad_accum]
        .into_iter()
        .try_fold(gpus, u64::checked_mul);
    match tokens {
        Some(tokens) if tokens <= MAX_COUNT => Ok(()),
        _ => Err(PlanError::BatchTooLarge {
            gpus,
            micro_batch,
            grad_accum,
            seq_len,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_accumulation_is_found() {
        for ((min, max, step), expected) in [
            ((100, 100, 10), 10),
            ((100, 100, 30), 3),
            ((100, 100, 60), 2),
            ((100, 100, 24), 4),
            ((100, 100, 35), 3),
            ((100, 100, 1000), 1),
            ((100, 250, 30), 8),
            ((1, 1, 1 << 100), 1),
        ] {
            assert_eq!(
                nearest_accumulation(min, max, step),
                expected,
                "{min} {max} {step}"
            );
        }
    }
}
