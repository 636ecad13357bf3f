//! The `[reserve]` table and its flags: what a booking has to achieve, and by which products.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::keys::{Names, WordOrWords};
use super::launch::Word;
use super::reader::Reader;
use super::settings::{SetAt, Sourced};
use crate::calendar::{Due, Moment};
use crate::preset::{At, Spelled, Whole, Written};
use crate::quantity::{QuantityError, display_dollars_asked, without_separators};

/// US dollars: greater than 0, at most 10¹².
///
/// ```
/// use tminus::job::Usd;
/// assert_eq!("25k".parse::<Usd>().unwrap().get(), 25_000.0);
/// assert_eq!("$25_000".parse::<Usd>().unwrap().get(), 25_000.0);
/// assert!("25000 EUR".parse::<Usd>().is_err());
/// assert!("0".parse::<Usd>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Usd(f64);

const MAX_USD: f64 = 1e12;
const USD_EXPECTED: &str = "an amount of US dollars such as 25000 or 25k";

impl Usd {
    /// Dollars.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Usd {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: &str| QuantityError {
            text: text.to_owned(),
            expected: USD_EXPECTED,
            reason: reason.to_owned(),
        };
        let written = text.trim().trim_start_matches('$').to_ascii_lowercase();
        let written = written.strip_suffix("usd").unwrap_or(&written).trim_end();
        let end = written.find(|c: char| !(c.is_ascii_digit() || "._,".contains(c)));
        let (digits, suffix) = written.split_at(end.unwrap_or(written.len()));
        let factor = match suffix.trim() {
            "" => 1.0,
            "k" => 1e3,
            "m" => 1e6,
            _ if written.starts_with('-') => return Err(fail("it must be greater than zero")),
            _ if digits.is_empty() => return Err(fail("it must start with a digit")),
            _ => {
                return Err(fail(
                    "budgets are in US dollars, with k or m at most after the number",
                ));
            }
        };
        let plain = without_separators(digits, &[]);
        let value: f64 = plain.parse().map_err(|_| {
            fail(if plain.contains(',') {
                "commas part groups of three digits; a part of a whole comes after a point"
            } else {
                "it must be a number"
            })
        })?;
        let dollars = value * factor;
        if dollars < 0.01 {
            Err(fail("it must be greater than zero"))
        } else if dollars > MAX_USD {
            Err(fail("it is more than 10^12"))
        } else {
            Ok(Self(dollars))
        }
    }
}

impl Written for Usd {
    const EXPECTED: &'static str = "an amount of US dollars such as 25000 or \"25k\"";
    const TYPES: &'static [&'static str] = &["string", "number"];
}

/// How sure a booking has to be: strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// The probability.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

/// Nine in ten: as sure as the intervals are unless told otherwise.
impl Default for Probability {
    fn default() -> Self {
        Self(0.9)
    }
}

impl FromStr for Probability {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason: &str| QuantityError {
            text: text.to_owned(),
            expected: "a probability such as 0.9",
            reason: reason.to_owned(),
        };
        let share: f64 = text
            .trim()
            .parse()
            .map_err(|_| fail("it must be a number"))?;
        // Beyond a millionth from either end, no distribution here says anything.
        if (1e-6..=1.0 - 1e-6).contains(&share) {
            Ok(Self(share))
        } else {
            Err(fail(
                "it must lie between 0 and 1, neither of which can be promised",
            ))
        }
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Written for Probability {
    const EXPECTED: &'static str = "a probability between 0 and 1 such as 0.9";
    const TYPES: &'static [&'static str] = &["number"];
}

impl Written for Due {
    const EXPECTED: &'static str =
        "a date such as \"2026-12-15\", or a length of time such as \"14d\"";
    const TYPES: &'static [&'static str] = &["string"];
}

impl Written for Moment {
    const EXPECTED: &'static str = "a date such as \"2026-12-01\" or \"2026-12-01T09:00Z\"";
    const TYPES: &'static [&'static str] = &["string"];
}

/// What is asked of a booking, each left open until it is set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReserveSettings {
    /// When the run has to be done.
    pub deadline: Option<Sourced<Due>>,
    /// What it may cost.
    pub budget: Option<Sourced<Usd>>,
    /// How many nodes train.
    pub nodes: Option<Sourced<u64>>,
    /// When a booking can start, at the earliest.
    pub start: Option<Sourced<Moment>>,
    /// The day the booking is made.
    pub as_of: Option<Sourced<Moment>>,
    /// How sure it has to be.
    pub probability: Option<Sourced<Probability>>,
    /// Names of the products to book by.
    pub products: Vec<Sourced<String>>,
    /// Who may use a Slurm reservation.
    pub users: Option<Word>,
    /// The zone of a Google Cloud reservation.
    pub zone: Option<Word>,
    /// Goals of another kind that a flag took the place of, as a note says it.
    pub replaced: Option<String>,
}

