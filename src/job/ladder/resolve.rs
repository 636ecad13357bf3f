//! Several jobs as written become an [`Agenda`].

use super::check::{also, cycle, distinct};
use super::notes::pointless;
use super::site::sites;
use super::{Agenda, AgendaJob, Ladder, LadderJob, Minimise, ScheduleSettings};
use crate::calendar::{Due, Moment};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::job::{ModelChoice, Probability, ReserveSettings, Settings, Shared, Sourced, resolve};
use crate::preset::Catalog;

/// The most jobs of one calendar: far more than the search for a good order can tell apart.
const MAX_JOBS: usize = 200;
/// The largest priority, so that weighted hours can be added up exactly.
const MAX_PRIORITY: u64 = 1000;
/// The ends of the widest interval there is.
const PROBABILITIES: std::ops::RangeInclusive<f64> = 0.0005..=0.9995;

/// Looks up every name, fills in every default, and checks that the calendar makes sense.
///
/// # Errors
/// As [`resolve`] for each job; no start, a deadline or window that ends before it begins,
/// overlapping windows, jobs of one name, an unknown predecessor or a cycle of them.
pub fn resolve_ladder(
    ladder: Ladder,
    defaults: &Settings,
    catalog: &Catalog,
) -> Result<Agenda, Diagnostic> {
    let Ladder { jobs, schedule } = ladder;
    if jobs.len() > MAX_JOBS {
        return Err(Diagnostic::new(format!(
            "{} jobs are more than the {MAX_JOBS} that one calendar holds",
            jobs.len()
        ))
        .help("split the file by cluster or by month"));
    }
    one_job_only(defaults)?;
    let start = start(&schedule)?;
    let names: Vec<Sourced<String>> = jobs.iter().map(name).collect();
    distinct(&names)?;
    let minimise = schedule.minimise.as_ref();
    let minimise = minimise.map(|set| set.value).unwrap_or_default();
    let mut resolved = Vec::with_capacity(jobs.len());
    for (job, name) in jobs.into_iter().zip(&names) {
        resolved.push(agenda_job(
            job,
            name,
            &names,
            (start, minimise),
            defaults,
            catalog,
        )?);
    }
    if let Some(refusal) = cycle(&resolved, &names) {
        return Err(refusal);
    }
    let (sites, mut notes) = sites(&resolved, &schedule, start.value, catalog)?;
    let nodes = sites
        .iter()
        .map(|site| (site.cluster.name.clone(), site.widest()));
    let shared = Shared {
        nodes: nodes.collect(),
    };
    notes.extend(pointless(&resolved, minimise));
    for job in &mut resolved {
        job.request.shared = Some(shared.clone());
    }
    Ok(Agenda {
        jobs: resolved,
        sites,
        start: start.value,
        minimise,
        probability: probability(schedule.probability)?,
        notes,
    })
}

/// Refuses keys that rank the configurations of one job.
fn one_job_only(defaults: &Settings) -> Result<(), Diagnostic> {
    let refuse = |place: Sourced<()>, key: &str| {
        let refusal = Diagnostic::new(format!(
            "`{key}` ranks the configurations of one job, but the file holds several"
        ))
        .help("leave it out; `minimise` in `[schedule]` is what a schedule is chosen by");
        Err(place.refuse(refusal, "means nothing here"))
    };
    match (&defaults.sort, &defaults.top) {
        (Some(set), _) => refuse(set.clone().map(|_| ()), "sort"),
        (_, Some(set)) => refuse(set.clone().map(|_| ()), "top"),
        _ => no_booking(&defaults.reserve),
    }
}

/// Refuses what is asked of the booking of one job.
fn no_booking(reserve: &ReserveSettings) -> Result<(), Diagnostic> {
    fn of<T: Clone>(set: Option<&Sourced<T>>) -> Option<Sourced<()>> {
        set.map(|set| set.clone().map(|_| ()))
    }
    // In full, so that none is dropped that comes to be.
    let ReserveSettings {
        deadline,
        budget,
        nodes,
        start,
        as_of,
        probability,
        products,
        users,
        zone,
        // What a flag said over it: a file alone has none.
        replaced: _,
    } = reserve;
    let set = [
        of(deadline.as_ref()),
        of(budget.as_ref()),
        of(nodes.as_ref()),
        of(start.as_ref()),
        of(as_of.as_ref()),
        of(probability.as_ref()),
        of(products.first()),
    ];
    let first = set.into_iter().flatten().next();
    if first.is_none() && users.is_none() && zone.is_none() {
        return Ok(());
    }
    let refusal = Diagnostic::new("`[reserve]` books nodes for one job, but the file holds several")
        .help("leave it out; `deadline` in `[[jobs]]`, and `start` and `probability` in `[schedule]`, say what a calendar has to keep")
        .help("`tminus reserve` books the nodes of a file with one job");
    Err(match first {
        Some(set) => set.refuse(refusal, "means nothing here"),
        None => refusal,
    })
}

/// Probabilities that the intervals of predictions reach.
fn probability(set: Option<Sourced<Probability>>) -> Result<Option<Probability>, Diagnostic> {
    let Some(set) = set else { return Ok(None) };
    if PROBABILITIES.contains(&set.value.get()) {
        return Ok(Some(set.value));
    }
    Err(set.refuse(
        Diagnostic::new(format!(
            "the probability {} is not from {} to {}",
            set.value,
            PROBABILITIES.start(),
            PROBABILITIES.end()
        )),
        "more than the tables can say",
    ))
}

