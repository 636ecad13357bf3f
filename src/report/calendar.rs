//! Several jobs on one calendar: what `plan` says of a file with `[[jobs]]`.

mod gantt;
mod names;
mod records;
mod words;

use crate::calendar::Moment;
use crate::job::{Agenda, Minimise};
use crate::quantity::{counted, display_chance, display_thousands};
use crate::schedule::{ClusterCalendar, EVERY_NODE, Schedule, ScheduledJob};

use super::number::{
    TimeUnit, compact, confidence, dollars, largest, percent, significant, thousands,
};
use super::ranking::is_short;
use super::words::{partial, price_words};
use super::{Answer, Cell, Column, Document, Grid, Records, Tone};
use names::Names;
pub(super) use words::{cut_off, is_cut_off_sooner};
use words::{done_words, objective_words};

/// A schedule with the jobs it is of.
#[derive(Debug, Clone, Copy)]
pub struct Calendar<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// The jobs.
    pub agenda: &'a Agenda,
}

impl Answer for Calendar<'_> {
    fn document(&self) -> Document {
        let names = Names::of(self.schedule);
        let mut document = Document::new(self.title())
            .text(self.scope())
            .grid(self.jobs());
        for cluster in &self.schedule.clusters {
            document = document
                .heading(Self::cluster_heading(cluster))
                .grid(gantt::chart(self.schedule, cluster, &names));
        }
        document.heading("Notes").notes(self.notes())
    }

    fn besides(&self) -> Vec<String> {
        self.schedule.notes.clone()
    }

    fn records(&self) -> Records {
        records::records(&self.schedule.jobs)
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self.schedule)
    }
}

