//! The schedule as a tree of decisions in the order of time: is there one at least so good?
//!
//! At every moment at which something ends, is released or becomes free, the jobs that start then
//! are chosen, each with a way to run. A schedule in which no job can start a step earlier while
//! the others stay starts its jobs at such moments only, and some best schedule is one of these
//! (a semi-active schedule of project scheduling). Jobs that are alike start in the order of the
//! file, so that no schedule is looked at under two names. A moment from which nothing led to a
//! schedule is kept: one with the same jobs left, no more room and no better record leads to none
//! either. Two more kinds of schedules are left out: those in which a job could have started at the
//! moment before, and those in which it follows one on as many nodes that it could have preceded.
//!
//! Whatever is left out, for a moment that is kept or by these rules, has a schedule no worse that
//! is looked at before it: at the first moment where they differ, that starts what comes earlier in
//! the order of choices, or one job more; moving its jobs to the earliest starts they can have adds
//! to what starts there, if anything. So the rules don't take each other's schedules away.

mod class;
mod figure;
mod left;
mod moment;
mod start;

use pumpkin_core::termination::TerminationCondition;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use self::class::Class;
pub(super) use self::class::{alike, alike_but_for_ways};
pub(in crate::schedule) use self::figure::Figure;
use self::moment::{Moment, NOT_YET, Past};
use super::question::{Answer, Effort};
use crate::schedule::bound::market::Market;
use crate::schedule::bound::usable::{Lanes, Sums};
use crate::schedule::problem::{Caps, Free, Mode, Placed, Problem};
use crate::schedule::room::Room;

/// What the search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::schedule) struct Outcome {
    /// The last schedule found within the caps.
    pub(in crate::schedule) found: Option<Vec<Placed>>,
    /// Whether there is none within the caps, or none better than the one found.
    pub(in crate::schedule) settled: bool,
}

impl Outcome {
    /// The answer to whether there is a schedule within the caps.
    pub(in crate::schedule) fn answer(self) -> Answer {
        match self.found {
            Some(placed) => Answer::Found(placed),
            None if self.settled => Answer::Impossible,
            None => Answer::Open,
        }
    }
}

/// Looks for a schedule within `caps`: the first, or the least one of a figure; by what nodes cost in
/// a market where there is one of this problem.
pub(in crate::schedule) fn ask(
    problem: &Problem,
    caps: Caps,
    lower: Option<Figure>,
    market: Option<&Market>,
    effort: &mut Effort<'_>,
) -> Outcome {
    let mut tree = Tree::new(problem, caps, lower, market);
    let root = Moment {
        at: 0,
        rooms: tree.rooms(),
        cost: 0,
        late: 0,
        waits: 0.0,
        ends: if tree.linked {
            vec![NOT_YET; problem.tasks.len()]
        } else {
            Vec::new()
        },
    };
    let past = Past {
        at: 0,
        idle: problem.sites.iter().map(|_| 0).collect(),
    };
    let verdict = tree.from(&root, &past, effort);
    Outcome {
        found: tree.found,
        settled: verdict != Verdict::Stopped,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// A schedule was found, and no other is asked for.
    Done,
    /// Nothing from here on is within the caps, as they are now.
    Nothing,
    /// The effort is spent.
    Stopped,
}

struct Tree<'a> {
    problem: &'a Problem,
    caps: Caps,
    lower: Option<Figure>,
    market: Option<&'a Market>,
    /// Whether there is time for whatever is left.
    unending: bool,
    classes: Vec<Class>,
    /// Ways to start a job, the longest first: class and way.
    starts: Vec<(usize, usize)>,
    /// Jobs of each class that have not started.
    left: Vec<usize>,
    /// Where what is placed ends; no matter for jobs that have not started.
    placed: Vec<Placed>,
    /// What has started so far.
    runs: Vec<Run>,
    /// Whether any job waits for this one.
    awaited: Vec<bool>,
    lanes: Vec<Lanes>,
    /// Numbers of nodes that jobs run on, each once.
    units: Vec<i64>,
    /// What is known of jobs left, by how many of each class they are.
    places: FxHashMap<Vec<usize>, usize>,
    known: Vec<Known>,
    linked: bool,
    /// When things are released.
    releases: Vec<i64>,
    found: Option<Vec<Placed>>,
}

