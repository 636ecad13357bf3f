//! What nodes and waits cost, and by how much jobs break what is priced.

use super::slots::{At, Offer, Slot, Start};

/// What of a direction is kept in the next.
const MOMENTUM: f64 = 0.7;

/// What a node-step costs in each slot of each site, and a node all the time before it; and what a step
/// costs by which a job ends later than one that waits for it starts.
#[derive(Debug, Clone)]
pub(super) struct Prices {
    pub(super) per_step: Vec<Vec<f64>>,
    before: Vec<Vec<f64>>,
    pub(super) per_wait: Vec<f64>,
    /// What each job gains by every step that it starts later, and pays for every one that it ends later.
    slopes: Vec<(f64, f64)>,
}

impl Prices {
    pub(super) fn new(
        sites: &[Vec<Slot>],
        waits: &[Wait],
        jobs: usize,
        per_step: Vec<Vec<f64>>,
        per_wait: Vec<f64>,
    ) -> Self {
        let mut slopes = vec![(0.0, 0.0); jobs];
        for (wait, price) in waits.iter().zip(&per_wait) {
            slopes[wait.job].0 += price;
            slopes[wait.before].1 += price;
        }
        let before = sites.iter().zip(&per_step).map(|(slots, prices)| {
            let costs = slots.iter().zip(prices);
            let costs = costs.scan(0.0, |sum, (slot, price)| {
                let before = *sum;
                *sum += price * slot.steps();
                Some(before)
            });
            costs.collect()
        });
        let before = before.collect();
        Self {
            per_step,
            before,
            per_wait,
            slopes,
        }
    }

    /// What a node costs from the beginning of time to a moment.
    pub(super) fn until(&self, site: usize, (slot, steps): At) -> f64 {
        self.before[site][slot] + self.per_step[site][slot] * steps
    }

    /// What a job costs that starts then: its lateness, its nodes, and what others wait.
    pub(super) fn of(&self, job: usize, offer: &Offer, start: &Start) -> f64 {
        let node = self.until(offer.site, start.end) - self.until(offer.site, start.begin);
        start.late + offer.nodes * node + self.waits(job, start.at, start.at + offer.steps)
    }

    /// What a job costs by what others wait for it, less by what it waits for others.
    pub(super) fn waits(&self, job: usize, start: i64, end: i64) -> f64 {
        let (gained, paid) = self.slopes[job];
        paid * end as f64 - gained * start as f64
    }
}

/// A job that starts after another has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) job: usize,
    pub(super) before: usize,
}

/// By how much jobs break what is priced: node-steps in each slot beyond those that are free, and steps by
/// which jobs start before what they wait for has ended.
#[derive(Debug, Clone)]
pub(super) struct Excess {
    pub(super) nodes: Vec<Vec<f64>>,
    pub(super) waits: Vec<f64>,
}

impl Excess {
    /// None at all.
    pub(super) fn new(prices: &Prices) -> Self {
        let slots = prices.per_step.iter();
        Self {
            nodes: slots.map(|slots| vec![0.0; slots.len()]).collect(),
            waits: vec![0.0; prices.per_wait.len()],
        }
    }

    /// Turns a direction to an excess; the square of its length, in the measure that prices move by.
    pub(super) fn turn(&mut self, to: &Self, sites: &[Vec<Slot>], scale: f64) -> f64 {
        let mut norm = 0.0;
        for ((direction, excess), slots) in self.nodes.iter_mut().zip(&to.nodes).zip(sites) {
            for ((along, excess), slot) in direction.iter_mut().zip(excess).zip(slots) {
                *along = excess + MOMENTUM * *along;
                norm += *along * *along / slot.steps();
            }
        }
        for (along, excess) in self.waits.iter_mut().zip(&to.waits) {
            *along = excess + MOMENTUM * *along;
            norm += *along * *along * scale;
        }
        norm
    }
}
