//! From throughput to wall clock and money.

mod cost;
mod failures;
mod finish;
mod wall_clock;

pub use cost::Bill;
pub use failures::Failures;
pub use finish::FinishTime;
pub use wall_clock::{Reliability, WallClock};
