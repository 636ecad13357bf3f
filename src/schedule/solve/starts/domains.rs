//! The starts that are left to each job, and what they tell of each other.

use smallvec::SmallVec;

use crate::schedule::bound::market::slots::spans;
use crate::schedule::problem::{Free, Mode, Problem};
use crate::schedule::solve::tree::alike;

/// Steps from and up to which a job may start, in order.
pub(super) type Spans = SmallVec<[(i64, i64); 2]>;

/// Ways that are looked at in the time of a decision of the tree.
const LOOKS: usize = 20;

/// What every schedule keeps to.
pub(super) struct Rules<'a> {
    pub(super) problem: &'a Problem,
    pub(super) end: i64,
    /// Jobs of which the first has ended when the second starts.
    waits: Vec<(usize, usize)>,
    /// Jobs that are alike: the first starts no later than the second.
    twins: Vec<(usize, usize)>,
}

/// For each job, and each way to run it, when it may start; no span where the way is left out.
#[derive(Debug, Clone)]
pub(super) struct Domains {
    pub(super) starts: Vec<Vec<Spans>>,
}

/// A job between its earliest and its latest, in any way that is left.
#[derive(Debug, Clone, Copy)]
struct Window {
    first_start: i64,
    first_end: i64,
    last_start: i64,
}

/// Nodes that a job takes in every schedule that is left, up to `to`.
#[derive(Debug, Clone, Copy)]
struct Sure {
    job: usize,
    site: usize,
    nodes: i64,
    from: i64,
    to: i64,
}

impl<'a> Rules<'a> {
    pub(super) fn new(problem: &'a Problem, end: i64) -> Self {
        let jobs = 0..problem.tasks.len();
        let waits = jobs.clone().flat_map(|job| {
            let before = problem.tasks[job].after.iter();
            before.map(move |before| (*before, job))
        });
        let twins = jobs.filter_map(|job| {
            let twin = (0..job).rev().find(|twin| alike(problem, *twin, job))?;
            Some((twin, job))
        });
        Self {
            problem,
            end,
            waits: waits.collect(),
            twins: twins.collect(),
        }
    }

    pub(super) fn mode(&self, job: usize, way: usize) -> Mode {
        self.problem.tasks[job].modes[way]
    }
}

impl Domains {
    /// All starts by which each job is done in time on nodes that are free.
    pub(super) fn new(rules: &Rules<'_>) -> Self {
        let tasks = rules.problem.tasks.iter().map(|task| {
            let last = rules.problem.last(task, rules.end);
            let ways = task.modes.iter().map(|mode| {
                let site = &rules.problem.sites[mode.site];
                spans(site, *mode, task.release, last).into()
            });
            ways.collect()
        });
        Self {
            starts: tasks.collect(),
        }
    }

    /// The ways that are left to a job.
    pub(super) fn ways(&self, job: usize) -> impl Iterator<Item = usize> {
        let ways = self.starts[job].iter().enumerate();
        let open = ways.filter(|(_, spans)| !spans.is_empty());
        open.map(|(way, _)| way)
    }

    /// Leaves a job one of its ways, with some of its starts.
    pub(super) fn leave(&mut self, job: usize, way: usize, spans: &[(i64, i64)]) {
        for (other, starts) in self.starts[job].iter_mut().enumerate() {
            starts.clear();
            if other == way {
                starts.extend_from_slice(spans);
            }
        }
    }

    /// Takes away starts that no schedule of these has, until none is left to take: those before a job
    /// can have ended that is waited for, and those at which nodes are in use that other jobs take
    /// whenever they start. Whether every job has a start left.
    pub(super) fn narrow(&mut self, rules: &Rules<'_>, spent: &mut u64) -> bool {
        loop {
            *spent += 1 + (self.starts.iter().map(Vec::len).sum::<usize>() / LOOKS) as u64;
            let jobs = 0..self.starts.len();
            let windows = jobs.map(|job| self.window(rules, job));
            let Some(windows) = windows.collect::<Option<Vec<Window>>>() else {
                return false;
            };
            if self.ordered(rules, &windows) {
                continue;
            }
            match self.beside_others(rules, &windows, spent) {
                Some(true) => {}
                Some(false) => return true,
                None => return false,
            }
        }
    }

    fn window(&self, rules: &Rules<'_>, job: usize) -> Option<Window> {
        let ways = self.starts[job].iter().enumerate();
        let windows = ways.filter_map(|(way, spans)| {
            let (first, last) = (spans.first()?, spans.last()?);
            Some(Window {
                first_start: first.0,
                first_end: first.0 + rules.mode(job, way).steps,
                last_start: last.1,
            })
        });
        windows.reduce(|one, other| Window {
            first_start: one.first_start.min(other.first_start),
            first_end: one.first_end.min(other.first_end),
            last_start: one.last_start.max(other.last_start),
        })
    }

