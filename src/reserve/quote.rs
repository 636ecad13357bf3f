//! Whether a product can be booked for what is asked, as far as its rules go.

use super::Goal;
use super::ask::Ask;
use super::fleet::Run;
use super::offer::{Offer, Window};
use super::refusal::Reason;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::plan::{PlanError, Planner, rejected_words};
use crate::search::Axis;

/// An offer that can be booked, with what the cluster can run.
pub(super) struct Quote<'a> {
    pub(super) offer: &'a Offer,
    pub(super) window: Window,
    pub(super) runs: &'a [Run],
}

/// An offer that can be booked for what is asked, as far as its rules go.
///
/// # Errors
/// Why it can't be booked.
pub(super) fn quote<'a>(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    (offer, cluster): (&'a Offer, &Cluster),
    runs: &'a [Run],
) -> Result<Quote<'a>, Reason> {
    if let Goal::Nodes { nodes } = ask.goal {
        // No start helps where there are fewer.
        let spares = request.spares(cluster, nodes);
        if offer.booked(nodes, spares).is_none() {
            let without_spares = offer.booked(nodes, 0).is_some()
                && runs_without_spares(planner, request, (offer, cluster), nodes);
            return Err(Reason::too_many_nodes(
                offer,
                ask.goal,
                (nodes, spares),
                without_spares,
            ));
        }
    }
    let window = offer.window(ask)?;
    if matches!(ask.goal, Goal::Budget { .. }) && offer.price.is_none() {
        return Err(Reason::NoPrice {
            price_type: offer.price_type().cloned(),
            place: offer.pricing.place_words(),
        });
    }
    if runs.is_empty() {
        return Err(no_run(planner, request, ask, (offer, cluster)));
    }
    Ok(Quote {
        offer,
        window,
        runs,
    })
}

/// Why no run of the cluster is known: the product sells too few nodes for any, or none can be
/// launched on as many as there are.
fn no_run(
    planner: &Planner<'_>,
    request: &Request,
    ask: &Ask,
    (offer, cluster): (&Offer, &Cluster),
) -> Reason {
    let all = cluster.whole_nodes();
    let beyond = planner.fastest_by_gpu_count(request, cluster, all);
    if let Some(smallest) = beyond.ok().and_then(|found| found.into_iter().next()) {
        let (nodes, spares) = (smallest.nodes, smallest.spare_nodes);
        let without_spares = offer.booked(nodes, 0).is_some();
        return Reason::too_many_nodes(offer, ask.goal, (nodes, spares), without_spares);
    }
    match planner.why_nothing_fits(request, cluster) {
        Some(PlanError::NothingFeasible { space, remedies }) => Reason::NothingFits {
            help: remedies
                .iter()
                .map(|remedy| {
                    let also = match ask.goal {
                        Goal::Nodes { nodes } if nodes != remedy.nodes => {
                            format!(" and {}", ask.named.number("nodes", remedy.nodes))
                        }
                        _ => String::new(),
                    };
                    format!("{}{also}: {}", remedy.change, remedy.configuration)
                })
                .collect(),
            why: PlanError::NothingFeasible {
                space,
                remedies: Vec::new(),
            }
            .to_string(),
        },
        other => Reason::NothingFits {
            why: other.map_or_else(
                || "when its runs are done is no forecast".to_owned(),
                |error| error.to_string(),
            ),
            help: Vec::new(),
        },
    }
}

impl Reason {
    /// The same, with what is in the way of a number of nodes that no configuration uses.
    pub(super) fn explained(
        self,
        planner: &Planner<'_>,
        request: &Request,
        cluster: &Cluster,
    ) -> Self {
        let Self::NoSuchCount { nodes, near, .. } = self else {
            return self;
        };
        let gpus = nodes.saturating_mul(cluster.gpus_per_node);
        if request.gpus != Axis::Auto && !request.gpus.contains(gpus) {
            return Self::NoSuchCount {
                nodes,
                near,
                why: "not among the GPU counts asked for".to_owned(),
                help: Vec::new(),
            };
        }
        let on_as_many = Request {
            gpus: Axis::list([gpus]),
            ..request.clone()
        };
        let (why, help) = match planner.why_nothing_fits(&on_as_many, cluster) {
            Some(PlanError::NothingFeasible { space, remedies }) => {
                let on_as_many = remedies.iter().filter(|remedy| remedy.nodes == nodes);
                let help =
                    on_as_many.map(|remedy| format!("{}: {}", remedy.change, remedy.configuration));
                (rejected_words(&space), help.collect())
            }
            _ => (String::new(), Vec::new()),
        };
        Self::NoSuchCount {
            nodes,
            near,
            why,
            help,
        }
    }
}

/// Whether some configuration trains on exactly so many nodes where none are kept as spares.
fn runs_without_spares(
    planner: &Planner<'_>,
    request: &Request,
    (offer, cluster): (&Offer, &Cluster),
    nodes: u64,
) -> bool {
    let mut alone = request.clone();
    alone.reliability.spare_nodes = Some(0);
    if alone.gpus == Axis::Auto {
        alone.gpus = Axis::list([nodes.saturating_mul(cluster.gpus_per_node)]);
    }
    let found = planner.fastest_by_gpu_count(&alone, cluster, offer.max_nodes);
    found.is_ok_and(|found| found.iter().any(|candidate| candidate.nodes == nodes))
}
