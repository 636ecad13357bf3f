//! Megatron-LM: the flags of `pretrain_gpt.py`.

use crate::model::{Biases, FeedForward, Gate, Norm, Positions};
use crate::shell::{Command, ShellWord};
use crate::stack::Precision;

use super::names::Places;
use super::settings::{CHECKPOINTS, IMAGE, TIME_LIMIT};
use super::trainer::{BY_HAND, Script, by_hand};
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head};

/// What Megatron makes the vocabulary a multiple of, where tensors aren't split over GPUs.
const PADDED_VOCABULARY: u64 = 128;

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let mut places = Places::default();
    let settings = launch.settings;
    let data = places.get("data", settings.data.as_ref(), "/SET_ME/data");
    let interval = launch.checkpoint_steps();
    // Megatron refuses a folder to save to without an interval.
    let folder = interval.map(|_| {
        let set = settings.checkpoints.as_ref();
        places.get("checkpoints", set, "/SET_ME/checkpoints")
    });
    let tokenizer = places.get("tokenizer", settings.tokenizer.as_ref(), "SET_ME/tokenizer");
    let (rate, rate_note) = launch.learning_rate();
    let c = launch.candidate;
    let command = Launch::torchrun_for(c.nodes, launch.gpus_per_node(), &launch.slug(), BY_HAND)
        .arg([launch.script("pretrain_gpt.py").into()]);
    let command = model(launch, command)?;
    let command = schedule(launch, command, rate);
    let command = sharding(launch, command)
        .arg(["--tokenizer-type".into(), "HuggingFaceTokenizer".into()])
        .arg(["--tokenizer-model".into(), tokenizer.into()])
        .arg(["--data-path".into(), data.into()]);
    let command = match folder {
        Some(folder) => command
            .arg(["--save".into(), folder.into()])
            .arg(["--load".into(), folder.into()]),
        None => command,
    };
    let command = command.args(launch.script_args());
    let mut notes = places.notes();
    notes.extend(rate_note);
    if launch.stack.precision == Precision::Fp32Gather {
        notes.push(
            "Megatron's FSDP gathers parameters in bf16, the plan is for fp32-gather: plan with \
             `--stack bf16-gather` for this trainer"
                .into(),
        );
    }
    notes.extend(launch.transformer_engine());
    notes.extend(launch.unused(&[IMAGE, TIME_LIMIT, CHECKPOINTS]));
    notes.extend(shape_notes(launch));
    notes.push(
        "evaluation is off, as in the plan: `args` in [launch] with `--eval-iters` and `--split` turns \
         it on, and takes longer than planned"
            .into(),
    );
    let head = head::comment(&head::lines(launch, &notes));
    Ok(LaunchFiles {
        files: vec![LaunchFile {
            name: "launch.sh",
            text: by_hand(launch, &head, &command.render(), Script::Told),
            executable: true,
        }],
        notes,
    })
}

/// What Megatron makes of the shape that the plan doesn't count or know.
fn shape_notes(launch: &Launch<'_>) -> Vec<String> {
    let shape = &launch.model.shape;
    let mut notes = Vec::new();
    if !shape.vocab_size.is_multiple_of(PADDED_VOCABULARY) {
        notes.push(format!(
            "Megatron pads the vocabulary of {} to a multiple of {PADDED_VOCABULARY}; the plan counts \
             it unpadded",
            shape.vocab_size
        ));
    }
    notes.extend(launch.block_notes("Megatron"));
    notes
}

/// A flag with a number.
fn count(flag: &'static str, value: u64) -> [ShellWord; 2] {
    [flag.into(), value.to_string().into()]
}

