//! A candidate: one configuration with everything predicted about it.

use schemars::JsonSchema;
use serde::Serialize;

use super::front_point::FrontPoint;
use crate::configuration::Configuration;
use crate::forecast::{Bill, CostLine, FinishTime, Stall};
use crate::hardware::{Cluster, Price};
use crate::job::Request;
use crate::memory::{MemoryEstimate, RanAs, Verdict};
use crate::quantity::{GIB, Interval, SECONDS_PER_HOUR};
use crate::search::Objective;
use crate::throughput::{Basis, BasisDetail, Fit, TimeParts};
use crate::utilization::{Convention, utilization};

/// One launch configuration with everything predicted about it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Candidate {
    /// Place in the ranking, from 1.
    pub rank: usize,
    /// Cluster name.
    pub cluster: String,
    /// GPU name.
    pub gpu: String,
    /// GPUs.
    pub gpus: u64,
    /// Nodes that hold them.
    pub nodes: u64,
    /// Nodes booked beside those, for when one fails.
    pub spare_nodes: u64,
    /// Sequence length, tokens.
    pub seq_len: u64,
    /// Sequences per GPU in one forward and backward pass.
    pub micro_batch: u64,
    /// Micro-batches per GPU and step.
    pub grad_accum: u64,
    /// Sequences per step, all GPUs.
    pub global_batch_seqs: u64,
    /// Tokens per step, all GPUs.
    pub global_batch_tokens: u64,
    /// Share by which it is below the fewest tokens a step asked for, or else those of the model: at
    /// most 0.05 in a plan; 0 where it is not below.
    pub global_batch_shortfall: f64,
    /// Whether activations are recomputed.
    pub activation_checkpointing: bool,
    /// Optimizer steps to the token budget.
    pub steps: u64,
    /// Seconds per optimizer step.
    pub step_time_s: Interval,
    /// Tokens per second, all GPUs.
    pub throughput_tok_s: Interval,
    /// Tokens per second and GPU.
    pub throughput_tok_s_gpu: Interval,
    /// Tokens per second that nine in ten of the runs on a bad day still reach; `null` on a single
    /// node, where the tables show none.
    pub bad_day_tok_s: Option<f64>,
    /// Model FLOPs utilization, parameters alone.
    pub mfu_star: f64,
    /// Model FLOPs utilization with attention.
    pub mfu: f64,
    /// Hardware FLOPs utilization, parameters alone.
    pub hfu_star: f64,
    /// Hardware FLOPs utilization with attention.
    pub hfu: f64,
    /// Convention of the four.
    pub utilization_convention: String,
    /// Memory.
    pub memory: MemoryReport,
    /// Hours of pure training: tokens over throughput.
    pub train_h: Interval,
    /// Hours on the wall clock, overheads and failures included.
    pub time_to_budget_h: Interval,
    /// Share of the wall clock after the start-up that trains.
    pub goodput: f64,
    /// What leaves it less than a thousandth of that time to train, where something does: time and
    /// cost are then no forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// Failures expected in that time.
    pub expected_failures: f64,
    /// Seconds of training between two checkpoints; `null` when none are written.
    pub checkpoint_interval_s: Option<f64>,
    /// GPU-hours billed, whole nodes, spare ones too.
    pub gpu_hours: Interval,
    /// Dollars; `null` when no price is known.
    pub cost_usd: Option<Interval>,
    /// US dollars per GPU-hour it is costed at; `null` when no price is known.
    pub usd_per_gpu_hour: Option<f64>,
    /// Where that price is from; or why there is none.
    pub price_source: String,
    /// What the GPU-hours and dollars expected are for; the lines add up to them.
    pub cost_lines: Vec<CostLine>,
    /// What the prediction rests on.
    pub basis: Basis,
    /// Its details.
    pub basis_detail: BasisDetail,
    /// Whether its interval can't be told apart from rank 1's.
    pub tied_with_best: bool,
    /// Seconds of one step by part.
    pub time_parts_s: TimeParts,
    /// Its place on the time–cost front, where the candidates are one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pareto: Option<FrontPoint>,
}

