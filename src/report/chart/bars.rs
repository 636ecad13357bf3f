//! Stacked bars: what a step's time and a GPU's memory are made of.

use crate::plan::Candidate;
use crate::quantity::Interval;
use crate::report::number::{dollars, range, significant, thousands};

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

/// Candidates to compare, each with what its bar is called, and what they are.
#[derive(Debug, Clone)]
pub(crate) struct Compared<'a> {
    /// The candidates and their names.
    pub(crate) bars: Vec<(String, &'a Candidate)>,
    /// What they are: `The leading candidates`.
    pub(crate) what: &'static str,
}

/// Seconds of one optimizer step by part.
pub(crate) fn time_bars(compared: &Compared<'_>) -> Chart {
    let bars: Vec<Bar> = compared
        .bars
        .iter()
        .map(|(name, c)| {
            let step = c.step_time_s;
            let expected = significant(step.expected);
            Bar {
                name: name.clone(),
                parts: c.time_parts_s.named().into(),
                mark: step.expected,
                interval: Some(step),
                said: format!("{expected} s ({})", range(step, significant)),
            }
        })
        .collect();
    let below = |(_, c): &(String, &Candidate)| c.time_parts_s.residual < 0.0;
    let negative = compared.bars.iter().any(below);
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
        caption: format!("{}; the thin line is the interval.{beyond}", compared.what),
    };
    stacked(&bars, stack)
}

/// GiB of one GPU's peak by part, against the limit.
pub(crate) fn memory_bars(compared: &Compared<'_>) -> Chart {
    let bars: Vec<Bar> = compared
        .bars
        .iter()
        .map(|(name, c)| {
            let parts = c.memory.parts;
            Bar {
                name: name.clone(),
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
        caption: format!(
            "{}. Between the parts and the limit lies what the allocator may need and what is left.",
            compared.what
        ),
    };
    stacked(&bars, stack)
}

/// Dollars of each run by what they are for; GPU-hours where a price is missing.
pub(crate) fn cost_bars(compared: &Compared<'_>) -> Chart {
    let priced = |(_, c): &(String, &Candidate)| c.cost_usd.is_some();
    let priced = compared.bars.iter().all(priced);
    let bars: Vec<Bar> = compared
        .bars
        .iter()
        .map(|(name, c)| {
            let total = c.cost_usd.filter(|_| priced).unwrap_or(c.gpu_hours);
            let parts = c.cost_lines.iter().map(|line| {
                let usd = line.usd.filter(|_| priced);
                (line.item.words(), usd.unwrap_or(line.gpu_hours))
            });
            let show = |value: f64| {
                if priced {
                    dollars(value)
                } else {
                    thousands(value)
                }
            };
            let unit = if priced { "$" } else { "" };
            Bar {
                name: name.clone(),
                parts: parts.collect(),
                mark: total.expected,
                interval: Some(total),
                said: format!("{unit}{} ({})", show(total.expected), range(total, show)),
            }
        })
        .collect();
    let (title, unit) = if priced {
        ("What each run costs", "US dollars")
    } else {
        ("What each run takes", "GPU-hours")
    };
    let stack = Stack {
        id: "cost",
        title,
        unit,
        mark: "expected",
        caption: format!("{}; the thin line is the interval.", compared.what),
    };
    stacked(&bars, stack)
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
