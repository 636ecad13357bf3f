//! The first sentence, and what speaks against it.

use crate::configuration::on_off;
use crate::memory::Verdict;
use crate::plan::{Candidate, FitReport, shortfall_note};
use crate::quantity::{Interval, counted, display_count, display_thousands};
use crate::search::MAX_SHORTFALL;
use crate::throughput::Basis;

use super::super::bookings::uncompared;
use super::super::chart::minute_after;
use super::super::number::{TimeUnit, confidence, dollars, percent};
use super::super::ranking::is_short;
use super::super::words::{ranked_by, verdict_words};
use super::choice::{Recommended, Why};
use super::{Approval, booking, note};

/// Moments are of UTC, and say so: `2026-12-01 09:00Z`.
const MOMENT: &str = "%Y-%m-%d %H:%MZ";

impl<'a> Approval<'a> {
    /// What to do, in one sentence: where, from when to when, for how much, how sure, on what
    /// grounds.
    pub(super) fn recommendation(&self, best: &Recommended<'a>) -> String {
        let action = match (best.why, self.reservation) {
            (Why::Booked(booking), Some(reservation)) => {
                booking::recommendation(reservation, booking)
            }
            _ => self.run(best.candidate),
        };
        let knee = match best.why {
            Why::Knee => self.knee(),
            Why::First | Why::Booked(_) => String::new(),
        };
        let grounds = rests_on(
            &self.plan.fit,
            best.candidate,
            self.was_measured(best.candidate),
        );
        format!("{action}{knee}; {grounds}.")
    }

    fn run(&self, best: &Candidate) -> String {
        let time = best.time_to_budget_h;
        let sure = confidence(f64::midpoint(1.0, self.plan.request.confidence));
        format!(
            "Train {} on {} of {} ({} × {}){}, {}; with a probability of {sure} % it is done {}",
            self.plan.request.model,
            counted(best.nodes, "node"),
            best.cluster,
            display_thousands(best.gpus.into()),
            best.gpu,
            self.dates(time),
            cost(best),
            self.done_by(time),
        )
    }

    /// Whether a row is the very run: a measured cell is one whatever its gradient accumulation.
    fn was_measured(&self, best: &Candidate) -> bool {
        self.measured.iter().any(|row| {
            row.configuration == best.configuration()
                && row.shape == self.request.model.shape
                && row.cluster.gpu.name == best.gpu
        })
    }

    /// Where the knee lies between the ends of the front.
    fn knee(&self) -> String {
        let ends = self.plan.candidates.first();
        let ends = ends.zip(self.plan.candidates.last());
        ends.map_or_else(String::new, |(cheapest, fastest)| {
            let end = |c: &Candidate| {
                let unit = TimeUnit::of_hours(c.time_to_budget_h.expected);
                let time = unit.show(c.time_to_budget_h.expected);
                let usd = c.cost_usd.map_or(0.0, |cost| cost.expected);
                format!("{time} {} for ${}", unit.name, dollars(usd))
            };
            format!(
                "; it is the knee of time against cost, between the cheapest, {}, and the fastest, \
                 {}: from it to the fastest each per cent of time costs more than on average",
                end(cheapest),
                end(fastest)
            )
        })
    }

    /// From when to when, or how long where no start is known.
    fn dates(&self, time: Interval) -> String {
        let how_long = span(time);
        match self.start.zip(self.moment(time.expected)) {
            Some((start, end)) => format!(" from {} to {end}, {how_long}", start.strftime(MOMENT)),
            None => format!(" for {how_long}"),
        }
    }

    fn done_by(&self, time: Interval) -> String {
        self.moment(time.high).map_or_else(
            || {
                let unit = TimeUnit::of_hours(time.expected);
                format!("within {} {}", unit.show(time.high), unit.name)
            },
            |moment| format!("by {moment}"),
        )
    }