/// Peak memory of a candidate, GiB per GPU.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MemoryReport {
    /// Peak of live tensors.
    pub peak_gib: f64,
    /// What a process can use.
    pub usable_gib: f64,
    /// `usable − peak`, before the allocator's reserve.
    pub headroom_gib: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// The measured run that shows that verdict, where the estimate's would be worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ran_as: Option<RanAs>,
    /// Parts of the peak by name; they add up to it.
    pub parts: MemoryParts,
}

/// Parts of the peak, GiB per GPU; they add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct MemoryParts {
    /// Sharded parameters, gradients and optimizer states.
    pub states_gib: f64,
    /// Gathered, unsharded parameters and gradients.
    pub gathered_gib: f64,
    /// Activations kept for the backward pass.
    pub activations_gib: f64,
    /// Logits, log-softmax and their gradient.
    pub logits_gib: f64,
    /// Temporaries of the block being computed.
    pub workspace_gib: f64,
}

/// What turns a configuration into a candidate.
pub(super) struct Forecaster<'a> {
    pub(super) fit: &'a Fit,
    pub(super) request: &'a Request,
    pub(super) convention: Convention,
    /// The fewest tokens per step that were asked for, where the batch was asked for at all.
    pub(super) least_batch: Option<u64>,
}

impl Forecaster<'_> {
    /// The candidate; `None` when a figure would not be finite.
    pub(super) fn candidate(
        &self,
        cluster: &Cluster,
        configuration: &Configuration,
    ) -> Option<Candidate> {
        let request = self.request;
        let setting = &request.setting(cluster);
        let &Configuration { gpus, seq_len, .. } = configuration;
        let prediction = self.fit.predict(setting, configuration, request.confidence);
        let throughput = prediction.throughput_tok_s;
        let clock = request.clock(cluster, gpus, seq_len);
        let clock = clock.in_steps_of(prediction.step_time_s.expected);
        let price = request.pricing.price(cluster);
        let usd = price.map(|price| price.usd_per_gpu_hour);
        let bill = Bill::new(cluster, gpus, clock.spares, usd);
        let train_h = throughput.invert(request.tokens.as_f64() / SECONDS_PER_HOUR);
        let course = clock.course(train_h.expected);
        let finish = FinishTime::new(&clock, train_h.expected, prediction.step_time);
        let time_to_budget_h = finish.interval(request.confidence);
        let cost_usd = bill.usd(time_to_budget_h);
        let used = utilization(self.convention, setting, configuration, throughput.expected);
        let batch = configuration.global_batch_tokens();
        let candidate = Candidate {
            rank: 1,
            cluster: cluster.name.clone(),
            gpu: cluster.gpu.name.clone(),
            gpus,
            nodes: cluster.nodes(gpus),
            spare_nodes: clock.spares,
            seq_len,
            micro_batch: configuration.micro_batch,
            grad_accum: configuration.grad_accum,
            global_batch_seqs: configuration.global_batch_seqs(),
            global_batch_tokens: batch,
            global_batch_shortfall: self.shortfall(batch),
            activation_checkpointing: configuration.activation_checkpointing,
            steps: request.tokens.get().div_ceil(batch.max(1)),
            step_time_s: prediction.step_time_s,
            throughput_tok_s: throughput,
            throughput_tok_s_gpu: throughput.scale(1.0 / gpus as f64),
            bad_day_tok_s: prediction.bad_day_tok_s,
            mfu_star: used.mfu_star,
            mfu: used.mfu,
            hfu_star: used.hfu_star,
            hfu: used.hfu,
            utilization_convention: self.convention.to_string(),
            memory: MemoryReport::new(&self.fit.memory(setting, configuration)),
            train_h,
            time_to_budget_h,
            goodput: course.goodput,
            stall: course.stall,
            expected_failures: course.expected_failures(),
            checkpoint_interval_s: clock.checkpoint_interval_s.filter(|_| course.is_saved),
            gpu_hours: bill.gpu_hours(time_to_budget_h),
            cost_usd,
            usd_per_gpu_hour: usd,
            price_source: price.map_or_else(
                || request.pricing.why_none(cluster).unwrap_or_default(),
                Price::words,
            ),
            cost_lines: bill.lines(&clock, train_h.expected),
            basis: prediction.basis,
            basis_detail: prediction.basis_detail,
            tied_with_best: true,
            time_parts_s: prediction.time_parts_s,
            pareto: None,
        };
        candidate.is_finite().then_some(candidate)
    }

    fn shortfall(&self, batch: u64) -> f64 {
        match self.least_batch {
            Some(least) if batch < least => (least - batch) as f64 / least as f64,
            _ => 0.0,
        }
    }
}

