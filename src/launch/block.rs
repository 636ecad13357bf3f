//! What trainers are told of a block beyond its shape, and what is said where it isn't known.

use crate::model::{FeedForward, Gate, Positions};

use super::{Launch, LaunchError};

impl Launch<'_> {
    /// What gates the feed-forward, where it is gated; where that isn't known, a note says so.
    pub(super) fn gate(&self) -> Gate {
        self.model.block.gate.unwrap_or(Gate::Silu)
    }

    /// The refusal of blocks whose two halves read the same input.
    pub(super) fn side_by_side(&self, target: &'static str) -> LaunchError {
        LaunchError::Inexpressible {
            target,
            what: format!(
                "attention and feed-forward side by side, as in {}",
                self.model.name
            ),
        }
    }

    /// What `trainer` takes where the model doesn't say.
    pub(super) fn block_notes(&self, trainer: &str) -> Vec<String> {
        let (shape, block) = (&self.model.shape, &self.model.block);
        let mut notes = Vec::new();
        if shape.positions == Positions::Rotary && block.rotary_base.is_none() {
            notes.push(format!(
                "the model doesn't say the base of its rotary positions: {trainer}'s default of 10000 \
                 is taken; `rotary_base` in the model's table sets it"
            ));
        }
        if shape.feed_forward == FeedForward::Gated && block.gate.is_none() {
            notes.push(
                "the model doesn't say what gates its feed-forward: SiLU is taken (SwiGLU); `gate` in \
                 the model's table sets it"
                    .into(),
            );
        }
        notes
    }
}
