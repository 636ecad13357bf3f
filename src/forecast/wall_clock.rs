//! From hours of pure training to hours on the wall clock.
//!
//! A run starts up, writes checkpoints, and loses time to failures: a wait for a node where no spare
//! is left, the restart, and the work since the last checkpoint. With `w` the time to write one and
//! `τ` the training time between two, `1 + w/τ` hours are productive for every hour of training, and
//! each takes as long as [`Failures::slowdown`] says. The interval is `τ = √(2·w·M) − w` unless it is
//! set, with `M` the job's mean time to failure (Young 1974; Daly 2006, first order): the best one as
//! long as `w` and the restart are short against `M`. It is the nearest whole number of optimizer steps,
//! and at least one: what is written to a launch file and what is planned are the same.
//!
//! A run that ends before its first checkpoint writes none, and a failure loses all of it: its cycle
//! is the run itself. So it is where no checkpoints are written at all.
//!
//! With `s` spares, a failure waits only when all of them are away for repair. Nodes away are a
//! queue without waiting room, so that Erlang's loss formula says how often that happens, and the
//! first of the `s + 1` nodes then away comes back after a `(s + 1)`th of the repair time on average.
//! That is the long run's share: a short run, which starts with all spares at hand, waits less often.
//! Waits that take more than about a tenth of the time come in clusters, which the distribution of the
//! finishing time doesn't know: its upper tail is then too short.
//!
//! Where failures come so fast, or writes take so long, that the run hardly gets anywhere, the share of
//! the wall clock that trains stops at [`Reliability::WORST_GOODPUT`], so that times stay finite and
//! ordered.
//!
//! # Against published runs
//!
//! What the model says of runs whose length is known, at the default failure rate and at the rate
//! each of them published, and what happened:
//!
//! | run | failures | goodput | what happened |
//! |---|---|---|---|
//! | MPT-7B, 55 nodes, 9.5 days | 2.7; 4.0 at its own 7.7 | 99 % | 4 failures, about 9.5 days |
//! | BLOOM, 48 nodes, a week | 1.7; 1.0 at 3.0 | 98 % | 3.0 is what it had; 4 spare nodes kept (model card, compute infrastructure) |
//! | OPT-175B, 128 nodes, two months | 40; 120 at 15.6 | 98 to 95 % | over 100 hosts cycled, at least 35 restarts by hand (arXiv 2205.01068, section 2.5) |
//! | Llama 3 405B, 2048 nodes, 54 days | 570; 420 at 3.8 | 87 to 90 % | 419 unexpected stops, over 90 % |
//!
//! MPT-7B's whole time, from this program's own throughput (1T tokens, sequences of 2048, four of them
//! on each of 440 A100-40GB, blocks recomputed): 9.5 days (8.8 to 12.7) on the measured stack, 8.3 (5.9
//! to 13.0) on a later one that gathers in bf16. Which it ran on, and at which batch, isn't published;
//! its 9.5 days lie in both intervals, and a test holds that.
//!
//! Failures do not explain why MPT-7B took about a quarter longer than its tokens over its best
//! throughput: four of them, the checkpoints and the start-up cost 1 % of its wall clock. The rest is
//! what is not in this model: evaluation, days of lower throughput (the interval has its share of
//! those, the expected value none), and people noticing and restarting. OPT-175B's calendar held
//! restarts of another kind too, for divergence and changed hyper-parameters. Llama 3's restarts were
//! automated further than the default of 15 minutes. And a rate is not a promise: RSC-1's jobs of 1024
//! GPUs failed 3.7 times as often as its rate over all jobs implies.
//!
//! Not covered at all: data that arrives late, and spot interruptions.

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

use super::Reliability;
use super::failures::Failures;
use super::interval::optimal_interval_s;
use super::reliability::share_without_spare;
use crate::hardware::Cluster;
use crate::quantity::SECONDS_PER_HOUR;

