//! What the planner answers to single questions people ask.

use tminus::hardware::Cluster;
use tminus::job::{GlobalBatch, Request, Shared};
use tminus::memory::Verdict;
use tminus::plan::{Plan, PlanError, Planner};
use tminus::search::{Axis, Objective, Switch};

use super::{CATALOG, FIT, check, planned, request};

/// The job the program is first asked about: gpt-7b on 134B tokens over both measured clusters.
#[test]
fn the_plan_for_gpt_7b_is_believable() {
    let request = request("gpt-7b", &["r7z2", "r1z1"]);
    let plan = planned(&request);
    assert_eq!(plan.candidates.len(), 10);
    for candidate in plan.candidates.iter().chain(&plan.best_by_gpu_count) {
        check(candidate, &request);
        assert_eq!(candidate.memory.verdict, Verdict::Fits);
        assert_eq!(candidate.global_batch_tokens, 1 << 21);
    }
    let hours: Vec<f64> = plan
        .candidates
        .iter()
        .map(|c| c.time_to_budget_h.expected)
        .collect();
    assert!(
        hours.is_sorted_by(|a, b| a <= &(b * (1.0 + 1e-9))),
        "{hours:?}"
    );
    assert!(
        plan.candidates
            .iter()
            .enumerate()
            .all(|(i, c)| c.rank == i + 1)
    );
    let best = &plan.candidates[0];
    assert!((0.35..0.65).contains(&best.mfu), "{}", best.mfu);
    let space = plan.space;
    let rejected = space.rejected;
    assert_eq!(
        space.points,
        space.feasible
            + rejected.overflows
            + rejected.tight
            + rejected.global_batch
            + rejected.cluster_size
    );
}

/// A number of nodes between those tried is named where it is that much better, and asked for it is;
/// where all were tried, none is.
#[test]
fn a_better_number_of_nodes_is_as_much_better_as_told() {
    let mut request = request("gpt-7b", &["h100-cluster"]);
    let told = |plan: &Plan| {
        let mut notes = plan.notes.iter();
        let note = notes.find_map(|note| note.strip_prefix("of the numbers of nodes, "))?;
        let number = |from: &str, to: &str| {
            let (_, rest) = note.split_once(from)?;
            rest.split_once(to)?.0.parse::<u64>().ok()
        };
        Some((number("--gpus ", "`")?, number("would take ", " %")?))
    };
    let hours = |plan: &Plan| plan.candidates[0].time_to_budget_h.expected;
    let doubled = planned(&request);
    let (gpus, less) = told(&doubled).unwrap();
    request.gpus = Axis::list([gpus]);
    let better = planned(&request);
    let saved = 100.0 * (1.0 - hours(&better) / hours(&doubled));
    assert!((saved - less as f64).abs() <= 0.5, "{saved} {less}");
    request.gpus = Axis::Stepped {
        low: 8,
        high: 1024,
        step: 8,
    };
    let all = planned(&request);
    assert!((hours(&all) / hours(&better) - 1.0).abs() < 1e-9);
    assert_eq!(told(&all), None);
}

/// Whatever is ranked by, but for a front that tries every number of nodes.
#[test]
fn a_better_number_of_nodes_is_told_by_speed_too() {
    let mut request = request("gpt-3b", &["p4d.24xlarge"]);
    request.global_batch.min = 1_500_000;
    request.global_batch.max = 1_500_000;
    request.sort = Objective::Throughput;
    let plan = planned(&request);
    let note = plan.notes.iter().find(|note| note.contains("more tokens"));
    let note = note.unwrap();
    let gpus = note.split_once("--gpus ").unwrap().1;
    let gpus = gpus.split_once('`').unwrap().0.parse::<u64>().unwrap();
    let speed = |plan: &Plan| plan.candidates[0].throughput_tok_s.expected;
    request.gpus = Axis::list([gpus]);
    let more = 100.0 * (speed(&planned(&request)) / speed(&plan) - 1.0);
    assert!(
        note.contains(&format!("train {more:.0} % more")),
        "{more} {note}"
    );
}

