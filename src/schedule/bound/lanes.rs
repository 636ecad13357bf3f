//! What nodes can do one job after another, by prices for the ways to run the jobs.
//!
//! Jobs that run are intervals, so as many lanes hold them as nodes are free at once: a job takes
//! as many lanes as nodes, from its start to its end. A lane holds a job once, and what it holds
//! lasts no longer than until the end. Let every way to run a job have a price, and let the dearest
//! such lane be worth `z`: then `Σ nodes · price ≤ nodes of the cluster · z` over the ways that are
//! taken, whatever the prices. What others have booked are jobs that are run the way they are.
//! Unlike dual feasible functions, prices may tell jobs of the same length apart, and the lanes know
//! that each job is in them once.
//!
//! The prices are those of a linear program, to which the dearest lane is added until either they
//! exceed what there is or no lane is in the way any more: Kelley's cutting planes, which are the
//! dual of how Gilmore & Gomory 1961 choose patterns to cut stock by. The proof rests on the
//! inequality alone, for which the dearest lane is looked for among all of them: what the linear
//! program rounds can't make it wrong.

use microlp::{ComparisonOp, OptimizationDirection, Solution, Variable};

use super::LENIENT;
use super::dual_feasible::{layers, most};
use crate::schedule::problem::{Caps, Mode, Problem};

/// A lane worth more than allowed by less than this is allowed; a price of less is none.
const LEAST: f64 = 1e-7;
/// Steps and ways to run that are looked at in the time of a decision of the tree.
const CELLS: u64 = 1_000;
/// The same for the rows of the linear program, each time that something is exchanged in it.
const ROWS: u64 = 2;
/// Steps and ways to run at most, where the dearest lane is looked for.
const MOST_CELLS: usize = 2_000_000;

/// A way to run a job.
#[derive(Debug, Clone, Copy)]
struct Way {
    site: usize,
    nodes: f64,
    steps: usize,
}

/// The lanes of some clusters until an end, and the jobs that have to go into them.
pub(in crate::schedule) struct Lanes {
    end: usize,
    /// Lanes of each cluster.
    nodes: Vec<f64>,
    /// What others have booked comes last.
    jobs: Vec<Vec<Way>>,
    /// The place of each job's first way among all.
    first: Vec<usize>,
    /// Of each cluster, what the dearest lane is worth.
    dearest: Vec<Variable>,
    /// Of each way, its price for a node.
    price: Vec<Variable>,
    /// Of each way, by how much the job is worth more than this way, which is then not looked at.
    beyond: Vec<Variable>,
    start: Prices,
}

/// What the linear program has come to.
#[derive(Clone)]
pub(in crate::schedule) struct Prices {
    solution: Solution,
    /// The ways that are looked at.
    open: Vec<bool>,
    /// The rows of the program.
    rows: u64,
}

/// An inequality: what each way takes, and what there is of that.
#[derive(Debug, Clone)]
pub(in crate::schedule) struct Inequality {
    taken: Vec<f64>,
    most: f64,
}

/// Whether the jobs need more lanes than there are.
pub(in crate::schedule) enum Told {
    /// They do.
    Exceeded,
    /// No prices tell.
    Open(Prices),
    /// The linear program was no help.
    Unknown,
}

impl Lanes {
    /// The lanes of what is free until the end that is asked for, and for each job the ways to run
    /// it. `None` where more than the end is asked for, and where there is too much to look at.
    pub(in crate::schedule) fn new(
        problem: &Problem,
        caps: Caps,
        jobs: impl Iterator<Item = Vec<Mode>>,
    ) -> Option<Self> {
        if caps.cost.is_some() || caps.late.is_some() {
            return None;
        }
        let way = |site: usize, nodes: i64, steps: i64| {
            Some(Way {
                site,
                nodes: nodes as f64,
                steps: usize::try_from(steps).ok()?,
            })
        };
        let own = jobs.map(|modes| {
            let ways = modes.iter();
            ways.map(|mode| way(mode.site, mode.nodes, mode.steps))
                .collect::<Option<Vec<Way>>>()
        });
        let nodes = problem.sites.iter().map(|free| most(free, caps.end));
        let nodes: Vec<i64> = nodes.collect();
        let sites = problem.sites.iter().zip(&nodes).enumerate();
        let others = sites.flat_map(|(site, (free, most))| {
            let booked = layers(free, *most, caps.end).into_iter();
            booked.map(move |(steps, nodes)| Some(vec![way(site, nodes, steps)?]))
        });
        let jobs = own.chain(others).collect::<Option<Vec<Vec<Way>>>>()?;
        let end = usize::try_from(caps.end).ok()?;
        let ways: usize = jobs.iter().map(Vec::len).sum();
        if ways.checked_mul(end)? > MOST_CELLS {
            return None;
        }
        Self::program(end, &nodes, jobs)
    }

