//! What must change no byte of a plan, or no rank: threads, the order of an axis, names.

use proptest::prelude::*;
use tminus::job::Request;
use tminus::plan::{Candidate, Plan, PlanError, Planner};
use tminus::search::Axis;

use super::search::spaces;
use super::{FIT, planned, request};

/// The plan, or why there is none, as bytes; on `threads` threads.
fn bytes(request: &Request, threads: usize) -> String {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    match pool.install(|| Planner::new(&FIT).plan(request)) {
        Ok(plan) => serde_json::to_string(&plan).unwrap(),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let mut request = request("gpt-3b", &["r7z2", "r1z1", "p4d"]);
    request.micro_batch = "1..64:1".parse().unwrap();
    request.global_batch.max *= 4;
    request.top = 100;
    let once = bytes(&request, 1);
    assert!(once.contains("candidates"), "{once}");
    assert_eq!(once, bytes(&request, 2));
    assert_eq!(once, bytes(&request, 5));
}

/// The candidates without the names of their clusters.
fn unnamed(plan: Result<Plan, PlanError>) -> Option<Vec<Candidate>> {
    let plan = plan.ok()?;
    let unnamed = plan.candidates.into_iter().map(|candidate| Candidate {
        cluster: String::new(),
        // Where there is no price, it names the cluster that has none.
        price_source: String::new(),
        ..candidate
    });
    Some(unnamed.collect())
}

#[test]
fn the_names_of_clusters_change_no_rank() {
    let original = request("gpt-1b", &["r7z2", "r1z1"]);
    let mut renamed = original.clone();
    renamed.clusters[0].name = "zebra".into();
    renamed.clusters[1].name = "aardvark".into();
    assert_eq!(
        unnamed(Ok(planned(&original))),
        unnamed(Ok(planned(&renamed)))
    );
}

/// An axis of the same values typed in another order.
fn typed_backwards(axis: &Axis) -> Axis {
    match axis {
        Axis::List(values) => {
            let typed: Vec<String> = values.iter().rev().map(u64::to_string).collect();
            typed.join(",").parse().unwrap()
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn threads_and_axis_order_change_no_byte(request in spaces(), threads in 2..7_usize) {
        let once = bytes(&request, 1);
        prop_assert_eq!(&once, &bytes(&request, threads));
        let backwards = Request {
            gpus: typed_backwards(&request.gpus),
            seq_len: typed_backwards(&request.seq_len),
            micro_batch: typed_backwards(&request.micro_batch),
            grad_accum: typed_backwards(&request.grad_accum),
            ..request.clone()
        };
        prop_assert_eq!(once, bytes(&backwards, threads));
    }

    #[test]
    fn relabelling_clusters_changes_no_rank(request in spaces(), salt in 0..1000_u64) {
        // One cluster named twice is two under new names.
        let names = request.clusters.iter().map(|cluster| &cluster.name);
        let distinct: std::collections::BTreeSet<&String> = names.collect();
        prop_assume!(distinct.len() == request.clusters.len());
        let mut renamed = request.clone();
        for (index, cluster) in renamed.clusters.iter_mut().enumerate() {
            cluster.name = format!("{}-{index}", (salt * 7919 + index as u64 * 104_729) % 1000);
        }
        let planner = Planner::new(&FIT);
        prop_assert_eq!(unnamed(planner.plan(&request)), unnamed(planner.plan(&renamed)));
    }

    /// Only what ties may change places with the order in which clusters are named.
    #[test]
    fn the_order_of_clusters_changes_no_figure(request in spaces()) {
        let mut turned = request.clone();
        turned.clusters.reverse();
        let figures = |request: &Request| -> Option<Vec<f64>> {
            let plan = Planner::new(&FIT).plan(request).ok()?;
            Some(plan.candidates.iter().map(|c| c.time_to_budget_h.expected).collect())
        };
        prop_assert_eq!(figures(&request), figures(&turned));
    }
}
