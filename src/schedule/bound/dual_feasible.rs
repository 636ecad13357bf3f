//! Whether the ways to run the jobs can keep a schedule's caps at all, by dual feasible functions.
//!
//! A function `f` from shares to shares is dual feasible when shares that add up to at most 1
//! still do after it. Jobs that run at once take shares of a cluster's nodes, so their `g` add up
//! to at most 1 for any such `g`. Cut each job into slices as high as its `g`: as many lanes hold
//! all slices as run at once, because they are intervals, and a lane holds slices one after
//! another, whose shares of the time until the end add up to at most 1, so their `f` do too.
//! Hence `Σ f(steps) · g(nodes) ≤ 1` over all jobs of a cluster, for every pair of such functions;
//! what others have booked are jobs whose way is given. The ways must keep all of these
//! inequalities together, with the caps on cost and lateness.
//!
//! The functions: rounding and threshold, as Fekete & Schepers 2001 use them for bin packing, and
//! the improved rounding down of Burdett & Johnson 1977.

use super::lanes::Lanes;
use super::packing;
use crate::schedule::problem::{Caps, Free, Mode, Problem, Task};

/// Functions of one family, of those that job sizes suggest.
const FEW: usize = 6;
/// The same where they are weighed over and over again.
const FEWER: usize = 3;
const ROUNDS: usize = 150;
/// Ways to run all jobs times inequalities, at most; beyond, fewer functions are looked at.
const WORK: usize = 300_000;

/// A dual feasible function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schedule) enum Function {
    /// The share itself.
    Identity,
    /// Nothing below a size, all where less than that size is left.
    Threshold(i64),
    /// Rounded up to so many parts, where it isn't a whole number of one part more.
    Up(i64),
    /// Rounded down to multiples of a size, as far as the rest of the whole allows.
    Down(i64),
}

impl Function {
    /// The share of `whole`, more than nothing, that `part` of it counts as.
    pub(in crate::schedule) fn of(self, part: i64, whole: i64) -> f64 {
        let plain = part as f64 / whole as f64;
        match self {
            Self::Threshold(size) if part > whole - size => 1.0,
            Self::Threshold(size) if part < size => 0.0,
            Self::Identity | Self::Threshold(_) => plain,
            Self::Up(parts) => match part.checked_mul(parts + 1) {
                Some(more) if more % whole != 0 => (more / whole) as f64 / parts as f64,
                _ => plain,
            },
            Self::Down(size) => {
                let rest = whole % size;
                let above = (part % size - rest).max(0) as f64 / (size - rest) as f64;
                ((part / size) as f64 + above) / (whole / size) as f64
            }
        }
    }

    /// Functions that sizes of jobs suggest.
    fn suggested(mut sizes: Vec<i64>, whole: i64, few: usize) -> Vec<Self> {
        let mut functions = vec![Self::Identity, Self::Up(1), Self::Up(2), Self::Up(3)];
        sizes.sort_unstable();
        sizes.dedup();
        let half = |size: &i64| *size > 1 && size * 2 <= whole;
        let beside = sizes.iter().map(|size| (*size).min(whole - size + 1));
        let mut thresholds: Vec<i64> = beside.filter(half).collect();
        thresholds.sort_unstable();
        thresholds.dedup();
        let down = sizes.iter().copied().filter(half);
        let down: Vec<i64> = down.filter(|size| whole % size != 0).collect();
        let some = |all: Vec<i64>, make: fn(i64) -> Self| {
            let every = all.len().div_ceil(few.max(1)).max(1);
            all.into_iter().step_by(every).map(make)
        };
        if few > 0 {
            functions.extend(some(thresholds, Self::Threshold));
            functions.extend(some(down, Self::Down));
        }
        functions
    }
}

