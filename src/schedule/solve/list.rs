//! Good schedules quickly: jobs placed one after another where they fit first, over many orders.
//!
//! The serial schedule-generation scheme of project scheduling (Kolisch 1996): whatever the order,
//! the schedule keeps capacity, windows and predecessors. Each job takes the way to run that ends
//! first, with a charge for the node-steps it keeps from others; orders and charges are improved
//! by a local search whose random numbers are seeded by nothing but the problem's size.

use crate::schedule::problem::{Aim, END_OF_TIME, Placed, Problem, Worth};
use crate::schedule::room::Room;
use crate::search::Watch;

/// Orders tried for so many jobs: the work of one order grows with their square.
const WORK: usize = 400_000;
const FEWEST_ORDERS: usize = 60;
const MOST_ORDERS: usize = 3000;
/// Charges for the nodes a job takes, in steps per step of the whole cluster.
const CHARGES: [f64; 7] = [0.0, 0.1, 0.3, 0.6, 1.0, 2.0, 5.0];

/// An order of the jobs, and the charge that each chooses its way to run by.
#[derive(Debug, Clone)]
struct Recipe {
    order: Vec<usize>,
    charges: Vec<f64>,
}

/// The best schedule found; `None` when a job never fits. Ended early, it is the first.
pub(in crate::schedule) fn best(problem: &Problem, watch: &Watch<'_>) -> Option<Vec<Placed>> {
    let count = problem.tasks.len();
    let mut random = Random::new(count, 0);
    let mut found: Option<(Worth, Vec<Placed>, Recipe)> = None;
    let consider = |recipe: Recipe, found: &mut Option<(Worth, Vec<Placed>, Recipe)>| {
        let Some(schedule) = build(problem, &recipe) else {
            return;
        };
        let worth = problem.worth(&schedule);
        // A schedule that is as good moves the search along a plateau.
        if found.as_ref().is_none_or(|(best, ..)| worth <= *best) {
            *found = Some((worth, schedule, recipe));
        }
    };
    for order in orders(problem) {
        for charge in CHARGES {
            if found.is_some() && watch.is_cancelled() {
                break;
            }
            let charges = vec![charge; count];
            consider(
                Recipe {
                    order: order.clone(),
                    charges,
                },
                &mut found,
            );
        }
    }
    let rounds = (WORK / (count * count).max(1)).clamp(FEWEST_ORDERS, MOST_ORDERS);
    for _ in 0..rounds {
        let Some((.., recipe)) = &found else { break };
        if watch.is_cancelled() {
            break;
        }
        let mut recipe = recipe.clone();
        for _ in 0..=random.below(2) {
            let (from, to) = (random.below(count), random.below(count));
            let job = recipe.order.remove(from);
            recipe.order.insert(to, job);
            let (job, charge) = (random.below(count), random.below(CHARGES.len()));
            recipe.charges[job] = CHARGES[charge];
        }
        consider(recipe, &mut found);
    }
    found.map(|(_, schedule, _)| schedule)
}

/// The schedule with every job moved to the earliest start its order and its way to run allow.
pub(in crate::schedule) fn shifted(problem: &Problem, schedule: &[Placed]) -> Vec<Placed> {
    let mut order: Vec<usize> = (0..schedule.len()).collect();
    order.sort_by_key(|job| (schedule[*job].start, *job));
    let mut rooms = rooms(problem);
    let mut shifted = schedule.to_vec();
    for job in order {
        let ready = ready(problem, job, |before| problem.end(before, shifted[before]));
        let mode = schedule[job].mode;
        let way = problem.tasks[job].modes[mode];
        match rooms[way.site].first_start(ready, way.steps, way.nodes) {
            Some(start) if start <= schedule[job].start => {
                shifted[job] = Placed { mode, start };
                book(&mut rooms, problem, job, shifted[job]);
            }
            // Jobs that start together can't keep each other out; this is not reached.
            _ => return schedule.to_vec(),
        }
    }
    shifted
}

fn ready(problem: &Problem, job: usize, end: impl Fn(usize) -> i64) -> i64 {
    let task = &problem.tasks[job];
    task.after
        .iter()
        .map(|before| end(*before))
        .fold(task.release, i64::max)
}

