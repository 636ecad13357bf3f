//! Which candidate a report recommends.

use crate::plan::Candidate;
use crate::reserve::{Booking, Reservation};

use super::Approval;

/// What is recommended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recommended<'a> {
    /// The configuration.
    pub(super) candidate: &'a Candidate,
    /// Why this one.
    pub(super) why: Why<'a>,
}

/// Why a candidate is recommended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why<'a> {
    /// It is the first of the ranking.
    First,
    /// It is the knee of the front of time against cost.
    Knee,
    /// It runs on the booking that achieves what was asked.
    Booked(&'a Booking),
}

impl<'a> Approval<'a> {
    /// The run on the booking to recommend, costed as the plan is: so it can be held against the
    /// candidates of the plan.
    pub(super) fn booked_run(&self) -> Option<Candidate> {
        let booking = self.reservation.and_then(Reservation::recommended)?;
        let run = booking.candidate.clone();
        let cluster = self.cluster(&run)?;
        let pricing = &self.request.pricing;
        let why_none = pricing.why_none(cluster).unwrap_or_default();
        Some(run.costed_at(pricing.price(cluster), why_none))
    }

    /// The configuration of the booking where one is asked for, the knee of a front where it has
    /// one, or else the first of the ranking.
    ///
    /// `run` is [`Approval::booked_run`].
    pub(super) fn recommended(&self, run: Option<&'a Candidate>) -> Option<Recommended<'a>> {
        if let Some(booking) = self.reservation.and_then(Reservation::recommended) {
            return Some(Recommended {
                candidate: run.unwrap_or(&booking.candidate),
                why: Why::Booked(booking),
            });
        }
        let candidate = self.plan.recommended()?;
        let knee = candidate.pareto.is_some_and(|point| point.knee);
        let why = if knee { Why::Knee } else { Why::First };
        Some(Recommended { candidate, why })
    }
}
