//! The runs that could be measured, and how long each takes.

use std::sync::Arc;

use super::{MeasuringLimits, Pick};
use crate::configuration::{Configuration, Setting};
use crate::hardware::Cluster;
use crate::job::{Request, StackChoice};
use crate::measure::{Measurement, is_usual};
use crate::memory::{MemoryModel, Verdict};
use crate::model::{MAX_SEQ_LEN, Shape};
use crate::quantity::Interval;
use crate::stack::Stack;
use crate::throughput::Fit;

/// Steps of a measurement: three to warm up and the ten that are timed, as in the tables.
const MEASURED_STEPS: f64 = 13.0;

/// Minutes until the first step: start-up, data, compilation of kernels. An assumption.
const START_UP_MINUTES: f64 = 3.0;

/// Gradient accumulations to measure: one shows the cost per step, four hide it.
const GRAD_ACCUMS: [u64; 2] = [1, 4];

/// Largest micro-batch considered; beyond it a step takes longer than it teaches.
const MOST_MICRO_BATCH: u64 = 1 << 16;

/// A run that could be measured.
pub(super) struct Run {
    pub(super) row: Measurement,
    minutes: f64,
}

impl Run {
    /// The run of a row, timed as `fit` predicts it.
    pub(super) fn of(row: Measurement, fit: &Fit) -> Self {
        let Configuration {
            gpus,
            seq_len,
            micro_batch,
            grad_accum,
            activation_checkpointing,
        } = row.configuration;
        let step_s = fit
            .step_model(&row.setting(), gpus, seq_len, activation_checkpointing)
            .micro_batch(micro_batch)
            .step_s(grad_accum);
        Self {
            row,
            minutes: START_UP_MINUTES + MEASURED_STEPS * step_s / 60.0,
        }
    }

    /// Whether it may be made.
    pub(super) fn is_within(&self, limits: &MeasuringLimits) -> bool {
        self.minutes <= limits.minutes && self.row.configuration.gpus <= limits.max_gpus
    }

    pub(super) fn gpu_minutes(&self) -> f64 {
        self.minutes * self.row.configuration.gpus as f64
    }

    pub(super) fn pick(&self, throughput_tok_s: Interval, half_width_after: f64) -> Pick {
        let configuration = self.row.configuration;
        Pick {
            model: self.row.model.clone(),
            n_layers: self.row.shape.n_layers,
            cluster: self.row.cluster.name.clone(),
            gpu: self.row.cluster.gpu.name.clone(),
            gpus: configuration.gpus,
            seq_len: configuration.seq_len,
            micro_batch: configuration.micro_batch,
            grad_accum: configuration.grad_accum,
            activation_checkpointing: configuration.activation_checkpointing,
            minutes: self.minutes,
            throughput_tok_s,
            half_width_after,
        }
    }
}

/// Every run within the limits: the request's model on its clusters, whole nodes, at the answer's
/// sequence length and a factor of two around it.
pub(super) fn runs(
    request: &Request,
    fit: &Fit,
    seq_len: u64,
    limits: &MeasuringLimits,
) -> Vec<Run> {
    let stack = Arc::new(request.stack.clone());
    let mut runs = Vec::new();
    for cluster in &request.clusters {
        let cluster = Arc::new(cluster.clone());
        for place in places(request, &cluster, seq_len, limits.max_gpus) {
            let here = place.rows(request, &stack).map(|row| Run::of(row, fit));
            runs.extend(here.filter(|run| run.is_within(limits)));
        }
    }
    runs
}

/// Everything about a run but its batch.
fn places<'a>(
    request: &'a Request,
    cluster: &'a Arc<Cluster>,
    seq_len: u64,
    max_gpus: u64,
) -> impl Iterator<Item = RunPlace<'a>> {
    gpu_counts(cluster, max_gpus).flat_map(move |gpus| {
        seq_lens(&request.model.shape, seq_len).flat_map(move |seq_len| {
            let choices = request.activation_checkpointing.choices();
            choices.iter().map(move |&checkpointing| RunPlace {
                cluster,
                gpus,
                seq_len,
                checkpointing,
            })
        })
    })
}

/// Whole nodes, doubling, up to the limit.
fn gpu_counts(cluster: &Cluster, max_gpus: u64) -> impl Iterator<Item = u64> {
    let most = max_gpus.min(cluster.max_gpus);
    let first = cluster.gpus_per_node.min(cluster.max_gpus);
    std::iter::successors(Some(first), |gpus| gpus.checked_mul(2))
        .take_while(move |gpus| *gpus <= most)
}

fn seq_lens(shape: &Shape, seq_len: u64) -> impl Iterator<Item = u64> {
    let longest = shape.position_limit().unwrap_or(MAX_SEQ_LEN);
    [seq_len, seq_len / 2, seq_len.saturating_mul(2)]
        .into_iter()
        .filter(move |seq_len| (1..=longest).contains(seq_len))
}

/// Where a run takes place.
struct RunPlace<'a> {
    cluster: &'a Arc<Cluster>,
    gpus: u64,
    seq_len: u64,
    checkpointing: bool,
}

impl RunPlace<'_> {
    fn memory(&self, shape: &Shape, request: &Request) -> MemoryModel {
        let setting = Setting {
            shape,
            cluster: self.cluster,
            stack: &request.stack,
        };
        MemoryModel::new(&setting, self.gpus, self.seq_len, self.checkpointing)
    }

    /// The request's shape, or with half its layers, a quarter, … the deepest that fits.
    fn fitting_shape(&self, request: &Request) -> Option<Shape> {
        let whole = request.model.shape;
        std::iter::successors(Some(whole.n_layers), |layers| {
            (*layers > 1).then_some(layers / 2)
        })
        .map(|n_layers| Shape { n_layers, ..whole })
        .find(|shape| self.memory(shape, request).verdict(1) == Verdict::Fits)
    }

    /// Rows to measure here: micro-batches that fit, doubling, with each gradient accumulation.
    fn rows<'b>(
        &'b self,
        request: &'b Request,
        stack: &'b Arc<Stack>,
    ) -> impl Iterator<Item = Measurement> + 'b {
        self.fitting_shape(request)
            .into_iter()
            .flat_map(move |shape| {
                let largest = self
                    .memory(&shape, request)
                    .largest_micro_batch(Verdict::Fits);
                std::iter::successors(Some(1_u64), |micro| micro.checked_mul(2))
                    .take_while(move |micro| *micro <= largest.unwrap_or(0).min(MOST_MICRO_BATCH))
                    .flat_map(|micro_batch| GRAD_ACCUMS.map(|grad_accum| (micro_batch, grad_accum)))
                    .map(move |(micro_batch, grad_accum)| Measurement {
                        model: request.model.name.clone(),
                        shape,
                        cluster: Arc::clone(self.cluster),
                        stack: Arc::clone(stack),
                        stack_told: request.stack_choice == StackChoice::Named
                            || !is_usual(self.cluster, stack),
                        configuration: Configuration {
                            gpus: self.gpus,
                            seq_len: self.seq_len,
                            micro_batch,
                            grad_accum,
                            activation_checkpointing: self.checkpointing,
                        },
                        throughput_tok_s: 0.0,
                        line: 0,
                    })
            })
    }
}
