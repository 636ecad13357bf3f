//! Notes under a plan.

use super::SpaceReport;
use super::candidate::Candidate;
use super::told::Told;
use crate::forecast::Stall;
use crate::hardware::Cluster;
use crate::job::{Request, StackChoice, TokenBudget, TokensChoice};
use crate::measure::{is_apart, peak_share};
use crate::memory::{MemoryModel, Verdict};
use crate::quantity::{SECONDS_PER_HOUR, counted, display_hours, display_thousands};
use crate::search::MAX_SHORTFALL;
use crate::throughput::{Fit, TIGHT_SPEED};
use crate::utilization::{Convention, utilization};

/// What a reader of a plan that was ended early has to know before anything else.
pub(super) fn partial(space: &SpaceReport) -> String {
    format!(
        "PARTIAL: the search was ended after {} configurations; a better one may be among the rest",
        display_thousands(space.points.into())
    )
}

/// Why a user's own rows have no say on clusters of a request, each reason once; none where they
/// have one.
#[must_use]
pub fn fit_notes(request: &Request, fit: &Fit) -> Vec<String> {
    let mut notes: Vec<String> = fit.caution().map(str::to_owned).into_iter().collect();
    notes.extend(stack_note(request));
    for cluster in &request.clusters {
        let stack = Told::to(request).option("--stack", "stack");
        let silence = fit.silence_told(&request.setting(cluster), &stack);
        if let Some(silence) = silence.filter(|silence| !notes.contains(silence)) {
            notes.push(silence);
        }
    }
    notes
}

/// Tokens so few that a suffix may have been left out.
const BARE: u64 = 10_000;

/// How many tokens were taken where the job names none, or that it names fewer than the `step` takes.
#[must_use]
pub fn tokens_note(request: &Request, step: u64) -> Option<String> {
    let tokens = request.tokens.get();
    let suffix = if tokens < BARE {
        format!(": is a suffix missing, as in `{tokens}B`?")
    } else {
        String::new()
    };
    match request.tokens_choice {
        TokensChoice::Named if tokens < step => Some(format!(
            "{} are fewer than the {} of a single step{suffix}",
            counted(tokens, "token"),
            display_thousands(step.into()),
        )),
        TokensChoice::Named => None,
        TokensChoice::Default => Some(format!(
            "no tokens are named: {} are taken, {} its parameters; {} names others",
            request.tokens.rounded(),
            TokenBudget::COMPUTE_OPTIMAL,
            Told::to(request).option("--tokens", "tokens")
        )),
    }
}

/// That memory and launch files are of another stack than the one planned, where no model knows it.
pub(crate) fn apart_note(request: &Request) -> Option<String> {
    is_apart(&request.stack).then(|| {
        format!(
            "stack {} is not modelled: its speed is that of its rows, but memory and launch files are \
             those of a model sharded over all GPUs",
            request.stack.name
        )
    })
}

/// Which stack was chosen where the job names none, if that may not be what runs on a cluster of it.
fn stack_note(request: &Request) -> Option<String> {
    let stack = &request.stack.name;
    if let Some(apart) = apart_note(request) {
        return Some(apart);
    }
    let mut gpus = request.clusters.iter().map(|cluster| &cluster.gpu);
    match &request.stack_choice {
        StackChoice::Named => None,
        StackChoice::OfRows(of) => {
            let other = gpus.find(|gpu| gpu.name != *of);
            let in_fp8 = request.stack.multiplies_in_fp8();
            if other.is_none() && !in_fp8 {
                return None;
            }
            let too = other.map_or_else(String::new, |other| {
                format!(", and taken on {} too", other.name)
            });
            Some(format!(
                "no stack is named: {stack} is that of the fit's rows on {of}{}{too}; {} names another",
                if in_fp8 {
                    ", which multiplies matrices in fp8"
                } else {
                    ""
                },
                Told::to(request).option("--stack", "stack")
            ))
        }
        StackChoice::Default => {
            let later_stack = request.later_stack.as_ref()?;
            let later = gpus.find(|gpu| !gpu.measured)?;
            Some(format!(
                "no stack is named: {stack} is that of the embedded tables, of 2022-2023; what runs on {} \
                 today mostly gathers in bf16, which {} plans",
                later.name,
                Told::to(request).value("--stack", "stack", &later_stack.name)
            ))
        }
    }
}

