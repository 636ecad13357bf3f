//! The ways to run before the calendar: is there a schedule within some caps?
//!
//! Each job is given its way to run, the largest first. That is followed no further once dual
//! feasible functions tell that no schedule runs the jobs these ways, or the tree that not even
//! the jobs that have their ways fit on the calendar without the others. Few large jobs exclude
//! most of what all of them could do; and with one way each, the tree is quick.

use pumpkin_core::termination::TerminationCondition;
use rayon::prelude::*;

use super::exact::Effort;
use super::tree::{self, Outcome, alike};
use crate::schedule::bound;
use crate::schedule::bound::dual_feasible::System;
use crate::schedule::problem::{Caps, Placed, Problem, Task};
use crate::search::Watch;

/// Jobs that have their ways before they are placed without the others: two nearly always fit.
const FEWEST: usize = 3;
/// Effort for placing jobs without the others, which only saves effort.
const PART: u64 = 20_000;
/// Rounds in which the inequalities are weighed for the first jobs, and for each after.
const FIRST_ROUNDS: usize = 100;
const ROUNDS: usize = 25;
/// Shares that are looked at in the time of a decision of the tree.
const SHARES: usize = 500;

/// Choices of ways for the first jobs that are enough to search what follows from each by itself.
const ENOUGH: usize = 200;
/// What follows from so many of these is searched at once, however many processors there are.
const AT_ONCE: usize = 8;
/// Effort for each at first, and by how much it grows for those that stay open.
const EACH: u64 = 500_000;
const GROWTH: u64 = 8;

/// Looks for a schedule within `caps`; the same one for any number of threads.
pub(in crate::schedule) fn ask(problem: &Problem, caps: Caps, effort: &mut Effort<'_>) -> Outcome {
    let Some(system) = System::of_each(problem, caps) else {
        return Outcome {
            found: None,
            settled: true,
        };
    };
    let ways = Ways::new(problem, caps, system);
    let mut nodes = vec![ways.root()];
    let mut first = 0;
    while first < ways.order.len() && (1..ENOUGH).contains(&nodes.len()) {
        let mut next: Vec<Node> = Vec::new();
        for node in nodes {
            let allowed = effort.allowed.saturating_sub(effort.spent);
            let mut search = ways.search(node, first + 1, allowed, effort.watch);
            // Nothing is placed before all jobs have their ways.
            let _ = search.from(first);
            effort.spent += search.effort.spent;
            if search.open {
                return Outcome {
                    found: None,
                    settled: false,
                };
            }
            next.append(&mut search.reached);
        }
        (nodes, first) = (next, first + 1);
    }
    ways.all(first, nodes, effort)
}

/// What every search for ways has in common.
struct Ways<'a> {
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
}

/// The first jobs with their ways, and the weights that the inequalities have come to.
#[derive(Clone)]
struct Node {
    given: Vec<Option<usize>>,
    weights: Vec<f64>,
}

impl<'a> Ways<'a> {
    fn new(problem: &'a Problem, caps: Caps, system: System) -> Self {
        let tasks = &problem.tasks;
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        order.sort_by_key(|job| (-tasks[*job].least_area(), *job));
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
        }
    }

    fn root(&self) -> Node {
        Node {
            given: vec![None; self.order.len()],
            weights: self.system.weights(),
        }
    }

    fn search<'s>(
        &'s self,
        node: Node,
        until: usize,
        allowed: u64,
        watch: &'s Watch<'s>,
    ) -> Search<'s> {
        Search {
            ways: self,
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

    /// Searches what follows from all of the nodes, in which so many jobs have their ways; those that take long again with more effort.
    fn all(&self, first: usize, mut nodes: Vec<Node>, effort: &mut Effort<'_>) -> Outcome {
        let watch = effort.watch;
        let mut each = EACH;
        while !nodes.is_empty() {
            let mut again: Vec<Node> = Vec::new();
            for some in nodes.chunks(AT_ONCE) {
                let left = effort.allowed.saturating_sub(effort.spent);
                let allowed = each.min(left / some.len() as u64);
                if allowed == 0 || watch.is_cancelled() {
                    return Outcome {
                        found: None,
                        settled: false,
                    };
                }
                let searched = some.par_iter().map(|node| {
                    let mut search = self.search(node.clone(), usize::MAX, allowed, watch);
                    (search.from(first), search.open, search.effort.spent)
                });
                let searched: Vec<_> = searched.collect();
                effort.spent += searched.iter().map(|(_, _, spent)| spent).sum::<u64>();
                for (node, (found, open, _)) in some.iter().zip(searched) {
                    if found.is_some() {
                        return Outcome {
                            found,
                            settled: true,
                        };
                    }
                    if open {
                        again.push(node.clone());
                    }
                }
            }
            nodes = again;
            each = each.saturating_mul(GROWTH);
        }
        Outcome {
            found: None,
            settled: true,
        }
    }
}

/// A search for ways from some node on.
struct Search<'s> {
    ways: &'s Ways<'s>,
    node: Node,
    /// Jobs that have their ways before the node is handed over instead of followed.
    until: usize,
    reached: Vec<Node>,
    effort: Effort<'s>,
    /// Whether something was left undecided.
    open: bool,
}

impl Search<'_> {
    /// A schedule in which the first jobs run the ways they are given.
    fn from(&mut self, first: usize) -> Option<Vec<Placed>> {
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
            return self.placed();
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

    /// All jobs on the calendar, each run its way.
    fn placed(&mut self) -> Option<Vec<Placed>> {
        let jobs: Vec<usize> = (0..self.ways.order.len()).collect();
        let outcome = self.tree(&jobs, self.ways.caps, u64::MAX);
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
        let ways = self.ways;
        let (jobs, rest) = ways.order.split_at(first);
        let rest = rest.iter().map(|job| ways.least[*job]);
        let (cost, late) = rest.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let caps = Caps {
            cost: ways.caps.cost.map(|most| most - cost),
            late: ways.caps.late.map(|most| most - late),
            ..ways.caps
        };
        let mut jobs = jobs.to_vec();
        jobs.sort_unstable();
        let outcome = self.tree(&jobs, caps, PART);
        outcome.settled && outcome.found.is_none()
    }

    /// Looks for a schedule of some jobs, in the order of the file, each run its way.
    fn tree(&mut self, jobs: &[usize], caps: Caps, most: u64) -> Outcome {
        let problem = self.ways.problem;
        let tasks = jobs.iter().map(|job| {
            let task = &problem.tasks[*job];
            let before = self.ways.before[*job].iter();
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

    /// The way that a job is given, as its place among the job's modes.
    fn mode(&self, job: usize) -> usize {
        let way = self.node.given[job].unwrap_or(0);
        self.ways.system.ways(job).nth(way).unwrap_or(0)
    }
}

/// For each job the jobs that have to be done before it, those that these wait for among them.
fn before(problem: &Problem) -> Vec<Vec<usize>> {
    let before = |job: usize| {
        let mut seen = vec![false; problem.tasks.len()];
        let mut next = vec![job];
        while let Some(job) = next.pop() {
            for before in &problem.tasks[job].after {
                if !seen[*before] {
                    seen[*before] = true;
                    next.push(*before);
                }
            }
        }
        (0..seen.len()).filter(|job| seen[*job]).collect()
    };
    (0..problem.tasks.len()).map(before).collect()
}
