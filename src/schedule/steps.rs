//! Moments and hours become whole steps, and back.

use super::due::Due;
use super::options::Choice;
use super::problem::{Aim, END_OF_TIME, Free, Mode, Piece, Placed, Problem, Task};
use crate::calendar::Moment;
use crate::job::{Agenda, Minimise, Site, Window};

/// Minutes that a step can have; beyond, whole days.
const MINUTES: [i64; 9] = [1, 5, 10, 15, 30, 60, 120, 240, 720];
const DAY: i64 = 1440;
/// Steps that the jobs take together, at most: finer ones tell nothing that predictions know, whose
/// intervals are some per cent wide.
const FEW: i64 = 1_000;
/// The same where rounding to those steps may be what is in the way.
const MANY: i64 = 1_000_000;
/// Units that all costs together are counted in.
const COST_UNITS: f64 = 1e8;

/// The calendar's steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    start: Moment,
    /// Minutes of a step.
    pub(super) minutes: i64,
    /// Dollars that one unit of cost is, or GPU-hours where there is no price at all.
    pub(super) cost_unit: f64,
    /// What a GPU-hour counts in ways to run a job of which one has no price: what it costs on
    /// average where there are prices.
    usd_per_gpu_hour: f64,
}

impl Grid {
    /// Steps of a thousandth of what the jobs take together, each run its fastest way, or shorter
    /// ones: those that begin whenever what is free changes and whenever a job may start or has to
    /// be done.
    pub(super) fn new(agenda: &Agenda, options: &[Vec<Choice>]) -> Self {
        let finest = Self::finest(agenda, options);
        let most = Self::of(agenda, options, FEW).minutes;
        let mut lengths = MINUTES.into_iter().rev().chain([finest.minutes]);
        let fits = |minutes: &i64| {
            let grid = Self {
                minutes: *minutes,
                ..finest
            };
            let at_step = |moment| grid.seconds(moment) % (grid.minutes * 60) == 0;
            *minutes <= most && moments(agenda).all(at_step)
        };
        Self {
            minutes: lengths
                .find(fits)
                .unwrap_or(finest.minutes)
                .max(finest.minutes),
            ..finest
        }
    }

    /// The finest steps, of which the jobs take so many that schedules are slow to compare.
    pub(super) fn finest(agenda: &Agenda, options: &[Vec<Choice>]) -> Self {
        Self::of(agenda, options, MANY)
    }

    /// The finest steps of which the jobs, each run its fastest way, take at most `most`.
    fn of(agenda: &Agenda, options: &[Vec<Choice>], most: i64) -> Self {
        let fastest = |choices: &Vec<Choice>| {
            choices
                .iter()
                .map(|choice| choice.hours)
                .fold(f64::INFINITY, f64::min)
        };
        let together = whole(options.iter().map(fastest).sum::<f64>() * 60.0);
        let enough = |minutes: &i64| together / minutes <= most;
        let days = DAY * (together / DAY / most + 1);
        let usd_per_gpu_hour = usd_per_gpu_hour(options);
        let costs = options.iter().flat_map(|choices| {
            let priced = priced(choices);
            let choices = choices.iter();
            choices.map(move |choice| cost(choice, priced, usd_per_gpu_hour))
        });
        let dearest: f64 = costs.sum();
        Self {
            start: agenda.start,
            minutes: MINUTES.into_iter().find(enough).unwrap_or(days),
            cost_unit: (dearest / COST_UNITS).max(f64::MIN_POSITIVE),
            usd_per_gpu_hour,
        }
    }

    /// The jobs and what is free, in steps.
    pub(super) fn problem(&self, agenda: &Agenda, options: &[Vec<Choice>]) -> Problem {
        let parts = self.parts(agenda);
        let tasks = agenda.jobs.iter().zip(options).map(|(job, choices)| Task {
            modes: self.modes(choices),
            release: job.earliest.map_or(0, |moment| self.up(moment)),
            due: job.deadline.map(|moment| {
                let at = self.seconds(moment) / (self.minutes * 60 / parts);
                Due::new(at, parts, i64::try_from(job.priority).unwrap_or(1))
            }),
            after: job.after.clone(),
        });
        Problem {
            tasks: tasks.collect(),
            sites: agenda.sites.iter().map(|site| self.free(site)).collect(),
            aim: match agenda.minimise {
                Minimise::Makespan => Aim::Makespan,
                Minimise::Cost => Aim::Cost,
                Minimise::Lateness => Aim::Lateness,
            },
        }
    }

