//! What is believed of the coefficients.

use nalgebra::{SMatrix, SVector};

use crate::throughput::coefficients::{COEFFICIENTS, COUNT, Coefficient, Values};

pub(crate) type Vector = SVector<f64, COUNT>;
pub(crate) type Square = SMatrix<f64, COUNT, COUNT>;

/// A Gaussian over the coefficients on their fitted scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Belief {
    pub(crate) mean: Vector,
    pub(crate) covariance: Square,
}

impl Belief {
    /// What is believed before any row is seen.
    pub(crate) fn prior() -> Self {
        let mean = Vector::from_iterator(COEFFICIENTS.iter().map(Coefficient::prior_mean));
        let variances = Vector::from_iterator(COEFFICIENTS.iter().map(|c| c.sd.powi(2)));
        Self {
            mean,
            covariance: Square::from_diagonal(&variances),
        }
    }

    /// The coefficients at its mean.
    pub(crate) fn values(&self) -> Values {
        Values::new(self.mean.into())
    }

    /// The same mean, less sure: `sd` gives each coefficient's additional standard deviation.
    pub(crate) fn loosened(&self, sd: impl Fn(&Coefficient) -> f64) -> Self {
        let variances = Vector::from_iterator(COEFFICIENTS.iter().map(|c| sd(c).powi(2)));
        Self {
            mean: self.mean,
            covariance: self.covariance + Square::from_diagonal(&variances),
        }
    }
}
