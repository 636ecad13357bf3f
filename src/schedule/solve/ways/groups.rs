//! Jobs that are nearly alike, in groups that fall into smaller ones.

use crate::schedule::bound::merged::kind;
use crate::schedule::problem::{Mode, Problem, Task};
use crate::schedule::solve::tree::alike_but_for_ways;

/// The least share of another's steps and cost that a way to run has where jobs are nearly alike.
const NEAR: f64 = 0.95;
/// Jobs that are told apart at last, at most: of more, the sums of what they take as they are tell
/// more than what is left of a search through all of their halves.
const MOST: usize = 16;

/// Some jobs, and one that can do whatever any of these can.
pub(super) struct Group {
    /// The largest first.
    pub(super) jobs: Vec<usize>,
    pub(super) kind: Task,
    /// The places of the two groups that it falls into, of the larger jobs and of the others; none
    /// where its jobs are alike: then the kind is any of them.
    pub(super) halves: Option<(usize, usize)>,
    /// Node-steps that are given away by taking all of the jobs for the kind, each run its least way.
    pub(super) given_away: i64,
}

/// All groups: the largest ones, and all that they fall into.
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    /// The places of those that hold every job once.
    pub(super) whole: Vec<usize>,
}

impl Groups {
    pub(super) fn new(problem: &Problem) -> Self {
        let tasks = &problem.tasks;
        let steps = |job: &usize| -> Vec<i64> {
            let modes = tasks[*job].modes.iter();
            modes.map(|mode| mode.steps).collect()
        };
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        // Those that are alike come one after another.
        order.sort_by_cached_key(|job| (-tasks[*job].least_area(), steps(job), *job));
        let few = order.len() <= MOST;
        let mut whole: Vec<Vec<usize>> = Vec::new();
        for job in order {
            let same = |group: &&mut Vec<usize>| few && nearly_alike(problem, group[0], job);
            match whole.iter_mut().find(same) {
                Some(group) => group.push(job),
                None => whole.push(vec![job]),
            }
        }
        let mut groups = Self {
            all: Vec::new(),
            whole: Vec::new(),
        };
        for jobs in whole {
            let place = groups.add(problem, jobs);
            groups.whole.push(place);
        }
        groups
    }

    /// Adds the jobs as a group, after what it falls into; its place.
    fn add(&mut self, problem: &Problem, jobs: Vec<usize>) -> usize {
        let tasks: Vec<&Task> = jobs.iter().map(|job| &problem.tasks[*job]).collect();
        let differ = |cut: &usize| tasks[*cut - 1] != tasks[*cut];
        let middle = jobs.len().div_ceil(2);
        let cut = (1..jobs.len())
            .filter(differ)
            .min_by_key(|cut| cut.abs_diff(middle));
        let kind = cut.map_or_else(|| tasks[0].clone(), |_| kind(&tasks));
        let halves = cut.map(|cut| {
            let (larger, others) = jobs.split_at(cut);
            let larger = self.add(problem, larger.to_vec());
            (larger, self.add(problem, others.to_vec()))
        });
        let given_away = tasks
            .iter()
            .map(|task| task.least_area() - kind.least_area())
            .sum();
        self.all.push(Group {
            jobs,
            kind,
            halves,
            given_away,
        });
        self.all.len() - 1
    }

    /// The problem in which each job may run whichever way any of its largest group may.
    pub(super) fn merged(&self, problem: &Problem) -> Problem {
        let mut merged = problem.clone();
        for group in self.whole.iter().map(|place| &self.all[*place]) {
            for job in &group.jobs {
                merged.tasks[*job].modes.clone_from(&group.kind.modes);
            }
        }
        merged
    }
}

/// Whether two jobs can run on the same nodes, each way nearly as long and as dear, and are the same
/// otherwise.
fn nearly_alike(problem: &Problem, one: usize, other: usize) -> bool {
    let (first, second) = (&problem.tasks[one], &problem.tasks[other]);
    let near = |one: i64, other: i64| one.min(other) as f64 >= NEAR * one.max(other) as f64;
    let ways = || first.modes.iter().zip(&second.modes);
    let same_widths = || {
        first.modes.len() == second.modes.len()
            && ways().all(|(one, other)| {
                width(one) == width(other)
                    && near(one.steps, other.steps)
                    && near(one.cost, other.cost)
            })
    };
    (first.modes == second.modes || told_by_width(first) && same_widths())
        && alike_but_for_ways(problem, one, other)
}

/// Where a way to run takes nodes, and how many.
pub(super) fn width(mode: &Mode) -> (usize, i64) {
    (mode.site, mode.nodes)
}

/// Whether a job has no two ways to run on as many nodes of a cluster.
fn told_by_width(task: &Task) -> bool {
    let mut widths: Vec<(usize, i64)> = task.modes.iter().map(width).collect();
    widths.sort_unstable();
    widths.windows(2).all(|pair| pair[0] != pair[1])
}