    /// The moment so many hours after the start, where that is known.
    fn moment(&self, hours: f64) -> Option<String> {
        let moment = minute_after(self.start?, hours)?;
        Some(moment.strftime(MOMENT).to_string())
    }

    pub(super) fn warnings(&self, best: &Recommended<'a>) -> Vec<(String, String)> {
        let mut notes: Vec<(String, String)> = extrapolated(best.candidate).into_iter().collect();
        if best.candidate.memory.verdict != Verdict::Fits {
            notes.push(note("memory", verdict_words(&best.candidate.memory)));
        }
        let cost = match best.why {
            Why::Booked(booking) => booking.cost_usd,
            Why::First | Why::Knee => best.candidate.cost_usd,
        };
        if cost.is_none() {
            notes.push(note(
                "cost",
                format!(
                    "no price is known for {}; give it one to see what the run costs",
                    best.candidate.cluster
                ),
            ));
        }
        if matches!(best.why, Why::Booked(_)) {
            let unpriced = self.reservation.and_then(uncompared);
            notes.extend(unpriced.map(|text| note("cost", text)));
        } else {
            // Of a booking, its own notes tell.
            let short = shortfall_note(self.request, best.candidate);
            notes.extend(short.map(|text| note("global batch", text)));
        }
        notes.extend(self.front_warnings(best));
        let ties = self.plan.candidates.iter();
        let ties = ties.filter(|c| c.rank > 1 && c.tied_with_best).count();
        if ties > 0 && self.plan.front.is_none() && matches!(best.why, Why::First) {
            notes.push(note(
                "tied",
                match (ties, ranked_by(self.plan.request.sort)) {
                    (1, what) => {
                        format!(
                            "the {what} of the first and of one alternative can't be told apart"
                        )
                    }
                    (_, what) => {
                        format!(
                            "the {what} of the first and of {ties} alternatives can't be told apart"
                        )
                    }
                },
            ));
        }
        if let Why::Booked(booking) = best.why {
            let told = booking.notes.iter();
            notes.extend(told.map(|text| note("note", text.as_str())));
            // The plan's are about its ranks, which the booking's run may be none of.
            let plans = self.plan.notes.iter();
            let plans = plans.filter(|text| !booking.notes.contains(text));
            notes.extend(plans.map(|text| note("of the plan", text.as_str())));
        } else {
            let told = self.plan.notes.iter();
            notes.extend(told.map(|text| note("note", text.as_str())));
        }
        if self.plan.candidates.iter().any(is_short) {
            let most = MAX_SHORTFALL * 100.0;
            let missed = format!("misses the global batch asked for, by up to {most:.0} %");
            notes.push(note("~", missed));
        }
        notes
    }

    fn front_warnings(&self, best: &Recommended<'a>) -> Vec<(String, String)> {
        let Some(front) = &self.plan.front else {
            return Vec::new();
        };
        let mut notes = Vec::new();
        if matches!(best.why, Why::First) {
            notes.push(note(
                "no knee",
                "no point of the front lies below the line between its ends, so the cheapest is \
                 recommended: compare what each step costs and saves",
            ));
        }
        if !front.unpriced.is_empty() {
            let names: Vec<&str> = front.unpriced.iter().map(|c| c.cluster.as_str()).collect();
            notes.push(note(
                "not weighed",
                format!(
                    "no price is known for {}, so it is on no front",
                    names.join(", ")
                ),
            ));
        }
        notes
    }
}

/// That a candidate lies outside what was measured, and by what.
pub(super) fn extrapolated(best: &Candidate) -> Option<(String, String)> {
    (best.basis == Basis::Extrapolated).then(|| {
        note(
            "extrapolated",
            format!(
                "outside what was measured: {}; measure some steps before booking",
                best.basis_detail.axes.join("; ")
            ),
        )
    })
}

