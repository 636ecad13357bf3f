//! A plan at the speed of fp8 is launched in fp8, or the files say who has to see to it.

use super::{TARGETS, text, written};
use crate::launch::Target;

fn job(stack: &str, launch: &str) -> String {
    format!(
        "model = \"llama-3-8b\"\ntokens = \"160B\"\nclusters = \"h100-cluster\"\nstack = \"{stack}\"\n\
         [stacks.bf16-gather-fp8]\nprecision = \"bf16-gather\"\n[search]\ngpus = 64\n\
         [launch]\ngpu_type = \"h100\"\n{launch}"
    )
}

fn all(stack: &str, launch: &str, target: Target) -> String {
    let launch = match target {
        // Kubernetes has a resource's name for it.
        Target::Kubeflow => launch.to_owned() + "image = \"a/b:c\"\n",
        _ => launch.to_owned(),
    };
    let files = written(&job(stack, &launch), target).unwrap();
    files.files.iter().map(|file| file.text.as_str()).collect()
}

#[test]
fn trainers_that_know_fp8_are_told_of_it() {
    for target in [
        Target::LlmFoundry,
        Target::Slurm,
        Target::Skypilot,
        Target::Mcli,
        Target::Kubeflow,
    ] {
        let (fast, plain) = (
            all("bf16-gather-fp8", "", target),
            all("bf16-gather", "", target),
        );
        // Without layers of Transformer Engine's, LLM Foundry's `amp_fp8` multiplies in bf16.
        for (wanted, other) in [
            ("precision: amp_fp8", "precision: amp_bf16"),
            ("fc_type: te", "amp_bf16"),
        ] {
            assert!(
                fast.contains(wanted) && !fast.contains(other),
                "{target:?}: {fast}"
            );
            assert!(
                !plain.contains(wanted) && plain.contains(other),
                "{target:?}: {plain}"
            );
        }
    }
    let flags = all("bf16-gather-fp8", "", Target::Megatron);
    assert!(
        flags.contains("--fp8-format hybrid") && flags.contains("--bf16"),
        "{flags}"
    );
    assert!(!all("bf16-gather", "", Target::Megatron).contains("fp8"));
}

/// Transformers' own `bf16` would take the place of what Accelerate's file asks for.
#[test]
fn accelerate_is_asked_for_fp8_by_its_file_alone() {
    for (stack, bf16, mixed) in [
        ("bf16-gather-fp8", false, "mixed_precision: fp8\n"),
        ("bf16-gather", true, "mixed_precision: bf16\n"),
    ] {
        let files = written(&job(stack, ""), Target::Huggingface).unwrap();
        let json = text(&files, "training_args.json");
        assert!(json.contains(&format!("\"bf16\": {bf16}")), "{json}");
        let yaml = text(&files, "accelerate.yaml");
        assert!(yaml.contains(mixed), "{yaml}");
        assert_eq!(
            yaml.contains("fp8_config:\n  backend: TE\n"),
            !bf16,
            "{yaml}"
        );
    }
}

/// Every file that starts an fp8 plan says what it takes, and only those do.
#[test]
fn what_fp8_takes_is_at_the_head() {
    for target in TARGETS {
        for own in ["", "launcher = \"torchrun\"\n"] {
            let by_script = target == Target::Deepspeed
                || !own.is_empty()
                    && [Target::Slurm, Target::Skypilot, Target::Kubeflow].contains(&target);
            let wanted = if by_script {
                "# NOTE: nothing here switches fp8 on: the script multiplies"
            } else {
                "# NOTE: fp8 is Transformer Engine's here"
            };
            let said = all("bf16-gather-fp8", own, target);
            assert!(said.contains(wanted), "{target:?} {own}: {said}");
            assert!(
                !all("bf16-gather", own, target).contains("fp8"),
                "{target:?}"
            );
        }
    }
}
