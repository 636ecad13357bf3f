//! A launched run against its plan: is it as fast as planned, if not why, and when is it done?
//!
//! A plan is read back (`plan_file`), what was measured is matched to its candidate (`measured`),
//! the deviation is explained by the physics (`explain`), a further measurement is named where
//! several causes explain it alike (`next`), and the finish is told anew (`finish`), in what its nodes stay
//! (`stay`), beside what was asked of its booking (`asked`), and what more of it would take (`more`).

mod asked;
mod explain;
mod finish;
mod law;
mod measured;
mod more;
mod next;
mod plan_file;
mod stay;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

pub use asked::{BudgetEnd, DeadlineEnd};
pub use finish::{BookingEnd, Finish, FinishError};
pub use measured::{Rows, check_units};
pub use more::More;
pub use next::{ExpectedSpeed, NextMeasurement};
pub use plan_file::{PlanFile, PlannedBooking, PlannedRun};

use crate::configuration::{Configuration, Setting};
use crate::measure::{Measurement, is_usual, to_csv};
use crate::product::Product;
use crate::quantity::{Confidence, Interval, SECONDS_PER_HOUR, Tokens, display_whole};
use crate::throughput::{Cause, CauseKind, Fit, doubts, normal_reach};

use explain::{CLEAR_ODDS, Explanation, Observation, explain};

/// Version of the JSON that `compare` prints; it grows when a field changes meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// Share by which a plan's throughput may differ from the same prediction made again: what
/// printing and another machine's mathematics can do.
const SAME_PREDICTION: f64 = 1e-6;

/// A run that was planned and launched.
#[derive(Debug, Clone, Copy)]
pub struct Launched<'a> {
    /// The plan.
    pub plan: &'a PlanFile,
    /// Its candidate that was launched.
    pub run: &'a PlannedRun,
    /// What it trains, where, and how.
    pub setting: Setting<'a>,
    /// Tokens per second measured.
    pub measured_tok_s: f64,
    /// Other runs measured under the same conditions.
    pub related: &'a [&'a Measurement],
    /// Tokens trained so far, where that is known.
    pub done: Option<Tokens>,
    /// The product that its booking is of, where there is one that is known.
    pub product: Option<&'a Product>,
    /// When it started, where that is known.
    pub start: Option<crate::calendar::Moment>,
    /// When the tokens done were counted, where that is known.
    pub at: Option<crate::calendar::Moment>,
}

/// What `compare` says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The model.
    pub model: String,
    /// Tokens to train on.
    pub tokens: u64,
    /// The cluster.
    pub cluster: String,
    /// The training stack.
    pub stack: String,
    /// Rank of the candidate in its plan; 0 for what a report books.
    pub rank: usize,
    /// How it was launched.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// Tokens per second measured.
    pub measured_tok_s: f64,
    /// Tokens per second planned.
    pub planned_tok_s: Interval,
    /// Confidence of the planned interval.
    pub confidence: f64,
    /// Whether what was measured lies in the planned interval.
    pub as_planned: bool,
    /// Share of runs expected to be no faster than this one; at least 0.0005 and at most 0.9995,
    /// beyond which nobody can say.
    pub quantile: f64,
    /// What this version predicts with the fit given; differs from the plan's where that was made
    /// by another version or with another fit.
    pub predicted_tok_s: Interval,
    /// Whether the plan says the same.
    pub plan_agrees: bool,
    /// What may explain the deviation, the most probable first; empty when there is none, or when the
    /// plan was made with another fit that predicts otherwise.
    pub causes: Vec<ExplainedCause>,
    /// Whether the two most probable causes explain it about as well.
    pub ambiguous: bool,
    /// The measurement that would tell them apart best.
    pub next: Option<NextMeasurement>,
    /// When it is done and what it costs if it goes on like this.
    pub finish: Finish,
    /// What was measured as a table that `fit` reads.
    pub fit_row_csv: String,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// A cause, and how well it explains the deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ExplainedCause {
    /// The cause.
    pub cause: Cause,
    /// The part of the run that it belongs to.
    pub kind: CauseKind,
    /// How probable it is given what was measured; all causes add up to 1.
    pub probability: f64,
    /// The factor by which it differs from the plan, at the plan's confidence: above 1, that much
    /// slower (links, kernels, launches: their own time; else the step's). `null` for chance.
    pub factor: Option<Interval>,
}

