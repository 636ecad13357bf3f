//! The time axis of a calendar and what is drawn along it.

use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::quantity::{SECONDS_PER_HOUR, display_hours};
use crate::report::number::TimeUnit;

use super::super::axis::tick;
use super::super::scale::Scale;
use super::super::series;
use super::super::svg::{Anchor, Svg, WIDTH, shortened, text_width};
use super::rows::label_start;
use super::{BAR, Booking, Calendar, LEFT, RIGHT, TOP, Taken};

/// The time axis.
pub(super) struct Axis {
    start: Option<DateTime>,
    /// Hours from the start along the page.
    pub(super) scale: Scale,
    unit: TimeUnit,
    pub(super) name: String,
}

impl Axis {
    pub(super) fn new(start: Option<DateTime>, longest_h: f64) -> Self {
        let unit = TimeUnit::of_hours(longest_h);
        let name = match start {
            Some(start) => format!("date in UTC, from {}", start.strftime("%Y-%m-%d %H:%M")),
            None => format!("{} from the start", unit.name),
        };
        Self {
            start,
            scale: Scale::from_zero([longest_h], LEFT, RIGHT),
            unit,
            name,
        }
    }

    /// Grid lines behind the bars, labelled below them.
    pub(super) fn ticks(&self, svg: &mut Svg, bottom: f64) {
        let ticks = match self.start {
            Some(start) => dated(start, &self.scale),
            None => elapsed(&self.scale, self.unit),
        };
        let mut free = 0.0;
        for (hours, label) in ticks {
            let at = self.scale.at(hours);
            svg.line("grid", (at, TOP), (at, bottom));
            // A label may stand a little beside its line where the page ends.
            let half = text_width(&label) / 2.0;
            let middle = at.clamp(half, WIDTH - half);
            if middle - half >= free {
                free = middle + half + 6.0;
                svg.text("tick", (middle, bottom + 16.0), Anchor::Middle, &label);
            }
        }
        svg.line("axis", (LEFT, bottom), (RIGHT, bottom));
    }

    /// A booking: its run, what is booked around it, its deadline.
    pub(super) fn draw(&self, svg: &mut Svg, booking: &Booking, (top, job): (f64, usize)) {
        let bar = top + 17.0;
        let at = |hours: f64| self.scale.at(hours);
        let (from, to) = (at(booking.from_h), booking.to_h);
        let said = self.spoken(booking);
        let class = series(job);
        let box_of = |start: f64, end: f64| ((start, bar), ((end - start).max(1.0), BAR));
        let (place, size) = box_of(at(to.expected), at(to.high));
        svg.bar(&format!("may {class}"), place, size, &said);
        let (place, size) = box_of(from, at(to.expected));
        svg.bar(&format!("part {class}"), place, size, &said);
        svg.line("mark under", (at(to.low), bar), (at(to.low), bar + BAR));
        svg.line("mark", (at(to.low), bar), (at(to.low), bar + BAR));
        if let Some(until) = booking.until_h {
            let size = ((at(until) - from).max(1.0), BAR + 3.0);
            svg.bar("window", (from, bar - 1.5), size, &said);
        }
        if let Some(due) = booking.due_h.filter(|due| *due <= self.scale.high()) {
            let x = at(due);
            svg.line("due", (x, bar - 2.0), (x, bar + BAR + 2.0));
        }
        label(svg, &booking.label, (from, bar));
    }

    pub(super) fn draw_taken(&self, svg: &mut Svg, taken: &Taken, top: f64) {
        let bar = top + 17.0;
        let ends = [taken.from_h, taken.to_h.min(self.scale.high())];
        let [from, to] = ends.map(|hours| self.scale.at(hours));
        let said = self.spoken_taken(taken);
        svg.bar("taken", (from, bar), ((to - from).max(1.0), BAR), &said);
        label(svg, &taken.label, (from, bar));
    }

