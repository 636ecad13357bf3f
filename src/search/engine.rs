//! The sweep: every point of a space goes through a bounded best-K and is forgotten.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::batch::Batch;
use super::rank::{Best, Ranked, Score};
use super::space::{Group, Space};
use crate::configuration::Configuration;
use crate::memory::Verdict;

/// Predicts what the search needs, in the order in which the search varies things.
pub trait Evaluator: Sync {
    /// What one group and checkpointing choice needs.
    type Group: GroupEvaluator;

    /// Everything that micro-batch and gradient accumulation don't change; called once per group
    /// and checkpointing choice.
    fn group(&self, group: &Group, activation_checkpointing: bool) -> Self::Group;
}

/// Predicts the points of one group and checkpointing choice.
pub trait GroupEvaluator: Sync {
    /// Whether a micro-batch fits. A larger micro-batch never gets a better verdict: the engine
    /// finds the limits by bisection.
    fn verdict(&self, micro_batch: u64) -> Verdict;

    /// Seconds of one forward and backward pass.
    fn micro_step_s(&self, micro_batch: u64) -> f64;

    /// Seconds of one optimizer step of `grad_accum` micro-steps.
    fn step_s(&self, micro_step_s: f64, grad_accum: u64) -> f64;

    /// How good a step of `batch_tokens` tokens in `step_s` seconds is.
    fn score(&self, step_s: f64, batch_tokens: f64) -> Score;
}

/// What the sweep keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many candidates.
    pub top: usize,
    /// For how many GPU counts of each cluster the best candidate is kept, at most.
    pub gpu_counts: u64,
    /// Whether `tight` configurations are candidates.
    pub allow_tight: bool,
}

/// What became of the points. A point is rejected for one reason, the first that applies in the
/// order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Points in the space.
    pub points: u128,
    /// Points whose time was computed.
    pub evaluated: u128,
    /// Points that can be launched.
    pub feasible: u128,
    /// More GPUs than the cluster has, or not whole nodes.
    pub cluster_size: u128,
    /// Out of memory.
    pub overflows: u128,
    /// The global batch isn't met.
    pub global_batch: u128,
    /// Close to the memory limit, and that wasn't allowed.
    pub tight: u128,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            points: self.points.saturating_add(other.points),
            evaluated: self.evaluated.saturating_add(other.evaluated),
            feasible: self.feasible.saturating_add(other.feasible),
            cluster_size: self.cluster_size.saturating_add(other.cluster_size),
            overflows: self.overflows.saturating_add(other.overflows),
            global_batch: self.global_batch.saturating_add(other.global_batch),
            tight: self.tight.saturating_add(other.tight),
        }
    }
}

/// What a sweep found.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The best candidates, best first.
    pub best: Vec<Ranked>,
    /// The best candidate of each (cluster, GPU count), ascending.
    pub best_by_gpu_count: Vec<Ranked>,
    /// What became of the points.
    pub counts: Counts,
}

/// Sweeps `space` on the current rayon pool.
///
/// Memory grows with the limits, not with the space; the outcome doesn't depend on the number of
/// threads.
pub fn sweep<E: Evaluator>(space: &Space, evaluator: &E, limits: Limits) -> Outcome {
    let sweep = Sweep {
        space,
        evaluator,
        limits,
        shown: space.sampled_gpu_counts(limits.gpu_counts),
    };
    let tally = (0..space.groups())
        .into_par_iter()
        .fold(
            || Tally::new(limits.top),
            |tally, index| match space.group(index) {
                Some(group) => sweep.group(tally, &group),
                None => tally,
            },
        )
        .reduce(|| Tally::new(limits.top), Tally::merge);
    tally.finish(space.refused)
}

/// What one thread has found so far.
struct Tally {
    best: Best,
    by_gpu_count: BTreeMap<(usize, u64), Ranked>,
    counts: Counts,
}

impl Tally {
    fn new(top: usize) -> Self {
        Self {
            best: Best::new(top),
            by_gpu_count: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    fn merge(mut self, other: Self) -> Self {
        for candidate in other.by_gpu_count.into_values() {
            self.keep_for_gpu_count(candidate);
        }
        self.best = self.best.merge(other.best);
        self.counts = self.counts.plus(other.counts);
        self
    }

    fn keep_for_gpu_count(&mut self, candidate: Ranked) {
        self.by_gpu_count
            .entry((candidate.cluster, candidate.configuration.gpus))
            .and_modify(|kept| *kept = candidate.min(*kept))
            .or_insert(candidate);
    }

    fn finish(mut self, refused: u128) -> Outcome {
        self.counts.points = self.counts.points.saturating_add(refused);
        self.counts.cluster_size = refused;
        let best = self.best.into_sorted();
        if let Some(first) = best.first() {
            // It may have a GPU count that wasn't sampled.
            self.by_gpu_count
                .entry((first.cluster, first.configuration.gpus))
                .or_insert(*first);
        }
        Outcome {
            best,
            best_by_gpu_count: self.by_gpu_count.into_values().collect(),
            counts: self.counts,
        }
    }
}

/// Candidates of a range of micro-batches.
struct Found {
    best: Best,
    first: Option<Ranked>,
    feasible: u128,
}

impl Found {
    fn new(best: Best) -> Self {
        Self {
            best,
            first: None,
            feasible: 0,
        }
    }

    fn offer(&mut self, candidate: Ranked) {
        if self.first.is_none_or(|first| candidate < first) {
            self.first = Some(candidate);
        }
        self.best.offer(candidate);
    }

    fn merge(self, other: Self) -> Self {
        Self {
            best: self.best.merge(other.best),
            first: match (self.first, other.first) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            feasible: self.feasible.saturating_add(other.feasible),
        }
    }
}

struct Sweep<'a, E> {
    space: &'a Space,
    evaluator: &'a E,
    limits: Limits,
    shown: Vec<Vec<u64>>,
}

/// One group and checkpointing choice being swept.
struct Slice<'a, G> {
    group: &'a Group,
    activation_checkpointing: bool,
    batch: &'a Batch<'a>,
    evaluator: G,
    top: usize,
}

