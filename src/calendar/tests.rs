use super::*;
use jiff::Timestamp;
use proptest::prelude::*;

fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

#[test]
fn dates_are_read_as_people_write_them() {
    for (text, shown) in [
        ("2026-12-01", "2026-12-01T00:00Z"),
        ("2026-12-01T09:00Z", "2026-12-01T09:00Z"),
        ("2026-12-01 09:00", "2026-12-01T09:00Z"),
        ("2026-12-01T09:00:30Z", "2026-12-01T09:00:30Z"),
        ("2026-12-01T00:30+01:00", "2026-11-30T23:30Z"),
        ("2026-12-01T09:00-08:00", "2026-12-01T17:00Z"),
        ("2026-12-01T09:00-0330", "2026-12-01T12:30Z"),
        ("2026-12-01 09:00-08", "2026-12-01T17:00Z"),
        ("2026-12-01t20:15:30-05:00", "2026-12-02T01:15:30Z"),
        ("2028-02-29", "2028-02-29T00:00Z"),
    ] {
        assert_eq!(moment(text).to_string(), shown, "{text}");
    }
    for (text, reason) in [
        ("2026-02-29", "no such date"),
        ("2026-13-01", "no such date"),
        ("tomorrow", "no such date"),
        ("2026-2-3", "2026-02-03"),
        ("2026-2-30", "no such date"),
        ("0999-01-01", "year"),
        ("3000-01-01", "1970 to 2999"),
        ("9999-12-31", "1970 to 2999"),
        ("9999-12-31T23:00-05:00", "1970 to 2999"),
        ("9999-13-31", "no such date"),
        ("2026-12-01T09:00[Europe/Berlin]", "offset"),
        ("2026-12-01T09:00-08:00[America/Los_Angeles]", "offset"),
        ("2026-12-01T09:00-99:00", "no such date"),
        ("2026-12-01-08:00", "no such date"),
        ("2026-12-01T09:00PST", "offset from UTC"),
        ("2026-12-01 09:00 CET", "offset from UTC"),
        ("2026-12-01T09:00+25:00", "at most 14:00"),
        ("2026-12-01T09:00-14:01", "at most 14:00"),
        ("2026-12-01T23:59:60Z", "leap seconds"),
        ("2026-12-01 23:59:60", "leap seconds"),
        ("", "no such date"),
    ] {
        let error = text.parse::<Moment>().unwrap_err();
        assert!(error.reason.contains(reason), "{text}: {error}");
    }
}

#[test]
fn times_of_day_are_found_before_and_after() {
    let clock: TimeOfDay = "11:30".parse().unwrap();
    for (at, next, last) in [
        (
            "2026-12-01T09:00Z",
            "2026-12-01T11:30Z",
            "2026-11-30T11:30Z",
        ),
        (
            "2026-12-01T11:30Z",
            "2026-12-01T11:30Z",
            "2026-12-01T11:30Z",
        ),
        (
            "2026-12-31T11:31Z",
            "2027-01-01T11:30Z",
            "2026-12-31T11:30Z",
        ),
    ] {
        assert_eq!(moment(at).next_at(clock), Some(moment(next)), "{at}");
        assert_eq!(moment(at).last_at(clock), Some(moment(last)), "{at}");
    }
    for text in ["24:00", "11:60", "1130", "+1:00", "11:3"] {
        assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
    }
}

#[test]
fn spans_say_what_they_are() {
    for (text, seconds) in [
        ("90m", 5400),
        ("1.5d", 129_600),
        ("2w", 1_209_600),
        ("2weeks", 1_209_600),
        ("2w3d", 1_468_800),
        ("1h30m", 5400),
        ("1 day 12 hours", 129_600),
    ] {
        assert_eq!(text.parse::<Span>().unwrap().seconds(), seconds, "{text}");
    }
    for (text, reason) in [
        ("14", "unit"),
        ("-3d", "greater than zero"),
        ("0h", "greater than zero"),
        ("1e3d", "`e` is no unit: s, m, h, d and w are"),
        ("999999999w", "500 years"),
        ("infd", "must end in a unit"),
        ("tomorrow", "must end in a unit: s, m, h, d or w"),
        ("1 month", "`month` is no unit: s, m, h, d and w are"),
        ("30m1h", "larger units must come first"),
        ("1.2.3d", "must stand a number"),
        ("2w!", "must end in a unit"),
    ] {
        let error = text.parse::<Span>().unwrap_err();
        assert!(error.reason.contains(reason), "{text}: {error}");
    }
    assert_eq!("5.5d".parse::<Span>().unwrap().slurm(), "5-12:00:00");
}

