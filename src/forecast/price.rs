//! Which price a cluster is costed at, and what a reader should know of it.

use std::fmt;

use super::price_kind::{Commitment, PriceKind, is_same};
use crate::calendar::PriceDate;
use crate::hardware::{Cluster, Price, Region};
use crate::quantity::display_unit_price;

/// The date that prices are held against, since nothing reads the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// The day asked for.
    AsOf(PriceDate),
    /// The planned start.
    Start(PriceDate),
    /// The date of the newest price known.
    Newest(PriceDate),
}

impl Reference {
    fn date(self) -> PriceDate {
        match self {
            Self::AsOf(date) | Self::Start(date) | Self::Newest(date) => date,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsOf(date) => write!(f, "{date}, the day asked for"),
            Self::Start(date) => write!(f, "{date}, the planned start"),
            Self::Newest(date) => write!(f, "{date}, the date of the newest price known"),
        }
    }
}

/// Which prices are wanted, and what they are held against.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pricing {
    /// `on-demand`, `spot`, …
    pub price_type: Option<String>,
    /// Who sells it.
    pub provider: Option<String>,
    /// Region it holds for.
    pub region: Option<String>,
    /// Whether the job itself states what an hour costs: the first price of its clusters, of whatever
    /// kind is asked for.
    pub states_own: bool,
    /// What the age of a price is counted from; `None` when there is no dated price at all.
    pub reference: Option<Reference>,
    /// Kinds of price at which whole bookings are sold, and never single hours.
    pub whole_only: Vec<String>,
    /// Kinds of price that a product which sells hours has for itself.
    pub hourly: Vec<String>,
    /// Whether, where no kind is asked for, hours on demand are bought: then not at what is known at
    /// all, nor at a kind in `hourly`.
    pub on_demand_only: bool,
}

