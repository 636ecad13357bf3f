//! Stacked bars: what a step's time and a GPU's memory are made of.

use crate::plan::Candidate;
use crate::quantity::{Interval, display_thousands};
use crate::report::number::{range, significant};

use super::axis::across;
use super::scale::Scale;
use super::svg::{Anchor, Svg, WIDTH, shortened, text_width};
use super::{Chart, Key, series};

const LEFT: f64 = 8.0;
const RIGHT: f64 = WIDTH - 8.0;
const TOP: f64 = 2.0;
const ROW: f64 = 42.0;
const BAR: f64 = 18.0;

/// One bar: its name, its parts, what to mark on it, and what stands beside its name.
struct Bar {
    name: String,
    parts: Vec<(&'static str, f64)>,
    mark: f64,
    interval: Option<Interval>,
    said: String,
}

/// What several bars have in common.
struct Stack<'a> {
    id: &'a str,
    title: &'a str,
    unit: &'a str,
    /// What the mark stands for.
    mark: &'a str,
    caption: String,
}

/// Seconds of one optimizer step by part.
pub(crate) fn time_bars(candidates: &[Candidate]) -> Chart {
    let bars: Vec<Bar> = candidates
        .iter()
        .map(|c| {
            let step = c.step_time_s;
            let expected = significant(step.expected);
            Bar {
                name: named(c),
                parts: c.time_parts_s.named().into(),
                mark: step.expected,
                interval: Some(step),
                said: format!("{expected} s ({})", range(step, significant)),
            }
        })
        .collect();
    let negative = candidates.iter().any(|c| c.time_parts_s.residual < 0.0);
    let beyond = if negative {
        " Where the correction towards measured rows (the residual) is negative, the parts reach \
         beyond the mark."
    } else {
        ""
    };
    let stack = Stack {
        id: "time",
        title: "Where a step's time goes",
        unit: "seconds per optimizer step",
        mark: "expected step time",
        caption: format!("The leading candidates; the thin line is the interval.{beyond}"),
    };
    stacked(&bars, stack)
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
                interval: None,
                said: format!("{:.1} of {:.1} GiB", c.memory.peak_gib, c.memory.usable_gib),
            }
        })
        .collect();
    let stack = Stack {
        id: "memory",
        title: "Memory of one GPU at its peak",
        unit: "GiB per GPU",
        mark: "limit: what a process can use",
        caption: "The leading candidates. Between the parts and the limit lies what the allocator \
                  may need and what is left."
            .to_owned(),
    };
    stacked(&bars, stack)
}

/// The candidate in as few words as its bar has room for.
fn named(c: &Candidate) -> String {
    let checkpointing = if c.activation_checkpointing {
        " ckpt"
    } else {
        ""
    };
    format!(
        "#{} {} GPUs, {} × {}{checkpointing}",
        c.rank,
        display_thousands(c.gpus.into()),
        c.micro_batch,
        c.grad_accum,
    )
}

fn stacked(bars: &[Bar], stack: Stack<'_>) -> Chart {
    let bottom = TOP + ROW * bars.len() as f64 + 4.0;
    let longest = bars.iter().map(|bar| {
        let sum: f64 = bar.parts.iter().map(|(_, value)| value.max(0.0)).sum();
        let high = bar.interval.map_or(0.0, |interval| interval.high);
        sum.max(bar.mark).max(high)
    });
    let scale = Scale::from_zero(longest, LEFT, RIGHT);
    let mut svg = Svg::default();
    across(&mut svg, &scale, (TOP, bottom));
    let mut legend: Vec<Key> = Vec::new();
    for (row, bar) in bars.iter().enumerate() {
        let top = TOP + ROW * row as f64 + 17.0;
        drawn(&mut svg, &scale, bar, (top, stack.unit));
        for (index, (name, value)) in bar.parts.iter().enumerate() {
            let class = series(index);
            if *value > 0.0 && !legend.iter().any(|key| key.class == class) {
                legend.push(Key::new(class, *name));
            }
        }
    }
    legend.sort_by(|a, b| a.class.cmp(&b.class));
    legend.push(Key::new("mark", stack.mark));
    let middle = (f64::midpoint(LEFT, RIGHT), bottom + 36.0);
    svg.text("name", middle, Anchor::Middle, stack.unit);
    let said: Vec<String> = bars.iter().map(described).collect();
    Chart {
        title: stack.title.to_owned(),
        svg: svg.finish(stack.id, bottom + 44.0, stack.title, &said.join("; ")),
        legend,
        caption: stack.caption,
    }
}

/// One bar, with its name above it.
fn drawn(svg: &mut Svg, scale: &Scale, bar: &Bar, (top, unit): (f64, &str)) {
    let room = RIGHT - LEFT - text_width(&bar.said) - 8.0;
    let name = shortened(&bar.name, room);
    svg.text("label", (LEFT, top - 5.0), Anchor::Start, &name);
    svg.text("label", (RIGHT, top - 5.0), Anchor::End, &bar.said);
    let mut from = 0.0;
    for (index, (name, value)) in bar.parts.iter().enumerate() {
        if *value <= 0.0 {
            continue;
        }
        let (start, end) = (scale.at(from), scale.at(from + value));
        let said = format!("{name}: {} {unit}", significant(*value));
        let class = format!("part {}", series(index));
        svg.bar(&class, (start, top), (end - start, BAR), &said);
        from += value;
    }
    if let Some(interval) = bar.interval {
        let middle = top + BAR / 2.0;
        let (low, high) = (scale.at(interval.low), scale.at(interval.high));
        svg.line("extent under", (low, middle), (high, middle));
        svg.line("extent", (low, middle), (high, middle));
    }
    let at = scale.at(bar.mark);
    svg.line("mark under", (at, top - 2.0), (at, top + BAR + 2.0));
    svg.line("mark", (at, top - 2.0), (at, top + BAR + 2.0));
}

fn described(bar: &Bar) -> String {
    let parts: Vec<String> = bar
        .parts
        .iter()
        .map(|(name, value)| format!("{name} {}", significant(*value)))
        .collect();
    format!("{}: {} ({})", bar.name, bar.said, parts.join(", "))
}
