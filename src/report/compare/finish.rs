//! When a run is done and what it costs, beside its plan and its booking.

use crate::calendar::Moment;
use crate::compare::{BookingEnd, Finish, More};
use crate::product::Billing;
use crate::quantity::{
    Interval, display_chance, display_count, display_dollars_asked, display_hours,
    display_hours_like,
};

use super::super::bookings::short;
use super::super::number::{dollars, percent, range};
use super::super::{Cell, Column, Grid};

/// What is now and what was planned, a row each.
pub(super) fn grid(finish: &Finish) -> Grid {
    let usd = |value: f64| format!("${}", dollars(value));
    let both = |name: &str, now: Interval, planned: Interval, show: &dyn Fn(Interval) -> Ends| {
        let (now, planned) = (show(now), show(planned));
        [name.to_owned(), now.0, now.1, planned.0, planned.1]
            .map(Cell::from)
            .to_vec()
    };
    let now = |name: &str, (middle, ends): Ends| -> Vec<Cell> {
        vec![
            name.into(),
            middle.into(),
            ends.into(),
            "".into(),
            "".into(),
        ]
    };
    let dollars = |interval: Interval| ends(interval, &usd);
    let mut rows = vec![both(
        "whole run",
        finish.time_to_budget_h,
        finish.planned_h,
        &hours,
    )];
    let whole = finish.remaining_h.expected >= finish.time_to_budget_h.expected;
    if finish.at.is_some() {
        let gone = display_hours_like(finish.gone_h, finish.time_to_budget_h.expected);
        rows.push(now("gone by", (gone, String::new())));
    }
    if !whole {
        rows.push(now("still to go", hours(finish.remaining_h)));
    }
    if let (Some(done), Some(planned)) = (finish.finish, finish.planned_finish) {
        let (now, then) = (finish.finish_low_high, finish.planned_finish_low_high);
        let cells = [
            "done".to_owned(),
            short(done),
            between(now),
            short(planned),
            between(then),
        ];
        rows.push(cells.map(Cell::from).to_vec());
    }
    let until = finish.booking.as_ref();
    if let Some(until) = until.and_then(|end| end.usable_until) {
        rows.push(now("nodes go", (short(until), String::new())));
    }
    if let Some(end) = &finish.booking {
        let in_time = format!("{} %", display_chance(end.in_time));
        rows.push(now("done by then", (in_time, String::new())));
    }
    if let Some(end) = &finish.deadline {
        let by = match end.deadline {
            Some(by) => short(by),
            None => format!("{} in all", display_hours(end.within_h)),
        };
        rows.push(now("deadline", (by, String::new())));
        let in_time = format!("{} %", display_chance(end.in_time));
        rows.push(now("done by then", (in_time, String::new())));
    }
    if let (Some(cost), Some(planned)) = (finish.cost_usd, finish.planned_usd) {
        rows.push(both("cost", cost, planned, &dollars));
        if let Some(remaining) = finish.remaining_usd.filter(|_| !whole) {
            rows.push(now("still to pay", dollars(remaining)));
        }
    }
    if let Some(budget) = finish.budget {
        let asked = format!("${}", display_dollars_asked(budget.usd));
        rows.push(now("budget", (asked, String::new())));
        let within = format!("{} %", display_chance(budget.within));
        rows.push(now("within it", (within, String::new())));
    }
    Grid {
        columns: vec![
            Column::left(""),
            Column::right("now"),
            Column::left("low–high"),
            Column::right("planned"),
            Column::left("low–high"),
        ],
        rows,
    }
}

/// What is expected, and from where to where.
type Ends = (String, String);

/// An interval of durations, all in the unit of what is expected.
fn hours(interval: Interval) -> Ends {
    ends(interval, &|hours| {
        display_hours_like(hours, interval.expected)
    })
}

/// From date to date: by the hour on one day, else by the day; nothing where they are one.
fn between(dates: Option<[Moment; 2]>) -> String {
    let Some([low, high]) = dates.filter(|[low, high]| low != high) else {
        return String::new();
    };
    let (low, high) = (short(low), short(high));
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((day, from)), Some((last, until))) if day == last => format!("{day} {from}–{until}"),
        (Some((day, _)), Some((last, _))) => format!("{day}–{last}"),
        _ => format!("{low}–{high}"),
    }
}

/// The ends are left out where there is nothing between them.
fn ends(interval: Interval, show: &dyn Fn(f64) -> String) -> Ends {
    let around = if interval.low < interval.high {
        range(interval, show)
    } else {
        String::new()
    };
    (show(interval.expected), around)
}

/// How the run ends beside its booking, and what to do where that is too late.
pub(super) fn beside_booking(finish: &Finish, tokens: u64) -> Option<String> {
    let end = finish.booking.as_ref()?;
    let late_h = end.late_h;
    let late = display_hours(late_h.expected.abs());
    let told = match (end.is_missed(), late_h.expected > 0.0) {
        (true, true) => format!(
            "Cut off by the end of its booking: its nodes go {late} before it is done, with {} of {} tokens \
             ({} %) not trained. {}; {}.",
            display_count(end.untrained_tokens as f64),
            display_count(tokens as f64),
            percent(end.untrained_tokens as f64 / tokens as f64),
            more_time(end).unwrap_or_else(|| "It takes other nodes to resume on".to_owned()),
            in_time(end)
        ),
        (true, false) => format!(
            "Likelier cut off by the end of its booking than not: done before its nodes go with {} %, though \
             expected {late} before{}.",
            display_chance(end.in_time),
            and_more(end)
        ),
        (false, true) => format!(
            "Likelier done before its nodes go than not, with {} %, though on average {late} after: what \
             holds it up is rare, and then long{}.",
            display_chance(end.in_time),
            and_more(end)
        ),
        (false, false) if late_h.high > 0.0 => format!(
            "Done {late} before its nodes go, but at the slow end of its interval {} after: {}.",
            display_hours(late_h.high),
            in_time(end)
        ),
        (false, false) => format!("Done {late} before its nodes go."),
    };
    Some(told)
}

