//! The sweep: every point of a space is settled, one at a time or many at once, and forgotten.
//!
//! First the GPU counts whose best candidates are shown, spread over all orders of magnitude;
//! what they leave at the bottom of the best is what every other point has to beat. The others
//! follow in runs of fixed length, so that neither the outcome nor the number of points formed
//! depends on the number of threads.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::evaluator::Evaluator;
use super::front::{Front, FrontOutcome};
use super::rank::{Best, Ranked};
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
    // The best candidate of a GPU count is wanted even where no candidates are.
    let seed = || Best::new(limits.top.max(1));
    let rest = |seeded: &Best| Best::below(limits.top, seeded.worst().filter(|_| limits.prune));
    let nothing = || Best::new(limits.top);
    let keepers = Keepers {
        nothing: &nothing,
        seed: &seed,
        rest: &rest,
    };
    let mut tally = settle(space, evaluator, limits, watch, &keepers);
    let best = tally.kept.into_sorted();
    if let Some(first) = best.first() {
        // It may have a GPU count that wasn't sampled.
        tally
            .by_gpu_count
            .entry((first.cluster, first.configuration.gpus))
            .or_insert(*first);
    }
    Outcome {
        best,
        best_by_gpu_count: tally.by_gpu_count.into_values().collect(),
        counts: tally.counts,
        partial: watch.is_cancelled(),
    }
}

/// Sweeps `space` for its time–cost front instead of the best few; [`Limits::top`] doesn't matter.
///
/// Scores have to be hours on the wall clock ([`Score::objective`](super::Score::objective)), and
/// the evaluator has to say what an hour costs ([`Evaluator::usd_per_hour`]).
pub fn sweep_front<E: Evaluator>(
    space: &Space<'_>,
    evaluator: &E,
    limits: Limits,
    watch: &Watch<'_>,
) -> FrontOutcome {
    let limits = Limits { top: 1, ..limits };
    let nothing = || Front::new(space.gpu_counts(), limits.prune);
    let rest = |seeded: &Front| nothing().against(seeded);
    let keepers = Keepers {
        nothing: &nothing,
        seed: &nothing,
        rest: &rest,
    };
    let tally = settle(space, evaluator, limits, watch, &keepers);
    let (points, unpriced) = tally.kept.into_sorted();
    FrontOutcome {
        points,
        unpriced,
        best_by_gpu_count: tally.by_gpu_count.into_values().collect(),
        counts: tally.counts,
        partial: watch.is_cancelled(),
    }
}

/// What a sweep keeps of the candidates it forms.
pub(super) trait Keep: Sized + Send + Sync {
    /// What the candidates of a group have to get into; `usd_per_hour` is what an hour of that
    /// group's GPUs costs.
    fn open(&mut self, group: &Group<'_>, usd_per_hour: Option<f64>) -> Best;
    /// Takes in those that got in.
    fn close(&mut self, group: &Group<'_>, usd_per_hour: Option<f64>, best: Best);
    /// The two together, whichever comes first.
    #[must_use]
    fn merge(self, other: Self) -> Self;
    /// The first in the ranking.
    fn first(&self) -> Option<Ranked>;
}

impl Keep for Best {
    fn open(&mut self, _: &Group<'_>, _: Option<f64>) -> Best {
        std::mem::replace(self, Self::new(0))
    }

    fn close(&mut self, _: &Group<'_>, _: Option<f64>, best: Best) {
        *self = best;
    }

    fn merge(self, other: Self) -> Self {
        Best::merge(self, other)
    }

    fn first(&self) -> Option<Ranked> {
        Best::first(self)
    }
}

/// How a sweep starts to keep.
struct Keepers<'a, K> {
    /// With nothing.
    nothing: &'a (dyn Fn() -> K + Sync),
    /// For one of the GPU counts that come first.
    seed: &'a (dyn Fn() -> K + Sync),
    /// For all others, which have what the first ones left to beat.
    rest: &'a (dyn Fn(&K) -> K + Sync),
}

/// Settles every point of a space.
fn settle<E: Evaluator, K: Keep>(
    space: &Space<'_>,
    evaluator: &E,
    limits: Limits,
    watch: &Watch<'_>,
    keepers: &Keepers<'_, K>,
) -> Tally<K> {
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
        keepers,
        seeds: space.sampled_gpu_counts(sampled),
    };
    let seeded = sweep.seeds();
    let others = sweep.others(&seeded.kept);
    let mut tally = seeded.merge(others);
    tally.counts.points = tally.counts.points.saturating_add(space.refused);
    tally.counts.cluster_size = space.refused;
    tally
}

