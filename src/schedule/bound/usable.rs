//! What of a cluster's room jobs can use.

use crate::schedule::problem::Mode;
use crate::schedule::room::Room;

/// Sums up to a limit beyond this aren't looked for: any number counts as one.
const LONGEST: usize = 1 << 15;

/// The sums of what jobs take, each of them once, up to a limit.
#[derive(Debug, Clone)]
pub(in crate::schedule) struct Sums {
    /// A bit for each sum, the least first; none at all where any number counts as one.
    reached: Vec<u64>,
}

impl Sums {
    /// Of each job one of its amounts, or nothing.
    pub(in crate::schedule) fn new<A: Iterator<Item = i64>>(
        jobs: impl Iterator<Item = A>,
        limit: i64,
    ) -> Self {
        let Some(size) = usize::try_from(limit).ok().filter(|size| *size < LONGEST) else {
            return Self::any();
        };
        let words = size / 64 + 1;
        let mut reached = vec![0_u64; words];
        reached[0] = 1;
        let mut before = reached.clone();
        for amounts in jobs {
            before.copy_from_slice(&reached);
            for amount in amounts {
                let Ok(amount) = usize::try_from(amount) else {
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
        Self { reached }
    }

    /// Any number counts as a sum.
    pub(in crate::schedule) fn any() -> Self {
        Self { reached: vec![] }
    }

    /// In how many parts the sums are kept.
    pub(in crate::schedule) fn size(&self) -> u64 {
        self.reached.len() as u64
    }

    /// The largest sum up to a limit.
    pub(in crate::schedule) fn at_most(&self, limit: i64) -> i64 {
        let known = usize::try_from(limit).ok();
        let Some(limit_at) = known.filter(|limit| limit / 64 < self.reached.len()) else {
            return limit;
        };
        let last = limit_at / 64;
        let up_to = u64::MAX >> (63 - limit_at % 64);
        let first = (last, self.reached[last] & up_to);
        let others = (0..last).rev().map(|word| (word, self.reached[word]));
        let mut words = std::iter::once(first).chain(others);
        // Nothing at all is a sum too.
        let (word, bits) = words.find(|(_, bits)| *bits > 0).unwrap_or((0, 1));
        i64::try_from(word).unwrap_or(0) * 64 + i64::from(bits.ilog2())
    }
}

/// The nodes that jobs at once can fill.
#[derive(Debug, Clone)]
pub(in crate::schedule) struct Lanes {
    nodes: Sums,
    /// By steps, what divides the nodes of every way to run that takes no more of them.
    divisors: Vec<(i64, i64)>,
}

impl Lanes {
    pub(in crate::schedule) fn new(jobs: &[Vec<Mode>], most: i64) -> Self {
        let nodes = jobs.iter().map(|ways| ways.iter().map(|mode| mode.nodes));
        let mut ways: Vec<&Mode> = jobs.iter().flatten().collect();
        ways.sort_by_key(|mode| mode.steps);
        let mut divisor = 0;
        let divisors = ways.into_iter().map(|mode| {
            divisor = num_integer::gcd(divisor, mode.nodes.max(1));
            (mode.steps, divisor)
        });
        let mut divisors: Vec<(i64, i64)> = divisors.collect();
        divisors.dedup_by_key(|(_, divisor)| *divisor);
        Self {
            divisors,
            nodes: Sums::new(nodes, most),
        }
    }

    /// The most of so many free nodes that jobs can take.
    pub(in crate::schedule) fn nodes(&self, free: i64) -> i64 {
        self.nodes.at_most(free)
    }

    /// Node-steps that jobs can take before a step; `steps` are the sums of theirs.
    ///
    /// Where nodes only become free, each of them is a lane from the step it does on: jobs that
    /// run are intervals, which as many lanes hold as run at once, and those that hold a node at
    /// first keep theirs. A lane then holds jobs one after another, and no more than these last.
    pub(in crate::schedule) fn area(&self, steps: &Sums, room: &Room, end: i64) -> i64 {
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
                lanes.saturating_mul(steps.at_most(end - from))
            } else {
                let to = changes.get(place + 1).map_or(end, |(to, _)| end.min(*to));
                free.saturating_mul(to - from)
            };
            area = area.saturating_add(part);
        }
        area
    }
}
