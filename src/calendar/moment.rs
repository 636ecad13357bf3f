//! Instants.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use super::{Day, SECONDS_PER_DAY, SECONDS_PER_HOUR, Span, TimeOfDay};
use crate::quantity::QuantityError;

/// Years that dates are accepted in: sums of dates and spans stay far inside what can be counted.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2999;

const YEARS_EXPECTED: &str = "the year must be from 1970 to 2999";

/// Seconds that clocks are ahead of UTC or behind it: no clock is further away.
const OFFSETS: std::ops::RangeInclusive<i32> = -14 * 3600..=14 * 3600;

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

    pub(super) fn new(instant: Timestamp) -> Option<Self> {
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

    /// How long after `earlier` it is, [`Span::MAX`] where it is longer than that; `None` when it
    /// is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Span> {
        let seconds = u64::try_from(self.seconds_after(earlier)).ok()?;
        Span::from_seconds(seconds).or(Some(Span::MAX))
    }

    /// Seconds from `other` to it, less than 0 when it is before: exact between any two dates,
    /// also where no [`Span`] is as long.
    #[must_use]
    pub fn seconds_after(self, other: Self) -> i64 {
        // Seconds of the years accepted: their difference is far within 64 bits.
        self.0.as_second() - other.0.as_second()
    }

    /// Hours from `other` to it, less than 0 when it is before.
    #[must_use]
    pub fn hours_after(self, other: Self) -> f64 {
        self.seconds_after(other) as f64 / SECONDS_PER_HOUR as f64
    }

    /// The instant so many seconds later; `None` beyond the years accepted.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Option<Self> {
        let second = self.0.as_second().checked_add(seconds)?;
        Timestamp::from_second(second).ok().and_then(Self::new)
    }

    /// The first instant from here on at which clocks in UTC show `clock`.
    #[must_use]
    pub fn next_at(self, clock: TimeOfDay) -> Option<Self> {
        let wait = (clock.seconds() + SECONDS_PER_DAY - self.second_of_day()) % SECONDS_PER_DAY;
        Span::from_seconds(wait).and_then(|wait| self.plus(wait))
    }

    /// The last instant up to here at which clocks in UTC showed `clock`.
    #[must_use]
    pub fn last_at(self, clock: TimeOfDay) -> Option<Self> {
        let past = (self.second_of_day() + SECONDS_PER_DAY - clock.seconds()) % SECONDS_PER_DAY;
        Span::from_seconds(past).and_then(|past| self.minus(past))
    }

    fn second_of_day(self) -> u64 {
        let second = self.0.as_second().rem_euclid(86_400);
        u64::try_from(second).unwrap_or(0)
    }

    /// The day in UTC.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.0.to_zoned(TimeZone::UTC).date())
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
        let fail = QuantityError::of(text, Self::EXPECTED);
        let written = text.trim();
        if written.contains('[') {
            return Err(fail("name the offset from UTC, not a time zone"));
        }
        let instant = if is_civil(written) {
            written
                .parse::<DateTime>()
                .and_then(|civil| civil.to_zoned(TimeZone::UTC))
                .map(|zoned| zoned.timestamp())
        } else {
            written.parse::<Timestamp>()
        };
        let pieces = Pieces::parse(written).ok();
        // The last day of the last year that can be written is no instant in every zone.
        let year = pieces.as_ref().map(|pieces| pieces.date().year());
        let instant = instant.map_err(|_| match (padded(written), year) {
            (Some(padded), _) => fail(&format!("dates are written with two digits: {padded}")),
            (None, Some(year)) if !YEARS.contains(&year) => fail(YEARS_EXPECTED),
            _ if has_named_zone(written) => {
                fail("what follows the time must be an offset from UTC, such as Z or -08:00")
            }
            (None, _) => fail("there is no such date"),
        })?;
        if has_leap_second(written) {
            return Err(fail(
                "seconds go from 00 to 59: leap seconds are not counted",
            ));
        }
        let offset = pieces.and_then(|pieces| pieces.to_numeric_offset());
        if offset.is_some_and(|offset| !OFFSETS.contains(&offset.seconds())) {
            return Err(fail("offsets from UTC are at most 14:00"));
        }
        Self::new(instant).ok_or_else(|| fail(YEARS_EXPECTED))
    }
}

/// Whether it is a date and a time but for letters behind it: `2026-12-01T09:00PST`.
fn has_named_zone(written: &str) -> bool {
    let civil = written.trim_end_matches(char::is_alphabetic);
    civil.len() < written.len() && is_civil(civil) && civil.trim_end().parse::<DateTime>().is_ok()
}

/// Whether its second is the 60th, which would be read as the one before.
fn has_leap_second(written: &str) -> bool {
    let time = written.split_once(['T', 't', ' ']).map(|(_, time)| time);
    let clock = time
        .unwrap_or_default()
        .split(['Z', 'z', '+', '-', '.', ',']);
    let clock = clock.take(1).flat_map(str::chars);
    let digits: String = clock.filter(char::is_ascii_digit).collect();
    digits.get(4..6) == Some("60")
}

/// The date with two digits for its month and its day, where it has fewer: `2026-02-03` for
/// `2026-2-3`.
fn padded(written: &str) -> Option<String> {
    let mut fields = written.split('-');
    let (year, month, day) = (fields.next()?, fields.next()?, fields.next()?);
    let short = |field: &str| (1..=2).contains(&field.len());
    if fields.next().is_some() || year.len() != 4 || !short(month) || !short(day) {
        return None;
    }
    let date = format!("{year}-{month:0>2}-{day:0>2}");
    (date != written && date.parse::<Date>().is_ok()).then_some(date)
}

/// Whether it is a date, or a date and a time of day, without an offset from UTC. A hyphen parts
/// the fields of a date and begins an offset west of Greenwich, and a date and time are read past
/// an offset: only what stands before the time of day may have one here.
fn is_civil(written: &str) -> bool {
    let (date, time) = written.split_once(['T', 't', ' ']).unwrap_or((written, ""));
    let date_only = |c: char| c.is_ascii_digit() || c == '-';
    date.chars().all(date_only)
        && time
            .chars()
            .all(|c| c.is_ascii_digit() || ":. ".contains(c))
}
