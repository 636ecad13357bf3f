//! Jobs that are nearly alike, taken to be alike: a bound for many different jobs.

use crate::schedule::due::Due;
use crate::schedule::problem::{Mode, Problem, Task};

/// The least share of the work that merged jobs must keep: beyond, too much is given away.
const KEPT: f64 = 0.95;

/// The problem with its jobs [`alike`]; `None` where that would give too much away, or there are no
/// more jobs than kinds.
pub(in crate::schedule) fn merged(problem: &Problem, kinds: usize) -> Option<Problem> {
    if problem.tasks.len() <= kinds {
        return None;
    }
    let merged = alike(problem, kinds);
    let work = |problem: &Problem| -> f64 {
        let areas = problem.tasks.iter().map(Task::least_area);
        areas.map(|area| area as f64).sum()
    };
    (merged.tasks != problem.tasks && work(&merged) >= KEPT * work(problem)).then_some(merged)
}

/// The problem with its jobs merged into so many kinds, by size: each job may run in any way of its
/// kind, as briefly and as cheaply as any of them, from the earliest release on until the latest
/// deadline, and waits for none. Whatever is a schedule of the jobs is one of these, no worse by
/// any objective, so what holds of all schedules of these holds of the jobs' too.
pub(in crate::schedule) fn alike(problem: &Problem, kinds: usize) -> Problem {
    let tasks = &problem.tasks;
    let each = tasks.len().div_ceil(kinds.max(1)).max(1);
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|job| (tasks[*job].least_area(), *job));
    let mut merged = problem.clone();
    for group in order.chunks(each) {
        let members: Vec<&Task> = group.iter().map(|job| &tasks[*job]).collect();
        let kind = kind(&members);
        for job in group {
            merged.tasks[*job] = kind.clone();
        }
    }
    merged
}

/// A job that can do whatever any of these can.
pub(in crate::schedule) fn kind(members: &[&Task]) -> Task {
    let mut modes: Vec<Mode> = Vec::new();
    for mode in members.iter().flat_map(|task| &task.modes) {
        let same = |known: &&mut Mode| (known.site, known.nodes) == (mode.site, mode.nodes);
        match modes.iter_mut().find(same) {
            Some(known) => {
                known.steps = known.steps.min(mode.steps);
                known.cost = known.cost.min(mode.cost);
            }
            None => modes.push(*mode),
        }
    }
    let dues: Option<Vec<Due>> = members.iter().map(|task| task.due).collect();
    Task {
        modes,
        release: members.iter().map(|task| task.release).min().unwrap_or(0),
        due: dues.and_then(|dues| dues.into_iter().reduce(Due::laxer)),
        after: Vec::new(),
    }
}
