//! The bookings at a glance.

use crate::quantity::{display_chance, display_dollars_up};
use crate::reserve::{Booking, Goal, Reservation, Role};

use super::super::number::{dollars, exact_hours, significant};
use super::super::ranking::is_short;
use super::super::{Cell, Column, Grid, Tone};

/// A row a booking.
pub(in super::super) fn overview(reservation: &Reservation) -> Grid {
    let budget = matches!(reservation.goal, Goal::Budget { .. });
    let mut columns = vec![
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
    // What a budget is held against, which is not the cost expected where hours are billed as used.
    columns.extend(budget.then(|| Column::right("at most\n$")));
    let amount = |usd: Option<f64>| usd.map_or_else(|| "–".to_owned(), dollars);
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
            let mut cells = vec![
                format!("{}{}", below(booking), index + 1).into(),
                Cell::from(marked_roles(booking)).tone(Tone::Strong),
                booking.cluster.as_str().into(),
                booking.product.as_str().into(),
                nodes.into(),
                significant(booking.needed_h).into(),
                exact_hours(booking.booked_h).into(),
                display_chance(booking.probability).into(),
                amount(booking.cost_usd.map(|cost| cost.expected)).into(),
            ];
            cells.extend(budget.then(|| Cell::from(at_most(booking.committed_usd))));
            cells
        });
    Grid {
        columns,
        rows: rows.collect(),
    }
}

/// What a budget is held against, so that it suffices as shown.
pub(super) fn at_most(usd: Option<f64>) -> String {
    usd.map_or_else(|| "–".to_owned(), display_dollars_up)
}

/// The mark of one that trains below the global batch asked for.
fn below(booking: &Booking) -> &'static str {
    if is_short(&booking.candidate) {
        "~"
    } else {
        ""
    }
}

/// Names of roles, with something between them.
pub(super) fn roles(roles: &[Role], between: &str) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role_word(*role)).collect();
    words.join(between)
}

/// What it is the best at, then in parentheses what only within its cluster and product.
fn marked_roles(booking: &Booking) -> String {
    let own = format!("({})", roles(&own_roles(booking), ", "));
    let overall = roles(&booking.overall_roles, ", ");
    let parts = [overall, own];
    let parts = parts.iter().map(String::as_str);
    let told: Vec<&str> = parts.filter(|part| !["", "()"].contains(part)).collect();
    told.join(", ")
}

/// The same in words: `cheapest, and smallest of its cluster and product`.
pub(super) fn spelled_roles(booking: &Booking) -> String {
    let own = own_roles(booking);
    let overall = roles(&booking.overall_roles, " and ");
    if own.is_empty() {
        return overall;
    }
    let own = format!("{} of its cluster and product", roles(&own, " and "));
    if overall.is_empty() {
        own
    } else {
        format!("{overall}, and {own}")
    }
}

/// What it is the best at within its cluster and product, and not over the whole answer.
pub(super) fn own_roles(booking: &Booking) -> Vec<Role> {
    let overall = |role: &Role| booking.overall_roles.contains(role);
    let roles = booking.roles.iter().copied();
    roles.filter(|role| !overall(role)).collect()
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Smallest => "smallest",
        Role::Cheapest => "cheapest",
        Role::Fastest => "fastest",
        Role::AsAsked => "as asked",
    }
}
