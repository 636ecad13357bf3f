//! What of a cluster's room jobs can use.

use crate::schedule::problem::Mode;
use crate::schedule::room::Room;

/// Sums beyond this are taken as they are.
const LONGEST: usize = 1 << 18;

/// The largest sums of what jobs take, each of them once, up to any limit.
#[derive(Debug, Clone)]
struct Sums(Vec<i64>);

impl Sums {
    /// Of each job one of its amounts, or nothing.
    fn new(jobs: &[Vec<i64>], limit: i64) -> Self {
        let Some(size) = usize::try_from(limit).ok().filter(|size| *size < LONGEST) else {
            return Self(Vec::new());
        };
        let words = size / 64 + 1;
        let mut reached = vec![0_u64; words];
        reached[0] = 1;
        for amounts in jobs {
            let before = reached.clone();
            for amount in amounts {
                let Ok(amount) = usize::try_from(*amount) else {
                    continue;
                };
                if amount > size {
                    continue;
                }
                let (skip, bits) = (amount / 64, amount % 64);
                for word in skip..words {
                    let mut moved = before[word - skip] << bits;
                    if bits > 0 && word > skip {
                        moved |= before[word - skip - 1] >> (64 - bits);
                    }
                    reached[word] |= moved;
                }
            }
        }
        let mut last = 0;
        let sums = (0_i64..).take(size + 1).zip(0_usize..).map(|(sum, at)| {
            if reached[at / 64] >> (at % 64) & 1 == 1 {
                last = sum;
            }
            last
        });
        Self(sums.collect())
    }

    fn at_most(&self, limit: i64) -> i64 {
        let known = usize::try_from(limit)
            .ok()
            .and_then(|limit| self.0.get(limit));
        known.copied().unwrap_or(limit)
    }
}

/// The steps that jobs one after another can fill, and the nodes that jobs at once can.
#[derive(Debug, Clone)]
pub(in crate::schedule) struct Lanes {
    steps: Sums,
    nodes: Sums,
    /// By steps, what divides the nodes of every way to run that takes no more of them.
    divisors: Vec<(i64, i64)>,
}

impl Lanes {
    pub(in crate::schedule) fn new(jobs: &[Vec<Mode>], most: i64, end: i64) -> Self {
        let amounts = |amount: fn(&Mode) -> i64| -> Vec<Vec<i64>> {
            jobs.iter()
                .map(|modes| modes.iter().map(amount).collect())
                .collect()
        };
        let mut ways: Vec<&Mode> = jobs.iter().flatten().collect();
        ways.sort_by_key(|mode| mode.steps);
        let mut divisor = 0;
        let divisors = ways.into_iter().map(|mode| {
            divisor = common(divisor, mode.nodes.max(1));
            (mode.steps, divisor)
        });
        let mut divisors: Vec<(i64, i64)> = divisors.collect();
        divisors.dedup_by_key(|(_, divisor)| *divisor);
        Self {
            divisors,
            steps: Sums::new(&amounts(|mode| mode.steps), end),
            nodes: Sums::new(&amounts(|mode| mode.nodes), most),
        }
    }

    /// The most of so many free nodes that jobs can take.
    pub(in crate::schedule) fn nodes(&self, free: i64) -> i64 {
        self.nodes.at_most(free)
    }

    /// Node-steps that jobs can take before a step.
    ///
    /// Where nodes only become free, each of them is a lane from the step it does on: jobs that
    /// run are intervals, which as many lanes hold as run at once, and those that hold a node at
    /// first keep theirs. A lane then holds jobs one after another, and no more than these last.
    pub(in crate::schedule) fn area(&self, room: &Room, end: i64) -> i64 {
        let changes = room.changes();
        let first = changes.first().map_or(0, |(from, _)| *from);
        // What no longer fits needs no nodes: those left may only be taken several at once.
        let fitting = self
            .divisors
            .partition_point(|(steps, _)| *steps <= end - first);
        let Some((_, divisor)) = fitting
            .checked_sub(1)
            .and_then(|last| self.divisors.get(last))
        else {
            return 0;
        };
        let grows = changes
            .windows(2)
            .all(|pair| pair[0].0 >= end || pair[1].0 >= end || pair[0].1 <= pair[1].1);
        let mut area: i64 = 0;
        let mut held = 0;
        for (place, (from, free)) in changes.iter().enumerate() {
            if *from >= end {
                break;
            }
            let free = free - free % divisor;
            let part = if grows {
                let lanes = free - held;
                held = free;
                lanes.saturating_mul(self.steps.at_most(end - from))
            } else {
                let to = changes.get(place + 1).map_or(end, |(to, _)| end.min(*to));
                free.saturating_mul(to - from)
            };
            area = area.saturating_add(part);
        }
        area
    }
}

/// The greatest common divisor.
fn common(one: i64, other: i64) -> i64 {
    if one == 0 {
        other
    } else {
        common(other % one, one)
    }
}
