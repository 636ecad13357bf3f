//! Ways left out because the jobs need more lanes than there are.

use std::sync::Arc;

use super::search::Search;
use crate::schedule::bound::lanes::Told;
use crate::schedule::problem::Task;

impl Search<'_> {
    /// Whether the jobs need more lanes than there are; else, ways that they rule out are closed,
    /// and jobs with one way left are given that.
    pub(super) fn too_long(&mut self) -> bool {
        let jobs = self.ways.merged.tasks.len();
        let stage = Arc::clone(&self.node.stage);
        let Some(lanes) = &stage.lanes else {
            return false;
        };
        for job in 0..jobs {
            let open = self.open_ways(job);
            for way in 0..stage.system.ways(job).count() {
                let given = self.node.given[job].is_none_or(|given| given == way);
                self.node.open[lanes.place(job, way)] = given && open.contains(&way);
            }
        }
        if !lanes.close(&mut self.node.open, &self.known) {
            return true;
        }
        if let Some(prices) = self.node.prices.take() {
            let mut spent = 0;
            let told = lanes.told(&self.node.open, &mut self.known, prices, &mut spent);
            self.effort.spend(spent);
            match told {
                Told::Exceeded => return true,
                Told::Open(prices) => self.node.prices = Some(prices),
                Told::Unknown => {}
            }
        }
        for job in 0..jobs {
            match self.open_ways(job).as_slice() {
                [] => return true,
                [way] if self.node.alone[job].is_none() => self.node.given[job] = Some(*way),
                _ => {}
            }
        }
        false
    }

    /// The job with the fewest ways left, of several the largest; `None` where all have theirs.
    pub(super) fn fewest_open(&self) -> Option<usize> {
        let tasks = &self.ways.merged.tasks;
        let left = (0..tasks.len()).filter(|job| !self.decided(*job));
        let size = |job: &usize| (self.open_ways(*job).len(), -Task::least_area(&tasks[*job]));
        left.min_by_key(size)
    }

    /// Whether lanes leave a way open.
    pub(super) fn is_open(&self, job: usize, way: usize) -> bool {
        let lanes = self.node.stage.lanes.as_ref();
        lanes.is_none_or(|lanes| self.node.open[lanes.place(job, way)])
    }
}
