//! What no schedule can be better than, without a search: simple sums here; `dual_feasible` functions
//! of jobs' shares of nodes and time; a `market` where nodes have a price; nearly alike jobs `merged`;
//! what of a room is `usable` at all.

pub(super) mod dual_feasible;
pub(super) mod lanes;
pub(super) mod late;
pub(super) mod market;
pub(super) mod merged;
pub(super) mod packing;
pub(super) mod usable;

use super::problem::{Aim, END_OF_TIME, Mode, Problem, Task};

/// Rounding may make a bound more than it is by so large a share.
const ROUNDING: f64 = 1e-9;
/// What a sum has to exceed by, to be more in truth.
pub(super) const LENIENT: f64 = 1.0 + ROUNDING;

/// A lower bound of the first figure of any schedule's worth.
pub(super) fn first(problem: &Problem) -> i64 {
    let ends = earliest_ends(problem);
    match problem.aim {
        Aim::Makespan => energy(problem, ends.iter().copied().max().unwrap_or(0)),
        Aim::Cost => cheapest(problem),
        Aim::Lateness => {
            let late = |(task, end): (&Task, &i64)| task.late(*end);
            let late = problem.tasks.iter().zip(&ends).map(late);
            late.fold(0, i64::saturating_add)
        }
    }
}

/// The cost of every job run its cheapest way.
pub(super) fn cheapest(problem: &Problem) -> i64 {
    let least = |modes: &[Mode]| modes.iter().map(|mode| mode.cost).min();
    problem
        .tasks
        .iter()
        .filter_map(|task| least(&task.modes))
        .sum()
}

/// The step at which each job ends at the earliest: after its release and its predecessors, in a
/// free window, as if it had the clusters to itself.
pub(super) fn earliest_ends(problem: &Problem) -> Vec<i64> {
    let mut ends: Vec<Option<i64>> = vec![None; problem.tasks.len()];
    // Each pass settles at least the jobs whose predecessors are settled.
    for _ in 0..ends.len() {
        for (job, task) in problem.tasks.iter().enumerate() {
            let mut before = task.after.iter().map(|before| ends[*before]);
            let ready = before.try_fold(task.release, |ready, end| Some(ready.max(end?)));
            if let (None, Some(ready)) = (ends[job], ready) {
                ends[job] = Some(alone(problem, job, ready));
            }
        }
    }
    ends.into_iter().map(|end| end.unwrap_or(0)).collect()
}

/// The earliest end of a job that may start at `ready` and has the clusters to itself.
fn alone(problem: &Problem, job: usize, ready: i64) -> i64 {
    let ends = problem.tasks[job].modes.iter().filter_map(|mode| {
        let mut start = ready;
        for piece in &problem.sites[mode.site].pieces {
            if start + mode.steps <= piece.from {
                break;
            }
            if piece.nodes < mode.nodes && piece.to > start {
                start = piece.to;
            }
        }
        (start < END_OF_TIME).then_some(start + mode.steps)
    });
    ends.min().unwrap_or(END_OF_TIME)
}

/// The first step by which the free node-steps could hold all jobs.
///
/// With several sites, each constraint "what runs here fits here" is divided by what is free here
/// and they are added up: the shares that the jobs take are then at most as many as sites.
fn energy(problem: &Problem, at_least: i64) -> i64 {
    let mut low = at_least;
    let mut high = problem.horizon().max(at_least);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(problem, middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

fn holds(problem: &Problem, end: i64) -> bool {
    let areas: Vec<i64> = problem.sites.iter().map(|site| site.area(end)).collect();
    let open = areas.iter().filter(|area| **area > 0).count();
    let share = |task: &Task| -> f64 {
        let shares = task
            .modes
            .iter()
            .filter(|mode| mode.steps <= end)
            .map(|mode| mode.nodes as f64 * mode.steps as f64 / areas[mode.site] as f64);
        shares.fold(f64::INFINITY, f64::min)
    };
    let taken: f64 = problem.tasks.iter().map(share).sum();
    // Rounding must not turn a bound into more than it is.
    taken <= open as f64 * (1.0 + 1e-9)
}
