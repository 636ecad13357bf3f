//! Peak memory against tensor-by-tensor traces, against what measured runs did, and by its laws.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on has failed"
)]

use std::path::Path;

use proptest::prelude::*;
use tminus::configuration::{Configuration, Setting};
use tminus::hardware::{Cluster, Gpu};
use tminus::measure::{self, MOSAICGPT_2023};
use tminus::memory::{self, FITS_MARGIN_BYTES, MemoryModel, Verdict};
use tminus::model::{FeedForward, Shape};
use tminus::preset::Catalog;
use tminus::quantity::GIB;
use tminus::stack::{Precision, Stack};

fn stack(precision: Precision) -> Stack {
    Stack {
        name: format!("{precision:?}"),
        precision,
        overlap: None,
        measured: false,
        description: String::new(),
        source: String::new(),
    }
}

fn cluster(usable_gib: f64) -> Cluster {
    let gpu = Gpu {
        name: "a100".into(),
        peak_flops: 312e12,
        hbm_bytes_per_s: 2.039e12,
        usable_gib,
        intra_node_bytes_per_s: 300e9,
        fp8: None,
        measured: true,
        source: String::new(),
    };
    Cluster {
        name: "test".into(),
        gpu,
        gpus_per_node: 8,
        max_gpus: 1 << 20,
        inter_node_bytes_per_s: None,
        prices: Vec::new(),
        source: String::new(),
    }
}

fn precision(name: &str) -> Precision {
    serde_json::from_str(&format!("\"{name}\"")).unwrap()
}

/// The rows of a CSV text, each looked up by header.
fn rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn traced_peaks_are_reproduced() {
    let rows = rows(include_str!("data/memory-trace.csv"));
    assert_eq!(rows.len(), 371);
    let cluster = cluster(79.2);
    let mut total = 0.0;
    for row in &rows {
        let integer = |name: &str| row[name].parse::<u64>().unwrap();
        let shape = Shape::gpt(
            integer("d_model"),
            integer("n_layers"),
            integer("n_heads"),
            integer("vocab_size"),
        )
        .unwrap();
        let stack = stack(precision(&row["policy"]));
        let setting = Setting {
            shape: &shape,
            cluster: &cluster,
            stack: &stack,
        };
        let configuration = Configuration {
            gpus: integer("gpus"),
            seq_len: integer("seq_len"),
            micro_batch: integer("micro_batch"),
            grad_accum: 1,
            activation_checkpointing: row["activation_checkpointing"] == "true",
        };
        let peak_gib = memory::estimate(&setting, &configuration).peak_bytes / GIB;
        let traced: f64 = row["peak_gib"].parse().unwrap();
        let error = (peak_gib / traced - 1.0).abs();
        assert!(error < 0.012, "{row:?}: computed {peak_gib}");
        total += error;
    }
    assert!(total / (rows.len() as f64) < 0.001, "{total}");
}

/// Shapes of the measured family.
fn measured_shape(model: &str) -> Shape {
    let (d_model, n_layers, n_heads) = match model {
        "gpt125m" => (768, 12, 12),
        "gpt350m" => (1024, 24, 16),
        "gpt760m" => (1536, 24, 12),
        "gpt1b" => (2048, 24, 16),
        "gpt3b" => (2560, 32, 20),
        "gpt7b" => (4096, 32, 32),
        "gpt13b" => (5120, 40, 40),
        other => panic!("no shape for {other}"),
    };
    Shape::gpt(d_model, n_layers, n_heads, 50_257).unwrap()
}

#[test]
fn measured_outcomes_are_not_contradicted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/memory-brackets.csv");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: ../shared is not here");
        return;
    };
    let rows = rows(&text);
    assert_eq!(rows.len(), 60);
    let stack = stack(Precision::Fp32Gather);
    for row in rows {
        let integer = |name: &str| row[name].parse::<u64>().unwrap();
        let shape = measured_shape(&row["model"]);
        let cluster = cluster(if row["gpu"] == "a100-40gb" {
            39.5
        } else {
            79.2
        });
        let setting = Setting {
            shape: &shape,
            cluster: &cluster,
            stack: &stack,
        };
        let model = MemoryModel::new(
            &setting,
            integer("gpus"),
            integer("seq_len"),
            row["activation_checkpointing"] == "true",
        );
        let ran = model.verdict(integer("micro_batch_fits"));
        assert_ne!(ran, Verdict::Overflows, "{row:?} ran");
        let failed = model.verdict(integer("micro_batch_overflows"));
        assert_ne!(failed, Verdict::Fits, "{row:?} ran out of memory");
    }
}

