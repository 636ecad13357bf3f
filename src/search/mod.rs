//! The space of configurations, the engine that sweeps it, the ranking.

mod axis;

pub use axis::{Axis, AxisError, Switch};
