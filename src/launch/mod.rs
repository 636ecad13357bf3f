//! A candidate becomes the files that launch it: one file of this room a target.
//!
//! Configuration files are values (`node`) written by a serialiser; scripts are built from words
//! (`crate::shell`) that one function quotes. Nothing else inserts text, so no name or path can
//! change what a file means. Every file says at its head what was planned (`head`), or its companion
//! does where the format has no comments.

mod block;
mod caution;
mod deepspeed;
mod fp8;
mod head;
mod huggingface;
mod kubeflow;
mod limit;
mod literal;
mod llm_foundry;
mod mcli;
mod megatron;
mod names;
mod node;
mod settings;
mod skypilot;
mod slurm;
mod trainer;

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::calendar::Due;
use crate::forecast::Pricing;
use crate::hardware::{Cluster, Price};
use crate::job::{LaunchSettings, Request, Word};
use crate::memory::Verdict;
use crate::model::Model;
use crate::plan::{Candidate, apart_note};
use crate::product::{Billing, Form};
use crate::quantity::{Confidence, Tokens};
use crate::reserve::{Booking, region_of_zone};
use crate::stack::Stack;

/// What the files are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// LLM Foundry's `train.py`: its YAML and the `composer` command.
    LlmFoundry,
    /// A Slurm batch script.
    Slurm,
    /// A `SkyPilot` task.
    Skypilot,
    /// A run of the `MosaicML` platform.
    Mcli,
    /// Hugging Face `TrainingArguments`.
    Huggingface,
    /// A `DeepSpeed` configuration.
    Deepspeed,
    /// Flags of Megatron-LM's `pretrain_gpt.py`.
    Megatron,
    /// A Kubeflow `TrainJob`.
    Kubeflow,
}

/// One file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchFile {
    /// Its name, without a directory.
    pub name: &'static str,
    /// Its text.
    pub text: String,
    /// Whether it is a program.
    pub executable: bool,
}

/// The files of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchFiles {
    /// The files, the one to start with first.
    pub files: Vec<LaunchFile>,
    /// What the target can't express, or what is left to set; also in the files' heads.
    pub notes: Vec<String>,
}

/// Why a candidate has no files for a target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LaunchError {
    /// The target has no name for the GPU, or none that is known here.
    #[error("{target} has no name for `{gpu}` that is known here")]
    UnknownGpu {
        /// The target.
        target: &'static str,
        /// The GPU.
        gpu: String,
    },
    /// The target would train another model.
    #[error("{target} can't express {what}: it would train another model")]
    Inexpressible {
        /// The target.
        target: &'static str,
        /// The feature of the model.
        what: String,
    },
    /// A setting that the trainer would not take as it is written.
    #[error(
        "`{key}` in [launch] is {text:?}: LLM Foundry puts another value in the place of `${{…}}`"
    )]
    Interpolated {
        /// The setting.
        key: &'static str,
        /// Its text.
        text: String,
    },
    /// A path that a shell would expand, where nothing does.
    #[error(
        "`{key}` in [launch] is {text:?}: nothing puts a home directory in the place of `~` there"
    )]
    Unexpanded {
        /// The setting.
        key: &'static str,
        /// Its text.
        text: String,
    },
    /// A serialiser refused.
    #[error("the launch file could not be written: {0}")]
    Unwritable(String),
}

/// A candidate with all that its launch files say.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    candidate: &'a Candidate,
    model: &'a Model,
    cluster: &'a Cluster,
    /// What it is costed at, where that is known.
    price: Option<&'a Price>,
    pricing: &'a Pricing,
    stack: &'a Stack,
    tokens: Tokens,
    confidence: Confidence,
    settings: &'a LaunchSettings,
    command: &'a str,
    /// The booking it runs on.
    booking: Option<&'a Booking>,
    /// That its stack is another than the files start.
    apart: Option<String>,
    /// When it has to be done.
    due: Option<Due>,
    /// The zone that a reservation of Google's is made in.
    zone: Option<&'a str>,
    /// Optimizer steps between two checkpoints.
    checkpoint_steps: Option<f64>,
    /// Those that the planned time assumes; a time limit may ask for fewer.
    planned_steps: Option<f64>,
    /// Minutes after which it is stopped, where that is set and sooner than it may be done.
    short_limit: Option<u64>,
    expected_failures: f64,
    start_up_s: f64,
    /// Seconds to write a checkpoint.
    write_s: f64,
}

/// Steps over which the learning rate rises, and the part of a short run that they are at most: a
/// choice that is no part of the plan.
const WARMUP: (u64, u64) = (100, 10);

