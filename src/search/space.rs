//! The space of launch configurations: its axes, resolved for each cluster.

use std::ops::RangeInclusive;

use thiserror::Error;

use super::axis::{Axis, Switch};
use super::batch::Batch;
use super::gpu_counts::GpuCounts;
use crate::hardware::Cluster;
use crate::model::MAX_SEQ_LEN;
use crate::quantity::display_thousands;

/// The axes of the search, as asked for. `auto` means:
///
/// | axis | `auto` |
/// |---|---|
/// | GPUs | powers of two nodes up to the cluster's largest size, and that size itself |
/// | sequence length | not resolved here: the model's own has to be filled in |
/// | micro-batch | every power of two up to what the global batch allows; 3, 5 and 7 times them and a GPU's share divided by 1 to 32 too (by the accumulations asked for), unless one batch is asked for whose share for a GPU is a power of two |
/// | gradient accumulation | whatever meets the global batch |
/// | checkpointing | both |
#[derive(Debug, Clone, PartialEq)]
pub struct Axes {
    /// GPUs.
    pub gpus: Axis,
    /// Tokens in a sequence.
    pub seq_len: Axis,
    /// Sequences per GPU in one forward and backward pass.
    pub micro_batch: Axis,
    /// Micro-batches per GPU and optimizer step.
    pub grad_accum: Axis,
    /// Activation checkpointing.
    pub activation_checkpointing: Switch,
    /// Tokens per optimizer step: met exactly when both ends are equal (or, where the axes can't,
    /// from at most 5 % below), anything inside when they aren't.
    pub global_batch: RangeInclusive<u64>,
}

/// Why there is no space to search.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpaceError {
    /// More points than 64 bits count.
    #[error(
        "the search space has {} points, more than 64 bits can count; narrow an axis",
        display_thousands(*.points)
    )]
    TooManyPoints {
        /// How many; `u128::MAX` when even 128 bits don't count them.
        points: u128,
    },
    /// The sequence length was left open.
    #[error("the sequence length is `auto`, but a space needs it given")]
    NoSequenceLength,
    /// A sequence length beyond what any model takes.
    #[error("sequence length {seq_len} is more than the {MAX_SEQ_LEN} tokens supported")]
    SequenceTooLong {
        /// The length.
        seq_len: u64,
    },
    /// No tokens, or a range that ends before it starts.
    #[error("the global batch {min}..{max} is empty")]
    EmptyGlobalBatch {
        /// Its lower end.
        min: u64,
        /// Its upper end.
        max: u64,
    },
}

/// All launch configurations of a job over some clusters.
#[derive(Debug, Clone)]
pub struct Space<'a> {
    axes: Axes,
    clusters: &'a [Cluster],
    gpu_counts: Vec<GpuCounts>,
    /// Points whose GPU count no cluster can give.
    pub(super) refused: u128,
}

/// Points that share a cluster, a GPU count and a sequence length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group<'a> {
    /// Position of the cluster.
    pub cluster_index: usize,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// GPUs.
    pub gpus: u64,
    /// Tokens in a sequence.
    pub seq_len: u64,
}

impl Group<'_> {
    /// Tokens of one sequence on every GPU.
    #[must_use]
    pub fn tokens_per_sequence(&self) -> u128 {
        u128::from(self.gpus) * u128::from(self.seq_len)
    }
}

impl<'a> Space<'a> {
    /// Resolves the axes for each cluster.
    ///
    /// # Errors
    /// When the points can't be counted in 64 bits, when the sequence length is open or too long,
    /// or when the global batch is empty.
    pub fn new(axes: Axes, clusters: &'a [Cluster]) -> Result<Self, SpaceError> {
        Self::build(axes, clusters, false)
    }

    /// [`Space::new`] in which GPU counts left on `auto` are every number of whole nodes up to the
    /// cluster's largest.
    ///
    /// # Errors
    /// As [`Space::new`].
    pub fn of_every_node(axes: Axes, clusters: &'a [Cluster]) -> Result<Self, SpaceError> {
        Self::build(axes, clusters, true)
    }

