//! The space of configurations, the engine that sweeps it, the ranking.
//!
//! The sweep is hierarchical, so that work shared between points is done once: per (cluster, GPUs,
//! sequence length) the global batch, per checkpointing choice one [`GroupEvaluator`], per
//! micro-batch one micro-step, per gradient accumulation the rest. At each level whatever can't
//! beat what was found already is dropped as a whole, by bounds that the evaluator gives: a space
//! of 10¹² points takes seconds, and the outcome is that of looking at every one of them.

mod axis;
mod batch;
mod engine;
mod evaluator;
mod front;
mod gpu_counts;
mod rank;
mod slice;
mod space;
mod watch;

pub use axis::{Axis, AxisError, Switch};
pub(crate) use batch::{MAX_SHORTFALL, NEAREST};
pub use engine::{Counts, Limits, Outcome, sweep, sweep_front};
pub use evaluator::{Evaluator, GroupEvaluator};
pub use front::{FrontOutcome, Priced, knee};
pub(crate) use gpu_counts::sampled_counts;
pub use rank::{Objective, Ranked, Score};
pub use space::{Axes, Group, Space, SpaceError};
pub use watch::{Progress, Watch};
