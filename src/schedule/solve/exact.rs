//! The schedule as a constraint program, solved by lazy clause generation (Ohrimenko, Stuckey &
//! Codish 2009; the `pumpkin` solver): is there a schedule at least so good?
//!
//! Each way to run a job is a task of its own with a start; a way that is not taken is parked at
//! a step beyond the horizon that no other task reaches. One cumulative constraint a cluster keeps
//! the capacity; what others have booked is a fixed task. Multi-mode resource-constrained project
//! scheduling, as in Schutt, Feydt & Stuckey 2013.

use pumpkin_conflict_resolvers::resolvers::ResolutionResolver;
use pumpkin_constraints::{cumulative, less_than_or_equals};
use pumpkin_core::Solver;
use pumpkin_core::constraints::Constraint;
use pumpkin_core::options::{SequenceGeneratorType, SolverOptions};
use pumpkin_core::predicate;
use pumpkin_core::proof::ConstraintTag;
use pumpkin_core::results::{ProblemSolution, SatisfactionResult, Solution};
use pumpkin_core::variables::{AffineView, DomainId, Literal, TransformableVariable};

use super::question::{Answer, Effort};
use crate::schedule::bound::market::Market;
use crate::schedule::problem::{Caps, Placed, Problem, Task};

/// Looks for a schedule within `caps`; jobs start only when a market leaves it open, where there is one
/// of this problem.
pub(in crate::schedule) fn ask(
    problem: &Problem,
    caps: Caps,
    market: Option<&Market>,
    effort: &mut Effort<'_>,
) -> Answer {
    let posted = Model::new(problem, caps, market).and_then(|mut model| {
        model.post()?;
        Ok(model)
    });
    match posted {
        Ok(mut model) => model.solve(effort),
        Err(answer) => answer,
    }
}

/// Posting either works or is the answer already.
type Posted<T = ()> = Result<T, Answer>;

/// A way to run a job: its start, and whether it is taken.
#[derive(Debug, Clone, Copy)]
struct Way {
    mode: usize,
    start: DomainId,
    taken: Literal,
    steps: i32,
    nodes: i32,
    cost: i32,
    site: usize,
    latest: i32,
}

struct Model<'a> {
    problem: &'a Problem,
    caps: Caps,
    market: Option<&'a Market>,
    end: i32,
    solver: Solver,
    tag: ConstraintTag,
    ways: Vec<Vec<Way>>,
    ends: Vec<DomainId>,
}

/// Values stay below this, so that no sum inside the solver leaves 32 bits.
const LARGEST: i64 = 1 << 29;

/// Numbers too large for the solver leave the question open.
fn narrow(value: i64) -> Posted<i32> {
    let small = i32::try_from(value).ok();
    small.filter(|_| value.abs() <= LARGEST).ok_or(Answer::Open)
}

/// Conflicts before the solver starts again from what it learned, times Luby's sequence.
const RESTART: u64 = 100;

/// Restarts in the order of Luby, Sinclair & Zuckerman (1993), from early on: where the solver's own,
/// which come after ten thousand conflicts, went astray, a proof took three times as long.
fn options() -> SolverOptions {
    let mut options = SolverOptions::default();
    options.restart_options.sequence_generator_type = SequenceGeneratorType::Luby;
    options.restart_options.base_interval = RESTART;
    options
        .restart_options
        .min_num_conflicts_before_first_restart = RESTART;
    options
}

impl<'a> Model<'a> {
    fn new(problem: &'a Problem, caps: Caps, market: Option<&'a Market>) -> Posted<Self> {
        let modes = || problem.tasks.iter().flat_map(|task| &task.modes);
        let parked: i64 = modes().map(|mode| mode.steps.min(caps.end) + 1).sum();
        let costs: i64 = modes().map(|mode| mode.cost).sum();
        let nodes: i64 = modes().map(|mode| mode.nodes).sum();
        let pieces = problem
            .sites
            .iter()
            .map(|site| site.pieces.iter().map(|_| site.most()).sum::<i64>());
        let dues = problem.tasks.iter().filter_map(|task| task.due);
        let weights = dues
            .map(|due| due.per_step().max(due.parts()))
            .fold(0, i64::saturating_add);
        narrow(caps.end + parked)?;
        narrow(costs)?;
        narrow(nodes + pieces.sum::<i64>())?;
        if caps.late.is_some() {
            narrow(weights.saturating_mul(caps.end))?;
        }
        let mut solver = Solver::with_options(options());
        let tag = solver.new_constraint_tag();
        Ok(Self {
            problem,
            caps,
            market,
            end: narrow(caps.end)?,
            solver,
            tag,
            ways: Vec::new(),
            ends: Vec::new(),
        })
    }

