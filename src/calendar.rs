//! Dates and durations that people type and read: instants in UTC, spans of whole seconds, times
//! of day.
//!
//! Nothing here knows what time it is: every date is one that somebody gave. A plain date is its
//! first moment, 00:00 UTC.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use crate::quantity::QuantityError;

const SECONDS_PER_HOUR: u64 = 3_600;
const SECONDS_PER_DAY: u64 = 86_400;
const SECONDS_PER_MINUTE: u64 = 60;
/// Years that dates are accepted in: sums of dates and spans stay far inside what can be counted.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2999;

/// An instant, to the second, from 1970 to 2999.
///
/// ```
/// use tminus::calendar::Moment;
/// let start: Moment = "2026-12-01T09:00Z".parse().unwrap();
/// assert_eq!("2026-12-01T10:00+01:00".parse::<Moment>().unwrap(), start);
/// assert_eq!("2026-12-01".parse::<Moment>().unwrap().to_string(), "2026-12-01T00:00Z");
/// assert!("1 December".parse::<Moment>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Timestamp);

impl Moment {
    /// What is expected, with examples.
    pub const EXPECTED: &'static str = "a date such as 2026-12-01 or 2026-12-01T09:00Z";

    /// Its date and time of day, UTC.
    #[must_use]
    pub fn datetime(self) -> DateTime {
        TimeZone::UTC.to_datetime(self.0)
    }

    fn new(instant: Timestamp) -> Option<Self> {
        let year = instant.to_zoned(TimeZone::UTC).year();
        YEARS.contains(&year).then_some(())?;
        Timestamp::from_second(instant.as_second()).ok().map(Self)
    }

    /// The instant `span` later; `None` beyond the years accepted.
    #[must_use]
    pub fn plus(self, span: Span) -> Option<Self> {
        self.0.checked_add(span.signed()).ok().and_then(Self::new)
    }

    /// The instant `span` earlier; `None` beyond the years accepted.
    #[must_use]
    pub fn minus(self, span: Span) -> Option<Self> {
        self.0.checked_sub(span.signed()).ok().and_then(Self::new)
    }

    /// How long after `earlier` it is; `None` when it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Span> {
        let seconds = self.0.as_second().checked_sub(earlier.0.as_second())?;
        u64::try_from(seconds).ok().map(Span)
    }

    /// The first instant from here on at which clocks in UTC show `clock`.
    #[must_use]
    pub fn next_at(self, clock: TimeOfDay) -> Option<Self> {
        let wait = (clock.seconds() + SECONDS_PER_DAY - self.second_of_day()) % SECONDS_PER_DAY;
        self.plus(Span(wait))
    }

    /// The last instant up to here at which clocks in UTC showed `clock`.
    #[must_use]
    pub fn last_at(self, clock: TimeOfDay) -> Option<Self> {
        let past = (self.second_of_day() + SECONDS_PER_DAY - clock.seconds()) % SECONDS_PER_DAY;
        self.minus(Span(past))
    }

    fn second_of_day(self) -> u64 {
        let second = self.0.as_second().rem_euclid(86_400);
        u64::try_from(second).unwrap_or(0)
    }

    /// The day in UTC: `2026-12-01`.
    #[must_use]
    pub fn date(self) -> String {
        self.0.to_zoned(TimeZone::UTC).date().to_string()
    }

    /// The time in UTC without a zone, as Slurm takes it: `2026-12-01T09:00:00`.
    #[must_use]
    pub fn civil(self) -> String {
        let at = self.0.to_zoned(TimeZone::UTC);
        format!(
            "{}T{:02}:{:02}:{:02}",
            at.date(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }

    /// RFC 3339 with seconds: `2026-12-01T09:00:00Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.civil() + "Z"
    }
}

/// RFC 3339 without the seconds where there are none: `2026-12-01T09:00Z`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.rfc3339();
        f.pad(
            &text
                .strip_suffix(":00Z")
                .map_or(text.clone(), |minutes| minutes.to_owned() + "Z"),
        )
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

/// RFC 3339 with any offset; without one, or as a plain date, UTC.
impl FromStr for Moment {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: &str| QuantityError {
            text: text.to_owned(),
            expected: Self::EXPECTED,
            reason: reason.to_owned(),
        };
        let written = text.trim();
        // A bracketed zone would be read past; only digits and their separators are a civil date.
        let civil = |c: char| c.is_ascii_digit() || "-:.Tt ".contains(c);
        let instant = if written.chars().all(civil) {
            written
                .parse::<DateTime>()
                .and_then(|civil| civil.to_zoned(TimeZone::UTC))
                .map(|zoned| zoned.timestamp())
        } else if written.contains('[') {
            return Err(fail("name the offset from UTC, not a time zone"));
        } else {
            written.parse::<Timestamp>()
        };
        let instant = instant.map_err(|_| fail("there is no such date"))?;
        Self::new(instant).ok_or_else(|| fail("the year must be from 1970 to 2999"))
    }
}

/// A length of time: whole seconds, at most 500 years.
///
/// ```
/// use tminus::calendar::Span;
/// assert_eq!("14d".parse::<Span>().unwrap(), "2w".parse().unwrap());
/// assert_eq!("36h".parse::<Span>().unwrap().to_string(), "1 d 12 h");
/// assert!("14".parse::<Span>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

