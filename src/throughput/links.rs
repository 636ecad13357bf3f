//! How much the links between nodes carry, against what is stated of them.
//!
//! A cluster that no preset describes is taken to be linked as others of its GPU are, and one that is
//! described may be slower than its datasheet. As long as other links are slower, a collective tells
//! nothing of these, so that no small step finds them: a few rates are compared outright. Rates above
//! what is stated are among them: that of one network card is easily stated for a node's eight.

use super::workload::Workload;
use crate::configuration::Setting;
use crate::hardware::Cluster;

/// What the links between the nodes of some rows carry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Links {
    /// As a share of what is stated of them.
    share: f64,
    /// Standard deviation of its logarithm.
    sd: f64,
}

/// Rates that are compared, from the stated one downwards: each this part of the one before. They go
/// down to less than a hundredth: Ethernet of 40 Gbit/s where eight times 400 were assumed.
const STEP: f64 = 0.5;
const STEPS: u32 = 7;

/// Rates above the stated one that are compared: up to that of a node whose eight cards were taken for
/// one.
const STEPS_UP: u32 = 3;

/// How much likelier the rows have to be over faster links, as a logarithm, for these to be weighed: where
/// links are no bottleneck, all rates above the stated one explain the rows alike.
const TOLD: f64 = 1.0;

/// Odds beforehand that links carry more than what is stated, against less: an assumption.
const FASTER_ODDS: f64 = 0.25;

/// How much more than a cluster is stated to have its links may seem to carry, at rows that may be of
/// another: half a step between the rates compared.
const ABOVE: f64 = std::f64::consts::SQRT_2;

/// Odds beforehand that links carry what is stated, against all slower rates together: an assumption.
pub(crate) const STATED_ODDS: f64 = 4.0;

/// The same where it is supposed that the network is what differs: what is stated of it is as likely to
/// be wrong of its links as of its latency.
pub(crate) const DIFFERENT_ODDS: f64 = 1.0;

impl Links {
    /// As stated.
    pub(crate) const STATED: Self = Self {
        share: 1.0,
        sd: 0.0,
    };

    /// The links above the stated rate that are the most plausible, by the logarithm of how probable each
    /// rate makes what was measured. `None` where none of them makes it likelier than what is stated does.
    pub(crate) fn faster(log_evidence: impl Fn(Self) -> Option<f64>) -> Option<Self> {
        let stated = log_evidence(Self::STATED)?;
        let at = |steps: f64| log_evidence(Self::below(-steps)).unwrap_or(f64::NEG_INFINITY);
        let rates: Vec<(f64, f64)> = (1..=STEPS_UP)
            .map(f64::from)
            .map(|steps| (steps, at(steps)))
            .collect();
        // Of rates that are as plausible, the one nearest to what is stated.
        let most = rates.iter().map(|(_, log)| *log).reduce(f64::max)?;
        let nearest = |(_, log): &&(f64, f64)| *log > most - TOLD / 2.0;
        let (steps, log) = rates.iter().find(nearest)?;
        (*log > stated + TOLD).then(|| Self::below(-steps))
    }

    /// So many steps below what is stated.
    fn below(steps: f64) -> Self {
        Self {
            share: STEP.powf(steps),
            sd: 0.0,
        }
    }

    /// The links below the stated rate that are the most plausible, by the logarithm of how probable
    /// each rate makes what was measured; and the logarithm of how many rates are as plausible. `None`
    /// where none of them tells.
    pub(crate) fn slower(log_evidence: impl Fn(Self) -> Option<f64>) -> Option<(Self, f64)> {
        let at = |steps: f64| log_evidence(Self::below(steps)).unwrap_or(f64::NEG_INFINITY);
        let coarse: Vec<(f64, f64)> = (1..=STEPS)
            .map(f64::from)
            .map(|steps| (steps, at(steps)))
            .collect();
        let highest = |logs: &[(f64, f64)]| {
            let highest = logs.iter().max_by(|(_, a), (_, b)| a.total_cmp(b));
            highest.copied().filter(|(_, log)| log.is_finite())
        };
        let (middle, _) = highest(&coarse)?;
        let near = [-1.0, -0.5, 0.0, 0.5, 1.0].map(|offset| {
            let steps = middle + offset;
            let known = coarse.iter().find(|(known, _)| (known - steps).abs() < 0.1);
            (steps, known.map_or_else(|| at(steps), |(_, log)| *log))
        });
        let (peak, most) = highest(near.get(1..4)?)?;
        let around = |offset: f64| {
            let here = near
                .iter()
                .find(|(steps, _)| (steps - peak - offset).abs() < 0.1);
            here.map_or(f64::NEG_INFINITY, |(_, log)| *log)
        };
        let offset = 0.5 * vertex(around(-0.5), most, around(0.5));
        let weights = || {
            coarse
                .iter()
                .map(|(steps, log)| (*steps, (log - most).exp()))
        };
        let total: f64 = weights().map(|(_, weight)| weight).sum();
        let variance: f64 = weights()
            .map(|(steps, weight)| weight * (steps - peak - offset).powi(2))
            .sum();
        // Within half a step nothing is told apart by steps.
        let open = (variance / total.max(1.0)).sqrt() - 0.5;
        let links = Self {
            share: STEP.powf((peak + offset).max(0.0)),
            sd: open.max(0.0) * -STEP.ln(),
        };
        Some((links, total.max(1.0).ln()))
    }

