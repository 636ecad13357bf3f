use super::axis::dated;
use super::*;
use crate::report::chart::scale::Scale;
use proptest::prelude::*;

fn booking(label: &str, from_h: f64, hours: f64) -> Booking {
    Booking {
        label: label.into(),
        from_h,
        to_h: Interval::new(from_h + hours * 0.9, from_h + hours, from_h + hours * 1.2).unwrap(),
        until_h: None,
        due_h: None,
    }
}

fn two_lanes(start: Option<DateTime>) -> Calendar {
    let lane = |name: &str, bookings| Lane {
        name: name.into(),
        taken: Vec::new(),
        bookings,
    };
    Calendar {
        title: "The booking on a calendar",
        caption: String::new(),
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
    assert!(chart.svg.contains("date in UTC, from 2027-02-27 18:00"));
    assert!(
        chart
            .svg
            .contains("a: from 2027-02-27 18:00Z to 2027-02-28 18:00Z")
    );
    // Rounded up, as starts and ends are everywhere.
    let after = |minutes: f64| minute_after(start, minutes / 60.0).unwrap().minute();
    assert_eq!((after(5.0), after(5.001), after(5.9)), (5, 6, 6));
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
            rows.place(&scale, &booking.label, (booking.from_h, booking.to_h.high));
        }
        prop_assert!(rows.count() <= bookings.len());
        for row in rows.taken() {
            let mut row = row.clone();
            row.sort_by(|a, b| a.0.total_cmp(&b.0));
            prop_assert!(row.windows(2).all(|two| two[0].1 <= two[1].0));
        }
        let start = jiff::civil::date(year, 12, 31).at(23, 59, 59, 0);
        prop_assert!(dated(start, &scale).len() <= 8);
    }
}

#[test]
fn what_is_booked_around_a_run_is_drawn_and_told() {
    let mut all = two_lanes(None);
    let lane = all.lanes.first_mut().unwrap();
    lane.taken.push(Taken {
        label: "4 nodes".into(),
        from_h: 10.0,
        to_h: 1e6,
    });
    let first = lane.bookings.first_mut().unwrap();
    (first.until_h, first.due_h) = (Some(30.0), Some(36.0));
    // Far beyond the last hour: told, but the axis doesn't reach so far.
    lane.bookings.get_mut(1).unwrap().due_h = Some(5_000.0);
    let chart = calendar(&all);
    assert!(chart.svg.contains(
        "a: from 0 s to 24.0 h (21.6 h to 28.8 h), booked until 30.0 h, deadline 36.0 h"
    ));
    assert_eq!(chart.svg.matches(r#"class="due""#).count(), 1);
    assert_eq!(chart.svg.matches(r#"class="window""#).count(), 1);
    assert_eq!(chart.svg.matches(r#"class="taken""#).count(), 1);
    let keys: Vec<&str> = chart.legend.iter().map(|key| key.class.as_str()).collect();
    assert_eq!(
        keys,
        ["booked any", "may any", "mark", "window", "due", "taken"]
    );
    let keys = calendar(&two_lanes(None)).legend.len();
    assert_eq!(keys, 3);
}

/// A window in the row of a job would read as that job's.
#[test]
fn what_cant_be_had_has_rows_of_its_own() {
    let mut all = two_lanes(None);
    let lane = all.lanes.first_mut().unwrap();
    lane.taken.push(Taken {
        label: "4 nodes".into(),
        from_h: 72.0,
        to_h: 80.0,
    });
    let chart = calendar(&all);
    let tops = |class: &str| {
        let bars = chart.svg.split("<rect class=\"").skip(1);
        let of_class = bars.filter(|bar| bar.starts_with(class));
        let top = |bar: &str| Some(bar.split(" y=\"").nth(1)?.split('"').next()?.to_owned());
        of_class.filter_map(top).collect::<Vec<String>>()
    };
    let (taken, jobs) = (tops("taken"), tops("part"));
    assert_eq!((taken.len(), jobs.len()), (1, 3));
    assert!(!jobs.contains(&taken[0]), "{taken:?} {jobs:?}");
}
