//! What to measure next: the cheap runs that would narrow a plan's answer most.
//!
//! The answer is the plan's first configuration, or all rows of a table. Every configuration that
//! can be run briefly on the hardware at hand is a possible measurement; the one that takes most
//! from the answer's variance is picked, taken as measured, and the next one is sought (greedy
//! D-optimal design; Krause, Singh & Guestrin 2008, *Near-Optimal Sensor Placements in Gaussian
//! Processes*). What a measurement settles doesn't depend on its value, so the shrinkage is known
//! beforehand.

mod among;
mod runs;

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::configuration::{Configuration, Setting};
use crate::hardware::Cluster;
use crate::job::Request;
use crate::measure::Measurement;
use crate::plan::{PlanError, Planner, fit_notes};
use crate::quantity::{Confidence, Interval, counted};
use crate::throughput::{Fit, Outlook};

pub use among::advise_among;
use runs::{Run, runs};

/// A measurement that takes less than this share of the variance isn't worth a launch.
const LEAST_GAIN: f64 = 0.01;

/// Of measurements that settle at least this share of what the best one does, the cheapest is taken.
const AS_GOOD: f64 = 0.98;

/// A run on more GPUs than allowed is worth a word that leaves at most this share of what runs within
/// the limits do: an assumption.
const WORTH_MORE_GPUS: f64 = 0.9;

/// What may be measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuringLimits {
    /// How many measurements, at most.
    pub count: usize,
    /// GPUs of one measurement, at most.
    pub max_gpus: u64,
    /// Minutes of one measurement, at most.
    pub minutes: f64,
}

