//! Watching work while it runs: how far it is, the best so far, and ending it early.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::rank::Ranked;

/// What hears of every new best candidate.
type Listener<'a> = Box<dyn Fn(&Ranked) + Send + Sync + 'a>;

/// A window into a running search, shared between the thread that watches and those that work.
///
/// ```
/// use tminus::search::Watch;
/// let watch = Watch::new().on_best(|best| eprintln!("{best:?}"));
/// watch.cancel();
/// assert!(watch.is_cancelled());
/// assert_eq!(watch.progress().points, 0);
/// ```
#[derive(Default)]
pub struct Watch<'a> {
    cancelled: AtomicBool,
    points: AtomicU64,
    groups: AtomicU64,
    all_groups: AtomicU64,
    best: Mutex<Option<Ranked>>,
    on_best: Option<Listener<'a>>,
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Points settled.
    pub points: u64,
    /// Share of the groups of points that are settled, from 0 to 1.
    pub share: f64,
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("cancelled", &self.is_cancelled())
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

impl<'a> Watch<'a> {
    /// A watch on a search that hasn't begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `report` with every candidate better than all that were reported before it, as they
    /// are found, from the threads that search. Which ones these are depends on how the threads
    /// run; the outcome of the search doesn't.
    #[must_use]
    pub fn on_best(mut self, report: impl Fn(&Ranked) + Send + Sync + 'a) -> Self {
        self.on_best = Some(Box::new(report));
        self
    }

    /// Ends the search soon; what it has found by then is its outcome.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the search was asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// How far the search is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let all = self.all_groups.load(Ordering::Relaxed).max(1);
        let groups = self.groups.load(Ordering::Relaxed).min(all);
        Progress {
            points: self.points.load(Ordering::Relaxed),
            share: groups as f64 / all as f64,
        }
    }

    /// So many more groups are to be settled.
    pub(crate) fn begin(&self, groups: u64) {
        self.all_groups.fetch_add(groups, Ordering::Relaxed);
    }

    /// So many groups, of so many points, are settled.
    pub(crate) fn settled(&self, groups: u64, points: u128) {
        let points = u64::try_from(points).unwrap_or(u64::MAX);
        self.groups.fetch_add(groups, Ordering::Relaxed);
        // Saturates by hand: atomics wrap.
        let _ = self
            .points
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |known| {
                Some(known.saturating_add(points))
            });
    }

    pub(super) fn found(&self, candidate: Option<&Ranked>) {
        let (Some(report), Some(candidate)) = (&self.on_best, candidate) else {
            return;
        };
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        if best.is_none_or(|best| *candidate < best) {
            *best = Some(*candidate);
            report(candidate);
        }
    }
}
