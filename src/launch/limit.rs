//! What a time limit shorter than the run does to it: checkpoints that come in time for each stop, and
//! what is lost between two.

use super::Launch;
use crate::job::TimeLimit;
use crate::plan::{NOTICE, ROOM, high_minutes, is_short_limit, whole_minutes};
use crate::product::Billing;
use crate::quantity::{SECONDS_PER_HOUR, display_hours, plural};
use crate::reserve::Booking;

/// The longest time limit that is asked of Slurm, in minutes: a longer run is resubmitted.
pub(super) const MAX_MINUTES: u64 = 365 * 1440;

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
    /// How often; once where only a run that takes longer than its interval says is stopped.
    pub(super) times: u64,
    /// Whether it is stopped within the interval of its planned time.
    pub(super) are_expected: bool,
    /// Hours that all of it takes: starts, notices, work after the last checkpoint, and checkpoints
    /// beyond those planned.
    pub(super) lost_h: f64,
}

impl Launch<'_> {
    /// The launch with what the user's time limit makes of it, where that is shorter than the run may
    /// take.
    pub(super) fn limited(self) -> Self {
        let set = self.settings.time_limit.map(TimeLimit::minutes);
        let set = set.map(|minutes| self.within_stay(minutes));
        let short_limit = set.filter(|minutes| self.is_short(*minutes));
        let within = short_limit.map(|minutes| self.steps_within(self.planned_steps, minutes));
        Self {
            checkpoint_steps: self
                .planned_steps
                .into_iter()
                .chain(within)
                .reduce(f64::min),
            short_limit,
            ..self
        }
    }

    /// The launch under Slurm, where a job has a longest time limit where none is set.
    pub(super) fn under_slurm(&self) -> Self {
        let most = self.within_stay(MAX_MINUTES);
        let longest = || self.is_short(most).then_some(most);
        Self {
            short_limit: self.short_limit.or_else(longest),
            ..self.clone()
        }
    }

    /// Whether the run may take longer than so many minutes.
    fn is_short(&self, minutes: u64) -> bool {
        is_short_limit(minutes, self.candidate, self.booked_minutes())
    }

    /// So many minutes, or as many as nodes billed as used can be had at most.
    pub(super) fn within_stay(&self, minutes: u64) -> u64 {
        self.staying_minutes()
            .map_or(minutes, |stay| minutes.min(stay))
    }

    /// Whole minutes for which nodes billed as used can be had at most; `None` where there is no most.
    pub(super) fn staying_minutes(&self) -> Option<u64> {
        let booking = self.booking?;
        let used = booking.billing == Billing::Used;
        booking.staying_h().filter(|_| used).map(whole_minutes)
    }

    /// Whether a checkpoint is written before the end, so that a stop doesn't lose everything.
    pub(super) fn is_saved(&self) -> bool {
        let steps = self.checkpoint_steps();
        steps.is_some_and(|steps| steps < self.candidate.steps)
    }

    /// Minutes that are asked for where no limit is set: the high end of the planned time, or as long as
    /// the booking lasts, whose probability would be another within less. A run that saves nothing
    /// before its end gets more room. No more than the nodes stay.
    pub(super) fn asked_minutes(&self) -> u64 {
        let room = if self.is_saved() { 1 } else { ROOM };
        let high = high_minutes(self.candidate).saturating_mul(room);
        self.within_stay(high.max(self.booked_minutes()))
    }

    /// Seconds of a limit of so many minutes that train and write: without the start and the notice.
    fn usable_s(&self, minutes: u64) -> f64 {
        minutes.saturating_sub(NOTICE) as f64 * 60.0 - self.start_up_s
    }

    /// Steps between two checkpoints, as planned but such that the last one is written just before the
    /// limit, even where steps take as long as they may.
    fn steps_within(&self, planned: Option<f64>, minutes: u64) -> f64 {
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
        let cycles = (usable_s / cycle_s).floor();
        let kept = cycles * steps as f64;
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
        // What is not kept: the start, the notice, and work after the last checkpoint. Failures and the
        // checkpoints planned are in the planned time, whatever the limit.
        let each_s = minutes as f64 * 60.0 - cycles * cycle_s;
        let planned = self.planned_steps.map_or(0.0, |steps| all / steps);
        let more = (all / steps as f64 - planned).max(0.0);
        Some(Stops {
            times,
            are_expected: minutes < high_minutes(self.candidate).saturating_add(NOTICE),
            lost_h: (times as f64 * each_s + more * self.write_s) / SECONDS_PER_HOUR,
        })
    }

    /// What a probability of being done leaves out, where the time limit stops the run.
    pub(super) fn leaves_out(&self) -> Option<String> {
        let limit = self.short_limit?;
        // It counts on no run that is longer than its nodes stay.
        if self.staying_minutes().is_some_and(|stay| stay <= limit) {
            return None;
        }
        // It ends with its reservation, and isn't started again.
        if self.ends_with().is_some() {
            return None;
        }
        Some(self.stops().map_or_else(
            || "as if no time limit stopped it, and it hardly gets on within this one".to_owned(),
            |stops| {
                let lost = display_hours(stops.lost_h);
                if stops.are_expected {
                    format!(
                        "without what stopping at the time limit costs: about {} {}, which take {lost} in \
                         all",
                        stops.times,
                        plural(stops.times, "stop"),
                    )
                } else {
                    format!(
                        "without what stopping at the time limit costs a run that takes longer: {lost} in all"
                    )
                }
            },
        ))
    }

    /// Minutes of the Slurm reservation, where it ends before the time limit, and the job with it.
    pub(super) fn ends_with(&self) -> Option<u64> {
        let minutes = whole_minutes(self.slurm_reservation()?.usable_h);
        let limit = self
            .settings
            .time_limit
            .map_or(MAX_MINUTES, TimeLimit::minutes);
        (minutes <= limit).then_some(minutes)
    }

    /// Whole minutes of a booking that can be used, all of which its probability counts on; 0 without
    /// one, and where its nodes stay for as long as they are paid for.
    pub(super) fn booked_minutes(&self) -> u64 {
        self.booking.map_or(0, Booking::minutes_counted_on)
    }
}

impl Stops {
    /// What they are, as a clause of the job.
    pub(super) fn words(self) -> String {
        let Self { times, lost_h, .. } = self;
        let lost = display_hours(lost_h);
        let what = "the restarts, the work since the last checkpoint and further checkpoints take";
        if self.are_expected {
            format!(
                "the job resubmits itself, about {times} {}; {what} {lost} in all, which the planned time \
                 leaves out",
                plural(times, "time"),
            )
        } else {
            format!(
                "a run that takes longer resubmits itself; {what} {lost} in all, which the planned time \
                 leaves out"
            )
        }
    }
}
