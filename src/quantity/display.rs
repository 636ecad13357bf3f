//! Numbers as people read them.

use super::TimeUnit;

/// A duration for people: `45 s`, `12.5 min`, `7.3 h`, `9.5 d`, `50.8 years`.
#[must_use]
pub fn display_hours(hours: f64) -> String {
    display_hours_like(hours, hours)
}

/// A duration in the unit that another is shown in, so that both can be compared at a glance.
pub(crate) fn display_hours_like(hours: f64, other: f64) -> String {
    let unit = TimeUnit::of_hours(other);
    let value = unit.convert(hours);
    let decimals = unit.decimals();
    let number = if value >= 9_999.5 {
        display_whole(value)
    } else {
        format!("{value:.decimals$}")
    };
    format!("{number} {}", unit.symbol)
}

/// A count and what is counted, of which the plural ends in `s`: `1 node`, `1,024 nodes`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!(
        "{} {}",
        display_thousands(count.into()),
        plural(count, what)
    )
}

/// What is counted alone, where the count is written in another way: `134B tokens`.
pub(crate) fn plural(count: u64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{what}{ending}")
}

/// What is a thousand once it is rounded to three digits, of units of a thousandth: `999.5` is `1.00K`.
const ROUNDS_TO_ONE: f64 = 0.999_5;

/// Decimals that show three digits of a number below a thousand, at most four: of the number as it is
/// rounded, so that 9.996 is `10.0`.
pub(crate) fn three_digit_decimals(size: f64) -> usize {
    match size {
        _ if size >= 99.95 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= ROUNDS_TO_ONE => 2,
        _ if size >= 0.099_95 => 3,
        _ => 4,
    }
}

/// A count for people, with three to four digits: `1.51M`, `134B`, `25.7K`.
#[must_use]
pub fn display_count(value: f64) -> String {
    for (suffix, unit) in [("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)] {
        let scaled = value / unit;
        if scaled >= 9_999.5 {
            return format!("{scaled:.2e}{suffix}");
        }
        if scaled >= ROUNDS_TO_ONE {
            let decimals = three_digit_decimals(scaled);
            return format!("{scaled:.decimals$}{suffix}");
        }
    }
    format!("{value:.0}")
}

/// A number rounded to a whole one, with thousands separators; beyond 15 digits, where floats no
/// longer count, with an exponent.
#[must_use]
pub fn display_whole(value: f64) -> String {
    let size = value.abs().round();
    if size.is_nan() || size >= 1e15 {
        return format!("{value:.2e}");
    }
    let sign = if value < 0.0 && size > 0.0 { "-" } else { "" };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 1e15, checked above"
    )]
    let digits = display_thousands(size as u128);
    format!("{sign}{digits}")
}

/// Dollars per GPU-hour without the sign: cents, and more where the price has more, up to
/// millionths.
pub(crate) fn display_unit_price(usd: f64) -> String {
    let full = format!("{usd:.6}");
    let cents = full.len().saturating_sub(4);
    let end = full.trim_end_matches('0').len().max(cents);
    full.get(..end).unwrap_or(&full).to_owned()
}

/// Dollars below which cents are shown.
const CENTS_BELOW: f64 = 99.995;

/// The least that is seen of an amount of so many dollars: a cent of a small one.
pub(crate) fn dollar_digit(usd: f64) -> f64 {
    if usd >= CENTS_BELOW { 1.0 } else { 0.01 }
}

/// Dollars without the sign: cents below 100, whole dollars above. What is less than half a cent
/// is `0.00`, unlike nothing, which is `0`.
pub(crate) fn display_dollars(usd: f64) -> String {
    if usd >= CENTS_BELOW || usd == 0.0 {
        display_whole(usd)
    } else {
        format!("{usd:.2}")
    }
}

/// The same rounded up, for what has to suffice: whoever types it as a budget is not refused. Whole
/// dollars without cents.
pub(crate) fn display_dollars_up(usd: f64) -> String {
    if usd >= CENTS_BELOW {
        return display_whole(usd.ceil());
    }
    let cents = (usd * 100.0 - ROUNDING).ceil();
    let decimals = if cents % 100.0 == 0.0 { 0 } else { 2 };
    format!("{:.decimals$}", cents / 100.0)
}

/// Dollars that somebody asks for, without the sign: as typed, since rounded either way they would be
/// another question. Cents where there are some, and more digits where there are more.
pub(crate) fn display_dollars_asked(usd: f64) -> String {
    let text = usd.to_string();
    let (_, decimals) = text.split_once('.').unwrap_or_default();
    let whole = display_whole(usd.trunc());
    match decimals.len() {
        0 => whole,
        1 => format!("{whole}.{decimals}0"),
        _ => format!("{whole}.{decimals}"),
    }
}

/// A share as a percentage with one decimal.
pub(crate) fn display_percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// Decimals of a percentage that somebody states: enough for the share that is nearest to 0 or 1 of all
/// that are taken.
const STATED_DECIMALS: usize = 4;

/// A confidence or another share that somebody states, as a percentage without decimals it doesn't
/// need, and with those it has: two that differ are not told as the same.
pub(crate) fn display_share(share: f64) -> String {
    let text = format!("{:.STATED_DECIMALS$}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
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

/// What rounding alone may change of a digit that a figure is rounded to.
const ROUNDING: f64 = 1e-6;

/// A probability with two decimals, rounded down: what is promised must hold.
pub(crate) fn display_probability(probability: f64) -> String {
    format!("{:.2}", (probability * 100.0 + ROUNDING).floor() / 100.0)
}

/// A probability as a percentage that is never 0 or 100, rounded down: what is promised must hold.
pub(crate) fn display_chance(probability: f64) -> String {
    if probability > 0.999_5 {
        "> 99.9".to_owned()
    } else if probability < 0.001 {
        "< 0.1".to_owned()
    } else {
        format!("{:.1}", (probability * 1000.0 + ROUNDING).floor() / 10.0)
    }
}
