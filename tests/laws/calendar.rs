//! What must change no byte of a schedule of several jobs, and what ending it early leaves true.

use proptest::prelude::*;
use tminus::calendar::{Moment, Span};
use tminus::job::{Agenda, JobFile, resolve_ladder};
use tminus::plan::Planner;
use tminus::report::{Grounds, LadderApproval, Markdown, Report};
use tminus::schedule::{Hold, Schedule, ScheduleError, schedule_watched};
use tminus::search::Watch;

use super::{CATALOG, FIT};

pub(super) fn agenda(text: &str) -> Agenda {
    let file = JobFile::parse("ladder.toml", text).unwrap();
    resolve_ladder(file.ladder.unwrap(), &file.settings, &CATALOG).unwrap()
}

pub(super) fn scheduled(
    agenda: &Agenda,
    threads: usize,
    watch: &Watch<'_>,
) -> Result<Schedule, ScheduleError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| schedule_watched(agenda, &Planner::new(&FIT), &FIT, watch))
}

prop_compose! {
    fn ladders()(
        jobs in prop::collection::vec(
            (
                prop::sample::select(vec!["gpt-125m", "gpt-350m", "gpt-760m", "gpt-1b"]),
                5_u64..40,
                prop::option::of(10_u64..200),
                any::<bool>(),
            ),
            1..5,
        ),
        minimise in prop::sample::select(vec!["makespan", "cost", "lateness"]),
        nodes in 1_u64..5,
    ) -> String {
        let mut text = format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\nminimise = \"{minimise}\"\n\
             [schedule.clusters.r7z2]\ncapacity_nodes = {nodes}\n",
        );
        for (place, (model, tokens, deadline, waits)) in jobs.iter().enumerate() {
            text.extend([format!(
                "[[jobs]]\nname = \"job{place}\"\nmodel = \"{model}\"\ntokens = \"{tokens}x\"\n",
            )]);
            if let Some(hours) = deadline {
                text.extend([format!("deadline = \"{hours}h\"\n")]);
            }
            if *waits && place > 0 {
                text.extend([format!("after = [\"job{}\"]\n", place - 1)]);
            }
        }
        text
    }
}

/// Whoever approves a schedule learns that it was ended early, as whoever made it does.
#[test]
fn a_report_on_a_schedule_ended_early_says_so() {
    let agenda = agenda(
        "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n[[jobs]]\nmodel = \"gpt-125m\"\n",
    );
    let schedule = scheduled(&agenda, 1, &Watch::new()).unwrap();
    let told = |partial: bool| {
        let schedule = Schedule {
            partial,
            ..schedule.clone()
        };
        let grounds = Grounds {
            command: "tminus report ladder.toml -o ladder.md",
            fit_file: None,
            accuracy: None,
        };
        let report = LadderApproval {
            schedule: &schedule,
            agenda: &agenda,
            grounds,
        };
        Markdown.render(&report).unwrap()
    };
    let words = "the search was ended early";
    assert!(told(true).contains(words) && !told(false).contains(words));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn threads_change_no_byte_of_a_schedule(text in ladders()) {
        let agenda = agenda(&text);
        let bytes = |threads| match scheduled(&agenda, threads, &Watch::new()) {
            Ok(schedule) => serde_json::to_string(&schedule).unwrap(),
            Err(error) => error.to_string(),
        };
        prop_assert_eq!(bytes(1), bytes(2));
    }

    /// What is ended at once is a schedule with a bound that holds, and says that it is partial.
    #[test]
    fn a_schedule_ended_early_is_no_better_than_the_whole(text in ladders()) {
        let agenda = agenda(&text);
        let watch = Watch::new();
        watch.cancel();
        let whole = scheduled(&agenda, 2, &Watch::new());
        match (scheduled(&agenda, 2, &watch), whole) {
            (Ok(early), Ok(whole)) => {
                prop_assert!(early.partial && !whole.partial);
                let slack = 1.0 + 1e-9;
                prop_assert!(whole.objective.value <= early.objective.value * slack);
                prop_assert!(early.objective.bound <= whole.objective.value * slack);
            }
            (Ok(early), Err(error)) => prop_assert!(false, "{early:?}, then {error}"),
            (Err(_), _) => {}
        }
    }
}

