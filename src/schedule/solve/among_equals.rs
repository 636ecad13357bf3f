//! What is minimised among equals, what comes before it held.

use super::efforts::Efforts;
use super::question::Answer;
use super::tree::Figure;
use super::{Asked, Search};
use crate::schedule::bound;
use crate::schedule::problem::{Aim, Caps, Worth};

impl Search<'_> {
    /// Improves what is minimised second, and among equals of that third; whether it is proven that
    /// neither can be better.
    pub(super) fn among_equals(&mut self) -> bool {
        let second = self.improve(Figure::Second);
        let third = self.problem.aim != Aim::Lateness || self.improve(Figure::Third);
        second && third
    }

    /// Improves a figure, those before it held; whether it is proven that it can't be better.
    fn improve(&mut self, figure: Figure) -> bool {
        let Some((_, worth)) = self.best else {
            return false;
        };
        let mut low = match (self.problem.aim, figure) {
            (Aim::Makespan, _) | (_, Figure::Third) => bound::cheapest(self.problem),
            _ => bound::earliest_ends(self.problem)
                .into_iter()
                .max()
                .unwrap_or(0),
        };
        let efforts = Efforts::second(self.problem);
        let tree = self.depth.share(efforts.tree, self.problem);
        if low >= worth.of(figure) || self.lower(figure, tree) {
            return true;
        }
        let mut left = self.depth.share(efforts.solver, self.problem);
        let mut high = self.figure(figure).unwrap_or(low);
        let mut open = false;
        while low < high && left > 0 {
            let value = low + (high - low - 1) / 2;
            let caps = self.caps_of(worth, figure, value);
            let allowed = efforts.solver_question;
            match self.question(Asked::Solver, caps, allowed, &mut left) {
                Answer::Found(placed) => {
                    self.offer(&placed);
                    high = self.figure(figure).unwrap_or(value).min(value);
                }
                answer @ (Answer::Impossible | Answer::Open) => {
                    open |= answer == Answer::Open;
                    low = value + 1;
                }
            }
        }
        low >= high && !open
    }

    /// A figure of the best schedule so far.
    fn figure(&self, figure: Figure) -> Option<i64> {
        let best = self.best.as_ref();
        best.map(|(_, worth)| worth.of(figure))
    }

    /// As good as `worth` in the figures before one, and `most` at most in that.
    pub(super) fn caps_of(&self, worth: Worth, figure: Figure, most: i64) -> Caps {
        let before: &[Figure] = match figure {
            Figure::First => &[],
            Figure::Second => &[Figure::First],
            Figure::Third => &[Figure::First, Figure::Second],
        };
        let aim = self.problem.aim;
        let held = before.iter().fold(self.caps(None), |caps, before| {
            before.capped(aim, caps, worth.of(*before))
        });
        figure.capped(aim, held, most)
    }
}

impl Worth {
    /// One of its figures.
    pub(super) fn of(self, figure: Figure) -> i64 {
        match figure {
            Figure::First => self.first,
            Figure::Second => self.second,
            Figure::Third => self.third,
        }
    }
}