impl Calendar<'_> {
    fn title(&self) -> String {
        let schedule = self.schedule;
        let jobs = counted(schedule.jobs.len() as u64, "job");
        let unit = TimeUnit::of_hours(schedule.makespan_h);
        let mut text = format!(
            "{jobs} in {} {}: {} to {}",
            unit.show(schedule.makespan_h),
            unit.name,
            schedule.start,
            schedule.end,
        );
        if let Some(cost) = schedule.cost_usd {
            let of = match self.expected() {
                Some(expected) => format!(" as booked, expected ${}", dollars(expected)),
                None => String::new(),
            };
            text = format!("{text}, ${}{of}", dollars(cost));
        }
        text
    }

    /// What the jobs are expected to cost, where longer hours are booked for them.
    fn expected(&self) -> Option<f64> {
        let booked = self.schedule.probability.is_some();
        self.schedule.expected_cost_usd.filter(|_| booked)
    }

    fn scope(&self) -> String {
        let basis = match self.schedule.probability {
            None => "expected durations".to_owned(),
            Some(probability) => format!(
                "durations that each job keeps with a probability of {} %",
                confidence(probability)
            ),
        };
        format!(
            "{}; {basis}",
            objective_words(
                self.schedule.minimise,
                &self.schedule.objective,
                self.weights()
            )
        )
    }

    /// Whether an hour of some job's lateness counts more or less than one.
    fn weights(&self) -> bool {
        let mut jobs = self.schedule.jobs.iter();
        self.schedule.minimise == Minimise::Lateness
            && jobs.any(|job| job.deadline.is_some() && job.priority != 1)
    }

    fn jobs(&self) -> Grid {
        let schedule = self.schedule;
        let names = Names::of(self.schedule);
        let priced = schedule.jobs.iter().any(|job| job.cost_usd.is_some());
        let due = schedule.jobs.iter().any(|job| job.deadline.is_some());
        let longest = schedule
            .jobs
            .iter()
            .map(|job| job.hours)
            .fold(0.0, f64::max);
        let unit = TimeUnit::of_hours(longest);
        let mut columns = vec![
            Column::left("job"),
            Column::left("cluster"),
            Column::right("GPUs"),
            Column::right("micro ×\naccum"),
            Column::left("start"),
            Column::left("end"),
            Column::right(format!("time\n{}", unit.name)),
        ];
        if priced {
            let kind = if schedule.probability.is_some() {
                "booked"
            } else {
                "cost"
            };
            columns.push(Column::right(format!("{kind}\n$")));
        }
        if due {
            columns.push(Column::left("deadline"));
            columns.push(Column::right("done\n%"));
        }
        let most = largest(schedule.jobs.iter().map(|job| job.cost_usd));
        let row = |job: &ScheduledJob| {
            let candidate = &job.candidate;
            let mut row: Vec<Cell> = vec![
                names.cell(&job.name).tone(Tone::Strong),
                candidate.cluster.as_str().into(),
                display_thousands(candidate.gpus.into()).into(),
                format!(
                    "{}{} × {}",
                    if is_short(candidate) { "~" } else { "" },
                    candidate.micro_batch,
                    candidate.grad_accum
                )
                .into(),
                self.day(job.start).into(),
                self.day(job.end).into(),
                unit.show(job.hours).into(),
            ];
            if priced {
                row.push(
                    job.cost_usd
                        .map_or_else(|| "–".to_owned(), |usd| compact(usd, most))
                        .into(),
                );
            }
            if due {
                row.push(deadline(job));
                row.push(
                    job.done_by_deadline
                        .map_or_else(|| "–".to_owned(), display_chance)
                        .into(),
                );
            }
            row
        };
        Grid {
            columns,
            rows: schedule.jobs.iter().map(row).collect(),
        }
    }

    /// A moment as the table shows it; the title has the year where there is only one.
    fn day(&self, moment: Moment) -> String {
        let civil = moment.civil();
        let year = |moment: Moment| moment.civil().get(..4).map(str::to_owned);
        let from = if year(self.schedule.start) == year(self.schedule.end) {
            5
        } else {
            0
        };
        civil.get(from..16).unwrap_or(&civil).replace('T', " ")
    }

    fn cluster_heading(cluster: &ClusterCalendar) -> String {
        format!(
            "{}: {} of {} × {}, {} % in use",
            cluster.cluster,
            counted(cluster.nodes, "node"),
            cluster.gpus_per_node,
            cluster.gpu,
            percent(cluster.utilisation),
        )
    }

    fn notes(&self) -> Vec<(String, String)> {
        let schedule = self.schedule;
        let mut notes = Vec::new();
        notes.extend(partial(schedule));
        notes.push((
            "bars".to_owned(),
            "█ runs, · free, ░ no node is free; in use: ▁ few to █ all of the nodes".to_owned(),
        ));
        let ways: usize = schedule.jobs.iter().map(|job| job.ways).sum();
        notes.push((
            "weighed".into(),
            format!(
                "{} to run the jobs: the best configuration of each GPU count of each \
                 cluster, without those that another makes pointless; where `gpus` is left open, \
                 every number of nodes up to {EVERY_NODE}, and beyond it powers of two, all nodes that \
                 are ever free, and numbers of nodes that share the global batch evenly",
                counted(ways as u64, "way")
            ),
        ));
        let short = schedule.jobs.iter().filter(|job| is_short(&job.candidate));
        let short: Vec<String> = short
            .map(|job| {
                let percent = job.candidate.global_batch_shortfall * 100.0;
                format!("{} by {percent:.1} %", job.name)
            })
            .collect();
        if !short.is_empty() {
            let short = short.join(", ");
            notes.push((
                "~".into(),
                format!("below the global batch asked for: {short}"),
            ));
        }
        let step = match schedule.step_minutes {
            1 => "minutes".to_owned(),
            minutes => format!("steps of {minutes} minutes"),
        };
        notes.push((
            "steps".into(),
            format!(
                "starts and ends are whole {step}, durations rounded up; jobs run in one piece, \
                 without pauses"
            ),
        ));
        if schedule.jobs.iter().any(|job| job.deadline.is_some()) {
            notes.push(("deadlines".into(), self.deadline_note()));
            notes.push(("done %".into(), done_words(schedule)));
        }
        notes.extend(self.spares());
        notes.push((
            "GPU-hours".into(),
            format!("{}, whole nodes", thousands(schedule.gpu_hours)),
        ));
        if let Some(expected) = self.expected() {
            notes.push((
                "booked $".into(),
                format!(
                    "for the hours booked; all jobs together are expected to cost ${}",
                    dollars(expected)
                ),
            ));
        }
        let fit = &schedule.fit;
        notes.push((
            "fit".into(),
            format!("{}: {}", fit.name, counted(fit.rows as u64, "measured row")),
        ));
        let jobs = schedule.jobs.iter();
        notes.extend(jobs.filter_map(|job| Some(("nodes".to_owned(), cut_off(job)?))));
        notes.extend(self.prices());
        let told = schedule.notes.iter();
        notes.extend(told.map(|text| ("note".to_owned(), text.clone())));
        notes
    }

    /// The prices that jobs are costed at, each once.
    fn prices(&self) -> Vec<(String, String)> {
        let mut notes = Vec::new();
        for site in &self.agenda.sites {
            let jobs = self.schedule.jobs.iter().zip(&self.agenda.jobs);
            for (scheduled, job) in jobs {
                let pricing = &job.request.pricing;
                let cluster = job.request.cluster(&site.cluster.name);
                let words = cluster
                    .filter(|cluster| cluster.name == scheduled.candidate.cluster)
                    .filter(|cluster| pricing.price(cluster).is_some())
                    .map(|cluster| ("price".to_owned(), price_words(pricing, cluster)));
                notes.extend(words.filter(|words| !notes.contains(words)));
            }
        }
        notes
    }

    /// Nodes that are booked beside those that train.
    fn spares(&self) -> Option<(String, String)> {
        let jobs = self.schedule.jobs.iter();
        let spared = jobs.filter(|job| job.candidate.spare_nodes > 0);
        let spared: Vec<String> = spared
            .map(|job| format!("{} {}", job.name, job.candidate.spare_nodes))
            .collect();
        (!spared.is_empty()).then(|| {
            let text = format!(
                "nodes kept beside the GPUs shown, in the calendar and in the cost: {}",
                spared.join(", ")
            );
            ("spares".into(), text)
        })
    }

    fn deadline_note(&self) -> String {
        if self.schedule.minimise == Minimise::Lateness {
            format!(
                "missed by {} hours in all, each job's times its priority",
                significant(self.schedule.lateness_h)
            )
        } else {
            "all met by the ends shown: they bind under this objective".to_owned()
        }
    }
}

/// Whether a job meets its deadline.
pub(super) fn deadline(job: &ScheduledJob) -> Cell {
    match job.late_h {
        None => Cell::from("–"),
        Some(late) if late > 0.0 => {
            let unit = TimeUnit::of_hours(late);
            Cell::from(format!("{} {} late", unit.show(late), unit.name)).tone(Tone::Bad)
        }
        Some(_) => Cell::from("met").tone(Tone::Good),
    }
}
