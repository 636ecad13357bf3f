//! Counts with suffixes: tokens and bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{MAX_COUNT, QuantityError, display_count, without_separators};

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

/// What suffixes are made of, and what may stand before one.
const SUFFIX_LETTERS: &[char] = &[
    ' ', 'k', 'K', 'm', 'M', 'b', 'B', 'g', 'G', 't', 'T', 'i', 'I',
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
    let text = without_separators(text.trim(), SUFFIX_LETTERS);
    let text = text.as_str();
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
    let named = table.iter().find(|(name, _)| *name == suffix);
    // `134e9` is a count as good as `134B`, where a number may stand alone.
    let plain = table.iter().any(|(name, _)| name.is_empty());
    let exponent = suffix.strip_prefix('e').filter(|_| plain);
    let exponent = exponent.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let power = exponent.and_then(|digits| digits.parse::<u32>().ok());
    if let Some(power) = power {
        let factor = 10_u64.checked_pow(power);
        let factor = factor.ok_or_else(|| fail(format!("it is more than {MAX_COUNT}")))?;
        return scale_exactly(&digits, factor).map_err(fail);
    }
    let Some((_, factor)) = named else {
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
/// assert_eq!("2,097,152".parse::<Tokens>().unwrap().get(), 2_097_152);
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

    /// The count for people: exact where that is short (`134B`, `2Mi`), else three digits of it.
    #[must_use]
    pub fn rounded(self) -> String {
        let exact = self.to_string();
        if exact.len() <= 6 {
            exact
        } else {
            display_count(self.as_f64())
        }
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