#[test]
fn a_deadline_is_a_date_or_a_length() {
    assert!(matches!("14d".parse(), Ok(Due::Within(_))));
    assert!(matches!("2026-12-15".parse(), Ok(Due::By(_))));
    assert!(matches!("2026-12-15T00:00Z".parse(), Ok(Due::By(_))));
    assert!("14".parse::<Due>().unwrap_err().reason.contains("unit"));
    assert!("2026-31-12".parse::<Due>().is_err());
}

proptest! {
    #[test]
    fn moments_are_shown_as_they_are_read(second in 0..32_503_680_000_i64) {
        let moment = Moment::new(Timestamp::from_second(second).unwrap()).unwrap();
        prop_assert_eq!(moment.to_string().parse::<Moment>().unwrap(), moment);
        prop_assert_eq!(moment.rfc3339().parse::<Moment>().unwrap(), moment);
    }

    #[test]
    fn clocks_east_and_west_of_greenwich_are_ahead_and_behind(
        second in 1_000_000_000..10_000_000_000_i64,
        minutes in -14 * 60..=14 * 60_i64,
        colon in any::<bool>(),
        space in any::<bool>(),
    ) {
        // What clocks there show is the instant in UTC, moved by the offset.
        let shown = |second: i64| Moment::new(Timestamp::from_second(second).unwrap()).unwrap();
        let local = shown(second + minutes * 60).civil();
        let local = if space { local.replace('T', " ") } else { local };
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        let colon = if colon { ":" } else { "" };
        let text = format!("{local}{sign}{hours:02}{colon}{rest:02}");
        prop_assert_eq!(moment(&text), shown(second), "{}", text);
    }

    #[test]
    fn sums_and_differences_agree(second in 0..10_000_000_000_i64, seconds in 0..10_000_000_000_u64) {
        let moment = Moment::new(Timestamp::from_second(second).unwrap()).unwrap();
        let span = Span::from_seconds(seconds).unwrap();
        let later = moment.plus(span).unwrap();
        prop_assert_eq!(later.since(moment), Some(span));
        prop_assert_eq!(later.minus(span), Some(moment));
        prop_assert_eq!(moment.since(later).is_none(), seconds > 0);
        prop_assert_eq!(moment.plus_seconds(i64::try_from(seconds).unwrap()), Some(later));
    }

    #[test]
    fn dates_are_apart_by_what_clocks_count_however_far(
        one in 0..32_503_680_000_i64,
        other in 0..32_503_680_000_i64,
    ) {
        let moment = |second| Moment::new(Timestamp::from_second(second).unwrap()).unwrap();
        let (later, earlier) = (moment(one), moment(other));
        prop_assert_eq!(later.seconds_after(earlier), one - other);
        prop_assert_eq!(earlier.plus_seconds(one - other), Some(later));
        // A date far away is still after, and one long before is before.
        prop_assert_eq!(later.since(earlier).is_some(), one >= other);
        let span = later.since(earlier).map(|span| i64::try_from(span.seconds()).unwrap());
        let longest = i64::try_from(Span::MAX.seconds()).unwrap();
        prop_assert_eq!(span, (one >= other).then_some((one - other).min(longest)));
    }

    #[test]
    fn any_text_is_a_date_or_an_error(text in "\\PC*") {
        let _ = text.parse::<Moment>();
        let _ = text.parse::<Span>();
        let _ = text.parse::<Due>();
        let _ = text.parse::<TimeOfDay>();
    }

    #[test]
    fn hours_are_rounded_up_to_the_minute(hours in 0.0..1e6) {
        let span = Span::from_hours_up(hours).unwrap();
        prop_assert!(span.hours() >= hours && span.hours() - hours <= 1.0 / 60.0 + 1e-9);
    }
}
