//! What a schedule assumes, how its jobs were set, and what it was made from.

use crate::job::{AgendaJob, Minimise, Site, Window};
use crate::plan::RequestReport;
use crate::quantity::{counted, display_thousands};

use super::super::super::number::{confidence, dollars, percent};
use super::super::super::words::price_words;
use super::super::basis::{fitted, intervals, not_included, what_goes_wrong};
use super::super::note;
use super::super::settings::differing;
use super::LadderApproval;
use super::opening::day;

type Notes = Vec<(String, String)>;

impl LadderApproval<'_> {
    pub(super) fn assumptions(&self) -> Notes {
        let mut notes = Vec::new();
        let reliability = |job: &AgendaJob| job.request.reliability;
        for (names, reliability) in self.alike(reliability) {
            if let Some(names) = names {
                notes.push(note("jobs", format!("of {names}:")));
            }
            notes.extend(what_goes_wrong(&reliability));
        }
        notes.push(self.goodput());
        notes.extend(self.priced());
        for (names, share) in self.alike(|job| job.request.confidence.get()) {
            let (label, text) = intervals(share);
            let of = names.map_or_else(String::new, |names| format!(" of {names}"));
            notes.push((label, format!("{text}{of}")));
        }
        if let Some((share, booked)) = self.booked() {
            notes.push(note(
                "booked",
                format!(
                    "the bills are of what is expected; the durations booked, each of which is kept \
                     with a probability of {} %, cost ${} together; to stay on until a deadline costs \
                     more",
                    confidence(share),
                    dollars(booked)
                ),
            ));
        }
        notes.push(note(
            "totals",
            "low and high add up those of the jobs, as if all went well or badly together",
        ));
        let step = match self.schedule.step_minutes {
            1 => "minutes".to_owned(),
            minutes => format!("steps of {minutes} minutes"),
        };
        notes.push(note(
            "calendar",
            format!(
                "starts and ends are whole {step}, durations rounded up; jobs run in one piece, \
                 without pauses"
            ),
        ));
        notes.push(not_included());
        notes
    }

    fn goodput(&self) -> (String, String) {
        let candidates = || self.schedule.jobs.iter().map(|job| &job.candidate);
        let shares = candidates().map(|c| c.goodput);
        let least = percent(shares.clone().fold(1.0, f64::min));
        let most = percent(shares.fold(0.0, f64::max));
        let share = if least == most {
            least
        } else {
            format!("{least} to {most}")
        };
        let failures: f64 = candidates().map(|c| c.expected_failures).sum();
        let spares: u64 = candidates().map(|c| c.spare_nodes).sum();
        note(
            "goodput",
            format!(
                "{share} % of a job's time after its start-up trains; {failures:.1} \
                 failures expected and {spares} spare nodes booked, all jobs together"
            ),
        )
    }

    /// The price of each cluster used.
    fn priced(&self) -> Notes {
        let mut notes: Notes = Vec::new();
        for name in self.used() {
            let runs = |at: usize| {
                let job = self.schedule.jobs.get(at);
                job.is_some_and(|job| job.candidate.cluster == name)
            };
            let jobs = self.agenda.jobs.iter().enumerate();
            let jobs = jobs.filter(|(at, _)| runs(*at)).map(|(_, job)| job);
            for job in jobs {
                let cluster = job.request.cluster(name);
                let words = cluster.map(|c| note("price", price_words(&job.request.pricing, c)));
                notes.extend(words.filter(|words| !notes.contains(words)));
            }
        }
        notes
    }

    /// The calendar and the jobs as they were asked for.
    pub(super) fn asked(&self) -> Notes {
        let minimised = match self.agenda.minimise {
            Minimise::Makespan => "the time until the last job is done",
            Minimise::Cost => "the cost of all jobs together",
            Minimise::Lateness => {
                "the hours by which jobs miss their deadlines, each job's times its priority"
            }
        };
        let durations = match self.schedule.probability {
            None => "the expected ones".to_owned(),
            Some(share) => format!(
                "those that each job keeps with a probability of {} %",
                confidence(share)
            ),
        };
        let mut notes = vec![
            note("minimised", minimised),
            note("durations", durations),
            note("start", day(self.agenda.start)),
        ];
        notes.extend(self.agenda.sites.iter().map(free));
        let told = self.agenda.notes.iter();
        notes.extend(told.map(|text| note("note", text.as_str())));
        let jobs = self.agenda.jobs.iter();
        notes.extend(jobs.filter_map(|job| {
            let words = self.constraints(job);
            (!words.is_empty()).then(|| note(&job.name, words.join("; ")))
        }));
        notes
    }

    /// What was asked of a job besides being done.
    fn constraints(&self, job: &AgendaJob) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(job.earliest.map(|at| format!("not before {}", day(at))));
        words.extend(job.deadline.map(|at| format!("done by {}", day(at))));
        let name = |place: &usize| Some(self.agenda.jobs.get(*place)?.name.as_str());
        let after: Vec<&str> = job.after.iter().filter_map(name).collect();
        if !after.is_empty() {
            words.push(format!("after {}", after.join(" and ")));
        }
        if job.priority != 1 {
            words.push(format!("priority {}", job.priority));
        }
        words
    }

    /// The settings of the jobs that differ from the defaults: those of several together.
    pub(super) fn settings(&self) -> Notes {
        let differing =
            |job: &AgendaJob| differing(&RequestReport::new(&job.request), &job.request);
        let mut notes: Notes = Vec::new();
        for (names, differing) in self.alike(differing) {
            match names {
                _ if differing.is_empty() => {}
                None => notes.extend(differing),
                Some(names) => {
                    let set = differing.into_iter();
                    let set = set.map(|(name, value)| format!("{name} {value}"));
                    notes.push((names, set.collect::<Vec<String>>().join("; ")));
                }
            }
        }
        if notes.is_empty() {
            notes.push(note(
                "none",
                "every setting but the models and the tokens is the default",
            ));
        }
        notes
    }

    pub(super) fn provenance(&self) -> Notes {
        let ways: usize = self.schedule.jobs.iter().map(|job| job.ways).sum();
        let mut notes = vec![note(
            "weighed",
            format!(
                "{} to run the jobs: the best configuration of each GPU count of each cluster, \
                 without those that another makes pointless",
                counted(ways as u64, "way")
            ),
        )];
        notes.extend(fitted(&self.schedule.fit, self.grounds));
        notes
    }

    /// What the jobs have, each with the names of those that have it; without names where all do.
    fn alike<T: PartialEq>(&self, of: impl Fn(&AgendaJob) -> T) -> Vec<(Option<String>, T)> {
        let mut groups: Vec<(Vec<&str>, T)> = Vec::new();
        for job in &self.agenda.jobs {
            let value = of(job);
            match groups.iter_mut().find(|(_, other)| *other == value) {
                Some((names, _)) => names.push(&job.name),
                None => groups.push((vec![&job.name], value)),
            }
        }
        let several = groups.len() > 1;
        let named = |names: Vec<&str>| several.then(|| names.join(", "));
        let groups = groups.into_iter();
        groups.map(|(names, value)| (named(names), value)).collect()
    }
}

/// What can be had of a cluster, and when.
fn free(site: &Site) -> (String, String) {
    let span = |window: &Window| {
        let nodes = display_thousands(window.nodes.into());
        format!("{nodes} from {} to {}", day(window.from), day(window.to))
    };
    let mut parts = vec![format!("{} nodes", display_thousands(site.nodes.into()))];
    if let Some(available) = &site.available {
        let available: Vec<String> = available.iter().map(span).collect();
        parts.push(format!("free: {}", available.join(", ")));
    }
    if !site.booked.is_empty() {
        let booked: Vec<String> = site.booked.iter().map(span).collect();
        parts.push(format!("booked by others: {}", booked.join(", ")));
    }
    (site.cluster.name.clone(), parts.join("; "))
}
