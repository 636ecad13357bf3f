//! What could be had where what is asked can't: the earliest date, the tokens by then, the budget
//! needed.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::Goal;
use super::ask::Ask;
use super::choice::{Choice, choice};
use super::fleet::Run;
use super::offer::Offer;
use super::quote::Quote;
use crate::calendar::{Moment, Span};
use crate::job::Request;
use crate::plan::Planner;
use crate::quantity::{
    Tokens, display_count, display_dollars_asked, display_dollars_up, display_hours,
    display_probability, plural,
};

/// A run under an offer, in words: `32 nodes of r1z1 (slurm)`.
fn place(request: &Request, offer: &Offer, nodes: u64) -> String {
    let cluster = request.clusters.get(offer.cluster);
    format!(
        "{nodes} {} of {} ({})",
        plural(nodes, "node"),
        cluster.map_or("", |cluster| cluster.name.as_str()),
        offer.product.name
    )
}

/// Nodes that are booked for a run.
fn booked_nodes(quote: &Quote<'_>, run: &Run) -> u64 {
    let wanted = run.nodes().saturating_add(run.spares());
    let booked = quote.offer.booked(run.nodes(), run.spares());
    booked.unwrap_or(wanted)
}

/// What could be had, one sentence each.
pub(super) fn shortfall(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    quotes: &[Quote<'_>],
) -> Vec<String> {
    match ask.goal {
        Goal::Deadline { .. } => {
            let mut words: Vec<String> = earliest(request, ask, quotes).into_iter().collect();
            words.extend(by_then(planner, request, ask, quotes));
            words.extend(best_chance(request, ask, quotes));
            words
        }
        Goal::Budget { usd } => {
            let mut words: Vec<String> = budget_needed(request, ask, quotes).into_iter().collect();
            words.extend(bought(planner, request, ask, quotes, usd));
            words
        }
        Goal::Nodes { .. } => by_then(planner, request, ask, quotes).into_iter().collect(),
    }
}

/// Every booking that a product sells, whatever the deadline or the budget.
fn bookable<'a>(quotes: &'a [Quote<'a>]) -> impl Iterator<Item = (&'a Quote<'a>, Choice<'a>)> {
    quotes.iter().flat_map(|quote| {
        quote
            .runs
            .iter()
            .filter_map(move |run| Some((quote, choice(quote.offer, run)?)))
    })
}

/// When a run that starts with its booking is done; without dates, counted from the start.
fn done(quote: &Quote<'_>, needed: Span) -> (Option<Moment>, Span) {
    (quote.window.at(needed), needed)
}

fn earliest(request: &Request, ask: &Ask, quotes: &[Quote<'_>]) -> Option<String> {
    let (quote, first) = bookable(quotes)
        .min_by_key(|(quote, choice)| (done(quote, choice.needed), choice.booked, choice.length))?;
    let when = match quote.window.at(first.needed) {
        Some(moment) => format!("{moment} ({})", ask.named.text("deadline", moment)),
        None => format!(
            "{} after the start ({})",
            first.needed,
            ask.named.text("deadline", enough(first.needed))
        ),
    };
    Some(format!(
        "the earliest with probability {} is {when}: {}",
        ask.probability,
        place(request, quote.offer, first.booked)
    ))
}

/// A length of time that is typed and holds another: in minutes below a day, else in hours.
fn enough(span: Span) -> String {
    const DAY: u64 = 86_400;
    match span.seconds() {
        seconds if seconds < DAY && !seconds.is_multiple_of(3600) => {
            format!("{}m", seconds.div_ceil(60))
        }
        seconds => format!("{}h", seconds.div_ceil(3600)),
    }
}

/// The chance that the deadline is made after all.
fn best_chance(request: &Request, ask: &Ask, quotes: &[Quote<'_>]) -> Option<String> {
    let (chance, quote, run) = quotes
        .iter()
        .filter_map(|quote| Some((quote, quote.window.limit?)))
        .flat_map(|(quote, limit)| {
            let longest = quote.offer.product.longest_usable();
            let time = limit.min(longest.unwrap_or(Span::MAX));
            quote
                .runs
                .iter()
                .filter(|run| !run.finish.stalls())
                .filter(|run| quote.offer.booked(run.nodes(), run.spares()).is_some())
                .map(move |run| (run.probability_by(time), quote, run))
        })
        .max_by(|a, b| {
            let fewer = b.2.nodes().cmp(&a.2.nodes());
            a.0.total_cmp(&b.0).then(fewer)
        })?;
    (chance >= 0.01 && chance < ask.probability).then(|| {
        format!(
            "with probability {} the deadline is made after all, on {}",
            display_probability(chance),
            place(request, quote.offer, booked_nodes(quote, run))
        )
    })
}

/// A run and the time that it has.
struct Timed<'a> {
    quote: &'a Quote<'a>,
    run: &'a Run,
    time: Span,
    /// Whether the time is what is paid for hours as they are used: then those expected have to be
    /// within it too.
    paid: bool,
}

/// The most tokens that a booking trains within its time.
fn most_tokens<'a>(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    timed: Vec<Timed<'a>>,
) -> Option<(u64, Timed<'a>)> {
    timed
        .into_par_iter()
        .filter_map(|timed| {
            let tokens = tokens_within(planner, request, &timed, ask.probability)?;
            Some((tokens, timed))
        })
        .collect::<Vec<_>>()
        .into_iter()
        // Those that read the same are equals: then the fewest nodes, and the first of these, since
        // max_by_key would keep the last.
        .rev()
        .max_by_key(|(tokens, timed)| (three_digits(*tokens), Reverse(timed.run.nodes())))
}

/// Shares of the tokens found that may be missing from them: fewer than are shown.
const FINE: u64 = 10_000;

/// The most tokens that a run trains within its time with that probability, to a ten-thousandth.
fn tokens_within(
    planner: &Planner<'_>,
    request: &Request,
    timed: &Timed<'_>,
    probability: f64,
) -> Option<u64> {
    let finisher = planner.finisher(request, &timed.run.candidate)?;
    let hours = timed.time.hours();
    let enough = |tokens: u64| {
        Tokens::new(tokens).is_ok_and(|tokens| {
            finisher.at(tokens).is_some_and(|finish| {
                !finish.stalls()
                    && finish.hours_at(probability) <= hours
                    && (!timed.paid || finish.expected_h() <= hours)
            })
        })
    };
    let (mut low, mut high) = (0_u64, request.tokens.get());
    // However few of the tokens asked for they are: first their order of magnitude.
    while high - low > (low / FINE).max(1) {
        let middle = if low == 0 {
            high / 8
        } else {
            low + (high - low) / 2
        };
        if enough(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low > 0).then_some(low)
}

/// Tokens that would be done by the deadline, or in the longest booking.
fn by_then(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    quotes: &[Quote<'_>],
) -> Option<String> {
    let asked = match ask.goal {
        Goal::Nodes { nodes } => Some(nodes),
        Goal::Deadline { .. } | Goal::Budget { .. } => None,
    };
    let timed = quotes
        .iter()
        .flat_map(|quote| {
            let longest = quote.offer.product.longest_usable();
            let time = quote.window.within(longest.unwrap_or(Span::MAX));
            quote
                .runs
                .iter()
                .filter(move |run| asked.is_none_or(|nodes| run.nodes() == nodes))
                .filter(|run| quote.offer.booked(run.nodes(), run.spares()).is_some())
                .map(move |run| Timed {
                    quote,
                    run,
                    time,
                    paid: false,
                })
        })
        .collect();
    let (tokens, best) = most_tokens(planner, request, ask, timed)?;
    let Timed {
        quote, run, time, ..
    } = best;
    let when = match quote.window.limit {
        Some(_) => "by then".to_owned(),
        None => format!("in the longest booking, {}", display_hours(time.hours())),
    };
    Some(format!(
        "{0} of the {1} tokens would be done {when}, on {2} (`--tokens {0}`)",
        typed(tokens),
        request.tokens.rounded(),
        place(request, quote.offer, booked_nodes(quote, run)),
    ))
}

/// Tokens as they can be typed, rounded down to three digits.
fn typed(tokens: u64) -> String {
    display_count(three_digits(tokens) as f64)
}

fn three_digits(tokens: u64) -> u64 {
    let digits = tokens.checked_ilog10().unwrap_or(0);
    let unit = 10_u64.pow(digits.saturating_sub(2));
    tokens / unit * unit
}

fn budget_needed(request: &Request, ask: &Ask, quotes: &[Quote<'_>]) -> Option<String> {
    let (quote, cheapest, usd) = bookable(quotes)
        .filter_map(|(quote, choice)| {
            let usd = choice.committed_usd(quote.offer)?;
            Some((quote, choice, usd))
        })
        .min_by(|a, b| a.2.total_cmp(&b.2).then(a.1.booked.cmp(&b.1.booked)))?;
    let digits = format!("{:.0}", usd.ceil());
    Some(format!(
        "the whole run takes ${} with probability {} ({}): {} for {}",
        display_dollars_up(usd),
        ask.probability,
        ask.named.number("budget", digits),
        place(request, quote.offer, cheapest.booked),
        cheapest.length,
    ))
}

/// Tokens that the budget buys: each run booked for as long as it can be paid.
fn bought(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    quotes: &[Quote<'_>],
    usd: f64,
) -> Option<String> {
    let timed = quotes
        .iter()
        .flat_map(|quote| {
            quote.runs.iter().filter_map(move |run| {
                let offer = quote.offer;
                let booked = offer.booked(run.nodes(), run.spares())?;
                let paid_h = usd / offer.usd_per_hour(booked)?;
                let paid = Span::from_hours_down(paid_h);
                let longest = offer.product.longest_usable().unwrap_or(Span::MAX);
                let time = if offer.bills_all() {
                    offer.product.usable(offer.product.longest_within(paid)?)
                } else {
                    paid.min(longest)
                };
                Some(Timed {
                    quote,
                    run,
                    time: quote.window.within(time),
                    paid: !offer.bills_all() && paid <= longest,
                })
            })
        })
        .collect();
    let (tokens, best) = most_tokens(planner, request, ask, timed)?;
    let Timed {
        quote, run, time, ..
    } = best;
    Some(format!(
        "${0} buys {1} of the {2} tokens: {3} for {time} (`--tokens {1}`)",
        display_dollars_asked(usd),
        typed(tokens),
        request.tokens.rounded(),
        place(request, quote.offer, booked_nodes(quote, run)),
    ))
}
