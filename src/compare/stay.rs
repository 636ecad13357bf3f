//! How long the nodes of a run stay.

use super::finish::FinishError;
use super::{Launched, PlannedBooking};
use crate::calendar::{Moment, Span};
use crate::product::{Billing, Product};

/// How long nodes stay that go whether the run is done or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    /// Hours from the start of the run.
    pub(super) usable_h: f64,
    /// When they go; `None` where no start is known.
    pub(super) until: Option<Moment>,
    /// When the last checkpoint has to begin that is whole by then.
    pub(super) last_checkpoint: Option<Moment>,
}

impl Stay {
    /// That of the nodes of a booking: up to its end or, of those billed as used, as long from the start of
    /// the run as the product sells at most. `None` where they stay until they are given back.
    ///
    /// # Errors
    /// For a start at which the booking isn't there.
    pub(super) fn of(
        launched: &Launched<'_>,
        booking: &PlannedBooking,
        start: Option<Moment>,
    ) -> Result<Option<Self>, FinishError> {
        if booking.billing != Billing::Used {
            check_start(booking, start)?;
            return Ok(Some(Self {
                usable_h: usable_h(booking, start),
                until: booking.usable_until,
                last_checkpoint: booking.last_checkpoint,
            }));
        }
        let sold = || launched.product.and_then(Product::longest_usable);
        let longest_h = booking.longest_usable_h.or_else(|| sold().map(Span::hours));
        Ok(longest_h.map(|usable_h| {
            // They are there from when the run starts, not from when it was planned to.
            let moved = |moment: Moment| moment.plus_seconds(start?.seconds_after(booking.start?));
            Self {
                usable_h,
                until: start.and_then(|start| start.plus(Span::of_hours(usable_h))),
                last_checkpoint: booking.last_checkpoint.and_then(moved),
            }
        }))
    }
}

/// Refuses a start at which the booking isn't there yet, or no more.
fn check_start(booking: &PlannedBooking, start: Option<Moment>) -> Result<(), FinishError> {
    let (Some(start), Some(from), Some(until)) = (start, booking.start, booking.usable_until)
    else {
        return Ok(());
    };
    if (from..until).contains(&start) {
        Ok(())
    } else {
        Err(FinishError::BesideBooking { start, from, until })
    }
}

/// Hours from the start of the run until its nodes go.
fn usable_h(booking: &PlannedBooking, start: Option<Moment>) -> f64 {
    match (start, booking.usable_until) {
        (Some(start), Some(until)) => until.hours_after(start),
        _ => booking.usable_h,
    }
}
