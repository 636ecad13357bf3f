//! What the jobs left need at least.

use super::Tree;
use super::moment::Moment;
use crate::schedule::packing;
use crate::schedule::problem::END_OF_TIME;

/// Rounds in which the budgets left are weighed against each other.
const ROUNDS: usize = 6;

impl Tree<'_> {
    /// Whether what is left can't keep the caps, by sums alone.
    pub(super) fn hopeless(&self, moment: &Moment) -> bool {
        let sites = moment.rooms.iter().zip(&self.lanes);
        let areas: Vec<i64> = sites
            .map(|(room, lanes)| lanes.area(room, self.caps.end))
            .collect();
        let cost = self.caps.cost.map(|most| most - moment.cost);
        let late = self.caps.late.map(|most| most - moment.late);
        // A cap that isn't there has no budget, or its weight would excuse what others exceed.
        let cost_row = areas.len();
        let late_row = cost_row + usize::from(cost.is_some());
        let budgets = late_row + usize::from(late.is_some());
        let mut groups: Vec<packing::Group<Shares>> = Vec::with_capacity(self.classes.len());
        for (left, class) in self.left.iter().zip(&self.classes) {
            if *left == 0 {
                continue;
            }
            let start = moment.earliest(class);
            let last = class.last.min(self.caps.end);
            let ways = class.ways.iter().map(|way| way.mode);
            let ways = ways.filter(|mode| start + mode.steps <= last);
            let shares = ways.map(|mode| {
                let behind = class.behind(start + mode.steps);
                let area = packing::share(mode.nodes.saturating_mul(mode.steps), areas[mode.site]);
                let mut shares = Shares::default();
                shares.push(mode.site, area);
                if let Some(most) = cost {
                    shares.push(cost_row, packing::share(mode.cost, most));
                }
                if let Some(most) = late {
                    shares.push(late_row, packing::share(behind, most));
                }
                shares
            });
            groups.push((*left, shares.collect()));
        }
        // Where there is but one budget, one round tells all.
        let rounds = if budgets == 1 { 1 } else { ROUNDS };
        packing::exceeded(budgets, &groups, rounds)
            || late.is_some_and(|most| self.least_late(moment) > most)
    }

    /// Lateness that the jobs left have at least: the nth of them to be done has, with all before
    /// it, the room that the n smallest take, and the nth earliest due date at the earliest.
    fn least_late(&self, moment: &Moment) -> i64 {
        let mut sizes: Vec<i64> = Vec::new();
        let mut dues: Vec<i64> = Vec::new();
        let mut weight = i64::MAX;
        for (left, class) in self.left.iter().zip(&self.classes) {
            let Some(due) = class.due.filter(|_| *left > 0) else {
                continue;
            };
            weight = weight.min(class.weight);
            let areas = class
                .ways
                .iter()
                .map(|way| way.mode.nodes.saturating_mul(way.mode.steps));
            let least = areas.min().unwrap_or(0);
            sizes.extend((0..*left).map(|_| least));
            dues.extend((0..*left).map(|_| due));
        }
        sizes.sort_unstable();
        dues.sort_unstable();
        let mut changes: Vec<(i64, i64)> = Vec::new();
        for room in &moment.rooms {
            let mut held = 0;
            for (from, free) in room.changes() {
                changes.push((*from, free - held));
                held = *free;
            }
        }
        changes.sort_unstable();
        let mut changes = changes.into_iter().peekable();
        let (mut at, mut nodes, mut rest) = (moment.at, 0_i64, 0_i64);
        let mut late: i64 = 0;
        for (size, due) in sizes.into_iter().zip(dues) {
            rest = size.saturating_add(rest);
            loop {
                let next = changes.peek().map_or(END_OF_TIME, |(from, _)| *from);
                let held = nodes.saturating_mul(next - at);
                if held >= rest {
                    // `nodes` is not 0: the rest is more than nothing.
                    let steps = (rest - 1) / nodes.max(1) + 1;
                    late = late.saturating_add((at + steps - due).max(0));
                    // Part of a step stays for what comes after.
                    break;
                }
                rest -= held;
                at = next;
                match changes.next() {
                    Some((_, by)) => nodes += by,
                    None => return late.saturating_mul(weight),
                }
            }
        }
        late.saturating_mul(weight)
    }
}

/// What a way to run takes of the areas, the cost and the lateness that are left.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    parts: [(usize, f64); 3],
    count: usize,
}

impl Shares {
    fn push(&mut self, budget: usize, share: f64) {
        self.parts[self.count] = (budget, share);
        self.count += 1;
    }
}

impl AsRef<[(usize, f64)]> for Shares {
    fn as_ref(&self) -> &[(usize, f64)] {
        &self.parts[..self.count]
    }
}
