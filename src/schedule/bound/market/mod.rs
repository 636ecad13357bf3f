//! What no schedule can be less late than where nodes have a price.
//!
//! Jobs may take more nodes than are free, but pay for each node-step what it costs at that time,
//! and are given back what all that is free would cost. Each then runs as is cheapest for itself, its
//! lateness and its nodes counted together; no schedule that keeps to what is free is less late than
//! all of them so. That is the Lagrangian relaxation of the capacity (Christofides, Alvarez-Valdés &
//! Tamarit 1987; Möhring, Schulz, Stork & Uetz 2003). Prices hold for a slot of time each, and are
//! raised where too much is taken and lowered where too little is (subgradients, Held, Wolfe &
//! Crowder 1974, in steps after Polyak 1969). Any prices give a bound that holds.
//!
//! Jobs may start before others that they wait for have ended, too: every step of that has a price, which
//! the one pays for each step that it ends later, and the other gains for each that it starts later. So a
//! job that is not late itself costs what others wait for it.
//!
//! They tell of parts too: what is left to be done from a moment on costs at least this much, and
//! a job that starts at a time far dearer than its cheapest is in no schedule that good.

mod prices;
pub(in crate::schedule) mod slots;

use self::prices::{Excess, Prices, Wait};
use self::slots::{Offer, SLOTS, Slot, Start, place, slots, spans, starts};
use super::ROUNDING;
use crate::schedule::problem::{END_OF_TIME, Mode, Problem, Worth};
use crate::schedule::room::Room;

/// Prices that are tried, at most, and the starts whose cost is looked at for them all together.
const ROUNDS: usize = 1_500;
const LOOKS: usize = 40_000_000;
/// Rounds without anything better after which steps get shorter, by how much, and when it is enough.
const PATIENCE: usize = 15;
const SHORTER: f64 = 0.7;
const SHORTEST: f64 = 1e-3;
/// What is better by less than this share of the lateness doesn't count as such.
const BETTER: f64 = 1e-5;
/// How far prices of waits move with those of nodes: a choice. From 0.3 to 3, bounds on six calendars of
/// twelve jobs differ by less than a fiftieth; of the one linked most, 0.03 left three tenths untold.
const SCALE: f64 = 0.3;

/// Prices, and what jobs cost at them.
#[derive(Debug, Clone)]
pub(in crate::schedule) struct Market {
    /// What no schedule counts less as lateness than.
    bound: f64,
    sites: Vec<Vec<Slot>>,
    waits: Vec<Wait>,
    prices: Prices,
    /// The ways to run each job.
    offers: Vec<Vec<Offer>>,
    /// What each job costs at the least, from the beginning of each slot on.
    least: Vec<Vec<f64>>,
    /// The steps of a slot that nothing cuts.
    step: i64,
    /// What sums may be off by.
    rounding: f64,
}

impl Market {
    /// Prices by which schedules of `problem` are told from those that are less late than `best`;
    /// `None` where a job has no way to run or there is no time.
    pub(in crate::schedule) fn new(problem: &Problem, best: Worth) -> Option<Self> {
        let horizon = problem.horizon();
        let step = (best.second / SLOTS).max(1);
        let sites: Vec<Vec<Slot>> = problem
            .sites
            .iter()
            .map(|site| slots(site, step, horizon))
            .collect();
        if sites.iter().any(Vec::is_empty) {
            return None;
        }
        let ends = super::earliest_ends(problem);
        let offers = problem.tasks.iter().map(|task| {
            let before = task.after.iter().map(|before| ends[*before]);
            let ready = before.fold(task.release, i64::max);
            let modes = task.modes.iter().enumerate();
            let offers = modes.filter_map(|(place, mode)| {
                let (site, slots) = (&problem.sites[mode.site], &sites[mode.site]);
                let starts = starts(task, *mode, spans(site, *mode, ready, horizon), slots);
                (!starts.is_empty()).then_some(Offer {
                    mode: place,
                    site: mode.site,
                    nodes: mode.nodes as f64,
                    steps: mode.steps,
                    starts,
                })
            });
            let offers: Vec<Offer> = offers.collect();
            (!offers.is_empty()).then_some(offers)
        });
        let offers = offers.collect::<Option<Vec<_>>>()?;
        let waits = problem.tasks.iter().enumerate().flat_map(|(job, task)| {
            let before = task.after.iter();
            before.map(move |before| Wait {
                job,
                before: *before,
            })
        });
        let waits: Vec<Wait> = waits.collect();
        let free = sites.iter().map(|slots| vec![0.0; slots.len()]).collect();
        let jobs = problem.tasks.len();
        let mut market = Self {
            bound: 0.0,
            prices: Prices::new(&sites, &waits, jobs, free, vec![0.0; waits.len()]),
            sites,
            waits,
            offers,
            least: Vec::new(),
            step,
            rounding: 0.0,
        };
        market.settle(best.first as f64, best.second as f64);
        market.least = (0..market.offers.len())
            .map(|job| market.least_from(job))
            .collect();
        Some(market)
    }