/// What the figures rest on. How well rows held out are predicted says little of runs that
/// are not like any row.
fn rests_on(fit: &FitReport, best: &Candidate, was_measured: bool) -> String {
    let rows = display_thousands(fit.rows as u128);
    let error = fit.held_out_mape.map(percent);
    let held_out = error.as_ref().map_or_else(String::new, |error| {
        format!(", and the fit errs by {error} % on average on rows held out of it")
    });
    match best.basis {
        Basis::Measured if was_measured => {
            format!("one of the {rows} measured rows is this very run{held_out}")
        }
        Basis::Measured => format!(
            "one of the {rows} measured rows is this run, its gradient accumulation aside{held_out}"
        ),
        Basis::Interpolated => {
            format!("the figures are interpolated from {rows} measured rows{held_out}")
        }
        Basis::Extrapolated => {
            let error = error.map_or_else(String::new, |error| {
                format!(", where its mean error of {error} % on rows held out need not hold")
            });
            format!(
                "the figures are extrapolated: this lies outside the {rows} measured rows of \
                 the fit{error}"
            )
        }
    }
}

/// How the recommended candidate is launched.
pub(super) fn launched_as(best: &Candidate) -> String {
    format!(
        "Micro-batch {} × gradient accumulation {}, sequence {}, activation checkpointing {}: {} \
         tokens/s ({} to {}), {}.",
        best.micro_batch,
        best.grad_accum,
        best.seq_len,
        on_off(best.activation_checkpointing),
        display_count(best.throughput_tok_s.expected),
        display_count(best.throughput_tok_s.low),
        display_count(best.throughput_tok_s.high),
        verdict_words(&best.memory),
    )
}

fn cost(best: &Candidate) -> String {
    best.cost_usd.map_or_else(
        || {
            format!(
                "at an unknown cost (no price is known for {})",
                best.cluster
            )
        },
        |cost| {
            format!(
                "at ${} (${} to ${})",
                dollars(cost.expected),
                dollars(cost.low),
                dollars(cost.high)
            )
        },
    )
}

/// Hours with their interval, all in one unit: `41.4 hours (38.6 to 56.4)`.
fn span(time: Interval) -> String {
    let unit = TimeUnit::of_hours(time.expected);
    format!(
        "{} {} ({} to {})",
        unit.show(time.expected),
        unit.name,
        unit.show(time.low),
        unit.show(time.high)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::approval::Grounds;
    use crate::report::fixture;

    #[test]
    fn the_first_sentence_says_when_where_how_much_and_how_sure() {
        let (plan, request) = (fixture::plan(), fixture::request());
        let approval = |start| Approval {
            plan: &plan,
            request: &request,
            reservation: None,
            start,
            measured: &[],
            grounds: Grounds {
                command: "tminus report",
                fit_file: None,
                accuracy: None,
            },
        };
        let best = &approval(None).recommended(None).unwrap();
        let said = approval(Some(jiff::civil::date(2027, 2, 26).at(9, 0, 0, 0)));
        insta::assert_snapshot!(said.recommendation(best), @"Train gpt-7b on 8 nodes of p4de.24xlarge (1,024 × a100-40gb) from 2027-02-26 09:00Z to 2027-03-08 09:00Z, 10.0 days (9.60 to 10.5), at $34,560 ($33,178 to $36,288); with a probability of 95 % it is done by 2027-03-08 21:00Z; the figures are extrapolated: this lies outside the 300 measured rows of the fit, where its mean error of 1.2 % on rows held out need not hold.");
        insta::assert_snapshot!(approval(None).recommendation(best), @"Train gpt-7b on 8 nodes of p4de.24xlarge (1,024 × a100-40gb) for 10.0 days (9.60 to 10.5), at $34,560 ($33,178 to $36,288); with a probability of 95 % it is done within 10.5 days; the figures are extrapolated: this lies outside the 300 measured rows of the fit, where its mean error of 1.2 % on rows held out need not hold.");
    }
}