    /// Parts of a step of which every deadline lies at a whole one, where lateness is counted. Where
    /// deadlines bind, jobs end in time at whole steps only.
    fn parts(&self, agenda: &Agenda) -> i64 {
        let step = self.minutes * 60;
        let deadlines = agenda.jobs.iter().filter_map(|job| job.deadline);
        let deadlines = deadlines.filter(|_| agenda.minimise == Minimise::Lateness);
        let seconds = deadlines.map(|moment| self.seconds(moment) % step);
        step / seconds.fold(step, num_integer::gcd)
    }

    /// Whether these steps split those of another grid.
    pub(super) fn splits(&self, coarse: &Self) -> bool {
        coarse.minutes % self.minutes == 0
    }

    /// A schedule on coarser steps as one on these, where they split those: on these everything
    /// takes as long or less, and as much or more is free.
    pub(super) fn finer(&self, coarse: &Self, placed: &[Placed]) -> Option<Vec<Placed>> {
        let placed = placed.iter().map(|placed| Placed {
            start: placed.start * (coarse.minutes / self.minutes),
            ..*placed
        });
        self.splits(coarse).then(|| placed.collect())
    }

    fn modes(&self, choices: &[Choice]) -> Vec<Mode> {
        let priced = priced(choices);
        let modes = choices.iter().map(|choice| Mode {
            site: choice.site,
            nodes: count(choice.candidate.booked_nodes()),
            steps: (whole(choice.hours * 60.0) + self.minutes - 1) / self.minutes,
            cost: whole(cost(choice, priced, self.usd_per_gpu_hour) / self.cost_unit),
        });
        modes.collect()
    }

    /// What is free of a site: in each step, what is so all through it.
    pub(super) fn free(&self, site: &Site) -> Free {
        let exact = self.exactly_free(site);
        let step = self.minutes * 60;
        let ends = exact.iter().map(|piece| piece.to);
        let mut cuts: Vec<i64> = ends
            .flat_map(|to| [to / step, to.saturating_add(step - 1) / step])
            .map(|cut| cut.min(END_OF_TIME))
            .collect();
        cuts.push(END_OF_TIME);
        cuts.sort_unstable();
        let mut pieces: Vec<Piece> = Vec::new();
        let (mut from, mut first) = (0, 0);
        for to in cuts {
            if to <= from {
                continue;
            }
            let (begin, end) = (from.saturating_mul(step), to.saturating_mul(step));
            first += exact[first..].iter().take_while(|p| p.to <= begin).count();
            let here = exact[first..].iter().take_while(|p| p.from < end);
            let nodes = here.map(|piece| piece.nodes).min().unwrap_or(0);
            match pieces.last_mut() {
                Some(last) if last.nodes == nodes => last.to = to,
                _ => pieces.push(Piece { from, to, nodes }),
            }
            from = to;
        }
        Free { pieces }
    }

    /// What is free of a site, in pieces of seconds that follow each other up to the end of time.
    fn exactly_free(&self, site: &Site) -> Vec<Piece> {
        // Where what is free changes, and by how much.
        let mut changes: Vec<(i64, i64)> = Vec::new();
        let mut change = |window: &Window, sign: i64| {
            let (from, to) = (self.seconds(window.from), self.seconds(window.to));
            let nodes = sign * count(window.nodes);
            changes.extend([(from, nodes), (to, -nodes)]);
        };
        for window in site.available.iter().flatten() {
            change(window, 1);
        }
        for window in &site.booked {
            change(window, -1);
        }
        changes.sort_unstable();
        let mut nodes = match site.available {
            Some(_) => 0,
            None => count(site.nodes),
        };
        let mut pieces = Vec::new();
        let mut from = 0;
        for (at, by) in changes.into_iter().chain([(i64::MAX, 0)]) {
            if at > from {
                pieces.push(Piece {
                    from,
                    to: at,
                    nodes: nodes.max(0),
                });
                from = at;
            }
            nodes += by;
        }
        pieces
    }

