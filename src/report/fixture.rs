//! A made-up candidate for the tests of this room: every field has a value of its own, so that a
//! mix-up shows.

use crate::memory::Verdict;
use crate::plan::{Candidate, MemoryParts, MemoryReport};
use crate::quantity::Interval;
use crate::throughput::{Basis, BasisDetail, NearestRow, TimeParts};

fn about(expected: f64) -> Interval {
    Interval::new(expected * 0.96, expected, expected * 1.05).unwrap()
}

/// A 7B model on 64 GPUs of 40 GB, rank 2 and tied with rank 1.
pub(super) fn candidate() -> Candidate {
    Candidate {
        rank: 2,
        cluster: "r7z2".into(),
        gpu: "a100-40gb".into(),
        gpus: 64,
        nodes: 8,
        seq_len: 2048,
        micro_batch: 4,
        grad_accum: 4,
        global_batch_seqs: 1024,
        global_batch_tokens: 2_097_152,
        global_batch_shortfall: 0.0,
        activation_checkpointing: true,
        steps: 63_897,
        step_time_s: about(12.5),
        throughput_tok_s: about(167_772.16),
        throughput_tok_s_gpu: about(2_621.44),
        mfu_star: 0.3344,
        mfu: 0.3512,
        hfu_star: 0.4459,
        hfu: 0.4683,
        utilization_convention: "mosaic-2022".into(),
        memory: MemoryReport {
            peak_gib: 24.5,
            usable_gib: 39.5,
            headroom_gib: 15.0,
            verdict: Verdict::Fits,
            parts: MemoryParts {
                states_gib: 1.5,
                gathered_gib: 3.5,
                activations_gib: 4.0,
                logits_gib: 10.5,
                workspace_gib: 5.0,
            },
        },
        train_h: about(221.9),
        time_to_budget_h: about(240.0),
        gpu_hours: about(15_360.0),
        cost_usd: Some(about(38_400.0)),
        basis: Basis::Extrapolated,
        basis_detail: BasisDetail {
            axes: vec!["64 GPUs: measured up to 32".into()],
            nearest: vec![NearestRow {
                model: "gpt-7b".into(),
                gpu: "a100-80gb".into(),
                gpus: 8,
                seq_len: 2048,
                micro_batch: 8,
                grad_accum: 16,
                distance: 1.25,
                measured_tok_s: 25_701.5,
            }],
        },
        tied_with_best: true,
        time_parts_s: TimeParts {
            matmul: 8.0,
            attention: 0.5,
            memory_bound: 1.0,
            communication: 2.0,
            layer_overhead: 0.75,
            optimizer: 0.125,
            synchronization: 0.0625,
            fixed: 0.1875,
            residual: -0.125,
        },
    }
}
