//! Bookings: which there are at a glance, then each in full.

use crate::calendar::Span;
use crate::product::Billing;
use crate::quantity::display_count;
use crate::reserve::{Booking, Change, Goal, Reservation, Role, StepAway};

use super::number::{dollars, half_width, range, significant, thousands};
use super::words::on_off;
use super::{Answer, Cell, Column, Document, Grid, Records, Tone};

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
            "Booking {} ({} parameters) for {} tokens",
            request.model,
            display_count(request.params as f64),
            display_count(request.tokens as f64),
        );
        let mut document = Document::new(title)
            .text(asked(reservation))
            .grid(overview(reservation));
        for (index, booking) in reservation.bookings.iter().enumerate() {
            document = in_full(document, index + 1, booking);
        }
        let ruled_out: Vec<(String, String)> = reservation
            .ruled_out
            .iter()
            .map(|out| {
                (
                    format!("{}, {}", out.cluster, out.product),
                    out.reason.clone(),
                )
            })
            .collect();
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
                "probability of being done by the end of the booking and by the deadline"
                    .to_owned(),
            ),
            (
                "fit".to_owned(),
                format!(
                    "{}: {} measured rows",
                    reservation.fit.name, reservation.fit.rows
                ),
            ),
        ]
        .into_iter()
        .chain(spares)
        .collect();
        document.heading("Notes").notes(notes)
    }

    fn records(&self) -> Records {
        let header = [
            "roles",
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
            "upfront_usd",
            "usd_per_gpu_hour",
            "gpus",
            "micro_batch",
            "grad_accum",
            "activation_checkpointing",
        ];
        Records {
            header: header.map(str::to_owned).to_vec(),
            rows: self.reservation.bookings.iter().map(record).collect(),
        }
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self.reservation)
    }
}

fn record(booking: &Booking) -> Vec<String> {
    let text = |set: &Option<String>| set.clone().unwrap_or_default();
    let number = |set: Option<f64>| set.map_or_else(String::new, |value| value.to_string());
    let candidate = &booking.candidate;
    vec![
        roles(booking, ";"),
        booking.cluster.clone(),
        booking.product.clone(),
        booking.nodes.to_string(),
        booking.spares.to_string(),
        booking.booked_gpus.to_string(),
        text(&booking.start),
        text(&booking.end),
        text(&booking.usable_until),
        booking.needed_h.to_string(),
        booking.run_h.expected.to_string(),
        booking.booked_h.to_string(),
        booking.usable_h.to_string(),
        booking.idle_h.expected.to_string(),
        booking.probability.to_string(),
        text(&booking.latest_start),
        text(&booking.last_checkpoint),
        text(&booking.book_from),
        number(booking.cost_usd.map(|cost| cost.expected)),
        number(booking.upfront_usd),
        number(booking.price.as_ref().map(|price| price.usd_per_gpu_hour)),
        candidate.gpus.to_string(),
        candidate.micro_batch.to_string(),
        candidate.grad_accum.to_string(),
        candidate.activation_checkpointing.to_string(),
    ]
}

fn asked(reservation: &Reservation) -> String {
    let start = reservation
        .start
        .as_ref()
        .map_or_else(String::new, |start| {
            format!("; start {} or later", short(start))
        });
    let goal = match reservation.goal {
        Goal::Deadline { within_h } => match &reservation.deadline {
            Some(by) => format!("done by {} ({} after)", short(by), Span::of_hours(within_h)),
            None => format!("done within {}", Span::of_hours(within_h)),
        },
        Goal::Budget { usd } => format!("as fast as ${} allows,", dollars(usd)),
        Goal::Nodes { nodes } => format!("done on {nodes} nodes"),
    };
    format!("{goal} with probability {}{start}", reservation.probability)
}

/// `2026-12-01 09:00Z`.
fn short(rfc3339: &str) -> String {
    let minutes = rfc3339
        .strip_suffix(":00Z")
        .map(|text| text.to_owned() + "Z");
    minutes
        .unwrap_or_else(|| rfc3339.to_owned())
        .replace('T', " ")
}

