//! Jobs' least shares of what is free, at weights for every slot of time.
//!
//! Time is cut into slots, of which each has a weight. A job takes of a slot what its nodes and the
//! steps it runs in it are of all that is free in it; each job starts where, and runs the way, that these
//! shares times the weights are least. Where the jobs take more together than all slots have, no
//! schedule has one of the starts left to each: the Lagrangian relaxation of the capacity that a
//! market prices lateness by, here for the question alone whether there is a schedule. A start at which
//! a job takes so much more than its least that this is exceeded is in none either (fixing by reduced
//! costs).

use super::domains::{Domains, Rules, Spans};
use crate::schedule::bound::LENIENT;
use crate::schedule::bound::market::slots::{At, Slot, place, slots};

/// Slots that the time until the end has, apart from when what is free changes: a choice. With twice as
/// many, a proof takes as many decisions, each for twice the time.
const SLOTS: i64 = 64;
/// Rounds in which the weights move, and those without anything better after which they stay.
const ROUNDS: usize = 600;
const PATIENCE: usize = 40;
const BETTER: f64 = 1e-4;
/// How far they move in a round, and at most. With steps as long as those of other weights, half of what
/// these tell stays untold.
const STRIDE: f64 = 0.1;
const LEAST_MOVE: f64 = 0.3;
const MOST_MOVE: f64 = 3.0;
const LEAST_WEIGHT: f64 = 1e-9;
/// Starts that are looked at in the time of a decision of the tree.
const STARTS: usize = 50;
/// The share of a way's starts that is worth looking at the others again for.
const WORTH_IT: f64 = 0.9;

/// What there is to weigh.
pub(super) struct Scales {
    slots: Vec<Vec<Slot>>,
    /// The place of each site's first slot among all.
    first: Vec<usize>,
}

/// What weights tell of starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The jobs take more than there is.
    Exceeded,
    /// Some starts are taken away.
    Narrowed,
    /// Little or nothing.
    Nothing,
}

/// A start between which and the next of its span what a job takes goes evenly.
struct Start {
    at: i64,
    /// The place of its span among the way's.
    span: usize,
    site: usize,
    nodes: f64,
    begin: At,
    end: At,
}

/// What a node-step, and a node from the beginning of time to each slot, weighs.
struct Priced<'a> {
    scales: &'a Scales,
    per_step: Vec<f64>,
    before: Vec<f64>,
}

impl Scales {
    /// `None` where there is no time.
    pub(super) fn new(rules: &Rules<'_>) -> Option<Self> {
        let sites = rules.problem.sites.iter();
        let slots = sites.map(|site| slots(site, rules.end / SLOTS + 1, rules.end));
        let slots: Vec<Vec<Slot>> = slots.collect();
        let first = slots.iter().scan(0, |next, slots| {
            let first = *next;
            *next += slots.len();
            Some(first)
        });
        let first = first.collect();
        (!slots.iter().any(Vec::is_empty)).then_some(Self { slots, first })
    }

    /// Weights to begin with, by which every node-step counts as much.
    pub(super) fn even(&self) -> Vec<f64> {
        let all = self.slots.iter().flatten().map(|slot| slot.held());
        let most = all.clone().fold(1.0, f64::max);
        all.map(|held| (held / most).max(LEAST_WEIGHT)).collect()
    }

    /// Moves the weights, and takes starts away.
    pub(super) fn weigh(
        &self,
        rules: &Rules<'_>,
        domains: &mut Domains,
        weights: &mut Vec<f64>,
        spent: &mut u64,
    ) -> Told {
        let starts = domains.starts.iter().enumerate();
        let starts = starts.map(|(job, ways)| {
            let ways = ways.iter().enumerate();
            let ways = ways.map(|(way, spans)| self.starts(rules, (job, way), spans));
            ways.collect()
        });
        let starts: Vec<Vec<Vec<Start>>> = starts.collect();
        let looks = starts.iter().flatten().map(Vec::len).sum::<usize>();
        let (mut best, mut waited) = ((0.0, weights.clone()), 0);
        let mut taken = vec![0.0; weights.len()];
        for _ in 0..ROUNDS {
            *spent += 1 + (looks / STARTS) as u64;
            let priced = self.priced(weights);
            let mut least = Vec::with_capacity(starts.len());
            taken.fill(0.0);
            for ways in &starts {
                let mut cheapest: Option<(f64, &Start)> = None;
                for start in ways.iter().flatten() {
                    let cost = priced.of(start);
                    if cheapest.is_none_or(|(least, _)| cost < least) {
                        cheapest = Some((cost, start));
                    }
                }
                let Some((cost, start)) = cheapest else {
                    return Told::Exceeded;
                };
                least.push(cost);
                self.take(start, &mut taken);
            }
            let (together, most) = (least.iter().sum::<f64>(), weights.iter().sum::<f64>());
            if together > most * LENIENT {
                return Told::Exceeded;
            }
            waited += 1;
            if together / most > best.0 + BETTER {
                best = (together / most, weights.clone());
                waited = 0;
            }
            let last = waited > PATIENCE || taken.iter().all(|taken| *taken <= 1.0);
            if waited == 0 || last {
                let spare = most * LENIENT - together;
                let most: Vec<f64> = least.iter().map(|least| least + spare).collect();
                if narrowed(domains, &starts, &priced, &most) {
                    return Told::Narrowed;
                }
            }
            if last {
                break;
            }
            moved(weights, &taken);
        }
        *weights = best.1;
        Told::Nothing
    }

