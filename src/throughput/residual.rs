//! The residual correction: what the tables say beyond the physics, fading with distance from
//! the measured cells.
//!
//! Rows that differ in gradient accumulation alone share one *cell*: one width and depth, sequence
//! length, micro-batch, GPU count, GPU, choice of recomputation and family of shapes. The correction is a Gaussian process over cells with two
//! Matérn-3/2 components (Rasmussen & Williams, *Gaussian Processes for Machine Learning*, §4.2.1):
//! a slow one, for what the physics gets wrong over whole regions (a kernel that likes one shape
//! better), and a fast one, for single cells. Far from every cell it returns to zero, that is to
//! pure physics, and its variance to the prior one. Beyond the smallest and the largest model measured
//! it is given up sooner ([`Correction::share_kept`](super::fit::Correction::share_kept)).

use nalgebra::DMatrix;

use crate::configuration::{Configuration, Setting};
use crate::hardware::Card;
use crate::model::{FeedForward, Shape};

/// Axes of a cell: model width, layers, sequence length, tokens per micro-batch, GPUs; as base-2
/// logarithms, so that a distance of 1 is a factor of two.
pub(crate) const AXES: usize = 5;

/// A point of the residual correction's domain.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    /// Coordinates.
    pub(crate) at: [f64; AXES],
    /// GPU type.
    pub(crate) gpu: Card,
    /// Whether blocks are recomputed.
    pub(crate) recompute: bool,
    /// Kind of shape.
    pub(crate) family: Family,
}

/// What two shapes of the same width and depth can still differ in. Attention kernels are others for
/// other head widths, so that what one of them likes says little about another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Family {
    feed_forward: FeedForward,
    feed_forward_ratio: f64,
    heads_per_kv_head: f64,
    head_dim: u64,
    padded_vocabulary: u64,
}

/// What vocabularies are padded to: multiples of up to this many entries are in use.
const PADDING: u64 = 1024;

/// A vocabulary with all the padding in use, so that those of one tokenizer are the same. What
/// alignment does to the head is the physics' own.
pub(crate) fn padded(vocab_size: u64) -> u64 {
    vocab_size.div_ceil(PADDING).saturating_mul(PADDING)
}

impl Family {
    fn of(shape: &Shape) -> Self {
        Self {
            feed_forward: shape.feed_forward,
            feed_forward_ratio: shape.d_ff as f64 / shape.d_model as f64,
            heads_per_kv_head: shape.n_heads as f64 / shape.n_kv_heads as f64,
            head_dim: shape.head_dim,
            padded_vocabulary: padded(shape.vocab_size),
        }
    }
}

impl Cell {
    /// The axis of the model's width.
    pub(crate) const WIDTH: usize = 0;
    /// The axis of its layers.
    pub(crate) const DEPTH: usize = 1;
    /// The axis of the sequence length.
    pub(crate) const SEQUENCE: usize = 2;
    /// The axis of tokens per micro-batch.
    pub(crate) const TOKENS: usize = 3;
    /// The axis of GPUs. Not of nodes: part of a node is a step away from a whole one too.
    pub(crate) const GPUS: usize = 4;

    /// Base-2 logarithm of what a model's blocks grow with: depth times squared width.
    pub(crate) fn model_size(&self) -> f64 {
        2.0 * self.at[Self::WIDTH] + self.at[Self::DEPTH]
    }

    /// The cell of a configuration.
    pub(crate) fn new(setting: &Setting<'_>, configuration: &Configuration) -> Self {
        Self {
            at: [
                setting.shape.d_model as f64,
                setting.shape.n_layers as f64,
                configuration.seq_len as f64,
                configuration.micro_batch as f64 * configuration.seq_len as f64,
                configuration.gpus as f64,
            ]
            .map(f64::log2),
            gpu: setting.cluster.gpu.card(),
            recompute: configuration.activation_checkpointing,
            family: Family::of(setting.shape),
        }
    }
}

/// One component of the covariance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Component {
    /// Standard deviation of the logarithm of throughput.
    amplitude: f64,
    /// Length scale by axis, in doublings.
    lengths: [f64; AXES],
    /// Correlation between two GPU types, all else equal.
    across_gpus: f64,
    /// Correlation between recomputing and keeping, all else equal.
    across_recompute: f64,
    /// Correlation between two families of shapes, all else equal.
    across_families: f64,
}

/// The covariance of the correction over cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kernel {
    components: [Component; 2],
}

impl Kernel {
    /// For the stack and the hardware the physics was made for.
    pub(crate) const MEASURED: Self = Self {
        components: [
            Component {
                amplitude: 0.0125,
                lengths: [0.7, 0.7, 5.0, 3.0, 3.0],
                across_gpus: 0.5,
                across_recompute: 0.5,
                across_families: 0.5,
            },
            Component {
                amplitude: 0.007,
                lengths: [0.45, 0.45, 1.5, 0.75, 3.0],
                across_gpus: 0.2,
                across_recompute: 0.5,
                across_families: 0.2,
            },
        ],
    };

