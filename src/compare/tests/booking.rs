//! What becomes of a run beside the booking it was planned on.

use super::*;
use crate::calendar::{Moment, Span};

/// A booking is billed by its own terms, whatever the speed, and its nodes go.
#[test]
fn a_booking_keeps_its_bill_and_its_end() {
    let (mut world, expected, hours) = timed();
    for (billing, cost, left) in [
        (crate::product::Billing::Upfront, 1000.0, 0.0),
        (
            crate::product::Billing::Booked,
            1000.0,
            1000.0 * (1.0 - 0.5 / 1.2),
        ),
        (
            crate::product::Billing::Used,
            3.0 * 2.0 * hours,
            3.0 * 1.5 * hours,
        ),
    ] {
        world.booking = Some(PlannedBooking {
            start: None,
            usable_until: None,
            usable_h: 1.1 * hours,
            longest_usable_h: None,
            booked_h: 1.2 * hours,
            billing,
            cost_usd: Some(exactly(1000.0)),
            usd_per_hour: Some(3.0),
            product: None,
            deadline: None,
            within_h: None,
            budget_usd: None,
            probability: 0.5,
            last_checkpoint: None,
            cancel: String::new(),
        });
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6 * b.max(1.0);
        let half = world.compare(expected / 2.0, &[]).finish;
        assert!(close(half.planned_usd.unwrap().expected, 1000.0));
        assert!(
            close(half.cost_usd.unwrap().expected, cost),
            "{billing}: {half:?}"
        );
        assert!(
            close(half.remaining_usd.unwrap().expected, left),
            "{billing}: {half:?}"
        );
        // What is billed by the hour ends when it is ended.
        let Some(end) = half.booking else {
            assert_eq!(billing, crate::product::Billing::Used);
            continue;
        };
        assert!(close(end.late_h.expected, 0.9 * hours), "{end:?}");
        assert_eq!(end.untrained_tokens, 450_000_000);
        let end = world.compare(expected, &[]).finish.booking.unwrap();
        assert!(end.late_h.expected < 0.0 && end.untrained_tokens == 0);
    }
}

/// From a start of its own, the run has as much less of its booking.
#[test]
fn a_late_start_misses_the_end_of_the_booking() {
    let mut world = World::new("gpt-7b", 8, 4, 32);
    let expected = world.expected(&world.configuration).expected;
    world.booking = Some(PlannedBooking {
        start: Some("2026-11-30T09:00Z".parse().unwrap()),
        usable_until: Some("2026-12-01T13:00Z".parse().unwrap()),
        usable_h: 28.0,
        longest_usable_h: None,
        booked_h: 28.0,
        billing: crate::product::Billing::Booked,
        cost_usd: None,
        usd_per_hour: None,
        product: None,
        deadline: None,
        within_h: None,
        budget_usd: None,
        probability: 0.5,
        last_checkpoint: None,
        cancel: String::new(),
    });
    let finish = world.compare(expected, &[]).finish;
    let [low, high] = finish.finish_low_high.unwrap();
    let done = finish.finish.unwrap();
    assert!(low < done && done < high, "{low} {done} {high}");
    let end = finish.booking.unwrap();
    assert!((end.usable_h - 4.0).abs() < 1e-9, "{end:?}");
    // It takes far longer than the four hours left; at the speed that just suffices, it is even odds.
    assert!(end.in_time < 1e-3, "{end:?}");
    let just = expected * finish.time_to_budget_h.expected / 4.0;
    let end = world.compare(just, &[]).finish.booking.unwrap();
    assert!((end.in_time - 0.5).abs() < 1e-3, "{end:?}");
    // Before it or after it there is no booking to run on.
    for (from, until) in [
        ("2026-12-01T09:01Z", "2026-12-02T10:00Z"),
        ("2026-11-29T09:00Z", "2026-12-01T09:00Z"),
    ] {
        let booking = world.booking.as_mut().unwrap();
        booking.start = Some(from.parse().unwrap());
        booking.usable_until = Some(until.parse().unwrap());
        let refused = world.try_compare(expected, &[]);
        assert!(matches!(refused, Err(FinishError::BesideBooking { .. })));
    }
}

/// What is still to pay of a booking is of the hours left of it, not of the run.
#[test]
fn a_late_start_leaves_less_to_pay() {
    let (mut world, expected, hours) = timed();
    let start: Moment = "2026-12-01T09:00Z".parse().unwrap();
    let late = start.plus(Span::from_hours_up(hours).unwrap()).unwrap();
    world.booking = Some(booked(4.0 * hours));
    let booking = world.booking.as_mut().unwrap();
    booking.start = Some(start);
    booking.cost_usd = Some(exactly(400.0));
    // A quarter of the run is done: of the booking's four parts a quarter of one, then one more.
    let in_time = world.compare(expected, &[]).finish;
    let left = |finish: &Finish| finish.remaining_usd.unwrap().expected;
    assert!((left(&in_time) - 375.0).abs() < 1.0, "{in_time:?}");
    world.start = Some(late);
    let late = world.compare(expected, &[]).finish;
    assert!((left(&late) - 275.0).abs() < 1.0, "{late:?}");
}

