//! Nearly alike jobs scheduled as if they were alike.

use super::anneal::Pace;
use super::efforts::{Efforts, KINDS_EFFORT};
use super::tree::Figure;
use super::{Asked, Search, anneal, list};
use crate::schedule::bound;
use crate::schedule::bound::merged::merged;
use crate::schedule::problem::Problem;

/// Kinds that many different jobs are merged into.
const KINDS: usize = 4;

impl Search<'_> {
    /// Schedules the jobs as if those nearly alike were alike: no schedule is better than the best of
    /// these, and one like it may be.
    pub(super) fn by_kinds(&mut self) {
        let Some(merged) = merged(self.problem, KINDS).filter(Problem::countable) else {
            return;
        };
        let mut kinds = Search {
            problem: &merged,
            depth: self.depth,
            horizon: merged.horizon(),
            bound: bound::first(&merged),
            best: None,
            watch: self.watch,
            partial: self.partial,
            market: None,
        };
        if let Some(placed) = list::best(&merged, self.watch)
            && merged.worth(&placed).missed == 0
        {
            kinds.offer(&placed);
        }
        if kinds.best.is_none() {
            return;
        }
        let mut left = self.depth.share(KINDS_EFFORT, self.problem);
        kinds.narrow(
            Asked::Tree,
            Efforts::first(self.problem).tree_question,
            &mut left,
        );
        if kinds.open() && kinds.lower(Figure::First, left) {
            kinds.bound = kinds.value();
        }
        self.partial |= kinds.partial;
        self.bound = self.bound.max(kinds.bound.min(kinds.value()));
        let alike = kinds.best.as_ref();
        let alike = alike.and_then(|(placed, _)| anneal::like(self.problem, &merged, placed));
        if let Some(placed) = alike {
            let placed = anneal::improved(self.problem, &placed, Pace::Quick, self.watch);
            if self.problem.worth(&placed).missed == 0 {
                self.offer(&placed);
            }
        }
    }
}
