//! The bookings that brute force finds: every node count with every length.

use tminus::calendar::Span;
use tminus::job::Request;
use tminus::plan::Planner;
use tminus::reserve::{Booking, ReserveError, Role};
use tminus::search::{Axis, Objective};

use super::{ASKED, Asked, FIT, check, close, with_role};

/// A booking found by trying every node count with every length that is listed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tried {
    booked: u64,
    hours: f64,
    node_hours: f64,
    needed_h: f64,
}

/// Every node count planned by itself, with the first of `lengths_h` that is enough.
fn every_booking(
    asked: &Asked<'_>,
    lengths_h: &[f64],
    unusable_h: f64,
    max_nodes: u64,
) -> Vec<Tried> {
    let planner = Planner::new(&FIT);
    let request = asked.request();
    let cluster = &request.clusters[0];
    let nodes = cluster.max_gpus / cluster.gpus_per_node;
    let probability: f64 = asked.probability.parse().unwrap();
    (1..=nodes.min(max_nodes))
        .filter_map(|count| {
            let one = Request {
                gpus: Axis::List(vec![count * cluster.gpus_per_node]),
                sort: Objective::Time,
                top: 1,
                ..request.clone()
            };
            let plan = planner.plan(&one).ok()?;
            let needed_h = planner
                .finish(&one, &plan.candidates[0])?
                .hours_at(probability);
            let booked = count + asked.spares;
            let hours = lengths_h
                .iter()
                .copied()
                .find(|hours| hours - unusable_h >= needed_h)?;
            (booked <= nodes.min(max_nodes)).then_some(Tried {
                booked,
                hours,
                node_hours: booked as f64 * hours,
                needed_h,
            })
        })
        .collect()
}

fn agrees(booking: &Booking, tried: &Tried) {
    assert_eq!(booking.booked_nodes, tried.booked);
    assert!(
        close(booking.booked_h, tried.hours),
        "{booking:?} {tried:?}"
    );
    assert!(close(booking.needed_h, tried.needed_h));
}

/// Hours of a Slurm reservation, as whole ones.
fn whole_hours() -> Vec<f64> {
    (1..20_000_u32).map(f64::from).collect()
}

/// Days of a Capacity Block: 1 to 14, then 21, 28, … 182.
fn block_hours() -> Vec<f64> {
    let days = (1..=14_u32).chain((21..=182).step_by(7));
    days.map(|days| f64::from(days) * 24.0).collect()
}

#[test]
fn the_smallest_and_the_cheapest_are_those_of_brute_force() {
    let block = Asked {
        cluster: "p4d.24xlarge",
        product: Some("ec2-capacity-block"),
        start: Some("2026-12-01T11:30Z"),
        ..ASKED
    };
    let slurm = ASKED;
    let cases = [
        (block, block_hours(), 0.5, "3d"),
        (block, block_hours(), 0.5, "10d"),
        (Asked { spares: 2, ..block }, block_hours(), 0.5, "40d"),
        (
            Asked {
                model: "gpt-7b",
                tokens: "134B",
                ..block
            },
            block_hours(),
            0.5,
            "20d",
        ),
        (slurm, whole_hours(), 0.0, "30h"),
        (
            Asked {
                probability: "0.5",
                spares: 1,
                ..slurm
            },
            whole_hours(),
            0.0,
            "5d",
        ),
        (
            Asked {
                model: "gpt-350m",
                ..slurm
            },
            whole_hours(),
            0.0,
            "2d",
        ),
    ];
    for (asked, lengths, unusable_h, deadline) in cases {
        let asked = Asked {
            deadline: Some(deadline),
            ..asked
        };
        let limit_h = deadline.parse::<Span>().unwrap().hours();
        let mut tried = every_booking(&asked, &lengths, unusable_h, 64);
        tried.retain(|tried| tried.needed_h <= limit_h);
        assert!(!tried.is_empty(), "{asked:?}");
        let reservation = asked.booked();
        let smallest = tried.iter().min_by_key(|tried| tried.booked).unwrap();
        agrees(with_role(&reservation, Role::Smallest), smallest);
        // Of several as cheap, the one whose run is done first.
        let cheapest = tried.iter().min_by(|a, b| {
            a.node_hours
                .total_cmp(&b.node_hours)
                .then(a.needed_h.total_cmp(&b.needed_h))
        });
        agrees(with_role(&reservation, Role::Cheapest), cheapest.unwrap());
        for booking in &reservation.bookings {
            check(booking, asked.probability.parse().unwrap());
        }
    }
}

#[test]
fn within_a_budget_the_fastest_is_that_of_brute_force() {
    for (budget, usd) in [("3k", 3_000.0), ("3.4k", 3_400.0), ("9000", 9_000.0)] {
        let asked = Asked {
            budget: Some(budget),
            ..ASKED
        };
        let mut tried = every_booking(&asked, &whole_hours(), 0.0, 64);
        tried.retain(|tried| tried.node_hours * 8.0 * 2.0 <= usd);
        match asked.answer() {
            Ok(reservation) => {
                let fastest = tried
                    .iter()
                    .min_by(|a, b| a.needed_h.total_cmp(&b.needed_h));
                agrees(with_role(&reservation, Role::Fastest), fastest.unwrap());
            }
            Err(ReserveError::NotEnough { .. }) => assert!(tried.is_empty(), "{budget}"),
            Err(other) => panic!("{other}"),
        }
    }
}
