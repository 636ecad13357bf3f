//! What a person set, with the place where they set it.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::{
    GlobalBatch, LaunchSettings, Objective, PriceSettings, ReliabilitySettings, ReserveSettings,
    TokenBudget,
};
use crate::diagnostic::{Diagnostic, Origin};
use crate::model::Model;
use crate::quantity::Confidence;
use crate::search::{Axis, Switch};

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetAt {
    /// On the command line, by the flag of this name (`--tokens`).
    Flag(&'static str),
    /// In a file.
    File {
        /// The file.
        origin: Origin,
        /// Bytes of it.
        span: Range<usize>,
    },
}

impl SetAt {
    /// The diagnostic, located here: a caret in the file, or the flag named in the message.
    #[must_use]
    pub fn locate(&self, mut diagnostic: Diagnostic, label: &str) -> Diagnostic {
        match self {
            Self::Flag(flag) => {
                diagnostic.message = format!("{flag}: {}", diagnostic.message);
                diagnostic.is_of_flag = true;
                diagnostic
            }
            Self::File { origin, span } => {
                diagnostic.in_text(origin.clone()).at(span.clone(), label)
            }
        }
    }
}

/// A value and where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub place: SetAt,
}

impl<T> Sourced<T> {
    /// A value set by a flag.
    pub fn flag(flag: &'static str, value: T) -> Self {
        Self {
            value,
            place: SetAt::Flag(flag),
        }
    }

    /// A value set by a flag, from its text.
    ///
    /// # Errors
    /// What `T` says about the text, with the flag's name before it.
    pub fn parse_flag(flag: &'static str, text: &str) -> Result<Self, Diagnostic>
    where
        T: FromStr<Err: fmt::Display>,
    {
        match text.parse() {
            Ok(value) => Ok(Self::flag(flag, value)),
            Err(error) => Err(SetAt::Flag(flag).locate(Diagnostic::new(error.to_string()), "")),
        }
    }

    /// Another value, set at the same place.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced {
            value: convert(self.value),
            place: self.place,
        }
    }

    /// The diagnostic located where this value was set.
    #[must_use]
    pub fn refuse(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        self.place.locate(diagnostic, label)
    }
}

/// The model of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelChoice {
    /// One of the catalog.
    Named(String),
    /// One described in the job file itself.
    Inline(Box<Model>),
}

/// Everything a job can set, each left open until it is: what the flags say, what the job file
/// says, and the two together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// What is trained.
    pub model: Option<Sourced<ModelChoice>>,
    /// On how many tokens.
    pub tokens: Option<Sourced<TokenBudget>>,
    /// Names of the clusters it may run on.
    pub clusters: Option<Vec<Sourced<String>>>,
    /// Name of the stack.
    pub stack: Option<Sourced<String>>,
    /// GPU counts to try.
    pub gpus: Option<Sourced<Axis>>,
    /// Sequence lengths to try.
    pub seq_len: Option<Sourced<Axis>>,
    /// Micro-batches to try.
    pub micro_batch: Option<Sourced<Axis>>,
    /// Gradient accumulations to try.
    pub grad_accum: Option<Sourced<Axis>>,
    /// Activation checkpointing choices to try.
    pub checkpointing: Option<Sourced<Switch>>,
    /// Tokens per optimizer step.
    pub global_batch: Option<Sourced<GlobalBatch>>,
    /// What the ranking minimises.
    pub sort: Option<Sourced<Objective>>,
    /// How many candidates are shown.
    pub top: Option<Sourced<u64>>,
    /// Confidence of every interval.
    pub confidence: Option<Sourced<Confidence>>,
    /// Whether `tight` configurations are ranked too.
    pub allow_tight: Option<Sourced<bool>>,
    /// Path of a fit file; one set in a job file is relative to that file.
    pub fit: Option<Sourced<String>>,
    /// Paths of preset files; those set in a job file are relative to that file.
    pub presets: Vec<Sourced<String>>,
    /// What launch files need to know; the job file alone sets it.
    pub launch: LaunchSettings,
    /// What goes wrong on the clusters, and what it costs.
    pub reliability: ReliabilitySettings,
    /// Which prices it is costed at.
    pub prices: PriceSettings,
    /// What is asked of a booking.
    pub reserve: ReserveSettings,
}

impl Settings {
    /// These settings, and where they leave something open, the other's. Preset files are read
    /// from both: the other's first, so that these override them.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        Self {
            model: self.model.or(other.model),
            tokens: self.tokens.or(other.tokens),
            clusters: self.clusters.or(other.clusters),
            stack: self.stack.or(other.stack),
            gpus: self.gpus.or(other.gpus),
            seq_len: self.seq_len.or(other.seq_len),
            micro_batch: self.micro_batch.or(other.micro_batch),
            grad_accum: self.grad_accum.or(other.grad_accum),
            checkpointing: self.checkpointing.or(other.checkpointing),
            global_batch: self.global_batch.or(other.global_batch),
            sort: self.sort.or(other.sort),
            top: self.top.or(other.top),
            confidence: self.confidence.or(other.confidence),
            allow_tight: self.allow_tight.or(other.allow_tight),
            fit: self.fit.or(other.fit),
            presets: other.presets.into_iter().chain(self.presets).collect(),
            launch: other.launch,
            reliability: self.reliability.over(other.reliability),
            prices: self.prices.over(other.prices),
            reserve: self.reserve.over(other.reserve),
        }
    }
}
