//! A made-up plan for the tests of this room: every field has a value of its own, so that a
//! mix-up shows.

use crate::forecast::{CostItem, CostLine, Reliability};
use crate::job::{JobFile, Request, Settings, resolve};
use crate::memory::Verdict;
use crate::plan::{
    Candidate, FitReport, MemoryParts, MemoryReport, Plan, Rejections, RequestReport,
    SCHEMA_VERSION, SpaceReport,
};
use crate::preset::Catalog;
use crate::quantity::Interval;
use crate::schedule::ScheduledJob;
use crate::search::{Objective, Switch};
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
        spare_nodes: 1,
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
        bad_day_tok_s: Some(140_000.0),
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
            ran_as: None,
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
        goodput: 0.93,
        stall: None,
        expected_failures: 0.75,
        checkpoint_interval_s: Some(1800.0),
        gpu_hours: about(17_280.0),
        cost_usd: Some(about(34_560.0)),
        usd_per_gpu_hour: Some(2.0),
        price_source: "mosaicml, as-billed".into(),
        cost_lines: cost_lines(),
        basis: Basis::Extrapolated,
        basis_detail: BasisDetail {
            axes: vec!["64 GPUs: measured up to 32".into()],
            not_followed_tok_s: None,
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
            memory_pressure: 0.0,
        },
        pareto: None,
    }
}

/// A week of that candidate on a calendar, its deadline met and its nodes free for a while longer.
pub(super) fn scheduled_job() -> ScheduledJob {
    let moment = |text: &str| Some(text.parse().unwrap());
    ScheduledJob {
        name: "ablation".into(),
        model: "gpt-7b".into(),
        tokens: 134_000_000_000,
        start: "2026-12-01T09:00:00Z".parse().unwrap(),
        end: "2026-12-11T12:00:00Z".parse().unwrap(),
        hours: 243.0,
        cost_usd: Some(34_992.0),
        expected_cost_usd: Some(34_560.0),
        gpu_hours: 17_496.0,
        earliest: moment("2026-12-01T08:00:00Z"),
        deadline: moment("2026-12-12T09:00:00Z"),
        late_h: Some(0.0),
        done_by_end: 0.75,
        done_by_deadline: Some(0.85),
        nodes_until: moment("2026-12-14T09:00:00Z"),
        done_by_nodes_until: Some(0.95),
        priority: 2,
        after: vec!["warm-up".into()],
        ways: 7,
        candidate: candidate(),
    }
}

/// Of 72 GPUs for 240 hours, 8 of them spare, at $2.
fn cost_lines() -> Vec<CostLine> {
    [
        (CostItem::Training, 14_201.6),
        (CostItem::StartUp, 5.3),
        (CostItem::Checkpoints, 100.1),
        (CostItem::Failures, 1_053.0),
        (CostItem::Spares, 1_920.0),
    ]
    .map(|(item, gpu_hours)| CostLine {
        item,
        gpu_hours,
        usd: Some(gpu_hours * 2.0),
    })
    .into()
}

/// The request that [`plan`] answers.
pub(super) fn request() -> Request {
    let job = "model = \"gpt-7b\"\ntokens = \"134B\"\nclusters = [\"p4de.24xlarge\", \"r7z2\"]\n";
    let file = JobFile::parse("job.toml", job).unwrap();
    resolve(
        Settings::default().over(file.settings),
        &Catalog::embedded(),
    )
    .unwrap()
}

/// The widest a plan gets: a long cluster name, thousands of GPUs, long sequences, a price; and a
/// tie, a missed global batch and a missing price.
pub(super) fn plan() -> Plan {
    let second = candidate();
    let mut first = candidate();
    first.rank = 1;
    first.cluster = "p4de.24xlarge".into();
    first.gpus = 1_024;
    first.seq_len = 16_384;
    first.micro_batch = 1;
    first.throughput_tok_s = first.throughput_tok_s.scale(16.0);
    let mut third = candidate();
    third.rank = 3;
    third.tied_with_best = false;
    third.global_batch_shortfall = 0.023;
    third.cost_usd = None;
    third.basis = Basis::Measured;
    Plan {
        schema_version: SCHEMA_VERSION,
        request: request_report(),
        fit: FitReport {
            name: "mosaicgpt-2023".into(),
            rows: 300,
            held_out_mape: Some(0.0125),
        },
        space: SpaceReport {
            points: 1_234,
            evaluated: 400,
            feasible: 2,
            rejected: Rejections {
                overflows: 300,
                tight: 1,
                global_batch: 931,
                cluster_size: 0,
            },
            pruned: 0,
        },
        candidates: vec![first.clone(), second.clone(), third],
        best_by_gpu_count: vec![first, second],
        notes: vec!["a note".into()],
        partial: false,
        front: None,
    }
}

fn request_report() -> RequestReport {
    RequestReport {
        model: "gpt-7b".into(),
        params: 6_658_404_352,
        tokens: 134_000_000_000,
        clusters: vec!["p4de.24xlarge".into(), "r7z2".into()],
        stack: "fp32-gather".into(),
        gpus: "auto".into(),
        seq_len: "2048".into(),
        micro_batch: "auto".into(),
        grad_accum: "auto".into(),
        activation_checkpointing: Switch::Auto,
        global_batch_min_tokens: 2_097_152,
        global_batch_max_tokens: 2_097_152,
        sort: Objective::Time,
        top: 10,
        confidence: 0.9,
        allow_tight: false,
        reliability: Reliability::default(),
        price_type: None,
        provider: None,
        region: None,
        booking: false,
    }
}
