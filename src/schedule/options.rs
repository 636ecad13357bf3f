//! The ways each job can run: the best configuration of every GPU count of every cluster that a plan
//! looks at or the calendar suggests, without those that another makes pointless.

use super::error::ScheduleError;
use crate::hardware::Cluster;
use crate::job::{Agenda, AgendaJob, Minimise, Request, Site, Window};
use crate::plan::{Candidate, Planner, SHOWN_GPU_COUNTS};
use crate::search::{Axis, Objective};

/// Numbers of nodes and sequence lengths that are looked at for an even share of the global batch, at
/// most.
const MOST_NODES: u64 = 16_384;
const SEQUENCES: usize = 64;

/// Up to here every number of nodes is a way to run a job. What is left over beside others is often a
/// number that shares no batch evenly; of more nodes, one of them more or less matters little.
pub(crate) const EVERY_NODE: u64 = 64;

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
                // Others may have one, and no room.
                let with_room = |name: &str| choices.iter().any(|c| c.candidate.cluster == name);
                let clusters = job.request.clusters.iter();
                let clusters: Vec<&Cluster> = clusters.filter(|c| with_room(&c.name)).collect();
                let pricing = &job.request.pricing;
                return Err(ScheduleError::NoPrice {
                    job: job.name.clone(),
                    clusters: clusters.iter().map(|c| c.name.clone()).collect(),
                    why: clusters
                        .iter()
                        .filter_map(|c| pricing.why_none(c))
                        .collect(),
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
    let request = asked(job);
    let also = suggested(agenda, &request, planner);
    let candidates = match candidates(job, &request, planner) {
        Ok(mut candidates) => {
            candidates.extend(also);
            candidates
        }
        Err(_) if !also.is_empty() => also,
        Err(error) => return Err(error),
    };
    let choices: Vec<Choice> = candidates
        .into_iter()
        .filter_map(|candidate| choice(agenda, &request, planner, candidate))
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

/// What is asked of the planner for a job.
fn asked(job: &AgendaJob) -> Request {
    let mut request = job.request.clone();
    request.sort = Objective::Time;
    request.top = 1;
    request
}

fn candidates(
    job: &AgendaJob,
    request: &Request,
    planner: &Planner<'_>,
) -> Result<Vec<Candidate>, ScheduleError> {
    let plan = planner.plan(request).map_err(|error| ScheduleError::Job {
        job: job.name.clone(),
        error: Box::new(error),
    })?;
    Ok(plan.best_by_gpu_count)
}

/// The best configurations of the GPU counts that the calendar suggests where they are left open,
/// beside those that a plan looks at: every small number of nodes, all nodes that are free at some time,
/// and numbers of nodes that share the global batch evenly. Of the counts asked for, those that there are ever nodes for,
/// where a plan would look at a part of them only.
fn suggested(agenda: &Agenda, request: &Request, planner: &Planner<'_>) -> Vec<Candidate> {
    if request.gpus != Axis::Auto && request.gpus.len() <= SHOWN_GPU_COUNTS {
        return Vec::new();
    }
    let sites = agenda.sites.iter().filter(|site| {
        let named = |cluster: &Cluster| cluster.name == site.cluster.name;
        request.clusters.iter().any(named)
    });
    let suggested = sites.flat_map(|site| {
        let levels = levels(site);
        let most = site.widest();
        let gpus = site.cluster.gpus_per_node;
        let batch = request.global_batch.max;
        let lengths = request.seq_len.iter().take(SEQUENCES);
        let whole = lengths.filter(|seq_len| batch.is_multiple_of(*seq_len));
        let shared = whole.filter(|_| request.global_batch.min == batch);
        let shared: Vec<u64> = shared.map(|seq_len| batch / seq_len).collect();
        let even = |nodes: &u64| {
            let mut shared = shared.iter();
            shared.any(|sequences| sequences.is_multiple_of(nodes * gpus))
        };
        let all_free = |nodes: &u64| {
            let spares = request.spares(&site.cluster, *nodes);
            levels.contains(&nodes.saturating_add(spares))
        };
        let counts = (1..=most.min(MOST_NODES))
            .filter(|nodes| *nodes <= EVERY_NODE || even(nodes) || all_free(nodes));
        let mut request = request.clone();
        if request.gpus == Axis::Auto {
            request.gpus = Axis::list(counts.map(|nodes| nodes * gpus));
        }
        let found = planner.fastest_by_gpu_count(&request, &site.cluster, most);
        // Where nothing can be launched, the plan of all clusters says why.
        found.unwrap_or_default()
    });
    suggested.collect()
}

/// A way to run a job: booked for the hours it takes with the probability asked for, or for the
/// expected ones.
fn choice(
    agenda: &Agenda,
    request: &Request,
    planner: &Planner<'_>,
    candidate: Candidate,
) -> Option<Choice> {
    let named = |site: &Site| site.cluster.name == candidate.cluster;
    let site = agenda.sites.iter().position(named)?;
    if candidate.booked_nodes() > agenda.sites[site].widest() {
        return None;
    }
    let expected_h = candidate.time_to_budget_h.expected;
    let hours = match agenda.probability {
        Some(probability) => planner
            .finish(request, &candidate)?
            .hours_at(probability.get()),
        None => expected_h,
    };
    let longer = hours / expected_h;
    Some(Choice {
        site,
        hours,
        gpu_hours: candidate.gpu_hours.expected * longer,
        cost_usd: candidate.cost_usd.map(|cost| cost.expected * longer),
        candidate,
    })
}

/// The numbers of nodes that are free at some time, each once.
fn levels(site: &Site) -> Vec<u64> {
    let windows = site.available.iter().flatten().chain(&site.booked);
    let mut levels: Vec<u64> = windows
        .flat_map(|window| [window.from, window.to])
        .map(|moment| {
            let nodes = |windows: &[Window]| -> u64 {
                let now = windows.iter();
                let now = now.filter(|window| window.from <= moment && moment < window.to);
                now.map(|window| window.nodes).sum()
            };
            let free = site.available.as_deref().map_or(site.nodes, nodes);
            free.saturating_sub(nodes(&site.booked))
        })
        .chain([site.widest()])
        .filter(|free| *free > 0)
        .collect();
    levels.sort_unstable();
    levels.dedup();
    levels
}

/// The least that is missing on one of the clusters for the job to have a way to run there.
fn no_capacity(agenda: &Agenda, job: &AgendaJob, planner: &Planner<'_>) -> ScheduleError {
    let request = asked(job);
    let named = |site: &&Site| request.cluster(&site.cluster.name).is_some();
    let sites = agenda.sites.iter().filter(named);
    let missing = sites.filter_map(|site| Some((site, needed(&request, site, planner)?)));
    let least =
        missing.min_by_key(|(site, needed)| (needed.saturating_sub(site.widest()), *needed));
    let job = job.name.clone();
    let Some((site, needed)) = least else {
        return ScheduleError::NoRoom {
            job,
            cluster: String::new(),
            needed: 0,
            free: 0,
            set: String::new(),
            windows: None,
        };
    };
    let cluster = site.cluster.name.clone();
    if site.nodes >= needed {
        return ScheduleError::NarrowWindows {
            job,
            cluster,
            needed,
            free: site.widest(),
        };
    }
    ScheduleError::NoRoom {
        job,
        cluster,
        needed,
        free: site.nodes,
        set: site.shared_key.set(needed, &site.cluster),
        windows: site.windows_are_fixed.then(|| site.widest()),
    }
}

/// The fewest nodes of a cluster that a job can be booked on, as far as they are looked at; `None` where
/// there are none.
fn needed(request: &Request, site: &Site, planner: &Planner<'_>) -> Option<u64> {
    let all = site.cluster.whole_nodes();
    let fewest = |request: &Request| {
        let found = planner.fastest_by_gpu_count(request, &site.cluster, all);
        let booked = found.unwrap_or_default().into_iter();
        let booked = booked.map(|candidate| candidate.booked_nodes());
        booked.filter(|nodes| *nodes <= all).min()
    };
    if request.gpus != Axis::Auto {
        return fewest(request);
    }
    // As many as are free are too few: more and more of those beyond.
    let reach = |most: &u64| (*most < all.min(MOST_NODES)).then(|| most.saturating_mul(2));
    let mosts = std::iter::successors(Some(EVERY_NODE.max(site.widest())), reach);
    let mut least = 1;
    mosts.into_iter().find_map(|most| {
        let most = most.min(all);
        let counts = (least..=most).map(|nodes| nodes * site.cluster.gpus_per_node);
        least = most + 1;
        fewest(&Request {
            gpus: Axis::list(counts),
            ..request.clone()
        })
    })
}
