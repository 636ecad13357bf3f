//! The ways to run before the calendar: is there a schedule within some caps?
//!
//! Each job is given its way to run, the largest first. That is followed no further once dual
//! feasible functions tell that no schedule runs the jobs these ways, or the tree that not even
//! the jobs that have their ways fit on the calendar without the others. Few large jobs exclude
//! most of what all of them could do; and with one way each, the tree is quick.
//!
//! Before that, it is decided of each job whether it takes so many nodes that it runs alone: the
//! others then have less time, of which each takes a larger share.
//!
//! Jobs that are nearly alike count at first as ones that can do whatever any of them can: who of
//! them runs which way is decided last, and only where all jobs fit even so.

mod alone;
mod groups;
mod refine;
mod search;
mod shared;

use std::sync::Arc;

use rayon::prelude::*;

use self::groups::Groups;
use self::search::Search;
use super::question::Effort;
use super::tree::{Outcome, alike};
use crate::schedule::bound;
use crate::schedule::bound::dual_feasible::System;
use crate::schedule::bound::lanes::{Lanes, Prices};
use crate::schedule::problem::{Aim, Caps, Placed, Problem};
use crate::schedule::room::Room;

/// Choices for the first jobs that are enough to search what follows from each by itself.
const ENOUGH: usize = 200;
/// What follows from so many of these is searched at once, however many processors there are.
const AT_ONCE: usize = 8;
/// Effort for each at first, and by how much it grows for those that stay open.
const EACH: u64 = 500_000;
const GROWTH: u64 = 8;

/// Looks for a schedule within `caps`; the same one for any number of threads.
pub(in crate::schedule) fn ask(problem: &Problem, caps: Caps, effort: &mut Effort<'_>) -> Outcome {
    let groups = Groups::new(problem);
    let merged = groups.merged(problem);
    Ways::new(problem, caps, groups, &merged, false).ask(effort)
}

/// The same, with what the lanes can hold looked at after every choice.
pub(in crate::schedule) fn ask_by_lanes(
    problem: &Problem,
    caps: Caps,
    effort: &mut Effort<'_>,
) -> Outcome {
    let groups = Groups::new(problem);
    let merged = groups.merged(problem);
    Ways::new(problem, caps, groups, &merged, true).ask(effort)
}

/// What every search for ways has in common.
struct Ways<'a> {
    problem: &'a Problem,
    groups: Groups,
    /// The problem with its jobs taken for the kinds of the largest groups, like what follows.
    merged: &'a Problem,
    caps: Caps,
    /// What is decided, one after another.
    decisions: Vec<Decision>,
    /// The ways of each job that leave no room beside it, where it can be moved.
    alone: Vec<Vec<usize>>,
    /// The last job before in that order that need not be told apart.
    twins: Vec<Option<usize>>,
    /// All jobs that have to be done before each.
    before: Vec<Vec<usize>>,
    /// What each job costs, and how late it is, at the least.
    least: Vec<(i64, i64)>,
    /// What is free.
    rooms: Vec<Room>,
    /// Numbers of nodes that jobs run on, each once.
    units: Vec<i64>,
    /// Whether the lanes that the jobs have to share are looked at.
    by_lanes: bool,
}

/// What is decided of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// Whether it runs alone, and in which way.
    Alone(usize),
    /// The way to run it, where it doesn't run alone.
    Way(usize),
}

/// What is left to the jobs that don't run alone.
struct Stage {
    problem: Problem,
    caps: Caps,
    system: System,
    /// The lanes that they have to share, where these are looked at.
    lanes: Option<Lanes>,
}

impl Stage {
    /// `None` where a job has no way to run within the caps.
    fn new(problem: Problem, caps: Caps, by_lanes: bool) -> Option<Arc<Self>> {
        let system = System::of_each(&problem, caps)?;
        let lanes = by_lanes.then(|| system.lanes(&problem, caps)).flatten();
        Some(Arc::new(Self {
            problem,
            caps,
            system,
            lanes,
        }))
    }
}

/// What is decided of the first jobs, and the weights that the inequalities have come to.
#[derive(Clone)]
struct Node {
    stage: Arc<Stage>,
    /// The ways of the jobs that run alone, by their place among all of theirs.
    alone: Vec<Option<usize>>,
    given: Vec<Option<usize>>,
    weights: Vec<f64>,
    /// The ways that the lanes leave open.
    open: Vec<bool>,
    /// Prices for what the lanes hold, where they may tell something.
    prices: Option<Prices>,
}

impl Node {
    /// Goes on with what is left to the jobs that don't run alone.
    fn begin(&mut self, stage: Arc<Stage>) {
        self.weights = stage.system.weights();
        self.open = stage.lanes.as_ref().map_or_else(Vec::new, Lanes::open);
        self.prices = stage.lanes.as_ref().map(Lanes::start);
        self.stage = stage;
    }
}

