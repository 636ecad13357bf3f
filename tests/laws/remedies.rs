//! What is advised where there is no schedule: it helps as it stands.

use tminus::calendar::{Moment, Span};
use tminus::job::{Agenda, JobFile, Request, resolve, resolve_ladder};
use tminus::plan::{PlanError, plan};
use tminus::schedule::{Hold, Longer, ScheduleError};
use tminus::search::Watch;

use super::calendar::{agenda, scheduled};
use super::{CATALOG, FIT};

/// Deadlines moved by what each is missed by are met, also where jobs that are late by themselves are in
/// each other's way too.
#[test]
fn deadlines_moved_by_what_they_are_missed_by_are_met() {
    let mut agenda = agenda(
        "clusters = [\"r7z2\"]\ntokens = \"20x\"\n[reliability]\nspares = 1\n\
         [schedule]\nstart = \"2027-12-31T12:00Z\"\n\
         [schedule.clusters.r7z2]\ncapacity_nodes = 3\n\
         [[jobs]]\nname = \"j0\"\nmodel = \"gpt-760m\"\ndeadline = \"2028-01-01T00:12Z\"\n\
         [[jobs]]\nname = \"j1\"\nmodel = \"gpt-760m\"\ndeadline = \"2028-01-01T04:26Z\"\n\
         [[jobs]]\nname = \"j2\"\nmodel = \"gpt-350m\"\nearliest = \"2027-12-31T12:58Z\"\n\
         deadline = \"2027-12-31T20:10Z\"\n\
         [[jobs]]\nname = \"j3\"\nmodel = \"gpt-350m\"\ndeadline = \"2028-01-01T05:45Z\"\n",
    );
    let refused = scheduled(&agenda, 1, &Watch::new());
    let Err(ScheduleError::Deadlines { late, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(late.len() > 1, "{late:?}");
    for missed in &late {
        let mut jobs = agenda.jobs.iter_mut();
        let job = jobs.find(|job| job.name == missed.job).unwrap();
        let by = Span::from_hours_up(missed.hours - 1e-9).unwrap();
        job.deadline = missed.deadline.plus(by);
    }
    assert!(scheduled(&agenda, 1, &Watch::new()).is_ok());
}

fn longer(agenda: &Agenda) -> Longer {
    match scheduled(agenda, 1, &Watch::new()) {
        Err(ScheduleError::NoSchedule { longer, .. }) => longer.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Two jobs that no window holds fit once the last one is as much longer as is said, and not with a minute
/// less.
#[test]
fn a_window_as_much_longer_as_said_holds_all_jobs() {
    let of = |windows: &str| {
        agenda(&format!(
            "clusters = [\"r7z2\"]\ntokens = \"20x\"\n[schedule]\nstart = \"2027-12-31T12:00Z\"\n\
             [schedule.clusters.r7z2]\n{windows}\n\
             [[jobs]]\nmodel = \"gpt-760m\"\n[[jobs]]\nname = \"other\"\nmodel = \"gpt-760m\"\n"
        ))
    };
    for windows in [
        "capacity_nodes = 2\navailable = [{ from = \"2028-01-01\", to = \"2028-01-02\" }]",
        "capacity_nodes = 1\n\
         available = [{ from = \"2028-01-01\", to = \"2028-01-02T04:20Z\" },\n\
         { from = \"2028-01-02T04:20Z\", to = \"2028-01-03T11:36Z\" }]\n\
         booked = [{ from = \"2028-01-01T09:49Z\", to = \"2028-01-01T19:28Z\", nodes = 1 }]",
    ] {
        let tight = of(windows);
        let told = longer(&tight);
        let until = |end| {
            let mut agenda = tight.clone();
            agenda.sites[0]
                .available
                .as_mut()
                .unwrap()
                .last_mut()
                .unwrap()
                .to = end;
            scheduled(&agenda, 1, &Watch::new())
        };
        assert!(until(told.until).is_ok(), "{told:?}");
        let sooner = told.until.plus_seconds(-60).unwrap();
        assert!(sooner > told.to && until(sooner).is_err(), "{told:?}");
    }
}

/// The same where jobs of another cluster end later than those that the longer window has to hold.
#[test]
fn no_less_than_the_lengthening_said_is_enough() {
    let tight = agenda(
        "clusters = [\"r7z2\", \"r1z1\"]\n[schedule]\nstart = \"2026-12-01\"\n\
         [schedule.clusters.r7z2]\ncapacity_nodes = 1\n\
         available = [{ from = \"2026-12-01\", to = \"2026-12-03\" }]\n\
         [schedule.clusters.r1z1]\ncapacity_nodes = 1\n\
         available = [{ from = \"2026-12-01\", to = \"2026-12-02\" }]\n\
         [[jobs]]\nmodel = \"gpt-760m\"\ntokens = \"22B\"\n\
         [[jobs]]\nmodel = \"gpt-1b\"\ntokens = \"14B\"\n",
    );
    let told = longer(&tight);
    let with = |cluster: &str, later_s: i64| {
        let mut agenda = tight.clone();
        let mut sites = agenda.sites.iter_mut();
        let site = sites.find(|site| site.cluster.name == cluster).unwrap();
        let last = site.available.as_mut().unwrap().last_mut().unwrap();
        last.to = last.to.plus_seconds(later_s).unwrap();
        scheduled(&agenda, 1, &Watch::new()).is_ok()
    };
    let by = told.until.seconds_after(told.to);
    assert!(with(&told.cluster, by), "{told:?}");
    for cluster in ["r7z2", "r1z1"] {
        assert!(!with(cluster, by - 60), "{cluster} {told:?}");
    }
}

/// A job that is late for what it waits for is told so, with how late it would be without.
#[test]
fn the_job_that_keeps_another_late_is_named() {
    let of = |deadline: &str| {
        let agenda = agenda(&format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.r7z2]\ncapacity_nodes = 4\n\
             [[jobs]]\nmodel = \"gpt-1b\"\n\
             [[jobs]]\nmodel = \"gpt-760m\"\nafter = \"gpt-1b\"\ndeadline = \"{deadline}\"\n"
        ));
        let refused = scheduled(&agenda, 1, &Watch::new()).unwrap_err();
        let ScheduleError::Deadlines { late, .. } = &refused else {
            panic!("{refused:?}");
        };
        assert_eq!(late[0].hold, Some(Hold::After("gpt-1b".to_owned())));
        (late[0].clone(), refused.to_string())
    };
    let (late, words) = of("6h");
    assert!(
        0.0 < late.unheld_h && late.unheld_h < late.hours,
        "{late:?}"
    );
    assert!(
        words.contains("even if `gpt-1b` before it") && words.contains("if it waited for nothing"),
        "{words}"
    );
    let (in_time, words) = of("12h");
    assert!(in_time.unheld_h <= 0.0, "{in_time:?}");
    assert!(!words.contains("if it waited for nothing"), "{words}");
}

/// A window that would hold a job is told with when it may begin, also where none there is would.
#[test]
fn a_window_that_holds_a_job_begins_when_it_can_start() {
    for to in ["2026-12-01T05:00Z", "2026-12-01T07:00Z"] {
        let agenda = agenda(&format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.r7z2]\ncapacity_nodes = 1\n\
             available = [{{ from = \"0d\", to = \"{to}\" }}]\n\
             [[jobs]]\nmodel = \"gpt-350m\"\nearliest = \"1d\"\n"
        ));
        let refused = scheduled(&agenda, 1, &Watch::new());
        let Err(ScheduleError::NoWindow {
            held: Some(held), ..
        }) = refused
        else {
            panic!("{refused:?}");
        };
        let start: Moment = "2026-12-02".parse().unwrap();
        assert_eq!((held.until, held.hold), (start, Hold::Earliest), "{to}");
        assert_eq!(held.fits_sooner, to.contains("T07"));
    }
}

/// The window that would hold a job does so wherever it stands, be it between two steps.
#[test]
fn a_window_as_long_as_advised_holds_a_job_from_any_second_on() {
    let of = |from: u32, to: &str| {
        let agenda = agenda(&format!(
            "clusters = [\"r7z2\"]\ntokens = \"2B\"\n[schedule]\nstart = \"2026-12-01T00:00:30Z\"\n\
             [schedule.clusters.r7z2]\ncapacity_nodes = 1\n\
             available = [{{ from = \"2026-12-01T00:01:{from:02}Z\", to = \"{to}\" }}]\n\
             [[jobs]]\nmodel = \"gpt-125m\"\n"
        ));
        scheduled(&agenda, 1, &Watch::new())
    };
    let refused = of(0, "2026-12-01T00:30:29Z");
    let Err(ScheduleError::NoWindow { window_h, .. }) = refused else {
        panic!("{refused:?}");
    };
    let span = Span::from_hours_up(window_h - 1e-9).unwrap();
    for from in [0, 29, 31, 59] {
        let start: Moment = format!("2026-12-01T00:01:{from:02}Z").parse().unwrap();
        let end = start.plus(span).unwrap();
        assert!(of(from, &end.to_string()).is_ok(), "{from} {span}");
    }
}

/// Windows that overlap, read as they are advised to be written: all nodes are taken where both say so.
#[test]
fn windows_that_overlap_are_read_as_advised() {
    let read = |booked: &str| {
        let text = format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01\"\n[schedule.clusters.r7z2]\n\
             booked = [{booked}]\n[[jobs]]\nmodel = \"gpt-1b\"\n"
        );
        let file = JobFile::parse("ladder.toml", &text).unwrap();
        resolve_ladder(file.ladder.unwrap(), &file.settings, &CATALOG)
    };
    for (one, next, nodes) in [
        (
            "12-01\", to = \"2026-12-05\"",
            "12-04\", to = \"2026-12-06\"",
            vec![16],
        ),
        (
            "12-01\", to = \"2026-12-09\", nodes = 9",
            "12-04\", to = \"2026-12-06\", nodes = 9",
            vec![9, 16, 9],
        ),
        (
            "12-01\", to = \"2026-12-05\", nodes = 4",
            "12-01\", to = \"2026-12-06\", nodes = 8",
            vec![12, 8],
        ),
    ] {
        let window = |rest: &str| format!("{{ from = \"2026-{rest} }}");
        let refused = read(&format!("{}, {}", window(one), window(next))).unwrap_err();
        let (_, advised) = refused.help[0].split_once("there are: ").unwrap();
        let booked = &read(advised).unwrap().sites[0].booked;
        assert!(
            booked.iter().map(|window| window.nodes).eq(nodes),
            "{booked:?}"
        );
    }
}

/// Where nobody named a stack, the one of today's software is told of if the job runs under it, first where
/// it runs as asked; and it does run under it.
#[test]
fn a_stack_under_which_the_job_fits_is_named() {
    let request = |text: &str| -> Request {
        let file = JobFile::parse("job.toml", text).unwrap();
        resolve(file.settings, &CATALOG).unwrap()
    };
    let refused = |text: &str| {
        let Err(PlanError::NothingFeasible { remedies, .. }) = plan(&request(text), &FIT) else {
            panic!("{text} can be launched");
        };
        let changes = remedies.into_iter().map(|remedy| remedy.change);
        changes.collect::<Vec<String>>()
    };
    let named = |change: &String| change.contains("`--stack bf16-gather`");
    let with_stack = |text: &str| format!("stack = \"bf16-gather\"\n{text}");

    let as_asked =
        "model = \"llama-3-70b\"\ncluster = \"h100-cluster\"\nsearch = { gpus = \"32\" }\n";
    let changes = refused(as_asked);
    assert!(named(&changes[0]) && changes.len() > 1, "{changes:?}");
    assert!(plan(&request(&with_stack(as_asked)), &FIT).is_ok());

    // No number of these GPUs is enough for the other stack.
    let all = "model = \"llama-3.1-405b\"\ncluster = \"h200-cluster\"\n";
    let changes = refused(all);
    assert!(named(&changes[0]), "{changes:?}");
    assert!(plan(&request(&with_stack(all)), &FIT).is_ok());

    // Fewer than either needs: with so many of them.
    let few = "model = \"llama-3-70b\"\ncluster = \"h100-cluster\"\nsearch = { gpus = \"8\" }\n";
    let changes = refused(few);
    let other = changes.iter().find(|change| named(change)).unwrap();
    let (_, gpus) = other.split_once("`--gpus ").unwrap();
    let gpus = gpus.split_once('`').unwrap().0;
    let enough = with_stack(few).replace("\"8\"", &format!("\"{gpus}\""));
    assert!(plan(&request(&enough), &FIT).is_ok(), "{changes:?}");

    // Whoever named a stack is told of no other, and A100s are what the tables were measured on.
    let measured = as_asked.replace("h100-cluster", "r1z1");
    for text in [format!("stack = \"fp32-gather\"\n{as_asked}"), measured] {
        assert!(!refused(&text).iter().any(named), "{text}");
    }
}
