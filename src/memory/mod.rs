//! Peak memory per GPU by part, and whether it fits.
//!
//! The peak is that of live tensors, summed in the submodule `terms`: the larger of the phases a
//! step passes through, each affine in the tokens of a micro-batch. So a [`MemoryModel`] is built
//! once per (GPUs, sequence length, checkpointing) and answers any micro-batch in a few flops.
//!
//! Live tensors are not what the allocator takes: the CUDA context, NCCL's buffers, fragmentation
//! and blocks still in flight come on top. The verdict is therefore decided on the *margin*,
//! usable − peak − 2.2 × one block as gathered, by what 120 measured runs did: at 6.4 GiB of
//! margin and more every one ran at full speed; from 2.8 to 5.3 GiB some ran out of memory and
//! some thrashed the allocator at 0.3 to 0.9 of their speed; below 2.7 GiB all ran out. Where a run is
//! known to have run though it is estimated to be short, that counts instead ([`RanAs`]).

mod ran;
mod terms;

use schemars::JsonSchema;
use serde::Serialize;

use crate::configuration::{Configuration, Setting};
use crate::quantity::GIB;

use ran::Shown;
use terms::Phase;

pub use ran::RanAs;

/// Least margin, in bytes, that [`Verdict::Fits`].
pub const FITS_MARGIN_BYTES: f64 = 5.8 * GIB;
/// Least margin, in bytes, that is [`Verdict::Tight`].
pub const TIGHT_MARGIN_BYTES: f64 = 2.7 * GIB;
/// Gathered blocks in flight that the allocator holds beyond the peak of live tensors.
const BLOCKS_IN_FLIGHT: f64 = 2.2;

/// Whether a configuration fits; from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Runs at full speed.
    Fits,
    /// May run out of memory, or run slowly under allocator pressure.
    Tight,
    /// Runs out of memory.
    Overflows,
}

impl Verdict {
    /// The verdict on a margin, in bytes.
    #[must_use]
    pub fn of_margin(margin_bytes: f64) -> Self {
        if margin_bytes >= FITS_MARGIN_BYTES {
            Self::Fits
        } else if margin_bytes >= TIGHT_MARGIN_BYTES {
            Self::Tight
        } else {
            Self::Overflows
        }
    }

    /// Its name, as shown and as serialised.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::Tight => "tight",
            Self::Overflows => "overflows",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Parts of the peak, bytes per GPU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartBytes {
    /// Sharded parameters, gradients and optimizer states.
    pub states: f64,
    /// Gathered, unsharded parameters, their copies and gradients.
    pub gathered: f64,
    /// Activations kept for the backward pass.
    pub activations: f64,
    /// Logits, log-softmax and their gradient.
    pub logits: f64,
    /// Temporaries of the block being computed.
    pub workspace: f64,
}

impl PartBytes {
    /// The parts of `phase` at `tokens` tokens per micro-batch.
    fn of(phase: &Phase, tokens: f64) -> Self {
        Self {
            states: phase.states,
            gathered: phase.gathered,
            activations: phase.activations * tokens,
            logits: phase.logits * tokens,
            workspace: phase.workspace * tokens,
        }
    }

    /// Their sum, added in the order of the fields.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.states + self.gathered + self.activations + self.logits + self.workspace
    }
}

/// Peak memory by part, bytes per GPU; the parts add up to the peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryEstimate {
    /// Peak of live tensors.
    pub peak_bytes: f64,
    /// What the peak is made of.
    pub parts: PartBytes,
    /// What a process can use.
    pub usable_bytes: f64,
    /// `usable − peak − allocator reserve`: what the verdict is decided on.
    pub margin_bytes: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// The run that shows that verdict, where the estimate's would be worse.
    pub ran_as: Option<RanAs>,
}

/// Memory of one (setting, GPUs, sequence length, checkpointing) as a function of the
/// micro-batch; it never falls as the micro-batch grows.
#[derive(Debug, Clone)]
pub struct MemoryModel {
    phases: Vec<Phase>,
    seq_len: u64,
    usable_bytes: f64,
    reserve_bytes: f64,
    shown: Shown,
}

