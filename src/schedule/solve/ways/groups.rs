//! Jobs that are nearly alike, in groups that fall into smaller ones.

use crate::schedule::bound::merged::kind;
use crate::schedule::problem::{Mode, Problem, Task};

/// The least share of its work that any job keeps when it is taken for the smallest of its group.
const KEPT: f64 = 0.95;
/// Jobs that are told apart at last, at most: of more, the sums of what they take as they are tell
/// more than what is left of a search through all of their halves.
const MOST: usize = 16;

/// Some jobs, and one that can do whatever any of these can.
pub(super) struct Group {
    /// The largest first.
    pub(super) jobs: Vec<usize>,
    pub(super) kind: Task,
    /// The places of the two groups that it falls into, of the larger jobs and of the others; none
    /// where its jobs are alike.
    pub(super) halves: Option<(usize, usize)>,
    /// Node-steps that are given away by taking all of the jobs for the kind.
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
        let size = |job: &usize| problem.tasks[*job].least_area();
        let mut order: Vec<usize> = (0..problem.tasks.len()).collect();
        order.sort_by_key(|job| (-size(job), *job));
        let few = order.len() <= MOST;
        let mut whole: Vec<Vec<usize>> = Vec::new();
        for job in order {
            let same = |group: &&mut Vec<usize>| {
                let largest = group[0];
                few && size(&job) as f64 >= KEPT * size(&largest) as f64
                    && nearly_alike(problem, largest, job)
            };
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
        let tasks = || jobs.iter().map(|job| &problem.tasks[*job]);
        let first = &problem.tasks[jobs[0]];
        let (kind, halves) = if tasks().all(|task| task == first) {
            (first.clone(), None)
        } else {
            let kind = kind(&tasks().collect::<Vec<_>>());
            let (larger, others) = jobs.split_at(jobs.len().div_ceil(2));
            let larger = self.add(problem, larger.to_vec());
            let others = self.add(problem, others.to_vec());
            (kind, Some((larger, others)))
        };
        let given_away = tasks().map(|task| task.least_area() - kind.least_area());
        self.all.push(Group {
            given_away: given_away.sum(),
            jobs,
            kind,
            halves,
        });
        self.all.len() - 1
    }

    /// The problem with each job in place of which any of its group may run.
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

/// Whether two jobs differ in how long they run and what they cost only.
fn nearly_alike(problem: &Problem, one: usize, other: usize) -> bool {
    let (first, second) = (&problem.tasks[one], &problem.tasks[other]);
    first.release == second.release
        && first.due == second.due
        && first.weight == second.weight
        && first.after == second.after
        && (first.modes == second.modes || told_by_width(first) && told_by_width(second))
        && problem
            .tasks
            .iter()
            .all(|task| task.after.contains(&one) == task.after.contains(&other))
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
