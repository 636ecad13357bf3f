//! Fits to a few rows of a user's own: what is learnt from them, and the file that keeps it.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod links;
mod pressure;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use tminus::configuration::Setting;
use tminus::fit_file::{FitFile, Source, embedded_fit, embedded_rows, embedded_sha256, provenance};
use tminus::measure::{self, Measurement};
use tminus::preset::Catalog;
use tminus::quantity::Confidence;
use tminus::throughput::Fit;
use tminus::throughput::evaluate::{Accuracy, Protocol, cross_validate, evaluate, hold_out};

static BASE: LazyLock<Fit> = LazyLock::new(|| embedded_fit().unwrap());
static ROWS: LazyLock<Vec<Measurement>> = LazyLock::new(|| embedded_rows().unwrap());

/// Rows on eight GPUs at the speed that `truth` says.
fn synthetic(truth: impl Fn(&Measurement) -> f64) -> Vec<Measurement> {
    let one_node = ROWS.iter().filter(|row| row.configuration.gpus == 8);
    one_node
        .map(|row| Measurement {
            throughput_tok_s: truth(row),
            ..row.clone()
        })
        .collect()
}

fn predicted(row: &Measurement, setting: &Setting<'_>) -> f64 {
    BASE.predict(setting, &row.configuration, Confidence::default())
        .throughput_tok_s
        .expected
}

/// Fits `few` on top of the embedded table and judges the rest.
fn rest_after(few: &[usize], rows: &[Measurement]) -> Accuracy {
    let own: Vec<Measurement> = few.iter().map(|index| rows[*index].clone()).collect();
    let fit = BASE.on_top("few", &own).unwrap();
    let rest: Vec<Measurement> = rows
        .iter()
        .enumerate()
        .filter(|(index, _)| !few.contains(index))
        .map(|(_, row)| row.clone())
        .collect();
    evaluate(&fit, &rest, Confidence::default())
        .unwrap()
        .accuracy
}

/// Three rows spread over the table, drawn in many ways.
fn threes(rows: &[Measurement]) -> impl Iterator<Item = [usize; 3]> {
    let third = rows.len() / 3;
    (0..8).map(move |draw| {
        [
            (7 * draw) % third,
            third + (29 * draw) % third,
            2 * third + (53 * draw) % third,
        ]
    })
}