/// What a reader of the plan should know beyond its figures.
pub(super) fn notes(
    request: &Request,
    space: &SpaceReport,
    candidates: &[Candidate],
) -> Vec<String> {
    let mut notes: Vec<String> = candidates
        .iter()
        .find_map(|candidate| {
            let note = pressure_note(request, candidate)?;
            Some(format!("rank {} is {note}", candidate.rank))
        })
        .into_iter()
        .collect();
    notes.extend(candidates.iter().find_map(|candidate| {
        let note = ran_note(candidate)?;
        Some(format!("rank {} is {note}", candidate.rank))
    }));
    notes.extend(candidates.iter().find_map(|candidate| {
        let note = peak_note(request, candidate)?;
        Some(format!("rank {} is {note}", candidate.rank))
    }));
    if space.rejected.tight > 0 {
        let tight = space.rejected.tight;
        let count = counted(tight, "configuration");
        let are = if tight == 1 { "is" } else { "are" };
        notes.push(format!(
            "{count} {are} left out for being too near the memory limit; `--allow-tight` ranks \
             such configurations too; a smaller micro-batch, checkpointing or more GPUs gives them room"
        ));
    }
    if candidates.iter().any(|c| c.global_batch_shortfall > 0.0) {
        notes.push(format!(
            "some configurations miss the global batch of {} tokens by up to {:.0} %, because \
             their GPUs can't share it evenly",
            request.global_batch.min,
            MAX_SHORTFALL * 100.0
        ));
    }
    notes.extend(spare_note(candidates));
    notes.extend(candidates.first().and_then(|best| {
        let note = none_left_note(request, best)?;
        Some(format!("rank {} {note}", best.rank))
    }));
    notes.extend(candidates.iter().find_map(|candidate| {
        let note = failure_note(candidate).or_else(|| waiting_note(request, candidate))?;
        Some(format!("rank {}: {note}", candidate.rank))
    }));
    notes
}

/// What has to be said of the prices of the clusters that candidates are shown of.
pub(super) fn price_notes(request: &Request, shown: &[&[Candidate]]) -> Vec<String> {
    let is_shown = |cluster: &&Cluster| {
        let mut candidates = shown.iter().copied().flatten();
        candidates.any(|candidate| candidate.cluster == cluster.name)
    };
    let clusters = request.clusters.iter().filter(is_shown);
    clusters
        .flat_map(|cluster| request.pricing.notes(cluster))
        .collect()
}

/// Failures that are worth a word where nothing is saved against them.
pub(crate) const FAILURES_WORTH_A_WORD: f64 = 0.1;

/// That failures or checkpoints leave a run little, or failures lose everything.
#[must_use]
pub fn failure_note(candidate: &Candidate) -> Option<String> {
    if let Some(stall) = candidate.stall {
        let remedy = match stall {
            Stall::Writes => {
                "a longer interval between them, or storage that takes them faster, leaves more"
            }
            Stall::Failures if candidate.checkpoint_interval_s.is_none() => {
                "checkpoints or fewer nodes lose less"
            }
            Stall::Failures => {
                "fewer nodes, or checkpoints that are written more often or faster, lose less"
            }
        };
        return Some(format!(
            "{}: time and cost are no forecast, but what they would be at a thousandth; {remedy}",
            stall.words()
        ));
    }
    let unsaved = candidate.checkpoint_interval_s.is_none();
    (unsaved && candidate.expected_failures > FAILURES_WORTH_A_WORD).then(|| {
        format!(
            "no checkpoint is written before the end: each failure, of which {:.1} are expected, loses \
             all work so far",
            candidate.expected_failures
        )
    })
}

/// Failures while a job restarts, per restart, from which on their waits are worth a word.
const WHILE_RESTARTING: f64 = 0.05;

/// That nodes fail faster than the forecast holds for: it lets no failure wait for a node that comes
/// while the job restarts from another.
#[must_use]
pub fn waiting_note(request: &Request, candidate: &Candidate) -> Option<String> {
    let reliability = &request.reliability;
    let per_s =
        candidate.expected_failures / (candidate.time_to_budget_h.expected * SECONDS_PER_HOUR);
    let restarting = per_s * reliability.restart_s > WHILE_RESTARTING;
    let gone = per_s * reliability.replacement_s;
    (restarting && gone > candidate.spare_nodes as f64).then(|| {
        format!(
            "a node fails every {}, faster than {} can be replaced: time, cost and the probability of \
             being done are optimistic, since failures during a restart are not taken to wait for a node",
            display_hours(1.0 / (per_s * SECONDS_PER_HOUR)),
            match candidate.spare_nodes {
                0 => "it".to_owned(),
                1 => "it and the spare".to_owned(),
                spares => format!("it and the {} spares", display_thousands(spares.into())),
            }
        )
    })
}

/// That a candidate trains below the global batch asked for, and by how much.
#[must_use]
pub fn shortfall_note(request: &Request, candidate: &Candidate) -> Option<String> {
    let shortfall = candidate.global_batch_shortfall;
    (shortfall > 0.0).then(|| {
        format!(
            "it trains at a global batch of {} tokens, {:.1} % below the {} asked for, which its {} \
             GPUs can't share evenly",
            display_thousands(candidate.global_batch_tokens.into()),
            shortfall * 100.0,
            display_thousands(request.global_batch.min.into()),
            display_thousands(candidate.gpus.into()),
        )
    })
}

/// That spare nodes are in the bill.
fn spare_note(candidates: &[Candidate]) -> Option<String> {
    let spared = candidates.iter().find(|c| c.spare_nodes > 0)?;
    Some(format!(
        "GPU-hours and cost include spare nodes, {} beside the {} of rank {}: `--spares none` books \
         none",
        spared.spare_nodes, spared.nodes, spared.rank
    ))
}

