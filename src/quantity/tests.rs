//! Parsing and display of quantities.

use super::*;
use proptest::prelude::*;

#[test]
fn suffixes_are_exact() {
    for (text, count) in [
        ("134B", 134_000_000_000),
        ("0.1T", 100_000_000_000),
        ("1.5k", 1_500),
        ("2_097_152", 2_097_152),
        ("134,000,000,000", 134_000_000_000),
        ("1,500B", 1_500_000_000_000),
        ("0.5Mi", 524_288),
        ("300g", 300_000_000_000),
        ("134e9", 134_000_000_000),
        ("1.5E3", 1_500),
    ] {
        assert_eq!(text.parse::<Tokens>().unwrap().get(), count, "{text}");
    }
}

#[test]
fn refusals_say_why() {
    for (text, reason) in [
        ("134X", "unknown suffix `x`"),
        ("1,5B", "unknown suffix `,5b`"),
        ("", "empty"),
        ("-5", "greater than zero"),
        ("0", "greater than zero"),
        ("1.5", "whole number"),
        ("1.2.3B", "two decimal points"),
        ("1e99", "more than"),
        ("1.55e1", "whole number"),
        ("1e-9", "unknown suffix `e-9`"),
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

#[test]
fn unit_prices_have_cents_and_no_digits_of_rounding() {
    for (usd, text) in [
        (2.0, "2.00"),
        (2.5, "2.50"),
        (3.933, "3.933"),
        (24.27 / 8.0, "3.03375"),
        (9.2 / 7.0, "1.314286"),
        (0.1 + 0.2, "0.30"),
        (1e-4, "0.0001"),
        (1e4, "10000.00"),
    ] {
        assert_eq!(display_unit_price(usd), text, "{usd}");
    }
}

#[test]
fn dollars_are_rounded_up_to_what_counts() {
    for (usd, text) in [
        (5.0, "5"),
        (0.07, "0.07"),
        (7.3, "7.30"),
        (7.299_658_111_825_048, "7.30"),
        (99.999, "100"),
        (8_166.2, "8,167"),
    ] {
        assert_eq!(display_dollars_up(usd), text, "{usd}");
    }
}

/// Every digit that was typed, and none that wasn't.
#[test]
fn dollars_that_are_asked_for_are_told_as_typed() {
    for (usd, text) in [
        (5.0, "5"),
        (0.5, "0.50"),
        (99.99, "99.99"),
        (9_999.99, "9,999.99"),
        (38_375.2, "38,375.20"),
        (25_000.0, "25,000"),
        (1_234.567_8, "1,234.5678"),
        (1e12, "1,000,000,000,000"),
    ] {
        assert_eq!(display_dollars_asked(usd), text, "{usd}");
    }
}

/// In the units of the tables, and with no more digits than theirs.
#[test]
fn durations_are_told_in_the_units_of_tables() {
    for (hours, text) in [
        (0.02, "72 s"),
        (0.2, "12.0 min"),
        (1.49, "89.4 min"),
        (95.9, "95.9 h"),
        (96.0, "4.0 d"),
        (87_599.0, "3650.0 d"),
        (445_440.0, "50.8 years"),
        (1e9, "114,155 years"),
    ] {
        assert_eq!(display_hours(hours), text, "{hours}");
    }
}

#[test]
fn counts_have_the_digits_of_what_they_round_to() {
    for (count, text) in [
        (0.0, "0"),
        (999.4, "999"),
        (999.6, "1.00K"),
        (9_994.0, "9.99K"),
        (9_996.0, "10.0K"),
        (99_940.0, "99.9K"),
        (99_960.0, "100K"),
        (999_400.0, "999K"),
        (999_600.0, "1.00M"),
        (99.96e9, "100B"),
        (999_960_000_000.0, "1.00T"),
        (1e12, "1.00T"),
        (9_999.4e12, "9999T"),
        (9_999.6e12, "1.00e4T"),
    ] {
        assert_eq!(display_count(count), text, "{count}");
    }
}

/// What is promised must hold, and no digit is lost to how binary fractions round.
#[test]
fn probabilities_are_rounded_down_and_no_further() {
    for (probability, text) in [(0.29, "0.29"), (0.57, "0.57"), (0.579, "0.57")] {
        assert_eq!(display_probability(probability), text);
    }
    for (share, text) in [
        (0.57, "57"),
        (0.55, "55"),
        (0.999, "99.9"),
        (0.9994, "99.94"),
        (0.9995, "99.95"),
        (0.99999, "99.999"),
        (1.0 - 1e-6, "99.9999"),
        (0.0005, "0.05"),
        (0.001, "0.1"),
        (1e-6, "0.0001"),
        (0.1, "10"),
        (1.0, "100"),
    ] {
        assert_eq!(display_share(share), text);
    }
}
