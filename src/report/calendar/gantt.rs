//! A cluster's calendar as bars of text.

use crate::calendar::Moment;
use crate::schedule::{ClusterCalendar, Schedule, ScheduledJob};

use super::super::number::TimeUnit;
use super::super::{Cell, Column, Grid, Tone};
use super::names::Names;

/// Characters of the whole calendar; with a name and a node count it fits 100 columns.
const WIDTH: u32 = 64;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A row for each job that runs on the cluster, and one for how much of it is in use.
pub(super) fn chart(schedule: &Schedule, cluster: &ClusterCalendar, names: &Names<'_>) -> Grid {
    let here: Vec<&ScheduledJob> = schedule
        .jobs
        .iter()
        .filter(|job| job.candidate.cluster == cluster.cluster)
        .collect();
    let axis = Axis {
        start: schedule.start,
        hours: schedule.makespan_h,
    };
    let mut sorted = here.clone();
    sorted.sort_by_key(|job| job.start);
    let mut rows: Vec<Vec<Cell>> = sorted
        .iter()
        .map(|job| {
            vec![
                names.cell(&job.name),
                job.candidate.booked_nodes().to_string().into(),
                bar(axis, cluster, job).into(),
            ]
        })
        .collect();
    rows.push(vec![
        Cell::from("in use").tone(Tone::Faint),
        "".into(),
        load(axis, cluster, &here).into(),
    ]);
    let column = TimeUnit::of_hours(axis.hours / f64::from(WIDTH));
    let header = format!(
        "{} to {}, {} {} a character",
        schedule.start,
        schedule.end,
        column.show(axis.hours / f64::from(WIDTH)),
        column.name
    );
    Grid {
        columns: vec![
            Column::left("job"),
            Column::right("nodes"),
            Column::left(header),
        ],
        rows,
    }
}

#[derive(Clone, Copy)]
struct Axis {
    start: Moment,
    hours: f64,
}

impl Axis {
    /// Hours of a moment after the start.
    fn at(self, moment: Moment) -> f64 {
        moment.hours_after(self.start).max(0.0)
    }

    /// The hours in the middle of every character.
    fn middles(self) -> impl Iterator<Item = f64> {
        (0..WIDTH).map(move |place| (f64::from(place) + 0.5) / f64::from(WIDTH) * self.hours)
    }
}

/// The job's bar: at least one character long, however short the job is.
fn bar(axis: Axis, cluster: &ClusterCalendar, job: &ScheduledJob) -> String {
    let half = axis.hours / f64::from(WIDTH) / 2.0;
    let (start, end) = (axis.at(job.start), axis.at(job.end));
    // The character that holds the job's middle always shows it.
    let shown =
        |at: f64| (start <= at && at < end) || (at - f64::midpoint(start, end)).abs() <= half;
    axis.middles()
        .map(|at| match (shown(at), free(axis, cluster, at) > 0) {
            (true, _) => '█',
            (false, true) => '·',
            (false, false) => '░',
        })
        .collect()
}

fn load(axis: Axis, cluster: &ClusterCalendar, jobs: &[&ScheduledJob]) -> String {
    axis.middles()
        .map(|at| {
            let running = jobs
                .iter()
                .filter(|job| axis.at(job.start) <= at && at < axis.at(job.end));
            let used: u64 = running.map(|job| job.candidate.booked_nodes()).sum();
            if used == 0 {
                return if free(axis, cluster, at) > 0 {
                    '·'
                } else {
                    '░'
                };
            }
            let eighths = (used * 8).div_ceil(cluster.nodes.max(1)).clamp(1, 8);
            let level = usize::try_from(eighths - 1).unwrap_or(7);
            LEVELS.get(level).copied().unwrap_or('█')
        })
        .collect()
}

fn free(axis: Axis, cluster: &ClusterCalendar, at: f64) -> u64 {
    let mut windows = cluster.free.iter();
    windows
        .find(|window| axis.at(window.from) <= at && at < axis.at(window.to))
        .map_or(0, |window| window.nodes)
}