/// GPUs in the node that published failure rates are counted in.
const GPUS_PER_RATED_NODE: f64 = 8.0;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// The wall clock of one model on so many GPUs of one cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WallClock {
    /// Hours before the first step.
    pub start_up_h: f64,
    /// Seconds of training between two checkpoints; `None` when none are ever written.
    pub checkpoint_interval_s: Option<f64>,
    /// Seconds to write one.
    pub write_s: f64,
    /// Nodes booked beside those that train.
    pub spares: u64,
    /// Failures, of a run that is long against the checkpoint interval.
    failures: Failures,
}

/// How the hours of one run go, once it has started up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// Hours of pure training.
    pub train_h: f64,
    /// Hours of training and checkpoint writes for every hour of training; at least 1.
    pub writing: f64,
    /// Failures and what they cost.
    pub failures: Failures,
    /// Share of the time that trains, above 0 and at most 1.
    pub goodput: f64,
    /// Whether any checkpoint is written before the end.
    pub is_saved: bool,
    /// Why the run hardly gets anywhere, where it does: its time is then no forecast.
    pub stall: Option<Stall>,
}

/// What leaves a run less than [`Reliability::WORST_GOODPUT`] of the time to train: the larger of
/// the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stall {
    /// Checkpoints, which take longer to write than it trains between them.
    Writes,
    /// Failures, which come before a checkpoint is written.
    Failures,
}

impl Stall {
    /// What it does, as a clause.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Writes => {
                "checkpoints take so long to write that less than a thousandth of the time trains"
            }
            Self::Failures => {
                "failures come so fast that less than a thousandth of the time trains"
            }
        }
    }
}

impl WallClock {
    /// The wall clock of a model of `params` parameters on `gpus` GPUs of `cluster`.
    #[must_use]
    pub fn new(reliability: &Reliability, params: u64, cluster: &Cluster, gpus: u64) -> Self {
        let count = cluster.nodes(gpus).max(1);
        let nodes = count as f64;
        let rated_nodes = nodes * cluster.gpus_per_node.max(1) as f64 / GPUS_PER_RATED_NODE;
        let failures_per_s =
            reliability.failures_per_1000_node_days * rated_nodes / (1000.0 * SECONDS_PER_DAY);
        let write_s = params as f64 * reliability.checkpoint_bytes_per_param
            / (nodes * reliability.write_bytes_per_s_node);
        let interval_s = reliability
            .checkpoint_interval_s
            .or_else(|| optimal_interval_s(write_s, failures_per_s));
        let spares = reliability.spares(cluster, count);
        Self {
            start_up_h: reliability.start_up_s / SECONDS_PER_HOUR,
            checkpoint_interval_s: interval_s,
            write_s,
            spares,
            failures: Failures {
                per_h: failures_per_s * SECONDS_PER_HOUR,
                restart_h: reliability.restart_s / SECONDS_PER_HOUR,
                cycle_h: interval_s.map_or(f64::INFINITY, |interval_s| {
                    (interval_s + write_s) / SECONDS_PER_HOUR
                }),
                wait_share: share_without_spare(spares, failures_per_s * reliability.replacement_s),
                wait_h: reliability.replacement_s / (spares as f64 + 1.0) / SECONDS_PER_HOUR,
            },
        }
    }

    /// The same where an optimizer step takes so long: a checkpoint is written after a step, never
    /// within one, and after as many as come nearest to the interval.
    #[must_use]
    pub fn in_steps_of(self, step_s: f64) -> Self {
        let whole = |asked_s: f64| (asked_s / step_s).round().max(1.0) * step_s;
        let interval_s = self.checkpoint_interval_s.map(whole);
        self.saved_every(interval_s, interval_s)
    }

    /// The same where steps take so many times as long, and as many lie between two checkpoints.
    pub(crate) fn stretched(self, factor: f64) -> Self {
        let interval_s = self.checkpoint_interval_s.map(|asked_s| asked_s * factor);
        self.saved_every(interval_s, interval_s)
    }

