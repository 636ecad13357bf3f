//! Several jobs on one calendar: which configuration each runs with, where, and when.
//!
//! For every job the [`Planner`] gives the best configuration of each GPU count of each cluster it
//! may run on; which of these it takes and when it starts is then chosen for all jobs together, to
//! minimise the makespan, the cost or the lateness under what the clusters have free. A job runs
//! in one piece: it is not paused for others or at the end of a window, and not moved.
//!
//! Time goes in whole steps, about a thousandth of what the jobs take together; durations are
//! rounded up to them, so that no schedule is tighter than the predictions. The finest ones are tried
//! too where rounding may be what is in the way of a deadline or a window before the end. The
//! schedule comes with what no schedule on those steps can be better than.
//!
//! | file | holds |
//! |---|---|
//! | `options` | the ways to run each job |
//! | `steps` | the calendar in steps |
//! | `problem`, `room` | jobs, ways and what is free, as an optimiser sees them |
//! | `bound` | what no schedule can be better than, without a search |
//! | `solve` | the best schedule, and the proof: list, annealing, tree, ways, starts, constraint program |
//! | `report`, `error`, `hold`, `longer` | what came of it, in hours and dollars |
//! | `done` | how surely jobs are done in time |
//!
//! [`Planner`]: crate::plan::Planner

mod bound;
mod done;
mod due;
mod error;
mod hold;
mod longer;
mod options;
mod problem;
mod report;
mod room;
mod solve;
mod steps;
#[cfg(test)]
mod tests;

pub use error::{LateJob, ScheduleError};
pub use hold::{Held, Hold};
pub use longer::Longer;
pub(crate) use options::EVERY_NODE;

use schemars::JsonSchema;
use serde::Serialize;

use crate::calendar::Moment;
use crate::job::{Agenda, Minimise, Window};
use crate::plan::{Candidate, FitReport, Planner};
use crate::search::Watch;
use crate::throughput::Fit;
use error::Failure;
use options::Choice;
use problem::Problem;
use solve::{Depth, Solved, Unsolved};
use steps::Grid;

/// Version of the JSON that a schedule is printed as; it grows when a field changes meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// Several jobs on one calendar: what `plan --format json` prints for a file with `[[jobs]]`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Schedule {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When the calendar starts.
    #[schemars(with = "String")]
    pub start: Moment,
    /// When the last job is done.
    #[schemars(with = "String")]
    pub end: Moment,
    /// What was minimised.
    pub minimise: Minimise,
    /// How sure each job is to be done by the end it is given; the expected durations are booked
    /// where this is `null`.
    pub probability: Option<f64>,
    /// Minutes of one step of the calendar: every start and end is a whole number of them.
    pub step_minutes: u64,
    /// What was minimised, with what no schedule can be better than.
    pub objective: ObjectiveReport,
    /// Hours from the start until the last job is done.
    pub makespan_h: f64,
    /// Dollars of all jobs for the hours booked; `null` when one of them has no price.
    pub cost_usd: Option<f64>,
    /// Dollars expected of all jobs: the same unless `probability` books longer.
    pub expected_cost_usd: Option<f64>,
    /// Hours by which jobs miss their deadlines, each times the job's priority.
    pub lateness_h: f64,
    /// GPU-hours of all jobs, whole nodes.
    pub gpu_hours: f64,
    /// The jobs, in the order of the file.
    pub jobs: Vec<ScheduledJob>,
    /// The clusters, each with what was free and what runs there.
    pub clusters: Vec<ClusterCalendar>,
    /// What the predictions rest on.
    pub fit: FitReport,
    /// Whether the search was ended early: a better schedule may be found.
    pub partial: bool,
    /// What a reader should know beyond the figures: of the calendar, the jobs and the prices.
    pub notes: Vec<String>,
}

/// What was minimised, and how good the schedule is at it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ObjectiveReport {
    /// The makespan in hours, the cost in dollars, or the weighted lateness in hours.
    pub value: f64,
    /// What no schedule on these steps can be below, in the same unit.
    pub bound: f64,
    /// By which share of the bound the value may lie above the best: 0 when it is proven to be
    /// the best; `null` where the bound is 0 and the value isn't.
    pub gap: Option<f64>,
    /// Whether no schedule on these steps is better.
    pub proven: bool,
}

