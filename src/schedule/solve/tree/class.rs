//! Jobs that need not be told apart.

use crate::schedule::due::Due;
use crate::schedule::problem::{Caps, Mode, Problem};

/// Jobs that are alike in all that a schedule knows of them, and their ways to run that fit.
pub(super) struct Class {
    pub(super) jobs: Vec<usize>,
    pub(super) ways: Vec<Way>,
    /// Steps and node-steps of each way, the least node-steps first.
    pub(super) areas: Vec<(i64, i64)>,
    /// The least steps of any way, and the least that any takes of each of the problem's widths, in
    /// whole units of so many nodes times steps.
    pub(super) steps: i64,
    pub(super) taken: Vec<i64>,
    pub(super) release: i64,
    /// The step that each has to be done by.
    pub(super) last: i64,
    pub(super) due: Option<Due>,
    pub(super) after: Vec<usize>,
    /// All jobs that have to be done before, each with the steps that it runs for at least, after
    /// its release, and those that others take from its end on.
    pub(super) before: Vec<Before>,
}

/// A job that has to be done before another starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) job: usize,
    pub(super) release: i64,
    /// What it takes at least, in steps.
    pub(super) steps: i64,
    /// What jobs between the two take at least.
    pub(super) then: i64,
}

impl Before {
    /// For each job all that have to be done before, those that these wait for among them.
    fn all(problem: &Problem) -> Vec<Vec<Self>> {
        let tasks = &problem.tasks;
        let steps = |job: usize| {
            let steps = tasks[job].modes.iter().map(|mode| mode.steps);
            steps.min().unwrap_or(0)
        };
        let mut all: Vec<Option<Vec<Self>>> = vec![None; tasks.len()];
        // Each pass settles at least the jobs that wait for settled ones only.
        for _ in 0..tasks.len() {
            for (job, task) in tasks.iter().enumerate() {
                let settled = task.after.iter().all(|before| all[*before].is_some());
                if all[job].is_some() || !settled {
                    continue;
                }
                let mut before: Vec<Self> = Vec::new();
                for next in &task.after {
                    let direct = Self {
                        job: *next,
                        release: tasks[*next].release,
                        steps: steps(*next),
                        then: 0,
                    };
                    let others = all[*next].iter().flatten().map(|other| Self {
                        then: other.then + direct.steps,
                        ..*other
                    });
                    for one in others.chain([direct]) {
                        match before.iter_mut().find(|known| known.job == one.job) {
                            // By several ways it is the longest that counts.
                            Some(known) => known.then = known.then.max(one.then),
                            None => before.push(one),
                        }
                    }
                }
                all[job] = Some(before);
            }
        }
        all.into_iter().map(Option::unwrap_or_default).collect()
    }
}

impl Class {
    /// The jobs, with the ways to run that are within `caps`.
    pub(super) fn all(problem: &Problem, caps: Caps) -> Vec<Self> {
        let mut classes: Vec<Self> = Vec::new();
        let before = Before::all(problem);
        let widths = problem.widths();
        for (job, task) in problem.tasks.iter().enumerate() {
            let same = |class: &&mut Self| alike(problem, class.jobs[0], job);
            if let Some(class) = classes.iter_mut().find(same) {
                class.jobs.push(job);
                continue;
            }
            let last = problem.last(task, caps.end);
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
            let taken = widths.iter().map(|unit| {
                let modes = ways.iter().map(|way| way.mode);
                let taken = modes.map(|mode| (mode.nodes / unit).saturating_mul(mode.steps));
                taken.min().unwrap_or(0)
            });
            let taken = taken.collect();
            let steps = ways.iter().map(|way| way.mode.steps);
            let steps = steps.min().unwrap_or(0);
            classes.push(Self {
                jobs: vec![job],
                ways,
                areas,
                steps,
                taken,
                release: task.release,
                last,
                due: task.due,
                after: task.after.clone(),
                before: before[job].clone(),
            });
        }
        classes
    }

    /// What an end counts as lateness.
    pub(super) fn behind(&self, end: i64) -> i64 {
        self.due.map_or(0, |due| due.late(end))
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
        && first.after == second.after
        && problem
            .tasks
            .iter()
            .all(|task| task.after.contains(&one) == task.after.contains(&other))
}