impl<'a> Ways<'a> {
    fn new(
        problem: &'a Problem,
        caps: Caps,
        groups: Groups,
        merged: &'a Problem,
        by_lanes: bool,
    ) -> Self {
        let tasks = &merged.tasks;
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        order.sort_by_key(|job| (-tasks[*job].least_area(), *job));
        let mut twins = vec![None; tasks.len()];
        for (place, job) in order.iter().enumerate() {
            let earlier = order[..place].iter().rev();
            let mut earlier = earlier.filter(|other| alike(merged, **other, *job));
            twins[*job] = earlier.next().copied();
        }
        let ends = bound::earliest_ends(merged);
        let least = tasks.iter().zip(ends).map(|(task, end)| {
            let cost = task.modes.iter().map(|mode| mode.cost).min();
            (cost.unwrap_or(0), task.late(end))
        });
        let mut alone = alone::ways(merged, caps.end);
        if let Some(last) = order.last() {
            // Time is left to one job at least, so that there are shares of it. It keeps all its ways.
            alone[*last].clear();
        }
        let aside = order.iter().filter(|job| !alone[**job].is_empty());
        let aside = aside.map(|job| Decision::Alone(*job));
        let decisions = aside.chain(order.iter().map(|job| Decision::Way(*job)));
        Self {
            problem,
            groups,
            merged,
            caps,
            decisions: decisions.collect(),
            alone,
            twins,
            before: before(problem),
            least: least.collect(),
            rooms: merged.sites.iter().map(Room::new).collect(),
            units: merged.widths(),
            by_lanes,
        }
    }

    /// Searches what follows from the first decisions, each by itself.
    fn ask(&self, effort: &mut Effort<'_>) -> Outcome {
        let mut nodes: Vec<Node> = self.root().into_iter().collect();
        // Those that took long, with how much is decided in them.
        let mut long: Vec<(usize, Node)> = Vec::new();
        let mut first = 0;
        while first < self.decisions.len() && (1..ENOUGH).contains(&nodes.len()) {
            let left = effort.allowed.saturating_sub(effort.spent);
            let allowed = EACH.min(left / nodes.len() as u64);
            let watch = effort.watch;
            let searched = nodes.into_par_iter().map(|node| {
                let mut search = Search::new(self, node.clone(), first + 1, allowed, watch);
                // Lanes may leave one way to each job after the first few.
                let found = search.from(first);
                let again = search.open.then_some((first, node));
                (found, search.reached, again, search.effort.spent)
            });
            let searched: Vec<_> = searched.collect();
            effort.spent += searched.iter().map(|(.., spent)| spent).sum::<u64>();
            nodes = Vec::new();
            for (found, mut reached, again, _) in searched {
                if found.is_some() {
                    return Outcome {
                        found,
                        settled: true,
                    };
                }
                match again {
                    Some(again) => long.push(again),
                    None => nodes.append(&mut reached),
                }
            }
            first += 1;
        }
        let mut nodes: Vec<(usize, Node)> = nodes.into_iter().map(|node| (first, node)).collect();
        nodes.append(&mut long);
        self.all(nodes, effort)
    }

    /// Whether a schedule is within the caps, those on cost and lateness where the aim counts them.
    fn kept(&self, placed: &[Placed]) -> bool {
        let problem = self.problem;
        let ends = placed.iter().enumerate();
        let ends = ends.map(|(job, placed)| problem.end(job, *placed));
        let worth = problem.worth(placed);
        let (cost, late) = match problem.aim {
            Aim::Makespan => (worth.second, 0),
            Aim::Cost => (worth.first, 0),
            Aim::Lateness => (0, worth.first),
        };
        worth.missed == 0
            && ends.max().unwrap_or(0) <= self.caps.end
            && self.caps.cost.is_none_or(|most| cost <= most)
            && self.caps.late.is_none_or(|most| late <= most)
    }

    /// Nothing decided; `None` where a job has no way to run within the caps.
    fn root(&self) -> Option<Node> {
        let stage = Stage::new(self.merged.clone(), self.caps, self.by_lanes)?;
        let mut root = Node {
            alone: vec![None; self.merged.tasks.len()],
            given: vec![None; self.merged.tasks.len()],
            weights: Vec::new(),
            open: Vec::new(),
            prices: None,
            stage: Arc::clone(&stage),
        };
        root.begin(stage);
        Some(root)
    }

    /// Searches what follows from all of the nodes, each with how much is decided in it; those that
    /// take long again with more effort.
    fn all(&self, mut nodes: Vec<(usize, Node)>, effort: &mut Effort<'_>) -> Outcome {
        let watch = effort.watch;
        let mut each = EACH;
        while !nodes.is_empty() {
            let mut again: Vec<(usize, Node)> = Vec::new();
            for some in nodes.chunks(AT_ONCE) {
                let left = effort.allowed.saturating_sub(effort.spent);
                let allowed = each.min(left / some.len() as u64);
                if allowed == 0 || watch.is_cancelled() {
                    return Outcome {
                        found: None,
                        settled: false,
                    };
                }
                let searched = some.par_iter().map(|(first, node)| {
                    let mut search = Search::new(self, node.clone(), usize::MAX, allowed, watch);
                    (search.from(*first), search.open, search.effort.spent)
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
