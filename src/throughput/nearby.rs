//! The residual correction as the search sees it: a function of the tokens of a micro-batch.
//!
//! [`Correction::mean`](super::fit::Correction::mean) sums a covariance over cells and two
//! components. Of the five axes of a covariance's distance, two are settled by the setting (the
//! shape) and two more by the group (sequence length and GPUs), so each is added up once, and
//! only the tokens are left for the innermost loop.

use super::fit::Correction;
use super::residual::{AXES, Cell, matern};

/// One component of the covariance with one cell, what the shape settles settled.
#[derive(Debug, Clone, Copy)]
struct Term {
    /// Weight times prior covariance at distance zero.
    amount: f64,
    /// What is left of it where recomputation differs.
    across_recompute: f64,
    recompute: bool,
    /// Squared distance along width and depth, in length scales.
    shape: f64,
    /// The cell's place on the axes.
    at: [f64; AXES],
    /// Length scales of the component.
    lengths: [f64; AXES],
}

impl Term {
    fn squared(&self, axis: usize, at: f64) -> f64 {
        ((at - self.at[axis]) / self.lengths[axis]).powi(2)
    }
}

/// The correction around one setting.
#[derive(Debug, Clone, Default)]
pub(super) struct Neighbourhood {
    terms: Vec<Term>,
}

impl Neighbourhood {
    /// Adds `share` of a correction; `cell` is any cell of the setting.
    pub(super) fn add(&mut self, correction: &Correction, share: f64, cell: &Cell) {
        let cell = &*correction.as_measured(cell);
        for (known, weight) in correction.weighted_cells() {
            for component in correction.kernel.components() {
                let lengths = component.lengths();
                let settled = [Cell::WIDTH, Cell::DEPTH];
                self.terms.push(Term {
                    amount: share * weight * component.variance_between_kinds(cell, known),
                    across_recompute: component.across_recompute(),
                    recompute: known.recompute,
                    shape: settled
                        .map(|axis| ((cell.at[axis] - known.at[axis]) / lengths[axis]).powi(2))
                        .iter()
                        .sum(),
                    at: known.at,
                    lengths,
                });
            }
        }
    }

    /// The correction along the tokens of a micro-batch, at a sequence length and GPU count
    /// given as base-2 logarithms.
    pub(super) fn along_tokens(&self, seq_len: f64, gpus: f64, recompute: bool) -> AlongTokens {
        let ridges = self.terms.iter().map(|term| {
            let across = if term.recompute == recompute {
                1.0
            } else {
                term.across_recompute
            };
            Ridge {
                amount: term.amount * across,
                off: term.shape
                    + term.squared(Cell::SEQUENCE, seq_len)
                    + term.squared(Cell::GPUS, gpus),
                at: term.at[Cell::TOKENS],
                per_length: term.lengths[Cell::TOKENS].recip(),
            }
        });
        AlongTokens {
            ridges: ridges.collect(),
        }
    }
}

/// What one component of one cell contributes: a ridge over the tokens.
#[derive(Debug, Clone, Copy)]
struct Ridge {
    amount: f64,
    /// Squared distance along all other axes.
    off: f64,
    /// Base-2 logarithm of the tokens where it is highest.
    at: f64,
    per_length: f64,
}

impl Ridge {
    fn height(&self, tokens: f64) -> f64 {
        matern(self.off + ((tokens - self.at) * self.per_length).powi(2))
    }
}

/// The correction at one setting, GPU count, sequence length and checkpointing.
#[derive(Debug, Clone)]
pub(super) struct AlongTokens {
    ridges: Vec<Ridge>,
}

impl AlongTokens {
    /// The correction, not yet bounded, at a base-2 logarithm of tokens.
    pub(super) fn mean(&self, tokens: f64) -> f64 {
        self.ridges
            .iter()
            .map(|ridge| ridge.amount * ridge.height(tokens))
            .sum()
    }

    /// What [`AlongTokens::mean`] is nowhere less than between two base-2 logarithms of tokens:
    /// each positive ridge as low, each negative one as high as it gets there.
    pub(super) fn least(&self, low: f64, high: f64) -> f64 {
        self.ridges
            .iter()
            .map(|ridge| {
                let tokens = if ridge.amount < 0.0 {
                    ridge.at.clamp(low, high)
                } else if ridge.at - low > high - ridge.at {
                    low
                } else {
                    high
                };
                ridge.amount * ridge.height(tokens)
            })
            .sum()
    }
}
