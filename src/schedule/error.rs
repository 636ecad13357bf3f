//! Why there is no schedule, and what would make one.

use thiserror::Error;

use super::Found;
use super::bound::earliest_ends;
use super::hold::{Held, Hold, earliest_end_without, held, held_words, hold};
use super::longer::{Longer, longer};
use super::problem::{Aim, END_OF_TIME, Problem};
use super::solve::{Depth, Solved, Unsolved, solve};
use super::steps::Grid;
use crate::calendar::{Moment, Span};
use crate::job::Agenda;
use crate::plan::PlanError;
use crate::quantity::counted;
use crate::search::Watch;

/// Why there is no schedule.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ScheduleError {
    /// One of the jobs can't be planned at all.
    #[error("job `{job}`: {error}")]
    Job {
        /// The job.
        job: String,
        /// Why not, and what would help.
        error: Box<PlanError>,
    },
    /// One of the jobs needs more nodes than the jobs share.
    #[error(
        "job `{job}` needs at least {} of {cluster}, but the jobs share at most {free}{}",
        counted(*needed, "node"),
        windows.map_or_else(String::new, |widest| format!(", and {}", no_window_with_more(widest)))
    )]
    NoRoom {
        /// The job.
        job: String,
        /// The cluster on which it needs the fewest.
        cluster: String,
        /// Nodes it needs there.
        needed: u64,
        /// Nodes that the jobs share there.
        free: u64,
        /// What lets them share as many as it needs, as a line of the file.
        set: String,
        /// Nodes of the widest window there, where all windows name fewer than it needs: what the jobs
        /// share changes nothing about these.
        windows: Option<u64>,
    },
    /// One of the jobs needs more nodes than any window of a cluster has, though the jobs share
    /// enough of them.
    #[error(
        "job `{job}` needs at least {} of {cluster}, but {}",
        counted(*needed, "node"),
        no_window_with_more(*free)
    )]
    NarrowWindows {
        /// The job.
        job: String,
        /// The cluster on which it needs the fewest.
        cluster: String,
        /// Nodes it needs there.
        needed: u64,
        /// Nodes of the widest window.
        free: u64,
    },
    /// One of the jobs is longer than any time in which enough nodes are free.
    #[error(
        "job `{job}` fits into no window{}its shortest way to run takes {} on {} of {cluster}, and it \
         runs in one piece",
        held_words(held.as_ref()),
        Span::of_hours(*hours),
        counted(*nodes, "node")
    )]
    NoWindow {
        /// The job.
        job: String,
        /// Hours it takes at least, in whole steps.
        hours: f64,
        /// The cluster on which it takes them.
        cluster: String,
        /// The nodes that it takes there.
        nodes: u64,
        /// Hours of a window that holds it, wherever its ends lie between steps.
        window_h: f64,
        /// What keeps it from starting when the calendar does, if anything.
        held: Option<Held>,
    },
    /// The jobs don't fit into the windows together.
    #[error(
        "{} all jobs into the windows",
        if *proven { "no schedule fits" } else { "no schedule was found that fits" }
    )]
    NoSchedule {
        /// Whether it is proven that there is none.
        proven: bool,
        /// A longer window that would hold them, where one is known.
        longer: Option<Longer>,
    },
    /// Deadlines bind, and can't all be met.
    #[error("{}", deadlines(late, *proven, *is_nearest))]
    Deadlines {
        /// Jobs that are late in the schedule that comes nearest.
        late: Vec<LateJob>,
        /// Whether it is proven that no schedule meets every deadline.
        proven: bool,
        /// Whether it is proven that no schedule comes nearer.
        is_nearest: bool,
    },
    /// The cost of a job is unknown where it is to be minimised.
    #[error("no price is known for job `{job}` on {}", clusters.join(", "))]
    NoPrice {
        /// The job.
        job: String,
        /// The clusters it may run on.
        clusters: Vec<String>,
        /// Why each of them has none, in words.
        why: Vec<String>,
    },
    /// A date beyond those that can be shown.
    #[error("the schedule reaches beyond the year 2999")]
    TooLong,
}

