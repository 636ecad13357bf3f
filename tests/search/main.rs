//! The sweep against brute force: the same best candidates in the same order, the same counts.
//!
//! The physics here is made up, monotone in memory and coarse in time, so that ties abound.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod brute_force;
mod front;

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;

use proptest::prelude::*;
use tminus::hardware::{Cluster, Gpu};
use tminus::memory::Verdict;
use tminus::search::{
    Axes, Axis, Counts, Evaluator, Group, GroupEvaluator, Limits, Outcome, Score, Space,
    SpaceError, Switch, Watch, sweep,
};

use brute_force::brute_force;

fn cluster(gpus_per_node: u64, max_gpus: u64, linked: bool) -> Cluster {
    Cluster {
        name: "made-up".into(),
        gpu: Gpu {
            name: "made-up".into(),
            peak_flops: 1e15,
            hbm_bytes_per_s: 1e12,
            usable_gib: 80.0,
            intra_node_bytes_per_s: 1e11,
            fp8: None,
            measured: false,
            source: "made up".into(),
        },
        gpus_per_node,
        max_gpus,
        inter_node_bytes_per_s: linked.then_some(1e10),
        prices: Vec::new(),
        source: "made up".into(),
    }
}

/// Made-up physics: everything is a small integer, so equal scores are common.
#[derive(Debug, Clone)]
struct MadeUp {
    tokens_that_fit: u64,
    tokens_that_run: u64,
    seconds_per_token: f64,
    seconds_per_micro_step: f64,
    seconds_per_step: f64,
    /// Every third micro-batch is slower by this share.
    wobble: f64,
    coarseness: f64,
}

struct MadeUpGroup {
    physics: MadeUp,
    seq_len: u64,
    checkpointing: bool,
}

impl Evaluator for MadeUp {
    type Group = MadeUpGroup;

    fn group(&self, group: &Group<'_>, checkpointing: bool) -> Self::Group {
        MadeUpGroup {
            physics: self.clone(),
            seq_len: group.seq_len,
            checkpointing,
        }
    }

    fn usd_per_hour(&self, group: &Group<'_>) -> Option<f64> {
        let price = group.cluster.prices.first()?;
        let nodes = group.gpus.div_ceil(group.cluster.gpus_per_node);
        Some(nodes as f64 * price.usd_per_gpu_hour)
    }
}

impl GroupEvaluator for MadeUpGroup {
    /// Seconds of one micro-step.
    type MicroBatch = f64;

    fn verdict(&self, micro_batch: u64) -> Verdict {
        let kept = if self.checkpointing { 1 } else { 3 };
        let tokens = u128::from(micro_batch) * u128::from(self.seq_len) * kept;
        if tokens <= u128::from(self.physics.tokens_that_fit) {
            Verdict::Fits
        } else if tokens <= u128::from(self.physics.tokens_that_run) {
            Verdict::Tight
        } else {
            Verdict::Overflows
        }
    }

    fn micro_batch(&self, micro_batch: u64) -> f64 {
        let work = if self.checkpointing { 4.0 } else { 3.0 };
        let smooth = (micro_batch * self.seq_len) as f64 * self.physics.seconds_per_token * work
            + self.physics.seconds_per_micro_step;
        if micro_batch.is_multiple_of(3) {
            smooth * (1.0 + self.physics.wobble)
        } else {
            smooth
        }
    }

    fn step_s(&self, micro_step_s: &f64, grad_accum: u64) -> f64 {
        micro_step_s * grad_accum as f64 + self.physics.seconds_per_step
    }

    fn score(&self, step_s: f64, batch_tokens: f64) -> Score {
        let time = (step_s / batch_tokens * self.physics.coarseness).ceil();
        Score::new(time, time)
    }

    fn fastest_pace(&self, micro_batches: RangeInclusive<u64>, sequences: u64) -> f64 {
        let work = if self.checkpointing { 4.0 } else { 3.0 };
        let pace = self.seq_len as f64 * self.physics.seconds_per_token * work
            + self.physics.seconds_per_micro_step / *micro_batches.end() as f64
            + self.physics.seconds_per_step / sequences as f64;
        pace * (1.0 - 1e-12)
    }

    fn best_score(&self, least_s_per_token: f64, _: RangeInclusive<f64>) -> Score {
        self.score(least_s_per_token, 1.0)
    }
}

