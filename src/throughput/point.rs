//! One configuration under a fit, and all that its prediction needs.

use super::context::Context;
use super::fit::{Square, Uncertainty, Vector};
use super::physics::Rates;
use super::pressure::Pressure;
use super::residual::Cell;
use super::spread::{BadDays, Spread, row_sd};
use super::step_time::StepTime;
use super::view::{View, variation};
use super::workload::Workload;
use super::{Fit, TimeParts};
use crate::configuration::{Configuration, Setting};
use crate::measure::peak_share;
use crate::memory::{self, RanAs};
use crate::quantity::{Confidence, Interval};
use crate::utilization::{Convention, utilization};

/// One configuration under a fit, and all that its prediction needs.
pub(super) struct Point<'a> {
    view: View<'a>,
    configuration: Configuration,
    pub(super) work: Workload,
    rates: Rates,
    cell: Cell,
    /// Expected step time without memory pressure.
    step_s: f64,
    /// Seconds that no step takes less than.
    least_s: f64,
    pressure: Pressure,
    /// What the coefficients' errors do to the log step time, the cells around accounted for.
    unexplained: Vector,
    /// Covariance of the coefficients.
    covariance: Square,
    /// What is open of the correction.
    correction: Uncertainty,
    /// By how much the log step time grows with links between nodes that are slower by a standard
    /// deviation of what is open about them; 0 where they were measured.
    slower_links: f64,
    /// Whose rows the rivals are accounts of.
    place: Option<&'a Context>,
    /// By how much the log step time differs by each rival account of the rows, times the root of how
    /// probable that account is.
    rivals: Vec<f64>,
}

/// What is open about a point's step time, beside the noise of single runs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Open {
    /// Variance of its logarithm that the model leaves open.
    pub(super) variance: f64,
    /// Standard deviation towards slower steps from partly filled waves.
    pub(super) waves: f64,
}

impl<'a> Point<'a> {
    pub(super) fn new(fit: &'a Fit, setting: &Setting<'_>, configuration: &Configuration) -> Self {
        let view = fit.view(setting);
        let run = view.as_run(setting);
        let Configuration {
            gpus,
            seq_len,
            activation_checkpointing,
            ..
        } = *configuration;
        let work = view
            .links()
            .workload(&run, gpus, seq_len, activation_checkpointing);
        let belief = view.belief(setting);
        let rates = Rates::new(&work, &belief.values());
        let tokens = configuration.micro_batch_tokens() as f64;
        let (log_step, gradient) = rates.log_step(tokens, configuration.grad_accum as f64);
        let cell = Cell::new(setting, configuration);
        let correction = view.uncertainty(&cell);
        let log_step_s = log_step + view.correction(&cell);
        let by_rival = |(share, rival): (f64, View<'_>)| {
            share.sqrt() * (rival.log_step_s(setting, configuration, &cell) - log_step_s)
        };
        let (place, rivals) = fit.rival_views(setting);
        let rivals = rivals.into_iter().map(by_rival).collect();
        Self {
            view,
            configuration: *configuration,
            rates,
            step_s: log_step_s.exp(),
            least_s: at_peak_s(setting, configuration),
            pressure: Pressure::at(
                memory::estimate(&run, configuration).margin_bytes,
                RanAs::of(&view.ran(setting), configuration),
                view.full_speed_margin(),
                run.stack.precision,
            ),
            unexplained: Vector::from(gradient) - correction.explained,
            covariance: belief.covariance + variation(),
            slower_links: view.links_sd().map_or(0.0, |sd| {
                let slower = Workload {
                    inter_node_bytes_per_s: work.inter_node_bytes_per_s * (-sd).exp(),
                    ..work
                };
                let rates = Rates::new(&slower, &belief.values());
                rates.log_step(tokens, configuration.grad_accum as f64).0 - log_step
            }),
            correction,
            place,
            rivals,
            work,
            cell,
        }
    }

    /// Expected seconds of a step without memory pressure.
    pub(super) fn full_speed_step_s(&self) -> f64 {
        self.step_s
    }

    /// Standard deviation towards slower steps from partly filled waves; `more` are points
    /// measured since.
    pub(super) fn waves(&self, more: &[&Self]) -> f64 {
        let cells: Vec<&Cell> = more.iter().map(|point| &point.cell).collect();
        let share = self.time_parts().matmul / self.step_s;
        self.view.unmeasured_waves(&self.work, &self.cell, &cells) * share
    }