/// A job that misses its deadline.
#[derive(Debug, Clone, PartialEq)]
pub struct LateJob {
    /// The job.
    pub job: String,
    /// When it has to be done.
    pub deadline: Moment,
    /// Hours it is done later.
    pub hours: f64,
    /// Whether it is as late with all clusters to itself.
    pub alone: bool,
    /// What keeps it from starting sooner, where it is as late with all clusters to itself.
    pub hold: Option<Hold>,
    /// Hours it would be late if nothing kept it; 0 where it would be in time.
    pub unheld_h: f64,
}

fn no_window_with_more(nodes: u64) -> String {
    format!("no window in which it is `available` has more than {nodes}")
}

fn deadlines(late: &[LateJob], proven: bool, is_nearest: bool) -> String {
    let jobs: Vec<String> = late
        .iter()
        .map(|job| {
            let span = |hours| Span::from_rounded_hours_up(hours).unwrap_or(Span::MAX);
            let alone = match &job.hold {
                _ if !job.alone => String::new(),
                None => " even by itself, on any number of GPUs weighed".to_owned(),
                Some(Hold::Earliest) => {
                    " even if it starts at its `earliest` and runs as fast as it can".to_owned()
                }
                Some(Hold::After(before)) => {
                    format!(" even if `{before}` before it is done as soon as it can be")
                }
            };
            let unheld = if job.alone && job.hold.is_some() && job.unheld_h > 0.0 {
                format!(
                    " (and {} after it if it waited for nothing, on any number of GPUs weighed)",
                    span(job.unheld_h)
                )
            } else {
                String::new()
            };
            format!(
                "`{}` is done {} after its deadline {}{alone}{unheld}",
                job.job,
                span(job.hours),
                job.deadline
            )
        })
        .collect();
    let start = if proven {
        "no schedule meets every deadline"
    } else {
        "no schedule was found that meets every deadline"
    };
    if jobs.is_empty() {
        start.to_owned()
    } else {
        let found = if is_nearest { "" } else { " found" };
        format!("{start}; in the nearest{found}, {}", jobs.join(", and "))
    }
}

/// Refuses a job that fits nowhere, however others are placed.
pub(super) fn check_windows(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
) -> Result<(), ScheduleError> {
    let ends = earliest_ends(problem);
    // A job that waits for one without a place has none either: the one at fault comes first.
    let placeless = |job: &usize| {
        let mut before = problem.tasks[*job].after.iter();
        ends[*job] >= END_OF_TIME && before.all(|before| ends[*before] < END_OF_TIME)
    };
    if let Some(job) = (0..ends.len()).find(placeless) {
        return Err(no_window(agenda, grid, problem, &ends, job));
    }
    Ok(())
}

/// Whether deadlines bind and some job misses its own even by itself, so that no search is needed to
/// tell that no schedule meets them all.
pub(super) fn is_late_alone(problem: &Problem) -> bool {
    let mut ends = problem.tasks.iter().zip(earliest_ends(problem));
    problem.binding() && ends.any(|(task, end)| task.due.is_some_and(|due| end > due.step()))
}

fn no_window(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
    ends: &[i64],
    job: usize,
) -> ScheduleError {
    let modes = problem.tasks[job].modes.iter();
    let shortest = modes.min_by_key(|mode| (mode.steps, mode.nodes));
    let site = shortest.and_then(|mode| agenda.sites.get(mode.site));
    let hours = grid.hours(shortest.map_or(0, |mode| mode.steps));
    ScheduleError::NoWindow {
        job: agenda.jobs[job].name.clone(),
        hours,
        cluster: site.map_or_else(String::new, |site| site.cluster.name.clone()),
        nodes: shortest.map_or(0, |mode| mode.nodes.unsigned_abs()),
        window_h: hours + grid.lost_h(agenda),
        held: held(agenda, grid, problem, ends, job),
    }
}

/// Why there is no schedule on some steps.
pub(super) enum Failure {
    /// A job is in the way even with everything to itself.
    Alone(ScheduleError),
    /// The search found none.
    Unsolved(Grid, Problem, Unsolved),
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        Self::Alone(error)
    }
}