/// Six models, each for two budgets, on one cluster.
fn a_dozen(minimise: &str, nodes: u64) -> String {
    let models = [
        "gpt-125m", "gpt-350m", "gpt-760m", "gpt-1b", "gpt-3b", "gpt-7b",
    ];
    let jobs = models.iter().flat_map(|model| {
        ["10x", "20x"].map(|tokens| {
            format!(
                "[[jobs]]\nname = \"{model} {tokens}\"\nmodel = \"{model}\"\ntokens = \"{tokens}\"\n"
            )
        })
    });
    format!(
        "clusters = [\"r1z1\"]\n[schedule]\nstart = \"2026-12-01\"\nminimise = \"{minimise}\"\n\
         [schedule.clusters.r1z1]\ncapacity_nodes = {nodes}\n{}",
        jobs.collect::<String>()
    )
}

#[test]
fn a_ladder_of_a_dozen_jobs_is_proven_to_be_the_best() {
    for (minimise, nodes) in [
        ("makespan", 6),
        ("makespan", 16),
        ("makespan", 64),
        ("cost", 16),
        ("lateness", 16),
    ] {
        let agenda = agenda(&a_dozen(minimise, nodes));
        let schedule = scheduled(&agenda, 1, &Watch::new()).unwrap();
        assert!(
            schedule.objective.proven,
            "{minimise} on {nodes}: {:?}",
            schedule.objective
        );
    }
}

#[test]
fn a_deadline_that_only_minutes_meet_is_met() {
    let text = |last: &str| {
        format!(
            "clusters = [\"r1z1\"]\n[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.r1z1]\ncapacity_nodes = 1\n\
             [[jobs]]\nmodel = \"gpt-1b\"\n[[jobs]]\nmodel = \"gpt-3b\"\nafter = [\"gpt-1b\"]\n{last}"
        )
    };
    let free = scheduled(&agenda(&text("")), 1, &Watch::new()).unwrap();
    assert!(free.step_minutes > 5, "{}", free.step_minutes);
    // Both jobs' minutes, each rounded up.
    let minutes: f64 = free.jobs.iter().map(|job| (job.hours * 60.0).ceil()).sum();
    assert!(minutes < free.makespan_h * 60.0);
    let last = format!("deadline = \"{:.0}m\"\n", minutes + 5.0);
    let tight = scheduled(&agenda(&text(&last)), 1, &Watch::new()).unwrap();
    assert!(tight.step_minutes <= 5, "{} {last}", tight.step_minutes);
    assert!(
        tight
            .jobs
            .iter()
            .all(|job| job.late_h.unwrap_or(0.0) <= 0.0)
    );
}

/// A job on two nodes, whose calendar and own dates are these.
fn alone(of_site: &str, of_job: &str) -> Result<Schedule, ScheduleError> {
    let text = format!(
        "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n\
         [schedule.clusters.r7z2]\ncapacity_nodes = 2\n{of_site}\n\
         [[jobs]]\nmodel = \"gpt-1b\"\n{of_job}\n"
    );
    scheduled(&agenda(&text), 1, &Watch::new())
}

#[test]
fn dates_centuries_away_are_as_far_as_they_are() {
    let start = "2026-12-01T00:00Z";
    let free = alone("", "").unwrap();
    assert_eq!(free.start.to_string(), start);
    // For good: limits that no schedule comes near change nothing.
    for (of_site, of_job) in [
        (
            "available = [{ from = \"2026-12-01\", to = \"2999-12-31\" }]",
            "",
        ),
        (
            "booked = [{ from = \"2900-01-01\", to = \"2999-12-31\" }]",
            "",
        ),
        (
            "booked = [{ from = \"1970-01-01\", to = \"2026-12-01\" }]",
            "",
        ),
        ("", "deadline = \"2999-12-31\""),
    ] {
        let schedule = alone(of_site, of_job).unwrap();
        assert_eq!(
            schedule.jobs[0].start, free.jobs[0].start,
            "{of_site} {of_job}"
        );
        assert!(schedule.jobs[0].late_h.unwrap_or(0.0) <= 0.0);
    }
    // What is to come comes first, be it centuries.
    for (of_site, of_job) in [
        (
            "booked = [{ from = \"2026-12-01\", to = \"2700-12-31\" }]",
            "",
        ),
        ("", "earliest = \"2700-12-31\""),
    ] {
        let schedule = alone(of_site, of_job).unwrap();
        assert_eq!(schedule.jobs[0].start.to_string(), "2700-12-31T00:00Z");
        assert!(schedule.makespan_h > 670.0 * 365.0 * 24.0);
    }
    // Booked to the last day there is, nothing starts before it, and nothing can end after it.
    let taken = "booked = [{ from = \"2026-12-01\", to = \"2999-12-31\" }]";
    assert_eq!(alone(taken, ""), Err(ScheduleError::TooLong));
}

