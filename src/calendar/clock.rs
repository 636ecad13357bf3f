//! Times of day.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::SECONDS_PER_MINUTE;
use crate::quantity::QuantityError;

/// A time of day in UTC, to the minute: `11:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeOfDay {
    minutes: u64,
}

impl TimeOfDay {
    pub(super) fn seconds(self) -> u64 {
        self.minutes * SECONDS_PER_MINUTE
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for TimeOfDay {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || QuantityError {
            text: text.to_owned(),
            expected: "a time of day such as 11:30",
            reason: "hours and minutes, 00:00 to 23:59".into(),
        };
        let two = |digits: &str, most: u64| -> Option<u64> {
            let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|value| plain && *value < most)
        };
        let (hours, minutes) = text.trim().split_once(':').ok_or_else(fail)?;
        match (two(hours, 24), two(minutes, 60)) {
            (Some(hours), Some(minutes)) => Ok(Self {
                minutes: hours * 60 + minutes,
            }),
            _ => Err(fail()),
        }
    }
}
