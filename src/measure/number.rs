//! Numbers as tables print them.

use crate::quantity::without_separators;

/// What stands between groups of three digits in some countries, and is no decimal point anywhere.
const GROUPS: [char; 7] = ['\'', '’', ' ', '\u{a0}', '\u{2007}', '\u{2009}', '\u{202f}'];

/// A positive decimal number as printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Printed {
    pub(super) value: f64,
    /// One unit of its last digit: how far rounding may have moved it.
    pub(super) unit: f64,
}

impl Printed {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = without_groups(text);
        let (plain, scale) = match plain.strip_suffix(['k', 'K']) {
            Some(plain) => (plain.trim_end().to_owned(), 1e3),
            None => match plain.strip_suffix('M') {
                Some(plain) => (plain.trim_end().to_owned(), 1e6),
                None => (plain, 1.0),
            },
        };
        let value: f64 = plain.parse().ok()?;
        if !(value.is_finite() && value > 0.0) {
            return None;
        }
        let (mantissa, exponent) = plain.split_once(['e', 'E']).unwrap_or((&plain, "0"));
        let decimals = mantissa
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        let exponent: i32 = exponent.parse().ok()?;
        let unit = 10_f64.powi(exponent.saturating_sub(i32::try_from(decimals).ok()?));
        Some(Self { value, unit }.times(scale))
    }

    /// The number in another unit.
    pub(super) fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            unit: self.unit * factor,
        }
    }

    /// How often a time of so many goes into a second, times `amount`: the other way round as precise.
    pub(super) fn rate_of(self, amount: f64) -> Self {
        Self {
            value: amount / self.value,
            unit: amount / self.value * (self.unit / self.value),
        }
    }

    /// Whether two numbers may be the same: within 1 %, or within what printing cut off.
    pub(super) fn agrees(self, other: Self) -> bool {
        (self.value - other.value).abs() <= 0.01 * self.value + self.unit + other.unit
    }
}

/// A number without what groups its digits by threes: `92,345`, `92'345`, `92 345`. What may as well
/// be a decimal comma stays.
pub(super) fn without_groups(text: &str) -> String {
    let groups = |c: char| GROUPS.contains(&c);
    // With commas beside them, one of the two would be a decimal comma.
    if !text.contains(groups) || text.contains(',') {
        return without_separators(text, &['k', 'K', 'M']);
    }
    let (number, rest) = match text.find(|c: char| !(c.is_ascii_digit() || groups(c) || c == '.')) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let number = number.trim_end_matches(groups);
    let whole = number.split('.').next().unwrap_or(number);
    let mut parts = whole.split(groups);
    let first = parts.next().unwrap_or_default();
    if (1..=3).contains(&first.len()) && parts.all(|part| part.len() == 3) {
        format!("{}{rest}", number.replace(groups, ""))
    } else {
        text.to_owned()
    }
}

/// What to write instead of something that looks like a number and can't be read as one.
pub(super) fn hint(text: &str) -> Option<String> {
    if let Some(written) = with_decimal_point(text) {
        return Some(format!("a decimal comma? write {written}"));
    }
    let is_mark = |c: char| c.is_whitespace() || "~≈<>≤≥=±$(*".contains(c);
    let start = text.trim_start_matches(is_mark);
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let end = start.find(|c: char| !is_part(c)).unwrap_or(start.len());
    let (number, rest) = start.split_at_checked(end)?;
    let scale = rest.starts_with(['k', 'K', 'M']).then(|| rest.get(..1));
    let scale = scale.flatten().unwrap_or_default();
    let number = format!("{}{scale}", without_separators(number, &[]));
    if number == text || Printed::parse(&number).is_none() {
        return None;
    }
    if !rest.contains(|c: char| c.is_ascii_digit()) {
        return Some(format!("write the number alone: {number}"));
    }
    let is_range = ["-", "–", "±", "+", "..", "to"]
        .iter()
        .any(|mark| rest.trim_start().starts_with(mark));
    is_range.then(|| "write one number, without a range or what it is off by".to_owned())
}

/// What a number with a decimal comma is with a point; `None` where the comma may group thousands.
pub(crate) fn with_decimal_point(text: &str) -> Option<String> {
    let (whole, decimals) = text.split_once(',')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = whole.contains(|c: char| c == '.' || GROUPS.contains(&c));
    let plain: String = whole.chars().filter(char::is_ascii_digit).collect();
    let only_groups = whole
        .chars()
        .all(|c| c.is_ascii_digit() || c == '.' || GROUPS.contains(&c));
    (only_groups && is_number(&plain) && is_number(decimals) && (grouped || decimals.len() != 3))
        .then(|| format!("{plain}.{decimals}"))
}

/// How else a number may have been meant whose last three digits follow its only comma or point.
pub(super) fn other_reading(text: &str) -> Option<String> {
    let (whole, last) = text.split_once([',', '.'])?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(whole) && digits(last) && last.len() == 3 && (1..=3).contains(&whole.len())) {
        return None;
    }
    Some(if text.contains(',') {
        format!(
            "`{text}` is read as {whole}{last}: where the comma is decimal, write {whole}.{last}"
        )
    } else {
        format!("`{text}` has decimals: where the point groups thousands, write {whole}{last}")
    })
}
