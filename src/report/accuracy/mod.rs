//! How accurate the predictions are: what `evaluate` says.

mod grids;
mod headline;

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::FitReport;
use crate::quantity::counted;
use crate::throughput::evaluate::{Evaluation, Protocol, RowResult};

use super::candidate::{Flat, json_name};
use super::number::confidence;
use super::{Answer, Document, Records};

pub use headline::{Aim, Headline, all, embedded};

/// Measured rows against their predictions: what `evaluate TABLE --format json` prints, and
/// `evaluate --protocol P`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TableAccuracy {
    /// Version of this format.
    pub schema_version: u32,
    /// What the predictions rest on.
    pub fit: FitReport,
    /// What was found.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// Held-out protocols side by side: what `evaluate --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AccuracyPage {
    /// Version of this format.
    pub schema_version: u32,
    /// What was refitted, on all rows.
    pub fit: FitReport,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// The figures that say most.
    pub headlines: Vec<Headline>,
    /// One evaluation a protocol.
    pub protocols: Vec<Evaluation>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

impl TableAccuracy {
    /// Version of the JSON of one evaluation.
    pub const SCHEMA_VERSION: u32 = 1;

    /// An evaluation with what it rests on.
    #[must_use]
    pub fn new(fit: FitReport, evaluation: Evaluation, notes: Vec<String>) -> Self {
        Self {
            schema_version: Self::SCHEMA_VERSION,
            fit,
            evaluation,
            notes,
        }
    }
}

impl AccuracyPage {
    /// Version of the JSON of several protocols.
    pub const SCHEMA_VERSION: u32 = 1;

    /// The page of some protocols and what is told of them first.
    #[must_use]
    pub fn new(
        fit: FitReport,
        headlines: Vec<Headline>,
        protocols: Vec<Evaluation>,
        notes: Vec<String>,
    ) -> Self {
        Self {
            schema_version: Self::SCHEMA_VERSION,
            fit,
            confidence: protocols.first().map_or(0.0, |first| first.confidence),
            headlines,
            protocols,
            notes,
        }
    }
}

/// What the columns mean, wherever they stand.
fn legend(share: f64) -> Vec<(String, String)> {
    let note = |label: &str, text: String| (label.to_owned(), text);
    vec![
        note(
            "error %",
            "absolute error of the expected throughput, over the measured one; mean of all rows \
             judged, and the same of physics without the residual correction"
                .to_owned(),
        ),
        note(
            "cover %",
            format!(
                "rows inside their interval, which is meant to hold {} % of runs",
                confidence(share)
            ),
        ),
        note(
            "± %",
            "median half-width of the intervals, over the expected throughput".to_owned(),
        ),
    ]
}

/// The memory verdicts of rows that all ran.
fn verdicts(evaluation: &Evaluation) -> (String, String) {
    let counts = evaluation.verdicts;
    let text = format!(
        "all rows ran; predicted to fit: {}, to be tight: {}, to overflow: {}",
        counts.fits, counts.tight, counts.overflows
    );
    ("memory".to_owned(), text)
}

/// What a reader should know besides, under the table.
fn besides(note: &str) -> (String, String) {
    ("note".to_owned(), note.to_owned())
}

fn rests_on(fit: &FitReport) -> String {
    format!("{}, {}", fit.name, counted(fit.rows as u64, "measured row"))
}

impl Answer for TableAccuracy {
    fn document(&self) -> Document {
        let evaluation = &self.evaluation;
        let title = match evaluation.protocol {
            None => format!(
                "{} against predictions",
                counted(evaluation.accuracy.rows as u64, "measured row")
            ),
            Some(protocol) => format!(
                "{}, protocol {protocol}",
                counted(evaluation.accuracy.rows as u64, "measured row")
            ),
        };
        let mut document = Document::new(title)
            .text(format!("fit: {}", rests_on(&self.fit)))
            .grid(grids::summary(evaluation));
        let known = |by: &str| evaluation.groups.iter().any(|group| group.by == by);
        let more = grids::MORE_GROUPINGS.into_iter();
        let more = more.filter(|(by, _)| known(by));
        for (by, heading) in grids::GROUPINGS.into_iter().chain(more) {
            document = document
                .heading(heading)
                .grid(grids::groups(evaluation, by));
        }
        let mut notes = legend(evaluation.confidence);
        notes.push(verdicts(evaluation));
        notes.extend(self.notes.iter().map(|note| besides(note)));
        document
            .heading("Farthest off")
            .grid(grids::farthest(evaluation))
            .heading("Notes")
            .notes(notes)
    }

    fn besides(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn records(&self) -> Records {
        records(&[&self.evaluation])
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

impl Answer for AccuracyPage {
    fn document(&self) -> Document {
        let mut document = Document::new(format!(
            "How accurate predictions are: {}",
            rests_on(&self.fit)
        ))
        .text(
            "In every protocol but in-sample, rows are predicted by a fit made from scratch \
             without their model, sequence length or GPU count.",
        )
        .grid(grids::headlines(&self.headlines));
        for (by, heading) in grids::GROUPINGS {
            document = document
                .heading(heading)
                .grid(grids::side_by_side(&self.protocols, by));
        }
        let mut notes = legend(self.confidence);
        if self.headlines.iter().any(|headline| headline.aim.is_some()) {
            let text = "what the model is held to: mean error, and where it is given the shares \
                        between which coverage must lie and the largest half-width";
            notes.push(("aim".to_owned(), text.to_owned()));
            let text = "leaving gpt-125m out leaves no row of the A100-40GB, and leaving 8 GPUs out \
                        none of the A100-80GB: their intervals widen to what is known of a GPU \
                        never measured";
            notes.push(("wide".to_owned(), text.to_owned()));
        }
        notes.extend(self.protocols.first().map(verdicts));
        notes.extend(self.notes.iter().map(|note| besides(note)));
        document.heading("Notes").notes(notes)
    }

    fn besides(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn records(&self) -> Records {
        records(&self.protocols.iter().collect::<Vec<_>>())
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

/// One record a predicted row.
fn records(evaluations: &[&Evaluation]) -> Records {
    let mut records = Records::default();
    for evaluation in evaluations {
        let protocol = evaluation.protocol.map(Protocol::name);
        for row in &evaluation.predictions {
            let (header, cells) = fields(protocol, row).0.into_iter().unzip();
            records.header = header;
            records.rows.push(cells);
        }
    }
    records
}

fn fields(protocol: Option<&str>, row: &RowResult) -> Flat {
    let mut flat = Flat::default();
    if let Some(protocol) = protocol {
        flat.put("protocol", protocol);
    }
    flat.put("model", &row.model);
    flat.put("gpu", &row.gpu);
    flat.put("cluster", &row.cluster);
    flat.put("stack", &row.stack);
    flat.put("gpus", row.gpus);
    flat.put("seq_len", row.seq_len);
    flat.put("micro_batch", row.micro_batch);
    flat.put("grad_accum", row.grad_accum);
    flat.put("activation_checkpointing", row.activation_checkpointing);
    flat.put("measured_tok_s", row.measured_tok_s);
    flat.interval("predicted_tok_s", Some(row.predicted_tok_s));
    let bad_day = row.bad_day_tok_s.map(|speed| speed.to_string());
    flat.put("bad_day_tok_s", bad_day.unwrap_or_default());
    flat.put("physics_tok_s", row.physics_tok_s);
    flat.put("ape", row.ape);
    flat.put("memory_verdict", json_name(row.memory_verdict));
    flat.put("peak_gib", row.peak_gib);
    flat.put("basis", json_name(row.basis));
    flat
}
