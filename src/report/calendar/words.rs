//! What is said of a schedule in sentences.

use crate::job::Minimise;
use crate::quantity::display_chance;
use crate::schedule::{ObjectiveReport, Schedule, ScheduledJob};

use super::super::number::{TimeUnit, dollars, percent};

/// What the probability of meeting a deadline covers.
pub(super) fn done_words(schedule: &Schedule) -> String {
    let started = "probability of being done by the deadline, started as the calendar says";
    let mut due = schedule.jobs.iter().filter(|job| job.deadline.is_some());
    if due.all(|job| job.after.is_empty()) {
        return started.to_owned();
    }
    format!(
        "{started} or, where that is later, once the jobs it waits for are done: durations are taken as \
         independent, and nodes as free when the calendar has them free"
    )
}

/// What was minimised and how good the schedule is at it.
pub(super) fn objective_words(
    minimise: Minimise,
    objective: &ObjectiveReport,
    weighted: bool,
) -> String {
    let (shortest, what) = match minimise {
        Minimise::Makespan => ("shortest", "makespan"),
        Minimise::Cost => ("cheapest", "cost"),
        Minimise::Lateness => ("least late", "lateness"),
    };
    let show = |value: f64| {
        if minimise == Minimise::Cost {
            return format!("${}", dollars(value));
        }
        let unit = TimeUnit::of_hours(value);
        let times = if weighted {
            ", weighted by priority"
        } else {
            ""
        };
        format!("{} {}{times}", unit.show(value), unit.name)
    };
    match (objective.proven, objective.gap) {
        (true, _) => format!("by {what}: proven {shortest}, {}", show(objective.value)),
        (false, Some(gap)) => format!(
            "by {what}: {}, at most {} % above the {shortest} possible (no schedule is below {})",
            show(objective.value),
            percent(gap),
            show(objective.bound),
        ),
        (false, None) => format!(
            "by {what}: {}; whether a schedule can do better was not settled",
            show(objective.value)
        ),
    }
}

/// Jobs less sure than this to be done while they have their nodes are warned of.
const SURE: f64 = 0.9;

/// What is to be said of a job that may outlast its nodes.
pub(in crate::report) fn cut_off(job: &ScheduledJob) -> Option<String> {
    let sure = job.done_by_nodes_until.filter(|sure| *sure < SURE)?;
    Some(format!(
        "those of {} are gone from {} on: it is done by then with a probability of {} %, and cut off \
         else",
        job.name,
        job.nodes_until?,
        display_chance(sure)
    ))
}
