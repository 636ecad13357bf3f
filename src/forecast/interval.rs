//! The training time between two checkpoints that loses the least.

/// `√(2·w·M) − w`; `None` when nothing is written or nothing fails.
///
/// Beyond `w = M/2`, where writing takes as long as working, the interval stays at `w`.
pub(super) fn optimal_interval_s(write_s: f64, failures_per_s: f64) -> Option<f64> {
    if write_s > 0.0 && failures_per_s > 0.0 {
        Some(((2.0 * write_s / failures_per_s).sqrt() - write_s).max(write_s))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::{Reliability, WallClock};
    use crate::preset::Catalog;
    use proptest::prelude::*;

    /// The analytic interval is the best one on a grid of its own goodput.
    #[test]
    fn the_interval_is_the_best_one() {
        let (write_s, failures_per_s, restart_s) = (40.0, 1e-5, 900.0);
        let best = optimal_interval_s(write_s, failures_per_s).unwrap();
        let at = |interval: f64| {
            let cycle = interval + write_s;
            (1.0 - failures_per_s * (restart_s + cycle / 2.0)) * interval / cycle
        };
        let grid = (1..20_000_u32).map(f64::from).map(at);
        let grid = grid.fold(f64::MIN, f64::max);
        assert!((at(best) - grid).abs() < 1e-6, "{best} {grid}");
    }

    /// Writes come off the interval, as a part of its cycle, until they take as long as it.
    #[test]
    fn the_interval_is_that_of_its_formula() {
        let of = |write_s, failures_per_s| optimal_interval_s(write_s, failures_per_s).unwrap();
        // √(2·200·10000) − 200.
        assert!((of(200.0, 1e-4) - 1800.0).abs() < 1e-9);
        // √(2·40·50) − 40 is 23.
        assert!((of(40.0, 0.02) - 40.0).abs() < 1e-9);
    }

    /// What is asked for more often than steps end is written after every step, anything else after the
    /// nearest whole number of them; and what a range of steps is held to is no more than any of them
    /// takes, nor any that is slower for as many tokens.
    #[test]
    fn a_checkpoint_is_written_after_a_step() {
        let minutely = Reliability {
            checkpoint_interval_s: Some(60.0),
            ..Reliability::default()
        };
        let cluster = Catalog::embedded().cluster("r1z1").unwrap().clone();
        let clock = WallClock::new(&minutely, 65_000_000_000, &cluster, 64);
        assert_eq!(clock.in_steps_of(20.0), clock);
        let slow = clock.in_steps_of(200.0);
        assert_eq!(slow.checkpoint_interval_s, Some(200.0));
        for (step_s, interval_s) in [(23.0, 69.0), (25.0, 50.0), (39.0, 78.0), (41.0, 41.0)] {
            let every = clock.in_steps_of(step_s).checkpoint_interval_s;
            assert_eq!(every, Some(interval_s), "steps of {step_s} s");
        }
        assert!(slow.course(100.0).writes_h() < 0.4 * clock.course(100.0).writes_h());
    }

    proptest! {
        #[test]
        fn what_a_range_of_steps_is_held_to_is_a_bound(
            asked_s in 10.0..1e6_f64, rate in 0.0..1e5_f64, log_write in 6.0..12.0_f64,
            (shortest, wider) in (-3.0..2.0_f64, 0.0..3.0_f64), within in 0.0..=1.0_f64,
            slower in prop_oneof![Just(1.0), 1.0..1.5_f64, 1.0..20.0_f64], train_h in 0.01..1e4_f64,
        ) {
            let reliability = Reliability {
                checkpoint_interval_s: Some(asked_s),
                failures_per_1000_node_days: rate,
                write_bytes_per_s_node: 10.0_f64.powf(log_write),
                ..Reliability::default()
            };
            let cluster = Catalog::embedded().cluster("r1z1").unwrap().clone();
            let clock = WallClock::new(&reliability, 65_000_000_000, &cluster, 64);
            let step_s = |log: f64| asked_s * 10.0_f64.powf(log);
            let least = clock.in_steps_between(step_s(shortest), step_s(shortest + wider));
            let least_h = least.hours(train_h);
            let one = clock.in_steps_of(step_s(shortest + within * wider) * slower);
            let one_h = one.hours(train_h * slower);
            prop_assert!(least_h <= one_h * (1.0 + 1e-12), "{} {}", least_h, one_h);
        }
    }
}
