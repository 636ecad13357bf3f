//! A deadline, a budget or a node count becomes a booking.
//!
//! For each cluster the planner's search gives the fastest configuration of every node count;
//! the forecast says when each is done with which probability; the product's rules say what can be
//! booked for it (`choice`). Of these the smallest and the cheapest are shown, or within a budget
//! the fastest, each with what it costs, how sure it is and what a step away from it is
//! (`booking`, `bill`), and in the provider's own words (`words`).

mod ask;
mod bill;
mod booking;
mod choice;
mod fleet;
mod market;
mod named;
mod notes;
mod offer;
mod price;
mod quote;
mod rank;
mod refusal;
mod ruled_out;
mod shortfall;
mod step;
mod words;

#[cfg(test)]
mod tests;

pub use ask::{Ask, Goal};
pub use bill::CostParts;
pub use booking::Booking;
pub use choice::Role;
pub use named::{Named, SetBy};
pub use offer::Offer;
pub use price::PriceReport;
pub use refusal::Reason;
pub use ruled_out::RuledOut;
pub use step::{Change, StepAway};
pub(crate) use words::region_of_zone;
pub use words::{Field, InWords};

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::calendar::Moment;
use crate::job::Request;
use crate::plan::{FitReport, PlanError, Planner, RequestReport};
use booking::Desk;
use fleet::fleets;
use quote::{Quote, quote};
use rank::Pick;

/// Version of the JSON that `reserve` prints; it grows when a field changes meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// What `reserve --format json` prints. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Reservation {
    /// Version of this form.
    pub schema_version: u32,
    /// The job, every default filled in.
    pub request: RequestReport,
    /// What the booking has to achieve.
    pub goal: Goal,
    /// The earliest start; `null` when none was given.
    #[schemars(with = "Option<String>")]
    pub start: Option<Moment>,
    /// The deadline, where start and deadline are known.
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Moment>,
    /// The day the booking is made; `null` when it wasn't given.
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Moment>,
    /// How sure it has to be.
    pub probability: f64,
    /// What the predictions rest on.
    pub fit: FitReport,
    /// Bookings that achieve it, the best of each cluster and product, the one to recommend first:
    /// the fastest that a budget buys, or else the cheapest.
    pub bookings: Vec<Booking>,
    /// What would have more products considered.
    pub hints: Vec<String>,
    /// Products that can't, with why; and those asked for, of clusters that none of them sells.
    pub ruled_out: Vec<RuledOut>,
}

impl Reservation {
    /// The booking to recommend: they are in the order in which they are to be recommended.
    #[must_use]
    pub fn recommended(&self) -> Option<&Booking> {
        self.bookings.first()
    }
}

/// Why there is no booking.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ReserveError {
    /// What was asked for isn't sold so.
    #[error("{message}")]
    NotSold {
        /// What and why.
        message: String,
        /// What to do about it.
        help: Vec<String>,
    },
    /// Nothing that is sold is enough.
    #[error("{message}")]
    NotEnough {
        /// What and why.
        message: String,
        /// What could be had.
        help: Vec<String>,
    },
    /// The job can't be planned at all.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Finds the bookings that achieve what is asked.
///
/// Works on the current rayon pool; the answer is the same for any number of threads.
///
/// # Errors
/// When nothing that is sold is enough, with what could be had; when what is asked isn't sold so;
/// when the job can't be planned.
pub fn reserve(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
) -> Result<Reservation, ReserveError> {
    let fleets = fleets(planner, request, ask)?;
    let mut picks: Vec<Pick<'_>> = Vec::new();
    let mut refused: Vec<(&Offer, Reason)> = Vec::new();
    let mut quotes: Vec<Quote<'_>> = Vec::new();
    for (offer, runs) in ask.offers.iter().zip(&fleets) {
        let Some(cluster) = request.clusters.get(offer.cluster) else {
            continue;
        };
        match quote(planner, request, ask, (offer, cluster), runs) {
            Err(reason) => refused.push((offer, reason)),
            Ok(quote) => {
                let choices = choice::choices(offer, &quote.window, ask.goal, runs);
                let best = choice::best(offer, ask.goal, &choices);
                if best.is_empty() {
                    let reason = choice::why_none(offer, &quote.window, ask, runs);
                    let reason = reason.explained(planner, request, cluster);
                    refused.push((offer, reason));
                }
                picks.extend(best.into_iter().map(|(roles, choice)| Pick {
                    desk: Desk {
                        request,
                        ask,
                        cluster,
                        offer,
                        window: quote.window,
                        runs,
                        fit: planner.fit(),
                    },
                    roles,
                    choice,
                }));
                quotes.push(quote);
            }
        }
    }
    if picks.is_empty() {
        return Err(nothing(planner, request, ask, &quotes, &refused));
    }
    Ok(Reservation {
        schema_version: SCHEMA_VERSION,
        request: RequestReport::new(request),
        goal: ask.goal,
        start: ask.start,
        deadline: ask.deadline,
        as_of: ask.as_of,
        probability: ask.probability,
        fit: FitReport::new(planner.fit()),
        bookings: rank::ranked(picks, ask.goal),
        hints: hints(&refused),
        ruled_out: refused
            .iter()
            .map(|(offer, reason)| RuledOut {
                cluster: name_of(request, offer).to_owned(),
                product: offer.product.name.clone(),
                sold: true,
                reason: reason.to_string(),
            })
            .chain(ask.unsold.iter().cloned())
            .collect(),
    })
}

/// What would have products considered that are left out for want of a date.
fn hints(refused: &[(&Offer, Reason)]) -> Vec<String> {
    let mut titles: Vec<&str> = Vec::new();
    for (offer, reason) in refused {
        let title = offer.product.title.as_str();
        if *reason == Reason::NeedsStart && !titles.contains(&title) {
            titles.push(title);
        }
    }
    let hint = |title: &str| format!("give `--start DATE` to have {title} considered");
    titles.into_iter().map(hint).collect()
}

fn name_of<'a>(request: &'a Request, offer: &Offer) -> &'a str {
    let cluster = request.clusters.get(offer.cluster);
    cluster.map_or("", |cluster| cluster.name.as_str())
}

/// Why nothing can be booked, and what could be.
fn nothing(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    quotes: &[Quote<'_>],
    refused: &[(&Offer, Reason)],
) -> ReserveError {
    let told = |(offer, reason): &(&Offer, Reason)| {
        format!(
            "{}, {}: {reason}",
            name_of(request, offer),
            offer.product.name
        )
    };
    let mut help: Vec<String> = Vec::new();
    let mut add = |words: String| {
        if !help.contains(&words) {
            help.push(words);
        }
    };
    let unsold = ask.unsold.iter().map(RuledOut::words);
    if !refused.is_empty() && refused.iter().all(|(_, reason)| reason.is_bad_input()) {
        let mut told: Vec<String> = refused.iter().map(told).collect();
        let message = told.remove(0);
        told.into_iter().chain(unsold).for_each(&mut add);
        refused
            .iter()
            .flat_map(|(_, reason)| reason.help(ask.named))
            .for_each(&mut add);
        return ReserveError::NotSold { message, help };
    }
    let message = format!(
        "no booking {} with probability {}",
        ask.achieves(request),
        ask.probability
    );
    shortfall::shortfall(planner, request, ask, quotes)
        .into_iter()
        .for_each(&mut add);
    refused.iter().map(told).chain(unsold).for_each(&mut add);
    refused
        .iter()
        .flat_map(|(_, reason)| reason.help(ask.named))
        .for_each(&mut add);
    ReserveError::NotEnough { message, help }
}
