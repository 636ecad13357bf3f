//! How much the links between nodes carry, against what is stated of them.
//!
//! A cluster that no preset describes is taken to be linked as others of its GPU are, and one that is
//! described may be slower than its datasheet. As long as other links are slower, a collective tells
//! nothing of these, so that no small step finds them: a few rates are compared outright.

use super::workload::Workload;
use crate::configuration::Setting;
use crate::hardware::Cluster;

/// What the links between the nodes of some rows carry: a share of what is stated of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Links(f64);

/// Rates that are compared, from the stated one downwards: each this part of the one before.
const STEP: f64 = std::f64::consts::FRAC_1_SQRT_2;
const STEPS: i32 = 13;

/// Odds beforehand that links carry what is stated, against all slower rates together.
const STATED_ODDS: f64 = 4.0;

impl Links {
    /// As stated.
    pub(crate) const STATED: Self = Self(1.0);

    /// The rate below the stated one that is the most plausible, by the logarithm of how probable each
    /// makes what was measured; and the logarithm of how many rates are as plausible. `None` where none
    /// of them tells. They go down to a hundredth of what is stated: Ethernet of 40 Gbit/s where eight
    /// times 400 were assumed.
    pub(crate) fn slower(log_evidence: impl Fn(Self) -> Option<f64>) -> Option<(Self, f64)> {
        let rate = |step: i32| Self(STEP.powi(step));
        let logs: Vec<f64> = (0..=STEPS + 1)
            .map(|step| log_evidence(rate(step)).unwrap_or(f64::NEG_INFINITY))
            .collect();
        let inner = (1..=STEPS).zip(logs.windows(3));
        let (step, around) = inner.max_by(|(_, a), (_, b)| a[1].total_cmp(&b[1]))?;
        let most = around[1];
        let slower = logs.iter().skip(1).map(|log| (log - most).exp());
        let alike = slower.sum::<f64>().ln();
        most.is_finite()
            .then(|| (rate(step).between(around[0], most, around[2]), alike))
    }

    /// Logarithm of the odds of a rate beforehand.
    pub(crate) fn log_odds(self) -> f64 {
        let share = 1.0 / (1.0 + STATED_ODDS);
        if self == Self::STATED {
            (1.0 - share).ln()
        } else {
            (share / f64::from(STEPS)).ln()
        }
    }

    /// The rate between three neighbours at which a parabola through what speaks for each is highest;
    /// `self` where that is no peak.
    pub(crate) fn between(self, faster: f64, here: f64, slower: f64) -> Self {
        let bend = faster - 2.0 * here + slower;
        let offset = 0.5 * (faster - slower) / bend;
        if bend < 0.0 && offset.abs() < 1.0 {
            Self((self.0.ln() + offset * STEP.ln()).exp().min(1.0))
        } else {
            self
        }
    }

    /// The share of what is stated.
    pub(crate) fn share(self) -> f64 {
        self.0
    }

    /// What a step has to do over such links.
    pub(super) fn workload(
        self,
        setting: &Setting<'_>,
        gpus: u64,
        seq_len: u64,
        activation_checkpointing: bool,
    ) -> Workload {
        let mut work = Workload::new(setting, gpus, seq_len, activation_checkpointing);
        work.inter_node_bytes_per_s *= self.0;
        work
    }

    /// A cluster with such links.
    pub(crate) fn of(self, cluster: &Cluster) -> Cluster {
        let stated = cluster.inter_node_bytes_per_s;
        Cluster {
            inter_node_bytes_per_s: stated.map(|rate| rate * self.0),
            ..cluster.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_between_rates_is_found() {
        let middle = Links(0.5);
        assert_eq!(middle.between(-1.0, 0.0, -1.0), middle);
        // The peak of -(x - 0.25)², x in steps towards slower links.
        let at = |x: f64| -(x - 0.25_f64).powi(2);
        let found = middle.between(at(-1.0), at(0.0), at(1.0)).share();
        assert!((found - 0.5 * STEP.powf(0.25)).abs() < 1e-12, "{found}");
        // No peak, and nothing faster than stated.
        assert_eq!(middle.between(0.0, 1.0, 5.0), middle);
        assert!(Links::STATED.between(-0.1, 0.0, -1.0).share() <= 1.0);
    }
}
