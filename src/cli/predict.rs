//! `tminus predict`: one configuration in full.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::configuration::on_off;
use crate::job::{Request, Sourced};
use crate::plan::{
    Candidate, PlanError, Planner, fit_notes, left_out, links_note, peak_note, tokens_note,
};
use crate::quantity::counted;
use crate::report::Explanation;
use crate::search::{Axis, MAX_SHORTFALL, Switch};

use super::args::{ConfidenceArgs, FitArgs, ForecastArgs, JobArgs, OutputArgs, SortBy, paths};
use super::output::Output;
use super::{Failure, request};

/// How what is left open is chosen.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What is left open")]
struct ChoosingArgs {
    /// What the configuration chosen is the best at [default: time].
    #[arg(long, value_name = "BY")]
    sort: Option<SortBy>,

    /// Also choose among configurations that may run out of memory or run slowly near its limit.
    #[arg(long)]
    allow_tight: bool,
}

/// Flags of `tminus predict`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Answers for every valid configuration, also for one that overflows: the verdict says so.
What is left open, the cluster and its GPUs too, is what `tminus plan` would put first; a note says
what was chosen; of a front it is the fastest. To see another candidate of a plan, name what its row says
by flags, as what a job file gives several values.

Examples:
  tminus predict --model gpt-7b --tokens 134B --cluster r7z2 --gpus 64 \\
      --micro-batch 4 --grad-accum 4 --checkpointing on
  tminus predict --model gpt-1b --cluster r1z1 --gpus 8 --micro-batch 16 --grad-accum 4 \\
      --checkpointing off --seq-len 2048 --format json
  tminus predict job.toml                   what `tminus plan job.toml` puts first
  tminus predict job.toml --gpus 32 --micro-batch 8 --grad-accum 1 --checkpointing on")]
pub(crate) struct PredictArgs {
    /// Job file (`tminus init` prints one); flags override it, `-` is stdin.
    #[arg(value_name = "JOB.toml")]
    job_file: Option<PathBuf>,

    #[command(flatten)]
    job: JobArgs,

    #[command(flatten)]
    choosing: ChoosingArgs,

    #[command(flatten)]
    forecast: ForecastArgs,

    #[command(flatten)]
    confidence: ConfidenceArgs,

    #[command(flatten)]
    fit: FitArgs,

    #[command(flatten)]
    output: OutputArgs,
}

impl PredictArgs {
    /// The file the prediction goes to.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output.output.as_deref()
    }

    /// The files that are read, of those that flags name.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        let files = self.job_file.iter().chain(&self.job.presets);
        paths(files.chain(&self.fit.fit))
    }
}

pub(super) fn run(args: &PredictArgs, output: &Output) -> Result<(), Failure> {
    let mut flags = request::settings(&args.job, None, &args.confidence);
    flags.sort = args
        .choosing
        .sort
        .map(|by| Sourced::flag("--sort", by.into()));
    let tight = args.choosing.allow_tight;
    flags.allow_tight = tight.then(|| Sourced::flag("--allow-tight", true));
    let flags = request::with_forecast(flags, &args.forecast)?;
    let opened = request::open(args.job_file.as_deref(), &args.job.presets, &args.fit)?;
    let opened = opened.kept(output)?;
    let of_file = opened.file.as_ref().map(|file| &file.settings);
    let batch_is_named = [Some(&flags), of_file]
        .into_iter()
        .flatten()
        .any(|settings| settings.global_batch.is_some());
    let loaded = opened.single(flags)?;
    let (request, fit) = (&loaded.request, loaded.fit()?);
    let candidate = Planner::new(&fit).predict(request)?;
    let Some(cluster) = request.cluster(&candidate.cluster) else {
        return Err(PlanError::NoCluster.into());
    };
    let mut notes = fit_notes(request, &fit);
    notes.extend(tokens_note(request, candidate.global_batch_tokens));
    notes.extend(left_out(request));
    notes.extend(settled(batch_is_named, request, &candidate));
    notes.extend(peak_note(request, &candidate).map(|note| format!("this is {note}")));
    notes.extend(links_note(request, &fit, &candidate).map(|note| format!("this {note}")));
    output.report(
        args.output.format(),
        &Explanation {
            candidate: &candidate,
            model: &request.model.name,
            params: request.model.shape.params(candidate.seq_len),
            stack: &request.stack.name,
            tokens: request.tokens,
            confidence: request.confidence,
            reliability: request.reliability,
            fit: fit.name(),
            fit_rows: fit.rows(),
            notes: &notes,
            cluster,
            pricing: &request.pricing,
        },
    )
}

/// What was chosen for the one configuration, and what of the batch asked for it leaves out.
fn settled(batch_is_named: bool, request: &Request, candidate: &Candidate) -> Vec<String> {
    let batch = batch_note(batch_is_named, request, candidate);
    chosen(request, candidate)
        .into_iter()
        .chain(batch)
        .collect()
}

/// What was left open, and is now settled.
fn chosen(request: &Request, candidate: &Candidate) -> Option<String> {
    let open = |axis: &Axis| *axis == Axis::Auto;
    let c = candidate;
    let choices = [
        (request.clusters.len() > 1, c.cluster.clone()),
        (open(&request.gpus), counted(c.gpus, "GPU")),
        (
            open(&request.micro_batch),
            format!("micro-batch {}", c.micro_batch),
        ),
        (
            open(&request.grad_accum),
            format!("accumulation {}", c.grad_accum),
        ),
        (
            request.activation_checkpointing == Switch::Auto,
            format!("checkpointing {}", on_off(c.activation_checkpointing)),
        ),
    ];
    let chosen = choices.into_iter().filter(|(open, _)| *open);
    let chosen: Vec<String> = chosen.map(|(_, choice)| choice).collect();
    (!chosen.is_empty()).then(|| format!("chosen: {}", chosen.join(", ")))
}

/// Beyond this factor a batch is no longer about the one that a model is trained with.
const FAR: u64 = 2;

/// That a step has other tokens than were asked for, or far from those of the model.
fn batch_note(named: bool, request: &Request, candidate: &Candidate) -> Option<String> {
    let (asked, batch) = (request.global_batch, candidate.global_batch_tokens);
    // A shortfall that a plan would accept is told where it shows.
    let shortfall = candidate.global_batch_shortfall;
    let near = shortfall > 0.0 && shortfall <= MAX_SHORTFALL;
    let missed = !(asked.min..=asked.max).contains(&batch) && !near;
    // Whoever sets the accumulation sets the batch, as far as it is about the model's.
    let open = request.grad_accum == Axis::Auto;
    let far = batch >= asked.max.saturating_mul(FAR) || batch.saturating_mul(FAR) <= asked.min;
    let instead = match (named, missed) {
        (true, true) => format!("not the {asked} asked for"),
        (false, true) if far => format!("far from the {asked} of {}", request.model.name),
        (false, true) if open => format!("not the {asked} of {}", request.model.name),
        _ => return None,
    };
    Some(format!(
        "the global batch is {}, {instead}: {} × micro-batch {} × accumulation {} × {} tokens",
        counted(batch, "token"),
        counted(candidate.gpus, "GPU"),
        candidate.micro_batch,
        candidate.grad_accum,
        candidate.seq_len
    ))
}
