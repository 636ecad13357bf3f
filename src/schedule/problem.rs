//! The schedule as an optimiser sees it: jobs with ways to run, whole steps of time, whole nodes.
//!
//! Nothing is rounded to the optimistic side: durations and earliest starts go up to the next
//! step, free windows and deadlines that bind shrink to whole steps, and what others booked grows to
//! them. Lateness is counted from deadlines where they lie.

use super::due::Due;

/// Beyond every step that a schedule can reach.
pub(super) const END_OF_TIME: i64 = 1 << 40;

/// Levels that the tree of decisions may have.
const MOMENTS: usize = 600;

/// Sums stay below this where they are counted exactly.
const COUNTABLE: i64 = 1 << 56;

/// Jobs, what they can run on, and when that is free.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) tasks: Vec<Task>,
    pub(super) sites: Vec<Free>,
    pub(super) aim: Aim,
}

/// What is minimised. Deadlines bind under the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// The end of the last job; then the cost.
    Makespan,
    /// The cost; then the end of the last job.
    Cost,
    /// Parts of steps late, each job's times its weight; then the end of the last job; then the cost.
    Lateness,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    /// The ways it can run.
    pub(super) modes: Vec<Mode>,
    /// The first step it may start at.
    pub(super) release: i64,
    /// When it has to be done.
    pub(super) due: Option<Due>,
    /// The jobs that have to be done before.
    pub(super) after: Vec<usize>,
}

/// A way to run a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    /// Where.
    pub(super) site: usize,
    /// On how many nodes.
    pub(super) nodes: i64,
    /// For how many steps.
    pub(super) steps: i64,
    /// What it costs, in whatever unit all modes share.
    pub(super) cost: i64,
}

/// What is free of a cluster: pieces one after another, without gaps, from step 0 on.
#[derive(Debug, Clone)]
pub(super) struct Free {
    pub(super) pieces: Vec<Piece>,
}

/// A time in which as many nodes are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) nodes: i64,
}

/// Where and when a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Which of the job's modes.
    pub(super) mode: usize,
    /// The step it starts at.
    pub(super) start: i64,
}

/// What a schedule is asked to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    /// Every job has ended by this step.
    pub(super) end: i64,
    /// The cost of all jobs is at most this.
    pub(super) cost: Option<i64>,
    /// Weighted parts of steps late are at most this.
    pub(super) late: Option<i64>,
}

/// What a schedule is worth; less is better, the first figure first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth {
    /// Parts of steps by which deadlines that bind are missed: 0 in every schedule that is accepted.
    pub(super) missed: i64,
    /// What is minimised.
    pub(super) first: i64,
    /// What is minimised among equals.
    pub(super) second: i64,
    /// What is minimised among equals of these; 0 where nothing is left to tell.
    pub(super) third: i64,
}

impl Free {
    /// The most nodes that are ever free.
    pub(super) fn most(&self) -> i64 {
        self.pieces
            .iter()
            .map(|piece| piece.nodes)
            .max()
            .unwrap_or(0)
    }

    /// Node-steps that are free before step `end`.
    pub(super) fn area(&self, end: i64) -> i64 {
        self.pieces
            .iter()
            .map(|piece| {
                (piece.to.min(end) - piece.from)
                    .max(0)
                    .saturating_mul(piece.nodes)
            })
            .fold(0, i64::saturating_add)
    }

    /// Whether nodes stay free for ever.
    pub(super) fn endless(&self) -> bool {
        self.pieces.last().is_some_and(|piece| piece.nodes > 0)
    }

    /// The last step at which what is free changes.
    fn settled(&self) -> i64 {
        self.pieces.last().map_or(0, |piece| piece.from)
    }
}

impl Task {
    /// The least node-steps that it takes in any of its ways to run.
    pub(super) fn least_area(&self) -> i64 {
        let areas = self.modes.iter();
        let areas = areas.map(|mode| mode.nodes.saturating_mul(mode.steps));
        areas.min().unwrap_or(0)
    }

    /// What an end at a step counts as lateness.
    pub(super) fn late(&self, end: i64) -> i64 {
        self.due.map_or(0, |due| due.late(end))
    }
}

impl Problem {
    /// The mode of a placed job.
    pub(super) fn mode(&self, job: usize, placed: Placed) -> Mode {
        self.tasks[job].modes[placed.mode]
    }

    /// The step after a placed job's last.
    pub(super) fn end(&self, job: usize, placed: Placed) -> i64 {
        placed.start + self.mode(job, placed).steps
    }

    /// The numbers of nodes that jobs can run on, each once.
    pub(super) fn widths(&self) -> Vec<i64> {
        let modes = self.tasks.iter().flat_map(|task| &task.modes);
        let mut widths: Vec<i64> = modes.map(|mode| mode.nodes.max(1)).collect();
        widths.sort_unstable();
        widths.dedup();
        widths
    }

