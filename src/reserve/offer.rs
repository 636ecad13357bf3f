//! A product on one cluster: what of it can be booked, at what price, and when.

use super::ask::Ask;
use super::refusal::Reason;
use crate::calendar::{Moment, Span};
use crate::forecast::{Commitment, Pricing};
use crate::hardware::{Cluster, Price};
use crate::product::{Billing, Product};
use crate::quantity::counted;

/// A product on one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Position of the cluster in the request.
    pub cluster: usize,
    /// The product.
    pub product: Product,
    /// Which prices it is sold at.
    pub pricing: Pricing,
    /// What a GPU-hour costs so; `None` when no such price is known.
    pub price: Option<Price>,
    /// GPUs in a node.
    pub gpus_per_node: u64,
    /// The most nodes that can be booked.
    pub max_nodes: u64,
}

impl Offer {
    pub(super) fn new(
        position: usize,
        cluster: &Cluster,
        product: &Product,
        pricing: &Pricing,
    ) -> Self {
        let pricing = pricing.of_product(product, cluster);
        let nodes = cluster.whole_nodes();
        Self {
            cluster: position,
            product: product.clone(),
            price: pricing.price(cluster).cloned(),
            pricing,
            gpus_per_node: cluster.gpus_per_node.max(1),
            max_nodes: product.max_nodes.map_or(nodes, |most| most.min(nodes)),
        }
    }

    /// The kind of price that is wanted for it; `None` for any.
    pub(super) fn price_type(&self) -> Option<&String> {
        let own = self.product.price_type.as_ref();
        self.pricing.price_type.as_ref().or(own)
    }

    /// Dollars for an hour of so many nodes.
    pub(super) fn usd_per_hour(&self, nodes: u64) -> Option<f64> {
        let gpus = nodes as f64 * self.gpus_per_node as f64;
        self.price
            .as_ref()
            .map(|price| price.usd_per_gpu_hour * gpus)
    }

    /// Nodes to book for so many that train; `None` when that is more than can be had.
    pub(super) fn booked(&self, nodes: u64, spares: u64) -> Option<u64> {
        let wanted = nodes.saturating_add(spares);
        if wanted > self.max_nodes {
            return None;
        }
        let booked = self.product.booked_nodes(wanted, self.gpus_per_node);
        (booked <= self.max_nodes).then_some(booked)
    }

    /// Whether the whole booking is paid for, used or not.
    pub(super) fn bills_all(&self) -> bool {
        self.product.billing != Billing::Used
    }

    /// What its price binds one to beyond the booking; `None` where that is nothing, or unknown.
    pub(super) fn commitment(&self) -> Option<Commitment> {
        self.pricing.commitment(self.price.as_ref()?)
    }

    /// Terms of what its price binds one to, one after another, that hold so many hours; `None` where
    /// it binds to nothing, or for how long is unknown.
    pub(super) fn terms(&self, hours: f64) -> Option<Terms> {
        let each_h = self.commitment()?.hours()?;
        Some(Terms {
            each_h,
            count: (hours / f64::from(each_h)).ceil().max(1.0),
        })
    }

    /// Whether and how a booking can be cancelled or changed: a commitment outlasts it.
    pub(super) fn cancel(&self) -> String {
        match self.commitment() {
            None => self.product.cancel.clone(),
            Some(Commitment { years: Some(years) }) => format!(
                "its price is for a commitment of {}, which is paid to its end, whatever is used",
                counted(years.into(), "year")
            ),
            Some(Commitment { years: None }) => {
                "its price is for a commitment, which is paid to its end, whatever is used"
                    .to_owned()
            }
        }
    }

    /// When it can be used and until when it has to be done.
    ///
    /// # Errors
    /// Why it can't be booked at all for what is asked.
    pub(super) fn window(&self, ask: &Ask) -> Result<Window, Reason> {
        let Some(asked) = ask.start else {
            if self.product.needs_dates() {
                return Err(Reason::NeedsStart);
            }
            return Ok(Window {
                start: None,
                limit: ask.within,
            });
        };
        let start = self.product.first_start(asked).ok_or(Reason::NeedsStart)?;
        if let (Some(as_of), Some(ahead)) = (ask.as_of, self.product.book_ahead) {
            let from = start.minus(ahead);
            // Days count, not hours: dates as text are in their order.
            if from.is_some_and(|from| from.day() > as_of.day()) {
                return Err(Reason::NotYet { start, ahead });
            }
        }
        // One that starts at the deadline or later has no time left: what it could do is still told.
        let limit = ask.deadline.map(|by| by.since(start).unwrap_or(Span::ZERO));
        Ok(Window {
            start: Some(start),
            limit,
        })
    }
}

/// Terms that a price binds one to, one after another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Terms {
    /// Hours of each.
    pub(super) each_h: u32,
    /// How many; whole.
    pub(super) count: f64,
}

impl Terms {
    /// Hours of all.
    pub(super) fn hours(self) -> f64 {
        f64::from(self.each_h) * self.count
    }
}

/// When a booking starts, and how long after it the run has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The start; `None` without dates.
    pub(super) start: Option<Moment>,
    /// How long after it the run has to be done; `None` without a deadline.
    pub(super) limit: Option<Span>,
}

impl Window {
    /// Whether a run that needs so long is done in time.
    pub(super) fn allows(&self, needed: Span) -> bool {
        self.limit.is_none_or(|limit| needed <= limit)
    }

    /// What of a usable time lies before the deadline.
    pub(super) fn within(&self, usable: Span) -> Span {
        self.limit.map_or(usable, |limit| limit.min(usable))
    }

    /// The moment that long after the start.
    pub(super) fn at(&self, span: Span) -> Option<Moment> {
        self.start?.plus(span)
    }
}
