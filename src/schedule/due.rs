//! When jobs have to be done, and what it counts to be late.
//!
//! Jobs end at whole steps, but deadlines lie where they lie. Lateness is counted in *parts* of a
//! step, of which there are as many as it takes for every deadline to lie at a whole one.

/// When a job has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// The moment, in parts of a step.
    at: i64,
    /// Parts of a step; the same for all jobs.
    parts: i64,
    /// What a part of lateness counts.
    weight: i64,
}

impl Due {
    /// At `at` parts, of which a step has `parts`; each part late counts `weight`.
    pub(super) fn new(at: i64, parts: i64, weight: i64) -> Self {
        Self {
            at,
            parts: parts.max(1),
            weight,
        }
    }

    /// The last step that a job may end at and be in time.
    pub(super) fn step(self) -> i64 {
        self.at.div_euclid(self.parts)
    }

    /// The parts by which an end at a step is late, unweighted.
    pub(super) fn parts_late(self, end: i64) -> i64 {
        end.saturating_mul(self.parts)
            .saturating_sub(self.at)
            .max(0)
    }

    /// What an end at a step counts.
    pub(super) fn late(self, end: i64) -> i64 {
        self.parts_late(end).saturating_mul(self.weight)
    }

    /// The moment, in parts of a step.
    pub(super) fn at(self) -> i64 {
        self.at
    }

    /// Parts of a step.
    pub(super) fn parts(self) -> i64 {
        self.parts
    }

    /// What a part of lateness counts.
    pub(super) fn weight(self) -> i64 {
        self.weight
    }

    /// What an end at a step counts that is late, for each step that it is later.
    pub(super) fn per_step(self) -> i64 {
        self.weight.saturating_mul(self.parts)
    }

    /// The later moment and the smaller weight of two: no end counts more than by either of them.
    pub(super) fn laxer(self, other: Self) -> Self {
        Self {
            at: self.at.max(other.at),
            weight: self.weight.min(other.weight),
            ..self
        }
    }
}
