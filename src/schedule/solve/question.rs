//! What the searches are asked, and how much effort that may take.

use pumpkin_core::termination::TerminationCondition;

use crate::schedule::problem::Placed;
use crate::search::Watch;

/// Whether there is such a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::schedule) enum Answer {
    /// There is: this one.
    Found(Vec<Placed>),
    /// There is none.
    Impossible,
    /// The effort allowed did not settle it.
    Open,
}

/// Who watches is told of so much effort at a time: others may be telling at the same moment.
const TOLD: u64 = 64;

/// How often a search may come back to decide: its effort, in a unit that depends on nothing
/// but the problem, unlike time. Who watches may end it.
#[derive(Debug)]
pub(in crate::schedule) struct Effort<'a> {
    pub(in crate::schedule) spent: u64,
    pub(in crate::schedule) allowed: u64,
    pub(in crate::schedule) watch: &'a Watch<'a>,
}

impl Effort<'_> {
    /// Spends so much, and tells who watches.
    pub(in crate::schedule) fn spend(&mut self, effort: u64) {
        let told = self.spent / TOLD;
        self.spent += effort;
        let untold = self.spent / TOLD - told;
        if untold > 0 {
            self.watch.settled(untold * TOLD, 0);
        }
    }
}

impl TerminationCondition for Effort<'_> {
    fn should_stop(&mut self) -> bool {
        self.spend(1);
        self.spent > self.allowed || self.watch.is_cancelled()
    }
}
