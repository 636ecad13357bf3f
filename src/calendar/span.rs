//! Lengths of time.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use super::{SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE};
use crate::quantity::QuantityError;

/// A length of time: whole seconds, at most 500 years.
///
/// ```
/// use tminus::calendar::Span;
/// assert_eq!("14d".parse::<Span>().unwrap(), "2w".parse().unwrap());
/// assert_eq!("36h".parse::<Span>().unwrap().to_string(), "1 d 12 h");
/// assert_eq!("1 d 12 h".parse::<Span>().unwrap(), "36 hours".parse().unwrap());
/// assert!("14".parse::<Span>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

/// Hours that rounding may add to a whole number of minutes.
const ROUNDING_H: f64 = 1e-9;

/// Units, with their seconds.
pub(super) const UNITS: [(&str, u64); 5] = [
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

    /// The same of hours to which rounding may have added a little.
    #[must_use]
    pub(crate) fn from_rounded_hours_up(hours: f64) -> Option<Self> {
        Self::from_hours_up(hours - ROUNDING_H)
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

    /// Whether a text says no time at all, in whatever unit of time: that is no span.
    pub(crate) fn is_none_in(text: &str) -> bool {
        let number = text.trim().trim_end_matches(char::is_alphabetic);
        let one = format!("1{}", text.trim().strip_prefix(number).unwrap_or_default());
        number.trim_end().parse() == Ok(0.0) && (one == "1" || one.parse::<Self>().is_ok())
    }

    pub(super) fn signed(self) -> SignedDuration {
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

/// A number and a unit, in letters or in a word; several of them, the largest unit first: `1h30m`.
impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = QuantityError::of(text, Self::EXPECTED);
        let mut rest = text.trim();
        if rest.starts_with('-') {
            return Err(fail("it must be greater than zero"));
        }
        let (mut seconds, mut larger) = (0.0, u64::MAX);
        loop {
            let (count, written, behind) = part(rest);
            let unit = match (unit(written), written) {
                (Some(unit), _) => unit,
                (None, told) if told.is_empty() || count.is_empty() => {
                    return Err(fail("it must end in a unit: s, m, h, d or w"));
                }
                (None, unknown) => {
                    let reason = format!("`{unknown}` is no unit: s, m, h, d and w are");
                    return Err(fail(&reason));
                }
            };
            let count: f64 = count
                .parse()
                .map_err(|_| fail("before each unit (s, m, h, d or w) must stand a number"))?;
            if unit >= larger {
                return Err(fail("its larger units must come first, each once"));
            }
            seconds += count * unit as f64;
            larger = unit;
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        let seconds = seconds.round();
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

/// A number, the letters behind it, and what is left.
fn part(text: &str) -> (&str, &str, &str) {
    let end = |text: &str, is_part: fn(char) -> bool| {
        text.find(|letter| !is_part(letter)).unwrap_or(text.len())
    };
    let (number, rest) = text.split_at(end(text, |c| c.is_ascii_digit() || c == '.'));
    let rest = rest.trim_start();
    let (unit, rest) = rest.split_at(end(rest, char::is_alphabetic));
    if unit.is_empty() {
        // Whatever stands there is what isn't known.
        return (number, rest, "");
    }
    (number, unit, rest.trim_start())
}

/// The seconds of a unit by its letter or its name: `h`, `hr`, `hours`.
fn unit(written: &str) -> Option<u64> {
    const NAMES: [(&str, &[&str]); 5] = [
        ("s", &["sec", "secs", "second", "seconds"]),
        ("m", &["min", "mins", "minute", "minutes"]),
        ("h", &["hr", "hrs", "hour", "hours"]),
        ("d", &["day", "days"]),
        ("w", &["week", "weeks"]),
    ];
    let name = NAMES.iter().find(|(_, names)| names.contains(&written));
    let letter = name.map_or(written, |(letter, _)| letter);
    let known = UNITS.iter().find(|(suffix, _)| *suffix == letter);
    known.map(|(_, seconds)| *seconds)
}