const SPAN_UNITS: [(&str, u64); 5] = [
    ("s", 1),
    ("m", SECONDS_PER_MINUTE),
    ("h", SECONDS_PER_HOUR),
    ("d", SECONDS_PER_DAY),
    ("w", 7 * SECONDS_PER_DAY),
];

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest there is, 500 years of 365 days.
    pub const MAX: Self = Self(500 * 365 * SECONDS_PER_DAY);
    /// What is expected, with examples.
    pub const EXPECTED: &'static str = "a length of time such as 14d, 36h or 2w";

    /// So many seconds; `None` beyond [`Span::MAX`].
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        (seconds <= Self::MAX.0).then_some(Self(seconds))
    }

    /// Hours that are a whole number of minutes, to within rounding: what [`Span::hours`] gave.
    #[must_use]
    pub fn of_hours(hours: f64) -> Self {
        Self::from_hours_down(hours + 1.0 / 7200.0)
    }

    /// Hours rounded up to the next whole minute; `None` when they are negative, no number or
    /// beyond [`Span::MAX`].
    #[must_use]
    pub fn from_hours_up(hours: f64) -> Option<Self> {
        let minutes = (hours * 60.0).ceil();
        if !(0.0..=Self::MAX.hours() * 60.0).contains(&minutes) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, and at most 500 years"
        )]
        Self::from_seconds(minutes as u64 * SECONDS_PER_MINUTE)
    }

    /// Hours rounded down to a whole minute; [`Span::MAX`] beyond it, nothing when they are negative
    /// or no number.
    #[must_use]
    pub fn from_hours_down(hours: f64) -> Self {
        let minutes = (hours * 60.0).floor().clamp(0.0, Self::MAX.hours() * 60.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, and at most 500 years; a NaN becomes 0"
        )]
        Self(minutes as u64 * SECONDS_PER_MINUTE)
    }

    /// Seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// Hours.
    #[must_use]
    pub fn hours(self) -> f64 {
        self.0 as f64 / SECONDS_PER_HOUR as f64
    }

    /// The two together; stops at [`Span::MAX`].
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self((self.0 + other.0).min(Self::MAX.0))
    }

    /// What is left of it without the other; nothing when that is longer.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether it is a whole number of days.
    #[must_use]
    pub fn is_whole_days(self) -> bool {
        self.0.is_multiple_of(SECONDS_PER_DAY)
    }

    /// As Slurm writes it: `5-12:00:00`.
    #[must_use]
    pub fn slurm(self) -> String {
        let (days, rest) = (self.0 / SECONDS_PER_DAY, self.0 % SECONDS_PER_DAY);
        format!(
            "{days}-{:02}:{:02}:{:02}",
            rest / 3600,
            rest / 60 % 60,
            rest % 60
        )
    }

    fn signed(self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
}

/// `14 d`, `1 d 12 h`, `30 min`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.0 / SECONDS_PER_DAY, "d"),
            (self.0 / SECONDS_PER_HOUR % 24, "h"),
            (self.0 / SECONDS_PER_MINUTE % 60, "min"),
            (self.0 % SECONDS_PER_MINUTE, "s"),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| format!("{count} {unit}"))
            .collect();
        f.pad(&if parts.is_empty() {
            "0 h".to_owned()
        } else {
            parts.join(" ")
        })
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: &str| QuantityError {
            text: text.to_owned(),
            expected: Self::EXPECTED,
            reason: reason.to_owned(),
        };
        let written = text.trim();
        let unit = SPAN_UNITS
            .iter()
            .find_map(|(suffix, unit)| Some((written.strip_suffix(suffix)?, *unit)));
        let (digits, unit) = unit.ok_or_else(|| fail("it must end in a unit: s, m, h, d or w"))?;
        let digits = digits.trim();
        if digits.starts_with('-') {
            return Err(fail("it must be greater than zero"));
        }
        let decimal = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        let count: f64 = digits
            .parse()
            .ok()
            .filter(|_| decimal)
            .ok_or_else(|| fail("what stands before the unit must be a number"))?;
        let seconds = (count * unit as f64).round();
        if seconds < 1.0 {
            return Err(fail("it must be greater than zero"));
        }
        if seconds > Self::MAX.0 as f64 {
            return Err(fail("it is more than 500 years"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, from 1 to 500 years"
        )]
        Ok(Self(seconds as u64))
    }
}

/// A time of day in UTC, to the minute: `11:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeOfDay {
    minutes: u64,
}

impl TimeOfDay {
    fn seconds(self) -> u64 {
        self.minutes * SECONDS_PER_MINUTE
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for TimeOfDay {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || QuantityError {
            text: text.to_owned(),
            expected: "a time of day such as 11:30",
            reason: "hours and minutes, 00:00 to 23:59".into(),
        };
        let two = |digits: &str, most: u64| -> Option<u64> {
            let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|value| plain && *value < most)
        };
        let (hours, minutes) = text.trim().split_once(':').ok_or_else(fail)?;
        match (two(hours, 24), two(minutes, 60)) {
            (Some(hours), Some(minutes)) => Ok(Self {
                minutes: hours * 60 + minutes,
            }),
            _ => Err(fail()),
        }
    }
}

/// When something has to be done: by a date, or so long after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// By that instant.
    By(Moment),
    /// That long after the start.
    Within(Span),
}

impl FromStr for Due {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let written = text.trim();
        let unit = SPAN_UNITS
            .iter()
            .any(|(suffix, _)| written.ends_with(suffix));
        let fail = |error: QuantityError| QuantityError {
            expected: "a date such as 2026-12-15, or a length of time such as 14d",
            ..error
        };
        if unit || !written.contains(['-', ':', 'T']) {
            written.parse().map(Self::Within).map_err(fail)
        } else {
            written.parse().map(Self::By).map_err(fail)
        }
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(moment) => moment.fmt(f),
            Self::Within(span) => span.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
