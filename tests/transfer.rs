//! Few rows of another place put the rest right, and advised rows more so than random ones.
//!
//! The places are made from the measured rows: under another stack's name, for models that the fit
//! they are put on top of never saw, faster or slower by part as the physics says, and with or
//! without unevenness of their own. What the correction knows and doesn't know of real rows is
//! so in the test as it is outside.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod dice;

use std::sync::{Arc, LazyLock};

use dice::Dice;
use tminus::advise::{MeasuringLimits, advise_among};
use tminus::configuration::Setting;
use tminus::measure::{self, MOSAICGPT_2023, Measurement};
use tminus::preset::Catalog;
use tminus::quantity::Confidence;
use tminus::stack::{Precision, Stack};
use tminus::throughput::Fit;
use tminus::throughput::coefficients::{Id, Values};
use tminus::throughput::evaluate::{Accuracy, evaluate};
use tminus::throughput::physics::Rates;
use tminus::throughput::workload::Workload;

static ROWS: LazyLock<Vec<Measurement>> = LazyLock::new(|| {
    measure::read("mosaicgpt-2023.csv", MOSAICGPT_2023, &Catalog::embedded())
        .unwrap()
        .rows
});

static ALL: LazyLock<Fit> = LazyLock::new(|| Fit::new("all", ROWS.clone()).unwrap());

/// The smallest model's rows alone.
static ONE_MODEL: LazyLock<Fit> = LazyLock::new(|| {
    let one = ROWS.iter().filter(|row| row.model == "gpt-125m");
    Fit::new("gpt-125m", one.cloned().collect()).unwrap()
});

/// About a standard Gaussian: the sum of twelve uniform numbers.
fn gaussian(dice: &mut Dice) -> f64 {
    (0..12).map(|_| dice.uniform()).sum::<f64>() - 6.0
}

/// `count` different indices below `of`.
fn some(dice: &mut Dice, count: usize, of: usize) -> Vec<usize> {
    let mut all: Vec<(f64, usize)> = (0..of).map(|index| (dice.uniform(), index)).collect();
    all.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    all.into_iter()
        .take(count)
        .map(|(_, index)| index)
        .collect()
}

/// Another place, and the fit that its rows are put on top of.
struct Place {
    name: &'static str,
    base: &'static Fit,
    precision: Precision,
    /// Coefficients that differ there, and by what factor.
    changes: &'static [(Id, f64)],
    /// Standard deviation of its rows' unevenness.
    scatter: f64,
}

/// What software of some years later changes.
const LATER: &[(Id, f64)] = &[
    (Id::AttentionForward64, 1.6),
    (Id::AttentionBackward64, 1.5),
    (Id::AttentionForward128, 1.9),
    (Id::AttentionBackward128, 1.6),
    (Id::LayerBytes, 0.6),
    (Id::RecomputeBytes, 0.7),
    (Id::LossBytes, 0.6),
    (Id::LayerOverhead, 0.7),
    (Id::BusBandwidth, 1.2),
    (Id::MatmulEfficiency, 1.04),
];

/// What slower clocks, hosts and links change.
const SLOWER: &[(Id, f64)] = &[
    (Id::MatmulEfficiency, 0.85),
    (Id::LayerOverhead, 1.8),
    (Id::BusBandwidth, 0.6),
    (Id::LayerBytes, 1.2),
    (Id::AttentionBackward128, 1.4),
];

impl Place {
    /// Its rows, uneven in the `way`-th way.
    fn rows(&self, way: u64) -> Vec<Measurement> {
        let values = ALL.layers().next().unwrap().values;
        let mut fitted = *values.fitted();
        for (id, factor) in self.changes {
            fitted[*id as usize] += factor.ln();
        }
        let changed = Values::new(fitted);
        let mut dice = Dice(way);
        let others = ROWS
            .iter()
            .filter(|row| row.cluster.name == "r1z1" && row.model != "gpt-125m");
        others
            .map(|row| {
                let stack = Stack {
                    name: self.name.into(),
                    precision: self.precision,
                    ..(*row.stack).clone()
                };
                let there = Measurement {
                    stack: Arc::new(stack),
                    ..row.clone()
                };
                let slowdown = log_step(&there, &there.setting(), &changed)
                    - log_step(row, &row.setting(), &values)
                    + self.scatter * gaussian(&mut dice);
                Measurement {
                    throughput_tok_s: row.throughput_tok_s * (-slowdown).exp(),
                    ..there
                }
            })
            .collect()
    }

