//! What transcripts can't show: pipes that close, files that stay as they were.

#![expect(clippy::unwrap_used, reason = "a test that can't run should fail")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const JOB: [&str; 7] = [
    "plan",
    "--model",
    "gpt-125m",
    "--tokens",
    "2B",
    "--cluster",
    "r1z1",
];

fn tminus() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tminus"))
}

fn run(arguments: &[&str], directory: &Path) -> Output {
    tminus()
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = tminus()
        .args(["presets", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn mistakes_leave_no_file_and_keep_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("old.json"), "old").unwrap();
    fs::write(directory.path().join("empty.toml"), "").unwrap();
    let mistakes: [&[&str]; 8] = [
        &["plan", "--model", "gpt-8b", "-o", "new.json"],
        &[
            "plan", "--model", "gpt-7b", "--tokens", "134Q", "-o", "old.json",
        ],
        &[
            "plan", "--model", "gpt-7b", "--gpus", "8..", "-o", "new.json",
        ],
        &[
            "plan",
            "--model",
            "gpt-7b",
            "--micro-batch",
            "0",
            "-o",
            "new.json",
        ],
        &["plan", "empty.toml", "-o", "old.json"],
        &["plan", "absent.toml", "-o", "new.json"],
        &["plan", ".", "-o", "new.json"],
        &["plan", "--model", "gpt-7b", "-o", "."],
    ];
    for arguments in mistakes {
        let output = run(arguments, directory.path());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["empty.toml", "old.json"]);
    let old = fs::read_to_string(directory.path().join("old.json")).unwrap();
    assert_eq!(old, "old");
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let job = "model = \"gpt-125m\"\ntokens = \"2B\"\nclusters = [\"r1z1\"]\n";
    fs::write(at("job.toml"), job).unwrap();
    fs::write(
        at("naming.toml"),
        format!("presets = [\"lab.toml\"]\n{job}"),
    )
    .unwrap();
    fs::copy("tests/cmd/files.in/lab.toml", at("lab.toml")).unwrap();
    fs::copy(at("lab.toml"), at("job.sbatch")).unwrap();
    fs::write(at("runs.csv"), "model,gpus\ngpt-125m,8\n").unwrap();
    fs::copy(at("job.toml"), at("job.md")).unwrap();
    let commands: [&[&str]; 17] = [
        &["predict", "naming.toml", "-o", "lab.toml"],
        &["plan", "job.toml", "-o", "job.toml"],
        &["plan", "naming.toml", "-o", "lab.toml"],
        &[
            "plan",
            "job.toml",
            "--presets",
            "lab.toml",
            "-o",
            "lab.toml",
        ],
        &["plan", "job.toml", "--fit", "lab.toml", "-o", "./lab.toml"],
        &[
            "predict",
            "--model",
            "lab",
            "--presets",
            "lab.toml",
            "-o",
            "lab.toml",
        ],
        &["reserve", "job.toml", "--deadline", "14d", "-o", "job.toml"],
        &[
            "reserve",
            "naming.toml",
            "--deadline",
            "14d",
            "-o",
            "lab.toml",
        ],
        &["report", "job.md", "-o", "job.md"],
        &[
            "launch",
            "job.toml",
            "--target",
            "slurm",
            "--presets",
            "job.sbatch",
            "--force",
            "--accept-extrapolated",
        ],
        &["evaluate", "runs.csv", "-o", "runs.csv"],
        &["evaluate", "--fit", "lab.toml", "-o", "lab.toml"],
        &["fit", "runs.csv", "-o", "runs.csv"],
        &["fit", "runs.csv", "--presets", "lab.toml", "-o", "lab.toml"],
        &["advise", "job.toml", "-o", "job.toml"],
        &["advise", "naming.toml", "-o", "lab.toml"],
        &["presets", "--presets", "lab.toml", "-o", "lab.toml"],
    ];
    let texts = || {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut found: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
            .collect();
        found.sort();
        found
    };
    let before = texts();
    for arguments in commands {
        let output = run(arguments, directory.path());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(
            errors.contains("is read by this command"),
            "{arguments:?}: {errors}"
        );
    }
    assert!(texts() == before);
}

#[test]
fn nothing_feasible_is_status_1_and_says_what_would_fit() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "plan",
        "--model",
        "gpt-70b",
        "--tokens",
        "1T",
        "--cluster",
        "r7z2",
        "--gpus",
        "8",
        "-o",
        "plan.json",
    ];
    let output = run(&arguments, directory.path());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("GPUs"), "{errors}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_file_holds_what_stdout_would_show() {
    let directory = tempfile::tempdir().unwrap();
    for format in ["table", "json", "csv", "markdown"] {
        let mut arguments = JOB.to_vec();
        arguments.extend(["--format", format, "--color", "always"]);
        let mut plain = JOB.to_vec();
        plain.extend(["--format", format]);
        let shown = run(&plain, directory.path());
        assert_eq!(shown.status.code(), Some(0));
        arguments.extend(["-o", "plan"]);
        assert_eq!(run(&arguments, directory.path()).status.code(), Some(0));
        let written = fs::read(directory.path().join("plan")).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&written),
            String::from_utf8_lossy(&shown.stdout),
            "{format}"
        );
    }
}

