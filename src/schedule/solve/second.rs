//! What is minimised second, the first held.

use super::efforts::Efforts;
use super::question::Answer;
use super::tree::Figure;
use super::{Asked, Search};
use crate::schedule::bound;
use crate::schedule::problem::{Aim, Caps, Worth};

impl Search<'_> {
    /// Improves what is minimised second, the first held.
    pub(super) fn second(&mut self) {
        let Some((_, worth)) = self.best else { return };
        let mut low = match self.problem.aim {
            Aim::Makespan => bound::cheapest(self.problem),
            Aim::Cost | Aim::Lateness => bound::earliest_ends(self.problem)
                .into_iter()
                .max()
                .unwrap_or(0),
        };
        let efforts = Efforts::second(self.problem);
        let tree = self.depth.share(efforts.tree, self.problem);
        if low >= worth.second || self.lower(Figure::Second, tree) {
            return;
        }
        let mut left = self.depth.share(efforts.solver, self.problem);
        let mut high = self.best.as_ref().map_or(low, |(_, worth)| worth.second);
        while low < high && left > 0 {
            let value = low + (high - low - 1) / 2;
            let caps = self.second_caps(worth, value);
            let allowed = efforts.solver_question;
            match self.question(Asked::Solver, caps, allowed, &mut left) {
                Answer::Found(placed) => {
                    self.offer(&placed);
                    let best = self.best.as_ref().map_or(value, |(_, worth)| worth.second);
                    high = best.min(value);
                }
                Answer::Impossible | Answer::Open => low = value + 1,
            }
        }
    }

    /// As good as `worth` in the first figure, and `value` at most in the second.
    pub(super) fn second_caps(&self, worth: Worth, value: i64) -> Caps {
        let caps = self.caps(Some(worth.first));
        match self.problem.aim {
            Aim::Makespan => Caps {
                cost: Some(value),
                ..caps
            },
            Aim::Cost | Aim::Lateness => Caps { end: value, ..caps },
        }
    }
}