/// Whether the README's table of recoveries holds this row.
fn assert_in_readme(what: &str, errors: &[f64]) {
    let mut sorted = errors.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (median, worst) = (sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
    let row = format!(
        "| {what} | {:.1} % | {:.1} % |",
        median * 100.0,
        worst * 100.0
    );
    assert!(include_str!("../../README.md").contains(&row), "{row}");
}

fn recovered(what: &str, rows: &[Measurement]) {
    let errors: Vec<f64> = threes(rows)
        .map(|few| {
            let rest = rest_after(&few, rows);
            assert!(rest.mape <= 0.03, "{few:?}: {rest:?}");
            rest.mape
        })
        .collect();
    assert_in_readme(what, &errors);
}

#[test]
fn three_rows_tell_that_all_is_faster() {
    let rows = synthetic(|row| 1.25 * predicted(row, &row.setting()));
    recovered(
        "3 rows of a stack 25 % faster throughout (synthetic)",
        &rows,
    );
}

#[test]
fn three_rows_tell_that_the_network_is_half_as_fast() {
    // The links of one node are the GPU's; the rows don't say that theirs are slower.
    let rows = synthetic(|row| {
        let mut cluster = (*row.cluster).clone();
        cluster.gpu.intra_node_bytes_per_s *= 0.5;
        let setting = Setting {
            cluster: &cluster,
            ..row.setting()
        };
        predicted(row, &setting)
    });
    recovered("3 rows of a network half as fast (synthetic)", &rows);
}

/// Slow links between nodes are no slow GPUs: one row of each number of nodes tells, and a run on one
/// node is nearly as fast as ever. Where the links slow the three by a few per cent only, latency explains
/// that as well, and other rows are a few per cent off.
/// A slow run may have been a bad one. That is weighed against slow links, which would slow every
/// other run on several nodes down too.
#[test]
fn one_bad_run_among_five_slows_nothing_else_down() {
    let h100 = Arc::new(Catalog::embedded().cluster("h100-cluster").unwrap().clone());
    let on_nodes = |row: &Measurement, nodes: u64| {
        let mut row = Measurement {
            cluster: Arc::clone(&h100),
            ..row.clone()
        };
        row.configuration.gpus *= nodes;
        row.throughput_tok_s = predicted(&row, &row.setting());
        row
    };
    let r1z1 = ROWS.iter().filter(|row| row.cluster.name == "r1z1");
    let rows: Vec<Measurement> = r1z1
        .flat_map(|row| [1, 4].map(|nodes| on_nodes(row, nodes)))
        .collect();
    let draws: Vec<Accuracy> = (0..6)
        .map(|draw| {
            let few: Vec<usize> = (0..5)
                .map(|place| (61 * place + 37 * draw) % rows.len())
                .collect();
            let linked = |index: &&usize| rows[**index].configuration.gpus > 8;
            let bad = *few.iter().find(linked).unwrap();
            let mut measured = rows.clone();
            measured[bad].throughput_tok_s *= 0.73;
            rest_after(&few, &measured)
        })
        .collect();
    assert!(draws.iter().all(|rest| rest.mape < 0.1), "{draws:?}");
    let covered = draws.iter().map(|rest| rest.coverage).sum::<f64>() / 6.0;
    assert!(covered > 0.85, "{covered}: {draws:?}");
}

#[test]
fn two_models_alone_predict_the_others() {
    let of_two = |row: &&Measurement| row.model == "gpt-125m" || row.model == "gpt-7b";
    let (two, others): (Vec<&Measurement>, Vec<&Measurement>) = ROWS.iter().partition(of_two);
    let fit = Fit::new("two", two.into_iter().cloned().collect()).unwrap();
    let others: Vec<Measurement> = others.into_iter().cloned().collect();
    let rest = evaluate(&fit, &others, Confidence::default()).unwrap();
    assert!(rest.accuracy.mape < 0.025, "{:?}", rest.accuracy);
    let by_model = rest.groups.iter().filter(|group| group.by == "model");
    let worst = by_model
        .map(|group| group.accuracy.mape)
        .fold(0.0, f64::max);
    assert_in_readme(
        "gpt-125m and gpt-7b alone, the other five models (measured; worst model)",
        &[rest.accuracy.mape.min(worst), rest.accuracy.mape, worst],
    );
}

/// One fit can be lucky; nobody is 28 times. Intervals are judged on all of them together.
#[test]
fn any_one_or_two_models_alone_predict_the_others() {
    let rows: Vec<&Measurement> = ROWS
        .iter()
        .filter(|row| row.cluster.name == "r1z1")
        .collect();
    let models: BTreeSet<&str> = rows.iter().map(|row| row.model.as_str()).collect();
    let (mut errors, mut coverages) = (Vec::new(), Vec::new());
    for one in &models {
        for other in models.iter().filter(|other| *other >= one) {
            let known = |row: &&Measurement| row.model == *one || row.model == *other;
            let (known, rest): (Vec<_>, Vec<_>) = rows.iter().copied().partition(known);
            let fit = Fit::new("few models", known.into_iter().cloned().collect()).unwrap();
            let rest: Vec<Measurement> = rest.into_iter().cloned().collect();
            let found = evaluate(&fit, &rest, Confidence::default()).unwrap();
            errors.push(found.accuracy.mape);
            coverages.push(found.accuracy.coverage);
        }
    }
    let coverage = coverages.iter().sum::<f64>() / coverages.len() as f64;
    assert!((0.85..=0.97).contains(&coverage), "{coverage}");
    assert!(errors.iter().all(|error| *error < 0.06), "{errors:?}");
    assert_in_readme(
        "any one or two of the seven models alone, the others (measured; 28 fits)",
        &errors,
    );
    let words = format!("intervals hold {:.0} % of the rest", coverage * 100.0);
    assert!(include_str!("../../README.md").contains(&words), "{words}");
}

#[test]
fn the_embedded_provenance_is_what_the_protocols_find() {
    let provenance = provenance().unwrap();
    assert_eq!(provenance.rows, ROWS.len());
    assert_eq!(provenance.sha256, embedded_sha256());
    let written = provenance.held_out;
    for (protocol, written) in [
        (Protocol::LeaveModel, written.leave_model),
        (Protocol::LeaveSeq, written.leave_seq),
        (Protocol::LeaveGpus, written.leave_gpus),
    ] {
        let found = hold_out(&ROWS, protocol, Confidence::default()).unwrap();
        let found = format!("{:.4}", found.unwrap().accuracy.mape);
        assert_eq!(found, format!("{written:.4}"), "{protocol}");
    }
    assert_eq!(BASE.held_out_mape(), Some(written.leave_model));
}

#[test]
fn rows_held_out_are_not_seen() {
    // One row is wildly wrong: its own prediction must not know.
    let mut rows: Vec<Measurement> = ROWS.iter().take(12).cloned().collect();
    rows[3].throughput_tok_s *= 0.5;
    let keys: Vec<usize> = (0..rows.len()).collect();
    let again = |kept: Vec<Measurement>| BASE.on_top("kept", &kept);
    let judged = cross_validate(&rows, &keys, Confidence::default(), &again).unwrap();
    assert!(judged[3].ape > 0.8, "{:?}", judged[3]);
    assert_eq!(judged.len(), rows.len());
}

const TABLE: &str = "\
model,d_model,n_layers,n_heads,vocab_size,gpu,cluster,stack,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s
gpt-1b,,,,,a100-80gb,lab,mine,8,2048,16,4,false,155000
gpt-3b,,,,,a100-80gb,lab,mine,8,2048,8,4,true,55000
my-llama,,,,,a100-80gb,lab,mine,8,2048,4,4,false,90000
odd,1536,20,12,32000,b3000,,bf16-gather,8,1024,8,4,false,400000.125
";

const PRESETS: &str = "\
[models.my-llama]
architecture = \"llama\"
d_model = 2048
n_layers = 24
n_heads = 32
n_kv_heads = 8
d_ff = 5632
vocab_size = 32000
[gpus.b3000]
peak_tflops = 777.7
hbm_tb_per_s = 3.3
usable_gib = 90.1
intra_node_gb_per_s = 333.3
[clusters.lab]
gpu = \"a100-80gb\"
gpus_per_node = 4
max_gpus = 64
inter_node_gbps = 777
[stacks.mine]
precision = \"bf16-gather\"
overlap = 0.7
";

fn own_rows() -> Vec<Measurement> {
    let catalog = Catalog::embedded().with_file("mine.toml", PRESETS).unwrap();
    measure::read("mine.csv", TABLE, &catalog).unwrap().rows
}

static FILE: LazyLock<FitFile> = LazyLock::new(|| {
    let sources = vec![Source::new("mine.csv", TABLE, 4)];
    FitFile::on_top("it's \"mine\"", sources, own_rows()).unwrap()
});
static TEXT: LazyLock<String> = LazyLock::new(|| FILE.to_toml().unwrap());

#[test]
fn a_file_predicts_what_the_fit_it_was_made_from_does() {
    let read = FitFile::from_toml("mine.fit.toml", &TEXT).unwrap();
    assert_eq!(read.to_toml().unwrap(), *TEXT);
    assert_eq!(read.fit().name(), "it's \"mine\"");
    assert_eq!(read.fit().rows(), 304);
    assert_eq!(read.held_out(), FILE.held_out());
    for row in ROWS.iter().chain(&own_rows()) {
        let with =
            |fit: &Fit| fit.predict(&row.setting(), &row.configuration, Confidence::default());
        assert_eq!(with(read.fit()), with(FILE.fit()));
    }
    let crlf = TEXT.replace('\n', "\r\n");
    assert!(FitFile::from_toml("mine.fit.toml", &crlf).is_ok());
}

#[test]
fn fits_made_alone_are_kept_too() {
    let rows: Vec<Measurement> = ROWS.iter().take(60).cloned().collect();
    let file = FitFile::alone("alone", Vec::new(), rows).unwrap();
    let read = FitFile::from_toml("alone.fit.toml", &file.to_toml().unwrap()).unwrap();
    assert_eq!(read.fit().rows(), 60);
    assert!(read.is_alone());
    assert_eq!(read.held_out().unwrap().embedded_mape, None);
}

/// The message that a file changed by `edit` is refused with.
fn refusal(edit: impl Fn(&str) -> String) -> String {
    let edited = edit(&TEXT);
    assert_ne!(edited, *TEXT);
    FitFile::from_toml("mine.fit.toml", &edited)
        .unwrap_err()
        .to_string()
}

/// As if the text were what `tminus fit` had written.
fn sealed(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let (head, rest) = text.split_once("\nsha256 = ").unwrap();
    let (_, body) = rest.split_once('\n').unwrap();
    let digest = Sha256::digest(body.as_bytes());
    let hex = digest
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("{head}\nsha256 = \"{hex}\"\n{body}")
}

#[test]
fn what_cannot_be_used_is_refused_with_a_reason() {
    type Edit = fn(&str) -> String;
    let cases: [(Edit, &str); 8] = [
        (|text| text.replace("format = 1", "format = 2"), "format 2"),
        (|text| text.replace("format = 1\n", ""), "not a fit file"),
        (|text| text.replace("155000", "156000"), "was edited"),
        (
            |text| sealed(&text.replace("155000", "165000")),
            "comes out differently",
        ),
        (
            |text| sealed(&text.replace("mosaicgpt-2023", "other-2024")),
            "other-2024",
        ),
        (
            |text| sealed(&text.replace("rows = 300\nsha256 = \"", "rows = 300\nsha256 = \"0")),
            "not those of this program",
        ),
        (
            |text| sealed(&text.replace("coverage = ", "coverage = nan # ")),
            "no share",
        ),
        (
            |text| sealed(&text.replace("[rows]", "[lines]")),
            "unknown key `lines`",
        ),
    ];
    for (edit, reason) in cases {
        let message = refusal(edit);
        assert!(message.contains(reason), "{reason}: {message}");
        assert!(message.contains("mine.fit.toml"), "{message}");
        assert!(message.contains("help:"), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_text_brings_it_down(text in "\\PC{0,200}") {
        prop_assert!(FitFile::from_toml("any.toml", &text).is_err());
    }

    #[test]
    fn no_edit_brings_it_down(at in 0..4000_usize, with in "[\\PC\n]{0,3}", reseal in any::<bool>()) {
        let at = (0..=at.min(TEXT.len())).rev().find(|at| TEXT.is_char_boundary(*at)).expect("0 is one");
        let edited = format!("{}{with}{}", &TEXT[..at], TEXT[at..].chars().skip(1).collect::<String>());
        let edited = if reseal && edited.contains("\nsha256 = ") { sealed(&edited) } else { edited };
        // Some edits change nothing that counts, comments above all.
        let _ = FitFile::from_toml("any.toml", &edited);
    }

    #[test]
    fn any_rows_are_kept_unchanged(
        picks in prop::collection::vec((0..300_usize, 0.3..1.8_f64), 1..6),
    ) {
        let rows: Vec<Measurement> = picks
            .iter()
            .map(|(index, factor)| Measurement {
                throughput_tok_s: ROWS[*index].throughput_tok_s * factor,
                ..ROWS[*index].clone()
            })
            .filter(factor_is_plausible)
            .collect();
        prop_assume!(!rows.is_empty());
        let Ok(file) = FitFile::on_top("any", Vec::new(), rows.clone()) else {
            return Ok(());
        };
        let read = FitFile::from_toml("any.fit.toml", &file.to_toml().unwrap()).unwrap();
        for row in &rows {
            let with = |fit: &Fit| fit.predict(&row.setting(), &row.configuration, Confidence::default());
            prop_assert_eq!(with(read.fit()), with(file.fit()));
        }
    }
}

/// Reading refuses speeds beyond the GPU's peak.
fn factor_is_plausible(row: &Measurement) -> bool {
    let csv = measure::to_csv(std::slice::from_ref(row));
    measure::read("row.csv", &csv, &Catalog::embedded()).is_ok()
}
