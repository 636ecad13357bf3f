//! Questions asked in a row, until the answer and the bound meet or the effort is spent.

use super::question::Answer;
use super::{Asked, Search};

/// How often anything better is asked for in a row.
const TIMES: usize = 4;
/// How many small questions may be asked, and the part of all effort that is for them.
const SMALL_ONES: u64 = 4;
const SMALL_SHARE: u64 = 4;
/// The same where small questions raise the bound.
const RAISING_SHARE: u64 = 8;
/// Questions closer together than this share of the answer are not worth their effort once one
/// of them stayed open.
const CLOSE: i64 = 2_000;

impl Search<'_> {
    /// Small questions first: the answer to a large one may be near what they find.
    pub(super) fn small(&mut self, asked: Asked, question: u64, left: &mut u64) {
        if self.open() {
            let mut some = (SMALL_ONES * question).min(*left / SMALL_SHARE);
            *left -= some;
            self.narrow(asked, question, &mut some);
            *left += some;
        }
    }

    /// Raises the bound by small questions.
    pub(super) fn raise_a_little(&mut self, asked: Asked, question: u64, left: &mut u64) {
        let mut some = *left / RAISING_SHARE;
        *left -= some;
        self.raise(asked, question, &mut some);
        *left += some;
    }

    /// Asks for anything better. The answer is often the best by now: halving what lies below it
    /// proves that last. What is better only by little isn't worth asking for often.
    pub(super) fn better(&mut self, asked: Asked, allowed: u64, left: &mut u64) {
        for _ in 0..TIMES {
            if !self.open() || *left == 0 {
                break;
            }
            match self.question(asked, self.caps(Some(self.value() - 1)), allowed, left) {
                Answer::Found(placed) => self.offer(&placed),
                Answer::Impossible => self.bound = self.value(),
                Answer::Open => break,
            }
        }
    }

    /// Asks for a schedule halfway between the bound and the best, until they meet or the effort
    /// is spent.
    pub(super) fn narrow(&mut self, asked: Asked, allowed: u64, left: &mut u64) {
        // Values between these were asked about and stayed open.
        let mut open: Option<(i64, i64)> = None;
        let mut above = true;
        loop {
            above |= open.is_none();
            let best = self.value();
            let close = best / CLOSE;
            let (low, high) = match open {
                None => (self.bound, best),
                Some((_, last)) if above => (last + 1 + close, best),
                Some((from, _)) => (self.bound, from - close),
            };
            if low >= high || *left == 0 {
                match open {
                    Some(_) if above && *left > 0 => above = false,
                    _ => return,
                }
                continue;
            }
            let value = low + (high - low - 1) / 2;
            match self.question(asked, self.caps(Some(value)), allowed, left) {
                Answer::Found(placed) => {
                    self.offer(&placed);
                    // What was found is below them all: they need no more asking.
                    if open.is_some_and(|(from, _)| self.value() <= from) {
                        open = None;
                    }
                }
                Answer::Impossible => {
                    self.bound = self.bound.max(value + 1);
                    if open.is_some_and(|(_, last)| last <= value) {
                        open = None;
                    }
                }
                Answer::Open => {
                    open = Some(open.map_or((value, value), |(from, last)| {
                        (from.min(value), last.max(value))
                    }));
                }
            }
        }
    }

    /// Raises the bound: asks whether there is anything halfway between it and what stayed open, where
    /// to tell that there is none takes less effort the less is allowed.
    pub(super) fn raise(&mut self, asked: Asked, allowed: u64, left: &mut u64) {
        let mut high = self.value();
        while high - self.bound > self.value() / CLOSE && *left > 0 {
            let value = self.bound + (high - self.bound - 1) / 2;
            match self.question(asked, self.caps(Some(value)), allowed, left) {
                Answer::Found(placed) => {
                    self.offer(&placed);
                    high = high.min(self.value());
                }
                Answer::Impossible => self.bound = self.bound.max(value + 1),
                Answer::Open => high = value,
            }
        }
    }
}
