//! Rows that can hardly be what they say: numbers in other units are found among the published rows,
//! and nothing is doubted where nothing is wrong.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::subsequence;
use tminus::configuration::Configuration;
use tminus::fit_file::{embedded_fit, embedded_rows};
use tminus::measure::{MOSAICGPT_2023, Measurement, Unit, read};
use tminus::preset::Catalog;
use tminus::throughput::{Doubt, DoubtKind, Fit, doubts};

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);
static FIT: LazyLock<Fit> = LazyLock::new(|| embedded_fit().unwrap());
static ROWS: LazyLock<Vec<Measurement>> = LazyLock::new(|| embedded_rows().unwrap());

fn scaled(row: &Measurement, factor: f64) -> Measurement {
    Measurement {
        throughput_tok_s: row.throughput_tok_s * factor,
        ..row.clone()
    }
}

/// What a row's tokens per second are in another unit.
fn written_in(unit: Unit, row: &Measurement) -> Measurement {
    let gpus = row.configuration.gpus as f64;
    let seq_len = row.configuration.seq_len as f64;
    let factor = match unit {
        Unit::TokensPerGpu => 1.0 / gpus,
        Unit::TokensOfAllGpus => gpus,
        Unit::Samples => 1.0 / seq_len,
        Unit::SamplesPerGpu => 1.0 / seq_len / gpus,
        Unit::ThousandTokens => 1e-3,
    };
    scaled(row, factor)
}

/// Some of the published rows, as many as a user has, all of them faster or slower by one factor.
fn tables() -> impl Strategy<Value = Vec<Measurement>> {
    let rows = subsequence((0..ROWS.len()).collect::<Vec<_>>(), 6..30);
    (rows, 0.75..1.6_f64).prop_map(|(rows, factor)| {
        let row = |index: usize| ROWS.get(index).map(|row| scaled(row, factor));
        rows.into_iter().filter_map(row).collect()
    })
}

fn units() -> impl Strategy<Value = Unit> {
    prop_oneof![
        Just(Unit::TokensPerGpu),
        Just(Unit::TokensOfAllGpus),
        Just(Unit::Samples),
        Just(Unit::SamplesPerGpu),
        Just(Unit::ThousandTokens),
    ]
}

/// Whether a doubt names that unit. Up to 2048 tokens, a sequence and a thousand tokens are too near
/// to be told apart by a speed.
fn names(doubt: &Doubt, unit: Unit, row: &Measurement) -> bool {
    match doubt.kind {
        DoubtKind::Units { unit: named, .. } => {
            named == unit
                || (row.configuration.seq_len <= 2048
                    && named == Unit::Samples
                    && unit == Unit::ThousandTokens)
        }
        _ => false,
    }
}

#[test]
fn published_rows_are_not_doubted() {
    assert_eq!(doubts(&FIT, &ROWS), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_another_stack_are_not_doubted(rows in tables()) {
        prop_assert_eq!(doubts(&FIT, &rows), []);
    }

    #[test]
    fn one_row_in_another_unit_is_found(
        rows in tables(),
        at in any::<prop::sample::Index>(),
        unit in units(),
    ) {
        let mut rows = rows;
        let at = at.index(rows.len());
        let row = written_in(unit, &rows[at]);
        rows[at] = row.clone();
        let found = doubts(&FIT, &rows);
        prop_assert_eq!(found.len(), 1, "{:?}", found);
        prop_assert_eq!(&found[0].lines, &vec![row.line]);
        prop_assert!(names(&found[0], unit, &row), "{}", &found[0]);
        prop_assert!(found[0].to_string().starts_with("units look wrong"));
    }

    #[test]
    fn a_whole_table_in_another_unit_is_found(rows in tables(), unit in units()) {
        let rows: Vec<Measurement> = rows.iter().map(|row| written_in(unit, row)).collect();
        let mut lines: Vec<usize> = Vec::new();
        for doubt in doubts(&FIT, &rows) {
            let row = rows.iter().find(|row| doubt.lines.contains(&row.line)).unwrap();
            prop_assert!(names(&doubt, unit, row), "{}", doubt);
            lines.extend(doubt.lines);
        }
        lines.sort_unstable();
        let mut all: Vec<usize> = rows.iter().map(|row| row.line).collect();
        all.sort_unstable();
        prop_assert_eq!(lines, all);
    }
}

#[test]
fn a_row_far_off_its_siblings_is_doubted_whatever_the_unit() {
    // Of 32 GPUs no unit explains a tenth.
    let mut rows: Vec<Measurement> = ROWS
        .iter()
        .filter(|row| row.configuration.gpus == 32)
        .take(5)
        .map(|row| scaled(row, 0.8))
        .collect();
    rows[2] = scaled(&rows[2], 0.1);
    let found = doubts(&FIT, &rows);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].lines, [rows[2].line]);
    let said = found[0].to_string();
    assert!(
        said.contains("times slower than expected by the rows around"),
        "{said}"
    );
    // And alone, by what is expected without others.
    let said = doubts(&FIT, &rows[2..3])[0].to_string();
    assert!(said.contains("times slower than expected:"), "{said}");
}

