//! Rows of one lane: what would cover something else, or its label, goes below.

use super::super::scale::Scale;
use super::super::svg::{shortened, text_width};
use super::{LEFT, RIGHT};

/// What is taken of each row, from where to where on the page.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<Vec<(f64, f64)>>);

impl Rows {
    /// The row in which there is room from one hour to another, and for the label above.
    pub(super) fn place(&mut self, scale: &Scale, label: &str, (from, to): (f64, f64)) -> usize {
        let label = shortened(label, RIGHT - LEFT);
        let from = scale.at(from);
        let start = label_start(from, &label);
        let area = (
            start.min(from),
            scale.at(to).max(start + text_width(&label)),
        );
        let clear = |row: &Vec<(f64, f64)>| {
            row.iter()
                .all(|taken| area.1 + 4.0 <= taken.0 || taken.1 + 4.0 <= area.0)
        };
        let row = self.0.iter().position(clear).unwrap_or(self.0.len());
        if row == self.0.len() {
            self.0.push(Vec::new());
        }
        if let Some(row) = self.0.get_mut(row) {
            row.push(area);
        }
        row
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> &[Vec<(f64, f64)>] {
        &self.0
    }
}

/// Where a label starts, so that it ends on the page.
pub(super) fn label_start(from: f64, label: &str) -> f64 {
    from.min(RIGHT - text_width(label)).max(LEFT)
}
