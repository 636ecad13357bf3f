//! One axis of the search: `8`, `8,16,32`, `8..128` (doubling), `8..128:8` (in steps), `auto`.
//!
//! An axis may be astronomically long (`1..1_000_000_000_000:1`), so its values are computed from
//! their position and never stored.

mod parse;

use std::fmt;

use serde::{Serialize, Serializer};

pub use parse::AxisError;

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
    /// Whatever makes sense there; see [`Axes`](crate::search::Axes) for what that means on each axis.
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

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        })
    }
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
    use crate::quantity::MAX_COUNT;
    use proptest::prelude::*;

    #[test]
    fn a_long_axis_costs_nothing() {
        let axis: Axis = "1..1_000_000_000_000_000_000:1".parse().unwrap();
        assert_eq!(axis.len(), MAX_COUNT);
        assert_eq!(axis.get(MAX_COUNT - 1), Some(MAX_COUNT));
        assert_eq!(axis.get(MAX_COUNT), None);
        assert_eq!(axis.largest_up_to(u64::MAX), Some(MAX_COUNT));
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