    /// Keeps jobs that wait for others after these; whether that takes any start away.
    fn ordered(&mut self, rules: &Rules<'_>, windows: &[Window]) -> bool {
        let mut changed = false;
        for (before, job) in &rules.waits {
            let (ended, last) = (windows[*before].first_end, windows[*job].last_start);
            for spans in &mut self.starts[*job] {
                changed |= cut(spans, i64::MIN, ended - 1);
            }
            for (way, spans) in self.starts[*before].iter_mut().enumerate() {
                changed |= cut(spans, last - rules.mode(*before, way).steps + 1, i64::MAX);
            }
        }
        for (first, second) in &rules.twins {
            for spans in &mut self.starts[*second] {
                changed |= cut(spans, i64::MIN, windows[*first].first_start - 1);
            }
            for spans in &mut self.starts[*first] {
                changed |= cut(spans, windows[*second].last_start + 1, i64::MAX);
            }
        }
        changed
    }

    /// Keeps jobs off nodes that others take in any case; whether that takes any start away, `None`
    /// where these take more than there are.
    fn beside_others(
        &mut self,
        rules: &Rules<'_>,
        windows: &[Window],
        spent: &mut u64,
    ) -> Option<bool> {
        let sure = windows.iter().enumerate();
        let sure = sure.filter_map(|(job, window)| self.sure(rules, job, *window));
        let sure: Vec<Sure> = sure.collect();
        let mut changed = false;
        for (site, free) in rules.problem.sites.iter().enumerate() {
            let here = || sure.iter().filter(|sure| sure.site == site);
            let changes = free.pieces.iter().map(|piece| piece.from);
            let changes = changes.chain(here().flat_map(|sure| [sure.from, sure.to]));
            let mut changes: Vec<i64> = changes.filter(|at| *at < rules.end).collect();
            changes.push(rules.end);
            changes.sort_unstable();
            changes.dedup();
            for pair in changes.windows(2) {
                let (from, to) = (pair[0], pair[1]);
                let during = || here().filter(|sure| sure.from <= from && to <= sure.to);
                let taken: i64 = during().map(|sure| sure.nodes).sum();
                // Where none is sure, the first starts kept to what is free.
                if taken == 0 {
                    continue;
                }
                let rest = nodes(free, from) - taken;
                if rest < 0 {
                    return None;
                }
                *spent += (self.starts.iter().map(Vec::len).sum::<usize>() / LOOKS) as u64;
                for (job, ways) in self.starts.iter_mut().enumerate() {
                    let own = during().find(|sure| sure.job == job);
                    let rest = rest + own.map_or(0, |own| own.nodes);
                    for (way, spans) in ways.iter_mut().enumerate() {
                        let mode = rules.mode(job, way);
                        if mode.site == site && mode.nodes > rest {
                            changed |= cut(spans, from - mode.steps + 1, to - 1);
                        }
                    }
                }
            }
        }
        Some(changed)
    }

    /// What a job takes whenever it starts, where it runs on one site in any case.
    fn sure(&self, rules: &Rules<'_>, job: usize, window: Window) -> Option<Sure> {
        if window.last_start >= window.first_end {
            return None;
        }
        let mut modes = self.ways(job).map(|way| rules.mode(job, way));
        let first = modes.next()?;
        let nodes = modes.try_fold(first.nodes, |nodes, mode| {
            (mode.site == first.site).then_some(nodes.min(mode.nodes))
        });
        Some(Sure {
            job,
            site: first.site,
            nodes: nodes?,
            from: window.last_start,
            to: window.first_end,
        })
    }
}

/// Nodes that are free at a step.
fn nodes(free: &Free, at: i64) -> i64 {
    let mut pieces = free.pieces.iter();
    let piece = pieces.find(|piece| piece.from <= at && at < piece.to);
    piece.map_or(0, |piece| piece.nodes)
}

/// Takes the steps from one to another out of some spans; whether there were any.
fn cut(spans: &mut Spans, from: i64, to: i64) -> bool {
    let out = |span: &(i64, i64)| span.0 <= to && from <= span.1;
    if from > to || !spans.iter().any(out) {
        return false;
    }
    let mut left = Spans::new();
    for span in spans.iter() {
        if !out(span) {
            left.push(*span);
            continue;
        }
        if span.0 < from {
            left.push((span.0, from - 1));
        }
        if span.1 > to {
            left.push((to + 1, span.1));
        }
    }
    *spans = left;
    true
}
