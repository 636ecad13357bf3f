//! Bookings against brute force over every node count and every length, and laws they keep.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::sync::LazyLock;

use proptest::prelude::*;
use tminus::calendar::{Moment, Span};
use tminus::job::{
    ModelChoice, ReliabilitySettings, Request, ReserveSettings, Settings, Sourced, Spares, resolve,
};
use tminus::measure::{MOSAICGPT_2023, read};
use tminus::plan::Planner;
use tminus::preset::Catalog;
use tminus::reserve::{Ask, Booking, Reservation, ReserveError, Role, reserve};
use tminus::search::{Axis, Objective};
use tminus::throughput::Fit;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);

static FIT: LazyLock<Fit> = LazyLock::new(|| {
    let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &CATALOG).unwrap();
    Fit::new("embedded", table.rows).unwrap()
});

/// What is asked, as on the command line.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    model: &'a str,
    tokens: &'a str,
    cluster: &'a str,
    product: Option<&'a str>,
    start: Option<&'a str>,
    deadline: Option<&'a str>,
    budget: Option<&'a str>,
    nodes: Option<u64>,
    probability: &'a str,
    spares: u64,
}

const ASKED: Asked<'static> = Asked {
    model: "gpt-1b",
    tokens: "26B",
    cluster: "r7z2",
    product: None,
    start: None,
    deadline: None,
    budget: None,
    nodes: None,
    probability: "0.9",
    spares: 0,
};

impl Asked<'_> {
    fn request(&self) -> Request {
        let name = ModelChoice::Named(self.model.to_owned());
        let settings = Settings {
            model: Some(Sourced::flag("--model", name)),
            tokens: Some(Sourced::parse_flag("--tokens", self.tokens).unwrap()),
            clusters: Some(vec![Sourced::flag("--cluster", self.cluster.to_owned())]),
            reserve: ReserveSettings {
                deadline: self
                    .deadline
                    .map(|text| Sourced::parse_flag("--deadline", text).unwrap()),
                budget: self
                    .budget
                    .map(|text| Sourced::parse_flag("--budget", text).unwrap()),
                nodes: self.nodes.map(|nodes| Sourced::flag("--nodes", nodes)),
                start: self
                    .start
                    .map(|text| Sourced::parse_flag("--start", text).unwrap()),
                probability: Some(Sourced::parse_flag("--probability", self.probability).unwrap()),
                products: self
                    .product
                    .iter()
                    .map(|name| Sourced::flag("--product", (*name).to_owned()))
                    .collect(),
                ..ReserveSettings::default()
            },
            reliability: ReliabilitySettings {
                spares: Some(Sourced::flag("--spares", Spares::Nodes(self.spares))),
                ..ReliabilitySettings::default()
            },
            ..Settings::default()
        };
        resolve(settings, &CATALOG).unwrap()
    }

    fn answer(&self) -> Result<Reservation, ReserveError> {
        let request = self.request();
        let ask = Ask::new(&request, &CATALOG).unwrap();
        reserve(&Planner::new(&FIT), &request, &ask)
    }

    fn booked(&self) -> Reservation {
        self.answer().unwrap()
    }

    /// What could be had instead, as typed after `flag`.
    fn advised(&self, flag: &str) -> String {
        let Err(ReserveError::NotEnough { help, .. }) = self.answer() else {
            panic!("{self:?} can be booked");
        };
        let typed = format!("`{flag} ");
        let found = help.iter().find_map(|line| {
            let (_, rest) = line.split_once(&typed)?;
            rest.split_once('`').map(|(value, _)| value.to_owned())
        });
        found.unwrap_or_else(|| panic!("no {flag} in {help:?}"))
    }
}

