//! The GPU counts a cluster can give a job.

use super::axis::Axis;
use crate::hardware::Cluster;

/// GPU counts of one cluster, ascending; computed from their position, never stored for ranges.
#[derive(Debug, Clone)]
pub(super) struct GpuCounts {
    /// Counts within one node, then whole nodes beyond one.
    pieces: Vec<Axis>,
    /// How many values of the axis the cluster can't give.
    pub(super) refused: u64,
}

impl GpuCounts {
    /// The counts of `axis` that `cluster` can give: any number within a node, whole nodes beyond.
    ///
    /// `auto` means powers of two nodes, from one up to the largest, and the largest itself; or
    /// every number of nodes.
    pub(super) fn new(axis: &Axis, cluster: &Cluster, every_node: bool) -> Self {
        let node = cluster.gpus_per_node.max(1);
        let most = largest(cluster, node);
        let pieces = match axis {
            Axis::Auto if every_node && most > node => vec![Axis::Stepped {
                low: node,
                high: most,
                step: node,
            }],
            Axis::Auto => vec![whole_node_ladder(node, most)],
            Axis::List(_) | Axis::Doubling { .. } => {
                let allowed =
                    |gpus: &u64| *gpus <= most && (*gpus <= node || gpus.is_multiple_of(node));
                vec![Axis::list(
                    axis.iter().take_while(|gpus| *gpus <= most).filter(allowed),
                )]
            }
            Axis::Stepped { low, high, step } => stepped(*low, (*high).min(most), *step, node),
        };
        let mut counts = Self { pieces, refused: 0 };
        counts.refused = axis.len().saturating_sub(counts.len());
        counts
    }

    pub(super) fn len(&self) -> u64 {
        self.pieces.iter().map(Axis::len).sum()
    }

    pub(super) fn get(&self, mut index: u64) -> Option<u64> {
        for piece in &self.pieces {
            if index < piece.len() {
                return piece.get(index);
            }
            index -= piece.len();
        }
        None
    }

    /// At most `limit` of the counts, spread evenly over their orders of magnitude, both ends kept.
    pub(super) fn sample(&self, limit: u64) -> Vec<u64> {
        let len = self.len();
        if len <= limit {
            return (0..len).filter_map(|index| self.get(index)).collect();
        }
        let (Some(first), Some(last)) = (self.get(0), self.get(len - 1)) else {
            return Vec::new();
        };
        let Some(places) = limit.checked_sub(1) else {
            return Vec::new();
        };
        if places == 0 {
            return vec![first];
        }
        let ratio = last as f64 / first as f64;
        // The last one's place isn't computed: rounding may put it one count too low.
        let mut counts: Vec<u64> = (0..places)
            .filter_map(|place| {
                let share = place as f64 / places as f64;
                self.first_at_least(first as f64 * ratio.powf(share))
            })
            .chain([last])
            .collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    fn first_at_least(&self, target: f64) -> Option<u64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive count; the cast saturates"
        )]
        let target = target.floor() as u64;
        let below: u64 = self
            .pieces
            .iter()
            .map(|axis| axis.count_below(target))
            .sum();
        self.get(below)
    }
}

/// How many of the counts of `axis` that `cluster` can give are looked at where at most `limit` are:
/// among small counts, several places of an even spread fall on one.
pub(crate) fn sampled_counts(axis: &Axis, cluster: &Cluster, limit: u64) -> u64 {
    GpuCounts::new(axis, cluster, false).sample(limit).len() as u64
}

/// The most GPUs one job can have: whole nodes, and one node when nodes aren't linked.
fn largest(cluster: &Cluster, node: u64) -> u64 {
    let most = match cluster.inter_node_bytes_per_s {
        Some(_) => cluster.max_gpus,
        None => cluster.max_gpus.min(node),
    };
    if most > node {
        most - most % node
    } else {
        most
    }
}

fn whole_node_ladder(node: u64, most: u64) -> Axis {
    let powers = Axis::Doubling {
        low: node.min(most).max(1),
        high: most,
    };
    Axis::list(powers.iter().chain((most > 0).then_some(most)))
}

/// A stepped range cut into the counts within one node and the whole nodes beyond it, each of
/// which is a stepped range again.
fn stepped(low: u64, high: u64, step: u64, node: u64) -> Vec<Axis> {
    let within = Axis::Stepped {
        low,
        high: high.min(node),
        step,
    };
    let all = Axis::Stepped { low, high, step };
    // Remainders modulo the node repeat after at most `node` steps.
    let first = (within.len()..all.len())
        .take_while(|index| index - within.len() < node)
        .filter_map(|index| all.get(index))
        .find(|gpus| gpus.is_multiple_of(node));
    let whole = first.map(|first| Axis::Stepped {
        low: first,
        high,
        step: least_common_multiple(step, node),
    });
    std::iter::once(within).chain(whole).collect()
}

/// Saturates: a step too large to be represented is one that is never taken.
fn least_common_multiple(a: u64, b: u64) -> u64 {
    (a / num_integer::gcd(a, b).max(1)).saturating_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::Catalog;
    use proptest::prelude::*;

    fn cluster(gpus_per_node: u64) -> Cluster {
        Cluster {
            gpus_per_node,
            max_gpus: 1 << 20,
            ..Catalog::embedded().cluster("r7z2").unwrap().clone()
        }
    }

    /// A sample of dense counts whose last place rounds down.
    #[test]
    fn a_sample_keeps_the_largest_count() {
        let axis = Axis::Stepped {
            low: 100,
            high: 402,
            step: 1,
        };
        let counts = GpuCounts::new(&axis, &cluster(1), false).sample(64);
        assert_eq!((counts.first(), counts.last()), (Some(&100), Some(&402)));
        assert!(counts.len() <= 64, "{counts:?}");
    }

    proptest! {
        #[test]
        fn a_sample_is_some_of_the_counts_with_both_ends(
            low in 1_u64..2000,
            more in 0_u64..5000,
            step in 1_u64..9,
            node in 1_u64..9,
            limit in 1_u64..70,
        ) {
            let axis = Axis::Stepped { low, high: low + more, step };
            let counts = GpuCounts::new(&axis, &cluster(node), false);
            let all: Vec<u64> = (0..counts.len()).filter_map(|index| counts.get(index)).collect();
            let sample = counts.sample(limit);
            prop_assert!(sample.len() as u64 <= limit);
            prop_assert!(sample.is_sorted_by(|one, next| one < next), "{:?}", sample);
            prop_assert!(sample.iter().all(|count| all.contains(count)));
            prop_assert_eq!(sample.first(), all.first());
            if limit > 1 {
                prop_assert_eq!(sample.last(), all.last());
            }
        }
    }
}
