//! Laws of a plan that hold whatever is asked, on the real models and the embedded catalog.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod answers;
mod better;
mod calendar;
#[path = "../dice/mod.rs"]
mod dice;
mod order;
mod remedies;
mod search;
mod shared;
mod steps;
mod waits;

use std::sync::LazyLock;

use proptest::prelude::*;
use tminus::forecast::{Pricing, Reliability};
use tminus::hardware::{Cluster, Price};
use tminus::job::{
    GlobalBatch, LaunchSettings, Request, ReserveSettings, StackChoice, TokensChoice,
};
use tminus::measure::{MOSAICGPT_2023, read};
use tminus::model::{Block, Model, Shape};
use tminus::plan::{Candidate, Plan, PlanError, Planner, plan};
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
        stack_choice: StackChoice::Named,
        later_stack: None,
        tokens_choice: TokensChoice::Named,
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
        reliability: Reliability::default(),
        pricing: Pricing::default(),
        launch: LaunchSettings::default(),
        reserve: ReserveSettings::default(),
        shared: None,
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
    let hours: f64 = candidate.cost_lines.iter().map(|line| line.gpu_hours).sum();
    assert!((hours / candidate.gpu_hours.expected - 1.0).abs() < 1e-9);
    if let Some(cost) = candidate.cost_usd {
        let usd: f64 = candidate
            .cost_lines
            .iter()
            .filter_map(|line| line.usd)
            .sum();
        assert!((usd / cost.expected - 1.0).abs() < 1e-9);
    }
    let parts = candidate.time_parts_s.total();
    assert!((parts / candidate.step_time_s.expected - 1.0).abs() < 1e-9);
    assert_eq!(
        candidate.global_batch_tokens,
        candidate.gpus * candidate.micro_batch * candidate.grad_accum * candidate.seq_len
    );
    assert!((0.0..=0.05).contains(&candidate.global_batch_shortfall));
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

/// Whatever is asked, every figure is finite or there is a refusal.
#[test]
fn extremes_are_answered_or_refused() {
    let tiny = Model {
        name: "tiny".into(),
        shape: Shape::gpt(1, 1, 1, 1).unwrap(),
        block: Block::default(),
        seq_len: 1,
        global_batch: Tokens::new(1 << 20).unwrap(),
        source: "made up".into(),
    };
    let huge = Model {
        name: "huge".into(),
        shape: Shape::gpt(1 << 22, 64, 1 << 15, 50_257).unwrap(),
        ..tiny.clone()
    };
    let mut vast = with_price("r1z1", 1e-9);
    vast.max_gpus = 1 << 20;
    let mut lonely = vast.clone();
    lonely.inter_node_bytes_per_s = None;
    let mut answered = Vec::new();
    for (model, cluster) in [
        (&tiny, &vast),
        (&tiny, &lonely),
        (&huge, &vast),
        (&huge, &lonely),
    ] {
        for (tokens, seq_len, batch) in [
            (1, 1, 1 << 20),
            (1_000_000_000_000_000_000, 1, 1 << 24),
            (134_000_000_000, 10_000_000, 1_000_000_000_000_000_000),
        ] {
            let mut request = request("gpt-125m", &["r1z1"]);
            request.model = model.clone();
            request.clusters = vec![cluster.clone()];
            request.tokens = Tokens::new(tokens).unwrap();
            request.seq_len = Axis::list([seq_len]);
            request.global_batch = GlobalBatch {
                min: batch,
                max: batch,
            };
            match plan(&request, &FIT) {
                Ok(plan) => {
                    plan.candidates.iter().for_each(|c| check(c, &request));
                    answered.push((model.name.clone(), cluster.max_gpus, tokens, seq_len));
                }
                Err(PlanError::NothingFeasible { space, .. }) => assert_eq!(space.feasible, 0),
                Err(error) => panic!("{error}"),
            }
            if let Ok(candidate) = Planner::new(&FIT).predict(&request) {
                assert!(in_order(&candidate.time_to_budget_h));
            }
        }
    }
    // What is tiny runs anywhere; one block of the huge one is 800 TB when gathered.
    let of = |name: &str| answered.iter().filter(|case| case.0 == name).count();
    assert_eq!((of("tiny"), of("huge")), (6, 0), "{answered:?}");
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
    fn candidates_add_up(
        request in requests(), interval_s in prop::option::of(1.0..1e6_f64),
        log_write in 6.0..12.0_f64,
    ) {
        let reliability = Reliability {
            checkpoint_interval_s: interval_s,
            write_bytes_per_s_node: 10.0_f64.powf(log_write),
            ..request.reliability
        };
        let request = Request { reliability, ..request };
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
