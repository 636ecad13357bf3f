//! How long a step takes: physics with fitted coefficients, a residual correction, an interval.
//!
//! | file | holds |
//! |---|---|
//! | [`coefficients`] | what the physics doesn't know, with sourced priors |
//! | [`workload`] | what a step has to do |
//! | [`physics`] | how long that takes |
//! | `residual` | what the tables say beyond the physics, fading with distance |
//! | `fit` | coefficients and correction from measured rows |
//! | `interval` | how far a run may be from its prediction |
//! | `basis` | what a prediction rests on |

mod basis;
pub mod coefficients;
mod fit;
mod interval;
pub mod physics;
mod predict;
mod residual;
pub mod workload;

use schemars::JsonSchema;
use serde::Serialize;

pub use basis::{Basis, BasisDetail, NearestRow};
pub use fit::{FitError, Termination};
pub use predict::{MicroBatchModel, Prediction, StepModel};

use crate::measure::Measurement;
use coefficients::Values;
use fit::{Belief, Solution};
use residual::Cell;

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
}

impl TimeParts {
    /// Parts by name, in the order they are shown.
    #[must_use]
    pub fn named(&self) -> [(&'static str, f64); 9] {
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
        ]
    }

    /// Their sum, the step time.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.named().iter().map(|(_, seconds)| seconds).sum()
    }
}

/// The model fitted to measured rows.
#[derive(Debug, Clone)]
pub struct Fit {
    name: String,
    rows: Vec<(Measurement, Cell)>,
    values: Values,
    solution: Solution,
}

impl Fit {
    /// Fits to measured rows; `name` is their provenance.
    ///
    /// # Errors
    /// When there are no rows, when the fit stalls or is ill-conditioned.
    pub fn new(name: impl Into<String>, rows: Vec<Measurement>) -> Result<Self, FitError> {
        let solution = fit::solve(&rows, &Belief::prior())?;
        let rows = rows
            .into_iter()
            .map(|row| {
                let cell = Cell::new(&row.setting(), &row.configuration);
                (row, cell)
            })
            .collect();
        Ok(Self {
            name: name.into(),
            rows,
            values: solution.belief.values(),
            solution,
        })
    }

    /// Name of the fit, for provenance.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Rows it was fitted to.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Measurement> {
        self.rows.iter().map(|(row, _)| row)
    }

    /// The fitted coefficients.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// How the fit ended.
    #[must_use]
    pub fn termination(&self) -> Termination {
        self.solution.termination
    }
}