    /// What all jobs are worth beyond the lanes is maximised: of each job the least that a way to
    /// run it is worth, and of each lane the most that one can be.
    fn program(end: usize, nodes: &[i64], jobs: Vec<Vec<Way>>) -> Option<Self> {
        let nodes: Vec<f64> = nodes.iter().map(|nodes| *nodes as f64).collect();
        let most = nodes.iter().copied().fold(1.0, f64::max);
        let mut program = microlp::Problem::new(OptimizationDirection::Maximize);
        let dearest = nodes
            .iter()
            .map(|nodes| program.add_var(-nodes, (0.0, 1.0)));
        let dearest: Vec<Variable> = dearest.collect();
        let (mut first, mut price, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
        for ways in &jobs {
            first.push(price.len());
            let worth = program.add_var(1.0, (0.0, most));
            for way in ways {
                let own = program.add_var(0.0, (0.0, 1.0));
                let more = program.add_var(0.0, (0.0, most));
                let row = [(worth, 1.0), (own, -way.nodes), (more, -1.0)];
                program.add_constraint(row, ComparisonOp::Le, 0.0);
                price.push(own);
                beyond.push(more);
            }
        }
        let mut solution = program.solve().ok()?.into_solution().ok()?;
        for more in &beyond {
            solution = solution.fix_var(*more, 0.0).ok()?.into_solution().ok()?;
        }
        Some(Self {
            start: Prices {
                solution,
                open: vec![true; price.len()],
                rows: price.len() as u64,
            },
            end,
            nodes,
            jobs,
            first,
            dearest,
            price,
            beyond,
        })
    }

    /// The place of one of a job's ways among all.
    pub(in crate::schedule) fn place(&self, job: usize, way: usize) -> usize {
        self.first[job] + way
    }

    /// All ways, which are open at first.
    pub(in crate::schedule) fn open(&self) -> Vec<bool> {
        vec![true; self.price.len()]
    }

    /// What the linear program starts from.
    pub(in crate::schedule) fn start(&self) -> Prices {
        self.start.clone()
    }

    /// Whether the jobs need more lanes than there are when each is run one of the ways that are
    /// open: those of all jobs one after another, and of what is booked. What is found to be
    /// exceeded is added to what is known. The prices are those of as many ways as are open, or more.
    pub(in crate::schedule) fn told(
        &self,
        open: &[bool],
        known: &mut Vec<Inequality>,
        prices: Prices,
        spent: &mut u64,
    ) -> Told {
        let before = iterations(&prices);
        let Some((exceeded, prices)) = self.weighed(open, known, prices, spent) else {
            return Told::Unknown;
        };
        *spent += (iterations(&prices) - before) * prices.rows / ROWS;
        if exceeded {
            Told::Exceeded
        } else {
            Told::Open(prices)
        }
    }

    /// Whether the linear program tells that they do; `None` where it fails.
    fn weighed(
        &self,
        open: &[bool],
        known: &mut Vec<Inequality>,
        mut prices: Prices,
        spent: &mut u64,
    ) -> Option<(bool, Prices)> {
        for (way, open) in open.iter().enumerate() {
            if !open && std::mem::take(&mut prices.open[way]) {
                let (outcome, _) = prices.solution.unfix_var(self.beyond[way]).ok()?;
                prices.solution = outcome.into_solution().ok()?;
            }
        }
        let lanes: f64 = self.nodes.iter().sum();
        loop {
            if prices.solution.objective() <= LEAST * lanes {
                return Some((false, prices));
            }
            let price = self.price.iter();
            let price = price.map(|price| prices.solution.var_value(*price));
            // What a lane doesn't count must not be taken of it either.
            let price = price.map(|price| if price > LEAST { price } else { 0.0 });
            let price: Vec<f64> = price.collect();
            let mut known_here = Inequality {
                taken: self.taken(&price),
                most: 0.0,
            };
            let mut rows = Vec::new();
            for (site, nodes) in self.nodes.iter().enumerate() {
                let (worth, lane) = self.dearest_lane(site, &price);
                *spent += self.price.len() as u64 * self.end as u64 / CELLS;
                known_here.most += nodes * worth;
                let dearest = self.dearest[site];
                if worth > prices.solution.var_value(dearest) + LEAST {
                    let lane = lane.into_iter().map(|way| (self.price[way], 1.0));
                    rows.push(lane.chain([(dearest, -1.0)]).collect::<Vec<_>>());
                }
            }
            if self.exceeds(open, &known_here) {
                known.push(known_here);
                return Some((true, prices));
            }
            if rows.is_empty() {
                return Some((false, prices));
            }
            for row in rows {
                let solution = prices.solution;
                let outcome = solution.add_constraint(row, ComparisonOp::Le, 0.0);
                prices.solution = outcome.ok()?.into_solution().ok()?;
                prices.rows += 1;
            }
        }
    }

    /// Closes the ways that can't be taken by what is known; whether every job has one left.
    pub(in crate::schedule) fn close(&self, open: &mut [bool], known: &[Inequality]) -> bool {
        for known in known {
            let least = self.least(open, known);
            let together: f64 = least.iter().sum();
            let most = known.most * LENIENT + LEAST;
            if together > most {
                return false;
            }
            for (job, ways) in self.jobs.iter().enumerate() {
                let ways = self.first[job]..self.first[job] + ways.len();
                for (open, taken) in open[ways.clone()].iter_mut().zip(&known.taken[ways]) {
                    *open &= together - least[job] + taken <= most;
                }
            }
        }
        true
    }

    /// What each way takes at these prices.
    fn taken(&self, price: &[f64]) -> Vec<f64> {
        let ways = self.jobs.iter().flatten().zip(price);
        ways.map(|(way, price)| way.nodes * price).collect()
    }

    /// Whether the jobs take more of it than there is, each in its cheapest way.
    fn exceeds(&self, open: &[bool], known: &Inequality) -> bool {
        let together: f64 = self.least(open, known).iter().sum();
        together > known.most * LENIENT + LEAST
    }

    /// What each job takes at the least.
    fn least(&self, open: &[bool], known: &Inequality) -> Vec<f64> {
        let least = self.jobs.iter().zip(&self.first).map(|(ways, first)| {
            let ways = *first..first + ways.len();
            let open = |way: &usize| open[*way];
            let taken = ways.filter(open).map(|way| known.taken[way]);
            taken.fold(f64::INFINITY, f64::min)
        });
        least.collect()
    }

    /// What the dearest lane of a cluster is worth, and the ways it holds.
    fn dearest_lane(&self, site: usize, price: &[f64]) -> (f64, Vec<usize>) {
        // For each number of steps what is best within it, of the jobs so far.
        let mut best = vec![vec![0.0_f64; self.end + 1]];
        let mut ways: Vec<Vec<(usize, usize, f64)>> = Vec::new();
        for (job, first) in self.jobs.iter().zip(&self.first) {
            let own = job.iter().zip(*first..);
            let own = own.filter(|(way, place)| {
                way.site == site && way.steps <= self.end && price[*place] > 0.0
            });
            let own: Vec<_> = own.map(|(way, at)| (at, way.steps, price[at])).collect();
            let Some(before) = best.last().filter(|_| !own.is_empty()) else {
                continue;
            };
            let mut next = before.clone();
            for (_, steps, price) in &own {
                for (next, before) in next[*steps..].iter_mut().zip(before) {
                    *next = next.max(before + price);
                }
            }
            best.push(next);
            ways.push(own);
        }
        let mut left = self.end;
        let mut lane = Vec::new();
        for (place, own) in ways.iter().enumerate().rev() {
            let (before, after) = (&best[place], best[place + 1][left]);
            // The same sums again: one of them is what was kept.
            let taken = own.iter().find(|(_, steps, price)| {
                *steps <= left && before[left - steps] + price >= after && after > before[left]
            });
            if let Some((way, steps, _)) = taken {
                lane.push(*way);
                left -= steps;
            }
        }
        (best.last().map_or(0.0, |best| best[self.end]), lane)
    }
}

fn iterations(prices: &Prices) -> u64 {
    prices.solution.stats().lp_iterations
}
