//! A booking in full: what it is, what it costs, how sure it is, what a step away from it is.

use schemars::JsonSchema;
use serde::Serialize;

use super::ask::Ask;
use super::bill::{CostParts, billed, left_over};
use super::choice::{Choice, Role};
use super::fleet::Run;
use super::offer::{Offer, Window};
use super::price::PriceReport;
use super::step::{Change, StepAway};
use super::words::InWords;
use crate::calendar::{Day, Moment, Span};
use crate::forecast::CostLine;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::plan::{Candidate, whole_minutes};
use crate::product::Billing;
use crate::quantity::Interval;
use crate::throughput::Fit;

/// One booking. Times are RFC 3339 in UTC, and `null` where no start was given.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Booking {
    /// What it is the best at among the bookings of its cluster and product.
    pub roles: Vec<Role>,
    /// What of that it is the best at over the whole answer, all clusters and products.
    pub overall_roles: Vec<Role>,
    /// Cluster name.
    pub cluster: String,
    /// Product name.
    pub product: String,
    /// What its seller calls the product.
    pub product_title: String,
    /// Who sells it.
    pub provider: String,
    /// Nodes that train.
    pub nodes: u64,
    /// Nodes booked besides.
    pub spares: u64,
    /// Nodes booked in all.
    pub booked_nodes: u64,
    /// GPUs booked in all.
    pub booked_gpus: u64,
    /// When the booking starts.
    #[schemars(with = "Option<String>")]
    pub start: Option<Moment>,
    /// When it ends.
    #[schemars(with = "Option<String>")]
    pub end: Option<Moment>,
    /// When its nodes begin to be taken away.
    #[schemars(with = "Option<String>")]
    pub usable_until: Option<Moment>,
    /// Hours the run needs, from the start of the booking, at the probability asked for.
    pub needed_h: f64,
    /// Hours the run is expected to need, and its interval.
    pub run_h: Interval,
    /// Hours booked.
    pub booked_h: f64,
    /// Hours of them that can be used.
    pub usable_h: f64,
    /// What is billed.
    pub billing: Billing,
    /// Hours billed: all that is booked, or those the run takes.
    pub billed_h: Interval,
    /// Hours booked that the run leaves over.
    pub idle_h: Interval,
    /// What these cost, of all nodes booked; `null` without a price, nothing where use is billed.
    pub idle_usd: Option<Interval>,
    /// Probability that the run is done by the end of the booking and by the deadline; where nodes are
    /// billed as used and there is a deadline, by that and within the longest booking sold.
    pub probability: f64,
    /// Probability that the longest booking this product sells would be enough; `null` when there
    /// is no longest.
    pub probability_in_longest: Option<f64>,
    /// Hours that the longest booking this product sells can be used; `null` when there is no longest.
    pub longest_usable_h: Option<f64>,
    /// The latest time at which a checkpoint can be begun that is whole before the nodes go.
    #[schemars(with = "Option<String>")]
    pub last_checkpoint: Option<Moment>,
    /// The same in hours from the start; `null` when no checkpoints are written, none can be whole by
    /// then, or the nodes stay until they are given back.
    pub last_checkpoint_h: Option<f64>,
    /// The latest start that still makes the deadline at the probability asked for.
    #[schemars(with = "Option<String>")]
    pub latest_start: Option<Moment>,
    /// The first day on which it can be booked.
    #[schemars(with = "Option<String>")]
    pub book_from: Option<Day>,
    /// Dollars; `null` when no price is known.
    pub cost_usd: Option<Interval>,
    /// Dollars that suffice with the probability asked for, and no less than `cost_usd` expects, which is
    /// what a budget is held against; `null` when no price is known.
    pub committed_usd: Option<f64>,
    /// Dollars that its price binds one to, of which its cost is a part: for as many terms, one after
    /// another, as hold the hours of `committed_usd`; `null` for none, or unknown.
    pub commitment_usd: Option<f64>,
    /// Dollars to pay before it starts; `null` when nothing is, or no price is known.
    pub upfront_usd: Option<f64>,
    /// What the expected cost is made of; `null` when no price is known.
    pub cost_parts_usd: Option<CostParts>,
    /// What the GPU-hours and dollars billed are expected to be for; the lines add up to
    /// `cost_usd`, where a price is known. A run that the end of the booking cuts off starts up, and
    /// then has as much less of everything else.
    pub cost_lines: Vec<CostLine>,
    /// What a GPU-hour is billed at; `null` when no price is known.
    pub price: Option<PriceReport>,
    /// Bookings one step away.
    pub steps: Vec<StepAway>,
    /// The booking in the provider's own words.
    pub in_words: InWords,
    /// Whether and how it can be cancelled or changed.
    pub cancel: String,
    /// What a buyer has to know besides.
    pub notes: Vec<String>,
    /// The configuration that runs on it, costed at the price of the booking: the run by itself,
    /// without what the booking leaves idle.
    pub candidate: Candidate,
}

