//! What to measure next: the cheap runs that would narrow a plan's answer most.
//!
//! The answer is the plan's first configuration. Every configuration that can be run briefly on
//! the hardware at hand is a possible measurement; the one that takes most from the answer's
//! variance is picked, taken as measured, and the next one is sought (greedy D-optimal design;
//! Krause, Singh & Guestrin 2008, *Near-Optimal Sensor Placements in Gaussian Processes*). What a
//! measurement settles doesn't depend on its value, so the shrinkage is known beforehand.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::configuration::{Configuration, Setting};
use crate::hardware::Cluster;
use crate::job::Request;
use crate::measure::Measurement;
use crate::memory::{MemoryModel, Verdict};
use crate::model::{MAX_SEQ_LEN, Shape};
use crate::plan::{PlanError, Planner};
use crate::quantity::Interval;
use crate::search::Switch;
use crate::stack::Stack;
use crate::throughput::{Fit, Outlook};

/// Steps of a measurement: three to warm up and the ten that are timed, as in the tables.
const MEASURED_STEPS: f64 = 13.0;

/// Minutes until the first step: start-up, data, compilation of kernels. An assumption.
const START_UP_MINUTES: f64 = 3.0;

/// A measurement that takes less than this share of the variance isn't worth a launch.
const LEAST_GAIN: f64 = 0.01;

/// Of measurements within this share of the best gain, the cheapest is taken.
const AS_GOOD: f64 = 0.98;

/// Gradient accumulations to measure: one shows the cost per step, four hide it.
const GRAD_ACCUMS: [u64; 2] = [1, 4];

/// Largest micro-batch considered; beyond it a step takes longer than it teaches.
const MOST_MICRO_BATCH: u64 = 1 << 16;

/// What may be measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// How many measurements, at most.
    pub count: usize,
    /// GPUs of one measurement, at most.
    pub max_gpus: u64,
    /// Minutes of one measurement, at most.
    pub minutes: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            count: 3,
            max_gpus: 8,
            minutes: 15.0,
        }
    }
}

/// A measurement worth making.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pick {
    /// Model; with fewer layers where the whole one doesn't fit.
    pub model: String,
    /// Layers.
    pub n_layers: u64,
    /// Cluster.
    pub cluster: String,
    /// GPU type.
    pub gpu: String,
    /// GPUs.
    pub gpus: u64,
    /// Sequence length.
    pub seq_len: u64,
    /// Micro-batch.
    pub micro_batch: u64,
    /// Gradient accumulation.
    pub grad_accum: u64,
    /// Whether activations are recomputed.
    pub activation_checkpointing: bool,
    /// Minutes it takes, start-up included.
    pub minutes: f64,
    /// What is predicted there.
    pub throughput_tok_s: Interval,
    /// Half-width of the answer's interval once this and the picks before it are measured, over
    /// its expected value.
    pub half_width_after: f64,
}

/// What to measure, and what it is expected to bring.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Advice {
    /// The configuration whose interval is to be narrowed: the plan's first.
    pub answer: Configuration,
    /// Its cluster.
    pub answer_cluster: String,
    /// Its throughput today, tokens per second.
    pub answer_tok_s: Interval,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Half-width of its interval today, over its expected value.
    pub half_width: f64,
    /// Half-width that would remain if the model were certain: run-to-run noise and bad days.
    pub half_width_floor: f64,
    /// Measurements, best first.
    pub picks: Vec<Pick>,
    /// The same as rows of a measurement table, their throughput still to be filled in.
    #[serde(skip)]
    pub table: Vec<Measurement>,
}

/// Why there is no advice.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AdviceError {
    /// There is no plan to narrow.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nothing can be measured within the limits.
    #[error("nothing can be measured on {max_gpus} GPUs within {minutes} minutes")]
    NothingMeasurable {
        /// GPUs allowed.
        max_gpus: u64,
        /// Minutes allowed.
        minutes: f64,
    },
}

/// Finds the measurements that would narrow the answer to `request` most.
///
/// # Errors
/// When there is no plan, or nothing can be measured within the limits.
pub fn advise(request: &Request, fit: &Fit, limits: &Limits) -> Result<Advice, AdviceError> {
    let (cluster, configuration) = answer(request, fit)?;
    let runs = runs(request, fit, configuration.seq_len, limits);
    if runs.is_empty() {
        let Limits {
            max_gpus, minutes, ..
        } = *limits;
        return Err(AdviceError::NothingMeasurable { max_gpus, minutes });
    }
    let target = Setting {
        shape: &request.model.shape,
        cluster,
        stack: &request.stack,
    };
    let mut points = vec![(target, configuration)];
    points.extend(
        runs.iter()
            .map(|run| (run.row.setting(), run.row.configuration)),
    );
    let mut outlook = Outlook::new(fit, &points);

    let mut advice = Advice {
        answer: configuration,
        answer_cluster: cluster.name.clone(),
        answer_tok_s: throughput(&outlook, 0, request),
        confidence: request.confidence.get(),
        half_width: 0.0,
        half_width_floor: outlook
            .certain_tok_s(0, request.confidence)
            .map_or(0.0, half_width),
        picks: Vec::new(),
        table: Vec::new(),
    };
    advice.half_width = half_width(advice.answer_tok_s);
    while advice.picks.len() < limits.count {
        let Some((index, run)) = best_run(&outlook, &runs) else {
            break;
        };
        let predicted = throughput(&outlook, index, request);
        outlook.measure(index);
        let after = half_width(throughput(&outlook, 0, request));
        advice.picks.push(run.pick(predicted, after));
        advice.table.push(run.row.clone());
    }
    Ok(advice)
}

