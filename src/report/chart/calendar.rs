//! Bookings on a calendar: a lane for each cluster, a bar for each job, along hours or dates.

mod axis;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use axis::minute_after;

use jiff::civil::DateTime;

use crate::quantity::Interval;

use self::axis::Axis;
use self::rows::Rows;
use super::svg::{Anchor, Svg, WIDTH, shortened};
use super::{Chart, Key};

const LEFT: f64 = 8.0;
const RIGHT: f64 = WIDTH - 8.0;
const TOP: f64 = 2.0;
/// Height of a lane's name.
const NAME: f64 = 20.0;
/// Height of a bar with its label above it, and of the bar.
const ROW: f64 = 40.0;
const BAR: f64 = 18.0;
/// A deadline that lies further away, as a multiple of what is booked, is only told.
const FAR: f64 = 1.5;

/// Bookings, in hours from the calendar's start.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calendar {
    /// What it is called.
    pub(crate) title: &'static str,
    /// What to see in it.
    pub(crate) caption: String,
    /// When hour 0 is; the axis counts from the start where that is not known.
    pub(crate) start: Option<DateTime>,
    /// What is booked, cluster by cluster.
    pub(crate) lanes: Vec<Lane>,
}

/// A cluster's bookings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lane {
    /// The cluster.
    pub(crate) name: String,
    /// When it can't be had.
    pub(crate) taken: Vec<Taken>,
    /// Its bookings, which may overlap.
    pub(crate) bookings: Vec<Booking>,
}

/// A time in which a cluster, or a part of it, can't be had.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taken {
    /// What of it.
    pub(crate) label: String,
    /// The hour it begins.
    pub(crate) from_h: f64,
    /// The hour it ends.
    pub(crate) to_h: f64,
}

/// One booking.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Booking {
    /// What runs, on how much.
    pub(crate) label: String,
    /// The hour it starts.
    pub(crate) from_h: f64,
    /// The hour the run ends.
    pub(crate) to_h: Interval,
    /// The hour until which nodes are booked, where that is not the run's own end.
    pub(crate) until_h: Option<f64>,
    /// The hour by which the run has to be done.
    pub(crate) due_h: Option<f64>,
}

impl Booking {
    /// The last hour that is booked or may be needed.
    fn last_h(&self) -> f64 {
        self.to_h.high.max(self.until_h.unwrap_or(0.0))
    }
}

impl Calendar {
    fn bookings(&self) -> impl Iterator<Item = &Booking> {
        self.lanes.iter().flat_map(|lane| &lane.bookings)
    }

    /// The hour the axis ends: of the last booking, or of a deadline soon after.
    fn last_h(&self) -> f64 {
        let last = self.bookings().map(Booking::last_h).fold(0.0, f64::max);
        let due = self.bookings().filter_map(|booking| booking.due_h);
        due.filter(|due| *due <= FAR * last).fold(last, f64::max)
    }

    fn legend(&self, last_h: f64) -> Vec<Key> {
        // Jobs have each a colour of their own: no one stands for all.
        let any = if self.bookings().count() > 1 {
            " any"
        } else {
            ""
        };
        let mut legend = vec![
            Key::new(format!("booked{any}"), "to the expected end"),
            Key::new(format!("may{any}"), "to the high end"),
            Key::new("mark", "low end"),
        ];
        if self.bookings().any(|booking| booking.until_h.is_some()) {
            legend.push(Key::new("window", "nodes booked"));
        }
        let due = |booking: &Booking| booking.due_h.is_some_and(|due| due <= last_h);
        if self.bookings().any(due) {
            legend.push(Key::new("due", "deadline"));
        }
        if self.lanes.iter().any(|lane| !lane.taken.is_empty()) {
            legend.push(Key::new("taken", "can't be had"));
        }
        legend
    }
}

/// The bookings as bars along time.
pub(crate) fn calendar(calendar: &Calendar) -> Chart {
    let last_h = calendar.last_h();
    let axis = Axis::new(calendar.start, last_h);
    let mut bars = Svg::default();
    let mut y = TOP;
    let mut job = 0;
    for lane in &calendar.lanes {
        let name = shortened(&lane.name, RIGHT - LEFT);
        bars.text("lane", (LEFT, y + 14.0), Anchor::Start, &name);
        y += NAME;
        // In rows of their own: beside a job's bar, a window would read as that job's.
        let mut windows = Rows::default();
        for taken in &lane.taken {
            let ends = (taken.from_h, taken.to_h.min(last_h));
            let row = windows.place(&axis.scale, &taken.label, ends);
            axis.draw_taken(&mut bars, taken, y + ROW * row as f64);
        }
        y += ROW * windows.count() as f64;
        let mut rows = Rows::default();
        for booking in &lane.bookings {
            let due = booking.due_h.filter(|due| *due <= last_h);
            let last = due.map_or(booking.last_h(), |due| due.max(booking.last_h()));
            let row = rows.place(&axis.scale, &booking.label, (booking.from_h, last));
            axis.draw(&mut bars, booking, (y + ROW * row as f64, job));
            job += 1;
        }
        y += ROW * rows.count().max(1) as f64;
    }
    let mut svg = Svg::default();
    axis.ticks(&mut svg, y);
    svg.append(&bars);
    let middle = (f64::midpoint(LEFT, RIGHT), y + 36.0);
    svg.text("name", middle, Anchor::Middle, &axis.name);
    let title = calendar.title;
    Chart {
        title: title.to_owned(),
        svg: svg.finish("calendar", y + 44.0, title, &axis.described(calendar)),
        legend: calendar.legend(last_h),
        caption: calendar.caption.clone(),
    }
}
