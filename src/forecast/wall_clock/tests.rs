//! Laws of the wall clock, and what runs of known length took.

use super::*;
use crate::preset::Catalog;
use proptest::prelude::*;

fn cluster() -> Cluster {
    Catalog::embedded().cluster("r1z1").unwrap().clone()
}

fn goodput_of(params: u64, gpus: u64) -> f64 {
    let roomy = Cluster {
        max_gpus: 1 << 20,
        ..cluster()
    };
    let clock = WallClock::new(&Reliability::default(), params, &roomy, gpus);
    clock.course(1000.0).goodput
}

#[test]
fn without_failures_the_wall_clock_is_training_time() {
    let clock = WallClock::new(&Reliability::none(), 7_000_000_000, &cluster(), 64);
    assert!((clock.hours(123.0) - 123.0).abs() < 1e-12);
    assert_eq!(clock.checkpoint_interval_s, None);
}

/// Llama 3 405B trained on 16,384 GPUs, effectively over 90 % of the time, with restarts that
/// were automated to an extent that the default doesn't assume (arXiv 2407.21783).
#[test]
fn published_scales_come_out_plausible() {
    let llama = goodput_of(405_000_000_000, 16_384);
    assert!((0.8..0.95).contains(&llama), "{llama}");
    let mpt = goodput_of(6_649_286_656, 440);
    assert!((0.98..1.0).contains(&mpt), "{mpt}");
}

#[test]
fn a_hopeless_cluster_is_slow_but_finite() {
    let hopeless = Reliability {
        failures_per_1000_node_days: 1e9,
        ..Reliability::default()
    };
    let clock = WallClock::new(&hopeless, u64::MAX, &cluster(), 1 << 20);
    assert_eq!(clock.course(1e12).stall, Some(Stall::Failures), "{clock:?}");
    assert!(clock.hours(1e12).is_finite());
}

/// A rate is that of nodes of eight GPUs: as many GPUs in nodes of four fail as often.
#[test]
fn failures_are_counted_by_gpus_and_not_by_nodes() {
    let fails = |gpus_per_node| {
        let cluster = Cluster {
            gpus_per_node,
            ..cluster()
        };
        let clock = WallClock::new(&Reliability::default(), 7_000_000_000, &cluster, 64);
        clock.course(1000.0).failures.per_h
    };
    // 5.15 in 1000 days of a node, of which there are eight.
    assert!((fails(8) / (5.15 * 8.0 / 24_000.0) - 1.0).abs() < 1e-12);
    assert!((fails(4) / fails(8) - 1.0).abs() < 1e-12);
}

/// The checkpoints hold it up, not the few failures: what helps is told by the cause.
#[test]
fn a_run_that_only_writes_stalls_on_its_writes() {
    let writing = Reliability {
        checkpoint_interval_s: Some(1.0),
        write_bytes_per_s_node: 1e6,
        ..Reliability::default()
    };
    let course = WallClock::new(&writing, 7_000_000_000, &cluster(), 8).course(1000.0);
    assert_eq!(course.stall, Some(Stall::Writes), "{course:?}");
    let lost_h = course.hours() - 1000.0;
    assert!(course.writes_h() < lost_h && course.writes_h() > 0.5 * lost_h);
}

/// A cycle that failures never let end takes forever, however its share is rounded.
#[test]
fn what_is_never_saved_gives_no_time_back() {
    for hours in 1..2000_u32 {
        let reliability = Reliability {
            failures_per_1000_node_days: 1000.0,
            checkpoint_interval_s: Some(f64::from(hours) * SECONDS_PER_HOUR),
            write_bytes_per_s_node: 1e6,
            ..Reliability::default()
        };
        let course = WallClock::new(&reliability, 7_000_000_000, &cluster(), 80).course(1e5);
        assert!(course.failures.slowdown() >= 1.0, "{course:?}");
        assert!(course.writes_h() >= 0.0, "{course:?}");
    }
}

proptest! {
    #[test]
    fn the_wall_clock_is_ordered(
        params in 1..=u64::MAX, nodes in 1..1_000_000_u64, rate in 0.0..1e6, hours in 0.0..1e15,
        interval_s in prop::option::of(1.0..1e7),
    ) {
        let reliability = Reliability {
            failures_per_1000_node_days: rate,
            checkpoint_interval_s: interval_s,
            ..Reliability::default()
        };
        let worse = Reliability { failures_per_1000_node_days: rate * 1.5, ..reliability };
        let clock = WallClock::new(&reliability, params, &cluster(), nodes * 8);
        let course = clock.course(hours);
        prop_assert!(course.goodput > 0.0 && course.goodput <= 1.0);
        prop_assert!(clock.hours(hours) >= hours && clock.hours(hours).is_finite());
        prop_assert!(clock.hours(hours) <= clock.hours(hours * 1.1));
        let slower = WallClock::new(&worse, params, &cluster(), nodes * 8).course(hours);
        if slower.is_saved == course.is_saved {
            prop_assert!(slower.goodput <= course.goodput * (1.0 + 1e-12));
        }
    }

    /// However long the interval: what is never written can't be told apart.
    #[test]
    fn intervals_beyond_the_run_are_alike(
        nodes in 1..100_u64, rate in 0.0..100.0, hours in 0.1..1000.0_f64, beyond in 1.0..100.0,
    ) {
        let every = |interval_s| {
            let reliability = Reliability {
                failures_per_1000_node_days: rate,
                checkpoint_interval_s: Some(interval_s),
                ..Reliability::default()
            };
            WallClock::new(&reliability, 7_000_000_000, &cluster(), nodes * 8)
        };
        let run_s = hours * SECONDS_PER_HOUR;
        let never = Reliability {
            failures_per_1000_node_days: rate,
            checkpoint_bytes_per_param: 0.0,
            ..Reliability::default()
        };
        let never = WallClock::new(&never, 7_000_000_000, &cluster(), nodes * 8);
        let once = every(run_s * 1.001).hours(hours);
        for other in [every(run_s * 1.001 * beyond), never] {
            prop_assert!((other.hours(hours) / once - 1.0).abs() < 1e-12);
        }
    }
}
