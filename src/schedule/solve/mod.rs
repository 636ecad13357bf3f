//! From a problem to the best schedule found and a proof of how good it is.
//!
//! A list schedule, improved by several searches at once, gives the first answer and simple sums the
//! first bound. Whether there is a schedule halfway between the two is then asked again and again
//! until they meet or the effort is spent: dual feasible functions may tell that there is none, the
//! tree of decisions is quick where jobs are alike or few, the same after ways are given to the
//! largest jobs first where jobs differ, the starts left to each job where little time is to spare, and
//! the solver where due dates or bookings decide.
//! Effort is counted, not timed: the same problem gets the same answer on any machine.

mod among_equals;
mod anneal;
mod asking;
mod efforts;
pub(super) mod exact;
mod kinds;
pub(super) mod list;
pub(super) mod question;
pub(super) mod starts;
pub(super) mod tree;
pub(super) mod ways;

use self::anneal::Pace;
pub(super) use self::efforts::Depth;
use self::efforts::Efforts;
use self::exact::ask;
use self::question::{Answer, Effort};
use self::tree::Figure;
use super::bound::market::Market;
use super::bound::{self, dual_feasible};
use super::problem::{Aim, Caps, Placed, Problem, Worth};
use crate::search::Watch;

/// A schedule and how good it is.
#[derive(Debug, Clone)]
pub(super) struct Solved {
    pub(super) placed: Vec<Placed>,
    pub(super) worth: Worth,
    /// What no schedule can be better than, in the first figure.
    pub(super) bound: i64,
    /// Whether it is proven that none as good in the first figure is better in the others.
    pub(super) best_of_equals: bool,
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

/// Solves the problem, from a schedule of it on where one is known; a watch that is cancelled ends
/// it with the best schedule so far.
pub(super) fn solve(
    problem: &Problem,
    known: Option<&[Placed]>,
    depth: Depth,
    watch: &Watch<'_>,
) -> Result<Solved, Unsolved> {
    let mut search = Search {
        problem,
        depth,
        horizon: problem.horizon(),
        bound: bound::first(problem),
        best: None,
        watch,
        partial: watch.is_cancelled(),
        market: None,
    };
    watch.begin(depth.whole(problem));
    let known = known.map(|placed| list::shifted(problem, placed));
    let starts = known.into_iter().chain(list::best(problem, watch));
    if let Some(placed) = starts.min_by_key(|placed| problem.worth(placed)) {
        let placed = anneal::improved(problem, &placed, Pace::Quick, watch);
        if problem.worth(&placed).missed == 0 {
            search.offer(&placed);
        }
    }
    search.any()?;
    search.at_prices();
    search.first();
    search.last();
    let best_of_equals = search.among_equals();
    let (placed, worth) = search.best.ok_or(Unsolved::Unknown)?;
    Ok(Solved {
        placed,
        worth,
        bound: search.bound.min(worth.first),
        best_of_equals,
        partial: search.partial,
    })
}

/// Who is asked whether there is a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The tree of decisions.
    Tree,
    /// The same, once every job has been given its way to run.
    Ways,
    /// The same, with what nodes can do one job after another looked at all along.
    Lanes,
    /// What narrows the starts of every job.
    Starts,
    /// The solver.
    Solver,
}

struct Search<'a> {
    problem: &'a Problem,
    depth: Depth,
    horizon: i64,
    bound: i64,
    best: Option<(Vec<Placed>, Worth)>,
    watch: &'a Watch<'a>,
    partial: bool,
    /// What nodes cost, where lateness is what is minimised.
    market: Option<Market>,
}