/// Compares a run with its plan, under a fit.
///
/// # Errors
/// When the run is done already.
pub fn compare(launched: &Launched<'_>, fit: &Fit) -> Result<Comparison, FinishError> {
    let Launched {
        plan,
        run,
        setting,
        measured_tok_s,
        related,
        ..
    } = *launched;
    let configuration = run.configuration;
    let predicted = fit
        .predict(&setting, &configuration, plan.confidence)
        .throughput_tok_s;
    let planned = run.throughput_tok_s;
    let off = predicted.expected / planned.expected;
    let observed = |setting: &Setting<'_>, configuration: &Configuration, tok_s: f64| {
        let scrutiny = fit.scrutiny(setting, configuration);
        Observation {
            slowdown: scrutiny.slowdown_of(tok_s),
            scrutiny,
        }
    };
    let mut observations = vec![observed(&setting, &configuration, measured_tok_s)];
    observations.extend(
        related
            .iter()
            .map(|row| observed(&row.setting(), &row.configuration, row.throughput_tok_s)),
    );
    let as_planned = planned.contains(measured_tok_s);
    let plan_agrees = (off - 1.0).abs() <= SAME_PREDICTION;
    // By another fit than the plan's, what it foresaw already would look like a cause.
    let other_fit = !plan_agrees && plan.fit != fit.name();
    let explanations = if as_planned || other_fit {
        Vec::new()
    } else {
        explain(&observations)
    };
    let ambiguous = match explanations.as_slice() {
        [first, second, ..] => first.probability < CLEAR_ODDS * second.probability,
        _ => false,
    };
    let next = observations
        .first()
        .filter(|_| ambiguous)
        .and_then(|run| next::next(fit, &setting, &configuration, run, &explanations));
    let noise_sd = observations
        .first()
        .map_or(0.0, |run| run.scrutiny.noise_sd());
    let finish = finish::finish(launched, noise_sd)?;
    let so_far = average(launched, &finish);
    Ok(Comparison {
        schema_version: SCHEMA_VERSION,
        model: plan.model.clone(),
        tokens: plan.tokens.get(),
        cluster: run.cluster.clone(),
        stack: plan.stack.clone(),
        rank: run.rank,
        configuration,
        measured_tok_s,
        planned_tok_s: planned,
        confidence: plan.confidence.get(),
        as_planned,
        quantile: if same(planned, predicted) {
            quantile(fit, &setting, &configuration, measured_tok_s * off)
        } else {
            quantile_of(planned, plan.confidence, measured_tok_s)
        },
        predicted_tok_s: predicted,
        plan_agrees,
        causes: explanations
            .iter()
            .map(|explanation| explained(explanation, plan.confidence))
            .collect(),
        ambiguous,
        next,
        finish,
        fit_row_csv: to_csv(&[row(launched)]),
        notes: doubtful(fit, launched)
            .into_iter()
            .chain(unreliable(plan))
            .chain(too_far(&observations, &explanations))
            .chain(so_far)
            .collect(),
    })
}

fn explained(explanation: &Explanation, confidence: Confidence) -> ExplainedCause {
    let cause = explanation.cause;
    let sized = !matches!(cause, Cause::Chance | Cause::NoMemoryPressure);
    let (mean, sd) = explanation.log_size();
    let reach = normal_reach(confidence.get()) * sd;
    ExplainedCause {
        cause,
        kind: cause.kind(),
        probability: explanation.probability,
        factor: sized.then(|| Interval {
            low: (mean - reach).exp(),
            expected: mean.exp(),
            high: (mean + reach).exp(),
        }),
    }
}

/// That the plan doesn't tell what goes wrong on a cluster.
fn unreliable(plan: &PlanFile) -> Option<String> {
    plan.reliability.is_none().then(|| {
        "the plan doesn't tell its `reliability`: the wall clock keeps the plan's proportion to \
         training, and no luck of failures is in its ends and probabilities"
            .to_owned()
    })
}

/// A speed that can hardly be what it says.
fn doubtful(fit: &Fit, launched: &Launched<'_>) -> Option<String> {
    let doubt = doubts(fit, &[row(launched)]).into_iter().next()?;
    Some(doubt.kind.to_string())
}

