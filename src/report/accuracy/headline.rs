//! The figures that say most about the model, each with what it is held to.

use schemars::JsonSchema;
use serde::Serialize;

use crate::throughput::evaluate::{Accuracy, Evaluation, Protocol, RowResult};

/// What the model is held to on some rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Aim {
    /// Largest mean absolute percentage error, as a share.
    pub mape: Option<f64>,
    /// Smallest and largest share of rows inside their interval.
    pub coverage: Option<(f64, f64)>,
    /// Largest median half-width of the intervals, as a share.
    pub half_width: Option<f64>,
}

/// Coverage of intervals that are meant to hold 90 %.
const CALIBRATED: (f64, f64) = (0.85, 0.97);

/// The confidence that aims at coverage and half-width are stated for.
const AIMED_CONFIDENCE: f64 = 0.9;

/// Accuracy on some of a protocol's rows.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Headline {
    /// The protocol.
    pub protocol: Protocol,
    /// Which of its rows, in words.
    pub judged: String,
    /// Their errors.
    #[serde(flatten)]
    pub accuracy: Accuracy,
    /// What the model is held to there, if anything.
    pub aim: Option<Aim>,
    /// What missed its aim: `mape`, `coverage`, `half_width`.
    pub missed: Vec<&'static str>,
}

impl Headline {
    fn new(
        evaluation: &Evaluation,
        judged: impl Into<String>,
        accuracy: Accuracy,
        aim: Option<Aim>,
    ) -> Option<Self> {
        let aim = aim.map(|aim| {
            if evaluation.confidence == AIMED_CONFIDENCE {
                aim
            } else {
                Aim {
                    coverage: None,
                    half_width: None,
                    ..aim
                }
            }
        });
        Some(Self {
            protocol: evaluation.protocol?,
            judged: judged.into(),
            missed: aim.map(|aim| missed(&accuracy, &aim)).unwrap_or_default(),
            accuracy,
            aim,
        })
    }

    fn of(
        evaluation: &Evaluation,
        judged: &str,
        keep: impl Fn(&RowResult) -> bool,
        aim: Option<Aim>,
    ) -> Option<Self> {
        let kept = evaluation.predictions.iter().filter(|row| keep(row));
        Self::new(evaluation, judged, Accuracy::of(kept)?, aim)
    }
}

fn missed(accuracy: &Accuracy, aim: &Aim) -> Vec<&'static str> {
    let outside = |(low, high): (f64, f64)| !(low..=high).contains(&accuracy.coverage);
    [
        ("mape", aim.mape.is_some_and(|most| accuracy.mape > most)),
        ("coverage", aim.coverage.is_some_and(outside)),
        (
            "half_width",
            aim.half_width
                .is_some_and(|most| accuracy.half_width > most),
        ),
    ]
    .into_iter()
    .filter_map(|(name, missed)| missed.then_some(name))
    .collect()
}

const fn aim(mape: f64, coverage: bool, half_width: Option<f64>) -> Aim {
    Aim {
        mape: Some(mape),
        coverage: if coverage { Some(CALIBRATED) } else { None },
        half_width,
    }
}

/// Eight GPUs seen: repeats of one cell differ by 0.2 to 0.7 %.
const SEEN: Aim = aim(0.005, false, Some(0.015));
/// Models never seen, together and the worst of them.
const MODEL: Aim = aim(0.015, true, Some(0.06));
const WORST_MODEL: Aim = aim(0.035, false, None);
/// Sequence lengths never seen.
const SEQ_LEN: Aim = aim(0.008, true, None);
/// Sixteen GPUs never seen.
const GPUS: Aim = aim(0.016, true, None);
/// All rows left out once, the 32-GPU ones with their outliers among them.
const LEFT_OUT: Aim = Aim {
    mape: None,
    coverage: Some(CALIBRATED),
    half_width: None,
};

/// The headlines of a protocol on the embedded table.
#[must_use]
pub fn embedded(evaluation: &Evaluation) -> Vec<Headline> {
    let on = |gpus: u64| move |row: &RowResult| row.gpus == gpus;
    let judged = match evaluation.protocol {
        None => vec![],
        Some(Protocol::InSample) => vec![
            Headline::of(evaluation, "8 GPUs", on(8), Some(SEEN)),
            Headline::of(evaluation, "16 GPUs", on(16), None),
            Headline::of(evaluation, "32 GPUs", on(32), None),
        ],
        Some(Protocol::LeaveModel) => {
            let large = |row: &RowResult| row.gpu == "a100-80gb";
            vec![
                Headline::of(evaluation, "A100-80GB", large, Some(MODEL)),
                worst_model(evaluation, large, Some(WORST_MODEL)),
            ]
        }
        Some(Protocol::LeaveSeq) => vec![Headline::of(evaluation, "8 GPUs", on(8), Some(SEQ_LEN))],
        Some(Protocol::LeaveGpus) => vec![
            Headline::of(evaluation, "16 GPUs", on(16), Some(GPUS)),
            Headline::of(evaluation, "32 GPUs", on(32), None),
        ],
    };
    let left_out = evaluation
        .protocol
        .filter(|protocol| *protocol != Protocol::InSample);
    let all = Headline::new(
        evaluation,
        ALL,
        evaluation.accuracy.clone(),
        left_out.map(|_| LEFT_OUT),
    );
    judged.into_iter().chain([all]).flatten().collect()
}

const ALL: &str = "all rows";

/// All rows of a protocol, held to nothing.
#[must_use]
pub fn all(evaluation: &Evaluation) -> Option<Headline> {
    Headline::new(evaluation, ALL, evaluation.accuracy.clone(), None)
}

/// The model with the largest mean error among the rows kept.
fn worst_model(
    evaluation: &Evaluation,
    keep: impl Fn(&RowResult) -> bool,
    aim: Option<Aim>,
) -> Option<Headline> {
    let mut models: Vec<&str> = evaluation
        .predictions
        .iter()
        .filter(|row| keep(row))
        .map(|row| row.model.as_str())
        .collect();
    models.dedup();
    let accuracies = models.into_iter().filter_map(|model| {
        let of_it = |row: &&RowResult| keep(row) && row.model == model;
        let accuracy = Accuracy::of(evaluation.predictions.iter().filter(of_it))?;
        Some((model, accuracy))
    });
    let (model, accuracy) = accuracies.max_by(|(_, a), (_, b)| a.mape.total_cmp(&b.mape))?;
    Headline::new(evaluation, format!("worst: {model}"), accuracy, aim)
}