impl ReserveSettings {
    /// These settings, and where they leave something open, the other's. A goal takes the place
    /// of any other goal.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        let replaced = self.gives_way(&other);
        let other = if self.has_goal() {
            Self {
                deadline: None,
                budget: None,
                nodes: None,
                ..other
            }
        } else {
            other
        };
        Self {
            deadline: self.deadline.or(other.deadline),
            budget: self.budget.or(other.budget),
            nodes: self.nodes.or(other.nodes),
            start: self.start.or(other.start),
            as_of: self.as_of.or(other.as_of),
            probability: self.probability.or(other.probability),
            products: if self.products.is_empty() {
                other.products
            } else {
                self.products
            },
            users: self.users.or(other.users),
            zone: self.zone.or(other.zone),
            replaced: self.replaced.or(replaced).or(other.replaced),
        }
    }

    /// What of the other's goals gives way to a flag's that is of another kind.
    fn gives_way(&self, other: &Self) -> Option<String> {
        let places = [
            self.deadline.as_ref().map(|set| &set.place),
            self.budget.as_ref().map(|set| &set.place),
            self.nodes.as_ref().map(|set| &set.place),
        ];
        let flag = places.into_iter().flatten().find_map(|place| match place {
            SetAt::Flag(flag) => Some(*flag),
            SetAt::File { .. } => None,
        })?;
        let deadline = other.deadline.as_ref().filter(|_| self.deadline.is_none());
        let budget = other.budget.as_ref().filter(|_| self.budget.is_none());
        let nodes = other.nodes.as_ref().filter(|_| self.nodes.is_none());
        let goals = [
            deadline.map(|set| format!("the deadline of the job file, {}", set.value)),
            budget.map(|set| {
                let usd = display_dollars_asked(set.value.get());
                format!("the budget of the job file, ${usd}")
            }),
            nodes.map(|set| format!("the nodes of the job file, {}", set.value)),
        ];
        let goals: Vec<String> = goals.into_iter().flatten().collect();
        (!goals.is_empty()).then(|| {
            format!(
                "{flag} takes the place of {}, which the booking need not keep",
                goals.join(", and of ")
            )
        })
    }

    /// Whether a booking is asked for: a deadline, a budget or a node count is set.
    #[must_use]
    pub fn has_goal(&self) -> bool {
        self.deadline.is_some() || self.budget.is_some() || self.nodes.is_some()
    }
}

/// What a booking has to achieve (`tminus reserve`): one of `deadline`, `budget` and `nodes`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table about a booking")]
pub(super) struct ReserveTable {
    /// When the run has to be done: a date, or a length of time from the start.
    deadline: Option<At<Spelled<Due>>>,
    /// What the booking may cost, US dollars.
    budget: Option<At<Spelled<Usd>>>,
    /// How many nodes train.
    nodes: Option<At<Whole>>,
    /// When a booking can start, at the earliest; plain dates are 00:00 UTC.
    start: Option<At<Spelled<Moment>>>,
    /// The day the booking is made.
    as_of: Option<At<Spelled<Moment>>>,
    /// How sure the booking has to be; 0.9 unless given.
    probability: Option<At<Spelled<Probability>>>,
    /// The products to book by, by name; every one that sells the cluster unless given.
    product: Option<At<Names>>,
    /// Who may use a Slurm reservation: one name, or several with commas between them or as an array.
    users: Option<WordOrWords>,
    /// The zone of a Google Cloud reservation.
    zone: Option<Word>,
}

impl ReserveTable {
    pub(super) fn settings(&self, file: &Reader<'_>) -> ReserveSettings {
        ReserveSettings {
            deadline: file.spelled(self.deadline.as_ref()),
            budget: file.spelled(self.budget.as_ref()),
            nodes: file
                .set(self.nodes.as_ref())
                .map(|set| set.map(|Whole(count)| count)),
            start: file.spelled(self.start.as_ref()),
            as_of: file.spelled(self.as_of.as_ref()),
            probability: file.spelled(self.probability.as_ref()),
            products: self
                .product
                .as_ref()
                .map(|at| file.all(&at.value.each(&at.span)))
                .unwrap_or_default(),
            users: self.users.clone().map(|WordOrWords(users)| users),
            zone: self.zone.clone(),
            replaced: None,
        }
    }
}
