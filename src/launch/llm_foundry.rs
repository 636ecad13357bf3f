//! LLM Foundry: the YAML of its `train.py`, and the `composer` command.
//!
//! Rules that hold by construction: the global batch is GPUs × micro-batch × accumulation, so it
//! divides by the world size and no micro-batch is larger than the device batch; the accumulation
//! itself is derived by the trainer and not written.

use crate::job::Text;
use crate::model::{Biases, FeedForward, Gate, Norm, Positions};
use crate::quantity::{display_share, display_thousands};
use crate::shell::ShellWord;
use crate::stack::Precision;

use super::names::Places;
use super::node::{Map, Node};
use super::settings::{CHECKPOINTS, COMPOSER_STARTS, IMAGE, TIME_LIMIT};
use super::trainer::{BY_HAND, Script, by_hand};
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head};

/// Name of the configuration file.
pub(super) const CONFIG: &str = "train.yaml";

/// The 50,257 tokens of GPT-2 padded to a multiple of 64, as nanoGPT does, or of 128, as Megatron does.
const GPT2_PADDED: u64 = 50_304;

/// The configuration and what is to be said about it.
pub(super) struct Training {
    pub(super) config: Map,
    pub(super) notes: Vec<String>,
}

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let Training { config, mut notes } = training(launch)?;
    notes.extend(launch.unused(&[IMAGE, TIME_LIMIT, COMPOSER_STARTS]));
    let head = head::comment(&head::lines(launch, &notes));
    let config_file = ShellWord::expression("\"$here/train.yaml\"");
    let command = launch.composer(BY_HAND, config_file).render();
    Ok(LaunchFiles {
        files: vec![
            LaunchFile {
                name: CONFIG,
                text: format!("{head}\n{}", config.yaml()?),
                executable: false,
            },
            LaunchFile {
                name: "launch.sh",
                text: by_hand(launch, &head, &command, Script::Told),
                executable: true,
            },
        ],
        notes,
    })
}

/// The configuration of `train.py`.
pub(super) fn training(launch: &Launch<'_>) -> Result<Training, LaunchError> {
    let c = launch.candidate;
    let mut places = Places::default();
    let settings = launch.settings;
    let data = places.get("data", settings.data.as_ref(), "/SET_ME/data");
    let interval = launch.checkpoint_steps();
    // With a folder alone the trainer saves at an interval of its own.
    let folder = interval.map(|_| {
        let set = settings.checkpoints.as_ref();
        places.get("checkpoints", set, "/SET_ME/checkpoints")
    });
    let tokenizer = match (&settings.tokenizer, launch.model.shape.vocab_size) {
        (None, 50_257) => "gpt2",
        (None, 50_277..=50_432) => "EleutherAI/gpt-neox-20b",
        (set, _) => places.get("tokenizer", set.as_ref(), "SET_ME/tokenizer"),
    };
    literal("data", data)?;
    literal("checkpoints", folder.unwrap_or_default())?;
    literal("tokenizer", tokenizer)?;
    let (rate, rate_note) = launch.learning_rate();
    // Composer takes the warm-up in the unit of `max_duration` alone.
    let warmup = launch.warmup_steps().saturating_mul(c.global_batch_tokens);
    let config = Map::new()
        .with("run_name", launch.slug())
        .with("seed", 17)
        .with("max_seq_len", c.seq_len)
        .with("model", model(launch)?)
        .with(
            "tokenizer",
            Map::new()
                .with("name", tokenizer)
                .with("kwargs", Map::new().with("model_max_length", c.seq_len)),
        )
        .with("train_loader", loader(launch, data))
        .with("optimizer", optimizer(rate))
        .with(
            "scheduler",
            Map::new()
                .with("name", "cosine_with_warmup")
                .with("t_warmup", format!("{warmup}tok"))
                .with("alpha_f", 0.1),
        )
        .with(
            "algorithms",
            Map::new().with(
                "gradient_clipping",
                Map::new()
                    .with("clipping_type", "norm")
                    .with("clipping_threshold", 1.0),
            ),
        )
        .with("max_duration", format!("{}tok", launch.tokens.get()))
        .with("global_train_batch_size", c.global_batch_seqs)
        .with("device_train_microbatch_size", c.micro_batch)
        .with("device_eval_batch_size", c.micro_batch)
        .with(
            "precision",
            if launch.is_fp8() {
                "amp_fp8"
            } else {
                "amp_bf16"
            },
        )
        .with("fsdp_config", fsdp(launch))
        .with(
            "callbacks",
            Map::new()
                .with("speed_monitor", Map::new().with("window_size", 10))
                .with("memory_monitor", Map::new())
                .with("lr_monitor", Map::new()),
        )
        .with("console_log_interval", "10ba")
        .with("progress_bar", false)
        .with_some("save_folder", folder)
        .with_some("save_interval", interval.map(|steps| format!("{steps}ba")))
        .with_some("save_num_checkpoints_to_keep", interval.map(|_| 2))
        .with_some("autoresume", interval.map(|_| true));
    let mut notes = places.notes();
    let padded = launch.model.shape.vocab_size == GPT2_PADDED;
    if padded && settings.tokenizer.is_none() {
        notes.push(format!(
            "a vocabulary of {} is taken for that of {tokenizer}, but nanoGPT and Megatron pad that of gpt2 \
             to as many: `tokenizer` in [launch] names the one that the data were made with",
            display_thousands(GPT2_PADDED.into())
        ));
    }
    notes.extend(rate_note);
    notes.extend(launch.unused(&[CHECKPOINTS]));
    notes.extend(launch.block_notes("LLM Foundry"));
    notes.extend(launch.transformer_engine());
    Ok(Training { config, notes })
}

