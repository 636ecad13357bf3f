//! The ranked alternatives: what changes from one to the next, and why each is not recommended.

use crate::configuration::on_off;
use crate::plan::{Candidate, Plan};
use crate::quantity::{Interval, display_thousands};
use crate::reserve::{Reservation, RuledOut};

use super::super::number::{TimeUnit, dollars, range};
use super::super::ranking::is_short;
use super::super::words::{basis_name, ranked_by, same, verdict_tone};
use super::super::{Cell, Column, Grid, Tone};

/// Shares below this are not told: no interval is that narrow.
const TOLD: f64 = 0.005;

/// A row for each of a plan's candidates, held against what is recommended, and against what can be
/// booked where that was asked.
pub(super) fn grid(plan: &Plan, best: &Candidate, reservation: Option<&Reservation>) -> Grid {
    let candidates = &plan.candidates;
    // A ranking tells which can't be told apart from its first, by what it ranks by.
    let is_first = candidates.first().is_some_and(|first| same(first, best));
    let tied = (is_first && plan.front.is_none()).then(|| ranked_by(plan.request.sort));
    let unit = TimeUnit::of_hours(best.time_to_budget_h.expected);
    let above = std::iter::once(None).chain(candidates.iter().map(Some));
    let rows = candidates.iter().zip(above).map(|(c, above)| {
        let tone = if same(c, best) {
            Tone::Strong
        } else {
            Tone::Plain
        };
        let memory = format!("{:.1} of {:.1}", c.memory.peak_gib, c.memory.usable_gib);
        let cells: [Cell; 7] = [
            format!("{}{}", if is_short(c) { "~" } else { "" }, c.rank).into(),
            how(c).into(),
            with_range(c.time_to_budget_h, |hours| unit.show(hours)).into(),
            c.cost_usd
                .map_or_else(|| "–".into(), |cost| with_range(cost, dollars))
                .into(),
            Cell::from(memory).tone(verdict_tone(c.memory.verdict)),
            above
                .map_or_else(String::new, |above| step(above, c, unit))
                .into(),
            why_not(c, best, tied, reservation).into(),
        ];
        let toned = cells.into_iter().map(|cell| match cell.tone {
            Tone::Plain => cell.tone(tone),
            _ => cell,
        });
        toned.collect()
    });
    Grid {
        columns: vec![
            Column::right("#"),
            Column::left("configuration and basis"),
            Column::right(format!("time, {}", unit.name)),
            Column::right("cost, $"),
            Column::right("memory, GiB"),
            Column::left("changed from the one above"),
            Column::left("why not this one"),
        ],
        rows: rows.collect(),
    }
}

/// The expected value, and its interval on a line of its own.
pub(super) fn with_range(interval: Interval, show: impl Fn(f64) -> String) -> String {
    format!("{}\n({})", show(interval.expected), range(interval, &show))
}

/// The configuration in a few words, and what its figures rest on.
pub(super) fn how(c: &Candidate) -> String {
    format!(
        "{} × {} of {},\n{} × {}, seq {}, ckpt {},\n{}",
        display_thousands(c.gpus.into()),
        c.gpu,
        c.cluster,
        c.micro_batch,
        c.grad_accum,
        c.seq_len,
        on_off(c.activation_checkpointing),
        basis_name(c.basis),
    )
}

/// What differs from the candidate above, and on a front what that costs and saves.
fn step(above: &Candidate, c: &Candidate, unit: TimeUnit) -> String {
    let changes = changes(above, c);
    let Some(step) = c.pareto.and_then(|point| point.step) else {
        return changes;
    };
    let error = |apart: bool| {
        if apart {
            ""
        } else {
            " (within the model's error)"
        }
    };
    format!(
        "{changes}: ${} more{}, {} {} less{}",
        dollars(step.extra_usd),
        error(step.costs_told_apart),
        unit.show(step.hours_saved),
        unit.name,
        error(step.times_told_apart),
    )
}

