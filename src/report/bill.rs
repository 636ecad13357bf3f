//! What a candidate costs, line by line.

use crate::plan::Candidate;
use crate::quantity::Interval;

use super::number::{dollars, hours as show_hours, thousands, unit_price};
use super::{Cell, Column, Grid, Tone};

/// A line of a bill: GPU-hours × unit price = amount.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// What for.
    pub(super) item: String,
    pub(super) gpu_hours: f64,
    /// Dollars per GPU-hour, where a price is known.
    pub(super) unit: Option<f64>,
    /// Dollars, where a price is known.
    pub(super) usd: Option<f64>,
}

/// What the lines add up to, and the interval around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Total {
    pub(super) gpu_hours: Interval,
    pub(super) usd: Option<Interval>,
}

/// The bill of a candidate by what it is for; then the total and its interval.
pub(super) fn bill(c: &Candidate) -> Grid {
    let unit = c.usd_per_gpu_hour;
    let lines = c.cost_lines.iter();
    let lines = lines.map(|line| Line {
        item: line.item.words().to_owned(),
        gpu_hours: line.gpu_hours,
        unit,
        usd: line.usd,
    });
    let total = Total {
        gpu_hours: c.gpu_hours,
        usd: c.cost_usd,
    };
    itemised("item", lines.collect(), total)
}

/// Lines under a header, and their total; those of no GPU-hours are left out.
///
/// Amounts are rounded so that they add up to the rounded total: what rounding leaves over goes to
/// the largest line.
pub(super) fn itemised(header: &str, mut lines: Vec<Line>, total: Total) -> Grid {
    let rounded = total.usd.is_some_and(|usd| usd.expected >= ROUNDED_FROM);
    let whole = |usd| {
        if rounded {
            thousands(usd)
        } else {
            dollars(usd)
        }
    };
    let usd = adding_up(lines.iter().map(|line| line.usd.unwrap_or(0.0)).collect());
    for (line, usd) in lines.iter_mut().zip(usd) {
        line.usd = line.usd.map(|_| usd);
    }
    let same_unit = lines.first().and_then(|line| line.unit);
    let same_unit = same_unit.filter(|unit| lines.iter().all(|line| line.unit == Some(*unit)));
    let row = |line: &Line, tone: Tone| -> Vec<Cell> {
        let cells = [
            line.item.clone(),
            show_hours(line.gpu_hours),
            line.unit.map_or_else(none, unit_price),
            line.usd.map_or_else(none, whole),
        ];
        cells.map(|cell| Cell::from(cell).tone(tone)).into()
    };
    let shown = lines.iter().filter(|line| line.gpu_hours > 0.0);
    let mut rows: Vec<Vec<Cell>> = shown.map(|line| row(line, Tone::Plain)).collect();
    let end = |item: &str, of: fn(Interval) -> f64| Line {
        item: item.to_owned(),
        gpu_hours: of(total.gpu_hours),
        unit: same_unit,
        usd: total.usd.map(of),
    };
    rows.push(row(&end("total expected", |i| i.expected), Tone::Strong));
    rows.push(row(&end("total low", |i| i.low), Tone::Plain));
    rows.push(row(&end("total high", |i| i.high), Tone::Plain));
    Grid {
        columns: vec![
            Column::left(header),
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
