//! One axis of the search: `8`, `8,16,32`, `8..128` (doubling), `8..128:8` (in steps), `auto`.
//!
//! An axis may be astronomically long (`1..1_000_000_000_000:1`), so its values are computed from
//! their position and never stored.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::quantity::MAX_COUNT;

/// The values a number takes in the search.
///
/// ```
/// use tminus::search::Axis;
/// let axis: Axis = "8..100".parse().unwrap();
/// assert_eq!(axis.iter().collect::<Vec<_>>(), [8, 16, 32, 64]);
/// let axis: Axis = "1..1_000_000_000_000:1".parse().unwrap();
/// assert_eq!(axis.len(), 1_000_000_000_000);
/// assert!("128..8".parse::<Axis>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Axis {
    /// Whatever makes sense there; see [`Axes`](super::Axes) for what that means on each axis.
    #[default]
    Auto,
    /// These values, ascending, without repeats.
    List(Vec<u64>),
    /// `low`, `2·low`, `4·low`, … up to `high`.
    Doubling {
        /// First value.
        low: u64,
        /// Last value, at most.
        high: u64,
    },
    /// `low`, `low + step`, … up to `high`.
    Stepped {
        /// First value.
        low: u64,
        /// Last value, at most.
        high: u64,
        /// Difference, at least 1.
        step: u64,
    },
}

impl Axis {
    /// An axis of these values, in any order.
    #[must_use]
    pub fn list(values: impl IntoIterator<Item = u64>) -> Self {
        let mut values: Vec<u64> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        Self::List(values)
    }

    /// How many values it has; `auto` has none until the space resolves it.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Auto => 0,
            Self::List(values) => values.len() as u64,
            Self::Doubling { low, high } => high
                .checked_div(*low)
                .and_then(u64::checked_ilog2)
                .map_or(0, |doublings| u64::from(doublings) + 1),
            Self::Stepped { low, high, step } => high
                .checked_sub(*low)
                .and_then(|width| width.checked_div(*step))
                .map_or(0, |steps| steps.saturating_add(1)),
        }
    }

    /// Whether it has no value, as `auto` before it is resolved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`, ascending from 0.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<u64> {
        match self {
            Self::List(values) => values.get(usize::try_from(index).ok()?).copied(),
            _ if index >= self.len() => None,
            Self::Auto => None,
            Self::Doubling { low, .. } => low.checked_shl(u32::try_from(index).ok()?),
            Self::Stepped { low, step, .. } => low.checked_add(step.checked_mul(index)?),
        }
    }

    /// How many of its values are below `bound`.
    #[must_use]
    pub fn count_below(&self, bound: u64) -> u64 {
        let Some(last) = bound.checked_sub(1) else {
            return 0;
        };
        match self {
            Self::Auto => 0,
            Self::List(values) => values.partition_point(|value| *value < bound) as u64,
            Self::Doubling { low, high } => Self::Doubling {
                low: *low,
                high: last.min(*high),
            }
            .len(),
            Self::Stepped { low, high, step } => Self::Stepped {
                low: *low,
                high: last.min(*high),
                step: *step,
            }
            .len(),
        }
    }

    /// How many of its values are at most `bound`.
    #[must_use]
    pub fn count_up_to(&self, bound: u64) -> u64 {
        bound
            .checked_add(1)
            .map_or_else(|| self.len(), |bound| self.count_below(bound))
    }

    /// Its largest value that is at most `bound`.
    #[must_use]
    pub fn largest_up_to(&self, bound: u64) -> Option<u64> {
        self.get(self.count_up_to(bound).checked_sub(1)?)
    }

    /// Whether `value` is on it.
    #[must_use]
    pub fn contains(&self, value: u64) -> bool {
        match self {
            Self::Stepped { low, high, step } => {
                (*low..=*high).contains(&value) && (value - low).is_multiple_of(*step)
            }
            _ => self.largest_up_to(value) == Some(value),
        }
    }

    /// Its values, ascending; none for `auto`.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map_while(|index| self.get(index))
    }
}

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
    let digits = text.replace('_', "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{what} is `{text}`, but must be a whole number"));
    }
    match digits.parse::<u64>() {
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

/// As it is typed.
impl Serialize for Axis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An on/off choice of the search.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// Both are tried.
    #[default]
    Auto,
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// The choices it stands for, `false` first.
    #[must_use]
    pub fn choices(self) -> &'static [bool] {
        match self {
            Self::Auto => &[false, true],
            Self::On => &[true],
            Self::Off => &[false],
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
    fn a_long_axis_costs_nothing() {
        let axis: Axis = "1..1_000_000_000_000_000_000:1".parse().unwrap();
        assert_eq!(axis.len(), MAX_COUNT);
        assert_eq!(axis.get(MAX_COUNT - 1), Some(MAX_COUNT));
        assert_eq!(axis.get(MAX_COUNT), None);
        assert_eq!(axis.largest_up_to(u64::MAX), Some(MAX_COUNT));
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

    fn short_axes() -> impl Strategy<Value = Axis> {
        prop_oneof![
            prop::collection::vec(1..60_u64, 1..6).prop_map(Axis::list),
            (1..40_u64, 0..300_u64).prop_map(|(low, width)| Axis::Doubling {
                low,
                high: low + width
            }),
            (1..40_u64, 0..60_u64, 1..9_u64).prop_map(|(low, width, step)| Axis::Stepped {
                low,
                high: low + width,
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

        #[test]
        fn positions_agree_with_the_values(axis in short_axes(), bound in 0..400_u64) {
            let values: Vec<u64> = axis.iter().collect();
            prop_assert_eq!(values.len() as u64, axis.len());
            prop_assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
            let below = values.iter().filter(|value| **value < bound).count() as u64;
            prop_assert_eq!(axis.count_below(bound), below);
            prop_assert_eq!(axis.contains(bound), values.contains(&bound));
            let largest = values.iter().copied().filter(|value| *value <= bound).max();
            prop_assert_eq!(axis.largest_up_to(bound), largest);
        }
    }
}
