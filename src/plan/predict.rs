//! The one configuration that a request describes.

use super::error::{PlanError, check_priced};
use super::physics::Goal;
use super::resolve::resolved;
use super::{Candidate, Planner};
use crate::configuration::Configuration;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::memory::{MemoryModel, Verdict};
use crate::quantity::MAX_COUNT;
use crate::search::{Axis, Limits, NEAREST, Objective, Switch, Watch};

impl Planner<'_> {
    /// Predicts the one configuration that `request` describes, feasible or not.
    ///
    /// What is left open is what a plan with the same axes puts first: its cluster, GPU count,
    /// micro-batch, accumulation and checkpointing; a front is taken by its fastest. Where such a plan
    /// finds nothing, it is one node of the first cluster, and what comes nearest to the global batch.
    ///
    /// # Errors
    /// When an axis has several values, when the configuration can't exist, or when a choice is left
    /// to a cost that nothing has.
    pub fn predict(&self, request: &Request) -> Result<Candidate, PlanError> {
        let request = &resolved(request)?;
        let (cluster, configuration) = self.single(request)?;
        self.candidate(
            request,
            cluster,
            &configuration,
            Some(request.global_batch.min),
        )
    }

    /// The configuration and its cluster.
    fn single<'r>(&self, request: &'r Request) -> Result<(&'r Cluster, Configuration), PlanError> {
        let first = request.clusters.first().ok_or(PlanError::NoCluster)?;
        let pinned = one("GPU count", &request.gpus)?;
        let spares = request.reliability.spare_nodes.unwrap_or(0);
        let size = |cluster: &Cluster| {
            pinned.unwrap_or_else(|| cluster.gpus_per_node.min(cluster.max_gpus))
        };
        let possible = |cluster: &&Cluster| check_size(cluster, size(cluster), spares).is_ok();
        let cluster = request.clusters.iter().find(possible).unwrap_or(first);
        let gpus = size(cluster);
        check_size(cluster, gpus, spares)?;
        let open = Open {
            cluster,
            gpus,
            seq_len: one("sequence length", &request.seq_len)?.unwrap_or(request.model.seq_len),
            micro_batch: one("micro-batch", &request.micro_batch)?,
            grad_accum: one("gradient accumulation", &request.grad_accum)?,
        };
        // An accumulation alone follows from the batch.
        let settled = open.micro_batch.is_some()
            && request.activation_checkpointing != Switch::Auto
            && pinned.is_some()
            && request.clusters.len() == 1;
        let planned = if settled {
            None
        } else {
            self.planned(request)?
        };
        let (cluster, configuration) =
            planned.unwrap_or_else(|| (cluster, self.nearest(request, &open)));
        check_batch(&configuration)?;
        Ok((cluster, configuration))
    }

    /// What a plan of the request puts first; `None` where it finds nothing.
    fn planned<'r>(
        &self,
        request: &'r Request,
    ) -> Result<Option<(&'r Cluster, Configuration)>, PlanError> {
        let objective = match request.sort {
            Objective::Pareto => Objective::Time,
            sort => sort,
        };
        let limits = Limits {
            top: 1,
            gpu_counts: 1,
            allow_tight: request.allow_tight,
            prune: true,
        };
        let outcome = self.sweep(request, Goal::Best(objective), limits, &Watch::new());
        let Ok(best) = outcome.map(|outcome| outcome.best) else {
            return Ok(None);
        };
        if objective == Objective::Cost && !best.is_empty() {
            check_priced(request, &best)?;
        }
        Ok(best.first().and_then(|ranked| {
            let cluster = request.clusters.get(ranked.cluster)?;
            Some((cluster, ranked.configuration))
        }))
    }

    /// Where no plan is: by checkpointing choice the largest micro-batch that fits, with the
    /// accumulation nearest to the batch; of the two what fits better, then what is faster.
    fn nearest(&self, request: &Request, open: &Open<'_>) -> Configuration {
        let &Open {
            cluster,
            gpus,
            seq_len,
            micro_batch,
            grad_accum,
        } = open;
        let setting = request.setting(cluster);
        let steps = self.fit().setting_model(&setting);
        let unit = u128::from(gpus) * u128::from(seq_len);
        let share = u128::from(request.global_batch.max) / unit.max(1);
        let most = u64::try_from(share).unwrap_or(u64::MAX).max(1);
        let with = |activation_checkpointing: bool| {
            let fit = self.fit();
            let memory = fit.memory_model(&setting, gpus, seq_len, activation_checkpointing);
            let micro_batch = micro_batch.unwrap_or_else(|| largest_that_fits(&memory, most));
            let grad_accum = grad_accum.unwrap_or_else(|| {
                let step = unit.saturating_mul(u128::from(micro_batch)).max(1);
                nearest_accumulation(request.global_batch.min, request.global_batch.max, step)
            });
            let model = steps.step_model(gpus, seq_len, activation_checkpointing);
            let step_s = model.micro_batch(micro_batch).step_s(grad_accum);
            let configuration = Configuration {
                gpus,
                seq_len,
                micro_batch,
                grad_accum,
                activation_checkpointing,
            };
            let pace = step_s / (micro_batch as f64 * grad_accum as f64);
            (memory.verdict(micro_batch), pace, configuration)
        };
        let choices = request.activation_checkpointing.choices();
        let tried = choices.iter().map(|choice| with(*choice));
        let best = tried.min_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        best.unwrap_or_else(|| with(false)).2
    }
}

/// What a request settles of its one configuration.
struct Open<'a> {
    cluster: &'a Cluster,
    gpus: u64,
    seq_len: u64,
    micro_batch: Option<u64>,
    grad_accum: Option<u64>,
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

fn check_size(cluster: &Cluster, gpus: u64, spares: u64) -> Result<(), PlanError> {
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
        spares,
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
