//! What the jobs placed so far leave to the others.

use smallvec::SmallVec;

use super::class::Class;
use crate::schedule::room::Room;

/// Beyond the end of any job that is placed.
pub(super) const NOT_YET: i64 = i64::MAX;

/// A step from which on the jobs left may start, and what the others leave.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) at: i64,
    pub(super) rooms: SmallVec<[Room; 1]>,
    pub(super) cost: i64,
    pub(super) late: i64,
    /// What waits cost in a market, for those that are placed.
    pub(super) waits: f64,
    /// When each job that is placed ends, where any job waits for another; empty where none does.
    pub(super) ends: Vec<i64>,
}

/// The moment before one, and the nodes of each site that stay free from there to here.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) at: i64,
    pub(super) idle: SmallVec<[i64; 2]>,
}

impl Moment {
    /// The first step that a class's jobs may start at, if what they wait for has the clusters to
    /// itself.
    pub(super) fn earliest(&self, class: &Class) -> i64 {
        let ends = class.before.iter().map(|before| {
            let end = self.ends[before.job];
            let end = if end < NOT_YET {
                end
            } else {
                self.at.max(before.release) + before.steps
            };
            end + before.then
        });
        ends.fold(self.at.max(class.release), i64::max)
    }

    /// Whether a class's jobs may start at a step, for all that is placed.
    pub(super) fn ready(&self, class: &Class, at: i64) -> bool {
        let done = |before: &usize| self.ends[*before] <= at;
        class.release <= at && class.after.iter().all(done)
    }

    /// Whether what can follow `other` can follow this too.
    pub(super) fn dominates(&self, other: &Self) -> bool {
        let mut rooms = self.rooms.iter().zip(&other.rooms);
        let mut ends = self.ends.iter().zip(&other.ends);
        self.at <= other.at
            && self.cost <= other.cost
            && self.late <= other.late
            && rooms.all(|(mine, theirs)| mine.covers(theirs))
            && ends.all(|(mine, theirs)| *mine <= (*theirs).max(other.at))
    }
}
