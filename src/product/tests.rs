use proptest::prelude::*;

use super::*;
use crate::preset::Catalog;

pub(crate) fn product(name: &str) -> Product {
    Catalog::embedded().product(name).unwrap().clone()
}

fn days(count: u64) -> Span {
    Span::from_seconds(count * 86_400).unwrap()
}

fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

/// By the EC2 user guide: 1 to 14 days, then weeks to 26 of them; the last half hour is no use.
#[test]
fn capacity_blocks_are_days_and_then_weeks() {
    let block = product("ec2-capacity-block");
    let hours = |hours: f64| Span::from_hours_up(hours).unwrap();
    for (needed_h, sold_days) in [
        (0.0, Some(1)),
        (23.5, Some(1)),
        (23.6, Some(2)),
        (14.0 * 24.0 - 0.5, Some(14)),
        (14.0 * 24.0 - 0.4, Some(21)),
        (21.0 * 24.0, Some(28)),
        (182.0 * 24.0 - 0.5, Some(182)),
        (182.0 * 24.0 - 0.4, None),
    ] {
        assert_eq!(
            block.shortest_usable(hours(needed_h)),
            sold_days.map(days),
            "{needed_h}"
        );
    }
    assert_eq!(block.longer(days(14)), Some(days(21)));
    assert_eq!(block.shorter(days(21)), Some(days(14)));
    assert_eq!(block.shorter(days(1)), None);
    assert_eq!(block.longer(days(182)), None);
}

#[test]
fn capacity_blocks_start_and_end_at_half_past_eleven() {
    let block = product("ec2-capacity-block");
    let start = block.first_start(moment("2026-12-01T12:00Z")).unwrap();
    assert_eq!(start, moment("2026-12-02T11:30Z"));
    assert_eq!(start.plus(days(5)), Some(moment("2026-12-07T11:30Z")));
    let end = start.plus(block.usable(days(5))).unwrap();
    assert_eq!(end, moment("2026-12-07T11:00Z"));
}

#[test]
fn other_products_keep_their_steps() {
    for (name, needed, sold) in [
        ("gcp-calendar", "1h", Some("1d")),
        ("gcp-calendar", "90d", Some("90d")),
        ("gcp-calendar", "91d", None),
        ("lambda-1-click", "8d", Some("2w")),
        ("together-instant", "25h", Some("2d")),
        ("slurm", "61m", Some("2h")),
        ("on-demand", "400d", Some("400d")),
    ] {
        let span = |text: &str| text.parse::<Span>().unwrap();
        let found = product(name).shortest_usable(span(needed));
        assert_eq!(found, sold.map(span), "{name} {needed}");
    }
}

#[test]
fn gpus_are_sold_in_multiples() {
    let together = product("together-instant");
    for (nodes, gpus_per_node, booked) in [(3, 8, 3), (3, 4, 4), (1, 1, 8), (9, 1, 16), (2, 16, 2)]
    {
        assert_eq!(together.booked_nodes(nodes, gpus_per_node), booked);
    }
    // More GPUs than can be counted are none that are sold.
    assert_eq!(together.booked_nodes(u64::MAX / 2, 8), u64::MAX / 2);
    assert_eq!(together.most_nodes(u64::MAX, 8), 0);
}

proptest! {
    /// Against every length that is sold, listed one by one.
    #[test]
    fn the_shortest_that_is_enough_is_found(
        needed in 0..20_000_u64, product_index in 0..6_usize,
    ) {
        let catalog = Catalog::embedded();
        let product = catalog.products().nth(product_index).unwrap();
        let hours = Span::from_seconds(needed * 3600).unwrap();
        let mut all = Vec::new();
        let mut at = Span::ZERO;
        for step in &product.lengths {
            let end = step.up_to.unwrap_or(Span::from_seconds(30_000 * 3600).unwrap());
            while at.plus(step.step) <= end {
                at = at.plus(step.step);
                all.push(at);
            }
        }
        prop_assert_eq!(product.shortest(hours), all.iter().copied().find(|length| *length >= hours));
        prop_assert_eq!(
            product.longest_within(hours),
            all.iter().copied().rev().find(|length| *length <= hours)
        );
        if let Some(length) = product.shortest_usable(hours) {
            prop_assert!(product.usable(length) >= hours);
            prop_assert!(product.shorter(length).is_none_or(|less| product.usable(less) < hours));
            prop_assert_eq!(product.longer(length).and_then(|more| product.shorter(more)),
                product.longer(length).map(|_| length));
        }
    }

    #[test]
    fn bookings_with_a_time_of_day_start_and_end_at_it(second in 0..4_000_000_000_u64, length in 1..182_u64) {
        let block = product("ec2-capacity-block");
        let asked = moment("1970-01-01").plus(Span::from_seconds(second).unwrap()).unwrap();
        let start = block.first_start(asked).unwrap();
        prop_assert!(start >= asked && start.since(asked).unwrap() < days(1));
        let end = start.plus(days(length)).unwrap();
        prop_assert!(end.civil().ends_with("T11:30:00"));
        prop_assert!(block.last_start(start).unwrap() == start);
    }
}
