//! The solver's answer in moments, hours and dollars.

use super::options::Choice;
use super::problem::{Placed, Problem};
use super::solve::Solved;
use super::steps::Grid;
use super::{
    ClusterCalendar, ObjectiveReport, SCHEMA_VERSION, Schedule, ScheduleError, ScheduledJob,
};
use crate::job::{Agenda, Minimise, Probability, Request, Window};
use crate::plan::{
    FitReport, failure_note, fit_notes, links_note, memory_note, none_left_note, tokens_note,
    waiting_note,
};
use crate::throughput::Fit;

/// A schedule in hours and dollars.
pub(super) fn schedule(
    agenda: &Agenda,
    options: &[Vec<Choice>],
    grid: &Grid,
    problem: &Problem,
    solved: &Solved,
    fit: &Fit,
) -> Result<Schedule, ScheduleError> {
    let jobs: Vec<ScheduledJob> = (0..agenda.jobs.len())
        .map(|job| scheduled(agenda, options, grid, problem, job, solved.placed[job]))
        .collect::<Option<_>>()
        .ok_or(ScheduleError::TooLong)?;
    let placed = solved.placed.iter().enumerate();
    let end = placed
        .map(|(job, placed)| problem.end(job, *placed))
        .max()
        .unwrap_or(0);
    let cost_usd = jobs.iter().map(|job| job.cost_usd).sum::<Option<f64>>();
    let late = |job: &ScheduledJob| job.late_h.unwrap_or(0.0) * job.priority as f64;
    let lateness_h = jobs.iter().map(late).sum();
    let clusters = (0..agenda.sites.len())
        .map(|site| calendar(agenda, grid, problem, solved, site, end))
        .collect::<Option<_>>()
        .ok_or(ScheduleError::TooLong)?;
    let value = match agenda.minimise {
        Minimise::Makespan => grid.hours(end),
        Minimise::Cost => cost_usd.unwrap_or(0.0),
        Minimise::Lateness => lateness_h,
    };
    Ok(Schedule {
        schema_version: SCHEMA_VERSION,
        start: agenda.start,
        end: grid.moment(end).ok_or(ScheduleError::TooLong)?,
        minimise: agenda.minimise,
        probability: agenda.probability.map(Probability::get),
        step_minutes: grid.minutes.unsigned_abs(),
        objective: objective(agenda, grid, problem, solved, value),
        makespan_h: grid.hours(end),
        cost_usd,
        expected_cost_usd: jobs.iter().map(|job| job.expected_cost_usd).sum(),
        lateness_h,
        notes: (agenda.notes.iter().cloned())
            .chain(equals_note(agenda, solved))
            .chain(notes(agenda, &jobs, fit))
            .collect(),
        gpu_hours: jobs.iter().map(|job| job.gpu_hours).sum(),
        jobs,
        clusters,
        fit: FitReport::new(fit),
        partial: solved.partial,
    })
}

/// What is to be said of a schedule that is proven to be the best, where it isn't of what is minimised
/// among equals.
fn equals_note(agenda: &Agenda, solved: &Solved) -> Option<String> {
    let unproven = solved.bound >= solved.worth.first && !solved.best_of_equals;
    let (equal, rest) = match agenda.minimise {
        Minimise::Makespan => ("end as soon", "cost is"),
        Minimise::Cost => ("cost as little", "end is"),
        Minimise::Lateness => ("are as little late", "end and cost are"),
    };
    unproven.then(|| {
        format!(
            "among schedules that {equal}, this one's {rest} the best found, not proven to be the best"
        )
    })
}

/// What is to be said of jobs whose tokens nobody named, of those near the memory limit, of those that
/// leave no node to spare, of those that failures hold up, of the fit, of the price of each cluster that a job runs on, and where the cheapest
/// is wanted, of those that could not be weighed for want of one.
fn notes(agenda: &Agenda, jobs: &[ScheduledJob], fit: &Fit) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for (scheduled, job) in jobs.iter().zip(&agenda.jobs) {
        let open = tokens_note(&job.request, job.request.global_batch.min);
        notes.extend(open.map(|note| format!("{}: {note}", job.name)));
        let memory = memory_note(&job.request, &scheduled.candidate);
        notes.extend(memory.map(|note| format!("{} is {note}", job.name)));
        let bare = none_left_note(&job.request, &scheduled.candidate);
        notes.extend(bare.map(|note| format!("{} {note}", job.name)));
        let links = links_note(&job.request, fit, &scheduled.candidate);
        notes.extend(links.map(|note| format!("{} {note}", job.name)));
        let held_up = [
            failure_note(&scheduled.candidate),
            waiting_note(&job.request, &scheduled.candidate),
        ];
        let held_up = held_up.into_iter().flatten();
        notes.extend(held_up.map(|note| format!("{}: {note}", job.name)));
    }
    notes.extend(of_fit(agenda, jobs, fit));
    for (scheduled, job) in jobs.iter().zip(&agenda.jobs) {
        let cluster = job.request.cluster(&scheduled.candidate.cluster);
        let pricing = &job.request.pricing;
        let told = cluster
            .into_iter()
            .flat_map(|cluster| pricing.notes(cluster));
        let unpriced = job.request.clusters.iter();
        let unpriced = unpriced.filter(|_| agenda.minimise == Minimise::Cost);
        let unpriced = unpriced.filter_map(|cluster| pricing.why_none(cluster));
        for text in told.chain(unpriced) {
            if !notes.contains(&text) {
                notes.push(text);
            }
        }
    }
    notes
}