/// However few points of a front are shown, its knee is among them, and is what is recommended.
#[test]
fn the_knee_of_a_front_is_what_is_recommended() {
    let mut request = request("gpt-7b", &["r7z2", "r1z1"]);
    request.sort = Objective::Pareto;
    let gpus = |plan: &Plan| {
        let best = plan.recommended().unwrap();
        assert!(best.pareto.unwrap().knee);
        best.gpus
    };
    request.top = 100;
    let all = gpus(&planned(&request));
    for top in 1..4 {
        request.top = top;
        assert_eq!(gpus(&planned(&request)), all, "{top}");
    }
}

/// What differs in recomputing alone is told apart, however little is known.
#[test]
fn recomputing_is_never_as_fast_as_not() {
    let mut request = request("gpt-1b", &["h100-cluster"]);
    request.gpus = Axis::list([8]);
    request.grad_accum = Axis::list([8]);
    request.micro_batch = Axis::list([8]);
    request.global_batch.min = 8 * 8 * 8 * 2048;
    request.global_batch.max = request.global_batch.min;
    let plan = planned(&request);
    let tied: Vec<bool> = plan.candidates.iter().map(|c| c.tied_with_best).collect();
    assert_eq!(tied, [true, false]);
}

#[test]
fn a_batch_that_cannot_be_shared_evenly_is_missed_by_little_and_labelled() {
    let mut request = request("gpt-1b", &["r7z2"]);
    request.gpus = Axis::list([24]);
    let plan = planned(&request);
    for candidate in &plan.candidates {
        check(candidate, &request);
        assert!(candidate.global_batch_shortfall > 0.0);
    }
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("miss the global batch"))
    );
}

