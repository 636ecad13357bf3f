//! How much longer a window would have to be for all jobs to fit.

use super::error::nearest;
use super::problem::{Aim, Problem};
use super::solve::{Depth, solve};
use super::steps::Grid;
use crate::calendar::{Moment, Span};
use crate::job::{Agenda, Site};
use crate::search::Watch;

/// Jobs up to which the least is looked for, and the schedules that are tried for it: each takes about
/// as long as to tell that there is none.
const FEW: usize = 12;
const TRIES: usize = 20;

/// The last window of a cluster, made so much longer that all jobs fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Longer {
    /// The cluster.
    pub cluster: String,
    /// When the window ends.
    pub to: Moment,
    /// When it would have to end.
    pub until: Moment,
}

impl Longer {
    /// How much longer that is.
    #[must_use]
    pub fn span(&self) -> Span {
        self.until.since(self.to).unwrap_or_default()
    }
}

/// The least that the last window of one cluster has to be longer, as far as can be found.
pub(super) fn longer(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
    watch: &Watch<'_>,
) -> Option<Longer> {
    let mut shortest = problem.clone();
    shortest.aim = Aim::Makespan;
    if !problem.binding() {
        for task in &mut shortest.tasks {
            task.due = None;
        }
    }
    let sites = 0..agenda.sites.len();
    let each = sites.filter_map(|place| last_window(agenda, grid, &shortest, place, watch));
    each.min_by_key(Longer::span)
}

/// The same of one cluster. The jobs are done as soon as they can be with a window that goes on as long
/// as they take: the last of them there is what it has to hold at most. The jobs of other clusters may
/// end later than that, and some of these sooner, so halves of what is left are tried.
fn last_window(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
    place: usize,
    watch: &Watch<'_>,
) -> Option<Longer> {
    let site = agenda.sites.get(place)?;
    let to = site.available.as_ref()?.last()?.to;
    let enough = long_enough(agenda, grid, problem, site, to)?;
    let step = grid.seconds_of(1)?;
    let wider = |until: Moment| {
        let mut wider = problem.clone();
        *wider.sites.get_mut(place)? = grid.free(&lengthened(site, until)?);
        Some(wider)
    };
    let with = |until: Moment, depth: Depth| {
        let wider = wider(until)?;
        let solved = solve(&wider, None, depth, watch).ok()?;
        let jobs = solved.placed.iter().enumerate();
        let here = jobs.filter(|(job, placed)| wider.mode(*job, **placed).site == place);
        grid.moment(here.map(|(job, placed)| wider.end(job, *placed)).max()?)
    };
    let mut until = with(enough, Depth::Proof)?;
    // A window of that end was looked at, and holds all jobs.
    let mut held = None;
    if problem.tasks.len() <= FEW {
        let mut too_soon = to;
        for _ in 0..TRIES {
            let steps = until.seconds_after(too_soon) / step;
            let sooner = until.plus_seconds(-(steps / 2).max(1) * step);
            let Some(sooner) = sooner.filter(|sooner| *sooner > too_soon) else {
                break;
            };
            match with(sooner, Depth::Sketch) {
                Some(end) => {
                    held = Some(sooner);
                    until = if end > too_soon {
                        end.min(sooner)
                    } else {
                        sooner
                    };
                }
                None => too_soon = sooner,
            }
        }
    }
    // What is advised has to work as it stands: the schedule at hand keeps to that end, but one who
    // takes the advice searches anew, as far as to the schedule that misses deadlines by the least.
    let found = |until: Moment| {
        with(until, Depth::Sketch).is_some()
            || wider(until).is_some_and(|wider| {
                let nearest = nearest(&wider, watch);
                nearest.is_ok_and(|nearest| wider.worth(&nearest.placed).missed == 0)
            })
    };
    let until = advised(until, held, later_ends(until, enough, step), found)?;
    (until > to).then(|| Longer {
        cluster: site.cluster.name.clone(),
        to,
        until,
    })
}

/// The first of these ends by which all jobs are found to be done: the one wanted; one that was looked at
/// and held them; one of the later.
fn advised(
    wanted: Moment,
    held: Option<Moment>,
    mut later: impl Iterator<Item = Moment>,
    found: impl Fn(Moment) -> bool,
) -> Option<Moment> {
    if held == Some(wanted) || found(wanted) {
        return Some(wanted);
    }
    held.or_else(|| later.find(|until| found(*until)))
}

/// Ends beyond one, each four times as far from it as the one before, the last as far as it makes sense
/// to look: where the search doesn't find what fits into a window to the minute, some room is enough.
fn later_ends(until: Moment, enough: Moment, step: i64) -> impl Iterator<Item = Moment> {
    let steps = enough.seconds_after(until) / step;
    [64, 16, 4, 1].into_iter().filter_map(move |parts| {
        let later = until.plus_seconds((steps / parts) * step)?;
        (later > until).then_some(later)
    })
}

fn lengthened(site: &Site, until: Moment) -> Option<Site> {
    let mut site = site.clone();
    site.available.as_mut()?.last_mut()?.to = until;
    Some(site)
}

/// An end of the window by which all jobs can be done one after another, once others have left the
/// nodes and every job may start.
fn long_enough(
    agenda: &Agenda,
    grid: &Grid,
    problem: &Problem,
    site: &Site,
    to: Moment,
) -> Option<Moment> {
    let starts = agenda.jobs.iter().filter_map(|job| job.earliest);
    let last = site.booked.iter().map(|window| window.to);
    let last = last.chain(starts).fold(to, Moment::max);
    let longest = |modes: &[super::problem::Mode]| modes.iter().map(|mode| mode.steps).max();
    let steps = problem.tasks.iter().filter_map(|task| longest(&task.modes));
    let steps = steps.fold(1, i64::saturating_add);
    last.plus_seconds(grid.seconds_of(steps)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the search doesn't find again what just fits, an end is told that it does find.
    #[test]
    fn an_end_is_told_that_the_search_finds() {
        let moment = |text: &str| text.parse::<Moment>().unwrap();
        let (wanted, enough) = (moment("2026-12-03T11:25Z"), moment("2026-12-13"));
        let told = |held: Option<Moment>, from: Moment| {
            let ends = later_ends(wanted, enough, 60);
            advised(wanted, held, ends, |until| until >= from)
        };
        assert_eq!(told(None, wanted), Some(wanted));
        for from in [
            "2026-12-03T11:26Z",
            "2026-12-03T14:00Z",
            "2026-12-05",
            "2026-12-13",
        ] {
            let from = moment(from);
            let until = told(None, from).unwrap();
            assert!(from <= until && until <= enough, "{from} {until}");
            // At most four times as far as is needed, but for the first of them.
            let least = enough.seconds_after(wanted) / 64;
            let needed = from.seconds_after(wanted).max(least);
            assert!(until.seconds_after(wanted) <= 4 * needed, "{from} {until}");
            // What held them all before is told first.
            let held = moment("2026-12-20");
            assert_eq!(told(Some(held), from), Some(held));
        }
    }
}
