//! How fast it is: `cargo bench` prints the figures.
//!
//! - `fit`: the fit to the embedded table, as every `plan` does it at its start;
//! - `predict`: one prediction in full (elements a second are predictions a second);
//! - `search`: points of a large space a second, on one thread and on two.

#![expect(
    clippy::expect_used,
    reason = "a bench that can't be set up has nothing to measure"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::ThreadPoolBuilder;
use tminus::configuration::Configuration;
use tminus::job::{JobFile, Request, Settings, resolve};
use tminus::measure::{MOSAICGPT_2023, Measurement, read};
use tminus::plan::plan;
use tminus::preset::Catalog;
use tminus::quantity::Confidence;
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

fn rows() -> Vec<Measurement> {
    let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &Catalog::embedded());
    table.expect("the embedded table is readable").rows
}

fn request() -> Request {
    let file = JobFile::parse("large.toml", LARGE_JOB).expect("the job is valid");
    resolve(
        Settings::default().over(file.settings),
        &Catalog::embedded(),
    )
    .expect("names are known")
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

fn search(criterion: &mut Criterion) {
    let fit = Fit::new("bench", rows()).expect("the fit succeeds");
    let request = request();
    let points = plan(&request, &fit).expect("something fits").space.points;
    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Elements(points));
    group.sample_size(10);
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads start");
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter(|| pool.install(|| plan(black_box(&request), &fit)));
        });
    }
    group.finish();
}

criterion_group!(benches, fit, predict, search);
criterion_main!(benches);
