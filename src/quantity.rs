//! Quantities people type and read: token counts, bytes, durations, dollars.
//!
//! Every type is bounded where it is built, so that no formula downstream can overflow an `f64`
//! or meet a NaN: counts stop at 10^18, which is more tokens than were ever written.
//!
//! Decimal suffixes follow the field (`134B` is 134·10⁹ tokens); binary ones are spelled with an
//! `i` (`2Mi` is 2²¹). A number may carry underscores (`2_097_152`).

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

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

const COUNT_SUFFIXES: &[(&str, u64)] = &[
    ("", 1),
    ("k", 1_000),
    ("m", 1_000_000),
    ("b", 1_000_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
];

const BYTE_SUFFIXES: &[(&str, u64)] = &[
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Splits `134.5B` into its digits and its suffix (lower case).
fn split_suffix(text: &str) -> (String, String) {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    (digits.replace('_', ""), suffix.trim().to_ascii_lowercase())
}

/// Multiplies a plain decimal number by an integer factor, exactly.
///
/// Floating point would turn `0.1T` into 99,999,999,999 on some inputs; tokens are counted.
fn scale_exactly(digits: &str, factor: u64) -> Result<u64, String> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err("a number is missing".into());
    }
    if fraction.contains('.') {
        return Err("it has two decimal points".into());
    }
    let too_large = || format!("it is more than {MAX_COUNT}");
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 18 {
        return Err("it has more than 18 decimals".into());
    }
    let whole = whole.trim_start_matches('0');
    let all = format!("{whole}{fraction}");
    let all: u128 = if all.is_empty() {
        0
    } else {
        all.parse().map_err(|_| too_large())?
    };
    let divisor = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let scaled = all.checked_mul(u128::from(factor)).ok_or_else(too_large)?;
    if scaled % divisor != 0 {
        return Err("it is not a whole number".into());
    }
    match u64::try_from(scaled / divisor) {
        Ok(0) => Err("it must be greater than zero".into()),
        Ok(value) if value <= MAX_COUNT => Ok(value),
        _ => Err(too_large()),
    }
}

/// Reads a count with a suffix of `table`.
fn parse_count(
    text: &str,
    table: &[(&str, u64)],
    expected: &'static str,
) -> Result<u64, QuantityError> {
    let fail = |reason: String| QuantityError {
        text: text.to_owned(),
        expected,
        reason,
    };
    if text.trim().is_empty() {
        return Err(fail("it is empty".into()));
    }
    let (digits, suffix) = split_suffix(text);
    if digits.is_empty() {
        let reason = if text.trim().starts_with('-') {
            "it must be greater than zero"
        } else {
            "it must start with a digit"
        };
        return Err(fail(reason.into()));
    }
    let Some((_, factor)) = table.iter().find(|(name, _)| *name == suffix) else {
        let known: Vec<&str> = table
            .iter()
            .map(|(name, _)| *name)
            .filter(|n| !n.is_empty())
            .collect();
        return Err(fail(format!(
            "unknown suffix `{suffix}` (known: {})",
            known.join(", ")
        )));
    };
    scale_exactly(&digits, *factor).map_err(fail)
}

/// A number of tokens: at least 1, at most 10¹⁸.
///
/// ```
/// use tminus::quantity::Tokens;
/// assert_eq!("134B".parse::<Tokens>().unwrap().get(), 134_000_000_000);
/// assert_eq!("2Mi".parse::<Tokens>().unwrap().get(), 2_097_152);
/// assert!("134X".parse::<Tokens>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tokens(u64);

const TOKENS_EXPECTED: &str = "a number of tokens such as 134B, 2Mi or 524288";

impl Tokens {
    /// A number of tokens.
    ///
    /// # Errors
    /// When `count` is zero or more than [`MAX_COUNT`].
    pub fn new(count: u64) -> Result<Self, QuantityError> {
        if (1..=MAX_COUNT).contains(&count) {
            Ok(Self(count))
        } else {
            Err(QuantityError {
                text: count.to_string(),
                expected: TOKENS_EXPECTED,
                reason: format!("it must be from 1 to {MAX_COUNT}"),
            })
        }
    }

