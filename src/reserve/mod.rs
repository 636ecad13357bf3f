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
mod notes;
mod offer;
mod refusal;
mod shortfall;
mod words;

#[cfg(test)]
mod tests;

pub use ask::{Ask, Goal};
pub use bill::CostParts;
pub use booking::{Booking, Change, PriceReport, StepAway};
pub use choice::Role;
pub use offer::Offer;
pub use refusal::{Reason, RuledOut};
pub use words::{Field, InWords};

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::calendar::Moment;
use crate::job::Request;
use crate::plan::{FitReport, PlanError, Planner, RequestReport, SCHEMA_VERSION};
use crate::search::Axis;
use booking::Desk;
use fleet::{Run, fleets};
use offer::Window;

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
    pub start: Option<String>,
    /// The deadline, where start and deadline are known.
    pub deadline: Option<String>,
    /// The day the booking is made; `null` when it wasn't given.
    pub as_of: Option<String>,
    /// How sure it has to be.
    pub probability: f64,
    /// What the predictions rest on.
    pub fit: FitReport,
    /// Bookings that achieve it, by cluster and product.
    pub bookings: Vec<Booking>,
    /// Products that can't, with why.
    pub ruled_out: Vec<RuledOut>,
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

/// An offer that can be booked, with what the cluster can run.
struct Quote<'a> {
    offer: &'a Offer,
    window: Window,
    runs: &'a [Run],
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
    let mut bookings = Vec::new();
    let mut refused: Vec<(&Offer, Reason)> = Vec::new();
    let mut quotes: Vec<Quote<'_>> = Vec::new();
    for offer in &ask.offers {
        let Some((cluster, runs)) = request
            .clusters
            .get(offer.cluster)
            .zip(fleets.get(offer.cluster))
        else {
            continue;
        };
        match quote(planner, request, ask, offer, runs) {
            Err(reason) => refused.push((offer, reason)),
            Ok(quote) => {
                let desk = Desk {
                    request,
                    ask,
                    cluster,
                    offer,
                    window: quote.window,
                    runs,
                    fit: planner.fit(),
                };
                let choices = choice::choices(offer, &quote.window, ask.goal, runs);
                let best = choice::best(offer, ask.goal, &choices);
                if best.is_empty() {
                    let reason = choice::why_none(offer, &quote.window, ask, runs);
                    refused.push((offer, reason));
                }
                bookings.extend(
                    best.into_iter()
                        .map(|(roles, choice)| desk.booking(roles, &choice)),
                );
                quotes.push(quote);
            }
        }
    }
    if bookings.is_empty() {
        return Err(nothing(planner, request, ask, &quotes, &refused));
    }
    Ok(Reservation {
        schema_version: SCHEMA_VERSION,
        request: planner.request_report(request),
        goal: ask.goal,
        start: ask.start.map(Moment::rfc3339),
        deadline: ask.deadline.map(Moment::rfc3339),
        as_of: ask.as_of.map(Moment::rfc3339),
        probability: ask.probability,
        fit: FitReport::new(planner.fit()),
        bookings,
        ruled_out: refused
            .iter()
            .map(|(offer, reason)| RuledOut {
                cluster: name_of(request, offer).to_owned(),
                product: offer.product.name.clone(),
                reason: reason.to_string(),
            })
            .collect(),
    })
}

/// An offer that can be booked for what is asked, as far as its rules go.
fn quote<'a>(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    offer: &'a Offer,
    runs: &'a [Run],
) -> Result<Quote<'a>, Reason> {
    if let Goal::Nodes { nodes } = ask.goal {
        // No start helps where there are fewer.
        let spares = runs.first().map_or(0, |run| run.spares);
        if offer.booked(nodes, spares).is_none() {
            return Err(Reason::TooManyNodes {
                wanted: nodes.saturating_add(spares),
                spares,
                most: offer.max_nodes,
                in_all: offer.product.max_nodes_in_all,
                without_spares: offer.booked(nodes, 0).is_some()
                    && runs_without_spares(planner, request, offer, nodes),
            });
        }
    }
    let window = offer.window(ask)?;
    if matches!(ask.goal, Goal::Budget { .. }) && offer.price.is_none() {
        return Err(Reason::NoPrice {
            price_type: offer.pricing.price_type.clone(),
            place: offer.pricing.place_words(),
        });
    }
    if runs.is_empty() {
        let cluster = request.clusters.get(offer.cluster);
        let why = cluster.map(|cluster| planner.nothing_fits(request, cluster));
        return Err(match why {
            Some(PlanError::NothingFeasible { space, remedies }) => Reason::NothingFits {
                help: remedies
                    .iter()
                    .map(|remedy| {
                        let also = match ask.goal {
                            Goal::Nodes { nodes } if nodes != remedy.nodes => {
                                format!(" and `--nodes {}`", remedy.nodes)
                            }
                            _ => String::new(),
                        };
                        format!("{}{also}: {}", remedy.change, remedy.configuration)
                    })
                    .collect(),
                why: PlanError::NothingFeasible {
                    space,
                    remedies: Vec::new(),
                }
                .to_string(),
            },
            other => Reason::NothingFits {
                why: other.map_or_else(String::new, |error| error.to_string()),
                help: Vec::new(),
            },
        });
    }
    Ok(Quote {
        offer,
        window,
        runs,
    })
}

/// Whether some configuration trains on exactly so many nodes where none are kept as spares.
fn runs_without_spares(
    planner: &Planner<'_>,
    request: &Request,
    offer: &Offer,
    nodes: u64,
) -> bool {
    let Some(cluster) = request.clusters.get(offer.cluster) else {
        return false;
    };
    let mut alone = request.clone();
    alone.reliability.spare_nodes = Some(0);
    if alone.gpus == Axis::Auto {
        alone.gpus = Axis::list([nodes.saturating_mul(cluster.gpus_per_node)]);
    }
    let found = planner.fastest_by_gpu_count(&alone, cluster, offer.max_nodes);
    found.is_ok_and(|found| found.iter().any(|candidate| candidate.nodes == nodes))
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
    if !refused.is_empty() && refused.iter().all(|(_, reason)| reason.is_bad_input()) {
        let mut told: Vec<String> = refused.iter().map(told).collect();
        let message = told.remove(0);
        told.into_iter().for_each(&mut add);
        refused
            .iter()
            .flat_map(|(_, reason)| reason.help())
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
    refused.iter().map(told).for_each(&mut add);
    refused
        .iter()
        .flat_map(|(_, reason)| reason.help())
        .for_each(&mut add);
    ReserveError::NotEnough { message, help }
}
