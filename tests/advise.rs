//! Advice on what to measure: does the measurement bring what was promised?

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;

use tminus::advise::{Advice, MeasuringLimits, advise, advise_among};
use tminus::configuration::{Configuration, Setting};
use tminus::job::{JobFile, Request, resolve};
use tminus::measure::{self, MOSAICGPT_2023, Measurement};
use tminus::preset::Catalog;
use tminus::quantity::{Confidence, Interval};
use tminus::throughput::Fit;

fn fit() -> Fit {
    let table = measure::read("mosaicgpt-2023.csv", MOSAICGPT_2023, &Catalog::embedded()).unwrap();
    Fit::new("mosaicgpt-2023", table.rows).unwrap()
}

fn request(job: &str) -> Request {
    let job = JobFile::parse("job.toml", job).unwrap();
    resolve(job.settings, &Catalog::embedded()).unwrap()
}

const NEW_HARDWARE: &str = r#"
model = "gpt-7b"
cluster = "h100-cluster"
stack = "bf16-gather"
tokens = "134B"
[search]
gpus = 8
"#;

fn half_width(interval: Interval) -> f64 {
    (interval.high - interval.low) / (2.0 * interval.expected)
}

/// The answer's half-width once the advised rows are measured: the median over simulated
/// measurements, which stray from what was predicted as runs elsewhere do.
fn simulated(fit: &Fit, request: &Request, advice: &Advice) -> f64 {
    let mut widths: Vec<f64> = (0..9)
        .map(|turn| {
            let stray = |index: usize| STRAY * STANDARD[(turn + 2 * index) % STANDARD.len()];
            let rows = advice.table.iter().zip(&advice.picks).enumerate();
            let rows: Vec<Measurement> = rows
                .map(|(index, (row, pick))| Measurement {
                    throughput_tok_s: pick.throughput_tok_s.expected * stray(index).exp(),
                    ..row.clone()
                })
                .collect();
            let measured = fit.on_top("simulated", &rows).unwrap();
            half_width(answer(&measured, request, &advice.answer.unwrap()))
        })
        .collect();
    widths.sort_by(f64::total_cmp);
    widths[widths.len() / 2]
}

/// How far rows of a place that was never measured are taken to stray.
const STRAY: f64 = 0.03;

/// Nine numbers spread like a standard Gaussian.
const STANDARD: [f64; 9] = [-1.59, 0.0, 0.97, -0.28, -0.97, 1.59, 0.28, -0.59, 0.59];

fn answer(fit: &Fit, request: &Request, configuration: &Configuration) -> Interval {
    let cluster = &request.clusters[0];
    let setting = Setting {
        shape: &request.model.shape,
        cluster,
        stack: &request.stack,
    };
    fit.predict(&setting, configuration, request.confidence)
        .throughput_tok_s
}

#[test]
fn a_simulated_measurement_shrinks_the_interval_as_promised() {
    let (fit, request) = (fit(), request(NEW_HARDWARE));
    for count in 1..=4 {
        let limits = MeasuringLimits {
            count,
            ..MeasuringLimits::default()
        };
        let advice = advise(&request, &fit, &limits).unwrap();
        let promised = advice.picks.last().unwrap().half_width_after;
        let brought = simulated(&fit, &request, &advice);
        assert!(
            promised < 0.5 * advice.half_width,
            "{promised} of {}",
            advice.half_width
        );
        let taken = (advice.half_width - brought) / (advice.half_width - promised);
        assert!((taken - 1.0).abs() < 0.05, "{count}: {taken}");
        assert!(
            (brought / promised - 1.0).abs() < 0.15,
            "{count}: {brought} for {promised}"
        );
    }
}

#[test]
fn each_measurement_narrows_and_none_repeats() {
    let advice = advise(
        &request(NEW_HARDWARE),
        &fit(),
        &MeasuringLimits {
            count: 6,
            ..MeasuringLimits::default()
        },
    );
    let advice = advice.unwrap();
    let mut last = advice.half_width;
    for pick in &advice.picks {
        assert!(pick.half_width_after <= last && pick.half_width_after >= advice.half_width_floor);
        assert!(pick.gpus <= 8 && pick.minutes <= 15.0);
        last = pick.half_width_after;
    }
    let distinct: BTreeSet<Configuration> =
        advice.table.iter().map(|row| row.configuration).collect();
    assert_eq!(distinct.len(), advice.picks.len());
}