    fn post(&mut self) -> Posted {
        let mut parking = self.end + 1;
        for (job, task) in self.problem.tasks.iter().enumerate() {
            self.task(job, task, &mut parking)?;
            self.consistent()?;
        }
        self.predecessors()?;
        for site in 0..self.problem.sites.len() {
            self.consistent()?;
            self.capacity(site)?;
            self.consistent()?;
            self.energy(site)?;
        }
        self.consistent()?;
        self.cost()?;
        self.consistent()?;
        self.lateness()
    }

    /// Stops where what was posted so far contradicts itself already.
    fn consistent(&self) -> Posted {
        if self.solver.is_inconsistent() {
            Err(Answer::Impossible)
        } else {
            Ok(())
        }
    }

    fn task(&mut self, job: usize, task: &Task, parking: &mut i32) -> Posted {
        let last = self.problem.last(task, self.caps.end);
        let end = self.solver.new_bounded_integer(0, self.end);
        let mut ways = Vec::new();
        for (mode, way) in task.modes.iter().enumerate() {
            let most = self.problem.sites[way.site].most();
            // Parked or not, a way wider than the cluster would break its capacity.
            if way.steps + task.release > last || way.nodes > most {
                continue;
            }
            let mut open = self.open(job, mode);
            // A gap that ends beyond the last start would forbid the step at which ways are parked.
            open.retain(|(from, _)| *from <= last - way.steps);
            let (Some(first), Some(until)) = (open.first(), open.last()) else {
                continue;
            };
            let first = narrow(task.release.max(first.0))?;
            let (steps, latest) = (narrow(way.steps)?, narrow(until.1.min(last - way.steps))?);
            if first > latest {
                continue;
            }
            let park = *parking;
            *parking += steps + 1;
            let start = self.solver.new_bounded_integer(first, park);
            for gap in open.windows(2) {
                let (before, after) = (narrow(gap[0].1)?, narrow(gap[1].0)?);
                let outside = [predicate![start <= before], predicate![start >= after]];
                self.solver.add_clause(outside, self.tag);
            }
            let taken = predicate![start <= latest];
            let parked = predicate![start >= park];
            self.solver.add_clause([taken, parked], self.tag);
            let taken = self.solver.new_literal_for_predicate(taken, self.tag);
            let ended =
                less_than_or_equals(vec![start.scaled(1), end.scaled(-1)], -steps, self.tag);
            ended.implied_by(&mut self.solver, taken);
            ways.push(Way {
                mode,
                start,
                taken,
                steps,
                nodes: narrow(way.nodes)?,
                cost: narrow(way.cost)?,
                site: way.site,
                latest,
            });
        }
        if ways.is_empty() {
            return Err(Answer::Impossible);
        }
        let some: Vec<_> = ways
            .iter()
            .map(|way| way.taken.get_true_predicate())
            .collect();
        self.solver.add_clause(some, self.tag);
        for (index, one) in ways.iter().enumerate() {
            for other in ways.iter().take(index) {
                let both = [
                    one.taken.get_false_predicate(),
                    other.taken.get_false_predicate(),
                ];
                self.solver.add_clause(both, self.tag);
            }
        }
        self.ways.push(ways);
        self.ends.push(end);
        Ok(())
    }

    /// When a job may start in a way, for all that a market tells: from and up to, in order.
    fn open(&self, job: usize, mode: usize) -> Vec<(i64, i64)> {
        match (self.market, self.caps.late) {
            (Some(market), Some(most)) => market.open(job, mode, most),
            _ => vec![(0, i64::from(self.end))],
        }
    }

    /// Every way to run a job starts after its predecessors' ends; a parked one does anyway.
    fn predecessors(&mut self) -> Posted {
        for (job, task) in self.problem.tasks.iter().enumerate() {
            for &before in &task.after {
                for way in &self.ways[job] {
                    let waits = vec![self.ends[before].scaled(1), way.start.scaled(-1)];
                    let waits = less_than_or_equals(waits, 0, self.tag);
                    self.solver.add_constraint(waits).post();
                    self.consistent()?;
                }
            }
        }
        Ok(())
    }

    fn here(&self, site: usize) -> Vec<Way> {
        let ways = self.ways.iter().flatten();
        ways.filter(|way| way.site == site).copied().collect()
    }