#[test]
fn threads_change_no_byte() {
    let directory = tempfile::tempdir().unwrap();
    let with = |threads: &str| {
        let mut arguments = JOB.to_vec();
        arguments.extend(["--format", "json", "--threads", threads]);
        run(&arguments, directory.path()).stdout
    };
    let one = with("1");
    assert!(!one.is_empty());
    assert_eq!(one, with("2"));
    assert_eq!(one, with("7"));
}

#[test]
fn the_job_file_that_init_writes_can_be_planned_and_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let init = ["init", "-o", "job.toml"];
    assert_eq!(run(&init, directory.path()).status.code(), Some(0));
    let planned = run(&["plan", "job.toml"], directory.path());
    assert_eq!(planned.status.code(), Some(0));
    assert_eq!(run(&init, directory.path()).status.code(), Some(2));
    let forced = ["init", "-o", "job.toml", "--force"];
    assert_eq!(run(&forced, directory.path()).status.code(), Some(0));
    let said = |target: &str| run(&["init", "-o", target], directory.path()).stderr;
    assert!(said("-").is_empty() && !said("other.toml").is_empty());
}

#[test]
fn flags_override_the_job_file() {
    let directory = tempfile::tempdir().unwrap();
    let job = "model = \"gpt-125m\"\ntokens = \"2B\"\nclusters = [\"r1z1\"]\n";
    fs::write(directory.path().join("job.toml"), job).unwrap();
    let mut flags = JOB.to_vec();
    flags.extend(["--format", "json"]);
    let from_flags = run(&flags, directory.path());
    let from_file = run(&["plan", "job.toml", "--format", "json"], directory.path());
    assert_eq!(from_flags.stdout, from_file.stdout);
    let more = ["plan", "job.toml", "--format", "json", "--tokens", "4B"];
    assert_ne!(run(&more, directory.path()).stdout, from_file.stdout);
}

/// What a job file says holds for one of its configurations as for its plan.
#[test]
fn a_job_file_is_predicted_as_it_is_planned() {
    let directory = tempfile::tempdir().unwrap();
    let job = "model = \"qwen2.5-1.5b\"\ntokens = \"60B\"\ncluster = [\"onprem\"]\n\
               stack = \"bf16-gather\"\nconfidence = 0.8\nprovider = \"mine\"\n\
               [clusters.onprem]\ngpu = \"a100-80gb\"\ngpus_per_node = 4\nmax_gpus = 48\n\
               inter_node_gbps = 200\n\
               [[prices]]\ninstance = \"onprem\"\nprovider = \"mine\"\nprice_type = \"on-demand\"\n\
               usd_per_gpu_hour = 1.15\nas_of = \"2026-11\"\nsource = \"own books\"\n\
               [reliability]\nspares = 1\nfailures_per_1000_node_days = 9\nrestart = \"25m\"\n\
               checkpoint_interval = \"40m\"\nwrite_gb_per_s_node = 0.5\n";
    fs::write(directory.path().join("job.toml"), job).unwrap();
    let answer = |arguments: &[&str]| -> serde_json::Value {
        let output = run(arguments, directory.path());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let plan = answer(&["plan", "job.toml", "--format", "json"]);
    for index in [0, 4] {
        let planned = &plan["candidates"][index];
        let figure = |key: &str| planned[key].to_string();
        let (gpus, micro_batch) = (figure("gpus"), figure("micro_batch"));
        let grad_accum = figure("grad_accum");
        let recomputes = planned["activation_checkpointing"] == true;
        let mut arguments = vec!["predict", "job.toml", "--format", "json"];
        if index > 0 {
            arguments.extend(["--gpus", &gpus, "--micro-batch", &micro_batch]);
            arguments.extend(["--grad-accum", &grad_accum, "--checkpointing"]);
            arguments.push(if recomputes { "on" } else { "off" });
        }
        let predicted = answer(&arguments);
        assert_eq!(predicted["usd_per_gpu_hour"], 1.15);
        assert_eq!(predicted["spare_nodes"], 1);
        for (key, value) in planned.as_object().unwrap() {
            if index == 0 || !["rank", "tied_with_best"].contains(&key.as_str()) {
                assert_eq!(predicted[key], *value, "{key} of candidate {index}");
            }
        }
    }
}
