//! How fast it is: `cargo bench` prints the figures.
//!
//! - `fit`: the fit to the embedded table, as every `plan` does it at its start;
//! - `predict`: one prediction in full (elements a second are predictions a second);
//! - `every point`: configurations a second when the time, the memory verdict, the time to budget
//!   and the cost of every one that can be launched is computed, on one thread and on two;
//! - `search`: points a second of a space of 10¹², as `plan` searches it, on one thread and on two;
//! - `schedule`: a ladder of a dozen jobs on one calendar (elements a second are jobs a second);
//! - `advise`: which runs would narrow a plan's answer most, of all on its clusters' nodes.

#![expect(
    clippy::expect_used,
    reason = "a bench that can't be set up has nothing to measure"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::ThreadPoolBuilder;
use tminus::advise::{MeasuringLimits, advise};
use tminus::configuration::Configuration;
use tminus::job::{Agenda, JobFile, Request, Settings, resolve, resolve_ladder};
use tminus::measure::{MOSAICGPT_2023, Measurement, read};
use tminus::plan::Planner;
use tminus::preset::Catalog;
use tminus::quantity::Confidence;
use tminus::schedule::schedule;
use tminus::throughput::Fit;

/// Every micro-batch to 64 and every accumulation to 64 that meet a wide global batch.
const LARGE_JOB: &str = r#"
model = "gpt-1b"
tokens = "26B"
clusters = ["r7z2", "r1z1"]
global_batch = "1Ki..1Gi"
[search]
gpus = "8..256:8"
seq_len = [1024, 2048, 4096]
micro_batch = "1..64:1"
grad_accum = "1..64:1"
"#;

/// 1.24 · 10¹² points: every micro-batch to 1,024, every accumulation to 4,096, every node count
/// to 2,048, 24 sequence lengths, three clusters, checkpointing on and off.
const HUGE_JOB: &str = r#"
model = "gpt-7b"
tokens = "134B"
cluster = ["a", "b", "c"]
global_batch = "1Ki..1Gi"
[search]
gpus = "8..16384:8"
seq_len = "128..3072:128"
micro_batch = "1..1024:1"
grad_accum = "1..4096:1"
[clusters.a]
gpu = "a100-80gb"
gpus_per_node = 8
max_gpus = 16384
inter_node_gbps = 1600
usd_per_gpu_hour = 2.5
[clusters.b]
gpu = "h100"
gpus_per_node = 8
max_gpus = 16384
inter_node_gbps = 3200
usd_per_gpu_hour = 4.0
[clusters.c]
gpu = "a100-40gb"
gpus_per_node = 8
max_gpus = 16384
inter_node_gbps = 400
usd_per_gpu_hour = 2.0
"#;

/// Four sizes on three budgets each, the larger ones after the smaller ones.
fn ladder() -> Agenda {
    let mut text = "clusters = [\"r7z2\", \"r1z1\"]\n[schedule]\nstart = \"2026-12-01\"\n\
                    [schedule.clusters.r7z2]\ncapacity_nodes = 16\n\
                    [schedule.clusters.r1z1]\ncapacity_nodes = 16\n"
        .to_owned();
    for tokens in ["10x", "20x", "40x"] {
        let mut before = None;
        for model in ["gpt-350m", "gpt-760m", "gpt-1b", "gpt-3b"] {
            let name = format!("{model}-{tokens}");
            text.extend([format!(
                "[[jobs]]\nname = \"{name}\"\nmodel = \"{model}\"\ntokens = \"{tokens}\"\n"
            )]);
            if let Some(before) = before.filter(|_| model == "gpt-3b") {
                text.extend([format!("after = [\"{before}\"]\n")]);
            }
            before = Some(name);
        }
    }
    let file = JobFile::parse("ladder.toml", &text).expect("the jobs are valid");
    let ladder = file.ladder.expect("there are several jobs");
    resolve_ladder(ladder, &file.settings, &Catalog::embedded()).expect("names are known")
}

fn rows() -> Vec<Measurement> {
    let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &Catalog::embedded());
    table.expect("the embedded table is readable").rows
}

fn request(job: &str) -> Request {
    let file = JobFile::parse("bench.toml", job).expect("the job is valid");
    let catalog = file
        .extend(Catalog::embedded())
        .expect("its clusters are valid");
    resolve(Settings::default().over(file.settings), &catalog).expect("names are known")
}

fn fit(criterion: &mut Criterion) {
    let rows = rows();
    let mut group = criterion.benchmark_group("fit");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.sample_size(20);
    group.bench_function("embedded table", |bencher| {
        bencher.iter(|| Fit::new("bench", black_box(rows.clone())));
    });
    group.finish();
}

fn predict(criterion: &mut Criterion) {
    let rows = rows();
    let fit = Fit::new("bench", rows.clone()).expect("the fit succeeds");
    let row = rows.first().expect("the table has rows");
    let configuration = Configuration {
        gpus: 64,
        ..row.configuration
    };
    let mut group = criterion.benchmark_group("predict");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one configuration", |bencher| {
        let setting = row.setting();
        bencher.iter(|| fit.predict(&setting, black_box(&configuration), Confidence::default()));
    });
    group.finish();
}

fn every_point(criterion: &mut Criterion) {
    let fit = Fit::new("bench", rows()).expect("the fit succeeds");
    let planner = Planner::new(&fit).exhaustive();
    let request = request(LARGE_JOB);
    let points = planner
        .plan(&request)
        .expect("something fits")
        .space
        .evaluated;
    on_threads(criterion, "every point", points, &planner, &request);
}

fn search(criterion: &mut Criterion) {
    let fit = Fit::new("bench", rows()).expect("the fit succeeds");
    let planner = Planner::new(&fit);
    let request = request(HUGE_JOB);
    let points = planner.plan(&request).expect("something fits").space.points;
    on_threads(criterion, "search", points, &planner, &request);
}

fn schedules(criterion: &mut Criterion) {
    let fit = Fit::new("bench", rows()).expect("the fit succeeds");
    let planner = Planner::new(&fit);
    let agenda = ladder();
    let mut group = criterion.benchmark_group("schedule");
    group.throughput(Throughput::Elements(agenda.jobs.len() as u64));
    group.sample_size(10);
    group.bench_function("a dozen jobs", |bencher| {
        bencher.iter(|| schedule(black_box(&agenda), &planner, &fit).expect("there is one"));
    });
    group.finish();
}

fn advice(criterion: &mut Criterion) {
    let fit = Fit::new("bench", rows()).expect("the fit succeeds");
    let request = request("model = \"gpt-125m\"\ntokens = \"134B\"\n");
    let limits = MeasuringLimits {
        max_gpus: 128,
        ..MeasuringLimits::default()
    };
    let mut group = criterion.benchmark_group("advise");
    group.sample_size(10);
    group.bench_function("both clusters", |bencher| {
        bencher.iter(|| {
            advise(black_box(&request), &fit, &limits).expect("something can be measured")
        });
    });
    group.finish();
}

/// Plans on one thread and on two; `points` elements a plan.
fn on_threads(
    criterion: &mut Criterion,
    name: &str,
    points: u64,
    planner: &Planner<'_>,
    request: &Request,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(points));
    group.sample_size(10);
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads start");
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter(|| pool.install(|| planner.plan(black_box(request))));
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    fit,
    predict,
    every_point,
    search,
    schedules,
    advice
);
criterion_main!(benches);
