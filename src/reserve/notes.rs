//! What a buyer has to know beyond a booking's figures.

use super::Goal;
use super::booking::{Booking, Desk};
use super::choice::{Choice, choice};
use super::fleet::Run;
use super::offer::Offer;
use super::words::region_of_zone;
use crate::forecast::{Pricing, is_same};
use crate::hardware::Price;
use crate::job::Request;
use crate::plan::{
    Candidate, FAILURES_WORTH_A_WORD, counts_left_out, failure_note, fit_notes, is_short_limit,
    links_note, memory_note, shortfall_note, tokens_note, waiting_note, whole_minutes,
};
use crate::product::{Billing, Form};
use crate::quantity::{
    counted, display_dollars, display_hours, display_thousands, display_unit_price, display_whole,
};

/// Chance of needing more than the longest booking that is worth a word.
const WORTH_A_WORD: f64 = 0.01;

pub(super) fn notes(desk: &Desk<'_>, choice: &Choice<'_>, booking: &Booking) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(tokens_note(
        desk.request,
        booking.candidate.global_batch_tokens,
    ));
    let memory = memory_note(desk.request, &booking.candidate);
    notes.extend(memory.map(|note| format!("it is {note}")));
    notes.extend(shortfall_note(desk.request, &booking.candidate));
    let failures = failure_note(&booking.candidate);
    notes.extend(failures.or_else(|| waiting_note(desk.request, &booking.candidate)));
    notes.extend(fewer_spares(desk, booking));
    notes.extend(sold_together(desk, booking));
    let here = Request {
        clusters: vec![desk.cluster.clone()],
        ..desk.request.clone()
    };
    notes.extend(fit_notes(&here, desk.fit));
    let links = links_note(desk.request, desk.fit, &booking.candidate);
    notes.extend(links.map(|note| format!("it {note}")));
    notes.extend(upper_estimate(&booking.candidate));
    notes.extend(too_long(desk, booking));
    notes.extend(short_limit(desk, booking));
    notes.extend(price(desk));
    notes.extend(other_price(desk));
    notes.extend(about_price(desk));
    notes.extend(other_region(desk));
    notes.extend(bound(desk, choice));
    if let Goal::Deadline { .. } = desk.ask.goal
        && booking.cost_usd.is_none()
        && booking.roles.contains(&super::Role::Cheapest)
    {
        notes.push(
            "without a price, the cheapest is taken to be that of the fewest node-hours".into(),
        );
    }
    notes.extend(left_out(desk));
    let caution = &desk.offer.product.caution;
    notes.extend((!caution.is_empty()).then(|| caution.clone()));
    notes
}

/// Where nothing is saved, a run that turns out slower fails more than in proportion, which the
/// distribution of its end doesn't know.
fn upper_estimate(candidate: &Candidate) -> Option<String> {
    let unsaved = candidate.checkpoint_interval_s.is_none();
    (unsaved && candidate.expected_failures > FAILURES_WORTH_A_WORD).then(|| {
        "the probability of being done is an upper estimate: without a checkpoint, a run that turns \
         out slower loses more than in proportion"
            .to_owned()
    })
}

/// That the cluster has fewer spare nodes left than would be kept.
fn fewer_spares(desk: &Desk<'_>, booking: &Booking) -> Option<String> {
    let wanted = desk.request.reliability.wanted_spares(booking.nodes);
    (booking.spares < wanted).then(|| {
        format!(
            "{} of {wanted} spare nodes can be kept: {} has {}; nodes that fail may be waited for",
            booking.spares,
            desk.cluster.name,
            counted(desk.cluster.whole_nodes(), "node"),
        )
    })
}

/// That nodes are spares because of the multiples they are sold in, and what training on them does.
fn sold_together(desk: &Desk<'_>, booking: &Booking) -> Option<String> {
    let kept = desk.request.reliability.spares(desk.cluster, booking.nodes);
    let added = booking
        .spares
        .checked_sub(kept)
        .filter(|added| *added > 0)?;
    let (offer, booked) = (desk.offer, booking.booked_nodes);
    let as_many = |run: &&Run| {
        run.nodes() > booking.nodes
            && !run.finish.stalls()
            && offer.booked(run.nodes(), run.spares()) == Some(booked)
    };
    let fastest = desk
        .runs
        .iter()
        .filter(as_many)
        .min_by(|a, b| a.needed_h.total_cmp(&b.needed_h))
        .filter(|run| run.needed_h < booking.needed_h);
    let instead = fastest.map_or_else(String::new, |run| {
        let usd = choice(offer, run).and_then(|choice| choice.expected_usd(offer));
        let cheaper = usd
            .zip(booking.cost_usd)
            .filter(|(usd, cost)| *usd < cost.expected);
        format!(
            "; training on {} of them needs {} instead of {}{}",
            run.nodes(),
            display_hours(run.needed_h),
            display_hours(booking.needed_h),
            cheaper.map_or_else(String::new, |(usd, _)| format!(
                ", for about ${}",
                display_dollars(usd)
            ))
        )
    });
    Some(format!(
        "{added} of the {} {} there because GPUs of {} are sold in multiples of {}: {} are the \
         fewest that hold {}{instead}",
        counted(booking.spares, "spare node"),
        if added == 1 { "is" } else { "are" },
        desk.cluster.name,
        offer.product.gpu_multiple,
        counted(booked, "node"),
        counted(booking.nodes + kept, "node"),
    ))
}

/// A run may need more time than one booking can have.
fn too_long(desk: &Desk<'_>, booking: &Booking) -> Option<String> {
    let longest = desk.offer.product.longest()?;
    let missed = 1.0 - booking.probability_in_longest?;
    (missed > WORTH_A_WORD).then(|| {
        format!(
            "the run may need more time than one booking can have: with probability {missed:.2} more \
             than the longest, {longest}; plan for a second booking to resume from a checkpoint"
        )
    })
}

