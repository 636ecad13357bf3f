//! Bookings on a calendar: a lane for each cluster, a bar for each job, along hours or dates.

use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::quantity::{Interval, display_hours};
use crate::report::number::TimeUnit;

use super::axis::tick;
use super::scale::Scale;
use super::svg::{Anchor, Svg, WIDTH, shortened, text_width};
use super::{Chart, Key, series};

const LEFT: f64 = 8.0;
const RIGHT: f64 = WIDTH - 8.0;
const TOP: f64 = 2.0;
/// Height of a lane's name.
const NAME: f64 = 20.0;
/// Height of a bar with its label above it, and of the bar.
const ROW: f64 = 40.0;
const BAR: f64 = 18.0;

/// Bookings, in hours from the calendar's start.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calendar {
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
    /// Its bookings, which may overlap.
    pub(crate) bookings: Vec<Booking>,
}

/// One booking.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Booking {
    /// What runs, on how much.
    pub(crate) label: String,
    /// The hour it starts.
    pub(crate) from_h: f64,
    /// The hour it ends.
    pub(crate) to_h: Interval,
}

/// The bookings as bars along time.
pub(crate) fn calendar(calendar: &Calendar) -> Chart {
    let longest = calendar
        .lanes
        .iter()
        .flat_map(|lane| &lane.bookings)
        .map(|booking| booking.to_h.high)
        .fold(0.0, f64::max);
    let axis = Axis::new(calendar.start, longest);
    let mut bars = Svg::default();
    let mut y = TOP;
    let mut job = 0;
    for lane in &calendar.lanes {
        let name = shortened(&lane.name, RIGHT - LEFT);
        bars.text("lane", (LEFT, y + 14.0), Anchor::Start, &name);
        y += NAME;
        let mut rows = Rows::default();
        for booking in &lane.bookings {
            let row = rows.place(&axis.scale, booking);
            let top = y + ROW * row as f64;
            axis.draw(&mut bars, booking, (top, job));
            job += 1;
        }
        y += ROW * rows.0.len().max(1) as f64;
    }
    let mut svg = Svg::default();
    axis.ticks(&mut svg, y);
    svg.append(&bars);
    let middle = (f64::midpoint(LEFT, RIGHT), y + 36.0);
    svg.text("name", middle, Anchor::Middle, &axis.name);
    let title = "The booking on a calendar";
    Chart {
        title: title.to_owned(),
        svg: svg.finish("calendar", y + 44.0, title, &axis.described(calendar)),
        legend: vec![
            Key::new("booked", "to the expected end"),
            Key::new("may", "to the high end"),
            Key::new("mark", "low end"),
        ],
        caption: match calendar.start {
            Some(_) => "Book to the high end to be sure of the end of the run.".to_owned(),
            None => "No date is set for the start, so the axis counts from it. Book to the high \
                     end to be sure of the end of the run."
                .to_owned(),
        },
    }
}

/// The time axis.
struct Axis {
    start: Option<DateTime>,
    /// Hours from the start along the page.
    scale: Scale,
    unit: TimeUnit,
    name: String,
}

