//! How long a step takes: physics with fitted coefficients, a residual correction, an interval.
//!
//! | file | holds |
//! |---|---|
//! | [`coefficients`] | what the physics doesn't know, with sourced priors |
//! | [`workload`] | what a step has to do |
//! | [`physics`] | how long that takes |
//! | `residual` | what the tables say beyond the physics, fading with distance |
//! | `nearby`, `step_model` | the same as the search needs it: shared work done once, bounds |
//! | `fit` | coefficients and correction from measured rows |
//! | `layer` | what is known of one place |
//! | `elsewhere` | what is expected of later software and GPUs |
//! | `doubts` | rows that can hardly be what they say |
//! | `foretold` | whether rows are of the kind the tables hold |
//! | `hypothesis` | in what a user's rows may differ from the tables |
//! | `links` | links between nodes that carry less or more than stated |
//! | `context` | what a user's rows of one place say, by the most probable account and its rivals |
//! | `transfer` | from the embedded tables to a few rows of the user's own |
//! | `outlook` | what a measurement would tell |
//! | `own` | where a user's own rows say nothing |
//! | `room` | rows short of memory by their estimate, and what they show |
//! | `pressure` | what running close to the memory limit costs |
//! | `bad_runs` | how often something slows a run down, and by how much |
//! | `scatter` | how uneven the rows of a place are |
//! | `spread` | how far a run may be from its prediction |
//! | `step_time` | the distribution that makes of the step time |
//! | `basis`, `axes` | what a prediction rests on, and where it leaves what was measured |
//! | `cause` | what could make a run slower or faster than predicted |
//! | `protocol` | which rows an evaluation holds out |
//! | [`evaluate`] | how accurate all this is, on held-out rows |

mod axes;
mod bad_runs;
mod basis;
mod cause;
pub mod coefficients;
mod context;
mod doubts;
mod elsewhere;
pub mod evaluate;
mod fit;
mod foretold;
mod hypothesis;
mod layer;
mod links;
mod nearby;
mod outlook;
mod own;
pub mod physics;
mod point;
mod predict;
mod pressure;
mod protocol;
mod residual;
mod room;
mod scatter;
mod spread;
mod step_model;
mod step_time;
mod transfer;
mod view;
pub mod workload;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

pub use basis::{Basis, BasisDetail, NearestRow};
pub use cause::{Cause, CauseKind, Scrutiny, Size};
pub use doubts::{Doubt, DoubtKind, doubts};
pub use fit::{FitError, Termination};
pub use hypothesis::Hypothesis;
pub use outlook::Outlook;
pub use predict::Prediction;
pub(crate) use pressure::TIGHT_SPEED;
pub(crate) use spread::normal_reach;
pub use step_model::{MicroBatchModel, SettingModel, StepModel};
pub use step_time::StepTime;

use crate::configuration::Setting;
use crate::hardware::Cluster;
use crate::measure::Measurement;
use coefficients::Values;
use context::Context;
use layer::Layer;

/// Seconds of one optimizer step by part; they add up to the expected step time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, JsonSchema)]
pub struct TimeParts {
    /// Matrix multiplications.
    pub matmul: f64,
    /// Attention kernels.
    pub attention: f64,
    /// Elementwise work and the loss, bound by memory bandwidth.
    pub memory_bound: f64,
    /// Gathers and reductions that compute doesn't hide.
    pub communication: f64,
    /// Kernel launches and sharding hooks, per layer and micro-batch.
    pub layer_overhead: f64,
    /// The optimizer's update.
    pub optimizer: f64,
    /// Waiting for the slowest node.
    pub synchronization: f64,
    /// What every step costs, whatever its size.
    pub fixed: f64,
    /// The residual correction: measured minus physics; may be negative.
    pub residual: f64,
    /// What the allocator costs close to the memory limit.
    pub memory_pressure: f64,
}

impl TimeParts {
    /// Parts by name, in the order they are shown.
    #[must_use]
    pub fn named(&self) -> [(&'static str, f64); 10] {
        [
            ("matmul", self.matmul),
            ("attention", self.attention),
            ("memory-bound", self.memory_bound),
            ("communication", self.communication),
            ("layer overhead", self.layer_overhead),
            ("optimizer", self.optimizer),
            ("synchronization", self.synchronization),
            ("fixed", self.fixed),
            ("residual", self.residual),
            ("memory pressure", self.memory_pressure),
        ]
    }

    /// Their sum, the step time.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.named().iter().map(|(_, seconds)| seconds).sum()
    }
}

/// The model fitted to measured rows: the embedded tables', and a user's on top of them.
#[derive(Debug, Clone)]
pub struct Fit {
    name: String,
    base: Layer,
    contexts: Vec<Context>,
    /// Rows of the base that aren't a user's own.
    embedded: usize,
    held_out_mape: Option<f64>,
    caution: Option<String>,
}

impl Fit {
    /// Fits to measured rows alone; `name` is their provenance.
    ///
    /// # Errors
    /// When there are no rows, when the fit stalls or is ill-conditioned.
    pub fn new(name: impl Into<String>, rows: Vec<Measurement>) -> Result<Self, FitError> {
        Ok(Self {
            name: name.into(),
            embedded: rows.len(),
            base: Layer::base(rows)?,
            contexts: Vec::new(),
            held_out_mape: None,
            caution: None,
        })
    }

