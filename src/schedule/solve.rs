//! From a problem to the best schedule found and a proof of how good it is.
//!
//! A list schedule gives the first answer and simple sums the first bound; the solver is then
//! asked again and again whether there is a schedule halfway between the two, until they meet or
//! its effort is spent. Effort is counted, not timed: the same problem gets the same answer on
//! any machine.

use super::exact::{Answer, Caps, Effort, ask};
use super::problem::{Aim, Placed, Problem, Worth};
use super::{bound, list};
use crate::search::Watch;

/// Effort for up to a dozen jobs; more jobs get less, since each decision takes longer.
const EFFORT: u64 = 90_000;
/// Effort for one question.
const EFFORT_PER_QUESTION: u64 = 20_000;
/// Effort for what is minimised second.
const SECOND_EFFORT: u64 = 12_000;
const SECOND_EFFORT_PER_QUESTION: u64 = 3_000;
const A_DOZEN: u64 = 12;
/// Questions closer together than this share of the answer are not worth their effort once one
/// of them stayed open.
const CLOSE: i64 = 2_000;

/// A schedule and how good it is.
#[derive(Debug, Clone)]
pub(super) struct Solved {
    pub(super) placed: Vec<Placed>,
    pub(super) worth: Worth,
    /// What no schedule can be better than, in the first figure.
    pub(super) bound: i64,
    /// Whether the search for a better one was ended early.
    pub(super) partial: bool,
}

/// Why there is no schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsolved {
    /// It is proven that there is none.
    Impossible,
    /// None was found, but there may be one.
    Unknown,
}

/// Solves the problem; a watch that is cancelled ends it with the best schedule so far.
pub(super) fn solve(problem: &Problem, watch: &Watch<'_>) -> Result<Solved, Unsolved> {
    let share = |effort: u64| effort * A_DOZEN / A_DOZEN.max(problem.tasks.len() as u64);
    watch.begin(share(EFFORT) + share(SECOND_EFFORT));
    let horizon = problem.horizon();
    let quick = list::best(problem, watch).map(|placed| {
        let worth = problem.worth(&placed);
        (placed, worth)
    });
    let mut search = Search {
        problem,
        horizon,
        bound: bound::first(problem),
        best: quick.filter(|(_, worth)| worth.missed == 0),
        left: share(EFFORT),
        per_question: EFFORT_PER_QUESTION,
        watch,
        partial: watch.is_cancelled(),
    };
    search.first()?;
    search.second(share(SECOND_EFFORT));
    let (placed, worth) = search.best.ok_or(Unsolved::Unknown)?;
    Ok(Solved {
        placed,
        worth,
        bound: search.bound.min(worth.first),
        partial: search.partial,
    })
}

struct Search<'a> {
    problem: &'a Problem,
    horizon: i64,
    bound: i64,
    best: Option<(Vec<Placed>, Worth)>,
    left: u64,
    per_question: u64,
    watch: &'a Watch<'a>,
    partial: bool,
}

impl Search<'_> {
    /// Narrows what is minimised first.
    fn first(&mut self) -> Result<(), Unsolved> {
        if self.best.is_none() {
            match self.question(self.caps(None)) {
                Answer::Found(placed) => self.offer(&placed),
                Answer::Impossible => return Err(Unsolved::Impossible),
                Answer::Open => return Err(Unsolved::Unknown),
            }
        }
        // Values between these were asked about and stayed open.
        let mut open: Option<(i64, i64)> = None;
        let mut above = true;
        loop {
            above |= open.is_none();
            let best = self
                .best
                .as_ref()
                .map_or(i64::MAX, |(_, worth)| worth.first);
            let close = best / CLOSE;
            let (low, high) = match open {
                None => (self.bound, best),
                Some((_, last)) if above => (last + 1 + close, best),
                Some((from, _)) => (self.bound, from - close),
            };
            if low >= high || self.left == 0 {
                match open {
                    Some(_) if above && self.left > 0 => above = false,
                    _ => return Ok(()),
                }
                continue;
            }
            let value = low + (high - low - 1) / 2;
            match self.question(self.caps(Some(value))) {
                Answer::Found(placed) => {
                    self.offer(&placed);
                    if let Some((from, last)) = open
                        && let Some((_, worth)) = &self.best
                        && worth.first <= from
                    {
                        open = (worth.first > last).then_some((from, last));
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

    /// Improves what is minimised second, the first held.
    fn second(&mut self, effort: u64) {
        let Some((_, worth)) = self.best else { return };
        self.left = effort;
        self.per_question = SECOND_EFFORT_PER_QUESTION;
        let mut low = match self.problem.aim {
            Aim::Makespan => bound::cheapest(self.problem),
            Aim::Cost | Aim::Lateness => bound::earliest_ends(self.problem)
                .into_iter()
                .max()
                .unwrap_or(0),
        };
        let mut high = worth.second;
        while low < high && self.left > 0 {
            let value = low + (high - low - 1) / 2;
            let caps = match self.problem.aim {
                Aim::Makespan => Caps {
                    cost: Some(value),
                    ..self.caps(Some(worth.first))
                },
                Aim::Cost | Aim::Lateness => Caps {
                    end: value,
                    ..self.caps(Some(worth.first))
                },
            };
            match self.question(caps) {
                Answer::Found(placed) => {
                    self.offer(&placed);
                    high = self
                        .best
                        .as_ref()
                        .map_or(value, |(_, worth)| worth.second)
                        .min(value);
                }
                Answer::Impossible | Answer::Open => low = value + 1,
            }
        }
    }

    fn caps(&self, first: Option<i64>) -> Caps {
        let open = Caps {
            end: self.horizon,
            cost: None,
            late: None,
        };
        match (self.problem.aim, first) {
            (_, None) => open,
            (Aim::Makespan, Some(end)) => Caps { end, ..open },
            (Aim::Cost, cost) => Caps { cost, ..open },
            (Aim::Lateness, late) => Caps { late, ..open },
        }
    }

    fn question(&mut self, caps: Caps) -> Answer {
        let mut effort = Effort {
            spent: 0,
            allowed: self.per_question.min(self.left),
            watch: self.watch,
        };
        let answer = ask(self.problem, caps, &mut effort);
        self.left = self.left.saturating_sub(effort.spent.max(1));
        if self.watch.is_cancelled() {
            self.left = 0;
            self.partial = true;
        }
        answer
    }

    fn offer(&mut self, placed: &[Placed]) {
        let placed = list::shifted(self.problem, placed);
        let worth = self.problem.worth(&placed);
        if self.best.as_ref().is_none_or(|(_, best)| worth < *best) {
            self.best = Some((placed, worth));
        }
    }
}