/// What is known of jobs left.
struct Known {
    /// Sums of their steps, by site.
    steps: Vec<Sums>,
    /// Moments from which nothing led to a schedule of them.
    dead: Vec<Moment>,
}

/// A job that has started.
#[derive(Debug, Clone, Copy)]
struct Run {
    job: usize,
    class: usize,
    mode: Mode,
    at: i64,
    /// Its place among the ways to start a job.
    start: usize,
}

/// Moments that are compared with another in the time of a decision.
const COMPARED: u64 = 16;
/// Parts of sums that a job is added to in the same time.
const PARTS: u64 = 100;
/// Sets of jobs left that sums are kept of.
const SUMMED: usize = 50_000;
/// Moments without a way on that are kept for the same jobs left.
const KEPT: usize = 64;

impl<'a> Tree<'a> {
    fn new(
        problem: &'a Problem,
        caps: Caps,
        lower: Option<Figure>,
        market: Option<&'a Market>,
    ) -> Self {
        let classes = Class::all(problem, caps);
        let mut starts: Vec<(usize, usize)> = Vec::new();
        for (class, jobs) in classes.iter().enumerate() {
            starts.extend((0..jobs.ways.len()).map(|way| (class, way)));
        }
        starts.sort_by_key(|(class, way)| {
            let mode = classes[*class].ways[*way].mode;
            (-mode.steps, mode.cost)
        });
        let lanes = (0..problem.sites.len()).map(|site| {
            let jobs = classes.iter().flat_map(|class| {
                let here = class
                    .ways
                    .iter()
                    .map(|way| way.mode)
                    .filter(move |mode| mode.site == site);
                let here: Vec<Mode> = here.collect();
                class.jobs.iter().map(move |_| here.clone())
            });
            Lanes::new(&jobs.collect::<Vec<_>>(), problem.sites[site].most())
        });
        let lanes = lanes.collect();
        let mut awaited = vec![false; problem.tasks.len()];
        for before in problem.tasks.iter().flat_map(|task| &task.after) {
            awaited[*before] = true;
        }
        Self {
            problem,
            caps,
            lower,
            market,
            unending: caps.end >= problem.horizon() && problem.sites.iter().all(Free::endless),
            starts,
            left: classes.iter().map(|class| class.jobs.len()).collect(),
            lanes,
            units: problem.widths(),
            releases: classes.iter().map(|class| class.release).collect(),
            classes,
            placed: vec![Placed { mode: 0, start: 0 }; problem.tasks.len()],
            runs: Vec::new(),
            awaited,
            places: FxHashMap::default(),
            known: Vec::new(),
            linked: problem.tasks.iter().any(|task| !task.after.is_empty()),
            found: None,
        }
    }

    /// What is free at first, without nodes that no set of jobs can take.
    fn rooms(&self) -> SmallVec<[Room; 1]> {
        let sites = self.problem.sites.iter().zip(&self.lanes);
        sites
            .map(|(site, lanes)| {
                let mut room = Room::new(site);
                room.rounded(|nodes| lanes.nodes(nodes));
                room
            })
            .collect()
    }

    /// The next of a class's jobs to start.
    fn next_job(&self, class: usize) -> Option<usize> {
        let jobs = &self.classes[class].jobs;
        (self.left[class] > 0).then(|| jobs[jobs.len() - self.left[class]])
    }

    /// From a moment on, with nothing started at it yet.
    fn from(&mut self, moment: &Moment, past: &Past, effort: &mut Effort<'_>) -> Verdict {
        if effort.should_stop() {
            return Verdict::Stopped;
        }
        let place = self.place(effort);
        let Some(spare) = self.spare(moment, &self.known[place].steps) else {
            return Verdict::Nothing;
        };
        let dead = &self.known[place].dead;
        effort.spend(dead.len() as u64 / COMPARED);
        if dead.iter().any(|old| old.dominates(moment)) {
            return Verdict::Nothing;
        }
        let verdict = self.choose(moment, past, 0, spare, effort);
        if verdict == Verdict::Nothing {
            let dead = &mut self.known[place].dead;
            dead.retain(|old| !moment.dominates(old));
            if dead.len() < KEPT {
                dead.push(moment.clone());
            }
        }
        verdict
    }

