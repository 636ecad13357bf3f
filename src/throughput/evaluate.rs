//! How accurate the model is: predictions against measured rows, held out or not.
//!
//! In a held-out protocol every group of rows is predicted by a fit made from scratch without
//! it: coefficients, residual correction and intervals know nothing of the rows they are judged
//! on. What is fixed beforehand and the same in every fit are the priors and the covariance of
//! the correction.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

pub use super::protocol::Protocol;
use super::{Basis, Fit, FitError, Prediction};
use crate::measure::Measurement;
use crate::memory::{self, Verdict};
use crate::quantity::{Confidence, GIB, Interval};

/// One row against its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RowResult {
    /// Model.
    pub model: String,
    /// GPU type.
    pub gpu: String,
    /// Cluster; its GPU's name where the row names none.
    pub cluster: String,
    /// Training stack.
    pub stack: String,
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
    /// Measured tokens per second.
    pub measured_tok_s: f64,
    /// Predicted tokens per second.
    pub predicted_tok_s: Interval,
    /// Tokens per second that nine in ten of the runs on a bad day still reach; `null` on one node.
    pub bad_day_tok_s: Option<f64>,
    /// What physics alone predicts, the residual correction left out.
    pub physics_tok_s: f64,
    /// Absolute percentage error of the expected value, as a share.
    pub ape: f64,
    /// Predicted memory verdict.
    pub memory_verdict: Verdict,
    /// Predicted peak memory, GiB.
    pub peak_gib: f64,
    /// Basis of the prediction.
    pub basis: Basis,
    /// Probability of a run at least as far from what is expected as the one measured, on either side.
    #[serde(skip)]
    pub chance: f64,
}

impl RowResult {
    fn new(row: &Measurement, prediction: &Prediction) -> Self {
        let configuration = row.configuration;
        let memory = memory::estimate(&row.setting(), &configuration);
        let step = prediction.step_time_s.expected;
        let physics =
            prediction.throughput_tok_s.expected * step / (step - prediction.time_parts_s.residual);
        let slower = (prediction.throughput_tok_s.expected / row.throughput_tok_s).ln();
        let faster = prediction.step_time.probability_within(slower);
        Self {
            model: row.model.clone(),
            gpu: row.cluster.gpu.name.clone(),
            cluster: row.cluster.name.clone(),
            stack: row.stack.name.clone(),
            gpus: configuration.gpus,
            seq_len: configuration.seq_len,
            micro_batch: configuration.micro_batch,
            grad_accum: configuration.grad_accum,
            activation_checkpointing: configuration.activation_checkpointing,
            measured_tok_s: row.throughput_tok_s,
            predicted_tok_s: prediction.throughput_tok_s,
            bad_day_tok_s: prediction.bad_day_tok_s,
            physics_tok_s: physics,
            ape: (prediction.throughput_tok_s.expected / row.throughput_tok_s - 1.0).abs(),
            memory_verdict: memory.verdict,
            peak_gib: memory.peak_bytes / GIB,
            basis: prediction.basis,
            chance: 2.0 * faster.min(1.0 - faster),
        }
    }

    fn covered(&self) -> bool {
        self.predicted_tok_s.contains(self.measured_tok_s)
    }

    /// Half of the interval's width, over the expected value.
    fn half_width(&self) -> f64 {
        let interval = &self.predicted_tok_s;
        (interval.high - interval.low) / (2.0 * interval.expected)
    }
}

/// Errors of a set of rows, as shares.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Accuracy {
    /// Rows.
    pub rows: usize,
    /// Mean absolute percentage error.
    pub mape: f64,
    /// The same of physics alone, the residual correction left out.
    pub physics_mape: f64,
    /// Median absolute percentage error.
    pub median_ape: f64,
    /// 95th percentile of the absolute percentage error.
    pub p95_ape: f64,
    /// Share of rows inside their interval.
    pub coverage: f64,
    /// Median half-width of the intervals, over the expected value.
    pub half_width: f64,
}

