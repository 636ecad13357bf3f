//! The ways each job can run: the best configuration of every GPU count of every cluster, without
//! those that another makes pointless.

use super::error::ScheduleError;
use crate::job::{Agenda, AgendaJob, Minimise, Probability, Site};
use crate::plan::{Candidate, Planner};
use crate::quantity::{Confidence, Interval};
use crate::search::Objective;

/// Probabilities so near to one half are the expected value: no interval is so narrow.
const EVEN: f64 = 0.005;

/// A way to run a job.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// Its cluster's place in the agenda.
    pub(super) site: usize,
    /// The configuration.
    pub(super) candidate: Candidate,
    /// Hours that are booked for it.
    pub(super) hours: f64,
    /// GPU-hours billed.
    pub(super) gpu_hours: f64,
    /// Dollars for them.
    pub(super) cost_usd: Option<f64>,
}

/// The ways to run every job, in the order of the agenda.
pub(super) fn all(
    agenda: &Agenda,
    planner: &Planner<'_>,
) -> Result<Vec<Vec<Choice>>, ScheduleError> {
    agenda
        .jobs
        .iter()
        .map(|job| {
            let choices = of_job(agenda, job, planner)?;
            if choices.is_empty() {
                return Err(no_capacity(agenda, job, planner));
            }
            if agenda.minimise != Minimise::Cost {
                return Ok(choices);
            }
            let priced: Vec<Choice> = choices
                .iter()
                .filter(|choice| choice.cost_usd.is_some())
                .cloned()
                .collect();
            if priced.is_empty() {
                let clusters = job.request.clusters.iter().map(|c| c.name.clone());
                return Err(ScheduleError::NoPrice {
                    job: job.name.clone(),
                    clusters: clusters.collect(),
                });
            }
            Ok(priced)
        })
        .collect()
}

fn of_job(
    agenda: &Agenda,
    job: &AgendaJob,
    planner: &Planner<'_>,
) -> Result<Vec<Choice>, ScheduleError> {
    let candidates = candidates(agenda.probability, job, planner)?;
    let choices: Vec<Choice> = candidates
        .into_iter()
        .filter_map(|candidate| choice(agenda, candidate))
        .collect();
    let pointless = |index: usize| {
        let others = choices.iter().enumerate();
        others.into_iter().any(|(place, other)| {
            place != index && dominates(other, &choices[index], place < index)
        })
    };
    Ok((0..choices.len())
        .filter(|index| !pointless(*index))
        .map(|index| choices[index].clone())
        .collect())
}

/// Whether one way makes another pointless: on the same cluster, no more nodes, no longer and no
/// dearer. Any schedule stays one when the other is exchanged for it, and gets no worse by any
/// objective. Of two that are alike the first stays.
fn dominates(one: &Choice, other: &Choice, first: bool) -> bool {
    let no_worse = one.site == other.site
        && one.candidate.booked_nodes() <= other.candidate.booked_nodes()
        && one.hours <= other.hours
        && one.gpu_hours <= other.gpu_hours;
    let alike = one.candidate.booked_nodes() == other.candidate.booked_nodes()
        && one.hours >= other.hours
        && one.gpu_hours >= other.gpu_hours;
    no_worse && (first || !alike)
}

fn candidates(
    probability: Option<Probability>,
    job: &AgendaJob,
    planner: &Planner<'_>,
) -> Result<Vec<Candidate>, ScheduleError> {
    let mut request = job.request.clone();
    request.sort = Objective::Time;
    request.top = 1;
    if let Some(confidence) = two_sided(probability) {
        request.confidence = confidence;
    }
    let plan = planner.plan(&request).map_err(|error| ScheduleError::Job {
        job: job.name.clone(),
        error: Box::new(error),
    })?;
    Ok(plan.best_by_gpu_count)
}

/// The confidence of the interval of which one end is reached with that probability.
fn two_sided(probability: Option<Probability>) -> Option<Confidence> {
    let share = (2.0 * probability?.get() - 1.0).abs();
    Confidence::new(share).ok()
}

/// The share of outcomes that the intervals of a job's candidates hold.
pub(crate) fn interval_share(probability: Option<Probability>, job: &AgendaJob) -> f64 {
    two_sided(probability)
        .unwrap_or(job.request.confidence)
        .get()
}

fn choice(agenda: &Agenda, candidate: Candidate) -> Option<Choice> {
    let named = |site: &Site| site.cluster.name == candidate.cluster;
    let site = agenda.sites.iter().position(named)?;
    if candidate.booked_nodes() > most_free(&agenda.sites[site]) {
        return None;
    }
    let pick = |interval: Interval| match agenda.probability.map(Probability::get) {
        Some(probability) if probability > 0.5 + EVEN => interval.high,
        Some(probability) if probability < 0.5 - EVEN => interval.low,
        _ => interval.expected,
    };
    Some(Choice {
        site,
        hours: pick(candidate.time_to_budget_h),
        gpu_hours: pick(candidate.gpu_hours),
        cost_usd: candidate.cost_usd.map(pick),
        candidate,
    })
}

/// The most nodes that are ever free at once, as far as single windows tell.
fn most_free(site: &Site) -> u64 {
    match &site.available {
        None => site.nodes,
        Some(windows) => windows.iter().map(|window| window.nodes).max().unwrap_or(0),
    }
}

fn no_capacity(agenda: &Agenda, job: &AgendaJob, planner: &Planner<'_>) -> ScheduleError {
    let fewest = candidates(agenda.probability, job, planner)
        .ok()
        .and_then(|all| all.into_iter().min_by_key(Candidate::booked_nodes));
    let (cluster, needed) = fewest.map_or((String::new(), 0), |candidate| {
        let nodes = candidate.booked_nodes();
        (candidate.cluster, nodes)
    });
    let site = agenda
        .sites
        .iter()
        .find(|site| site.cluster.name == cluster);
    ScheduleError::NoRoom {
        job: job.name.clone(),
        needed,
        free: site.map_or(0, most_free),
        cluster,
    }
}
