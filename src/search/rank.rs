//! The order of candidates, and the best few of a stream of them.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::configuration::Configuration;

/// What the ranking minimises.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Time to the token budget, overheads and failures included.
    #[default]
    Time,
    /// Dollars.
    Cost,
    /// GPU-hours.
    GpuHours,
    /// Tokens per second, highest first.
    Throughput,
    /// Time and cost at once: the front of configurations than which none is both faster and
    /// cheaper, the cheapest first.
    Pareto,
}

/// Scores this close, as a share, may differ by rounding alone.
const NEAR: f64 = 4e-12;

/// How good a candidate is: lower is better.
#[derive(Debug, Clone, Copy)]
pub struct Score {
    objective: f64,
    time: f64,
}

impl Score {
    /// A score; candidates of equal `objective` are ordered by `time`. A NaN counts as infinite,
    /// so that what can't be computed ranks last.
    #[must_use]
    pub fn new(objective: f64, time: f64) -> Self {
        let or_last = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
        Self {
            objective: or_last(objective),
            time: or_last(time),
        }
    }

    /// The value the ranking minimises.
    #[must_use]
    pub fn objective(&self) -> f64 {
        self.objective
    }

    /// Whether rounding alone may have set the two apart.
    pub(super) fn near(self, other: Self) -> bool {
        let near = |one: f64, other: f64| {
            one.total_cmp(&other) == Ordering::Equal || (one - other).abs() <= NEAR * other.abs()
        };
        near(self.objective, other.objective) && near(self.time, other.time)
    }

    fn order(self, other: Self) -> Ordering {
        self.objective
            .total_cmp(&other.objective)
            .then_with(|| self.time.total_cmp(&other.time))
    }
}

/// A candidate with its place in a total order: score, then cluster, then configuration field by
/// field. No two candidates of a space are equal, so no thread count can change the ranking.
#[derive(Debug, Clone, Copy)]
pub struct Ranked {
    /// How good it is.
    pub score: Score,
    /// Position of its cluster among the clusters of the space.
    pub cluster: usize,
    /// What it is.
    pub configuration: Configuration,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .order(other.score)
            .then_with(|| self.cluster.cmp(&other.cluster))
            .then_with(|| self.configuration.cmp(&other.configuration))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

/// The best `limit` candidates of a stream, in memory that grows with `limit` alone.
#[derive(Debug)]
pub(super) struct Best {
    limit: usize,
    /// What a candidate must not be worse than, whatever was offered.
    ceiling: Option<Score>,
    /// The worst of the best on top.
    heap: BinaryHeap<Ranked>,
}

impl Best {
    pub(super) fn new(limit: usize) -> Self {
        Self::below(limit, None)
    }

    /// The best that are no worse than `ceiling`.
    pub(super) fn below(limit: usize, ceiling: Option<Score>) -> Self {
        Self {
            limit,
            ceiling,
            heap: BinaryHeap::new(),
        }
    }

    /// The worst of the best, once they are complete.
    pub(super) fn worst(&self) -> Option<Score> {
        let worst = self.heap.peek()?;
        (self.heap.len() >= self.limit).then_some(worst.score)
    }

    /// The best of all.
    pub(super) fn first(&self) -> Option<Ranked> {
        self.heap.iter().min().copied()
    }

    /// Whether no candidate with this score or a worse one can be among the best. Equal scores
    /// can: the configuration decides.
    pub(super) fn excludes(&self, score: Score) -> bool {
        let worse_than = |other: Score| score.order(other) == Ordering::Greater;
        self.limit == 0
            || self.ceiling.is_some_and(worse_than)
            || self.worst().is_some_and(worse_than)
    }

    pub(super) fn offer(&mut self, candidate: Ranked) {
        if self.heap.len() < self.limit {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        for candidate in other.heap {
            self.offer(candidate);
        }
        self
    }

    pub(super) fn into_sorted(self) -> Vec<Ranked> {
        self.heap.into_sorted_vec()
    }
}
