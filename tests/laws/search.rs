//! Dropping what can't be among the best changes nothing: on the real models, against a search
//! that computes the time of every configuration, and against predictions one at a time.

use proptest::prelude::*;
use tminus::configuration::{Configuration, Setting};
use tminus::job::{GlobalBatch, Request};
use tminus::plan::{Plan, PlanError, Planner, SpaceReport};
use tminus::search::{Axis, Objective, Switch};

use super::{CATALOG, FIT, with_price};

fn axis(most: u64) -> impl Strategy<Value = Axis> {
    prop_oneof![
        prop::collection::vec(1..=most, 1..5).prop_map(Axis::list),
        (1..=most, 0..=most).prop_map(|(low, width)| Axis::Doubling {
            low,
            high: low + width
        }),
        (1..=most, 0..=most, 1..4_u64).prop_map(|(low, width, step)| Axis::Stepped {
            low,
            high: low + width,
            step
        }),
    ]
}

fn axis_or_auto(most: u64) -> impl Strategy<Value = Axis> {
    prop_oneof![1 => Just(Axis::Auto), 4 => axis(most)]
}

prop_compose! {
    /// Spaces of every kind, small enough to be walked.
    pub(super) fn spaces()(
        model in prop::sample::select(CATALOG.models().map(|m| m.name.clone()).collect::<Vec<_>>()),
        stack in prop::sample::select(CATALOG.stacks().map(|s| s.name.clone()).collect::<Vec<_>>()),
        clusters in prop::collection::vec(
            (
                prop::sample::select(CATALOG.clusters().map(|c| c.name.clone()).collect::<Vec<_>>()),
                prop::sample::select(vec![0.0, 1.0, 2.5]),
            ),
            1..4,
        ),
        tokens in 1..1_000_000_000_000_u64,
        (gpus, seq_len) in (
            prop_oneof![Just(Axis::Auto), axis(64), Just("8..1024:8".parse().unwrap())],
            prop::collection::vec(1..2048_u64, 1..4),
        ),
        (micro_batch, grad_accum) in (axis_or_auto(64), axis_or_auto(64)),
        activation_checkpointing in
            prop_oneof![Just(Switch::Auto), Just(Switch::On), Just(Switch::Off)],
        (batch, width) in (0..28_u32, prop_oneof![Just(0), 0..(1_u64 << 22), 0..(1_u64 << 28)]),
        sort in prop::sample::select(vec![
            Objective::Time, Objective::Cost, Objective::GpuHours, Objective::Throughput,
        ]),
        top in 1..30_usize,
        allow_tight in any::<bool>(),
    ) -> Request {
        let clusters = clusters.iter().map(|(name, price)| {
            let mut cluster = with_price(name, *price);
            if *price == 0.0 {
                cluster.prices.clear();
            }
            cluster
        });
        Request {
            model: CATALOG.model(&model).unwrap().clone(),
            stack: CATALOG.stack(&stack).unwrap().clone(),
            clusters: clusters.collect(),
            tokens: tminus::quantity::Tokens::new(tokens).unwrap(),
            gpus,
            seq_len: Axis::list(seq_len),
            micro_batch,
            grad_accum,
            activation_checkpointing,
            global_batch: GlobalBatch { min: 1 << batch, max: (1 << batch) + width },
            sort,
            top,
            allow_tight,
            ..super::request("gpt-125m", &["r7z2"])
        }
    }
}

/// The plan without the count of points computed, the one thing that may differ.
fn but_for_the_work(plan: Result<Plan, PlanError>) -> Result<Plan, PlanError> {
    let plain = |space: SpaceReport| SpaceReport {
        evaluated: 0,
        pruned: 0,
        ..space
    };
    match plan {
        Ok(plan) => Ok(Plan {
            space: plain(plan.space),
            ..plan
        }),
        Err(PlanError::NothingFeasible { space, remedies }) => Err(PlanError::NothingFeasible {
            space: plain(space),
            remedies,
        }),
        Err(other) => Err(other),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn pruning_changes_nothing(request in spaces()) {
        let planner = Planner::new(&FIT);
        let pruned = planner.plan(&request);
        if let Ok(plan) = &pruned {
            prop_assert_eq!(plan.space.pruned, plan.space.feasible - plan.space.evaluated);
        }
        let every = planner.clone().exhaustive().plan(&request);
        prop_assert_eq!(but_for_the_work(pruned), but_for_the_work(every));
    }

    #[test]
    fn a_bound_is_never_beaten(
        request in spaces(), gpus in 1..4096_u64, seq_len in 1..20_000_u64,
        micros in prop::collection::vec(1..2048_u64, 2..6), accum in 1..512_u64,
        checkpointing in any::<bool>(),
    ) {
        let setting = Setting {
            shape: &request.model.shape,
            cluster: &request.clusters[0],
            stack: &request.stack,
        };
        let steps = FIT.setting_model(&setting).step_model(gpus, seq_len, checkpointing);
        let (low, high) = (*micros.iter().min().unwrap(), *micros.iter().max().unwrap());
        let bound = steps.fastest_pace(low..=high, high * accum);
        for micro_batch in micros {
            let step_s = steps.micro_batch(micro_batch).step_s(accum);
            prop_assert!(step_s / (micro_batch * accum) as f64 >= bound);
            let predicted = FIT.predict(
                &setting,
                &Configuration {
                    gpus, seq_len, micro_batch, grad_accum: accum,
                    activation_checkpointing: checkpointing,
                },
                request.confidence,
            );
            prop_assert!((predicted.step_time_s.expected / step_s - 1.0).abs() < 1e-12);
        }
    }
}

/// A batch of any size leaves 10^15 accumulations, of which all but the first differ by rounding
/// alone: they are told apart by nothing, and not walked.
#[test]
fn a_batch_of_any_size_is_planned_at_once() {
    let with_batch = |max| {
        let mut request = super::request("gpt-1b", &["r1z1"]);
        request.global_batch = GlobalBatch { min: 1, max };
        let started = std::time::Instant::now();
        let plan = super::planned(&request);
        assert!(started.elapsed() < std::time::Duration::from_secs(30));
        plan.candidates
            .iter()
            .for_each(|c| super::check(c, &request));
        plan.candidates[0].time_to_budget_h.expected
    };
    let (some, any) = (with_batch(1 << 40), with_batch(1_000_000_000_000_000_000));
    assert!(any <= some * (1.0 + 1e-9), "{any} after {some}");
}
