//! What rows short of memory tell: how slow such runs are, and next to nothing of others.

use tminus::configuration::Configuration;
use tminus::measure::Measurement;
use tminus::memory::{self, Verdict};
use tminus::quantity::Confidence;
use tminus::throughput::Fit;
use tminus::throughput::evaluate::evaluate;

use super::{BASE, ROWS, predicted};

/// Rows of one node that ran as predicted.
fn even() -> Vec<Measurement> {
    let one_node = ROWS.iter().filter(|row| row.cluster.name == "r1z1");
    let as_predicted = |row: &Measurement| Measurement {
        throughput_tok_s: predicted(row, &row.setting()),
        ..row.clone()
    };
    one_node.step_by(53).map(as_predicted).collect()
}

/// The same with a larger micro-batch than fits by a little.
fn tight(row: &Measurement) -> Option<Measurement> {
    let with = |micro_batch| Measurement {
        configuration: Configuration {
            micro_batch,
            ..row.configuration
        },
        ..row.clone()
    };
    let verdict = |row: &Measurement| memory::estimate(&row.setting(), &row.configuration).verdict;
    (1..200)
        .map(with)
        .find(|row| verdict(row) == Verdict::Tight)
}

fn half_width(fit: &Fit, rows: &[Measurement]) -> f64 {
    let found = evaluate(fit, rows, Confidence::default()).unwrap();
    found.accuracy.half_width
}

#[test]
fn a_slow_run_short_of_memory_makes_no_other_slower() {
    let even = even();
    let mut rows = ROWS.iter().rev().filter(|row| row.cluster.name == "r1z1");
    let mut short = rows.find_map(tight).unwrap();
    // As slow as such runs are expected to be.
    short.throughput_tok_s = predicted(&short, &short.setting());
    let without = BASE.on_top("without", &even).unwrap();
    let with = BASE
        .on_top("with", &[even.clone(), vec![short.clone()]].concat())
        .unwrap();
    let error = evaluate(&with, &even, Confidence::default())
        .unwrap()
        .accuracy
        .mape;
    assert!(error < 0.01, "{error}");
    let (before, after) = (half_width(&without, &even), half_width(&with, &even));
    assert!(after < 1.2 * before, "{before} -> {after}");
    // It is predicted to be under pressure as before.
    let again = with.predict(
        &short.setting(),
        &short.configuration,
        Confidence::default(),
    );
    assert!(again.time_parts_s.memory_pressure > 0.0);
}

/// One row of a run that can't be may be a mistake; what is known of memory stays.
#[test]
fn one_row_that_overflows_does_not_end_pressure() {
    let even = even();
    let mut rows = ROWS.iter().rev().filter(|row| row.cluster.name == "r1z1");
    let short = rows.find_map(tight).unwrap();
    let mut overflowing = even[0].clone();
    while memory::estimate(&overflowing.setting(), &overflowing.configuration).verdict
        != Verdict::Overflows
    {
        overflowing.configuration.micro_batch *= 2;
    }
    // Of the stack that memory was measured on: other software may need less.
    overflowing.stack_told = true;
    overflowing.throughput_tok_s = predicted(&overflowing, &overflowing.setting());
    let fit = BASE
        .on_top("with", &[even, vec![overflowing]].concat())
        .unwrap();
    let again = fit.predict(
        &short.setting(),
        &short.configuration,
        Confidence::default(),
    );
    assert!(again.time_parts_s.memory_pressure > 0.0);
}