    /// The place of what is known of the jobs left.
    fn place(&mut self, effort: &mut Effort<'_>) -> usize {
        if let Some(place) = self.places.get(&self.left) {
            return *place;
        }
        let sites = 0..self.problem.sites.len();
        let steps = sites.map(|site| {
            let left = self.left.iter().zip(&self.classes);
            let jobs = left.flat_map(|(left, class)| {
                let here = move || {
                    let modes = class.ways.iter().map(|way| way.mode);
                    let here = modes.filter(move |mode| mode.site == site);
                    here.map(|mode| mode.steps)
                };
                (0..*left).map(move |_| here())
            });
            if self.known.len() < SUMMED {
                Sums::new(jobs, self.caps.end)
            } else {
                Sums::any()
            }
        });
        let steps: Vec<Sums> = steps.collect();
        let size: u64 = steps.iter().map(Sums::size).sum();
        effort.spend(size * self.left.iter().sum::<usize>() as u64 / PARTS);
        let place = self.known.len();
        self.places.insert(self.left.clone(), place);
        let dead = Vec::new();
        self.known.push(Known { steps, dead });
        place
    }

    /// What starts at a moment beside what does already: ways from `first` on; then what follows.
    fn choose(
        &mut self,
        moment: &Moment,
        past: &Past,
        first: usize,
        spare: i64,
        effort: &mut Effort<'_>,
    ) -> Verdict {
        if self.left.iter().all(|left| *left == 0) {
            return self.complete();
        }
        let late = self.late_spare(moment);
        for start in first..self.starts.len() {
            let (class, way) = self.starts[start];
            let Some(job) = self.next_job(class) else {
                continue;
            };
            if late.is_some_and(|spare| self.delays(moment, class, way) > spare) {
                continue;
            }
            let Some(spare) = self.spared(moment, class, way, spare) else {
                continue;
            };
            if self.follows_what_it_could_precede(moment, class, start) {
                continue;
            }
            let Some((next, placed)) = self.started(moment, past, job, class, way) else {
                continue;
            };
            if effort.should_stop() {
                return Verdict::Stopped;
            }
            self.placed[job] = placed;
            self.left[class] -= 1;
            self.runs.push(Run {
                job,
                class,
                mode: self.classes[class].ways[way].mode,
                at: moment.at,
                start,
            });
            let verdict = self.choose(&next, past, start, spare, effort);
            self.runs.pop();
            self.left[class] += 1;
            if verdict != Verdict::Nothing {
                return verdict;
            }
        }
        match self.later(moment) {
            Some((later, past)) => self.from(&later, &past, effort),
            None => Verdict::Nothing,
        }
    }

    /// The next moment at which anything may start, and what was before it.
    fn later(&self, moment: &Moment) -> Option<(Moment, Past)> {
        let rises = moment.rooms.iter().flat_map(Room::rises);
        let ends = moment.ends.iter().copied().filter(|end| *end < NOT_YET);
        let moments = rises.chain(ends).chain(self.releases.iter().copied());
        let at = moments.filter(|at| *at > moment.at).min()?;
        if at >= self.caps.end {
            return None;
        }
        let mut later = moment.clone();
        let idle = moment.rooms.iter().map(|room| room.least_until(at));
        let past = Past {
            at: moment.at,
            idle: idle.collect(),
        };
        later.at = at;
        for room in &mut later.rooms {
            room.forward(at);
        }
        Some((later, past))
    }

    /// Keeps the schedule, and lowers what it is asked to be.
    fn complete(&mut self) -> Verdict {
        self.found = Some(self.placed.clone());
        let Some(lower) = self.lower else {
            return Verdict::Done;
        };
        let worth = self.problem.worth(&self.placed);
        let least = match lower {
            Figure::First => worth.first - 1,
            Figure::Second => worth.second - 1,
            Figure::Third => worth.third - 1,
        };
        self.caps = lower.capped(self.problem.aim, self.caps, least);
        Verdict::Nothing
    }
}