/// Refuses a text that the trainer would read as something else: it resolves interpolations twice,
/// so that an escaped one is resolved the second time.
fn literal(key: &'static str, text: &str) -> Result<(), LaunchError> {
    if text.contains("${") {
        return Err(LaunchError::Interpolated {
            key,
            text: text.to_owned(),
        });
    }
    Ok(())
}

fn model(launch: &Launch<'_>) -> Result<Map, LaunchError> {
    let shape = &launch.model.shape;
    if shape.attention_width() != shape.d_model {
        return Err(LaunchError::Inexpressible {
            target: "llm-foundry",
            what: format!(
                "heads of width {} in a model of width {} with {} heads",
                shape.head_dim, shape.d_model, shape.n_heads
            ),
        });
    }
    if launch.model.block.parallel {
        return Err(launch.side_by_side("llm-foundry"));
    }
    if let Some(share) = launch.model.block.rotary_share {
        return Err(LaunchError::Inexpressible {
            target: "llm-foundry",
            what: format!(
                "rotary positions over {} % of each head",
                display_share(share)
            ),
        });
    }
    let learned = shape.positions == Positions::Learned;
    let positions = shape.position_limit().unwrap_or(launch.candidate.seq_len);
    let whole = shape.d_ff.is_multiple_of(shape.d_model);
    let expansion = whole.then(|| shape.d_ff / shape.d_model);
    let norm = match shape.norm {
        Norm::LayerNorm => "low_precision_layernorm",
        Norm::RmsNorm => "low_precision_rmsnorm",
    };
    Ok(Map::new()
        .with("name", "mpt_causal_lm")
        .with("init_device", "meta")
        .with("d_model", shape.d_model)
        .with("n_heads", shape.n_heads)
        .with("n_layers", shape.n_layers)
        .with_some("expansion_ratio", expansion)
        .with("max_seq_len", positions.max(launch.candidate.seq_len))
        .with("vocab_size", shape.vocab_size)
        .with("tie_word_embeddings", shape.tied_head)
        .with("learned_pos_emb", learned)
        .with("norm_type", norm)
        .with("no_bias", shape.biases != Biases::All)
        .with_some(
            "attention_bias",
            (shape.biases == Biases::Qkv).then_some(true),
        )
        // Composer multiplies in fp8 where layers are Transformer Engine's, and nowhere else.
        .with_some("fc_type", launch.is_fp8().then_some("te"))
        .with_some("ffn_config", feed_forward(launch).filled())
        .with("attn_config", attention(launch)))
}