/// The rows of the table by themselves: the launcher halved micro-batches until one ran, so that twice
/// that of a row with accumulation did not. The verdicts' limits lie where both are found, no farther.
#[test]
fn verdicts_part_what_ran_from_what_did_not() {
    let table = measure::read("mosaicgpt-2023.csv", MOSAICGPT_2023, &Catalog::embedded()).unwrap();
    let (mut ran, mut failed) = (Vec::new(), Vec::new());
    for row in &table.rows {
        let c = &row.configuration;
        let (gpus, seq_len) = (c.gpus, c.seq_len);
        let model = MemoryModel::new(&row.setting(), gpus, seq_len, c.activation_checkpointing);
        ran.push(model.margin(c.micro_batch) / GIB);
        if c.grad_accum >= 2 {
            failed.push(model.margin(2 * c.micro_batch) / GIB);
        }
    }
    assert_eq!(
        (ran.len(), failed.len() > 100),
        (300, true),
        "{}",
        failed.len()
    );
    let least = ran.iter().copied().fold(f64::INFINITY, f64::min);
    let most = failed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // What ran had 6.4 GiB and more, what did not had less than 5.3: the limit lies between them.
    assert!(least * GIB >= FITS_MARGIN_BYTES && least < 6.5, "{least}");
    assert!(most * GIB < FITS_MARGIN_BYTES && most > 2.8, "{most}");
    let overflows = |margin: &&f64| Verdict::of_margin(**margin * GIB) == Verdict::Overflows;
    let overflows = failed.iter().filter(overflows).count() as f64 / failed.len() as f64;
    assert!(overflows > 0.75 && overflows < 1.0, "{overflows}");
}

#[test]
fn wider_blocks_keep_more() {
    let gpt = Shape::gpt(4096, 32, 32, 32_000).unwrap();
    let grouped = Shape {
        n_kv_heads: 8,
        ..gpt
    };
    let gated = Shape {
        feed_forward: FeedForward::Gated,
        ..gpt
    };
    let untied = Shape {
        tied_head: false,
        ..gpt
    };
    let (cluster, stack) = (cluster(79.2), stack(Precision::Bf16Gather));
    let activations = |shape: &Shape, checkpointing| {
        let setting = Setting {
            shape,
            cluster: &cluster,
            stack: &stack,
        };
        MemoryModel::new(&setting, 8, 2048, checkpointing)
            .estimate(4)
            .parts
    };
    let tokens = 4.0 * 2048.0;
    let close = |left: f64, right: f64| (left / right - 1.0).abs() < 1e-12;
    // bf16 keys and values of 24 heads of 128 fewer, in each of 32 layers.
    let saved = activations(&gpt, false).activations - activations(&grouped, false).activations;
    assert!(close(saved, 32.0 * tokens * 2.0 * 2.0 * 24.0 * 128.0));
    // Two more bf16 tensors of the feed-forward width.
    let added = activations(&gated, false).activations - activations(&gpt, false).activations;
    assert!(close(added, 32.0 * tokens * 2.0 * 2.0 * 16_384.0));
    // The second embedding table is gathered with the root unit.
    let added = activations(&untied, true).gathered - activations(&gpt, true).gathered;
    assert!(close(added, 2.0 * 32_000.0 * 4096.0));
}

/// Nobody traced it: the block phase of a Llama block under pure-bf16 without checkpointing, by hand.
#[test]
fn a_llama_block_keeps_what_its_formula_says() {
    let llama = Shape {
        n_kv_heads: 8,
        d_ff: 14_336,
        feed_forward: FeedForward::Gated,
        tied_head: false,
        ..Shape::gpt(4096, 32, 32, 1000).unwrap()
    };
    // Norms 12·4096, attention 2·(4096 + 2·1024) + 2·4096, feed-forward 8·14,336: 5120 times the 36
    // of a GPT block's width. Beside them, 4·32 + 16 of statistics.
    let kept = 49_152.0 + 20_480.0 + 114_688.0;
    let cluster = cluster(79.2);
    for (precision, checkpointing, activations, working_set) in [
        (Precision::PureBf16, false, 32.0 * (kept + 144.0), 14.0),
        (Precision::PureBf16, true, 32.0 * 2.0 * 4096.0, 46.0),
        (Precision::Bf16Gather, true, 32.0 * 2.0 * 4096.0, 42.9),
        (
            Precision::Fp32Gather,
            false,
            32.0 * (kept + 2.0 * 4096.0 + 144.0),
            14.0,
        ),
    ] {
        let stack = stack(precision);
        let setting = Setting {
            shape: &llama,
            cluster: &cluster,
            stack: &stack,
        };
        let tokens = 4.0 * 2048.0;
        let parts = MemoryModel::new(&setting, 64, 2048, checkpointing)
            .estimate(4)
            .parts;
        let close = |bytes: f64, per_token: f64| (bytes / tokens / per_token - 1.0).abs() < 1e-12;
        assert!(
            close(parts.activations, activations),
            "{precision:?}: {parts:?}"
        );
        assert!(
            close(parts.workspace, working_set * 5120.0),
            "{precision:?}: {parts:?}"
        );
        assert!(
            close(parts.logits, 2.0 * 1000.0),
            "{precision:?}: {parts:?}"
        );
    }
}