    /// How well the other rows are predicted once a few are measured.
    fn rest_after(&self, few: &[usize], rows: &[Measurement]) -> Accuracy {
        let own: Vec<Measurement> = few.iter().map(|index| rows[*index].clone()).collect();
        let fit = self.base.on_top("few", &own).unwrap();
        let rest = rows.iter().enumerate();
        let rest: Vec<Measurement> = rest
            .filter(|(index, _)| !few.contains(index))
            .map(|(_, row)| row.clone())
            .collect();
        let found = evaluate(&fit, &rest, Confidence::default());
        found.unwrap().accuracy
    }

    /// Errors after random draws of `count` rows and after advised rows, over several ways of
    /// being uneven; the best first.
    fn judged(&self, count: usize) -> (Vec<Accuracy>, Vec<Accuracy>) {
        let ways = if self.scatter > 0.0 { 9 } else { 1 };
        let (mut drawn, mut advised) = (Vec::new(), Vec::new());
        for way in 0..ways {
            let rows = self.rows(way);
            let mut dice = Dice(way);
            let draws = (0..27 / ways).map(|_| some(&mut dice, count, rows.len()));
            drawn.extend(draws.map(|few| self.rest_after(&few, &rows)));
            advised.push(self.rest_after(&self.advised(count, &rows), &rows));
        }
        for errors in [&mut drawn, &mut advised] {
            errors.sort_by(|a, b| a.mape.total_cmp(&b.mape));
        }
        (drawn, advised)
    }

    fn advised(&self, count: usize, rows: &[Measurement]) -> Vec<usize> {
        let limits = MeasuringLimits {
            count,
            ..MeasuringLimits::default()
        };
        let advice = advise_among(rows, self.base, Confidence::default(), &limits).unwrap();
        let index = |picked: &Measurement| rows.iter().position(|row| row.line == picked.line);
        advice.table.iter().map(|row| index(row).unwrap()).collect()
    }
}

fn log_step(row: &Measurement, setting: &Setting<'_>, values: &Values) -> f64 {
    let configuration = row.configuration;
    let work = Workload::new(
        setting,
        configuration.gpus,
        configuration.seq_len,
        configuration.activation_checkpointing,
    );
    let tokens = configuration.micro_batch_tokens() as f64;
    let (log, _) = Rates::new(&work, values).log_step(tokens, configuration.grad_accum as f64);
    log
}

fn places() -> [Place; 5] {
    let place = |name, base, precision, changes, scatter| Place {
        name,
        base,
        precision,
        changes,
        scatter,
    };
    let (bf16, fp32) = (Precision::Bf16Gather, Precision::Fp32Gather);
    [
        place(
            "as measured, on gpt-125m alone",
            &*ONE_MODEL,
            fp32,
            &[],
            0.0,
        ),
        place("later software", &*ALL, bf16, LATER, 0.0),
        place("later software, uneven", &*ALL, bf16, LATER, 0.03),
        place("slower throughout", &*ALL, bf16, SLOWER, 0.0),
        place("slower throughout, uneven", &*ALL, bf16, SLOWER, 0.03),
    ]
}

