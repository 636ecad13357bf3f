//! What each trainer and scheduler would make of a setting, and what is written so that it doesn't.

use super::{JOB, TARGETS, text, written};
use crate::launch::Target;

/// Trainers that have a folder save to it at an interval of their own, or refuse it without one.
#[test]
fn a_plan_without_checkpoints_writes_none() {
    let job = format!("{JOB}[reliability]\ncheckpoint_bytes_per_param = 0\n");
    for target in TARGETS {
        let files = written(&job, target).unwrap();
        let all: String = files.files.iter().map(|file| file.text.as_str()).collect();
        assert!(all.contains("# no checkpoints: "), "{target:?}: {all}");
        for setting in [
            "save_folder",
            "save_interval",
            "autoresume",
            "--save",
            "--load",
            "save_steps",
            "save_total_limit",
            "resumes from",
            "`checkpoints` in [launch]",
        ] {
            let hugging = target == Target::Huggingface && setting.starts_with('`');
            assert!(!all.contains(setting) || hugging, "{target:?}: {setting}");
        }
    }
}

#[test]
fn kubernetes_expands_nothing_of_what_was_set() {
    let launch = "[launch]\nlauncher = \"torchrun\"\nargs = [\"$(A) $$ $B\"]\n\
                  setup = [\"now=$(date)\"]\nenv = { A = \"$(PATH) $$ ${C}\", E = \"\" }\n";
    let yaml = text(
        &written(&format!("{JOB}{launch}"), Target::Kubeflow).unwrap(),
        "trainjob.yaml",
    );
    // The head is a comment, and holds amounts in dollars.
    let lines = yaml.lines().filter(|line| !line.starts_with('#'));
    let yaml = lines.collect::<Vec<_>>().join("\n");
    // It makes one of two, and takes `$(NAME)` for a variable.
    let expanded = yaml.replace("$$", "$");
    assert_eq!(
        yaml.matches('$').count(),
        2 * expanded.matches('$').count(),
        "{yaml}"
    );
    for wanted in [
        "now=$(date)\n",
        "'$(A) $$ $B'",
        "$(PATH) $$ ${C}",
        "name: E",
    ] {
        assert!(expanded.contains(wanted), "{wanted}: {expanded}");
    }
}

#[test]
fn what_the_trainer_would_interpolate_is_refused() {
    for key in ["data", "checkpoints", "tokenizer"] {
        let job = |text: &str| format!("{JOB}[launch]\n{key} = \"{text}\"\n");
        for target in [Target::LlmFoundry, Target::Mcli, Target::Slurm] {
            let error = written(&job("/a/${oc.env:B}"), target).unwrap_err();
            let said = error.to_string();
            assert!(said.contains(key) && said.contains("${oc.env:B}"), "{said}");
            written(&job("/a/$B {c}"), target).unwrap();
        }
        written(&job("/a/${b}"), Target::Megatron).unwrap();
    }
}

#[test]
fn megatron_drops_nothing_and_says_what_it_changes() {
    let padded = written(JOB, Target::Megatron).unwrap();
    let script = text(&padded, "launch.sh");
    for flags in [
        "--attention-dropout 0.0",
        "--hidden-dropout 0.0",
        "--adam-beta2 0.95",
        "NOTE: Megatron pads the vocabulary",
    ] {
        assert!(script.contains(flags), "{flags}: {script}");
    }
    assert!(!script.contains("rotary"), "{script}");
    let whole = "clusters = \"r1z1\"\n[model]\narchitecture = \"llama\"\nd_model = 2048\n\
                 n_layers = 16\nn_heads = 16\nd_ff = 5632\nvocab_size = 32000\n[search]\ngpus = 8\n";
    let script = text(&written(whole, Target::Megatron).unwrap(), "launch.sh");
    assert!(!script.contains("pads the vocabulary"), "{script}");
    assert!(script.contains("`--rotary-base`"), "{script}");
}

/// Transformers refuses both, and its own gathers the parameters once more a step.
#[test]
fn accelerate_switches_activation_checkpointing() {
    for switch in ["on", "off"] {
        let job = format!("{JOB}checkpointing = \"{switch}\"\n");
        let files = written(&job, Target::Huggingface).unwrap();
        let yaml = text(&files, "accelerate.yaml");
        let wanted = format!("fsdp_activation_checkpointing: {}", switch == "on");
        assert!(yaml.contains(&wanted), "{yaml}");
        let json = text(&files, "training_args.json");
        assert!(json.contains("\"gradient_checkpointing\": false"), "{json}");
    }
}