    /// Logarithm of the probability beforehand of one of the rates compared, by the odds that links
    /// carry what is stated.
    pub(crate) fn log_odds(self, stated_odds: f64) -> f64 {
        let share = 1.0 / (1.0 + stated_odds);
        if self == Self::STATED {
            (1.0 - share).ln()
        } else if self.share > 1.0 {
            (share * FASTER_ODDS / f64::from(STEPS_UP)).ln()
        } else {
            (share / f64::from(STEPS)).ln()
        }
    }

    /// Standard deviation of the logarithm of what they carry; `None` where that is known.
    pub(crate) fn sd(self) -> Option<f64> {
        Some(self.sd).filter(|sd| *sd > 0.0)
    }

    /// The share of what is stated.
    pub(crate) fn share(self) -> f64 {
        self.share
    }

    /// Whether they carry so much more or less than what is stated that it is worth a word.
    pub(super) fn are_others(self) -> bool {
        self.share.ln().abs() > ABOVE.ln()
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
        work.inter_node_bytes_per_s *= self.share;
        work
    }

    /// The same links where something else is stated of them: measured at one cluster, they are believed
    /// of another, which may be the same described otherwise since. That they carry what was stated is
    /// believed of that same one alone, and only if rows ran over them (`shown`). `None` where they carry
    /// more than the other is stated to, and so can't be its.
    pub(super) fn restated(
        self,
        (measured, shown): (&Cluster, bool),
        other: &Cluster,
    ) -> Option<Self> {
        let (Some(before), Some(now)) = (
            measured.inter_node_bytes_per_s,
            other.inter_node_bytes_per_s,
        ) else {
            return Some(self);
        };
        let same = measured.name == other.name;
        let untold = self == Self::STATED && !(same && shown);
        if untold || before.to_bits() == now.to_bits() {
            return Some(self);
        }
        let share = self.share * before / now;
        if same {
            return Some(Self { share, ..self });
        }
        (share <= ABOVE).then(|| Self {
            share: share.min(1.0),
            ..self
        })
    }

    /// A cluster with such links.
    pub(crate) fn of(self, cluster: &Cluster) -> Cluster {
        let stated = cluster.inter_node_bytes_per_s;
        Cluster {
            inter_node_bytes_per_s: stated.map(|rate| rate * self.share),
            ..cluster.clone()
        }
    }
}

/// What the links between the nodes of each cluster of some rows carry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinksOf {
    /// By the cluster's name; those that aren't here carry what is stated of them.
    each: Vec<(String, Links)>,
}

impl LinksOf {
    /// As stated everywhere.
    pub(crate) const STATED: Self = Self { each: Vec::new() };

    /// The same on all of some clusters.
    pub(crate) fn all<'a>(clusters: impl Iterator<Item = &'a str>, links: Links) -> Self {
        clusters.fold(Self::STATED, |known, cluster| known.with(cluster, links))
    }

    /// The same, but for one cluster.
    pub(crate) fn with(&self, cluster: &str, links: Links) -> Self {
        let others = self.each.iter().filter(|(name, _)| name != cluster);
        let mut each: Vec<(String, Links)> = others.cloned().collect();
        if links != Links::STATED {
            each.push((cluster.to_owned(), links));
        }
        Self { each }
    }

    /// The links of a cluster.
    pub(crate) fn of(&self, cluster: &str) -> Links {
        let found = self.each.iter().find(|(name, _)| name == cluster);
        found.map_or(Links::STATED, |(_, links)| *links)
    }

    /// Clusters whose links carry something else than is stated, and what share of it.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (&str, f64)> {
        let each = self.each.iter();
        each.map(|(name, links)| (name.as_str(), links.share()))
    }
}

/// Where a parabola through three points one apart, the middle one at 0, is highest; 0 where it is no
/// peak or not between them.
fn vertex(before: f64, here: f64, after: f64) -> f64 {
    let bend = before - 2.0 * here + after;
    let at = 0.5 * (before - after) / bend;
    if bend < 0.0 && at.abs() < 1.0 {
        at
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_between_rates_is_found() {
        for steps in [1.0, 1.3, 2.5, 4.75, 6.9] {
            // A parabola is met exactly, however sharp.
            let sharp = |links: Links| {
                let off = links.share.ln() / STEP.ln() - steps;
                Some(-50.0 * off.powi(2))
            };
            let (found, _) = Links::slower(sharp).unwrap();
            let apart = found.share / STEP.powf(steps) - 1.0;
            assert!(apart.abs() < 1e-9, "{steps}: {found:?}");
            assert_eq!(found.sd(), None);
        }
    }

    #[test]
    fn what_no_rate_tells_is_open() {
        let (found, alike) = Links::slower(|_| Some(-3.0)).unwrap();
        assert!((alike - f64::from(STEPS).ln()).abs() < 1e-12);
        assert!(found.sd().unwrap() > 0.5, "{found:?}");
        assert_eq!(Links::slower(|_| None), None);
    }
}
