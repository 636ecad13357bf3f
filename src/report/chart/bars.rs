//! Stacked bars: what a step's time and a GPU's memory are made of.

use crate::plan::Candidate;
use crate::report::number::significant;

use super::axis::{LEFT, RIGHT, tick};
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::{Chart, Key, series};

const ROW: f64 = 48.0;
const TOP: f64 = 6.0;
const BAR: f64 = 20.0;

/// One bar: its name, its parts, and a value to mark on it.
struct Bar {
    name: String,
    parts: Vec<(&'static str, f64)>,
    mark: f64,
    said: String,
}

/// Seconds of one optimizer step by part.
pub(crate) fn time_bars(candidates: &[Candidate]) -> Chart {
    let bars: Vec<Bar> = candidates
        .iter()
        .map(|c| {
            let step = c.step_time_s.expected;
            Bar {
                name: named(c),
                parts: c.time_parts_s.named().into(),
                mark: step,
                said: format!("{} s", significant(step)),
            }
        })
        .collect();
    stacked(
        &bars,
        "time",
        "Where a step's time goes",
        ("seconds per optimizer step", "step time"),
        "The mark is the expected step time. Where the correction to measured rows is negative, \
         the parts reach beyond it.",
    )
}

/// GiB of one GPU's peak by part, against the limit.
pub(crate) fn memory_bars(candidates: &[Candidate]) -> Chart {
    let bars: Vec<Bar> = candidates
        .iter()
        .map(|c| {
            let parts = c.memory.parts;
            Bar {
                name: named(c),
                parts: vec![
                    ("parameters, gradients, optimizer", parts.states_gib),
                    ("gathered parameters", parts.gathered_gib),
                    ("kept activations", parts.activations_gib),
                    ("logits and loss", parts.logits_gib),
                    ("workspace", parts.workspace_gib),
                ],
                mark: c.memory.usable_gib,
                said: format!("{:.1} of {:.1} GiB", c.memory.peak_gib, c.memory.usable_gib),
            }
        })
        .collect();
    stacked(
        &bars,
        "memory",
        "Memory of one GPU at its peak",
        ("GiB per GPU", "what a process can use"),
        "Between the parts and the mark lies what the allocator may need and what is left.",
    )
}

fn named(c: &Candidate) -> String {
    format!(
        "#{} {} × {}, {} × {}, ckpt {}",
        c.rank,
        c.gpus,
        c.gpu,
        c.micro_batch,
        c.grad_accum,
        if c.activation_checkpointing {
            "on"
        } else {
            "off"
        }
    )
}

fn stacked(
    bars: &[Bar],
    id: &str,
    title: &str,
    (unit, mark): (&str, &str),
    caption: &str,
) -> Chart {
    let bottom = TOP + ROW * bars.len() as f64;
    let left = 8.0;
    let totals = bars.iter().map(|bar| {
        let sum: f64 = bar.parts.iter().map(|(_, value)| value.max(0.0)).sum();
        sum.max(bar.mark)
    });
    let scale = Scale::from_zero(totals, left, RIGHT);
    let mut svg = Svg::default();
    for value in scale.ticks(5) {
        let at = scale.at(value);
        svg.line("grid", (at, TOP), (at, bottom));
        svg.text("tick", (at, bottom + 16.0), Anchor::Middle, &tick(value));
    }
    let mut legend: Vec<Key> = Vec::new();
    for (row, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64 + 18.0;
        svg.text("label", (left, y - 5.0), Anchor::Start, &short(&bar.name));
        svg.text("label", (RIGHT, y - 5.0), Anchor::End, &bar.said);
        let mut from = 0.0;
        for (index, (name, value)) in bar.parts.iter().enumerate() {
            if *value <= 0.0 {
                continue;
            }
            let (start, end) = (scale.at(from), scale.at(from + value));
            let said = format!("{name}: {} {unit}", significant(*value));
            let class = series(index);
            svg.bar(&class, (start, y), (end - start, BAR), &said);
            from += value;
            if !legend.iter().any(|key| key.class == class) {
                legend.push(Key::new(class, *name));
            }
        }
        let at = scale.at(bar.mark);
        svg.line("mark", (at, y - 3.0), (at, y + BAR + 3.0));
    }
    legend.sort_by(|a, b| a.class.cmp(&b.class));
    legend.push(Key::new("mark", mark));
    svg.text(
        "name",
        (f64::midpoint(LEFT, RIGHT), bottom + 36.0),
        Anchor::Middle,
        unit,
    );
    let said: Vec<String> = bars
        .iter()
        .map(|bar| {
            let parts: Vec<String> = bar
                .parts
                .iter()
                .map(|(name, value)| format!("{name} {}", significant(*value)))
                .collect();
            format!("{}: {} ({})", bar.name, bar.said, parts.join(", "))
        })
        .collect();
    Chart {
        title: title.to_owned(),
        svg: svg.finish(id, bottom + 44.0, title, &said.join("; ")),
        legend,
        caption: caption.to_owned(),
    }
}

/// What of a name fits beside the value.
fn short(name: &str) -> String {
    const MOST: usize = 40;
    if name.chars().count() <= MOST {
        name.to_owned()
    } else {
        let kept: String = name.chars().take(MOST - 1).collect();
        format!("{kept}…")
    }
}
