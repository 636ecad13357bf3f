//! The space of configurations, the engine that sweeps it, the ranking.
//!
//! The sweep is hierarchical, so that work shared between points is done once: per (cluster, GPUs,
//! sequence length) the global batch, per checkpointing choice one [`GroupEvaluator`], per
//! micro-batch one micro-step, per gradient accumulation the rest.

mod axis;
mod batch;
mod engine;
mod gpu_counts;
mod rank;
mod space;

pub use axis::{Axis, AxisError, Switch};
pub use engine::{Counts, Evaluator, GroupEvaluator, Limits, Outcome, sweep};
pub use rank::{Objective, Ranked, Score};
pub use space::{Axes, Group, Space, SpaceError};
