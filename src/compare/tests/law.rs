//! How long a run takes at the speed measured, beyond training.

use super::*;
use crate::calendar::Span;
use crate::forecast::Reliability;

const TOKENS: f64 = 1e9;

/// A run on 8 GPUs, its tokens per second and hours of training.
fn world(reliability: Reliability) -> (World, f64, f64) {
    let mut world = World::new("gpt-7b", 8, 4, 32);
    world.reliability = Some(reliability);
    let tok_s = world.expected(&world.configuration).expected;
    (world, tok_s, TOKENS / tok_s / 3600.0)
}

fn close(one: f64, other: f64) {
    assert!((one / other - 1.0).abs() < 1e-9, "{one} {other}");
}

/// Speed changes nothing about the hours before the first step, which are past once tokens are done.
#[test]
fn a_start_up_takes_as_long_at_any_speed() {
    let (world, tok_s, train_h) = world(Reliability {
        start_up_s: 36_000.0,
        ..Reliability::none()
    });
    for speed in [0.5, 1.0, 20.0] {
        let finish = world.compare(tok_s * speed, &[]).finish;
        close(finish.time_to_budget_h.expected, 10.0 + train_h / speed);
        close(finish.remaining_h.expected, 0.75 * train_h / speed);
        assert!(finish.time_to_budget_h.low > 10.0);
    }
}

/// What fails is luck: it makes ends less sure, and slower runs fail more.
#[test]
fn failures_are_luck() {
    let failing = Reliability {
        failures_per_1000_node_days: 500.0,
        restart_s: 7200.0,
        ..Reliability::none()
    };
    let (mut world, tok_s, train_h) = world(failing);
    let calm = World::new("gpt-7b", 8, 4, 32);
    let whole = world.compare(tok_s, &[]).finish.time_to_budget_h;
    assert!(whole.expected > train_h);
    let width = |hours: Interval| (hours.high - hours.low) / hours.expected;
    assert!(width(whole) > width(calm.compare(tok_s, &[]).finish.time_to_budget_h));
    world.booking = Some(PlannedBooking {
        probability: 0.9,
        ..booking::booked(whole.high)
    });
    let end = world.compare(tok_s, &[]).finish.booking.unwrap();
    assert!((end.in_time - 0.95).abs() < 0.02, "{end:?}");
}

/// More time is as sure as the booking had to be, and a second booking starts up again.
#[test]
fn more_time_is_as_sure_as_was_asked() {
    let (mut world, tok_s, train_h) = world(Reliability {
        failures_per_1000_node_days: 500.0,
        restart_s: 7200.0,
        start_up_s: 21_600.0,
        ..Reliability::none()
    });
    world.product = Some(crate::product::tests::product("slurm"));
    let more = |world: &mut World, probability: f64| {
        world.booking = Some(PlannedBooking {
            probability,
            ..booking::booked(train_h.floor())
        });
        let end = world.compare(tok_s, &[]).finish.booking.unwrap();
        let (longer, other) = (end.extension.unwrap(), end.apart.unwrap());
        assert!((other.hours - longer.hours - 6.0).abs() < 0.05, "{end:?}");
        close(longer.probability, probability);
        longer.hours
    };
    let (even, sure) = (more(&mut world, 0.5), more(&mut world, 0.99));
    assert!(sure > even + 0.1, "{even} {sure}");
    // With so much more, it is done as surely.
    let length = Span::from_hours_up(train_h.floor() + sure).unwrap().hours();
    world.booking = Some(booking::booked(length));
    let end = world.compare(tok_s, &[]).finish.booking.unwrap();
    assert!(end.in_time >= 0.99, "{end:?}");
}