    /// For others, where more is left for it to explain.
    pub(crate) const TRANSFERRED: Self = Self {
        components: [
            Component {
                amplitude: 0.02,
                lengths: [1.0, 1.0, 5.0, 3.0, 3.0],
                ..Self::MEASURED.components[0]
            },
            Component {
                amplitude: 0.012,
                lengths: [0.3, 0.3, 1.0, 0.5, 2.0],
                ..Self::MEASURED.components[1]
            },
        ],
    };

    /// Prior covariance of the correction between two cells.
    pub(crate) fn covariance(&self, a: &Cell, b: &Cell) -> f64 {
        self.components
            .iter()
            .map(|component| component.covariance(a, b))
            .sum()
    }

    /// Its components.
    pub(crate) fn components(&self) -> &[Component] {
        &self.components
    }

    /// Prior variance of the correction anywhere.
    pub(crate) fn variance(&self) -> f64 {
        self.components
            .iter()
            .map(|component| component.amplitude.powi(2))
            .sum()
    }

    /// Prior covariance of all pairs of cells.
    pub(crate) fn matrix(&self, cells: &[Cell]) -> DMatrix<f64> {
        DMatrix::from_fn(cells.len(), cells.len(), |i, j| {
            self.covariance(&cells[i], &cells[j])
        })
    }
}

/// Largest correction, as a logarithm: a residual beyond it is no kernel's preference.
pub(crate) const BOUND: f64 = 0.1;

impl Component {
    fn covariance(&self, a: &Cell, b: &Cell) -> f64 {
        let distance: f64 = self
            .lengths
            .iter()
            .zip(a.at.iter().zip(&b.at))
            .map(|(length, (a, b))| ((a - b) / length).powi(2))
            .sum();
        self.variance_between_kinds(a, b)
            * across(a.recompute == b.recompute, self.across_recompute)
            * matern(distance)
    }

    /// Covariance at distance zero of two cells that recompute alike: GPU type and family may
    /// differ.
    pub(crate) fn variance_between_kinds(&self, a: &Cell, b: &Cell) -> f64 {
        self.amplitude.powi(2)
            * across(a.gpu == b.gpu, self.across_gpus)
            * across(a.family == b.family, self.across_families)
    }

    /// Length scale by axis, in doublings.
    pub(crate) fn lengths(&self) -> [f64; AXES] {
        self.lengths
    }

    /// Correlation between recomputing and keeping, all else equal.
    pub(crate) fn across_recompute(&self) -> f64 {
        self.across_recompute
    }
}

fn across(same: bool, correlation: f64) -> f64 {
    if same { 1.0 } else { correlation }
}

/// The Matérn-3/2 correlation at a squared distance in length scales; it falls with distance.
pub(crate) fn matern(squared_distance: f64) -> f64 {
    let root = (3.0 * squared_distance).sqrt();
    (1.0 + root) * (-root).exp()
}

/// Distance between two cells in units of the slow component's length scales, a change of GPU
/// type, of recomputation or of the family counting as one each.
pub(crate) fn distance(a: &Cell, b: &Cell) -> f64 {
    squared_distance(a, b, None).sqrt()
}

/// The square of [`distance`], as if both were at the same place of one axis.
fn squared_distance(a: &Cell, b: &Cell, but: Option<usize>) -> f64 {
    let axes: f64 = Kernel::MEASURED.components[0]
        .lengths
        .iter()
        .zip(a.at.iter().zip(&b.at))
        .enumerate()
        .filter(|(axis, _)| Some(*axis) != but)
        .map(|(_, (length, (a, b)))| ((a - b) / length).powi(2))
        .sum();
    let switches = [
        a.gpu != b.gpu,
        a.recompute != b.recompute,
        a.family != b.family,
    ];
    let switched = switches.iter().filter(|differs| **differs).count();
    axes + switched as f64
}

/// Base-2 logarithm of the tokens per micro-batch measured around a point: the mean over cells,
/// weighted by their nearness on all other axes.
pub(crate) fn tokens_measured_near(cell: &Cell, cells: &[&Cell]) -> f64 {
    let nearness = |other: &&Cell| squared_distance(cell, other, Some(Cell::TOKENS));
    let distances: Vec<f64> = cells.iter().map(nearness).collect();
    let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let (mut sum, mut total) = (0.0, 0.0);
    for (other, distance) in cells.iter().zip(&distances) {
        let weight = (-(distance - least) / 2.0).exp();
        sum += weight * other.at[Cell::TOKENS];
        total += weight;
    }
    sum / total
}

/// Bends a correction so that it never exceeds [`BOUND`], and hardly at all where it is small.
pub(crate) fn bounded(correction: f64) -> f64 {
    BOUND * (correction / BOUND).tanh()
}
