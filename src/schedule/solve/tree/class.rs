//! Jobs that need not be told apart.

use crate::schedule::problem::{Caps, Mode, Problem};

/// Jobs that are alike in all that a schedule knows of them, and their ways to run that fit.
pub(super) struct Class {
    pub(super) jobs: Vec<usize>,
    pub(super) ways: Vec<Way>,
    /// Steps and node-steps of each way, the least node-steps first.
    pub(super) areas: Vec<(i64, i64)>,
    pub(super) release: i64,
    /// The step that each has to be done by.
    pub(super) last: i64,
    pub(super) due: Option<i64>,
    pub(super) weight: i64,
    pub(super) after: Vec<usize>,
}

impl Class {
    /// The jobs, with the ways to run that are within `caps`.
    pub(super) fn all(problem: &Problem, caps: Caps) -> Vec<Self> {
        let mut classes: Vec<Self> = Vec::new();
        for (job, task) in problem.tasks.iter().enumerate() {
            let same = |class: &&mut Self| alike(problem, class.jobs[0], job);
            if let Some(class) = classes.iter_mut().find(same) {
                class.jobs.push(job);
                continue;
            }
            let due = task.due.filter(|_| problem.binding());
            let last = due.map_or(caps.end, |due| due.min(caps.end));
            let ways = task.modes.iter().enumerate();
            let ways = ways.filter(|(_, mode)| {
                task.release + mode.steps <= last && mode.nodes <= problem.sites[mode.site].most()
            });
            let ways = ways.map(|(index, mode)| Way { index, mode: *mode });
            let ways: Vec<Way> = ways.collect();
            let areas = ways.iter().map(|way| way.mode);
            let mut areas: Vec<(i64, i64)> = areas
                .map(|mode| (mode.steps, mode.nodes.saturating_mul(mode.steps)))
                .collect();
            areas.sort_by_key(|(steps, area)| (*area, *steps));
            classes.push(Self {
                jobs: vec![job],
                ways,
                areas,
                release: task.release,
                last,
                due: task.due,
                weight: task.weight,
                after: task.after.clone(),
            });
        }
        classes
    }

    /// What an end counts as lateness.
    pub(super) fn behind(&self, end: i64) -> i64 {
        self.due.map_or(0, |due| (end - due).max(0)) * self.weight
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) index: usize,
    pub(super) mode: Mode,
}

/// Whether two jobs are the same but for their names.
pub(in crate::schedule::solve) fn alike(problem: &Problem, one: usize, other: usize) -> bool {
    problem.tasks[one].modes == problem.tasks[other].modes
        && alike_but_for_ways(problem, one, other)
}

/// Whether two jobs are the same but for their names and their ways to run.
pub(in crate::schedule::solve) fn alike_but_for_ways(
    problem: &Problem,
    one: usize,
    other: usize,
) -> bool {
    let (first, second) = (&problem.tasks[one], &problem.tasks[other]);
    first.release == second.release
        && first.due == second.due
        && first.weight == second.weight
        && first.after == second.after
        && problem
            .tasks
            .iter()
            .all(|task| task.after.contains(&one) == task.after.contains(&other))
}