#[test]
fn advised_rows_narrow_more_than_others() {
    let (fit, request) = (fit(), request(NEW_HARDWARE));
    let advised = advise(
        &request,
        &fit,
        &MeasuringLimits {
            count: 3,
            ..MeasuringLimits::default()
        },
    )
    .unwrap();
    let best = simulated(&fit, &request, &advised);
    // Any other three runs of the same place, micro-batches and accumulations mixed.
    let others = [
        [(1, 4), (1, 1), (2, 4)],
        [(4, 1), (4, 4), (1, 4)],
        [(1, 1), (2, 1), (4, 1)],
    ];
    for runs in others {
        let mut other = advised.clone();
        for ((row, pick), (micro_batch, grad_accum)) in
            other.table.iter_mut().zip(&mut other.picks).zip(runs)
        {
            row.configuration = Configuration {
                micro_batch,
                grad_accum,
                seq_len: 512,
                activation_checkpointing: true,
                ..row.configuration
            };
            pick.throughput_tok_s = answer(&fit, &request, &row.configuration);
        }
        assert!(best < simulated(&fit, &request, &other), "{runs:?}");
    }
}

#[test]
fn a_model_too_large_for_the_hardware_at_hand_is_measured_with_fewer_layers() {
    let job = NEW_HARDWARE
        .replace("gpt-7b", "llama-3-70b")
        .replace("gpus = 8", "gpus = 64");
    let advice = advise(&request(&job), &fit(), &MeasuringLimits::default()).unwrap();
    assert!(
        advice
            .picks
            .iter()
            .all(|pick| pick.n_layers < 80 && pick.gpus == 8)
    );
}

/// What a run on more GPUs would leave is told where it is less, and holds.
#[test]
fn more_gpus_are_named_where_they_teach_more() {
    let fit = fit();
    let request = request(
        "model = \"gpt-3b\"\ncluster = \"p4d.24xlarge\"\ntokens = \"60B\"\n[search]\ngpus = 32\n",
    );
    let advised = |max_gpus: u64, count: usize| {
        let limits = MeasuringLimits {
            max_gpus,
            count,
            ..MeasuringLimits::default()
        };
        advise(&request, &fit, &limits).unwrap()
    };
    let few = advised(8, 3);
    let note = few.notes.iter().find(|note| note.contains("--max-gpus"));
    let note = note.unwrap();
    let gpus = note.split_once("--max-gpus ").unwrap().1;
    let gpus = gpus.split_once('`').unwrap().0.parse::<u64>().unwrap();
    let one = advised(gpus, 1).picks[0].half_width_after;
    assert!(one < few.picks[2].half_width_after);
    assert!(note.contains(&format!("±{:.0} %", 100.0 * one)), "{note}");
    assert!(
        advised(32, 1)
            .notes
            .iter()
            .all(|note| !note.contains("--max-gpus"))
    );
}

#[test]
fn nothing_measurable_is_said() {
    let limits = MeasuringLimits {
        max_gpus: 4,
        ..MeasuringLimits::default()
    };
    let error = advise(&request(NEW_HARDWARE), &fit(), &limits).unwrap_err();
    assert!(error.to_string().contains("4 GPUs"), "{error}");
}

#[test]
fn among_the_rows_of_a_table_some_are_picked_and_all_narrowed() {
    let fit = fit();
    let table = "model,gpu,stack,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s\n\
                 gpt-1b,h100-80gb,bf16-gather,8,2048,8,4,true,\n\
                 gpt-7b,h100-80gb,bf16-gather,8,2048,4,4,true,\n\
                 gpt-7b,h100-80gb,bf16-gather,64,2048,4,4,true,\n";
    let rows = measure::read_runs("runs.csv", table, &Catalog::embedded())
        .unwrap()
        .rows;
    assert!(measure::read("runs.csv", table, &Catalog::embedded()).is_err());
    let advice = advise_among(
        &rows,
        &fit,
        Confidence::default(),
        &MeasuringLimits::default(),
    )
    .unwrap();
    assert_eq!(advice.rows, Some(3));
    assert!(!advice.picks.is_empty() && advice.picks.iter().all(|pick| pick.gpus <= 8));
    let mut last = advice.half_width;
    for pick in &advice.picks {
        assert!(pick.half_width_after < last && pick.half_width_after > advice.half_width_floor);
        last = pick.half_width_after;
    }
    // What is promised is what comes of it.
    let measured: Vec<Measurement> = advice
        .table
        .iter()
        .zip(&advice.picks)
        .map(|(row, pick)| Measurement {
            throughput_tok_s: pick.throughput_tok_s.expected,
            ..row.clone()
        })
        .collect();
    let after = fit.on_top("simulated", &measured).unwrap();
    let mut widths: Vec<f64> = rows
        .iter()
        .map(|row| {
            let predicted =
                after.predict(&row.setting(), &row.configuration, Confidence::default());
            half_width(predicted.throughput_tok_s)
        })
        .collect();
    widths.sort_by(f64::total_cmp);
    assert!(
        (widths[1] / last - 1.0).abs() < 0.25,
        "{widths:?} for {last}"
    );
}