/// A job on the calendar.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScheduledJob {
    /// Its name.
    pub name: String,
    /// The model it trains.
    pub model: String,
    /// Tokens to train on.
    pub tokens: u64,
    /// When it starts.
    #[schemars(with = "String")]
    pub start: Moment,
    /// When it is done.
    #[schemars(with = "String")]
    pub end: Moment,
    /// Hours it takes, at the calendar's probability.
    pub hours: f64,
    /// Dollars for those hours; `null` when no price is known.
    pub cost_usd: Option<f64>,
    /// Dollars for the hours that are expected of it.
    pub expected_cost_usd: Option<f64>,
    /// GPU-hours billed for those hours, whole nodes.
    pub gpu_hours: f64,
    /// When it can start, at the earliest.
    #[schemars(with = "Option<String>")]
    pub earliest: Option<Moment>,
    /// When it has to be done.
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Moment>,
    /// Hours it is done after its deadline; `null` when it has none.
    pub late_h: Option<f64>,
    /// Probability that it is done by its end, if it starts as booked or, where that is later, once
    /// the jobs that it waits for are done. Durations are taken as independent, and nodes as free when
    /// the calendar has them free.
    pub done_by_end: f64,
    /// The same by its deadline, or by `nodes_until` where that is sooner; `null` when it has no
    /// deadline. A job that runs over its end is taken to stay on until then.
    pub done_by_deadline: Option<f64>,
    /// When its nodes are free no longer: its window closes, or others have booked them; `null`
    /// where they stay free.
    #[schemars(with = "Option<String>")]
    pub nodes_until: Option<Moment>,
    /// The probability that it is done by then.
    pub done_by_nodes_until: Option<f64>,
    /// What an hour of its lateness counts.
    pub priority: u64,
    /// The jobs that are done before it starts.
    pub after: Vec<String>,
    /// The ways to run it that were weighed against each other.
    pub ways: usize,
    /// The configuration it runs with.
    pub candidate: Candidate,
}

/// What a cluster has free, and how much of it is used.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClusterCalendar {
    /// The cluster.
    pub cluster: String,
    /// Its GPU.
    pub gpu: String,
    /// GPUs in a node.
    pub gpus_per_node: u64,
    /// Nodes that the jobs share.
    pub nodes: u64,
    /// What is free until the last job is done, in order of time.
    pub free: Vec<Window>,
    /// Node-hours that are free until the last job is done.
    pub free_node_hours: f64,
    /// Node-hours that jobs are booked for.
    pub used_node_hours: f64,
    /// `used_node_hours / free_node_hours`; 0 where nothing is free.
    pub utilisation: f64,
}

/// Schedules the jobs of `agenda`.
///
/// Plans on the current rayon pool; the schedule is the same for any number of threads and on any
/// machine, since the solver's effort is counted, not timed.
///
/// # Errors
/// A job that can't be launched anywhere, with the smallest change that would help; one that fits
/// into no window; deadlines that bind and can't be met, with the hours that are missing; under
/// `cost`, a job without a price.
pub fn schedule(
    agenda: &Agenda,
    planner: &Planner<'_>,
    fit: &Fit,
) -> Result<Schedule, ScheduleError> {
    schedule_watched(agenda, planner, fit, &Watch::new())
}

/// [`schedule`] under a [`Watch`]: how far its effort is spent, and a way to end it early. A
/// schedule that was ended early is the best found so far, with a bound that holds, and says so in
/// [`Schedule::partial`].
///
/// # Errors
/// As [`schedule`]; ended early, also where a schedule might have been found.
pub fn schedule_watched(
    agenda: &Agenda,
    planner: &Planner<'_>,
    fit: &Fit,
    watch: &Watch<'_>,
) -> Result<Schedule, ScheduleError> {
    let options = options::all(agenda, planner)?;
    let coarse = Grid::new(agenda, &options);
    let finest = Grid::finest(agenda, &options);
    // Where nothing but the jobs themselves says when they run, rounding costs them minutes only.
    let dated = steps::moments(agenda).next().is_some();
    // What the finest steps improve need not be the best on coarser ones.
    let improved = dated && finest.splits(&coarse);
    let depth = if improved {
        Depth::Sketch
    } else {
        Depth::Proof
    };
    let first = (coarse.minutes > finest.minutes)
        .then(|| solved_on(coarse, agenda, &options, None, depth, watch))
        .and_then(Result::ok);
    let on_finest = |found| solved_on(finest, agenda, &options, found, Depth::Proof, watch);
    let (grid, problem, solved) = match first {
        Some(found) if !dated || !rounding_matters(agenda, &found) => match depth {
            Depth::Sketch => proven(agenda, &options, found, watch),
            Depth::Proof => found,
        },
        Some(found) => match on_finest(Some(&found)) {
            Ok(finer) if hours_or_cost(agenda, &finer) <= hours_or_cost(agenda, &found) => finer,
            Ok(finer) => bounded_by(agenda, found, &finer),
            Err(_) => found,
        },
        None => on_finest(None).or_else(|failure| failure.settled(agenda, watch))?,
    };
    let schedule = report::schedule(agenda, &options, &grid, &problem, &solved, fit)?;
    Ok(done::with_probabilities(schedule, agenda, planner))
}