fn model(launch: &Launch<'_>, command: Command) -> Result<Command, LaunchError> {
    let shape = &launch.model.shape;
    let positions = match shape.positions {
        Positions::Learned => "learned_absolute",
        Positions::Rotary => "rope",
        Positions::Alibi => {
            return Err(LaunchError::Inexpressible {
                target: "megatron",
                what: "ALiBi positions".into(),
            });
        }
    };
    let gated = shape.feed_forward == FeedForward::Gated;
    if gated && launch.gate() == Gate::Gelu {
        return Err(LaunchError::Inexpressible {
            target: "megatron",
            what: "a feed-forward gated by GELU".into(),
        });
    }
    let block = &launch.model.block;
    if block.parallel {
        return Err(launch.side_by_side("megatron"));
    }
    let base = block.rotary_base.map(|base| count("--rotary-base", base));
    let share = block.rotary_share.map(|share| share.to_string());
    let share = share.map(|share| ["--rotary-percent".into(), share.into()]);
    let seq_len = launch.candidate.seq_len;
    let longest = shape.position_limit().unwrap_or(seq_len).max(seq_len);
    let norm = match shape.norm {
        Norm::LayerNorm => "LayerNorm",
        Norm::RmsNorm => "RMSNorm",
    };
    let grouped = shape.n_kv_heads != shape.n_heads;
    Ok(command
        .arg(count("--num-layers", shape.n_layers))
        .arg(count("--hidden-size", shape.d_model))
        .arg(count("--ffn-hidden-size", shape.d_ff))
        .arg(count("--num-attention-heads", shape.n_heads))
        .arg(count("--kv-channels", shape.head_dim))
        .arg_if(grouped, ["--group-query-attention".into()])
        .arg_if(grouped, count("--num-query-groups", shape.n_kv_heads))
        .arg(count("--seq-length", seq_len))
        .arg(count("--max-position-embeddings", longest))
        .arg(["--position-embedding-type".into(), positions.into()])
        .arg_some(base)
        .arg_some(share)
        .arg(["--normalization".into(), norm.into()])
        .arg_if(gated, ["--swiglu".into()])
        .arg_if(
            shape.biases != Biases::All,
            ["--disable-bias-linear".into()],
        )
        .arg_if(shape.biases == Biases::Qkv, ["--add-qkv-bias".into()])
        .arg_if(
            !shape.tied_head,
            ["--untie-embeddings-and-output-weights".into()],
        )
        // Megatron drops a tenth unless told otherwise; the plan holds no masks of it.
        .arg(["--attention-dropout".into(), "0.0".into()])
        .arg(["--hidden-dropout".into(), "0.0".into()])
        .arg(["--use-flash-attn".into()]))
}

/// A tenth of a rate, as a person would write it: without the digits that binary fractions add.
fn tenth(rate: f64) -> String {
    let tenth = rate / 10.0;
    let rounded = format!("{tenth:.11e}").parse::<f64>();
    rounded.unwrap_or(tenth).to_string()
}

fn schedule(launch: &Launch<'_>, command: Command, rate: f64) -> Command {
    let c = launch.candidate;
    let samples = c.steps.saturating_mul(c.global_batch_seqs);
    let warmup = c.global_batch_seqs.saturating_mul(launch.warmup_steps());
    let command = command
        .arg(count("--micro-batch-size", c.micro_batch))
        .arg(count("--global-batch-size", c.global_batch_seqs))
        .arg(count("--train-samples", samples))
        .arg(["--lr".into(), rate.to_string().into()])
        .arg(["--min-lr".into(), tenth(rate).into()])
        .arg(["--lr-decay-style".into(), "cosine".into()])
        .arg(count("--lr-warmup-samples", warmup))
        .arg(["--adam-beta2".into(), "0.95".into()])
        .arg(["--clip-grad".into(), "1.0".into()])
        // Its own are 100 evaluation iterations every 1000, and a part of the data to do them on.
        .arg(count("--eval-iters", 0))
        .arg(["--split".into(), "100,0,0".into()])
        .arg(count("--log-interval", 10));
    match launch.checkpoint_steps() {
        Some(steps) => command.arg(count("--save-interval", steps)),
        None => command,
    }
}

fn sharding(launch: &Launch<'_>, command: Command) -> Command {
    let recompute = launch.candidate.activation_checkpointing;
    command
        // What isn't multiplied in fp8 stays in bf16.
        .arg(["--bf16".into()])
        .arg_if(launch.is_fp8(), ["--fp8-format".into(), "hybrid".into()])
        .arg(count("--tensor-model-parallel-size", 1))
        .arg(count("--pipeline-model-parallel-size", 1))
        .arg(["--use-megatron-fsdp".into()])
        .arg([
            "--data-parallel-sharding-strategy".into(),
            "optim_grads_params".into(),
        ])
        .arg(["--no-gradient-accumulation-fusion".into()])
        .arg(["--use-distributed-optimizer".into()])
        .arg(["--ckpt-format".into(), "fsdp_dtensor".into()])
        .arg_if(
            launch.stack.precision == Precision::PureBf16,
            ["--grad-reduce-in-bf16".into()],
        )
        .arg_if(
            recompute,
            [
                "--recompute-granularity".into(),
                "full".into(),
                "--recompute-method".into(),
                "uniform".into(),
                "--recompute-num-layers".into(),
                "1".into(),
            ],
        )
}
