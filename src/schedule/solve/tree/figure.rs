//! The figures of a schedule's worth, and what it means to cap one.

use crate::schedule::problem::{Aim, Caps};

/// The figure of a schedule's worth that is lowered whenever one is found, until there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schedule) enum Figure {
    First,
    Second,
    Third,
}

impl Figure {
    /// Caps by which this figure is at most `most` too.
    pub(in crate::schedule::solve) fn capped(self, aim: Aim, caps: Caps, most: i64) -> Caps {
        match (aim, self) {
            (Aim::Makespan, Self::First) | (Aim::Cost | Aim::Lateness, Self::Second) => {
                Caps { end: most, ..caps }
            }
            (Aim::Cost, Self::First)
            | (Aim::Makespan, Self::Second)
            | (Aim::Lateness, Self::Third) => Caps {
                cost: Some(most),
                ..caps
            },
            (Aim::Lateness, Self::First) => Caps {
                late: Some(most),
                ..caps
            },
            // Two figures say all that these schedules are asked.
            (Aim::Makespan | Aim::Cost, Self::Third) => caps,
        }
    }
}
