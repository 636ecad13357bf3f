//! Predicted against measured throughput of rows that the fit did not see.

use crate::quantity::counted;
use crate::report::number::{percent, thousands};
use crate::throughput::evaluate::{Evaluation, RowResult};

use super::axis::{BOTTOM, HEIGHT, LEFT, RIGHT, TOP, frame};
use super::scale::Scale;
use super::svg::Svg;
use super::{Chart, Key, Names, series};

/// How far a prediction lies above what was measured, in percent of it.
fn above(predicted: f64, row: &RowResult) -> f64 {
    (predicted / row.measured_tok_s - 1.0) * 100.0
}

fn speed(row: &RowResult) -> f64 {
    row.measured_tok_s / row.gpus as f64
}

/// How far the prediction of each row lies from what was measured, with its interval, against the
/// speed measured. A plot of one against the other would show a straight line and hide the errors.
pub(crate) fn accuracy(found: &Evaluation, unseen: &str) -> Chart {
    let rows = &found.predictions;
    let x = Scale::log(rows.iter().map(speed), LEFT, RIGHT);
    let ends = rows.iter().flat_map(|row| {
        let predicted = row.predicted_tok_s;
        [predicted.low, predicted.high].map(|end| above(end, row))
    });
    let y = Scale::even(ends.chain([0.0]), BOTTOM, TOP);
    let mut svg = Svg::default();
    let names = (
        "measured tokens per second and GPU",
        "predicted above measured, %",
    );
    frame(&mut svg, &x, &y, names);
    let counts = gpu_counts(rows);
    for row in rows {
        let class = format!("whisker faint {}", series(counts.of(&count_name(row))));
        let ends = [row.predicted_tok_s.low, row.predicted_tok_s.high];
        let [low, high] = ends.map(|end| (x.at(speed(row)), y.at(above(end, row))));
        svg.line(&class, low, high);
    }
    let level = y.at(0.0);
    svg.line("ideal", (LEFT, level), (RIGHT, level));
    for row in rows {
        let predicted = row.predicted_tok_s.expected;
        let said = format!(
            "{} on {} GPUs, sequence {}: measured {}, predicted {}",
            row.model,
            row.gpus,
            row.seq_len,
            thousands(row.measured_tok_s),
            thousands(predicted)
        );
        let at = (x.at(speed(row)), y.at(above(predicted, row)));
        svg.point(counts.of(&count_name(row)), at, 2.6, &said);
    }
    let mut legend = counts.keys();
    legend.push(Key::new("whisker", "interval"));
    legend.push(Key::new("ideal", "predicted = measured"));
    let title = "Predicted against measured";
    let rows_said = format!(
        "{}, each predicted by a fit that did not see {unseen}",
        counted(rows.len() as u64, "measured row")
    );
    let errors = format!(
        "mean error {} %, median {} %; {} % lie inside their interval",
        percent(found.accuracy.mape),
        percent(found.accuracy.median_ape),
        percent(found.accuracy.coverage)
    );
    Chart {
        title: title.to_owned(),
        svg: svg.finish("accuracy", HEIGHT, title, &format!("{rows_said}: {errors}")),
        legend,
        caption: format!("{rows_said}: {errors}."),
    }
}

fn count_name(row: &RowResult) -> String {
    format!("{} GPUs", row.gpus)
}

/// The GPU counts, fewest first.
fn gpu_counts(rows: &[RowResult]) -> Names {
    let mut sorted: Vec<&RowResult> = rows.iter().collect();
    sorted.sort_by_key(|row| row.gpus);
    let mut names = Names::default();
    for row in sorted {
        names.index(&count_name(row));
    }
    names
}