fn start(schedule: &ScheduleSettings) -> Result<&Sourced<Moment>, Diagnostic> {
    schedule.start.as_ref().ok_or_else(|| {
        let refusal = Diagnostic::new("nothing says when the calendar starts");
        match &schedule.place {
            Some(place) => place.refuse(
                refusal.help("add `start = \"2026-12-01T09:00Z\"` to `[schedule]`"),
                "no `start` in it",
            ),
            None => refusal.help("add a table `[schedule]` with `start = \"2026-12-01T09:00Z\"`"),
        }
    })
}

/// The job's name, or else its model's.
fn name(job: &LadderJob) -> Sourced<String> {
    let model = job.settings.model.as_ref().map(|set| {
        set.clone().map(|choice| match choice {
            ModelChoice::Named(name) => name,
            ModelChoice::Inline(model) => model.name,
        })
    });
    job.name
        .clone()
        .or(model)
        .unwrap_or_else(|| job.place.clone().map(|()| "job".to_owned()))
}

fn agenda_job(
    job: LadderJob,
    name: &Sourced<String>,
    names: &[Sourced<String>],
    (start, minimise): (&Sourced<Moment>, Minimise),
    defaults: &Settings,
    catalog: &Catalog,
) -> Result<AgendaJob, Diagnostic> {
    if name.value.trim().is_empty() || name.value.chars().any(char::is_control) {
        return Err(name.refuse(
            Diagnostic::new("a job's name must hold something to read, in one line"),
            "not a name",
        ));
    }
    let place = job.place.clone();
    let mut settings = job.settings.over(defaults.clone());
    // The age of prices is counted from when the calendar starts.
    let own_start = settings.reserve.start.replace(start.clone());
    let mut request = resolve(settings, catalog).map_err(|refusal| {
        // What has no place of its own is at least about this job; a flag is about all of them.
        let is_placed = refusal.origin.is_some() || refusal.is_of_flag;
        if !is_placed && defaults.model.is_none() {
            place.refuse(refusal, "in this job")
        } else {
            refusal
        }
    })?;
    request.reserve.start = own_start;
    let after = predecessors(&job.after, names)?;
    let deadline = deadline(job.deadline.as_ref(), start)?;
    let earliest = moment(job.earliest.as_ref(), start, "the earliest start")?;
    if let (Some(earliest), Some(deadline), Some(set)) = (earliest, deadline, &job.deadline)
        && deadline <= earliest
        // What is certain to be late is weighed there like any other lateness.
        && minimise != Minimise::Lateness
    {
        return Err(set.refuse(
            Diagnostic::new(format!(
                "`{}` has to be done by {deadline}, but can't start before {earliest}",
                name.value
            ))
            .help("move one of them, or weigh what is late: `minimise = \"lateness\"` in `[schedule]`"),
            "not after its earliest start",
        ));
    }
    Ok(AgendaJob {
        name: name.value.clone(),
        request,
        earliest,
        deadline,
        priority: priority(job.priority.as_ref())?,
        after,
    })
}

/// The places of the jobs that one waits for.
///
/// # Errors
/// One that is not there, or named twice.
fn predecessors(
    after: &[Sourced<String>],
    names: &[Sourced<String>],
) -> Result<Vec<usize>, Diagnostic> {
    for (place, wanted) in after.iter().enumerate() {
        let mut earlier = after.iter().take(place);
        if let Some(earlier) = earlier.find(|earlier| earlier.value == wanted.value) {
            let refusal = Diagnostic::new(format!("`after` names `{}` twice", wanted.value))
                .help("name each job that it waits for once");
            return Err(also(
                wanted.refuse(refusal, "here again"),
                &earlier.place,
                "first here",
            ));
        }
    }
    after
        .iter()
        .map(|wanted| predecessor(wanted, names))
        .collect()
}

fn predecessor(wanted: &Sourced<String>, names: &[Sourced<String>]) -> Result<usize, Diagnostic> {
    let known = || names.iter().map(|name| name.value.as_str());
    known()
        .position(|name| name == wanted.value)
        .ok_or_else(|| {
            let mut refusal = Diagnostic::new(format!("there is no job `{}`", wanted.value));
            if let Some(near) = did_you_mean(&wanted.value, known()) {
                refusal = refusal.help(near);
            }
            let all: Vec<&str> = known().collect();
            wanted.refuse(
                refusal.help(format!("the jobs of this file: {}", all.join(", "))),
                "no such job",
            )
        })
}

fn deadline(
    set: Option<&Sourced<Due>>,
    start: &Sourced<Moment>,
) -> Result<Option<Moment>, Diagnostic> {
    match (set, moment(set, start, "the deadline")?) {
        (Some(set), Some(moment)) if moment <= start.value => Err(set.refuse(
            Diagnostic::new(format!(
                "the deadline {moment} is in the past of the calendar's start, {}",
                start.value
            ))
            .help("give a date after `start` in `[schedule]`, or a length of time such as \"14d\""),
            "already over at the start",
        )),
        (_, moment) => Ok(moment),
    }
}

/// The date of what is called `what`.
fn moment(
    set: Option<&Sourced<Due>>,
    start: &Sourced<Moment>,
    what: &str,
) -> Result<Option<Moment>, Diagnostic> {
    let Some(set) = set else { return Ok(None) };
    let moment = set.value.after(start.value).ok_or_else(|| {
        let refusal = Diagnostic::new(format!("{what} is beyond the year 2999"));
        set.refuse(refusal, "too late")
    });
    moment.map(Some)
}

fn priority(set: Option<&Sourced<u64>>) -> Result<u64, Diagnostic> {
    match set {
        None => Ok(1),
        Some(set) if set.value <= MAX_PRIORITY => Ok(set.value),
        Some(set) => Err(set.refuse(
            Diagnostic::new(format!(
                "the priority {} is more than {MAX_PRIORITY}",
                set.value
            ))
            .help("an hour of a job's lateness counts that many times; only ratios matter"),
            "too large",
        )),
    }
}
