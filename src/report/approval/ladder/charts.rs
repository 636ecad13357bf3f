//! The charts of a report on several jobs.

use crate::calendar::Moment;
use crate::quantity::{Interval, counted, display_thousands};
use crate::schedule::{ClusterCalendar, ScheduledJob};

use super::super::super::chart::{self, Booking, Chart, Compared, Lane, Taken};
use super::LadderApproval;

impl LadderApproval<'_> {
    pub(super) fn charts(&self) -> Vec<Chart> {
        let compared = Compared {
            bars: self.schedule.jobs.iter().map(bar).collect(),
            what: "The jobs, in the order of the file",
        };
        let mut charts = vec![
            self.calendar_chart(),
            chart::cost_bars(&compared),
            chart::time_bars(&compared),
            chart::memory_bars(&compared),
        ];
        let accuracy = self.grounds.accuracy;
        charts.extend(accuracy.map(|found| chart::accuracy(found, "its model")));
        charts
    }

    fn calendar_chart(&self) -> Chart {
        chart::calendar(&chart::Calendar {
            title: "The jobs on a calendar",
            caption: format!(
                "Each job from its start; the ends are those of the run alone, if it starts then{}.",
                if self.schedule.probability.is_some() {
                    ", and the frame around it is what is booked"
                } else {
                    ""
                }
            ),
            start: Some(self.schedule.start.datetime()),
            lanes: self
                .schedule
                .clusters
                .iter()
                .map(|c| self.lane(c))
                .collect(),
        })
    }

    fn lane(&self, cluster: &ClusterCalendar) -> Lane {
        let jobs = self.schedule.jobs.iter();
        let here = jobs.filter(|job| job.candidate.cluster == cluster.cluster);
        let mut here: Vec<&ScheduledJob> = here.collect();
        here.sort_by_key(|job| job.start);
        Lane {
            name: format!("{}, {}", cluster.cluster, counted(cluster.nodes, "node")),
            taken: self.taken(cluster),
            bookings: here.into_iter().map(|job| self.booking(job)).collect(),
        }
    }

    fn booking(&self, job: &ScheduledJob) -> Booking {
        let from_h = self.hours(job.start);
        let time = job.candidate.time_to_budget_h;
        Booking {
            label: format!(
                "{}: {}",
                job.name,
                counted(job.candidate.booked_nodes(), "node")
            ),
            from_h,
            to_h: Interval {
                low: from_h + time.low,
                expected: from_h + time.expected,
                high: from_h + time.high,
            },
            until_h: self.schedule.probability.map(|_| self.hours(job.end)),
            due_h: job.deadline.map(|due| self.hours(due)),
        }
    }

    /// When nodes of a cluster can't be had, until the last job is done.
    fn taken(&self, cluster: &ClusterCalendar) -> Vec<Taken> {
        let mut pieces: Vec<(f64, f64, u64)> = Vec::new();
        let mut at = 0.0;
        for window in &cluster.free {
            let (from, to) = (self.hours(window.from), self.hours(window.to));
            pieces.push((at, from, cluster.nodes));
            pieces.push((from, to, cluster.nodes.saturating_sub(window.nodes)));
            at = to;
        }
        pieces.push((at, self.schedule.makespan_h, cluster.nodes));
        let mut taken: Vec<(f64, f64, u64)> = Vec::new();
        for (from, to, nodes) in pieces {
            match taken.last_mut() {
                _ if nodes == 0 || to <= from => {}
                Some(last) if last.2 == nodes && last.1 >= from => last.1 = to,
                _ => taken.push((from, to, nodes)),
            }
        }
        let told = |(from_h, to_h, nodes): (f64, f64, u64)| Taken {
            label: if nodes == cluster.nodes {
                "no nodes to be had".to_owned()
            } else {
                format!("{nodes} of {} nodes not to be had", cluster.nodes)
            },
            from_h,
            to_h,
        };
        taken.into_iter().map(told).collect()
    }

    /// Hours of a moment after the calendar's start.
    fn hours(&self, moment: Moment) -> f64 {
        moment.hours_after(self.schedule.start).max(0.0)
    }
}

fn bar(job: &ScheduledJob) -> (String, &crate::plan::Candidate) {
    let c = &job.candidate;
    let gpus = display_thousands(c.gpus.into());
    (format!("{}: {gpus} GPUs", job.name), c)
}
