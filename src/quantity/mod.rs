//! Quantities people type and read: token counts, bytes, durations, dollars.
//!
//! Every type is bounded where it is built, so that no formula downstream can overflow an `f64`
//! or meet a NaN: counts stop at 10^18, which is more tokens than were ever written.
//!
//! Decimal suffixes follow the field (`134B` is 134·10⁹ tokens); binary ones are spelled with an
//! `i` (`2Mi` is 2²¹). A number may carry underscores (`2_097_152`).

mod confidence;
mod count;
mod display;
mod interval;
mod median;
mod price;
mod separators;
mod time_unit;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use confidence::Confidence;
pub use count::{Bytes, Tokens};
pub(crate) use display::{
    counted, display_chance, display_dollars, display_dollars_asked, display_dollars_up,
    display_hours_like, display_percent, display_probability, display_share, display_unit_price,
    dollar_digit, plural, three_digit_decimals,
};
pub use display::{display_count, display_hours, display_thousands, display_whole};
pub use interval::Interval;
pub(crate) use median::{median, middle_two};
pub use price::UsdPerGpuHour;
pub(crate) use separators::without_separators;
pub(crate) use time_unit::TimeUnit;

/// The largest count of tokens, parameters or bytes accepted anywhere.
pub const MAX_COUNT: u64 = 1_000_000_000_000_000_000;

/// Why a text is not the quantity it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not {expected}: {reason}")]
pub struct QuantityError {
    /// What was typed.
    pub text: String,
    /// The quantity that was expected, with an example.
    pub expected: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl QuantityError {
    /// Says of `text` why it is not the quantity that was expected.
    pub(crate) fn of(text: &str, expected: &'static str) -> impl Fn(&str) -> Self + Copy {
        move |reason| Self {
            text: text.to_owned(),
            expected,
            reason: reason.to_owned(),
        }
    }
}

/// How much rounding may make a bound exceed what it bounds, as a share.
pub(crate) const BOUND_ROUNDING: f64 = 1e-12;

/// Seconds per hour.
pub(crate) const SECONDS_PER_HOUR: f64 = 3600.0;

/// Bytes per GiB.
pub const GIB: f64 = 1_073_741_824.0;
