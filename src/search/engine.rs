//! The sweep: every point of a space is settled, one at a time or many at once, and forgotten.
//!
//! First the GPU counts whose best candidates are shown, spread over all orders of magnitude;
//! what they leave at the bottom of the best is what every other point has to beat. The others
//! follow in runs of fixed length, so that neither the outcome nor the number of points formed
//! depends on the number of threads.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::evaluator::Evaluator;
use super::rank::{Best, Ranked, Score};
use super::slice::Slice;
use super::space::{Group, Space};
use super::watch::Watch;

/// What the sweep keeps, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many candidates.
    pub top: usize,
    /// For how many GPU counts of each cluster the best candidate is kept, at most.
    pub gpu_counts: u64,
    /// Whether `tight` configurations are candidates.
    pub allow_tight: bool,
    /// Whether points that can't be among those kept are dropped unseen. The outcome is the same
    /// but for [`Counts::evaluated`].
    pub prune: bool,
}

/// What became of the points. A point is rejected for one reason, the first that applies in the
/// order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Points in the space.
    pub points: u128,
    /// Points whose time was computed; of the other feasible ones a bound showed that they can't
    /// be among those kept.
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
    /// The sweep was cancelled: these are the best of what it had seen by then.
    pub partial: bool,
}

/// Groups that one task settles.
const RUN: u64 = 512;

/// GPU counts of each cluster that are searched first where none are shown.
const SEEDS: u64 = 4;

/// Sweeps `space` on the current rayon pool; `watch` sees how far it is and can end it.
///
/// Memory grows with the limits, not with the space; the outcome doesn't depend on the number of
/// threads.
pub fn sweep<E: Evaluator>(
    space: &Space<'_>,
    evaluator: &E,
    limits: Limits,
    watch: &Watch<'_>,
) -> Outcome {
    watch.begin(space.groups());
    let sampled = if limits.gpu_counts == 0 {
        SEEDS
    } else {
        limits.gpu_counts
    };
    let sweep = Sweep {
        space,
        evaluator,
        limits,
        watch,
        seeds: space.sampled_gpu_counts(sampled),
    };
    let seeded = sweep.seeds();
    let ceiling = seeded.best.worst().filter(|_| limits.prune);
    let tally = seeded.merge(sweep.others(ceiling));
    tally.finish(space.refused, watch.is_cancelled())
}

/// What one task has found.
struct Tally {
    best: Best,
    by_gpu_count: BTreeMap<(usize, u64), Ranked>,
    counts: Counts,
}

impl Tally {
    fn new(best: Best) -> Self {
        Self {
            best,
            by_gpu_count: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// The GPU counts of two tallies differ: each is settled by one task.
    fn merge(mut self, other: Self) -> Self {
        self.by_gpu_count.extend(other.by_gpu_count);
        self.best = self.best.merge(other.best);
        self.counts = self.counts.plus(other.counts);
        self
    }

    fn finish(mut self, refused: u128, partial: bool) -> Outcome {
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
            partial,
        }
    }
}

struct Sweep<'a, E> {
    space: &'a Space<'a>,
    evaluator: &'a E,
    limits: Limits,
    watch: &'a Watch<'a>,
    /// GPU counts that are settled first, by position of the cluster.
    seeds: Vec<Vec<u64>>,
}

impl<E: Evaluator> Sweep<'_, E> {
    /// Settles the GPU counts that come first, each by itself, so that the best of each is found.
    fn seeds(&self) -> Tally {
        let counts: Vec<(usize, u64)> = self
            .seeds
            .iter()
            .enumerate()
            .flat_map(|(cluster, counts)| counts.iter().map(move |gpus| (cluster, *gpus)))
            .collect();
        counts
            .into_par_iter()
            .fold(
                || Tally::new(Best::new(self.limits.top)),
                |tally, (cluster, gpus)| tally.merge(self.gpu_count(cluster, gpus)),
            )
            .reduce(|| Tally::new(Best::new(self.limits.top)), Tally::merge)
    }

    fn gpu_count(&self, cluster: usize, gpus: u64) -> Tally {
        // Its best candidate is wanted even where no candidates are.
        let mut tally = Tally::new(Best::new(self.limits.top.max(1)));
        for group in self.space.groups_of(cluster, gpus) {
            tally = self.group(tally, &group);
        }
        let first = tally.best.first();
        self.watch.found(first.as_ref());
        if let Some(first) = first
            && self.limits.gpu_counts > 0
        {
            tally.by_gpu_count.insert((cluster, gpus), first);
        }
        tally
    }

    /// Settles all other GPU counts; `ceiling` is what they have to beat.
    fn others(&self, ceiling: Option<Score>) -> Tally {
        let groups = self.space.groups();
        (0..groups.div_ceil(RUN))
            .into_par_iter()
            .fold(
                || Tally::new(Best::new(self.limits.top)),
                |tally, run| {
                    let start = run * RUN;
                    tally.merge(self.run(start..start.saturating_add(RUN).min(groups), ceiling))
                },
            )
            .reduce(|| Tally::new(Best::new(self.limits.top)), Tally::merge)
    }

    fn run(&self, groups: std::ops::Range<u64>, ceiling: Option<Score>) -> Tally {
        let mut tally = Tally::new(Best::below(self.limits.top, ceiling));
        for group in groups.filter_map(|index| self.space.group(index)) {
            if !self.is_seed(&group) {
                tally = self.group(tally, &group);
            }
        }
        self.watch.found(tally.best.first().as_ref());
        tally
    }

    fn group(&self, mut tally: Tally, group: &Group<'_>) -> Tally {
        if self.watch.is_cancelled() {
            return tally;
        }
        let batch = self.space.batch(group);
        let mut points = 0_u128;
        for &activation_checkpointing in self.space.checkpointing() {
            let slice = Slice {
                group,
                activation_checkpointing,
                batch: &batch,
                evaluator: self.evaluator.group(group, activation_checkpointing),
                limits: self.limits,
                watch: self.watch,
            };
            let (best, counts) = slice.settle(tally.best);
            tally.best = best;
            points = points.saturating_add(counts.points);
            tally.counts = tally.counts.plus(counts);
        }
        self.watch.settled(1, points);
        tally
    }

    fn is_seed(&self, group: &Group<'_>) -> bool {
        self.seeds
            .get(group.index)
            .is_some_and(|counts| counts.binary_search(&group.gpus).is_ok())
    }
}
