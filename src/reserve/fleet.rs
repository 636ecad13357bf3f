//! The runs a cluster can make of a job: the fastest configuration of every node count, with when
//! each is done.

use rayon::prelude::*;

use super::Goal;
use super::ask::Ask;
use super::offer::Offer;
use crate::calendar::Span;
use crate::forecast::{FinishTime, WallClock};
use crate::hardware::Cluster;
use crate::job::Request;
use crate::plan::{Candidate, PlanError, Planner, counts_left_out};
use crate::quantity::SECONDS_PER_HOUR;
use crate::search::Axis;

/// One node count's run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) candidate: Candidate,
    pub(super) finish: FinishTime,
    /// Hours within which it is done with the probability asked for.
    pub(super) needed_h: f64,
    /// The same in whole minutes, rounded up; `None` beyond what dates can count.
    pub(super) needed: Option<Span>,
    /// Time to write one checkpoint; `None` when none are meant to be written.
    pub(super) write: Option<Span>,
}

impl Run {
    /// What `candidate` runs; `None` when its hours are not finite.
    fn new(
        planner: &Planner<'_>,
        request: &Request,
        cluster: &Cluster,
        candidate: Candidate,
        probability: f64,
    ) -> Option<Self> {
        let finish = planner.finish(request, &candidate)?;
        let clock = request.clock(cluster, candidate.gpus, candidate.seq_len);
        let needed_h = finish.hours_at(probability);
        Some(Self {
            needed_h,
            needed: Span::from_hours_up(needed_h),
            write: write_time(&clock),
            finish,
            candidate,
        })
    }

    pub(super) fn nodes(&self) -> u64 {
        self.candidate.nodes
    }

    /// Spare nodes it is booked with.
    pub(super) fn spares(&self) -> u64 {
        self.candidate.spare_nodes
    }

    /// Probability of being done within `span`.
    pub(super) fn probability_by(&self, span: Span) -> f64 {
        self.finish.probability_by(span.hours()).clamp(0.0, 1.0)
    }
}

/// Node counts on either side of the one asked for that are looked at whatever the cluster's size.
const AROUND: u64 = 32;

/// The runs of every offer, in their order.
///
/// # Errors
/// When there is no space to search.
pub(super) fn fleets(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
) -> Result<Vec<Vec<Run>>, PlanError> {
    let fleet_of = |(position, cluster): (usize, &Cluster)| {
        let offers = ask.offers.iter().filter(|offer| offer.cluster == position);
        let Some(most) = offers.map(|offer| offer.max_nodes).max() else {
            return Ok(Vec::new());
        };
        let mut runs = fleet(planner, request, cluster, most, ask.probability)?;
        if let Goal::Nodes { nodes } = ask.goal
            && counts_left_out(request, cluster, most)?.is_some()
        {
            let asked = Request {
                gpus: Axis::Stepped {
                    low: nodes
                        .saturating_sub(AROUND)
                        .max(1)
                        .saturating_mul(cluster.gpus_per_node),
                    high: nodes
                        .saturating_add(AROUND)
                        .saturating_mul(cluster.gpus_per_node),
                    step: cluster.gpus_per_node,
                },
                ..request.clone()
            };
            runs.extend(fleet(planner, &asked, cluster, most, ask.probability)?);
            runs.sort_by_key(|run| run.candidate.gpus);
            runs.dedup_by_key(|run| run.candidate.gpus);
        }
        Ok(runs)
    };
    let fleets = request.clusters.iter().enumerate().map(fleet_of);
    let fleets = fleets.collect::<Result<Vec<Vec<Run>>, PlanError>>()?;
    let sold = |offer: &Offer| {
        let cluster = request.clusters.get(offer.cluster);
        cluster
            .zip(fleets.get(offer.cluster))
            .map_or_else(Vec::new, |(cluster, runs)| {
                let sold = |run: &Run| sold(planner, request, ask, (offer, cluster), run);
                runs.par_iter().map(sold).collect()
            })
    };
    Ok(ask.offers.iter().map(sold).collect())
}

/// A run as an offer sells nodes for it: what it adds to make up its multiples are spares too.
fn sold(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    (offer, cluster): (&Offer, &Cluster),
    run: &Run,
) -> Run {
    let booked = offer.booked(run.nodes(), run.spares());
    booked
        .map(|booked| booked - run.nodes())
        .filter(|spares| *spares > run.spares())
        .and_then(|spares| planner.with_spares(request, &run.candidate, spares))
        .and_then(|candidate| Run::new(planner, request, cluster, candidate, ask.probability))
        .unwrap_or_else(|| run.clone())
}

/// The runs of one cluster, by GPUs ascending.
///
/// # Errors
/// When there is no space to search.
fn fleet(
    planner: &Planner<'_>,
    request: &Request,
    cluster: &Cluster,
    max_nodes: u64,
    probability: f64,
) -> Result<Vec<Run>, PlanError> {
    let candidates = planner.fastest_by_gpu_count(request, cluster, max_nodes)?;
    Ok(candidates
        .into_par_iter()
        .filter_map(|candidate| Run::new(planner, request, cluster, candidate, probability))
        .collect())
}

/// How long one checkpoint takes to write; `None` when none are meant to be written.
fn write_time(clock: &WallClock) -> Option<Span> {
    clock.checkpoint_interval_s?;
    Span::from_hours_up(clock.write_s / SECONDS_PER_HOUR)
}
