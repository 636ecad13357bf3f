//! The first sentence of a report on several jobs, and what speaks against the schedule.

use crate::calendar::Moment;
use crate::job::Minimise;
use crate::memory::Verdict;
use crate::plan::shortfall_note;
use crate::quantity::{counted, display_chance};
use crate::schedule::ScheduledJob;
use crate::throughput::Basis;

use super::super::super::calendar::{cut_off, is_cut_off_sooner};
use super::super::super::number::{TimeUnit, dollars, percent};
use super::super::super::words::{partial, verdict_words};
use super::super::note;
use super::LadderApproval;

/// Deadlines less sure than this are warned of.
const SURE: f64 = 0.9;
/// Jobs less sure than this to be done by their end are told of.
const LIKELY: f64 = 0.8;

/// `2026-12-01 09:00Z`.
pub(super) fn day(moment: Moment) -> String {
    moment.datetime().strftime("%Y-%m-%d %H:%MZ").to_string()
}

impl LadderApproval<'_> {
    /// What to do, in one sentence: what runs where, from when to when, for how much, how good that
    /// is, how sure, on what grounds.
    pub(super) fn recommendation(&self) -> String {
        let schedule = self.schedule;
        let unit = TimeUnit::of_hours(schedule.makespan_h);
        let booked = self.booked().map_or_else(String::new, |(_, booked)| {
            format!("${} as booked, expected ", dollars(booked))
        });
        let cost = match self.cost() {
            Some(cost) => format!(
                "at {booked}${} (${} to ${})",
                dollars(cost.expected),
                dollars(cost.low),
                dollars(cost.high)
            ),
            None => "at an unknown cost (a price is missing)".to_owned(),
        };
        let mut parts = vec![
            format!(
                "Train {} on {} from {} to {}, {} {}, {cost}",
                counted(schedule.jobs.len() as u64, "job"),
                listed(&self.used()),
                day(schedule.start),
                day(schedule.end),
                unit.show(schedule.makespan_h),
                unit.name,
            ),
            self.proven(),
        ];
        parts.extend(self.deadlines());
        parts.push(self.rests_on());
        parts.join("; ") + "."
    }

    /// How good the schedule is at what was minimised.
    pub(super) fn proven(&self) -> String {
        let objective = &self.schedule.objective;
        let (better, longer, best) = match self.schedule.minimise {
            Minimise::Makespan => ("shorter", "longer", "shortest"),
            Minimise::Cost => ("cheaper", "dearer", "cheapest"),
            Minimise::Lateness => ("less late", "later", "least late"),
        };
        let among = if self.unpriced().is_empty() {
            ""
        } else {
            " on clusters with a price"
        };
        match (objective.proven, objective.gap) {
            (true, _) => format!(
                "it is proven that no schedule of these jobs, run in the ways that were \
                 weighed{among}, is {better}"
            ),
            (false, Some(gap)) => format!(
                "it is at most {} % {longer} than the {best} schedule possible{among}",
                percent(gap)
            ),
            (false, None) => format!("whether a {better} schedule exists was not settled"),
        }
    }

    /// Which deadlines are met, and how surely; nothing where none is set.
    fn deadlines(&self) -> Option<String> {
        let due: Vec<&ScheduledJob> = self.due().collect();
        let missed: Vec<f64> = due.iter().filter_map(|job| job.late_h).collect();
        let worst = missed.iter().copied().fold(0.0, f64::max);
        let least = due.iter().filter_map(|job| job.done_by_deadline);
        let least = least.fold(1.0, f64::min);
        match due.as_slice() {
            [] => None,
            _ if worst > 0.0 => {
                let count = missed.iter().filter(|late| **late > 0.0).count();
                let unit = TimeUnit::of_hours(worst);
                let (deadlines, are) = (
                    if due.len() == 1 {
                        "deadline"
                    } else {
                        "deadlines"
                    },
                    if count == 1 { "is" } else { "are" },
                );
                Some(format!(
                    "{count} of {} {deadlines} {are} missed, by up to {} {}",
                    due.len(),
                    unit.show(worst),
                    unit.name
                ))
            }
            [job] => Some(format!(
                "with a probability of {} % {} is done by its deadline, {},{} if it starts as \
                 booked{}",
                display_chance(least),
                job.name,
                job.deadline.map_or_else(String::new, day),
                before_gone(job),
                or_later(&due),
            )),
            all => Some(format!(
                "each of the {} deadlines is met{} with a probability of {}, if its job starts \
                 as booked{}",
                all.len(),
                if all.iter().any(|job| is_cut_off_sooner(job)) {
                    ", by a job that still has its nodes,"
                } else {
                    ""
                },
                at_least(least),
                or_later(&due)
            )),
        }
    }

    fn due(&self) -> impl Iterator<Item = &ScheduledJob> {
        let jobs = self.schedule.jobs.iter();
        jobs.filter(|job| job.deadline.is_some())
    }

    fn rests_on(&self) -> String {
        let all = self.schedule.jobs.len();
        let far = self.extrapolated().count();
        let rows = self.schedule.fit.rows;
        match far {
            0 => format!("the figures are interpolated from {rows} measured rows"),
            _ if far == all => format!(
                "the figures are extrapolated: the jobs lie outside the {rows} measured rows of \
                 the fit"
            ),
            _ => format!(
                "the figures of {far} of the {all} jobs are extrapolated: they lie outside the \
                 {rows} measured rows of the fit"
            ),
        }
    }

    fn extrapolated(&self) -> impl Iterator<Item = &ScheduledJob> {
        let jobs = self.schedule.jobs.iter();
        jobs.filter(|job| job.candidate.basis == Basis::Extrapolated)
    }

    /// What is done when.
    pub(super) fn order(&self) -> String {
        let mut jobs: Vec<&ScheduledJob> = self.schedule.jobs.iter().collect();
        jobs.sort_by_key(|job| job.end);
        let done = jobs
            .iter()
            .map(|job| format!("{} {}", job.name, day(job.end)));
        format!("Done: {}.", done.collect::<Vec<String>>().join(", "))
    }

    /// What speaks against the schedule.
    pub(super) fn warnings(&self) -> Vec<(String, String)> {
        let mut notes = Vec::new();
        notes.extend(partial(self.schedule));
        notes.extend(self.overruns());
        for job in self.due() {
            let sure = job.done_by_deadline.unwrap_or(0.0);
            if sure < SURE {
                notes.push(note(
                    "deadline",
                    format!(
                        "{} is done by {} with a probability of {} %",
                        job.name,
                        job.deadline.map_or_else(String::new, day),
                        display_chance(sure)
                    ),
                ));
            }
        }
        let jobs = self.schedule.jobs.iter();
        notes.extend(jobs.filter_map(|job| Some(note("nodes", cut_off(job)?))));
        if !self.schedule.objective.proven {
            notes.push(note("gap", self.proven()));
        }
        notes.extend(self.outside());
        let tight = self.schedule.jobs.iter();
        let tight = tight.filter(|job| job.candidate.memory.verdict != Verdict::Fits);
        notes.extend(tight.map(|job| {
            let words = verdict_words(&job.candidate.memory);
            note("memory", format!("{}: {words}", job.name))
        }));
        let short = self.schedule.jobs.iter().zip(&self.agenda.jobs);
        notes.extend(short.filter_map(|(scheduled, job)| {
            let text = shortfall_note(&job.request, &scheduled.candidate)?;
            Some(note("global batch", format!("{}: {text}", job.name)))
        }));
        notes.extend(self.prices());
        notes.extend(self.told(&notes));
        notes
    }

    /// What else is told of the schedule, but for how the calendar was read, which is told with it.
    fn told(&self, already: &[(String, String)]) -> Vec<(String, String)> {
        let told = self.schedule.notes.iter();
        let told = told.filter(|text| {
            let mut already = already.iter();
            !self.agenda.notes.contains(text) && already.all(|(_, other)| other != *text)
        });
        told.map(|text| note("note", text.as_str())).collect()
    }

    /// How surely jobs are done by the ends they are given, where that is not very sure.
    fn overruns(&self) -> Option<(String, String)> {
        let sure = self.schedule.jobs.iter().map(|job| job.done_by_end);
        let least = sure.clone().fold(1.0, f64::min);
        let most = sure.fold(0.0, f64::max);
        (least < LIKELY).then(|| {
            let share = if display_chance(least) == display_chance(most) {
                display_chance(least)
            } else {
                format!("{} to {}", display_chance(least), display_chance(most))
            };
            note(
                "overruns",
                format!(
                    "a job is done by the end it is given with a probability of {share} %; what \
                     follows one that runs over starts later, and all is done later: \
                     `probability = 0.9` in [schedule] books longer"
                ),
            )
        })
    }

    /// What lies outside what was measured: jobs that do so alike together.
    fn outside(&self) -> Vec<(String, String)> {
        let mut alike: Vec<(String, Vec<&str>)> = Vec::new();
        for job in self.extrapolated() {
            let axes = job.candidate.basis_detail.axes.join("; ");
            match alike.iter_mut().find(|(other, _)| *other == axes) {
                Some((_, names)) => names.push(&job.name),
                None => alike.push((axes, vec![&job.name])),
            }
        }
        let mut notes: Vec<(String, String)> = alike
            .into_iter()
            .map(|(axes, names)| note("extrapolated", format!("{}: {axes}", names.join(", "))))
            .collect();
        if !notes.is_empty() {
            notes.push(note(
                "advice",
                "measure some steps of those jobs before booking",
            ));
        }
        notes
    }

    /// Which clusters were left out for want of a price, and why they have none; nothing where cost
    /// isn't what was minimised.
    fn unpriced(&self) -> Vec<(String, String)> {
        let mut notes: Vec<(String, String)> = Vec::new();
        if self.schedule.minimise != Minimise::Cost {
            return notes;
        }
        for job in &self.agenda.jobs {
            let clusters = job.request.clusters.iter();
            let told = clusters.filter_map(|cluster| job.request.pricing.why_none(cluster));
            for text in told.map(|text| note("cost", text)) {
                if !notes.contains(&text) {
                    notes.push(text);
                }
            }
        }
        notes
    }

    /// What is to be said of the prices of the clusters used.
    fn prices(&self) -> Vec<(String, String)> {
        let mut notes = self.unpriced();
        for (scheduled, job) in self.schedule.jobs.iter().zip(&self.agenda.jobs) {
            if let Some(cluster) = job.request.cluster(&scheduled.candidate.cluster) {
                let label = match scheduled.cost_usd {
                    Some(_) => "price",
                    None => "cost",
                };
                let told = job.request.pricing.notes(cluster).into_iter();
                for text in told.map(|text| note(label, text)) {
                    if !notes.contains(&text) {
                        notes.push(text);
                    }
                }
            }
        }
        notes
    }
}

/// That a job has to be done before its nodes are gone, where that is before its deadline.
fn before_gone(job: &ScheduledJob) -> String {
    let until = job.nodes_until.filter(|_| is_cut_off_sooner(job));
    until.map_or_else(String::new, |until| {
        format!(" and before its nodes are gone, {},", day(until))
    })
}

/// A probability that others are no less than.
fn at_least(share: f64) -> String {
    match display_chance(share).strip_prefix("> ") {
        Some(share) => format!("more than {share} %"),
        None => format!("{} % or more", display_chance(share)),
    }
}

/// When else a job starts of which a probability is told.
fn or_later(due: &[&ScheduledJob]) -> &'static str {
    if due.iter().any(|job| !job.after.is_empty()) {
        " or once the jobs it waits for are done"
    } else {
        ""
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