    /// The count.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// The count as a float, for formulas.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl FromStr for Tokens {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_count(text, COUNT_SUFFIXES, TOKENS_EXPECTED).map(Self)
    }
}

/// Shortest suffix form that is exact: `134B`, `2Mi`, `524288`.
impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&exact_suffix(self.0))
    }
}

impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

/// The largest number written in front of a suffix: `130046960Ki` says less than its digits.
const MAX_SCALED: u64 = 10_000;

/// The shortest exact spelling of a count; it parses back to the same number.
fn exact_suffix(count: u64) -> String {
    let units = [
        ("Ti", 1_u64 << 40),
        ("Gi", 1 << 30),
        ("Mi", 1 << 20),
        ("Ki", 1 << 10),
        ("T", 1_000_000_000_000),
        ("B", 1_000_000_000),
        ("M", 1_000_000),
        ("K", 1_000),
    ];
    let plain = count.to_string();
    units
        .iter()
        .filter(|(_, unit)| count.is_multiple_of(*unit))
        .filter(|(_, unit)| (1..MAX_SCALED).contains(&(count / unit)))
        .map(|(suffix, unit)| format!("{}{suffix}", count / unit))
        .min_by_key(String::len)
        .filter(|text| text.len() < plain.len())
        .unwrap_or(plain)
}

/// A number of bytes: at least 1, at most 10¹⁸.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(u64);

impl Bytes {
    /// The count as a float, for formulas.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_count(
            text,
            BYTE_SUFFIXES,
            "a number of bytes such as 80GiB or 512MB",
        )
        .map(Self)
    }
}

/// US dollars per GPU-hour: greater than 0, at most 10,000.
///
/// ```
/// use tminus::quantity::UsdPerGpuHour;
/// assert_eq!("$2.50".parse::<UsdPerGpuHour>().unwrap().get(), 2.5);
/// assert!("2.5 EUR".parse::<UsdPerGpuHour>().is_err());
/// assert!("20 per node-hour".parse::<UsdPerGpuHour>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct UsdPerGpuHour(f64);

impl UsdPerGpuHour {
    /// What is expected, with an example.
    pub const EXPECTED: &'static str = "a price in US dollars per GPU-hour such as 2.5";

    /// Dollars per GPU-hour.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for UsdPerGpuHour {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: &str| QuantityError {
            text: text.to_owned(),
            expected: Self::EXPECTED,
            reason: reason.to_owned(),
        };
        let written = text.trim();
        let written = written.strip_prefix('$').unwrap_or(written);
        let written = written.strip_suffix("USD").unwrap_or(written).trim();
        let price: f64 = written.parse().map_err(|_| {
            fail(
                "it must be a plain number: other currencies are not converted, and a price per \
                 node is divided by the GPUs of a node first",
            )
        })?;
        if price.is_nan() || price < 1e-4 {
            Err(fail("it must be greater than 0, at least 0.0001"))
        } else if price > 1e4 {
            Err(fail("it is more than 10,000"))
        } else {
            Ok(Self(price))
        }
    }
}

/// The share of outcomes an interval is meant to hold: strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Confidence(f64);

impl Confidence {
    /// A confidence.
    ///
    /// # Errors
    /// When `share` is not from 0.01 to 0.999: outside, the tables can't say.
    pub fn new(share: f64) -> Result<Self, QuantityError> {
        if (0.01..=0.999).contains(&share) {
            Ok(Self(share))
        } else {
            Err(QuantityError {
                text: share.to_string(),
                expected: "a confidence such as 0.9",
                reason: "it must be from 0.01 to 0.999".into(),
            })
        }
    }

    /// The share, between 0 and 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Confidence {
    fn default() -> Self {
        Self(0.9)
    }
}

