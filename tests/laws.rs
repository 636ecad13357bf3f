//! Laws of a plan that hold whatever is asked, on the real models and the embedded catalog.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::sync::LazyLock;

use proptest::prelude::*;
use tminus::hardware::{Cluster, Price};
use tminus::job::{GlobalBatch, Request};
use tminus::measure::{MOSAICGPT_2023, read};
use tminus::memory::Verdict;
use tminus::plan::{Candidate, Plan, PlanError, Planner, plan, predict_one};
use tminus::preset::Catalog;
use tminus::quantity::{Confidence, Interval, Tokens};
use tminus::search::{Axis, Objective, Switch};
use tminus::throughput::Fit;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);

static FIT: LazyLock<Fit> = LazyLock::new(|| {
    let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &CATALOG).unwrap();
    Fit::new("embedded", table.rows).unwrap()
});

fn request(model: &str, clusters: &[&str]) -> Request {
    let model = CATALOG.model(model).unwrap().clone();
    let batch = model.global_batch.get();
    Request {
        model,
        tokens: "134B".parse().unwrap(),
        clusters: clusters
            .iter()
            .map(|name| CATALOG.cluster(name).unwrap().clone())
            .collect(),
        stack: CATALOG.stack("fp32-gather").unwrap().clone(),
        gpus: Axis::Auto,
        seq_len: Axis::Auto,
        micro_batch: Axis::Auto,
        grad_accum: Axis::Auto,
        activation_checkpointing: Switch::Auto,
        global_batch: GlobalBatch {
            min: batch,
            max: batch,
        },
        sort: Objective::Time,
        top: 10,
        confidence: Confidence::default(),
        allow_tight: false,
    }
}

fn planned(request: &Request) -> Plan {
    plan(request, &FIT).unwrap()
}

fn in_order(interval: &Interval) -> bool {
    interval.low <= interval.expected
        && interval.expected <= interval.high
        && interval.low.is_finite()
        && interval.high.is_finite()
}

fn check(candidate: &Candidate, request: &Request) {
    let intervals = [
        candidate.step_time_s,
        candidate.throughput_tok_s,
        candidate.throughput_tok_s_gpu,
        candidate.train_h,
        candidate.time_to_budget_h,
        candidate.gpu_hours,
    ];
    assert!(
        intervals.iter().chain(&candidate.cost_usd).all(in_order),
        "{candidate:?}"
    );
    let tokens = candidate.throughput_tok_s.expected * candidate.train_h.expected * 3600.0;
    assert!((tokens / request.tokens.as_f64() - 1.0).abs() < 1e-9);
    assert!(candidate.time_to_budget_h.expected >= candidate.train_h.expected);
    let parts = candidate.memory.parts;
    let sum = parts.states_gib
        + parts.gathered_gib
        + parts.activations_gib
        + parts.logits_gib
        + parts.workspace_gib;
    assert!((sum - candidate.memory.peak_gib).abs() < 1e-6);
    let parts = candidate.time_parts_s.total();
    assert!((parts / candidate.step_time_s.expected - 1.0).abs() < 1e-9);
    assert_eq!(
        candidate.global_batch_tokens,
        candidate.gpus * candidate.micro_batch * candidate.grad_accum * candidate.seq_len
    );
    assert!((0.0..=0.05).contains(&candidate.global_batch_shortfall));
}

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

#[test]
fn the_number_of_threads_changes_no_byte() {
    let mut request = request("gpt-3b", &["r7z2", "r1z1", "p4d"]);
    request.micro_batch = "1..64:1".parse().unwrap();
    request.global_batch.max *= 4;
    request.top = 100;
    let texts: Vec<String> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            serde_json::to_string(&pool.install(|| planned(&request))).unwrap()
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], texts[2]);
}

#[test]
fn the_names_of_clusters_change_no_rank() {
    let original = request("gpt-1b", &["r7z2", "r1z1"]);
    let mut renamed = original.clone();
    renamed.clusters[0].name = "zebra".into();
    renamed.clusters[1].name = "aardvark".into();
    let unnamed = |plan: Plan| -> Vec<Candidate> {
        plan.candidates
            .into_iter()
            .map(|candidate| Candidate {
                cluster: String::new(),
                ..candidate
            })
            .collect()
    };
    assert_eq!(unnamed(planned(&original)), unnamed(planned(&renamed)));
}

fn with_price(cluster: &str, usd_per_gpu_hour: f64) -> Cluster {
    let mut cluster = CATALOG.cluster(cluster).unwrap().clone();
    cluster.prices = vec![Price {
        provider: "made up".into(),
        instance: "made up".into(),
        price_type: "on-demand".into(),
        usd_per_gpu_hour,
        region: "nowhere".into(),
        as_of: "2026-01-01".into(),
        source: "made up".into(),
    }];
    cluster
}

