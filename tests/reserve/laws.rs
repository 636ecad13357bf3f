//! What answers and refusals promise, and laws that bookings keep.

use proptest::prelude::*;
use tminus::quantity::Tokens;
use tminus::reserve::{Reservation, Role};

use super::{ASKED, Asked, check, with_role};

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
        let (count, unit) = deadline.split_at(deadline.len() - 1);
        assert!(["h", "m"].contains(&unit), "{deadline}");
        let sooner = format!("{}{unit}", count.parse::<u64>().unwrap() - 1);
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

    // A date centuries away is a deadline as any.
    let far = Asked {
        deadline: Some("2999-12-31"),
        ..date
    };
    assert!(far.answer().is_ok());

    // Its first start, 11:30, is after the deadline: the earliest date is the same.
    let before = Asked {
        deadline: Some("2026-12-01T11:00Z"),
        ..date
    };
    assert_eq!(before.advised("--deadline"), earliest);

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

/// The most tokens by trying: what `--tokens` can be for the booking to be had, to a thousandth.
fn most_tokens(asked: Asked<'_>) -> f64 {
    let enough = |tokens: u64| {
        let tokens = tokens.to_string();
        let fewer = Asked {
            tokens: &tokens,
            ..asked
        };
        fewer.answer().is_ok()
    };
    let (mut low, mut high) = (1_000_000_u64, asked.tokens.parse::<Tokens>().unwrap().get());
    while high - low > low / 1000 {
        // By tenths of the way while they are orders of magnitude apart.
        let middle = low + (high - low) / if high / low > 20 { 10 } else { 2 };
        if enough(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as f64
}

/// A budget of tokens far beyond what can be had leaves as much to be had as any.
#[test]
fn the_tokens_advised_are_the_most_there_are() {
    for asked in [
        Asked {
            tokens: "1000T",
            start: Some("2026-12-01"),
            deadline: Some("12h"),
            ..ASKED
        },
        Asked {
            tokens: "15T",
            start: Some("2026-12-01"),
            deadline: Some("2d"),
            model: "gpt-7b",
            ..ASKED
        },
        Asked {
            tokens: "15T",
            cluster: "r1z1",
            budget: Some("3k"),
            ..ASKED
        },
    ] {
        let advised: Tokens = asked.advised("--tokens").parse().unwrap();
        let most = most_tokens(asked);
        let share = advised.get() as f64 / most;
        assert!(
            (0.988..=1.001).contains(&share),
            "{asked:?}: {advised} of {most}"
        );
    }
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
    let latest = booking.latest_start.unwrap();
    let written = latest.rfc3339();
    assert!(written.ends_with("T11:30:00Z"), "{latest}");
    let again = Asked {
        start: Some(&written),
        ..asked
    };
    assert!(with_role(&again.booked(), Role::Smallest).booked_nodes <= booking.booked_nodes);
    let after = latest.plus("1m".parse().unwrap()).unwrap();
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