/// A run may need more time than one start of it is given. Where nodes billed as used go before, that
/// is told of the longest booking.
fn short_limit(desk: &Desk<'_>, booking: &Booking) -> Option<String> {
    let limit = desk.request.launch.time_limit?;
    let minutes = limit.minutes();
    let used = booking.billing == Billing::Used;
    let stay = booking.staying_h().filter(|_| used);
    let gone = stay.is_some_and(|stay| whole_minutes(stay) <= minutes);
    let short = is_short_limit(minutes, &booking.candidate, booking.minutes_counted_on());
    (short && !gone).then(|| {
        format!(
            "the run may need more than the `time_limit` of [launch], {}: what stops there cost is in no \
             figure here; the files of a target that stops it tell",
            display_hours(minutes as f64 / 60.0)
        )
    })
}

/// On the largest clusters not every number of nodes was weighed.
fn left_out(desk: &Desk<'_>) -> Option<String> {
    if matches!(desk.ask.goal, Goal::Nodes { .. }) {
        return None;
    }
    let here = |offer: &&Offer| offer.cluster == desk.offer.cluster;
    let offers = desk.ask.offers.iter().filter(here);
    let most = offers.map(|offer| offer.max_nodes).max()?;
    let (open, weighed) = counts_left_out(desk.request, desk.cluster, most).ok()??;
    Some(format!(
        "{} of {} node counts were weighed, spread over their orders of magnitude: one \
         between them may do slightly better",
        display_thousands(weighed.into()),
        display_thousands(open.into())
    ))
}

/// No price, and which there are: where they are from, if that is what rules them out.
fn price(desk: &Desk<'_>) -> Option<String> {
    if desk.offer.price.is_some() {
        return None;
    }
    let pricing = &desk.offer.pricing;
    let place = pricing.place_words();
    let shown = |price: &Price| {
        let usd = display_unit_price(price.usd_per_gpu_hour);
        let rate = format!("{} ${usd}", price.price_type);
        if place.is_empty() {
            rate
        } else {
            format!("{rate} ({}, {})", price.provider, price.region)
        }
    };
    let others: Vec<String> = desk.cluster.prices.iter().map(shown).collect();
    let wanted = desk.offer.price_type().map(|of| format!("{of} "));
    let wanted = wanted.unwrap_or_default();
    let known = if others.is_empty() {
        String::new()
    } else {
        format!("; known per GPU-hour: {}", others.join(", "))
    };
    let anywhere = Pricing {
        region: None,
        provider: None,
        ..pricing.clone()
    };
    let elsewhere = anywhere.price(desk.cluster).map_or(
        "",
        |_| "; without the region or provider asked for, that price is taken",
    );
    Some(format!(
        "no {wanted}price is known for {}{place}, so no cost is given{known}{elsewhere}",
        desk.cluster.name
    ))
}

/// A kind of price that was asked for and isn't the product's own.
fn other_price(desk: &Desk<'_>) -> Option<String> {
    let (asked, product) = (
        desk.request.pricing.price_type.as_ref()?,
        &desk.offer.product,
    );
    let own = product
        .price_type
        .as_ref()
        .filter(|own| !is_same(own, asked))?;
    let price = desk.offer.price.as_ref();
    if price.is_some_and(Price::is_stated) {
        return None;
    }
    // What a price taken for hours as used is, is told with the price.
    let taken = product.billing == Billing::Used && !desk.request.pricing.sells_whole(asked);
    (!taken).then(|| {
        format!(
            "{} is sold at its own kind of price, {own}: the {asked} price asked for can't be had \
             with it",
            product.title
        )
    })
}

/// What a commitment comes to, of which the booking's cost is a part: a run that outlasts one term takes
/// several.
fn bound(desk: &Desk<'_>, choice: &Choice<'_>) -> Option<String> {
    let terms = choice.terms(desk.offer)?;
    let several = if terms.count > 1.0 {
        format!("{} terms of ", display_whole(terms.count))
    } else {
        String::new()
    };
    Some(format!(
        "to have it at that price is to pay about ${}: {} for {several}{} h; the cost is this run's part of that",
        display_dollars(choice.commitment_usd(desk.offer)?),
        counted(choice.booked, "node"),
        display_thousands(terms.each_h.into()),
    ))
}

/// That a price is of another region than the zone that is booked.
fn other_region(desk: &Desk<'_>) -> Option<String> {
    let zone = desk.request.reserve.zone.as_ref()?.as_str();
    let region = desk.offer.price.as_ref()?.place().name()?;
    let booked = desk.offer.product.form == Form::GcloudCalendar;
    (booked && !region_of_zone(zone).eq_ignore_ascii_case(region)).then(|| {
        format!(
            "the price is of {region}, and {zone} is in {}: ask for the price there",
            region_of_zone(zone)
        )
    })
}

/// What a reader of the price should know: as a plan says it, where the price is the plan's.
fn about_price(desk: &Desk<'_>) -> Vec<String> {
    let Some(price) = &desk.offer.price else {
        return Vec::new();
    };
    let name = &desk.cluster.name;
    let own = desk.offer.product.price_type.as_ref();
    let pricing = if own.is_some_and(|own| is_same(own, &price.price_type)) {
        // A product's own kind is asked for with the product.
        &desk.offer.pricing
    } else {
        &desk.request.pricing
    };
    let what = if desk.request.pricing.price(desk.cluster) == Some(price) {
        format!("price of {name}")
    } else {
        format!("{} price of {name}", price.price_type)
    };
    let mut notes = pricing.notes_of(price, &what);
    notes.extend(desk.offer.pricing.stands_in(price, desk.cluster));
    notes
}
