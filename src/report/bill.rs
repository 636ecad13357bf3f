//! What a candidate costs, line by line.

use crate::plan::Candidate;

use super::number::{dollars, thousands};
use super::{Cell, Column, Grid, Tone};

/// GPU-hours × unit price = amount, by what it is for; then the total and its interval.
///
/// Amounts are rounded so that they add up to the rounded total: what rounding leaves over goes to
/// the largest line.
pub(super) fn bill(c: &Candidate) -> Grid {
    let unit = c.usd_per_gpu_hour;
    let rounded = c.cost_usd.is_some_and(|cost| cost.expected >= ROUNDED_FROM);
    let whole = |usd| {
        if rounded {
            thousands(usd)
        } else {
            dollars(usd)
        }
    };
    let row = |item: &str, hours: f64, usd: Option<f64>, tone: Tone| -> Vec<Cell> {
        let cells = [
            item.to_owned(),
            thousands(hours),
            unit.map_or_else(none, |unit| unit.to_string()),
            usd.map_or_else(none, whole),
        ];
        cells.map(|cell| Cell::from(cell).tone(tone)).into()
    };
    let hours = adding_up(c.cost_lines.iter().map(|line| line.gpu_hours).collect());
    let usd = adding_up(
        c.cost_lines
            .iter()
            .map(|line| line.usd.unwrap_or(0.0))
            .collect(),
    );
    let lines = c.cost_lines.iter().zip(hours.iter().zip(&usd));
    let shown = lines.filter(|(line, _)| line.gpu_hours > 0.0);
    let mut rows: Vec<Vec<Cell>> = shown
        .map(|(line, (hours, usd))| row(line.item.words(), *hours, unit.map(|_| *usd), Tone::Plain))
        .collect();
    let total = [
        (
            "total expected",
            c.gpu_hours.expected,
            c.cost_usd.map(|cost| cost.expected),
            Tone::Strong,
        ),
        (
            "total low",
            c.gpu_hours.low,
            c.cost_usd.map(|cost| cost.low),
            Tone::Plain,
        ),
        (
            "total high",
            c.gpu_hours.high,
            c.cost_usd.map(|cost| cost.high),
            Tone::Plain,
        ),
    ];
    rows.extend(total.map(|(item, hours, usd, tone)| row(item, hours, usd, tone)));
    Grid {
        columns: vec![
            Column::left("item"),
            Column::right("GPU-hours"),
            Column::right("$ per GPU-hour"),
            Column::right("US dollars"),
        ],
        rows,
    }
}

fn none() -> String {
    "–".to_owned()
}

/// Totals from which on amounts are shown whole.
const ROUNDED_FROM: f64 = 100.0;

/// Whole amounts that add up to the whole total; amounts under 100 in all stay as they are.
fn adding_up(mut amounts: Vec<f64>) -> Vec<f64> {
    let total: f64 = amounts.iter().sum();
    if !(ROUNDED_FROM..1e15).contains(&total) {
        return amounts;
    }
    for amount in &mut amounts {
        *amount = amount.round();
    }
    let left = total.round() - amounts.iter().sum::<f64>();
    if let Some(largest) = amounts.iter_mut().max_by(|a, b| a.total_cmp(b)) {
        *largest += left;
    }
    amounts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_adds_up(amounts in prop::collection::vec(0.0..1e6_f64, 1..6)) {
            let total: f64 = amounts.iter().sum();
            let shown: f64 = adding_up(amounts).iter().sum();
            prop_assert!(total < 100.0 || (shown - total.round()).abs() < 1e-6);
        }
    }
}
