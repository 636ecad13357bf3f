//! From hours of pure training to hours on the wall clock.
//!
//! A run starts up, writes checkpoints, and loses time to failures: the restart, and the work since
//! the last checkpoint, half a cycle on average. With `w` the time to write one, `τ` the training
//! time between two and `M` the job's mean time to failure, the share of the wall clock that trains
//! is, to first order (Kokolis et al., arXiv 2410.21680, who leave out the `w` in the numerator),
//!
//! ```text
//! goodput ≈ (1 − (restart + (τ + w)/2) / M) / (1 + w/τ)
//! ```
//!
//! and it is largest at `τ = √(2·w·M) − w` (Young 1974; Daly 2006, first order). The expansion
//! holds while `w` and the restart are short against `M`. Where they are not, a run hardly gets
//! anywhere; the share then stops at [`Reliability::WORST_GOODPUT`], so that times stay finite and
//! ordered.
//!
//! This covers node failures, not waiting for a replacement node, evaluation, or data that arrives
//! late.

use schemars::JsonSchema;
use serde::Serialize;

use super::failures::Failures;
use crate::hardware::Cluster;
use crate::quantity::Interval;

/// GPUs in the node that published failure rates are counted in.
const GPUS_PER_RATED_NODE: f64 = 8.0;
const SECONDS_PER_HOUR: f64 = 3600.0;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// What goes wrong on a cluster, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Reliability {
    /// Failures that stop the job, per 1000 days of one node of eight GPUs.
    pub failures_per_1000_node_days: f64,
    /// Bytes of a checkpoint per parameter.
    pub checkpoint_bytes_per_param: f64,
    /// Checkpoint bytes one node writes per second; all nodes write at once.
    pub write_bytes_per_s_node: f64,
    /// Seconds from a failure until training goes on, lost work not included.
    pub restart_s: f64,
    /// Seconds from the start of the booking to the first step.
    pub start_up_s: f64,
}

impl Default for Reliability {
    /// Defaults, and what they rest on:
    ///
    /// - failures, 5.15: the median of six published clusters: RSC-2 2.3, BLOOM 3.0, Llama 3 3.8,
    ///   RSC-1 6.5, MPT-7B 7.7, OPT-175B 15.6;
    /// - checkpoint, 14 bytes per parameter: fp32 master weights and two Adam moments, and the
    ///   16-bit weights; BLOOM's 176B parameters made checkpoints of 2.3 TB, 13 bytes each;
    /// - writing, 1.2 GB/s per node: BLOOM wrote those 2.3 TB from 48 nodes in 40 s;
    /// - start-up, 5 minutes, an assumption: containers, process groups, the data loader, the
    ///   first slow steps;
    /// - restart, 15 minutes, an assumption: 10 minutes until the collectives' watchdog gives up
    ///   (`PyTorch`'s default NCCL timeout), then a start-up.
    fn default() -> Self {
        Self {
            failures_per_1000_node_days: 5.15,
            checkpoint_bytes_per_param: 14.0,
            write_bytes_per_s_node: 1.2e9,
            restart_s: 900.0,
            start_up_s: 300.0,
        }
    }
}

impl Reliability {
    /// The least share of the wall clock that is taken to train.
    pub const WORST_GOODPUT: f64 = 1e-3;

    /// Nothing fails, nothing is written, nothing starts up: the wall clock is pure training time.
    #[must_use]
    pub fn none() -> Self {
        Self {
            failures_per_1000_node_days: 0.0,
            checkpoint_bytes_per_param: 0.0,
            write_bytes_per_s_node: 1.0,
            restart_s: 0.0,
            start_up_s: 0.0,
        }
    }
}

/// The wall clock of one model on so many GPUs of one cluster: affine in pure training time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WallClock {
    /// Hours before the first step.
    pub start_up_h: f64,
    /// Hours of training and checkpoint writes for every hour of training; at least 1.
    pub writing: f64,
    /// Failures and what they cost.
    pub failures: Failures,
    /// Share of the remaining time that trains, above 0 and at most 1.
    pub goodput: f64,
    /// Seconds of training between two checkpoints; `None` when none are written.
    pub checkpoint_interval_s: Option<f64>,
    /// Failures come so fast that the run hardly gets anywhere.
    pub stalls: bool,
}

