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
        "--eval-iters 0",
        "--split 100,0,0",
        "NOTE: evaluation is off",
        "NOTE: Megatron pads the vocabulary",
    ] {
        assert!(script.contains(flags), "{flags}: {script}");
    }
    assert!(!script.contains("rotary"), "{script}");
    let whole = "clusters = \"r1z1\"\n[model]\narchitecture = \"llama\"\nd_model = 2048\n\
                 n_layers = 16\nn_heads = 16\nd_ff = 5632\nvocab_size = 32000\n[search]\ngpus = 8\n";
    let script = text(&written(whole, Target::Megatron).unwrap(), "launch.sh");
    assert!(!script.contains("pads the vocabulary"), "{script}");
    assert!(script.contains("`rotary_base`"), "{script}");
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
        // Transformers leaves gradients unsharded between micro-batches otherwise.
        assert!(json.contains("\"sync_each_batch\": true"), "{json}");
    }
}

pub(super) fn all(job: &str, target: Target) -> String {
    let files = written(job, target).unwrap();
    files.files.iter().map(|file| file.text.as_str()).collect()
}

/// Of a model by name, on a cluster where a large one fits.
fn preset(model: &str) -> String {
    format!("model = \"{model}\"\nclusters = \"r1z1\"\n[search]\ngpus = 64\n")
}

/// LLM Foundry's gated layers take GELU unless told otherwise, Megatron's flag is for `SiLU` alone.
#[test]
fn the_activation_and_the_rotary_base_are_those_of_the_model() {
    let llama = preset("llama-3-8b");
    let yaml = all(&llama, Target::LlmFoundry);
    assert!(
        yaml.contains("    ffn_act_fn:\n      name: silu\n"),
        "{yaml}"
    );
    assert!(yaml.contains("rope_theta: 500000"), "{yaml}");
    let flags = all(&llama, Target::Megatron);
    for flag in ["--swiglu", "--rotary-base 500000"] {
        assert!(flags.contains(flag), "{flag}: {flags}");
    }
    let gemma = preset("gemma-2b");
    let yaml = all(&gemma, Target::LlmFoundry);
    assert!(
        yaml.contains("name: gelu\n      approximate: tanh"),
        "{yaml}"
    );
    let error = written(&gemma, Target::Megatron).unwrap_err().to_string();
    assert!(error.contains("gated by GELU"), "{error}");
}

#[test]
fn what_a_model_does_not_say_is_told() {
    let gated = "d_ff = 5632\nfeed_forward = \"gated\"\npositions = \"rotary\"\n";
    let job = |more: &str| {
        format!(
            "clusters = \"r1z1\"\n[model]\nd_model = 2048\nn_layers = 16\nn_heads = 16\n\
             vocab_size = 32000\n{gated}{more}[search]\ngpus = 8\n"
        )
    };
    for target in [Target::LlmFoundry, Target::Megatron] {
        let silent = all(&job(""), target);
        let told = all(&job("gate = \"silu\"\nrotary_base = 20000\n"), target);
        for note in [
            "doesn't say the base of its rotary",
            "doesn't say what gates",
        ] {
            assert!(silent.contains(note) && !told.contains(note), "{target:?}");
        }
        assert!(told.contains("20000"), "{told}");
    }
}

/// Neither trainer has a block whose halves read the same input.
#[test]
fn parallel_blocks_are_refused() {
    for model in ["pythia-1b", "gpt-neox-20b"] {
        for target in [Target::LlmFoundry, Target::Megatron, Target::Slurm] {
            let error = written(&preset(model), target).unwrap_err().to_string();
            assert!(
                error.contains("side by side"),
                "{model} {target:?}: {error}"
            );
        }
        let own = format!("{}[launch]\nlauncher = \"torchrun\"\n", preset(model));
        written(&own, Target::Slurm).unwrap();
    }
}

/// What is set reaches the run, or a note says that it doesn't.
#[test]
fn no_setting_is_dropped_silently() {
    let set = |launcher: &str| {
        format!(
            "{JOB}[launch]\nlauncher = \"{launcher}\"\nimage = \"a/b:c\"\ndata = \"/the/data\"\n\
             checkpoints = \"/the/checkpoints\"\ntokenizer = \"the-tokenizer\"\n\
             learning_rate = 0.00123\ntime_limit = \"3h\"\n"
        )
    };
    for target in TARGETS {
        for launcher in ["composer", "torchrun"] {
            let text = all(&set(launcher), target);
            let case = format!("{target:?} {launcher}: {text}");
            for value in [
                "/the/data",
                "/the/checkpoints",
                "the-tokenizer",
                "0.00123",
                "1.23e-3",
            ] {
                let rate = text.contains("0.00123") || text.contains("1.23e-3");
                assert!(
                    text.contains(value) || (value.contains("23") && rate),
                    "{value} {case}"
                );
            }
            let (_, unused) = text
                .split_once("not used of [launch]: ")
                .unwrap_or_default();
            let unused = unused.lines().next().unwrap_or_default();
            assert!(
                text.contains("a/b:c") != unused.contains("`image`"),
                "{case}"
            );
            let limited = [Target::Slurm, Target::Mcli, Target::Kubeflow].contains(&target);
            assert_eq!(unused.contains("`time_limit`"), !limited, "{case}");
            // What nothing stops needs no more checkpoints than planned.
            assert_eq!(text.contains("a stop at the time limit"), limited, "{case}");
            let composer = [Target::LlmFoundry, Target::Mcli, Target::Huggingface];
            let ignored = launcher == "torchrun" && composer.contains(&target);
            assert_eq!(unused.contains("`launcher`"), ignored, "{case}");
        }
    }
    let yaml = all(&set("composer"), Target::Kubeflow);
    assert!(yaml.contains("activeDeadlineSeconds: 10800"), "{yaml}");
}

