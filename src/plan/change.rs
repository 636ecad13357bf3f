//! Changes of a request that may let something be launched.

use super::physics::Goal;
use super::together::together_words;
use super::told::Told;
use crate::hardware::Cluster;
use crate::job::{GlobalBatch, Request};
use crate::search::{Axis, Ranked, Switch};

/// One change to try.
pub(super) struct Change {
    pub(super) request: Request,
    pub(super) goal: Goal,
    /// Says what was changed, given what was found.
    pub(super) words: fn(&Ranked, &Cluster, &Asked<'_>) -> String,
    /// Requests nearer to what was asked for than what was found, the nearest first.
    pub(super) nearer: fn(&Ranked, &Request) -> Vec<Request>,
}

/// What was asked for, and who did.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    pub(super) told: Told,
}

impl Change {
    /// One of `request`, launched as it is best.
    pub(super) fn to_best(
        request: Request,
        words: fn(&Ranked, &Cluster, &Asked<'_>) -> String,
    ) -> Self {
        Self {
            goal: Goal::Best(request.sort),
            request,
            words,
            nearer: none_nearer,
        }
    }
}

/// Where the goal is the smallest change already.
pub(super) fn none_nearer(_: &Ranked, _: &Request) -> Vec<Request> {
    Vec::new()
}

/// How many micro-batches are tried one by one; of more, powers of two are.
const FEW: u64 = 64;

/// The micro-batches between the smallest asked for and the one found, on both sides.
fn nearer_micro_batches(found: &Ranked, asked: &Request) -> Vec<Request> {
    let Some(wanted) = asked.micro_batch.get(0) else {
        return Vec::new();
    };
    let away = wanted.abs_diff(found.configuration.micro_batch);
    let mut counts: Vec<u64> = if away <= FEW {
        let least = wanted.saturating_sub(away);
        (least..=wanted.saturating_add(away)).collect()
    } else {
        (0..u64::BITS).map(|power| 1 << power).collect()
    };
    counts.retain(|count| *count > 0 && count.abs_diff(wanted) < away);
    counts.sort_by_key(|count| count.abs_diff(wanted));
    let with = |count| Request {
        micro_batch: Axis::list([count]),
        ..asked.clone()
    };
    counts.into_iter().map(with).collect()
}

impl Asked<'_> {
    /// All changes that lead to what was found, where there are any.
    pub(super) fn together(&self, found: &Ranked) -> String {
        together_words(found, self.request, self.told)
    }
}

/// Single changes to how the job is launched.
pub(super) fn single_changes(request: &Request) -> Vec<Change> {
    let changes = [
        no_spares(request),
        checkpointing_on(request),
        open_micro_batch(request),
        open_accumulation(request),
        Some(other_batch(request)),
        other_gpus(request),
    ];
    changes.into_iter().flatten().collect()
}

fn no_spares(request: &Request) -> Option<Change> {
    let spares = request.reliability.spare_nodes?;
    let mut changed = request.clone();
    changed.reliability.spare_nodes = Some(0);
    for cluster in &mut changed.clusters {
        let kept = spares.saturating_mul(cluster.gpus_per_node);
        cluster.max_gpus = cluster.max_gpus.saturating_add(kept);
    }
    (spares > 0).then(|| {
        Change::to_best(changed, |_, _, _| {
            "keep no spare nodes (`--spares none`)".into()
        })
    })
}

fn checkpointing_on(request: &Request) -> Option<Change> {
    let changed = Request {
        activation_checkpointing: Switch::On,
        ..request.clone()
    };
    (request.activation_checkpointing == Switch::Off).then(|| {
        Change::to_best(changed, |_, _, asked| {
            let set = asked.told.checkpointing("on");
            format!("turn activation checkpointing on ({set})")
        })
    })
}

fn open_micro_batch(request: &Request) -> Option<Change> {
    let changed = Request {
        micro_batch: Axis::Auto,
        ..request.clone()
    };
    (request.micro_batch != Axis::Auto).then(|| Change {
        nearer: nearer_micro_batches,
        ..Change::to_best(changed, |found, _, asked| {
            let micro_batch = found.configuration.micro_batch;
            let set = asked
                .told
                .of_search("--micro-batch", "micro_batch", micro_batch);
            format!("use a micro-batch of {micro_batch} ({set})")
        })
    })
}

