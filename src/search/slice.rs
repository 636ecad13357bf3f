//! One group and checkpointing choice: its points counted, the promising ones formed.
//!
//! Points are settled in boxes (a range of micro-batches, or one micro-batch and a range of
//! accumulations). A box whose every point is worse than the worst kept is dropped as a whole;
//! another is halved, and its larger steps are looked at first: they are the faster ones.

use std::ops::Range;

use rayon::prelude::*;

use super::batch::Batch;
use super::evaluator::GroupEvaluator;
use super::rank::{Best, Ranked, Score};
use super::space::Group;
use super::watch::Watch;
use super::{Counts, Limits};
use crate::configuration::Configuration;
use crate::memory::Verdict;
use crate::quantity::BOUND_ROUNDING;

/// Points of a slice beyond which several threads share it when every one is formed.
const TASK_POINTS: u64 = 1 << 16;

/// Accumulations that are formed rather than halved again.
const FEW: u64 = 4;

/// One group and checkpointing choice.
pub(super) struct Slice<'a, G> {
    pub(super) group: &'a Group<'a>,
    pub(super) activation_checkpointing: bool,
    pub(super) batch: &'a Batch<'a>,
    pub(super) evaluator: G,
    pub(super) limits: Limits,
    pub(super) watch: &'a Watch<'a>,
}

/// What was formed.
pub(super) struct Found {
    pub(super) best: Best,
    pub(super) evaluated: u128,
}

impl Found {
    fn merge(self, other: Self) -> Self {
        Self {
            best: self.best.merge(other.best),
            evaluated: self.evaluated.saturating_add(other.evaluated),
        }
    }
}

impl<G: GroupEvaluator> Slice<'_, G> {
    /// Sorts the micro-batches by verdict, counts their points, and offers to `best` those that
    /// are candidates and may be among the best.
    pub(super) fn settle(&self, best: Best) -> (Best, Counts) {
        let micros = self.batch.micro.len();
        let fits = self.first_with(0..micros, |verdict| verdict > Verdict::Fits);
        let runs = self.first_with(fits..micros, |verdict| verdict > Verdict::Tight);
        let usable = if self.limits.allow_tight { runs } else { fits };

        let in_memory = self.batch.points(0..runs);
        let overflows = self.batch.points(runs..micros);
        let feasible = self.batch.meeting(0..usable);
        let tight = self.batch.meeting(usable..runs);
        let found = Found { best, evaluated: 0 };
        let found = if self.limits.prune {
            self.search(found, 0..usable)
        } else {
            self.enumerate(found, 0..usable, feasible)
        };
        let counts = Counts {
            points: in_memory.saturating_add(overflows),
            evaluated: found.evaluated,
            feasible,
            cluster_size: 0,
            overflows,
            global_batch: in_memory.saturating_sub(feasible).saturating_sub(tight),
            tight,
        };
        (found.best, counts)
    }

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

    /// Forms every point of these micro-batches, over several threads when they are many.
    fn enumerate(&self, mut found: Found, positions: Range<u64>, points: u128) -> Found {
        let micros = positions.end - positions.start;
        let tasks = u64::try_from(points / u128::from(TASK_POINTS)).unwrap_or(u64::MAX);
        let chunk = (micros / tasks.max(1)).max(1);
        if tasks <= 1 {
            for position in positions {
                self.micro_batch(&mut found, position);
            }
            return found;
        }
        let nothing = || Found {
            best: Best::new(self.limits.top.max(1)),
            evaluated: 0,
        };
        let others = (0..micros.div_ceil(chunk))
            .into_par_iter()
            .fold(nothing, |mut found, index| {
                let start = positions.start + index * chunk;
                for position in start..start.saturating_add(chunk).min(positions.end) {
                    self.micro_batch(&mut found, position);
                }
                found
            })
            .reduce(nothing, Found::merge);
        found.merge(others)
    }

    /// Looks for the best among these micro-batches.
    fn search(&self, mut found: Found, positions: Range<u64>) -> Found {
        let mut boxes = vec![positions];
        while let Some(Range { start, end }) = boxes.pop() {
            if start >= end || self.watch.is_cancelled() {
                continue;
            }
            if start + 1 == end {
                self.micro_batch(&mut found, start);
            } else if !self.hopeless(&found, start..end) {
                let middle = start + (end - start) / 2;
                boxes.push(start..middle);
                boxes.push(middle..end);
            }
        }
        found
    }

    /// Whether no point of these micro-batches can be among the best.
    fn hopeless(&self, found: &Found, positions: Range<u64>) -> bool {
        let ends = (
            self.batch.micro.get(positions.start),
            self.batch.micro.get(positions.end - 1),
        );
        let (Some(smallest), Some(largest)) = ends else {
            return true;
        };
        let Some(sequences) = self.batch.sequences(smallest, largest) else {
            return true;
        };
        let pace = self
            .evaluator
            .fastest_pace(smallest..=largest, *sequences.end());
        let tokens = self.group.tokens_per_sequence() as f64;
        let score = self.evaluator.best_score(
            pace / tokens,
            *sequences.start() as f64 * tokens..=*sequences.end() as f64 * tokens,
        );
        found.best.excludes(score)
    }

    /// Looks for the best of one micro-batch, or forms all of its points.
    fn micro_batch(&self, found: &mut Found, position: u64) {
        let Some(micro_batch) = self.batch.micro.get(position) else {
            return;
        };
        let accumulations = self.batch.accumulations(micro_batch);
        if accumulations.is_empty() || self.watch.is_cancelled() {
            return;
        }
        let row = Row {
            slice: self,
            micro_batch,
            tokens: self.group.tokens_per_sequence() as f64 * micro_batch as f64,
            model: self.evaluator.micro_batch(micro_batch),
        };
        if self.limits.prune {
            row.settle(found, accumulations);
        } else {
            row.form(found, accumulations);
        }
    }
}

