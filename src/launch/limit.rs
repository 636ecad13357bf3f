//! What a time limit shorter than the run does to it: checkpoints that come in time for each stop, and
//! what is lost between two.

use super::Launch;
use crate::calendar::Span;
use crate::job::LaunchSettings;
use crate::plan::Candidate;
use crate::quantity::{SECONDS_PER_HOUR, display_hours, plural};
use crate::reserve::Booking;

/// The longest time limit that is asked of Slurm, in minutes: a longer run is resubmitted.
pub(super) const MAX_MINUTES: u64 = 365 * 1440;

/// Minutes before the time limit at which Slurm sends USR1, and what is kept free of checkpoints
/// wherever there is a limit: one that isn't whole at the stop is lost.
pub(super) const NOTICE: u64 = 5;

/// Checkpoints within a time limit that is shorter than the run, at least: each stop then loses little,
/// and never all.
const CHECKPOINTS_PER_LIMIT: f64 = 4.0;

/// The part of a time limit that writing them may take.
const MOST_WRITING: f64 = 0.1;

/// Stops beyond which a time limit is too short.
const MOST_TIMES: f64 = 1000.0;

/// A run that its time limit stops and starts again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stops {
    /// How often.
    pub(super) times: u64,
    /// Hours that all of it takes: starts, and work after the last checkpoint.
    pub(super) lost_h: f64,
}

/// Minutes of the limit the user sets, where that is shorter than the run may take: the high end of its
/// planned time, and the notice.
pub(super) fn short_limit(candidate: &Candidate, settings: &LaunchSettings) -> Option<u64> {
    short(candidate, settings.time_limit?.minutes())
}

/// The same of a limit of so many minutes.
fn short(candidate: &Candidate, minutes: u64) -> Option<u64> {
    (minutes < high_minutes(candidate).saturating_add(NOTICE)).then_some(minutes)
}

/// Whole minutes of the high end of the planned time, at least 1.
pub(super) fn high_minutes(candidate: &Candidate) -> u64 {
    let high = candidate.time_to_budget_h.high * 60.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1; saturates"
    )]
    let high = high.ceil().max(1.0) as u64;
    high
}

impl Launch<'_> {
    /// The launch under Slurm, which has a longest time limit where none is set.
    pub(super) fn under_slurm(&self) -> Self {
        let longest = || short(self.candidate, MAX_MINUTES);
        Self {
            short_limit: self.short_limit.or_else(longest),
            ..self.clone()
        }
    }

    /// Seconds of a limit of so many minutes that train and write: without the start and the notice.
    fn usable_s(&self, minutes: u64) -> f64 {
        minutes.saturating_sub(NOTICE) as f64 * 60.0 - self.start_up_s
    }

    /// Steps between two checkpoints, as planned but such that the last one is written just before the
    /// limit, even where steps take as long as they may.
    pub(super) fn steps_within(&self, planned: Option<f64>, minutes: u64) -> f64 {
        let (step_s, usable_s) = (self.candidate.step_time_s.high, self.usable_s(minutes));
        let cycles = planned.map_or(0.0, |steps| {
            (usable_s / (steps * step_s + self.write_s)).ceil()
        });
        let affordable = (usable_s * MOST_WRITING / self.write_s).floor();
        let cycle_s = usable_s / cycles.max(affordable.clamp(1.0, CHECKPOINTS_PER_LIMIT));
        ((cycle_s - self.write_s) / step_s).floor().max(1.0)
    }

    /// How often the limit stops the run, and what that costs; `None` where it doesn't, and where the
    /// run can't get on between two stops.
    pub(super) fn stops(&self) -> Option<Stops> {
        let minutes = self.short_limit?;
        let steps = self.checkpoint_steps()?;
        let usable_s = self.usable_s(minutes);
        let cycle_s = steps as f64 * self.candidate.step_time_s.high + self.write_s;
        let all = self.candidate.steps as f64;
        let kept = (usable_s / cycle_s).floor() * steps as f64;
        let often = all / kept;
        if kept <= 0.0 || often > MOST_TIMES {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to MOST_TIMES"
        )]
        let times = (often.ceil() as u64).saturating_sub(1).max(1);
        // What the planned time counts of the steps that are kept is not lost.
        let each_s = (minutes as f64 - high_minutes(self.candidate) as f64 * kept / all) * 60.0;
        Some(Stops {
            times,
            lost_h: times as f64 * each_s / SECONDS_PER_HOUR,
        })
    }

    /// What a probability of being done leaves out, where the time limit stops the run.
    pub(super) fn leaves_out(&self) -> Option<String> {
        self.short_limit?;
        // It ends with its reservation, and isn't started again.
        if self.ends_with().is_some() {
            return None;
        }
        Some(self.stops().map_or_else(
            || "as if no time limit stopped it, and it hardly gets on within this one".to_owned(),
            |stops| {
                format!(
                    "without what stopping at the time limit costs: about {} {}, which take {} in all",
                    stops.times,
                    plural(stops.times, "stop"),
                    display_hours(stops.lost_h)
                )
            },
        ))
    }

    /// Minutes of the Slurm reservation, where it ends before the time limit, and the job with it.
    pub(super) fn ends_with(&self) -> Option<u64> {
        let minutes = booked_minutes(self.slurm_reservation()?);
        let wanted = high_minutes(self.candidate).saturating_add(NOTICE);
        let limit = self.short_limit.unwrap_or(MAX_MINUTES);
        (minutes < limit.min(wanted)).then_some(minutes)
    }
}

impl Stops {
    /// What they are, as a clause of the job.
    pub(super) fn words(self) -> String {
        let Self { times, lost_h } = self;
        format!(
            "the job resubmits itself, about {times} {}; the restarts and the work since the last \
             checkpoint take {} in all, which the planned time leaves out",
            plural(times, "time"),
            display_hours(lost_h)
        )
    }
}

/// Whole minutes of a booking that can be used.
fn booked_minutes(booking: &Booking) -> u64 {
    Span::of_hours(booking.usable_h).seconds() / 60
}
