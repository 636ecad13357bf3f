//! The head of every launch file: what was planned, and by what.

use crate::calendar::Due;
use crate::configuration::on_off;
use crate::plan::Candidate;
use crate::product::Billing;
use crate::quantity::{
    Interval, SECONDS_PER_HOUR, counted, display_chance, display_count, display_dollars,
    display_hours, display_hours_like, display_share, display_thousands, display_unit_price,
    plural,
};
use crate::reserve::Booking;
use crate::throughput::Basis;

use super::Launch;

/// What was planned, a line each; then what the reader has to know about this file.
pub(super) fn lines(launch: &Launch<'_>, notes: &[String]) -> Vec<String> {
    let c = launch.candidate;
    let mut lines = vec![
        format!(
            "{} on {} {}: {} x {} of {} ({}), sequence length {}",
            launch.model.name,
            launch.tokens.rounded(),
            plural(launch.tokens.get(), "token"),
            display_thousands(c.gpus.into()),
            c.gpu,
            c.cluster,
            counted(c.nodes, "node"),
            c.seq_len,
        ),
        format!(
            "micro-batch {} x gradient accumulation {} x {} = {} = {} a step; {}",
            c.micro_batch,
            c.grad_accum,
            counted(c.gpus, "GPU"),
            counted(c.global_batch_seqs, "sequence"),
            counted(c.global_batch_tokens, "token"),
            counted(c.steps, "step"),
        ),
        format!(
            "activation checkpointing {}; stack {}",
            on_off(c.activation_checkpointing),
            launch.stack.name,
        ),
        format!(
            "predicted, {} % of outcomes: {} tokens/s, {} to the budget{}",
            display_share(launch.confidence.get()),
            interval(c.throughput_tok_s, display_count),
            interval(c.time_to_budget_h, |hours| {
                display_hours_like(hours, c.time_to_budget_h.expected)
            }),
            // What a booking costs is told with it.
            launch
                .booking
                .map_or_else(|| cost(c.cost_usd), |_| String::new()),
        ),
        priced(c),
        format!(
            "memory per GPU: peak {:.1} of {:.1} GiB ({})",
            c.memory.peak_gib,
            c.memory.usable_gib,
            launch.verdict(),
        ),
        basis(c),
        checkpoints(launch),
        format!("planned by tminus {} with:", env!("CARGO_PKG_VERSION")),
        format!("  {}", launch.command),
    ];
    if let Some(booking) = launch.booking {
        lines.insert(lines.len() - 2, booked(launch, booking));
    }
    let cautions = launch.cautions();
    let notes: Vec<&String> = cautions.iter().chain(notes).collect();
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes.iter().map(|note| format!("NOTE: {note}")));
    }
    lines
}

/// The lines as comments; nothing in them can end a comment.
pub(super) fn comment(lines: &[String]) -> String {
    let mut out = String::new();
    for line in lines.iter().flat_map(|line| line.split('\n')) {
        // YAML 1.1 takes these for the end of a line too.
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
        let text: String = line
            .chars()
            .map(|c| if breaks(c) { ' ' } else { c })
            .collect();
        out.push_str(format!("# {text}").trim_end());
        out.push('\n');
    }
    out
}

fn interval(interval: Interval, show: impl Fn(f64) -> String) -> String {
    format!(
        "{} ({} to {})",
        show(interval.expected),
        show(interval.low),
        show(interval.high)
    )
}

fn dollars(value: f64) -> String {
    format!("${}", display_dollars(value))
}

fn cost(usd: Option<Interval>) -> String {
    usd.map_or_else(
        || ", cost unknown".to_owned(),
        |cost| format!(", {}", interval(cost, dollars)),
    )
}

/// What a GPU-hour is costed at, and who says so when; or why there is no cost.
fn priced(c: &Candidate) -> String {
    match c.usd_per_gpu_hour {
        Some(usd) => format!(
            "price: ${} per GPU-hour ({})",
            display_unit_price(usd),
            c.price_source
        ),
        None => format!("price: {}", c.price_source),
    }
}

