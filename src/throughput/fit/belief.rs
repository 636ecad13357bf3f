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
        Self {
            mean,
            covariance: spread(|coefficient| coefficient.sd),
        }
    }

    /// The coefficients at its mean.
    pub(crate) fn values(&self) -> Values {
        Values::new(self.mean.into())
    }

    /// The same mean, less sure: `sd` gives each coefficient's additional standard deviation.
    pub(crate) fn loosened(&self, sd: impl Fn(&Coefficient) -> f64) -> Self {
        Self {
            mean: self.mean,
            covariance: self.covariance + spread(sd),
        }
    }
}

/// Covariance of coefficients with these standard deviations.
fn spread(sd: impl Fn(&Coefficient) -> f64) -> Square {
    let sds = COEFFICIENTS.each_ref().map(sd);
    Square::from_fn(|i, j| sds[i] * sds[j] * COEFFICIENTS[i].correlation(&COEFFICIENTS[j]))
}
