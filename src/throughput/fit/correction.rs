//! The residual correction's posterior over cells.

use std::borrow::Cow;

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::belief::Vector;
use crate::throughput::residual::{Cell, Kernel};

/// Doublings of the model's size beyond those measured after which a third of the correction is
/// left: an assumption, half of what lies between neighbours of the tables.
const SIZES_BEYOND: f64 = 0.5;

/// The residual correction as the rows leave it.
#[derive(Debug, Clone)]
pub(crate) struct Correction {
    pub(crate) kernel: Kernel,
    pub(crate) cells: Vec<Cell>,
    /// Weights of the cells in the correction's mean.
    pub(super) weights: DVector<f64>,
    /// Square root of each cell's precision.
    pub(super) roots: DVector<f64>,
    /// Factor of `I + √D·K·√D`.
    pub(super) factor: Cholesky<f64, Dyn>,
    /// The coefficients' Jacobian as the cells see it.
    pub(super) jacobian: DMatrix<f64>,
}

/// What the correction leaves open at one point.
#[derive(Debug, Clone)]
pub(crate) struct Uncertainty {
    /// Variance that remains when the coefficients are known.
    pub(crate) variance: f64,
    /// What of an error in each coefficient the cells around would explain away.
    pub(crate) explained: Vector,
    /// What the rows settle: its product with another point's is covariance removed.
    settled: DVector<f64>,
    /// What of the correction's mean is not kept, and so stays open.
    given_up: f64,
}

impl Uncertainty {
    /// Before any row is seen.
    pub(crate) fn before_any_row(kernel: &Kernel) -> Self {
        Self {
            variance: kernel.variance(),
            explained: Vector::zeros(),
            settled: DVector::zeros(0),
            given_up: 0.0,
        }
    }
}

impl Correction {
    /// What the correction leaves open at a point.
    pub(crate) fn uncertainty(&self, cell: &Cell) -> Uncertainty {
        let covariances = self.covariances(cell);
        let settled = self.settled(&covariances);
        let given_up = self.given_up(cell);
        let explained = self.jacobian.tr_mul(&covariances);
        let variance = self.kernel.variance() - settled.norm_squared() + given_up.powi(2);
        Uncertainty {
            variance: variance.max(0.0),
            explained: Vector::from_iterator(explained.iter().copied()),
            settled,
            given_up,
        }
    }

    /// Posterior covariance of the correction between two points, the coefficients known; each with
    /// what this correction leaves open there.
    pub(crate) fn covariance(
        &self,
        (a, open_at_a): (&Cell, &Uncertainty),
        (b, open_at_b): (&Cell, &Uncertainty),
    ) -> f64 {
        let unsettled = self.kernel.covariance(a, b) - open_at_a.settled.dot(&open_at_b.settled);
        unsettled + open_at_a.given_up * open_at_b.given_up
    }

    /// What of the correction's mean is not kept at a cell, and so stays open there.
    fn given_up(&self, cell: &Cell) -> f64 {
        (1.0 - self.share_kept(cell)) * self.mean(cell)
    }

    /// What the rows settle of covariances with the cells: its square is variance removed.
    fn settled(&self, covariances: &DVector<f64>) -> DVector<f64> {
        let mut scaled = covariances.component_mul(&self.roots);
        self.factor
            .l_dirty()
            .solve_lower_triangular_mut(&mut scaled);
        scaled
    }

    /// The cells with their weights in the correction's mean.
    pub(crate) fn weighted_cells(&self) -> impl Iterator<Item = (&Cell, f64)> {
        self.cells.iter().zip(self.weights.iter().copied())
    }

    /// The expected correction of the log step time at a point.
    pub(crate) fn kept_mean(&self, cell: &Cell) -> f64 {
        self.share_kept(cell) * self.mean(cell)
    }

    /// The same before the share that is kept there.
    fn mean(&self, cell: &Cell) -> f64 {
        let cell = self.as_measured(cell);
        self.weighted_cells()
            .map(|(known, weight)| weight * self.kernel.covariance(&cell, known))
            .sum()
    }

    /// A cell as of the card that was measured under the name of its own. What physics leaves out of a
    /// card hardly changes with one of its figures, so that a better one is expected to be no slower; what
    /// is open of it is as of any other.
    pub(crate) fn as_measured<'c>(&self, cell: &'c Cell) -> Cow<'c, Cell> {
        let mut named = self
            .cells
            .iter()
            .map(|known| &known.gpu)
            .filter(|card| card.is_named_as(&cell.gpu));
        match named.next() {
            Some(first) if *first != cell.gpu && named.all(|card| *card != cell.gpu) => {
                Cow::Owned(Cell {
                    gpu: first.clone(),
                    ..cell.clone()
                })
            }
            _ => Cow::Borrowed(cell),
        }
    }

    /// The share of the correction that is kept at a cell: all of it between the smallest and the
    /// largest model measured, and less and less beyond them. Towards sizes that were never measured
    /// a kernel's preferences go on as likely one way as the other.
    pub(crate) fn share_kept(&self, cell: &Cell) -> f64 {
        let sizes = self.cells.iter().map(Cell::model_size);
        let (low, high) = sizes.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), size| {
            (low.min(size), high.max(size))
        });
        let size = cell.model_size();
        let beyond = (low - size).max(size - high).max(0.0);
        (-(beyond / SIZES_BEYOND).powi(2)).exp()
    }

    fn covariances(&self, cell: &Cell) -> DVector<f64> {
        let covariances = self
            .cells
            .iter()
            .map(|known| self.kernel.covariance(cell, known));
        DVector::from_iterator(self.cells.len(), covariances)
    }
}
