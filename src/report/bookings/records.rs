//! A row a booking, for spreadsheets.

use crate::calendar::Moment;
use crate::quantity::Interval;
use crate::reserve::{Booking, Reservation};

use super::super::Records;
use super::super::candidate::{Flat, json_name};
use super::super::words::basis_name;
use super::overview::roles;

pub(super) fn records(reservation: &Reservation) -> Records {
    let mut records = Records::default();
    for booking in &reservation.bookings {
        let (header, row) = fields(booking).into_iter().unzip();
        records.header = header;
        records.rows.push(row);
    }
    records
}

/// The fields of a booking, flat, and those of its run that a buyer asks for.
fn fields(booking: &Booking) -> Vec<(String, String)> {
    let text = |set: Option<Moment>| set.map_or_else(String::new, Moment::rfc3339);
    let number = |set: Option<f64>| set.map_or_else(String::new, |value| value.to_string());
    let ends = |flat: &mut Flat, name: &str, interval: Option<Interval>| {
        flat.put(format!("{name}_low"), number(interval.map(|ends| ends.low)));
        flat.put(
            format!("{name}_high"),
            number(interval.map(|ends| ends.high)),
        );
    };
    let expected = |interval: Option<Interval>| number(interval.map(|ends| ends.expected));
    let candidate = &booking.candidate;
    let price = booking.price.as_ref();
    let mut flat = Flat::default();
    flat.put("roles", roles(&booking.roles, ";"));
    flat.put("overall_roles", roles(&booking.overall_roles, ";"));
    flat.put("cluster", &booking.cluster);
    flat.put("product", &booking.product);
    flat.put("product_title", &booking.product_title);
    flat.put("provider", &booking.provider);
    flat.put("nodes", booking.nodes);
    flat.put("spares", booking.spares);
    flat.put("booked_nodes", booking.booked_nodes);
    flat.put("booked_gpus", booking.booked_gpus);
    flat.put("start", text(booking.start));
    flat.put("end", text(booking.end));
    flat.put("usable_until", text(booking.usable_until));
    flat.put("needed_h", booking.needed_h);
    flat.put("expected_h", booking.run_h.expected);
    ends(&mut flat, "run_h", Some(booking.run_h));
    flat.put("booked_h", booking.booked_h);
    flat.put("usable_h", booking.usable_h);
    flat.put("billing", json_name(booking.billing));
    flat.put("billed_h", booking.billed_h.expected);
    ends(&mut flat, "billed_h", Some(booking.billed_h));
    flat.put("idle_h", booking.idle_h.expected);
    ends(&mut flat, "idle_h", Some(booking.idle_h));
    flat.put("idle_usd", expected(booking.idle_usd));
    ends(&mut flat, "idle_usd", booking.idle_usd);
    flat.put("probability", booking.probability);
    flat.put(
        "probability_in_longest",
        number(booking.probability_in_longest),
    );
    flat.put("latest_start", text(booking.latest_start));
    flat.put("last_checkpoint", text(booking.last_checkpoint));
    flat.put("last_checkpoint_h", number(booking.last_checkpoint_h));
    let book_from = booking.book_from.map(|day| day.to_string());
    flat.put("book_from", book_from.unwrap_or_default());
    flat.put("cost_usd", expected(booking.cost_usd));
    ends(&mut flat, "cost_usd", booking.cost_usd);
    flat.put("committed_usd", number(booking.committed_usd));
    flat.put("commitment_usd", number(booking.commitment_usd));
    flat.put("upfront_usd", number(booking.upfront_usd));
    flat.put(
        "usd_per_gpu_hour",
        number(price.map(|price| price.usd_per_gpu_hour)),
    );
    flat.put("price_type", price.map_or("", |price| &price.price_type));
    flat.put("price_region", price.map_or("", |price| &price.region));
    flat.put("price_as_of", price.map_or("", |price| &price.as_of));
    flat.put("price_source", price.map_or("", |price| &price.source));
    flat.put("cancel", &booking.cancel);
    flat.put("gpus", candidate.gpus);
    flat.put("micro_batch", candidate.micro_batch);
    flat.put("grad_accum", candidate.grad_accum);
    flat.put("global_batch_tokens", candidate.global_batch_tokens);
    flat.put("global_batch_shortfall", candidate.global_batch_shortfall);
    flat.put(
        "activation_checkpointing",
        candidate.activation_checkpointing,
    );
    flat.put("seq_len", candidate.seq_len);
    flat.put("memory_verdict", candidate.memory.verdict);
    flat.put("basis", basis_name(candidate.basis));
    flat.0
}
