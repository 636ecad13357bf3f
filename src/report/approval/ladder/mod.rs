//! The report on several jobs that share a calendar.

mod basis;
mod charts;
mod opening;
mod tables;

use crate::job::Agenda;
use crate::quantity::{Interval, counted};
use crate::schedule::{Schedule, ScheduledJob};

use super::super::calendar::Calendar;
use super::super::{Answer, Document, Records};
use super::{Grounds, basis::made, warned};

/// A schedule with all that a reader who was not there needs to decide by it.
#[derive(Debug, Clone, Copy)]
pub struct LadderApproval<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// The jobs it is of.
    pub agenda: &'a Agenda,
    /// What the report rests on.
    pub grounds: Grounds<'a>,
}

impl Answer for LadderApproval<'_> {
    fn document(&self) -> Document {
        let document = Document::new(self.title())
            .text(self.recommendation())
            .text(self.order());
        let document = warned(document, self.warnings())
            .charts(self.charts())
            .heading("The jobs")
            .grid(self.jobs())
            .heading("How the clusters are used")
            .grid(self.clusters());
        let document = match self.bill_as_booked() {
            Some(bill) => document
                .heading("What it costs as booked, job by job")
                .grid(bill)
                .heading("What it is expected to cost, job by job"),
            None => document.heading("What it costs, job by job"),
        };
        let document = document
            .grid(self.bill_by_job())
            .heading("What it costs, by what it is for")
            .grid(self.bill_by_item())
            .heading("Assumptions")
            .notes(self.assumptions())
            .heading("The calendar and the jobs as asked for")
            .notes(self.asked())
            .heading("Settings that differ from the defaults")
            .notes(self.settings());
        made(document, self.grounds, self.provenance())
    }

    fn besides(&self) -> Vec<String> {
        self.calendar().besides()
    }

    fn records(&self) -> Records {
        self.calendar().records()
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        self.calendar().json()
    }
}

impl<'a> LadderApproval<'a> {
    fn calendar(&self) -> Calendar<'a> {
        Calendar {
            schedule: self.schedule,
            agenda: self.agenda,
        }
    }

    fn title(&self) -> String {
        format!(
            "Training {}",
            counted(self.schedule.jobs.len() as u64, "job")
        )
    }

    /// The clusters that something runs on, in the order of the agenda.
    fn used(&self) -> Vec<&'a str> {
        let runs = |name: &str| {
            self.schedule
                .jobs
                .iter()
                .any(|job| job.candidate.cluster == name)
        };
        let sites = self.agenda.sites.iter();
        let names = sites.map(|site| site.cluster.name.as_str());
        names.filter(|name| runs(name)).collect()
    }

    /// The probability with which the durations booked are kept, and what they cost; `None` where
    /// the expected ones are booked or a price is missing.
    fn booked(&self) -> Option<(f64, f64)> {
        self.schedule.probability.zip(self.schedule.cost_usd)
    }

    /// Dollars of all jobs, as if all went well together or badly together; `None` when one of
    /// them has no price.
    fn cost(&self) -> Option<Interval> {
        let cost = |job: &ScheduledJob| job.candidate.cost_usd;
        sum(self.schedule.jobs.iter().map(cost))
    }
}

/// Intervals end by end.
fn sum(intervals: impl Iterator<Item = Option<Interval>>) -> Option<Interval> {
    intervals
        .into_iter()
        .try_fold(Interval::ZERO, |total, one| {
            Some(total.plus_end_by_end(one?))
        })
}