fn overview(reservation: &Reservation) -> Grid {
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
                (index + 1).to_string().into(),
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

fn roles(booking: &Booking, between: &str) -> String {
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

/// A probability as a percentage that is never 0 or 100.
fn chance(probability: f64) -> String {
    if probability > 0.999_5 {
        "> 99.9".to_owned()
    } else if probability < 0.000_5 {
        "< 0.1".to_owned()
    } else {
        format!("{:.1}", probability * 100.0)
    }
}

fn in_full(document: Document, number: usize, booking: &Booking) -> Document {
    let heading = format!(
        "{number}. {}: {} node{} of {}, {}",
        roles(booking, " and "),
        booking.booked_nodes,
        if booking.booked_nodes == 1 { "" } else { "s" },
        booking.cluster,
        booking.product_title,
    );
    let document = document
        .heading(heading)
        .notes(facts(booking))
        .grid(steps(&booking.steps));
    let words = &booking.in_words;
    let mut lines: Vec<String> = words.commands.iter().cloned().collect();
    let width = words
        .fields
        .iter()
        .map(|field| field.name.chars().count())
        .max();
    lines.extend(words.fields.iter().map(|field| {
        format!(
            "{:width$}  {}",
            field.name,
            field.value,
            width = width.unwrap_or(0)
        )
    }));
    let document = document.code(lines.join("\n"));
    if words.to_set.is_empty() {
        return document;
    }
    let to_set = words.to_set.iter();
    document.notes(
        to_set
            .map(|text| ("to set".to_owned(), text.clone()))
            .collect(),
    )
}

fn facts(booking: &Booking) -> Vec<(String, String)> {
    let mut facts: Vec<(&str, String)> = vec![("run", run(booking)), ("window", window(booking))];
    facts.push(("time", time(booking)));
    facts.push(("cost", cost(booking)));
    if let Some(checkpoint) = checkpoint(booking) {
        facts.push(("checkpoint", checkpoint));
    }
    if let Some(latest) = &booking.latest_start {
        facts.push((
            "latest",
            format!("a start on {} still makes it", short(latest)),
        ));
    }
    if let Some(from) = &booking.book_from {
        facts.push(("book", format!("from {from} on")));
    }
    if !booking.cancel.is_empty() {
        facts.push(("cancel", booking.cancel.clone()));
    }
    facts.extend(booking.notes.iter().map(|note| ("note", note.clone())));
    facts
        .into_iter()
        .map(|(label, text)| (label.to_owned(), text))
        .collect()
}

fn run(booking: &Booking) -> String {
    let candidate = &booking.candidate;
    format!(
        "{} × {}, micro-batch {} × grad-accum {}, checkpointing {}: {} tokens/s {}",
        candidate.gpus,
        candidate.gpu,
        candidate.micro_batch,
        candidate.grad_accum,
        on_off(candidate.activation_checkpointing),
        display_count(candidate.throughput_tok_s.expected),
        half_width(candidate.throughput_tok_s),
    )
}

fn window(booking: &Booking) -> String {
    let length = Span::of_hours(booking.booked_h);
    match (&booking.start, &booking.end) {
        (Some(start), Some(end)) => {
            let usable = match &booking.usable_until {
                Some(usable) if usable != end => format!("; usable until {}", short(usable)),
                _ => String::new(),
            };
            format!("{} to {} ({length}){usable}", short(start), short(end))
        }
        _ => format!("{length} from the start"),
    }
}

fn time(booking: &Booking) -> String {
    let idle = if booking.billing == Billing::Used {
        String::new()
    } else {
        let (expected, idle_h) = (booking.idle_h.expected, booking.idle_h);
        let (expected, range) = (significant(expected), range(idle_h, significant));
        format!("; {expected} idle at the end ({range})")
    };
    format!(
        "{} h needed, {} expected ({}), of {} usable{idle}",
        significant(booking.needed_h),
        significant(booking.run_h.expected),
        range(booking.run_h, significant),
        significant(booking.usable_h),
    )
}

fn cost(booking: &Booking) -> String {
    let (Some(cost), Some(parts), Some(price)) =
        (booking.cost_usd, booking.cost_parts_usd, &booking.price)
    else {
        return "no price known".to_owned();
    };
    let total = if cost.low < cost.high {
        format!("${} ({})", dollars(cost.expected), range(cost, dollars))
    } else {
        format!("${}", dollars(cost.expected))
    };
    let upfront = booking.upfront_usd.map_or("", |_| " upfront");
    let parts: Vec<String> = [
        ("run", parts.run),
        ("spares", parts.spares),
        ("idle", parts.idle),
    ]
    .into_iter()
    .filter(|(_, usd)| *usd > 0.0)
    .map(|(name, usd)| format!("{name} {}", dollars(usd)))
    .collect();
    format!(
        "{total}{upfront}: {}; at ${} per GPU-hour ({}, {}, as of {})",
        parts.join(", "),
        price.usd_per_gpu_hour,
        price.price_type,
        price.source,
        price.as_of,
    )
}

fn checkpoint(booking: &Booking) -> Option<String> {
    let last_h = booking.last_checkpoint_h?;
    let when = match &booking.last_checkpoint {
        Some(moment) => format!("at {}", short(moment)),
        None => format!("{} after the start", Span::of_hours(last_h)),
    };
    Some(format!(
        "begin the last one {when} or before: then it is whole when the nodes go"
    ))
}

fn steps(steps: &[StepAway]) -> Grid {
    let columns = vec![
        Column::left("one step away"),
        Column::right("nodes"),
        Column::right("hours booked"),
        Column::left("end"),
        Column::right("done %"),
        Column::right("cost $"),
    ];
    let rows = steps.iter().map(|step| {
        let change = match step.change {
            Change::FewerNodes => "fewer nodes",
            Change::MoreNodes => "more nodes",
            Change::Shorter => "shorter",
            Change::Longer => "longer",
        };
        vec![
            change.into(),
            step.booked_nodes.to_string().into(),
            thousands(step.booked_h).into(),
            step.end
                .as_deref()
                .map_or_else(|| "–".to_owned(), short)
                .into(),
            chance(step.probability).into(),
            step.cost_usd.map_or_else(|| "–".to_owned(), dollars).into(),
        ]
    });
    Grid {
        columns,
        rows: rows.collect(),
    }
}