type Found = (Grid, Problem, Solved);

/// The best schedule on these steps, from one on coarser steps on.
fn solved_on(
    grid: Grid,
    agenda: &Agenda,
    options: &[Vec<Choice>],
    coarse: Option<&Found>,
    depth: Depth,
    watch: &Watch<'_>,
) -> Result<Found, Failure> {
    let problem = grid.problem(agenda, options);
    error::check_windows(agenda, &grid, &problem)?;
    if error::is_late_alone(&problem) {
        return Err(Failure::Unsolved(grid, problem, Unsolved::Impossible));
    }
    let known = coarse.and_then(|(coarse, _, solved)| grid.finer(coarse, &solved.placed));
    match solve::solve(&problem, known.as_deref(), depth, watch) {
        Ok(solved) => Ok((grid, problem, solved)),
        Err(unsolved) => Err(Failure::Unsolved(grid, problem, unsolved)),
    }
}

/// A sketch improved on the same steps, until nothing better is left or all effort is spent.
fn proven(agenda: &Agenda, options: &[Vec<Choice>], sketch: Found, watch: &Watch<'_>) -> Found {
    let bound = sketch.2.bound;
    let again = solved_on(
        sketch.0,
        agenda,
        options,
        Some(&sketch),
        Depth::Proof,
        watch,
    );
    let (grid, problem, mut solved) = again.unwrap_or(sketch);
    // What the sketch proved holds of the same problem.
    solved.bound = solved.bound.max(bound).min(solved.worth.first);
    (grid, problem, solved)
}

/// Whether a job that is rounded up may miss a window or a deadline, where there are any, that it
/// would otherwise keep.
fn rounding_matters(agenda: &Agenda, (grid, _, solved): &Found) -> bool {
    match agenda.minimise {
        Minimise::Cost => true,
        Minimise::Lateness => solved.worth.first > 0,
        // What comes after the last end is in the way of no schedule that ends sooner.
        Minimise::Makespan => {
            let end = grid.moment(solved.worth.first);
            steps::moments(agenda).any(|at| at > agenda.start && end.is_none_or(|end| at < end))
        }
    }
}

/// A schedule on coarse steps, with what no schedule on finer ones can be better than either.
fn bounded_by(agenda: &Agenda, (grid, problem, mut solved): Found, finer: &Found) -> Found {
    let (fine, fine_problem, on_fine) = finer;
    let bound = match agenda.minimise {
        Minimise::Cost => on_fine.bound,
        Minimise::Makespan | Minimise::Lateness => {
            // Lateness is counted in parts of steps.
            let units = fine.minutes.saturating_mul(problem.parts());
            let of_these = grid.minutes.saturating_mul(fine_problem.parts());
            on_fine.bound.saturating_mul(units) / of_these
        }
    };
    solved.bound = solved.bound.min(bound);
    solved.partial |= on_fine.partial;
    (grid, problem, solved)
}

/// What is minimised, in a unit that doesn't depend on the steps.
fn hours_or_cost(agenda: &Agenda, (grid, problem, solved): &Found) -> f64 {
    match agenda.minimise {
        Minimise::Cost => solved.worth.first as f64,
        Minimise::Makespan => grid.hours(solved.worth.first),
        Minimise::Lateness => grid.late_h(problem, solved.worth.first),
    }
}