    /// Fits to a user's rows alone; how uneven they are is found with it.
    ///
    /// # Errors
    /// As [`Fit::new`].
    pub fn alone(name: impl Into<String>, rows: Vec<Measurement>) -> Result<Self, FitError> {
        Ok(Self {
            name: name.into(),
            embedded: 0,
            base: Layer::alone(rows)?,
            contexts: Vec::new(),
            held_out_mape: None,
            caution: None,
        })
    }

    /// Fits a user's rows on top of this fit: few are enough, because only what they speak about
    /// moves. They speak for their own GPU architecture and stack (and, when it is the network that
    /// differs, for their own clusters); elsewhere nothing changes.
    ///
    /// # Errors
    /// When there are no rows, when the fit stalls or is ill-conditioned.
    pub fn on_top(&self, name: impl Into<String>, rows: &[Measurement]) -> Result<Self, FitError> {
        if rows.is_empty() {
            return Err(FitError::NoRows);
        }
        let (base, contexts) = transfer::transfer(&self.base, rows)?;
        Ok(Self {
            name: name.into(),
            embedded: self.base.rows.len(),
            base,
            contexts,
            held_out_mape: None,
            caution: None,
        })
    }

    /// The same fit, with the mean absolute percentage error (a share) found on rows held out of
    /// it, and what that gives to be careful about: provenance, which changes no prediction.
    #[must_use]
    pub fn with_held_out(self, mape: Option<f64>, caution: Option<String>) -> Self {
        Self {
            held_out_mape: mape,
            caution,
            ..self
        }
    }

    /// Mean absolute percentage error on rows held out of the fit, as a share, where it is known.
    #[must_use]
    pub fn held_out_mape(&self) -> Option<f64> {
        self.held_out_mape
    }

    /// What who predicts with it should be careful about, in words.
    #[must_use]
    pub fn caution(&self) -> Option<&str> {
        self.caution.as_deref()
    }

    /// Name of the fit, for provenance.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Rows it was fitted to.
    #[must_use]
    pub fn rows(&self) -> usize {
        let own: usize = self
            .contexts
            .iter()
            .map(|context| context.layer.rows.len())
            .sum();
        self.base.rows.len() + own
    }

    /// What was fitted: the base, then a user's places.
    pub fn layers(&self) -> impl Iterator<Item = LayerSummary<'_>> {
        let base = LayerSummary::new(None, &self.base, Values::prior());
        let own = self.contexts.iter().map(|context| {
            let example = context.layer.rows.first();
            let before = match example {
                Some((row, _)) => {
                    let stack = context.runs.as_ref().unwrap_or(&row.stack);
                    let setting = Setting {
                        stack: stack.as_ref(),
                        ..row.setting()
                    };
                    self.base.belief_at(&setting).values()
                }
                None => self.base.solution.belief.values(),
            };
            let summary = LayerSummary::new(Some(context.hypothesis), &context.layer, before);
            LayerSummary {
                links: context.links.shares().collect(),
                ..summary
            }
        });
        std::iter::once(base).chain(own)
    }

    /// The context whose rows speak for a setting.
    fn context(&self, setting: &Setting<'_>) -> Option<&Context> {
        self.contexts.iter().find(|context| context.covers(setting))
    }
}

/// One layer of a fit: what it was fitted to and how that ended.
#[derive(Debug, Clone)]
pub struct LayerSummary<'a> {
    /// What differs from the base; `None` for the base itself.
    pub hypothesis: Option<Hypothesis>,
    /// Rows it was fitted to.
    pub rows: usize,
    /// A row of it, for its GPU, stack and cluster.
    pub example: Option<&'a Measurement>,
    /// The clusters it was measured on, each once, in the order met.
    pub clusters: Vec<&'a Cluster>,
    /// Its coefficients.
    pub values: Values,
    /// What they were before its rows were seen.
    pub before: Values,
    /// How uneven its rows look beyond the noise of single runs: standard deviation of the
    /// logarithm of throughput; 0 for rows like the embedded ones.
    pub scatter: f64,
    /// Clusters between whose nodes links carry something else than is stated of them, and what share
    /// of it they carry.
    pub links: Vec<(&'a str, f64)>,
    /// How its fit ended.
    pub termination: Termination,
}

impl<'a> LayerSummary<'a> {
    fn new(hypothesis: Option<Hypothesis>, layer: &'a Layer, before: Values) -> Self {
        let mut clusters: Vec<&Cluster> = Vec::new();
        for (row, _) in &layer.rows {
            if !clusters.iter().any(|known| known.name == row.cluster.name) {
                clusters.push(&row.cluster);
            }
        }
        Self {
            hypothesis,
            clusters,
            rows: layer.rows.len(),
            example: layer.rows.first().map(|(row, _)| row),
            values: layer.solution.belief.values(),
            before,
            scatter: layer.solution.scatter.sd(),
            links: Vec::new(),
            termination: layer.solution.termination,
        }
    }
}
