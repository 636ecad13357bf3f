//! Predictions: one configuration in full, or many step times for the search.

use super::basis::{Basis, BasisDetail, basis};
use super::coefficients::COUNT;
use super::fit::{Belief, Correction, Uncertainty, Vector};
use super::interval::{BadDays, Spread, row_sd};
use super::layer::Layer;
use super::physics::Rates;
use super::residual::{Cell, bounded, tokens_measured_near};
use super::transfer::Context;
use super::workload::Workload;
use super::{Fit, TimeParts};
use crate::configuration::{Configuration, Setting};
use crate::measure::Measurement;
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

/// A fit as one setting sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    base: &'a Layer,
    context: Option<&'a Context>,
}

impl<'a> View<'a> {
    /// The layer that speaks for the setting.
    pub(super) fn layer(&self) -> &'a Layer {
        self.context.map_or(self.base, |context| &context.layer)
    }

    /// The corrections that add up to that of the setting, each with its share.
    pub(super) fn corrections(&self) -> impl Iterator<Item = (&'a Correction, f64)> {
        let inherited = self
            .context
            .map(|context| (&self.base.solution.correction, context.kept));
        std::iter::once((&self.layer().solution.correction, 1.0)).chain(inherited)
    }

    /// The part of the correction that comes from the base when another layer speaks.
    fn inherited(&self, cell: &Cell) -> f64 {
        self.context.map_or(0.0, |context| {
            context.kept * self.base.solution.correction.mean(cell)
        })
    }

    /// The expected correction of the log step time.
    fn correction(&self, cell: &Cell) -> f64 {
        bounded(self.layer().solution.correction.mean(cell) + self.inherited(cell))
    }

    /// How much less is known about the coefficients than the rows suggest: one constant stands
    /// for values that vary with the configuration, and the rows never saw other stacks, GPUs
    /// and links.
    fn belief(&self, setting: &Setting<'_>) -> Belief {
        let mut unknown = self.layer().unknown(setting);
        if self.context.is_some() {
            // Hardware that the base has measured differs from a context's as it does there.
            let base = self.base.unknown(setting);
            unknown.gpu &= base.gpu;
            unknown.links &= base.links;
        }
        let belief = self.layer().belief_on(setting.stack);
        belief.loosened(|coefficient| {
            coefficient
                .variation
                .hypot(unknown.sd(&coefficient.loosening))
        })
    }

    /// Standard deviation of the log step time that the model itself leaves open.
    fn model_sd(
        &self,
        setting: &Setting<'_>,
        gradient: &[f64; COUNT],
        uncertainty: &Uncertainty,
    ) -> f64 {
        let unexplained = Vector::from(*gradient) - uncertainty.explained;
        let coefficients = unexplained.dot(&(self.belief(setting).covariance * unexplained));
        (uncertainty.variance + coefficients).max(0.0).sqrt()
    }

    /// Share of matrix time that partly filled waves may waste beyond what the cells measured
    /// around a point show: kernels lose efficiency with fewer tokens, and never gain any.
    fn unmeasured_waves(&self, work: &Workload, cell: &Cell) -> f64 {
        let cells = &self.layer().solution.correction.cells;
        let measured = tokens_measured_near(cell, cells).exp2();
        let tokens = cell.at[Cell::TOKENS].exp2();
        (work.partial_wave / tokens - work.partial_wave / measured).clamp(0.0, 1.0)
    }
}

impl Fit {
    pub(super) fn view(&self, setting: &Setting<'_>) -> View<'_> {
        View {
            base: &self.base,
            context: self.context(setting),
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
        let view = self.view(setting);
        let Configuration {
            gpus,
            seq_len,
            activation_checkpointing,
            ..
        } = *configuration;
        let work = Workload::new(setting, gpus, seq_len, activation_checkpointing);
        let rates = Rates::new(&work, &view.layer().values_on(setting.stack));
        let tokens = configuration.micro_batch_tokens() as f64;
        let grad_accum = configuration.grad_accum as f64;
        let (log_step, gradient) = rates.log_step(tokens, grad_accum);
        let cell = Cell::new(setting, configuration);
        let step = (log_step + view.correction(&cell)).exp();
        let time_parts_s = time_parts(&rates, tokens, grad_accum, step);

        let uncertainty = view.layer().solution.correction.uncertainty(&cell);
        let sd = view
            .model_sd(setting, &gradient, &uncertainty)
            .hypot(row_sd(work.nodes));
        let waves = view.unmeasured_waves(&work, &cell) * time_parts_s.matmul / step;
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
        let (basis, basis_detail) = basis(&self.known_rows(setting), setting, configuration);
        Prediction {
            step_time_s,
            throughput_tok_s: step_time_s.invert(batch),
            bad_day_tok_s: (work.nodes > 1.0).then_some(batch / bad_day),
            time_parts_s,
            basis,
            basis_detail,
        }
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