#[test]
fn kubernetes_asks_for_the_resource_of_the_gpu() {
    let lab = "model = \"gpt-1b\"\ncluster = \"lab\"\n[gpus.mi300x]\npeak_tflops = 1300\n\
               hbm_tb_per_s = 5.3\nusable_gib = 190\nintra_node_gb_per_s = 450\n[clusters.lab]\n\
               gpu = \"mi300x\"\nmax_gpus = 8\n[launch]\n";
    for name in ["", "gpu_type = \"mi300x\"\n"] {
        let error = written(&format!("{lab}{name}"), Target::Kubeflow).unwrap_err();
        assert!(error.to_string().contains("`mi300x`"), "{error}");
    }
    let named = format!("{lab}gpu_type = \"amd.com/gpu\"\n");
    let yaml = all(&named, Target::Kubeflow);
    assert!(
        yaml.contains("amd.com/gpu: \"8\"") && !yaml.contains("nvidia"),
        "{yaml}"
    );
}

#[test]
fn no_failures_are_not_called_lost_work() {
    let job = format!("{JOB}[reliability]\nbase = \"none\"\n");
    let script = all(&job, Target::Slurm);
    assert!(
        script.contains("no checkpoints: the planned time assumes no failures"),
        "{script}"
    );
}

#[test]
fn an_empty_argument_reaches_the_script() {
    let job = format!("{JOB}[launch]\nargs = [\"a\", \"\"]\n");
    assert!(all(&job, Target::LlmFoundry).contains("$here/train.yaml\" a ''\n"));
}

#[test]
fn rates_are_written_without_the_noise_of_binary_fractions() {
    let job = format!("{JOB}[launch]\nlearning_rate = 1.6e-4\n");
    let script = all(&job, Target::Megatron);
    assert!(script.contains("--min-lr 0.000016 "), "{script}");
}

/// What is planned is what is launched: no checkpoint within a step.
#[test]
fn an_interval_shorter_than_a_step_is_a_step() {
    let job = "model = \"gpt-7b\"\nclusters = \"r1z1\"\n[search]\ngpus = 8\n\
               [reliability]\ncheckpoint_interval = \"1m\"\n";
    let (plan, _) = super::planned(job);
    let first = &plan.candidates[0];
    let step_s = first.step_time_s.expected;
    assert!(
        step_s > 60.0 && first.checkpoint_interval_s == Some(step_s),
        "{first:?}"
    );
    let script = all(job, Target::Slurm);
    assert!(script.contains("a checkpoint every 1 step ("), "{script}");
    assert!(!script.contains("(60 s of training)"), "{script}");
}

/// Nor one between two steps, whatever the interval comes to in them.
#[test]
fn an_interval_is_as_many_steps_as_are_written() {
    let job = |interval: &str| {
        format!(
            "model = \"gpt-7b\"\nclusters = \"r1z1\"\n[search]\ngpus = 8\n[reliability]\n{interval}"
        )
    };
    let (plan, _) = super::planned(&job(""));
    let step_s = plan.candidates[0].step_time_s.expected;
    for tenths in 10..=50_u32 {
        let seconds = f64::from(tenths) / 10.0 * step_s;
        let (plan, request) =
            super::planned(&job(&format!("checkpoint_interval = \"{seconds:.0}s\"\n")));
        let first = &plan.candidates[0];
        let launch = super::Launch::new(first, &request, "tminus").unwrap();
        let steps = launch.checkpoint_steps().unwrap() as f64;
        let told = first.checkpoint_interval_s.unwrap();
        let launched = steps * first.step_time_s.expected;
        assert!(
            (launched / told - 1.0).abs() < 1e-12,
            "{tenths}: {told} {launched}"
        );
        assert!((launched - seconds).abs() <= first.step_time_s.expected / 2.0 + 0.5);
    }
}

/// What a stack hides of its transfers, and the type it reduces in, are those of the plan.
#[test]
fn deepspeed_overlaps_and_reduces_as_planned() {
    for (stack, overlap, reduced, overlapped) in [
        ("fp32-gather", None, "bf16", false),
        ("bf16-gather", Some(0.5), "fp32", true),
        ("pure-bf16", Some(0.5), "bf16", true),
        ("pure-bf16", Some(0.0), "bf16", false),
    ] {
        let (plan, mut request) = super::planned(&format!("stack = \"{stack}\"\n{JOB}"));
        request.stack.overlap = overlap;
        let launch = super::Launch::new(&plan.candidates[0], &request, "tminus").unwrap();
        let json = text(&launch.files(Target::Deepspeed).unwrap(), "ds_config.json");
        for wanted in [
            format!("\"communication_data_type\": \"{reduced}\""),
            format!("\"overlap_comm\": {overlapped}"),
        ] {
            assert!(json.contains(&wanted), "{stack} {overlap:?}: {json}");
        }
    }
}

/// 50,304 is what others pad GPT-2's vocabulary to.
#[test]
fn a_tokenizer_that_may_be_another_is_told() {
    let said = |vocabulary: u64, more: &str| {
        let job = format!(
            "clusters = \"r1z1\"\n[model]\nd_model = 2048\nn_layers = 16\nn_heads = 16\n\
             vocab_size = {vocabulary}\n{more}[search]\ngpus = 8\n"
        );
        all(&job, Target::LlmFoundry)
    };
    let note = "pad that of gpt2 to as many";
    assert!(said(50_304, "").contains(note));
    assert!(!said(50_368, "").contains(note));
    let named = said(50_304, "[launch]\ntokenizer = \"gpt2\"\n");
    assert!(!named.contains(note) && named.contains("name: gpt2"));
}
