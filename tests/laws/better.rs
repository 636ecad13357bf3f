//! Better hardware is never a worse plan, and an interval is as wide as it is sure.

use proptest::prelude::*;
use tminus::hardware::Cluster;
use tminus::job::Request;
use tminus::plan::{Planner, plan};
use tminus::quantity::{Confidence, Interval};
use tminus::search::Objective;

use super::{FIT, request, requests};

/// One figure of a cluster made better by a factor of at least 1.
type Improvement = fn(&mut Cluster, f64);

const IMPROVEMENTS: [(&str, Improvement); 5] = [
    ("peak FLOPS", |cluster, by| cluster.gpu.peak_flops *= by),
    ("HBM bandwidth", |cluster, by| {
        cluster.gpu.hbm_bytes_per_s *= by;
    }),
    ("memory", |cluster, by| cluster.gpu.usable_gib *= by),
    ("link in a node", |cluster, by| {
        cluster.gpu.intra_node_bytes_per_s *= by;
    }),
    ("link between nodes", |cluster, by| {
        if let Some(link) = &mut cluster.inter_node_bytes_per_s {
            *link *= by;
        }
    }),
];

/// Hours of the best plan, exact in its last digits: sums round differently.
const ROUNDING: f64 = 1e-9;

fn best_hours(request: &Request) -> Option<f64> {
    let best = plan(request, &FIT).ok()?;
    Some(best.candidates.first()?.time_to_budget_h.expected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn better_hardware_is_never_a_worse_plan(
        request in requests(), which in 0..IMPROVEMENTS.len(),
        by in prop_oneof![1.0..1.1_f64, 1.0..20.0_f64],
    ) {
        let request = Request { sort: Objective::Time, ..request };
        let mut better = request.clone();
        let (what, improve) = IMPROVEMENTS[which];
        improve(&mut better.clusters[0], by);
        if let Some(before) = best_hours(&request) {
            let after = best_hours(&better);
            prop_assert!(
                after.is_some_and(|after| after <= before * (1.0 + ROUNDING)),
                "{} times {}: {} h, then {:?} h", what, by, before, after
            );
        }
    }

    #[test]
    fn surer_intervals_are_wider_and_hold_what_is_expected(
        request in requests(), (a, b) in (0.01..0.999_f64, 0.01..0.999_f64),
    ) {
        let at = |confidence: f64| Request {
            confidence: Confidence::new(confidence).unwrap(),
            ..request.clone()
        };
        let planner = Planner::new(&FIT);
        let (narrow, wide) = (planner.plan(&at(a.min(b))), planner.plan(&at(a.max(b))));
        prop_assert_eq!(narrow.is_ok(), wide.is_ok());
        let (Ok(narrow), Ok(wide)) = (narrow, wide) else {
            return Ok(());
        };
        for (narrow, wide) in narrow.candidates.iter().zip(&wide.candidates) {
            let pairs: [(Interval, Interval); 4] = [
                (narrow.step_time_s, wide.step_time_s),
                (narrow.throughput_tok_s, wide.throughput_tok_s),
                (narrow.time_to_budget_h, wide.time_to_budget_h),
                (narrow.gpu_hours, wide.gpu_hours),
            ];
            for (narrow, wide) in pairs {
                prop_assert_eq!(narrow.expected.to_bits(), wide.expected.to_bits());
                prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
                prop_assert!(narrow.low <= narrow.expected && narrow.expected <= narrow.high);
            }
            prop_assert!(wide.step_time_s.high > wide.step_time_s.low);
        }
    }
}

/// Whatever the number of nodes, the global batch is met with micro-batches about as large as those
/// of its neighbours, not with whichever happens to come nearest. What is left is that sequences
/// don't divide evenly.
#[test]
fn a_few_nodes_more_are_hardly_slower() {
    for (model, cluster) in [("gpt-1b", "r7z2"), ("gpt-7b", "r1z1"), ("gpt-13b", "r1z1")] {
        let request = request(model, &[cluster]);
        let planner = Planner::new(&FIT);
        let runs = planner
            .fastest_by_gpu_count(&request, &request.clusters[0], 16)
            .unwrap();
        assert!(runs.len() >= 8, "{model}: {} counts", runs.len());
        let mut fastest: f64 = 0.0;
        for run in &runs {
            let pace = run.throughput_tok_s.expected;
            assert!(
                pace > 0.9 * fastest,
                "{model} on {} nodes: {pace}",
                run.nodes
            );
            fastest = fastest.max(pace);
        }
    }
}