/// Whether it is proven that no schedule is within `caps`.
pub(in crate::schedule) fn excludes(problem: &Problem, caps: Caps) -> bool {
    if caps.end <= 0 {
        return !problem.tasks.is_empty();
    }
    let Some(kinds) = kinds(problem, caps) else {
        return true;
    };
    let system = System::new(problem, caps, kinds, FEW);
    let groups = system.kinds.iter();
    let groups = groups.map(|kind| (kind.jobs, kind.shares.as_slice()));
    packing::exceeded(&mut system.weights(), &groups, ROUNDS)
}

/// Inequalities that the ways to run the jobs keep in any schedule within some caps.
pub(in crate::schedule) struct System {
    kinds: Vec<Kind>,
    budgets: usize,
}

/// Jobs that are alike, and the ways to run one that can be within the caps.
struct Kind {
    jobs: usize,
    ways: Vec<Way>,
    /// For each way the shares it takes, by inequality.
    shares: Vec<Vec<(usize, f64)>>,
}

/// A way to run a job, and how late it is that way at the least.
struct Way {
    index: usize,
    mode: Mode,
    late: i64,
}

impl System {
    /// The inequalities with every job on its own, fewer of them than [`excludes`] weighs; `None`
    /// where a job has no way to run within `caps`.
    pub(in crate::schedule) fn of_each(problem: &Problem, caps: Caps) -> Option<Self> {
        let each = problem.tasks.iter().map(|task| kind(problem, caps, task));
        let each = each.collect::<Option<Vec<Kind>>>()?;
        (caps.end > 0).then(|| Self::new(problem, caps, each, FEWER))
    }

    /// The ways to run a job that can be within the caps: their places among its modes.
    pub(in crate::schedule) fn ways(&self, job: usize) -> impl Iterator<Item = usize> {
        self.kinds[job].ways.iter().map(|way| way.index)
    }

    /// The lanes that the jobs have to share, with the same ways.
    pub(in crate::schedule) fn lanes(&self, problem: &Problem, caps: Caps) -> Option<Lanes> {
        let jobs = self.kinds.iter().map(|kind| {
            let ways = kind.ways.iter();
            ways.map(|way| way.mode).collect()
        });
        Lanes::new(problem, caps, jobs)
    }

    /// Weights of the inequalities to start from.
    pub(in crate::schedule) fn weights(&self) -> Vec<f64> {
        vec![1.0; self.budgets]
    }

    /// Shares that are looked at in one round.
    pub(in crate::schedule) fn shares(&self) -> usize {
        let ways = self.kinds.iter().flat_map(|kind| &kind.shares);
        ways.map(Vec::len).sum()
    }

    /// Whether it is proven that the jobs keep no schedule's caps once some are given their ways:
    /// each job's place among [`System::ways`], or `None`.
    pub(in crate::schedule) fn excludes(
        &self,
        given: &[Option<usize>],
        weights: &mut [f64],
        rounds: usize,
    ) -> bool {
        let groups = self.kinds.iter().zip(given).map(|(kind, given)| {
            let ways = given.map_or(0..kind.shares.len(), |way| way..way + 1);
            (kind.jobs, &kind.shares[ways])
        });
        packing::exceeded(weights, &groups, rounds)
    }

