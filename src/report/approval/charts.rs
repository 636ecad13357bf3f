//! The charts of a report on one job.

use crate::fit_file::FitFile;
use crate::measure::Measurement;
use crate::plan::Candidate;
use crate::quantity::display_thousands;

use super::super::chart::{self, Booking, Calendar, Chart, Compared, Lane, Measured};
use super::super::number::confidence;
use super::super::words::same;
use super::Approval;
use super::booking;
use super::choice::{Recommended, Why};

/// How many of the leading candidates the bar charts show.
const LEADING: usize = 5;

impl<'a> Approval<'a> {
    pub(super) fn charts(&self, best: &Recommended<'a>) -> Vec<Chart> {
        let by_count = &self.plan.best_by_gpu_count;
        let compared = self.leading(best.candidate);
        let mut charts = vec![
            chart::cost_time(&self.weighed(best.candidate), Some(best.candidate)),
            chart::scaling(by_count, &self.measured_speeds(best.candidate)),
            self.calendar(best),
            chart::time_bars(&compared),
            chart::memory_bars(&compared),
        ];
        charts.extend(
            self.grounds
                .accuracy
                .map(|found| chart::accuracy(found, "its model")),
        );
        charts
    }

    /// The best configuration at each GPU count, the front where there is one, and what is
    /// recommended; each once.
    fn weighed(&self, best: &Candidate) -> Vec<Candidate> {
        let mut weighed = self.plan.best_by_gpu_count.clone();
        let front = self.plan.front.as_ref().map(|_| &self.plan.candidates);
        for candidate in front.into_iter().flatten().chain([best]) {
            if !weighed.iter().any(|other| same(other, candidate)) {
                weighed.push(candidate.clone());
            }
        }
        weighed
    }

    /// The first candidates; the recommended one first where it is not among them.
    fn leading(&self, best: &'a Candidate) -> Compared<'a> {
        let candidates = &self.plan.candidates;
        let among = candidates.iter().take(LEADING).any(|c| same(c, best));
        let shown = if among { LEADING } else { LEADING - 1 };
        let rank = |c: &Candidate| {
            let ranked = candidates.iter().find(|other| same(other, c));
            ranked.map_or_else(|| "booked:".to_owned(), |c| format!("#{}", c.rank))
        };
        let first = (!among).then_some(best).into_iter();
        let shown = first.chain(candidates.iter().take(shown));
        Compared {
            bars: shown.map(|c| (named(&rank(c), c), c)).collect(),
            what: match (among, self.plan.front.is_some()) {
                (true, false) => "The leading candidates",
                (false, false) => "The recommended candidate, then the leading ones",
                (true, true) => "The front from its cheap end",
                (false, true) => "The recommended candidate, then the front from its cheap end",
            },
        }
    }

    /// The recommended booking, or the run alone.
    fn calendar(&self, best: &Recommended<'a>) -> Chart {
        if let (Why::Booked(booking), Some(reservation)) = (best.why, self.reservation) {
            return booking::calendar(reservation, booking);
        }
        let run = best.candidate;
        let unknown = if self.start.is_some() {
            ""
        } else {
            "No date is set for the start, so the axis counts from it. "
        };
        chart::calendar(&Calendar {
            title: "The booking on a calendar",
            caption: format!(
                "{unknown}Booked to the high end, the run is done with a probability of {} %.",
                confidence(f64::midpoint(self.request.confidence.get(), 1.0))
            ),
            start: self.start,
            lanes: vec![Lane {
                name: run.cluster.clone(),
                taken: Vec::new(),
                bookings: vec![Booking {
                    label: format!(
                        "{}: {} GPUs",
                        self.plan.request.model,
                        display_thousands(run.gpus.into())
                    ),
                    from_h: 0.0,
                    to_h: run.time_to_budget_h,
                    until_h: None,
                    due_h: None,
                }],
            }],
        })
    }

    /// Measured throughputs of this model at the sequence length recommended, on GPUs that the job
    /// may run on.
    fn measured_speeds(&self, best: &Candidate) -> Vec<Measured> {
        let clusters = self.request.clusters.iter();
        let gpus: Vec<&str> = clusters.map(|cluster| cluster.gpu.name.as_str()).collect();
        let own = self.grounds.fit_file.map_or(&[][..], FitFile::rows);
        let alike = |row: &&Measurement| {
            row.model == self.plan.request.model
                && row.configuration.seq_len == best.seq_len
                && row.stack.name == self.plan.request.stack
                && gpus.contains(&row.cluster.gpu.name.as_str())
        };
        let rows = self.measured.iter().chain(own).filter(alike);
        rows.map(|row| (row.configuration.gpus, row.throughput_tok_s))
            .collect()
    }
}

/// The candidate in as few words as its bar has room for.
fn named(rank: &str, c: &Candidate) -> String {
    let checkpointing = if c.activation_checkpointing {
        " ckpt"
    } else {
        ""
    };
    format!(
        "{rank} {} GPUs, {} × {}{checkpointing}",
        display_thousands(c.gpus.into()),
        c.micro_batch,
        c.grad_accum,
    )
}