    /// The starts in some spans, between which what a job takes goes evenly.
    fn starts(&self, rules: &Rules<'_>, (job, way): (usize, usize), spans: &Spans) -> Vec<Start> {
        let mode = rules.mode(job, way);
        let slots = &self.slots[mode.site];
        let mut starts = Vec::new();
        for (span, (from, to)) in spans.iter().enumerate() {
            let begins = slots.iter().map(|slot| slot.from);
            let turns = begins.flat_map(|at| [at, at - mode.steps]);
            let turns = turns.filter(|at| from < at && at < to);
            let mut turns: Vec<i64> = turns.chain([*from, *to]).collect();
            turns.sort_unstable();
            turns.dedup();
            starts.extend(turns.into_iter().map(|at| Start {
                at,
                span,
                site: mode.site,
                nodes: mode.nodes as f64,
                begin: place(slots, at),
                end: place(slots, at + mode.steps),
            }));
        }
        starts
    }

    fn priced(&self, weights: &[f64]) -> Priced<'_> {
        let (mut per_step, mut before) = (Vec::new(), Vec::new());
        for (slots, first) in self.slots.iter().zip(&self.first) {
            let mut sum = 0.0;
            for (slot, weight) in slots.iter().zip(&weights[*first..]) {
                let price = if slot.nodes > 0 {
                    weight / slot.held()
                } else {
                    0.0
                };
                per_step.push(price);
                before.push(sum);
                sum += price * slot.steps();
            }
        }
        Priced {
            scales: self,
            per_step,
            before,
        }
    }

    /// Adds the shares that a job takes of every slot.
    fn take(&self, start: &Start, taken: &mut [f64]) {
        let first = self.first[start.site];
        for slot in start.begin.0..=start.end.0 {
            let of = self.slots[start.site][slot];
            let from = if slot == start.begin.0 {
                start.begin.1
            } else {
                0.0
            };
            let to = if slot == start.end.0 {
                start.end.1
            } else {
                of.steps()
            };
            if to > from && of.nodes > 0 {
                taken[first + slot] += start.nodes * (to - from) / of.held();
            }
        }
    }
}

impl Priced<'_> {
    fn of(&self, start: &Start) -> f64 {
        let first = self.scales.first[start.site];
        let until = |(slot, steps): At| {
            let place = first + slot;
            self.before[place] + self.per_step[place] * steps
        };
        start.nodes * (until(start.end) - until(start.begin))
    }
}

/// Moves weights towards slots of which too much is taken (multiplicative weights).
fn moved(weights: &mut [f64], taken: &[f64]) {
    let mut heaviest: f64 = 0.0;
    for (weight, taken) in weights.iter_mut().zip(taken) {
        *weight *= (1.0 + STRIDE * (taken - 1.0)).clamp(LEAST_MOVE, MOST_MOVE);
        heaviest = heaviest.max(*weight);
    }
    for weight in weights.iter_mut() {
        *weight = (*weight / heaviest).max(LEAST_WEIGHT);
    }
}

/// Takes the starts away at which a job takes more than its most; whether that is worth looking at
/// the others again for.
fn narrowed(
    domains: &mut Domains,
    starts: &[Vec<Vec<Start>>],
    priced: &Priced<'_>,
    most: &[f64],
) -> bool {
    let mut worth_it = false;
    let jobs = domains.starts.iter_mut().zip(starts).zip(most);
    for ((domains, ways), most) in jobs {
        for (spans, starts) in domains.iter_mut().zip(ways) {
            if starts.iter().all(|start| priced.of(start) <= *most) {
                continue;
            }
            let left = within(starts, priced, *most);
            let (before, after) = (steps(spans), steps(&left));
            worth_it |= (after as f64) < before as f64 * WORTH_IT;
            if after < before {
                *spans = left;
            }
        }
    }
    worth_it
}

/// The starts at which a job takes no more than that, and perhaps one beside each of them.
fn within(starts: &[Start], priced: &Priced<'_>, most: f64) -> Spans {
    let mut left = Spans::new();
    let mut add = |from: i64, to: i64| match left.last_mut() {
        Some(last) if from <= last.1 + 1 => last.1 = to.max(last.1),
        _ => left.push((from, to)),
    };
    for (start, next) in starts
        .iter()
        .zip(starts.iter().skip(1).map(Some).chain([None]))
    {
        let here = priced.of(start);
        if here <= most {
            add(start.at, start.at);
        }
        let Some(next) = next.filter(|next| next.span == start.span) else {
            continue;
        };
        let there = priced.of(next);
        // Between the two; where both are on one side, no matter what.
        let share = ((most - here) / (there - here)).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, reason = "no further than the next")]
        let steps = ((next.at - start.at) as f64 * share) as i64;
        let turn = (start.at + steps).clamp(start.at, next.at);
        match (here <= most, there <= most) {
            (true, true) => add(start.at, next.at),
            (true, false) => add(start.at, (turn + 1).min(next.at)),
            (false, true) => add(turn, next.at),
            (false, false) => {}
        }
    }
    left
}

fn steps(spans: &Spans) -> i64 {
    spans.iter().map(|(from, to)| to - from + 1).sum()
}
