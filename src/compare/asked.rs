//! What was asked of a booking, beside the run as it goes: its deadline, or its budget.

use schemars::JsonSchema;
use serde::Serialize;

use super::PlannedBooking;
use super::law::Course;
use crate::calendar::Moment;
use crate::product::Billing;
use crate::quantity::Interval;

/// Whether what has that probability of being kept is likelier missed. The mean doesn't tell: of a run
/// that seldom fails and is then held up for long, it may lie beyond what is kept mostly.
pub(super) fn is_missed(probability: f64) -> bool {
    probability < 0.5
}

/// A run beside the deadline that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DeadlineEnd {
    /// When it has to be done; `null` where neither start is known.
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Moment>,
    /// Hours from the start of the run until then; below 0 where it is past by then.
    pub within_h: f64,
    /// Hours by which the run is done after it, if it goes on like this; below 0 where it is done
    /// before.
    pub late_h: Interval,
    /// The probability that it is done by then, as far as runs differ and failures are luck; no more
    /// than that of being done before the nodes of its booking go.
    pub in_time: f64,
}

impl DeadlineEnd {
    /// Whether it is likelier done after it.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        is_missed(self.in_time)
    }
}

/// A run beside the budget that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct BudgetEnd {
    /// The budget, dollars.
    pub usd: f64,
    /// Dollars by which the bill is over it, if the run goes on like this; below 0 where it is within.
    pub over_usd: Interval,
    /// The probability that the bill is within it, as far as runs differ and failures are luck.
    pub within: f64,
}

impl BudgetEnd {
    /// Whether the bill is likelier over it.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        is_missed(self.within)
    }
}

/// The deadline of a booking, for a run of `whole` hours that is done as `done` has it, and whose nodes
/// stay for `staying_h`; `None` where none was asked for.
pub(super) fn of_deadline(
    booking: &PlannedBooking,
    start: Option<Moment>,
    whole: Interval,
    done: &Course,
    staying_h: f64,
) -> Option<DeadlineEnd> {
    let within_h = match (start, booking.deadline) {
        (Some(start), Some(deadline)) => deadline.hours_after(start),
        _ => booking.within_h?,
    };
    Some(DeadlineEnd {
        deadline: booking.deadline,
        within_h,
        late_h: Interval {
            low: whole.low - within_h,
            expected: whole.expected - within_h,
            high: whole.high - within_h,
        },
        in_time: done.probability_by(within_h.min(staying_h)),
    })
}

/// The budget of a booking, for the bill of a run that is done as `done` has it; `None` where none was
/// asked for, or no price is known.
pub(super) fn of_budget(
    booking: &PlannedBooking,
    bill: Option<Interval>,
    done: &Course,
) -> Option<BudgetEnd> {
    let (usd, bill) = (booking.budget_usd?, bill?);
    let within = match (booking.billing, booking.usd_per_hour) {
        (Billing::Used, Some(rate)) => done.probability_by(usd / rate),
        // All of it is billed, whatever the run takes.
        _ if bill.expected <= usd => 1.0,
        _ => 0.0,
    };
    Some(BudgetEnd {
        usd,
        within,
        over_usd: Interval {
            low: bill.low - usd,
            expected: bill.expected - usd,
            high: bill.high - usd,
        },
    })
}
