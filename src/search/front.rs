//! The time–cost front: the configurations than which none is both faster and cheaper.
//!
//! What a run costs is the price of its nodes times its hours on the wall clock. So among all
//! configurations of one cluster and GPU count the fastest is the cheapest too, and every other
//! one is beaten by it on both counts: the front of the whole space is that of the fastest
//! configuration of each GPU count. Of a GPU count at `k` dollars an hour only those below
//!
//! ```text
//! min over the front known so far, f, of max(hours of f, dollars of f / k)
//! ```
//!
//! hours can get in: any slower one is both slower and dearer than that `f`. This one number is
//! what the search prunes with, as it does with the worst of the best few elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Counts;
use super::engine::Keep;
use super::rank::{Best, Ranked, Score};
use super::space::Group;
use crate::quantity::BOUND_ROUNDING;

/// GPU counts beyond which points of the front that lie within [`RESOLUTION`] of each other in
/// time are kept as one, the cheapest, so that memory stays flat.
const MOST_EXACT: u64 = 1 << 16;

/// Width in the logarithm of time of what is kept as one point then: 0.01 %.
const RESOLUTION: f64 = 1e-4;

/// A candidate with its cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Priced {
    /// The candidate; its score is hours.
    pub ranked: Ranked,
    /// US dollars.
    pub usd: f64,
}

impl Priced {
    /// Hours on the wall clock.
    #[must_use]
    pub fn hours(&self) -> f64 {
        self.ranked.score.objective()
    }
}

/// What a sweep for the front found.
#[derive(Debug, Clone)]
pub struct FrontOutcome {
    /// The front, fastest first: each point is slower and cheaper than the one before it.
    pub points: Vec<Priced>,
    /// The fastest candidate of each cluster without a price, which has no place on the front.
    pub unpriced: Vec<Ranked>,
    /// The best candidate of each (cluster, GPU count) that was sampled, ascending.
    pub best_by_gpu_count: Vec<Ranked>,
    /// What became of the points.
    pub counts: Counts,
    /// The sweep was cancelled: this is the front of what it had seen by then.
    pub partial: bool,
}

/// The front of a stream of candidates.
#[derive(Debug, Clone)]
pub(super) struct Front {
    /// Ascending in time, descending in cost.
    points: Vec<Priced>,
    /// The fastest candidate of each cluster without a price.
    unpriced: BTreeMap<usize, Ranked>,
    /// Another front that its points have to get past too.
    rival: Option<Arc<Self>>,
    /// Width of what counts as one point; 0 when every point counts.
    resolution: f64,
    /// Whether what can't get in is dropped unseen.
    prune: bool,
}

impl Front {
    /// An empty front of a space with so many GPU counts.
    pub(super) fn new(gpu_counts: u64, prune: bool) -> Self {
        Self {
            points: Vec::new(),
            unpriced: BTreeMap::new(),
            rival: None,
            resolution: if gpu_counts > MOST_EXACT {
                RESOLUTION
            } else {
                0.0
            },
            prune,
        }
    }

    /// The same, for points that have to get past `rival` too.
    pub(super) fn against(mut self, rival: &Self) -> Self {
        self.rival = Some(Arc::new(Self {
            rival: None,
            ..rival.clone()
        }));
        self
    }

    /// The points, and the fastest candidates of the clusters without a price.
    pub(super) fn into_sorted(self) -> (Vec<Priced>, Vec<Ranked>) {
        (self.points, self.unpriced.into_values().collect())
    }

    /// Hours beyond which nothing that costs `usd_per_hour` gets in.
    fn hours_to_beat(&self, usd_per_hour: f64) -> f64 {
        // Along the front hours rise and dollars fall: the least of their larger one is where
        // they cross.
        let crossing = self
            .points
            .partition_point(|point| point.hours() * usd_per_hour < point.usd);
        let after = self.points.get(crossing).map(Priced::hours);
        let before = crossing
            .checked_sub(1)
            .and_then(|last| self.points.get(last))
            .map(|point| point.usd / usd_per_hour);
        after
            .into_iter()
            .chain(before)
            .fold(f64::INFINITY, f64::min)
    }

    /// The score that a candidate of the group has to beat or equal; `None` when anything gets in.
    fn ceiling(&self, group: &Group<'_>, usd_per_hour: Option<f64>) -> Option<Score> {
        let hours = match usd_per_hour {
            Some(usd_per_hour) if usd_per_hour > 0.0 => self.hours_to_beat(usd_per_hour),
            Some(_) => f64::INFINITY,
            None => self
                .unpriced
                .get(&group.cluster_index)
                .map_or(f64::INFINITY, |fastest| fastest.score.objective()),
        };
        // No tie on time: what costs as much takes as long within a GPU count.
        (hours < f64::INFINITY).then(|| Score::new(hours * (1.0 + BOUND_ROUNDING), f64::INFINITY))
    }

