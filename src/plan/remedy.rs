//! The smallest changes under which something can be launched, found by trying them.

use super::change::{
    Asked, Change, all_and_the_batch, all_changes, allow_tight, least_tokens, none_nearer,
    single_changes,
};
use super::error::Remedy;
use super::physics::Goal;
use super::planner::{Planner, describe};
use super::told::Told;
use crate::hardware::Cluster;
use crate::job::{Request, StackChoice};
use crate::measure::runs_on;
use crate::search::{Axis, Limits, Objective, Ranked, Watch};

/// Changes that help, the smallest first.
///
/// Single changes to how the job is launched come first; only when none of them helps are all of
/// them made together, and only then is other hardware tried. Running
/// close to the memory limit comes last: it is a risk, not a remedy.
pub(super) fn remedies(
    planner: &Planner<'_>,
    request: &Request,
    alternatives: &[Cluster],
) -> Vec<Remedy> {
    let request = &within_shared(request);
    let tried = |changes: Vec<Change>| -> Vec<Remedy> {
        changes
            .iter()
            .filter_map(|change| attempt(planner, request, change))
            .collect()
    };
    let mut found = tried(single_changes(request));
    if found.is_empty() {
        found = tried(vec![all_changes(request)]);
    }
    if found.is_empty() {
        found = tried(vec![all_and_the_batch(request)]);
    }
    // Nobody named the stack: to name another is a change to the launch too.
    match later_stack(planner, request) {
        Some((remedy, Along::AsAsked)) => found.insert(0, remedy),
        Some((remedy, Along::WithOthers)) => found.push(remedy),
        None => {}
    }
    if found.is_empty() {
        found.extend(elsewhere(planner, request, alternatives));
    }
    if found.is_empty() {
        found.extend(shorter(planner, request));
    }
    if !request.allow_tight {
        found.extend(attempt(planner, request, &allow_tight(request)));
    }
    found
}

/// Whether a change helps by itself.
enum Along {
    AsAsked,
    WithOthers,
}

/// What runs under the stack of today's software, where the one taken is older and nobody named it: the
/// job as asked for, or else launched freely.
fn later_stack(planner: &Planner<'_>, request: &Request) -> Option<(Remedy, Along)> {
    let stack = request.later_stack.clone()?;
    let under = |mut change: Change, words| {
        change.request.stack = stack.clone();
        change.request.stack_choice = StackChoice::Named;
        change.words = words;
        attempt(planner, request, &change)
    };
    let as_asked = under(
        Change::to_best(request.clone(), |_, _, _| String::new()),
        |_, _, asked| named_stack(asked),
    );
    let freely = |change| {
        let words = |found: &Ranked, _: &Cluster, asked: &Asked<'_>| {
            format!("{}, with {}", named_stack(asked), asked.together(found))
        };
        under(change, words)
    };
    as_asked.map(|remedy| (remedy, Along::AsAsked)).or_else(|| {
        let remedy = freely(all_changes(request)).or_else(|| freely(all_and_the_batch(request)))?;
        Some((remedy, Along::WithOthers))
    })
}

/// The stack of today's software in words.
fn named_stack(asked: &Asked<'_>) -> String {
    let stack = asked.request.later_stack.as_ref();
    let name = stack.map_or("", |stack| stack.name.as_str());
    format!(
        "name the stack that most of today's software is ({})",
        asked.told.of_job("--stack", "stack", name)
    )
}

/// The request on what its jobs share of each cluster: more can't be had by one of them.
fn within_shared(request: &Request) -> Request {
    let mut request = request.clone();
    let spares = request.reliability.spare_nodes.unwrap_or(0);
    for (name, nodes) in request.shared.iter().flat_map(|shared| &shared.nodes) {
        let named = |cluster: &&mut Cluster| cluster.name == *name;
        if let Some(cluster) = request.clusters.iter_mut().find(named) {
            let training = nodes.saturating_sub(spares).max(1);
            let gpus = training.saturating_mul(cluster.gpus_per_node);
            cluster.max_gpus = cluster.max_gpus.min(gpus);
        }
    }
    request
}

/// The longest sequences that fit, by halves of those asked for.
fn shorter(planner: &Planner<'_>, request: &Request) -> Option<Remedy> {
    let asked = request.seq_len.get(0)?;
    let halves = std::iter::successors(Some(asked / 2), |length| Some(length / 2));
    halves
        .take_while(|length| *length >= SHORTEST)
        .find_map(|length| {
            [all_changes(request), all_and_the_batch(request)]
                .into_iter()
                .find_map(|mut change| {
                    change.request.seq_len = Axis::list([length]);
                    change.words = |found, _, asked| {
                        let length = found.configuration.seq_len;
                        let set = asked.told.of_search("--seq-len", "seq_len", length);
                        let shorter = format!("train on sequences of {length} ({set})");
                        match asked.together(found) {
                            how if how.is_empty() => shorter,
                            how => format!("{shorter}, with {how}"),
                        }
                    };
                    attempt(planner, request, &change)
                })
        })
}