impl MemoryModel {
    /// Precomputes everything that the micro-batch doesn't change.
    #[must_use]
    pub fn new(
        setting: &Setting<'_>,
        gpus: u64,
        seq_len: u64,
        activation_checkpointing: bool,
    ) -> Self {
        let gathered_block =
            setting.stack.precision.gather_bytes() * setting.shape.block_matrix_params() as f64;
        Self {
            phases: terms::phases(setting, gpus, seq_len, activation_checkpointing),
            seq_len,
            usable_bytes: setting.cluster.gpu.usable_bytes(),
            reserve_bytes: BLOCKS_IN_FLIGHT * gathered_block,
            shown: Shown::default(),
        }
    }

    /// The same with runs of the setting's model, stack and GPU that are known to have run; `gpus` and
    /// `activation_checkpointing` are those it was built with.
    #[must_use]
    pub fn with_runs(mut self, runs: &[RanAs], gpus: u64, activation_checkpointing: bool) -> Self {
        self.shown = Shown::by(runs, gpus, self.seq_len, activation_checkpointing);
        self
    }

    /// Parts of the peak at `micro_batch` sequences.
    fn parts(&self, micro_batch: u64) -> PartBytes {
        let tokens = micro_batch as f64 * self.seq_len as f64;
        let nothing = PartBytes {
            states: 0.0,
            gathered: 0.0,
            activations: 0.0,
            logits: 0.0,
            workspace: 0.0,
        };
        self.phases
            .iter()
            .map(|phase| PartBytes::of(phase, tokens))
            .fold(nothing, |worst, parts| {
                if parts.total() > worst.total() {
                    parts
                } else {
                    worst
                }
            })
    }

    /// Peak of live tensors at `micro_batch` sequences, bytes per GPU.
    #[must_use]
    pub fn peak(&self, micro_batch: u64) -> f64 {
        self.parts(micro_batch).total()
    }

    /// `usable − peak − allocator reserve` at `micro_batch` sequences, bytes per GPU.
    #[must_use]
    pub fn margin(&self, micro_batch: u64) -> f64 {
        self.margin_beside(self.peak(micro_batch))
    }

    fn margin_beside(&self, peak_bytes: f64) -> f64 {
        self.usable_bytes - peak_bytes - self.reserve_bytes
    }

    /// The verdict at `micro_batch` sequences; never better for more of them.
    #[must_use]
    pub fn verdict(&self, micro_batch: u64) -> Verdict {
        self.judge(self.margin(micro_batch), micro_batch).0
    }

    /// The run that shows that `micro_batch` sequences run, whatever is estimated of them.
    pub(crate) fn ran_as(&self, micro_batch: u64) -> Option<RanAs> {
        self.shown.run(micro_batch.saturating_mul(self.seq_len))
    }

    fn judge(&self, margin_bytes: f64, micro_batch: u64) -> (Verdict, Option<RanAs>) {
        let tokens = micro_batch.saturating_mul(self.seq_len);
        self.shown.better(Verdict::of_margin(margin_bytes), tokens)
    }

    /// Everything at `micro_batch` sequences.
    #[must_use]
    pub fn estimate(&self, micro_batch: u64) -> MemoryEstimate {
        let parts = self.parts(micro_batch);
        let peak_bytes = parts.total();
        let margin_bytes = self.margin_beside(peak_bytes);
        let (verdict, ran_as) = self.judge(margin_bytes, micro_batch);
        MemoryEstimate {
            peak_bytes,
            parts,
            usable_bytes: self.usable_bytes,
            margin_bytes,
            verdict,
            ran_as,
        }
    }

    /// The largest micro-batch whose verdict is `worst` or better; `None` when a micro-batch of
    /// one is already worse, `u64::MAX` when `worst` rules nothing out.
    #[must_use]
    pub fn largest_micro_batch(&self, worst: Verdict) -> Option<u64> {
        let accepted = |micro_batch| self.verdict(micro_batch) <= worst;
        if !accepted(1) {
            return None;
        }
        let (mut accepted_up_to, mut limit) = (1, u64::MAX);
        while accepted_up_to < limit {
            let middle = accepted_up_to + (limit - accepted_up_to).div_ceil(2);
            if accepted(middle) {
                accepted_up_to = middle;
            } else {
                limit = middle - 1;
            }
        }
        Some(accepted_up_to)
    }
}

/// Estimates the peak memory of one configuration, by the estimate alone.
///
/// Where many micro-batches are asked for, build a [`MemoryModel`] once.
#[must_use]
pub fn estimate(setting: &Setting<'_>, configuration: &Configuration) -> MemoryEstimate {
    MemoryModel::new(
        setting,
        configuration.gpus,
        configuration.seq_len,
        configuration.activation_checkpointing,
    )
    .estimate(configuration.micro_batch)
}
