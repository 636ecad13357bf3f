//! Reports: an answer as a table for people, JSON or CSV for programs, Markdown for documents.
//!
//! An [`Answer`] knows what it has to say; a [`Report`] knows how one format says it. What people
//! read (the table, Markdown and the page) is the same [`Document`] in three dresses, so that they
//! can't disagree. Nothing here writes anywhere or reads a clock.

pub mod accuracy;
mod advice;
mod approval;
mod bill;
mod bookings;
mod calendar;
mod candidate;
mod catalog;
mod chart;
mod compare;
mod csv;
mod document;
mod explain;
mod fit_summary;
#[cfg(test)]
mod fixture;
mod front;
mod json;
mod listing;
mod markdown;
mod number;
mod page;
mod ranking;
pub mod settings;
mod sketch;
mod table;
pub mod tables;
pub(crate) mod words;

use thiserror::Error;

pub use self::advice::{Fitted, ToMeasure};
pub use self::approval::{Approval, ApprovalReport, Grounds, LadderApproval};
pub use self::bookings::Bookings;
pub use self::calendar::Calendar;
pub use self::catalog::{Shelf, shelf};
pub use self::chart::{Chart, Key};
pub use self::compare::Deviation;
pub use self::csv::Csv;
pub use self::document::{Block, Cell, Column, Document, Grid, Tone};
pub use self::explain::Explanation;
pub use self::fit_summary::FitSummary;
pub(crate) use self::fit_summary::Summary as FitReportSummary;
pub use self::json::Json;
pub use self::listing::{Listing, Section};
pub use self::markdown::Markdown;
pub use self::page::Html;
pub use self::ranking::Ranking;
pub use self::table::Table;

/// A flat table of named columns, for programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Column names.
    pub header: Vec<String>,
    /// Rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
}

impl Records {
    /// Those of a CSV text with a header; a quoted field may hold commas.
    pub(crate) fn of_csv(text: &str) -> Self {
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let fields = |record: &::csv::StringRecord| record.iter().map(str::to_owned).collect();
        Self {
            header: reader.headers().map(fields).unwrap_or_default(),
            rows: reader
                .records()
                .flatten()
                .map(|record| fields(&record))
                .collect(),
        }
    }
}

/// Something that can be reported.
pub trait Answer {
    /// What people read.
    fn document(&self) -> Document;

    /// What spreadsheets read.
    fn records(&self) -> Records;

    /// What a reader should know besides, which what spreadsheets read has no place for.
    fn besides(&self) -> Vec<String> {
        Vec::new()
    }

    /// What programs read, indented.
    ///
    /// # Errors
    /// When a value has no JSON form.
    fn json(&self) -> Result<String, serde_json::Error>;
}

/// One output format.
pub trait Report {
    /// Whether what a reader should know besides is part of the text.
    fn tells_all(&self) -> bool {
        true
    }

    /// The whole text of the answer, ending in a newline.
    ///
    /// # Errors
    /// When the answer has no form in this format.
    fn render(&self, answer: &dyn Answer) -> Result<String, ReportError>;
}

/// Why an answer has no form in a format.
#[derive(Debug, Error)]
pub enum ReportError {
    /// JSON.
    #[error("the result has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    /// CSV.
    #[error("the result has no CSV form: {0}")]
    Csv(#[from] ::csv::Error),
    /// HTML.
    #[error("the result has no HTML form: {0}")]
    Html(#[from] minijinja::Error),
}