/// Where and when it runs, and how likely it is done there.
fn booked(launch: &Launch<'_>, booking: &Booking) -> String {
    let spares = match booking.spares {
        0 => String::new(),
        spares => format!(", {spares} of them spare"),
    };
    let when = match (booking.start, booking.usable_until) {
        (Some(start), Some(until)) => format!("from {} to {}", start.rfc3339(), until.rfc3339()),
        _ => format!("for {}", display_hours(booking.usable_h)),
    };
    let used = booking.billing == Billing::Used;
    let last = booking.nodes_go().filter(|_| used);
    let stays = match (last, booking.staying_h().filter(|_| used)) {
        (Some(last), _) => format!(", its nodes go at {} at the latest", last.rfc3339()),
        (None, Some(hours)) => format!(", its nodes go {} after its start", display_hours(hours)),
        (None, None) => String::new(),
    };
    // Nodes that stay until the run is done are held against the deadline alone.
    let done = match launch.due {
        Some(Due::By(by)) if last.is_some_and(|last| last < by) => "done before they do".to_owned(),
        Some(Due::By(by)) if booking.billing == Billing::Used => {
            format!("done by the deadline, {},", by.rfc3339())
        }
        Some(Due::Within(span)) if booking.billing == Billing::Used => {
            format!("done within the {span} asked for")
        }
        _ => "done in time".to_owned(),
    };
    let less = launch.leaves_out();
    let less = less.map_or_else(String::new, |less| format!(", {less}"));
    let cost = match booking.upfront_usd {
        Some(usd) => format!(", {} upfront", dollars(usd)),
        None => cost(booking.cost_usd),
    };
    format!(
        "booking: {}{spares}, {}, {when}{stays}{cost}; {done} with a probability of {} %{less}",
        counted(booking.booked_nodes, "node"),
        booking.product_title,
        display_chance(booking.probability),
    )
}

fn basis(c: &Candidate) -> String {
    match c.basis {
        Basis::Measured => {
            "basis: measured, the tables hold this cell, gradient accumulation aside".into()
        }
        Basis::Interpolated => "basis: interpolated, inside the measured range".into(),
        Basis::Extrapolated => format!("basis: extrapolated: {}", c.basis_detail.axes.join("; ")),
    }
}

fn checkpoints(launch: &Launch<'_>) -> String {
    let unsaved = launch.candidate.checkpoint_interval_s.is_none();
    let carefree = launch.expected_failures <= 0.0;
    let failures = if carefree {
        "the planned time assumes no failures".to_owned()
    } else {
        format!("failures expected: {:.1}", launch.expected_failures)
    };
    let seconds = |steps: u64| steps as f64 * launch.candidate.step_time_s.expected;
    match launch.checkpoint_steps() {
        Some(steps) if unsaved && steps >= launch.candidate.steps => format!(
            "one checkpoint, at the end: a failure before loses all work, as the planned time assumes; \
             {failures}"
        ),
        Some(steps) => format!(
            "a checkpoint every {} ({} of training), {}; {failures}",
            counted(steps, "step"),
            display_hours(seconds(steps) / SECONDS_PER_HOUR),
            if launch.is_limited() {
                "more often than the planned time assumes, so that a stop at the time limit costs little"
            } else {
                "as the planned time assumes"
            },
        ),
        _ if carefree => format!("no checkpoints: {failures}, and one would lose all work so far"),
        _ => format!(
            "no checkpoints: a failure loses all work so far, as the planned time assumes; {failures}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_comment() {
        let lines = [
            "a\nrm -rf /".to_owned(),
            "b\r\u{85}c: d\u{2028}e".to_owned(),
        ];
        assert_eq!(comment(&lines), "# a\n# rm -rf /\n# b  c: d e\n");
    }
}
