//! What a measurement would tell: how errors of several predictions hang together, and what is
//! left of them once some configurations are measured.
//!
//! The errors that the model leaves open are jointly Gaussian, so what a measurement settles is
//! known before it is made: only its value isn't (Rasmussen & Williams, *Gaussian Processes for
//! Machine Learning*, equation 2.26). A measurement of `m` takes from the variance of a target
//! `t` the share `cov(t,m)² / (var(m) + noise)`.

use nalgebra::DMatrix;

use super::Fit;
use super::point::{Open, Point};
use crate::configuration::{Configuration, Setting};
use crate::quantity::{Confidence, Interval};

/// Predictions of several configurations and the covariance of their errors.
pub struct Outlook<'a> {
    points: Vec<Point<'a>>,
    covariance: DMatrix<f64>,
    measured: Vec<usize>,
}

impl<'a> Outlook<'a> {
    /// The outlook on these configurations before any of them is measured.
    #[must_use]
    pub fn new(fit: &'a Fit, configurations: &[(Setting<'_>, Configuration)]) -> Self {
        let points: Vec<Point<'a>> = configurations
            .iter()
            .map(|(setting, configuration)| Point::new(fit, setting, configuration))
            .collect();
        let covariance = DMatrix::from_fn(points.len(), points.len(), |i, j| {
            match (points.get(i), points.get(j)) {
                (Some(a), Some(_)) if i == j => a.variance(),
                (Some(a), Some(b)) => a.covariance(b),
                _ => 0.0,
            }
        });
        Self {
            points,
            covariance,
            measured: Vec::new(),
        }
    }

    /// Variance that the model leaves open of the logarithm of throughput at `target`.
    #[must_use]
    pub fn variance(&self, target: usize) -> f64 {
        self.covariance(target, target).max(0.0)
    }

    /// How much of the model's variance at `target` measuring `candidate` would take away; nothing
    /// for one that is measured already, since a second run costs as much as another one that teaches
    /// more.
    #[must_use]
    pub fn settled(&self, target: usize, candidate: usize) -> f64 {
        if self.measured.contains(&candidate) {
            return 0.0;
        }
        let shared = self.covariance(target, candidate);
        let settled = shared.powi(2) / self.measured_variance(candidate);
        settled.clamp(0.0, self.variance(target))
    }

    /// Takes a configuration as measured: what its value would settle is settled.
    pub fn measure(&mut self, candidate: usize) {
        let Some(column) =
            (candidate < self.points.len()).then(|| self.covariance.column(candidate).into_owned())
        else {
            return;
        };
        let variance = self.measured_variance(candidate);
        self.covariance -= &column * column.transpose() / variance;
        self.measured.push(candidate);
    }

    /// Tokens per second of a configuration, as sure as the measurements taken so far make it.
    /// The expected value doesn't change: what will be measured isn't known.
    #[must_use]
    pub fn throughput_tok_s(&self, index: usize, confidence: Confidence) -> Option<Interval> {
        let point = self.points.get(index)?;
        let since: Vec<&Point<'_>> = self
            .measured
            .iter()
            .filter_map(|&measured| self.points.get(measured))
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

    fn covariance(&self, i: usize, j: usize) -> f64 {
        self.covariance.get((i, j)).copied().unwrap_or(0.0)
    }

    /// Variance of a measured value: the model's and the noise of one run.
    fn measured_variance(&self, index: usize) -> f64 {
        let noise = self.points.get(index).map_or(0.0, Point::noise);
        self.variance(index) + noise.powi(2)
    }
}
