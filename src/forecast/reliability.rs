//! What goes wrong on a cluster and what it costs: the settings, each with its default, its range
//! and where the default comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hardware::Cluster;

/// A setting as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilitySetting {
    /// Its key in the job file's table `[reliability]`.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// The least accepted, in that unit.
    pub least: f64,
    /// The most accepted.
    pub most: f64,
    /// Its default, as the job file writes it.
    pub default: &'static str,
    /// What published runs had of it, as the job file would write it.
    pub published: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Where the default comes from.
    pub source: &'static str,
}

impl ReliabilitySetting {
    /// How often nodes fail.
    pub const FAILURES: Self = Self {
        name: "failures_per_1000_node_days",
        unit: "failures",
        least: 0.0,
        most: 1000.0,
        default: "5.15",
        published: "2.3 to 15.6",
        meaning: "failures that stop the job, in 1000 days of one node of eight GPUs",
        source: "the median of six published: RSC-2 2.3, BLOOM 3.0, Llama 3 3.8, RSC-1 6.5, MPT-7B 7.7, OPT-175B 15.6; RSC-1's time to failure at 1024 GPUs was 3.7 times shorter than its rate implies (arXiv 2410.21680)",
    };

    /// What a failure takes.
    pub const RESTART: Self = Self {
        name: "restart",
        unit: "s",
        least: 0.0,
        most: 7.0 * 86_400.0,
        default: "15m",
        published: "under 19m",
        meaning: "from a failure until training goes on, lost work not included",
        source: "Llama 3 trained for over 90 % of 54 days with 419 unexpected stops: each cost less than 19 minutes, the work lost in it too; MegaScale finds a failure and its cause within 10 minutes and has caught up within 15 (arXiv 2402.15627)",
    };

    /// What goes by before the first step.
    pub const START_UP: Self = Self {
        name: "start_up",
        unit: "s",
        least: 0.0,
        most: 7.0 * 86_400.0,
        default: "5m",
        published: "5s to 17m",
        meaning: "from the start of the booking to the first step",
        source: "setting up the process groups of 2048 GPUs took 17 minutes, and once mended under 5 seconds (MegaScale, arXiv 2402.15627, section 3.5); in between, for containers, data loader and the first slow steps",
    };

    /// How large a checkpoint is.
    pub const CHECKPOINT_BYTES: Self = Self {
        name: "checkpoint_bytes_per_param",
        unit: "B",
        least: 0.0,
        most: 64.0,
        default: "14",
        published: "12 to 14",
        meaning: "size of a checkpoint; 0 for none",
        source: "fp32 weights and two Adam moments, 12 bytes, and 16-bit weights; BLOOM's 176B parameters made checkpoints of 2.3 TB, 13 bytes each",
    };

    /// How fast it is written.
    pub const WRITE: Self = Self {
        name: "write_gb_per_s_node",
        unit: "GB/s",
        least: 0.001,
        most: 1000.0,
        default: "1.2",
        published: "1.2",
        meaning: "checkpoint bytes one node writes; all nodes write at once, and training waits",
        source: "BLOOM wrote 2.3 TB from 48 nodes in 40 s",
    };

    /// How often.
    pub const CHECKPOINT_INTERVAL: Self = Self {
        name: "checkpoint_interval",
        unit: "s",
        least: 1.0,
        most: 90.0 * 86_400.0,
        default: "optimal",
        published: "3h (BLOOM)",
        meaning: "training time between two checkpoints, or \"optimal\"",
        source: "sqrt(2 w M) - w, with w the time to write one and M the mean time to failure (Young 1974; Daly 2006)",
    };

    /// How many nodes are kept for others that fail.
    pub const SPARES: Self = Self {
        name: "spares",
        unit: "nodes",
        least: 0.0,
        most: 4096.0,
        default: "5%",
        published: "8% to 9%",
        meaning: "nodes booked beside those that train: a number, or a share of them rounded down",
        source: "5 to 10 % is common advice; BLOOM kept 4 for 48 nodes, OPT-175B 12 for 128. The low end, and none below 20 nodes, where a spare costs more than 5 %",
    };

    /// How long a failed node is missed.
    pub const REPLACEMENT: Self = Self {
        name: "replacement",
        unit: "s",
        least: 0.0,
        most: 90.0 * 86_400.0,
        default: "4h",
        published: "15m to 11h",
        meaning: "until a failed node is replaced or repaired; a job without a spare left waits so long",
        source: "at least a restart, 15 minutes; at most 11 hours: MPT-7B's 9.5 days were about a quarter more than its throughput says, 46 hours, with 4 failures and whatever else held it up. In between, nearer the longer: a booking too short costs more than one too long",
    };
}

/// All settings, in the order they are shown.
pub const RELIABILITY_SETTINGS: [ReliabilitySetting; 8] = [
    ReliabilitySetting::FAILURES,
    ReliabilitySetting::RESTART,
    ReliabilitySetting::START_UP,
    ReliabilitySetting::CHECKPOINT_BYTES,
    ReliabilitySetting::WRITE,
    ReliabilitySetting::CHECKPOINT_INTERVAL,
    ReliabilitySetting::SPARES,
    ReliabilitySetting::REPLACEMENT,
];

