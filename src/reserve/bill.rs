//! What a booking is billed: in all, by what it is for, and for what the run leaves over.

use schemars::JsonSchema;
use serde::Serialize;

use super::booking::Desk;
use super::choice::Choice;
use crate::forecast::{CostItem, CostLine};
use crate::product::{Billing, Product};
use crate::quantity::Interval;

/// The expected cost by what it is for, dollars; the parts add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct CostParts {
    /// Nodes that train, for as long as the run is expected to take.
    pub run: f64,
    /// Nodes booked besides, for all of the hours billed.
    pub spares: f64,
    /// Nodes that train, for what the run leaves over; that of the spares is in `spares`.
    pub idle: f64,
}

impl Desk<'_> {
    pub(super) fn idle_usd(&self, booked: u64, idle_h: Interval) -> Option<Interval> {
        let price = self.offer.usd_per_hour(booked)?;
        Some(if self.offer.bills_all() {
            idle_h.scale(price)
        } else {
            Interval::ZERO
        })
    }

    pub(super) fn cost_parts(&self, choice: &Choice<'_>) -> Option<CostParts> {
        let (run, offer) = (choice.run, self.offer);
        let billed = choice.billed_h(offer);
        let busy = run.finish.expected_h().min(billed);
        Some(CostParts {
            run: offer.usd_per_hour(run.nodes())? * busy,
            spares: offer.usd_per_hour(choice.booked - run.nodes())? * billed,
            idle: offer.usd_per_hour(run.nodes())? * (billed - busy),
        })
    }

    pub(super) fn cost_lines(&self, choice: &Choice<'_>) -> Vec<CostLine> {
        let (run, offer) = (choice.run, self.offer);
        let gpus = |nodes: u64| nodes as f64 * offer.gpus_per_node as f64;
        let training_gpus = gpus(run.nodes());
        let billed = choice.billed_h(offer);
        let busy = run.finish.expected_h().min(billed);
        let whole_h = |item: CostItem| {
            let mut lines = run.candidate.cost_lines.iter();
            let line = lines.find(|line| line.item == item);
            line.map_or(0.0, |line| line.gpu_hours / training_gpus)
        };
        let start_up = whole_h(CostItem::StartUp);
        let rest = run.finish.expected_h() - start_up;
        let share = if rest > 0.0 {
            (busy - start_up).max(0.0) / rest
        } else {
            0.0
        };
        let part = |item: CostItem| whole_h(item) * share * training_gpus;
        let spares = gpus(choice.booked - run.nodes());
        let usd = offer.price.as_ref().map(|price| price.usd_per_gpu_hour);
        [
            (CostItem::Training, part(CostItem::Training)),
            (CostItem::StartUp, start_up.min(busy) * training_gpus),
            (CostItem::Checkpoints, part(CostItem::Checkpoints)),
            (CostItem::Failures, part(CostItem::Failures)),
            (CostItem::Spares, spares * billed),
            (CostItem::Idle, (billed - busy) * training_gpus),
        ]
        .into_iter()
        .map(|(item, gpu_hours)| CostLine {
            item,
            gpu_hours,
            usd: usd.map(|usd| usd * gpu_hours),
        })
        .collect()
    }
}

/// Hours that are billed of a booking whose run takes `run_h`.
pub(super) fn billed_h(product: &Product, booked_h: f64, run_h: f64) -> f64 {
    match product.billing {
        // They are paid for until the run is done, or as long as they can be had.
        Billing::Used => {
            let longest = product.longest_usable();
            longest.map_or(run_h, |longest| run_h.min(longest.hours()))
        }
        Billing::Upfront | Billing::Booked => booked_h,
    }
}

/// The same of an interval.
pub(super) fn billed(product: &Product, booked_h: f64, run_h: Interval) -> Interval {
    let billed = |hours: f64| billed_h(product, booked_h, hours);
    Interval {
        low: billed(run_h.low),
        expected: billed(run_h.expected),
        high: billed(run_h.high),
    }
}

/// Hours of a booking that a run leaves over: the ends change places.
pub(super) fn left_over(booked_h: f64, run_h: Interval) -> Interval {
    let left = |hours: f64| (booked_h - hours).max(0.0);
    Interval {
        low: left(run_h.high),
        expected: left(run_h.expected),
        high: left(run_h.low),
    }
}
