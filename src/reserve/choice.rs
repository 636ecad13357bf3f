//! Bookings that achieve what is asked, and the best of them.
//!
//! For one run under one product there is one booking to consider: the shortest length sold of
//! which the hours needed can be used. A longer one costs more and changes nothing about the run.
//! So choosing among all node counts of a cluster is choosing among as many bookings, exactly.

use std::cmp::Ordering;

use super::Goal;
use super::ask::Ask;
use super::bill::billed_h;
use super::fleet::Run;
use super::offer::{Offer, Terms, Window};
use super::refusal::Reason;
use crate::calendar::Span;
use crate::forecast::Stall;

/// A booking of one run: nodes and a length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) run: &'a Run,
    /// Nodes booked, spares included.
    pub(super) booked: u64,
    /// How long.
    pub(super) length: Span,
    /// Time the run needs at the probability asked for.
    pub(super) needed: Span,
}

/// What a booking is the best at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The fewest nodes; among all clusters, whose nodes differ, the fewest GPUs.
    Smallest,
    /// The least cost, or without a price the fewest node-hours; of several the earliest end.
    Cheapest,
    /// The earliest end of the run, of those whose price binds to no more than they last.
    Fastest,
    /// The nodes asked for.
    AsAsked,
}

impl Choice<'_> {
    /// Dollars that are expected to be billed; `None` without a price.
    pub(super) fn expected_usd(&self, offer: &Offer) -> Option<f64> {
        offer
            .usd_per_hour(self.booked)
            .map(|price| price * self.billed_h(offer))
    }

    /// Hours expected to be billed.
    pub(super) fn billed_h(&self, offer: &Offer) -> f64 {
        let (booked_h, run_h) = (self.length.hours(), self.run.finish.expected_h());
        billed_h(&offer.product, booked_h, run_h)
    }

    /// Hours billed that suffice with the probability asked for, and never fewer than are expected to
    /// be billed: of a run that seldom fails and is then held up for long, the mean can lie beyond what
    /// suffices mostly.
    fn committed_h(&self, offer: &Offer) -> f64 {
        if offer.bills_all() {
            self.length.hours()
        } else {
            self.run.needed_h.max(self.billed_h(offer))
        }
    }

    /// Dollars of these hours; `None` without a price.
    pub(super) fn committed_usd(&self, offer: &Offer) -> Option<f64> {
        let hours = self.committed_h(offer);
        offer.usd_per_hour(self.booked).map(|price| price * hours)
    }

    /// Terms of what its price binds one to that hold these hours; `None` where it binds to nothing, or
    /// for how long is unknown.
    pub(super) fn terms(&self, offer: &Offer) -> Option<Terms> {
        offer.terms(self.committed_h(offer))
    }

    /// Dollars of these terms; `None` where there are none, or no price is known.
    pub(super) fn commitment_usd(&self, offer: &Offer) -> Option<f64> {
        let terms = self.terms(offer)?;
        Some(offer.usd_per_hour(self.booked)? * terms.hours())
    }

    /// Node-hours billed.
    pub(super) fn node_hours(&self, offer: &Offer) -> f64 {
        self.booked as f64 * self.billed_h(offer)
    }
}

/// The bookings of every run that achieve what is asked, by GPUs ascending.
pub(super) fn choices<'a>(
    offer: &Offer,
    window: &Window,
    goal: Goal,
    runs: &'a [Run],
) -> Vec<Choice<'a>> {
    runs.iter()
        .filter(|run| match goal {
            Goal::Nodes { nodes } => run.nodes() == nodes,
            Goal::Deadline { .. } | Goal::Budget { .. } => true,
        })
        .filter_map(|run| choice(offer, run))
        .filter(|choice| window.allows(choice.needed))
        .filter(|choice| match goal {
            Goal::Budget { usd } => choice.committed_usd(offer).is_some_and(|cost| cost <= usd),
            Goal::Deadline { .. } | Goal::Nodes { .. } => true,
        })
        .collect()
}

/// The booking of one run, whatever the deadline or the budget; `None` when the product sells no
/// such thing, or how long the run takes is no forecast.
pub(super) fn choice<'a>(offer: &Offer, run: &'a Run) -> Option<Choice<'a>> {
    let needed = run.needed.filter(|_| !run.finish.stalls())?;
    Some(Choice {
        run,
        booked: offer.booked(run.nodes(), run.spares())?,
        length: offer.product.shortest_usable(needed)?,
        needed,
    })
}