impl FromStr for Confidence {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: &str| QuantityError {
            text: text.to_owned(),
            expected: "a confidence such as 0.9",
            reason: reason.to_owned(),
        };
        let share: f64 = text
            .trim()
            .parse()
            .map_err(|_| fail("it must be a number"))?;
        Self::new(share).map_err(|error| fail(&error.reason))
    }
}

/// Bytes per GiB.
pub const GIB: f64 = 1_073_741_824.0;

/// A value with the interval it lies in at the stated confidence; all three finite and ordered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Expected value.
    pub expected: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// An interval from any three numbers: ends are ordered around the expected value.
    ///
    /// Returns `None` when one of them is not finite, so that no NaN can be shown.
    #[must_use]
    pub fn new(low: f64, expected: f64, high: f64) -> Option<Self> {
        let finite = low.is_finite() && expected.is_finite() && high.is_finite();
        finite.then(|| Self {
            low: low.min(expected),
            expected,
            high: high.max(expected),
        })
    }

    /// The same interval in another unit; a negative factor would swap the ends.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Self {
            low: self.low * factor,
            expected: self.expected * factor,
            high: self.high * factor,
        }
    }

    /// `numerator / self`: the ends change places (a high rate is a low time).
    #[must_use]
    pub fn invert(self, numerator: f64) -> Self {
        Self {
            low: numerator / self.high,
            expected: numerator / self.expected,
            high: numerator / self.low,
        }
    }

    /// Whether `value` lies inside, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// A duration for people: `45 s`, `12.5 min`, `7.3 h`, `9.5 d`.
#[must_use]
pub fn display_hours(hours: f64) -> String {
    let seconds = hours * 3600.0;
    if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if seconds < 5400.0 {
        format!("{:.1} min", seconds / 60.0)
    } else if hours < 96.0 {
        format!("{hours:.1} h")
    } else if hours < 24.0 * 10_000.0 {
        format!("{:.1} d", hours / 24.0)
    } else {
        format!("{:.3e} d", hours / 24.0)
    }
}

/// A count for people, with three to four digits: `1.51M`, `134B`, `25.7K`.
#[must_use]
pub fn display_count(value: f64) -> String {
    for (suffix, unit) in [("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)] {
        if value >= unit {
            let scaled = value / unit;
            return if scaled >= 10_000.0 {
                format!("{scaled:.2e}{suffix}")
            } else if scaled >= 100.0 {
                format!("{scaled:.0}{suffix}")
            } else if scaled >= 10.0 {
                format!("{scaled:.1}{suffix}")
            } else {
                format!("{scaled:.2}{suffix}")
            };
        }
    }
    format!("{value:.0}")
}

/// An integer with thousands separators: `1,508,631`.
#[must_use]
pub fn display_thousands(value: u128) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn suffixes_are_exact() {
        for (text, count) in [
            ("134B", 134_000_000_000),
            ("0.1T", 100_000_000_000),
            ("1.5k", 1_500),
            ("2_097_152", 2_097_152),
            ("0.5Mi", 524_288),
            ("300g", 300_000_000_000),
        ] {
            assert_eq!(text.parse::<Tokens>().unwrap().get(), count, "{text}");
        }
    }

    #[test]
    fn refusals_say_why() {
        for (text, reason) in [
            ("134X", "unknown suffix `x`"),
            ("", "empty"),
            ("-5", "greater than zero"),
            ("0", "greater than zero"),
            ("1.5", "whole number"),
            ("1.2.3B", "two decimal points"),
            ("1e9", "unknown suffix `e9`"),
            ("2000000T", "more than"),
            ("nan", "start with a digit"),
            (".", "number is missing"),
        ] {
            let error = text.parse::<Tokens>().unwrap_err();
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn tokens_display_parses_back(count in 1..=MAX_COUNT) {
            let tokens = Tokens::new(count).unwrap();
            prop_assert_eq!(tokens.to_string().parse::<Tokens>().unwrap(), tokens);
        }

        #[test]
        fn any_text_is_a_count_or_an_error(text in "\\PC*") {
            let _ = text.parse::<Tokens>();
            let _ = text.parse::<Bytes>();
        }
    }
}