impl Search<'_> {
    /// Finds some schedule, where none is known.
    fn any(&mut self) -> Result<(), Unsolved> {
        let efforts = Efforts::first(self.problem);
        for (asked, effort) in [
            (Asked::Tree, efforts.tree),
            (Asked::Ways, efforts.ways_question),
            (Asked::Solver, efforts.solver),
        ] {
            if self.best.is_some() {
                break;
            }
            // Without one there is nothing to sketch.
            let mut left = Depth::Proof.share(effort, self.problem);
            let allowed = left;
            match self.question(asked, self.caps(None), allowed, &mut left) {
                Answer::Found(placed) => self.offer(&placed),
                Answer::Impossible => return Err(Unsolved::Impossible),
                Answer::Open => {}
            }
        }
        self.best.as_ref().map(|_| ()).ok_or(Unsolved::Unknown)
    }

    /// Finds what nodes cost where lateness is minimised. A sketch is done before that is known.
    fn at_prices(&mut self) {
        let Some((_, best)) = self.best else { return };
        if self.problem.aim == Aim::Lateness && self.depth == Depth::Proof && self.open() {
            self.market = Market::new(self.problem, best);
            let bound = self.market.as_ref().map_or(0, Market::bound);
            self.bound = self.bound.max(bound);
        }
    }

    /// Narrows what is minimised first: questions of little effort to the tree bring the answer
    /// and the bound near each other; then those that give ways first, and the solver's, by turns. At
    /// last the tree is searched for anything better.
    fn first(&mut self) {
        let efforts = Efforts::first(self.problem);
        let mut tree = self.depth.share(efforts.tree, self.problem);
        let mut ways = self.depth.share(efforts.ways, self.problem);
        let mut lanes = self.depth.share(efforts.lanes, self.problem);
        let mut starts = self.depth.share(efforts.starts, self.problem);
        let mut solver = self.depth.share(efforts.solver, self.problem);
        let late = self.problem.aim == Aim::Lateness;
        self.narrow(Asked::Tree, efforts.tree_question, &mut tree);
        // A moment first: on fine steps the solver takes seconds over what ways tell at once.
        self.small(Asked::Ways, efforts::GLANCE, &mut ways);
        // Where what is booked or due leaves little choice, this is all it takes.
        let small = efforts.solver_question / efforts.solver_small;
        self.better(Asked::Solver, small, &mut solver);
        if late {
            self.small(Asked::Solver, small, &mut solver);
        }
        self.small(
            Asked::Ways,
            efforts.ways_question / efforts.small,
            &mut ways,
        );
        self.small(
            Asked::Lanes,
            efforts.lanes_question / efforts.small,
            &mut lanes,
        );
        self.raise_a_little(
            Asked::Starts,
            efforts.starts_question / efforts.small,
            &mut starts,
        );
        // Nobody knows which of them will tell.
        for part in efforts.turns {
            self.better(Asked::Starts, efforts.starts_question / part, &mut starts);
            self.better(Asked::Lanes, efforts.lanes_question / part, &mut lanes);
            self.better(Asked::Ways, efforts.ways_question / part, &mut ways);
            self.better(Asked::Solver, efforts.solver_question / part, &mut solver);
        }
        if late {
            self.narrow(Asked::Solver, efforts.solver_question, &mut solver);
        }
        self.better(Asked::Lanes, efforts.lanes_question, &mut lanes);
        self.better(Asked::Ways, efforts.ways_question, &mut ways);
        self.narrow(Asked::Ways, efforts.ways_question, &mut ways);
        // What is proven up to here takes none of this; what isn't gets a bound near the answer.
        self.raise(Asked::Starts, efforts.starts_question, &mut starts);
        if self.open() {
            self.by_kinds();
        }
        self.better(Asked::Solver, efforts.solver_question, &mut solver);
        self.narrow(Asked::Solver, efforts.solver_question, &mut solver);
        if self.open() && self.lower(Figure::First, tree) {
            self.bound = self.value();
        }
    }

    /// Looks for a better answer once more where nothing told whether there is one.
    fn last(&mut self) {
        let Some((best, _)) = self.best.as_ref().filter(|_| self.open()) else {
            return;
        };
        if self.depth == Depth::Proof {
            let placed = anneal::improved(self.problem, best, Pace::Slow, self.watch);
            self.offer(&placed);
        }
    }

    fn value(&self) -> i64 {
        let best = self.best.as_ref();
        best.map_or(i64::MAX, |(_, worth)| worth.first)
    }

    /// Whether something better may be.
    fn open(&self) -> bool {
        self.bound < self.value()
    }

    /// Searches the tree for a schedule whose figure is lower, and for a lower one again; whether
    /// it is proven that there is none.
    fn lower(&mut self, figure: Figure, allowed: u64) -> bool {
        let Some((_, worth)) = self.best else {
            return false;
        };
        if !self.problem.countable() {
            return false;
        }
        let caps = self.caps_of(worth, figure, worth.of(figure) - 1);
        let mut effort = self.effort(allowed);
        let outcome = tree::ask(
            self.problem,
            caps,
            Some(figure),
            self.market.as_ref(),
            &mut effort,
        );
        self.look_up();
        if let Some(placed) = outcome.found {
            self.offer(&placed);
        }
        outcome.settled
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

    fn question(&mut self, asked: Asked, caps: Caps, allowed: u64, left: &mut u64) -> Answer {
        let mut effort = self.effort(allowed.min(*left));
        let market = self.market.as_ref();
        let answer = match asked {
            Asked::Solver => ask(self.problem, caps, market, &mut effort),
            Asked::Tree | Asked::Ways | Asked::Lanes | Asked::Starts
                if !self.problem.countable() =>
            {
                Answer::Open
            }
            Asked::Tree if dual_feasible::excludes(self.problem, caps) => Answer::Impossible,
            Asked::Tree => tree::ask(self.problem, caps, None, market, &mut effort).answer(),
            Asked::Ways => ways::ask(self.problem, caps, &mut effort).answer(),
            Asked::Lanes => ways::ask_by_lanes(self.problem, caps, &mut effort).answer(),
            Asked::Starts => starts::ask(self.problem, caps, &mut effort).answer(),
        };
        *left = left.saturating_sub(effort.spent.max(1));
        if self.look_up() {
            *left = 0;
        }
        answer
    }

    fn effort(&self, allowed: u64) -> Effort<'_> {
        Effort {
            spent: 0,
            allowed,
            watch: self.watch,
        }
    }

    /// Whether who watches wants it to end.
    fn look_up(&mut self) -> bool {
        self.partial |= self.watch.is_cancelled();
        self.partial
    }

    fn offer(&mut self, placed: &[Placed]) {
        let placed = list::shifted(self.problem, placed);
        let worth = self.problem.worth(&placed);
        if self.best.as_ref().is_none_or(|(_, best)| worth < *best) {
            self.best = Some((placed, worth));
        }
    }
}
