//! From throughput to wall clock and money.

mod cost;
mod wall_clock;

pub use cost::Bill;
pub use wall_clock::{Reliability, WallClock};