    /// When so many nodes of a site are free no longer, from step `from` on; `None` where they stay
    /// free.
    pub(super) fn nodes_until(&self, site: &Site, nodes: i64, from: i64) -> Option<Moment> {
        let from = self.seconds_of(from)?;
        let mut pieces = self.exactly_free(site).into_iter();
        let gone = pieces.find(|piece| piece.to > from && piece.nodes < nodes)?;
        self.start.plus_seconds(gone.from.max(from))
    }

    /// The first step that starts at `moment` or later.
    fn up(&self, moment: Moment) -> i64 {
        let seconds = self.seconds(moment);
        (seconds + self.minutes * 60 - 1) / (self.minutes * 60)
    }

    /// Hours that a window may lose to steps, wherever it stands: at each of its ends all of one but
    /// a minute, or but a second where dates have some.
    pub(super) fn lost_h(&self, agenda: &Agenda) -> f64 {
        let mut dates = moments(agenda).chain([agenda.start]);
        let to_the_minute = dates.all(|date| date.datetime().second() == 0);
        let least = if to_the_minute { 60 } else { 1 };
        2.0 * (self.minutes * 60 - least) as f64 / 3600.0
    }

    /// Seconds from the start to `moment`, however far away; 0 for what lies before the start.
    fn seconds(&self, moment: Moment) -> i64 {
        moment.seconds_after(self.start).max(0)
    }

    /// When step `step` starts.
    pub(super) fn moment(&self, step: i64) -> Option<Moment> {
        self.start.plus_seconds(self.seconds_of(step)?)
    }

    /// Seconds of so many steps.
    pub(super) fn seconds_of(&self, steps: i64) -> Option<i64> {
        steps.checked_mul(self.minutes * 60)
    }

    /// Hours of so much lateness, counted as a problem on these steps does.
    pub(super) fn late_h(&self, problem: &Problem, late: i64) -> f64 {
        self.hours(late) / problem.parts() as f64
    }

    /// Hours of so many steps.
    pub(super) fn hours(&self, steps: i64) -> f64 {
        steps as f64 * self.minutes as f64 / 60.0
    }
}

/// When what is free changes, and when jobs may start and have to be done.
pub(super) fn moments(agenda: &Agenda) -> impl Iterator<Item = Moment> {
    let jobs = agenda.jobs.iter();
    let of_jobs = jobs.flat_map(|job| [job.earliest, job.deadline]).flatten();
    let windows = agenda.sites.iter().flat_map(|site| {
        let available = site.available.iter().flatten();
        available.chain(&site.booked)
    });
    of_jobs.chain(windows.flat_map(|window| [window.from, window.to]))
}

/// Whether all ways to run a job have a price, so that dollars tell which of them is cheapest.
fn priced(choices: &[Choice]) -> bool {
    choices.iter().all(|choice| choice.cost_usd.is_some())
}

/// What a GPU-hour costs on average where there is a price; 1 where there is none.
fn usd_per_gpu_hour(options: &[Vec<Choice>]) -> f64 {
    let priced = options.iter().flatten();
    let priced = priced.filter_map(|choice| Some((choice.cost_usd?, choice.gpu_hours)));
    let (usd, hours) = priced.fold((0.0, 0.0), |(usd, hours), way| (usd + way.0, hours + way.1));
    if usd > 0.0 && hours > 0.0 {
        usd / hours
    } else {
        1.0
    }
}

/// Dollars, or where ways to run the job have no price, GPU-hours at an average one.
fn cost(choice: &Choice, priced: bool, usd_per_gpu_hour: f64) -> f64 {
    match choice.cost_usd {
        Some(usd) if priced => usd,
        _ => choice.gpu_hours * usd_per_gpu_hour,
    }
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(END_OF_TIME).min(END_OF_TIME)
}

/// Rounded up, at least 1 and at most the end of time.
fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "from 1 to the end of time")]
    let whole = value.ceil().clamp(1.0, END_OF_TIME as f64) as i64;
    whole
}
