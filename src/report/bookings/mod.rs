//! Bookings: which there are at a glance, then each in full.

mod full;
mod overview;
mod records;

use crate::calendar::{Moment, Span};
use crate::product::Billing;
use crate::quantity::{counted, display_count, display_dollars_asked, plural};
use crate::reserve::{Goal, Reservation};
use crate::search::MAX_SHORTFALL;

use super::number::dollars;
use super::ranking::is_short;
use super::{Answer, Document, Records};

pub(super) use full::{facts, in_words, steps};
pub(super) use overview::overview;
use overview::own_roles;

/// The bookings found for a job.
#[derive(Debug, Clone, Copy)]
pub struct Bookings<'a> {
    /// What was found.
    pub reservation: &'a Reservation,
}

impl Answer for Bookings<'_> {
    fn document(&self) -> Document {
        let reservation = self.reservation;
        let request = &reservation.request;
        let title = format!(
            "Booking {} ({} parameters) for {} {}",
            request.model,
            display_count(request.params as f64),
            display_count(request.tokens as f64),
            plural(request.tokens, "token"),
        );
        let mut document = Document::new(title).text(asked(reservation));
        if let Some(text) = bound(reservation) {
            document = document.text(text);
        }
        for hint in &reservation.hints {
            document = document.text(hint.as_str());
        }
        document = document.grid(overview(reservation));
        for (index, booking) in reservation.bookings.iter().enumerate() {
            document = full::in_full(document, index + 1, booking, reservation.goal);
        }
        let ruled_out = ruled_out(reservation);
        if !ruled_out.is_empty() {
            document = document.heading("Ruled out").notes(ruled_out);
        }
        let spare = reservation
            .bookings
            .iter()
            .all(|booking| booking.spares == 0);
        let spares = spare.then(|| {
            (
                "spares".to_owned(),
                "none are booked: a node that fails is waited for; 5–10 % is common advice \
                 (`--spares N`)"
                    .to_owned(),
            )
        });
        let mut bookings = reservation.bookings.iter();
        let short = bookings.any(|booking| is_short(&booking.candidate));
        let short = short.then(|| {
            (
                "~".to_owned(),
                format!(
                    "trains below the global batch asked for, by up to {:.0} %, because its GPUs \
                     can't share it evenly; its note says by how much",
                    MAX_SHORTFALL * 100.0
                ),
            )
        });
        let notes: Vec<(String, String)> = [
            (
                "need".to_owned(),
                format!(
                    "hours from the start within which the run is done with probability {}",
                    reservation.probability
                ),
            ),
            (
                "done %".to_owned(),
                format!(
                    "probability of being done by the end of the booking{}{}",
                    by_the_deadline(reservation),
                    staying(reservation)
                ),
            ),
            (
                "fit".to_owned(),
                format!(
                    "{}: {}",
                    reservation.fit.name,
                    counted(reservation.fit.rows as u64, "measured row")
                ),
            ),
        ]
        .into_iter()
        .chain(reading(reservation))
        .chain(short)
        .chain(spares)
        .collect();
        document.heading("Notes").notes(notes)
    }

    fn besides(&self) -> Vec<String> {
        let reservation = self.reservation;
        let mut told: Vec<String> = bound(reservation).into_iter().collect();
        told.extend(reservation.hints.iter().cloned());
        for booking in &reservation.bookings {
            let of = format!("{}, {}", booking.cluster, booking.product);
            let notes = booking.notes.iter();
            let notes = notes.map(|note| format!("{of}: {note}"));
            told.extend(
                notes
                    .filter(|note| !told.contains(note))
                    .collect::<Vec<String>>(),
            );
        }
        let ruled_out = ruled_out(reservation).into_iter();
        told.extend(ruled_out.map(|(what, why)| format!("{what}: {why}")));
        told
    }

    fn records(&self) -> Records {
        records::records(self.reservation)
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self.reservation)
    }
}

fn by_the_deadline(reservation: &Reservation) -> &'static str {
    match reservation.goal {
        Goal::Deadline { .. } => " and by the deadline",
        Goal::Budget { .. } | Goal::Nodes { .. } => "",
    }
}