/// What one task has found.
struct Tally<K> {
    kept: K,
    by_gpu_count: BTreeMap<(usize, u64), Ranked>,
    counts: Counts,
}

impl<K: Keep> Tally<K> {
    fn new(kept: K) -> Self {
        Self {
            kept,
            by_gpu_count: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// The GPU counts of two tallies differ: each is settled by one task.
    fn merge(mut self, other: Self) -> Self {
        self.by_gpu_count.extend(other.by_gpu_count);
        self.kept = self.kept.merge(other.kept);
        self.counts = self.counts.plus(other.counts);
        self
    }
}

struct Sweep<'a, E, K> {
    space: &'a Space<'a>,
    evaluator: &'a E,
    limits: Limits,
    watch: &'a Watch<'a>,
    keepers: &'a Keepers<'a, K>,
    /// GPU counts that are settled first, by position of the cluster.
    seeds: Vec<Vec<u64>>,
}

impl<E: Evaluator, K: Keep> Sweep<'_, E, K> {
    fn nothing(&self) -> Tally<K> {
        Tally::new((self.keepers.nothing)())
    }

    /// Settles the GPU counts that come first, each by itself, so that the best of each is found.
    fn seeds(&self) -> Tally<K> {
        let counts: Vec<(usize, u64)> = self
            .seeds
            .iter()
            .enumerate()
            .flat_map(|(cluster, counts)| counts.iter().map(move |gpus| (cluster, *gpus)))
            .collect();
        counts
            .into_par_iter()
            .fold(
                || self.nothing(),
                |tally, (cluster, gpus)| tally.merge(self.gpu_count(cluster, gpus)),
            )
            .reduce(|| self.nothing(), Tally::merge)
    }

    fn gpu_count(&self, cluster: usize, gpus: u64) -> Tally<K> {
        let mut tally = Tally::new((self.keepers.seed)());
        for group in self.space.groups_of(cluster, gpus) {
            self.group(&mut tally, &group);
        }
        let first = tally.kept.first();
        self.watch.found(first.as_ref());
        if let Some(first) = first
            && self.limits.gpu_counts > 0
        {
            tally.by_gpu_count.insert((cluster, gpus), first);
        }
        tally
    }

    /// Settles all other GPU counts, which have to beat what is `seeded`.
    fn others(&self, seeded: &K) -> Tally<K> {
        let groups = self.space.groups();
        (0..groups.div_ceil(RUN))
            .into_par_iter()
            .fold(
                || self.nothing(),
                |tally, run| {
                    let start = run * RUN;
                    tally.merge(self.run(start..start.saturating_add(RUN).min(groups), seeded))
                },
            )
            .reduce(|| self.nothing(), Tally::merge)
    }

    fn run(&self, groups: std::ops::Range<u64>, seeded: &K) -> Tally<K> {
        let mut tally = Tally::new((self.keepers.rest)(seeded));
        for group in groups.filter_map(|index| self.space.group(index)) {
            if !self.is_seed(&group) {
                self.group(&mut tally, &group);
            }
        }
        self.watch.found(tally.kept.first().as_ref());
        tally
    }

    fn group(&self, tally: &mut Tally<K>, group: &Group<'_>) {
        if self.watch.is_cancelled() {
            return;
        }
        let batch = self.space.batch(group);
        let usd_per_hour = self.evaluator.usd_per_hour(group);
        let mut best = tally.kept.open(group, usd_per_hour);
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
            let counts;
            (best, counts) = slice.settle(best);
            points = points.saturating_add(counts.points);
            tally.counts = tally.counts.plus(counts);
        }
        tally.kept.close(group, usd_per_hour, best);
        self.watch.settled(1, points);
    }

    fn is_seed(&self, group: &Group<'_>) -> bool {
        self.seeds
            .get(group.cluster_index)
            .is_some_and(|counts| counts.binary_search(&group.gpus).is_ok())
    }
}