impl Candidate {
    /// Nodes that are booked: those that train, and the spares.
    #[must_use]
    pub fn booked_nodes(&self) -> u64 {
        self.nodes.saturating_add(self.spare_nodes)
    }

    /// The same run costed at another price, or at none, with why there is none.
    #[must_use]
    pub(crate) fn costed_at(mut self, price: Option<&Price>, why_none: String) -> Self {
        let usd = price.map(|price| price.usd_per_gpu_hour);
        self.usd_per_gpu_hour = usd;
        self.price_source = price.map_or(why_none, Price::words);
        self.cost_usd = usd.map(|usd| self.gpu_hours.scale(usd));
        for line in &mut self.cost_lines {
            line.usd = usd.map(|usd| line.gpu_hours * usd);
        }
        self
    }

    fn is_finite(&self) -> bool {
        let intervals = [
            self.step_time_s,
            self.throughput_tok_s,
            self.throughput_tok_s_gpu,
            self.train_h,
            self.time_to_budget_h,
            self.gpu_hours,
        ];
        let finite = |interval: &Interval| {
            interval.low.is_finite() && interval.expected.is_finite() && interval.high.is_finite()
        };
        intervals.iter().chain(&self.cost_usd).all(finite)
            && self.memory.peak_gib.is_finite()
            && self.memory.usable_gib.is_finite()
    }

    /// The figure that `objective` ranks by; `None` for a cost without a price.
    fn ranked_by(&self, objective: Objective) -> Option<Interval> {
        match objective {
            Objective::Time => Some(self.time_to_budget_h),
            // A front begins with the cheapest.
            Objective::Cost | Objective::Pareto => self.cost_usd,
            Objective::GpuHours => Some(self.gpu_hours),
            Objective::Throughput => Some(self.throughput_tok_s),
        }
    }

    /// How many times as large as `best`'s the figure ranked by is; `None` when one has none.
    pub(super) fn ratio_to(&self, best: &Self, objective: Objective) -> Option<f64> {
        let own = self.ranked_by(objective)?.expected;
        let other = best.ranked_by(objective)?.expected;
        Some(own / other)
    }
}

impl MemoryReport {
    fn new(estimate: &MemoryEstimate) -> Self {
        let parts = &estimate.parts;
        Self {
            peak_gib: estimate.peak_bytes / GIB,
            usable_gib: estimate.usable_bytes / GIB,
            headroom_gib: (estimate.usable_bytes - estimate.peak_bytes) / GIB,
            verdict: estimate.verdict,
            ran_as: estimate.ran_as,
            parts: MemoryParts {
                states_gib: parts.states / GIB,
                gathered_gib: parts.gathered / GIB,
                activations_gib: parts.activations / GIB,
                logits_gib: parts.logits / GIB,
                workspace_gib: parts.workspace / GIB,
            },
        }
    }
}
