//! Nodes that are billed as they are used: how long they stay, and what suffices for them.

use super::{answer_to, help_of};
use crate::reserve::Booking;

/// A run on hours that are sold for four days at most.
fn sold_for_days(goal: &str) -> Booking {
    let job = format!(
        "model = \"gpt-3b\"\ntokens = \"60B\"\ncluster = \"a2-highgpu-8g\"\n[products.flex]\n\
         clusters = [\"a2-highgpu-8g\"]\nprice_type = \"flex\"\nbilling = \"used\"\n\
         lengths = [{{ step = \"1h\", up_to = \"4d\" }}]\n[[prices]]\ninstance = \"a2-highgpu-8g\"\n\
         price_type = \"flex\"\nusd_per_gpu_hour = 1.9\n\
         [reserve]\nproduct = \"flex\"\nstart = \"2026-12-01T09:00Z\"\nprobability = 0.8\n{goal}"
    );
    answer_to(&job).unwrap().bookings.remove(0)
}

/// Nodes that can be had for four days are no likelier to be enough with twenty to the deadline.
#[test]
fn a_deadline_beyond_the_longest_booking_makes_nothing_likelier() {
    let late = sold_for_days("deadline = \"20d\"\n");
    let just = sold_for_days("deadline = \"4d\"\n");
    assert_eq!(late.nodes, just.nodes);
    assert!((late.probability - just.probability).abs() < 1e-12);
    assert_eq!(Some(late.probability), late.probability_in_longest);
    assert!((0.8..0.95).contains(&late.probability), "{late:?}");
    // They go after it: a checkpoint has to be whole by then, and no more hours are billed.
    let last_h = late.last_checkpoint_h.unwrap();
    assert!((95.0..96.0).contains(&last_h), "{last_h}");
    assert!(late.run_h.high > 96.0 && late.billed_h.high <= 96.0);
    // Its own kind of price is what it is sold at, not one that is taken for another.
    let notes = late.notes.join("\n");
    assert!(!notes.contains("hours on demand"), "{notes}");
    let sooner = sold_for_days("deadline = \"90h\"\n");
    assert!(sooner.nodes > late.nodes && Some(sooner.probability) < sooner.probability_in_longest);
}

/// A run whose mean lies beyond what mostly suffices: it seldom fails, and then waits for days.
fn seldom_late(reserve: &str) -> String {
    format!(
        "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"p4d.24xlarge\"\n[reliability]\n\
         checkpoint_interval = \"1d\"\nfailures_per_1000_node_days = 30\nreplacement = \"2d\"\n\
         [reserve]\nproduct = \"on-demand\"\nprobability = 0.5\n{reserve}"
    )
}

/// A budget holds what is expected to be billed too, and what suffices is no less than that.
#[test]
fn a_budget_is_not_below_the_cost_expected() {
    for budget in [45_000.0, 45_250.0, 60_000.0] {
        let job = seldom_late(&format!("budget = {budget}\n"));
        for booking in answer_to(&job).unwrap().bookings {
            let (most, cost) = (booking.committed_usd.unwrap(), booking.cost_usd.unwrap());
            assert!(cost.expected <= most && most <= budget, "{booking:?}");
        }
    }
    // That the mean does lie beyond it, or there would be nothing to see.
    let job = seldom_late("nodes = 2\n");
    let booking = answer_to(&job).unwrap().bookings.remove(0);
    assert!(booking.needed_h < booking.run_h.expected);
}

/// What a refused budget is told would do does.
#[test]
fn a_budget_that_is_told_to_suffice_does() {
    let low = seldom_late("budget = 20000\n");
    let help = help_of(&low).join("\n");
    let typed = |flag: &str| {
        let (_, after) = help.split_once(&format!("`{flag} ")).unwrap();
        after.split('`').next().unwrap().to_owned()
    };
    let budget = typed("--budget");
    assert!(answer_to(&low.replace("20000", &budget)).is_ok(), "{help}");
    let tokens = low.replace("134B", &typed("--tokens"));
    assert!(answer_to(&tokens).is_ok(), "{help}");
}
