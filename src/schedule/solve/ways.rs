//! The ways to run before the calendar: is there a schedule within some caps?
//!
//! Each job is given its way to run, the largest first. That is followed no further once dual
//! feasible functions tell that no schedule runs the jobs these ways, or the tree that not even
//! the jobs that have their ways fit on the calendar without the others. Few large jobs exclude
//! most of what all of them could do; and with one way each, the tree is quick.

use pumpkin_core::termination::TerminationCondition;

use super::exact::Effort;
use super::tree::{self, Outcome, alike};
use crate::schedule::bound;
use crate::schedule::bound::dual_feasible::System;
use crate::schedule::problem::{Caps, Placed, Problem, Task};

/// Jobs that have their ways before they are placed without the others: two nearly always fit.
const FEWEST: usize = 3;
/// Effort for placing jobs without the others, which only saves effort.
const PART: u64 = 20_000;
/// Rounds in which the inequalities are weighed for the first jobs, and for each after.
const FIRST_ROUNDS: usize = 100;
const ROUNDS: usize = 25;
/// Shares that are looked at in the time of a decision of the tree.
const SHARES: usize = 500;

/// Looks for a schedule within `caps`.
pub(in crate::schedule) fn ask(problem: &Problem, caps: Caps, effort: &mut Effort<'_>) -> Outcome {
    let Some(system) = System::of_each(problem, caps) else {
        return Outcome {
            found: None,
            settled: true,
        };
    };
    let weights = system.weights();
    let mut ways = Ways::new(problem, caps, system, effort);
    let found = ways.from(0, weights);
    Outcome {
        settled: found.is_some() || !ways.open,
        found,
    }
}

struct Ways<'a, 'e, 'w> {
    problem: &'a Problem,
    caps: Caps,
    system: System,
    /// The jobs in the order in which they are given their ways.
    order: Vec<usize>,
    /// The last job before in that order that need not be told apart.
    twins: Vec<Option<usize>>,
    /// All jobs that have to be done before each.
    before: Vec<Vec<usize>>,
    /// What each job costs, and how late it is, at the least.
    least: Vec<(i64, i64)>,
    given: Vec<Option<usize>>,
    effort: &'e mut Effort<'w>,
    /// Whether something was left undecided.
    open: bool,
}

impl<'a, 'e, 'w> Ways<'a, 'e, 'w> {
    fn new(problem: &'a Problem, caps: Caps, system: System, effort: &'e mut Effort<'w>) -> Self {
        let tasks = &problem.tasks;
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        order.sort_by_key(|job| (-least_area(&tasks[*job]), *job));
        let mut twins = vec![None; tasks.len()];
        for (place, job) in order.iter().enumerate() {
            let earlier = order[..place].iter().rev();
            let mut earlier = earlier.filter(|other| alike(problem, **other, *job));
            twins[*job] = earlier.next().copied();
        }
        let ends = bound::earliest_ends(problem);
        let least = tasks.iter().zip(ends).map(|(task, end)| {
            let cost = task.modes.iter().map(|mode| mode.cost).min();
            let late = task.due.map_or(0, |due| (end - due).max(0)) * task.weight;
            (cost.unwrap_or(0), late)
        });
        Self {
            problem,
            caps,
            system,
            order,
            twins,
            before: before(problem),
            least: least.collect(),
            given: vec![None; tasks.len()],
            effort,
            open: false,
        }
    }

    /// A schedule in which the first jobs run the ways they are given.
    fn from(&mut self, first: usize, mut weights: Vec<f64>) -> Option<Vec<Placed>> {
        if self.effort.should_stop() {
            self.open = true;
            return None;
        }
        let rounds = if first < FEWEST { FIRST_ROUNDS } else { ROUNDS };
        self.effort.spent += (self.system.shares() * rounds / SHARES) as u64;
        if self.system.excludes(&self.given, &mut weights, rounds) {
            return None;
        }
        if first == self.order.len() {
            return self.placed();
        }
        if first >= FEWEST && self.part_excluded(first) {
            return None;
        }
        let job = self.order[first];
        let least = self.twins[job].and_then(|twin| self.given[twin]);
        for way in least.unwrap_or(0)..self.system.ways(job).count() {
            self.given[job] = Some(way);
            let found = self.from(first + 1, weights.clone());
            if found.is_some() {
                return found;
            }
        }
        self.given[job] = None;
        None
    }

    /// All jobs on the calendar, each run its way.
    fn placed(&mut self) -> Option<Vec<Placed>> {
        let jobs: Vec<usize> = (0..self.order.len()).collect();
        let outcome = self.tree(&jobs, self.caps, u64::MAX);
        self.open |= !outcome.settled;
        let placed = outcome.found?.into_iter().enumerate();
        let placed = placed.map(|(job, placed)| Placed {
            mode: self.mode(job),
            ..placed
        });
        Some(placed.collect())
    }

    /// Whether the first jobs don't fit on the calendar even without the others.
    fn part_excluded(&mut self, first: usize) -> bool {
        let (jobs, rest) = self.order.split_at(first);
        let rest = rest.iter().map(|job| self.least[*job]);
        let (cost, late) = rest.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let caps = Caps {
            cost: self.caps.cost.map(|most| most - cost),
            late: self.caps.late.map(|most| most - late),
            ..self.caps
        };
        let mut jobs = jobs.to_vec();
        jobs.sort_unstable();
        let outcome = self.tree(&jobs, caps, PART);
        outcome.settled && outcome.found.is_none()
    }

    /// Looks for a schedule of some jobs, in the order of the file, each run its way.
    fn tree(&mut self, jobs: &[usize], caps: Caps, most: u64) -> Outcome {
        let tasks = jobs.iter().map(|job| {
            let task = &self.problem.tasks[*job];
            let before = self.before[*job].iter();
            Task {
                modes: vec![task.modes[self.mode(*job)]],
                after: before
                    .filter_map(|job| jobs.binary_search(job).ok())
                    .collect(),
                ..*task
            }
        });
        let part = Problem {
            tasks: tasks.collect(),
            sites: self.problem.sites.clone(),
            aim: self.problem.aim,
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

    /// The way that a job is given, as its place among the job's modes.
    fn mode(&self, job: usize) -> usize {
        let way = self.given[job].unwrap_or(0);
        self.system.ways(job).nth(way).unwrap_or(0)
    }
}

fn least_area(task: &Task) -> i64 {
    let areas = task.modes.iter();
    let areas = areas.map(|mode| mode.nodes.saturating_mul(mode.steps));
    areas.min().unwrap_or(0)
}

/// For each job the jobs that have to be done before it, those that these wait for among them.
fn before(problem: &Problem) -> Vec<Vec<usize>> {
    let before = |job: usize| {
        let mut all: Vec<usize> = Vec::new();
        let mut next = problem.tasks[job].after.clone();
        while let Some(other) = next.pop() {
            if !all.contains(&other) {
                all.push(other);
                next.extend(&problem.tasks[other].after);
            }
        }
        all.sort_unstable();
        all
    };
    (0..problem.tasks.len()).map(before).collect()
}