#[test]
fn what_has_no_price_ranks_behind_what_has_one() {
    let mut request = request("gpt-1b", &["r7z2"]);
    request.clusters[0].prices.clear();
    request.clusters.push(with_price("r1z1", 1000.0));
    request.sort = Objective::Cost;
    request.top = 1000;
    let priced: Vec<bool> = planned(&request)
        .candidates
        .iter()
        .map(|c| c.cost_usd.is_some())
        .collect();
    assert!(priced[0] && !priced[priced.len() - 1]);
    assert!(priced.is_sorted_by(|a, b| a >= b));
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

#[test]
fn one_configuration_is_predicted_even_when_it_overflows() {
    let mut asked = request("gpt-13b", &["r1z1"]);
    asked.gpus = Axis::list([8]);
    asked.micro_batch = Axis::list([64]);
    asked.activation_checkpointing = Switch::Off;
    let candidate = predict_one(&asked, &FIT).unwrap();
    assert_eq!(candidate.memory.verdict, Verdict::Overflows);
    check(&candidate, &asked);

    asked.grad_accum = Axis::list([3]);
    let candidate = predict_one(&asked, &FIT).unwrap();
    assert_eq!(candidate.global_batch_seqs, 8 * 64 * 3);

    asked.gpus = Axis::list([12]);
    assert!(matches!(
        predict_one(&asked, &FIT),
        Err(PlanError::ClusterSize { gpus: 12, .. })
    ));
    asked.gpus = Axis::list([8, 16]);
    assert!(matches!(
        predict_one(&asked, &FIT),
        Err(PlanError::NotSingle { .. })
    ));
    asked.gpus = Axis::list([8]);
    asked.grad_accum = Axis::list([1 << 59]);
    assert!(matches!(
        predict_one(&asked, &FIT),
        Err(PlanError::BatchTooLarge { .. })
    ));
}

const MODELS: [&str; 5] = ["gpt-125m", "gpt-350m", "gpt-1b", "gpt-7b", "gpt-13b"];

prop_compose! {
    fn requests()(
        model in prop::sample::select(MODELS.to_vec()),
        cluster in prop::sample::select(vec!["r7z2", "r1z1", "p4d", "p4de"]),
        tokens in 1..=1_000_000_000_000_u64,
        sort in prop::sample::select(vec![
            Objective::Time, Objective::Cost, Objective::GpuHours, Objective::Throughput,
        ]),
        seq_len in prop::sample::select(vec![512_u64, 2048, 8192]),
        gpus in prop_oneof![Just(Axis::Auto), (1..20_u64).prop_map(|n| Axis::list([n, 8 * n]))],
        top in 1..20_usize,
        allow_tight in any::<bool>(),
    ) -> Request {
        Request {
            tokens: Tokens::new(tokens).unwrap(),
            sort,
            seq_len: Axis::list([seq_len]),
            gpus,
            top,
            allow_tight,
            ..request(model, &[cluster])
        }
    }
}

fn feasible(request: &Request) -> u64 {
    match plan(request, &FIT) {
        Ok(plan) => plan.space.feasible,
        Err(PlanError::NothingFeasible { space, .. }) => space.feasible,
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn candidates_add_up(request in requests()) {
        if let Ok(plan) = plan(&request, &FIT) {
            for candidate in plan.candidates.iter().chain(&plan.best_by_gpu_count) {
                check(candidate, &request);
            }
            prop_assert!(plan.candidates.len() <= request.top);
            prop_assert!(plan.candidates[0].tied_with_best);
        }
    }

    #[test]
    fn more_tokens_never_take_less_time(request in requests(), more in 1..1_000_000_000_000_u64) {
        let mut longer = request.clone();
        longer.sort = Objective::Time;
        longer.tokens = Tokens::new(request.tokens.get() + more).unwrap();
        let request = Request { sort: Objective::Time, ..request };
        if let (Ok(short), Ok(long)) = (plan(&request, &FIT), plan(&longer, &FIT)) {
            prop_assert!(
                long.candidates[0].time_to_budget_h.expected
                    >= short.candidates[0].time_to_budget_h.expected
            );
        }
    }

    #[test]
    fn more_memory_never_means_fewer_candidates(request in requests(), more in 0.0..100.0_f64) {
        let mut roomier = request.clone();
        roomier.clusters[0].gpu.usable_gib += more;
        prop_assert!(feasible(&roomier) >= feasible(&request));
    }

    #[test]
    fn a_lower_price_never_costs_more(
        request in requests(), price in 0.01..100.0_f64, discount in 0.01..1.0_f64,
    ) {
        let at = |price| {
            let mut request = request.clone();
            request.sort = Objective::Cost;
            request.clusters = vec![with_price(&request.clusters[0].name, price)];
            plan(&request, &FIT).ok().and_then(|plan| plan.candidates[0].cost_usd)
        };
        if let (Some(dear), Some(cheap)) = (at(price), at(price * discount)) {
            prop_assert!(cheap.expected <= dear.expected * (1.0 + 1e-12));
        }
    }
}
