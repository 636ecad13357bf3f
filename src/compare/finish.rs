//! When a run is done and what it costs, if it goes on as measured.
//!
//! Training takes the tokens over the measured throughput; the start-up is what it was, and the
//! checkpoints and failures that training of that length meets come on top (`law`). What is billed by
//! the hour follows. A booking is billed by its own terms, and cuts off what isn't done when its nodes
//! go.

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use super::asked::{BudgetEnd, DeadlineEnd, is_missed, of_budget, of_deadline};
use super::law::{Course, Law};
use super::more::{self, More};
use super::stay::Stay;
use super::{Launched, PlannedBooking};
use crate::calendar::{Moment, Span};
use crate::product::{Billing, Product};
use crate::quantity::{Interval, Tokens, display_count, display_hours};

/// When a run is done and what it costs if it goes on as measured; intervals hold run-to-run noise
/// and the luck of failures.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finish {
    /// Tokens still to train: all, where it isn't known how many are done.
    pub remaining_tokens: u64,
    /// Hours on the wall clock from the start of the booking to the last token: the start-up, training
    /// at the speed measured, and its checkpoints and failures.
    pub time_to_budget_h: Interval,
    /// Hours still to go; no start-up once tokens are done.
    pub remaining_h: Interval,
    /// Hours planned for the whole run.
    pub planned_h: Interval,
    /// Dollars for the whole run, or for its booking; `null` when the plan knew no price.
    pub cost_usd: Option<Interval>,
    /// Dollars still to come: nothing where a booking was paid upfront, and of one billed whole, what
    /// isn't begun of the steps that it is sold in.
    pub remaining_usd: Option<Interval>,
    /// Dollars planned: of the booking, where there is one.
    pub planned_usd: Option<Interval>,
    /// When it started: as told, or else when its booking starts.
    #[schemars(with = "Option<String>")]
    pub start: Option<Moment>,
    /// When the tokens done were counted; `null` where that wasn't told, and they are taken to have been
    /// trained at the speed measured.
    #[schemars(with = "Option<String>")]
    pub at: Option<Moment>,
    /// Hours from the start until then, told or taken; 0 where no tokens are done.
    pub gone_h: f64,
    /// When it is done, from that start.
    #[schemars(with = "Option<String>")]
    pub finish: Option<Moment>,
    /// The same at the low and at the high end of the hours it takes.
    #[schemars(with = "Option<[String; 2]>")]
    pub finish_low_high: Option<[Moment; 2]>,
    /// When it was planned to be done, from that start.
    #[schemars(with = "Option<String>")]
    pub planned_finish: Option<Moment>,
    /// The same at the low and at the high end of the hours planned.
    #[schemars(with = "Option<[String; 2]>")]
    pub planned_finish_low_high: Option<[Moment; 2]>,
    /// How it ends beside the end of its booking; `null` where the plan is none of a booking, or of one
    /// that is billed as it is used and stays until the run is done: its product has no longest.
    pub booking: Option<BookingEnd>,
    /// The same beside the deadline that the booking was made for; `null` where it was for none.
    pub deadline: Option<DeadlineEnd>,
    /// The bill beside the budget that the booking was made for; `null` where it was for none.
    pub budget: Option<BudgetEnd>,
}

/// A run beside the end of the booking it is on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BookingEnd {
    /// What is billed of it.
    pub billing: Billing,
    /// When its nodes go; `null` where neither start is known.
    #[schemars(with = "Option<String>")]
    pub usable_until: Option<Moment>,
    /// Hours from the start of the run until its nodes go; below 0 where they go before it.
    pub usable_h: f64,
    /// Hours by which the run is done after its nodes go, if it goes on like this; below 0 where it
    /// is done before.
    pub late_h: Interval,
    /// The probability that it is done before its nodes go, as far as runs differ and failures are
    /// luck; what the plan was unsure of is measured.
    pub in_time: f64,
    /// Tokens not trained when its nodes go; 0 where the run is likelier done before.
    pub untrained_tokens: u64,
    /// What it takes to make the booking long enough at the probability asked for; `null` where the run is
    /// likelier done before its nodes go and is on average too, or its product makes none longer.
    pub extension: Option<More>,
    /// What it takes to book what is missing by itself, another start-up too; `null` in the same cases, or
    /// where its product sells no such booking.
    pub apart: Option<More>,
    /// When the last checkpoint has to begin that is whole before the nodes go.
    #[schemars(with = "Option<String>")]
    pub last_checkpoint: Option<Moment>,
    /// Whether and how the booking can be cancelled or changed.
    pub cancel: String,
}

impl BookingEnd {
    /// Whether its nodes likelier go before the run is done.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        is_missed(self.in_time)
    }
}

