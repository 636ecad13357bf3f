//! The bookings of several products held against each other: which comes first, and what each is
//! the best at over the whole answer.

use std::cmp::Ordering;

use super::Goal;
use super::booking::{Booking, Desk};
use super::choice::{Choice, Role};
use crate::calendar::{Moment, Span};

/// A booking to show, with what it is the best at among those of its cluster and product.
pub(super) struct Pick<'a> {
    pub(super) desk: Desk<'a>,
    pub(super) roles: Vec<Role>,
    pub(super) choice: Choice<'a>,
}

/// What the cost of a booking can be held against: that of others of its kind, which comes before
/// all of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Costed {
    /// It is all there is to pay.
    Whole,
    /// It is a part of what a commitment binds one to.
    Bound,
    /// No price is known.
    Not,
}

impl Pick<'_> {
    fn costed(&self) -> Costed {
        let offer = self.desk.offer;
        match (&offer.price, offer.commitment()) {
            (None, _) => Costed::Not,
            (Some(_), Some(_)) => Costed::Bound,
            (Some(_), None) => Costed::Whole,
        }
    }

    /// Dollars expected, where a price is known; then node-hours, which is the same order at any one
    /// price.
    fn by_cost(&self, other: &Self) -> Ordering {
        let cost = |pick: &Self| {
            let usd = pick.choice.expected_usd(pick.desk.offer);
            (usd.unwrap_or(0.0), pick.choice.node_hours(pick.desk.offer))
        };
        let (own, others) = (cost(self), cost(other));
        let kinds = self.costed().cmp(&other.costed());
        kinds.then_with(|| own.0.total_cmp(&others.0).then(own.1.total_cmp(&others.1)))
    }

    /// When the run is done; products start at different times. Without dates, counted from the
    /// start.
    fn done(&self) -> (Option<Moment>, Span) {
        let needed = self.choice.needed;
        (self.desk.window.at(needed), needed)
    }

    /// GPUs booked: nodes of several clusters differ in size.
    fn gpus(&self) -> u64 {
        let per_node = self.desk.offer.gpus_per_node;
        self.choice.booked.saturating_mul(per_node)
    }

    /// The soonest done, of those whose cost is all there is to pay before those that bind to more.
    fn within_budget(&self, other: &Self) -> Ordering {
        let bound = |pick: &Self| pick.costed() == Costed::Bound;
        let kinds = bound(self).cmp(&bound(other));
        kinds.then_with(|| self.done().cmp(&other.done()))
    }

    /// What it is the best at over all of `picks`, of what it is the best at within its product.
    fn overall(&self, picks: &[Self]) -> Vec<Role> {
        let no_worse = |order: &dyn Fn(&Self) -> Ordering| {
            picks.iter().all(|other| order(other) != Ordering::Greater)
        };
        let unpriced = |pick: &Self| pick.costed() == Costed::Not;
        let comparable = picks.iter().all(|pick| unpriced(pick) == unpriced(self));
        let holds = |role: &Role| match role {
            Role::Smallest => no_worse(&|other| self.gpus().cmp(&other.gpus())),
            // Beside one that has no price, nobody knows.
            Role::Cheapest => comparable && no_worse(&|other| self.by_cost(other)),
            Role::Fastest => no_worse(&|other| self.within_budget(other)),
            Role::AsAsked => true,
        };
        self.roles.iter().copied().filter(holds).collect()
    }
}

/// The bookings in full, the one to recommend first: the fastest that a budget buys, of those that bind
/// to no more where there are some, or else the cheapest; where no price is known, that of the fewest
/// node-hours. Of several as good, the soonest done.
pub(super) fn ranked(mut picks: Vec<Pick<'_>>, goal: Goal) -> Vec<Booking> {
    picks.sort_by(|a, b| {
        let cost = a.by_cost(b);
        match goal {
            Goal::Budget { .. } => a.within_budget(b).then(cost),
            Goal::Deadline { .. } | Goal::Nodes { .. } => cost.then(a.done().cmp(&b.done())),
        }
    });
    picks
        .iter()
        .map(|pick| {
            let overall = pick.overall(&picks);
            pick.desk.booking(pick.roles.clone(), overall, &pick.choice)
        })
        .collect()
}
