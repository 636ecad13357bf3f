//! Nearly alike jobs told apart half by half, once each has its way to run.
//!
//! While each job of a group counts as one that can do whatever any of them can, it doesn't matter
//! which of them runs which way. What doesn't fit even so leaves out all choices that differ in that.

use super::groups::width;
use super::search::{PART, Search};
use crate::schedule::problem::{Mode, Placed};
use crate::schedule::solve::anneal;

/// A group with a way to run for each of its jobs, in whatever order.
#[derive(Clone)]
pub(super) struct Assigned {
    group: usize,
    modes: Vec<Mode>,
}

impl Search<'_> {
    /// The largest groups with the ways that their jobs are given.
    pub(super) fn assigned(&self) -> Vec<Assigned> {
        let groups = &self.ways.groups;
        let assigned = groups.whole.iter().map(|group| {
            let jobs = groups.all[*group].jobs.iter();
            let mut modes: Vec<Mode> = jobs.map(|job| self.mode(*job)).collect();
            modes.sort_by_key(width);
            Assigned {
                group: *group,
                modes,
            }
        });
        assigned.collect()
    }

    /// A schedule of all jobs in which each group's jobs run these ways.
    pub(super) fn refined(&mut self, assigned: &[Assigned]) -> Option<Vec<Placed>> {
        let groups = &self.ways.groups;
        let split = assigned
            .iter()
            .enumerate()
            .filter_map(|(place, one)| Some((place, one, groups.all[one.group].halves?)))
            .max_by_key(|(_, one, _)| groups.all[one.group].given_away);
        let ways = assigned
            .iter()
            .flat_map(|one| groups.all[one.group].jobs.iter().zip(&one.modes));
        let mut ways: Vec<(usize, Mode)> = ways.map(|(job, mode)| (*job, *mode)).collect();
        ways.sort_by_key(|(job, _)| *job);
        let most = if split.is_some() { PART } else { u64::MAX };
        let outcome = self.tree(&ways, self.ways.caps, most);
        if outcome.settled && outcome.found.is_none() {
            return None;
        }
        let real = outcome.found.and_then(|placed| self.real(&ways, &placed));
        if real.is_some() {
            return real;
        }
        let Some((place, whole, (larger, others))) = split else {
            self.open = true;
            return None;
        };
        let count = groups.all[larger].jobs.len();
        for (some, rest) in parted(&whole.modes, count) {
            if self.stopped() {
                self.open = true;
                return None;
            }
            let (Some(some), Some(rest)) =
                (self.ways_of(larger, &some), self.ways_of(others, &rest))
            else {
                continue;
            };
            let mut next = assigned.to_vec();
            next[place] = some;
            next.push(rest);
            let found = self.refined(&next);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The same ways to run for a group's jobs; `None` where they don't have one of them.
    fn ways_of(&self, group: usize, modes: &[Mode]) -> Option<Assigned> {
        let own = &self.ways.groups.all[group].kind.modes;
        let modes = modes.iter().map(|mode| {
            let mut own = own.iter();
            own.find(|own| width(own) == width(mode)).copied()
        });
        Some(Assigned {
            group,
            modes: modes.collect::<Option<_>>()?,
        })
    }

    /// The schedule with the jobs as they are, in the same order, where that is within the caps.
    fn real(&self, ways: &[(usize, Mode)], placed: &[Placed]) -> Option<Vec<Placed>> {
        let problem = self.ways.problem;
        let mut order: Vec<usize> = (0..placed.len()).collect();
        order.sort_by_key(|job| (placed[*job].start, *job));
        let modes = ways.iter().map(|(job, given)| {
            let own = || problem.tasks[*job].modes.iter();
            let same = own().position(|mode| mode == given);
            same.or_else(|| own().position(|mode| width(mode) == width(given)))
        });
        let modes = modes.collect::<Option<Vec<usize>>>()?;
        let real = anneal::in_order(problem, order, modes)?;
        self.ways.kept(&real).then_some(real)
    }
}

/// All ways to take so many of these and leave the rest, which are sorted by width.
fn parted(modes: &[Mode], count: usize) -> Vec<(Vec<Mode>, Vec<Mode>)> {
    let Some((first, rest)) = modes.split_first() else {
        return vec![(Vec::new(), Vec::new())];
    };
    let alike = 1 + rest
        .iter()
        .take_while(|mode| width(mode) == width(first))
        .count();
    let (alike, others) = modes.split_at(alike);
    // So many that the others aren't too few or too many.
    let least = count.saturating_sub(others.len());
    let mut all = Vec::new();
    for taken in least..=count.min(alike.len()) {
        for (some, left) in parted(others, count - taken) {
            let (mine, theirs) = alike.split_at(taken);
            all.push(([mine, &some].concat(), [theirs, &left].concat()));
        }
    }
    all
}
