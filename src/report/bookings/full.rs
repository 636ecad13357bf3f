//! A booking in full.

use crate::calendar::Span;
use crate::configuration::on_off;
use crate::product::Billing;
use crate::quantity::{display_chance, display_count, plural};
use crate::reserve::{Booking, Change, Goal, StepAway};

use super::super::number::{dollars, exact_hours, half_width, range, significant};
use super::super::words::basis_name;
use super::super::{Cell, Column, Document, Grid};
use super::overview::{at_most, spelled_roles};
use super::short;

pub(super) fn in_full(
    document: Document,
    number: usize,
    booking: &Booking,
    goal: Goal,
) -> Document {
    let heading = format!(
        "{number}. {}: {} {} of {}, {}",
        spelled_roles(booking),
        booking.booked_nodes,
        plural(booking.booked_nodes, "node"),
        booking.cluster,
        booking.product_title,
    );
    let document = document.heading(heading).notes(facts(booking));
    in_words(steps(document, &booking.steps, goal), booking)
}

/// The booking in its provider's own words, and what is left to set in them.
pub(in super::super) fn in_words(document: Document, booking: &Booking) -> Document {
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
    let document = document.verbatim(lines.join("\n"));
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

/// What it is, what it costs, how sure it is.
pub(in super::super) fn facts(booking: &Booking) -> Vec<(String, String)> {
    let mut facts: Vec<(&str, String)> = vec![("run", run(booking)), ("window", window(booking))];
    facts.push(("time", time(booking)));
    facts.push(("cost", cost(booking)));
    if let Some(checkpoint) = checkpoint(booking) {
        facts.push(("checkpoint", checkpoint));
    }
    if let Some(latest) = booking.latest_start {
        facts.push((
            "latest",
            format!("a start on {} still makes it", short(latest)),
        ));
    }
    if let Some(from) = booking.book_from {
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
        "{} × {}, sequences of {}, micro-batch {} × grad-accum {}, checkpointing {}: {} tokens/s \
         {}, {}",
        candidate.gpus,
        candidate.gpu,
        candidate.seq_len,
        candidate.micro_batch,
        candidate.grad_accum,
        on_off(candidate.activation_checkpointing),
        display_count(candidate.throughput_tok_s.expected),
        half_width(candidate.throughput_tok_s),
        basis_name(candidate.basis),
    )
}

/// From when to when it is.
pub(in super::super) fn window(booking: &Booking) -> String {
    let length = Span::of_hours(booking.booked_h);
    match (booking.start, booking.end) {
        (Some(start), Some(end)) => {
            let usable = match booking.usable_until {
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
        exact_hours(booking.usable_h),
    )
}

fn cost(booking: &Booking) -> String {
    let (Some(cost), Some(price)) = (booking.cost_usd, &booking.price) else {
        return "no price known".to_owned();
    };
    let total = if cost.low < cost.high {
        format!("${} ({})", dollars(cost.expected), range(cost, dollars))
    } else {
        format!("${}", dollars(cost.expected))
    };
    let upfront = booking.upfront_usd.map_or("", |_| " upfront");
    let parts: Vec<String> = booking
        .cost_lines
        .iter()
        .filter_map(|line| Some((line.item.words(), line.usd.filter(|usd| *usd > 0.0)?)))
        .map(|(item, usd)| format!("{item} {}", dollars(usd)))
        .collect();
    format!(
        "{total}{upfront}: {}; at {}",
        parts.join(", "),
        price.words()
    )
}

fn checkpoint(booking: &Booking) -> Option<String> {
    let last_h = booking.last_checkpoint_h?;
    let when = match booking.last_checkpoint {
        Some(moment) => format!("at {}", short(moment)),
        None => format!("{} after the start", Span::of_hours(last_h)),
    };
    Some(format!(
        "begin the last one {when} or before: then it is whole when the nodes go"
    ))
}

/// Bookings one step away, where there are any; within a budget, with what that is held against.
pub(in super::super) fn steps(document: Document, steps: &[StepAway], goal: Goal) -> Document {
    if steps.is_empty() {
        return document;
    }
    let budget = matches!(goal, Goal::Budget { .. });
    let mut columns = vec![
        Column::left("one step away"),
        Column::right("nodes"),
        Column::right("micro × accum"),
        Column::right("hours booked"),
        Column::left("end"),
        Column::right("done %"),
        Column::right("cost $"),
    ];
    columns.extend(budget.then(|| Column::right("at most $")));
    let rows = steps.iter().map(|step| {
        let change = match step.change {
            Change::FewerNodes => "fewer nodes",
            Change::MoreNodes => "more nodes",
            Change::Shorter => "shorter",
            Change::Longer => "longer",
        };
        let mut cells: Vec<Cell> = vec![
            change.into(),
            step.booked_nodes.to_string().into(),
            format!("{} × {}", step.micro_batch, step.grad_accum).into(),
            exact_hours(step.booked_h).into(),
            step.end.map_or_else(|| "–".to_owned(), short).into(),
            display_chance(step.probability).into(),
            step.cost_usd.map_or_else(|| "–".to_owned(), dollars).into(),
        ];
        cells.extend(budget.then(|| Cell::from(at_most(step.committed_usd))));
        cells
    });
    document.grid(Grid {
        columns,
        rows: rows.collect(),
    })
}
