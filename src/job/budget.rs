//! Amounts of a job as people write them: the token budget, the global batch.

use std::fmt;
use std::str::FromStr;

use super::{GlobalBatch, Objective};
use crate::preset::Written;
use crate::quantity::{Confidence, MAX_COUNT, QuantityError, Tokens};
use crate::search::{Axis, Switch};

/// How many tokens to train on.
///
/// ```
/// use tminus::job::TokenBudget;
/// let chinchilla: TokenBudget = "20x".parse().unwrap();
/// assert_eq!(chinchilla.resolve(1_000_000).unwrap().get(), 20_000_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TokenBudget {
    /// So many.
    Total(Tokens),
    /// So many per parameter.
    PerParameter(f64),
}

const BUDGET_EXPECTED: &str =
    "a number of tokens such as 134B, or of tokens per parameter such as 20x";

impl TokenBudget {
    /// Twenty tokens per parameter: compute-optimal by Hoffmann et al. 2022 (arXiv 2203.15556).
    pub const COMPUTE_OPTIMAL: Self = Self::PerParameter(20.0);

    /// The tokens for a model of `params` parameters.
    ///
    /// # Errors
    /// When they are less than 1 or more than [`MAX_COUNT`].
    pub fn resolve(self, params: u64) -> Result<Tokens, QuantityError> {
        match self {
            Self::Total(tokens) => Ok(tokens),
            Self::PerParameter(ratio) => {
                let tokens = (ratio * params as f64).round();
                let fail = |reason: String| QuantityError {
                    text: self.to_string(),
                    expected: BUDGET_EXPECTED,
                    reason,
                };
                if !(1.0..=MAX_COUNT as f64).contains(&tokens) {
                    return Err(fail(format!(
                        "times {params} parameters it is not from 1 to {MAX_COUNT} tokens"
                    )));
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "whole, and from 1 to 10^18"
                )]
                Tokens::new(tokens as u64)
            }
        }
    }
}

impl FromStr for TokenBudget {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: &str| QuantityError {
            text: text.to_owned(),
            expected: BUDGET_EXPECTED,
            reason: reason.to_owned(),
        };
        let Some(ratio) = text.trim().strip_suffix(['x', 'X', '×']) else {
            return text
                .parse()
                .map(Self::Total)
                .map_err(|error: QuantityError| fail(&error.reason));
        };
        let decimal = ratio
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == '_');
        let ratio: f64 = ratio
            .replace('_', "")
            .parse()
            .ok()
            .filter(|_| decimal)
            .ok_or_else(|| fail("what stands before `x` must be a number"))?;
        if ratio > 0.0 && ratio.is_finite() {
            Ok(Self::PerParameter(ratio))
        } else {
            Err(fail("it must be greater than zero"))
        }
    }
}

impl fmt::Display for TokenBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total(tokens) => tokens.fmt(f),
            Self::PerParameter(ratio) => write!(f, "{ratio}x"),
        }
    }
}

const BATCH_EXPECTED: &str =
    "a global batch in tokens such as 2Mi or 2097152, or a range such as 1M..4M";

/// `2Mi`, `2097152`, or a range `1M..4M`.
impl FromStr for GlobalBatch {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: String| QuantityError {
            text: text.to_owned(),
            expected: BATCH_EXPECTED,
            reason,
        };
        let tokens = |part: &str| {
            part.parse::<Tokens>()
                .map(Tokens::get)
                .map_err(|error| fail(error.reason))
        };
        let (min, max) = match text.split_once("..") {
            Some((min, _)) if min.trim().is_empty() => {
                return Err(fail("its lower end is missing".into()));
            }
            Some((_, max)) if max.trim().is_empty() => {
                return Err(fail("its upper end is missing".into()));
            }
            Some((min, max)) => (tokens(min)?, tokens(max)?),
            None => (tokens(text)?, tokens(text)?),
        };
        if min > max {
            return Err(fail("its start is more than its end".into()));
        }
        Ok(Self { min, max })
    }
}

impl fmt::Display for GlobalBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show =
            |count: u64| Tokens::new(count).map_or_else(|_| count.to_string(), |t| t.to_string());
        if self.min == self.max {
            f.write_str(&show(self.min))
        } else {
            write!(f, "{}..{}", show(self.min), show(self.max))
        }
    }
}

impl Written for TokenBudget {
    const EXPECTED: &'static str =
        "a number of tokens such as \"134B\" or 134_000_000_000, or \"20x\": 20 per parameter";
    const TYPES: &'static [&'static str] = &["string", "integer"];
}

impl Written for GlobalBatch {
    const EXPECTED: &'static str = "tokens per step such as \"2Mi\", 2_097_152 or \"1M..4M\"";
    const TYPES: &'static [&'static str] = &["string", "integer"];
}

impl Written for Confidence {
    const EXPECTED: &'static str = "a confidence such as 0.9";
    const TYPES: &'static [&'static str] = &["number"];
}

impl Written for Axis {
    const EXPECTED: &'static str =
        "8, [8, 16], \"8..128\" (doubling), \"8..128:8\" (that step) or \"auto\"";
    const TYPES: &'static [&'static str] = &["integer", "array", "string"];
}

/// A [`Switch`] as the file writes it: also as a TOML boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnOffAuto(pub(super) Switch);

impl FromStr for OnOffAuto {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self(Switch::On)),
            "off" => Ok(Self(Switch::Off)),
            "auto" => Ok(Self(Switch::Auto)),
            other => Err(format!("`{other}` is not {}", Self::EXPECTED)),
        }
    }
}

impl Written for OnOffAuto {
    const EXPECTED: &'static str = "\"on\", \"off\" or \"auto\"";
    const TYPES: &'static [&'static str] = &["string", "boolean"];
}

impl FromStr for Objective {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [
            Self::Time,
            Self::Cost,
            Self::GpuHours,
            Self::Throughput,
            Self::Pareto,
        ]
        .into_iter()
        .find(|objective| objective.to_string() == text.trim())
        .ok_or_else(|| QuantityError {
            text: text.to_owned(),
            expected: "an order of the ranking",
            reason: "known are time, cost, gpu-hours, throughput and pareto".into(),
        })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Time => "time",
            Self::Cost => "cost",
            Self::GpuHours => "gpu-hours",
            Self::Throughput => "throughput",
            Self::Pareto => "pareto",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_missing_is_named() {
        for (text, reason) in [
            ("1Mi..", "upper end is missing"),
            ("..4M", "lower end is missing"),
            ("", "it is empty"),
        ] {
            let error = text.parse::<GlobalBatch>().unwrap_err();
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }
}
