//! What is said of an end that the mean and the probability tell differently.

use super::*;
use crate::forecast::Reliability;
use crate::report::{Answer, Deviation};

/// A run on one node that seldom fails, and then waits a day for another.
fn seldom_late() -> (World, f64) {
    let mut world = World::new("gpt-7b", 8, 4, 32);
    world.reliability = Some(Reliability {
        failures_per_1000_node_days: 500.0,
        replacement_s: 86_400.0,
        ..Reliability::none()
    });
    // At its start: all of it is still open.
    world.done = 0;
    let tok_s = world.expected(&world.configuration).expected;
    (world, tok_s)
}

fn told(comparison: &Comparison) -> String {
    let target = None;
    let document = Deviation { comparison, target }.document();
    format!("{document:?}")
}

/// The mean lies beyond what is kept mostly: the run isn't called cut off, and the mean is told.
#[test]
fn a_verdict_follows_the_probability() {
    let (mut world, tok_s) = seldom_late();
    let train_h = 1e9 / tok_s / 3600.0;
    let mean_h = world.compare(tok_s, &[]).finish.time_to_budget_h.expected;
    let unfailing = (-0.5 * train_h / 24.0).exp();
    let staying_h = 0.99 * mean_h;
    assert!(
        train_h * 1.2 < staying_h && unfailing > 0.6,
        "{train_h} {mean_h}"
    );
    let asked = |billing| PlannedBooking {
        billing,
        within_h: Some(staying_h),
        probability: 0.9,
        ..booking::booked(staying_h)
    };
    world.product = Some(crate::product::tests::product("slurm"));
    world.booking = Some(asked(crate::product::Billing::Booked));
    let comparison = world.compare(tok_s, &[]);
    let end = comparison.finish.booking.clone().unwrap();
    // A run is in time that doesn't fail, and hardly any that does.
    assert!(
        (end.in_time - unfailing).abs() < 0.02,
        "{end:?} {unfailing}"
    );
    assert!(end.late_h.expected > 0.0 && !end.is_missed() && end.untrained_tokens == 0);
    assert!(end.extension.is_some_and(|more| more.probability >= 0.9));
    let text = told(&comparison);
    for verdict in ["Cut off", "Misses", "not trained"] {
        assert!(!text.contains(verdict), "{text}");
    }
    for words in [
        "Likelier done before its nodes go",
        "Likelier done by its deadline",
        "on average",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    // So does the bill of hours as they are used.
    world.booking = Some(PlannedBooking {
        within_h: None,
        budget_usd: Some(3.0 * staying_h),
        ..asked(crate::product::Billing::Used)
    });
    let comparison = world.compare(tok_s, &[]);
    let budget = comparison.finish.budget.unwrap();
    assert!((budget.within - unfailing).abs() < 0.02 && budget.over_usd.expected > 0.0);
    let text = told(&comparison);
    assert!(!text.contains("Over its budget"), "{text}");
    assert!(text.contains("Likelier within its budget"), "{text}");
    // What takes longer without a failure is cut off, and misses both.
    world.booking = Some(PlannedBooking {
        within_h: Some(0.9 * train_h),
        ..booking::booked(0.9 * train_h)
    });
    let comparison = world.compare(tok_s, &[]);
    let end = comparison.finish.booking.clone().unwrap();
    assert!(end.is_missed() && end.untrained_tokens > 0, "{end:?}");
    let text = told(&comparison);
    assert!(
        text.contains("Cut off") && text.contains("Misses its deadline"),
        "{text}"
    );
    // A deadline far beyond the booking isn't what it misses.
    world.booking = Some(PlannedBooking {
        within_h: Some(10.0 * mean_h),
        ..booking::booked(0.9 * train_h)
    });
    let comparison = world.compare(tok_s, &[]);
    let end = comparison.finish.deadline.clone().unwrap();
    assert!(
        end.is_missed() && end.late_h.expected < 0.0,
        "only by the booking's end: {end:?}"
    );
    let text = told(&comparison);
    assert!(
        text.contains("Cut off") && !text.contains("misses its deadline"),
        "{text}"
    );
}