impl Failure {
    /// The same as an answer, which takes another search: a schedule after all, where that one comes
    /// upon one.
    pub(super) fn settled(
        self,
        agenda: &Agenda,
        watch: &Watch<'_>,
    ) -> Result<Found, ScheduleError> {
        match self {
            Self::Alone(error) => Err(error),
            Self::Unsolved(grid, problem, unsolved) => {
                let nearest = nearest(&problem, watch);
                match started(&problem, &nearest, watch) {
                    Some(solved) => Ok((grid, problem, solved)),
                    None => Err(explain(agenda, &grid, &problem, unsolved, nearest, watch)),
                }
            }
        }
    }
}

/// The schedule that misses deadlines by the least. Where they don't bind, the search is led towards
/// them instead of turned back.
pub(super) fn nearest(problem: &Problem, watch: &Watch<'_>) -> Result<Solved, Unsolved> {
    let late = Problem {
        aim: Aim::Lateness,
        ..problem.clone()
    };
    solve(&late, None, Depth::Proof, watch)
}

/// The best schedule from the nearest on, where that one misses no deadline that binds.
fn started(
    problem: &Problem,
    nearest: &Result<Solved, Unsolved>,
    watch: &Watch<'_>,
) -> Option<Solved> {
    let nearest = nearest.as_ref().ok()?;
    if problem.worth(&nearest.placed).missed > 0 {
        return None;
    }
    solve(problem, Some(&nearest.placed), Depth::Proof, watch).ok()
}

/// What is wrong where the solver found nothing, and this comes nearest.
fn explain(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
    unsolved: Unsolved,
    nearest: Result<Solved, Unsolved>,
    watch: &Watch<'_>,
) -> ScheduleError {
    let proven = unsolved == Unsolved::Impossible;
    let bound = problem.binding() && problem.tasks.iter().any(|task| task.due.is_some());
    match nearest {
        Ok(solved) if bound => {
            let placed = solved.placed.iter().enumerate();
            let ends: Vec<i64> = placed
                .map(|(job, placed)| problem.end(job, *placed))
                .collect();
            ScheduleError::Deadlines {
                late: late(agenda, grid, problem, &ends),
                proven,
                is_nearest: solved.bound >= solved.worth.first,
            }
        }
        // The windows are in the way, whatever the deadlines.
        without => ScheduleError::NoSchedule {
            proven: without.map_or_else(|unsolved| unsolved == Unsolved::Impossible, |_| proven),
            longer: longer(agenda, grid, problem, watch),
        },
    }
}

/// The jobs that miss their deadlines where they have these ends.
fn late(agenda: &Agenda, grid: &Grid, problem: &Problem, ends: &[i64]) -> Vec<LateJob> {
    let earliest = earliest_ends(problem);
    let jobs = agenda.jobs.iter().zip(&problem.tasks).zip(ends).enumerate();
    jobs.filter_map(|(place, ((job, task), end))| {
        let due = task.due?.step();
        if *end <= due {
            return None;
        }
        let deadline = job.deadline?;
        let alone = earliest.get(place) == Some(end);
        let after = |end: Moment| end.hours_after(deadline);
        // One that only rounding to steps makes late is late by as much.
        let late_h = |end: i64| {
            let hours = grid.moment(end).map(after).filter(|hours| *hours > 0.0);
            hours.unwrap_or_else(|| grid.hours((end - due).max(0)))
        };
        let unheld = earliest_end_without(problem, place, true, true);
        Some(LateJob {
            job: job.name.clone(),
            deadline,
            hours: late_h(*end),
            alone,
            hold: hold(agenda, problem, &earliest, place).filter(|hold| {
                // Its own dates are its own fault where its speed is one too.
                let at_fault = unheld <= due || matches!(hold, Hold::After(_));
                alone && unheld < *end && at_fault
            }),
            unheld_h: if unheld > due { late_h(unheld) } else { 0.0 },
        })
    })
    .collect()
}
