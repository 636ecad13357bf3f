//! The starts left to each job, narrowed until a job has none: is there a schedule that ends in time?
//!
//! A job that may start within little time runs in between, whichever start it has: others have to do
//! without those nodes then (the timetable of cumulative scheduling, Le Pape 1994). What is left to
//! each is weighed against what is free in every slot of time, and starts that take too much of it
//! are taken away. Then one job is given each of the ways left to it, or each half of its starts, the
//! one with the least choice first.
//!
//! It is quick where little time is to spare: with few ways left, jobs that take long leave the
//! others little to choose.

mod domains;
mod weights;

use pumpkin_core::termination::TerminationCondition;

use self::domains::{Domains, Rules};
use self::weights::{Scales, Told};
use super::anneal;
use super::question::Effort;
use super::tree::{self, Outcome};
use crate::schedule::problem::{Caps, Placed, Problem, Task};

/// Times that what weights take away is told to the other jobs before one is given its way.
const AGAIN: usize = 3;
/// Starts within this share of the time until the end, one in so many, are not halved any more.
const NARROW: i64 = 200;
/// Effort for placing jobs that all have their ways and little choice of starts.
const PLACING: u64 = 20_000;

/// Looks for a schedule that ends by `caps.end`, within no other cap: where there is one, the question
/// stays open.
pub(in crate::schedule) fn ask(problem: &Problem, caps: Caps, effort: &mut Effort<'_>) -> Outcome {
    let open = Outcome {
        found: None,
        settled: false,
    };
    if caps.cost.is_some() || caps.late.is_some() {
        return open;
    }
    let rules = Rules::new(problem, caps.end);
    let Some(scales) = Scales::new(&rules) else {
        // No time at all.
        return Outcome {
            settled: !problem.tasks.is_empty(),
            ..open
        };
    };
    let weights = scales.even();
    let domains = Domains::new(&rules);
    let mut search = Search {
        rules,
        scales,
        caps,
        effort,
        open: false,
    };
    let found = search.from(domains, weights);
    Outcome {
        settled: found.is_some() || !search.open,
        found,
    }
}

struct Search<'a, 'e> {
    rules: Rules<'a>,
    scales: Scales,
    caps: Caps,
    effort: &'a mut Effort<'e>,
    /// Whether something was left undecided.
    open: bool,
}

impl Search<'_, '_> {
    /// A schedule with one of the starts left to each job.
    fn from(&mut self, mut domains: Domains, mut weights: Vec<f64>) -> Option<Vec<Placed>> {
        if self.effort.should_stop() {
            self.open = true;
            return None;
        }
        if !self.narrow(&mut domains, &mut weights) {
            return None;
        }
        let Some((job, choices)) = self.choices(&domains) else {
            return self.placed(&domains);
        };
        for (way, spans) in choices {
            let mut next = domains.clone();
            next.leave(job, way, &spans);
            let found = self.from(next, weights.clone());
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Takes starts away that no schedule of these has; whether each job has one left.
    fn narrow(&mut self, domains: &mut Domains, weights: &mut Vec<f64>) -> bool {
        let mut spent = 0;
        let mut left = domains.narrow(&self.rules, &mut spent);
        for _ in 0..=AGAIN {
            if !left {
                break;
            }
            let told = self.scales.weigh(&self.rules, domains, weights, &mut spent);
            left = told != Told::Exceeded && domains.narrow(&self.rules, &mut spent);
            if told != Told::Narrowed {
                break;
            }
        }
        self.effort.spend(spent);
        left
    }

    /// The job that is decided next, and what it is given one after another: a way, or with one left a
    /// part of its starts. `None` where little is left to choose.
    fn choices(&self, domains: &Domains) -> Option<(usize, Vec<(usize, domains::Spans)>)> {
        let tasks = &self.rules.problem.tasks;
        let jobs = || 0..tasks.len();
        let ways = |job: &usize| domains.ways(*job).count();
        let several = jobs().filter(|job| ways(job) > 1);
        let fewest = several.min_by_key(|job| (ways(job), -Task::least_area(&tasks[*job])));
        if let Some(job) = fewest {
            let choices = domains.ways(job);
            let choices = choices.map(|way| (way, domains.starts[job][way].clone()));
            return Some((job, choices.collect()));
        }
        let given = jobs().filter_map(|job| {
            let way = domains.ways(job).next()?;
            let spans = &domains.starts[job][way];
            let wide = spans.last()?.1 - spans.first()?.0;
            Some((job, way, spans, self.rules.mode(job, way), wide))
        });
        let given: Vec<_> = given.collect();
        let parted = given.iter().filter(|(_, _, spans, ..)| spans.len() > 1);
        let parted = parted.max_by_key(|(_, _, _, mode, _)| mode.nodes.saturating_mul(mode.steps));
        if let Some((job, way, spans, ..)) = parted {
            let each = spans.iter().map(|span| (*way, [*span].as_slice().into()));
            return Some((*job, each.collect()));
        }
        let wide = given
            .iter()
            .filter(|(.., wide)| *wide > self.rules.end / NARROW);
        let widest = wide
            .max_by_key(|(_, _, _, mode, wide)| mode.nodes.saturating_mul(mode.steps.min(*wide)));
        let (job, way, spans, ..) = widest?;
        let (from, to) = spans.first()?;
        let middle = from + (to - from) / 2;
        let halves = [(*from, middle), (middle + 1, *to)];
        let halves = halves.map(|half| (*way, [half].as_slice().into()));
        Some((*job, halves.into()))
    }

    /// A schedule in which each job runs the way that is left to it.
    fn placed(&mut self, domains: &Domains) -> Option<Vec<Placed>> {
        let problem = self.rules.problem;
        let jobs = 0..problem.tasks.len();
        let modes = jobs.clone().map(|job| domains.ways(job).next());
        let modes = modes.collect::<Option<Vec<usize>>>()?;
        let mut order: Vec<usize> = jobs.collect();
        let first = |job: usize| domains.starts[job][modes[job]].first().map(|span| span.0);
        order.sort_by_key(|job| (first(*job), *job));
        let at_once = anneal::in_order(problem, order, modes.clone());
        let at_once = at_once.filter(|placed| self.kept(placed));
        if at_once.is_some() {
            return at_once;
        }
        let tasks = problem.tasks.iter().zip(&modes).map(|(task, way)| Task {
            modes: vec![task.modes[*way]],
            after: task.after.clone(),
            ..*task
        });
        let given = Problem {
            tasks: tasks.collect(),
            sites: problem.sites.clone(),
            aim: problem.aim,
        };
        let left = self.effort.allowed.saturating_sub(self.effort.spent);
        let mut effort = Effort {
            spent: 0,
            allowed: left.min(PLACING),
            watch: self.effort.watch,
        };
        let outcome = tree::ask(&given, self.caps, None, None, &mut effort);
        self.effort.spent += effort.spent;
        self.open |= !outcome.settled;
        let found = outcome.found?;
        let found = found
            .iter()
            .zip(modes)
            .map(|(placed, mode)| Placed { mode, ..*placed });
        Some(found.collect())
    }

    fn kept(&self, placed: &[Placed]) -> bool {
        let problem = self.rules.problem;
        let mut ends = placed.iter().enumerate();
        problem.worth(placed).missed == 0
            && ends.all(|(job, placed)| problem.end(job, *placed) <= self.caps.end)
    }
}
