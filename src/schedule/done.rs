//! How surely jobs are done by a moment, where they wait for others that may run over.
//!
//! A job starts when the calendar says or, where that is later, once every job that it waits for is
//! done: with `s` its planned start, `Eₚ` the ends of its predecessors and `D` its own duration,
//!
//! ```text
//! E = max(s, Eₚ, …) + D
//! ```
//!
//! A job that isn't done when its nodes are gone is cut off: it is never done, and nor is what waits
//! for it. Durations are taken as independent, and so are the predecessors of one job: where they wait
//! for a common one they are late together, and the figure is a little too low. Nodes are taken to be
//! free when the calendar has them free. Distribution functions are traced as straight pieces, on
//! which the sum has a closed form: the same inputs give the same bytes.

use super::{Schedule, ScheduledJob};
use crate::forecast::FinishTime;
use crate::job::{Agenda, AgendaJob};
use crate::plan::Planner;

/// What a traced function may rise by from one node to the next, and the hours between nodes below
/// which that is not looked at.
const RISE: f64 = 1.0 / 256.0;
const NARROW_H: f64 = 1e-4;
/// Duration's tails that are cut off.
const TAIL: f64 = 1e-6;

/// What predecessors may fall short of being done at all, by their tails alone.
const SURELY: f64 = 1.0 - 1e-4;

/// A distribution over hours, in straight pieces; it falls short of 1 by what never ends.
#[derive(Debug)]
struct Law(Vec<Node>);

#[derive(Debug, Clone, Copy)]
struct Node {
    at: f64,
    /// The probability up to here.
    by: f64,
    /// What `by` adds up to, from the first node to here.
    area: f64,
}

impl Law {
    /// Of a distribution function that never decreases, from `low` to `high`; what it is at `low` is
    /// the probability of `low` itself.
    fn traced(low: f64, high: f64, by: impl Fn(f64) -> f64) -> Self {
        let mut nodes = vec![Node {
            at: low,
            by: by(low),
            area: 0.0,
        }];
        // Moments that are yet to come, the next one last.
        let mut ahead = vec![(high, by(high))];
        while let Some((at, share)) = ahead.pop() {
            let Some(last) = nodes.last().copied().filter(|last| at > last.at) else {
                continue;
            };
            if share - last.by > RISE && at - last.at > NARROW_H {
                let middle = f64::midpoint(last.at, at);
                ahead.extend([(at, share), (middle, by(middle))]);
                continue;
            }
            nodes.push(Node {
                at,
                by: share,
                area: last.area + f64::midpoint(last.by, share) * (at - last.at),
            });
        }
        Self(nodes)
    }

    /// Of a run's hours.
    fn of_duration(finish: &FinishTime) -> Self {
        let (low, high) = (finish.hours_at(TAIL), finish.hours_at(1.0 - TAIL));
        Self::traced(low, high, |hours| finish.probability_by(hours))
    }

    fn low(&self) -> f64 {
        self.0.first().map_or(0.0, |node| node.at)
    }

    fn high(&self) -> f64 {
        self.0.last().map_or(0.0, |node| node.at)
    }

    /// The probability up to `hours`, and what it adds up to until then.
    fn up_to(&self, hours: f64) -> (f64, f64) {
        let after = self.0.partition_point(|node| node.at <= hours);
        let Some(from) = after.checked_sub(1).and_then(|place| self.0.get(place)) else {
            return (0.0, 0.0);
        };
        let past = hours - from.at;
        let slope = self
            .0
            .get(after)
            .map_or(0.0, |to| (to.by - from.by) / (to.at - from.at));
        let by = from.by + slope * past;
        (by, from.area + f64::midpoint(from.by, by) * past)
    }

    /// The probability that this and another one together are at most `hours`.
    fn sum_by(&self, other: &Self, hours: f64) -> f64 {
        let first = self
            .0
            .first()
            .map_or(0.0, |first| first.by * other.up_to(hours - first.at).0);
        let pieces = self.0.windows(2).map(|piece| match piece {
            [from, to] => {
                let area = |node: &Node| other.up_to(hours - node.at).1;
                (to.by - from.by) * (area(from) - area(to)) / (to.at - from.at)
            }
            _ => 0.0,
        });
        (first + pieces.sum::<f64>()).clamp(0.0, 1.0)
    }
}

