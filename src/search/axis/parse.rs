//! Axes as people type them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Axis;
use crate::quantity::MAX_COUNT;

/// Why a text is not an axis.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an axis: {reason}")]
pub struct AxisError {
    /// What was typed.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FromStr for Axis {
    type Err = AxisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.trim()).map_err(|reason| AxisError {
            text: text.to_owned(),
            reason,
        })
    }
}

fn parse(text: &str) -> Result<Axis, String> {
    if text.is_empty() {
        return Err(
            "it is empty; write a number, a list such as 8,16,32, a range such as 8..128, or auto"
                .into(),
        );
    }
    if text.eq_ignore_ascii_case("auto") {
        return Ok(Axis::Auto);
    }
    if let Some((low, rest)) = text.split_once("..") {
        return parse_range(low, rest);
    }
    if text.contains(':') {
        return Err("a step needs a range, such as 8..128:8".into());
    }
    let values: Result<Vec<u64>, String> = text
        .split(',')
        .map(|item| parse_number(item, "a value of the list"))
        .collect();
    values.map(Axis::list)
}

fn parse_range(low: &str, rest: &str) -> Result<Axis, String> {
    let (high, step) = match rest.split_once(':') {
        Some((high, step)) => (high, Some(step)),
        None => (rest, None),
    };
    if high.contains("..") {
        return Err("a range has two ends, such as 8..128".into());
    }
    if high.trim_start().starts_with('=') {
        return Err("a range includes its upper end already; write 8..128".into());
    }
    let low = parse_number(low, "the lower end")?;
    let high = parse_number(high, "the upper end")?;
    if low > high {
        return Err(format!(
            "its lower end is above its upper end; did you mean {high}..{low}?"
        ));
    }
    let Some(step) = step else {
        return Ok(Axis::Doubling { low, high });
    };
    let step = parse_number(step, "the step")?;
    Ok(Axis::Stepped { low, high, step })
}

/// Reads one positive whole number, underscores allowed; `what` names it in the refusal.
fn parse_number(text: &str, what: &str) -> Result<u64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("{what} is missing"));
    }
    if text.starts_with('-') {
        return Err(format!("{what} is `{text}`, but must be at least 1"));
    }
    // As other counts are written; `2k` could be either of two.
    let suffixes = [("Ki", 1_u64 << 10), ("Mi", 1 << 20)];
    let (written, unit) = suffixes
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
        .unwrap_or((text, 1));
    let digits = written.replace('_', "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{what} is `{text}`, but must be a whole number"));
    }
    let value = digits
        .parse::<u64>()
        .map(|value| value.saturating_mul(unit));
    match value {
        Ok(0) => Err(format!("{what} is 0, but must be at least 1")),
        Ok(value) if value <= MAX_COUNT => Ok(value),
        _ => Err(format!(
            "{what} is `{text}`, but must be at most {MAX_COUNT}"
        )),
    }
}

/// The spelling that parses back to the same axis.
impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{value}")?;
                }
                Ok(())
            }
            Self::Doubling { low, high } => write!(f, "{low}..{high}"),
            Self::Stepped { low, high, step } => write!(f, "{low}..{high}:{step}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        for (text, axis, values) in [
            ("8", Axis::list([8]), vec![8]),
            (" 32, 8,16,8 ", Axis::list([8, 16, 32]), vec![8, 16, 32]),
            (
                "8..128",
                Axis::Doubling { low: 8, high: 128 },
                vec![8, 16, 32, 64, 128],
            ),
            (
                "3 .. 20",
                Axis::Doubling { low: 3, high: 20 },
                vec![3, 6, 12],
            ),
            (
                "8..31:8",
                Axis::Stepped {
                    low: 8,
                    high: 31,
                    step: 8,
                },
                vec![8, 16, 24],
            ),
            ("1_000", Axis::list([1000]), vec![1000]),
            ("Auto", Axis::Auto, vec![]),
        ] {
            let read: Axis = text.parse().unwrap();
            assert_eq!(read, axis, "{text}");
            assert_eq!(read.iter().collect::<Vec<_>>(), values, "{text}");
        }
    }

    #[test]
    fn refusals_say_why() {
        for (text, reason) in [
            ("8..", "the upper end is missing"),
            ("..8", "the lower end is missing"),
            ("..", "the lower end is missing"),
            ("128..8", "did you mean 8..128?"),
            ("0", "must be at least 1"),
            ("-4", "must be at least 1"),
            ("0..8", "the lower end is 0"),
            ("8..128:0", "the step is 0"),
            ("8..128:", "the step is missing"),
            ("8:2", "a step needs a range"),
            ("a,b", "`a`, but must be a whole number"),
            ("8,,16", "a value of the list is missing"),
            ("8,16,", "a value of the list is missing"),
            ("", "it is empty"),
            ("  ", "it is empty"),
            ("_", "must be a whole number"),
            ("1.5", "must be a whole number"),
            ("2k", "must be a whole number"),
            ("1..2..3", "two ends"),
            ("8..=128", "includes its upper end"),
            ("99999999999999999999999", "must be at most"),
        ] {
            let error = text.parse::<Axis>().unwrap_err();
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn binary_suffixes_are_read() {
        assert_eq!("2Ki".parse(), Ok(Axis::list([2048])));
        assert_eq!("1Ki..4Ki".parse(), "1024..4096".parse::<Axis>());
        assert!("Ki".parse::<Axis>().is_err());
    }

    fn axes() -> impl Strategy<Value = Axis> {
        prop_oneof![
            Just(Axis::Auto),
            prop::collection::vec(1..=MAX_COUNT, 1..6).prop_map(Axis::list),
            (1..=MAX_COUNT, 1..=MAX_COUNT).prop_map(|(a, b)| Axis::Doubling {
                low: a.min(b),
                high: a.max(b)
            }),
            (1..=MAX_COUNT, 1..=MAX_COUNT, 1..=MAX_COUNT).prop_map(|(a, b, step)| Axis::Stepped {
                low: a.min(b),
                high: a.max(b),
                step
            }),
        ]
    }

    proptest! {
        #[test]
        fn display_parses_back(axis in axes()) {
            prop_assert_eq!(axis.to_string().parse::<Axis>().unwrap(), axis);
        }

        #[test]
        fn any_text_is_an_axis_or_an_error(text in "\\PC*") {
            let _ = text.parse::<Axis>();
        }

        #[test]
        fn near_axes_are_axes_or_errors(text in "[0-9_,.:a ]{0,12}") {
            if let Ok(axis) = text.parse::<Axis>() {
                prop_assert_eq!(axis.to_string().parse::<Axis>().unwrap(), axis);
            }
        }
    }
}
