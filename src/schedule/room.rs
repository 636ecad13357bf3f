//! What is free of a cluster while jobs are placed on it.

use smallvec::SmallVec;

use super::problem::{END_OF_TIME, Free};

/// From each step on as many nodes, in order of time; the last for ever. Few enough for a dozen jobs
/// stay where the room is: searches copy it all the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room(SmallVec<[(i64, i64); 8]>);

impl Room {
    pub(super) fn new(free: &Free) -> Self {
        Self(
            free.pieces
                .iter()
                .map(|piece| (piece.from, piece.nodes))
                .collect(),
        )
    }

    /// No room at all: what can't be used is none.
    pub(super) fn rounded(&mut self, usable: impl Fn(i64) -> i64) {
        for (_, free) in &mut self.0 {
            *free = usable(*free);
        }
    }

    /// The steps at which what is free changes, each with the nodes free from it on.
    pub(super) fn changes(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// The place of the change that holds at a step.
    fn place(&self, at: i64) -> usize {
        self.0
            .partition_point(|(from, _)| *from <= at)
            .saturating_sub(1)
    }

    /// Nodes that are free at its first step.
    pub(super) fn now(&self) -> i64 {
        self.0.first().map_or(0, |(_, free)| *free)
    }

    /// The least nodes that are free from its first step to another.
    pub(super) fn least_until(&self, end: i64) -> i64 {
        let changes = self.0.iter().take_while(|(from, _)| *from < end);
        changes.map(|(_, free)| *free).min().unwrap_or(0)
    }

    /// Whether so many nodes are free that long.
    pub(super) fn fits(&self, at: i64, steps: i64, nodes: i64) -> bool {
        self.0[self.place(at)..]
            .iter()
            .take_while(|(from, _)| *from < at + steps)
            .all(|(_, free)| *free >= nodes)
    }

    /// The first step from `ready` on at which so many nodes are free that long.
    pub(super) fn first_start(&self, ready: i64, steps: i64, nodes: i64) -> Option<i64> {
        let mut start = ready;
        let mut place = self.place(ready);
        while let Some((from, free)) = self.0.get(place) {
            if *from >= start + steps {
                break;
            }
            if *free < nodes {
                start = self.0.get(place + 1)?.0;
            }
            place += 1;
        }
        (start < END_OF_TIME).then_some(start)
    }

    /// Books nodes that are free.
    pub(super) fn take(&mut self, at: i64, steps: i64, nodes: i64) {
        let first = self.split(at);
        let last = self.split(at + steps);
        for (_, free) in &mut self.0[first..last] {
            *free -= nodes;
        }
    }

    /// Makes a step the first of its piece.
    fn split(&mut self, at: i64) -> usize {
        let place = self.0.partition_point(|(from, _)| *from < at);
        if self.0.get(place).is_none_or(|(from, _)| *from > at) {
            let free = self.0[place - 1].1;
            self.0.insert(place, (at, free));
        }
        place
    }

    /// Forgets what was before a step.
    pub(super) fn forward(&mut self, at: i64) {
        let place = self.place(at);
        self.0.drain(..place);
        self.0[0].0 = at;
    }

    /// The steps at which more becomes free.
    pub(super) fn rises(&self) -> impl Iterator<Item = i64> {
        let pairs = self.0.windows(2);
        pairs
            .filter(|pair| pair[0].1 < pair[1].1)
            .map(|pair| pair[1].0)
    }

    /// Whether at no step from `other`'s first on fewer nodes are free than in `other`.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let from = other.0[0].0;
        let mut mine = self.place(from);
        let mut theirs = 0;
        loop {
            if self.0[mine].1 < other.0[theirs].1 {
                return false;
            }
            match (self.0.get(mine + 1), other.0.get(theirs + 1)) {
                (None, None) => return true,
                (Some(_), None) => mine += 1,
                (None, Some(_)) => theirs += 1,
                (Some((one, _)), Some((two, _))) => {
                    mine += usize::from(one <= two);
                    theirs += usize::from(two <= one);
                }
            }
        }
    }
}
