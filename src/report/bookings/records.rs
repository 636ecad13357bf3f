//! A row a booking, for spreadsheets.

use crate::calendar::Moment;
use crate::reserve::{Booking, Reservation};

use super::super::Records;
use super::super::words::basis_name;
use super::overview::roles;

pub(super) fn records(reservation: &Reservation) -> Records {
    let header = [
        "roles",
        "overall_roles",
        "cluster",
        "product",
        "nodes",
        "spares",
        "booked_gpus",
        "start",
        "end",
        "usable_until",
        "needed_h",
        "expected_h",
        "booked_h",
        "usable_h",
        "idle_h",
        "probability",
        "latest_start",
        "last_checkpoint",
        "book_from",
        "cost_usd",
        "committed_usd",
        "upfront_usd",
        "usd_per_gpu_hour",
        "gpus",
        "micro_batch",
        "grad_accum",
        "global_batch_tokens",
        "global_batch_shortfall",
        "activation_checkpointing",
        "seq_len",
        "memory_verdict",
        "basis",
    ];
    Records {
        header: header.map(str::to_owned).to_vec(),
        rows: reservation.bookings.iter().map(record).collect(),
    }
}

fn record(booking: &Booking) -> Vec<String> {
    let text = |set: Option<Moment>| set.map_or_else(String::new, Moment::rfc3339);
    let number = |set: Option<f64>| set.map_or_else(String::new, |value| value.to_string());
    let candidate = &booking.candidate;
    vec![
        roles(&booking.roles, ";"),
        roles(&booking.overall_roles, ";"),
        booking.cluster.clone(),
        booking.product.clone(),
        booking.nodes.to_string(),
        booking.spares.to_string(),
        booking.booked_gpus.to_string(),
        text(booking.start),
        text(booking.end),
        text(booking.usable_until),
        booking.needed_h.to_string(),
        booking.run_h.expected.to_string(),
        booking.booked_h.to_string(),
        booking.usable_h.to_string(),
        booking.idle_h.expected.to_string(),
        booking.probability.to_string(),
        text(booking.latest_start),
        text(booking.last_checkpoint),
        booking
            .book_from
            .map_or_else(String::new, |day| day.to_string()),
        number(booking.cost_usd.map(|cost| cost.expected)),
        number(booking.committed_usd),
        number(booking.upfront_usd),
        number(booking.price.as_ref().map(|price| price.usd_per_gpu_hour)),
        candidate.gpus.to_string(),
        candidate.micro_batch.to_string(),
        candidate.grad_accum.to_string(),
        candidate.global_batch_tokens.to_string(),
        candidate.global_batch_shortfall.to_string(),
        candidate.activation_checkpointing.to_string(),
        candidate.seq_len.to_string(),
        candidate.memory.verdict.to_string(),
        basis_name(candidate.basis).to_owned(),
    ]
}