impl Axis {
    fn new(start: Option<DateTime>, longest_h: f64) -> Self {
        let unit = TimeUnit::of_hours(longest_h);
        let name = match start {
            Some(start) => format!("date, from {}", start.strftime("%Y-%m-%d %H:%M")),
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
    fn ticks(&self, svg: &mut Svg, bottom: f64) {
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

    fn draw(&self, svg: &mut Svg, booking: &Booking, (top, job): (f64, usize)) {
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
        let label = shortened(&booking.label, RIGHT - LEFT);
        let start = label_start(from, &label);
        svg.text("label", (start, bar - 5.0), Anchor::Start, &label);
    }

    fn spoken(&self, booking: &Booking) -> String {
        let ends = [booking.to_h.expected, booking.to_h.low, booking.to_h.high];
        let [expected, low, high] = ends.map(|hours| self.when(hours));
        let from = self.when(booking.from_h);
        format!(
            "{}: from {from} to {expected} ({low} to {high})",
            booking.label
        )
    }

    fn when(&self, hours: f64) -> String {
        match self.start.and_then(|start| after(start, hours)) {
            Some(moment) => moment.strftime("%Y-%m-%d %H:%M").to_string(),
            None => display_hours(hours),
        }
    }

    fn described(&self, calendar: &Calendar) -> String {
        let lanes: Vec<String> = calendar
            .lanes
            .iter()
            .map(|lane| {
                let bookings: Vec<String> = lane
                    .bookings
                    .iter()
                    .map(|booking| self.spoken(booking))
                    .collect();
                format!("{}: {}", lane.name, bookings.join("; "))
            })
            .collect();
        lanes.join(". ")
    }
}

/// Where a label starts, so that it ends on the page.
fn label_start(from: f64, label: &str) -> f64 {
    from.min(RIGHT - text_width(label)).max(LEFT)
}

/// The moment so many hours after another; `None` beyond the calendar's end in the year 9999.
pub(crate) fn after(start: DateTime, hours: f64) -> Option<DateTime> {
    let seconds = SignedDuration::try_from_secs_f64((hours * 3600.0).round()).ok()?;
    start.checked_add(seconds).ok()
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
fn dated(start: DateTime, scale: &Scale) -> Vec<(f64, String)> {
    const STEPS_H: [u32; 13] = [1, 2, 3, 6, 12, 24, 48, 168, 336, 672, 2_184, 8_736, 87_360];
    let span = scale.high();
    let step = STEPS_H
        .into_iter()
        .find(|step| span / f64::from(*step) <= 6.0)
        .unwrap_or(873_600);
    let midnight = start.date().to_datetime(jiff::civil::Time::midnight());
    let past = start.duration_since(midnight).as_secs_f64() / 3600.0;
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

/// Rows of one lane: bookings that would cover each other, or each other's labels, go below.
#[derive(Debug, Default)]
struct Rows(Vec<Vec<(f64, f64)>>);

impl Rows {
    /// The row that a booking has room in.
    fn place(&mut self, scale: &Scale, booking: &Booking) -> usize {
        let label = shortened(&booking.label, RIGHT - LEFT);
        let from = scale.at(booking.from_h);
        let start = label_start(from, &label);
        let area = (
            start.min(from),
            scale.at(booking.to_h.high).max(start + text_width(&label)),
        );
        let clear = |row: &Vec<(f64, f64)>| {
            row.iter()
                .all(|taken| area.1 + 4.0 <= taken.0 || taken.1 + 4.0 <= area.0)
        };
        let row = self.0.iter().position(clear).unwrap_or(self.0.len());
        if row == self.0.len() {
            self.0.push(Vec::new());
        }
        if let Some(row) = self.0.get_mut(row) {
            row.push(area);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn booking(label: &str, from_h: f64, hours: f64) -> Booking {
        Booking {
            label: label.into(),
            from_h,
            to_h: Interval::new(from_h + hours * 0.9, from_h + hours, from_h + hours * 1.2)
                .unwrap(),
        }
    }

    fn two_lanes(start: Option<DateTime>) -> Calendar {
        let lane = |name: &str, bookings| Lane {
            name: name.into(),
            bookings,
        };
        Calendar {
            start,
            lanes: vec![
                lane(
                    "r7z2",
                    vec![booking("a", 0.0, 24.0), booking("b", 40.0, 24.0)],
                ),
                lane("r1z1", vec![booking("<c>", 6.0, 80.0)]),
            ],
        }
    }

    #[test]
    fn hours_are_counted_where_no_date_is_set() {
        let chart = calendar(&two_lanes(None));
        assert!(chart.svg.contains("days from the start"), "{}", chart.svg);
        assert!(
            chart
                .svg
                .contains("a: from 0 s to 24.0 h (21.6 h to 28.8 h)")
        );
        assert!(chart.svg.contains("&lt;c&gt;") && !chart.svg.contains("<c>"));
    }

    #[test]
    fn dates_stand_where_they_are() {
        let start = jiff::civil::date(2027, 2, 27).at(18, 0, 0, 0);
        let chart = calendar(&two_lanes(Some(start)));
        assert!(chart.svg.contains("date, from 2027-02-27 18:00"));
        assert!(
            chart
                .svg
                .contains("a: from 2027-02-27 18:00 to 2027-02-28 18:00")
        );
        let scale = Scale::from_zero([102.0], LEFT, RIGHT);
        let labels: Vec<(f64, String)> = dated(start, &scale);
        let expected = [
            (6.0, "28 Feb"),
            (30.0, "1 Mar"),
            (54.0, "2 Mar"),
            (78.0, "3 Mar"),
            (102.0, "4 Mar"),
        ];
        let found: Vec<(f64, &str)> = labels.iter().map(|(h, l)| (*h, l.as_str())).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        /// Of what shares a row, nothing covers anything; a lane has no more rows than bookings.
        #[test]
        fn bookings_don_t_cover_each_other(
            spans in prop::collection::vec((0.0..1000.0_f64, 0.1..500.0_f64), 1..12),
            year in 1..9999_i16,
        ) {
            let bookings: Vec<Booking> = spans.iter().map(|(from, hours)| booking("job", *from, *hours)).collect();
            let scale = Scale::from_zero(bookings.iter().map(|b| b.to_h.high), LEFT, RIGHT);
            let mut rows = Rows::default();
            for booking in &bookings {
                rows.place(&scale, booking);
            }
            prop_assert!(rows.0.len() <= bookings.len());
            for row in &rows.0 {
                let mut row = row.clone();
                row.sort_by(|a, b| a.0.total_cmp(&b.0));
                prop_assert!(row.windows(2).all(|two| two[0].1 <= two[1].0));
            }
            let start = jiff::civil::date(year, 12, 31).at(23, 59, 59, 0);
            prop_assert!(dated(start, &scale).len() <= 8);
        }
    }
}
