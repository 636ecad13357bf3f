//! Whether a job may start at a moment, and what it leaves.

use super::Tree;
use super::moment::{Moment, Past};
use crate::schedule::problem::Placed;

impl Tree<'_> {
    /// What is to spare when a job starts this way; `None` when that takes too much, or more
    /// nodes than are free now.
    pub(super) fn spared(
        &self,
        moment: &Moment,
        class: usize,
        way: usize,
        spare: i64,
    ) -> Option<i64> {
        let class = &self.classes[class];
        let mode = class.ways[way].mode;
        if mode.nodes > moment.rooms[mode.site].now() {
            return None;
        }
        if spare == i64::MAX {
            return Some(spare);
        }
        let area = mode.nodes.saturating_mul(mode.steps);
        let spare = spare - (area - self.least_area(moment, class)?);
        (spare >= 0).then_some(spare)
    }

    /// Whether a job would start where one that took as many nodes has just ended, though the two
    /// could as well change places, and that schedule is looked at first.
    pub(super) fn follows_what_it_could_precede(
        &self,
        moment: &Moment,
        class: usize,
        start: usize,
    ) -> bool {
        let class = &self.classes[class];
        let mode = class.ways[self.starts[start].1].mode;
        let end = moment.at + mode.steps;
        self.runs.iter().any(|run| {
            let other = &self.classes[run.class];
            run.at + run.mode.steps == moment.at
                && (run.mode.site, run.mode.nodes) == (mode.site, mode.nodes)
                && start < run.start
                && !self.awaited[run.job]
                && moment.ready(class, run.at)
                && end <= other.last
                && other.behind(end) + class.behind(run.at + mode.steps)
                    <= other.behind(moment.at) + class.behind(end)
        })
    }

    /// The moment with one more job started at it, where that can be and a start at the moment
    /// before could not.
    pub(super) fn started(
        &self,
        moment: &Moment,
        past: &Past,
        job: usize,
        class: usize,
        way: usize,
    ) -> Option<(Moment, Placed)> {
        let class = &self.classes[class];
        let way = class.ways[way];
        let mode = way.mode;
        let end = moment.at + mode.steps;
        let last = class.last.min(self.caps.end);
        let sooner = mode.nodes <= past.idle[mode.site];
        if end > last
            || !moment.ready(class, moment.at)
            || sooner && moment.ready(class, past.at)
            || !moment.rooms[mode.site].fits(moment.at, mode.steps, mode.nodes)
        {
            return None;
        }
        let cost = moment.cost + mode.cost;
        let late = moment.late + class.behind(end);
        if self.caps.cost.is_some_and(|most| cost > most)
            || self.caps.late.is_some_and(|most| late > most)
        {
            return None;
        }
        let mut next = moment.clone();
        (next.cost, next.late) = (cost, late);
        if let Some(market) = self.market {
            next.waits += market.waits(job, moment.at, end);
        }
        next.rooms[mode.site].take(moment.at, mode.steps, mode.nodes);
        if self.linked {
            next.ends[job] = end;
        }
        let placed = Placed {
            mode: way.index,
            start: moment.at,
        };
        Some((next, placed))
    }
}