    /// Variance of the log step time that the model leaves open.
    pub(super) fn variance(&self) -> f64 {
        let coefficients = self.unexplained.dot(&(self.covariance * self.unexplained));
        let rivals: f64 = self.rivals.iter().map(|shift| shift.powi(2)).sum();
        (self.correction.variance + coefficients + self.slower_links.powi(2) + rivals).max(0.0)
    }

    /// Covariance of what the model leaves open of two points' log step times.
    pub(super) fn covariance(&self, other: &Self) -> f64 {
        if !self.view.shares_rows_with(&other.view) {
            return 0.0;
        }
        // Where one point's coefficients are looser than the other's, only the rest is shared.
        let looser = self.covariance.trace() > other.covariance.trace();
        let shared = if looser {
            &other.covariance
        } else {
            &self.covariance
        };
        let rate = |point: &Self| point.work.inter_node_bytes_per_s.to_bits();
        let same_links = rate(self) == rate(other);
        let links = if same_links {
            self.slower_links * other.slower_links
        } else {
            0.0
        };
        let same_place = match (self.place, other.place) {
            (Some(one), Some(another)) => std::ptr::eq(one, another),
            _ => false,
        };
        let rivals = self.rivals.iter().zip(&other.rivals);
        let rivals = rivals.filter(|_| same_place);
        self.unexplained.dot(&(shared * other.unexplained))
            + self.view.covariance(self.corrected(), other.corrected())
            + links
            + rivals.map(|(one, another)| one * another).sum::<f64>()
    }

    /// Its cell, and what is open of the correction there.
    fn corrected(&self) -> (&Cell, &Uncertainty) {
        (&self.cell, &self.correction)
    }

    /// What memory does to the speed.
    pub(super) fn pressure(&self) -> Pressure {
        self.pressure
    }

    /// What is open before anything more is measured.
    pub(super) fn open(&self) -> Open {
        Open {
            variance: self.variance(),
            waves: self.waves(&[]),
        }
    }

    /// How far a run may be from the expected step time.
    pub(super) fn spread(&self, open: Open) -> Spread {
        let sd = open.variance.sqrt().hypot(self.noise());
        Spread {
            faster_sd: sd,
            slower_sd: sd.hypot(open.waves),
            bad_days: self.bad_days(),
        }
    }

    /// Standard deviation of single runs' log step time on good days.
    pub(super) fn noise(&self) -> f64 {
        self.view
            .scatter()
            .and(row_sd(self.work.nodes, self.step_s))
    }

    /// What happens on bad days.
    pub(super) fn bad_days(&self) -> BadDays {
        self.view.bad_runs().on(self.work.nodes)
    }

    /// Seconds per optimizer step, without runs that would compute more than their GPUs can.
    pub(super) fn step_time(&self, open: Open) -> StepTime {
        let expected_s = self.step_s / self.pressure.expected();
        StepTime::new(expected_s, self.spread(open), self.pressure).at_least(self.least_s)
    }

    /// Share of the expected step that is communication bound by links between nodes; `None` where rows
    /// ran over links like them.
    pub(super) fn share_over_unshown_links(&self) -> Option<f64> {
        let parts = self.time_parts();
        let bound = parts.communication * self.rates.link_share();
        self.view.has_unshown_links().then(|| bound / parts.total())
    }

    /// Tokens per second.
    pub(super) fn throughput(&self, open: Open, confidence: Confidence) -> Interval {
        let tokens = self.configuration.global_batch_tokens() as f64;
        self.step_time(open).interval(confidence).invert(tokens)
    }

    /// Whether measuring another point says something about this one's place.
    pub(super) fn shares_rows_with(&self, other: &Self) -> bool {
        self.view.shares_rows_with(&other.view)
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

/// Seconds that a step takes at its GPUs' peak: however little is known of a setting, its FLOPs take that
/// long. Causal attention is counted as the half that has to be computed.
fn at_peak_s(setting: &Setting<'_>, configuration: &Configuration) -> f64 {
    let tokens = configuration.global_batch_tokens() as f64;
    // What a step in one second would use of the peak is the seconds of a step that uses all of it.
    let at_peak_s = utilization(Convention::Mosaic2022, setting, configuration, tokens).hfu;
    at_peak_s / peak_share(setting.stack)
}
