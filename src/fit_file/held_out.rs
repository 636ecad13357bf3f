//! How well a fit predicts rows it has not seen.

use serde::{Deserialize, Serialize};

use super::{embedded_fit, refit};
use crate::configuration::Configuration;
use crate::diagnostic::Diagnostic;
use crate::measure::Measurement;
use crate::quantity::Confidence;
use crate::throughput::coefficients::COEFFICIENTS;
use crate::throughput::evaluate::{Accuracy, RowResult, cross_validate, evaluate};

/// Most cells that are held out one by one.
const MAX_FOLDS: usize = 40;

/// Cells fitted alone that are no basis for anything away from them: less than twice the coefficients.
pub(super) const FEW_ALONE: usize = 2 * COEFFICIENTS.len();

/// Folds that more cells are dealt into.
const FOLDS: usize = 10;

/// Errors on held-out rows: each is predicted by a fit made without any row of its cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldOut {
    /// How rows were held out, in words.
    pub protocol: String,
    /// Rows judged.
    pub rows: usize,
    /// Mean absolute percentage error, as a share.
    pub mape: f64,
    /// Share of rows inside their 90 % interval.
    pub coverage: f64,
    /// Mean absolute percentage error of the embedded fit, with none of these rows; left out for
    /// a fit made alone.
    pub embedded_mape: Option<f64>,
    /// Mean absolute percentage error of these rows fitted on top of the embedded tables and held out
    /// in the same way, where this fit is of few cells alone; left out else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_top_mape: Option<f64>,
}

impl HeldOut {
    /// Of these rows, with each row as the fit without its cell predicts it; `None` when there are too
    /// few, or when a fit without some of them fails.
    ///
    /// # Errors
    /// When the embedded fit fails.
    pub(super) fn of(
        alone: bool,
        rows: &[Measurement],
    ) -> Result<Option<(Self, Vec<RowResult>)>, Diagnostic> {
        let base = embedded_fit()?;
        let confidence = Confidence::default();
        let (folds, count) = folds(rows);
        if count < 2 {
            // Without its only cell nothing is left to refit: that would judge the embedded fit.
            return Ok(None);
        }
        let judged = |alone: bool| {
            let again = |kept: Vec<Measurement>| refit(alone, &base, "held out", kept);
            let judged = cross_validate(rows, &folds, confidence, &again).ok()?;
            Some((Accuracy::of(&judged)?, judged))
        };
        let Some((accuracy, judged_rows)) = judged(alone) else {
            return Ok(None);
        };
        let on_top = (alone && count < FEW_ALONE).then(|| judged(false));
        let embedded = evaluate(&base, rows, confidence).filter(|_| !alone);
        let held_out = Self {
            protocol: if count <= MAX_FOLDS {
                format!("each of {count} cells in turn")
            } else {
                format!("{count} cells in {FOLDS} folds")
            },
            rows: accuracy.rows,
            mape: accuracy.mape,
            coverage: accuracy.coverage,
            embedded_mape: embedded.map(|embedded| embedded.accuracy.mape),
            on_top_mape: on_top.flatten().map(|(accuracy, _)| accuracy.mape),
        };
        Ok(Some((held_out, judged_rows)))
    }
}

/// The fold of each row, and the number of cells. Repeats of a cell are held out together: one
/// would give the other away.
pub(super) fn folds(rows: &[Measurement]) -> (Vec<usize>, usize) {
    let mut cells: Vec<&Measurement> = Vec::new();
    let mut folds = Vec::with_capacity(rows.len());
    for row in rows {
        let known = cells.iter().position(|cell| same_cell(cell, row));
        folds.push(known.unwrap_or(cells.len()));
        if known.is_none() {
            cells.push(row);
        }
    }
    if cells.len() > MAX_FOLDS {
        for fold in &mut folds {
            *fold %= FOLDS;
        }
    }
    (folds, cells.len())
}

/// Whether two rows differ in gradient accumulation and speed alone.
fn same_cell(a: &Measurement, b: &Measurement) -> bool {
    let one_step = |row: &Measurement| Configuration {
        grad_accum: 1,
        ..row.configuration
    };
    one_step(a) == one_step(b) && a.shape == b.shape && a.place() == b.place()
}