/// What is to be said of the fit where jobs run: of which jobs, where it isn't of all.
fn of_fit(agenda: &Agenda, jobs: &[ScheduledJob], fit: &Fit) -> Vec<String> {
    let mut alike: Vec<(String, Vec<&str>)> = Vec::new();
    for (scheduled, job) in jobs.iter().zip(&agenda.jobs) {
        let cluster = job.request.cluster(&scheduled.candidate.cluster);
        let here = Request {
            clusters: cluster.cloned().into_iter().collect(),
            ..job.request.clone()
        };
        for text in fit_notes(&here, fit) {
            match alike.iter_mut().find(|(other, _)| *other == text) {
                Some((_, names)) => names.push(&job.name),
                None => alike.push((text, vec![&job.name])),
            }
        }
    }
    let told = alike.into_iter().map(|(text, names)| {
        if names.len() == jobs.len() {
            text
        } else {
            format!("{}: {text}", names.join(", "))
        }
    });
    told.collect()
}

fn objective(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
    solved: &Solved,
    value: f64,
) -> ObjectiveReport {
    let best = solved.bound >= solved.worth.first;
    let bound = match agenda.minimise {
        _ if best => value,
        Minimise::Lateness => grid.late_h(problem, solved.bound).min(value),
        // Each job's cost was rounded up by less than a unit.
        Minimise::Cost => {
            let jobs = solved.placed.len() as f64;
            ((solved.bound as f64 - jobs) * grid.cost_unit).clamp(0.0, value)
        }
        Minimise::Makespan => grid.hours(solved.bound),
    };
    ObjectiveReport {
        value,
        bound,
        gap: if best {
            Some(0.0)
        } else {
            (bound > 0.0).then(|| (value - bound) / bound)
        },
        proven: best,
    }
}

/// `None` beyond the dates that can be shown.
fn scheduled(
    agenda: &Agenda,
    options: &[Vec<Choice>],
    grid: &Grid,
    problem: &Problem,
    index: usize,
    placed: Placed,
) -> Option<ScheduledJob> {
    let job = &agenda.jobs[index];
    let choice = &options[index][placed.mode];
    let mode = problem.mode(index, placed);
    let end = problem.end(index, placed);
    let ends_at = grid.moment(end)?;
    let mut candidate = choice.candidate.clone();
    candidate.rank = 1;
    candidate.tied_with_best = true;
    Some(ScheduledJob {
        name: job.name.clone(),
        model: job.request.model.name.clone(),
        tokens: job.request.tokens.get(),
        start: grid.moment(placed.start)?,
        end: ends_at,
        hours: choice.hours,
        cost_usd: choice.cost_usd,
        expected_cost_usd: candidate.cost_usd.map(|cost| cost.expected),
        gpu_hours: choice.gpu_hours,
        earliest: job.earliest,
        deadline: job.deadline,
        // From the deadline itself, which may lie between two steps.
        late_h: job.deadline.map(|due| ends_at.hours_after(due).max(0.0)),
        // Told by `with_probabilities`.
        done_by_end: 0.0,
        done_by_deadline: None,
        nodes_until: grid.nodes_until(&agenda.sites[choice.site], mode.nodes, end),
        done_by_nodes_until: None,
        priority: job.priority,
        after: job
            .after
            .iter()
            .map(|before| agenda.jobs[*before].name.clone())
            .collect(),
        ways: options[index].len(),
        candidate,
    })
}

fn calendar(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
    solved: &Solved,
    index: usize,
    end: i64,
) -> Option<ClusterCalendar> {
    let site = &agenda.sites[index];
    let pieces = problem.sites[index].pieces.iter();
    let free = pieces
        .filter(|piece| piece.nodes > 0 && piece.from < end)
        .map(|piece| {
            Some(Window {
                from: grid.moment(piece.from)?,
                to: grid.moment(piece.to.min(end))?,
                nodes: piece.nodes.unsigned_abs(),
            })
        })
        .collect::<Option<_>>()?;
    let used = solved.placed.iter().enumerate().map(|(job, placed)| {
        let mode = problem.mode(job, *placed);
        if mode.site == index {
            mode.nodes.saturating_mul(mode.steps)
        } else {
            0
        }
    });
    let used_node_hours = grid.hours(used.fold(0, i64::saturating_add));
    let free_node_hours = grid.hours(problem.sites[index].area(end));
    Some(ClusterCalendar {
        cluster: site.cluster.name.clone(),
        gpu: site.cluster.gpu.name.clone(),
        gpus_per_node: site.cluster.gpus_per_node,
        nodes: site.nodes,
        free,
        free_node_hours,
        used_node_hours,
        utilisation: if free_node_hours > 0.0 {
            used_node_hours / free_node_hours
        } else {
            0.0
        },
    })
}
