//! Ways to run given to one job after another.

use pumpkin_core::termination::TerminationCondition;

use super::alone::{self, Aside};
use super::{Decision, Node, Stage, Ways};
use crate::schedule::bound;
use crate::schedule::bound::lanes::Inequality;
use crate::schedule::bound::late::{self, Waiting};
use crate::schedule::problem::{Caps, Mode, Placed, Problem, Task};
use crate::schedule::solve::question::Effort;
use crate::schedule::solve::tree::{self, Outcome};
use crate::search::Watch;

/// Jobs beside others that have their ways before they are placed without the rest: two nearly
/// always fit.
const FEWEST: usize = 3;
/// Effort for placing jobs without the others, which only saves effort.
pub(super) const PART: u64 = 20_000;
/// Rounds in which the inequalities are weighed while few jobs have their ways, and for each after.
const FIRST_ROUNDS: usize = 100;
const ROUNDS: usize = 25;
/// Shares that are looked at in the time of a decision of the tree.
const SHARES: usize = 500;

/// A search for ways from some node on.
pub(super) struct Search<'s> {
    pub(super) ways: &'s Ways<'s>,
    pub(super) node: Node,
    /// Decisions that are made before the node is handed over instead of followed.
    until: usize,
    pub(super) reached: Vec<Node>,
    /// What lanes can't hold, as far as it was found on the way.
    pub(super) known: Vec<Inequality>,
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
            known: Vec::new(),
            effort: Effort {
                spent: 0,
                allowed,
                watch,
            },
            open: false,
        }
    }

    /// A schedule that follows from what is decided first.
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
        let placed = self.node.given.iter().flatten().count();
        let rounds = if placed < FEWEST {
            FIRST_ROUNDS
        } else {
            ROUNDS
        };
        let Node {
            stage,
            given,
            weights,
            ..
        } = &mut self.node;
        self.effort
            .spend((stage.system.shares() * rounds / SHARES) as u64);
        if stage.system.excludes(given, weights, rounds) || self.too_late() || self.too_long() {
            return None;
        }
        let next = match ways.decisions.get(first) {
            Some(Decision::Alone(job)) => return self.beside_or_alone(first, *job),
            Some(Decision::Way(_)) if ways.by_lanes => self.fewest_open(),
            Some(Decision::Way(job)) if self.node.alone[*job].is_some() => {
                return self.from(first + 1);
            }
            Some(Decision::Way(job)) => Some(*job),
            None => None,
        };
        match next {
            Some(_) if placed >= FEWEST && self.part_excluded() => None,
            Some(job) => self.way(first, job),
            None => self.refined(&self.assigned()),
        }
    }

    /// Whether a job runs alone: beside others first, then each way that leaves no room to any.
    fn beside_or_alone(&mut self, first: usize, job: usize) -> Option<Vec<Placed>> {
        let ways = self.ways;
        let twin = ways.twins[job].and_then(|twin| self.node.alone[twin]);
        let all = ways.alone[job].iter().copied();
        let alone = all.filter(|way| twin.is_none_or(|twin| twin <= *way));
        let beside = twin.is_none().then_some(None);
        let node = self.node.clone();
        for way in beside.into_iter().chain(alone.map(Some)) {
            let mut problem = node.stage.problem.clone();
            let mut caps = node.stage.caps;
            let modes = &mut problem.tasks[job].modes;
            if let Some(way) = way {
                let mode = modes[way];
                caps = alone::put_aside(&mut problem, caps, job, mode);
            } else {
                let all = modes.iter().enumerate();
                let rest = all.filter(|(way, _)| !ways.alone[job].contains(way));
                *modes = rest.map(|(_, mode)| *mode).collect();
            }
            let Some(stage) = Stage::new(problem, caps, ways.by_lanes) else {
                continue;
            };
            self.node.begin(stage);
            self.known.clear();
            self.node.alone[job] = way;
            let found = self.from(first + 1);
            if found.is_some() {
                return found;
            }
        }
        self.node = node;
        self.known.clear();
        None
    }

    /// One way after another to run a job beside others.
    fn way(&mut self, first: usize, job: usize) -> Option<Vec<Placed>> {
        let node = self.node.clone();
        for way in self.open_ways(job) {
            self.node.clone_from(&node);
            self.node.given[job] = Some(way);
            let found = self.from(first + 1);
            if found.is_some() {
                return found;
            }
        }
        self.node = node;
        None
    }

    /// The ways that a job can be given, told apart from jobs that are alike.
    pub(super) fn open_ways(&self, job: usize) -> Vec<usize> {
        let given = &self.node.given;
        let twins = &self.ways.twins;
        let least = twins[job].and_then(|twin| given[twin]);
        let after = (0..twins.len()).find(|other| twins[*other] == Some(job));
        let most = after.and_then(|other| given[other]);
        let all = 0..self.node.stage.system.ways(job).count();
        let told = |way: &usize| {
            least.is_none_or(|least| least <= *way) && most.is_none_or(|most| *way <= most)
        };
        let open = all.filter(|way| told(way) && self.is_open(job, *way));
        open.collect()
    }

    /// Whether the jobs that have their ways don't fit on the calendar even without the others.
    fn part_excluded(&mut self) -> bool {
        let ways = self.ways;
        let mut jobs: Vec<(usize, Mode)> = Vec::new();
        let mut caps = ways.caps;
        for (job, least) in ways.least.iter().enumerate() {
            if self.decided(job) {
                jobs.push((job, self.mode(job)));
            } else {
                caps.cost = caps.cost.map(|most| most - least.0);
                caps.late = caps.late.map(|most| most - least.1);
            }
        }
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
        let aside = Aside::new(&part, caps);
        let Some((rest, caps)) = aside.rest() else {
            return Outcome {
                found: None,
                settled: true,
            };
        };
        let left = self.effort.allowed.saturating_sub(self.effort.spent);
        let mut effort = Effort {
            spent: 0,
            allowed: left.min(most),
            watch: self.effort.watch,
        };
        let outcome = tree::ask(&rest, caps, None, None, &mut effort);
        self.effort.spent += effort.spent;
        Outcome {
            found: outcome.found.map(|placed| aside.whole(&placed)),
            ..outcome
        }
    }

    /// Whether the jobs are too late together, run the ways they have and else any.
    fn too_late(&self) -> bool {
        let ways = self.ways;
        let Some(most) = ways.caps.late else {
            return false;
        };
        let mut problem = ways.merged.clone();
        for job in 0..problem.tasks.len() {
            if self.decided(job) {
                problem.tasks[job].modes = vec![self.mode(job)];
            }
        }
        let ends = bound::earliest_ends(&problem);
        let late = |unit: &i64| {
            let jobs = problem.tasks.iter().zip(&ends);
            let jobs = jobs.filter_map(|(task, end)| Waiting::of(task, *unit, *end));
            let mut jobs: Vec<Waiting> = jobs.collect();
            late::together(&mut jobs, &late::free(&ways.rooms, *unit))
        };
        ways.units.iter().any(|unit| late(unit) > most as f64)
    }

    /// Whether a job has its way.
    pub(super) fn decided(&self, job: usize) -> bool {
        self.node.alone[job].is_some() || self.node.given[job].is_some()
    }

    /// The way that a job is given.
    pub(super) fn mode(&self, job: usize) -> Mode {
        if let Some(way) = self.node.alone[job] {
            return self.ways.merged.tasks[job].modes[way];
        }
        let stage = &self.node.stage;
        let way = self.node.given[job].unwrap_or(0);
        let mode = stage.system.ways(job).nth(way).unwrap_or(0);
        stage.problem.tasks[job].modes[mode]
    }

    /// Whether no more effort may be spent.
    pub(super) fn stopped(&self) -> bool {
        self.effort.spent > self.effort.allowed || self.effort.watch.is_cancelled()
    }
}
