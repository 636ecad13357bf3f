//! What keeps a job from starting when the calendar does, where that alone is in its way.

use super::bound::earliest_ends;
use super::problem::{END_OF_TIME, Problem};
use super::steps::Grid;
use crate::calendar::Moment;
use crate::job::Agenda;

/// What keeps a job from starting when the calendar does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// Its own earliest start.
    Earliest,
    /// The job that it waits for longest.
    After(String),
}

/// A job that fits into no window, and can't start when the calendar does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// When it can start, at the earliest.
    pub until: Moment,
    /// Why not before.
    pub hold: Hold,
    /// Whether it would fit if it could.
    pub fits_sooner: bool,
    /// Whether it would fit without that alone.
    pub is_enough: bool,
}

/// Between `fits into no window` and what it takes.
pub(super) fn held_words(held: Option<&Held>) -> String {
    held.filter(|held| held.fits_sooner).map_or_else(
        || ": ".to_owned(),
        |Held { until, hold, .. }| {
            let why = match hold {
                Hold::Earliest => "because of its `earliest`".to_owned(),
                Hold::After(before) => format!("since it waits for `{before}`"),
            };
            format!(
                ": it can't start before {until}, {why}, and none from then on is long enough; "
            )
        },
    )
}

/// What ends the wait of a job that could start sooner: its own earliest start, or else the
/// predecessor that is done last; `None` where it waits for nothing.
pub(super) fn hold(agenda: &Agenda, problem: &Problem, ends: &[i64], job: usize) -> Option<Hold> {
    let task = &problem.tasks[job];
    let last = task
        .after
        .iter()
        .copied()
        .max_by_key(|before| ends[*before]);
    match last.filter(|before| ends[*before] > task.release) {
        Some(before) => Some(Hold::After(agenda.jobs[before].name.clone())),
        None if task.release > 0 => Some(Hold::Earliest),
        None => None,
    }
}

/// The step at which a job ends at the earliest if it waits for less.
pub(super) fn earliest_end_without(
    problem: &Problem,
    job: usize,
    released: bool,
    without_others: bool,
) -> i64 {
    let mut eased = problem.clone();
    let task = &mut eased.tasks[job];
    if released {
        task.release = 0;
    }
    if without_others {
        task.after.clear();
    }
    earliest_ends(&eased)[job]
}

/// What keeps a job that fits into no window from starting when the calendar does.
pub(super) fn held(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
    ends: &[i64],
    job: usize,
) -> Option<Held> {
    let hold = hold(agenda, problem, ends, job)?;
    let task = &problem.tasks[job];
    let ready = task.after.iter().map(|before| ends[*before]);
    let until = match hold {
        Hold::Earliest => agenda.jobs[job].earliest,
        Hold::After(_) => grid.moment(ready.fold(task.release, i64::max)),
    };
    let own = hold == Hold::Earliest;
    Some(Held {
        until: until?,
        fits_sooner: earliest_end_without(problem, job, true, true) < END_OF_TIME,
        is_enough: earliest_end_without(problem, job, own, !own) < END_OF_TIME,
        hold,
    })
}
