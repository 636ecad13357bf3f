//! Rules that hold for every target, model and candidate.

mod booked;
mod cautions;
mod fp8;
mod limits;
mod nodes;
mod short;
mod trainers;

use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use super::{Launch, LaunchError, LaunchFiles, Target};
use crate::job::{JobFile, Request, Settings, resolve};
use crate::measure::{MOSAICGPT_2023, read};
use crate::plan::{Plan, Planner, plan};
use crate::preset::Catalog;
use crate::reserve::{Ask, Named, reserve};
use crate::throughput::Fit;

const TARGETS: [Target; 8] = [
    Target::LlmFoundry,
    Target::Slurm,
    Target::Skypilot,
    Target::Mcli,
    Target::Huggingface,
    Target::Deepspeed,
    Target::Megatron,
    Target::Kubeflow,
];

static FIT: LazyLock<Fit> = LazyLock::new(|| {
    let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &Catalog::embedded()).unwrap();
    Fit::new("embedded", table.rows).unwrap()
});

fn planned(job: &str) -> (Plan, Request) {
    let file = JobFile::parse("job.toml", job).unwrap();
    let catalog = file.extend(Catalog::embedded()).unwrap();
    let request = resolve(Settings::default().over(file.settings), &catalog).unwrap();
    (plan(&request, &FIT).unwrap(), request)
}

fn written(job: &str, target: Target) -> Result<LaunchFiles, LaunchError> {
    let (plan, request) = planned(job);
    let first = &plan.candidates[0];
    Launch::new(first, &request, "tminus launch job.toml")
        .unwrap()
        .files(target)
}

/// The files of what the booking recommended runs.
fn written_on_booking(job: &str, target: Target) -> LaunchFiles {
    let (_, request) = planned(job);
    let file = JobFile::parse("job.toml", job).unwrap();
    let catalog = file.extend(Catalog::embedded()).unwrap();
    let ask = Ask::new(&request, &catalog, Named::ByFlag).unwrap();
    let found = reserve(&Planner::new(&FIT), &request, &ask).unwrap();
    let booking = found.recommended().unwrap();
    let launch = Launch::new(&booking.candidate, &request, "tminus launch").unwrap();
    launch.on(Some(booking)).files(target).unwrap()
}

fn text(files: &LaunchFiles, name: &str) -> String {
    let file = files.files.iter().find(|file| file.name == name);
    file.unwrap().text.clone()
}

const JOB: &str = "model = \"gpt-1b\"\nclusters = \"r1z1\"\n[search]\ngpus = 8\n";

#[test]
fn every_target_says_what_was_planned_and_keeps_the_checkpoint_interval() {
    let (plan, request) = planned(JOB);
    let first = &plan.candidates[0];
    let launch = Launch::new(first, &request, "tminus launch it's").unwrap();
    let steps = launch.checkpoint_steps().unwrap();
    for target in TARGETS {
        let files = launch.files(target).unwrap();
        let all: String = files.files.iter().map(|file| file.text.as_str()).collect();
        for said in [
            "# gpt-1b on ",
            "tminus launch it's",
            env!("CARGO_PKG_VERSION"),
            "tokens/s",
            "GiB (fits)",
            "to the budget",
            "# price: $2.50 per GPU-hour (mosaicml, r1z1, as-billed, as of 2023-05",
            "a checkpoint every ",
        ] {
            assert!(
                all.contains(said),
                "{target:?} doesn't say {said:?}:\n{all}"
            );
        }
        for note in &files.notes {
            assert!(
                all.contains(&format!("# NOTE: {note}")),
                "{target:?}: {note}"
            );
        }
    }
    let yaml = text(&launch.files(Target::LlmFoundry).unwrap(), "train.yaml");
    assert!(
        yaml.contains(&format!("save_interval: {steps}ba")),
        "{yaml}"
    );
    let json = text(
        &launch.files(Target::Huggingface).unwrap(),
        "training_args.json",
    );
    assert!(json.contains(&format!("\"save_steps\": {steps}")), "{json}");
    let flags = text(&launch.files(Target::Megatron).unwrap(), "launch.sh");
    assert!(
        flags.contains(&format!("--save-interval {steps}")),
        "{flags}"
    );
}