    /// Whether deadlines bind.
    pub(super) fn binding(&self) -> bool {
        self.aim != Aim::Lateness
    }

    /// Parts of a step that lateness is counted in; 1 where deadlines bind.
    pub(super) fn parts(&self) -> i64 {
        let mut dues = self.tasks.iter().filter_map(|task| task.due);
        dues.next().map_or(1, Due::parts)
    }

    /// The step that a job has to be done by, where its deadline binds, and everything `end`.
    pub(super) fn last(&self, task: &Task, end: i64) -> i64 {
        let due = task.due.filter(|_| self.binding());
        due.map_or(end, |due| due.step().min(end))
    }

    /// A step by which some best schedule has ended: once nothing changes any more, jobs that
    /// run one after another never wait.
    pub(super) fn horizon(&self) -> i64 {
        let settled = self.sites.iter().map(Free::settled);
        let released = self.tasks.iter().map(|task| task.release);
        let last = settled.chain(released).max().unwrap_or(0);
        if !self.sites.iter().any(Free::endless) {
            return last;
        }
        let longest = |task: &Task| task.modes.iter().map(|mode| mode.steps).max().unwrap_or(0);
        last + self.tasks.iter().map(longest).sum::<i64>()
    }

    /// Whether the tree of decisions can take it: sums of node-steps, costs and lateness stay far
    /// within what 64 bits count, and there are few enough moments for one level of it each.
    pub(super) fn countable(&self) -> bool {
        let moments: usize = self.sites.iter().map(|site| site.pieces.len()).sum();
        if moments + self.tasks.len() > MOMENTS {
            return false;
        }
        let nodes = self.sites.iter().map(|site| site.most().max(1));
        let dues = self.tasks.iter().filter_map(|task| task.due);
        let weights = dues.map(|due| due.per_step().max(1));
        let costs = self.tasks.iter().flat_map(|task| &task.modes);
        let costs = costs.map(|mode| mode.cost).fold(0, i64::saturating_add);
        let nodes = nodes.fold(0, i64::saturating_add);
        let weights = weights.fold(0, i64::saturating_add);
        let steps = self.horizon().saturating_mul(nodes.max(weights));
        steps.max(costs) < COUNTABLE
    }

    /// What a schedule is worth.
    pub(super) fn worth(&self, schedule: &[Placed]) -> Worth {
        let mut end = 0;
        let mut cost = 0;
        let mut late = 0;
        let mut missed = 0;
        for (job, placed) in schedule.iter().enumerate() {
            let (done, task) = (self.end(job, *placed), &self.tasks[job]);
            end = end.max(done);
            cost += self.mode(job, *placed).cost;
            late = task.late(done).saturating_add(late);
            let behind = task.due.map_or(0, |due| due.parts_late(done));
            missed = behind.saturating_add(missed);
        }
        match self.aim {
            Aim::Makespan => Worth {
                missed,
                first: end,
                second: cost,
                third: 0,
            },
            Aim::Cost => Worth {
                missed,
                first: cost,
                second: end,
                third: 0,
            },
            Aim::Lateness => Worth {
                missed: 0,
                first: late,
                second: end,
                third: cost,
            },
        }
    }

    /// Why a schedule can't be: `None` when it can. Deadlines are not looked at.
    #[cfg(test)]
    pub(super) fn flaw(&self, schedule: &[Placed]) -> Option<String> {
        for (job, placed) in schedule.iter().enumerate() {
            let task = &self.tasks[job];
            if placed.start < task.release {
                return Some(format!("job {job} starts early"));
            }
            for &before in &task.after {
                if self.end(before, schedule[before]) > placed.start {
                    return Some(format!("job {job} does not wait for {before}"));
                }
            }
        }
        for (site, free) in self.sites.iter().enumerate() {
            let here: Vec<usize> = (0..schedule.len())
                .filter(|job| self.mode(*job, schedule[*job]).site == site)
                .collect();
            let starts = here.iter().map(|job| schedule[*job].start);
            let mut moments: Vec<i64> = starts.chain(free.pieces.iter().map(|p| p.from)).collect();
            moments.sort_unstable();
            for moment in moments {
                let running = here.iter().filter(|job| {
                    let placed = schedule[**job];
                    placed.start <= moment && moment < self.end(**job, placed)
                });
                let used: i64 = running
                    .map(|job| self.mode(*job, schedule[*job]).nodes)
                    .sum();
                let piece = free
                    .pieces
                    .iter()
                    .find(|p| p.from <= moment && moment < p.to);
                if used > piece.map_or(0, |piece| piece.nodes) {
                    return Some(format!("site {site} is overfull at {moment}"));
                }
            }
        }
        None
    }
}