#[test]
fn extremes_stay_finite() {
    let shape = Shape::gpt(1 << 22, 5, 1 << 15, 1 << 20).unwrap();
    let (cluster, stack) = (cluster(39.5), stack(Precision::Fp32Gather));
    let setting = Setting {
        shape: &shape,
        cluster: &cluster,
        stack: &stack,
    };
    for checkpointing in [false, true] {
        let model = MemoryModel::new(&setting, 1, 1 << 26, checkpointing);
        let estimate = model.estimate(u64::MAX);
        assert!(estimate.peak_bytes.is_finite() && estimate.margin_bytes.is_finite());
        assert_eq!(estimate.verdict, Verdict::Overflows);
        assert_eq!(model.largest_micro_batch(Verdict::Tight), None);
        assert_eq!(
            model.largest_micro_batch(Verdict::Overflows),
            Some(u64::MAX)
        );
    }
}

/// Any shape a person might type, from toy to frontier.
fn shapes() -> impl Strategy<Value = Shape> {
    (
        (1_u64..=64, 1_u64..=8, 0_u32..=2),
        1_u64..=96,
        1_u64..=200_000,
        (1_u64..=65_536, any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |((heads, head_dim, group), layers, vocab, (d_ff, gated, tied))| {
                let (n_heads, head_dim) = (heads << group, head_dim * 16);
                Shape {
                    n_kv_heads: heads,
                    d_ff,
                    feed_forward: if gated {
                        FeedForward::Gated
                    } else {
                        FeedForward::Gelu
                    },
                    tied_head: tied,
                    ..Shape::gpt(n_heads * head_dim, layers, n_heads, vocab).unwrap()
                }
            },
        )
}

fn precisions() -> impl Strategy<Value = Precision> {
    prop_oneof![
        Just(Precision::Fp32Gather),
        Just(Precision::Bf16Gather),
        Just(Precision::PureBf16)
    ]
}

proptest! {
    #[test]
    fn laws(
        shape in shapes(),
        precision in precisions(),
        gpus in 1_u64..2000,
        seq_len in 1_u64..100_000,
        micro_batch in 1_u64..1000,
        more in 1_u64..1000,
        checkpointing: bool,
    ) {
        let (cluster, stack) = (cluster(79.2), stack(precision));
        let setting = Setting { shape: &shape, cluster: &cluster, stack: &stack };
        let peak = |gpus, seq_len, micro_batch, checkpointing| {
            MemoryModel::new(&setting, gpus, seq_len, checkpointing).peak(micro_batch)
        };
        let here = peak(gpus, seq_len, micro_batch, checkpointing);
        prop_assert!(peak(gpus, seq_len, micro_batch + more, checkpointing) >= here);
        prop_assert!(peak(gpus, seq_len + more, micro_batch, checkpointing) >= here);
        prop_assert!(peak(gpus + more, seq_len, micro_batch, checkpointing) <= here);
        prop_assert!(
            peak(gpus, seq_len, micro_batch, true) <= peak(gpus, seq_len, micro_batch, false)
        );

        let model = MemoryModel::new(&setting, gpus, seq_len, checkpointing);
        let estimate = model.estimate(micro_batch);
        // fp32 parameter, gradient and two moments of each parameter, shared by all GPUs.
        let states = 16.0 * shape.params(seq_len) as f64 / gpus as f64;
        prop_assert!((estimate.parts.states / states - 1.0).abs() < 1e-12);
        let parts = estimate.parts;
        let beside = [parts.gathered, parts.activations, parts.logits, parts.workspace];
        prop_assert!(beside.iter().all(|bytes| *bytes >= 0.0), "{:?}", parts);
        // The larger of phases that each grow with the micro-batch by as much: never by less later on.
        let grows = |from: u64| model.peak(from + 1) - model.peak(from);
        prop_assert!(grows(micro_batch + more) >= grows(micro_batch) - 1e-9 * here);
        prop_assert_eq!(estimate.peak_bytes.to_bits(), here.to_bits());
        prop_assert_eq!(estimate.verdict, model.verdict(micro_batch));
    }

    #[test]
    fn largest_micro_batch_is_the_last_accepted(
        shape in shapes(),
        precision in precisions(),
        seq_len in 1_u64..10_000,
        checkpointing: bool,
        tight: bool,
    ) {
        let (cluster, stack) = (cluster(79.2), stack(precision));
        let setting = Setting { shape: &shape, cluster: &cluster, stack: &stack };
        let worst = if tight { Verdict::Tight } else { Verdict::Fits };
        let model = MemoryModel::new(&setting, 64, seq_len, checkpointing);
        match model.largest_micro_batch(worst) {
            None => prop_assert!(model.verdict(1) > worst),
            Some(largest) => {
                prop_assert!(model.verdict(largest) <= worst);
                prop_assert!(model.verdict(largest + 1) > worst);
            }
        }
    }
}