/// The interval of the wall clock, recomputed: `√(2·w·M) − w` with 14 bytes a parameter written at
/// 1.2 GB/s, 5.15 failures in 1000 node-days.
#[test]
fn the_checkpoint_interval_is_the_planned_one() {
    let (plan, request) = planned(JOB);
    let first = &plan.candidates[0];
    let launch = Launch::new(first, &request, "").unwrap();
    let write = request.model.shape.params(first.seq_len) as f64 * 14.0 / 1.2e9;
    let mean = 1000.0 * 86_400.0 / 5.15;
    let seconds = (2.0 * write * mean).sqrt() - write;
    let steps = launch.checkpoint_steps().unwrap() as f64;
    assert!((steps * first.step_time_s.expected / seconds - 1.0).abs() < 0.01);
}

#[test]
fn cards_of_both_sizes_keep_their_names() {
    for (cluster, sky, mcli) in [
        ("r7z2", "accelerators: A100:8", "gpu_type: a100_40gb"),
        ("r1z1", "accelerators: A100-80GB:8", "gpu_type: a100_80gb"),
    ] {
        let job = JOB.replace("r1z1", cluster);
        let task = text(&written(&job, Target::Skypilot).unwrap(), "task.yaml");
        assert!(task.contains(sky), "{task}");
        let run = text(&written(&job, Target::Mcli).unwrap(), "run.yaml");
        assert!(run.contains(mcli), "{run}");
    }
}

#[test]
fn what_a_target_can_not_express_is_refused() {
    let alibi = JOB.replace("gpt-1b", "mpt-7b");
    let error = written(&alibi, Target::Megatron).unwrap_err();
    assert!(error.to_string().contains("ALiBi"), "{error}");
    written(&alibi, Target::LlmFoundry).unwrap();
    let unknown = JOB.replace("r1z1", "h200-cluster");
    let error = written(&unknown, Target::Mcli).unwrap_err();
    assert!(error.to_string().contains("h200"), "{error}");
    let named = format!("{unknown}[launch]\ngpu_type = \"h200_141gb\"\n");
    let run = text(&written(&named, Target::Mcli).unwrap(), "run.yaml");
    assert!(run.contains("gpu_type: h200_141gb"), "{run}");
}