#[test]
fn repeats_far_apart_are_doubted() {
    let row = ROWS[0].clone();
    let repeat = |line: usize, factor: f64| Measurement {
        line,
        ..scaled(&row, factor)
    };
    let near = [repeat(2, 1.0), repeat(3, 0.98)];
    assert_eq!(doubts(&FIT, &near), []);
    let far = [repeat(2, 1.0), repeat(3, 0.98), repeat(4, 0.8)];
    let found = doubts(&FIT, &far);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].lines, [2, 3, 4]);
    assert!(found[0].to_string().contains("repeats differ by about 1 %"));
}

/// Tokens per second of one GPU, over numbers of GPUs so small that none of them is far off.
#[test]
fn a_total_that_never_rises_is_of_one_gpu() {
    let one = ROWS.iter().find(|row| row.model == "gpt-1b").unwrap();
    let rows: Vec<Measurement> = [(1, 2, 16_800.0), (2, 3, 16_500.0), (4, 4, 16_300.0)]
        .into_iter()
        .map(|(gpus, line, throughput_tok_s)| Measurement {
            configuration: Configuration {
                gpus,
                ..one.configuration
            },
            line,
            throughput_tok_s,
            ..one.clone()
        })
        .collect();
    let found = doubts(&FIT, &rows);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].lines, [3, 4]);
    assert!(names(&found[0], Unit::TokensPerGpu, &rows[1]));
}

#[test]
fn a_run_that_goes_out_of_memory_is_doubted() {
    let mut row = ROWS
        .iter()
        .find(|row| row.model == "gpt-7b")
        .unwrap()
        .clone();
    row.configuration.micro_batch *= 32;
    let found = doubts(&FIT, &[row]);
    assert!(
        found[0].to_string().contains("goes out of memory"),
        "{found:?}"
    );
}

#[test]
fn rows_to_be_measured_are_not_doubted() {
    assert_eq!(doubts(&FIT, &[scaled(&ROWS[0], 0.0)]), []);
}

/// Notes about units in a table of one run of 64 GPUs with more columns.
fn notes(header: &str, cells: &str) -> Vec<String> {
    let text = format!(
        "model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,{header}\n\
         gpt-7b,a100-80gb,64,2048,4,2,on,{cells}\n"
    );
    let table = read("t.csv", &text, &CATALOG).unwrap();
    let wrong = |note: &String| note.contains("units look wrong");
    table.notes.into_iter().filter(wrong).collect()
}

#[test]
fn utilizations_printed_in_a_table_tell_its_units() {
    let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &CATALOG).unwrap();
    assert!(
        !table.notes.iter().any(|note| note.contains("units")),
        "{:?}",
        table.notes
    );

    // 184,000 tokens/s of all 64 are 2,875 of one, an MFU of about 40 %.
    for (header, cells) in [
        ("tok/s,MFU", "184000,0.4"),
        ("tok/s,MFU", "184000,40"),
        ("tok/s,MFU (%)", "184000,40"),
        ("tok/s,MFU", "184000,40 %"),
        ("tok/s,HFU", "184000,0.53"),
        ("tok/s,TFLOPs/GPU", "184000,125"),
        ("tok/s/gpu,MFU,HFU", "2875,0.4,0.5"),
        ("tok/s,MFU", "184000,n/a"),
        ("tok/s,Model FLOPs", "184000,2.0e22"),
        ("tok/s,MFU", "184000,0"),
    ] {
        assert_eq!(
            notes(header, cells),
            Vec::<String>::new(),
            "{header} {cells}"
        );
    }
    for (header, cells, said) in [
        (
            "tok/s,MFU",
            "2875,0.4",
            "`MFU` 0.4 does not go with 2,875 tokens/s",
        ),
        ("tok/s,MFU (%)", "2875,40", "tokens/s of one GPU (line 2)"),
        ("TPS,TFLOPs/GPU", "2875,125", "tokens/s of one GPU (line 2)"),
        ("tok/s,HFU", "2875,53%", "tokens/s of one GPU (line 2)"),
        ("tok/s,MFU", "184000,4", "(an MFU of 37 %)"),
    ] {
        let found = notes(header, cells);
        assert_eq!(found.len(), 1, "{header} {cells}: {found:?}");
        assert!(found[0].contains(said), "{header} {cells}: {found:?}");
    }
}

