//! What becomes of a run beside the booking it was planned on.

use super::*;

/// A booking is billed by its own terms, whatever the speed, and its nodes go.
#[test]
fn a_booking_keeps_its_bill_and_its_end() {
    let mut world = World::new("gpt-7b", 8, 4, 32);
    let expected = world.expected(&world.configuration).expected;
    let hours = 1e9 / 3600.0 / expected * 1.25;
    let exactly = |usd| Interval {
        low: usd,
        expected: usd,
        high: usd,
    };
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
            booked_h: 1.2 * hours,
            billing,
            cost_usd: Some(exactly(1000.0)),
            usd_per_hour: Some(3.0),
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
        assert!(close(end.more_usd.unwrap(), 2.7 * hours));
        let end = world.compare(expected, &[]).finish.booking.unwrap();
        assert!(end.late_h.expected < 0.0 && end.untrained_tokens == 0 && end.more_usd.is_none());
    }
}

/// From a start of its own, the run has as much less of its booking.
#[test]
fn a_late_start_misses_the_end_of_the_booking() {
    let mut world = World::new("gpt-7b", 8, 4, 32);
    let expected = world.expected(&world.configuration).expected;
    world.booking = Some(PlannedBooking {
        start: Some("2026-11-30T09:00Z".parse().unwrap()),
        usable_until: Some("2026-12-01T10:00Z".parse().unwrap()),
        usable_h: 25.0,
        booked_h: 25.0,
        billing: crate::product::Billing::Booked,
        cost_usd: None,
        usd_per_hour: None,
        last_checkpoint: None,
        cancel: String::new(),
    });
    let finish = world.compare(expected, &[]).finish;
    let [low, high] = finish.finish_low_high.unwrap();
    let done = finish.finish.unwrap();
    assert!(low < done && done < high, "{low} {done} {high}");
    let end = finish.booking.unwrap();
    assert!((end.usable_h - 1.0).abs() < 1e-9, "{end:?}");
    // It takes far longer than the hour left; at the speed that just suffices, it is even odds.
    assert!(end.in_time < 1e-3, "{end:?}");
    let just = expected * finish.time_to_budget_h.expected;
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
