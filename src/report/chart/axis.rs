//! The frame of a chart: axes, grid lines, ticks, names with units.

use crate::quantity::display_count;
use crate::report::number::significant;

use super::scale::Scale;
use super::svg::{Anchor, Svg, WIDTH, text_width};

/// Height of a chart with two axes.
pub(crate) const HEIGHT: f64 = 264.0;
/// The drawing's edges: left, right, top, bottom.
pub(crate) const LEFT: f64 = 46.0;
pub(crate) const RIGHT: f64 = WIDTH - 10.0;
pub(crate) const TOP: f64 = 26.0;
pub(crate) const BOTTOM: f64 = HEIGHT - 44.0;

/// Draws both axes, each with its name and unit.
pub(crate) fn frame(svg: &mut Svg, x: &Scale, y: &Scale, names: (&str, &str)) {
    for value in y.ticks(6) {
        let at = y.at(value);
        svg.line("grid", (LEFT, at), (RIGHT, at));
        svg.text("tick", (LEFT - 6.0, at + 4.0), Anchor::End, &tick(value));
    }
    across(svg, x, (TOP, BOTTOM));
    svg.line("axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
    svg.line("axis", (LEFT, TOP), (LEFT, BOTTOM));
    let middle = f64::midpoint(LEFT, RIGHT);
    let (x_name, y_name) = (
        format!("{}{}", names.0, x.note()),
        format!("{}{}", names.1, y.note()),
    );
    svg.text("name", (middle, HEIGHT - 8.0), Anchor::Middle, &x_name);
    svg.text("name", (2.0, TOP - 13.0), Anchor::Start, &y_name);
}

/// Grid lines with a label below each, from `top` to `bottom`; a label without room is left out.
pub(crate) fn across(svg: &mut Svg, x: &Scale, (top, bottom): (f64, f64)) {
    let mut free = f64::NEG_INFINITY;
    for value in x.ticks(6) {
        let (at, label) = (x.at(value), tick(value));
        let half = text_width(&label) / 2.0;
        if at - half < free || at + half > WIDTH {
            continue;
        }
        free = at + half + 6.0;
        svg.line("grid", (at, top), (at, bottom));
        svg.text("tick", (at, bottom + 16.0), Anchor::Middle, &label);
    }
}

/// A tick's label, short.
pub(crate) fn tick(value: f64) -> String {
    if value.abs() >= 1000.0 {
        let text = display_count(value.abs());
        let sign = if value < 0.0 { "-" } else { "" };
        let text = match text.split_at_checked(text.len().saturating_sub(1)) {
            Some((digits, suffix)) if digits.contains('.') => {
                let digits = digits.trim_end_matches('0').trim_end_matches('.');
                format!("{digits}{suffix}")
            }
            _ => text,
        };
        format!("{sign}{text}")
    } else {
        let text = significant(value);
        if text.contains('.') && !text.contains('e') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    }
}

/// Labels that don't cover one another: each is drawn only where there is room.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    taken: Vec<(f64, f64, f64, f64)>,
}

impl Labels {
    /// Draws `text` below, above or beside `at`, or not at all.
    pub(crate) fn place(&mut self, svg: &mut Svg, at: (f64, f64), text: &str) {
        let width = text_width(text);
        let places = [
            (at.0 - width / 2.0, at.1 + 18.0),
            (at.0 - width / 2.0, at.1 - 9.0),
            (at.0 + 9.0, at.1 + 4.0),
            (at.0 - width - 9.0, at.1 + 4.0),
        ];
        for (x, y) in places {
            let area = (x, y - 11.0, x + width, y + 3.0);
            let inside = area.0 > LEFT && area.2 < RIGHT && area.1 > TOP - 6.0 && area.3 < BOTTOM;
            if inside && !self.taken.iter().any(|other| overlap(*other, area)) {
                self.taken.push(area);
                svg.text("label", (x, y), Anchor::Start, text);
                return;
            }
        }
    }
}

fn overlap(a: (f64, f64, f64, f64), b: (f64, f64, f64, f64)) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}
