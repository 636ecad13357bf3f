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

    /// What is asked for more often than steps end is written after every step, and what a range of
    /// steps is held to is no more than any of them takes.
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
        let least = clock.in_steps_between(20.0, 900.0);
        for step_s in [20.0, 60.0, 200.0, 900.0] {
            for train_h in [0.01, 0.1, 1.0, 100.0] {
                assert!(least.hours(train_h) <= clock.in_steps_of(step_s).hours(train_h));
            }
        }
        assert!(slow.course(100.0).writes_h() < 0.4 * clock.course(100.0).writes_h());
    }
}