/// Of a booking billed by the week, a week that was begun is paid.
#[test]
fn what_is_still_to_pay_goes_by_the_steps_sold() {
    let (mut world, expected, _) = timed();
    for (product, share) in [("lambda-1-click", 0.5), ("gcp-calendar", 13.0 / 14.0)] {
        world.product = Some(product_named(product));
        world.booking = Some(booked(14.0 * 24.0));
        world.booking.as_mut().unwrap().cost_usd = Some(exactly(400.0));
        let left = world.compare(expected, &[]).finish.remaining_usd.unwrap();
        assert!(
            (left.expected - 400.0 * share).abs() < 1e-9,
            "{product}: {left:?}"
        );
    }
}

/// More time is had as the product sells it: a longer booking is a length sold, and a second one has an
/// end of its own. Both are held against the budget.
#[test]
fn more_time_is_what_the_product_sells() {
    let (mut world, expected, hours) = timed();
    for (product, days, late_h, longer, other) in [
        ("ec2-capacity-block", 13.0, 48.0, Some(192.0), Some(72.0)),
        ("ec2-capacity-block", 13.0, 20.0, Some(24.0), Some(24.0)),
        ("ec2-capacity-block", 14.0, 50.0, Some(168.0), Some(72.0)),
        ("ec2-capacity-block", 182.0, 5.0, None, Some(24.0)),
        ("gcp-calendar", 13.0, 20.0, None, Some(24.0)),
        ("slurm", 13.0, 20.0, Some(20.0), Some(20.0)),
    ] {
        let product = product_named(product);
        let booked_h = days * 24.0;
        let usable_h = product.usable(Span::of_hours(booked_h)).hours();
        world.product = Some(product);
        world.booking = Some(PlannedBooking {
            usable_h,
            cost_usd: Some(exactly(3.0 * booked_h)),
            budget_usd: Some(3.0 * booked_h + 100.0),
            ..booked(booked_h)
        });
        // A minute less than it, as that is what is rounded up.
        let speed = expected * hours / (usable_h + late_h - 1.0 / 60.0);
        let end = world.compare(speed, &[]).finish.booking.unwrap();
        for (more, hours) in [(end.extension, longer), (end.apart, other)] {
            assert_eq!(more.map(|more| more.hours), hours, "{days} d: {end:?}");
            let Some(more) = more else { continue };
            assert_eq!(more.usd, Some(3.0 * more.hours));
            let over = more.over_budget_usd.unwrap();
            assert!((over - (3.0 * more.hours - 100.0)).abs() < 1e-9, "{more:?}");
        }
        let early = world.compare(expected * 1e3, &[]).finish.booking.unwrap();
        assert_eq!((early.extension, early.apart), (None, None));
    }
}

/// What is asked of a booking is held against the run: it may keep its nodes and miss its deadline.
#[test]
fn a_deadline_and_a_budget_are_held_against_the_run() {
    let (mut world, expected, hours) = timed();
    world.booking = Some(booked(4.0 * hours));
    let booking = world.booking.as_mut().unwrap();
    (booking.within_h, booking.budget_usd) = (Some(hours), Some(5.0 * hours));
    booking.billing = crate::product::Billing::Used;
    for (speed, late, over) in [(2.0, -0.5, -3.5), (1.0, 0.0, -2.0), (0.5, 1.0, 1.0)] {
        let finish = world.compare(expected * speed, &[]).finish;
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6 * hours;
        let (deadline, budget) = (finish.deadline.unwrap(), finish.budget.unwrap());
        assert!(
            close(deadline.late_h.expected, late * hours),
            "{deadline:?}"
        );
        assert!(close(budget.over_usd.expected, over * hours), "{budget:?}");
        let sure = if late < 0.0 { 1.0 } else { 0.0 };
        let sure = if late == 0.0 { 0.5 } else { sure };
        assert!((deadline.in_time - sure).abs() < 1e-2, "{deadline:?}");
        assert!(finish.booking.is_none());
    }
}

