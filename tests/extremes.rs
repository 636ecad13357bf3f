//! The smallest and the largest of everything, through every command: right answers, or a clear
//! refusal.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// One of everything.
const TINY: &str = "d_model = 1\nn_layers = 1\nn_heads = 1\nvocab_size = 1\nseq_len = 1\n";
/// 1.04 · 10¹⁵ parameters.
const VAST: &str =
    "d_model = 1048576\nn_layers = 79\nn_heads = 8192\nvocab_size = 50257\nseq_len = 2048\n";
const SMALL: &str =
    "d_model = 768\nn_layers = 12\nn_heads = 12\nvocab_size = 50257\nseq_len = 2048\n";

const ONE_GPU: &str = "gpus_per_node = 1\nmax_gpus = 1\n";
/// A node without a link to another.
const ONE_NODE: &str = "gpus_per_node = 8\nmax_gpus = 8\n";
const MILLION: &str = "gpus_per_node = 8\nmax_gpus = 1000000\ninter_node_gbps = 3200\n";

/// A job at one end or the other.
struct Job {
    model: &'static str,
    tokens: u64,
    global_batch: u64,
    seq_len: Option<u64>,
    cluster: &'static str,
    usd_per_gpu_hour: f64,
}

const MOST_TOKENS: u64 = 1_000_000_000_000_000_000;

impl Job {
    fn presets(&self) -> String {
        format!(
            "[models.m]\n{}[clusters.c]\ngpu = \"h100\"\n{}usd_per_gpu_hour = {}\n",
            self.model, self.cluster, self.usd_per_gpu_hour
        )
    }

    fn search(&self, table: &str) -> String {
        let line = |seq_len| format!("[{table}]\nseq_len = {seq_len}\n");
        self.seq_len.map(line).unwrap_or_default()
    }

    /// The job alone, and twice on a calendar.
    fn write(&self, directory: &Path) {
        let top = format!(
            "tokens = {}\nglobal_batch = {}\ncluster = \"c\"\n",
            self.tokens, self.global_batch
        );
        let alone = format!(
            "model = \"m\"\n{top}{}[reserve]\nnodes = 1\nstart = \"2026-12-01\"\nusers = \"a\"\n{}",
            self.search("search"),
            self.presets()
        );
        fs::write(directory.join("job.toml"), alone).unwrap();
        let job = |name| format!("[[jobs]]\nname = \"{name}\"\nmodel = \"m\"\n");
        let jobs = [job("a"), self.search("jobs.search"), job("b")].concat();
        let several = format!(
            "{top}[schedule]\nstart = \"2026-12-01\"\n{jobs}{}{}",
            self.search("jobs.search"),
            self.presets()
        );
        fs::write(directory.join("jobs.toml"), several).unwrap();
    }

    /// Runs the commands that take a job and returns their statuses; what they print has numbers
    /// alone, and what they refuse with says something.
    fn statuses(&self) -> [i32; 8] {
        let directory = tempfile::tempdir().unwrap();
        self.write(directory.path());
        let run = |arguments: &[&str]| -> i32 {
            let output = tminus(directory.path(), arguments);
            let status = output.status.code().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!said.contains("panicked"), "{arguments:?}\n{said}");
            assert!(
                status == 0 || said.contains("error: "),
                "{arguments:?}\n{said}"
            );
            let words = String::from_utf8(output.stdout).unwrap().to_lowercase();
            let mut words = words.split(|c: char| !c.is_alphanumeric());
            assert!(
                !words.any(|word| ["nan", "inf"].contains(&word)),
                "{arguments:?}"
            );
            status
        };
        let statuses = [
            run(&["plan", "job.toml", "--format", "json", "-o", "plan.json"]),
            run(&["plan", "job.toml"]),
            run(&["reserve", "job.toml"]),
            run(&["report", "job.toml", "-o", "report.html"]),
            run(&[
                "launch",
                "job.toml",
                "--target",
                "slurm",
                "--dry-run",
                "--accept-extrapolated",
            ]),
            run(&["advise", "job.toml"]),
            run(&["plan", "jobs.toml"]),
            match fs::read_to_string(directory.path().join("plan.json")) {
                Err(_) => 1,
                Ok(plan) => {
                    let speed = self.check(&serde_json::from_str(&plan).unwrap());
                    let speed = (speed * 0.7).to_string();
                    run(&[
                        "compare",
                        "plan.json",
                        "--job",
                        "job.toml",
                        "--measured",
                        &speed,
                    ])
                }
            },
        ];
        self.predicts(directory.path());
        statuses
    }

    /// The parts of each candidate add up; the throughput of the best.
    fn check(&self, plan: &Value) -> f64 {
        let candidates = plan["candidates"].as_array().unwrap();
        for candidate in candidates {
            self.adds_up(candidate);
        }
        candidates[0]["throughput_tok_s"]["expected"]
            .as_f64()
            .unwrap()
    }

    fn adds_up(&self, candidate: &Value) {
        let expected = |key: &str| candidate[key]["expected"].as_f64().unwrap();
        let near = |is: f64, should: f64| {
            assert!(
                (is / should - 1.0).abs() < 1e-9,
                "{is} for {should}: {candidate}"
            );
        };
        let sum = |parts: &Value| -> f64 {
            let parts = parts.as_object().unwrap().values();
            parts.map(|part| part.as_f64().unwrap()).sum()
        };
        let seconds = expected("train_h") * 3600.0;
        near(expected("throughput_tok_s") * seconds, self.tokens as f64);
        near(sum(&candidate["time_parts_s"]), expected("step_time_s"));
        let memory = &candidate["memory"];
        near(sum(&memory["parts"]), memory["peak_gib"].as_f64().unwrap());
        near(
            expected("cost_usd"),
            expected("gpu_hours") * self.usd_per_gpu_hour,
        );
        for key in [
            "throughput_tok_s",
            "train_h",
            "time_to_budget_h",
            "cost_usd",
        ] {
            let [low, high] = ["low", "high"].map(|end| candidate[key][end].as_f64().unwrap());
            assert!(0.0 < low && low <= expected(key) && expected(key) <= high);
        }
    }

    /// One configuration on one GPU is always answered, also one that overflows.
    fn predicts(&self, directory: &Path) {
        fs::write(directory.join("presets.toml"), self.presets()).unwrap();
        let tokens = self.tokens.to_string();
        let arguments = [
            "predict",
            "--presets",
            "presets.toml",
            "--model",
            "m",
            "--cluster",
            "c",
            "--gpus",
            "1",
            "--micro-batch",
            "1",
            "--grad-accum",
            "1",
            "--checkpointing",
            "on",
            "--format",
            "json",
            "--tokens",
            &tokens,
        ];
        let output = tminus(directory, &arguments);
        assert!(output.status.success());
        self.adds_up(&serde_json::from_slice(&output.stdout).unwrap());
    }
}

