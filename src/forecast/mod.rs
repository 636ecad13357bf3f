//! From throughput to wall clock and money.
//!
//! | file | holds |
//! |---|---|
//! | `reliability` | what goes wrong and what it costs: settings with defaults and sources |
//! | `wall_clock` | hours of training become hours on the wall clock |
//! | `failures` | how many failures a run has, and how many hours they cost |
//! | `finish` | the distribution of when a run is done |
//! | `interval` | how often checkpoints are written |
//! | `price` | which price a cluster is costed at, and how old it is |
//! | `product_price` | at which prices a product is sold, and which clusters have one |
//! | `cost` | the bill, item by item |

mod cost;
mod failures;
mod finish;
mod interval;
mod price;
mod price_kind;
mod product_price;
mod reliability;
mod wall_clock;

pub use cost::{Bill, CostItem, CostLine};
pub use failures::Failures;
pub use finish::FinishTime;
pub use price::{Pricing, Reference};
pub use price_kind::Commitment;
pub(crate) use price_kind::is_same;
pub use product_price::{has_price_of, sells_on_demand};
pub use reliability::{RELIABILITY_SETTINGS, Reliability, ReliabilitySetting, share_without_spare};
pub use wall_clock::{Course, Stall, WallClock};