/// The points of one micro-batch.
struct Row<'a, G: GroupEvaluator> {
    slice: &'a Slice<'a, G>,
    micro_batch: u64,
    /// Tokens of one micro-step on all GPUs.
    tokens: f64,
    model: G::MicroBatch,
}

/// Accumulations whose scores may differ by rounding alone are formed, all of them, up to so many.
const MANY: u64 = 4096;

impl<G: GroupEvaluator> Row<'_, G> {
    /// Looks for the best. What a step costs once is spread so thin over millions of accumulations
    /// that more of them change the score by rounding alone, where no bound can tell them apart:
    /// of these the first and the last are formed, as many as are asked for.
    fn settle(&self, found: &mut Found, accumulations: Range<u64>) {
        let Range { start, end } = accumulations;
        let alike = self.first_alike(start..end);
        let kept = self.slice.limits.top.max(1) as u64;
        if end - alike <= MANY.max(kept.saturating_mul(2)) {
            self.search(found, start..end);
            return;
        }
        self.form(found, end - kept..end);
        self.form(found, alike..alike + kept);
        self.search(found, start..alike);
    }

    /// The first position from which on all scores are near the last one, by bisection.
    fn first_alike(&self, positions: Range<u64>) -> u64 {
        let Range { mut start, end } = positions;
        let accum = &self.slice.batch.accum;
        let last = end.checked_sub(1).filter(|_| end - start > MANY);
        let Some(most) = last.and_then(|last| accum.get(last)) else {
            return end;
        };
        let last = self.score(most);
        let mut found = end - 1;
        while start < found {
            let middle = start + (found - start) / 2;
            let alike = accum.get(middle).is_some_and(|fewest| {
                self.score(fewest).near(last) && self.bound(fewest, most).near(last)
            });
            if alike {
                found = middle;
            } else {
                start = middle + 1;
            }
        }
        found
    }

    fn score(&self, grad_accum: u64) -> Score {
        let evaluator = &self.slice.evaluator;
        let step_s = evaluator.step_s(&self.model, grad_accum);
        evaluator.score(step_s, self.tokens * grad_accum as f64)
    }

    fn search(&self, found: &mut Found, accumulations: Range<u64>) {
        let mut boxes = vec![accumulations];
        while let Some(Range { start, end }) = boxes.pop() {
            let over = start >= end || self.slice.watch.is_cancelled();
            if over || self.hopeless(found, start, end) {
                continue;
            }
            if end - start <= FEW {
                self.form(found, start..end);
            } else {
                let middle = start + (end - start) / 2;
                boxes.push(start..middle);
                boxes.push(middle..end);
            }
        }
    }

    fn hopeless(&self, found: &Found, start: u64, end: u64) -> bool {
        let accum = &self.slice.batch.accum;
        let (Some(fewest), Some(most)) = (accum.get(start), accum.get(end - 1)) else {
            return true;
        };
        found.best.excludes(self.bound(fewest, most))
    }

    /// A score that no step of `fewest` to `most` accumulations beats.
    fn bound(&self, fewest: u64, most: u64) -> Score {
        let batch_tokens = self.tokens * most as f64;
        let pace = self.slice.evaluator.step_s(&self.model, most) / batch_tokens;
        self.slice.evaluator.best_score(
            pace * (1.0 - BOUND_ROUNDING),
            self.tokens * fewest as f64..=batch_tokens,
        )
    }

    fn form(&self, found: &mut Found, accumulations: Range<u64>) {
        let slice = self.slice;
        found.evaluated += u128::from(accumulations.end - accumulations.start);
        for grad_accum in accumulations.map_while(|position| slice.batch.accum.get(position)) {
            let score = self.score(grad_accum);
            if found.best.excludes(score) {
                continue;
            }
            found.best.offer(Ranked {
                score,
                cluster: slice.group.cluster_index,
                configuration: Configuration {
                    gpus: slice.group.gpus,
                    seq_len: slice.group.seq_len,
                    micro_batch: self.micro_batch,
                    grad_accum,
                    activation_checkpointing: slice.activation_checkpointing,
                },
            });
        }
    }
}
