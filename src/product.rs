//! What lets one book nodes: a product and its rules.
//!
//! Rules are data (`presets/products.toml`); this room knows what each kind of rule means: which
//! lengths are sold, when a booking starts and ends, how long of it can be used, what it is billed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Moment, Span, TimeOfDay};

/// A product that sells nodes for a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Product {
    /// Canonical name, such as `ec2-capacity-block`.
    pub name: String,
    /// What its seller calls it.
    pub title: String,
    /// Who sells it.
    pub provider: String,
    /// How a booking of it is written down.
    pub form: Form,
    /// What it can be booked for.
    pub offered: Offered,
    /// The kind of price it is sold at; `None` for a cluster's first.
    pub price_type: Option<String>,
    /// Lengths sold, ascending; never empty.
    pub lengths: Vec<Step>,
    /// The most nodes of one booking.
    pub max_nodes: Option<u64>,
    /// The most nodes of all bookings of one buyer together.
    pub max_nodes_in_all: Option<u64>,
    /// GPUs are sold in multiples of this.
    pub gpu_multiple: u64,
    /// The time of day, UTC, at which every booking ends.
    pub ends_at: Option<TimeOfDay>,
    /// How long before the end of a booking its nodes begin to be taken away, seconds.
    #[serde(rename = "stops_before_end_s", serialize_with = "seconds")]
    pub stops_before_end: Span,
    /// How long ahead of its start a booking can be made, at most, seconds.
    #[serde(rename = "book_ahead_s", serialize_with = "seconds_if_any")]
    pub book_ahead: Option<Span>,
    /// What is billed.
    pub billing: Billing,
    /// Whether a booking can be made longer.
    pub extends: bool,
    /// Whether and how a booking can be cancelled or changed, in words.
    pub cancel: String,
    /// What else a buyer has to know, in words.
    pub caution: String,
    /// Where the rules come from.
    pub source: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference to the field"
)]
fn seconds<S: serde::Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(span.seconds())
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn seconds_if_any<S: serde::Serializer>(
    span: &Option<Span>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    span.map(Span::seconds).serialize(serializer)
}

/// How a booking is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Fields to fill in.
    #[default]
    Fields,
    /// The fields of an EC2 Capacity Block offering.
    CapacityBlock,
    /// A `gcloud compute future-reservations create` command in calendar mode.
    GcloudCalendar,
    /// A `scontrol create reservation` command.
    Slurm,
}

/// What a product can be booked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offered {
    /// These clusters.
    Clusters(Vec<String>),
    /// Clusters with a price of the product's type; hours on demand also those with a price by another
    /// name of them, of the kind asked for, or of one that says nothing of itself.
    WherePriced,
    /// Clusters that nobody else sells: one's own.
    Elsewhere,
}

/// What is billed of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Billing {
    /// The whole booking, before it starts.
    Upfront,
    /// The whole booking.
    #[default]
    Booked,
    /// The hours that were used.
    Used,
}

/// Lengths sold: every multiple of `step` beyond what the step before goes up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Difference between two lengths, seconds; never 0.
    #[serde(rename = "step_s", serialize_with = "seconds")]
    pub step: Span,
    /// The longest sold in this step, seconds; `None` when there is no longest.
    #[serde(rename = "up_to_s", serialize_with = "seconds_if_any")]
    pub up_to: Option<Span>,
}

impl std::fmt::Display for Billing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Upfront => "whole, upfront",
            Self::Booked => "whole",
            Self::Used => "as used",
        })
    }
}

impl Product {
    /// The shortest length sold that is at least `needed`; `None` when that is too long.
    #[must_use]
    pub fn shortest(&self, needed: Span) -> Option<Span> {
        let mut base = Span::ZERO;
        for Step { step, up_to } in &self.lengths {
            let missing = needed.minus(base).seconds();
            let steps = missing.div_ceil(step.seconds().max(1)).max(1);
            let length = steps
                .checked_mul(step.seconds())
                .and_then(|seconds| seconds.checked_add(base.seconds()))
                .and_then(Span::from_seconds)?;
            match up_to {
                Some(up_to) if length > *up_to => base = *up_to,
                _ => return Some(length),
            }
        }
        None
    }