    fn capacity(&mut self, site: usize) -> Posted {
        let free = &self.problem.sites[site];
        if self.here(site).is_empty() {
            return Ok(());
        }
        let most = free.most();
        let mut starts = Vec::new();
        let mut steps = Vec::new();
        let mut nodes = Vec::new();
        for way in self.here(site) {
            starts.push(way.start);
            steps.push(way.steps);
            nodes.push(way.nodes);
        }
        for piece in &free.pieces {
            let (from, to) = (piece.from, piece.to.min(self.caps.end));
            if piece.nodes < most && from < to {
                let from_step = narrow(from)?;
                starts.push(self.solver.new_bounded_integer(from_step, from_step));
                steps.push(narrow(to - from)?);
                nodes.push(narrow(most - piece.nodes)?);
            }
        }
        let keeps = cumulative(starts, steps, nodes, narrow(most)?, self.tag);
        self.solver.add_constraint(keeps).post();
        Ok(())
    }

    /// The node-steps of what runs here are free here before the end. It follows from the
    /// capacity, but the solver doesn't see that by itself.
    fn energy(&mut self, site: usize) -> Posted {
        let ways = self.here(site);
        let area = self.problem.sites[site].area(self.caps.end);
        let taken = |way: &Way| i64::from(way.steps) * i64::from(way.nodes);
        let all: i64 = ways.iter().map(taken).sum();
        // What is coarser still holds: shares of the area, rounded to the lenient side.
        let unit = all.max(1) / (LARGEST / 2) + 1;
        let most = narrow((area / unit + 1).min(LARGEST))?;
        let terms: Posted<Vec<AffineView<Literal>>> = ways
            .iter()
            .map(|way| Ok(way.taken.scaled(narrow(taken(way) / unit)?)))
            .collect();
        let most = if unit == 1 {
            narrow(area.min(LARGEST))?
        } else {
            most
        };
        self.at_most(terms?, most);
        Ok(())
    }

    fn cost(&mut self) -> Posted {
        let Some(most) = self.caps.cost else {
            return Ok(());
        };
        let ways = self.ways.iter().flatten();
        let terms = ways.map(|way| way.taken.scaled(way.cost)).collect();
        self.at_most(terms, narrow(most.min(LARGEST))?);
        Ok(())
    }

    fn lateness(&mut self) -> Posted {
        let Some(most) = self.caps.late else {
            return Ok(());
        };
        let mut terms = Vec::new();
        for (job, task) in self.problem.tasks.iter().enumerate() {
            let Some(due) = task.due else { continue };
            let parts = narrow(due.parts())?;
            let most = narrow(due.parts_late(self.caps.end))?;
            let late = self.solver.new_bounded_integer(0, most);
            let behind = vec![self.ends[job].scaled(parts), late.scaled(-1)];
            let behind = less_than_or_equals(behind, narrow(due.at().min(LARGEST))?, self.tag);
            self.solver.add_constraint(behind).post();
            terms.push(late.scaled(narrow(due.weight())?));
        }
        // The solver refuses a sum of nothing.
        if terms.is_empty() {
            return Ok(());
        }
        let sum = less_than_or_equals(terms, narrow(most.min(LARGEST))?, self.tag);
        self.solver.add_constraint(sum).post();
        Ok(())
    }

    /// The solver refuses a sum of nothing, which is at most anything.
    fn at_most(&mut self, terms: Vec<AffineView<Literal>>, most: i32) {
        if !terms.is_empty() {
            let sum = less_than_or_equals(terms, most, self.tag);
            self.solver.add_constraint(sum).post();
        }
    }

    fn solve(&mut self, effort: &mut Effort<'_>) -> Answer {
        let mut brancher = self.solver.default_brancher();
        let mut resolver = ResolutionResolver::default();
        let found = match self.solver.satisfy(&mut brancher, effort, &mut resolver) {
            SatisfactionResult::Satisfiable(found) => Solution::from(found.solution()),
            SatisfactionResult::Unsatisfiable(..) => return Answer::Impossible,
            SatisfactionResult::Unknown(..) => return Answer::Open,
        };
        let placed = self.ways.iter().map(|ways| {
            ways.iter().find_map(|way| {
                let start = found.get_integer_value(way.start);
                (start <= way.latest).then_some(Placed {
                    mode: way.mode,
                    start: i64::from(start),
                })
            })
        });
        placed
            .collect::<Option<_>>()
            .map_or(Answer::Open, Answer::Found)
    }
}