    /// Takes in a point unless another one is at least as fast and as cheap; of equal ones the
    /// first in the order of candidates stays.
    fn offer(&mut self, new: Priced) {
        let at = self
            .points
            .partition_point(|point| point.hours() < new.hours());
        let before = at.checked_sub(1).and_then(|last| self.points.get(last));
        if before.is_some_and(|faster| faster.usd <= new.usd) {
            return;
        }
        if let Some(same) = self.points.get(at)
            && same.hours() <= new.hours()
            && (same.usd, same.ranked) <= (new.usd, new.ranked)
        {
            return;
        }
        let beaten = self.points[at..]
            .iter()
            .take_while(|slower| slower.usd >= new.usd)
            .count();
        self.points.splice(at..at + beaten, [new]);
        self.coarsen(at);
    }

    /// Keeps the cheapest of the points around position `at` that count as one.
    fn coarsen(&mut self, at: usize) {
        if self.resolution <= 0.0 {
            return;
        }
        let step = |point: &Priced| (point.hours().ln() / self.resolution).floor();
        let alike = |a: usize, b: usize| match (self.points.get(a), self.points.get(b)) {
            (Some(a), Some(b)) => step(a).total_cmp(&step(b)).is_eq(),
            _ => false,
        };
        let (next, previous) = (alike(at, at + 1), at > 0 && alike(at - 1, at));
        // A later point is the cheaper one.
        if next {
            self.points.remove(at);
        }
        if previous {
            self.points.remove(at - 1);
        }
    }

    fn offer_unpriced(&mut self, cluster: usize, new: Ranked) {
        let known = self.unpriced.entry(cluster).or_insert(new);
        *known = new.min(*known);
    }
}

impl Keep for Front {
    fn open(&mut self, group: &Group<'_>, usd_per_hour: Option<f64>) -> Best {
        let own = self.ceiling(group, usd_per_hour);
        let other = self
            .rival
            .as_ref()
            .and_then(|rival| rival.ceiling(group, usd_per_hour));
        let lower = match (own, other) {
            (Some(a), Some(b)) if a.objective() < b.objective() => Some(a),
            (own, None) => own,
            (_, other) => other,
        };
        Best::below(1, lower.filter(|_| self.prune))
    }

    fn close(&mut self, group: &Group<'_>, usd_per_hour: Option<f64>, best: Best) {
        let Some(ranked) = best.first() else {
            return;
        };
        match usd_per_hour {
            Some(usd_per_hour) => self.offer(Priced {
                ranked,
                usd: ranked.score.objective() * usd_per_hour,
            }),
            None => self.offer_unpriced(group.cluster_index, ranked),
        }
    }

    fn merge(mut self, other: Self) -> Self {
        for point in other.points {
            self.offer(point);
        }
        for (cluster, ranked) in other.unpriced {
            self.offer_unpriced(cluster, ranked);
        }
        self
    }

    fn first(&self) -> Option<Ranked> {
        let priced = self.points.first().map(|point| point.ranked);
        priced
            .into_iter()
            .chain(self.unpriced.values().copied())
            .min()
    }
}

/// Position of the knee among points of a front, given as (hours, dollars) in order along it: the
/// one farthest below the chord between the ends, in the logarithms of both (Das, *On
/// characterizing the "knee" of the Pareto curve*, Structural Optimization 18, 1999).
///
/// In logarithms, because what a factor of two in hours is worth doesn't depend on where it
/// starts; neither the units nor a price that is twice as high move it. `None` where there is
/// none: fewer than three points, or none below the chord.
///
/// ```
/// use tminus::search::knee;
/// assert_eq!(knee(&[(100.0, 100.0), (50.0, 110.0), (25.0, 400.0)]), Some(1));
/// assert_eq!(knee(&[(100.0, 100.0), (50.0, 250.0), (25.0, 300.0)]), None);
/// ```
#[must_use]
pub fn knee(points: &[(f64, f64)]) -> Option<usize> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .map(|(hours, usd)| (hours.ln(), usd.ln()))
        .collect();
    let (first, last) = (logs.first()?, logs.last()?);
    let chord = (last.0 - first.0, last.1 - first.1);
    // Twice the area of the triangle with the chord: proportional to the distance from it.
    let below = |point: &(f64, f64)| {
        let side = chord.0 * (point.1 - first.1) - chord.1 * (point.0 - first.0);
        side * if chord.0 < 0.0 { 1.0 } else { -1.0 }
    };
    let size = chord.0.abs() * chord.1.abs();
    let mut farthest: Option<(usize, f64)> = None;
    for (position, point) in logs.iter().enumerate() {
        let distance = below(point);
        if distance > size * 1e-9 && farthest.is_none_or(|(_, most)| distance > most) {
            farthest = Some((position, distance));
        }
    }
    farthest.map(|(position, _)| position)
}
