//! The reports that a budget is approved by: what `report` writes.

mod alternatives;
mod basis;
mod booking;
mod charts;
mod choice;
mod ladder;
mod opening;
mod settings;

use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::fit_file::FitFile;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::measure::Measurement;
use crate::plan::{Candidate, Plan};
use crate::quantity::plural;
use crate::reserve::Reservation;
use crate::throughput::evaluate::Evaluation;

pub use self::ladder::LadderApproval;

use self::choice::{Recommended, Why};
use super::bill::bill;
use super::bookings::Bookings;
use super::front::headline;
use super::ranking::Ranking;
use super::{Answer, Document, Records};

/// A plan with all that a reader who was not there needs to decide by it.
#[derive(Debug, Clone, Copy)]
pub struct Approval<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The request it answers.
    pub request: &'a Request,
    /// Bookings for the job, where some were asked for: one of them is recommended then.
    pub reservation: Option<&'a Reservation>,
    /// When the run starts, where that is known and no booking says so.
    pub start: Option<DateTime>,
    /// Measured rows that the fit rests on.
    pub measured: &'a [Measurement],
    /// What the report rests on.
    pub grounds: Grounds<'a>,
}

/// What a report rests on besides what was planned.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The command that makes the report again.
    pub command: &'a str,
    /// The user's own fit; `None` for the embedded one.
    pub fit_file: Option<&'a FitFile>,
    /// How well the embedded fit's model predicts rows it did not see, where that was determined.
    pub accuracy: Option<&'a Evaluation>,
}

/// What `report` writes as JSON for one job: its plan, and the bookings found for it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApprovalReport<'a> {
    /// The plan.
    #[serde(flatten)]
    pub plan: &'a Plan,
    /// When the run starts, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Bookings for the job, where the job file asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<&'a Reservation>,
    /// Place of the recommended booking among them, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommended_booking: Option<usize>,
}

impl Answer for Approval<'_> {
    fn document(&self) -> Document {
        let document = Document::new(self.title());
        let run = self.booked_run();
        let report: Approval<'_> = *self;
        match report.recommended(run.as_ref()) {
            None => document.text("no configuration can be launched"),
            Some(best) => {
                let opened = report.opening(document, &best);
                report.closing(report.body(opened, &best), &best)
            }
        }
    }

    fn besides(&self) -> Vec<String> {
        match self.reservation {
            Some(reservation) => Bookings { reservation }.besides(),
            None => self.ranking().besides(),
        }
    }

    fn records(&self) -> Records {
        match self.reservation {
            Some(reservation) => Bookings { reservation }.records(),
            None => self.ranking().records(),
        }
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&ApprovalReport {
            plan: self.plan,
            start: self.start.map(|start| start.strftime("%FT%TZ").to_string()),
            reservation: self.reservation,
            recommended_booking: self
                .reservation
                .and_then(Reservation::recommended)
                .map(|_| 1),
        })
    }
}

/// A label and what is to be said about it.
fn note(label: &str, text: impl Into<String>) -> (String, String) {
    (label.to_owned(), text.into())
}

/// Warnings under a heading; nothing where there are none.
fn warned(document: Document, warnings: Vec<(String, String)>) -> Document {
    if warnings.is_empty() {
        document
    } else {
        document.heading("Warnings").notes(warnings)
    }
}

impl<'a> Approval<'a> {
    fn ranking(&self) -> Ranking<'_> {
        Ranking {
            plan: self.plan,
            request: self.request,
        }
    }

    fn title(&self) -> String {
        format!(
            "Training {} on {} {}",
            self.plan.request.model,
            self.request.tokens.rounded(),
            plural(self.request.tokens.get(), "token")
        )
    }

    /// The recommendation and what speaks against it.
    fn opening(&self, document: Document, best: &Recommended<'a>) -> Document {
        let document = document
            .text(self.recommendation(best))
            .text(opening::launched_as(best.candidate));
        warned(document, self.warnings(best))
    }

    /// The charts, the booking, the alternatives, the bill.
    fn body(&self, document: Document, best: &Recommended<'a>) -> Document {
        let mut document = document.charts(self.charts(best));
        if let (Why::Booked(booking), Some(reservation)) = (best.why, self.reservation) {
            document = booking::sections(document, reservation, booking);
        }
        document = match &self.plan.front {
            Some(front) => document
                .heading("The front of time against cost")
                .text(headline(front) + "."),
            None => document.heading("The alternatives, ranked"),
        };
        let bill = match best.why {
            Why::Booked(booking) => {
                document = document.text(booking::unbooked(booking, best.candidate));
                booking::bill(booking)
            }
            Why::First | Why::Knee => bill(best.candidate),
        };
        document
            .grid(alternatives::grid(
                self.plan,
                best.candidate,
                self.reservation,
            ))
            .heading("What it costs")
            .grid(bill)
    }

    /// What it rests on.
    fn closing(&self, document: Document, best: &Recommended<'a>) -> Document {
        let document = document
            .heading("Assumptions")
            .notes(self.assumptions(best))
            .heading("Settings that differ from the defaults")
            .notes(self.settings());
        basis::made(document, self.grounds, self.provenance())
    }

    fn cluster(&self, candidate: &Candidate) -> Option<&'a Cluster> {
        self.request.cluster(&candidate.cluster)
    }
}