/// The shortest sequences that are offered instead of others.
const SHORTEST: u64 = 128;

/// The fewest GPUs of `alternatives` on which the job runs, as asked for or else launched freely: of the
/// cards asked for and of measured ones before others.
fn elsewhere(planner: &Planner<'_>, request: &Request, alternatives: &[Cluster]) -> Option<Remedy> {
    let others = alternatives
        .iter()
        .filter(|other| request.clusters.iter().all(|own| own.name != other.name));
    let weighed_by_cost = matches!(request.sort, Objective::Cost | Objective::Pareto);
    let others = others.filter(|other| !weighed_by_cost || request.pricing.price(other).is_some());
    let others = others.filter(|other| runs_on(&request.stack, &other.gpu));
    // What is asked of these holds elsewhere too: nodes that are spares train nothing.
    let spares = request.reliability.spare_nodes.unwrap_or(0);
    let without_spares = others.filter_map(|other| {
        let nodes = other.whole_nodes().checked_sub(spares)?;
        let max_gpus = nodes
            .saturating_mul(other.gpus_per_node)
            .min(other.max_gpus);
        (nodes > 0).then(|| Cluster {
            max_gpus,
            ..other.clone()
        })
    });
    let is_known = |cluster: &Cluster| {
        let asked_for = |own: &Cluster| own.gpu.is_same_as(&cluster.gpu);
        cluster.gpu.measured || request.clusters.iter().any(asked_for)
    };
    let (known, unknown): (Vec<Cluster>, Vec<Cluster>) = without_spares.partition(is_known);
    let asked = request;
    let first_that_runs = |request: &Request, words| -> Option<Remedy> {
        let others = [&known, &unknown].into_iter();
        others
            .filter(|others| !others.is_empty())
            .find_map(|others| {
                let change = Change {
                    request: Request {
                        clusters: others.clone(),
                        ..request.clone()
                    },
                    goal: Goal::FewestGpus,
                    words,
                    nearer: none_nearer,
                };
                attempt(planner, asked, &change)
            })
    };
    let as_asked = first_that_runs(request, |found, cluster, asked| {
        let (gpus, name) = (found.configuration.gpus, &cluster.name);
        format!(
            "use {gpus} GPUs of type {} ({})",
            cluster.gpu.name,
            asked.told.cluster(asked.request, name)
        )
    });
    let freely = |change: Change| {
        first_that_runs(&change.request, |found, cluster, asked| {
            let gpus = found.configuration.gpus;
            let set = asked.told.cluster(asked.request, &cluster.name);
            let there = format!("use {gpus} GPUs of type {} ({set})", cluster.gpu.name);
            match asked.together(found) {
                how if how.is_empty() => there,
                how => format!("{there}, with {how}"),
            }
        })
    };
    as_asked
        .or_else(|| freely(all_changes(request)))
        .or_else(|| freely(all_and_the_batch(request)))
}

fn attempt(planner: &Planner<'_>, asked: &Request, change: &Change) -> Option<Remedy> {
    let limits = Limits {
        top: 1,
        gpu_counts: 0,
        allow_tight: change.request.allow_tight,
        prune: true,
    };
    let wider = std::iter::successors(Some(change.request.clone()), |tried| {
        let reach = tried.global_batch.max - asked.global_batch.max.min(tried.global_batch.max);
        (0 < reach && reach < furthest_step(tried)).then(|| {
            let mut wider = tried.clone();
            wider.global_batch.max = wider.global_batch.max.saturating_add(reach);
            wider
        })
    });
    let first = |request: &Request| {
        let outcome = planner.sweep(request, change.goal, limits, &Watch::new());
        outcome.ok()?.best.into_iter().next()
    };
    wider.into_iter().find_map(|request| {
        let found = first(&request)?;
        let mut nearer = (change.nearer)(&found, asked).into_iter();
        nearer
            .find_map(|near| remedy(&first(&near)?, &near, asked, change))
            .or_else(|| remedy(&found, &request, asked, change))
    })
}

/// The change that led to what was found under `request`.
fn remedy(found: &Ranked, request: &Request, asked: &Request, change: &Change) -> Option<Remedy> {
    let cluster = request.clusters.get(found.cluster)?;
    Some(Remedy {
        change: (change.words)(
            found,
            cluster,
            &Asked {
                request: asked,
                told: Told::to(asked),
            },
        ),
        configuration: describe(cluster, &found.configuration),
        nodes: cluster.nodes(found.configuration.gpus),
    })
}

/// The smallest step of the most GPUs: where those of fewer don't fit, theirs may.
fn furthest_step(request: &Request) -> u64 {
    let most = request
        .clusters
        .iter()
        .map(|cluster| cluster.max_gpus)
        .max();
    let most = request.gpus.largest_up_to(most.unwrap_or(1)).or(most);
    most.unwrap_or(1).saturating_mul(least_tokens(request))
}