    /// A clock that no run takes less time by whose steps take so long, nor one whose steps take
    /// longer for as many tokens.
    pub(crate) fn in_steps_between(self, shortest_s: f64, longest_s: f64) -> Self {
        let asked_s = self.checkpoint_interval_s;
        // Rounded to whole steps, it is at most half a step longer or shorter. Longer steps that make
        // it shorter, down to two thirds, cost more time than failures then lose less of, unless those
        // come within it as a rule.
        let rare = |asked_s: f64| self.failures.per_h * asked_s <= SECONDS_PER_HOUR;
        self.saved_every(
            asked_s.map(|asked_s| (asked_s + longest_s / 2.0).max(longest_s)),
            asked_s.map(|asked_s| {
                let least = 2.0 / 3.0 * asked_s;
                let rounded = if rare(asked_s) {
                    (asked_s - longest_s / 2.0).max(least)
                } else {
                    least
                };
                rounded.max(shortest_s)
            }),
        )
    }

    /// The same where checkpoints are written as rarely as after `writes_s` seconds of training, and
    /// failures lose no more than the work of `lost_s`.
    fn saved_every(mut self, writes_s: Option<f64>, lost_s: Option<f64>) -> Self {
        self.checkpoint_interval_s = writes_s;
        if let Some(lost_s) = lost_s {
            self.failures.cycle_h = (lost_s + self.write_s) / SECONDS_PER_HOUR;
        }
        self
    }

    /// How a run of `train_h` hours of pure training goes.
    #[must_use]
    pub fn course(&self, train_h: f64) -> Course {
        let interval_h = self.checkpoint_interval_s.map(|s| s / SECONDS_PER_HOUR);
        let interval_h = interval_h.filter(|interval_h| *interval_h < train_h);
        let (writing, cycle_h) = match interval_h {
            Some(interval_h) => (
                1.0 + self.write_s / SECONDS_PER_HOUR / interval_h,
                self.failures.cycle_h,
            ),
            None => (1.0, self.failures.cycle_h.min(train_h)),
        };
        let failures = Failures {
            cycle_h,
            ..self.failures
        };
        let share = (writing * failures.slowdown()).recip();
        // A share that is no number counts as stalled too.
        let stalls = share.is_nan() || share < Reliability::WORST_GOODPUT;
        let course = Course {
            train_h,
            writing,
            failures,
            goodput: if stalls {
                Reliability::WORST_GOODPUT
            } else {
                share
            },
            is_saved: interval_h.is_some(),
            stall: None,
        };
        let cause = if course.writes_share() < 0.5 {
            Stall::Failures
        } else {
            Stall::Writes
        };
        Course {
            stall: stalls.then_some(cause),
            ..course
        }
    }

    /// Hours on the wall clock of `train_h` hours of pure training; never fewer of more.
    #[must_use]
    pub fn hours(&self, train_h: f64) -> f64 {
        self.start_up_h + self.course(train_h).hours()
    }
}

impl Course {
    /// Hours on the wall clock, from the first step to the last.
    #[must_use]
    pub fn hours(&self) -> f64 {
        self.train_h / self.goodput
    }

    /// Hours of them that checkpoints are written. The hours of a run that stalls are fewer than it
    /// would take: writes and failures share them as they would share those.
    #[must_use]
    pub fn writes_h(&self) -> f64 {
        match self.stall {
            None => self.train_h * (self.writing - 1.0),
            Some(_) => (self.hours() - self.train_h) * self.writes_share(),
        }
    }

    /// The share of writes in what is no training; the rest goes to failures.
    fn writes_share(&self) -> f64 {
        let writes = self.writing - 1.0;
        let failures = self.writing * (self.failures.slowdown() - 1.0);
        // Failures that let no cycle be finished are all there is.
        if failures.is_finite() {
            writes / (writes + failures)
        } else {
            0.0
        }
    }

    /// Failures to be expected.
    #[must_use]
    pub fn expected_failures(&self) -> f64 {
        let lost = self.failures.per_h * self.failures.lost_h();
        if lost < 1.0 {
            self.failures.per_h * self.train_h * self.writing / (1.0 - lost)
        } else {
            self.failures.per_h * self.hours()
        }
    }
}
