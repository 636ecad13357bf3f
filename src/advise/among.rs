//! Which rows of a table to measure, so that its other rows come out best.

use super::runs::Run;
use super::{Advice, AdviceError, MeasuringLimits, best, half_width, throughput};
use crate::measure::Measurement;
use crate::quantity::{Confidence, median};
use crate::throughput::{Fit, Outlook};

/// How evenly rows count: 0 by their variances, 1 by each one's share of its own. A little of it keeps
/// a few rows that are hardly known from deciding alone; by how much was found on synthetic tables of
/// faster stacks, slower links and later GPUs.
const EVENNESS: f64 = 0.1;

/// Finds the rows within the limits whose measurement would take most from the variance of all
/// `rows` together (greedy A-optimal design; Atkinson, Donev & Tobias 2007, *Optimum Experimental
/// Designs*, chapter 10): those least known count most. What they say of their throughput isn't
/// looked at.
///
/// # Errors
/// When none of the rows is within the limits.
pub fn advise_among(
    rows: &[Measurement],
    fit: &Fit,
    confidence: Confidence,
    limits: &MeasuringLimits,
) -> Result<Advice, AdviceError> {
    let points: Vec<_> = rows
        .iter()
        .map(|row| (row.setting(), row.configuration))
        .collect();
    let mut outlook = Outlook::new(fit, &points, rows.len());
    let (places, runs): (Vec<usize>, Vec<Run>) = rows
        .iter()
        .map(|row| Run::of(row.clone(), fit))
        .enumerate()
        .filter(|(_, run)| run.is_within(limits))
        .unzip();
    if runs.is_empty() {
        return Err(AdviceError::NothingMeasurable {
            max_gpus: limits.max_gpus,
            minutes: limits.minutes,
        });
    }
    let open = |outlook: &Outlook<'_>| {
        let indices = 0..rows.len();
        let widths = indices.map(|index| half_width(throughput(outlook, index, confidence)));
        median(widths).unwrap_or(0.0)
    };
    let certain = (0..rows.len()).filter_map(|index| outlook.certain_tok_s(index, confidence));
    let mut advice = Advice {
        answer: None,
        answer_cluster: None,
        answer_is_knee: false,
        answer_tok_s: None,
        rows: Some(rows.len()),
        confidence: confidence.get(),
        half_width: open(&outlook),
        half_width_floor: median(certain.map(half_width)).unwrap_or(0.0),
        picks: Vec::new(),
        notes: notes(rows, fit),
        table: Vec::new(),
    };
    while advice.picks.len() < limits.count {
        let over_all = |of: &dyn Fn(usize) -> f64| -> f64 { (0..rows.len()).map(of).sum() };
        let weight = |row: usize| match outlook.variance(row) {
            variance if variance > 0.0 => variance.powf(-EVENNESS),
            _ => 0.0,
        };
        let settled = places
            .iter()
            .map(|&place| over_all(&|row| outlook.settled(row, place) * weight(row)));
        let settled: Vec<f64> = settled.collect();
        let open_variance = over_all(&|row| outlook.variance(row) * weight(row));
        let Some((run, place)) = best(&settled, open_variance, &runs)
            .and_then(|index| Some((runs.get(index)?, *places.get(index)?)))
        else {
            break;
        };
        let predicted = throughput(&outlook, place, confidence);
        outlook.measure(place);
        advice.picks.push(run.pick(predicted, open(&outlook)));
        advice.table.push(run.row.clone());
    }
    Ok(advice)
}

/// What is to be said of the fit for some runs, each once.
fn notes(rows: &[Measurement], fit: &Fit) -> Vec<String> {
    let mut notes: Vec<String> = fit.caution().map(str::to_owned).into_iter().collect();
    for silence in rows.iter().filter_map(|row| fit.silence(&row.setting())) {
        if !notes.contains(&silence) {
            notes.push(silence);
        }
    }
    notes
}