    fn build(axes: Axes, clusters: &'a [Cluster], every_node: bool) -> Result<Self, SpaceError> {
        let (min, max) = (*axes.global_batch.start(), *axes.global_batch.end());
        if min == 0 || min > max {
            return Err(SpaceError::EmptyGlobalBatch { min, max });
        }
        let Some(longest) = axes.seq_len.largest_up_to(u64::MAX) else {
            return Err(SpaceError::NoSequenceLength);
        };
        let gpu_counts: Vec<GpuCounts> = clusters
            .iter()
            .map(|cluster| GpuCounts::new(&axes.gpus, cluster, every_node))
            .collect();
        let counted = |counts: fn(&GpuCounts) -> u64| -> u128 {
            gpu_counts.iter().map(|c| u128::from(counts(c))).sum()
        };
        let refused_counts = counted(|counts| counts.refused);
        let all_counts = refused_counts + counted(GpuCounts::len);
        let per_count = points_per_gpu_count(&axes);
        let points = per_count.and_then(|per_count| per_count.checked_mul(all_counts));
        match points {
            Some(points) if u64::try_from(points).is_ok() => {}
            points => {
                return Err(SpaceError::TooManyPoints {
                    points: points.unwrap_or(u128::MAX),
                });
            }
        }
        if longest > MAX_SEQ_LEN {
            return Err(SpaceError::SequenceTooLong { seq_len: longest });
        }
        let refused = refused_counts.saturating_mul(per_count.unwrap_or(u128::MAX));
        Ok(Self {
            axes,
            clusters,
            gpu_counts,
            refused,
        })
    }

    /// How many groups there are.
    #[must_use]
    pub fn groups(&self) -> u64 {
        self.gpu_counts
            .iter()
            .map(|counts| counts.len().saturating_mul(self.axes.seq_len.len()))
            .fold(0, u64::saturating_add)
    }

    /// How many GPU counts of clusters there are.
    pub(super) fn gpu_counts(&self) -> u64 {
        self.gpu_counts
            .iter()
            .map(GpuCounts::len)
            .fold(0, u64::saturating_add)
    }

    /// The group at `index`, from 0.
    #[must_use]
    pub fn group(&self, mut index: u64) -> Option<Group<'a>> {
        let seq_lens = self.axes.seq_len.len();
        for (position, (cluster, counts)) in self.clusters.iter().zip(&self.gpu_counts).enumerate()
        {
            let groups = counts.len().saturating_mul(seq_lens);
            if index < groups {
                return Some(Group {
                    cluster_index: position,
                    cluster,
                    gpus: counts.get(index.checked_div(seq_lens)?)?,
                    seq_len: self.axes.seq_len.get(index.checked_rem(seq_lens)?)?,
                });
            }
            index -= groups;
        }
        None
    }

    /// The groups of one GPU count of the cluster at `position`.
    pub(super) fn groups_of(
        &self,
        position: usize,
        gpus: u64,
    ) -> impl Iterator<Item = Group<'a>> + '_ {
        let cluster = self.clusters.get(position);
        self.axes.seq_len.iter().filter_map(move |seq_len| {
            Some(Group {
                cluster_index: position,
                cluster: cluster?,
                gpus,
                seq_len,
            })
        })
    }

    /// The checkpointing choices.
    #[must_use]
    pub fn checkpointing(&self) -> &'static [bool] {
        self.axes.activation_checkpointing.choices()
    }

    /// What meets the global batch in `group`.
    pub(super) fn batch(&self, group: &Group<'_>) -> Batch<'_> {
        Batch::new(
            group.tokens_per_sequence(),
            &self.axes.global_batch,
            &self.axes.micro_batch,
            &self.axes.grad_accum,
        )
    }

    /// At most `limit` GPU counts of each cluster, by position of the cluster.
    pub(super) fn sampled_gpu_counts(&self, limit: u64) -> Vec<Vec<u64>> {
        self.gpu_counts
            .iter()
            .map(|counts| counts.sample(limit))
            .collect()
    }
}

/// Points of one GPU count, an axis left on `auto` counted once; `None` beyond 128 bits.
fn points_per_gpu_count(axes: &Axes) -> Option<u128> {
    let choices = axes.activation_checkpointing.choices().len() as u64;
    let lengths = [
        axes.seq_len.len(),
        axes.micro_batch.len().max(1),
        axes.grad_accum.len().max(1),
    ];
    lengths
        .into_iter()
        .try_fold(u128::from(choices), |points, length| {
            points.checked_mul(u128::from(length))
        })
}