/// What is said to hold a job holds it, and a minute less doesn't.
#[test]
fn a_window_as_long_as_advised_holds_the_job() {
    let window = |hours: f64, minutes: i64, nodes: u64| {
        let start: Moment = "2026-12-01".parse().unwrap();
        let end = start.plus(Span::of_hours(hours)).unwrap();
        let end = end.plus_seconds(minutes * 60).unwrap();
        alone(
            &format!("available = [{{ from = \"2026-12-01\", to = \"{end}\", nodes = {nodes} }}]"),
            "",
        )
    };
    let Err(ScheduleError::NoWindow {
        nodes, window_h, ..
    }) = window(1.0, 0, 2)
    else {
        panic!("an hour is too short");
    };
    assert_eq!(nodes, 2);
    assert!(window(window_h, 0, nodes).is_ok());
    assert!(matches!(
        window(window_h, -1, nodes),
        Err(ScheduleError::NoWindow { .. })
    ));
}

#[test]
fn the_limit_that_is_in_the_way_is_named() {
    let of = |nodes: u64, window: u64| {
        let text = format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.r7z2]\ncapacity_nodes = {nodes}\n\
             available = [{{ from = \"2026-12-01\", to = \"2028-12-01\", nodes = {window} }}]\n\
             [[jobs]]\nmodel = \"gpt-13b\"\n"
        );
        scheduled(&agenda(&text), 1, &Watch::new())
    };
    let Err(ScheduleError::NoRoom { needed, free, .. }) = of(1, 1) else {
        panic!("one node is too few");
    };
    assert_eq!((needed, free), (2, 1));
    let Err(ScheduleError::NarrowWindows { needed, free, .. }) = of(needed, 1) else {
        panic!("a window of one node is too narrow");
    };
    assert_eq!((needed, free), (2, 1));
    assert!(of(needed, needed).is_ok());
}

/// Where what the jobs share and their windows are both too small, both are named, each by its own
/// figure; and what is to be set is the key that the file has.
#[test]
fn all_limits_that_are_in_the_way_are_named() {
    let of = |shared: &str, window: &str| {
        let text = format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.r7z2]\n{shared}\n\
             available = [{{ from = \"2026-12-01\", to = \"2028-12-01\"{window} }}]\n\
             [[jobs]]\nmodel = \"gpt-30b\"\n"
        );
        scheduled(&agenda(&text), 1, &Watch::new())
    };
    for (shared, window, narrow) in [
        ("capacity_nodes = 2", ", nodes = 1", Some(1)),
        ("capacity_nodes = 2", ", nodes = 2", Some(2)),
        ("capacity_nodes = 2", "", None),
        ("max_gpus = 16", ", nodes = 1", Some(1)),
        ("max_gpus = 16", "", None),
    ] {
        let refused = of(shared, window);
        let Err(ScheduleError::NoRoom {
            needed,
            free,
            windows,
            set,
            ..
        }) = refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!((free, windows), (2, narrow), "{shared} {window}");
        let key = |line: &str| line.split(' ').next().unwrap().to_owned();
        assert_eq!(key(&set), key(shared));
        let wider = format!(", nodes = {needed}");
        let wider = if narrow.is_some() { &wider } else { window };
        assert!(of(&set, wider).is_ok(), "{set} {wider}");
        assert_eq!(of(&set, window).is_ok(), narrow.is_none(), "{set} {window}");
    }
}

/// Hours late are those that a clock shows between the deadline and the end, whatever the steps.
#[test]
fn jobs_are_as_late_as_clocks_show() {
    let text = "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n\
                minimise = \"lateness\"\n[schedule.clusters.r7z2]\ncapacity_nodes = 1\n\
                [[jobs]]\nname = \"one\"\nmodel = \"gpt-1b\"\ntokens = \"9T\"\npriority = 3\n\
                deadline = \"2028-12-01T10:31Z\"\n\
                [[jobs]]\nname = \"two\"\nmodel = \"gpt-1b\"\ntokens = \"8T\"\n\
                deadline = \"2027-12-01T11:17Z\"\n";
    let schedule = scheduled(&agenda(text), 1, &Watch::new()).unwrap();
    // Steps so long that both deadlines lie between two of them.
    assert!(schedule.step_minutes >= 5, "{}", schedule.step_minutes);
    let mut sum = 0.0;
    for job in &schedule.jobs {
        let seconds = job.end.seconds_after(job.deadline.unwrap()).max(0);
        assert!(seconds > 0, "{job:?}");
        let late_h = seconds as f64 / 3600.0;
        assert!((job.late_h.unwrap() - late_h).abs() < 1e-9, "{job:?}");
        sum += late_h * job.priority as f64;
    }
    let objective = schedule.objective;
    assert!((objective.value - sum).abs() < 1e-6 && (schedule.lateness_h - sum).abs() < 1e-6);
    assert!(objective.bound <= objective.value && objective.bound > 0.9 * objective.value);
}

/// A schedule says of prices what a plan says of them, counted from when the calendar starts.
#[test]
fn a_schedule_says_how_old_its_prices_are() {
    let notes = |cluster: &str, start: &str, price: &str| {
        let text = format!(
            "clusters = [\"{cluster}\"]\ntokens = \"20x\"\n{price}\n[schedule]\nstart = \"{start}\"\n\
             [[jobs]]\nmodel = \"gpt-125m\"\n[[jobs]]\nmodel = \"gpt-350m\"\n"
        );
        let schedule = scheduled(&agenda(&text), 1, &Watch::new()).unwrap();
        let mut notes = schedule.notes;
        // What the links between nodes leave open is no matter of prices.
        notes.retain(|note| !note.contains("no row of the fit ran across"));
        notes
    };
    // The price is of 2026-01-21.
    assert!(notes("p4d.24xlarge", "2027-01-21", "").is_empty());
    let old = notes("p4d.24xlarge", "2027-01-22", "");
    assert_eq!(old.len(), 1, "{old:?}");
    assert!(old[0].contains("2026-01-21, more than a year before 2027-01-22, the planned start"));
    let spot = notes("a2-highgpu-8g", "2026-12-01", "price_type = \"spot\"");
    assert_eq!(spot.len(), 1, "{spot:?}");
    assert!(spot[0].contains("interruptions are not in the time"));
    assert!(notes("r7z2", "2026-12-01", "usd_per_gpu_hour = 1.9").is_empty());
}

/// On twelve nodes a batch of 768 sequences is shared evenly by all of them, and beside one that others
/// took by five and no more: neither is a power of two.
#[test]
fn all_nodes_that_are_free_are_weighed() {
    let gpus = |of_site: &str, of_job: &str| {
        let text = format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.r7z2]\n{of_site}\n[[jobs]]\n{of_job}\n"
        );
        let schedule = scheduled(&agenda(&text), 1, &Watch::new()).unwrap();
        (schedule.jobs[0].candidate.gpus, schedule.makespan_h)
    };
    let batch = "model = \"gpt-7b\"\nglobal_batch = \"1536Ki\"";
    let named = |gpus: &str| format!("{batch}\nsearch = {{ gpus = \"{gpus}\" }}");
    let (most, hours) = gpus("capacity_nodes = 12", batch);
    assert_eq!(most, 96);
    assert_eq!(
        (most, hours),
        gpus("capacity_nodes = 12", &named("8..96:8"))
    );
    assert!(hours < 0.75 * gpus("capacity_nodes = 12", &named("8..64")).1);
    let booked = "capacity_nodes = 6\n\
                  booked = [{ from = \"2026-12-01\", to = \"2027-12-01\", nodes = 1 }]";
    let small = "model = \"gpt-1b\"\nglobal_batch = \"1280Ki\"";
    assert_eq!(gpus(booked, small).0, 40);
}