/// How the run ends beside what was asked for, where that is no longer sure.
pub(super) fn beside_asked(finish: &Finish) -> Option<String> {
    let deadline = finish.deadline.as_ref().and_then(|end| {
        let late_h = end.late_h;
        let late = display_hours(late_h.expected.abs());
        let sure = display_chance(end.in_time);
        // A deadline after its nodes go is missed by what the booking already is told to cut off.
        let cut_off = finish.booking.as_ref().is_some_and(|booking| {
            booking.is_missed() && booking.late_h.expected > late_h.expected
        });
        match (end.is_missed(), late_h.expected > 0.0) {
            (true, true) => Some(format!("Misses its deadline by {late}.")),
            (true, false) if cut_off => None,
            (true, false) => Some(format!(
                "Likelier misses its deadline than not: done by then with {sure} %."
            )),
            (false, true) => Some(format!(
                "Likelier done by its deadline than not, with {sure} %, though on average {late} after."
            )),
            (false, false) => (late_h.high > 0.0).then(|| {
                format!(
                    "Done {late} before its deadline, but at the slow end of its interval {} after.",
                    display_hours(late_h.high)
                )
            }),
        }
    });
    let budget = finish.budget.and_then(|end| {
        let over = end.over_usd;
        let usd = dollars(over.expected.abs());
        let sure = display_chance(end.within);
        match (end.is_missed(), over.expected > 0.0) {
            (true, true) => Some(format!("Over its budget by ${usd}.")),
            (true, false) => Some(format!(
                "Likelier over its budget than not: within it with {sure} %."
            )),
            (false, true) => Some(format!(
                "Likelier within its budget than not, with {sure} %, though on average ${usd} over."
            )),
            (false, false) => (over.high > 0.0).then(|| {
                format!(
                    "Within its budget, but at the slow end of its interval ${} over.",
                    dollars(over.high)
                )
            }),
        }
    });
    deadline.or(budget)
}

/// What more time on its nodes would do, up to what else there is to do; `None` where none can be had.
fn more_time(end: &BookingEnd) -> Option<String> {
    let more = match (end.extension, end.apart) {
        (Some(longer), Some(other)) if longer == other => format!(
            "{} to make it {} longer, or to resume on a booking of its own as long{}, or on other nodes",
            enough(longer),
            display_hours(longer.hours),
            costing(longer)
        ),
        (Some(longer), Some(other)) => format!(
            "{} to make it {} longer{}, or to resume on a booking of its own of {}{}, or on other nodes",
            enough(longer),
            display_hours(longer.hours),
            costing(longer),
            display_hours(other.hours),
            costing(other)
        ),
        (Some(longer), None) => format!(
            "{} to make it {} longer{}, or to resume on other nodes",
            enough(longer),
            display_hours(longer.hours),
            costing(longer)
        ),
        (None, Some(other)) => format!(
            "{} to resume on a booking of its own of {}{}, or on other nodes",
            enough(other),
            display_hours(other.hours),
            costing(other)
        ),
        (None, None) => return None,
    };
    Some(more)
}

/// What to do where the run is neither surely in time nor surely late.
fn and_more(end: &BookingEnd) -> String {
    match more_time(end) {
        Some(more) => format!(". {more}; {}", in_time(end)),
        None => format!(": {}", in_time(end)),
    }
}

/// How sure it is that more time is enough.
fn enough(more: More) -> String {
    format!("With probability {} it would do", more.probability)
}

/// What more time costs, and what that makes of the budget.
fn costing(more: More) -> String {
    let Some(usd) = more.usd else {
        return String::new();
    };
    let over = more.over_budget_usd.filter(|over| *over > 0.0);
    let over = over.map(|over| format!(", which is over the budget by ${}", dollars(over)));
    format!(
        " (about ${} at its price{})",
        dollars(usd),
        over.unwrap_or_default()
    )
}

/// What to do before the nodes go.
fn in_time(end: &BookingEnd) -> String {
    let checkpoint = match end.last_checkpoint {
        Some(moment) => format!("begin the last checkpoint at {} or before", short(moment)),
        None => "write a checkpoint before they go".to_owned(),
    };
    if end.cancel.is_empty() {
        checkpoint
    } else {
        format!("{checkpoint}; the booking: {}", end.cancel)
    }
}

/// What the figures rest on.
pub(super) fn basis(finish: &Finish) -> String {
    let bill = match finish.booking.as_ref().map(|end| end.billing) {
        // What is billed as used has no end.
        None | Some(Billing::Used) => "the bill follows the wall clock",
        Some(Billing::Upfront) => "the booking is paid upfront, whatever the run takes",
        Some(Billing::Booked) => "all of the booking is billed, whatever the run takes",
    };
    let under_way = finish.remaining_h.expected < finish.time_to_budget_h.expected;
    let gone = match finish.at {
        _ if !under_way => String::new(),
        Some(at) => format!(
            "; what was done by {} took as long as it did, and it is taken to run on from there",
            short(at)
        ),
        None => "; what is done is taken to have run at the measured speed: `--at` says when it was counted, so \
                 that an outage or a slower spell before counts"
            .to_owned(),
    };
    format!("low–high now is run-to-run noise and the luck of failures{gone}; {bill}")
}