#[test]
fn a_header_that_some_print_for_one_gpu_is_said_to_be_read_for_all() {
    let text = "model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,TPS\n\
                gpt-7b,a100-80gb,64,2048,4,2,on,184000\n";
    let table = read("t.csv", text, &CATALOG).unwrap();
    let said = "column `TPS` is read as tokens/s of all GPUs together";
    assert!(
        table.notes.iter().any(|note| note.contains(said)),
        "{:?}",
        table.notes
    );
}

/// A header and rows, and what is said of them.
fn said(rows: &str) -> String {
    let text = format!("model,gpu,gpus,seq_len,micro_batch,grad_accum,ckpt,{rows}");
    let text = text.replace("ckpt", "activation_checkpointing");
    read("t.csv", &text, &CATALOG).unwrap().notes.join("\n")
}

#[test]
fn two_mistakes_in_one_column_are_told_apart() {
    let notes = said(
        "tok/s,mfu\ngpt-7b,a100-80gb,8,2048,8,4,yes,25000,44\n\
         gpt-7b,a100-80gb,8,2048,4,8,yes,3050,44\ngpt-7b,a100-80gb,8,2048,8,32,yes,25100,4.4\n",
    );
    assert!(notes.contains("tokens/s of one GPU (line 3)"), "{notes}");
    assert!(
        notes.contains("(an MFU of 40 %)") && notes.contains("(line 4)"),
        "{notes}"
    );
}

/// A factor of two could be counted otherwise, if it weren't exactly the number of GPUs.
#[test]
fn a_printed_utilization_tells_one_gpu_of_two() {
    let notes = said(
        "mfu,tok/s\ngpt-1b,a100-80gb,2,2048,8,8,no,45.9,16500\n\
         gpt-350m,a100-80gb,2,2048,16,16,no,37.7,45000\n",
    );
    assert!(
        notes.contains("tokens/s of one GPU (2 lines, from line 2)"),
        "{notes}"
    );
}

#[test]
fn links_that_are_assumed_are_said_to_be() {
    let of = |gpus: u64| {
        said(&format!(
            "tok/s,cluster\ngpt-7b,h100,{gpus},2048,4,2,on,80000,lab\n"
        ))
    };
    assert!(of(16).contains("`inter_node_gbps`"), "{}", of(16));
    assert!(!of(8).contains("`inter_node_gbps`"), "{}", of(8));
}

/// Rows of one sentence whose figures differ are told by all of them, and asked what can be so.
#[test]
fn what_is_doubted_of_several_rows_holds_of_each() {
    let row = |line: usize, seq_len: u64, micro_batch: u64| {
        let mut row = ROWS
            .iter()
            .find(|row| row.model == "gpt-7b")
            .unwrap()
            .clone();
        row.configuration.seq_len = seq_len;
        row.configuration.micro_batch = micro_batch;
        row.line = line;
        let step_s = FIT
            .step_time(&row.setting(), &row.configuration)
            .expected_s();
        row.throughput_tok_s = row.configuration.global_batch_tokens() as f64 / step_s;
        row
    };
    let rows = [row(2, 1 << 17, 1), row(3, 1 << 18, 1), row(4, 2048, 256)];
    let found = doubts(&FIT, &rows);
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains(" to ") && said[0].contains("split over GPUs"),
        "{said:?}"
    );
    assert!(said[1].contains("micro-batch that of one GPU"), "{said:?}");
    // Of 32 GPUs, no unit explains a fourth or a tenth.
    let mut rows: Vec<Measurement> = ROWS
        .iter()
        .filter(|row| row.configuration.gpus == 32)
        .take(7)
        .cloned()
        .collect();
    rows[2] = scaled(&rows[2], 0.1);
    rows[4] = scaled(&rows[4], 0.25);
    let said = doubts(&FIT, &rows)[0].to_string();
    assert!(
        said.contains(" to ") && said.contains("on the first line"),
        "{said}"
    );
}
