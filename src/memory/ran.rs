//! What ran, whatever is estimated of it.

use schemars::JsonSchema;
use serde::Serialize;

use super::Verdict;
use crate::configuration::{Configuration, on_off};
use crate::quantity::counted;

/// A run that was measured though it is estimated to be short of memory, and how it ran.
///
/// The estimate counts what the measured stack holds; other software may hold less (a cross-entropy in
/// chunks never has all logits), and a run that was measured ran. So does one of the same model, stack
/// and GPU that holds no more: on as many GPUs or more, of sequences and micro-batches no longer, with
/// activations recomputed if the other's were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RanAs {
    /// What was measured.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// Whether it ran as fast as with memory to spare.
    pub at_full_speed: bool,
}

impl RanAs {
    /// The one that speaks for a configuration, of some of its model, stack and GPU.
    pub(crate) fn of(runs: &[Self], configuration: &Configuration) -> Option<Self> {
        let Configuration {
            gpus,
            seq_len,
            activation_checkpointing,
            ..
        } = *configuration;
        Shown::by(runs, gpus, seq_len, activation_checkpointing)
            .run(configuration.micro_batch_tokens())
    }

    /// It in words, such as `a micro-batch of 4 x 8192 tokens on 8 GPUs, checkpointing on`.
    pub(crate) fn words(&self) -> String {
        let ran = &self.configuration;
        format!(
            "a micro-batch of {} x {} tokens on {}, checkpointing {}",
            ran.micro_batch,
            ran.seq_len,
            counted(ran.gpus, "GPU"),
            on_off(ran.activation_checkpointing)
        )
    }

    /// What it shows of a run that holds no more.
    pub(crate) fn verdict(self) -> Verdict {
        if self.at_full_speed {
            Verdict::Fits
        } else {
            Verdict::Tight
        }
    }

    /// The most tokens of a micro-batch that it speaks for, where it speaks for such runs at all.
    fn most_tokens(self, gpus: u64, seq_len: u64, activation_checkpointing: bool) -> Option<u64> {
        let ran = &self.configuration;
        let speaks = ran.gpus <= gpus
            && ran.seq_len >= seq_len
            && (activation_checkpointing || !ran.activation_checkpointing);
        speaks.then(|| ran.micro_batch.saturating_mul(ran.seq_len))
    }

    /// Whether a run held no more than this one.
    pub(crate) fn holds_at_least(self, other: &Configuration) -> bool {
        let tokens = other.micro_batch.saturating_mul(other.seq_len);
        self.most_tokens(other.gpus, other.seq_len, other.activation_checkpointing)
            .is_some_and(|most| tokens <= most)
    }
}

/// The runs that speak for one (GPUs, sequence length, checkpointing): of those at full speed, and of
/// all, the one of the most tokens in a micro-batch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    at_full_speed: Option<(u64, RanAs)>,
    at_all: Option<(u64, RanAs)>,
}

impl Shown {
    pub(super) fn by(
        runs: &[RanAs],
        gpus: u64,
        seq_len: u64,
        activation_checkpointing: bool,
    ) -> Self {
        let speaking = || {
            runs.iter().filter_map(|run| {
                let most = run.most_tokens(gpus, seq_len, activation_checkpointing)?;
                Some((most, *run))
            })
        };
        // Of equals the first, so that the order of rows decides and nothing else.
        let largest = |found: &mut dyn Iterator<Item = (u64, RanAs)>| {
            found.reduce(|best, next| if next.0 > best.0 { next } else { best })
        };
        Self {
            at_full_speed: largest(&mut speaking().filter(|(_, run)| run.at_full_speed)),
            at_all: largest(&mut speaking()),
        }
    }

    /// The run that shows that a micro-batch of so many tokens runs, at full speed if one does.
    pub(super) fn run(&self, tokens: u64) -> Option<RanAs> {
        let holds = |shown: &Option<(u64, RanAs)>| {
            let (most, run) = (*shown)?;
            (tokens <= most).then_some(run)
        };
        holds(&self.at_full_speed).or_else(|| holds(&self.at_all))
    }

    /// The better of the estimate's verdict on a micro-batch of so many tokens and what ran; with the
    /// run where it is that.
    pub(super) fn better(&self, estimated: Verdict, tokens: u64) -> (Verdict, Option<RanAs>) {
        match self.run(tokens) {
            Some(run) if run.verdict() < estimated => (run.verdict(), Some(run)),
            _ => (estimated, None),
        }
    }
}
