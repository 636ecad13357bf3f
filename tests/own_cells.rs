//! What a fit makes of single cells: copies of embedded rows, and rows that others contradict.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tminus::configuration::{Configuration, Setting};
use tminus::fit_file::{embedded_fit, embedded_rows, without_copies};
use tminus::hardware::{Cluster, Gpu};
use tminus::measure::Measurement;
use tminus::preset::Catalog;
use tminus::quantity::{Confidence, Interval};
use tminus::stack::{Precision, Stack};
use tminus::throughput::{Basis, Fit};

/// What the program prints where it is run in a folder.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_tminus"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8_lossy(&run.stdout).into_owned()
}

/// What a fit expects of a row.
fn expected(fit: &Fit, row: &Measurement) -> Interval {
    let confidence = Confidence::default();
    let prediction = fit.predict(&row.setting(), &row.configuration, confidence);
    prediction.throughput_tok_s
}

/// A row of so many nodes of a cluster, at a share of the speed that the embedded fit expects there.
fn on_nodes(row: &Measurement, cluster: &Arc<Cluster>, nodes: u64, share: f64) -> Measurement {
    let mut row = row.clone();
    row.cluster = Arc::clone(cluster);
    row.configuration.gpus = nodes * cluster.gpus_per_node;
    row.throughput_tok_s = share * expected(&embedded_fit().unwrap(), &row).expected;
    row
}

/// Fitted on top of themselves, rows would be judged by a fit that holds them.
#[test]
fn rows_that_stand_in_the_embedded_tables_are_left_out() {
    let mut rows = embedded_rows().unwrap();
    let all = without_copies(rows.clone()).unwrap_err();
    assert!(all.to_string().contains("nothing to fit"), "{all}");
    rows.truncate(3);
    // As much as repeats of one cell differ by.
    rows[1].throughput_tok_s *= 1.002;
    let (new, copies) = without_copies(rows.clone()).unwrap();
    assert_eq!((new.as_slice(), copies), (&rows[1..2], 2));
}

