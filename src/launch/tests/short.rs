//! Which time limits are too short, as a booking and its launch files tell it.

use super::{Ask, Catalog, FIT, JobFile, Launch, Named, Planner, planned, reserve};

/// Whether a time limit is too short is one question: `reserve` and the launch files answer it alike.
#[test]
fn a_booking_and_its_launch_tell_the_same_limits_short() {
    let weeks = "[products.weeks]\nlengths = [{ step = \"7d\", up_to = \"70d\" }]\n";
    for (cluster, product, own, probability) in [
        ("r1z1", "slurm", "", 0.9),
        ("r1z1", "weeks", weeks, 0.9),
        ("r1z1", "weeks", weeks, 0.5),
        ("p4d.24xlarge", "on-demand", "", 0.99),
    ] {
        let job = |limit: u64| {
            format!(
                "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"{cluster}\"\n{own}[reserve]\n\
                 nodes = 5\nproduct = \"{product}\"\nprobability = {probability}\n\
                 [launch]\ntime_limit = \"{limit}h\"\n"
            )
        };
        let told = |limit: u64| {
            let (_, request) = planned(&job(limit));
            let file = JobFile::parse("job.toml", &job(limit)).unwrap();
            let catalog = file.extend(Catalog::embedded()).unwrap();
            let ask = Ask::new(&request, &catalog, Named::ByFlag).unwrap();
            let found = reserve(&Planner::new(&FIT), &request, &ask).unwrap();
            let booking = found.recommended().unwrap();
            let launch = Launch::new(&booking.candidate, &request, "tminus launch").unwrap();
            let launch = launch.on(Some(booking));
            let noted = booking
                .notes
                .iter()
                .any(|note| note.contains("`time_limit`"));
            assert_eq!(noted, launch.short_limit.is_some(), "{limit} h, {product}");
            (noted, booking.run_h.high, booking.usable_h)
        };
        let (short, high_h, usable_h) = told(24);
        assert!(short, "{product}");
        for share in [0.9, 0.99, 1.0, 1.01, 1.02, 1.05, 1.2, 3.0] {
            told(whole_hours(high_h * share));
            told(whole_hours(usable_h * share));
        }
        assert!(
            !told(whole_hours(usable_h.max(high_h) + 2.0)).0,
            "{product}"
        );
    }
}

/// Whole hours, rounded down.
fn whole_hours(hours: f64) -> u64 {
    format!("{:.0}", hours.floor()).parse().unwrap()
}