/// The script, run: a stand-in for the launcher shows the arguments and variables that reach it.
#[test]
fn odd_settings_reach_the_launcher_as_they_are() {
    let root = tempfile::tempdir().unwrap();
    let odd = root.path().join("it's $HOME \"here\" é");
    fs::create_dir(&odd).unwrap();
    let stand_in = root.path().join("composer");
    fs::write(
        &stand_in,
        "#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done\nprintf '%s\\0%s' \"$ODD\" \"$PWD\"\n",
    )
    .unwrap();
    let script = root.path().join("launch.sh");
    let settings = "[launch]\nscript = \"my train's.py\"\nargs = [\"a\\nb $c 'd' \\\"e\\\" é\"]\n";
    let workdir = format!("workdir = {:?}\n", odd.display().to_string());
    let env = "env = { ODD = \"$(id) `id`\\n'\\\"\\\\ é\" }\n";
    let job = format!("{JOB}{settings}{workdir}{env}");
    fs::write(
        &script,
        text(&written(&job, Target::LlmFoundry).unwrap(), "launch.sh"),
    )
    .unwrap();
    #[cfg(unix)]
    fs::set_permissions(
        &stand_in,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let path = format!(
        "{}:{}",
        root.path().display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new("bash")
        .arg(&script)
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = said.split('\0').collect();
    let config = root.path().canonicalize().unwrap().join("train.yaml");
    assert_eq!(
        words,
        [
            "-n",
            "8",
            "my train's.py",
            config.to_str().unwrap(),
            "a\nb $c 'd' \"e\" é",
            "$(id) `id`\n'\"\\ é",
            odd.to_str().unwrap(),
        ]
    );
}

#[test]
fn a_short_limit_is_resubmitted_and_a_long_one_covers_the_high_end() {
    let limited = format!("{JOB}[launch]\ntime_limit = \"4h\"\n");
    let files = written(&limited, Target::Slurm).unwrap();
    let script = text(&files, "job.sbatch");
    assert!(script.contains("#SBATCH --time=0-04:00:00"), "{script}");
    assert!(script.contains("resubmits itself"), "{script}");
    let (plan, _) = planned(JOB);
    let script = text(&written(JOB, Target::Slurm).unwrap(), "job.sbatch");
    let limit = script
        .lines()
        .find_map(|line| line.strip_prefix("#SBATCH --time="))
        .unwrap();
    let (days, clock) = limit.split_once('-').unwrap();
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
    let hours = days.parse::<f64>().unwrap() * 24.0 + parts[0] + parts[1] / 60.0;
    // With the five minutes of notice before the end.
    let high = plan.candidates[0].time_to_budget_h.high + 5.0 / 60.0;
    assert!((high..high + 0.02).contains(&hours), "{hours} {high}");
}

#[test]
fn a_run_longer_than_its_limit_gets_on_between_two_resubmissions() {
    for (limit, limited) in [("40m", true), ("100d", false)] {
        let (plan, request) = planned(&format!("{JOB}[launch]\ntime_limit = \"{limit}\"\n"));
        let first = &plan.candidates[0];
        let launch = Launch::new(first, &request, "tminus").unwrap();
        let seconds = launch.checkpoint_steps().unwrap() as f64 * first.step_time_s.high;
        assert_eq!(seconds < 40.0 * 60.0 / 2.0, limited, "{limit}: {seconds}");
        let files = launch.files(Target::Slurm).unwrap();
        let script = text(&files, "job.sbatch");
        assert_eq!(script.contains("more often than the planned time"), limited);
        assert_eq!(script.contains("as the planned time assumes"), !limited);
    }
}

/// Trainers refuse a warm-up that is no shorter than the run, and Composer one in another unit.
#[test]
fn the_warm_up_is_shorter_than_the_run_and_in_its_unit() {
    for tokens in ["1M", "40M", "200M", "20B"] {
        let job = format!("tokens = \"{tokens}\"\n{JOB}");
        let (plan, _) = planned(&job);
        let steps = plan.candidates[0].steps;
        let number = |text: &str, before: &str, after: &str| -> u64 {
            let (_, rest) = text.split_once(before).unwrap();
            let (digits, _) = rest.split_once(after).unwrap();
            digits.trim().parse().unwrap()
        };
        let yaml = text(&written(&job, Target::LlmFoundry).unwrap(), "train.yaml");
        let warm = number(&yaml, "t_warmup: ", "tok\n");
        assert!(warm < number(&yaml, "max_duration: ", "tok\n"), "{tokens}");
        let script = text(&written(&job, Target::Megatron).unwrap(), "launch.sh");
        let warm = number(&script, "--lr-warmup-samples ", "\\");
        assert!(warm < number(&script, "--train-samples ", "\\"), "{tokens}");
        let trainer = written(&job, Target::Huggingface).unwrap();
        let trainer = text(&trainer, "training_args.json");
        assert!(
            number(&trainer, "\"warmup_steps\": ", ",") < steps,
            "{tokens}"
        );
    }
}

/// In a container the files of the launch are mounted, and its own directory is entered there.
#[test]
fn a_container_has_what_the_job_needs() {
    let job = format!(
        "{JOB}[launch]\nimage = \"a/b:c\"\nworkdir = \"/opt/llm-foundry/scripts\"\n\
         data = \"/mnt/data\"\ncheckpoints = \"s3://bucket/run\"\n"
    );
    let script = text(&written(&job, Target::Slurm).unwrap(), "job.sbatch");
    for wanted in [
        "--container-image=a/b:c",
        "--container-mounts=\"$SLURM_SUBMIT_DIR:$SLURM_SUBMIT_DIR\",/mnt/data:/mnt/data",
        "--container-workdir=/opt/llm-foundry/scripts",
    ] {
        assert!(script.contains(wanted), "{wanted}: {script}");
    }
    assert!(!script.contains("\ncd "), "{script}");
}

/// A limit under which the job can't get on between two stops is said to be one.
#[test]
fn a_limit_is_told_by_how_often_it_stops_the_job() {
    let told = |limit: &str| {
        let job = format!("{JOB}[launch]\ntime_limit = \"{limit}\"\n");
        text(&written(&job, Target::Slurm).unwrap(), "job.sbatch")
    };
    assert!(told("5m").contains("too short for the job to get on"));
    let times = |limit: &str| -> f64 {
        let script = told(limit);
        let (_, rest) = script.split_once("resubmits itself, about ").unwrap();
        rest.split_once(" time").unwrap().0.parse().unwrap()
    };
    let (plan, _) = planned(JOB);
    let high = plan.candidates[0].time_to_budget_h.high;
    // Each start of an hour loses its start, the notice and work since a checkpoint.
    assert!(times("1h") > high - 1.0, "{} {high}", times("1h"));
    assert!(times("1h") > 2.0 * times("2h"));
}

/// What a booking runs is launched on it: in Slurm's reservation, and for no longer than it lasts.
#[test]
fn a_run_on_a_booking_is_launched_into_it() {
    let job = "model = \"gpt-1b\"\ntokens = \"26B\"\nclusters = \"r7z2\"\n[reserve]\n\
               deadline = \"3d\"\nstart = \"2026-12-01T09:00Z\"\n";
    let (_, request) = planned(job);
    let file = JobFile::parse("job.toml", job).unwrap();
    let catalog = file.extend(Catalog::embedded()).unwrap();
    let ask = Ask::new(&request, &catalog, Named::ByFlag).unwrap();
    let found = reserve(&Planner::new(&FIT), &request, &ask).unwrap();
    let booking = found.recommended().unwrap();
    let launch = Launch::new(&booking.candidate, &request, "tminus launch").unwrap();
    let name = booking.in_words.name.clone().unwrap();
    let script = |launch: &Launch<'_>| text(&launch.files(Target::Slurm).unwrap(), "job.sbatch");
    let (with, without) = (script(&launch.clone().on(Some(booking))), script(&launch));
    assert!(
        with.contains(&format!("#SBATCH --reservation={name}\n")),
        "{with}"
    );
    assert!(!without.contains("--reservation"));
    // Back in the queue, the job would wait for a reservation that is over.
    assert!(!with.contains("USR1") && without.contains("trap resubmit USR1"));
    assert!(with.contains(&format!("#SBATCH --nodes={}\n", booking.nodes)));
    let head = format!("# booking: {} node", booking.booked_nodes);
    assert!(
        with.contains(&head) && !without.contains("# booking:"),
        "{with}"
    );
    // When its reservation ends, a job is stopped: it asks for no more time, and says so.
    assert!(
        with.contains("when that ends Slurm stops the job, however late it started"),
        "{with}"
    );
    let hours = |script: &str| {
        let line = script
            .lines()
            .find_map(|line| line.strip_prefix("#SBATCH --time="));
        let (days, clock) = line.unwrap().split_once('-').unwrap();
        let parts: Vec<f64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
        days.parse::<f64>().unwrap() * 24.0 + parts[0] + parts[1] / 60.0
    };
    assert!(hours(&with) <= booking.usable_h + 1e-9, "{with}");
    assert!(hours(&without) > booking.run_h.high);
}
