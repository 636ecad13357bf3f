//! From the embedded tables to a few measurements of the user's own.
//!
//! A user's rows come from another stack, another cluster or another GPU, and there are few of
//! them: three, five, ten. Refitting everything to them would throw the shared physics away.
//! Instead the coefficients fitted to the embedded tables are the starting belief, loosened in
//! the ways in which the new place may differ, and only what the rows speak about moves.
//!
//! What differs is not known beforehand. Each [`Hypothesis`] loosens something else; all are
//! fitted, and the one under which the rows are most probable is kept (Bayesian model choice by
//! Laplace's approximation; `MacKay`, *Information Theory, Inference, and Learning Algorithms*,
//! chapter 28). A simple one wins when it explains the rows, since it spreads its bets less.

use super::coefficients::{Coefficient, Id};
use super::fit::{Belief, FitError, Start};
use super::layer::Layer;
use super::residual::{Cell, Kernel};
use crate::configuration::Setting;
use crate::measure::Measurement;

/// In what a user's rows differ from the embedded tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hypothesis {
    /// Everything is faster or slower by one factor.
    Scale,
    /// The links are.
    Network,
    /// The software is: kernels, overlap, launch overheads.
    Stack,
    /// The GPU is, and the software with it.
    Gpu,
}

/// Freedom left to what a hypothesis doesn't name: rows of another day differ by as much.
const ELSEWHERE: f64 = 0.02;

/// Freedom of the common factor when everything is faster or slower.
const FREE_SCALE: f64 = 0.25;

/// Freedom of the links when they are what differs: up to a factor of three either way.
const FREE_NETWORK: f64 = 0.6;

/// Share of the embedded tables' correction that carries over on the same GPU architecture.
const CORRECTION_KEPT: f64 = 0.8;

impl Hypothesis {
    /// All that can be true on GPUs of the same architecture.
    const SAME_GPU: [Self; 3] = [Self::Scale, Self::Network, Self::Stack];

    /// Its name in fit files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Network => "network",
            Self::Stack => "stack",
            Self::Gpu => "gpu",
        }
    }

    /// Standard deviation by which a coefficient may differ, on its fitted scale.
    fn freedom(self, coefficient: &Coefficient) -> f64 {
        let loosening = &coefficient.loosening;
        match (self, coefficient.id) {
            (Self::Scale, Id::Scale) => FREE_SCALE,
            (Self::Network, Id::BusBandwidth | Id::Synchronization | Id::NodeLatency) => {
                FREE_NETWORK
            }
            (Self::Scale | Self::Network, _) => ELSEWHERE,
            (Self::Stack, _) => loosening.stack,
            (Self::Gpu, _) => loosening.stack.hypot(loosening.gpu),
        }
    }
}

/// Where a user's rows were measured, and so what they speak for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Peak of the GPU's architecture: cards that differ in memory alone share it.
    peak_flops: f64,
    stack: String,
    /// `None` for rows that name no cluster: they speak for any with that GPU.
    cluster: Option<String>,
}

impl Place {
    pub(crate) fn of(setting: &Setting<'_>) -> Self {
        let cluster = setting.cluster;
        Self {
            peak_flops: cluster.gpu.peak_flops,
            stack: setting.stack.name.clone(),
            cluster: (cluster.name != cluster.gpu.name).then(|| cluster.name.clone()),
        }
    }

    /// Whether rows of this place speak for another.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let same_cluster = self.cluster.is_none() || self.cluster == other.cluster;
        same_cluster && self.stack == other.stack && self.same_architecture(other)
    }

    /// Whether its rows name a cluster, which makes them speak for it before others do.
    pub(crate) fn names_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    fn same_architecture(&self, other: &Self) -> bool {
        (self.peak_flops / other.peak_flops - 1.0).abs() < 1e-6
    }
}

/// A user's rows of one place, fitted on top of the embedded tables.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) place: Place,
    pub(crate) layer: Layer,
    /// What differs there, as far as the rows tell.
    pub(crate) hypothesis: Hypothesis,
    /// Share of the base's correction that holds there too.
    pub(crate) kept: f64,
}

impl Context {
    /// Fits rows of one place on top of a base.
    pub(crate) fn new(place: Place, rows: &[Measurement], base: &Layer) -> Result<Self, FitError> {
        let first = rows.first().ok_or(FitError::NoRows)?;
        let same_gpu = base
            .rows
            .iter()
            .any(|(row, _)| Place::of(&row.setting()).same_architecture(&place));
        let hypotheses = if same_gpu {
            &Hypothesis::SAME_GPU[..]
        } else {
            &[Hypothesis::Gpu][..]
        };
        let kept = if same_gpu { CORRECTION_KEPT } else { 0.0 };
        let shifted = base.belief_on(&first.stack);
        let mut best: Option<(Hypothesis, Layer)> = None;
        let mut failure = FitError::NoRows;
        for &hypothesis in hypotheses {
            match fit_under(hypothesis, rows, base, &shifted, kept) {
                Ok(layer) => {
                    let better = best.as_ref().is_none_or(|(_, known)| {
                        layer.solution.log_evidence > known.solution.log_evidence
                    });
                    if better {
                        best = Some((hypothesis, layer));
                    }
                }
                Err(error) => failure = error,
            }
        }
        let (hypothesis, layer) = best.ok_or(failure)?;
        Ok(Self {
            place,
            layer,
            hypothesis,
            kept,
        })
    }
}

fn fit_under(
    hypothesis: Hypothesis,
    rows: &[Measurement],
    base: &Layer,
    belief: &Belief,
    kept: f64,
) -> Result<Layer, FitError> {
    let start = Start {
        belief: belief.loosened(|coefficient| hypothesis.freedom(coefficient)),
        kernel: Kernel::TRANSFERRED,
        known: &|cell: &Cell| kept * base.solution.correction.mean(cell),
    };
    Layer::new(rows.to_vec(), &start)
}

/// Fits a user's rows, place by place, on top of a base.
pub(crate) fn contexts(base: &Layer, rows: &[Measurement]) -> Result<Vec<Context>, FitError> {
    let mut places: Vec<(Place, Vec<Measurement>)> = Vec::new();
    for row in rows {
        let place = Place::of(&row.setting());
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, of_place)) => of_place.push(row.clone()),
            None => places.push((place, vec![row.clone()])),
        }
    }
    places
        .into_iter()
        .map(|(place, rows)| Context::new(place, &rows, base))
        .collect()
}