fn remedies(request: &Request) -> Vec<String> {
    let alternatives: Vec<Cluster> = CATALOG.clusters().cloned().collect();
    match Planner::new(&FIT).alternatives(&alternatives).plan(request) {
        Err(PlanError::NothingFeasible { remedies, .. }) => {
            remedies.into_iter().map(|remedy| remedy.change).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_smallest_change_that_fits_is_found() {
    let mut off = request("gpt-7b", &["r1z1"]);
    off.gpus = Axis::list([8]);
    off.micro_batch = Axis::list([8]);
    off.activation_checkpointing = Switch::Off;
    assert!(
        remedies(&off)[0].contains("--checkpointing on"),
        "{:?}",
        remedies(&off)
    );

    let mut wide = request("gpt-7b", &["r1z1"]);
    wide.micro_batch = Axis::list([128]);
    assert!(
        remedies(&wide)
            .iter()
            .any(|change| change.contains("--micro-batch"))
    );

    let mut small = request("gpt-30b", &["r1z1"]);
    small.gpus = Axis::list([8]);
    assert!(
        remedies(&small)
            .iter()
            .any(|change| change.contains("--gpus 16")),
        "{:?}",
        remedies(&small)
    );

    let mut card = request("gpt-13b", &["r7z2"]);
    card.clusters[0].max_gpus = 8;
    card.gpus = Axis::list([8]);
    assert!(
        remedies(&card)
            .iter()
            .any(|change| change.contains("a100-80gb")),
        "{:?}",
        remedies(&card)
    );

    let mut batch = request("gpt-125m", &["r7z2"]);
    batch.global_batch = GlobalBatch {
        min: 1000,
        max: 1000,
    };
    assert!(
        remedies(&batch)
            .iter()
            .any(|change| change.contains("--global-batch 16384")),
        "{:?}",
        remedies(&batch)
    );
}

/// One of several jobs is told the keys of its file, and no more than the jobs share.
#[test]
fn one_of_several_jobs_is_told_what_to_write() {
    let mut job = request("gpt-125m", &["r1z1"]);
    job.gpus = Axis::list([24, 48]);
    job.shared = Some(Shared {
        nodes: vec![("r1z1".to_owned(), 4)],
    });
    let offered = remedies(&job).join("\n");
    assert!(!offered.contains("--"), "{offered}");
    assert!(
        offered.contains("`gpus = 32` in its `[jobs.search]`"),
        "{offered}"
    );
    assert!(offered.contains("`global_batch = \""), "{offered}");
    job.shared = None;
    let offered = remedies(&job).join("\n");
    assert!(offered.contains("`--gpus 64`"), "{offered}");
}

/// What is asked of spares and prices holds on other hardware too: what is offered there can be launched
/// as it is.
#[test]
fn other_hardware_is_offered_as_it_can_be_asked_for() {
    let mut spares = request("gpt-30b", &["r7z2"]);
    spares.clusters[0].name = "small".into();
    spares.clusters[0].max_gpus = 16;
    spares.seq_len = Axis::list([8192]);
    spares.reliability.spare_nodes = Some(1);
    let offered = remedies(&spares).join("\n");
    assert!(offered.contains("--cluster"), "{offered}");
    let named = |cluster: &&Cluster| offered.contains(&format!("`--cluster {}`", cluster.name));
    spares.clusters = vec![CATALOG.clusters().find(named).unwrap().clone()];
    let gpus = offered
        .split(" GPUs")
        .next()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap();
    spares.gpus = Axis::list([gpus.parse().unwrap()]);
    assert!(Planner::new(&FIT).plan(&spares).is_ok(), "{offered}");

    // No price is known there: what no change mends is said first.
    let mut unpriced = request("gpt-1b", &["h100-cluster"]);
    unpriced.gpus = Axis::list([9]);
    for sort in [Objective::Cost, Objective::Pareto] {
        unpriced.sort = sort;
        let refused = Planner::new(&FIT).plan(&unpriced);
        assert!(
            matches!(refused, Err(PlanError::NoPrice { .. })),
            "{refused:?}"
        );
    }
}

/// What is left open is what a plan with the same axes puts first.
#[test]
fn what_is_left_open_is_the_plans_choice() {
    let mut asked = request("gpt-13b", &["h100-cluster"]);
    asked.gpus = Axis::list([8]);
    let of = |asked: &Request| {
        let c = Planner::new(&FIT).predict(asked).unwrap();
        check(&c, asked);
        (c.micro_batch, c.grad_accum, c.activation_checkpointing)
    };
    let first = |asked: &Request| {
        let c = &planned(asked).candidates[0];
        (c.micro_batch, c.grad_accum, c.activation_checkpointing)
    };
    assert_eq!(of(&asked), first(&asked));
    asked.activation_checkpointing = Switch::Off;
    assert_eq!(of(&asked), first(&asked));
    asked.activation_checkpointing = Switch::Auto;
    asked.micro_batch = Axis::list([2]);
    assert_eq!(of(&asked), first(&asked));
    // The cluster and its GPUs too.
    let mut open = request("gpt-7b", &["r7z2", "r1z1"]);
    for sort in [Objective::Time, Objective::GpuHours] {
        open.sort = sort;
        let chosen = Planner::new(&FIT).predict(&open).unwrap();
        let first = &planned(&open).candidates[0];
        assert_eq!((&chosen.cluster, chosen.gpus), (&first.cluster, first.gpus));
        assert_eq!(
            of(&open),
            (
                first.micro_batch,
                first.grad_accum,
                first.activation_checkpointing
            )
        );
    }
    // Nothing that can be planned: the nearest that can be described.
    asked.micro_batch = Axis::list([64]);
    asked.grad_accum = Axis::list([5]);
    assert_eq!((of(&asked).0, of(&asked).1), (64, 5));
}

#[test]
fn one_configuration_is_predicted_even_when_it_overflows() {
    let mut asked = request("gpt-13b", &["r1z1"]);
    asked.gpus = Axis::list([8]);
    asked.micro_batch = Axis::list([64]);
    asked.activation_checkpointing = Switch::Off;
    let candidate = Planner::new(&FIT).predict(&asked).unwrap();
    assert_eq!(candidate.memory.verdict, Verdict::Overflows);
    check(&candidate, &asked);

    asked.grad_accum = Axis::list([3]);
    let candidate = Planner::new(&FIT).predict(&asked).unwrap();
    assert_eq!(candidate.global_batch_seqs, 8 * 64 * 3);

    asked.gpus = Axis::list([12]);
    assert!(matches!(
        Planner::new(&FIT).predict(&asked),
        Err(PlanError::ClusterSize { gpus: 12, .. })
    ));
    asked.gpus = Axis::list([8, 16]);
    assert!(matches!(
        Planner::new(&FIT).predict(&asked),
        Err(PlanError::NotSingle { .. })
    ));
    asked.gpus = Axis::list([8]);
    asked.grad_accum = Axis::list([1 << 59]);
    assert!(matches!(
        Planner::new(&FIT).predict(&asked),
        Err(PlanError::BatchTooLarge { .. })
    ));
}
