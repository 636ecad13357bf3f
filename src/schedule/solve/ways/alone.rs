//! Jobs that run on so many nodes that no other can run beside them.
//!
//! Where the same nodes are free until the end and no date comes before it, such a job may as well
//! run before all others, if it waits for none, or after them, if none waits for it: what ran before
//! it starts that much later, or what ran after it that much sooner, and all else stays. What is
//! left of the time is the others' alone, and much less fits into it than into the whole.

use crate::schedule::problem::{Caps, Mode, Placed, Problem, Task};

/// A way to run that takes nothing, of jobs that are out of the others' way.
const NOTHING: Mode = Mode {
    site: 0,
    nodes: 0,
    steps: 0,
    cost: 0,
};

/// For each job the ways that leave room for no other, if it can be moved before or after all others.
pub(super) fn ways(problem: &Problem, end: i64) -> Vec<Vec<usize>> {
    let tasks = &problem.tasks;
    if !undated(problem, end) {
        return vec![Vec::new(); tasks.len()];
    }
    let most = problem.sites[0].pieces[0].nodes;
    let fewest = tasks.iter().map(|task| {
        let nodes = task.modes.iter().map(|mode| mode.nodes);
        nodes.min().unwrap_or(0)
    });
    let beside = fewest_beside(&fewest.collect::<Vec<_>>());
    let ways = beside.into_iter().enumerate().map(|(job, beside)| {
        let modes = tasks[job].modes.iter().enumerate();
        let alone = modes.filter(|(_, mode)| leaves_none(mode.nodes, beside, most));
        let alone = alone.filter(|_| movable(problem, job));
        alone.map(|(way, _)| way).collect()
    });
    ways.collect()
}

/// Runs a job out of the others' way.
pub(super) fn put_aside(problem: &mut Problem, caps: Caps, job: usize, mode: Mode) -> Caps {
    problem.tasks[job].modes = vec![NOTHING];
    without(caps, mode)
}

/// Whether nothing but the jobs themselves says when they run, on nodes that are free until `end`.
fn undated(problem: &Problem, end: i64) -> bool {
    let [site] = problem.sites.as_slice() else {
        return false;
    };
    let undated = |task: &Task| task.release == 0 && task.due.is_none_or(|due| due.step() >= end);
    let pieces = site.pieces.iter().filter(|piece| piece.from < end);
    pieces.count() == 1 && problem.tasks.iter().all(undated)
}

/// Whether a job waits for none, or none waits for it.
fn movable(problem: &Problem, job: usize) -> bool {
    let awaited = || problem.tasks.iter().any(|task| task.after.contains(&job));
    problem.tasks[job].after.is_empty() || !awaited()
}

/// Whether so many of the nodes leave too few to what takes `beside` at least.
fn leaves_none(nodes: i64, beside: i64, most: i64) -> bool {
    nodes <= most && nodes + beside > most
}

/// The fewest nodes that any other takes, for each; none where there is no other.
fn fewest_beside(nodes: &[i64]) -> Vec<i64> {
    let mut sorted = nodes.to_vec();
    sorted.sort_unstable();
    let first = sorted.first().copied().unwrap_or(0);
    let second = sorted.get(1).copied().unwrap_or(0);
    let beside = |nodes: &i64| if *nodes == first { second } else { first };
    nodes.iter().map(beside).collect()
}

/// What is left once a job has run by itself.
fn without(caps: Caps, mode: Mode) -> Caps {
    Caps {
        end: caps.end - mode.steps,
        cost: caps.cost.map(|most| most - mode.cost),
        ..caps
    }
}

/// Jobs with one way to run each, and which of them run before all others and after them.
pub(super) struct Aside<'a> {
    all: &'a Problem,
    caps: Caps,
    first: Vec<usize>,
    last: Vec<usize>,
    rest: Vec<usize>,
}

impl<'a> Aside<'a> {
    pub(super) fn new(all: &'a Problem, caps: Caps) -> Self {
        let mut aside = Self {
            all,
            caps,
            first: Vec::new(),
            last: Vec::new(),
            rest: (0..all.tasks.len()).collect(),
        };
        while let Some(place) = aside.next_alone() {
            let job = aside.rest.remove(place);
            if all.tasks[job].after.is_empty() {
                aside.first.push(job);
            } else {
                aside.last.push(job);
            }
        }
        aside
    }

    /// The place in the rest of one beside which none of the others can run.
    fn next_alone(&self) -> Option<usize> {
        if !undated(self.all, self.caps.end) || self.rest.len() < 2 {
            return None;
        }
        let most = self.all.sites[0].pieces[0].nodes;
        let nodes = self.rest.iter().map(|job| self.mode(*job).nodes);
        let nodes: Vec<i64> = nodes.collect();
        let mut beside = fewest_beside(&nodes).into_iter().zip(&nodes).enumerate();
        let found = beside.find(|(place, (beside, nodes))| {
            leaves_none(**nodes, *beside, most) && movable(self.all, self.rest[*place])
        });
        found.map(|(place, _)| place)
    }

    fn mode(&self, job: usize) -> Mode {
        self.all.tasks[job].modes[0]
    }

    /// The other jobs, and what is left to them; `None` where that is less than nothing.
    pub(super) fn rest(&self) -> Option<(Problem, Caps)> {
        let alone = self.first.iter().chain(&self.last);
        let caps = alone.fold(self.caps, |caps, job| without(caps, self.mode(*job)));
        let place = |job: &usize| self.rest.binary_search(job).ok();
        let tasks = self.rest.iter().map(|job| {
            let task = &self.all.tasks[*job];
            Task {
                modes: task.modes.clone(),
                after: task.after.iter().filter_map(place).collect(),
                ..*task
            }
        });
        let rest = Problem {
            tasks: tasks.collect(),
            sites: self.all.sites.clone(),
            aim: self.all.aim,
        };
        let any = caps.end >= 0 && caps.cost.is_none_or(|most| most >= 0);
        any.then_some((rest, caps))
    }

    /// The schedule of all jobs, from one of the rest.
    pub(super) fn whole(&self, rest: &[Placed]) -> Vec<Placed> {
        let mut whole = vec![Placed { mode: 0, start: 0 }; self.all.tasks.len()];
        let mut at = 0;
        for job in &self.first {
            whole[*job].start = at;
            at += self.mode(*job).steps;
        }
        let mut end = at;
        for (job, placed) in self.rest.iter().zip(rest) {
            whole[*job].start = at + placed.start;
            end = end.max(whole[*job].start + self.mode(*job).steps);
        }
        for job in &self.last {
            whole[*job].start = end;
            end += self.mode(*job).steps;
        }
        whole
    }
}
