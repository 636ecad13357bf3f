//! The bookings at a glance.

use crate::reserve::{Booking, Reservation, Role};

use super::super::number::{dollars, significant, thousands};
use super::super::ranking::is_short;
use super::super::{Cell, Column, Grid, Tone};

/// A row a booking.
pub(in super::super) fn overview(reservation: &Reservation) -> Grid {
    let columns = vec![
        Column::right("#"),
        Column::left("booking"),
        Column::left("cluster"),
        Column::left("product"),
        Column::right("nodes\n+ spare"),
        Column::right("hours\nneed"),
        Column::right("hours\nbooked"),
        Column::right("done\n%"),
        Column::right("cost\n$"),
    ];
    let rows = reservation
        .bookings
        .iter()
        .enumerate()
        .map(|(index, booking)| {
            let nodes = if booking.spares == 0 {
                booking.nodes.to_string()
            } else {
                format!("{} + {}", booking.nodes, booking.spares)
            };
            vec![
                format!("{}{}", below(booking), index + 1).into(),
                Cell::from(roles(booking, ", ")).tone(Tone::Strong),
                booking.cluster.as_str().into(),
                booking.product.as_str().into(),
                nodes.into(),
                significant(booking.needed_h).into(),
                thousands(booking.booked_h).into(),
                chance(booking.probability).into(),
                booking
                    .cost_usd
                    .map_or_else(|| "–".to_owned(), |cost| dollars(cost.expected))
                    .into(),
            ]
        });
    Grid {
        columns,
        rows: rows.collect(),
    }
}

/// The mark of one that trains below the global batch asked for.
fn below(booking: &Booking) -> &'static str {
    if is_short(&booking.candidate) {
        "~"
    } else {
        ""
    }
}

/// What rounding alone may take from a thousandth.
const ROUNDING: f64 = 1e-6;

/// What it is the best at.
pub(super) fn roles(booking: &Booking, between: &str) -> String {
    let words: Vec<&str> = booking.roles.iter().map(|role| role_word(*role)).collect();
    words.join(between)
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Smallest => "smallest",
        Role::Cheapest => "cheapest",
        Role::Fastest => "fastest",
        Role::AsAsked => "as asked",
    }
}

/// A probability as a percentage that is never 0 or 100, rounded down: what is promised must hold.
pub(in super::super) fn chance(probability: f64) -> String {
    if probability > 0.999_5 {
        "> 99.9".to_owned()
    } else if probability < 0.001 {
        "< 0.1".to_owned()
    } else {
        format!("{:.1}", (probability * 1000.0 + ROUNDING).floor() / 10.0)
    }
}