impl Accuracy {
    /// Of these rows; `None` when there are none.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a RowResult>) -> Option<Self> {
        let rows: Vec<&RowResult> = rows.into_iter().collect();
        let count = rows.len() as f64;
        let errors = sorted(rows.iter().map(|row| row.ape));
        let widths = sorted(rows.iter().map(|row| row.half_width()));
        let physics = |row: &&RowResult| (row.physics_tok_s / row.measured_tok_s - 1.0).abs();
        Some(Self {
            rows: rows.len(),
            mape: errors.iter().sum::<f64>() / count,
            physics_mape: rows.iter().map(physics).sum::<f64>() / count,
            median_ape: percentile(&errors, 50)?,
            p95_ape: percentile(&errors, 95)?,
            coverage: rows.iter().filter(|row| row.covered()).count() as f64 / count,
            half_width: percentile(&widths, 50)?,
        })
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The percentile of sorted values, interpolated between neighbours.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let hundredths = percent * sorted.len().checked_sub(1)?;
    let below = sorted.get(hundredths / 100)?;
    let above = sorted.get(hundredths.div_ceil(100))?;
    Some(below + (above - below) * (hundredths % 100) as f64 / 100.0)
}

/// Errors of one group of rows.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GroupAccuracy {
    /// What is alike in the group: `model`, `gpus` or `seq_len`; `cluster` too, where there are several
    /// of one GPU, and `stack`, where there are several.
    pub by: &'static str,
    /// Its value.
    pub value: String,
    /// Their errors.
    #[serde(flatten)]
    pub accuracy: Accuracy,
}

/// Rows by predicted memory verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Verdicts {
    /// Predicted to fit.
    pub fits: usize,
    /// Predicted to be tight.
    pub tight: usize,
    /// Predicted to overflow.
    pub overflows: usize,
}

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Evaluation {
    /// The protocol, or `null` for rows that the fit may or may not have seen.
    pub protocol: Option<Protocol>,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Errors of all rows.
    #[serde(flatten)]
    pub accuracy: Accuracy,
    /// Errors by model, by GPU type and count, and by sequence length; by cluster and by stack where
    /// these tell rows apart.
    pub groups: Vec<GroupAccuracy>,
    /// Predicted memory verdicts.
    pub verdicts: Verdicts,
    /// Every row, in input order.
    pub predictions: Vec<RowResult>,
}

impl Evaluation {
    fn new(
        protocol: Option<Protocol>,
        confidence: Confidence,
        predictions: Vec<RowResult>,
    ) -> Option<Self> {
        let mut verdicts = Verdicts::default();
        for row in &predictions {
            match row.memory_verdict {
                Verdict::Fits => verdicts.fits += 1,
                Verdict::Tight => verdicts.tight += 1,
                Verdict::Overflows => verdicts.overflows += 1,
            }
        }
        let mut groups = group_by("model", &predictions, |row| row.model.clone());
        groups.extend(group_by("gpus", &predictions, |row| {
            format!("{} x {}", row.gpus, row.gpu)
        }));
        groups.extend(group_by("seq_len", &predictions, |row| {
            row.seq_len.to_string()
        }));
        let of_cluster = group_by("cluster", &predictions, |row| row.cluster.clone());
        let of_gpu = group_by("gpu", &predictions, |row| row.gpu.clone());
        if of_cluster.len() > of_gpu.len() {
            groups.extend(of_cluster);
        }
        let of_stack = group_by("stack", &predictions, |row| row.stack.clone());
        if of_stack.len() > 1 {
            groups.extend(of_stack);
        }
        Some(Self {
            protocol,
            confidence: confidence.get(),
            accuracy: Accuracy::of(&predictions)?,
            groups,
            verdicts,
            predictions,
        })
    }
}