/// Why there is no finish.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum FinishError {
    /// Nothing is left to train.
    #[error(
        "{} tokens are done, but the plan is for {}: nothing is left to train",
        display_count(*.done as f64),
        display_count(*.tokens as f64)
    )]
    Done {
        /// Tokens done.
        done: u64,
        /// Tokens of the plan.
        tokens: u64,
    },
    /// A run that starts when its booking isn't there.
    #[error("a run from {start} is not on the booking it was planned on, from {from} to {until}")]
    BesideBooking {
        /// When the run starts.
        start: Moment,
        /// When the booking does.
        from: Moment,
        /// When its nodes go.
        until: Moment,
    },
    /// More tokens than the time on the booking is enough for.
    #[error(
        "at the measured speed {} tokens take {}, but the nodes of the booking it was planned on are \
         there for {} from its start",
        display_count(*.done as f64),
        display_hours(*.takes_h),
        display_hours(*.usable_h)
    )]
    BeyondBooking {
        /// Tokens done.
        done: u64,
        /// Hours that these take.
        takes_h: f64,
        /// Hours from the start of the run until its nodes go.
        usable_h: f64,
    },
    /// Tokens that were counted nobody knows how long after the start.
    #[error("the tokens done were counted at {at}, but it isn't known when the run started")]
    NoStart {
        /// When they were counted.
        at: Moment,
    },
    /// Tokens that were counted before any was trained.
    #[error("the tokens done were counted at {at}, but the run started at {start}")]
    BeforeStart {
        /// When they were counted.
        at: Moment,
        /// When the run started.
        start: Moment,
    },
    /// Tokens that were counted when the nodes had gone.
    #[error(
        "the tokens done were counted {} after the start of the run, but the nodes of the booking it was planned \
         on are there for {}",
        display_hours(*.gone_h),
        display_hours(*.usable_h)
    )]
    AfterBooking {
        /// Hours from the start until they were counted.
        gone_h: f64,
        /// Hours from the start of the run until its nodes go.
        usable_h: f64,
    },
    /// A finish beyond every calendar.
    #[error("from that start the run ends beyond the year 2999")]
    BeyondCalendar,
}

/// The finish; `noise_sd` is the standard deviation by which runs stray, as a logarithm.
pub(super) fn finish(launched: &Launched<'_>, noise_sd: f64) -> Result<Finish, FinishError> {
    let run = launched.run;
    let tokens = launched.plan.tokens.get();
    let done = launched.done.map_or(0, Tokens::get);
    if done >= tokens {
        return Err(FinishError::Done { done, tokens });
    }
    let booked = run.booking.as_ref();
    let start = launched.start.or(booked.and_then(|booking| booking.start));
    let gone_h = gone_h(launched.at, start)?;
    let law = Law::new(launched, noise_sd);
    let course = law.course(tokens, done, gone_h);
    let confidence = launched.plan.confidence;
    let (whole, remaining) = (course.whole(confidence), course.remaining(confidence));
    let takes_h = course.gone_h;
    let stay = match booked {
        Some(booking) => Stay::of(launched, booking, start)?,
        None => None,
    };
    if let Some(Stay { usable_h, .. }) = stay.filter(|stay| takes_h > stay.usable_h) {
        return Err(match gone_h {
            Some(gone_h) => FinishError::AfterBooking { gone_h, usable_h },
            None => FinishError::BeyondBooking {
                done,
                takes_h,
                usable_h,
            },
        });
    }
    let date = |hours: f64| -> Result<Option<Moment>, FinishError> {
        let Some(start) = start else {
            return Ok(None);
        };
        let end = Span::from_hours_up(hours).and_then(|span| start.plus(span));
        end.map(Some).ok_or(FinishError::BeyondCalendar)
    };
    // An end that no calendar has is left out: what is expected has one.
    let dates = |hours: Interval| {
        let of = |hours| date(hours).ok().flatten();
        Some([of(hours.low)?, of(hours.high)?])
    };
    let end = booked.zip(stay);
    let end = end.map(|(booking, stay)| end_of(launched, booking, stay, &law, &course));
    let staying_h = stay.map_or(f64::INFINITY, |stay| stay.usable_h);
    let bill = match booked {
        Some(booking) => of_booking(launched, booking, start, (whole, remaining)),
        None => by_the_hour(launched, whole, remaining),
    };
    Ok(Finish {
        remaining_tokens: tokens - done,
        time_to_budget_h: whole,
        remaining_h: remaining,
        planned_h: run.time_to_budget_h,
        cost_usd: bill.now,
        remaining_usd: bill.remaining,
        planned_usd: bill.planned,
        start,
        at: launched.at,
        gone_h: course.gone_h,
        finish: date(whole.expected)?,
        finish_low_high: dates(whole),
        planned_finish: date(run.time_to_budget_h.expected)?,
        planned_finish_low_high: dates(run.time_to_budget_h),
        booking: end,
        deadline: booked.and_then(|booking| of_deadline(booking, start, whole, &course, staying_h)),
        budget: booked.and_then(|booking| of_budget(booking, bill.now, &course)),
    })
}