/// What goes wrong on a cluster, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reliability {
    /// Failures that stop the job, per 1000 days of one node of eight GPUs.
    pub failures_per_1000_node_days: f64,
    /// Bytes of a checkpoint per parameter.
    pub checkpoint_bytes_per_param: f64,
    /// Checkpoint bytes one node writes per second; all nodes write at once.
    pub write_bytes_per_s_node: f64,
    /// Seconds of training between two checkpoints; `null` for the best interval.
    pub checkpoint_interval_s: Option<f64>,
    /// Seconds from a failure until training goes on, lost work not included.
    pub restart_s: f64,
    /// Seconds from the start of the booking to the first step.
    pub start_up_s: f64,
    /// Seconds until a failed node is replaced or repaired.
    pub replacement_s: f64,
    /// Spare nodes, as a share of those that train, rounded down, as far as the cluster has them.
    pub spare_share: f64,
    /// Spare nodes, where a number was asked for.
    pub spare_nodes: Option<u64>,
}

impl Default for Reliability {
    /// The defaults of [`RELIABILITY_SETTINGS`].
    fn default() -> Self {
        Self {
            failures_per_1000_node_days: 5.15,
            checkpoint_bytes_per_param: 14.0,
            write_bytes_per_s_node: 1.2e9,
            checkpoint_interval_s: None,
            restart_s: 900.0,
            start_up_s: 300.0,
            replacement_s: 14_400.0,
            spare_share: 0.05,
            spare_nodes: None,
        }
    }
}

impl Reliability {
    /// The least share of the wall clock that is taken to train.
    pub const WORST_GOODPUT: f64 = 1e-3;

    /// Nothing fails, nothing is written, nothing starts up, nothing is spare: the wall clock is
    /// pure training time.
    #[must_use]
    pub fn none() -> Self {
        Self {
            failures_per_1000_node_days: 0.0,
            checkpoint_bytes_per_param: 0.0,
            write_bytes_per_s_node: 1.0,
            checkpoint_interval_s: None,
            restart_s: 0.0,
            start_up_s: 0.0,
            replacement_s: 0.0,
            spare_share: 0.0,
            spare_nodes: None,
        }
    }

    /// Whether no figure is negative or beyond any cluster, as those of a file may be.
    pub(crate) fn is_possible(&self) -> bool {
        const MOST: f64 = 1e15;
        let figures = [
            self.failures_per_1000_node_days,
            self.checkpoint_bytes_per_param,
            self.restart_s,
            self.start_up_s,
            self.replacement_s,
            self.spare_share,
        ];
        figures.iter().all(|figure| (0.0..=MOST).contains(figure))
            && (1.0..=MOST).contains(&self.write_bytes_per_s_node)
            && self
                .checkpoint_interval_s
                .is_none_or(|interval_s| interval_s > 0.0 && interval_s <= MOST)
    }

    /// Spare nodes booked beside `nodes` of `cluster`.
    #[must_use]
    pub fn spares(&self, cluster: &Cluster, nodes: u64) -> u64 {
        let wanted = self.wanted_spares(nodes);
        if self.spare_nodes.is_some() {
            return wanted;
        }
        wanted.min(cluster.whole_nodes().saturating_sub(nodes))
    }

    /// Spare nodes wanted beside `nodes`, however many the cluster has left.
    #[must_use]
    pub fn wanted_spares(&self, nodes: u64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count is a count"
        )]
        let share = (self.spare_share * nodes as f64 + 1e-9).floor() as u64;
        self.spare_nodes.unwrap_or(share)
    }
}

/// A share of failures that no run sees.
const NEVER: f64 = 1e-20;

/// The share of failures that find no spare node left, when `spares` are kept and `out` nodes are
/// away for repair on average if none are missing: Erlang's loss formula, which holds whatever the
/// distribution of the repair times (Erlang 1917; Sevast'yanov 1957).
#[must_use]
pub fn share_without_spare(spares: u64, out: f64) -> f64 {
    // Beyond any number of spares that changes the answer.
    let most = spares.min(10_000);
    let mut blocked = 1.0;
    for n in 1..=most {
        blocked = out * blocked / (n as f64 + out * blocked);
        // More spares only make it less.
        if blocked < NEVER {
            break;
        }
    }
    blocked
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Erlang B from its definition, for a few values.
    #[test]
    fn the_loss_formula_is_erlangs() {
        for (spares, out) in [(0_u64, 0.5), (1, 0.5), (3, 2.0), (12, 2.0)] {
            let terms: Vec<f64> = (0..=spares)
                .scan(1.0, |term, n| {
                    let this = *term;
                    *term *= out / (n + 1) as f64;
                    Some(this)
                })
                .collect();
            let direct = terms.last().unwrap() / terms.iter().sum::<f64>();
            assert!((share_without_spare(spares, out) - direct).abs() < 1e-12);
        }
        let many = [50, 100, 10_000].map(|spares| share_without_spare(spares, 2.0));
        assert!(many.is_sorted_by(|fewer, more| fewer >= more) && many[2] < 1e-19);
    }

    #[test]
    fn every_setting_has_a_source_and_a_range() {
        for setting in RELIABILITY_SETTINGS {
            assert!(!setting.source.is_empty() && setting.least < setting.most);
        }
    }
}