    /// What no schedule counts less as lateness than.
    pub(in crate::schedule) fn bound(&self) -> i64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "no more than a schedule counts"
        )]
        let bound = (self.bound - self.rounding).ceil() as i64;
        bound
    }

    /// What is to spare up to `most`, where so much is spent; less than 0 only where it is more, beyond
    /// rounding.
    pub(in crate::schedule) fn spare(&self, spent: f64, most: i64) -> f64 {
        most as f64 + self.rounding - spent
    }

    /// What a job costs at the least that starts at a step or later: its lateness, its nodes, and what
    /// others wait.
    pub(in crate::schedule) fn least(&self, job: usize, from: i64) -> f64 {
        self.least[job][self.slot(from)]
    }

    /// What nodes cost from one step to another.
    pub(in crate::schedule) fn nodes(&self, mode: Mode, from: i64) -> f64 {
        let node = self.until(mode.site, from + mode.steps) - self.until(mode.site, from);
        mode.nodes as f64 * node
    }

    /// What a job costs by what others wait for it, less by what it waits for others.
    pub(in crate::schedule) fn waits(&self, job: usize, start: i64, end: i64) -> f64 {
        self.prices.waits(job, start, end)
    }

    /// What all that is free would cost.
    pub(in crate::schedule) fn all(&self, site: usize, room: &Room) -> f64 {
        let changes = room.changes();
        let ends = changes.iter().skip(1).map(|(from, _)| *from);
        let ends = ends.chain([END_OF_TIME]);
        let mut begun = changes
            .first()
            .map_or(0.0, |(from, _)| self.until(site, *from));
        let mut sum = 0.0;
        for ((_, nodes), end) in changes.iter().zip(ends) {
            let done = self.until(site, end);
            sum += (done - begun) * *nodes as f64;
            begun = done;
        }
        sum
    }

    /// The steps at which a job may start a way to run in a schedule that counts `most` at the most,
    /// and perhaps some others near them: from and up to, in order.
    pub(in crate::schedule) fn open(&self, job: usize, mode: usize, most: i64) -> Vec<(i64, i64)> {
        let spare = self.spare(self.bound, most) + self.least(job, 0);
        let mut open: Vec<(i64, i64)> = Vec::new();
        let offer = self.offers[job].iter().find(|offer| offer.mode == mode);
        if let Some(offer) = offer {
            let starts = &offer.starts;
            for (place, start) in starts.iter().enumerate() {
                if self.prices.of(job, offer, start) > spare {
                    continue;
                }
                // What lies between two may be open if one of them is.
                let before = place.checked_sub(1).map(|before| starts[before].at + 1);
                let after = starts.get(place + 1).map(|after| after.at - 1);
                let (from, to) = (before.unwrap_or(start.at), after.unwrap_or(start.at));
                match open.last_mut() {
                    Some(last) if from <= last.1 + 1 => last.1 = to.max(last.1),
                    _ => open.push((from, to)),
                }
            }
        }
        open
    }

    /// What a node costs from the beginning of time to a step.
    fn until(&self, site: usize, at: i64) -> f64 {
        self.prices.until(site, place(&self.sites[site], at))
    }

    /// What a job costs at the least, from the beginning of each slot on. It may start where a slot
    /// begins, or at no time near that: what is between two starts begins in the slot of the first.
    fn least_from(&self, job: usize) -> Vec<f64> {
        let mut least = vec![f64::INFINITY; self.slot(i64::MAX) + 1];
        for offer in &self.offers[job] {
            for start in &offer.starts {
                let here = &mut least[self.slot(start.at)];
                *here = here.min(self.prices.of(job, offer, start));
            }
        }
        for slot in (1..least.len()).rev() {
            least[slot - 1] = least[slot - 1].min(least[slot]);
        }
        least
    }

    /// The slot of a step, were there none but those of the same length; the last is for ever.
    fn slot(&self, at: i64) -> usize {
        usize::try_from((at / self.step).min(SLOTS)).unwrap_or(0)
    }

    /// Finds prices at which jobs count as much as they can: less than `best`, which is over after
    /// `steps`.
    fn settle(&mut self, best: f64, steps: f64) {
        let starts = self.offers.iter().flatten().map(|offer| offer.starts.len());
        let rounds = (LOOKS / starts.sum::<usize>().max(1)).min(ROUNDS);
        let nodes = self.sites.iter().flatten().map(|slot| slot.nodes);
        let nodes = nodes.max().unwrap_or(0) as f64;
        // Waits are of the order of all steps, and worth as much as all nodes for that time.
        let scale = SCALE * nodes * nodes / steps.max(1.0);
        let mut prices = self.prices.clone();
        let mut excess = Excess::new(&prices);
        let mut direction = excess.clone();
        let (mut size, mut waited, mut most) = (1.0, 0, f64::NEG_INFINITY);
        for _ in 0..rounds {
            let value = self.weighed(&prices, &mut excess);
            waited += 1;
            if value > most {
                if value > most + BETTER * best {
                    waited = 0;
                }
                most = value;
                self.prices.clone_from(&prices);
            }
            if waited > PATIENCE {
                size *= SHORTER;
                waited = 0;
                prices.clone_from(&self.prices);
                direction = Excess::new(&prices);
                if size < SHORTEST {
                    break;
                }
                continue;
            }
            let norm = direction.turn(&excess, &self.sites, scale);
            let length = size * (best - value) / norm;
            if !length.is_finite() || length <= 0.0 {
                break;
            }
            let Prices {
                mut per_step,
                mut per_wait,
                ..
            } = prices;
            for ((prices, direction), slots) in
                per_step.iter_mut().zip(&direction.nodes).zip(&self.sites)
            {
                for ((price, along), slot) in prices.iter_mut().zip(direction).zip(slots) {
                    *price = (*price + length * along / slot.steps()).max(0.0);
                }
            }
            for (price, along) in per_wait.iter_mut().zip(&direction.waits) {
                *price = (*price + length * along * scale).max(0.0);
            }
            let jobs = self.offers.len();
            prices = Prices::new(&self.sites, &self.waits, jobs, per_step, per_wait);
        }
        let free = self.sites.iter().zip(&self.prices.per_step);
        let free = free.flat_map(|(slots, prices)| slots.iter().zip(prices));
        let all: f64 = free
            .map(|(slot, price)| price * slot.steps() * slot.nodes as f64)
            .sum();
        let last = self.sites.iter().flatten().map(|slot| slot.to).max();
        let waits = self.prices.per_wait.iter().sum::<f64>() * last.unwrap_or(0) as f64;
        self.bound = most;
        self.rounding = ROUNDING * (1.0 + best + all + waits);
    }

    /// What all jobs cost at prices, each as is cheapest for itself, less what all that is free would
    /// cost; and by how much they break what is priced.
    fn weighed(&self, prices: &Prices, excess: &mut Excess) -> f64 {
        let mut value = 0.0;
        let sites = self.sites.iter().zip(&prices.per_step);
        let sites = sites.zip(&mut excess.nodes);
        for ((slots, prices), excess) in sites {
            for ((slot, price), excess) in slots.iter().zip(prices).zip(excess) {
                *excess = -slot.steps() * slot.nodes as f64;
                value += price * *excess;
            }
        }
        excess.waits.fill(0.0);
        for (job, offers) in self.offers.iter().enumerate() {
            let mut least: Option<(f64, &Offer, &Start)> = None;
            for offer in offers {
                for start in &offer.starts {
                    let cost = prices.of(job, offer, start);
                    if least.is_none_or(|(least, ..)| cost < least) {
                        least = Some((cost, offer, start));
                    }
                }
            }
            let Some((cost, offer, start)) = least else {
                continue;
            };
            value += cost;
            let (slots, taken) = (&self.sites[offer.site], &mut excess.nodes[offer.site]);
            for slot in start.begin.0..=start.end.0 {
                let from = if slot == start.begin.0 {
                    start.begin.1
                } else {
                    0.0
                };
                let to = if slot == start.end.0 {
                    start.end.1
                } else {
                    slots[slot].steps()
                };
                taken[slot] += offer.nodes * (to - from);
            }
            for (wait, excess) in self.waits.iter().zip(&mut excess.waits) {
                if wait.before == job {
                    *excess += (start.at + offer.steps) as f64;
                }
                if wait.job == job {
                    *excess -= start.at as f64;
                }
            }
        }
        value
    }
}