    fn spoken(&self, booking: &Booking) -> String {
        let ends = [booking.to_h.expected, booking.to_h.low, booking.to_h.high];
        let [expected, low, high] = ends.map(|hours| self.when(hours));
        let from = self.when(booking.from_h);
        let until = booking.until_h.map_or_else(String::new, |until| {
            format!(", booked until {}", self.when(until))
        });
        let due = booking
            .due_h
            .map_or_else(String::new, |due| format!(", deadline {}", self.when(due)));
        format!(
            "{}: from {from} to {expected} ({low} to {high}){until}{due}",
            booking.label
        )
    }

    fn spoken_taken(&self, taken: &Taken) -> String {
        let [from, to] = [taken.from_h, taken.to_h].map(|hours| self.when(hours));
        format!("{}: from {from} to {to}", taken.label)
    }

    fn when(&self, hours: f64) -> String {
        match self.start.and_then(|start| minute_after(start, hours)) {
            Some(moment) => moment.strftime("%Y-%m-%d %H:%MZ").to_string(),
            None => display_hours(hours),
        }
    }

    /// Everything that is drawn, in words.
    pub(super) fn described(&self, calendar: &Calendar) -> String {
        let lanes = calendar.lanes.iter().map(|lane| {
            let taken = lane.taken.iter().map(|taken| self.spoken_taken(taken));
            let bookings = lane.bookings.iter().map(|booking| self.spoken(booking));
            let said: Vec<String> = taken.chain(bookings).collect();
            format!("{}: {}", lane.name, said.join("; "))
        });
        lanes.collect::<Vec<String>>().join(". ")
    }
}

/// A label above a bar.
fn label(svg: &mut Svg, label: &str, (from, bar): (f64, f64)) {
    let label = shortened(label, RIGHT - LEFT);
    let start = label_start(from, &label);
    svg.text("label", (start, bar - 5.0), Anchor::Start, &label);
}

/// The moment so many hours after another; `None` beyond the calendar's end in the year 9999.
fn after(start: DateTime, hours: f64) -> Option<DateTime> {
    let seconds = SignedDuration::try_from_secs_f64((hours * SECONDS_PER_HOUR).round()).ok()?;
    start.checked_add(seconds).ok()
}

/// What rounding alone may add to a whole minute.
const ROUNDING: f64 = 1e-6;

/// The same to whole minutes, rounded up as everywhere: what is told to be done by then is.
pub(crate) fn minute_after(start: DateTime, hours: f64) -> Option<DateTime> {
    after(start, (hours * 60.0 - ROUNDING).ceil() / 60.0)
}

/// Ticks in a unit, counted from the start.
fn elapsed(scale: &Scale, unit: TimeUnit) -> Vec<(f64, String)> {
    let per_hour = unit.convert(1.0);
    let ticks = scale.times(per_hour).ticks(6);
    ticks
        .into_iter()
        .map(|value| (value / per_hour, tick(value)))
        .collect()
}

/// Ticks on whole hours, days, weeks or years, at most seven.
pub(super) fn dated(start: DateTime, scale: &Scale) -> Vec<(f64, String)> {
    const STEPS_H: [u32; 13] = [1, 2, 3, 6, 12, 24, 48, 168, 336, 672, 2_184, 8_736, 87_360];
    let span = scale.high();
    let step = STEPS_H
        .into_iter()
        .find(|step| span / f64::from(*step) <= 6.0)
        .unwrap_or(873_600);
    let midnight = start.date().to_datetime(jiff::civil::Time::midnight());
    let past = start.duration_since(midnight).as_secs_f64() / SECONDS_PER_HOUR;
    let first = (past / f64::from(step)).ceil();
    (0..8_u32)
        .map(|index| (first + f64::from(index)) * f64::from(step) - past)
        .take_while(|hours| *hours <= span)
        .filter_map(|hours| Some((hours, date_label(after(start, hours)?, step, span))))
        .collect()
}

fn date_label(moment: DateTime, step_h: u32, span_h: f64) -> String {
    let form = if step_h < 24 && moment.time() != jiff::civil::Time::midnight() {
        "%H:%M"
    } else if span_h > 24.0 * 365.0 {
        "%b %Y"
    } else {
        "%-d %b"
    };
    moment.strftime(form).to_string()
}
