//! Step times as the search needs them, what a setting fixes computed once; and how fast a step can be at best.
//!
//! A *bound* rests on what the physics guarantees: seconds per token of a micro-step never grow
//! with its tokens (compute is proportional to them, communication and overheads are not, and
//! what compute hides of communication is no more than itself); what a step costs beyond its
//! micro-steps is shared by all of its sequences; and the residual correction is nowhere less
//! than the sum of its parts at their least. Memory pressure only ever slows a step down.

use std::ops::RangeInclusive;

use super::Fit;
use super::coefficients::Values;
use super::links::Links;
use super::nearby::{AlongTokens, Neighbourhood};
use super::physics::Rates;
use super::pressure::Pressure;
use super::residual::{Cell, bounded};

use crate::configuration::{Configuration, Setting};
use crate::memory::{MemoryModel, RanAs, Verdict};
use crate::quantity::BOUND_ROUNDING;
use crate::stack::{Precision, Stack};

/// Expected step times of one setting: what GPU count, sequence length and checkpointing don't
/// change.
#[derive(Debug, Clone)]
pub struct SettingModel<'a> {
    setting: Setting<'a>,
    /// What runs in place of the setting's stack.
    runs: Option<Stack>,
    full_speed_margin: f64,
    /// What ran though it is estimated to be short of memory.
    ran: Vec<RanAs>,
    links: Links,
    values: Values,
    correction: Neighbourhood,
}

/// Expected step times of one (setting, GPUs, sequence length, checkpointing).
#[derive(Debug, Clone)]
pub struct StepModel {
    rates: Rates,
    correction: AlongTokens,
    memory: MemoryModel,
    /// The same as it is run, where that differs.
    memory_as_run: Option<MemoryModel>,
    full_speed_margin: f64,
    precision: Precision,
    seq_len: f64,
}

/// Expected step times of one micro-batch: affine in gradient accumulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MicroBatchModel {
    /// Seconds of one micro-step (forward and backward of one micro-batch).
    pub micro_step_s: f64,
    /// Seconds per step beyond its micro-steps.
    pub per_step_s: f64,
}

impl MicroBatchModel {
    /// Expected seconds of one optimizer step of `grad_accum` micro-steps.
    #[must_use]
    pub fn step_s(&self, grad_accum: u64) -> f64 {
        self.micro_step_s * grad_accum as f64 + self.per_step_s
    }
}

impl StepModel {
    /// Whether a micro-batch fits in memory.
    #[must_use]
    pub fn verdict(&self, micro_batch: u64) -> Verdict {
        self.memory.verdict(micro_batch)
    }

    /// The step times of one micro-batch, residual correction included.
    #[must_use]
    pub fn micro_batch(&self, micro_batch: u64) -> MicroBatchModel {
        let tokens = micro_batch as f64 * self.seq_len;
        let correction = bounded(self.correction.mean(tokens.log2()));
        let pressure = self.pressure(micro_batch);
        let factor = correction.exp() * self.rates.time_factor() / pressure.expected();
        MicroBatchModel {
            micro_step_s: self.rates.micro_step_s(tokens) * factor,
            per_step_s: self.rates.per_step_s() * factor,
        }
    }

    /// What memory does to the speed.
    fn pressure(&self, micro_batch: u64) -> Pressure {
        let memory = self.memory_as_run.as_ref().unwrap_or(&self.memory);
        let margin = memory.margin(micro_batch);
        let ran_as = self.memory.ran_as(micro_batch);
        Pressure::at(margin, ran_as, self.full_speed_margin, self.precision)
    }

    /// Seconds per sequence of one GPU that no step beats whose micro-batches lie in
    /// `micro_batches` and that trains at most `sequences` sequences on every GPU.
    #[must_use]
    pub fn fastest_pace(&self, micro_batches: RangeInclusive<u64>, sequences: u64) -> f64 {
        // Between two that are under pressure all are; a range that ends elsewhere may hold one that
        // isn't.
        let ends = [*micro_batches.start(), *micro_batches.end()].map(|end| self.pressure(end));
        let [first, last] = ends.map(Pressure::expected);
        let pressed = first.max(last);
        let (smallest, largest) = (*micro_batches.start() as f64, *micro_batches.end() as f64);
        let least = self.correction.least(
            (smallest * self.seq_len).log2(),
            (largest * self.seq_len).log2(),
        );
        let factor = bounded(least).exp() * self.rates.time_factor() / pressed;
        let micro_steps = self.rates.micro_step_s(largest * self.seq_len) / largest;
        let rest = self.rates.per_step_s() / sequences as f64;
        (micro_steps + rest) * factor * (1.0 - BOUND_ROUNDING)
    }
}

impl SettingModel<'_> {
    /// Everything about the step times that depends neither on the micro-batch nor on gradient
    /// accumulation, computed once for the search.
    #[must_use]
    pub fn step_model(&self, gpus: u64, seq_len: u64, activation_checkpointing: bool) -> StepModel {
        let run = Setting {
            stack: self.runs.as_ref().unwrap_or(self.setting.stack),
            ..self.setting
        };
        let work = self
            .links
            .workload(&run, gpus, seq_len, activation_checkpointing);
        let memory = |setting| MemoryModel::new(setting, gpus, seq_len, activation_checkpointing);
        StepModel {
            rates: Rates::new(&work, &self.values),
            correction: self.correction.along_tokens(
                (seq_len as f64).log2(),
                (gpus as f64).log2(),
                activation_checkpointing,
            ),
            memory: memory(&self.setting).with_runs(&self.ran, gpus, activation_checkpointing),
            memory_as_run: self.runs.is_some().then(|| memory(&run)),
            full_speed_margin: self.full_speed_margin,
            precision: run.stack.precision,
            seq_len: seq_len as f64,
        }
    }
}

impl Fit {
    /// The step times of one setting, GPU count, sequence length and checkpointing. Where many
    /// are asked for, build a [`SettingModel`] once.
    #[must_use]
    pub fn step_model(
        &self,
        setting: &Setting<'_>,
        gpus: u64,
        seq_len: u64,
        activation_checkpointing: bool,
    ) -> StepModel {
        self.setting_model(setting)
            .step_model(gpus, seq_len, activation_checkpointing)
    }

    /// The step times of one setting.
    #[must_use]
    pub fn setting_model<'a>(&self, setting: &Setting<'a>) -> SettingModel<'a> {
        let view = self.view(setting);
        let any = Configuration {
            gpus: 1,
            seq_len: 1,
            micro_batch: 1,
            grad_accum: 1,
            activation_checkpointing: false,
        };
        let cell = Cell::new(setting, &any);
        let mut correction = Neighbourhood::default();
        for (part, share) in view.corrections(&cell) {
            correction.add(part, share, &cell);
        }
        SettingModel {
            setting: *setting,
            runs: view.runs().cloned(),
            full_speed_margin: view.full_speed_margin(),
            ran: view.ran(setting),
            links: view.links(),
            values: view.values(setting),
            correction,
        }
    }
}