fn open_accumulation(request: &Request) -> Option<Change> {
    let changed = Request {
        grad_accum: Axis::Auto,
        ..request.clone()
    };
    (request.grad_accum != Axis::Auto).then(|| {
        Change::to_best(changed, |found, _, asked| {
            let grad_accum = found.configuration.grad_accum;
            let set = asked
                .told
                .of_search("--grad-accum", "grad_accum", grad_accum);
            let ending = if grad_accum == 1 { "" } else { "es" };
            format!("accumulate over {grad_accum} micro-batch{ending} ({set})")
        })
    })
}

fn other_batch(request: &Request) -> Change {
    Change {
        request: Request {
            global_batch: wide_batch(request),
            ..request.clone()
        },
        goal: Goal::NearestBatch(request.global_batch.min as f64),
        words: |found, _, asked| {
            let batch = found.configuration.global_batch_tokens();
            let set = asked.told.of_job("--global-batch", "global_batch", batch);
            format!("train at a global batch of {batch} tokens ({set})")
        },
        nearer: none_nearer,
    }
}

fn other_gpus(request: &Request) -> Option<Change> {
    let most = request.gpus.largest_up_to(u64::MAX)?;
    Some(Change {
        request: Request {
            gpus: all_counts(request),
            ..request.clone()
        },
        goal: Goal::NearestGpus(most as f64),
        words: |found, _, asked| {
            let gpus = found.configuration.gpus;
            let set = asked.told.of_search("--gpus", "gpus", gpus);
            format!("use {gpus} GPUs ({set})")
        },
        nearer: none_nearer,
    })
}

/// Configurations near the memory limit taken too.
pub(super) fn allow_tight(request: &Request) -> Change {
    let changed = Request {
        allow_tight: true,
        ..request.clone()
    };
    Change::to_best(changed, |_, _, asked| {
        let set = match asked.told {
            Told::ByFlags => "`--allow-tight`",
            Told::ByKeys => "`allow_tight = true` in its `[[jobs]]`",
        };
        format!("accept configurations that may run out of memory or run slowly ({set})")
    })
}

/// All numbers of whole nodes where all clusters have nodes alike, and not too many.
fn all_counts(request: &Request) -> Axis {
    let sizes = request.clusters.iter().map(|cluster| cluster.gpus_per_node);
    let most = request.clusters.iter().map(|cluster| cluster.max_gpus);
    let (low, high) = (sizes.clone().min().unwrap_or(1), most.max().unwrap_or(1));
    let alike = sizes.max() == Some(low);
    if alike && low > 0 && (low..=low.saturating_mul(SHORT_AXIS)).contains(&high) {
        Axis::Stepped {
            low,
            high,
            step: low,
        }
    } else {
        Axis::Auto
    }
}

/// Everything about the launch left open but the global batch.
pub(super) fn all_changes(request: &Request) -> Change {
    let mut request = request.clone();
    request.activation_checkpointing = Switch::Auto;
    request.micro_batch = Axis::Auto;
    request.grad_accum = Axis::Auto;
    request.gpus = Axis::Auto;
    Change {
        request,
        goal: Goal::FewestGpus,
        words: |found, _, asked| format!("use {}", asked.together(found)),
        nearer: none_nearer,
    }
}

/// The same, and the global batch too.
pub(super) fn all_and_the_batch(request: &Request) -> Change {
    let mut change = all_changes(request);
    change.request.global_batch = wide_batch(&change.request);
    change
}

/// Axes of more values than this are not walked to find a remedy.
const SHORT_AXIS: u64 = 4096;

/// Batches around the one asked for: some multiple of the smallest step the axes can make is among
/// them, and where the accumulations are few, everything below too.
fn wide_batch(request: &Request) -> GlobalBatch {
    let nodes = request.clusters.iter();
    let node = nodes.map(|cluster| cluster.gpus_per_node.min(cluster.max_gpus));
    let least_gpus = request.gpus.get(0).or(node.min()).unwrap_or(1);
    let least_step = least_gpus.saturating_mul(least_tokens(request));
    let few = (1..=SHORT_AXIS).contains(&request.grad_accum.len());
    GlobalBatch {
        min: if few {
            1
        } else {
            request.global_batch.min.saturating_sub(least_step).max(1)
        },
        max: request.global_batch.max.saturating_add(least_step),
    }
}

/// The fewest tokens of a step for each GPU.
pub(super) fn least_tokens(request: &Request) -> u64 {
    let smallest = |axis: &Axis, auto: u64| axis.get(0).unwrap_or(auto);
    [
        smallest(&request.seq_len, request.model.seq_len),
        smallest(&request.micro_batch, 1),
        smallest(&request.grad_accum, 1),
    ]
    .into_iter()
    .fold(1, u64::saturating_mul)
}