impl Default for MeasuringLimits {
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
    /// The configuration whose interval is to be narrowed: the plan's first, or the knee of its front.
    /// `null` when the rows of a table are.
    pub answer: Option<Configuration>,
    /// Its cluster.
    pub answer_cluster: Option<String>,
    /// Whether it is the knee of a front rather than the plan's first.
    pub answer_is_knee: bool,
    /// Its throughput today, tokens per second.
    pub answer_tok_s: Option<Interval>,
    /// Rows of the table whose intervals are to be narrowed; half-widths are their medians. `null`
    /// for a plan's answer.
    pub rows: Option<usize>,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Half-width of its interval today, over its expected value.
    pub half_width: f64,
    /// Half-width that would remain if the model were certain: run-to-run noise and bad days.
    pub half_width_floor: f64,
    /// Measurements, best first.
    pub picks: Vec<Pick>,
    /// What a reader should know besides: the stack assumed, and what is to be said of the fit.
    pub notes: Vec<String>,
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
    #[error("nothing can be measured on {} within {minutes} minute{}", counted(*max_gpus, "GPU"), if *minutes <= 1.0 { "" } else { "s" })]
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
pub fn advise(
    request: &Request,
    fit: &Fit,
    limits: &MeasuringLimits,
) -> Result<Advice, AdviceError> {
    let Answer {
        cluster,
        configuration,
        is_knee,
    } = answer(request, fit)?;
    let runs = runs(request, fit, configuration.seq_len, limits);
    if runs.is_empty() {
        let MeasuringLimits {
            max_gpus, minutes, ..
        } = *limits;
        return Err(AdviceError::NothingMeasurable { max_gpus, minutes });
    }
    let target = request.setting(cluster);
    let mut outlook = outlook(fit, (target, configuration), &runs);
    let mut advice = Advice {
        answer: Some(configuration),
        answer_cluster: Some(cluster.name.clone()),
        answer_is_knee: is_knee,
        answer_tok_s: Some(throughput(&outlook, 0, request.confidence)),
        rows: None,
        confidence: request.confidence.get(),
        half_width: half_width(throughput(&outlook, 0, request.confidence)),
        half_width_floor: outlook
            .certain_tok_s(0, request.confidence)
            .map_or(0.0, half_width),
        picks: Vec::new(),
        notes: fit_notes(request, fit),
        table: Vec::new(),
    };
    while advice.picks.len() < limits.count {
        let Some((index, run)) = best_run(&outlook, &runs) else {
            break;
        };
        let predicted = throughput(&outlook, index, request.confidence);
        outlook.measure(index);
        let after = half_width(throughput(&outlook, 0, request.confidence));
        advice.picks.push(run.pick(predicted, after));
        advice.table.push(run.row.clone());
    }
    let narrowed = advice.picks.last().map(|pick| pick.half_width_after);
    let left = narrowed.unwrap_or(advice.half_width);
    let more = on_more_gpus(request, fit, (target, configuration), limits, left);
    advice.notes.extend(more);
    Ok(advice)
}

/// The outlook on an answer, point 0, and on the runs that could be measured.
fn outlook<'a>(fit: &'a Fit, answer: (Setting<'_>, Configuration), runs: &[Run]) -> Outlook<'a> {
    let measurable = runs
        .iter()
        .map(|run| (run.row.setting(), run.row.configuration));
    let points: Vec<_> = std::iter::once(answer).chain(measurable).collect();
    Outlook::new(fit, &points, 1)
}

/// That one run on more GPUs would leave less open than all within the limits, which leave `left`.
fn on_more_gpus(
    request: &Request,
    fit: &Fit,
    answer: (Setting<'_>, Configuration),
    limits: &MeasuringLimits,
    left: f64,
) -> Option<String> {
    let Configuration { gpus, seq_len, .. } = answer.1;
    if gpus <= limits.max_gpus {
        return None;
    }
    let more = MeasuringLimits {
        max_gpus: gpus,
        ..*limits
    };
    let runs = runs(request, fit, seq_len, &more);
    let mut outlook = outlook(fit, answer, &runs);
    let (index, run) = best_run(&outlook, &runs)?;
    outlook.measure(index);
    let after = half_width(throughput(&outlook, 0, request.confidence));
    let gpus = run.row.configuration.gpus;
    (after < WORTH_MORE_GPUS * left).then(|| {
        format!(
            "a single run on {gpus} GPUs (`--max-gpus {gpus}`) would leave ±{:.0} %: how nodes work \
             together shows only there",
            after * 100.0
        )
    })
}

/// What the plan recommends.
struct Answer<'a> {
    cluster: &'a Cluster,
    configuration: Configuration,
    /// Whether it is the knee of a front.
    is_knee: bool,
}

fn answer<'a>(request: &'a Request, fit: &Fit) -> Result<Answer<'a>, AdviceError> {
    let plan = Planner::new(fit).plan(&Request {
        top: 1,
        ..request.clone()
    })?;
    let best = plan.recommended().ok_or(PlanError::NoCluster)?;
    let cluster = request.cluster(&best.cluster).ok_or(PlanError::NoCluster)?;
    let front = plan.front.as_ref();
    Ok(Answer {
        cluster,
        configuration: best.configuration(),
        is_knee: front.is_some_and(|front| front.knee_rank == Some(best.rank)),
    })
}

fn throughput(outlook: &Outlook<'_>, index: usize, confidence: Confidence) -> Interval {
    outlook
        .throughput_tok_s(index, confidence)
        .unwrap_or(Interval::ZERO)
}

/// Half of an interval's width, over its expected value.
fn half_width(interval: Interval) -> f64 {
    (interval.high - interval.low) / (2.0 * interval.expected).max(f64::MIN_POSITIVE)
}

/// The run that settles most of the answer (point 0; run `i` is point `i + 1`), the cheapest of
/// those about as good; `None` when none is worth a launch.
fn best_run<'a>(outlook: &Outlook<'_>, runs: &'a [Run]) -> Option<(usize, &'a Run)> {
    let points = 1..=runs.len();
    let settled: Vec<f64> = points.map(|point| outlook.settled(0, point)).collect();
    let index = best(&settled, outlook.variance(0), runs)?;
    Some((index + 1, runs.get(index)?))
}

/// Of runs that settle so much of what is open the best, the cheapest of those about as good; `None`
/// when none is worth a launch.
fn best(settled: &[f64], open: f64, runs: &[Run]) -> Option<usize> {
    let most = settled.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 || most < LEAST_GAIN * open {
        return None;
    }
    runs.iter()
        .zip(settled)
        .enumerate()
        .filter(|(_, (_, settled))| **settled >= AS_GOOD * most)
        .min_by(|(_, (a, _)), (_, (b, _))| a.gpu_minutes().total_cmp(&b.gpu_minutes()))
        .map(|(index, _)| index)
}
