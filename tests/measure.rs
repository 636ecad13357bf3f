//! Measured tables: the embedded one against its source, other spellings, mistakes, round trips.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use tminus::configuration::Configuration;
use tminus::measure::{MOSAICGPT_2023, Measurement, Table, read, to_csv};
use tminus::preset::Catalog;
use tminus::utilization::Convention;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);

fn embedded() -> Table {
    read("mosaicgpt-2023.csv", MOSAICGPT_2023, &CATALOG).unwrap()
}

/// A file that is only there where the project is developed.
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
fn shared(path: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path);
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        eprintln!("skipped: ../shared is not here");
    }
    text
}

/// The published document's columns in the order of the embedded table's.
const PUBLISHED: [(&str, &str); 20] = [
    ("Model", "model"),
    ("SeqLen", "seq_len"),
    ("GlobalBatchSize (T)", "global_batch_tokens"),
    ("GPUType", "gpu_type"),
    ("Throughput (T/s)", "throughput_tok_s"),
    ("MFU*", "mfu_star"),
    ("MFU", "mfu"),
    ("HFU*", "hfu_star"),
    ("HFU", "hfu"),
    ("GPUThroughput (T/s/GPU)", "throughput_tok_s_gpu"),
    ("Throughput (S/s)", "throughput_seq_s"),
    ("ParamCount", "n_params"),
    ("GlobalBatchSize (S)", "global_batch_seqs"),
    ("MicroBatchSize", "micro_batch"),
    ("GradAccum", "grad_accum"),
    ("Precision", "precision"),
    ("MP Mode", "mp_mode"),
    ("Cluster", "cluster"),
    ("NumGPUs", "gpus"),
    ("GPUType", "gpu"),
];

#[test]
fn embedded_table_is_the_published_one_cell_by_cell() {
    let Some(document) = shared("source/mosaicgpt-throughput.md") else {
        return;
    };
    let mut published = Vec::new();
    for line in document.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if cells[0] == "Model" {
            for (cell, (header, _)) in cells.iter().zip(PUBLISHED) {
                let plain = cell.replace("SeqLen (T)", "SeqLen");
                assert_eq!(
                    plain.replace("Size (S)", "Size"),
                    header.replace("Size (S)", "Size")
                );
            }
        } else if !cells[0].starts_with('-') {
            published.push(cells);
        }
    }
    let mut lines = MOSAICGPT_2023.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(header, PUBLISHED.map(|(_, column)| column));
    let transcribed: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(transcribed.len(), 300);
    assert_eq!(transcribed, published);
}

fn without_lines(table: &Table) -> Vec<Measurement> {
    let unplaced = |row: &Measurement| Measurement {
        line: 0,
        ..row.clone()
    };
    table.rows.iter().map(unplaced).collect()
}

#[test]
fn markdown_and_csv_of_one_table_read_alike() {
    let Some(document) = shared("source/mosaicgpt-throughput.md") else {
        return;
    };
    let from_markdown = read("throughput.md", &document, &CATALOG).unwrap();
    assert_eq!(without_lines(&from_markdown), without_lines(&embedded()));
    assert_eq!(from_markdown.rows[0].line, 31);
    assert_eq!(from_markdown.rows[299].line, 336);
    // Without an extension, the text tells.
    let piped = read("-", &document, &CATALOG).unwrap();
    assert_eq!(piped, from_markdown);
}

