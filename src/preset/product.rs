//! Tables of products: what lets one book nodes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{At, Spelled, Whole};
use crate::calendar::{Span, TimeOfDay};
use crate::diagnostic::{Diagnostic, Origin};
use crate::product::{Billing, Form, Offered, Product, Step};

/// A product that lets one book nodes, and its rules.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with the keys of a product")]
pub(crate) struct ProductTable {
    /// What its seller calls it; the table's own name unless given.
    pub(crate) title: Option<String>,
    /// Who sells it; `own` unless given.
    pub(crate) provider: Option<String>,
    /// How a booking is written down; `fields` unless given.
    #[serde(default)]
    pub(crate) form: Form,
    /// Clusters it sells; left out, it stands for clusters that no product sells.
    #[serde(default)]
    pub(crate) clusters: Vec<At<String>>,
    /// Whether it sells every cluster with a price of its `price_type`; hours on demand also where a
    /// price goes by another name of them, is of the kind asked for, or says nothing of itself.
    #[serde(default)]
    pub(crate) where_priced: bool,
    /// The kind of price it is sold at; the cluster's first price unless given.
    pub(crate) price_type: Option<At<String>>,
    /// Lengths sold, ascending.
    pub(crate) lengths: At<Vec<StepTable>>,
    /// The most nodes of one booking.
    pub(crate) max_nodes: Option<Whole>,
    /// The most nodes of all bookings of one buyer together.
    pub(crate) max_nodes_in_all: Option<Whole>,
    /// GPUs are sold in multiples of this; 1 unless given.
    pub(crate) gpu_multiple: Option<At<Whole>>,
    /// The time of day, UTC, at which every booking ends; it then starts at it too.
    pub(crate) ends_at: Option<Spelled<TimeOfDay>>,
    /// How long before the end its nodes begin to be taken away.
    pub(crate) stops_before_end: Option<At<Spelled<Span>>>,
    /// How long ahead of its start a booking can be made, at most.
    pub(crate) book_ahead: Option<Spelled<Span>>,
    /// What is billed; `booked` unless given.
    #[serde(default)]
    pub(crate) billing: Billing,
    /// Whether a booking can be made longer; not unless given.
    #[serde(default)]
    pub(crate) extends: bool,
    /// Whether and how a booking can be cancelled, in words.
    #[serde(default)]
    pub(crate) cancel: String,
    /// What else a buyer has to know, in words.
    #[serde(default)]
    pub(crate) caution: String,
    /// Other names it is found by.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Where the rules come from.
    #[serde(default)]
    pub(crate) source: String,
}

/// Lengths sold: every multiple of `step` beyond what the step before goes up to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a step such as { step = \"1d\", up_to = \"14d\" }"
)]
pub(crate) struct StepTable {
    /// Difference between two lengths.
    step: At<Spelled<Span>>,
    /// The longest sold in this step; left out in the last, there is no longest.
    up_to: Option<At<Spelled<Span>>>,
}

/// More GPUs than any product sells at once.
const MAX_MULTIPLE: u64 = 1 << 16;

impl ProductTable {
    /// The product of that table.
    ///
    /// # Errors
    /// Rules that can't all be kept: no length, lengths that don't ascend, a time of day without
    /// whole days.
    pub(super) fn build(&self, name: &At<String>, origin: &Origin) -> Result<Product, Diagnostic> {
        let refuse = |message: String, span: &std::ops::Range<usize>, label: &str| {
            Err(Diagnostic::new(message)
                .in_text(origin.clone())
                .at(span.clone(), label))
        };
        let lengths = self.steps(origin)?;
        let whole_days = lengths.iter().all(|step| step.step.is_whole_days());
        if self.ends_at.is_some() && !whole_days {
            let message = "a booking that ends at a time of day has to last whole days".to_owned();
            return refuse(message, &self.lengths.span, "not whole days");
        }
        let shortest = lengths.first().map_or(Span::ZERO, |step| step.step);
        let stops_before_end = self.stops_before_end.as_ref();
        if let Some(at) = stops_before_end
            && at.value.0 >= shortest
        {
            let message = format!(
                "nodes that stop {} before the end leave nothing of a booking of {shortest}",
                at.value.0
            );
            return refuse(message, &at.span, "not shorter than the shortest booking");
        }
        if let Some(at) = &self.gpu_multiple
            && at.value.0 > MAX_MULTIPLE
        {
            let message = format!("`gpu_multiple` is {}, more than {MAX_MULTIPLE}", at.value.0);
            return refuse(message, &at.span, "out of range");
        }
        if self.where_priced && self.price_type.is_none() {
            let message = "`where_priced` needs a `price_type`".to_owned();
            return refuse(message, &name.span, "sold at which price?");
        }
        let text = |set: &Option<String>, or: &str| set.clone().unwrap_or_else(|| or.to_owned());
        Ok(Product {
            name: name.value.clone(),
            title: text(&self.title, &name.value),
            provider: text(&self.provider, "own"),
            form: self.form,
            offered: self.offered(),
            price_type: self.price_type.as_ref().map(|at| at.value.clone()),
            lengths,
            max_nodes: self.max_nodes.map(|most| most.0),
            max_nodes_in_all: self.max_nodes_in_all.map(|most| most.0),
            gpu_multiple: self.gpu_multiple.as_ref().map_or(1, |at| at.value.0),
            ends_at: self.ends_at.as_ref().map(|clock| clock.0),
            stops_before_end: stops_before_end.map_or(Span::ZERO, |at| at.value.0),
            book_ahead: self.book_ahead.as_ref().map(|span| span.0),
            billing: self.billing,
            extends: self.extends,
            cancel: self.cancel.clone(),
            caution: self.caution.clone(),
            source: self.source.clone(),
        })
    }

    fn offered(&self) -> Offered {
        if self.where_priced {
            Offered::WherePriced
        } else if self.clusters.is_empty() {
            Offered::Elsewhere
        } else {
            Offered::Clusters(self.clusters.iter().map(|at| at.value.clone()).collect())
        }
    }

    fn steps(&self, origin: &Origin) -> Result<Vec<Step>, Diagnostic> {
        let refuse = |message: &str, span: &std::ops::Range<usize>| {
            Err(Diagnostic::new(message)
                .in_text(origin.clone())
                .at(span.clone(), "here")
                .help(
                    "days to two weeks, then weeks to half a year: \
                     `[{ step = \"1d\", up_to = \"14d\" }, { step = \"7d\", up_to = \"182d\" }]`",
                ))
        };
        let tables = &self.lengths.value;
        let mut base = Span::ZERO;
        for (index, table) in tables.iter().enumerate() {
            let step = table.step.value.0;
            match &table.up_to {
                Some(up_to) => {
                    let rise = up_to.value.0.minus(base).seconds();
                    if rise == 0 || !rise.is_multiple_of(step.seconds().max(1)) {
                        return refuse("lengths have to go up in whole steps", &up_to.span);
                    }
                    base = up_to.value.0;
                }
                None if index + 1 < tables.len() => {
                    return refuse("only the last step can go on without end", &table.step.span);
                }
                None => {}
            }
        }
        if tables.is_empty() {
            return refuse("no length is sold", &self.lengths.span);
        }
        Ok(tables
            .iter()
            .map(|table| Step {
                step: table.step.value.0,
                up_to: table.up_to.as_ref().map(|at| at.value.0),
            })
            .collect())
    }
}
