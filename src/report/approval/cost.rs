//! What it costs, line by line.

use crate::hardware::Cluster;
use crate::plan::Candidate;

use super::super::number::{dollars, hours, unit_price};
use super::super::words::price_words;
use super::super::{Cell, Column, Grid, Tone};

/// Quantity × unit price = amount, a line each, and the totals.
pub(super) fn lines(best: &Candidate, cluster: Option<&Cluster>) -> Grid {
    let price = cluster.and_then(|cluster| cluster.prices.first());
    let unit = price.map(|price| price.usd_per_gpu_hour);
    let source = cluster.map_or_else(String::new, price_words);
    let rate = best.gpu_hours.expected / best.time_to_budget_h.expected;
    let train = best.train_h.expected * rate;
    let rest = best.gpu_hours.expected - train;
    let line = |item: &str, quantity: f64, tone: Tone, source: &str| -> Vec<Cell> {
        let known = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let cells: [Cell; 5] = [
            item.into(),
            hours(quantity).into(),
            known(unit.map(unit_price)).into(),
            known(unit.map(|unit| dollars(quantity * unit))).into(),
            source.into(),
        ];
        cells.into_iter().map(|cell| cell.tone(tone)).collect()
    };
    let spent = best.gpu_hours;
    let others = "start-up, checkpoints, failures";
    Grid {
        columns: vec![
            Column::left("item"),
            Column::right("quantity, GPU-hours"),
            Column::right("unit price, $"),
            Column::right("amount, $"),
            Column::left("price from"),
        ],
        rows: vec![
            line("training", train, Tone::Plain, &source),
            line(others, rest, Tone::Plain, &source),
            line("expected", spent.expected, Tone::Strong, ""),
            line("low end", spent.low, Tone::Plain, ""),
            line("high end", spent.high, Tone::Plain, ""),
        ],
    }
}