    fn new(problem: &Problem, caps: Caps, mut kinds: Vec<Kind>, most_few: usize) -> Self {
        let all: usize = kinds.iter().map(|kind| kind.ways.len()).sum();
        // As many inequalities as pairs of functions, of which each kind gives few and few more.
        let few = (0..=most_few)
            .rev()
            .find(|few| (4 + 2 * few).pow(2) * all <= WORK);
        let modes = kinds.iter().flat_map(|kind| &kind.ways);
        let modes: Vec<Mode> = modes.map(|way| way.mode).collect();
        let mut budgets = 0;
        let mut inequality = |share: &dyn Fn(&Way) -> f64| {
            for kind in &mut kinds {
                for (way, shares) in kind.ways.iter().zip(&mut kind.shares) {
                    let share = share(way);
                    if share > 0.0 {
                        shares.push((budgets, share));
                    }
                }
            }
            budgets += 1;
        };
        if let Some(most) = caps.cost {
            inequality(&|way| packing::share(way.mode.cost, most));
        }
        if let Some(most) = caps.late {
            inequality(&|way| packing::share(way.late, most));
        }
        for (site, free) in problem.sites.iter().enumerate() {
            let most = most(free, caps.end);
            if most <= 0 {
                continue;
            }
            let here = || modes.iter().filter(|mode| mode.site == site);
            let steps = Function::suggested(
                here().map(|mode| mode.steps).collect(),
                caps.end,
                few.unwrap_or(0),
            );
            let nodes = Function::suggested(
                here().map(|mode| mode.nodes).collect(),
                most,
                few.unwrap_or(0),
            );
            let booked = layers(free, most, caps.end);
            for f in &steps {
                for g in &nodes {
                    let both = |steps, nodes| f.of(steps, caps.end) * g.of(nodes, most);
                    let gone: f64 = booked
                        .iter()
                        .map(|(steps, nodes)| both(*steps, *nodes))
                        .sum();
                    // Too little is left to divide by: jobs would be out by rounding alone.
                    let rest = (1.0 - gone).max(1e-4);
                    inequality(&|way| {
                        if way.mode.site == site {
                            both(way.mode.steps, way.mode.nodes) / rest
                        } else {
                            0.0
                        }
                    });
                }
            }
        }
        Self { kinds, budgets }
    }
}

/// The jobs, those with the same ways to run together; `None` where one has none within the caps.
fn kinds(problem: &Problem, caps: Caps) -> Option<Vec<Kind>> {
    let mut kinds: Vec<(&Task, Kind)> = Vec::new();
    for task in &problem.tasks {
        let same = |(first, _): &&mut (&Task, Kind)| {
            first.modes == task.modes && (first.release, first.due) == (task.release, task.due)
        };
        match kinds.iter_mut().find(same) {
            Some((_, kind)) => kind.jobs += 1,
            None => kinds.push((task, kind(problem, caps, task)?)),
        }
    }
    Some(kinds.into_iter().map(|(_, kind)| kind).collect())
}

/// One job; `None` where it has no way to run within the caps.
fn kind(problem: &Problem, caps: Caps, task: &Task) -> Option<Kind> {
    let last = problem.last(task, caps.end);
    let ways = task.modes.iter().enumerate().filter(|(_, mode)| {
        task.release + mode.steps <= last && mode.nodes <= most(&problem.sites[mode.site], caps.end)
    });
    let ways = ways.map(|(index, mode)| Way {
        index,
        mode: *mode,
        late: task.late(task.release + mode.steps),
    });
    let ways: Vec<Way> = ways.collect();
    (!ways.is_empty()).then(|| Kind {
        jobs: 1,
        shares: vec![Vec::new(); ways.len()],
        ways,
    })
}

/// The most nodes that are free at once before a step.
pub(super) fn most(free: &Free, end: i64) -> i64 {
    let before = free.pieces.iter().filter(|piece| piece.from < end);
    before.map(|piece| piece.nodes).max().unwrap_or(0)
}

/// What is not free of `most` nodes before a step, as steps and nodes of slices of each height.
pub(super) fn layers(free: &Free, most: i64, end: i64) -> Vec<(i64, i64)> {
    let before = || free.pieces.iter().filter(|piece| piece.from < end);
    let mut heights: Vec<i64> = before().map(|piece| most - piece.nodes).collect();
    heights.sort_unstable();
    heights.dedup();
    let mut layers = Vec::new();
    let mut below = 0;
    for height in heights.into_iter().filter(|height| *height > 0) {
        let mut run = 0;
        for piece in before() {
            if most - piece.nodes >= height {
                run += piece.to.min(end) - piece.from;
            } else if run > 0 {
                layers.push((run, height - below));
                run = 0;
            }
        }
        if run > 0 {
            layers.push((run, height - below));
        }
        below = height;
    }
    layers
}
