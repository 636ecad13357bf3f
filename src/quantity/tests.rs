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
