//! What the figures assume, how the job was set, and what they were made from.

use crate::fit_file::{EMBEDDED, FitFile, Source, provenance};
use crate::forecast::WallClock;
use crate::plan::Candidate;
use crate::quantity::display_hours;
use crate::search::Switch;

use super::super::number::{confidence, percent};
use super::super::ranking::{by, searched};
use super::super::words::{on_off, price_words};
use super::{Approval, note};

/// What made the report.
pub(super) fn version() -> String {
    format!(
        "tminus {} makes this report again, byte for byte, with:",
        env!("CARGO_PKG_VERSION")
    )
}

impl Approval<'_> {
    pub(super) fn assumptions(&self, best: &Candidate) -> Vec<(String, String)> {
        let r = &self.plan.request.reliability;
        let mut notes = vec![
            note(
                "failures",
                format!(
                    "{} in 1000 days of one node of eight GPUs; {} until training goes on",
                    r.failures_per_1000_node_days,
                    display_hours(r.restart_s / 3600.0)
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
            note("start-up", display_hours(r.start_up_s / 3600.0)),
        ];
        if let Some(cluster) = self.cluster(best) {
            let params = self.request.model.shape.params(best.seq_len);
            let clock = WallClock::new(r, params, cluster, best.gpus);
            let interval = clock
                .checkpoint_interval_s
                .map_or_else(String::new, |seconds| {
                    format!(
                        ", with a checkpoint every {}",
                        display_hours(seconds / 3600.0)
                    )
                });
            notes.push(note(
                "goodput",
                format!(
                    "{} % of the booked time trains{interval}",
                    percent(clock.goodput)
                ),
            ));
            notes.push(note("price", price_words(cluster)));
        }
        notes.push(note(
            "intervals",
            format!(
                "hold {} % of outcomes",
                confidence(self.plan.request.confidence)
            ),
        ));
        notes.push(note(
            "not included",
            "waiting for nodes, evaluation, data that arrives late, storage and network charges",
        ));
        notes
    }

    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let (r, job) = (&self.plan.request, self.request);
        let batch = job.model.global_batch.get();
        let switch = match r.activation_checkpointing {
            Switch::Auto => "auto",
            Switch::On => "on",
            Switch::Off => "off",
        };
        let settings = [
            ("clusters", r.clusters.join(", "), "r7z2, r1z1".to_owned()),
            ("stack", r.stack.clone(), "fp32-gather".into()),
            (
                "global batch",
                job.global_batch.to_string(),
                crate::job::GlobalBatch {
                    min: batch,
                    max: batch,
                }
                .to_string(),
            ),
            ("GPUs", r.gpus.clone(), "auto".into()),
            (
                "sequence length",
                r.seq_len.clone(),
                job.model.seq_len.to_string(),
            ),
            ("micro-batch", r.micro_batch.clone(), "auto".into()),
            ("gradient accumulation", r.grad_accum.clone(), "auto".into()),
            ("activation checkpointing", switch.into(), "auto".into()),
            (
                "ranked by",
                by(r.sort).to_owned(),
                by(crate::search::Objective::Time).to_owned(),
            ),
            ("candidates", r.top.to_string(), "10".into()),
            ("confidence", r.confidence.to_string(), "0.9".into()),
            (
                "tight configurations",
                on_off(r.allow_tight).into(),
                "off".into(),
            ),
        ];
        let differing: Vec<(String, String)> = settings
            .into_iter()
            .filter(|(_, set, default)| set != default)
            .map(|(name, set, default)| note(name, format!("{set} (default: {default})")))
            .collect();
        if differing.is_empty() {
            vec![note(
                "none",
                "every setting but the model and the tokens is the default",
            )]
        } else {
            differing
        }
    }

    pub(super) fn provenance(&self) -> Vec<(String, String)> {
        let fit = &self.plan.fit;
        let mut notes = vec![
            note("searched", searched(&self.plan.space)),
            note("fit", format!("{}, {} measured rows", fit.name, fit.rows)),
        ];
        match self.fit_file {
            Some(file) => notes.extend(own_fit(file)),
            None => notes.push(note("measured rows", embedded())),
        }
        if let Some(found) = self.accuracy {
            let of = match self.fit_file {
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
