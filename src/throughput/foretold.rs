//! Whether rows are of the kind that a layer was fitted to.
//!
//! A robust fit takes rows that it doesn't foretell for bad runs. Where there are but a few, and most
//! of them on many nodes, nearly any rows pass so for more of the same kind. Two tests guard it; both
//! hold the layer to the intervals that it states itself.

use super::layer::Layer;
use super::spread::{normal, normal_reach};
use super::{Fit, point::Point};
use crate::measure::Measurement;
use crate::quantity::{Confidence, median};

/// Chance below which rows are no longer taken for ones that a layer foretells: the usual one.
const UNLIKELY: f64 = 0.05;

/// Whether a layer foretells rows as well as it says. By chance, in more than one case of twenty,
///
/// - as many of them lie outside of their 90 % intervals, and
/// - they are as far off together: faster than expected, or on a single node slower. On several
///   nodes bad days slow runs down, and excuse that (Fisher's combination of their probabilities,
///   *Statistical Methods for Research Workers*, §21.1).
pub(super) fn foretold(base: &Layer, rows: &[Measurement]) -> bool {
    let fit = Fit {
        name: String::new(),
        embedded: base.rows.len(),
        base: base.clone(),
        contexts: Vec::new(),
        held_out_mape: None,
        caution: None,
    };
    let confidence = Confidence::default();
    let (mut outside, mut log_chances) = (0, 0.0);
    let rows = distinct(rows);
    for (row, throughput_tok_s) in &rows {
        let point = Point::new(&fit, &row.setting(), &row.configuration);
        let said = point.throughput(point.open(), confidence);
        outside += usize::from(!said.contains(*throughput_tok_s));
        let sd = (said.high / said.expected).ln() / normal_reach(confidence.get());
        let deviations = (throughput_tok_s / said.expected).ln() / sd.max(f64::MIN_POSITIVE);
        let single = row.cluster.nodes(row.configuration.gpus) <= 1;
        let chance = if single {
            2.0 * normal(-deviations.abs())
        } else {
            normal(-deviations)
        };
        log_chances += chance.max(f64::MIN_POSITIVE).ln();
    }
    at_least(outside, rows.len(), 1.0 - confidence.get()) >= UNLIKELY
        && all_as_unlikely(log_chances, rows.len()) >= UNLIKELY
}

/// Each run once, at the middle of all speeds measured of it: what a run has of its own, it has every
/// time.
fn distinct(rows: &[Measurement]) -> Vec<(&Measurement, f64)> {
    let mut runs: Vec<(&Measurement, Vec<f64>)> = Vec::new();
    for row in rows {
        match runs.iter_mut().find(|(first, _)| row.is_repeat_of(first)) {
            Some((_, speeds)) => speeds.push(row.throughput_tok_s),
            None => runs.push((row, vec![row.throughput_tok_s])),
        }
    }
    let runs = runs.into_iter();
    runs.filter_map(|(row, speeds)| Some((row, median(speeds.into_iter())?)))
        .collect()
}

/// Chance that `count` or more of `of` independent events happen, each of that probability.
fn at_least(count: usize, of: usize, probability: f64) -> f64 {
    let odds = (probability / (1.0 - probability)).ln();
    let mut log_term = of as f64 * (1.0 - probability).ln();
    let mut fewer = 0.0;
    for happened in 0..count {
        fewer += log_term.exp();
        log_term += ((of - happened) as f64 / (happened + 1) as f64).ln() + odds;
    }
    1.0 - fewer
}

/// Chance that the product of so many evenly distributed probabilities is at most the one with this
/// logarithm: minus twice that is distributed as chi squared with `2 · of` degrees of freedom.
fn all_as_unlikely(log_product: f64, of: usize) -> f64 {
    let half = -log_product;
    let mut log_term = -half;
    let mut sum = 0.0;
    for index in 0..of {
        sum += log_term.exp();
        log_term += (half / (index + 1) as f64).ln();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_those_of_tables() {
        // Binomial, n = 5, p = 0.1.
        assert!((at_least(0, 5, 0.1) - 1.0).abs() < 1e-12);
        assert!((at_least(2, 5, 0.1) - 0.081_46).abs() < 1e-5);
        assert!((at_least(5, 5, 0.1) - 1e-5).abs() < 1e-9);
        // Chi squared, 10 degrees of freedom: 18.307 is exceeded once in twenty times.
        assert!((all_as_unlikely(-18.307 / 2.0, 5) - 0.05).abs() < 1e-4);
        // One probability is itself.
        assert!((all_as_unlikely(0.3_f64.ln(), 1) - 0.3).abs() < 1e-12);
    }
}