impl WallClock {
    /// The wall clock of a model of `params` parameters on `gpus` GPUs of `cluster`.
    #[must_use]
    pub fn new(reliability: &Reliability, params: u64, cluster: &Cluster, gpus: u64) -> Self {
        let nodes = cluster.nodes(gpus).max(1) as f64;
        let rated_nodes = nodes * cluster.gpus_per_node.max(1) as f64 / GPUS_PER_RATED_NODE;
        let failures_per_s =
            reliability.failures_per_1000_node_days * rated_nodes / (1000.0 * SECONDS_PER_DAY);
        let write_s = params as f64 * reliability.checkpoint_bytes_per_param
            / (nodes * reliability.write_bytes_per_s_node);
        let interval_s = optimal_interval_s(write_s, failures_per_s);
        let (cycle_s, writing) = match interval_s {
            Some(interval_s) => (interval_s + write_s, 1.0 + write_s / interval_s),
            None => (0.0, 1.0),
        };
        let failures = Failures {
            per_h: failures_per_s * SECONDS_PER_HOUR,
            restart_h: reliability.restart_s / SECONDS_PER_HOUR,
            cycle_h: cycle_s / SECONDS_PER_HOUR,
        };
        let share = (1.0 - failures.load()) / writing;
        // A share that is no number counts as stalled too.
        let stalls = share.is_nan() || share < Reliability::WORST_GOODPUT;
        Self {
            start_up_h: reliability.start_up_s / SECONDS_PER_HOUR,
            writing,
            failures,
            goodput: if stalls {
                Reliability::WORST_GOODPUT
            } else {
                share
            },
            checkpoint_interval_s: interval_s,
            stalls,
        }
    }

    /// Hours on the wall clock of `train_h` hours of pure training.
    #[must_use]
    pub fn hours(&self, train_h: f64) -> f64 {
        self.start_up_h + train_h / self.goodput
    }

    /// [`WallClock::hours`] of an interval; its ends stay in order.
    #[must_use]
    pub fn interval(&self, train_h: Interval) -> Interval {
        Interval {
            low: self.hours(train_h.low),
            expected: self.hours(train_h.expected),
            high: self.hours(train_h.high),
        }
    }
}

/// `√(2·w·M) − w`; `None` when nothing is written or nothing fails.
///
/// Beyond `w = M/2`, where writing takes as long as working, the interval stays at `w`.
fn optimal_interval_s(write_s: f64, failures_per_s: f64) -> Option<f64> {
    if write_s > 0.0 && failures_per_s > 0.0 {
        Some(((2.0 * write_s / failures_per_s).sqrt() - write_s).max(write_s))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::Catalog;
    use proptest::prelude::*;

    fn cluster() -> Cluster {
        Catalog::embedded().cluster("r1z1").unwrap().clone()
    }

    fn goodput_of(params: u64, gpus: u64) -> f64 {
        WallClock::new(&Reliability::default(), params, &cluster(), gpus).goodput
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

    #[test]
    fn a_hopeless_cluster_is_slow_but_finite() {
        let hopeless = Reliability {
            failures_per_1000_node_days: 1e9,
            ..Reliability::default()
        };
        let clock = WallClock::new(&hopeless, u64::MAX, &cluster(), 1 << 20);
        assert!(clock.stalls);
        assert!(clock.hours(1e12).is_finite());
    }

    proptest! {
        #[test]
        fn the_wall_clock_is_ordered(
            params in 1..=u64::MAX, nodes in 1..1_000_000_u64, rate in 0.0..1e6, hours in 0.0..1e15,
        ) {
            let reliability = Reliability { failures_per_1000_node_days: rate, ..Reliability::default() };
            let worse = Reliability { failures_per_1000_node_days: rate * 1.5, ..reliability };
            let clock = WallClock::new(&reliability, params, &cluster(), nodes * 8);
            prop_assert!(clock.goodput > 0.0 && clock.goodput <= 1.0);
            prop_assert!(clock.hours(hours) >= hours && clock.hours(hours).is_finite());
            prop_assert!(clock.hours(hours) <= clock.hours(hours * 1.1));
            let slower = WallClock::new(&worse, params, &cluster(), nodes * 8);
            prop_assert!(slower.goodput <= clock.goodput * (1.0 + 1e-12));
        }
    }
}
