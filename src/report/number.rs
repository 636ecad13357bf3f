//! Numbers as people read them: few digits, units in the header, never a bare float.

use crate::quantity::{Interval, display_count, three_digit_decimals};
pub(super) use crate::quantity::{
    TimeUnit, display_dollars as dollars, display_percent as percent, display_share as confidence,
    display_unit_price as unit_price, display_whole as thousands,
};

/// Three significant digits, without exponent between 0.001 and 10 million.
pub(super) fn significant(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if !(0.000_95..1e7).contains(&size) {
        format!("{value:.2e}")
    } else if size >= 999.5 {
        thousands(value)
    } else {
        let decimals = three_digit_decimals(size);
        format!("{value:.decimals$}")
    }
}

/// A number that rounds to nothing, without the sign of what it was.
pub(super) fn unsigned_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

/// Dollars in a table whose largest amount is that: whole where all are below a million, else three
/// digits of what is above a hundred thousand, so that no budget makes a row too wide.
pub(super) fn compact(value: f64, largest: f64) -> String {
    if largest < 1e6 || !(1e5..1e15).contains(&value) {
        dollars(value)
    } else {
        display_count(value)
    }
}

/// The largest of some figures that may be missing, for [`compact`].
pub(super) fn largest(values: impl Iterator<Item = Option<f64>>) -> f64 {
    values.flatten().fold(0.0, f64::max)
}

/// GPU-hours of a bill: with a decimal, so that quantity times price can be seen to be the amount.
pub(super) fn hours(value: f64) -> String {
    let tenths = (value * 10.0).round();
    if tenths >= 1e7 {
        thousands(value)
    } else if tenths >= 1.0 {
        format!("{}.{}", thousands((tenths / 10.0).floor()), tenths % 10.0)
    } else {
        significant(value)
    }
}

/// Hours that something is sold for: whole ones without decimals, else as many as a minute needs,
/// so that none is rounded away.
pub(super) fn exact_hours(value: f64) -> String {
    let hundredths = (value * 100.0).round();
    if hundredths % 100.0 == 0.0 {
        thousands(value)
    } else {
        let text = format!("{:02}", hundredths % 100.0);
        let whole = thousands((hundredths / 100.0).floor());
        format!("{whole}.{}", text.trim_end_matches('0'))
    }
}

/// Half the interval's width relative to its expected value: `±2.1%`.
pub(super) fn half_width(interval: Interval) -> String {
    half_width_share((interval.high - interval.low) / 2.0 / interval.expected)
}

/// Half of an interval's width, given as a share of its expected value: `±2.1%`.
pub(super) fn half_width_share(share: f64) -> String {
    let percent = share * 100.0;
    if !percent.is_finite() {
        "±?".to_owned()
    } else if percent < 9.95 {
        format!("±{percent:.1}%")
    } else {
        format!("±{percent:.0}%")
    }
}

/// The ends of an interval: `36.1–39.4`.
pub(super) fn range(interval: Interval, show: impl Fn(f64) -> String) -> String {
    format!("{}–{}", show(interval.low), show(interval.high))
}

impl TimeUnit {
    /// `hours` in this unit.
    pub(super) fn show(self, hours: f64) -> String {
        significant(self.convert(hours))
    }
}

/// A bar for a share of the whole, at most `width` characters, in eighths.
pub(super) fn bar(share: f64, width: u32) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if !(share > 0.0 && share.is_finite()) {
        return String::new();
    }
    let eighths = (share.min(1.0) * f64::from(width) * 8.0).round().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 1 to 8 times the width"
    )]
    let eighths = eighths as usize;
    let rest = PARTS.get(eighths % 8).copied().unwrap_or("");
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_sign() {
        for (text, shown) in [("-0.000", "0.000"), ("-0.010", "-0.010"), ("0.0", "0.0")] {
            assert_eq!(unsigned_zero(text.into()), shown);
        }
    }

    #[test]
    fn digits_are_few_and_honest() {
        for (value, text) in [
            (0.0, "0"),
            (1e-9, "1.00e-9"),
            (0.012_34, "0.0123"),
            (0.999_9, "1.00"),
            (9.996, "10.0"),
            (99.96, "100"),
            (37.64, "37.6"),
            (12_345.6, "12,346"),
            (-12.34, "-12.3"),
            (1.5e18, "1.50e18"),
        ] {
            assert_eq!(significant(value), text, "{value}");
        }
    }

    #[test]
    fn money_keeps_cents_only_where_they_matter() {
        for (value, text) in [
            (0.0, "0"),
            (1e-9, "0.00"),
            (0.006, "0.01"),
            (1.239, "1.24"),
            (123_456.7, "123,457"),
            (1e18, "1.00e18"),
        ] {
            assert_eq!(dollars(value), text, "{value}");
        }
    }

    #[test]
    fn fortunes_stay_within_their_column() {
        for (value, largest, text) in [
            (411_113.0, 999_999.0, "411,113"),
            (411_113.0, 1e6, "411K"),
            (42_580.4, 1e9, "42,580"),
            (2_102_302.0, 2_102_302.0, "2.10M"),
            (417_257_811.0, 417_257_811.0, "417M"),
            (1.23e13, 1.23e13, "12.3T"),
            (999_700.0, 1e6, "1.00M"),
            (1e18, 1e18, "1.00e18"),
        ] {
            assert_eq!(compact(value, largest), text, "{value}");
            assert!(text.len() <= 7);
        }
    }

    #[test]
    fn a_bill_s_quantities_have_their_decimals() {
        for (value, text) in [
            (0.0, "0"),
            (0.004, "0.0040"),
            (71.6, "71.6"),
            (999.96, "1,000.0"),
            (9878.04, "9,878.0"),
            (10_526.3, "10,526.3"),
            (2e6, "2,000,000"),
        ] {
            assert_eq!(hours(value), text, "{value}");
        }
    }

    #[test]
    fn hours_that_are_sold_are_told_to_the_minute() {
        for (value, text) in [
            (336.0, "336"),
            (9566.0, "9,566"),
            (1.5, "1.5"),
            (119.5, "119.5"),
            (0.25, "0.25"),
            (1000.05, "1,000.05"),
        ] {
            assert_eq!(exact_hours(value), text, "{value}");
        }
    }

    #[test]
    fn bars_fill_their_share() {
        assert_eq!(bar(1.0, 8), "█".repeat(8));
        assert_eq!(bar(0.5, 8), "█".repeat(4));
        assert_eq!(bar(1e-9, 8), "▏");
        assert_eq!(bar(-0.2, 8), "");
        assert_eq!(bar(f64::NAN, 8), "");
    }

    #[test]
    fn durations_get_a_unit_that_suits_them() {
        for (hours, name, text) in [
            (876_000.0, "years", "100"),
            (87_599.0, "days", "3,650"),
            (903.0, "days", "37.6"),
            (20.0, "hours", "20.0"),
            (0.5, "min", "30.0"),
            (0.01, "s", "36.0"),
        ] {
            let unit = TimeUnit::of_hours(hours);
            assert_eq!((unit.name, unit.show(hours).as_str()), (name, text));
        }
    }
}
