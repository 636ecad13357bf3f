//! Dates and durations that people type and read: instants in UTC, spans of whole seconds, times
//! of day.
//!
//! Nothing here knows what time it is: every date is one that somebody gave. A plain date is its
//! first moment, 00:00 UTC.

mod clock;
mod day;
mod due;
mod moment;
mod price_date;
mod span;

#[cfg(test)]
mod tests;

pub use clock::TimeOfDay;
pub use day::Day;
pub use due::Due;
pub use moment::Moment;
pub use price_date::PriceDate;
pub use span::Span;

const SECONDS_PER_MINUTE: u64 = 60;
const SECONDS_PER_HOUR: u64 = 3_600;
const SECONDS_PER_DAY: u64 = 86_400;