/// That a candidate leaves no node to spare where one would be kept.
#[must_use]
pub fn none_left_note(request: &Request, candidate: &Candidate) -> Option<String> {
    let cluster = request.cluster(&candidate.cluster)?;
    let wanted = request.reliability.wanted_spares(candidate.nodes);
    let most = request.most_nodes(cluster);
    let at_once = if most < cluster.whole_nodes() {
        " that are ever free at once"
    } else {
        ""
    };
    (candidate.spare_nodes < wanted).then(|| {
        format!(
            "takes {} of the {most} nodes of {}{at_once}, so that {} of {wanted} spare nodes can be \
             kept: nodes that fail may be waited for",
            candidate.nodes, cluster.name, candidate.spare_nodes
        )
    })
}

/// Share of the peak above which a prediction is more than published runs sustain: those of A100 and H100 end
/// at about three quarters, recomputed FLOPs included (an assumption, with room above these).
const SUSTAINED: f64 = 0.85;
/// By how much a share that was cut at the peak may be off it by rounding.
const ROUNDING: f64 = 1e-9;

/// That a candidate is predicted to do more than its GPUs can, or than any are known to.
#[must_use]
pub fn peak_note(request: &Request, candidate: &Candidate) -> Option<String> {
    let setting = request.setting(request.cluster(&candidate.cluster)?);
    let configuration = candidate.configuration();
    let share = |tok_s: f64| {
        let used = utilization(Convention::Mosaic2022, &setting, &configuration, tok_s);
        used.hfu / peak_share(setting.stack)
    };
    let interval = candidate.throughput_tok_s;
    let (expected, high) = (share(interval.expected), share(interval.high));
    let percent = expected * 100.0;
    let peak = if setting.stack.multiplies_in_fp8() {
        "peak in fp8"
    } else {
        "peak"
    };
    if expected > 1.0 {
        Some(format!(
            "predicted to compute at {percent:.0} % of its GPUs' {peak}, which none does: the fit's rows let expect so, \
             so check that they count all GPUs, and that their links are as stated"
        ))
    } else if expected > SUSTAINED {
        Some(format!(
            "predicted to compute at {percent:.0} % of its GPUs' {peak}, more than published runs sustain: the fit's rows \
             let expect so where they were not measured, so measure a run like it before booking"
        ))
    } else if high > 1.0 - ROUNDING {
        Some(
            "predicted with an interval that ends at its GPUs' peak, where it is cut: so little is known of it, so \
             measure a run like it before booking"
                .to_owned(),
        )
    } else {
        None
    }
}

/// That a candidate is too near the memory limit, and what moves it out of that zone.
fn pressure_note(request: &Request, candidate: &Candidate) -> Option<String> {
    if candidate.memory.verdict != Verdict::Tight {
        return None;
    }
    let setting = request.setting(request.cluster(&candidate.cluster)?);
    let fitting = |checkpointing: bool| {
        MemoryModel::new(&setting, candidate.gpus, candidate.seq_len, checkpointing)
            .largest_micro_batch(Verdict::Fits)
    };
    let checkpointing = candidate.activation_checkpointing;
    let way_out = match (fitting(checkpointing), fitting(true)) {
        (Some(largest), _) => format!("a micro-batch of at most {largest} fits"),
        (None, Some(largest)) => {
            format!("with checkpointing on, a micro-batch of at most {largest} fits")
        }
        (None, None) => "more GPUs or a larger card would move it out".to_owned(),
    };
    let predicted = if candidate.time_parts_s.memory_pressure > 0.0 {
        "and it is predicted at the middle of that"
    } else {
        "though full speed is expected here"
    };
    let ran = candidate
        .memory
        .ran_as
        .as_ref()
        .map_or_else(String::new, |run| {
            format!(
                " (its estimate is out of memory, but {} was measured, and ran slowly)",
                run.words()
            )
        });
    let (slowest, fastest) = TIGHT_SPEED;
    Some(format!(
        "too near the memory limit{ran}: such runs went out of memory or ran at {slowest} to {fastest} of \
         the usual speed, {predicted}; {way_out}"
    ))
}

/// That a candidate is taken to fit because it was measured, whatever is estimated of it.
fn ran_note(candidate: &Candidate) -> Option<String> {
    let memory = &candidate.memory;
    let run = memory.ran_as.as_ref()?;
    (memory.verdict == Verdict::Fits).then(|| {
        format!(
            "taken to fit in memory because {} was measured, and ran; estimated, its peak is {:.1} GiB of \
             {:.1}, which is too much or too near the limit",
            run.words(),
            memory.peak_gib,
            memory.usable_gib
        )
    })
}

/// What is to be said of a candidate's memory: that it is too near the limit, or that it is taken to fit
/// because it was measured.
#[must_use]
pub fn memory_note(request: &Request, candidate: &Candidate) -> Option<String> {
    pressure_note(request, candidate).or_else(|| ran_note(candidate))
}
