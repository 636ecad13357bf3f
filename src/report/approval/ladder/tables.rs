//! The tables of a report on several jobs.

use crate::calendar::Moment;
use crate::forecast::{CostItem, CostLine};
use crate::quantity::{Interval, display_chance, display_count, display_thousands};
use crate::schedule::{ClusterCalendar, ScheduledJob};

use super::super::super::bill::{Line, Total, itemised};
use super::super::super::calendar::deadline;
use super::super::super::number::{TimeUnit, dollars, hours as show_hours, percent, significant};
use super::super::super::{Cell, Column, Grid, Tone};
use super::super::alternatives::{how, with_range};
use super::opening::day;
use super::{LadderApproval, sum};

impl LadderApproval<'_> {
    /// A row a job.
    pub(super) fn jobs(&self) -> Grid {
        let jobs = &self.schedule.jobs;
        let longest = jobs.iter().map(|job| job.hours).fold(0.0, f64::max);
        let unit = TimeUnit::of_hours(longest);
        let due = jobs.iter().any(|job| job.deadline.is_some());
        let mut columns = vec![
            Column::left("job"),
            Column::left("configuration and basis"),
            Column::right("start, end"),
            Column::right(format!("time, {}", unit.name)),
            Column::right("done by its end, %"),
            Column::right("cost, $"),
        ];
        if due {
            columns.push(Column::right("deadline"));
        }
        let row = |job: &ScheduledJob| {
            let mut row = vec![
                Cell::from(named(job)).tone(Tone::Strong),
                how(&job.candidate).into(),
                format!("{}\n{}", self.short(job.start), self.short(job.end)).into(),
                with_range(job.candidate.time_to_budget_h, |hours| unit.show(hours)).into(),
                display_chance(job.done_by_end).into(),
                job.candidate
                    .cost_usd
                    .map_or_else(|| "–".into(), |cost| with_range(cost, dollars))
                    .into(),
            ];
            if due {
                row.push(self.due_cell(job));
            }
            row
        };
        Grid {
            columns,
            rows: jobs.iter().map(row).collect(),
        }
    }

    /// A row a cluster.
    pub(super) fn clusters(&self) -> Grid {
        let row = |cluster: &ClusterCalendar| -> Vec<Cell> {
            vec![
                cluster.cluster.as_str().into(),
                format!(
                    "{} of {} × {}",
                    display_thousands(cluster.nodes.into()),
                    cluster.gpus_per_node,
                    cluster.gpu
                )
                .into(),
                significant(cluster.free_node_hours).into(),
                significant(cluster.used_node_hours).into(),
                percent(cluster.utilisation).into(),
            ]
        };
        Grid {
            columns: vec![
                Column::left("cluster"),
                Column::left("nodes"),
                Column::right("node-hours free until the last job is done"),
                Column::right("node-hours booked"),
                Column::right("in use, %"),
            ],
            rows: self.schedule.clusters.iter().map(row).collect(),
        }
    }

    /// A line a job.
    pub(super) fn bill_by_job(&self) -> Grid {
        let lines = self.schedule.jobs.iter().map(|job| Line {
            item: job.name.clone(),
            gpu_hours: job.candidate.gpu_hours.expected,
            unit: job.candidate.usd_per_gpu_hour,
            usd: job.candidate.cost_usd.map(|cost| cost.expected),
        });
        itemised("job", &lines.collect::<Vec<_>>(), self.total())
    }

    /// A line a job for the hours booked, where these are longer than is expected: they add up to what the
    /// calendar costs as booked.
    pub(super) fn bill_as_booked(&self) -> Option<Grid> {
        self.schedule.probability?;
        let jobs = &self.schedule.jobs;
        let unit = TimeUnit::of_hours(jobs.iter().map(|job| job.hours).fold(0.0, f64::max));
        let usd = |usd: Option<f64>| usd.map_or_else(|| "–".to_owned(), dollars);
        let row = |job: &ScheduledJob| -> Vec<Cell> {
            vec![
                job.name.as_str().into(),
                format!("{}\n{}", self.short(job.start), self.short(job.end)).into(),
                unit.show(job.hours).into(),
                show_hours(job.gpu_hours).into(),
                usd(job.cost_usd).into(),
                usd(job.expected_cost_usd).into(),
            ]
        };
        let total = [
            "total".to_owned(),
            String::new(),
            String::new(),
            show_hours(jobs.iter().map(|job| job.gpu_hours).sum()),
            usd(self.schedule.cost_usd),
            usd(self.schedule.expected_cost_usd),
        ];
        let mut rows: Vec<Vec<Cell>> = jobs.iter().map(row).collect();
        rows.push(total.map(|cell| Cell::from(cell).tone(Tone::Strong)).into());
        Some(Grid {
            columns: vec![
                Column::left("job"),
                Column::right("booked from, to"),
                Column::right(format!("booked, {}", unit.name)),
                Column::right("GPU-hours"),
                Column::right("as booked, $"),
                Column::right("expected, $"),
            ],
            rows,
        })
    }

    /// A line for each thing that GPU-hours are paid for, all jobs together.
    pub(super) fn bill_by_item(&self) -> Grid {
        let jobs = &self.schedule.jobs;
        let unit = jobs.first().and_then(|job| job.candidate.usd_per_gpu_hour);
        let same = |job: &ScheduledJob| job.candidate.usd_per_gpu_hour == unit;
        let unit = unit.filter(|_| jobs.iter().all(same));
        let items = [
            CostItem::Training,
            CostItem::StartUp,
            CostItem::Checkpoints,
            CostItem::Failures,
            CostItem::Spares,
        ];
        let lines = items.map(|item| {
            let of = |job: &ScheduledJob| -> Vec<CostLine> {
                let lines = job.candidate.cost_lines.iter();
                lines.filter(|line| line.item == item).copied().collect()
            };
            let all: Vec<CostLine> = jobs.iter().flat_map(of).collect();
            Line {
                item: item.words().to_owned(),
                gpu_hours: all.iter().map(|line| line.gpu_hours).sum(),
                unit,
                usd: all.iter().map(|line| line.usd).sum(),
            }
        });
        itemised("item", &lines, self.total())
    }

    /// A date without its year, where the first sentence names the only one.
    fn short(&self, moment: Moment) -> String {
        let schedule = self.schedule;
        let year = |moment: Moment| moment.datetime().year();
        if [schedule.start, schedule.end]
            .iter()
            .all(|at| year(*at) == year(moment))
        {
            moment.datetime().strftime("%m-%d %H:%MZ").to_string()
        } else {
            day(moment)
        }
    }

    /// Whether the deadline is met, and how surely.
    fn due_cell(&self, job: &ScheduledJob) -> Cell {
        let mut cell = deadline(job);
        if let (Some(due), Some(sure)) = (job.deadline, job.done_by_deadline) {
            let met = cell.text.replace(" late", "\nlate");
            cell.text = format!(
                "{}:\n{met},\n{} % sure",
                self.short(due),
                display_chance(sure)
            );
        }
        cell
    }

    fn total(&self) -> Total {
        let hours = |job: &ScheduledJob| Some(job.candidate.gpu_hours);
        Total {
            gpu_hours: sum(self.schedule.jobs.iter().map(hours)).unwrap_or(Interval::ZERO),
            usd: self.cost(),
        }
    }
}

/// The job, and what it trains on how much.
fn named(job: &ScheduledJob) -> String {
    let tokens = display_count(job.tokens as f64);
    if job.name == job.model {
        format!("{}\n{tokens} tokens", job.name)
    } else {
        format!("{}\n{}, {tokens} tokens", job.name, job.model)
    }
}
