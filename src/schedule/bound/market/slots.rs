//! Time in slots, and the starts that may be cheapest whatever these cost.

use crate::schedule::problem::{Free, Mode, Piece, Task};

/// Slots that the time until the end of the last job has, apart from when what is free changes. Twice
/// as many gain a thousandth.
pub(in crate::schedule) const SLOTS: i64 = 128;

/// A time in which a node-step costs the same, from `from` up to `to`.
#[derive(Debug, Clone, Copy)]
pub(in crate::schedule) struct Slot {
    pub(in crate::schedule) from: i64,
    pub(in crate::schedule) to: i64,
    /// Nodes that are free.
    pub(in crate::schedule) nodes: i64,
}

impl Slot {
    pub(in crate::schedule) fn steps(self) -> f64 {
        (self.to - self.from) as f64
    }

    /// Node-steps that are free.
    pub(in crate::schedule) fn held(self) -> f64 {
        self.steps() * self.nodes as f64
    }
}

/// A moment, as a slot and the steps since that began.
pub(in crate::schedule) type At = (usize, f64);

/// A start of a job. Between two of these, what it costs goes evenly from one to the other.
#[derive(Debug, Clone, Copy)]
pub(in crate::schedule) struct Start {
    pub(in crate::schedule) at: i64,
    pub(in crate::schedule) late: f64,
    pub(in crate::schedule) begin: At,
    pub(in crate::schedule) end: At,
}

/// A way to run a job, with the starts that may be cheapest.
#[derive(Debug, Clone)]
pub(in crate::schedule) struct Offer {
    pub(in crate::schedule) mode: usize,
    pub(in crate::schedule) site: usize,
    pub(in crate::schedule) nodes: f64,
    pub(in crate::schedule) steps: i64,
    pub(in crate::schedule) starts: Vec<Start>,
}

/// What is free of a site in slots of so many steps, cut where that changes.
pub(in crate::schedule) fn slots(site: &Free, step: i64, horizon: i64) -> Vec<Slot> {
    let regular = (0..=SLOTS).map(|slot| slot * step);
    let changes = site.pieces.iter().map(|piece| piece.from);
    let mut cuts: Vec<i64> = regular.chain(changes).chain([horizon]).collect();
    cuts.retain(|cut| *cut <= horizon);
    cuts.sort_unstable();
    cuts.dedup();
    let slots = cuts.windows(2).map(|cut| {
        let here = |piece: &&Piece| piece.from <= cut[0] && cut[0] < piece.to;
        Slot {
            from: cut[0],
            to: cut[1],
            nodes: site.pieces.iter().find(here).map_or(0, |piece| piece.nodes),
        }
    });
    slots.collect()
}

/// A step as a slot and the steps since that began; what is beyond the last slot is its end.
pub(in crate::schedule) fn place(slots: &[Slot], at: i64) -> At {
    let slot = slots
        .partition_point(|slot| slot.from <= at)
        .saturating_sub(1);
    (slot, (at.min(slots[slot].to) - slots[slot].from) as f64)
}

/// From and up to which step a job may start in a free window.
pub(in crate::schedule) fn spans(
    site: &Free,
    mode: Mode,
    ready: i64,
    horizon: i64,
) -> Vec<(i64, i64)> {
    let mut windows: Vec<(i64, i64)> = Vec::new();
    for piece in site.pieces.iter().filter(|piece| piece.nodes >= mode.nodes) {
        let to = piece.to.min(horizon);
        match windows.last_mut() {
            Some(last) if last.1 == piece.from => last.1 = to,
            _ => windows.push((piece.from, to)),
        }
    }
    let spans = windows.into_iter();
    let spans = spans.map(|(from, to)| (from.max(ready), to - mode.steps));
    spans.filter(|(from, to)| from <= to).collect()
}

/// The starts between which what a job costs goes evenly: where it starts or ends with a slot, where it
/// begins to be late, and the first and the last in each window.
pub(in crate::schedule) fn starts(
    task: &Task,
    mode: Mode,
    spans: Vec<(i64, i64)>,
    slots: &[Slot],
) -> Vec<Start> {
    let begins = slots.iter().map(|slot| slot.from);
    let ends = begins.clone().map(|at| at - mode.steps);
    let due = task.due.map(|due| due.step() - mode.steps);
    let late = due.into_iter().flat_map(|at| [at, at + 1]);
    let turns: Vec<i64> = begins.chain(ends).chain(late).collect();
    let mut starts: Vec<i64> = Vec::new();
    for (from, to) in spans {
        starts.extend([from, to]);
        starts.extend(turns.iter().filter(|at| from < **at && **at < to));
    }
    starts.sort_unstable();
    starts.dedup();
    let starts = starts.into_iter().map(|at| Start {
        at,
        late: task.late(at + mode.steps) as f64,
        begin: place(slots, at),
        end: place(slots, at + mode.steps),
    });
    starts.collect()
}