/// The plan's first configuration and its cluster.
fn answer<'a>(
    request: &'a Request,
    fit: &Fit,
) -> Result<(&'a Cluster, Configuration), AdviceError> {
    let plan = Planner::new(fit).plan(&Request {
        top: 1,
        ..request.clone()
    })?;
    let best = plan.candidates.first().ok_or(PlanError::NoCluster)?;
    let cluster = request
        .clusters
        .iter()
        .find(|cluster| cluster.name == best.cluster)
        .ok_or(PlanError::NoCluster)?;
    let configuration = Configuration {
        gpus: best.gpus,
        seq_len: best.seq_len,
        micro_batch: best.micro_batch,
        grad_accum: best.grad_accum,
        activation_checkpointing: best.activation_checkpointing,
    };
    Ok((cluster, configuration))
}

fn throughput(outlook: &Outlook<'_>, index: usize, request: &Request) -> Interval {
    let nothing = Interval {
        low: 0.0,
        expected: 0.0,
        high: 0.0,
    };
    outlook
        .throughput_tok_s(index, request.confidence)
        .unwrap_or(nothing)
}

/// Half of an interval's width, over its expected value.
fn half_width(interval: Interval) -> f64 {
    (interval.high - interval.low) / (2.0 * interval.expected).max(f64::MIN_POSITIVE)
}

/// The run that settles most of the answer (point 0; run `i` is point `i + 1`), the cheapest of
/// those about as good; `None` when none is worth a launch.
fn best_run<'a>(outlook: &Outlook<'_>, runs: &'a [Run]) -> Option<(usize, &'a Run)> {
    let gains: Vec<f64> = (1..=runs.len())
        .map(|point| outlook.gain(0, point))
        .collect();
    let most = gains.iter().copied().fold(0.0, f64::max);
    if most < LEAST_GAIN {
        return None;
    }
    runs.iter()
        .enumerate()
        .zip(&gains)
        .filter(|(_, gain)| **gain >= AS_GOOD * most)
        .map(|((index, run), _)| (index + 1, run))
        .min_by(|(_, a), (_, b)| a.gpu_minutes().total_cmp(&b.gpu_minutes()))
}

/// A run that could be measured.
struct Run {
    row: Measurement,
    minutes: f64,
}

impl Run {
    fn gpu_minutes(&self) -> f64 {
        self.minutes * self.row.configuration.gpus as f64
    }

    fn pick(&self, throughput_tok_s: Interval, half_width_after: f64) -> Pick {
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
fn runs(request: &Request, fit: &Fit, seq_len: u64, limits: &Limits) -> Vec<Run> {
    let stack = Arc::new(request.stack.clone());
    let mut runs = Vec::new();
    for cluster in &request.clusters {
        let cluster = Arc::new(cluster.clone());
        for place in places(request, &cluster, seq_len, limits.max_gpus) {
            runs.extend(place.rows(request, &stack).filter_map(|row| {
                let minutes = START_UP_MINUTES + MEASURED_STEPS * place.step_s(&row, fit) / 60.0;
                (minutes <= limits.minutes).then_some(Run { row, minutes })
            }));
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
) -> impl Iterator<Item = Place<'a>> {
    gpu_counts(cluster, max_gpus).flat_map(move |gpus| {
        seq_lens(&request.model.shape, seq_len).flat_map(move |seq_len| {
            choices(request.activation_checkpointing)
                .iter()
                .map(move |&checkpointing| Place {
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
    std::iter::successors(Some(cluster.gpus_per_node), |gpus| gpus.checked_mul(2))
        .take_while(move |gpus| *gpus <= most)
}

fn seq_lens(shape: &Shape, seq_len: u64) -> impl Iterator<Item = u64> {
    let longest = shape.position_limit().unwrap_or(MAX_SEQ_LEN);
    [seq_len, seq_len / 2, seq_len.saturating_mul(2)]
        .into_iter()
        .filter(move |seq_len| (1..=longest).contains(seq_len))
}

fn choices(switch: Switch) -> &'static [bool] {
    match switch {
        Switch::On => &[true],
        Switch::Off => &[false],
        Switch::Auto => &[true, false],
    }
}

/// Where a run takes place.
struct Place<'a> {
    cluster: &'a Arc<Cluster>,
    gpus: u64,
    seq_len: u64,
    checkpointing: bool,
}

impl Place<'_> {
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

    fn step_s(&self, row: &Measurement, fit: &Fit) -> f64 {
        fit.step_model(&row.setting(), self.gpus, self.seq_len, self.checkpointing)
            .micro_batch(row.configuration.micro_batch)
            .step_s(row.configuration.grad_accum)
    }
}
