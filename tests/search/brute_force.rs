//! The search written down naively: every point formed, everything kept and sorted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use tminus::configuration::Configuration;
use tminus::hardware::Cluster;
use tminus::memory::Verdict;
use tminus::search::{Axes, Axis, Counts, Evaluator, Group, GroupEvaluator, Outcome, Ranked};

use super::Case;

/// GPU counts of one cluster: those it can give, and how many it can't.
fn gpu_counts(axis: &Axis, cluster: &Cluster) -> (Vec<u64>, u128) {
    let node = cluster.gpus_per_node;
    let can = |gpus: u64| {
        gpus <= cluster.max_gpus
            && (gpus <= node
                || (gpus.is_multiple_of(node) && cluster.inter_node_bytes_per_s.is_some()))
    };
    if *axis == Axis::Auto {
        let all: Vec<u64> = (1..=cluster.max_gpus).filter(|gpus| can(*gpus)).collect();
        let largest = all.last().copied();
        let mut counts: Vec<u64> = all
            .into_iter()
            .filter(|gpus| gpus % node == 0 && (gpus / node).is_power_of_two())
            .chain(largest)
            .collect();
        counts.dedup();
        return (counts, 0);
    }
    let (counts, refused): (Vec<u64>, Vec<u64>) = axis.iter().partition(|gpus| can(*gpus));
    (counts, refused.len() as u128)
}

/// `(micro-batch, accumulation)` pairs of the axes, by micro-batch.
fn pairs(axes: &Axes, unit: u64) -> BTreeMap<u64, Vec<u64>> {
    let most = axes.global_batch.end() / unit;
    let micros: Vec<u64> = match &axes.micro_batch {
        Axis::Auto => {
            let range = axes.global_batch.start() < axes.global_batch.end();
            let few: Vec<u64> = match &axes.grad_accum {
                Axis::Auto => (1..=32).collect(),
                axis => axis.iter().take(32).collect(),
            };
            let divided_by_halves = most.is_power_of_two()
                && (axes.grad_accum == Axis::Auto || few.iter().all(|n| n.is_power_of_two()));
            // The largest with each of up to 32 accumulations, where powers of two don't do.
            let (odd, few): (&[u64], Vec<u64>) = if !range && divided_by_halves {
                (&[1], Vec::new())
            } else {
                (&[1, 3, 5, 7], few)
            };
            (0..60)
                .flat_map(|power| odd.iter().map(move |odd| odd << power))
                .filter(|micro| *micro <= most.max(1))
                .chain(few.into_iter().map(|accum| most / accum))
                .filter(|micro| *micro > 0)
                .collect()
        }
        axis => axis.iter().collect(),
    };
    micros
        .into_iter()
        .map(|micro| match &axes.grad_accum {
            Axis::Auto => (micro, (1..=most / micro).collect()),
            axis => (micro, axis.iter().collect()),
        })
        .collect()
}

/// The `(micro-batch, accumulation)` pairs that meet the global batch at one GPU count and sequence
/// length: those in its range, those that meet it exactly, or else of each micro-batch the one
/// nearest below, up to a twentieth off.
fn meeting(axes: &Axes, unit: u64, pairs: &BTreeMap<u64, Vec<u64>>) -> BTreeSet<(u64, u64)> {
    let (min, max) = (*axes.global_batch.start(), *axes.global_batch.end());
    let all = || {
        pairs
            .iter()
            .flat_map(|(micro, accums)| accums.iter().map(|accum| (*micro, *accum)))
    };
    let batch = |(micro, accum): (u64, u64)| unit * micro * accum;
    let within: BTreeSet<_> = all()
        .filter(|pair| (min..=max).contains(&batch(*pair)))
        .collect();
    if min < max || !within.is_empty() {
        return within;
    }
    let below = all().filter(|pair| batch(*pair) <= max && batch(*pair) * 20 >= max * 19);
    let nearest: BTreeMap<u64, u64> = below.collect();
    nearest.into_iter().collect()
}

pub(super) fn brute_force(case: &Case) -> Outcome {
    let axes = &case.axes;
    let mut counts = Counts::default();
    let mut all: Vec<Ranked> = Vec::new();
    for (index, cluster) in case.clusters.iter().enumerate() {
        let (gpus, refused) = gpu_counts(&axes.gpus, cluster);
        let lengths = [&axes.seq_len, &axes.micro_batch, &axes.grad_accum]
            .map(|axis| u128::from(axis.len().max(1)));
        let choices = axes.activation_checkpointing.choices();
        counts.cluster_size += refused * lengths.iter().product::<u128>() * choices.len() as u128;
        for gpus in gpus {
            for seq_len in axes.seq_len.iter() {
                let unit = gpus * seq_len;
                let pairs = pairs(axes, unit);
                let met = meeting(axes, unit, &pairs);
                for checkpointing in choices {
                    let group = Group {
                        cluster_index: index,
                        cluster,
                        gpus,
                        seq_len,
                    };
                    let evaluator = case.physics.group(&group, *checkpointing);
                    for (micro, accums) in &pairs {
                        let verdict = evaluator.verdict(*micro);
                        let met = |accum: &&u64| met.contains(&(*micro, **accum));
                        let meeting = accums.iter().filter(met).count() as u128;
                        let points = if axes.grad_accum == Axis::Auto {
                            meeting.max(1)
                        } else {
                            accums.len() as u128
                        };
                        counts.points += points;
                        if verdict == Verdict::Overflows {
                            counts.overflows += points;
                            continue;
                        }
                        counts.global_batch += points - meeting;
                        if verdict == Verdict::Tight && !case.limits.allow_tight {
                            counts.tight += meeting;
                            continue;
                        }
                        counts.feasible += meeting;
                        for accum in accums.iter().filter(met) {
                            let step_s = evaluator.step_s(&evaluator.micro_batch(*micro), *accum);
                            all.push(Ranked {
                                score: evaluator.score(step_s, (unit * micro * accum) as f64),
                                cluster: index,
                                configuration: Configuration {
                                    gpus,
                                    seq_len,
                                    micro_batch: *micro,
                                    grad_accum: *accum,
                                    activation_checkpointing: *checkpointing,
                                },
                            });
                        }
                    }
                }
            }
        }
    }
    counts.points += counts.cluster_size;
    counts.evaluated = counts.feasible;
    all.sort_by(in_documented_order);
    let mut by_gpu_count: BTreeMap<(usize, u64), Ranked> = BTreeMap::new();
    for candidate in &all {
        by_gpu_count
            .entry((candidate.cluster, candidate.configuration.gpus))
            .or_insert(*candidate);
    }
    all.truncate(case.limits.top);
    Outcome {
        best: all,
        best_by_gpu_count: by_gpu_count.into_values().collect(),
        counts,
        partial: false,
    }
}

/// The order spelt out, independently of the one the search uses.
fn in_documented_order(a: &Ranked, b: &Ranked) -> Ordering {
    let key = |ranked: &Ranked| {
        let configuration = ranked.configuration;
        (
            ranked.cluster,
            configuration.gpus,
            configuration.seq_len,
            configuration.micro_batch,
            configuration.grad_accum,
            configuration.activation_checkpointing,
        )
    };
    let (better, worse) = (a.score.objective(), b.score.objective());
    better.total_cmp(&worse).then_with(|| key(a).cmp(&key(b)))
}
