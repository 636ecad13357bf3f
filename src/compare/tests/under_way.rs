//! A run whose tokens done were counted at a time that is told.

use super::booking::{booked, timed};
use super::*;
use crate::calendar::{Moment, Span};

/// What stood still before counts, and so does what was faster: the end is when the tokens done were
/// counted, and what is left at the speed measured.
#[test]
fn a_run_goes_on_from_when_its_tokens_were_counted() {
    let (mut world, expected, _) = timed();
    let start: Moment = "2026-12-01T09:00Z".parse().unwrap();
    let at = |hours: f64| start.plus(Span::of_hours(hours));
    // The plan's proportion of wall clock to training is 1.25.
    let hours_of = |tokens: f64| tokens / expected / 3600.0 * 1.25;
    world.start = Some(start);
    let taken = world.compare(expected, &[]).finish;
    assert!((taken.gone_h / hours_of(0.25e9) - 1.0).abs() < 1e-6);
    for times in [0.5, 1.0, 3.0] {
        let gone_h = times * hours_of(0.25e9);
        world.at = at(gone_h);
        let finish = world.compare(expected, &[]).finish;
        assert!((finish.gone_h - gone_h).abs() < 1.0 / 60.0, "{finish:?}");
        let left_h = finish.remaining_h.expected;
        assert!((left_h / hours_of(0.75e9) - 1.0).abs() < 1e-6, "{left_h}");
        assert_eq!(finish.remaining_h, taken.remaining_h);
        let whole_h = finish.finish.unwrap().hours_after(start);
        assert!(
            (whole_h - (gone_h + left_h)).abs() < 1.0 / 60.0,
            "{whole_h}"
        );
        // Billed by the hour, what went by is paid.
        let (cost, left) = (finish.cost_usd.unwrap(), finish.remaining_usd.unwrap());
        let share = (cost.expected - left.expected) / cost.expected;
        assert!((share - gone_h / whole_h).abs() < 1e-3, "{share}");
    }
}

/// What an outage took is missing at the end of a booking, and what isn't trained is what the hours missing
/// would train.
#[test]
fn an_outage_cuts_a_run_off() {
    let (mut world, expected, hours) = timed();
    let start: Moment = "2026-12-01T09:00Z".parse().unwrap();
    world.start = Some(start);
    world.booking = Some(booked(1.1 * hours));
    assert!(world.compare(expected, &[]).finish.booking.unwrap().in_time > 0.99);
    world.at = start.plus(Span::of_hours(0.6 * hours));
    let end = world.compare(expected, &[]).finish.booking.unwrap();
    assert!(end.is_missed(), "{end:?}");
    // Three quarters of the hours are left of the run, half of the hours of the booking.
    assert!((end.late_h.expected / hours - 0.25).abs() < 0.01, "{end:?}");
    let untrained = end.untrained_tokens as f64;
    assert!((untrained / 0.25e9 - 1.0).abs() < 0.02, "{untrained}");
}

#[test]
fn tokens_are_counted_while_the_run_is_on() {
    let (mut world, expected, hours) = timed();
    let start: Moment = "2026-12-01T09:00Z".parse().unwrap();
    world.booking = Some(booked(hours));
    world.start = Some(start);
    let day = 24 * 3600;
    assert!((2.0..20.0).contains(&hours), "{hours}");
    for (seconds, refused) in [(-60, true), (0, true), (3600, false), (day, true)] {
        world.at = start.plus_seconds(seconds);
        let error = world.try_compare(expected, &[]).err();
        assert_eq!(error.is_some(), refused, "{seconds} {error:?}");
        assert!(matches!(
            error,
            None | Some(FinishError::BeforeStart { .. } | FinishError::AfterBooking { .. })
        ));
    }
}