impl Booking {
    /// Hours from its start after which its nodes go, whether the run is done or not: those of it that can
    /// be used or, where they are billed as used, as many as its product sells at most; `None` where they
    /// stay until they are given back.
    #[must_use]
    pub fn staying_h(&self) -> Option<f64> {
        match self.billing {
            Billing::Used => self.longest_usable_h,
            Billing::Upfront | Billing::Booked => Some(self.usable_h),
        }
    }

    /// Whole minutes that can be used of a booking billed whole, all of which its probability counts on;
    /// 0 where its nodes are billed as used.
    pub(crate) fn minutes_counted_on(&self) -> u64 {
        match self.billing {
            Billing::Used => 0,
            Billing::Upfront | Billing::Booked => whole_minutes(self.usable_h),
        }
    }

    /// When its nodes go at the latest, where its start is known and they do.
    #[must_use]
    pub fn nodes_go(&self) -> Option<Moment> {
        match self.billing {
            Billing::Used => self.start?.plus(Span::of_hours(self.longest_usable_h?)),
            Billing::Upfront | Billing::Booked => self.usable_until,
        }
    }
}

/// By how much a probability has to rise to be worth more nodes: half of the last digit shown.
const LIKELIER: f64 = 0.000_5;

/// What bookings of one offer have in common.
pub(super) struct Desk<'a> {
    pub(super) request: &'a Request,
    pub(super) ask: &'a Ask,
    pub(super) cluster: &'a Cluster,
    pub(super) offer: &'a Offer,
    pub(super) window: Window,
    pub(super) runs: &'a [Run],
    pub(super) fit: &'a Fit,
}

