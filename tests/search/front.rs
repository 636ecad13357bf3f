//! The time–cost front against the definition: of all points, those that no other one beats.

use proptest::prelude::*;
use tminus::hardware::{Cluster, Price};
use tminus::search::{
    Axis, Evaluator, FrontOutcome, Group, Ranked, Space, Watch, knee, sweep_front,
};

use super::brute_force::brute_force;
use super::{Case, all_formed, cases, cluster, in_pool, large_case};

/// A price per node and hour; small whole numbers, so that equal costs are common.
fn priced(mut cluster: Cluster, usd: Option<u8>) -> Cluster {
    cluster.prices = usd
        .map(|usd| Price {
            provider: "made-up".into(),
            instance: "made-up".into(),
            price_type: "made-up".into(),
            usd_per_gpu_hour: usd.into(),
            region: "made-up".into(),
            as_of: "unknown".into(),
            source: "made up".into(),
        })
        .into_iter()
        .collect();
    cluster
}

fn swept(case: &Case) -> FrontOutcome {
    let space = Space::of_every_node(case.axes.clone(), &case.clusters).unwrap();
    sweep_front(&space, &case.physics, case.limits, &Watch::new())
}

/// Every point with its cost, where it has one.
fn all_points(case: &Case) -> Vec<(Ranked, Option<f64>)> {
    let mut case = case.clone();
    case.limits.top = usize::MAX;
    let with_cost = |ranked: Ranked| {
        let group = Group {
            cluster_index: ranked.cluster,
            cluster: &case.clusters[ranked.cluster],
            gpus: ranked.configuration.gpus,
            seq_len: ranked.configuration.seq_len,
        };
        let usd_per_hour = case.physics.usd_per_hour(&group);
        (
            ranked,
            usd_per_hour.map(|usd| usd * ranked.score.objective()),
        )
    };
    brute_force(&case).best.into_iter().map(with_cost).collect()
}

/// The points that no other beats; of equal ones the first.
fn front_by_definition(points: &[(Ranked, Option<f64>)]) -> Vec<(Ranked, f64)> {
    let priced: Vec<(Ranked, f64)> = points
        .iter()
        .filter_map(|(ranked, usd)| Some((*ranked, (*usd)?)))
        .collect();
    let beats = |(a, a_usd): &(Ranked, f64), (b, b_usd): &(Ranked, f64)| {
        let (a_hours, b_hours) = (a.score.objective(), b.score.objective());
        a_hours <= b_hours && a_usd <= b_usd && (a_hours < b_hours || a_usd < b_usd || a < b)
    };
    priced
        .iter()
        .filter(|point| !priced.iter().any(|other| beats(other, point)))
        .copied()
        .collect()
}

