//! A schedule improved step by step: the order of the jobs and each one's way to run.

use rayon::prelude::*;

use super::list::{self, Random};
use crate::schedule::problem::{Aim, Free, Placed, Problem, Worth};
use crate::search::Watch;

#[derive(Debug, Clone)]
struct Recipe {
    order: Vec<usize>,
    modes: Vec<usize>,
}

/// Rounds of one cooling for a dozen jobs; a round's work grows with the jobs' square.
const ROUNDS: usize = 10_000;
/// The same where nothing else has told whether there is anything better.
const MORE_ROUNDS: usize = 100_000;
const A_DOZEN: usize = 12;
/// Times that the search starts again from the best so far.
const TURNS: usize = 4;
/// Searches that cool down each time, at once: each finds what another misses.
const AT_ONCE: usize = 8;
/// How much worse a step may be at first, as a share of the price.
const HEAT: f64 = 0.02;

/// How long a schedule is improved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// As long as the first answer is worth.
    Quick,
    /// As long as the last one is.
    Slow,
}

impl Pace {
    fn rounds(self) -> usize {
        match self {
            Self::Quick => ROUNDS,
            Self::Slow => MORE_ROUNDS,
        }
    }
}

/// The best schedule found from this one on: threshold accepting (Dueck & Scheuer 1990) over the
/// order of the jobs and their ways to run; the same one for any number of threads.
pub(super) fn improved(
    problem: &Problem,
    from: &[Placed],
    pace: Pace,
    watch: &Watch<'_>,
) -> Vec<Placed> {
    let mut order: Vec<usize> = (0..from.len()).collect();
    order.sort_by_key(|job| (from[*job].start, *job));
    let modes = from.iter().map(|placed| placed.mode).collect();
    let mut best = Held {
        recipe: Recipe { order, modes },
        price: price(problem, problem.worth(from), from),
        placed: from.to_vec(),
        worth: problem.worth(from),
    };
    let heat = best.price * HEAT;
    for turn in 0..TURNS {
        let searches = (0..AT_ONCE).into_par_iter().map(|search| {
            let mut random = Random::new(from.len(), turn * AT_ONCE + search);
            cooled(problem, &best, (heat, pace.rounds()), &mut random, watch)
        });
        let found: Vec<Held> = searches.collect();
        for found in found {
            if found.worth < best.worth {
                best = found;
            }
        }
    }
    best.placed
}

/// The best that one search finds while it cools down.
fn cooled(
    problem: &Problem,
    from: &Held,
    (heat, rounds): (f64, usize),
    random: &mut Random,
    watch: &Watch<'_>,
) -> Held {
    let larger = from.placed.len().max(A_DOZEN);
    let rounds = rounds * A_DOZEN * A_DOZEN / (larger * larger);
    let (mut held, mut best) = (from.clone(), from.clone());
    for round in 0..rounds {
        if watch.is_cancelled() {
            break;
        }
        let recipe = held.recipe.changed(problem, random);
        let Some(placed) = build(problem, &recipe) else {
            continue;
        };
        let worth = problem.worth(&placed);
        let price = price(problem, worth, &placed);
        let cold = 1.0 - round as f64 / rounds as f64;
        let chance = random.below(1000) as f64 / 1000.0;
        if price > held.price + heat * cold * cold * chance {
            continue;
        }
        held = Held {
            recipe,
            placed,
            worth,
            price,
        };
        if held.worth < best.worth {
            best = held.clone();
        }
    }
    best
}

#[derive(Debug, Clone)]
struct Held {
    recipe: Recipe,
    placed: Vec<Placed>,
    worth: Worth,
    price: f64,
}

impl Recipe {
    /// One or two changes: jobs change places, one moves, or some run another way.
    fn changed(&self, problem: &Problem, random: &mut Random) -> Self {
        let mut next = self.clone();
        let count = next.order.len();
        let other_way = |next: &mut Self, random: &mut Random| {
            let job = random.below(count);
            next.modes[job] = random.below(problem.tasks[job].modes.len());
        };
        for _ in 0..=random.below(2) {
            match random.below(4) {
                0 => next.order.swap(random.below(count), random.below(count)),
                1 => {
                    let job = next.order.remove(random.below(count));
                    next.order.insert(random.below(count), job);
                }
                2 => other_way(&mut next, random),
                _ => {
                    other_way(&mut next, random);
                    other_way(&mut next, random);
                }
            }
        }
        next
    }
}

/// What the search goes by: the worth, and room left for others where it is the same.
fn price(problem: &Problem, worth: Worth, placed: &[Placed]) -> f64 {
    let missed = worth.missed as f64;
    let first = worth.first as f64;
    match problem.aim {
        Aim::Makespan => {
            let area = placed.iter().enumerate().map(|(job, placed)| {
                let mode = problem.mode(job, *placed);
                mode.nodes as f64 * mode.steps as f64
            });
            let nodes: i64 = problem.sites.iter().map(Free::most).sum();
            first + area.sum::<f64>() / nodes.max(1) as f64 / 8.0 + missed * 100.0
        }
        Aim::Cost => first + missed * 1000.0,
        Aim::Lateness => first + worth.second as f64 / 8.0,
    }
}

/// The jobs in the order and the ways of a schedule of other jobs, as near as they have them.
pub(super) fn like(problem: &Problem, others: &Problem, placed: &[Placed]) -> Option<Vec<Placed>> {
    let mut order: Vec<usize> = (0..placed.len()).collect();
    order.sort_by_key(|job| (placed[*job].start, *job));
    let modes = placed.iter().enumerate().map(|(job, placed)| {
        let other = others.mode(job, *placed);
        let ways = problem.tasks[job].modes.iter();
        ways.enumerate()
            .filter(|(_, mode)| mode.site == other.site && mode.nodes <= other.nodes)
            .max_by_key(|(_, mode)| mode.nodes)
            .map(|(way, _)| way)
    });
    let modes = modes.collect::<Option<_>>()?;
    in_order(problem, order, modes)
}

/// The jobs as early as they can run, in an order, each run one of its ways.
pub(super) fn in_order(
    problem: &Problem,
    order: Vec<usize>,
    modes: Vec<usize>,
) -> Option<Vec<Placed>> {
    build(problem, &Recipe { order, modes })
}

fn build(problem: &Problem, recipe: &Recipe) -> Option<Vec<Placed>> {
    list::in_order(problem, &recipe.order, |rooms, job, ready| {
        let mode = recipe.modes[job];
        let way = problem.tasks[job].modes[mode];
        let start = rooms[way.site].first_start(ready, way.steps, way.nodes)?;
        Some(Placed { mode, start })
    })
}
