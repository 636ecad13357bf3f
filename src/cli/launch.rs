//! `tminus launch`: the files that launch one candidate of a plan.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::diagnostic::Diagnostic;
use crate::launch::{Launch, LaunchError, LaunchFiles};
use crate::memory::Verdict;
use crate::plan::{Candidate, Plan, fit_notes, links_note};
use crate::quantity::counted;
use crate::reserve::{Booking, Reservation};
use crate::throughput::Basis;

use super::Failure;
use super::args::{GlobalArgs, whole};
use super::files::{NewFile, write_together};
use super::output::{Output, keep};
use super::planned::PlannedArgs;
use super::timing::Stopwatch;

/// Flags of `tminus launch`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Paths, names and accounts come from the table `[launch]` of the job file.

Examples:
  tminus launch job.toml --target llm-foundry --dry-run --accept-extrapolated
  tminus launch job.toml --rank 2 --target slurm -o launch --accept-extrapolated")]
pub(crate) struct LaunchArgs {
    #[command(flatten)]
    planned: PlannedArgs,

    /// Candidate to launch, by its rank in the plan [default: what the
    /// booking of [reserve] runs; without one the first, or a front's knee].
    #[arg(long, value_name = "K", help_heading = "Launch")]
    #[arg(allow_hyphen_values = true, value_parser = whole(1_u32, 100_000))]
    rank: Option<u32>,

    /// What the files are for.
    #[arg(long, value_name = "TARGET", help_heading = "Launch")]
    target: Target,

    /// Directory the files go to; created when it isn't there [default: .].
    #[arg(short, long, value_name = "DIR", help_heading = "Launch")]
    output: Option<PathBuf>,

    /// Print the files instead of writing them.
    #[arg(long, help_heading = "Launch")]
    dry_run: bool,

    /// Replace files that are already there.
    #[arg(long, help_heading = "Launch")]
    force: bool,

    /// Launch a candidate although it lies outside what was measured.
    #[arg(long, help_heading = "Launch")]
    accept_extrapolated: bool,
}

/// What the files are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// YAML of LLM Foundry's train.py, and the composer command.
    LlmFoundry,
    /// Slurm batch script.
    Slurm,
    /// `SkyPilot` task.
    #[value(help = "SkyPilot task")]
    Skypilot,
    /// Run of the `MosaicML` platform.
    #[value(help = "Run of the MosaicML platform")]
    Mcli,
    /// Hugging Face `TrainingArguments`, and the accelerate command.
    #[value(help = "Hugging Face TrainingArguments, and the accelerate command")]
    Huggingface,
    /// `DeepSpeed` configuration, and the torchrun command.
    #[value(help = "DeepSpeed configuration, and the torchrun command")]
    Deepspeed,
    /// Megatron-LM's command.
    Megatron,
    /// Kubeflow `TrainJob`.
    #[value(help = "Kubeflow TrainJob")]
    Kubeflow,
}

impl From<Target> for crate::launch::Target {
    fn from(target: Target) -> Self {
        match target {
            Target::LlmFoundry => Self::LlmFoundry,
            Target::Slurm => Self::Slurm,
            Target::Skypilot => Self::Skypilot,
            Target::Mcli => Self::Mcli,
            Target::Huggingface => Self::Huggingface,
            Target::Deepspeed => Self::Deepspeed,
            Target::Megatron => Self::Megatron,
            Target::Kubeflow => Self::Kubeflow,
        }
    }
}

pub(super) fn run(
    args: &LaunchArgs,
    global: &GlobalArgs,
    command: &str,
    output: &Output,
) -> Result<(), Failure> {
    let rank = args
        .rank
        .map(|rank| usize::try_from(rank).unwrap_or(usize::MAX));
    let planned = args
        .planned
        .plan(global, output, &mut Stopwatch::start(), rank.unwrap_or(1))?;
    let reservation = match rank {
        Some(_) => None,
        None => planned.booked(global).map_err(without_booking)?,
    };
    let booking = reservation.as_ref().and_then(Reservation::recommended);
    let candidate = match booking {
        Some(booking) => &booking.candidate,
        None => chosen(&planned.plan, rank)?,
    };
    accepted(args, candidate, booking)?;
    let launch = Launch::new(candidate, &planned.request, command)
        .ok_or_else(|| Diagnostic::new("the plan names a cluster that the job doesn't"))?;
    let written = launch
        .on(booking)
        .files(args.target.into())
        .map_err(|error| refused(&error, args.target))?;
    if let Some(booking) = booking {
        output.note(&format!(
            "this is what the booking recommended runs: {} of {}, {}; `--rank` takes a candidate of the \
             plan instead",
            counted(booking.booked_nodes, "node"),
            booking.cluster,
            booking.product_title
        ));
    }
    if args.dry_run {
        output.result(&shown(&written))?;
    } else {
        output.result(&write(args, &written)?)?;
    }
    let of_fit = fit_notes(&planned.request, &planned.fit);
    // Some of them stand in the files already.
    let of_fit = of_fit.iter().filter(|note| !written.notes.contains(note));
    let links = links_note(&planned.request, &planned.fit, candidate);
    let links = links.map(|note| format!("this {note}"));
    for note in written.notes.iter().chain(of_fit).chain(&links) {
        output.note(note);
    }
    Ok(())
}