/// Orders to start from: the file's; longest, largest and most urgent jobs first.
fn orders(problem: &Problem) -> Vec<Vec<usize>> {
    let keys: [&dyn Fn(usize) -> i64; 4] = [
        &|_| 0,
        &|job| {
            let shortest = problem.tasks[job].modes.iter().map(|mode| mode.steps).min();
            -shortest.unwrap_or(0)
        },
        &|job| {
            let modes = problem.tasks[job].modes.iter();
            -modes
                .map(|mode| mode.steps.saturating_mul(mode.nodes))
                .min()
                .unwrap_or(0)
        },
        &|job| {
            let due = problem.tasks[job].due;
            due.map_or(END_OF_TIME, |due| due.step() / due.weight().max(1))
        },
    ];
    keys.iter()
        .map(|key| {
            let mut order: Vec<usize> = (0..problem.tasks.len()).collect();
            order.sort_by_key(|job| (key(*job), *job));
            order
        })
        .collect()
}

/// Places the jobs in an order, each as soon as its predecessors are placed: at the place that is
/// chosen for it where there is room, from the step it may start at on.
pub(super) fn in_order(
    problem: &Problem,
    order: &[usize],
    mut choose: impl FnMut(&[Room], usize, i64) -> Option<Placed>,
) -> Option<Vec<Placed>> {
    let mut rooms = rooms(problem);
    let mut placed: Vec<Option<Placed>> = vec![None; problem.tasks.len()];
    for _ in 0..placed.len() {
        let open = |job: &usize| {
            let after = &problem.tasks[*job].after;
            placed[*job].is_none() && after.iter().all(|before| placed[*before].is_some())
        };
        let job = order.iter().copied().find(open)?;
        let ready = ready(problem, job, |before| {
            placed[before].map_or(0, |placed| problem.end(before, placed))
        });
        let chosen = choose(&rooms, job, ready)?;
        book(&mut rooms, problem, job, chosen);
        placed[job] = Some(chosen);
    }
    placed.into_iter().collect()
}

fn build(problem: &Problem, recipe: &Recipe) -> Option<Vec<Placed>> {
    in_order(problem, &recipe.order, |rooms, job, ready| {
        choose(rooms, problem, job, ready, recipe.charges[job])
    })
}

fn rooms(problem: &Problem) -> Vec<Room> {
    problem.sites.iter().map(Room::new).collect()
}

fn book(rooms: &mut [Room], problem: &Problem, job: usize, placed: Placed) {
    let mode = problem.mode(job, placed);
    rooms[mode.site].take(placed.start, mode.steps, mode.nodes);
}

/// The way to run a job, and its first start from `ready` on, that costs least now.
fn choose(
    rooms: &[Room],
    problem: &Problem,
    job: usize,
    ready: i64,
    charge: f64,
) -> Option<Placed> {
    let task = &problem.tasks[job];
    let mut best: Option<((i64, f64, i64), Placed)> = None;
    for (mode, way) in task.modes.iter().enumerate() {
        let Some(start) = rooms[way.site].first_start(ready, way.steps, way.nodes) else {
            continue;
        };
        let end = start + way.steps;
        let missed = match task.due {
            Some(due) if problem.binding() => due.parts_late(end),
            _ => 0,
        };
        let share = way.nodes as f64 / problem.sites[way.site].most().max(1) as f64;
        let price = match problem.aim {
            Aim::Cost => way.cost as f64,
            _ => end as f64 + charge * share * way.steps as f64,
        };
        let key = (missed, price, way.cost);
        let better = |(held, _): &((i64, f64, i64), Placed)| {
            key.0
                .cmp(&held.0)
                .then(key.1.total_cmp(&held.1))
                .then(key.2.cmp(&held.2))
                .is_lt()
        };
        if best.as_ref().is_none_or(better) {
            best = Some((key, Placed { mode, start }));
        }
    }
    best.map(|(_, placed)| placed)
}

/// The xorshift64 generator (Marsaglia 2003).
pub(in crate::schedule) struct Random(u64);

impl Random {
    /// The same numbers for as many jobs in the same of several searches.
    pub(in crate::schedule) fn new(count: usize, search: usize) -> Self {
        let search = (search as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
        Self(0x9e37_79b9_7f4a_7c15 ^ count as u64 ^ search)
    }

    pub(in crate::schedule) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap_or(0)
    }
}