fn feed_forward(launch: &Launch<'_>) -> Map {
    let shape = &launch.model.shape;
    let gated = shape.feed_forward == FeedForward::Gated;
    if !gated && shape.d_ff.is_multiple_of(shape.d_model) {
        return Map::new();
    }
    // Its own activation is GELU, for gated layers too.
    let activation = gated.then(|| match launch.gate() {
        Gate::Silu => Map::new().with("name", "silu"),
        Gate::Gelu => Map::new().with("name", "gelu").with("approximate", "tanh"),
    });
    Map::new()
        .with("ffn_type", if gated { "mptglu" } else { "mptmlp" })
        .with("ffn_hidden_size", shape.d_ff)
        .with_some("ffn_act_fn", activation)
}

fn attention(launch: &Launch<'_>) -> Map {
    let shape = &launch.model.shape;
    let grouped = shape.n_kv_heads != shape.n_heads;
    let kind = if grouped {
        "grouped_query_attention"
    } else {
        "multihead_attention"
    };
    let rotary = shape.positions == Positions::Rotary;
    Map::new()
        .with("attn_type", kind)
        .with_some("kv_n_heads", grouped.then_some(shape.n_kv_heads))
        .with("attn_impl", "flash")
        .with("alibi", shape.positions == Positions::Alibi)
        .with("rope", rotary)
        .with_some("rope_theta", launch.model.block.rotary_base)
        .with_some("rope_impl", rotary.then_some("hf"))
}

fn loader(launch: &Launch<'_>, data: &str) -> Map {
    // Object stores are streamed to the node's own disk; a path is read where it is.
    let remote = data.contains("://");
    let local = if remote { "/tmp/data" } else { data };
    Map::new()
        .with("name", "text")
        .with(
            "dataset",
            Map::new()
                .with_some("remote", remote.then_some(data))
                .with("local", local)
                .with("split", "train")
                .with("shuffle", true)
                .with("shuffle_seed", 17)
                .with("max_seq_len", launch.candidate.seq_len),
        )
        .with("drop_last", true)
        .with("num_workers", 8)
}

fn optimizer(rate: f64) -> Map {
    Map::new()
        .with("name", "decoupled_adamw")
        .with("lr", rate)
        .with("betas", vec![0.9, 0.95])
        .with("eps", 1e-8)
        .with("weight_decay", 0.0)
}

fn fsdp(launch: &Launch<'_>) -> Map {
    // Composer's DEFAULT gathers in the compute type and reduces in fp32 today; it was the other
    // way round when the tables were measured, so that policy is spelled out.
    let policy: Node = match launch.stack.precision {
        Precision::Fp32Gather => Map::new()
            .with("param_dtype", "fp32")
            .with("reduce_dtype", "bf16")
            .with("buffer_dtype", "fp32")
            .into(),
        Precision::Bf16Gather => "DEFAULT".into(),
        Precision::PureBf16 => "PURE".into(),
    };
    Map::new()
        .with("sharding_strategy", "FULL_SHARD")
        .with("mixed_precision", policy)
        .with(
            "activation_checkpointing",
            launch.candidate.activation_checkpointing,
        )
        .with("activation_checkpointing_reentrant", false)
        .with("activation_cpu_offload", false)
        .with("limit_all_gathers", true)
        .with("state_dict_type", "sharded")
}

/// The configuration file of targets that run LLM Foundry, where that is what they run.
pub(super) fn config_file(
    launch: &Launch<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<LaunchFile>, LaunchError> {
    if !launch.is_composer() {
        notes.extend(launch.trainer_notes());
        return Ok(None);
    }
    let training = training(launch)?;
    let head = head::comment(&head::lines(launch, &training.notes));
    notes.extend(training.notes);
    Ok(Some(LaunchFile {
        name: CONFIG,
        text: format!("{head}\n{}", training.config.yaml()?),
        executable: false,
    }))
}

/// The image, or a placeholder that the notes name.
pub(super) fn image<'a>(launch: &Launch<'a>, notes: &mut Vec<String>) -> &'a str {
    let mut places = Places::default();
    let set: Option<&Text> = launch.settings.image.as_ref();
    let image = places.get("image", set, "SET_ME/image");
    notes.extend(places.notes());
    image
}
