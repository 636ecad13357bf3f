//! Predictions: one configuration in full, or many step times for the search.

use super::basis::{Basis, BasisDetail, basis};
use super::coefficients::{COEFFICIENTS, COUNT};
use super::fit::{CorrectionAt, Square, Vector};
use super::interval::{BadDays, Spread, row_sd};
use super::physics::Rates;
use super::residual::{Cell, bounded, tokens_measured_near};
use super::workload::Workload;
use super::{Fit, TimeParts};
use crate::configuration::{Configuration, Setting};
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
    fit: &'a Fit,
    rates: Rates,
    cell: Cell,
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
        let correction = bounded(self.fit.solution.correction.mean(&cell)).exp();
        let factor = correction * self.rates.time_factor();
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
        let work = Workload::new(setting, gpus, seq_len, activation_checkpointing);
        let configuration = Configuration {
            gpus,
            seq_len,
            micro_batch: 1,
            grad_accum: 1,
            activation_checkpointing,
        };
        StepModel {
            fit: self,
            rates: Rates::new(&work, &self.values),
            cell: Cell::new(setting, &configuration),
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
        let Configuration {
            gpus,
            seq_len,
            activation_checkpointing,
            ..
        } = *configuration;
        let work = Workload::new(setting, gpus, seq_len, activation_checkpointing);
        let rates = Rates::new(&work, &self.values);
        let tokens = configuration.micro_batch_tokens() as f64;
        let grad_accum = configuration.grad_accum as f64;
        let (log_step, gradient) = rates.log_step(tokens, grad_accum);
        let cell = Cell::new(setting, configuration);
        let correction = self.solution.correction.at(&cell);
        let step = (log_step + bounded(correction.mean)).exp();
        let time_parts_s = time_parts(&rates, tokens, grad_accum, step);

        let sd = self
            .model_sd(setting, &gradient, &correction)
            .hypot(row_sd(work.nodes));
        let waves = self.unmeasured_waves(&work, &cell) * time_parts_s.matmul / step;
        let bad_days = BadDays::on(work.nodes);
        let spread = Spread {
            faster_sd: sd,
            slower_sd: sd.hypot(waves),
            bad_days,
        };
        let (low, high) = spread.central(confidence.get());
        let step_time_s = interval(step, low, high);
        let batch = configuration.global_batch_tokens() as f64;
        let bad_day = step * spread.bad_day(BAD_DAY_COVERAGE).exp();
        let (basis, basis_detail) = basis(&self.rows, setting, configuration);
        Prediction {
            step_time_s,
            throughput_tok_s: step_time_s.invert(batch),
            bad_day_tok_s: (work.nodes > 1.0).then_some(batch / bad_day),
            time_parts_s,
            basis,
            basis_detail,
        }
    }

    /// Standard deviation of the log step time that the model itself leaves open.
    fn model_sd(
        &self,
        setting: &Setting<'_>,
        gradient: &[f64; COUNT],
        correction: &CorrectionAt,
    ) -> f64 {
        let unexplained = Vector::from(*gradient) - correction.explained;
        let covariance = self.solution.belief.covariance + self.variation(setting);
        let coefficients = (unexplained.transpose() * covariance * unexplained)[0];
        (correction.variance + coefficients).max(0.0).sqrt()
    }

    /// Share of matrix time that partly filled waves may waste beyond what the cells measured
    /// around a point show: kernels lose efficiency with fewer tokens, and never gain any.
    fn unmeasured_waves(&self, work: &Workload, cell: &Cell) -> f64 {
        let measured = tokens_measured_near(cell, &self.solution.correction.cells).exp2();
        let tokens = cell.at[Cell::TOKENS].exp2();
        (work.partial_wave / tokens - work.partial_wave / measured).clamp(0.0, 1.0)
    }

    /// How much less is known about the coefficients than the rows suggest, as variances to add
    /// on their fitted scale: one constant stands for values that vary with the configuration,
    /// and the tables never saw other stacks, GPUs and links.
    fn variation(&self, setting: &Setting<'_>) -> Square {
        let any = |same: &dyn Fn(&crate::measure::Measurement) -> bool| {
            self.rows.iter().any(|(row, _)| same(row))
        };
        let stack_known = any(&|row| row.stack.precision == setting.stack.precision);
        let gpu_known = any(&|row| row.cluster.gpu.name == setting.cluster.gpu.name);
        // What one cluster of the same GPUs has that another hasn't is its links.
        let links_known = any(&|row| {
            row.cluster.gpus_per_node == setting.cluster.gpus_per_node
                && row.cluster.inter_node_bytes_per_s == setting.cluster.inter_node_bytes_per_s
        });
        let mut variances = [0.0; COUNT];
        for (variance, coefficient) in variances.iter_mut().zip(&COEFFICIENTS) {
            let loosening = coefficient.loosening;
            *variance += coefficient.variation.powi(2);
            for (known, sd) in [
                (stack_known, loosening.stack),
                (gpu_known, loosening.gpu),
                (links_known, loosening.cluster),
            ] {
                if !known {
                    *variance += sd.powi(2);
                }
            }
        }
        Square::from_diagonal(&Vector::from(variances))
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

/// The parts of a step of `step` seconds; what the physics doesn't account for is the residual.
fn time_parts(rates: &Rates, tokens: f64, grad_accum: f64, step: f64) -> TimeParts {
    let micro = rates.micro_step(tokens);
    let per_step = rates.per_step();
    let factor = rates.time_factor();
    let repeated = factor * grad_accum;
    let mut parts = TimeParts {
        matmul: micro.matmul * repeated,
        attention: micro.attention * repeated,
        memory_bound: micro.memory_bound * repeated,
        communication: micro.communication * repeated,
        layer_overhead: micro.layer_overhead * repeated,
        optimizer: per_step.optimizer * factor,
        synchronization: per_step.synchronization * factor,
        fixed: per_step.fixed * factor,
        residual: 0.0,
    };
    parts.residual = step - parts.total();
    parts
}