/// When a job is done, in hours after the calendar's start, if it is by the moment it is cut off.
#[derive(Debug)]
struct End {
    of_run: RunEnd,
    until_h: f64,
}

/// When a job would be done if it kept its nodes.
#[derive(Debug)]
enum RunEnd {
    /// It starts when the calendar says.
    Planned { start_h: f64, finish: FinishTime },
    /// It starts when others are done.
    Waiting { start: Law, duration: Law },
    /// It is done when the calendar says: nothing more is known.
    Fixed(f64),
}

impl End {
    fn by(&self, hours: f64) -> f64 {
        self.of_run.by(hours.min(self.until_h))
    }

    /// The same in straight pieces, for those that wait for it.
    fn law(&self) -> Law {
        let (low, high) = self.of_run.range();
        let low = low.min(self.until_h);
        Law::traced(low, high.min(self.until_h), |hours| self.by(hours))
    }
}

impl RunEnd {
    fn by(&self, hours: f64) -> f64 {
        match self {
            Self::Planned { start_h, finish } => finish.probability_by(hours - start_h),
            Self::Waiting { start, duration } => start.sum_by(duration, hours),
            Self::Fixed(end) => f64::from(u8::from(hours >= *end)),
        }
    }

    /// From when to when it may be, but for tails.
    fn range(&self) -> (f64, f64) {
        match self {
            Self::Planned { start_h, finish } => {
                let (low, high) = (finish.hours_at(TAIL), finish.hours_at(1.0 - TAIL));
                (start_h + low, start_h + high)
            }
            Self::Waiting { start, duration } => {
                (start.low() + duration.low(), start.high() + duration.high())
            }
            Self::Fixed(end) => (*end, *end),
        }
    }
}

/// Fills in how sure each job is to be done by its end, by its deadline and while it has its nodes.
pub(super) fn with_probabilities(
    mut schedule: Schedule,
    agenda: &Agenda,
    planner: &Planner<'_>,
) -> Schedule {
    let begin = schedule.start;
    let is_waited_for = |job: usize| agenda.jobs.iter().any(|other| other.after.contains(&job));
    let mut order: Vec<usize> = (0..schedule.jobs.len()).collect();
    // What a job waits for starts before it does.
    order.sort_by_key(|job| schedule.jobs.get(*job).map(|job| job.start));
    let mut laws: Vec<Option<Law>> = order.iter().map(|_| None).collect();
    for place in order {
        let (Some(job), Some(of)) = (schedule.jobs.get_mut(place), agenda.jobs.get(place)) else {
            continue;
        };
        let before: Vec<&Law> = of
            .after
            .iter()
            .filter_map(|p| laws.get(*p)?.as_ref())
            .collect();
        let until = job.nodes_until.map(|until| until.hours_after(begin));
        let end = End {
            of_run: run_end(job, of, job.start.hours_after(begin), &before, planner),
            until_h: until.unwrap_or(f64::INFINITY),
        };
        let by = |moment: crate::calendar::Moment| end.by(moment.hours_after(begin));
        job.done_by_end = end.by(job.end.hours_after(begin));
        job.done_by_deadline = job.deadline.map(by);
        job.done_by_nodes_until = job.nodes_until.map(by);
        if is_waited_for(place)
            && let Some(law) = laws.get_mut(place)
        {
            *law = Some(end.law());
        }
    }
    schedule
}

/// When a job would be done that starts at `start_h`, or later where those before it are done later.
fn run_end(
    job: &ScheduledJob,
    of: &AgendaJob,
    start_h: f64,
    before: &[&Law],
    planner: &Planner<'_>,
) -> RunEnd {
    let Some(finish) = planner.finish(&of.request, &job.candidate) else {
        return RunEnd::Fixed(start_h + job.end.hours_after(job.start));
    };
    let latest = before.iter().map(|law| law.high()).fold(start_h, f64::max);
    let all_done = |hours: f64| -> f64 { before.iter().map(|law| law.up_to(hours).0).product() };
    if latest <= start_h && before.iter().all(|law| law.up_to(start_h).0 > SURELY) {
        return RunEnd::Planned { start_h, finish };
    }
    RunEnd::Waiting {
        start: Law::traced(start_h, latest, all_done),
        duration: Law::of_duration(&finish),
    }
}
