//! One configuration under a fit, and all that its prediction needs.

use super::coefficients::COEFFICIENTS;
use super::fit::{Square, Vector};
use super::interval::{BadDays, Spread, row_sd};
use super::layer::Layer;
use super::physics::Rates;
use super::pressure::Pressure;
use super::residual::{Cell, bounded, tokens_measured_near};
use super::transfer::Context;
use super::workload::Workload;
use super::{Fit, TimeParts};
use crate::configuration::{Configuration, Setting};
use crate::memory;

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

    /// The part of the correction that comes from the base when another layer speaks.
    fn inherited(&self, cell: &Cell) -> f64 {
        self.context.map_or(0.0, |context| {
            context.kept * self.base.solution.correction.mean(cell)
        })
    }

    /// The expected correction of the log step time.
    pub(super) fn correction(&self, cell: &Cell) -> f64 {
        bounded(self.layer().solution.correction.mean(cell) + self.inherited(cell))
    }

    /// How much less is known about the coefficients than the rows suggest: one constant stands
    /// for values that vary with the configuration, and the rows never saw other stacks, GPUs
    /// and links.
    fn own_covariance(&self, setting: &Setting<'_>) -> Square {
        let mut unknown = self.layer().unknown(setting);
        if self.context.is_some() {
            // Hardware that the base has measured differs from a context's as it does there.
            let base = self.base.unknown(setting);
            unknown.gpu &= base.gpu;
            unknown.links &= base.links;
        }
        let variances = COEFFICIENTS.map(|coefficient| {
            let loosened = unknown.sd(&coefficient.loosening);
            coefficient.variation.powi(2) + loosened.powi(2)
        });
        Square::from_diagonal(&Vector::from(variances))
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
    /// This fit as a setting sees it.
    pub(super) fn view(&self, setting: &Setting<'_>) -> View<'_> {
        View {
            base: &self.base,
            context: self.context(setting),
        }
    }
}

/// One configuration under a fit, and all that its prediction needs.
pub(super) struct Point<'a> {
    view: View<'a>,
    configuration: Configuration,
    pub(super) work: Workload,
    rates: Rates,
    cell: Cell,
    /// Expected step time without memory pressure.
    pub(super) step_s: f64,
    pub(super) pressure: Pressure,
    /// What the coefficients' errors do to the log step time, the cells around accounted for.
    unexplained: Vector,
    /// Covariance of the coefficients that two points of one layer share.
    shared: Square,
    /// What more is unknown of them at this point alone.
    own: Square,
    /// Variance of the correction.
    correction_variance: f64,
    /// Standard deviation towards slower steps from partly filled waves.
    pub(super) waves: f64,
}

impl<'a> Point<'a> {
    pub(super) fn new(fit: &'a Fit, setting: &Setting<'_>, configuration: &Configuration) -> Self {
        let view = fit.view(setting);
        let Configuration {
            gpus,
            seq_len,
            activation_checkpointing,
            ..
        } = *configuration;
        let work = Workload::new(setting, gpus, seq_len, activation_checkpointing);
        let belief = view.layer().belief_on(setting.stack);
        let rates = Rates::new(&work, &belief.values());
        let tokens = configuration.micro_batch_tokens() as f64;
        let (log_step, gradient) = rates.log_step(tokens, configuration.grad_accum as f64);
        let cell = Cell::new(setting, configuration);
        let uncertainty = view.layer().solution.correction.uncertainty(&cell);
        let step_s = (log_step + view.correction(&cell)).exp();
        let mut point = Self {
            view,
            configuration: *configuration,
            rates,
            step_s,
            pressure: Pressure::of(memory::estimate(setting, configuration).verdict),
            unexplained: Vector::from(gradient) - uncertainty.explained,
            shared: belief.covariance,
            own: view.own_covariance(setting),
            correction_variance: uncertainty.variance,
            waves: view.unmeasured_waves(&work, &cell),
            work,
            cell,
        };
        point.waves *= point.time_parts().matmul / step_s;
        point
    }

    /// How far a run may be from the expected step time.
    pub(super) fn spread(&self) -> Spread {
        let covariance = self.shared + self.own;
        let coefficients = self.unexplained.dot(&(covariance * self.unexplained));
        let model = (self.correction_variance + coefficients).max(0.0).sqrt();
        let sd = model.hypot(row_sd(self.work.nodes));
        let bad_days = BadDays::on(self.work.nodes);
        Spread {
            faster_sd: sd,
            slower_sd: sd.hypot(self.waves),
            bad_days,
        }
    }

    /// Variance of the difference of two points' log step times that the model leaves open.
    pub(super) fn difference_variance(&self, other: &Self) -> f64 {
        let own = |point: &Self| point.unexplained.dot(&(point.own * point.unexplained));
        let mut variance =
            own(self) + own(other) + self.correction_variance + other.correction_variance;
        let (layer, others) = (self.view.layer(), other.view.layer());
        if std::ptr::eq(layer, others) {
            let difference = self.unexplained - other.unexplained;
            variance += difference.dot(&(self.shared * difference));
            variance -= 2.0
                * layer
                    .solution
                    .correction
                    .covariance(&self.cell, &other.cell);
        } else {
            let all = |point: &Self| point.unexplained.dot(&(point.shared * point.unexplained));
            variance += all(self) + all(other);
        }
        variance
    }

    /// The parts of the expected step; what the physics doesn't account for is the residual.
    pub(super) fn time_parts(&self) -> TimeParts {
        let micro = self
            .rates
            .micro_step(self.configuration.micro_batch_tokens() as f64);
        let per_step = self.rates.per_step();
        let factor = self.rates.time_factor();
        let repeated = factor * self.configuration.grad_accum as f64;
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
            memory_pressure: 0.0,
        };
        parts.residual = self.step_s - parts.total();
        parts.memory_pressure = self.step_s / self.pressure.expected() - self.step_s;
        parts
    }
}