/// Errors by group, groups in order of their first row.
fn group_by(
    by: &'static str,
    rows: &[RowResult],
    key: impl Fn(&RowResult) -> String,
) -> Vec<GroupAccuracy> {
    let keys: Vec<String> = rows.iter().map(&key).collect();
    let mut values: Vec<&String> = Vec::new();
    for value in &keys {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
        .into_iter()
        .filter_map(|value| {
            let of_group = rows.iter().zip(&keys).filter(|(_, key)| *key == value);
            let accuracy = Accuracy::of(of_group.map(|(row, _)| row))?;
            Some(GroupAccuracy {
                by,
                value: value.clone(),
                accuracy,
            })
        })
        .collect()
}

/// Predicts measured rows with a fit that may or may not have seen them. `None` without rows.
#[must_use]
pub fn evaluate(fit: &Fit, rows: &[Measurement], confidence: Confidence) -> Option<Evaluation> {
    let predictions = rows
        .par_iter()
        .map(|row| judge(fit, row, confidence))
        .collect();
    Evaluation::new(None, confidence, predictions)
}

fn judge(fit: &Fit, row: &Measurement, confidence: Confidence) -> RowResult {
    RowResult::new(
        row,
        &fit.predict(&row.setting(), &row.configuration, confidence),
    )
}

/// How a fit is made from the rows that are left.
pub type Refit<'a> = &'a (dyn Fn(Vec<Measurement>) -> Result<Fit, FitError> + Sync);

/// Holds out rows by `protocol` and predicts them from the others; groups in parallel on the
/// current rayon pool. `None` without rows.
///
/// # Errors
/// When a fit without one of the groups can't be made.
pub fn hold_out(
    rows: &[Measurement],
    protocol: Protocol,
    confidence: Confidence,
) -> Result<Option<Evaluation>, FitError> {
    let alone = |kept| Fit::new(protocol.name(), kept);
    hold_out_with(rows, protocol, confidence, &alone)
}

/// As [`hold_out`], with fits made by `refit`: on top of other rows, say.
///
/// # Errors
/// When a fit without one of the groups can't be made.
pub fn hold_out_with(
    rows: &[Measurement],
    protocol: Protocol,
    confidence: Confidence,
    refit: Refit<'_>,
) -> Result<Option<Evaluation>, FitError> {
    let predictions = if protocol == Protocol::InSample {
        let fit = refit(rows.to_vec())?;
        let judged = rows.par_iter().map(|row| judge(&fit, row, confidence));
        judged.collect()
    } else {
        let keys: Vec<String> = rows.iter().map(|row| protocol.group(row)).collect();
        cross_validate(rows, &keys, confidence, refit)?
    };
    Ok(Evaluation::new(Some(protocol), confidence, predictions))
}

/// Predicts every row by a fit made without the rows whose key equals its own; `keys` are as many
/// as `rows`. Fits are made in parallel on the current rayon pool.
///
/// # Errors
/// When a fit without one of the groups can't be made.
pub fn cross_validate<K: Ord + Sync>(
    rows: &[Measurement],
    keys: &[K],
    confidence: Confidence,
    refit: Refit<'_>,
) -> Result<Vec<RowResult>, FitError> {
    let mut groups: Vec<&K> = keys.iter().collect();
    groups.sort_unstable();
    groups.dedup();
    let fits: Vec<(&K, Fit)> = groups
        .into_par_iter()
        .map(|group| {
            let kept = rows.iter().zip(keys).filter(|(_, key)| *key != group);
            Ok((group, refit(kept.map(|(row, _)| row.clone()).collect())?))
        })
        .collect::<Result<_, FitError>>()?;
    let judged = rows.par_iter().zip(keys).filter_map(|(row, key)| {
        let (_, fit) = fits.iter().find(|(group, _)| *group == key)?;
        Some(judge(fit, row, confidence))
    });
    Ok(judged.collect())
}