impl Desk<'_> {
    /// The booking of a choice in full.
    pub(super) fn booking(
        &self,
        roles: Vec<Role>,
        overall_roles: Vec<Role>,
        choice: &Choice<'_>,
    ) -> Booking {
        let Choice {
            run,
            booked,
            length,
            needed,
        } = *choice;
        let (offer, product) = (self.offer, &self.offer.product);
        let usable = product.usable(length);
        let run_h = run.finish.interval(self.request.confidence);
        let billed_h = billed(product, length.hours(), run_h);
        let hourly_usd = offer.usd_per_hour(booked);
        let committed_usd = choice.committed_usd(offer);
        let idle_h = left_over(length.hours(), run_h);
        let staying = self.staying(length);
        let last_checkpoint = staying.and_then(|usable| last_checkpoint(run, usable));
        let latest_start = self.latest_start(needed);
        let booking = Booking {
            roles,
            overall_roles,
            cluster: self.cluster.name.clone(),
            product: product.name.clone(),
            product_title: product.title.clone(),
            provider: product.provider.clone(),
            nodes: run.nodes(),
            spares: booked - run.nodes(),
            booked_nodes: booked,
            booked_gpus: booked * offer.gpus_per_node,
            start: self.window.start,
            end: self.window.at(length),
            usable_until: self.window.at(usable),
            needed_h: run.needed_h,
            run_h,
            booked_h: length.hours(),
            usable_h: usable.hours(),
            billing: product.billing,
            billed_h,
            idle_h,
            idle_usd: self.idle_usd(booked, idle_h),
            probability: self.probability(run, length),
            probability_in_longest: product
                .longest_usable()
                .map(|usable| run.probability_by(usable)),
            longest_usable_h: product.longest_usable().map(Span::hours),
            last_checkpoint: last_checkpoint.and_then(|span| self.window.at(span)),
            last_checkpoint_h: last_checkpoint.map(Span::hours),
            latest_start,
            book_from: self.book_from().map(Moment::day),
            cost_usd: hourly_usd.map(|price| billed_h.scale(price)),
            committed_usd,
            commitment_usd: choice.commitment_usd(offer),
            upfront_usd: committed_usd.filter(|_| product.billing == Billing::Upfront),
            cost_parts_usd: self.cost_parts(choice),
            cost_lines: self.cost_lines(choice),
            price: offer.price.as_ref().map(PriceReport::new),
            steps: self.steps(choice),
            in_words: InWords::new(self, choice, latest_start),
            cancel: offer.cancel(),
            notes: Vec::new(),
            candidate: Candidate {
                rank: 1,
                ..run.candidate.clone().costed_at(
                    offer.price.as_ref(),
                    offer.pricing.why_none(self.cluster).unwrap_or_default(),
                )
            },
        };
        let mut notes = super::notes::notes(self, choice, &booking);
        if let (true, None) = self.more_nodes(choice) {
            notes.push(
                "more nodes: none that can be booked makes it likelier in that time, or cheaper"
                    .to_owned(),
            );
        }
        Booking { notes, ..booking }
    }

    /// How long the nodes of a booking of that length stay; `None` where that is until they are given
    /// back: those billed as used, of a product without a longest booking.
    fn staying(&self, length: Span) -> Option<Span> {
        let product = &self.offer.product;
        if self.offer.bills_all() {
            Some(product.usable(length))
        } else {
            product.longest_usable()
        }
    }

    /// Probability of being done by the end of a booking of that length and by the deadline; nodes
    /// billed as used stay until the deadline, where there is one and they can be had so long.
    fn probability(&self, run: &Run, length: Span) -> f64 {
        let usable = self.offer.product.usable(length);
        run.probability_by(match self.window.limit {
            Some(limit) if !self.offer.bills_all() => self
                .staying(length)
                .map_or(limit, |staying| limit.min(staying)),
            _ => self.window.within(usable),
        })
    }

    fn latest_start(&self, needed: Span) -> Option<Moment> {
        let by = self.ask.deadline?.minus(needed)?;
        self.offer.product.last_start(by)
    }

    fn book_from(&self) -> Option<Moment> {
        self.window.start?.minus(self.offer.product.book_ahead?)
    }

    /// Runs that can be booked instead, by nodes ascending: for as long as `choice` is, or where use
    /// is billed, for as long as each needs.
    fn bookable(&self, choice: &Choice<'_>) -> impl DoubleEndedIterator<Item = Choice<'_>> {
        let length = choice.length;
        self.runs
            .iter()
            .filter(|run| !run.finish.stalls())
            .filter_map(move |run| {
                if !self.offer.bills_all() {
                    return super::choice::choice(self.offer, run);
                }
                Some(Choice {
                    run,
                    booked: self.offer.booked(run.nodes(), run.spares())?,
                    length,
                    needed: run.needed.unwrap_or(Span::MAX),
                })
            })
    }

    /// Whether more nodes could be booked, and the fewest of them that help: by a greater probability
    /// in as much time, or by a lower cost. A count in between may be worse at both.
    fn more_nodes(&self, choice: &Choice<'_>) -> (bool, Option<Choice<'_>>) {
        let probability = self.probability(choice.run, choice.length);
        let usd = choice.expected_usd(self.offer);
        let helps = |other: &Choice<'_>| {
            let cheaper = other.expected_usd(self.offer).zip(usd);
            self.probability(other.run, choice.length) > probability + LIKELIER
                || cheaper.is_some_and(|(other, own)| other < own)
        };
        let mut more = self
            .bookable(choice)
            .filter(|other| other.booked > choice.booked)
            .peekable();
        (more.peek().is_some(), more.find(helps))
    }

    fn steps(&self, choice: &Choice<'_>) -> Vec<StepAway> {
        let product = &self.offer.product;
        let fewer = self
            .bookable(choice)
            .rfind(|other| other.booked < choice.booked);
        // Hours billed as used are what the run takes, whatever the window.
        let of_length = |length: Option<Span>| {
            let length = length.filter(|_| self.offer.bills_all())?;
            Some(Choice { length, ..*choice })
        };
        let changes = [
            (Change::FewerNodes, fewer),
            (Change::MoreNodes, self.more_nodes(choice).1),
            (Change::Shorter, of_length(product.shorter(choice.length))),
            (Change::Longer, of_length(product.longer(choice.length))),
        ];
        changes
            .into_iter()
            .filter_map(|(change, other)| {
                let other = other?;
                let Choice {
                    run,
                    booked,
                    length,
                    ..
                } = other;
                Some(StepAway {
                    change,
                    nodes: run.nodes(),
                    booked_nodes: booked,
                    micro_batch: run.candidate.micro_batch,
                    grad_accum: run.candidate.grad_accum,
                    booked_h: length.hours(),
                    end: self.window.at(length),
                    probability: self.probability(run, length),
                    cost_usd: other.expected_usd(self.offer),
                    committed_usd: other.committed_usd(self.offer),
                })
            })
            .collect()
    }
}

/// The latest time at which a checkpoint can be begun that is whole when the nodes go: `None` where
/// the run is done before its first, or one takes longer than the nodes are there.
fn last_checkpoint(run: &Run, usable: Span) -> Option<Span> {
    run.candidate.checkpoint_interval_s?;
    let write = run.write.filter(|write| *write < usable)?;
    Some(usable.minus(write))
}
