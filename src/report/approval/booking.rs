//! The booking that a report recommends: in a sentence, in full, as a bill and on a calendar.

use crate::calendar::{Moment, Span};
use crate::plan::Candidate;
use crate::product::Billing;
use crate::quantity::{counted, display_chance, display_dollars_up, display_thousands};
use crate::reserve::{Booking, Goal, Reservation};

use super::super::bill::{Line, Total, itemised};
use super::super::bookings::{
    asked, facts, held, in_words, overview, reading, ruled_out, short, steps,
};
use super::super::chart::{self, Chart, Lane};
use super::super::number::{dollars, unit_price};
use super::super::{Document, Grid};

/// What has to be known of candidates beside a booking.
pub(super) fn unbooked(booking: &Booking, run: &Candidate) -> String {
    let rate = |usd: f64| format!("${} per GPU-hour", unit_price(usd));
    let costed = run.cost_usd.zip(run.usd_per_gpu_hour).map(|(cost, usd)| {
        let billed = booking.price.as_ref().map(|price| {
            format!(
                ", where its booking is billed at {}",
                rate(price.usd_per_gpu_hour)
            )
        });
        format!(
            " The run recommended costs ${} at {}{}, and the others are held against that.",
            dollars(cost.expected),
            rate(usd),
            billed.unwrap_or_default()
        )
    });
    format!(
        "These are runs alone, at the prices of the plan: nodes that a booking leaves idle are not \
         in their cost, and what can be booked for them is not asked: booked by the day or the week, \
         a faster one may cost no more.{}",
        costed.unwrap_or_default()
    )
}

/// What to book, for what, at what cost, and how sure that is.
pub(super) fn recommendation(reservation: &Reservation, booking: &Booking) -> String {
    let spare = match booking.spares {
        0 => String::new(),
        spares => format!(", {} of them spare", display_thousands(spares.into())),
    };
    let length = Span::of_hours(booking.booked_h);
    let when = match (booking.start, booking.end) {
        (Some(start), Some(end)) => {
            format!("from {} to {} ({length})", short(start), short(end))
        }
        _ => format!("for {length}"),
    };
    format!(
        "Book {} of {} ({}){spare}, {when}, to train {} on {} × {}, {}; with a probability of {} % \
         it is done {}",
        counted(booking.booked_nodes, "node"),
        booking.cluster,
        booking.product_title,
        reservation.request.model,
        display_thousands(booking.candidate.gpus.into()),
        booking.candidate.gpu,
        cost(booking),
        display_chance(booking.probability),
        done_by(reservation, booking),
    )
}

fn cost(booking: &Booking) -> String {
    let Some(cost) = booking.cost_usd else {
        return format!(
            "at an unknown cost (no price is known for {})",
            booking.cluster
        );
    };
    let upfront = booking.upfront_usd.map_or("", |_| " paid upfront");
    let bound = booking.commitment_usd.map_or_else(String::new, |usd| {
        format!(" of about ${} that its price binds to", dollars(usd))
    });
    if cost.low < cost.high {
        format!(
            "at ${}{upfront} (${} to ${}){bound}",
            dollars(cost.expected),
            dollars(cost.low),
            dollars(cost.high)
        )
    } else {
        format!("at ${}{upfront}{bound}", dollars(cost.expected))
    }
}

/// By when the probability holds: the end of what can be used, or the deadline before it.
fn done_by(reservation: &Reservation, booking: &Booking) -> String {
    let stay = booking.billing == Billing::Used;
    if let Some((last, deadline)) = booking.nodes_go().zip(reservation.deadline)
        && stay
        && last < deadline
    {
        return format!(
            "by {}, when the longest booking sold ends, and before the deadline, {}",
            short(last),
            short(deadline)
        );
    }
    match (booking.usable_until, reservation.deadline) {
        (Some(_), Some(deadline)) if stay => format!("by the deadline, {}", short(deadline)),
        (Some(end), None) if stay => format!("by {}", short(end)),
        (Some(end), Some(deadline)) if deadline <= end => {
            format!("by the deadline, {}", short(deadline))
        }
        (Some(end), Some(deadline)) => format!(
            "by {}, when the nodes go, and before the deadline, {}",
            short(end),
            short(deadline)
        ),
        (Some(end), None) => format!("by {}, when the nodes go", short(end)),
        (None, _) => {
            let hours = match reservation.goal {
                Goal::Deadline { within_h } => booking
                    .staying_h()
                    .map_or(within_h, |stay| within_h.min(stay)),
                Goal::Budget { .. } | Goal::Nodes { .. } => booking.usable_h,
            };
            format!("within {}", Span::of_hours(hours))
        }
    }
}

