//! What it takes to book what is missing when the nodes of a booking go.

use schemars::JsonSchema;
use serde::Serialize;

use super::PlannedBooking;
use crate::calendar::Span;
use crate::product::{Billing, Product};

/// Time to book besides a booking.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct More {
    /// Hours, as the product sells them.
    pub hours: f64,
    /// The probability with which they are enough, at least: the one asked for of the booking.
    pub probability: f64,
    /// Dollars that they cost at the price of the booking; `null` where none is known.
    pub usd: Option<f64>,
    /// Dollars by which both together are over the budget that was asked for; below 0 where they are
    /// within, `null` where there is none, and where the booking is billed as used: its bill is of the whole
    /// run in any case.
    pub over_budget_usd: Option<f64>,
}

impl More {
    fn new(booking: &PlannedBooking, hours: f64) -> Self {
        let usd = booking.usd_per_hour.map(|rate| rate * hours);
        // What is billed as used is billed with the hours that are missing already.
        let cost = booking
            .cost_usd
            .filter(|_| booking.billing != Billing::Used);
        let billed = cost.zip(usd);
        let both = billed.map(|(cost, more)| cost.expected + more);
        Self {
            hours,
            probability: booking.probability,
            usd,
            over_budget_usd: both.zip(booking.budget_usd).map(|(both, most)| both - most),
        }
    }
}

/// By how much the booking is made longer where it is `late_h` too short; `None` where its product
/// makes none longer, or sells none that long; nodes billed as used stay as long as they are sold anyway.
pub(super) fn extension(product: &Product, booking: &PlannedBooking, late_h: f64) -> Option<More> {
    if booking.billing == Billing::Used {
        return None;
    }
    let needed = Span::from_hours_up(booking.usable_h + late_h).filter(|_| product.extends)?;
    let hours = product.shortest_usable(needed)?.hours() - booking.booked_h;
    (hours > 0.0).then(|| More::new(booking, hours))
}

/// A booking of its own of which `needed_h` can be used; `None` where the product sells none that long.
pub(super) fn apart(product: &Product, booking: &PlannedBooking, needed_h: f64) -> Option<More> {
    let length = product.shortest_usable(Span::from_hours_up(needed_h)?)?;
    Some(More::new(booking, length.hours()))
}