impl<'a> Launch<'a> {
    /// The launch of `candidate`, one of those that answer `request`; `command` is what a person
    /// types to get it again. `None` when its cluster isn't one of the request's.
    #[must_use]
    pub fn new(candidate: &'a Candidate, request: &'a Request, command: &'a str) -> Option<Self> {
        let cluster = request.cluster(&candidate.cluster)?;
        let reliability = &request.reliability;
        let step_s = candidate.step_time_s.expected;
        let clock = request.clock(cluster, candidate.gpus, candidate.seq_len);
        let clock = clock.in_steps_of(step_s);
        let planned = clock.checkpoint_interval_s;
        let planned = planned.map(|interval_s| (interval_s / step_s).round().max(1.0));
        let unlimited = Self {
            candidate,
            model: &request.model,
            cluster,
            price: request.pricing.price(cluster),
            pricing: &request.pricing,
            stack: &request.stack,
            tokens: request.tokens,
            confidence: request.confidence,
            settings: &request.launch,
            command,
            booking: None,
            apart: apart_note(request),
            due: request.reserve.deadline.as_ref().map(|set| set.value),
            zone: request.reserve.zone.as_ref().map(Word::as_str),
            checkpoint_steps: planned,
            planned_steps: planned,
            short_limit: None,
            expected_failures: candidate.expected_failures,
            start_up_s: reliability.start_up_s.max(reliability.restart_s),
            write_s: clock.write_s,
        };
        Some(unlimited.limited())
    }

    /// The same on a booking, which `candidate` is the run of.
    #[must_use]
    pub fn on(self, booking: Option<&'a Booking>) -> Self {
        Self { booking, ..self }.limited()
    }

    /// The booking, where it is a reservation of Slurm's.
    fn slurm_reservation(&self) -> Option<&'a Booking> {
        let booking = self.booking?;
        (booking.in_words.form == Form::Slurm).then_some(booking)
    }

    /// The region of the zone that its nodes are reserved in.
    fn booked_region(&self) -> Option<&'a str> {
        let calendar = self.booking?.in_words.form == Form::GcloudCalendar;
        self.zone.filter(|_| calendar).map(region_of_zone)
    }

    /// Whether it runs on nodes that are taken back at any time: what is booked whole never is.
    fn is_spot(&self) -> bool {
        let Some(booking) = self.booking else {
            let price = self.price.map(|price| price.price_type.as_str());
            return self.pricing.is_spot(price);
        };
        let price = booking.price.as_ref();
        let price_type = price.map(|price| price.price_type.as_str());
        booking.billing == Billing::Used && self.pricing.is_spot(price_type)
    }

    /// Whether the time limit asks for more checkpoints than the planned time assumes.
    fn is_limited(&self) -> bool {
        self.checkpoint_steps != self.planned_steps
    }

    /// The files that launch it on `target`.
    ///
    /// # Errors
    /// When the target can't express the model, has no name for the GPU, or when a path would be another
    /// than it seems.
    pub fn files(&self, target: Target) -> Result<LaunchFiles, LaunchError> {
        literal::check(self.settings)?;
        let mut files = self.files_of(target)?;
        files.notes.splice(0..0, self.cautions());
        Ok(files)
    }

    fn files_of(&self, target: Target) -> Result<LaunchFiles, LaunchError> {
        match target {
            Target::LlmFoundry => llm_foundry::files(&self.unlimited()),
            Target::Slurm => slurm::files(&self.under_slurm()),
            Target::Skypilot => skypilot::files(&self.unlimited()),
            Target::Mcli => mcli::files(self),
            Target::Huggingface => huggingface::files(&self.unlimited()),
            Target::Deepspeed => deepspeed::files(&self.unlimited()),
            Target::Megatron => megatron::files(&self.unlimited()),
            Target::Kubeflow => kubeflow::files(self),
        }
    }

    /// The launch where nothing stops the run at its time limit.
    fn unlimited(&self) -> Self {
        Self {
            checkpoint_steps: self.planned_steps,
            short_limit: None,
            ..self.clone()
        }
    }

    /// GPUs used in each node.
    fn gpus_per_node(&self) -> u64 {
        self.candidate.gpus.min(self.cluster.gpus_per_node).max(1)
    }

    /// Optimizer steps between two checkpoints, at least 1.
    fn checkpoint_steps(&self) -> Option<u64> {
        let steps = self.checkpoint_steps?;
        let last = self.candidate.steps.max(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 1 to the steps of the run"
        )]
        Some(steps.clamp(1.0, last as f64) as u64)
    }

    /// Steps over which the learning rate rises; fewer than those of the run.
    fn warmup_steps(&self) -> u64 {
        let (steps, part) = WARMUP;
        steps.min(self.candidate.steps / part)
    }

    /// Retries that are enough for nearly all runs: three standard deviations above the failures
    /// expected, as if none brought another. Work that is done again fails again, so that there are
    /// more where much of it is lost ([`crate::forecast`] has their law); one more makes up for that
    /// where little is.
    fn retries(&self) -> u64 {
        let many = self.expected_failures + 3.0 * self.expected_failures.sqrt() + 1.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 1 to 1000"
        )]
        let many = many.ceil().clamp(1.0, 1000.0) as u64;
        many
    }

    fn verdict(&self) -> &'static str {
        match self.candidate.memory.verdict {
            Verdict::Fits if self.candidate.memory.ran_as.is_some() => {
                "fits, as a measured run shows; estimated alone, it would not"
            }
            Verdict::Fits => "fits",
            Verdict::Tight => "tight: it may run out of memory or run slowly",
            Verdict::Overflows => "overflows",
        }
    }
}
