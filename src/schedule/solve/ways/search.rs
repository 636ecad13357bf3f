//! Ways to run given to one job after another.

use pumpkin_core::termination::TerminationCondition;

use super::{Node, Ways};
use crate::schedule::problem::{Caps, Mode, Placed, Problem, Task};
use crate::schedule::solve::exact::Effort;
use crate::schedule::solve::tree::{self, Outcome};
use crate::search::Watch;

/// Jobs that have their ways before they are placed without the others: two nearly always fit.
const FEWEST: usize = 3;
/// Effort for placing jobs without the others, which only saves effort.
pub(super) const PART: u64 = 20_000;
/// Rounds in which the inequalities are weighed for the first jobs, and for each after.
const FIRST_ROUNDS: usize = 100;
const ROUNDS: usize = 25;
/// Shares that are looked at in the time of a decision of the tree.
const SHARES: usize = 500;

/// A search for ways from some node on.
pub(super) struct Search<'s> {
    pub(super) ways: &'s Ways<'s>,
    node: Node,
    /// Jobs that have their ways before the node is handed over instead of followed.
    until: usize,
    pub(super) reached: Vec<Node>,
    pub(super) effort: Effort<'s>,
    /// Whether something was left undecided.
    pub(super) open: bool,
}

impl<'s> Search<'s> {
    /// From a node on, with so much effort.
    pub(super) fn new(
        ways: &'s Ways<'s>,
        node: Node,
        until: usize,
        allowed: u64,
        watch: &'s Watch<'s>,
    ) -> Self {
        Self {
            ways,
            node,
            until,
            reached: Vec::new(),
            effort: Effort {
                spent: 0,
                allowed,
                watch,
            },
            open: false,
        }
    }

    /// A schedule in which the first jobs run the ways they are given.
    pub(super) fn from(&mut self, first: usize) -> Option<Vec<Placed>> {
        if self.effort.should_stop() {
            self.open = true;
            return None;
        }
        if first == self.until {
            self.reached.push(self.node.clone());
            return None;
        }
        let ways = self.ways;
        let rounds = if first < FEWEST { FIRST_ROUNDS } else { ROUNDS };
        self.effort
            .spend((ways.system.shares() * rounds / SHARES) as u64);
        let Node { given, weights } = &mut self.node;
        if ways.system.excludes(given, weights, rounds) {
            return None;
        }
        if first == ways.order.len() {
            return self.refined(&self.assigned());
        }
        if first >= FEWEST && self.part_excluded(first) {
            return None;
        }
        let job = ways.order[first];
        let least = ways.twins[job].and_then(|twin| self.node.given[twin]);
        let weights = self.node.weights.clone();
        for way in least.unwrap_or(0)..ways.system.ways(job).count() {
            self.node.given[job] = Some(way);
            self.node.weights.clone_from(&weights);
            let found = self.from(first + 1);
            if found.is_some() {
                return found;
            }
        }
        self.node.given[job] = None;
        None
    }

    /// Whether the first jobs don't fit on the calendar even without the others.
    fn part_excluded(&mut self, first: usize) -> bool {
        let ways = self.ways;
        let (jobs, rest) = ways.order.split_at(first);
        let rest = rest.iter().map(|job| ways.least[*job]);
        let (cost, late) = rest.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let caps = Caps {
            cost: ways.caps.cost.map(|most| most - cost),
            late: ways.caps.late.map(|most| most - late),
            ..ways.caps
        };
        let mut jobs: Vec<(usize, Mode)> = jobs.iter().map(|job| (*job, self.mode(*job))).collect();
        jobs.sort_by_key(|(job, _)| *job);
        let outcome = self.tree(&jobs, caps, PART);
        outcome.settled && outcome.found.is_none()
    }

    /// Looks for a schedule of some jobs, in the order of the file, each run its way.
    pub(super) fn tree(&mut self, jobs: &[(usize, Mode)], caps: Caps, most: u64) -> Outcome {
        let problem = self.ways.problem;
        let tasks = jobs.iter().map(|(job, mode)| {
            let place = |before: &usize| jobs.binary_search_by_key(before, |(job, _)| *job);
            let before = self.ways.before[*job].iter();
            Task {
                modes: vec![*mode],
                after: before.filter_map(|before| place(before).ok()).collect(),
                ..problem.tasks[*job]
            }
        });
        let part = Problem {
            tasks: tasks.collect(),
            sites: problem.sites.clone(),
            aim: problem.aim,
        };
        let left = self.effort.allowed.saturating_sub(self.effort.spent);
        let mut effort = Effort {
            spent: 0,
            allowed: left.min(most),
            watch: self.effort.watch,
        };
        let outcome = tree::ask(&part, caps, None, &mut effort);
        self.effort.spent += effort.spent;
        outcome
    }

    /// The way that a job is given.
    pub(super) fn mode(&self, job: usize) -> Mode {
        let way = self.node.given[job].unwrap_or(0);
        let mode = self.ways.system.ways(job).nth(way).unwrap_or(0);
        self.ways.merged.tasks[job].modes[mode]
    }

    /// Whether no more effort may be spent.
    pub(super) fn stopped(&self) -> bool {
        self.effort.spent > self.effort.allowed || self.effort.watch.is_cancelled()
    }
}
