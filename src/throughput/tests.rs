//! Laws of the physics on random workloads.

use proptest::prelude::*;

use super::coefficients::{COEFFICIENTS, COUNT, Values};
use super::physics::Rates;
use super::workload::Workload;
use crate::configuration::Setting;
use crate::hardware::{Cluster, Gpu};
use crate::model::Shape;
use crate::stack::{Precision, Stack};

fn cluster(inter_node_bytes_per_s: f64) -> Cluster {
    Cluster {
        name: "test".into(),
        gpu: Gpu {
            name: "test".into(),
            peak_flops: 312e12,
            hbm_bytes_per_s: 2.0e12,
            usable_gib: 79.2,
            intra_node_bytes_per_s: 300e9,
            fp8: None,
            measured: true,
            source: String::new(),
        },
        gpus_per_node: 8,
        max_gpus: 4096,
        inter_node_bytes_per_s: Some(inter_node_bytes_per_s),
        prices: Vec::new(),
        source: String::new(),
    }
}

prop_compose! {
    fn workload()(
        heads in 1_u64..64, head_dim in prop::sample::select(vec![32_u64, 64, 80, 96, 128, 256]),
        layers in 1_u64..100, vocabulary in 100_u64..200_000, gpus in 1_u64..512,
        seq_exponent in 5_u32..16, link in 1e9..400e9, recompute: bool,
    ) -> Workload {
        let shape = Shape::gpt(heads * head_dim, layers, heads, vocabulary).unwrap();
        let cluster = cluster(link);
        let stack = Stack {
            name: "test".into(),
            precision: Precision::Fp32Gather,
            overlap: None,
            measured: true,
            description: String::new(),
            source: String::new(),
        };
        let setting = Setting { shape: &shape, cluster: &cluster, stack: &stack };
        Workload::new(&setting, gpus, 1 << seq_exponent, recompute)
    }
}

prop_compose! {
    /// Coefficients up to two prior standard deviations from their means, the overlap free.
    fn coefficients()(
        moves in prop::array::uniform32(-2.0..2.0_f64), overlap in -4.0..4.0_f64,
    ) -> Values {
        let mut fitted = [0.0; COUNT];
        for ((value, coefficient), by) in fitted.iter_mut().zip(&COEFFICIENTS).zip(moves) {
            *value = coefficient.prior_mean() + by * coefficient.sd;
        }
        fitted[super::coefficients::Id::Overlap as usize] = overlap;
        Values::new(fitted)
    }
}

proptest! {
    #[test]
    fn gradients_match_finite_differences(
        work in workload(), values in coefficients(),
        tokens in 64.0..65_536.0_f64, grad_accum in 1.0..512.0_f64,
    ) {
        let (_, gradient) = Rates::new(&work, &values).log_step(tokens, grad_accum);
        for (index, slope) in gradient.iter().enumerate() {
            let at = |by: f64| {
                let mut fitted = *values.fitted();
                fitted[index] += by;
                Rates::new(&work, &Values::new(fitted)).log_step(tokens, grad_accum).0
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            prop_assert!(
                (difference - slope).abs() < 1e-6,
                "{}: {difference} against {slope}", COEFFICIENTS[index].name
            );
        }
    }

    #[test]
    fn every_part_is_nonnegative_and_they_add_up(
        work in workload(), values in coefficients(), tokens in 1.0..1e6_f64,
    ) {
        let rates = Rates::new(&work, &values);
        let parts = rates.micro_step(tokens);
        for part in [
            parts.matmul, parts.attention, parts.memory_bound, parts.communication,
            parts.layer_overhead,
        ] {
            prop_assert!(part >= 0.0 && part.is_finite());
        }
        let total = rates.micro_step_s(tokens);
        prop_assert!((parts.total() / total - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_larger_micro_batch_at_the_same_global_batch_is_never_slower(
        work in workload(), values in coefficients(), tokens in 1.0..1e6_f64, factor in 1.0..8.0_f64,
    ) {
        let rates = Rates::new(&work, &values);
        let per_token = |tokens: f64| rates.micro_step_s(tokens) / tokens;
        prop_assert!(per_token(tokens * factor) <= per_token(tokens) * (1.0 + 1e-12));
    }

    /// Bus bandwidth as the NCCL tests count it, `S·(N−1)/N / time`, is that of the slowest link, however
    /// few of a ring's GPUs stand on the other side of it.
    #[test]
    fn slow_links_between_nodes_set_the_bus_bandwidth(work in workload(), values in coefficients()) {
        prop_assume!(work.nodes > 1.0);
        let link = 1e8;
        let slow = Workload { inter_node_bytes_per_s: link, ..work };
        let all = Precision::Fp32Gather.wire_bytes() * work.sharded_params * work.gpus;
        let bus = |work: &Workload| {
            // So few tokens hide nothing.
            let seconds = Rates::new(work, &values).micro_step(1e-9).communication;
            all * (work.gpus - 1.0) / work.gpus / seconds
        };
        prop_assert!((bus(&slow) / (0.92 * link) - 1.0).abs() < 1e-6, "{}", bus(&slow));
    }

    #[test]
    fn better_hardware_is_never_slower(
        work in workload(), values in coefficients(), tokens in 1.0..1e5_f64, factor in 1.0..8.0_f64,
    ) {
        let step = |work: &Workload| Rates::new(work, &values).log_step(tokens, 4.0).0;
        let improvements: [fn(&mut Workload, f64); 3] = [
            |work, factor| work.inter_node_bytes_per_s *= factor,
            |work, factor| work.intra_node_bytes_per_s *= factor,
            |work, factor| work.hbm_bytes_per_s *= factor,
        ];
        for improve in improvements {
            let mut better = work;
            improve(&mut better, factor);
            prop_assert!(step(&better) <= step(&work) + 1e-12);
        }
        let mut better = work;
        better.peak_flops *= factor;
        prop_assert!(step(&better) <= step(&work) + 1e-12);
    }
}