/// What differs from the candidate ranked one place higher.
fn changes(above: &Candidate, c: &Candidate) -> String {
    let mut words = Vec::new();
    if above.cluster != c.cluster {
        words.push(format!("{} for {}", c.cluster, above.cluster));
    }
    let counts = [
        ("GPUs", above.gpus, c.gpus),
        ("sequence", above.seq_len, c.seq_len),
        ("micro-batch", above.micro_batch, c.micro_batch),
        ("accumulation", above.grad_accum, c.grad_accum),
    ];
    for (name, was, is) in counts {
        if was != is {
            words.push(format!("{name} {was} → {is}"));
        }
    }
    if above.activation_checkpointing != c.activation_checkpointing {
        words.push(format!("ckpt {}", on_off(c.activation_checkpointing)));
    }
    words.join(", ")
}

/// How it compares with what is recommended, and whether it could be booked at all.
fn why_not(
    c: &Candidate,
    best: &Candidate,
    tied: Option<&str>,
    reservation: Option<&Reservation>,
) -> String {
    let text = against(c, best, tied);
    match reservation.and_then(|reservation| no_booking(reservation, &c.cluster)) {
        Some(why) => format!("{text}; {why}"),
        None => text,
    }
}

/// Why nothing of a cluster is among the bookings; `None` where something is.
fn no_booking(reservation: &Reservation, cluster: &str) -> Option<String> {
    let mut bookings = reservation.bookings.iter();
    if bookings.any(|booking| booking.cluster == cluster) {
        return None;
    }
    let ruled_out = reservation.ruled_out.iter();
    let of_it: Vec<&RuledOut> = ruled_out.filter(|out| out.cluster == cluster).collect();
    if of_it.is_empty() {
        None
    } else if of_it.iter().any(|out| out.sold) {
        Some(format!(
            "no booking of {cluster} would do: see those ruled out"
        ))
    } else {
        let products: Vec<&str> = of_it.iter().map(|out| out.product.as_str()).collect();
        Some(format!("not sold by {}", products.join(" or ")))
    }
}

/// How much worse it is than what is recommended, and what costs the time. `tied` is what can't be told
/// apart from the best's where it is marked so.
fn against(c: &Candidate, best: &Candidate, tied: Option<&str>) -> String {
    if same(c, best) {
        return "recommended".into();
    }
    let time = c.time_to_budget_h.expected / best.time_to_budget_h.expected;
    let cost = c.cost_usd.zip(best.cost_usd);
    let cost = cost.map(|(own, other)| own.expected / other.expected);
    let mut text = differences(time, cost);
    if let Some(tied) = tied.filter(|_| c.tied_with_best) {
        text = format!("{text}; their {tied} can't be told apart");
    }
    match reason(c, best) {
        Some(reason) if time > 1.0 + TOLD => format!("{text}: {reason}"),
        _ => text,
    }
}

/// `19 % slower, 1 % cheaper`: times and costs against those of the first.
fn differences(time: f64, cost: Option<f64>) -> String {
    let slower = difference(time, ["% slower", "% less time", "times as slow"]);
    let dearer = ["% dearer", "% cheaper", "times as dear"];
    let dearer = cost.and_then(|cost| difference(cost, dearer));
    match (slower, dearer) {
        (None, None) if cost.is_none() => "as fast".to_owned(),
        (None, None) => "as fast and as dear".to_owned(),
        (Some(slower), Some(dearer)) if split(&slower).0 == split(&dearer).0 => {
            format!("{slower} and {}", split(&dearer).1)
        }
        (slower, dearer) => {
            let told: Vec<String> = [slower, dearer].into_iter().flatten().collect();
            told.join(", ")
        }
    }
}

/// The figure of a difference and its last word.
fn split(difference: &str) -> (&str, &str) {
    difference.rsplit_once(' ').unwrap_or((difference, ""))
}

/// `19 % slower`, `2.3 times as slow`, `92 % less time`; nothing where there is no telling.
fn difference(ratio: f64, [more, less, times]: [&str; 3]) -> Option<String> {
    let percent = ((ratio - 1.0).abs() * 100.0).round();
    if (ratio - 1.0).abs() < TOLD {
        None
    } else if ratio >= 1.995 {
        Some(format!("{ratio:.1} {times}"))
    } else if ratio > 1.0 {
        Some(format!("{percent} {more}"))
    } else if percent < 100.0 {
        Some(format!("{percent} {less}"))
    } else {
        Some(format!("over 99 {less}"))
    }
}