impl<E: Evaluator> Sweep<'_, E> {
    fn group(&self, mut tally: Tally, group: &Group) -> Tally {
        let batch = self.space.batch(group);
        for &activation_checkpointing in self.space.checkpointing() {
            let slice = Slice {
                group,
                activation_checkpointing,
                batch: &batch,
                evaluator: self.evaluator.group(group, activation_checkpointing),
                top: self.limits.top,
            };
            tally = self.slice(tally, &slice);
        }
        tally
    }

    /// Sorts the micro-batches by verdict, then sweeps those that are candidates.
    fn slice<G: GroupEvaluator>(&self, mut tally: Tally, slice: &Slice<'_, G>) -> Tally {
        let micros = slice.batch.micro.len();
        let fits = slice.first_with(0..micros, |verdict| verdict > Verdict::Fits);
        let runs = slice.first_with(fits..micros, |verdict| verdict > Verdict::Tight);
        let usable = if self.limits.allow_tight { runs } else { fits };

        let found = slice.sweep(Found::new(tally.best), 0..usable);
        let points = slice.batch.points(0..runs);
        let overflows = slice.batch.points(runs..micros);
        let tight: u128 = slice.meeting(usable..runs);
        tally.counts = tally.counts.plus(Counts {
            points: points.saturating_add(overflows),
            evaluated: found.feasible,
            feasible: found.feasible,
            cluster_size: 0,
            overflows,
            global_batch: points.saturating_sub(found.feasible).saturating_sub(tight),
            tight,
        });
        tally.best = found.best;
        if let Some(first) = found.first
            && self.is_shown(slice.group)
        {
            tally.keep_for_gpu_count(first);
        }
        tally
    }

    fn is_shown(&self, group: &Group) -> bool {
        self.shown
            .get(group.cluster)
            .is_some_and(|counts| counts.binary_search(&group.gpus).is_ok())
    }
}

/// Points one task takes on, about: enough to make a task's overhead vanish.
const TASK_POINTS: u64 = 1 << 16;

impl<G: GroupEvaluator> Slice<'_, G> {
    /// The first position whose verdict is beyond, by bisection; the end when none is.
    fn first_with(&self, positions: Range<u64>, beyond: impl Fn(Verdict) -> bool) -> u64 {
        let Range { mut start, mut end } = positions;
        while start < end {
            let middle = start + (end - start) / 2;
            let micro_batch = self.batch.micro.get(middle);
            if micro_batch.is_some_and(|micro| !beyond(self.evaluator.verdict(micro))) {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        start
    }

    /// Points at these positions that meet the global batch.
    fn meeting(&self, positions: Range<u64>) -> u128 {
        positions
            .filter_map(|position| self.batch.micro.get(position))
            .map(|micro| {
                let accumulations = self.batch.accumulations(micro);
                u128::from(accumulations.end - accumulations.start)
            })
            .sum()
    }

    /// Offers every point at these positions, over several threads when they are many.
    fn sweep(&self, found: Found, positions: Range<u64>) -> Found {
        let smallest = self.batch.micro.get(positions.start).unwrap_or(1);
        let accumulations = self.batch.accumulations(smallest);
        let chunk = (TASK_POINTS / (accumulations.end - accumulations.start).max(1)).max(1);
        let chunks = (positions.end - positions.start).div_ceil(chunk);
        if chunks <= 1 {
            return self.sweep_micro_batches(found, positions);
        }
        let others = (0..chunks)
            .into_par_iter()
            .fold(
                || Found::new(Best::new(self.top)),
                |found, index| {
                    let start = positions.start + index * chunk;
                    let end = start.saturating_add(chunk).min(positions.end);
                    self.sweep_micro_batches(found, start..end)
                },
            )
            .reduce(|| Found::new(Best::new(self.top)), Found::merge);
        found.merge(others)
    }

    fn sweep_micro_batches(&self, mut found: Found, positions: Range<u64>) -> Found {
        for micro_batch in positions.map_while(|position| self.batch.micro.get(position)) {
            let accumulations = self.batch.accumulations(micro_batch);
            if !accumulations.is_empty() {
                self.sweep_accumulations(&mut found, micro_batch, accumulations);
            }
        }
        found
    }

    fn sweep_accumulations(&self, found: &mut Found, micro_batch: u64, positions: Range<u64>) {
        found.feasible += u128::from(positions.end - positions.start);
        let micro_step_s = self.evaluator.micro_step_s(micro_batch);
        let micro_batch_tokens = self.group.tokens_per_sequence() as f64 * micro_batch as f64;
        for grad_accum in positions.map_while(|position| self.batch.accum.get(position)) {
            let step_s = self.evaluator.step_s(micro_step_s, grad_accum);
            let batch_tokens = micro_batch_tokens * grad_accum as f64;
            found.offer(Ranked {
                score: self.evaluator.score(step_s, batch_tokens),
                cluster: self.group.cluster,
                configuration: Configuration {
                    gpus: self.group.gpus,
                    seq_len: self.group.seq_len,
                    micro_batch,
                    grad_accum,
                    activation_checkpointing: self.activation_checkpointing,
                },
            });
        }
    }
}