#[derive(Debug, Clone)]
struct Case {
    axes: Axes,
    clusters: Vec<Cluster>,
    physics: MadeUp,
    limits: Limits,
}

fn swept(case: &Case) -> Outcome {
    let space = Space::new(case.axes.clone(), &case.clusters).unwrap();
    sweep(&space, &case.physics, case.limits, &Watch::new())
}

/// The counts as if every feasible point had been formed.
fn all_formed(counts: Counts) -> Counts {
    Counts {
        evaluated: counts.feasible,
        ..counts
    }
}

fn axis(most: u64) -> impl Strategy<Value = Axis> {
    prop_oneof![
        prop::collection::vec(1..=most, 1..4).prop_map(Axis::list),
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
    prop_oneof![Just(Axis::Auto), axis(most)]
}

prop_compose! {
    fn axes()(
        gpus in axis_or_auto(40),
        seq_len in axis(12),
        micro_batch in axis_or_auto(20),
        grad_accum in axis_or_auto(20),
        activation_checkpointing in
            prop_oneof![Just(Switch::Auto), Just(Switch::On), Just(Switch::Off)],
        min in 1..4000_u64,
        width in prop_oneof![Just(0), 0..2000_u64],
    ) -> Axes {
        let global_batch = min..=min + width;
        Axes { gpus, seq_len, micro_batch, grad_accum, activation_checkpointing, global_batch }
    }
}

prop_compose! {
    fn physics()(
        fit in 0..200_u64, more in 0..100_u64, token in 0..4_u8, micro in 0..4_u8, step in 0..4_u8,
        wobble in prop_oneof![Just(0.0), Just(0.05), Just(2.0)],
        coarseness in prop_oneof![Just(1.0), Just(10.0), Just(1e6)],
    ) -> MadeUp {
        MadeUp {
            tokens_that_fit: fit,
            tokens_that_run: fit + more,
            seconds_per_token: token.into(),
            seconds_per_micro_step: micro.into(),
            seconds_per_step: step.into(),
            wobble,
            coarseness,
        }
    }
}

prop_compose! {
    fn cases()(
        axes in axes(),
        clusters in prop::collection::vec((1..9_u64, 1..70_u64, any::<bool>()), 1..4),
        physics in physics(),
        top in 0..30_usize,
        gpu_counts in prop_oneof![Just(0), 2..5_u64, Just(64)],
        allow_tight in any::<bool>(),
        prune in any::<bool>(),
    ) -> Case {
        let clusters = clusters
            .into_iter()
            .map(|(node, most, linked)| cluster(node, most, linked))
            .collect();
        Case { axes, clusters, physics, limits: Limits { top, gpu_counts, allow_tight, prune } }
    }
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_sweep_is_brute_force(case in cases()) {
        let (found, expected) = (swept(&case), brute_force(&case));
        prop_assert!(found.counts.evaluated <= found.counts.feasible);
        if !case.limits.prune {
            prop_assert_eq!(found.counts, expected.counts);
        }
        prop_assert_eq!(all_formed(found.counts), expected.counts);
        prop_assert_eq!(&found.best, &expected.best);
        let shown = &found.best_by_gpu_count;
        prop_assert!(shown.iter().all(|best| expected.best_by_gpu_count.contains(best)));
        if case.limits.gpu_counts == 64 {
            prop_assert_eq!(shown, &expected.best_by_gpu_count);
        }
        prop_assert!(!found.partial);
    }

    #[test]
    fn every_point_is_accounted_for(case in cases()) {
        let counts = swept(&case).counts;
        let sum = counts.feasible + counts.cluster_size + counts.overflows + counts.global_batch
            + counts.tight;
        prop_assert_eq!(counts.points, sum);
    }

    #[test]
    fn more_memory_never_means_fewer_candidates(case in cases(), more in 0..300_u64) {
        let mut roomier = case.clone();
        roomier.physics.tokens_that_fit += more;
        roomier.physics.tokens_that_run += more;
        prop_assert!(swept(&roomier).counts.feasible >= swept(&case).counts.feasible);
    }
}

/// A space that is split over tasks within one group, with many ties.
fn large_case() -> Case {
    Case {
        axes: Axes {
            gpus: Axis::list([8]),
            seq_len: Axis::list([1]),
            micro_batch: "1..400:1".parse().unwrap(),
            grad_accum: "1..2000:1".parse().unwrap(),
            activation_checkpointing: Switch::Auto,
            global_batch: 1..=4_000_000,
        },
        clusters: vec![cluster(8, 8, true)],
        physics: MadeUp {
            tokens_that_fit: 390,
            tokens_that_run: 395,
            seconds_per_token: 1.0,
            seconds_per_micro_step: 3.0,
            seconds_per_step: 5.0,
            wobble: 0.0,
            coarseness: 100.0,
        },
        limits: Limits {
            top: 50,
            gpu_counts: 64,
            allow_tight: true,
            prune: true,
        },
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut case = large_case();
    let expected = brute_force(&case);
    for prune in [false, true] {
        case.limits.prune = prune;
        let once = in_pool(1, || swept(&case));
        assert_eq!(all_formed(once.counts), expected.counts);
        for threads in [1, 2, 7] {
            let found = in_pool(threads, || swept(&case));
            assert_eq!(found.best, expected.best);
            assert_eq!(found.counts, once.counts);
        }
    }
}

#[test]
fn a_cancelled_search_says_so_and_keeps_what_it_found() {
    let case = large_case();
    let space = Space::new(case.axes.clone(), &case.clusters).unwrap();
    let before = Watch::new();
    before.cancel();
    let nothing = sweep(&space, &case.physics, case.limits, &before);
    assert!(nothing.partial && nothing.best.is_empty());

    let mut case = large_case();
    case.clusters = vec![cluster(8, 80_000, true)];
    case.axes.gpus = "8..80_000:8".parse().unwrap();
    case.limits.gpu_counts = 4;
    let space = Space::new(case.axes.clone(), &case.clusters).unwrap();
    let seen = AtomicU32::new(0);
    let cancel = AtomicBool::new(false);
    let watch = Watch::new().on_best(|_| {
        seen.fetch_add(1, Relaxed);
        cancel.store(true, Relaxed);
    });
    let found = thread::scope(|scope| {
        let search = scope.spawn(|| sweep(&space, &case.physics, case.limits, &watch));
        while !cancel.load(Relaxed) {
            thread::yield_now();
        }
        watch.cancel();
        search.join().unwrap()
    });
    assert!(found.partial && !found.best.is_empty());
    assert!(seen.load(Relaxed) >= 1 && watch.progress().share <= 1.0);
    assert!(found.counts.points < space_points(&space, &case));
}

/// All points of the space, by a search that settles them all.
fn space_points(space: &Space<'_>, case: &Case) -> u128 {
    sweep(space, &case.physics, case.limits, &Watch::new())
        .counts
        .points
}

#[test]
fn the_order_of_a_list_changes_nothing() {
    let mut case = large_case();
    case.axes.micro_batch = "7,3,5,5".parse().unwrap();
    let found = swept(&case);
    case.axes.micro_batch = "5,7,3".parse().unwrap();
    assert_eq!(found.best, swept(&case).best);
}

#[test]
fn a_space_beyond_64_bits_is_refused_with_its_size() {
    let mut case = large_case();
    case.axes.micro_batch = "1..1_000_000_000_000:1".parse().unwrap();
    case.axes.grad_accum = "1..1_000_000_000_000:1".parse().unwrap();
    let error = Space::new(case.axes, &case.clusters).unwrap_err();
    let points = 2_000_000_000_000_000_000_000_000;
    assert_eq!(error, SpaceError::TooManyPoints { points });
    let text = error.to_string();
    assert!(text.contains("2,000,000,000,000,000,000,000,000"), "{text}");
}

#[test]
fn a_huge_space_that_memory_rules_out_is_counted_not_walked() {
    let mut case = large_case();
    case.axes.micro_batch = "1..1_000_000_000:1".parse().unwrap();
    let counts = swept(&case).counts;
    assert_eq!(counts.points, 2 * 1_000_000_000 * 2000);
}

#[test]
fn many_gpu_counts_keep_a_spread_of_them() {
    let mut case = large_case();
    case.axes.gpus = "8..80_000:8".parse().unwrap();
    case.axes.micro_batch = Axis::list([1]);
    case.axes.grad_accum = Axis::list([1]);
    case.clusters = vec![cluster(8, 80_000, true)];
    let shown = swept(&case).best_by_gpu_count;
    let gpus: Vec<u64> = shown.iter().map(|best| best.configuration.gpus).collect();
    assert!((30..=65).contains(&gpus.len()), "{gpus:?}");
    assert_eq!((gpus[0], gpus[gpus.len() - 1]), (8, 80_000));
}