/// The bookings to show, each with what it is the best at; empty when there is none.
pub(super) fn best<'a>(
    offer: &Offer,
    goal: Goal,
    choices: &[Choice<'a>],
) -> Vec<(Vec<Role>, Choice<'a>)> {
    let first = |order: &dyn Fn(&Choice<'_>, &Choice<'_>) -> Ordering| {
        choices.iter().min_by(|a, b| order(a, b)).copied()
    };
    let smallest =
        || first(&|a, b| (a.booked, a.length, a.needed).cmp(&(b.booked, b.length, b.needed)));
    let cheapest = || {
        first(&|a, b| {
            by_cost(offer, a, b).then_with(|| (a.needed, a.booked).cmp(&(b.needed, b.booked)))
        })
    };
    let fastest = || {
        first(&|a, b| {
            a.needed
                .cmp(&b.needed)
                .then_with(|| by_cost(offer, a, b))
                .then_with(|| a.booked.cmp(&b.booked))
        })
    };
    let same = |a: &Choice<'_>, b: &Choice<'_>| {
        a.run.candidate.gpus == b.run.candidate.gpus && a.length == b.length
    };
    match goal {
        Goal::Deadline { .. } => match (smallest(), cheapest()) {
            (Some(small), Some(cheap)) if same(&small, &cheap) => {
                vec![(vec![Role::Smallest, Role::Cheapest], small)]
            }
            (small, cheap) => [(Role::Smallest, small), (Role::Cheapest, cheap)]
                .into_iter()
                .filter_map(|(role, choice)| Some((vec![role], choice?)))
                .collect(),
        },
        Goal::Budget { .. } => labelled(Role::Fastest, fastest()),
        Goal::Nodes { .. } => labelled(Role::AsAsked, fastest()),
    }
}

fn labelled(role: Role, choice: Option<Choice<'_>>) -> Vec<(Vec<Role>, Choice<'_>)> {
    choice
        .map(|choice| (vec![role], choice))
        .into_iter()
        .collect()
}

/// By expected cost; without a price by node-hours billed, which is the same order at any price.
fn by_cost(offer: &Offer, a: &Choice<'_>, b: &Choice<'_>) -> Ordering {
    a.node_hours(offer).total_cmp(&b.node_hours(offer))
}

/// Why no run of the cluster has a booking that achieves what is asked.
pub(super) fn why_none(offer: &Offer, window: &Window, ask: &Ask, runs: &[Run]) -> Reason {
    let counted: Vec<&Run> = runs
        .iter()
        .filter(|run| match ask.goal {
            Goal::Nodes { nodes } => run.nodes() == nodes,
            Goal::Deadline { .. } | Goal::Budget { .. } => true,
        })
        .collect();
    if let Goal::Nodes { nodes } = ask.goal
        && counted.is_empty()
    {
        return Reason::NoSuchCount {
            nodes,
            near: nearest(runs, nodes),
            why: String::new(),
            help: Vec::new(),
        };
    }
    let sold: Vec<&Run> = counted
        .iter()
        .copied()
        .filter(|run| offer.booked(run.nodes(), run.spares()).is_some())
        .collect();
    let Some(fastest) = fastest(&sold) else {
        let smallest = counted.iter().min_by_key(|run| run.nodes() + run.spares());
        let (nodes, spares) = smallest.map_or((0, 0), |run| (run.nodes(), run.spares()));
        let without_spares = offer.booked(nodes, 0).is_some();
        return Reason::too_many_nodes(offer, ask.goal, (nodes, spares), without_spares);
    };
    if sold.iter().all(|run| run.finish.stalls()) {
        return Reason::Stalls {
            cause: fastest.candidate.stall.unwrap_or(Stall::Failures),
            saved: fastest.candidate.checkpoint_interval_s.is_some(),
            savable: fastest.write.is_some(),
        };
    }
    let bookable: Vec<Choice<'_>> = sold.iter().filter_map(|run| choice(offer, run)).collect();
    let in_time = || {
        bookable
            .iter()
            .filter(|choice| window.allows(choice.needed))
    };
    if bookable.is_empty() {
        return Reason::TooShort {
            needed_h: fastest.needed_h,
            longest: offer.product.longest(),
        };
    }
    if let (Some(start), Some(Span::ZERO)) = (window.start, window.limit) {
        return Reason::StartsTooLate { start };
    }
    match window.limit {
        Some(limit) if in_time().next().is_none() => Reason::TooLate {
            needed_h: bookable
                .iter()
                .map(|choice| choice.run.needed_h)
                .fold(f64::INFINITY, f64::min),
            limit,
        },
        _ => Reason::TooDear {
            usd: in_time()
                .filter_map(|choice| choice.committed_usd(offer))
                .fold(f64::INFINITY, f64::min),
            probability: (!offer.bills_all()).then_some(ask.probability),
        },
    }
}

fn fastest<'a>(runs: &[&'a Run]) -> Option<&'a Run> {
    runs.iter()
        .copied()
        .min_by(|a, b| a.needed_h.total_cmp(&b.needed_h))
}

/// The node counts next to one that no configuration uses.
fn nearest(runs: &[Run], nodes: u64) -> Vec<u64> {
    let below = runs
        .iter()
        .map(Run::nodes)
        .filter(|count| *count < nodes)
        .max();
    let above = runs
        .iter()
        .map(Run::nodes)
        .filter(|count| *count > nodes)
        .min();
    below.into_iter().chain(above).collect()
}
