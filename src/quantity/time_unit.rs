//! The unit that a duration is shown in.

use super::SECONDS_PER_HOUR;

/// The unit that a duration is shown in, in words and in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeUnit {
    /// Name in the header of a table.
    pub(crate) name: &'static str,
    /// Name behind a number.
    pub(super) symbol: &'static str,
    seconds: u32,
}

impl TimeUnit {
    /// The largest unit that keeps `hours` at one and a half or more (four, for days; ten, for years
    /// of 365 days).
    pub(crate) fn of_hours(hours: f64) -> Self {
        let (name, symbol, seconds) = match hours {
            _ if hours >= 10.0 * 365.0 * 24.0 => ("years", "years", 31_536_000),
            _ if hours >= 96.0 => ("days", "d", 86_400),
            _ if hours >= 1.5 => ("hours", "h", 3_600),
            _ if hours * 60.0 >= 1.5 => ("min", "min", 60),
            _ => ("s", "s", 1),
        };
        Self {
            name,
            symbol,
            seconds,
        }
    }

    /// `hours` as a number of this unit.
    pub(crate) fn convert(self, hours: f64) -> f64 {
        hours * SECONDS_PER_HOUR / f64::from(self.seconds)
    }

    /// Digits behind the point that are shown of it in words.
    pub(super) fn decimals(self) -> usize {
        usize::from(self.seconds > 1)
    }
}