fn with_role(reservation: &Reservation, role: Role) -> &Booking {
    let found = reservation
        .bookings
        .iter()
        .find(|booking| booking.roles.contains(&role));
    found.unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// What holds of any booking.
fn check(booking: &Booking, probability: f64) {
    assert!(booking.usable_h + 1e-9 >= booking.needed_h, "{booking:?}");
    assert!(booking.probability >= probability - 1e-9, "{booking:?}");
    assert_eq!(booking.booked_nodes, booking.nodes + booking.spares);
    if let (Some(cost), Some(parts)) = (booking.cost_usd, booking.cost_parts_usd) {
        assert!(
            close(cost.expected, parts.run + parts.spares + parts.idle),
            "{booking:?}"
        );
        assert!(cost.low <= cost.expected && cost.expected <= cost.high);
    }
    let moment = |text: &Option<String>| text.as_ref().map(|text| text.parse::<Moment>().unwrap());
    if let (Some(start), Some(end)) = (moment(&booking.start), moment(&booking.end)) {
        assert!(close(end.since(start).unwrap().hours(), booking.booked_h));
        let usable = moment(&booking.usable_until).unwrap();
        assert!(start < usable && usable <= end);
        assert!(moment(&booking.last_checkpoint).is_none_or(|last| last < usable));
        assert!(moment(&booking.latest_start).is_none_or(|latest| latest >= start));
    }
}

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
        let cheapest = tried.iter().min_by(|a, b| {
            a.node_hours
                .total_cmp(&b.node_hours)
                .then(a.booked.cmp(&b.booked))
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

/// What a refusal advises can be booked, and a step less can't.
#[test]
fn what_could_be_had_can_be_had() {
    for asked in [
        Asked {
            deadline: Some("4h"),
            ..ASKED
        },
        Asked {
            deadline: Some("4h"),
            probability: "0.5",
            spares: 3,
            ..ASKED
        },
    ] {
        let deadline = asked.advised("--deadline");
        let later = Asked {
            deadline: Some(&deadline),
            ..asked
        };
        assert_eq!(later.booked().bookings.len(), 1);
        let hours: u64 = deadline.strip_suffix('h').unwrap().parse().unwrap();
        let sooner = format!("{}h", hours - 1);
        assert!(
            Asked {
                deadline: Some(&sooner),
                ..asked
            }
            .answer()
            .is_err()
        );

        let tokens = asked.advised("--tokens");
        assert!(
            Asked {
                tokens: &tokens,
                ..asked
            }
            .answer()
            .is_ok(),
            "{tokens}"
        );
    }
    let date = Asked {
        cluster: "p4d.24xlarge",
        product: Some("ec2-capacity-block"),
        start: Some("2026-12-01T09:00Z"),
        deadline: Some("2026-12-01T15:00Z"),
        ..ASKED
    };
    let earliest = date.advised("--deadline");
    assert!(
        Asked {
            deadline: Some(&earliest),
            ..date
        }
        .answer()
        .is_ok()
    );

    let poor = Asked {
        budget: Some("100"),
        ..ASKED
    };
    let needed = poor.advised("--budget");
    assert!(
        Asked {
            budget: Some(&needed),
            ..poor
        }
        .answer()
        .is_ok()
    );
    let less = (needed.parse::<u64>().unwrap() - 2).to_string();
    assert!(
        Asked {
            budget: Some(&less),
            ..poor
        }
        .answer()
        .is_err()
    );
    let tokens = poor.advised("--tokens");
    assert!(
        Asked {
            tokens: &tokens,
            ..poor
        }
        .answer()
        .is_ok(),
        "{tokens}"
    );
}

#[test]
fn the_latest_start_still_makes_it_and_no_later_one_does() {
    let asked = Asked {
        cluster: "p4d.24xlarge",
        product: Some("ec2-capacity-block"),
        start: Some("2026-12-01T09:00Z"),
        deadline: Some("2026-12-11T18:00Z"),
        ..ASKED
    };
    let reservation = asked.booked();
    let booking = with_role(&reservation, Role::Smallest);
    let latest = booking.latest_start.clone().unwrap();
    assert!(latest.ends_with("T11:30:00Z"), "{latest}");
    let again = Asked {
        start: Some(&latest),
        ..asked
    };
    assert!(with_role(&again.booked(), Role::Smallest).booked_nodes <= booking.booked_nodes);
    let after = latest
        .parse::<Moment>()
        .unwrap()
        .plus("1m".parse().unwrap())
        .unwrap();
    let after = after.rfc3339();
    let too_late = Asked {
        start: Some(&after),
        ..asked
    };
    let smallest = too_late.answer();
    assert!(
        smallest.is_err() || with_role(&smallest.unwrap(), Role::Smallest).nodes > booking.nodes
    );
}

#[test]
fn threads_change_nothing() {
    let asked = Asked {
        deadline: Some("3d"),
        spares: 1,
        ..ASKED
    };
    let answer = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| asked.booked())
    };
    let one = answer(1);
    assert_eq!(one, answer(2));
    assert_eq!(one, answer(7));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_later_deadline_never_takes_more(hours in 20..200_u32, more in 0..100_u32, spares in 0..3_u64) {
        let (soon, late) = (format!("{hours}h"), format!("{}h", hours + more));
        let soon = Asked { deadline: Some(&soon), spares, ..ASKED };
        let late = Asked { deadline: Some(&late), spares, ..ASKED };
        if let Ok(soon) = soon.answer() {
            let late = late.booked();
            let (soon_small, late_small) = (with_role(&soon, Role::Smallest), with_role(&late, Role::Smallest));
            prop_assert!(late_small.booked_nodes <= soon_small.booked_nodes);
            let cost = |of: &Reservation| with_role(of, Role::Cheapest).cost_usd.unwrap().expected;
            prop_assert!(cost(&late) <= cost(&soon));
            soon.bookings.iter().chain(&late.bookings).for_each(|booking| check(booking, 0.9));
        }
    }

    #[test]
    fn surer_is_never_cheaper(hours in 20..200_u32, p in 1..98_u32, surer in 1..50_u32) {
        let deadline = format!("{hours}h");
        let (p, q) = (p.to_string(), (p + surer).min(99).to_string());
        let (p, q) = (format!("0.{p:0>2}"), format!("0.{q:0>2}"));
        let less = Asked { deadline: Some(&deadline), probability: &p, ..ASKED };
        let more = Asked { deadline: Some(&deadline), probability: &q, ..ASKED };
        if let Ok(more) = more.answer() {
            let less = less.booked();
            let cost = |of: &Reservation| with_role(of, Role::Cheapest).cost_usd.unwrap().expected;
            prop_assert!(cost(&less) <= cost(&more));
            prop_assert!(with_role(&less, Role::Smallest).booked_nodes <= with_role(&more, Role::Smallest).booked_nodes);
        }
    }

    #[test]
    fn more_tokens_never_take_fewer_hours(billions in 1..200_u32, more in 0..200_u32, nodes in 0..4_u32) {
        let nodes = Some(1 << nodes);
        let (few, many) = (format!("{billions}B"), format!("{}B", billions + more));
        let few = Asked { tokens: &few, nodes, ..ASKED }.booked();
        let many = Asked { tokens: &many, nodes, ..ASKED }.booked();
        let (few, many) = (&few.bookings[0], &many.bookings[0]);
        prop_assert!(many.needed_h >= few.needed_h && many.booked_h >= few.booked_h);
    }
}
