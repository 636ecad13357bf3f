//! How late jobs are together, at the least.

use smallvec::SmallVec;

use super::ROUNDING;
use crate::schedule::due::Due;
use crate::schedule::problem::Task;
use crate::schedule::room::Room;

/// A job that has a due date.
#[derive(Debug, Clone, Copy)]
pub(in crate::schedule) struct Waiting {
    pub(in crate::schedule) due: Due,
    /// The least steps that it runs for.
    pub(in crate::schedule) steps: i64,
    /// The least that it takes of what is free, in whatever unit that is given in times steps.
    pub(in crate::schedule) area: i64,
    /// What its lateness counts at the least, whatever the others do.
    pub(in crate::schedule) alone: i64,
}

impl Waiting {
    /// A job that ends at that step at the earliest, with what it takes of whole units of so many nodes;
    /// `None` where it has no due date, or no way to run.
    pub(in crate::schedule) fn of(task: &Task, unit: i64, end: i64) -> Option<Self> {
        let due = task.due?;
        let modes = || task.modes.iter();
        let areas = modes().map(|mode| (mode.nodes / unit).saturating_mul(mode.steps));
        Some(Self {
            due,
            steps: modes().map(|mode| mode.steps).min()?,
            area: areas.min()?,
            alone: due.late(end),
        })
    }
}

/// What the jobs' lateness counts at the least, where so much is `free` from each step on, in the
/// order of time and the last for ever.
///
/// A job is done half its steps after the middle of its work. The middles, each times its weight, sum
/// up to the least if the work could be cut at will and that with the most weight for its area
/// came first (Smith 1956; with the half, Eastman, Even & Isaacs 1964). Lateness is no less than the
/// end less the due date, be that negative: those that had better be left out of the sum count
/// by themselves.
pub(in crate::schedule) fn together(jobs: &mut [Waiting], free: &[(i64, i64)]) -> f64 {
    let urgent = |job: &Waiting| job.area as f64 / job.due.per_step().max(1) as f64;
    jobs.sort_unstable_by(|one, other| {
        urgent(one)
            .total_cmp(&urgent(other))
            .then(one.due.at().cmp(&other.due.at()))
    });
    let last = free.last().map_or(1.0, |(_, units)| (*units).max(1) as f64);
    let mut counted: SmallVec<[bool; 16]> = jobs.iter().map(|_| true).collect();
    let mut most: f64 = 0.0;
    loop {
        let mut work = Work::new(free);
        let mut sum = 0.0;
        let mut size = 0.0;
        // What each adds to the sum beyond what it counts by itself, without what it delays.
        let mut gains: SmallVec<[f64; 16]> = SmallVec::new();
        for (job, counted) in jobs.iter().zip(&counted) {
            let mut gain = 0.0;
            let alone = job.alone as f64;
            let mut counts = alone;
            if *counted {
                let end = work.middle(job.area as f64) + job.steps as f64 / 2.0;
                let parts = end * job.due.parts() as f64 - job.due.at() as f64;
                counts = job.due.weight() as f64 * parts;
                gain = counts - alone;
            }
            sum += counts;
            size += counts.abs();
            gains.push(gain);
        }
        most = most.max(sum - size * ROUNDING);
        let mut after = 0.0;
        let mut worst: Option<(f64, usize)> = None;
        for (place, job) in jobs.iter().enumerate().rev() {
            if counted[place] {
                let gain = gains[place] + after * job.area as f64 / last;
                if gain < worst.map_or(0.0, |(least, _)| least) {
                    worst = Some((gain, place));
                }
                after += job.due.per_step() as f64;
            }
        }
        let Some((_, place)) = worst else {
            break;
        };
        counted[place] = false;
    }
    most
}

/// What is free of all rooms together, in whole units of so many nodes each, from each step on.
pub(in crate::schedule) fn free(rooms: &[Room], unit: i64) -> SmallVec<[(i64, i64); 8]> {
    let units = |room: &Room| {
        let changes = room.changes().iter();
        let units: SmallVec<[(i64, i64); 8]> =
            changes.map(|(from, nodes)| (*from, nodes / unit)).collect();
        units
    };
    if let [room] = rooms {
        return units(room);
    }
    let mut changes: SmallVec<[(i64, i64); 8]> = SmallVec::new();
    for room in rooms {
        let mut held = 0;
        for (from, free) in units(room) {
            changes.push((from, free - held));
            held = free;
        }
    }
    changes.sort_unstable();
    let mut held = 0;
    for (_, change) in &mut changes {
        held += *change;
        *change = held;
    }
    changes
}

/// Work done one after another on all that is free.
struct Work<'a> {
    free: &'a [(i64, i64)],
    place: usize,
    at: f64,
}

impl<'a> Work<'a> {
    fn new(free: &'a [(i64, i64)]) -> Self {
        let at = free.first().map_or(0.0, |(from, _)| *from as f64);
        Self { free, place: 0, at }
    }

    /// The middle of the next work, of so much.
    fn middle(&mut self, area: f64) -> f64 {
        let (mut rest, mut moments) = (area, 0.0);
        while rest > 0.0 {
            let units = self.free.get(self.place).map_or(0, |(_, units)| *units) as f64;
            let next = self.free.get(self.place + 1);
            let next = next.map(|(from, _)| *from as f64);
            let held = next.map(|next| (next - self.at) * units);
            if let Some(held) = held.filter(|held| *held <= rest) {
                let next = next.unwrap_or(self.at);
                moments += held * f64::midpoint(self.at, next);
                rest -= held;
                self.at = next;
                self.place += 1;
            } else if units > 0.0 {
                let steps = rest / units;
                moments += rest * (self.at + steps / 2.0);
                self.at += steps;
                rest = 0.0;
            } else {
                // Nothing is free any more: later than this, whenever it is.
                moments += rest * self.at;
                rest = 0.0;
            }
        }
        if area > 0.0 { moments / area } else { self.at }
    }
}
