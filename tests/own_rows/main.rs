//! A user's own rows on the command line: a table is fitted, and what the fit says is used where it
//! holds, said to be silent where it doesn't.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod cautions;
mod links;
mod memory;
mod stacks;
mod tables;

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
    fn json(&self, command: &str) -> Value {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let fit = ["--fit", "own.fit.toml", "--format", "json"];
        json(self.dir.path(), &[&arguments[..], &fit].concat())
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

const H100_CELL: &str = "predict --model gpt-7b --tokens 134B --cluster h100-cluster --gpus 8 \
    --micro-batch 4 --grad-accum 2 --checkpointing on";

fn predict(
    (model, gpus, seq_len, micro, accum, checkpointing): (&str, u64, u64, u64, u64, &str),
) -> String {
    format!(
        "predict --model {model} --tokens 20B --cluster r1z1 --gpus {gpus} --seq-len {seq_len} \
         --micro-batch {micro} --grad-accum {accum} --checkpointing {checkpointing}"
    )
}

/// Three sizes of a cluster whose nodes are linked far more slowly than is assumed of its GPU.
const SLOW_LINKS: &str = "\
model,seq_len,gpus,gpu,cluster,micro_batch,grad_accum,activation_checkpointing,stack,throughput_tok_s
gpt-7b,2048,64,h100,lab,32,1,on,pure-bf16,300000
gpt-7b,2048,32,h100,lab,32,1,on,pure-bf16,160000
gpt-7b,2048,8,h100,lab,32,1,on,pure-bf16,71000
";
