//! What a measurement would tell: how errors of several predictions hang together, and what is
//! left of them once some configurations are measured.
//!
//! The errors that the model leaves open are jointly Gaussian, so what a measurement settles is
//! known before it is made: only its value isn't (Rasmussen & Williams, *Gaussian Processes for
//! Machine Learning*, equation 2.26). A measurement of `m` takes from the variance of a target
//! `t` the share `cov(t,m)² / (var(m) + noise)`.

use nalgebra::{DMatrix, DVector};

use super::Fit;
use super::point::{Open, Point};
use crate::configuration::{Configuration, Setting};
use crate::quantity::{Confidence, Interval};

/// Predictions of several configurations and the covariance of their errors: each target's with all
/// of them, since a measurement matters for what it tells of a target.
pub struct Outlook<'a> {
    points: Vec<Point<'a>>,
    /// Each point's variance as the measurements taken leave it.
    variances: DVector<f64>,
    /// Each target's covariance with every point, as they leave it.
    of_targets: DMatrix<f64>,
    measured: Vec<Measured>,
}

/// A configuration taken as measured.
struct Measured {
    index: usize,
    /// Covariance of every point with it, as the measurements before it left it.
    shared: DVector<f64>,
    /// Variance of its value, noise included.
    variance: f64,
}

impl<'a> Outlook<'a> {
    /// The outlook on these configurations before any of them is measured; the first `targets` are
    /// those that a measurement is to tell of.
    #[must_use]
    pub fn new(
        fit: &'a Fit,
        configurations: &[(Setting<'_>, Configuration)],
        targets: usize,
    ) -> Self {
        let points: Vec<Point<'a>> = configurations
            .iter()
            .map(|(setting, configuration)| Point::new(fit, setting, configuration))
            .collect();
        let variances = points.iter().map(Point::variance);
        let targets = targets.min(points.len());
        Self {
            variances: DVector::from_iterator(points.len(), variances),
            of_targets: DMatrix::from_fn(targets, points.len(), |i, j| before(&points, i, j)),
            points,
            measured: Vec::new(),
        }
    }

    /// Variance that the model leaves open of the logarithm of throughput at `target`.
    #[must_use]
    pub fn variance(&self, target: usize) -> f64 {
        let variance = self.variances.get(target).copied();
        variance.unwrap_or(0.0).max(0.0)
    }

    /// How much of the model's variance at `target` measuring `candidate` would take away; nothing
    /// for one that is measured already, since a second run costs as much as another one that teaches
    /// more.
    #[must_use]
    pub fn settled(&self, target: usize, candidate: usize) -> f64 {
        let mut measured = self.measured.iter();
        if measured.any(|measured| measured.index == candidate) {
            return 0.0;
        }
        let shared = self.of_targets.get((target, candidate));
        let shared = shared.copied().unwrap_or(0.0);
        let settled = shared.powi(2) / self.measured_variance(candidate);
        settled.clamp(0.0, self.variance(target))
    }

    /// Takes a configuration as measured: what its value would settle is settled.
    pub fn measure(&mut self, candidate: usize) {
        let count = self.points.len();
        if candidate >= count {
            return;
        }
        let shared = DVector::from_fn(count, |index, _| self.shared(index, candidate));
        let variance = self.measured_variance(candidate);
        let told = shared.rows(0, self.of_targets.nrows());
        self.of_targets -= told * shared.transpose() / variance;
        self.variances -= shared.component_mul(&shared) / variance;
        self.measured.push(Measured {
            index: candidate,
            shared,
            variance,
        });
    }

    /// Tokens per second of a configuration, as sure as the measurements taken so far make it.
    /// The expected value doesn't change: what will be measured isn't known.
    #[must_use]
    pub fn throughput_tok_s(&self, index: usize, confidence: Confidence) -> Option<Interval> {
        let point = self.points.get(index)?;
        let since: Vec<&Point<'_>> = self
            .measured
            .iter()
            .filter_map(|measured| self.points.get(measured.index))
            .filter(|measured| measured.shares_rows_with(point))
            .collect();
        let variance = self.variance(index);
        Some(point.throughput(
            Open {
                variance,
                waves: point.waves(&since),
            },
            confidence,
        ))
    }

    /// The same if the model left nothing open: run-to-run noise and bad days alone.
    #[must_use]
    pub fn certain_tok_s(&self, index: usize, confidence: Confidence) -> Option<Interval> {
        self.points
            .get(index)
            .map(|point| point.throughput(Open::default(), confidence))
    }

    /// Covariance of two points as the measurements taken leave it.
    fn shared(&self, i: usize, j: usize) -> f64 {
        let before = before(&self.points, i, j);
        self.measured.iter().fold(before, |left, measured| {
            let of = |index: usize| measured.shared.get(index).copied().unwrap_or(0.0);
            left - of(i) * of(j) / measured.variance
        })
    }

    /// Variance of a measured value: the model's and the noise of one run.
    fn measured_variance(&self, index: usize) -> f64 {
        let noise = self.points.get(index).map_or(0.0, Point::noise);
        self.variance(index) + noise.powi(2)
    }
}

/// Covariance of two points before anything is measured.
fn before(points: &[Point<'_>], i: usize, j: usize) -> f64 {
    match (points.get(i), points.get(j)) {
        (Some(point), Some(_)) if i == j => point.variance(),
        (Some(one), Some(other)) => one.covariance(other),
        _ => 0.0,
    }
}