/// The booking in full and in its provider's words; then the others, and what was ruled out.
pub(super) fn sections(
    document: Document,
    reservation: &Reservation,
    booking: &Booking,
) -> Document {
    let mut told = facts(booking);
    told.extend(within_budget(reservation, booking));
    let document = document
        .heading("The booking")
        .text(format!("Asked for: {}.", asked(reservation)))
        .notes(told);
    let document = steps(document, &booking.steps, reservation.goal).heading("How it is booked");
    let mut document = in_words(document, booking);
    if reservation.bookings.len() > 1 {
        document = document
            .heading("The bookings that would do")
            .text("The first is the one recommended.")
            .grid(overview(reservation))
            .notes(reading(reservation));
    }
    for hint in &reservation.hints {
        document = document.text(hint.as_str());
    }
    let ruled_out = ruled_out(reservation);
    if ruled_out.is_empty() {
        document
    } else {
        document.heading("Bookings ruled out").notes(ruled_out)
    }
}

/// What a budget is held against, and what that is of the booking.
fn within_budget(reservation: &Reservation, booking: &Booking) -> Option<(String, String)> {
    let (label, rule) = held(reservation)?;
    let usd = display_dollars_up(booking.committed_usd?);
    Some((label, format!("${usd}: {rule}")))
}

/// What the booking costs, by what it is for.
pub(super) fn bill(booking: &Booking) -> Grid {
    let unit = booking.price.as_ref().map(|price| price.usd_per_gpu_hour);
    let lines = booking.cost_lines.iter().map(|line| Line {
        item: line.item.words().to_owned(),
        gpu_hours: line.gpu_hours,
        unit,
        usd: line.usd,
    });
    let total = Total {
        gpu_hours: booking.billed_h.scale(booking.booked_gpus as f64),
        usd: booking.cost_usd,
    };
    itemised("item", &lines.collect::<Vec<_>>(), total)
}

/// The booking, the run in it and the deadline on a calendar.
pub(super) fn calendar(reservation: &Reservation, booking: &Booking) -> Chart {
    let dates = booking.start.zip(reservation.deadline);
    let due_h = match (dates, reservation.goal) {
        (Some((start, deadline)), _) => Some(deadline.hours_after(start)),
        (None, Goal::Deadline { within_h }) => Some(within_h),
        (None, Goal::Budget { .. } | Goal::Nodes { .. }) => None,
    };
    let booked = match booking.spares {
        0 => counted(booking.nodes, "node"),
        spares => format!("{} + {spares} nodes", booking.nodes),
    };
    let label = format!("{}: {booked}", reservation.request.model);
    chart::calendar(&chart::Calendar {
        title: "The booking on a calendar",
        caption: format!(
            "The outline is what is booked, the bar the run on it: {} % of runs are done by its \
             end{}.",
            display_chance(booking.probability),
            if due_h.is_some() {
                " and the deadline"
            } else {
                ""
            }
        ),
        start: booking.start.map(Moment::datetime),
        lanes: vec![Lane {
            name: format!("{}, {}", booking.cluster, booking.product),
            taken: Vec::new(),
            bookings: vec![chart::Booking {
                label,
                from_h: 0.0,
                to_h: booking.run_h,
                until_h: Some(booking.booked_h),
                due_h,
            }],
        }],
    })
}