#[test]
fn embedded_rows_are_what_ran() {
    let table = embedded();
    assert_eq!(table.rows.len(), 300);
    let row = &table.rows[0];
    assert_eq!(row.model, "gpt-125m");
    assert_eq!(row.cluster.name, "r7z2");
    assert_eq!(row.cluster.gpu.name, "a100-40gb");
    assert_eq!(row.stack.name, "fp32-gather");
    assert_eq!(row.shape.params(16_384), 136_236_288);
    assert_eq!(
        row.configuration,
        Configuration {
            gpus: 32,
            seq_len: 16_384,
            micro_batch: 2,
            grad_accum: 8,
            activation_checkpointing: false,
        }
    );
    assert!((row.throughput_tok_s - 1_508_631.35).abs() < 1e-6);
    assert_eq!(row.line, 2);
    for row in &table.rows {
        let large = !matches!(row.model.as_str(), "gpt-125m" | "gpt-350m" | "gpt-760m");
        assert_eq!(row.configuration.activation_checkpointing, large);
    }
    insta::assert_snapshot!(table.notes.join("\n"), @r"
    MP mode DEFAULT is read as stack `fp32-gather` (300 lines, from line 2)
    activation checkpointing is not told and taken as off, the launch scripts' default for models below 1B parameters (180 lines, from line 2)
    activation checkpointing is not told and taken as on, the launch scripts' default for models of 1B parameters and more (120 lines, from line 92)
    ");
}

const LATER: &str = "\
# Benchmarks

| Option | Meaning |
| --- | --- |
| `-x` | unrelated |

## H100

| Model | SeqLen (T) | # GPUs | GPU | MFU | HFU | Model TFLOP | MicroBatchSize | GradAccum | GlobalBatchSize | Throughput (S/s) | Throughput (T/s) | Throughput (T/s/GPU) | GlobalBatchSize (T) | Precision | MP Mode | Sharding Strategy | Activation Checkpointing | Activation CPUOffload | NumParams |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| 70b | 2,048 | 64 | h100_80gb | 42.57 | 56.76 | 421 | 8 | 4 | 2048 | 12 | 26274 | 410 | 4194304 | amp_bf16 | PURE | FULL_SHARD | True | False | 64862437376 |
| mpt-13b | 2048 | 8 | 8xH100_80GB | 50 | 60 | 500 | 4 | | 512 | | | 5000 | 1048576 | bf16 | DEFAULT | SHARD_GRAD_OP | False | True | |

A word in between.

| model | seq_len | gpu | stack | gpus | micro_batch_size | grad_accum | samples/s |
| --- | --- | --- | --- | --- | --- | --- | --- |
| llama-3-8b | 8192 | H100 | bf16-gather | 16 | 1 | 2 | 15.5 |
";

#[test]
fn later_spellings_are_read() {
    let table = read("README.md", LATER, &CATALOG).unwrap();
    let told: Vec<_> = table
        .rows
        .iter()
        .map(|row| {
            let tok_s = row.throughput_tok_s;
            (row.model.as_str(), row.stack.name.as_str(), tok_s, row.line)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("gpt-70b", "pure-bf16", 26_274.0, 11),
            ("gpt-13b", "bf16-gather-zero2-offload", 40_000.0, 12),
            ("llama-3-8b", "bf16-gather", 15.5 * 8192.0, 18),
        ]
    );
    assert!(table.rows[0].configuration.activation_checkpointing);
    assert_eq!(table.rows[1].configuration.grad_accum, 16);
    assert_eq!(table.rows[1].configuration.gpus, 8);
    insta::assert_snapshot!(table.notes.join("\n"), @r"
    units look wrong: `HFU` 56.76 does not go with 26,274 tokens/s over all GPUs (an MFU of 16 %) (line 11)
    a table without a throughput column is left out (line 3)
    model `70b` is taken as `gpt-70b` (line 11)
    MP mode PURE is read as stack `pure-bf16` (line 11)
    the nodes of h100 are taken to be linked at 3,200 Gbit/s, unless rows show less: `inter_node_gbps` of a `[clusters.NAME]` in a file for `--presets`, and a `cluster` column, tell yours (2 lines, from line 11)
    the vocabulary of `gpt-70b` is taken as padded to 50368, as its parameter count says (line 11)
    model `mpt-13b` is taken as `gpt-13b` (line 12)
    `gpt-13b` is not the preset here: its shape has vocab_size 50368 (preset: 50257) (line 12)
    MP mode DEFAULT is read as stack `bf16-gather` (line 12)
    sharding strategy `SHARD_GRAD_OP` is not modelled: such rows are a stack of their own, `bf16-gather-zero2`, taken as sharded over all GPUs (line 12)
    CPU offload is not modelled: such rows are a stack of their own, `bf16-gather-zero2-offload`, whose time is taken as computing (line 12)
    activation checkpointing is not told and taken as on, the launch scripts' default for models of 1B parameters and more (line 18)
    ");
}

#[test]
fn rows_in_fp8_are_a_stack_of_their_own() {
    let text = "model,seq_len,gpus,gpu,micro_batch,grad_accum,activation_checkpointing,precision,\
                mp_mode,throughput_seq_s,throughput_tok_s\n\
                7b,65536,8,h100_80gb,1,4,true,amp_fp8,PURE,0,30000\n\
                7b,65536,8,h100_80gb,1,4,true,bf16,PURE,0,25000\n";
    let table = read("t.csv", text, &CATALOG).unwrap();
    let stacks: Vec<_> = table
        .rows
        .iter()
        .map(|row| row.stack.name.as_str())
        .collect();
    assert_eq!(stacks, ["pure-bf16-fp8", "pure-bf16"]);
    // Half a sequence a second is printed as none.
    assert!((table.rows[0].throughput_tok_s - 30_000.0).abs() < 1e-9);
}

const CSV_HEADER: &str = "model,d_model,n_layers,n_heads,vocab_size,seq_len,gpus,gpu,micro_batch,\
                          grad_accum,activation_checkpointing,throughput_tok_s,global_batch_tokens";

fn one_row(row: &str) -> String {
    format!("{CSV_HEADER}\n{row}\n")
}

#[test]
fn shapes_come_from_columns_too() {
    let text = one_row("mine,1024,8,16,32000,2048,8,a100-40gb,4,2,true,300000,131072");
    let table = read("t.csv", &text, &CATALOG).unwrap();
    assert_eq!(table.rows[0].model, "mine");
    assert_eq!(table.rows[0].shape.n_layers, 8);
    assert_eq!(table.rows[0].shape.d_ff, 4096);
    assert_eq!(table.rows[0].cluster.gpu.name, "a100-40gb");

    let padded = one_row("gpt-1b,,,,50368,2048,8,a100-80gb,4,2,true,80000,");
    let table = read("t.csv", &padded, &CATALOG).unwrap();
    assert_eq!(table.rows[0].shape.vocab_size, 50_368);
    assert_eq!(table.rows[0].shape.d_model, 2048);
    let note = table.notes.join("\n");
    assert!(note.contains("vocab_size 50368 (preset: 50257)"), "{note}");
}

#[test]
fn small_micro_batches_can_be_read() {
    let Some(text) = shared("data/small-microbatch.csv") else {
        return;
    };
    let table = read("small-microbatch.csv", &text, &CATALOG).unwrap();
    assert_eq!(table.rows.len() + 1, text.lines().count());
}

/// Rows as they may be measured, at a plausible speed.
fn measurements() -> impl Strategy<Value = Measurement> {
    let models = prop_oneof![
        Just("gpt-125m"),
        Just("gpt-7b"),
        Just("llama-3-8b"),
        Just("mpt-7b"),
        Just("qwen2.5-7b"),
    ];
    let places = prop_oneof![Just("r7z2"), Just("r1z1"), Just("h100-80gb"), Just("h200")];
    let stacks = prop_oneof![Just("fp32-gather"), Just("bf16-gather"), Just("pure-bf16")];
    let sizes = (1_u64..2000, 1_u64..100_000, 1_u64..1000, 1_u64..1000);
    (
        models,
        places,
        stacks,
        sizes,
        any::<bool>(),
        0.002..0.99_f64,
    )
        .prop_map(
            |(
                model,
                place,
                stack,
                (gpus, seq_len, micro_batch, grad_accum),
                checkpointing,
                mfu,
            )| {
                let model = CATALOG.model(model).unwrap();
                let cluster = CATALOG
                    .cluster(place)
                    .cloned()
                    .or_else(|_| CATALOG.generic_cluster(place))
                    .unwrap();
                // None has more GPUs than its cluster, nor computes beyond their peak.
                let flops = Convention::Mosaic2022
                    .flops_per_token(&model.shape, seq_len, checkpointing)
                    .hardware;
                let gpus = gpus.min(cluster.max_gpus);
                Measurement {
                    model: model.name.clone(),
                    shape: model.shape,
                    throughput_tok_s: mfu * cluster.gpu.peak_flops * gpus as f64 / flops,
                    cluster: Arc::new(cluster),
                    stack: Arc::new(CATALOG.stack(stack).unwrap().clone()),
                    stack_told: true,
                    configuration: Configuration {
                        gpus,
                        seq_len,
                        micro_batch,
                        grad_accum,
                        activation_checkpointing: checkpointing,
                    },
                    line: 0,
                }
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_reads_back(rows in prop::collection::vec(measurements(), 1..20)) {
        let table = read("t.csv", &to_csv(&rows), &CATALOG).unwrap();
        prop_assert_eq!(without_lines(&table), rows);
    }

    #[test]
    fn no_text_panics(text in "\\PC*", markdown: bool) {
        let name = if markdown { "t.md" } else { "t" };
        let _ = read(name, &text, &CATALOG).map_err(|error| error.to_string());
    }

    #[test]
    fn no_damaged_table_panics(
        markdown: bool,
        at in 0_usize..1500,
        length in 0_usize..4,
        damage in "[|,\"\\\\0-9é\n\r. x-]{0,4}",
    ) {
        let csv: String = MOSAICGPT_2023.split_inclusive('\n').take(8).collect();
        let (name, mut text) = if markdown { ("t.md", LATER.to_owned()) } else { ("t.csv", csv) };
        let start = at.min(text.len());
        let end = (at + length).min(text.len());
        text.replace_range(start..end, &damage);
        let _ = read(name, &text, &CATALOG).map_err(|error| error.to_string());
    }
}

/// Batches and counts as people round them.
#[test]
fn rounded_figures_are_what_they_are_rounded_from() {
    let one = |header: &str, cells: &str| {
        let table = read("t.csv", &format!("{header}\n{cells}\n"), &CATALOG).unwrap();
        (table.rows[0].configuration, table.notes.join("\n"))
    };
    let header =
        "Model,GPUs,GPU,Seq Len,Micro Batch Size,Global Batch Size,Checkpointing,Stack,Tokens/s";
    for (batch, accum) in [("4M", 64), ("1M", 16), ("4194304", 64)] {
        let row = format!("llama-2-7b,8,H100,2048,4,{batch},off,bf16-gather,70000");
        assert_eq!(one(header, &row).0.grad_accum, accum, "{row}");
    }
    // So many sequences, if each GPU is to have one, are a batch of sequences.
    let long = "llama-2-7b,1024,H100,131072,1,1024,on,bf16-gather,5000000";
    let (run, notes) = one(header, long);
    assert_eq!((run.micro_batch, run.grad_accum), (1, 1));
    assert!(!notes.contains("is read as tokens"), "{notes}");
    let (run, notes) = one(
        header,
        "llama-2-7b,64,H100,4096,2,4M,off,bf16-gather,570000",
    );
    assert!(notes.contains("rounded from (line 2)"), "{notes}");
    assert_eq!((run.micro_batch, run.grad_accum), (2, 8));
    assert!(
        notes.contains("is read as tokens") && notes.contains("rounded from"),
        "{notes}"
    );
    let header = "Model,GPUs,GPU,Seq Len,Grad Accum,Global Batch Size,Checkpointing,Stack,Tokens/s";
    let (run, notes) = one(
        header,
        "llama-2-7b,8,H100,2048,4,65536,off,bf16-gather,70000",
    );
    assert_eq!((run.micro_batch, run.grad_accum), (1, 4));
    assert!(notes.contains("is read as tokens"), "{notes}");
    let header = "model,params,gpu,gpus,seq_len,micro_batch,grad_accum,checkpointing,tokens/s";
    for (model, params) in [
        ("mpt-7b", "7B"),
        ("gpt-7b", "7B"),
        ("gemma-7b", "7B"),
        ("gpt-7b", "6.65B"),
    ] {
        let row = format!("{model},{params},a100-80gb,8,2048,8,4,yes,24000");
        assert!(one(header, &row).1.contains("parameter count"), "{row}");
    }
    for (model, params) in [("gpt-7b", "6.1B"), ("gpt-7b", "10B"), ("gpt-1b", "2B")] {
        let wrong = format!("{header}\n{model},{params},a100-80gb,8,2048,8,4,yes,24000\n");
        assert!(read("t.csv", &wrong, &CATALOG).is_err(), "{wrong}");
    }
    let header = "model,gpu,gpus,seq_len,micro_batch,grad_accum,checkpointing,tp,tokens/s";
    let (run, notes) = one(header, "gpt-7b,a100-80gb,8,1M,1,1,yes,1.0,900");
    assert_eq!(run.seq_len, 1 << 20);
    assert!(
        notes.contains("`1M` is read as 1048576") && !notes.contains("parallelism"),
        "{notes}"
    );
}
