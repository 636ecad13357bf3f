//! What the jobs left need at least.

use smallvec::SmallVec;

use super::Tree;
use super::class::Class;
use super::moment::Moment;
use crate::schedule::bound::late::{self, Waiting};
use crate::schedule::bound::packing;
use crate::schedule::bound::usable::Sums;
use crate::schedule::due::Due;
use crate::schedule::problem::{END_OF_TIME, Mode};

/// Rounds in which the budgets left are weighed against each other.
const ROUNDS: usize = 6;

impl Tree<'_> {
    /// What is to spare, in node-steps where the caps are on the end only: what the jobs left may
    /// take beyond the least they can, or leave idle. `None` where sums alone tell that they can't
    /// keep the caps. `steps` are the sums of the steps of the jobs left, by site.
    pub(super) fn spare(&self, moment: &Moment, steps: &[Sums]) -> Option<i64> {
        if let Some(spare) = self.late_spare(moment) {
            if spare < 0.0 {
                return None;
            }
            // Prices tell what the sums below do, but that time may end before all is done.
            if self.unending {
                return Some(i64::MAX);
            }
        }
        let cost = self.caps.cost.map(|most| most - moment.cost);
        let late = self.caps.late.map(|most| most - moment.late);
        let sites = moment.rooms.iter().zip(&self.lanes).zip(steps);
        let areas = sites.map(|((room, lanes), steps)| lanes.area(steps, room, self.caps.end));
        if let (1, None, None) = (self.lanes.len(), cost, late) {
            let spare = areas.sum::<i64>() - self.area_needed(moment)?;
            return (spare >= 0).then_some(spare);
        }
        let areas: Vec<i64> = areas.collect();
        // A cap that isn't there has no budget, or its weight would excuse what others exceed.
        let cost_row = areas.len();
        let late_row = cost_row + usize::from(cost.is_some());
        let budgets = late_row + usize::from(late.is_some());
        let mut groups: Vec<(usize, Vec<Shares>)> = Vec::with_capacity(self.classes.len());
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
        let groups = groups.iter().map(|(left, ways)| (*left, ways.as_slice()));
        let exceeded = packing::exceeded(&mut vec![1.0; budgets], &groups, ROUNDS)
            || late
                .is_some_and(|most| self.least_late(moment) > most || self.too_late(moment, most));
        (!exceeded).then_some(i64::MAX)
    }

    /// How much later all jobs may be together than they are at the least, where nodes have a price.
    pub(super) fn late_spare(&self, moment: &Moment) -> Option<f64> {
        let (market, most) = (self.market?, self.caps.late?);
        let mut least = moment.late as f64 + moment.waits;
        for (left, class) in self.left.iter().zip(&self.classes) {
            if let (1.., [job, ..]) = (*left, &class.jobs[..]) {
                least += *left as f64 * market.least(*job, moment.earliest(class));
            }
        }
        for (site, room) in moment.rooms.iter().enumerate() {
            least -= market.all(site, room);
        }
        Some(market.spare(least, most))
    }

    /// How much more a job costs at the market's prices that starts now in a way than it does at the
    /// least; 0 without a market.
    pub(super) fn delays(&self, moment: &Moment, class: usize, way: usize) -> f64 {
        let class = &self.classes[class];
        let (Some(market), [job, ..]) = (self.market, &class.jobs[..]) else {
            return 0.0;
        };
        let mode = class.ways[way].mode;
        let late = class.behind(moment.at + mode.steps) as f64;
        let waits = market.waits(*job, moment.at, moment.at + mode.steps);
        late + waits + market.nodes(mode, moment.at) - market.least(*job, moment.earliest(class))
    }

    /// Node-steps that the jobs left take at least; `None` where one of them has no way on.
    fn area_needed(&self, moment: &Moment) -> Option<i64> {
        let mut needed: i64 = 0;
        for (left, class) in self.left.iter().zip(&self.classes) {
            if *left == 0 {
                continue;
            }
            let area = self.least_area(moment, class)?;
            needed = needed
                .saturating_add(area.saturating_mul(i64::try_from(*left).unwrap_or(i64::MAX)));
        }
        Some(needed)
    }

    /// The least node-steps that one of a class's jobs can still take.
    pub(super) fn least_area(&self, moment: &Moment, class: &Class) -> Option<i64> {
        let steps = class.last.min(self.caps.end) - moment.earliest(class);
        let way = class.areas.iter().find(|(least, _)| *least <= steps);
        way.map(|(_, area)| *area)
    }

    /// Whether the jobs left are later together than that, as jobs on whole units of so many nodes.
    fn too_late(&self, moment: &Moment, most: i64) -> bool {
        let mut jobs: SmallVec<[(usize, Waiting); 16]> = SmallVec::new();
        for (place, (left, class)) in self.left.iter().zip(&self.classes).enumerate() {
            let Some(due) = class.due.filter(|_| *left > 0) else {
                continue;
            };
            let ready = moment.earliest(class);
            let alone = class.ways.iter().map(|way| {
                let Mode { nodes, steps, .. } = way.mode;
                let room = &moment.rooms[way.mode.site];
                let start = room.first_start(ready, steps, nodes);
                start.map_or(i64::MAX, |start| class.behind(start + steps))
            });
            let job = Waiting {
                due,
                steps: class.steps,
                area: 0,
                alone: alone.min().unwrap_or(0),
            };
            jobs.extend(std::iter::repeat_n((place, job), *left));
        }
        self.units.iter().enumerate().any(|(place, unit)| {
            let jobs = jobs.iter().map(|(class, job)| Waiting {
                area: self.classes[*class].taken[place],
                ..*job
            });
            let mut jobs: SmallVec<[Waiting; 16]> = jobs.collect();
            late::together(&mut jobs, &late::free(&moment.rooms, *unit)) > most as f64
        })
    }

    /// Lateness that the jobs left have at least: the nth of them to be done has, with all before
    /// it, the room that the n smallest take, and the nth earliest due date at the earliest.
    fn least_late(&self, moment: &Moment) -> i64 {
        let mut sizes: Vec<i64> = Vec::new();
        let mut dues: Vec<Due> = Vec::new();
        let mut weight = i64::MAX;
        for (left, class) in self.left.iter().zip(&self.classes) {
            let Some(due) = class.due.filter(|_| *left > 0) else {
                continue;
            };
            weight = weight.min(due.weight());
            let areas = class
                .ways
                .iter()
                .map(|way| way.mode.nodes.saturating_mul(way.mode.steps));
            let least = areas.min().unwrap_or(0);
            sizes.extend((0..*left).map(|_| least));
            dues.extend((0..*left).map(|_| due));
        }
        sizes.sort_unstable();
        dues.sort_unstable_by_key(|due| due.at());
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
                    late = late.saturating_add(due.parts_late(at + steps));
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