prop_compose! {
    fn priced_cases()(
        case in cases(),
        prices in prop::collection::vec(prop_oneof![Just(None), (0..5_u8).prop_map(Some)], 4),
        gpus in super::axis(40),
    ) -> Case {
        let clusters = case.clusters.into_iter().zip(prices);
        let clusters = clusters.map(|(cluster, usd)| priced(cluster, usd)).collect();
        let mut axes = case.axes;
        axes.gpus = gpus;
        Case { axes, clusters, ..case }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_front_is_that_of_all_points(case in priced_cases()) {
        let (found, all) = (swept(&case), all_points(&case));
        let points: Vec<(Ranked, f64)> =
            found.points.iter().map(|point| (point.ranked, point.usd)).collect();
        prop_assert_eq!(points, front_by_definition(&all));
        let expected: Vec<Ranked> = (0..case.clusters.len())
            .filter_map(|cluster| {
                let mine = |(ranked, usd): &&(Ranked, Option<f64>)| {
                    ranked.cluster == cluster && usd.is_none()
                };
                all.iter().find(mine).map(|(ranked, _)| *ranked)
            })
            .collect();
        prop_assert_eq!(&found.unpriced, &expected);
        prop_assert_eq!(all_formed(found.counts), brute_force(&case).counts);
        prop_assert!(found.counts.evaluated <= found.counts.feasible);
    }

    /// A definition of its own: the point from which the line to the chord is longest.
    #[test]
    fn the_knee_is_farthest_from_the_chord_whatever_the_units(
        steps in prop::collection::vec((0.01..2.0_f64, 0.01..2.0_f64), 2..30),
        hours_unit in 1e-3..1e3_f64, money_unit in 1e-3..1e3_f64,
    ) {
        let mut at = (8.0_f64, 1.0_f64);
        let mut logs = vec![at];
        for (faster, dearer) in steps {
            at = (at.0 - faster, at.1 + dearer);
            logs.push(at);
        }
        let ((x0, y0), (x1, y1)) = (logs[0], at);
        // How far below the line through both ends, measured straight down in units of the chord.
        let drop = |&(x, y): &(f64, f64)| (y0 - y) / (y1 - y0) + (x0 - x) / (x0 - x1);
        let expected = logs.iter().map(drop).fold(0.0, f64::max);
        let front: Vec<(f64, f64)> =
            logs.iter().map(|(x, y)| (x.exp() * hours_unit, y.exp() * money_unit)).collect();
        match knee(&front) {
            Some(position) => prop_assert!((drop(&logs[position]) - expected).abs() < 1e-6),
            None => prop_assert!(expected < 1e-6),
        }
        let mut backwards = front.clone();
        backwards.reverse();
        let mirrored = knee(&backwards).map(|position| front.len() - 1 - position);
        prop_assert_eq!(knee(&front).is_some(), mirrored.is_some());
    }
}

#[test]
fn every_number_of_nodes_is_tried_when_the_axis_is_open() {
    let mut case = large_case();
    case.clusters = vec![priced(cluster(8, 200, true), Some(1))];
    case.axes.gpus = Axis::Auto;
    let open = swept(&case);
    case.axes.gpus = "8..200:8".parse().unwrap();
    let listed = swept(&case);
    assert_eq!(open.points, listed.points);
    assert_eq!(open.counts, listed.counts);
}

#[test]
fn the_number_of_threads_changes_no_front() {
    let mut case = large_case();
    case.clusters = vec![
        priced(cluster(8, 8_000, true), Some(3)),
        priced(cluster(4, 6_000, true), Some(2)),
    ];
    case.axes.gpus = "4..8_000:4".parse().unwrap();
    case.axes.micro_batch = "1..20:1".parse().unwrap();
    case.axes.grad_accum = "1..20:1".parse().unwrap();
    case.axes.global_batch = 4_000..=20_000;
    case.physics.coarseness = 1e12;
    let once = in_pool(1, || swept(&case));
    assert!(once.points.len() > 2, "{:?}", once.points);
    let found = in_pool(7, || swept(&case));
    assert_eq!(found.points, once.points);
    assert_eq!(found.counts, once.counts);
    assert!(once.counts.evaluated < once.counts.feasible);
    case.limits.prune = false;
    assert_eq!(in_pool(2, || swept(&case)).points, once.points);
}

/// Beyond 65,536 GPU counts, points within 0.01 % of each other in time are one.
#[test]
fn a_front_without_end_stays_small() {
    let mut case = large_case();
    case.clusters = vec![priced(cluster(1, 200_000, true), Some(1))];
    case.axes.gpus = Axis::Auto;
    case.axes.micro_batch = Axis::list([1]);
    case.axes.grad_accum = Axis::list([1]);
    case.physics.coarseness = 1e15;
    case.axes.global_batch = 1..=200_000;
    let found = in_pool(2, || swept(&case));
    let hours: Vec<f64> = found
        .points
        .iter()
        .map(|point| point.hours().ln())
        .collect();
    assert!(
        hours
            .windows(2)
            .all(|pair| (pair[1] / 1e-4).floor() > (pair[0] / 1e-4).floor())
    );
    let again = in_pool(1, || swept(&case));
    assert_eq!(found.points, again.points);
}
