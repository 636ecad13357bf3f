//! What is said of a schedule in sentences.

use crate::job::Minimise;
use crate::quantity::display_chance;
use crate::schedule::{ObjectiveReport, Schedule, ScheduledJob};

use super::super::number::{TimeUnit, dollars, percent};

/// What the probability of meeting a deadline covers.
pub(super) fn done_words(schedule: &Schedule) -> String {
    let due = || schedule.jobs.iter().filter(|job| job.deadline.is_some());
    let gone = if due().any(is_cut_off_sooner) {
        ", or by when its nodes are gone where that is sooner"
    } else {
        ""
    };
    let mut text =
        format!("probability of being done by the deadline{gone}, started as the calendar says");
    if !due().all(|job| job.after.is_empty()) {
        text += " or, where that is later, once the jobs it waits for are done: durations are taken as \
                 independent, and nodes as free when the calendar has them free";
    }
    if schedule.probability.is_some() {
        text += "; a job that runs over the hours booked is taken to stay on until then, which costs more";
    }
    text
}

/// Whether a job's nodes are gone before its deadline.
pub(in crate::report) fn is_cut_off_sooner(job: &ScheduledJob) -> bool {
    let both = job.nodes_until.zip(job.deadline);
    both.is_some_and(|(until, deadline)| until < deadline)
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