/// Whoever judges a table is told why the intervals miss it, as whoever fits it is.
#[test]
fn rows_of_other_software_are_told_where_they_are_judged() {
    let dir = tempfile::tempdir().unwrap();
    let table = "model,seq_len,gpus,gpu,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s\n\
                 1b,2048,8,a100-80gb,8,16,False,144759\n\
                 1b,4096,8,a100-80gb,4,16,False,133627\n\
                 1b,2048,16,a100-80gb,8,8,False,284235\n\
                 1b,4096,16,a100-80gb,4,8,False,264467\n\
                 3b,2048,8,a100-80gb,8,16,False,75722\n\
                 3b,4096,8,a100-80gb,4,16,False,69807\n\
                 3b,2048,16,a100-80gb,8,8,False,148883\n\
                 3b,4096,16,a100-80gb,4,8,False,137132\n";
    std::fs::write(dir.path().join("own.csv"), table).unwrap();
    let run = |arguments: &[&str]| {
        let said = printed(dir.path(), arguments);
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said = run(&["evaluate", "own.csv"]);
    assert!(said.contains("8 of 8 rows name no stack and"), "{said}");
    assert!(
        said.contains("`fp32-gather`, which they are taken as"),
        "{said}"
    );
    run(&["fit", "own.csv", "-o", "own.fit.toml"]);
    let said = run(&["evaluate", "own.csv", "--fit", "own.fit.toml"]);
    assert!(!said.contains("name no stack and"), "{said}");
    assert!(
        said.contains("and `tminus evaluate --fit own.fit.toml` shows"),
        "{said}"
    );
}

/// The embedded rows, as they are exported, are those that a fit and an evaluation take them for.
#[test]
fn rows_that_are_exported_are_known_again() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| printed(dir.path(), arguments);
    let table = ["presets", "tables", "mosaicgpt-2023", "--format"];
    run(&[&table[..], &["csv", "-o", "t.csv"]].concat());
    let said = run(&["evaluate", "t.csv"]);
    assert!(said.contains("300 of 300 rows are among those"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&run(&[&table[..], &["json"]].concat())).unwrap();
    assert_eq!(
        json[0]["throughput_tok_s"].as_f64(),
        Some(embedded_rows().unwrap()[0].throughput_tok_s)
    );
}

/// Some of the rows on many nodes were bad runs: what they say is shown, and that it isn't followed.
#[test]
fn rows_that_are_not_followed_are_told() {
    let fit = embedded_fit().unwrap();
    let nearly_all = Confidence::new(0.99).unwrap();
    let rows = embedded_rows().unwrap();
    let mut told = 0;
    for row in &rows {
        let predict = |confidence| fit.predict(&row.setting(), &row.configuration, confidence);
        let prediction = predict(Confidence::default());
        assert_eq!(prediction.basis, Basis::Measured);
        let again = rows.iter().filter(|other| {
            other.configuration == row.configuration
                && other.model == row.model
                && other.cluster.name == row.cluster.name
        });
        let mut speeds: Vec<f64> = again.map(|other| other.throughput_tok_s).collect();
        speeds.sort_by(f64::total_cmp);
        let middle = f64::midpoint(speeds[(speeds.len() - 1) / 2], speeds[speeds.len() / 2]);
        let followed = predict(nearly_all).throughput_tok_s.contains(middle);
        let said = prediction.basis_detail.not_followed_tok_s;
        assert_eq!(said, (!followed).then_some(middle));
        told += usize::from(!followed);
    }
    assert!(told > 0);
}

/// Repeats of a run are one run: what most of them say counts, in whatever order they stand.
#[test]
fn one_bad_repeat_is_no_run_that_is_not_followed() {
    let r1z1 = |row: &Measurement| row.cluster.name == "r1z1" && row.configuration.gpus == 8;
    let rows: Vec<Measurement> = embedded_rows().unwrap().into_iter().filter(r1z1).collect();
    let told = |shares: [f64; 4]| {
        let repeat = |share: f64| Measurement {
            throughput_tok_s: rows[0].throughput_tok_s * 1.1 * share,
            ..rows[0].clone()
        };
        let others = rows[1..4].iter().map(|row| Measurement {
            throughput_tok_s: row.throughput_tok_s * 1.1,
            ..row.clone()
        });
        let own: Vec<Measurement> = shares.map(repeat).into_iter().chain(others).collect();
        let fit = embedded_fit().unwrap().on_top("own", &own).unwrap();
        let setting = rows[0].setting();
        let prediction = fit.predict(&setting, &rows[0].configuration, Confidence::default());
        prediction.basis_detail.not_followed_tok_s
    };
    assert_eq!(told([1.0, 1.0, 1.0, 0.5]), None);
    assert_eq!(told([0.5, 1.0, 1.0, 1.0]), None);
}

/// Two rows can't tell slow software from slow links: by the second a cluster linked otherwise is as fast
/// as ever, by the first it isn't, and the interval holds both.
#[test]
fn what_few_rows_leave_open_is_in_the_interval() {
    let catalog = Catalog::embedded();
    let there = Arc::new(catalog.cluster("p4de.24xlarge").unwrap().clone());
    let rows = embedded_rows().unwrap();
    let row = rows
        .iter()
        .find(|row| row.model == "gpt-7b" && row.configuration.seq_len == 2048)
        .unwrap();
    let own = [
        on_nodes(row, &there, 1, 0.96),
        on_nodes(row, &there, 2, 0.88),
    ];
    let fit = embedded_fit().unwrap();
    let known = expected(&fit, row);
    let open = expected(&fit.on_top("own", &own).unwrap(), row);
    let width = |interval: Interval| (interval.high - interval.low) / interval.expected;
    assert!(width(open) > 1.5 * width(known), "{open:?} {known:?}");
    assert!(open.contains(0.96 * known.expected), "{open:?} {known:?}");
}

/// Rows of large tables are weighed by some of them, whatever their order: none of a kind is forgotten.
#[test]
fn the_order_of_rows_moves_nothing() {
    let catalog = Catalog::embedded();
    let there = Arc::new(catalog.cluster("p4de.24xlarge").unwrap().clone());
    let slow = Cluster {
        inter_node_bytes_per_s: there.inter_node_bytes_per_s.map(|rate| 0.5 * rate),
        ..(*there).clone()
    };
    let base = embedded_fit().unwrap();
    let run = |row: &Measurement, nodes: u64| {
        let mut row = on_nodes(row, &there, nodes, 1.0);
        let setting = Setting {
            cluster: &slow,
            ..row.setting()
        };
        let speed = base.predict(&setting, &row.configuration, Confidence::default());
        row.throughput_tok_s = speed.throughput_tok_s.expected;
        row
    };
    let rows = embedded_rows().unwrap();
    let r1z1 = rows.iter().filter(|row| row.cluster.name == "r1z1");
    let by_turns: Vec<Measurement> = r1z1
        .take(150)
        .flat_map(|row| [run(row, 1), run(row, 2)])
        .collect();
    let mut one_after_another = by_turns.clone();
    one_after_another.sort_by_key(|row| row.configuration.gpus);
    let fits = [&by_turns, &one_after_another].map(|rows| base.on_top("own", rows).unwrap());
    for row in by_turns.iter().step_by(37) {
        let [one, other] = [0, 1].map(|fit| expected(&fits[fit], row).expected);
        assert!((one / other - 1.0).abs() < 1e-4, "{one} {other}");
        assert!(
            (one / row.throughput_tok_s - 1.0).abs() < 0.05,
            "{one} {row:?}"
        );
    }
}

/// Rows of one GPU under another stack leave the embedded ones of the other GPU what they are, and what
/// is assumed of links is no measurement.
#[test]
fn a_gpu_measured_under_another_stack_is_measured() {
    let catalog = Catalog::embedded();
    let stack = Arc::new(catalog.stack("bf16-gather").unwrap().clone());
    let on = |name: &str| Arc::new(catalog.generic_cluster(name).unwrap());
    let rows = embedded_rows().unwrap();
    let row = rows
        .iter()
        .find(|row| row.model == "gpt-7b" && row.configuration.seq_len == 2048)
        .unwrap();
    let own: Vec<Measurement> = [8, 16, 32, 64]
        .map(|gpus| {
            let mut row = row.clone();
            row.cluster = on("a100-80gb");
            row.stack = Arc::clone(&stack);
            row.throughput_tok_s *= 1.3 * gpus as f64 / row.configuration.gpus as f64;
            row.configuration.gpus = gpus;
            row
        })
        .into();
    let fit = embedded_fit().unwrap().on_top("own", &own).unwrap();
    let axes = |cluster: &Cluster| {
        let setting = Setting {
            shape: &row.shape,
            cluster,
            stack: &stack,
        };
        let run = Configuration {
            gpus: 128,
            ..row.configuration
        };
        let prediction = fit.predict(&setting, &run, Confidence::default());
        prediction.basis_detail.axes.join("; ")
    };
    let said = axes(&on("a100-40gb"));
    assert!(!said.contains("none measured"), "{said}");
    assert!(
        said.contains("stack bf16-gather (not measured on a100-40gb)"),
        "{said}"
    );
    let slower = Cluster {
        name: "slower".to_owned(),
        inter_node_bytes_per_s: Some(50e9),
        ..(*on("a100-80gb")).clone()
    };
    let said = axes(&slower);
    assert!(said.contains("(assumed on a100-80gb: "), "{said}");
}

/// What is measured is a card and a policy, not a name: one that is described otherwise is another.
#[test]
fn a_name_described_anew_is_not_what_was_measured() {
    let rows = embedded_rows().unwrap();
    let row = rows.iter().find(|row| row.cluster.name == "r1z1").unwrap();
    let slower_card = Gpu {
        hbm_bytes_per_s: 1.9e12,
        intra_node_bytes_per_s: 32e9,
        ..row.cluster.gpu.clone()
    };
    let on = |gpu: Gpu| Cluster {
        gpu,
        ..(*row.cluster).clone()
    };
    let roomier = on(Gpu {
        usable_gib: row.cluster.gpu.usable_gib + 0.2,
        ..row.cluster.gpu.clone()
    });
    let slower = on(slower_card);
    let base = embedded_fit().unwrap();
    let predicted = |fit: &Fit, cluster: &Cluster, stack: &Stack| {
        let setting = Setting {
            cluster,
            stack,
            ..row.setting()
        };
        fit.predict(&setting, &row.configuration, Confidence::default())
    };
    assert_eq!(
        predicted(&base, &roomier, &row.stack).basis,
        Basis::Measured
    );
    let other = predicted(&base, &slower, &row.stack);
    let axes = other.basis_detail.axes.join("; ");
    assert!(axes.contains("a100-80gb as described"), "{axes}");
    // Not even what its links within a node carry is known.
    let half = |interval: Interval| (interval.high / interval.low).ln() / 2.0;
    assert!(half(other.throughput_tok_s) > 0.1, "{other:?}");
    let bf16 = Stack {
        precision: Precision::Bf16Gather,
        ..(*row.stack).clone()
    };
    let width = |interval: Interval| (interval.high - interval.low) / interval.expected;
    let known = predicted(&base, &row.cluster, &row.stack).throughput_tok_s;
    let open = predicted(&base, &row.cluster, &bf16).throughput_tok_s;
    assert!(width(open) > 3.0 * width(known), "{open:?} {known:?}");
    let hidden = |overlap| {
        let stack = Stack {
            overlap: Some(overlap),
            ..(*row.stack).clone()
        };
        predicted(&base, &slower, &stack).throughput_tok_s.expected
    };
    assert!(hidden(0.8) > 1.05 * hidden(0.1));
    // A user's own rows of that card are of it, and not of the one of the tables.
    let own = Measurement {
        cluster: Arc::new(slower.clone()),
        throughput_tok_s: 0.9 * other.throughput_tok_s.expected,
        ..row.clone()
    };
    let fit = base.on_top("own", std::slice::from_ref(&own)).unwrap();
    assert_eq!(predicted(&fit, &slower, &row.stack).basis, Basis::Measured);
    assert_eq!(fit.silence(&own.setting()), None);
    let said = fit.silence(&row.setting()).unwrap_or_default();
    assert!(
        said.contains("another a100-80gb than the one here"),
        "{said}"
    );
}