fn chosen(plan: &Plan, rank: Option<usize>) -> Result<&Candidate, Diagnostic> {
    let candidates = &plan.candidates;
    let found = match rank {
        Some(rank) => candidates.get(rank.saturating_sub(1)),
        None => plan.recommended(),
    };
    found.ok_or_else(|| {
        let rank = rank.unwrap_or(1);
        let count = counted(candidates.len() as u64, "candidate");
        Diagnostic::new(format!(
            "--rank: there is no rank {rank}: the plan has {count}"
        ))
        .help("`tminus plan` with the same flags shows them")
    })
}

/// A job whose booking can't be had can still be launched without one.
fn without_booking(failure: Failure) -> Failure {
    match failure {
        Failure::Infeasible(why) => Failure::Infeasible(
            why.help("`--rank 1` launches the first of the plan, whatever [reserve] asks for"),
        ),
        refused @ Failure::Refused(_) => refused,
    }
}

/// What could go wrong with the candidate has to be accepted on the command line.
fn accepted(
    args: &LaunchArgs,
    candidate: &Candidate,
    booking: Option<&Booking>,
) -> Result<(), Diagnostic> {
    let which = match booking {
        Some(_) => "what the booking runs".to_owned(),
        None => format!("rank {}", candidate.rank),
    };
    if candidate.memory.verdict == Verdict::Tight && !args.planned.ranking.allow_tight {
        return Err(Diagnostic::new(format!(
            "{which} is near the memory limit: peak {:.1} of {:.1} GiB; it may run out of memory \
             or run slowly",
            candidate.memory.peak_gib, candidate.memory.usable_gib
        ))
        .help("launch it nevertheless with --allow-tight"));
    }
    if candidate.basis == Basis::Extrapolated && !args.accept_extrapolated {
        return Err(Diagnostic::new(format!(
            "{which} lies outside what was measured: {}",
            candidate.basis_detail.axes.join("; ")
        ))
        .help("launch it nevertheless with --accept-extrapolated")
        .help("measure a few steps first: `tminus compare` says whether they are as planned"));
    }
    Ok(())
}

fn refused(error: &LaunchError, target: Target) -> Diagnostic {
    let diagnostic = Diagnostic::new(error.to_string());
    match error {
        LaunchError::UnknownGpu {
            target: "Kubernetes",
            ..
        } => diagnostic
            .help("name its resource, such as `gpu_type = \"amd.com/gpu\"`, in the table [launch]"),
        LaunchError::UnknownGpu { .. } => {
            diagnostic.help("say what it is called there: `gpu_type = \"…\"` in the table [launch]")
        }
        LaunchError::Inexpressible { .. } => by_another_trainer(diagnostic, target),
        LaunchError::Interpolated { key, .. } => diagnostic.help(format!(
            "give `{key}` a value without `${{`; the trainer has no way to write one"
        )),
        LaunchError::Unexpanded { key, .. } => diagnostic.help(format!(
            "write `{key}` out, such as \"/home/me/…\", or leave its start out where it is meant from the \
             folder that the program starts in"
        )),
        LaunchError::Unwritable(_) => diagnostic,
    }
}

/// What trains a model that the target's trainer can't express: a script of the user's own.
fn by_another_trainer(diagnostic: Diagnostic, target: Target) -> Diagnostic {
    let own = "`launcher = \"torchrun\"`, with a `script` of your own that builds the model, in the table \
               [launch]";
    match target {
        Target::Slurm | Target::Skypilot | Target::Kubeflow => {
            diagnostic.help(format!("keep the target, and train with another trainer: {own}"))
        }
        _ => diagnostic.help(format!(
            "the targets `huggingface` and `deepspeed` start a script of your own, which builds the model; \
             `slurm`, `skypilot` and `kubeflow` do so with {own}"
        )),
    }
}

fn write(args: &LaunchArgs, written: &LaunchFiles) -> Result<String, Diagnostic> {
    let directory = args.output.clone().unwrap_or_else(|| PathBuf::from("."));
    let files: Vec<NewFile> = written
        .files
        .iter()
        .map(|file| NewFile {
            path: directory.join(file.name),
            text: &file.text,
            executable: file.executable,
        })
        .collect();
    for file in &files {
        let mut inputs = args.planned.inputs().into_iter();
        inputs.try_for_each(|input| keep(&file.path, input))?;
    }
    write_together(&directory, &files, args.force)?;
    let lines = files
        .iter()
        .map(|file| format!("{}\n", file.path.display()));
    Ok(lines.collect())
}

/// One file as it is; several, each under its name.
fn shown(written: &LaunchFiles) -> String {
    match written.files.as_slice() {
        [only] => only.text.clone(),
        several => {
            let parts: Vec<String> = several
                .iter()
                .map(|file| format!("==> {} <==\n{}", file.name, file.text))
                .collect();
            parts.join("\n")
        }
    }
}