/// What makes it slower: fewer GPUs, or else the part of a step that grew most.
fn reason(c: &Candidate, best: &Candidate) -> Option<String> {
    if c.gpus < best.gpus {
        return Some(format!(
            "{} GPUs, not {}",
            display_thousands(c.gpus.into()),
            display_thousands(best.gpus.into())
        ));
    }
    // Steps may hold different numbers of tokens.
    let scale = best.global_batch_tokens as f64 / c.global_batch_tokens as f64;
    let parts = c.time_parts_s.named().into_iter();
    let grown = parts
        .zip(best.time_parts_s.named())
        // What measured rows correct has no cause that is known.
        .filter(|((name, _), _)| *name != "residual")
        .map(|((name, own), (_, other))| (name, own * scale - other))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let (name, seconds) = grown?;
    let share = seconds / best.step_time_s.expected;
    (share > TOLD).then(|| format!("{name} costs {} % of a step more", (share * 100.0).round()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::candidate;

    fn first() -> Candidate {
        let mut best = candidate();
        best.rank = 1;
        best
    }

    #[test]
    fn what_changes_is_named_and_nothing_else() {
        let (above, mut c) = (first(), candidate());
        assert_eq!(changes(&above, &c), "");
        c.gpus = 32;
        c.grad_accum = 8;
        c.activation_checkpointing = false;
        assert_eq!(
            changes(&above, &c),
            "GPUs 64 → 32, accumulation 4 → 8, ckpt off"
        );
        c.cluster = "r1z1".into();
        assert!(changes(&above, &c).starts_with("r1z1 for r7z2, GPUs"));
    }

    #[test]
    fn the_part_that_grew_most_is_the_reason() {
        let (best, mut c) = (first(), candidate());
        assert_eq!(against(&c, &best, Some("costs")), "recommended");
        (c.micro_batch, c.grad_accum) = (8, 2);
        assert_eq!(
            against(&c, &best, Some("costs")),
            "as fast and as dear; their costs can't be told apart"
        );
        // Against what isn't the ranking's first, its marks tell nothing.
        assert_eq!(against(&c, &best, None), "as fast and as dear");
        c.tied_with_best = false;
        assert_eq!(against(&c, &best, Some("costs")), "as fast and as dear");
        c.time_to_budget_h = c.time_to_budget_h.scale(1.2);
        c.cost_usd = c.cost_usd.map(|cost| cost.scale(1.1));
        c.time_parts_s.communication += 2.5;
        c.time_parts_s.matmul += 0.5;
        assert_eq!(
            against(&c, &best, Some("costs")),
            "20 % slower, 10 % dearer: communication costs 20 % of a step more"
        );
        c.gpus = 32;
        c.cost_usd = None;
        assert_eq!(
            against(&c, &best, Some("costs")),
            "20 % slower: 32 GPUs, not 64"
        );
        for (time, cost, text) in [
            (1.2, Some(1.2), "20 % slower and dearer"),
            (2.25, Some(2.25), "2.2 times as slow and dear"),
            (2.25, Some(0.9), "2.2 times as slow, 10 % cheaper"),
            (0.9, None, "10 % less time"),
            (0.51, Some(1.5), "49 % less time, 50 % dearer"),
            (0.08, Some(3.0), "92 % less time, 3.0 times as dear"),
            (0.4, Some(0.4), "60 % less time, 60 % cheaper"),
            (0.001, None, "over 99 % less time"),
            (1.0, None, "as fast"),
        ] {
            assert_eq!(differences(time, cost), text);
        }
    }

    #[test]
    fn a_larger_step_is_no_reason() {
        let (best, mut c) = (first(), candidate());
        c.global_batch_tokens *= 2;
        for part in [
            &mut c.time_parts_s.matmul,
            &mut c.time_parts_s.attention,
            &mut c.time_parts_s.memory_bound,
            &mut c.time_parts_s.communication,
            &mut c.time_parts_s.layer_overhead,
        ] {
            *part *= 2.0;
        }
        assert_eq!(reason(&c, &best), None);
    }
}