impl Pricing {
    /// The price a cluster is costed at: what the job states, or else the first that is of the kind
    /// and place asked for, of an hour of nodes that stay where no kind is. A price that its owner
    /// states without saying what it is for stands in for one that isn't known.
    #[must_use]
    pub fn price<'c>(&self, cluster: &'c Cluster) -> Option<&'c Price> {
        let mut own = cluster.prices.iter().take(usize::from(self.states_own));
        let found = || cluster.prices.iter().find(|price| self.is_asked(price));
        let stated = || cluster.prices.iter().find(|price| price.is_stated());
        // Where no kind is asked for, what is known at all is better than no cost.
        let any = || {
            let mut here = cluster.prices.iter().filter(|price| self.is_here(price));
            here.find(|_| self.price_type.is_none() && !self.on_demand_only)
        };
        own.find(|price| price.is_stated())
            .or_else(found)
            .or_else(stated)
            .or_else(any)
    }

    /// Whether a price is of the kind and the place asked for.
    fn is_asked(&self, price: &Price) -> bool {
        self.is_of_kind_asked(price) && self.is_here(price)
    }

    /// Whether a price is of the kind asked for, wherever it holds.
    pub(super) fn is_of_kind_asked(&self, price: &Price) -> bool {
        let kind = &price.price_type;
        match &self.price_type {
            Some(asked) => is_same(asked, kind),
            None => self.is_plain(kind) && !(self.on_demand_only && among(&self.hourly, kind)),
        }
    }

    fn is_here(&self, price: &Price) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            let wanted = wanted.as_deref();
            wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
        };
        is(&self.provider, &price.provider)
            && match price.place() {
                Region::Anywhere | Region::Unsaid => true,
                Region::Named(region) => is(&self.region, region),
            }
    }

    /// Whether hours of nodes that stay are sold at a kind of price, to whoever asks and as many as
    /// are used: what a price is taken to be for unless another kind is asked for.
    pub(crate) fn is_plain(&self, price_type: &str) -> bool {
        let kind = PriceKind::of(price_type);
        matches!(kind, PriceKind::OnDemand | PriceKind::Other) && !self.sells_whole(price_type)
    }

    /// Whether a price is taken for plain hours that doesn't say that it is.
    fn is_taken_for_plain(&self, price: &Price) -> bool {
        let kind = self.kind_of(price);
        let said = self.price_type.is_some() || price.is_stated() || self.sells_whole(kind);
        !said && PriceKind::of(kind) == PriceKind::Other
    }

    /// The kind of a price: what the job itself states is of the kind asked for.
    fn kind_of<'p>(&'p self, price: &'p Price) -> &'p str {
        let own = self.states_own && price.is_stated();
        let asked = self.price_type.as_ref().filter(|_| own);
        asked.unwrap_or(&price.price_type)
    }

    /// Whether what is costed at a price of that type, or asked for where none is known, are nodes
    /// that are taken back at any time.
    #[must_use]
    pub fn is_spot(&self, price_type: Option<&str>) -> bool {
        let asked = || self.price_type.as_deref();
        let kind = match price_type {
            None => asked(),
            // What the job itself states is of the kind asked for; any other is of none.
            Some(Price::STATED) => asked().filter(|_| self.states_own),
            told => told,
        };
        kind.is_some_and(|kind| PriceKind::of(kind) == PriceKind::Spot)
    }

    /// What a price binds one to beyond what is used; `None` where that is nothing.
    #[must_use]
    pub fn commitment(&self, price: &Price) -> Option<Commitment> {
        match PriceKind::of(self.kind_of(price)) {
            PriceKind::Commitment(commitment) => Some(commitment),
            PriceKind::OnDemand | PriceKind::Spot | PriceKind::Other => None,
        }
    }

    /// That a price stated without saying what it is for stands in for one that isn't known.
    #[must_use]
    pub fn stands_in(&self, price: &Price, cluster: &Cluster) -> Option<String> {
        let stands_in = price.is_stated() && !self.states_own && !self.is_asked(price);
        stands_in.then(|| {
            format!(
                "no {} price of {} is known: the one stated for it is taken, ${} per GPU-hour",
                self.wanted(),
                cluster.name,
                display_unit_price(price.usd_per_gpu_hour)
            )
        })
    }

    /// The prices wanted, in words: `aws spot us-east-1`.
    fn wanted(&self) -> String {
        let asked = [&self.provider, &self.price_type, &self.region];
        let asked: Vec<&str> = asked.into_iter().flatten().map(String::as_str).collect();
        asked.join(" ")
    }

    /// Whether whole bookings alone are sold at a kind of price: hours of them that a run leaves over
    /// are paid too.
    #[must_use]
    pub fn sells_whole(&self, price_type: &str) -> bool {
        among(&self.whole_only, price_type)
    }

    /// Where a price has to be from, in words: ` in us-east-1 from aws`; nothing when anywhere.
    #[must_use]
    pub fn place_words(&self) -> String {
        let region = self.region.iter().map(|region| format!(" in {region}"));
        let provider = self.provider.iter().map(|name| format!(" from {name}"));
        region.chain(provider).collect()
    }

    /// Why a cluster has no price; `None` when it has one.
    #[must_use]
    pub fn why_none(&self, cluster: &Cluster) -> Option<String> {
        if self.price(cluster).is_some() {
            return None;
        }
        if cluster.prices.is_empty() {
            return Some(format!(
                "no price of {} is known: its cost is not given; `--usd-per-gpu-hour` or \
                 `[[prices]]` states yours",
                cluster.name
            ));
        }
        let known: Vec<String> = cluster
            .prices
            .iter()
            .map(|price| {
                let texts = [&price.provider, &price.price_type, &price.region];
                let told = texts.map(String::as_str).into_iter();
                told.filter(|text| *text != "-")
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        Some(format!(
            "no {} price of {} is known: its cost is not given; known are {}",
            self.wanted(),
            cluster.name,
            known.join(", ")
        ))
    }

    /// What a reader should know of a cluster's price: that there is none, that it is old or of
    /// unknown age, what a spot price, a commitment or a bill by the hour leaves out.
    #[must_use]
    pub fn notes(&self, cluster: &Cluster) -> Vec<String> {
        let Some(price) = self.price(cluster) else {
            return self.why_none(cluster).into_iter().collect();
        };
        let mut notes: Vec<String> = self.stands_in(price, cluster).into_iter().collect();
        notes.extend(self.notes_of(price, &format!("price of {}", cluster.name)));
        let kind = &price.price_type;
        if !price.is_stated() && self.sells_whole(kind) {
            notes.push(format!(
                "the price of {} is {kind}, at which whole bookings are sold: hours that a run leaves \
                 over are not in the cost; `tminus reserve` counts them, of one job at a time",
                cluster.name
            ));
        }
        notes
    }

    /// What a reader should know of one price, which is called `what`: that it is old or of unknown
    /// age, what a spot price or a commitment leaves out.
    #[must_use]
    pub fn notes_of(&self, price: &Price, what: &str) -> Vec<String> {
        let mut notes = Vec::new();
        match (price.as_of.parse::<PriceDate>(), self.reference) {
            (Ok(date), Some(reference)) if date.is_over_a_year_before(reference.date()) => {
                notes.push(format!(
                    "the {what} is of {date}, more than a year before {reference}: ask for today's"
                ));
            }
            (Ok(_), _) => {}
            (Err(_), _) if price.is_stated() => {}
            (Err(_), _) => notes.push(format!("the {what} has no date: ask for today's")),
        }
        if self.is_taken_for_plain(price) {
            notes.push(format!(
                "the {what} is `{}`, which says nothing of whether its nodes stay or what it binds one \
                 to: it is taken for hours on demand; `price_type = \"on-demand\"` in its `[[prices]]` says so",
                price.price_type
            ));
        }
        if self.commitment(price).is_some() {
            let kind = self.kind_of(price);
            notes.push(format!(
                "the {what} is {kind}: what that binds one to beyond this run is not in the cost"
            ));
        }
        if self.is_spot(Some(&price.price_type)) {
            notes.push(format!(
                "the {what} is for spot nodes, which are taken back at any time: such \
                 interruptions are not in the time, nor in the cost"
            ));
        }
        notes
    }
}

/// Whether a kind is one of some, however it is spelled.
fn among(kinds: &[String], kind: &str) -> bool {
    kinds.iter().any(|other| is_same(other, kind))
}
