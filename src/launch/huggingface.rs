//! Hugging Face: `TrainingArguments`, the sharding that Accelerate takes, and the command.

use crate::quantity::plural;
use crate::shell::{Command, ShellWord};
use crate::stack::Precision;

use super::names::Places;
use super::node::Map;
use super::settings::{ACCELERATE_STARTS, IMAGE, TIME_LIMIT};
use super::trainer::{PORT, Script, by_hand};
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head};

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let mut places = Places::default();
    let checkpoints = launch.settings.checkpoints.as_ref();
    let folder = places.get("checkpoints", checkpoints, "/SET_ME/checkpoints");
    let (rate, rate_note) = launch.learning_rate();
    let arguments = arguments(launch, folder, rate);
    let mut notes = places.notes();
    notes.extend(rate_note);
    notes.extend(launch.unused(&[IMAGE, TIME_LIMIT, ACCELERATE_STARTS]));
    notes.push(shape_note(launch));
    notes.push(launch.environment_note());
    if launch.stack.precision != Precision::PureBf16 {
        // Whose rows in fp8 move everything so isn't known here.
        let remedy = if launch.is_fp8() {
            ""
        } else {
            ": plan with `--stack pure-bf16` for this trainer"
        };
        notes.push(format!(
            "Accelerate moves everything in bf16, as the stack pure-bf16 does; the plan is for {}{remedy}",
            launch.stack.name
        ));
    }
    notes.extend(launch.transformer_engine());
    if launch.checkpoint_steps().is_some() {
        notes.push(
            "TrainingArguments don't resume by themselves: call \
             `trainer.train(resume_from_checkpoint=True)` once there is a checkpoint"
                .into(),
        );
    }
    let head = head::comment(&head::lines(launch, &notes));
    let script = by_hand(launch, &head, &command(launch).render(), Script::Own);
    Ok(LaunchFiles {
        files: vec![
            LaunchFile {
                name: "training_args.json",
                text: arguments.json()?,
                executable: false,
            },
            LaunchFile {
                name: "accelerate.yaml",
                text: format!("{head}\n{}", accelerate(launch).yaml()?),
                executable: false,
            },
            LaunchFile {
                name: "launch.sh",
                text: script,
                executable: true,
            },
        ],
        notes,
    })
}

/// What the user's own script has to build, because these files can't say it.
pub(super) fn shape_note(launch: &Launch<'_>) -> String {
    let shape = &launch.model.shape;
    format!(
        "these files hold neither the model nor the sequence length: the script builds {} (width \
         {}, {} layers, {} heads, vocabulary {}) and packs sequences of {} {}",
        launch.model.name,
        shape.d_model,
        shape.n_layers,
        shape.n_heads,
        shape.vocab_size,
        launch.candidate.seq_len,
        plural(launch.candidate.seq_len, "token"),
    )
}

fn arguments(launch: &Launch<'_>, folder: &str, rate: f64) -> Map {
    let c = launch.candidate;
    let interval = launch.checkpoint_steps();
    let strategy = if interval.is_some() { "steps" } else { "no" };
    Map::new()
        .with("output_dir", folder)
        .with("run_name", launch.slug())
        .with("per_device_train_batch_size", c.micro_batch)
        .with("gradient_accumulation_steps", c.grad_accum)
        // Else gradients stay unsharded until the last micro-batch, for which no memory is planned.
        .with(
            "accelerator_config",
            Map::new().with(
                "gradient_accumulation_kwargs",
                Map::new().with("sync_each_batch", true),
            ),
        )
        .with("max_steps", c.steps)
        // Set, it would take the place of the fp8 that Accelerate's file asks for.
        .with("bf16", !launch.is_fp8())
        // Accelerate's file switches it: Transformers' own would gather once more a step.
        .with("gradient_checkpointing", false)
        .with("learning_rate", rate)
        .with("lr_scheduler_type", "cosine")
        .with("warmup_steps", launch.warmup_steps())
        .with("adam_beta2", 0.95)
        .with("max_grad_norm", 1.0)
        .with("optim", "adamw_torch")
        .with("save_strategy", strategy)
        .with_some("save_steps", interval)
        .with_some("save_total_limit", launch.checkpoint_steps().map(|_| 2))
        .with("logging_steps", 10)
        .with("dataloader_drop_last", true)
}

fn accelerate(launch: &Launch<'_>) -> Map {
    let fp8 = launch.is_fp8();
    Map::new()
        .with("compute_environment", "LOCAL_MACHINE")
        .with("distributed_type", "FSDP")
        .with("mixed_precision", if fp8 { "fp8" } else { "bf16" })
        .with_some(
            "fp8_config",
            fp8.then(|| {
                Map::new()
                    .with("backend", "TE")
                    .with("fp8_format", "HYBRID")
            }),
        )
        .with("num_machines", launch.candidate.nodes)
        .with("num_processes", launch.candidate.gpus)
        .with("rdzv_backend", "c10d")
        .with(
            "fsdp_config",
            Map::new()
                .with("fsdp_version", 2)
                .with("fsdp_reshard_after_forward", true)
                .with("fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP")
                .with(
                    "fsdp_activation_checkpointing",
                    launch.candidate.activation_checkpointing,
                )
                .with("fsdp_state_dict_type", "SHARDED_STATE_DICT"),
        )
}

fn command(launch: &Launch<'_>) -> Command {
    let several = launch.candidate.nodes > 1;
    Command::new(["accelerate".into(), "launch".into()])
        .arg([
            "--config_file".into(),
            ShellWord::expression("\"$here/accelerate.yaml\""),
        ])
        .arg_if(
            several,
            [
                "--machine_rank".into(),
                ShellWord::expression("\"$NODE_RANK\""),
            ],
        )
        .arg_if(
            several,
            [
                "--main_process_ip".into(),
                ShellWord::expression("\"$MASTER_ADDR\""),
            ],
        )
        .arg_if(several, ["--main_process_port".into(), PORT.into()])
        .arg([
            launch.script("train.py").into(),
            ShellWord::expression("\"$here/training_args.json\""),
        ])
        .args(launch.script_args())
}
