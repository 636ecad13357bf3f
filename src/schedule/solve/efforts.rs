//! How much effort is spent on a schedule, counted instead of timed.

use crate::schedule::problem::{Aim, Problem};

/// Effort for up to a dozen jobs; more jobs get less, since each decision takes longer.
const EFFORT: Efforts = Efforts {
    tree_question: 40_000,
    tree: 3_000_000,
    ways_question: 24_000_000,
    ways: 24_000_000,
    lanes_question: 8_000_000,
    lanes: 16_000_000,
    starts_question: 1_500_000,
    starts: 9_000_000,
    solver_question: 12_000,
    solver: 40_000,
    small: 12,
    solver_small: 2,
    turns: &[6],
};
/// The same where there are too many jobs for the linear programs of lanes to be solved often enough.
const WITHOUT_LANES: Efforts = Efforts {
    ways: 30_000_000,
    lanes_question: 0,
    lanes: 0,
    ..EFFORT
};
/// The same of cost, of which neither lanes nor starts tell anything.
const COST_EFFORT: Efforts = Efforts {
    starts_question: 0,
    starts: 0,
    ..WITHOUT_LANES
};
/// The same where due dates are what decides: the solver learns from what is late, and is asked more.
const LATE_EFFORT: Efforts = Efforts {
    tree_question: 5_000,
    ways_question: 4_000_000,
    ways: 9_000_000,
    solver_question: 20_000,
    solver: 40_000,
    small: 20,
    solver_small: 20,
    turns: &[6, 2],
    ..COST_EFFORT
};
/// Effort for what is minimised among equals, each figure.
const SECOND_EFFORT: Efforts = Efforts {
    tree_question: 0,
    tree: 600_000,
    ways_question: 0,
    ways: 0,
    lanes_question: 0,
    lanes: 0,
    starts_question: 0,
    starts: 0,
    solver_question: 1_000,
    solver: 4_000,
    small: 1,
    solver_small: 1,
    turns: &[],
};
/// The same where due dates are what decides: there, each decision takes longer.
const LATE_SECOND_EFFORT: Efforts = Efforts {
    tree: 200_000,
    ..SECOND_EFFORT
};
/// Effort for a question to the tree with the ways given first that takes a tenth of a second.
pub(super) const GLANCE: u64 = 200_000;
/// Effort for the schedule of kinds that many different jobs are merged into.
pub(super) const KINDS_EFFORT: u64 = 3_000_000;
const A_DOZEN: u64 = 12;
/// Jobs for which lanes are filled, at most. Of twenty, a linear program takes ten times as long as of
/// ten, and what it tells of forty is less than what other searches find in that time.
const MOST_IN_LANES: usize = 16;

/// How much effort may be spent on what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Efforts {
    /// On one question to the tree of decisions.
    pub(super) tree_question: u64,
    /// On the tree that is searched until nothing better is in it.
    pub(super) tree: u64,
    /// On one question to the tree with the ways to run given first.
    pub(super) ways_question: u64,
    /// On all of these.
    pub(super) ways: u64,
    /// On one question for which lanes are filled as well.
    pub(super) lanes_question: u64,
    /// On all of these.
    pub(super) lanes: u64,
    /// On one question for which the starts of every job are narrowed.
    pub(super) starts_question: u64,
    /// On all of these.
    pub(super) starts: u64,
    /// On one question to the solver.
    pub(super) solver_question: u64,
    /// On all questions to the solver.
    pub(super) solver: u64,
    /// The part of a question's effort that a small one gets: one in so many.
    pub(super) small: u64,
    /// The same of a question to the solver.
    pub(super) solver_small: u64,
    /// The parts with which anything better is asked for by turns, one in so many.
    pub(super) turns: &'static [u64],
}

impl Efforts {
    /// For what is minimised first.
    pub(super) fn first(problem: &Problem) -> Self {
        match problem.aim {
            Aim::Lateness => LATE_EFFORT,
            Aim::Makespan if problem.tasks.len() <= MOST_IN_LANES => EFFORT,
            Aim::Makespan => WITHOUT_LANES,
            Aim::Cost => COST_EFFORT,
        }
    }

    /// For what is minimised among equals, each figure.
    pub(super) fn second(problem: &Problem) -> Self {
        match problem.aim {
            Aim::Lateness => LATE_SECOND_EFFORT,
            Aim::Makespan | Aim::Cost => SECOND_EFFORT,
        }
    }
}

/// How far a schedule is improved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schedule) enum Depth {
    /// As far as it takes to start on finer steps from it.
    Sketch,
    /// Until nothing better is left, or all effort is spent.
    Proof,
}

/// The share of all effort that a sketch gets, one in so many; and where due dates decide: steps move
/// these, so that little of what is found on coarse ones holds.
const SKETCH: u64 = 8;
const LATE_SKETCH: u64 = 64;

impl Depth {
    /// What of an effort for a dozen jobs may be spent.
    pub(super) fn share(self, effort: u64, problem: &Problem) -> u64 {
        let jobs = A_DOZEN.max(problem.tasks.len() as u64);
        let parts = match self {
            Self::Sketch if problem.aim == Aim::Lateness => LATE_SKETCH,
            Self::Sketch => SKETCH,
            Self::Proof => 1,
        };
        effort * A_DOZEN / (jobs * parts)
    }

    /// All that may be spent.
    pub(super) fn whole(self, problem: &Problem) -> u64 {
        let all = |efforts: Efforts| {
            efforts.tree + efforts.ways + efforts.lanes + efforts.starts + efforts.solver
        };
        let among_equals = match problem.aim {
            Aim::Lateness => 2,
            Aim::Makespan | Aim::Cost => 1,
        };
        let first = all(Efforts::first(problem)) + KINDS_EFFORT;
        self.share(
            first + among_equals * all(Efforts::second(problem)),
            problem,
        )
    }
}