    /// The longest length sold that is at most `most`; `None` when all are longer.
    #[must_use]
    pub fn longest_within(&self, most: Span) -> Option<Span> {
        let mut base = Span::ZERO;
        let mut found = None;
        for Step { step, up_to } in &self.lengths {
            let end = up_to.map_or(most, |up_to| up_to.min(most));
            let steps = end.minus(base).seconds() / step.seconds().max(1);
            if steps > 0 {
                found = Span::from_seconds(base.seconds() + steps * step.seconds());
            }
            match up_to {
                Some(up_to) => base = *up_to,
                None => break,
            }
        }
        found
    }

    /// The next longer length sold.
    #[must_use]
    pub fn longer(&self, length: Span) -> Option<Span> {
        self.shortest(length.plus(Span::from_seconds(1)?))
            .filter(|longer| *longer > length)
    }

    /// The next shorter length sold.
    #[must_use]
    pub fn shorter(&self, length: Span) -> Option<Span> {
        let below = length.seconds().checked_sub(1)?;
        self.longest_within(Span::from_seconds(below)?)
    }

    /// The longest length sold; `None` when there is no longest.
    #[must_use]
    pub fn longest(&self) -> Option<Span> {
        self.lengths.last().and_then(|step| step.up_to)
    }

    /// How long the longest booking can be used; `None` when there is no longest.
    #[must_use]
    pub fn longest_usable(&self) -> Option<Span> {
        self.longest().map(|longest| self.usable(longest))
    }

    /// How much of a booking of that length can be used.
    #[must_use]
    pub fn usable(&self, length: Span) -> Span {
        length.minus(self.stops_before_end)
    }

    /// The shortest length sold of which `needed` can be used.
    #[must_use]
    pub fn shortest_usable(&self, needed: Span) -> Option<Span> {
        self.shortest(needed.plus(self.stops_before_end))
    }

    /// What is billed by the time that so much of a booking billed whole is over: every step of its
    /// length that was begun, none beyond its end.
    #[must_use]
    pub fn begun(&self, gone: Span, length: Span) -> Span {
        if gone == Span::ZERO {
            return Span::ZERO;
        }
        self.shortest(gone)
            .map_or(length, |begun| begun.min(length))
    }

    /// The first start from `asked` on: where bookings end at a time of day they start at it too,
    /// as they last whole days.
    #[must_use]
    pub fn first_start(&self, asked: Moment) -> Option<Moment> {
        match self.ends_at {
            Some(clock) => asked.next_at(clock),
            None => Some(asked),
        }
    }

    /// The last start up to `by`.
    #[must_use]
    pub fn last_start(&self, by: Moment) -> Option<Moment> {
        match self.ends_at {
            Some(clock) => by.last_at(clock),
            None => Some(by),
        }
    }

    /// Nodes to book for at least `nodes` of them, in the multiples sold.
    #[must_use]
    pub fn booked_nodes(&self, nodes: u64, gpus_per_node: u64) -> u64 {
        (nodes..nodes.saturating_add(self.gpu_multiple.max(1)))
            .find(|nodes| self.is_in_multiples(*nodes, gpus_per_node))
            .unwrap_or(nodes)
    }

    /// Whether the GPUs of so many nodes are a multiple that is sold.
    fn is_in_multiples(&self, nodes: u64, gpus_per_node: u64) -> bool {
        let gpus = nodes.saturating_mul(gpus_per_node.max(1));
        gpus.is_multiple_of(self.gpu_multiple.max(1))
    }

    /// The most nodes up to `most` that are sold; 0 where even the smallest multiple is more.
    #[must_use]
    pub fn most_nodes(&self, most: u64, gpus_per_node: u64) -> u64 {
        let fewest = most.saturating_sub(self.gpu_multiple);
        (fewest..=most)
            .rev()
            .find(|nodes| self.is_in_multiples(*nodes, gpus_per_node))
            .unwrap_or(0)
    }

    /// The lengths sold, in words: `1 d steps to 14 d, then 7 d steps to 182 d`.
    #[must_use]
    pub fn lengths_words(&self) -> String {
        let steps: Vec<String> = self
            .lengths
            .iter()
            .map(|Step { step, up_to }| match up_to {
                Some(up_to) => format!("{step} steps to {up_to}"),
                None => format!("{step} steps"),
            })
            .collect();
        steps.join(", then ")
    }

    /// Whether its rules need to know the calendar.
    #[must_use]
    pub fn needs_dates(&self) -> bool {
        self.ends_at.is_some()
    }
}

#[cfg(test)]
pub(crate) mod tests;
