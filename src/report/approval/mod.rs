//! The report that a budget is approved by: what `report` writes.

mod alternatives;
mod basis;
mod cost;
mod opening;

use jiff::civil::DateTime;

use crate::fit_file::FitFile;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::measure::Measurement;
use crate::plan::{Candidate, Plan};
use crate::throughput::evaluate::Evaluation;

use super::number::tokens;
use super::ranking::Ranking;
use super::{Answer, Block, Document, Records};

/// A plan with all that a reader who was not there needs to decide by it.
#[derive(Debug, Clone, Copy)]
pub struct Approval<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The request it answers.
    pub request: &'a Request,
    /// When the booking starts, where that is known.
    pub start: Option<DateTime>,
    /// The command that makes this report again.
    pub command: &'a str,
    /// Measured rows that the fit rests on.
    pub measured: &'a [Measurement],
    /// The user's own fit; `None` for the embedded one.
    pub fit_file: Option<&'a FitFile>,
    /// How well the embedded fit's model predicts rows it did not see, where that was determined.
    pub accuracy: Option<&'a Evaluation>,
}

impl Answer for Approval<'_> {
    fn document(&self) -> Document {
        let mut document = Document::new(self.title());
        document.blocks = self.opening();
        document.blocks.extend(self.sections());
        document
    }

    fn records(&self) -> Records {
        self.ranking().records()
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        self.ranking().json()
    }
}

/// A label and what is to be said about it.
fn note(label: &str, text: impl Into<String>) -> (String, String) {
    (label.to_owned(), text.into())
}

impl<'a> Approval<'a> {
    fn ranking(&self) -> Ranking<'_> {
        Ranking {
            plan: self.plan,
            request: self.request,
        }
    }

    pub(super) fn title(&self) -> String {
        format!(
            "Training {} on {} tokens",
            self.plan.request.model,
            tokens(self.request.tokens)
        )
    }

    /// The recommended candidate.
    pub(super) fn best(&self) -> Option<&'a Candidate> {
        self.plan.candidates.first()
    }

    /// The recommendation and what speaks against it.
    pub(super) fn opening(&self) -> Vec<Block> {
        let Some(best) = self.best() else {
            return vec![Block::Text("no configuration can be launched".into())];
        };
        let mut blocks = vec![
            Block::Text(self.recommendation(best)),
            Block::Text(opening::launched_as(best)),
        ];
        let warnings = self.warnings(best);
        if !warnings.is_empty() {
            blocks.push(Block::Heading("Warnings".into()));
            blocks.push(Block::Notes(warnings));
        }
        blocks
    }

    /// All that follows.
    pub(super) fn sections(&self) -> Vec<Block> {
        let Some(best) = self.best() else {
            return Vec::new();
        };
        let document = Document::default()
            .heading("The alternatives, ranked")
            .grid(alternatives::grid(&self.plan.candidates, best))
            .heading("What it costs")
            .grid(cost::lines(best, self.cluster(best)))
            .heading("Assumptions")
            .notes(self.assumptions(best))
            .heading("Settings that differ from the defaults")
            .notes(self.settings())
            .heading("How it was made")
            .text(basis::version())
            .code(self.command)
            .notes(self.provenance());
        document.blocks
    }

    fn cluster(&self, candidate: &Candidate) -> Option<&'a Cluster> {
        let named = |cluster: &&Cluster| cluster.name == candidate.cluster;
        self.request.clusters.iter().find(named)
    }
}