/// Nodes billed as used go when the longest booking of their product ends, counted from when the run
/// starts: as the plan says it, or else the product.
#[test]
fn nodes_billed_as_used_go_when_the_longest_booking_ends() {
    let (mut world, expected, hours) = timed();
    let mut used = booked(hours);
    used.billing = crate::product::Billing::Used;
    used.longest_usable_h = Some(2.0 * hours);
    used.last_checkpoint = Some("2026-12-02T07:00Z".parse().unwrap());
    used.start = Some("2026-12-01T09:00Z".parse().unwrap());
    // A deadline far away doesn't keep them.
    used.within_h = Some(100.0 * hours);
    world.booking = Some(used);
    world.start = Some("2026-12-03T10:00Z".parse().unwrap());
    for (speed, late, sure) in [(1.0, -1.0, 1.0), (0.5, 0.0, 0.5), (0.25, 2.0, 0.0)] {
        let finish = world.compare(expected * speed, &[]).finish;
        let end = finish.booking.unwrap();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6 * hours;
        assert!(close(end.usable_h, 2.0 * hours), "{end:?}");
        assert!(close(end.late_h.expected, late * hours), "{end:?}");
        assert!((end.in_time - sure).abs() < 1e-2, "{end:?}");
        let by_deadline = finish.deadline.unwrap().in_time;
        assert!((by_deadline - end.in_time).abs() < 1e-12, "{by_deadline}");
        let go = end.usable_until.unwrap();
        let stay_h = go.hours_after(world.start.unwrap());
        assert!((stay_h - 2.0 * hours).abs() < 1.0 / 60.0, "{stay_h}");
        let last = end.last_checkpoint.unwrap().rfc3339();
        assert!(last.starts_with("2026-12-04T08:00"), "{last}");
        // None is sold that is longer.
        assert_eq!(end.extension, None);
        let all = world.compare(expected * speed, &[]).finish;
        assert!(close(all.cost_usd.unwrap().expected, 3.0 * hours / speed));
    }
    world.booking.as_mut().unwrap().longest_usable_h = None;
    assert!(world.compare(expected, &[]).finish.booking.is_none());
    let product = product_named("ec2-capacity-block");
    let longest_h = product.longest_usable().unwrap().hours();
    world.product = Some(product);
    let end = world.compare(expected, &[]).finish.booking.unwrap();
    assert!((end.usable_h - longest_h).abs() < 1e-9, "{end:?}");
}

/// Whatever the deadline, a run is as likely done by it as before its nodes go: both are needed.
#[test]
fn a_deadline_after_the_booking_is_no_likelier_made_than_its_end() {
    let (mut world, expected, hours) = timed();
    for (deadline, sure) in [(2.0, 0.5), (1.0, 0.5), (0.5, 0.0)] {
        world.booking = Some(booked(hours));
        world.booking.as_mut().unwrap().within_h = Some(deadline * hours);
        let finish = world.compare(expected, &[]).finish;
        let (end, booking) = (finish.deadline.unwrap(), finish.booking.unwrap());
        assert!((end.in_time - sure).abs() < 1e-2, "{deadline}: {end:?}");
        assert!(end.in_time <= booking.in_time, "{end:?} {booking:?}");
    }
}

/// What is done is done: of a run that is nearly through, hardly anything is open, however much was at its
/// start; what is expected is the same.
#[test]
fn what_is_done_leaves_nothing_open() {
    let (mut world, expected, hours) = timed();
    world.booking = Some(booked(1.02 * hours));
    let tokens = 1_000_000_000;
    let mut widths = Vec::new();
    for done in [0, tokens / 2, tokens / 100 * 99] {
        world.done = done;
        let finish = world.compare(expected, &[]).finish;
        let (whole, left) = (finish.time_to_budget_h, finish.remaining_h);
        assert!(
            (whole.expected / hours - 1.0).abs() < 1e-6,
            "{whole:?} {hours}"
        );
        widths.push(whole.high - whole.low);
        let apart = (whole.high - whole.low) - (left.high - left.low);
        assert!(apart.abs() < 1e-9, "{whole:?} {left:?}");
        let end = finish.booking.unwrap();
        assert!((end.late_h.high - (whole.high - 1.02 * hours)).abs() < 1e-9);
        if done > tokens / 2 {
            assert!(end.in_time > 0.999_999, "{end:?}");
        }
    }
    // Run-to-run noise is in proportion to what is left.
    assert!((widths[1] / widths[0] - 0.5).abs() < 0.01, "{widths:?}");
    assert!((widths[2] / widths[0] - 0.01).abs() < 0.001, "{widths:?}");
}

/// More tokens than the nodes were there for are a mistake in one of the figures.
#[test]
fn a_run_is_not_farther_than_its_booking_goes() {
    let (mut world, expected, hours) = timed();
    world.booking = Some(booked(0.3 * hours));
    assert!(world.try_compare(expected, &[]).is_ok());
    world.booking = Some(booked(0.2 * hours));
    let refused = world.try_compare(expected, &[]);
    assert!(matches!(refused, Err(FinishError::BeyondBooking { .. })));
}

fn product_named(name: &str) -> Product {
    crate::product::tests::product(name)
}

fn exactly(usd: f64) -> Interval {
    Interval {
        low: usd,
        expected: usd,
        high: usd,
    }
}

/// A planned run, its tokens per second and the hours it takes.
pub(super) fn timed() -> (World, f64, f64) {
    let world = World::new("gpt-7b", 8, 4, 32);
    let expected = world.expected(&world.configuration).expected;
    (world, expected, 1e9 / 3600.0 / expected * 1.25)
}

/// A whole booking of so many hours at three dollars an hour, without a date.
pub(super) fn booked(hours: f64) -> PlannedBooking {
    PlannedBooking {
        start: None,
        usable_until: None,
        usable_h: hours,
        longest_usable_h: None,
        booked_h: hours,
        billing: crate::product::Billing::Booked,
        cost_usd: None,
        usd_per_hour: Some(3.0),
        product: None,
        deadline: None,
        within_h: None,
        budget_usd: None,
        probability: 0.5,
        last_checkpoint: None,
        cancel: String::new(),
    }
}