/// That not even the most probable cause goes so far.
fn too_far(observations: &[Observation<'_>], explanations: &[Explanation]) -> Option<String> {
    let (run, first) = (observations.first()?, explanations.first()?);
    first.falls_short(&run.scrutiny).then(|| {
        let factor = |log: f64| format!("{:.2} times", log.abs().exp());
        format!(
            "none of the causes goes so far: the most probable one leaves the run {} {} than it \
             explains, and the probabilities only say which is nearest",
            factor(first.unexplained),
            if first.unexplained > 0.0 {
                "slower"
            } else {
                "faster"
            }
        )
    })
}

/// How fast the tokens done were trained on average, where it is told when they were counted and isn't as
/// measured: what stood still or was slower before; or, where they were faster than any run goes, a mistake.
fn average(launched: &Launched<'_>, finish: &Finish) -> Option<String> {
    finish.at?;
    let average = launched.done?.as_f64() / (finish.gone_h * SECONDS_PER_HOUR);
    let (measured, planned) = (
        launched.measured_tok_s,
        launched.run.throughput_tok_s.expected,
    );
    let share = average / measured;
    let so_far = format!(
        "what is done makes {} tokens/s on average since the start, {:.0} % of the speed measured",
        display_whole(average),
        share * 100.0
    );
    if average > FASTER * measured.max(planned) {
        Some(format!(
            "{so_far} and more than the {} planned: is the start that of this run, and are tokens of \
             another counted too?",
            display_whole(planned)
        ))
    } else {
        (share < SLOWER || share > SLOWER.recip()).then(|| {
            let rest = if share < 1.0 {
                "outages, restarts and slower spells took the rest, and more of them would come on top"
            } else {
                "it ran faster before, and is taken to go on as measured"
            };
            format!("{so_far}: {rest}")
        })
    }
}

/// A run that trained by so much less than it does now, or more, did something else before: start-up,
/// checkpoints and the usual failures take a few hundredths. An assumption.
const SLOWER: f64 = 0.95;

/// Nothing trains by so much faster than it does on its best days: an assumption.
const FASTER: f64 = 1.1;

/// The run as a measured row.
fn row(launched: &Launched<'_>) -> Measurement {
    let setting = &launched.setting;
    Measurement {
        model: launched.plan.model.clone(),
        shape: *setting.shape,
        cluster: Arc::new(setting.cluster.clone()),
        stack: Arc::new(setting.stack.clone()),
        stack_told: !is_usual(setting.cluster, setting.stack),
        configuration: launched.run.configuration,
        throughput_tok_s: launched.measured_tok_s,
        line: 1,
    }
}

/// Whether two predictions are one made again.
fn same(one: Interval, other: Interval) -> bool {
    let ends = [
        (one.low, other.low),
        (one.expected, other.expected),
        (one.high, other.high),
    ];
    ends.into_iter()
        .all(|(one, other)| (one / other - 1.0).abs() <= SAME_PREDICTION)
}

/// Share of runs that are no faster than `tok_s` where an interval is all that is known of a plan: as
/// many standard deviations of a logarithm away as its ends tell.
fn quantile_of(planned: Interval, confidence: Confidence, tok_s: f64) -> f64 {
    let slower = tok_s < planned.expected;
    let end = if slower { planned.low } else { planned.high };
    let away = (tok_s / planned.expected).ln() / (end / planned.expected).ln();
    let away = away.abs() * normal_reach(confidence.get());
    let (mut inside, mut outside) = CONFIDENCES;
    for _ in 0..40 {
        let middle = f64::midpoint(inside, outside);
        // An interval without a width has everything outside of it.
        if normal_reach(middle) < away || away.is_nan() {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    let tail = (1.0 - outside) / 2.0;
    if slower { tail } else { 1.0 - tail }
}

/// Confidences between which intervals are made.
const CONFIDENCES: (f64, f64) = (0.01, 0.999);

/// Share of runs that are no faster than `tok_s`: the interval that just reaches it tells.
fn quantile(fit: &Fit, setting: &Setting<'_>, configuration: &Configuration, tok_s: f64) -> f64 {
    let holds = |share: f64| {
        Confidence::new(share).is_ok_and(|confidence| {
            let interval = fit.predict(setting, configuration, confidence);
            interval.throughput_tok_s.contains(tok_s)
        })
    };
    let (mut outside, mut inside) = CONFIDENCES;
    if !holds(inside) {
        outside = inside;
    }
    for _ in 0..40 {
        let middle = f64::midpoint(outside, inside);
        if holds(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    let expected = fit.predict(setting, configuration, Confidence::default());
    let tail = (1.0 - inside) / 2.0;
    if tok_s < expected.throughput_tok_s.expected {
        tail
    } else {
        1.0 - tail
    }
}
