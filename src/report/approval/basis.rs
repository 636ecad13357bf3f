//! What the figures assume, and what they were made from.

use crate::fit_file::{EMBEDDED, FitFile, Source, provenance};
use crate::forecast::Reliability;
use crate::plan::{Candidate, FitReport};
use crate::quantity::{SECONDS_PER_HOUR, counted, display_hours};

use super::super::Document;
use super::super::number::{confidence, percent};
use super::super::ranking::searched;
use super::super::words::price_words;
use super::choice::{Recommended, Why};
use super::{Approval, Grounds, note};

/// What makes the report again, and what its figures were made from.
pub(super) fn made(
    document: Document,
    grounds: Grounds<'_>,
    provenance: Vec<(String, String)>,
) -> Document {
    document
        .heading("How it was made")
        .text(format!(
            "tminus {} makes this report again, byte for byte, with:",
            env!("CARGO_PKG_VERSION")
        ))
        .verbatim(grounds.command)
        .notes(provenance)
}

impl<'a> Approval<'a> {
    pub(super) fn assumptions(&self, best: &Recommended<'a>) -> Vec<(String, String)> {
        let mut notes = what_goes_wrong(&self.plan.request.reliability);
        notes.extend(how_it_goes(best.candidate));
        let priced = match best.why {
            Why::Booked(booking) => booking
                .price
                .as_ref()
                .map(|price| format!("{}: {}", booking.cluster, price.words())),
            Why::First | Why::Knee => self
                .cluster(best.candidate)
                .map(|cluster| price_words(&self.request.pricing, cluster)),
        };
        notes.extend(priced.map(|words| note("price", words)));
        notes.push(intervals(self.plan.request.confidence));
        notes.push(not_included());
        notes
    }

    pub(super) fn provenance(&self) -> Vec<(String, String)> {
        let mut notes = vec![note("searched", searched(&self.plan.space))];
        notes.extend(fitted(&self.plan.fit, self.grounds));
        notes
    }
}

/// What is assumed to go wrong on a cluster, and what it costs.
pub(super) fn what_goes_wrong(r: &Reliability) -> Vec<(String, String)> {
    vec![
        note(
            "failures",
            format!(
                "{} in 1000 days of one node of eight GPUs; {} until training goes on",
                r.failures_per_1000_node_days,
                display_hours(r.restart_s / SECONDS_PER_HOUR)
            ),
        ),
        note(
            "checkpoints",
            format!(
                "{} bytes per parameter, written at {} GB/s per node",
                r.checkpoint_bytes_per_param,
                r.write_bytes_per_s_node / 1e9
            ),
        ),
        note("start-up", display_hours(r.start_up_s / SECONDS_PER_HOUR)),
        note(
            "replacement",
            format!(
                "a job without a spare left waits up to {} for a node",
                display_hours(r.replacement_s / SECONDS_PER_HOUR)
            ),
        ),
    ]
}

/// How much of the time of a run trains, and what is booked against failures.
fn how_it_goes(best: &Candidate) -> Vec<(String, String)> {
    let interval = best
        .checkpoint_interval_s
        .map_or_else(String::new, |seconds| {
            format!(
                ", with a checkpoint every {}",
                display_hours(seconds / SECONDS_PER_HOUR)
            )
        });
    vec![
        note(
            "goodput",
            format!(
                "{} % of the time after the start-up trains{interval}; {:.1} failures expected",
                percent(best.goodput),
                best.expected_failures
            ),
        ),
        note(
            "spares",
            format!(
                "{} beside the {} that {}",
                counted(best.spare_nodes, "node"),
                best.nodes,
                if best.nodes == 1 { "trains" } else { "train" }
            ),
        ),
    ]
}

pub(super) fn intervals(share: f64) -> (String, String) {
    note(
        "intervals",
        format!("hold {} % of outcomes", confidence(share)),
    )
}

pub(super) fn not_included() -> (String, String) {
    note(
        "not included",
        "evaluation, data that arrives late, spot interruptions, storage and network charges",
    )
}

/// What the predictions rest on, and how well they foretold what they had not seen.
pub(super) fn fitted(fit: &FitReport, grounds: Grounds<'_>) -> Vec<(String, String)> {
    let mut notes = vec![note(
        "fit",
        format!("{}, {}", fit.name, counted(fit.rows as u64, "measured row")),
    )];
    match grounds.fit_file {
        Some(file) => notes.extend(own_fit(file)),
        None => notes.push(note("measured rows", embedded())),
    }
    if let Some(found) = grounds.accuracy {
        let of = match grounds.fit_file {
            Some(_) => " of the embedded table",
            None => "",
        };
        notes.push(note(
            "held-out error",
            format!(
                "mean {} %, median {} %, 95th percentile {} % over {} rows{of}, each predicted \
                     without its model; intervals held {} % of them",
                percent(found.accuracy.mape),
                percent(found.accuracy.median_ape),
                percent(found.accuracy.p95_ape),
                found.predictions.len(),
                percent(found.accuracy.coverage),
            ),
        ));
    }
    notes
}

/// A user's own fit: what it was made from and how it was judged.
fn own_fit(file: &FitFile) -> Vec<(String, String)> {
    let sources = file.sources().iter().map(|source| {
        let Source { name, rows, sha256 } = source;
        note(
            "measured rows",
            format!("{rows} of {name}, SHA-256 {sha256}"),
        )
    });
    let mut notes: Vec<(String, String)> = sources.collect();
    if !file.is_alone() {
        notes.push(note("on top of", embedded()));
    }
    notes.push(match file.held_out() {
        Some(found) => note(
            "held-out error",
            format!(
                "mean {} % over {} of its rows, {}; intervals held {} % of them",
                percent(found.mape),
                found.rows,
                found.protocol,
                percent(found.coverage)
            ),
        ),
        None => note("held-out error", "too few rows to tell"),
    });
    notes
}

/// Where the embedded rows come from.
fn embedded() -> String {
    provenance().map_or_else(
        |_| EMBEDDED.to_owned(),
        |table| {
            format!(
                "{} of {}, SHA-256 {}",
                table.rows, table.source, table.sha256
            )
        },
    )
}
