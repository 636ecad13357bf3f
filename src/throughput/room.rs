//! Rows of runs that are estimated to be short of memory, and what they show.

use super::Fit;
use super::basis::same_shape;
use crate::configuration::{Configuration, Setting};
use crate::measure::Measurement;
use crate::memory::{self, MemoryEstimate, MemoryModel, RanAs, Verdict};
use crate::stack::Precision;

/// A row is at full speed that is at most so much slower than expected, as a logarithm.
const FULL_SPEED: f64 = 0.05;

/// Which rows are short of memory by what is estimated of them. Rows of split models need what no model
/// here knows.
pub(super) fn short_of_memory(rows: &[Measurement]) -> Vec<Option<f64>> {
    let margin = |row: &Measurement| {
        let memory = memory::estimate(&row.setting(), &row.configuration);
        let short = memory.verdict != Verdict::Fits && !row.is_split();
        short.then_some(memory.margin_bytes)
    };
    rows.iter().map(margin).collect()
}

/// How the rows ran that are short of memory by what is estimated of them.
pub(super) struct Short<'a> {
    rows: &'a [Measurement],
    margins: &'a [Option<f64>],
    /// Logarithms of how much slower than expected each row is.
    slower: &'a [f64],
}

/// One of them.
#[derive(Clone, Copy)]
struct ShortRow<'a> {
    row: &'a Measurement,
    margin_bytes: f64,
    at_full_speed: bool,
}

impl<'a> Short<'a> {
    /// `margins` are those of [`short_of_memory`].
    pub(super) fn new(
        rows: &'a [Measurement],
        margins: &'a [Option<f64>],
        slower: &'a [f64],
    ) -> Self {
        Self {
            rows,
            margins,
            slower,
        }
    }

    fn rows(&self) -> impl Iterator<Item = ShortRow<'a>> + Clone + use<'a> {
        let rows = self.rows.iter().zip(self.margins).zip(self.slower);
        rows.filter_map(|((row, margin), slower)| {
            Some(ShortRow {
                row,
                margin_bytes: (*margin)?,
                at_full_speed: *slower < FULL_SPEED,
            })
        })
    }

    /// The least memory to spare at which a row ran at full speed, with none slow that had more.
    pub(super) fn full_speed_margin(&self) -> Option<f64> {
        let margin = |short: ShortRow<'_>| short.margin_bytes;
        let slow = self.rows().filter(|short| !short.at_full_speed);
        let most_slow = slow.map(margin).reduce(f64::max);
        let full = self.rows().filter(|short| short.at_full_speed);
        believed(full)
            .map(margin)
            .filter(|margin| most_slow.is_none_or(|slow| *margin > slow))
            .reduce(f64::min)
    }

    /// What ran though it is estimated to be short of memory, each with the row that tells its model,
    /// stack and GPU. A row at full speed is as one that was slow where another of its kind, which holds no
    /// more, was.
    pub(super) fn ran(&self) -> Vec<(Measurement, RanAs)> {
        let run = |short: ShortRow<'_>, at_full_speed| RanAs {
            configuration: short.row.configuration,
            at_full_speed,
        };
        let slow = || self.rows().filter(|short| !short.at_full_speed);
        let found = believed(self.rows()).map(|short| {
            let contradicted = slow().any(|slow| {
                is_of_one_kind(&short.row.setting(), &slow.row.setting())
                    && run(short, true).holds_at_least(&slow.row.configuration)
            });
            let at_full_speed = short.at_full_speed && !contradicted;
            (short.row.clone(), run(short, at_full_speed))
        });
        found.collect()
    }
}

/// Of rows short of memory those that are believed. On the stack that the estimate was made for, one run
/// of what can't be may be a mistake in its row; other software may need less, and of two configurations
/// it is the estimate.
fn believed<'a>(
    rows: impl Iterator<Item = ShortRow<'a>> + Clone,
) -> impl Iterator<Item = ShortRow<'a>> {
    let overflowed = || rows.clone().filter(|short| short.margin_bytes < 0.0);
    let first = overflowed().next();
    let told = overflowed().any(|short| may_need_less(short.row))
        || first.is_some_and(|ShortRow { row: first, .. }| {
            overflowed().any(|ShortRow { row, .. }| {
                row.shape != first.shape || row.configuration != first.configuration
            })
        });
    rows.filter(move |short| told || short.margin_bytes >= 0.0)
}

/// Whether what ran in one setting runs in another: the same model, stack and card.
pub(super) fn is_of_one_kind(ran: &Setting<'_>, other: &Setting<'_>) -> bool {
    let (card, other_card) = (&ran.cluster.gpu, &other.cluster.gpu);
    same_shape(ran.shape, other.shape)
        && ran.stack.is_same_as(other.stack)
        && card.is_same_as(other_card)
        && card.usable_bytes() <= other_card.usable_bytes()
}

/// Whether a row may be of software that needs less memory than the measured stack, or doesn't slow down
/// short of it: its own stack is another, or it doesn't tell.
pub(super) fn may_need_less(row: &Measurement) -> bool {
    !row.stack_told || row.stack.precision != Precision::Fp32Gather
}

impl Fit {
    /// Peak memory of one (setting, GPUs, sequence length, checkpointing): the estimate, and what of the
    /// rows ran in spite of it.
    #[must_use]
    pub fn memory_model(
        &self,
        setting: &Setting<'_>,
        gpus: u64,
        seq_len: u64,
        activation_checkpointing: bool,
    ) -> MemoryModel {
        let runs = self.view(setting).ran(setting);
        MemoryModel::new(setting, gpus, seq_len, activation_checkpointing).with_runs(
            &runs,
            gpus,
            activation_checkpointing,
        )
    }

    /// Peak memory of one configuration: the estimate, and what of the rows ran in spite of it.
    #[must_use]
    pub fn memory(&self, setting: &Setting<'_>, configuration: &Configuration) -> MemoryEstimate {
        let Configuration {
            gpus,
            seq_len,
            activation_checkpointing,
            ..
        } = *configuration;
        self.memory_model(setting, gpus, seq_len, activation_checkpointing)
            .estimate(configuration.micro_batch)
    }
}
