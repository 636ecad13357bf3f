//! Predictions: one configuration in full, or many step times for the search.

use super::basis::{Basis, BasisDetail, basis};
use super::interval::{normal_reach, row_sd};
use super::physics::Rates;
use super::point::Point;
use super::pressure::Pressure;
use super::residual::Cell;
use super::view::View;
use super::workload::Workload;
use super::{Fit, TimeParts};
use crate::configuration::{Configuration, Setting};
use crate::measure::Measurement;
use crate::memory::MemoryModel;
use crate::quantity::{Confidence, Interval};

/// A predicted configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Seconds per optimizer step.
    pub step_time_s: Interval,
    /// Tokens per second, all GPUs together.
    pub throughput_tok_s: Interval,
    /// Tokens per second on a bad day: what nine in ten of the runs that the network or a node
    /// slows down still reach. `None` on a single node, where the tables show no such runs.
    pub bad_day_tok_s: Option<f64>,
    /// Parts of the expected step time.
    pub time_parts_s: TimeParts,
    /// Basis.
    pub basis: Basis,
    /// Its details.
    pub basis_detail: BasisDetail,
}

/// Share of bad days that the bad-day throughput covers.
const BAD_DAY_COVERAGE: f64 = 0.9;

/// Expected step times of one (setting, GPUs, sequence length, checkpointing).
#[derive(Debug, Clone)]
pub struct StepModel<'a> {
    view: View<'a>,
    rates: Rates,
    cell: Cell,
    memory: MemoryModel,
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

impl StepModel<'_> {
    /// The step times of one micro-batch, residual correction included.
    #[must_use]
    pub fn micro_batch(&self, micro_batch: u64) -> MicroBatchModel {
        let tokens = micro_batch as f64 * self.seq_len;
        let mut cell = self.cell.clone();
        cell.at[Cell::TOKENS] = tokens.log2();
        let pressure = Pressure::of(self.memory.verdict(micro_batch));
        let factor =
            self.view.correction(&cell).exp() * self.rates.time_factor() / pressure.expected();
        MicroBatchModel {
            micro_step_s: self.rates.micro_step_s(tokens) * factor,
            per_step_s: self.rates.per_step_s() * factor,
        }
    }
}

impl Fit {
    /// Everything about the step times of a setting that depends neither on the micro-batch nor
    /// on gradient accumulation, computed once for the search.
    #[must_use]
    pub fn step_model(
        &self,
        setting: &Setting<'_>,
        gpus: u64,
        seq_len: u64,
        activation_checkpointing: bool,
    ) -> StepModel<'_> {
        let view = self.view(setting);
        let work = Workload::new(setting, gpus, seq_len, activation_checkpointing);
        let configuration = Configuration {
            gpus,
            seq_len,
            micro_batch: 1,
            grad_accum: 1,
            activation_checkpointing,
        };
        StepModel {
            view,
            rates: Rates::new(&work, &view.values(setting.stack)),
            cell: Cell::new(setting, &configuration),
            memory: MemoryModel::new(setting, gpus, seq_len, activation_checkpointing),
            seq_len: seq_len as f64,
        }
    }

    /// Predicts one configuration in full.
    #[must_use]
    pub fn predict(
        &self,
        setting: &Setting<'_>,
        configuration: &Configuration,
        confidence: Confidence,
    ) -> Prediction {
        let point = Point::new(self, setting, configuration);
        let spread = point.spread();
        let (low, high) = spread.central(confidence.get());
        let (faster, slower) = point.pressure.central(confidence.get());
        let expected = point.step_s / point.pressure.expected();
        let step_time_s = interval(expected, low + faster, high + slower);
        let batch = configuration.global_batch_tokens() as f64;
        let bad_day = expected * spread.bad_day(BAD_DAY_COVERAGE).exp();
        let (basis, basis_detail) = basis(&self.known_rows(setting), setting, configuration);
        Prediction {
            step_time_s,
            throughput_tok_s: step_time_s.invert(batch),
            bad_day_tok_s: (point.work.nodes > 1.0).then_some(batch / bad_day),
            time_parts_s: point.time_parts(),
            basis,
            basis_detail,
        }
    }

    /// Whether the model can tell which of two configurations is better, when a figure
    /// proportional to their step times differs by the factor `ratio`.
    ///
    /// What the two share cancels: errors in the same coefficients, and in the correction around
    /// both. Bad days are left out, since they can befall either.
    #[must_use]
    pub fn tells_apart(
        &self,
        (setting, configuration): (&Setting<'_>, &Configuration),
        (other_setting, other_configuration): (&Setting<'_>, &Configuration),
        ratio: f64,
        confidence: Confidence,
    ) -> bool {
        let a = Point::new(self, setting, configuration);
        let b = Point::new(self, other_setting, other_configuration);
        let model = (a.variance() + b.variance() - 2.0 * a.covariance(&b)).max(0.0);
        let noise = row_sd(a.work.nodes).powi(2) + row_sd(b.work.nodes).powi(2);
        let waves = a.waves.powi(2) + b.waves.powi(2);
        let sd = (model + noise + waves).sqrt();
        ratio.ln().abs() > normal_reach(confidence.get()) * sd
    }

    /// The rows a prediction can rest on: a user's own of that place first, then the base's.
    fn known_rows(&self, setting: &Setting<'_>) -> Vec<&(Measurement, Cell)> {
        let own = self
            .context(setting)
            .into_iter()
            .flat_map(|context| &context.layer.rows);
        own.chain(&self.base.rows).collect()
    }
}

/// An interval around `expected` from logarithms of its ends, kept finite whatever they are.
fn interval(expected: f64, low: f64, high: f64) -> Interval {
    let bounded = |log: f64| (expected * log.exp()).clamp(f64::MIN_POSITIVE, f64::MAX / 1e6);
    Interval {
        low: bounded(low),
        expected,
        high: bounded(high),
    }
}
