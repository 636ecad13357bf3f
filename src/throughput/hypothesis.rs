//! In what a user's rows may differ from the embedded tables, and how far.

use super::coefficients::{Coefficient, Id};

/// In what a user's rows differ from the embedded tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hypothesis {
    /// In nothing: they are more rows of the same kind.
    Same,
    /// Everything is faster or slower by one factor.
    Scale,
    /// The links are.
    Network,
    /// The software is: kernels, overlap, launch overheads.
    Stack,
    /// The software is a later one than the stack's name says: it gathers in bf16, and its kernels are
    /// later too.
    Later,
    /// The GPU is, and the software and the links with it.
    Gpu,
}

/// Freedom left to what a hypothesis doesn't name: rows of another day differ by as much.
const ELSEWHERE: f64 = 0.02;

/// Freedom of the common factor when everything is faster or slower.
const FREE_SCALE: f64 = 0.25;

/// Freedom of the links when they are what differs: up to a factor of three either way.
pub(super) const FREE_NETWORK: f64 = 0.6;

impl Hypothesis {
    /// Its name in fit files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Scale => "scale",
            Self::Network => "network",
            Self::Stack => "stack",
            Self::Later => "later software",
            Self::Gpu => "gpu",
        }
    }

    /// Standard deviation by which a coefficient may differ, on its fitted scale.
    pub(super) fn freedom(self, coefficient: &Coefficient) -> f64 {
        let loosening = &coefficient.loosening;
        match (self, coefficient.id) {
            (Self::Same, _) => 0.0,
            (Self::Scale, Id::Scale) => FREE_SCALE,
            (Self::Network, Id::BusBandwidth | Id::Synchronization | Id::NodeLatency) => {
                FREE_NETWORK
            }
            (Self::Scale | Self::Network, _) => ELSEWHERE,
            (Self::Stack | Self::Later, _) => loosening.stack,
            (Self::Gpu, _) => loosening
                .stack
                .hypot(loosening.gpu)
                .hypot(loosening.cluster),
        }
    }
}
