//! The one further measurement that would tell causes apart.
//!
//! Every cause, at the sizes the measurements leave it, predicts what each further run would show,
//! up to chance. The run under which these predictions overlap least is the one to make: with
//! probabilities `p` and overlaps `b` (Bhattacharyya coefficients) the chance of naming the wrong
//! cause afterwards is at most the sum of `√(p·p')·b` over pairs (Kailath, *The Divergence and
//! Bhattacharyya Distance Measures in Signal Selection*, 1967).

use schemars::JsonSchema;
use serde::Serialize;

use super::explain::{Explanation, Observation, moments};
use crate::configuration::{Configuration, Setting};
use crate::memory::Verdict;
use crate::throughput::{Cause, Fit, Scrutiny};

/// Causes less probable than this don't decide what to measure.
const PROBABLE: f64 = 0.03;

/// A measurement has to bring the chance of a wrong answer down to this share of what it was.
const WORTHWHILE: f64 = 0.9;

/// A further measurement, and what it would show.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NextMeasurement {
    /// What to run, in words.
    pub what: String,
    /// The configuration.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// Tokens per second that each probable cause predicts there, the most probable first.
    pub expected: Vec<ExpectedSpeed>,
    /// The chance of naming the wrong cause without it, at most.
    pub wrong_before: f64,
    /// The same after it.
    pub wrong_after: f64,
}

/// What a run would show if a cause is at work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ExpectedSpeed {
    /// The cause.
    pub cause: Cause,
    /// Tokens per second.
    pub tok_s: f64,
}

/// A prediction of a slowdown: mean and standard deviation of its logarithm.
#[derive(Clone, Copy)]
struct Predicted {
    mean: f64,
    sd: f64,
}

/// The measurement that tells the causes apart best; `None` where none is worth making.
pub(super) fn next(
    fit: &Fit,
    setting: &Setting<'_>,
    configuration: &Configuration,
    run: &Observation<'_>,
    explanations: &[Explanation],
) -> Option<NextMeasurement> {
    let probable: Vec<&Explanation> = explanations
        .iter()
        .filter(|explanation| explanation.probability >= PROBABLE)
        .collect();
    let before = wrong(&probable, &[]);
    if probable.len() < 2 {
        return None;
    }
    let judged = options(fit, setting, configuration)
        .into_iter()
        .map(|(what, other)| {
            let scrutiny = fit.scrutiny(setting, &other);
            let predicted: Vec<Predicted> = probable
                .iter()
                .map(|explanation| predict(run, &scrutiny, explanation))
                .collect();
            let after = wrong(&probable, &predicted);
            let speed = scrutiny.full_speed_tok_s();
            let expected = probable.iter().zip(&predicted);
            NextMeasurement {
                what,
                configuration: other,
                expected: expected
                    .map(|(explanation, predicted)| ExpectedSpeed {
                        cause: explanation.cause,
                        tok_s: speed * (-predicted.mean).exp(),
                    })
                    .collect(),
                wrong_before: before,
                wrong_after: after,
            }
        });
    judged
        .min_by(|a, b| a.wrong_after.total_cmp(&b.wrong_after))
        .filter(|best| best.wrong_after < WORTHWHILE * before)
}

/// Runs like the planned one that fit in memory.
fn options(fit: &Fit, setting: &Setting<'_>, run: &Configuration) -> Vec<(String, Configuration)> {
    let mut found = Vec::new();
    let mut add = |what: String, configuration: Configuration| {
        if fit.memory(setting, &configuration).verdict == Verdict::Fits {
            found.push((what, configuration));
        }
    };
    let node = setting.cluster.gpus_per_node;
    if run.gpus > node {
        let what = format!("the same micro-batches on one node of {node} GPUs");
        add(what, Configuration { gpus: node, ..*run });
    }
    if run.micro_batch.is_multiple_of(2) {
        let what = "the same run with half the micro-batch and twice the accumulation".to_owned();
        let half = Configuration {
            micro_batch: run.micro_batch / 2,
            grad_accum: run.grad_accum.saturating_mul(2),
            ..*run
        };
        add(what, half);
    }
    if run.grad_accum.is_multiple_of(2) {
        let what = "the same run with twice the micro-batch and half the accumulation".to_owned();
        let twice = Configuration {
            micro_batch: run.micro_batch.saturating_mul(2),
            grad_accum: run.grad_accum / 2,
            ..*run
        };
        add(what, twice);
    }
    if run.seq_len.is_multiple_of(2) && run.seq_len >= 512 {
        let what = "the same tokens in sequences half as long".to_owned();
        let short = Configuration {
            seq_len: run.seq_len / 2,
            micro_batch: run.micro_batch.saturating_mul(2),
            ..*run
        };
        add(what, short);
    }
    found.push(("the same run again, on other nodes".to_owned(), *run));
    found
}

/// What a cause predicts of another run, given what was measured of this one.
fn predict(run: &Observation<'_>, other: &Scrutiny<'_>, explanation: &Explanation) -> Predicted {
    let cause = explanation.cause;
    let own_variance = run.scrutiny.covariance(&run.scrutiny) + run.scrutiny.noise_sd().powi(2);
    let shared = run.scrutiny.covariance(other);
    let effect = |log_size: f64| match cause {
        // Another run has another day.
        Cause::BadDay => 0.0,
        Cause::MemoryPressure if other.margin_bytes() > run.scrutiny.margin_bytes() => 0.0,
        _ => other.effect(cause, log_size),
    };
    // What the cause leaves of the run is the model's error, part of which the other run shares.
    let (mean, spread) = moments(&explanation.sizes, |size| {
        let rest = run.slowdown - run.scrutiny.effect(cause, size.log);
        let error = if run.scrutiny.is_tight() {
            0.0
        } else {
            shared / own_variance * rest
        };
        effect(size.log) + error
    });
    let left = (other.covariance(other) - shared.powi(2) / own_variance).max(0.0);
    Predicted {
        mean,
        sd: (spread.powi(2) + left + other.noise_sd().powi(2)).sqrt(),
    }
}

/// The chance of naming the wrong cause, at most; without predictions, before the measurement.
fn wrong(explanations: &[&Explanation], predicted: &[Predicted]) -> f64 {
    let total: f64 = explanations.iter().map(|e| e.probability).sum();
    let mut sum = 0.0;
    for (i, a) in explanations.iter().enumerate() {
        for (j, b) in explanations.iter().enumerate().skip(i + 1) {
            let overlap = match (predicted.get(i), predicted.get(j)) {
                (Some(a), Some(b)) => overlap(*a, *b),
                _ => 1.0,
            };
            sum += (a.probability * b.probability).sqrt() / total * overlap;
        }
    }
    // The bound is loose where causes are many; no error is more likely than certain.
    sum.min(1.0)
}

/// The Bhattacharyya coefficient of two Gaussians.
fn overlap(a: Predicted, b: Predicted) -> f64 {
    let variance = a.sd.powi(2) + b.sd.powi(2);
    (2.0 * a.sd * b.sd / variance).sqrt() * (-(a.mean - b.mean).powi(2) / (4.0 * variance)).exp()
}
