//! What the files don't do of the plan, or its figures leave out, stands at their heads.

use super::{JOB, TARGETS, written, written_on_booking};
use crate::launch::Target;

/// The notes of a target's files, each of which stands in them too.
fn notes(job: &str, target: Target) -> String {
    let files = written(job, target).unwrap();
    let all: String = files.files.iter().map(|file| file.text.as_str()).collect();
    for note in &files.notes {
        assert!(
            all.contains(&format!("# NOTE: {note}")),
            "{target:?}: {note}"
        );
    }
    files.notes.join("\n")
}

#[test]
fn spare_nodes_that_nothing_asks_for_are_told() {
    let job = |spares: &str| {
        format!(
            "model = \"gpt-7b\"\ntokens = \"500B\"\nclusters = \"p4de.24xlarge\"\n[search]\ngpus = 256\n\
             [reliability]\nspares = {spares}\n[launch]\ngpu_type = \"a100_80gb\"\n"
        )
    };
    for target in [
        Target::LlmFoundry,
        Target::Slurm,
        Target::Skypilot,
        Target::Mcli,
        Target::Deepspeed,
    ] {
        for (spares, told) in [
            ("1", "1 spare node beside the 32 here"),
            ("2", "2 spare nodes beside the 32"),
        ] {
            let said = notes(&job(spares), target);
            assert!(said.contains(told), "{target:?}: {said}");
        }
        assert!(
            !notes(&job("\"none\""), target).contains("spare"),
            "{target:?}"
        );
    }
    // A booking holds them, and says so itself.
    let booked = format!(
        "{}[reserve]\nnodes = 4\nstart = \"2026-12-01\"\n",
        JOB.replace("gpus = 8", "")
    );
    let files = written_on_booking(&booked, Target::Slurm);
    assert!(
        !files
            .notes
            .join("\n")
            .contains("which nothing here asks for")
    );
}

#[test]
fn what_a_price_leaves_out_is_told() {
    let job = |kind: &str| {
        format!(
            "model = \"gpt-1b\"\ntokens = \"26B\"\nclusters = \"a2-highgpu-8g\"\nprice_type = \"{kind}\"\n"
        )
    };
    for target in TARGETS {
        let said = notes(&job("spot"), target);
        assert!(
            said.contains("spot nodes, which are taken back at any time"),
            "{target:?}: {said}"
        );
        let said = notes(&job("commit-3y"), target);
        assert!(
            said.contains("what that binds one to beyond this run"),
            "{target:?}: {said}"
        );
        let said = notes(&job("on-demand"), target);
        assert!(
            !said.contains("spot") && !said.contains("binds"),
            "{target:?}: {said}"
        );
    }
    let reserve = "[reserve]\nnodes = 4\nproduct = \"on-demand\"\nstart = \"2026-12-01\"\n";
    let booked = |kind: &str| {
        let files = written_on_booking(&format!("{}{reserve}", job(kind)), Target::Slurm);
        files.notes.join("\n").contains("taken back at any time")
    };
    assert!(booked("spot") && !booked("on-demand"));
}

/// Figures of nodes that are taken back are not those of nodes that stay.
#[test]
fn nodes_that_stay_beside_the_price_of_spot_nodes_are_told() {
    let job = |kind: &str, spot: bool| {
        format!(
            "model = \"gpt-1b\"\nclusters = \"a2-ultragpu-8g\"\nprice_type = \"{kind}\"\n[search]\ngpus = 8\n\
             [launch]\nuse_spot = {spot}\n"
        )
    };
    let told = "`use_spot = false` in [launch] starts nodes that stay";
    assert!(notes(&job("spot", false), Target::Skypilot).contains(told));
    for (kind, spot) in [("spot", true), ("on-demand", false), ("on-demand", true)] {
        assert!(
            !notes(&job(kind, spot), Target::Skypilot).contains(told),
            "{kind} {spot}"
        );
    }
}

/// Files start a model sharded over all GPUs, whatever the rows of a stack did.
#[test]
fn a_stack_that_the_files_do_not_start_is_told() {
    let job = |stack: &str| {
        format!(
            "stack = \"{stack}\"\n{}[stacks.{stack}]\nprecision = \"bf16-gather\"\n",
            JOB.replace("[search]", "[search]\ncheckpointing = \"on\"")
        )
    };
    for target in TARGETS {
        for stack in ["bf16-gather-tp2", "bf16-gather-hsdp", "bf16-gather-offload"] {
            let said = notes(&job(stack), target);
            assert!(
                said.contains(&format!("stack {stack} is not modelled")),
                "{target:?}: {said}"
            );
        }
        assert!(
            !notes(&job("bf16-mine"), target).contains("not modelled"),
            "{target:?}"
        );
    }
}

#[test]
fn a_home_directory_that_nothing_fills_in_is_refused() {
    for key in ["workdir", "script", "data", "checkpoints", "tokenizer"] {
        for path in ["~", "~/a", "~ann/a"] {
            for target in TARGETS {
                let job = format!("{JOB}[launch]\n{key} = \"{path}\"\n");
                let said = written(&job, target).unwrap_err().to_string();
                assert!(
                    said.contains(&format!("`{key}` in [launch] is \"{path}\"")),
                    "{said}"
                );
            }
            written(
                &format!("{JOB}[launch]\n{key} = \"/a/{path}\"\n"),
                Target::Slurm,
            )
            .unwrap();
        }
    }
}

#[test]
fn variables_that_nothing_fills_in_are_told() {
    let set =
        |line: &str| format!("{JOB}[launch]\nlauncher = \"torchrun\"\nimage = \"a/b:c\"\n{line}\n");
    for target in TARGETS {
        for (line, told) in [
            ("data = \"$SCRATCH/c4\"", "`data` of [launch] reaches"),
            ("workdir = \"/a/$USER\"", "`workdir` of [launch] reaches"),
            ("args = [\"--x\", \"~/a\"]", "`args` of [launch] reaches"),
            (
                "checkpoints = \"/$USER\"\nenv = { PATH = \"/x:$PATH\", A = \"${B}\", C = \"~/d\" }",
                "`checkpoints`, `env.A`, `env.C`, `env.PATH` of [launch] reach ",
            ),
        ] {
            let said = notes(&set(line), target);
            assert!(
                said.contains(told) && said.contains("write out"),
                "{target:?}: {said}"
            );
        }
        // A shell reads `setup`, and a lone dollar means nothing.
        let said = notes(
            &set("setup = [\"cd ~/$A\"]\ndata = \"/a$/b\"\nargs = [\"5 $\", \"a~b\"]"),
            target,
        );
        assert!(!said.contains("write out"), "{target:?}: {said}");
    }
}

/// Whoever launches sets the learning rate for the batch asked for: that it is another is told.
#[test]
fn a_global_batch_that_is_missed_is_told() {
    let job = |batch: u64| {
        format!(
            "model = \"gpt-7b\"\ntokens = \"300B\"\nclusters = \"r1z1\"\nglobal_batch = {batch}\n\
             [search]\ngpus = 64\n"
        )
    };
    for target in TARGETS {
        // 1,500,000 tokens are 732.4 sequences of 2,048; of multiples of 64 the nearest below is 704.
        let said = notes(&job(1_500_000), target);
        assert!(
            said.contains("a step trains 1,441,792 tokens, 3.9 % below the global batch asked for"),
            "{target:?}: {said}"
        );
        let met = notes(&job(1_441_792), target);
        assert!(!met.contains("below the global batch"), "{target:?}: {met}");
    }
}
