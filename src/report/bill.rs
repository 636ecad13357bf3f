//! What a candidate costs, line by line.

use crate::plan::Candidate;
use crate::quantity::{Interval, dollar_digit};

use super::number::{dollars, hours as show_hours, unit_price};
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
    itemised("item", &lines.collect::<Vec<_>>(), total)
}

/// Lines under a header, and their total; those of no GPU-hours are left out.
///
/// An amount is rounded by itself, as everywhere in a report: the header says so where the lines
/// can be seen not to add up.
pub(super) fn itemised(header: &str, lines: &[Line], total: Total) -> Grid {
    let amount = if is_off(lines, total.usd.map(|usd| usd.expected)) {
        "US dollars,\neach rounded"
    } else {
        "US dollars"
    };
    let same_unit = lines.first().and_then(|line| line.unit);
    let same_unit = same_unit.filter(|unit| lines.iter().all(|line| line.unit == Some(*unit)));
    let row = |line: &Line, tone: Tone| -> Vec<Cell> {
        let cells = [
            line.item.clone(),
            show_hours(line.gpu_hours),
            line.unit.map_or_else(none, unit_price),
            line.usd.map_or_else(none, dollars),
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
            Column::right(amount),
        ],
        rows,
    }
}

fn none() -> String {
    "–".to_owned()
}

/// Dollars as they are shown.
fn shown(usd: f64) -> f64 {
    let digits = dollar_digit(usd).recip();
    (usd * digits).round() / digits
}

/// Whether lines, each rounded by itself, can be seen not to add up to the total.
fn is_off(lines: &[Line], total: Option<f64>) -> bool {
    let sum: f64 = lines.iter().filter_map(|line| line.usd).map(shown).sum();
    total.is_some_and(|total| (sum - shown(total)).abs() > 0.5 * dollar_digit(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(usd: f64) -> Line {
        Line {
            item: "job".to_owned(),
            gpu_hours: usd / 2.0,
            unit: Some(2.0),
            usd: Some(usd),
        }
    }

    fn amounts(lines: &[Line]) -> (String, Vec<String>) {
        let sum: f64 = lines.iter().filter_map(|line| line.usd).sum();
        let total = Total {
            gpu_hours: Interval::exactly(sum / 2.0),
            usd: Some(Interval::exactly(sum)),
        };
        let grid = itemised("job", lines, total);
        let last = |cells: &Vec<Cell>| cells.last().unwrap().text.clone();
        let header = grid.columns.last().unwrap().header.clone();
        (header, grid.rows.iter().map(last).collect())
    }

    /// What rounding leaves over is nobody's: equal lines read alike.
    #[test]
    fn a_line_is_its_own_amount() {
        let (header, shown) = amounts(&vec![line(1.33); 90]);
        assert_eq!((header.as_str(), shown.len()), ("US dollars", 93));
        assert!(shown[..90].iter().all(|usd| usd == "1.33"), "{shown:?}");
        assert_eq!(shown[90], "120");
        let (header, shown) = amounts(&[25_429.4, 1_380.4, 8_840.4].map(line));
        assert_eq!(shown[..4], ["25,429", "1,380", "8,840", "35,650"]);
        assert!(header.contains("each rounded"), "{header}");
    }
}
