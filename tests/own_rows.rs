//! A user's own rows on the command line: a table is fitted, and what the fit says is used where it
//! holds, said to be silent where it doesn't.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A directory with one table fitted in it.
struct Fitted {
    dir: tempfile::TempDir,
    said: String,
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tminus"))
        .current_dir(dir)
        .args(arguments)
        .output()
        .unwrap()
}

impl Fitted {
    fn to(table: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("own.csv"), table).unwrap();
        let said = run(dir.path(), &["fit", "own.csv", "-o", "own.fit.toml"]);
        assert!(said.status.success(), "{}", text(&said.stderr));
        let said = text(&said.stdout);
        Self { dir, said }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a command that prints JSON says under the fit.
    fn json(&self, arguments: &[&str]) -> Value {
        let fit = ["--fit", "own.fit.toml", "--format", "json"];
        json(self.dir.path(), &[arguments, &fit].concat())
    }
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    let output = run(dir, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn expected(prediction: &Value) -> f64 {
    prediction["throughput_tok_s"]["expected"].as_f64().unwrap()
}

/// Whether two speeds are within a share of each other.
fn near(a: f64, b: f64, share: f64) -> bool {
    (a / b - 1.0).abs() < share
}

/// Rows of an H100 table with the required columns alone.
const H100: &str = "\
model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s
gpt-1b,h100,8,2048,4,1,off,309868
gpt-3b,h100,64,2048,8,1,on,1350000
gpt-7b,h100,16,4096,4,2,on,155000
gpt-7b,h100,8,2048,4,2,on,79000
gpt-13b,h100,8,2048,4,2,on,43000
";

const H100_CELL: &[&str] = &[
    "predict",
    "--model",
    "gpt-7b",
    "--tokens",
    "134B",
    "--cluster",
    "h100-cluster",
    "--gpus",
    "8",
    "--micro-batch",
    "4",
    "--grad-accum",
    "2",
    "--checkpointing",
    "on",
];

#[test]
fn a_job_that_names_no_stack_has_that_of_the_rows_of_its_gpu() {
    let fitted = Fitted::to(H100);
    let unnamed = fitted.json(H100_CELL);
    assert_eq!(unnamed["request"]["stack"], "bf16-gather");
    assert!(near(expected(&unnamed), 79_000.0, 0.05), "{unnamed}");
    assert_eq!(unnamed["notes"].as_array().unwrap().len(), 0);
    let plan = fitted.json(&[
        "plan",
        "--model",
        "gpt-7b",
        "--tokens",
        "134B",
        "--cluster",
        "h100-cluster",
        "--gpus",
        "8",
    ]);
    assert_eq!(plan["request"]["stack"], "bf16-gather");
    // Rows of one GPU say nothing of what is usual on another.
    let a100 = fitted.json(&[
        "predict",
        "--model",
        "gpt-7b",
        "--cluster",
        "r1z1",
        "--gpus",
        "8",
    ]);
    assert_eq!(a100["request"]["stack"], "fp32-gather");
}

#[test]
fn a_fit_that_has_no_say_is_said_to_have_none() {
    let fitted = Fitted::to(H100);
    let other_stack = fitted.json(&[H100_CELL, &["--stack", "fp32-gather"]].concat());
    let note = other_stack["notes"][0].as_str().unwrap();
    assert!(
        note.contains("no say on h100 under stack fp32-gather") && note.contains("bf16-gather,"),
        "{note}"
    );
    let plan = fitted.json(&[
        "plan",
        "--model",
        "gpt-7b",
        "--cluster",
        "r1z1",
        "--gpus",
        "8",
    ]);
    let notes = plan["notes"].to_string();
    assert!(
        notes.contains("no say on a100-80gb: its rows are of h100"),
        "{notes}"
    );
}

#[test]
fn rows_in_fp8_can_be_planned_with() {
    let fitted = Fitted::to(
        "model,gpu,precision,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s
gpt-1b,h100,amp_fp8,8,2048,8,1,off,420000
gpt-3b,h100,amp_fp8,8,2048,8,1,on,220000
gpt-7b,h100,amp_fp8,16,2048,8,2,on,215000
gpt-7b,h100,amp_fp8,8,2048,4,2,on,110000
gpt-13b,h100,amp_fp8,8,2048,4,2,on,60000
",
    );
    for named in [&[][..], &["--stack", "bf16-gather-fp8"]] {
        let cell = fitted.json(&[H100_CELL, named].concat());
        assert_eq!(cell["request"]["stack"], "bf16-gather-fp8");
        assert!(near(expected(&cell), 110_000.0, 0.05), "{cell}");
    }
    // A table may name the stack as the fit file does.
    fs::write(
        fitted.path("again.csv"),
        H100.replace("gpus,", "stack,gpus,")
            .replace("h100,", "h100,bf16-gather-fp8,"),
    )
    .unwrap();
    let again = json(
        fitted.dir.path(),
        &["evaluate", "again.csv", "--format", "json"],
    );
    assert_eq!(again["rows"], 5);
}

/// Three rows on a network half as fast as that of the embedded tables, without what their
/// cluster is called.
const SLOW_NETWORK: [&str; 3] = [
    "gpt-13b,a100-80gb,8,2048,8,2,on,12903.84020340112",
    "gpt-7b,a100-80gb,8,2048,8,4,on,23372.100733684536",
    "gpt-3b,a100-80gb,8,2048,8,4,on,50456.53022346323",
];

/// These rows on a cluster, or on one that isn't named.
fn slow_network(cluster: Option<&str>) -> Fitted {
    let (column, cell) = match cluster {
        Some(name) => ("cluster,", format!("{name},")),
        None => ("", String::new()),
    };
    let rows = SLOW_NETWORK.map(|row| format!("{cell}{row}\n")).concat();
    Fitted::to(&format!(
        "{column}model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,\
         throughput_tok_s\n{rows}"
    ))
}

fn slow_cell(fitted: &Fitted, cluster: &str) -> Value {
    fitted.json(&[
        "predict",
        "--model",
        "gpt-13b",
        "--cluster",
        cluster,
        "--gpus",
        "8",
        "--seq-len",
        "2048",
        "--micro-batch",
        "8",
        "--grad-accum",
        "2",
        "--checkpointing",
        "on",
    ])
}

#[test]
fn a_network_measured_on_no_named_cluster_is_that_of_every_cluster_of_its_gpu() {
    let fitted = slow_network(None);
    assert!(
        fitted
            .said
            .contains("on every cluster of a100-80gb (rows name none)"),
        "{}",
        fitted.said
    );
    let cell = slow_cell(&fitted, "r1z1");
    assert!(near(expected(&cell), 12_904.0, 0.01), "{cell}");
    // As if the table had named it.
    let named = slow_cell(&slow_network(Some("r1z1")), "r1z1");
    assert!(near(expected(&cell), expected(&named), 1e-9));
}

#[test]
fn a_network_measured_elsewhere_is_not_taken_over_unsaid() {
    let fitted = slow_network(Some("hpc7"));
    let elsewhere = slow_cell(&fitted, "r1z1");
    assert!(expected(&elsewhere) > 13_500.0, "{elsewhere}");
    let note = elsewhere["notes"][0].as_str().unwrap();
    assert!(
        note.contains("no say on r1z1") && note.contains("on hpc7"),
        "{note}"
    );
    // The cluster of the rows can be named, though no preset describes it.
    let there = slow_cell(&fitted, "hpc7");
    assert!(near(expected(&there), 12_904.0, 0.01), "{there}");
    assert_eq!(there["notes"].as_array().unwrap().len(), 0);
}