/// A job that some window would hold if it could start at once is told what keeps it.
#[test]
fn what_keeps_a_job_from_its_window_is_named() {
    let held = |jobs: &str| {
        let text = format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.r7z2]\ncapacity_nodes = 4\n\
             available = [{{ from = \"2026-12-01\", to = \"2026-12-03\" }}]\n{jobs}"
        );
        match scheduled(&agenda(&text), 1, &Watch::new()) {
            Err(error @ ScheduleError::NoWindow { .. }) => {
                let words = error.to_string();
                let ScheduleError::NoWindow { held, .. } = error else {
                    panic!("{words}");
                };
                (held, words)
            }
            other => panic!("{other:?}"),
        }
    };
    let (earliest, words) =
        held("[[jobs]]\nmodel = \"gpt-125m\"\nearliest = \"2026-12-04T00:00:30Z\"\n");
    let earliest = earliest.unwrap();
    assert_eq!(
        (earliest.hold, earliest.is_enough),
        (Hold::Earliest, true),
        "{words}"
    );
    assert!(words.contains("before 2026-12-04T00:00:30Z"), "{words}");

    let big = "[[jobs]]\nname = \"big\"\nmodel = \"gpt-1b\"\ntokens = \"70B\"\n";
    let small = "[[jobs]]\nname = \"small\"\nmodel = \"gpt-125m\"\ntokens = \"40B\"\n";
    let (waits, words) = held(&format!("{big}{small}after = [\"big\"]\n"));
    let waits = waits.unwrap();
    assert_eq!(
        (waits.hold, waits.is_enough),
        (Hold::After("big".to_owned()), true),
        "{words}"
    );
    // Neither alone is what keeps it: without one, the other still does.
    let both = format!("{big}{small}after = [\"big\"]\nearliest = \"2026-12-02T23:00Z\"\n");
    assert!(!held(&both).0.unwrap().is_enough);
    // What no window would hold is not held up by anything.
    let long = "[[jobs]]\nmodel = \"gpt-7b\"\nearliest = \"2026-12-02\"\n";
    let (long, words) = held(long);
    assert!(
        !long.unwrap().fits_sooner && !words.contains("can't start before"),
        "{words}"
    );
}

/// A job that is late by itself is told why: what it waits for, or its own speed.
#[test]
fn what_makes_a_job_late_by_itself_is_named() {
    let late = |jobs: &str| {
        let text = format!("clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n{jobs}");
        match scheduled(&agenda(&text), 1, &Watch::new()) {
            Err(ScheduleError::Deadlines { late, .. }) => late,
            other => panic!("{other:?}"),
        }
    };
    let small = "[[jobs]]\nname = \"small\"\nmodel = \"gpt-125m\"\n";
    let big = "[[jobs]]\nname = \"big\"\nmodel = \"gpt-7b\"\ntokens = \"134B\"\n";
    let waits = late(&format!(
        "{big}{small}after = [\"big\"]\ndeadline = \"2d\"\n"
    ));
    assert_eq!(waits[0].hold, Some(Hold::After("big".to_owned())));
    let waits = late(&format!(
        "{small}earliest = \"2026-12-02T23:50Z\"\ndeadline = \"2d\"\n"
    ));
    assert_eq!(waits[0].hold, Some(Hold::Earliest));
    let slow = late(&format!(
        "{small}earliest = \"2026-12-01T00:01Z\"\ndeadline = \"5m\"\n"
    ));
    assert_eq!((slow[0].alone, &slow[0].hold), (true, &None));
}

/// Numbers of nodes that share no batch evenly are ways to run as well, without being asked for.
#[test]
fn every_small_number_of_nodes_is_a_way_to_run() {
    let text = |search: &str| {
        format!(
            "clusters = [\"r1z1\"]\ntokens = \"20x\"\n{search}[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.r1z1]\ncapacity_nodes = 11\n\
             [[jobs]]\nname = \"a\"\nmodel = \"gpt-3b\"\n[[jobs]]\nname = \"b\"\nmodel = \"gpt-1b\"\n\
             [[jobs]]\nname = \"c\"\nmodel = \"gpt-760m\"\n"
        )
    };
    let makespan = |search: &str| {
        let agenda = agenda(&text(search));
        scheduled(&agenda, 1, &Watch::new()).unwrap().objective
    };
    let (open, every) = (makespan(""), makespan("[search]\ngpus = \"8..88:8\"\n"));
    assert!(open.proven && every.proven);
    assert_eq!(open.value.to_bits(), every.value.to_bits());
}

/// A job that failures or checkpoints leave no time to train says so on the calendar as it does
/// alone.
#[test]
fn a_job_that_is_held_up_says_by_what() {
    let told = |reliability: &str, what: &str| {
        let text = format!(
            "clusters = [\"r7z2\"]\n[reliability]\n{reliability}\n[schedule]\nstart = \"2026-12-01\"\n\
             [[jobs]]\nname = \"a\"\nmodel = \"gpt-1b\"\ntokens = \"200B\"\n[jobs.search]\ngpus = 64\n"
        );
        let schedule = scheduled(&agenda(&text), 1, &Watch::new()).unwrap();
        let mut notes = schedule.notes.iter();
        notes.any(|note| note.starts_with(&format!("a: {what}")))
    };
    let failing = |rate: u64| {
        let rare = "checkpoint_interval = \"90d\"";
        let text = format!("failures_per_1000_node_days = {rate}\n{rare}");
        told(&text, "failures come so fast")
    };
    assert!(failing(1000) && !failing(1));
    let writing = "write_gb_per_s_node = 0.001\ncheckpoint_interval = \"1s\"";
    assert!(told(writing, "checkpoints take so long to write"));
}