fn tminus(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tminus"))
        .current_dir(directory)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn one_of_everything_is_trained() {
    let job = Job {
        model: TINY,
        tokens: 1,
        global_batch: 1,
        seq_len: None,
        cluster: ONE_GPU,
        usd_per_gpu_hour: 0.0001,
    };
    assert_eq!(job.statuses(), [0; 8]);
}

#[test]
fn the_smallest_model_is_trained_on_the_most_tokens_and_gpus() {
    let job = Job {
        model: TINY,
        tokens: MOST_TOKENS,
        global_batch: 1_000_000,
        seq_len: None,
        cluster: MILLION,
        usd_per_gpu_hour: 10_000.0,
    };
    assert_eq!(job.statuses(), [0; 8]);
}

#[test]
fn the_most_tokens_are_trained_on_one_node_and_on_a_million_gpus() {
    for (cluster, global_batch) in [(ONE_NODE, 1 << 20), (MILLION, 1_000_000_000_000)] {
        let job = Job {
            model: SMALL,
            tokens: MOST_TOKENS,
            global_batch,
            seq_len: None,
            cluster,
            usd_per_gpu_hour: 0.0001,
        };
        let calendar = if cluster == MILLION { 0 } else { 2 };
        // What no booking is enough for isn't launched either, unless a rank is named.
        assert_eq!(job.statuses(), [0, 0, 1, 1, 1, 0, calendar, 0], "{cluster}");
    }
}

#[test]
fn sequences_of_one_token_are_trained_and_those_of_ten_million_do_not_fit() {
    let mut job = Job {
        model: SMALL,
        tokens: 134_000_000_000,
        global_batch: 1 << 20,
        seq_len: Some(1),
        cluster: ONE_NODE,
        usd_per_gpu_hour: 2.0,
    };
    assert_eq!(job.statuses(), [0; 8]);
    job.seq_len = Some(10_000_000);
    job.global_batch = 10_000_000_000;
    assert_eq!(job.statuses(), [1; 8]);
}

#[test]
fn the_largest_model_fits_nowhere() {
    for cluster in [ONE_GPU, ONE_NODE, MILLION] {
        let job = Job {
            model: VAST,
            tokens: MOST_TOKENS,
            global_batch: 1_000_000_000_000,
            seq_len: None,
            cluster,
            usd_per_gpu_hour: 10_000.0,
        };
        assert_eq!(job.statuses(), [1; 8], "{cluster}");
    }
}

/// What no answer could be trusted for is refused by its key, with what is accepted.
#[test]
fn what_is_beyond_the_ends_is_refused_with_the_ends() {
    let job = Job {
        model: SMALL,
        tokens: 1,
        global_batch: 1 << 20,
        seq_len: None,
        cluster: ONE_NODE,
        usd_per_gpu_hour: 2.0,
    };
    let directory = tempfile::tempdir().unwrap();
    job.write(directory.path());
    let text = fs::read_to_string(directory.path().join("job.toml")).unwrap();
    for (from, to, said) in [
        ("hour = 2", "hour = 1e-9", "at least 0.0001"),
        ("hour = 2", "hour = 1e9", "more than 10,000"),
        (
            "tokens = 1",
            "tokens = 1000000000000000001",
            "more than 1000000000000000000",
        ),
        ("max_gpus = 8", "max_gpus = 16", "no `inter_node_gbps`"),
        ("n_layers = 12", "n_layers = 0", "at least 1"),
        ("d_model = 768", "d_model = 12582912", "from 1 to 4194304"),
        ("n_layers = 12", "n_layers = 65537", "from 1 to 65536"),
        ("seq_len = 2048", "seq_len = 67108865", "67108864"),
        (
            "seq_len = 2048",
            "seq_len = 18446744073709551615",
            "seq_len",
        ),
        (
            "max_gpus = 8",
            "max_gpus = 18446744073709551615",
            "max_gpus",
        ),
        ("nodes = 1", "nodes = 18446744073709551615", "nodes"),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(directory.path().join("else.toml"), text.replace(from, to)).unwrap();
        for command in ["plan", "reserve"] {
            if command == "plan" && from.starts_with("nodes") {
                continue;
            }
            let output = tminus(directory.path(), &[command, "else.toml"]);
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(
                [1, 2].contains(&output.status.code().unwrap()),
                "{to}: {message}"
            );
            assert!(message.contains(said), "{to}: {message}");
        }
    }
}