/// What the end of a booking means where its nodes aren't taken away at it.
fn staying(reservation: &Reservation) -> &'static str {
    let bookings = reservation.bookings.iter();
    let mut used = bookings.filter(|booking| booking.billing == Billing::Used);
    let deadline = matches!(reservation.goal, Goal::Deadline { .. });
    if !deadline || used.clone().next().is_none() {
        ""
    } else if used.any(|booking| booking.longest_usable_h.is_some()) {
        "; by the deadline alone where nodes are billed as used, as these stay until the run is done, \
         or as long as they are sold at most"
    } else {
        "; by the deadline alone where nodes are billed as used, as these stay until the run is done"
    }
}

/// How the marks and amounts of the table are read, where it has them.
pub(super) fn reading(reservation: &Reservation) -> Vec<(String, String)> {
    let mut bookings = reservation.bookings.iter();
    let marked = bookings.any(|booking| !own_roles(booking).is_empty());
    let marked = marked.then(|| {
        (
            "( )".to_owned(),
            "the best at it within its cluster and product alone".to_owned(),
        )
    });
    let unpriced = uncompared(reservation).map(|text| ("cost".to_owned(), text));
    let held = held(reservation);
    marked.into_iter().chain(unpriced).chain(held).collect()
}

/// What a budget is held against, where there is one.
pub(super) fn held(reservation: &Reservation) -> Option<(String, String)> {
    let budget = matches!(reservation.goal, Goal::Budget { .. });
    budget.then(|| {
        (
            "at most".to_owned(),
            format!(
                "a budget is held against what suffices with probability {}, or against the cost \
                 that is expected where that is more",
                reservation.probability
            ),
        )
    })
}

/// Which bookings the others can't be held against by cost, where some have a price.
pub(super) fn uncompared(reservation: &Reservation) -> Option<String> {
    let bookings = || reservation.bookings.iter();
    let mut unpriced: Vec<String> = Vec::new();
    for booking in bookings().filter(|booking| booking.cost_usd.is_none()) {
        let name = format!("{} ({})", booking.cluster, booking.product_title);
        if !unpriced.contains(&name) {
            unpriced.push(name);
        }
    }
    let some = bookings().any(|booking| booking.cost_usd.is_some());
    (some && !unpriced.is_empty()).then(|| {
        format!(
            "without a price, and so not compared with the others: {}; `--usd-per-gpu-hour` or \
             `[[prices]]` states yours",
            unpriced.join(", ")
        )
    })
}

/// Products that can't be booked for it, with why.
pub(super) fn ruled_out(reservation: &Reservation) -> Vec<(String, String)> {
    let ruled_out = reservation.ruled_out.iter();
    ruled_out
        .map(|out| {
            (
                format!("{}, {}", out.cluster, out.product),
                out.reason.clone(),
            )
        })
        .collect()
}

/// What the bookings achieve.
pub(super) fn asked(reservation: &Reservation) -> String {
    let start = reservation.start.map_or_else(String::new, |start| {
        format!("; start {} or later", short(start))
    });
    let goal = match reservation.goal {
        Goal::Deadline { within_h } => match reservation.deadline {
            // Beyond the longest span a date says more than a count of days.
            Some(by) if within_h > Span::MAX.hours() => format!("done by {}", short(by)),
            Some(by) => format!("done by {} ({} after)", short(by), Span::of_hours(within_h)),
            None => format!("done within {}", Span::of_hours(within_h)),
        },
        Goal::Budget { usd } => format!("as fast as ${} allows,", display_dollars_asked(usd)),
        Goal::Nodes { nodes } => format!("done on {}", counted(nodes, "node")),
    };
    format!("{goal} with probability {}{start}", reservation.probability)
}

/// That a budget is kept by a part of what the price of the first booking binds to.
fn bound(reservation: &Reservation) -> Option<String> {
    let Goal::Budget { usd } = reservation.goal else {
        return None;
    };
    let commitment = reservation.recommended()?.commitment_usd?;
    (commitment > usd).then(|| {
        format!(
            "The budget is kept by this run's part of a commitment alone: its price binds to paying about \
             ${} in all.",
            dollars(commitment)
        )
    })
}

/// `2026-12-01 09:00Z`.
pub(super) fn short(moment: Moment) -> String {
    moment.to_string().replace('T', " ")
}
