//! `DeepSpeed`: its JSON, and the command.
//!
//! `train_batch_size` = `train_micro_batch_size_per_gpu` × `gradient_accumulation_steps` × world
//! size, which `DeepSpeed` asserts, holds by construction: all data parallel.

use crate::configuration::on_off;
use crate::quantity::counted;
use crate::shell::ShellWord;
use crate::stack::Precision;

use super::node::Map;
use super::settings::{IMAGE, TIME_LIMIT};
use super::trainer::{BY_HAND, Script, by_hand};
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head, huggingface};

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let c = launch.candidate;
    let config = Map::new()
        .with("train_batch_size", c.global_batch_seqs)
        .with("train_micro_batch_size_per_gpu", c.micro_batch)
        .with("gradient_accumulation_steps", c.grad_accum)
        .with("bf16", Map::new().with("enabled", true))
        .with("communication_data_type", reduce_type(launch))
        .with(
            "zero_optimization",
            Map::new()
                .with("stage", 3)
                .with(
                    "overlap_comm",
                    launch.stack.overlap.is_some_and(|share| share > 0.0),
                )
                .with("contiguous_gradients", true),
        )
        .with("gradient_clipping", 1.0)
        .with("steps_per_print", 10)
        .with("wall_clock_breakdown", false);
    let notes = notes(launch);
    let head = head::comment(&head::lines(launch, &notes));
    let command = Launch::torchrun_for(c.nodes, launch.gpus_per_node(), &launch.slug(), BY_HAND)
        .arg([launch.script("train.py").into()])
        .args(launch.script_args())
        .arg([
            "--deepspeed".into(),
            "--deepspeed_config".into(),
            ShellWord::expression("\"$here/ds_config.json\""),
        ]);
    Ok(LaunchFiles {
        files: vec![
            LaunchFile {
                name: "ds_config.json",
                text: config.json()?,
                executable: false,
            },
            LaunchFile {
                name: "launch.sh",
                text: by_hand(launch, &head, &command.render(), Script::Own),
                executable: true,
            },
        ],
        notes,
    })
}

/// The type that gradients are reduced in.
fn reduce_type(launch: &Launch<'_>) -> &'static str {
    match launch.stack.precision {
        Precision::Bf16Gather => "fp32",
        Precision::Fp32Gather | Precision::PureBf16 => "bf16",
    }
}

fn notes(launch: &Launch<'_>) -> Vec<String> {
    let c = launch.candidate;
    let mut notes = vec![huggingface::shape_note(launch), launch.environment_note()];
    notes.extend(launch.unused(&[IMAGE, TIME_LIMIT]));
    if launch.stack.precision == Precision::Fp32Gather {
        notes.push(
            "ZeRO stage 3 gathers parameters in bf16, the plan is for fp32-gather: plan with \
             `--stack pure-bf16` for this trainer"
                .into(),
        );
    }
    notes.extend(launch.fp8_by_script());
    let switch = on_off(c.activation_checkpointing);
    notes.push(format!(
        "DeepSpeed's JSON doesn't switch activation checkpointing: the script turns it {switch}"
    ));
    let interval = launch.checkpoint_steps();
    let saves = interval.map_or_else(String::new, |steps| {
        let every = counted(steps, "step");
        format!(", saves every {every}, resumes from the last checkpoint")
    });
    notes.push(format!(
        "nor does it hold the optimizer, the length of the run or checkpoints: the script makes \
         {}{saves} and brings AdamW",
        counted(c.steps, "step"),
    ));
    notes
}
