//! What the steps of the calendar must not change: windows, deadlines, choices and probabilities.

use tminus::schedule::Schedule;
use tminus::search::Watch;

use super::calendar::{agenda, scheduled};

/// A schedule of jobs on a calendar.
fn told(calendar: &str, jobs: &str) -> Schedule {
    let agenda = agenda(&format!(
        "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2026-12-01T13:47:11Z\"\n{calendar}\n{jobs}"
    ));
    scheduled(&agenda, 2, &Watch::new()).unwrap()
}

/// Wherever windows meet, also between two steps of the calendar: nothing lies between them.
#[test]
fn windows_that_meet_are_as_one() {
    let jobs = "[[jobs]]\nmodel = \"gpt-7b\"\ntokens = \"80x\"\n";
    for (cut, whole) in [
        (
            "available = [{ from = \"2026-12-01\", to = \"2026-12-10T00:00:01Z\", nodes = 16 },\n\
             { from = \"2026-12-10T00:00:01Z\", to = \"2026-12-31\", nodes = 16 }]",
            "available = [{ from = \"2026-12-01\", to = \"2026-12-31\", nodes = 16 }]",
        ),
        (
            "booked = [{ from = \"2026-12-01\", to = \"2026-12-10T00:00:01Z\", nodes = 8 },\n\
             { from = \"2026-12-10T00:00:01Z\", to = \"2027-02-01\", nodes = 8 }]",
            "booked = [{ from = \"2026-12-01\", to = \"2027-02-01\", nodes = 8 }]",
        ),
    ] {
        let of = |windows: &str| {
            let calendar = format!("[schedule.clusters.r7z2]\ncapacity_nodes = 16\n{windows}");
            told(&calendar, jobs)
        };
        let (cut, whole) = (of(cut), of(whole));
        let apart = cut.makespan_h - whole.makespan_h;
        assert!(apart.abs() < 1e-9, "{apart}");
        assert!(cut.objective.proven && whole.objective.proven);
    }
}

/// Deadlines between two steps are in the way of no proof, kept or missed: a job that is late is so from
/// the very second.
#[test]
fn deadlines_between_steps_are_proven_too() {
    let jobs = |dues: [&str; 3]| {
        let [a, b, c] = dues;
        format!(
            "[[jobs]]\nname = \"a\"\nmodel = \"gpt-760m\"\npriority = 1000\ndeadline = \"{a}\"\n\
             [[jobs]]\nname = \"b\"\nmodel = \"gpt-760m\"\npriority = 3\ndeadline = \"{b}\"\n\
             [[jobs]]\nname = \"c\"\nmodel = \"gpt-350m\"\ndeadline = \"{c}\"\n"
        )
    };
    let of = |dues| {
        let calendar = "minimise = \"lateness\"\n[schedule.clusters.r7z2]\ncapacity_nodes = 2";
        let schedule = told(calendar, &jobs(dues));
        assert!(schedule.objective.proven, "{:?}", schedule.objective);
        schedule
    };
    let even = of(["58h", "12h", "14h"]);
    let kept = of(["2026-12-03T23:59:59Z", "12h", "14h"]);
    // Seven and eleven seconds later.
    let missed = of(["58h", "2026-12-02T01:47:18Z", "2026-12-02T03:47:22Z"]);
    let late = |job: usize| f64::from(u8::from(even.jobs[job].late_h > Some(0.01)));
    let earlier = (3.0 * 7.0 * late(1) + 11.0 * late(2)) / 3600.0;
    assert!(earlier > 0.0);
    for (schedule, earlier) in [(kept, 0.0), (missed, earlier)] {
        let apart = even.objective.value - schedule.objective.value;
        assert!((apart - earlier).abs() < 1e-9, "{apart} {earlier}");
    }
}

/// A job of months beside it makes no short job late: its deadline is kept to the minute with or without.
#[test]
fn a_long_job_coarsens_no_step_of_a_short_one() {
    let small = |due: &str| {
        format!("[[jobs]]\nname = \"small\"\nmodel = \"gpt-350m\"\ndeadline = \"{due}\"\n")
    };
    let huge = "[[jobs]]\nname = \"huge\"\nmodel = \"gpt-13b\"\ntokens = \"20x\"\n";
    let calendar = "[schedule.clusters.r7z2]\ncapacity_nodes = 2";
    let alone = told(calendar, &small("30d"));
    let due = alone.jobs[0].end.to_string();
    for jobs in [small(&due), format!("{}{huge}", small(&due))] {
        let kept = told(calendar, &jobs);
        assert!(kept.jobs[0].end <= alone.jobs[0].end, "{:?}", kept.jobs[0]);
        assert_eq!(kept.jobs[0].late_h, Some(0.0));
    }
}

/// Jobs that are as little late and done as soon are run the cheapest way there is.
#[test]
fn what_is_as_little_late_and_ends_as_soon_costs_least() {
    let of = |minimise: &str| {
        told(
            &format!("minimise = \"{minimise}\"\n[schedule.clusters.r7z2]\ncapacity_nodes = 16"),
            "[[jobs]]\nname = \"long\"\nmodel = \"gpt-7b\"\ntokens = \"1x\"\ndeadline = \"60d\"\n\
             search = { gpus = \"32\" }\n\
             [[jobs]]\nname = \"short\"\nmodel = \"gpt-350m\"\ndeadline = \"60d\"\n",
        )
    };
    let (late, cost) = (of("lateness"), of("cost"));
    assert!(late.lateness_h < 1e-9);
    // Whatever the short one runs on, the long one is done after it; steps differ by minutes.
    assert!(
        (late.makespan_h - cost.makespan_h).abs() < 0.1,
        "{late:?} {cost:?}"
    );
    assert_eq!(late.jobs[1].candidate.gpus, cost.jobs[1].candidate.gpus);
    assert_eq!(late.cost_usd, cost.cost_usd);
}

/// More GPU counts to choose from, however many, lead to no worse an answer.
#[test]
fn a_wider_range_of_gpus_is_no_worse() {
    let of = |gpus: &str| {
        let agenda = agenda(&format!(
            "clusters = [\"a2-highgpu-8g\"]\n[schedule]\nstart = \"2026-12-01\"\n\
             [schedule.clusters.a2-highgpu-8g]\ncapacity_nodes = 20\n\
             [[jobs]]\nmodel = \"gpt-1b\"\ntokens = \"200x\"\nsearch = {{ gpus = \"{gpus}\" }}\n"
        ));
        scheduled(&agenda, 2, &Watch::new()).unwrap().makespan_h
    };
    assert!(of("8..640:8") <= of("8..512:8"));
}

/// What is booked is kept with the probability asked for, near one half and near the ends too; the
/// surer, the longer.
#[test]
fn durations_are_kept_as_surely_as_asked() {
    let mut shorter = [0.0; 2];
    for probability in [0.0005, 0.3, 0.496, 0.5, 0.505, 0.9, 0.9995] {
        let schedule = told(
            &format!("probability = {probability}\n[schedule.clusters.r7z2]\ncapacity_nodes = 8"),
            "[[jobs]]\nmodel = \"gpt-7b\"\n[[jobs]]\nmodel = \"gpt-1b\"\n",
        );
        for (job, shorter) in schedule.jobs.iter().zip(&mut shorter) {
            assert!(
                job.done_by_end > probability - 1e-6,
                "{probability}: {job:?}"
            );
            assert!(job.hours > *shorter, "{probability}: {job:?}");
            *shorter = job.hours;
        }
    }
}