/// Hours from the start until the tokens done were counted; `None` where it isn't told when.
fn gone_h(at: Option<Moment>, start: Option<Moment>) -> Result<Option<f64>, FinishError> {
    let Some(at) = at else {
        return Ok(None);
    };
    let start = start.ok_or(FinishError::NoStart { at })?;
    if at <= start {
        return Err(FinishError::BeforeStart { at, start });
    }
    Ok(Some(at.hours_after(start)))
}

/// Dollars of a run.
struct Dollars {
    now: Option<Interval>,
    remaining: Option<Interval>,
    planned: Option<Interval>,
}

/// The bill of a run that is billed for the hours it takes.
fn by_the_hour(launched: &Launched<'_>, whole: Interval, remaining: Interval) -> Dollars {
    let run = launched.run;
    let rate = run
        .cost_usd
        .map(|cost| cost.expected / run.time_to_budget_h.expected);
    let usd = |hours: Interval| rate.map(|rate| hours.scale(rate));
    Dollars {
        now: usd(whole),
        remaining: usd(remaining),
        planned: run.cost_usd,
    }
}

/// The bill of a booking: as planned where all of it is billed, or else for the hours used.
fn of_booking(
    launched: &Launched<'_>,
    booking: &PlannedBooking,
    start: Option<Moment>,
    (whole, remaining): (Interval, Interval),
) -> Dollars {
    // Of the booking, what went by before the run started is gone too.
    let before_h = match (start, booking.start) {
        (Some(start), Some(from)) => start.hours_after(from),
        _ => 0.0,
    };
    let gone_h = before_h + (whole.expected - remaining.expected).max(0.0);
    let planned = booking.cost_usd;
    let (now, left) = match booking.billing {
        Billing::Upfront => (planned, planned.map(|_| Interval::exactly(0.0))),
        Billing::Booked => {
            // What is sold by the week is billed by the week.
            let length = Span::of_hours(booking.booked_h);
            let begun = |product: &Product| {
                let gone = Span::from_hours_up(gone_h).unwrap_or(Span::MAX);
                product.begun(gone, length).hours()
            };
            let billed_h = launched.product.map_or(gone_h, begun);
            let share = (1.0 - billed_h / booking.booked_h).clamp(0.0, 1.0);
            // By the steps of a product that isn't known nobody can tell.
            let known = launched.product.is_some() || booking.product.is_none();
            let left = planned.filter(|_| known);
            (planned, left.map(|usd| usd.scale(share)))
        }
        Billing::Used => {
            let usd = |hours: Interval| booking.usd_per_hour.map(|rate| hours.scale(rate));
            (usd(whole), usd(remaining))
        }
    };
    Dollars {
        now,
        remaining: left,
        planned,
    }
}

/// How a run ends beside its booking.
fn end_of(
    launched: &Launched<'_>,
    booking: &PlannedBooking,
    stay: Stay,
    law: &Law,
    course: &Course,
) -> BookingEnd {
    let tokens = launched.plan.tokens.get();
    let whole = course.whole(launched.plan.confidence);
    let usable_h = stay.usable_h;
    let late_h = Interval {
        low: whole.low - usable_h,
        expected: whole.expected - usable_h,
        high: whole.high - usable_h,
    };
    let in_time = course.probability_by(usable_h);
    let sold = launched.product;
    let sold = sold.filter(|_| is_missed(in_time) || late_h.expected > 0.0);
    let missed_h = course.hours_at(booking.probability).max(whole.expected) - usable_h;
    let apart_h = missed_h + law.start_up_h();
    // Of the tokens left, what the hours missing would train; what is done is done.
    let left = tokens - launched.done.map_or(0, Tokens::get);
    let start_up_h = launched.done.map_or(law.start_up_h(), |_| 0.0);
    let running_h = whole.expected - course.gone_h - start_up_h;
    let share = late_h.expected.max(0.0) / running_h;
    let untrained = if is_missed(in_time) { share } else { 0.0 } * left as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; saturates"
    )]
    let untrained = untrained.round() as u64;
    BookingEnd {
        billing: booking.billing,
        usable_until: stay.until,
        usable_h,
        late_h,
        in_time,
        untrained_tokens: untrained.min(left),
        extension: sold.and_then(|product| more::extension(product, booking, missed_h)),
        apart: sold.and_then(|product| more::apart(product, booking, apart_h)),
        last_checkpoint: stay.last_checkpoint,
        cancel: booking.cancel.clone(),
    }
}
