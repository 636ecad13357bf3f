//! When a time limit is shorter than a run may take.

use super::Candidate;
use crate::calendar::Span;

/// Minutes before the time limit at which Slurm sends USR1, and what is kept free of checkpoints
/// wherever there is a limit: one that isn't whole at the stop is lost.
pub(crate) const NOTICE: u64 = 5;

/// How many times the high end of its planned time a run gets whose work is all lost at a limit, since
/// it saves nothing before: a choice. No run that is to be reckoned with takes longer.
pub(crate) const ROOM: u64 = 2;

/// Whole minutes of the high end of the planned time, at least 1.
pub(crate) fn high_minutes(candidate: &Candidate) -> u64 {
    let high = candidate.time_to_budget_h.high * 60.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1; saturates"
    )]
    let high = high.ceil().max(1.0) as u64;
    high
}

/// Whole minutes in so many hours.
pub(crate) fn whole_minutes(hours: f64) -> u64 {
    Span::of_hours(hours).seconds() / 60
}

/// Whether a run may take longer than so many minutes: up to the high end of its planned time, and the
/// notice, or within the usable minutes of a booking that is billed whole, whose probability counts on
/// all of it, up to its end. `booked` is 0 without one, and where nodes are billed as used.
pub(crate) fn is_short_limit(minutes: u64, candidate: &Candidate, booked: u64) -> bool {
    let high = high_minutes(candidate);
    let booked = booked.min(high.saturating_mul(ROOM));
    minutes < high.saturating_add(NOTICE).max(booked)
}