/// A stack that was named is written, also where rows that name none are taken to be of it.
#[test]
fn a_stack_that_was_named_is_in_the_table() {
    let named = NEW_HARDWARE
        .replace("h100-cluster", "r1z1")
        .replace("bf16-gather", "fp32-gather");
    let advised = |job: &str| {
        let advice = advise(&request(job), &fit(), &MeasuringLimits::default()).unwrap();
        measure::to_blank_csv(&advice.table)
    };
    assert!(
        advised(&named).contains(",fp32-gather,"),
        "{}",
        advised(&named)
    );
    let unnamed = named.replace("stack = \"fp32-gather\"\n", "");
    assert!(!advised(&unnamed).contains("fp32-gather"));
}

/// The answer to a front is its knee, and is called so.
#[test]
fn the_answer_of_a_front_is_its_knee() {
    let job = "model = \"gpt-7b\"\nclusters = [\"r7z2\", \"r1z1\"]\ntokens = \"134B\"\n";
    let fit = fit();
    let by = |sort: &str| {
        let request = request(&format!("sort = \"{sort}\"\n{job}"));
        let limits = MeasuringLimits {
            count: 1,
            ..MeasuringLimits::default()
        };
        (
            tminus::plan::plan(&request, &fit).unwrap(),
            advise(&request, &fit, &limits).unwrap(),
        )
    };
    let (plan, advice) = by("pareto");
    let knee = plan.front.as_ref().unwrap().knee_rank.unwrap();
    assert_ne!(knee, 1, "the knee is told from the first");
    let answer = advice.answer.unwrap();
    assert_eq!(answer.gpus, plan.candidates[knee - 1].gpus);
    assert!(advice.answer_is_knee);
    let (plan, advice) = by("time");
    assert_eq!(advice.answer.unwrap().gpus, plan.candidates[0].gpus);
    assert!(!advice.answer_is_knee);
}

/// So little is known of these runs that nearly all of them would be faster than their GPUs can be.
const BEYOND_THE_PEAK: &str = r#"
model = "gpt-70b"
cluster = "h100-cluster"
stack = "bf16-gather"
tokens = "1T"
confidence = 0.99
[search]
gpus = 64
"#;

#[test]
fn advice_starts_from_the_interval_of_the_plan() {
    let fit = fit();
    let request = request(BEYOND_THE_PEAK);
    let advice = advise(&request, &fit, &MeasuringLimits::default()).unwrap();
    let now = advice.answer_tok_s.unwrap();
    let plan = tminus::plan::plan(&request, &fit).unwrap();
    assert_eq!(now, plan.candidates[0].throughput_tok_s);
    // Recomputing blocks takes 8 FLOPs a parameter and token, of the 989 TFLOP/s that an H100 has.
    assert!(advice.answer.unwrap().activation_checkpointing);
    assert!(now.high < 64.0 * 989e12 / (8.0 * 64.9e9), "{now:?}");
    // So do the runs to measure, whatever number of layers fits on a node.
    for (pick, row) in advice.picks.iter().zip(&advice.table) {
        let recomputed = if pick.activation_checkpointing {
            8.0
        } else {
            6.0
        };
        let layers = row.shape.block_params() as f64 * pick.n_layers as f64;
        let peak = pick.gpus as f64 * 989e12 / (recomputed * layers);
        assert!(pick.throughput_tok_s.high < peak, "{pick:?}");
    }
}