#[test]
fn few_rows_put_the_rest_right_and_advised_ones_more_so() {
    let mut unquoted = Vec::new();
    for place in places() {
        for (count, most, covered) in [(5, 0.045, 0.75), (10, 0.04, 0.75)] {
            let (drawn, advised) = place.judged(count);
            let (median, advised) = (&drawn[drawn.len() / 2], &advised[advised.len() / 2]);
            let coverage = drawn.iter().map(|rest| rest.coverage).sum::<f64>() / drawn.len() as f64;
            let row = format!(
                "| {} | {count} | {:.1} % | {:.1} % | {:.1} % | {:.0} % |",
                place.name,
                median.mape * 100.0,
                drawn[drawn.len() - 1].mape * 100.0,
                advised.mape * 100.0,
                coverage * 100.0
            );
            assert!(median.mape < most && coverage > covered, "{row}");
            assert!(advised.mape < median.mape, "{row}");
            if !include_str!("../README.md").contains(&row) {
                unquoted.push(row);
            }
        }
    }
    assert!(unquoted.is_empty(), "{}", unquoted.join("\n"));
}

/// Seconds of a step on eight A100 by other laws than the model's own: matrix products whose share of the
/// peak comes up to the chip's exponentially with the width, and to half of it at 1500 tokens; attention
/// that comes up to half of the peak with the sequence; three tenths of the traffic in the open.
fn other_laws_step_s(row: &Measurement) -> f64 {
    let (run, shape) = (&row.configuration, &row.shape);
    let (peak, hbm) = (312e12, 2.039e12);
    let [d, layers, s, vocabulary, params] = [
        shape.d_model,
        shape.n_layers,
        run.seq_len,
        shape.vocab_size,
        shape.params(run.seq_len),
    ]
    .map(|count| count as f64);
    let recompute = f64::from(u8::from(run.activation_checkpointing));
    let t = run.micro_batch_tokens() as f64;
    let share = 0.72 * (1.0 - (-(d / 300.0).powf(0.9)).exp()) * t / (t + 1500.0);
    let blocks = 24.0 * layers * d * d * t * (3.0 + recompute) / (peak * share);
    let head = 6.0 * vocabulary * d * t / (peak * 0.72 * d / (d + 250.0));
    let attention = 2.0 * s * d * t * layers * (3.75 + recompute) / (peak * 0.5 * s / (s + 800.0));
    let traffic = (25.0 * layers * d * (3.0 + recompute) + 50.0 * vocabulary) * t / hbm;
    let wire = 0.3 * 8.0 * params / 170e9;
    run.grad_accum as f64 * (blocks + head + attention + traffic + wire) + 8e-3 + 5.0 * params / hbm
}

/// What narrow matrix products gain by later software is no gain of wide ones: a few rows of whatever models
/// must not take it for one, and must know that they don't know.
#[test]
fn few_rows_of_software_that_saturates_otherwise_put_the_rest_right() {
    let stack = Arc::new(Stack {
        name: "other laws".into(),
        precision: Precision::Bf16Gather,
        ..(*ROWS[0].stack).clone()
    });
    let of_one_node = ROWS.iter().filter(|row| row.cluster.name == "r1z1");
    let rows: Vec<Measurement> = of_one_node
        .map(|row| Measurement {
            stack: Arc::clone(&stack),
            throughput_tok_s: row.configuration.global_batch_tokens() as f64
                / other_laws_step_s(row),
            ..row.clone()
        })
        .collect();
    let place = Place {
        name: "other laws",
        base: &ALL,
        precision: Precision::Bf16Gather,
        changes: &[],
        scatter: 0.0,
    };
    let mut dice = Dice(0);
    for (count, most, covered) in [(5, 0.055, 0.82), (10, 0.022, 0.94)] {
        let draws = (0..30).map(|_| some(&mut dice, count, rows.len()));
        let mut drawn: Vec<Accuracy> = draws.map(|few| place.rest_after(&few, &rows)).collect();
        drawn.sort_by(|a, b| a.mape.total_cmp(&b.mape));
        let median = drawn[drawn.len() / 2].mape;
        let coverage = drawn.iter().map(|rest| rest.coverage).sum::<f64>() / drawn.len() as f64;
        assert!(
            median < most && coverage > covered,
            "{count} rows: {median:.4} {coverage:.3}"
        );
    }
}
