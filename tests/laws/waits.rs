//! How surely jobs are done in time that wait for others, against runs that are drawn.

use tminus::calendar::Moment;
use tminus::job::Agenda;
use tminus::plan::Planner;
use tminus::schedule::Schedule;
use tminus::search::Watch;

use super::FIT;
use super::calendar::{agenda, scheduled};
use crate::dice::Dice;

const QUANTILES: usize = 2_000;
const RUNS: usize = 100_000;

/// The shares of runs in which each job is done by its end and by its deadline: every job starts as
/// the calendar says or once those before it are done, and takes one of its own equally likely
/// durations.
fn drawn(schedule: &Schedule, agenda: &Agenda) -> Vec<(f64, Option<f64>)> {
    let planner = Planner::new(&FIT);
    let jobs = || schedule.jobs.iter().zip(&agenda.jobs);
    let durations: Vec<Vec<f64>> = jobs()
        .map(|(job, of)| {
            let finish = planner.finish(&of.request, &job.candidate).unwrap();
            let at = |place: usize| (place as f64 + 0.5) / QUANTILES as f64;
            (0..QUANTILES)
                .map(|place| finish.hours_at(at(place)))
                .collect()
        })
        .collect();
    let hours = |moment: Moment| moment.hours_after(schedule.start);
    let mut dice = Dice(7);
    let mut done = vec![(0.0, 0.0); schedule.jobs.len()];
    for _ in 0..RUNS {
        let mut ends: Vec<f64> = Vec::new();
        for (place, (job, of)) in jobs().enumerate() {
            // The files below name what a job waits for before it.
            let ready = of.after.iter().map(|before| ends[*before]);
            let start = ready.fold(hours(job.start), f64::max);
            let end = start + durations[place][any_of_them(&mut dice)];
            let counts = |by: Moment| f64::from(u8::from(end <= hours(by)));
            done[place].0 += counts(job.end);
            done[place].1 += job.deadline.map_or(0.0, counts);
            ends.push(end);
        }
    }
    let share = |count: f64| count / RUNS as f64;
    let shares = done.into_iter().zip(&schedule.jobs);
    shares
        .map(|((end, due), job)| (share(end), job.deadline.map(|_| share(due))))
        .collect()
}

fn any_of_them(dice: &mut Dice) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to less than the quantiles there are"
    )]
    let place = (dice.uniform() * QUANTILES as f64) as usize;
    place.min(QUANTILES - 1)
}

fn of(jobs: &str) -> (Schedule, Agenda) {
    let agenda = agenda(&format!(
        "clusters = [\"r7z2\"]\ntokens = \"20x\"\n[schedule]\nstart = \"2026-12-01T09:00Z\"\n{jobs}"
    ));
    let schedule = scheduled(&agenda, 2, &Watch::new()).unwrap();
    (schedule, agenda)
}

/// A job that waits is done no more surely than what it waits for lets it be.
#[test]
fn a_job_is_as_sure_as_those_it_waits_for() {
    let chain = "[[jobs]]\nmodel = \"gpt-7b\"\n\
                 [[jobs]]\nmodel = \"gpt-350m\"\nafter = \"gpt-7b\"\n\
                 [[jobs]]\nmodel = \"gpt-1b\"\nafter = \"gpt-350m\"\n";
    let fork = "[[jobs]]\nmodel = \"gpt-1b\"\n[[jobs]]\nmodel = \"gpt-3b\"\n\
                [[jobs]]\nmodel = \"gpt-760m\"\nafter = [\"gpt-1b\", \"gpt-3b\"]\n";
    for jobs in [chain, fork] {
        let (free, mut agenda) = of(jobs);
        for (job, planned) in agenda.jobs.iter_mut().zip(&free.jobs) {
            let waits = !job.after.is_empty();
            job.deadline = planned.end.plus_seconds(3600).filter(|_| waits);
        }
        let schedule = scheduled(&agenda, 2, &Watch::new()).unwrap();
        for (job, (by_end, by_deadline)) in schedule.jobs.iter().zip(drawn(&schedule, &agenda)) {
            let apart = |told: f64, drawn: f64| (told - drawn).abs();
            let name = &job.name;
            assert!(
                apart(job.done_by_end, by_end) < 0.005,
                "{name} by its end: {} told, {by_end} drawn",
                job.done_by_end
            );
            if let (Some(told), Some(drawn)) = (job.done_by_deadline, by_deadline) {
                assert!(
                    apart(told, drawn) < 0.005,
                    "{name}: {told} told, {drawn} drawn"
                );
                assert!(
                    (0.05..0.95).contains(&drawn),
                    "{name}: {drawn} tells little"
                );
            }
        }
    }
}

/// What closes on a job at its end cuts it off as often as it runs over.
#[test]
fn a_job_that_outlasts_its_nodes_is_told_of() {
    let windows = |windows: &str| {
        let (schedule, _) = of(&format!(
            "[schedule.clusters.r7z2]\ncapacity_nodes = 2\n{windows}\n[[jobs]]\nmodel = \"gpt-1b\"\n"
        ));
        schedule.jobs[0].clone()
    };
    let free = windows("");
    assert_eq!((free.nodes_until, free.done_by_nodes_until), (None, None));
    let end = free.end;
    for (closes, nodes) in [
        (
            format!("available = [{{ from = \"2026-12-01\", to = \"{end}\" }}]"),
            end,
        ),
        (
            format!("booked = [{{ from = \"{end}\", to = \"2027-12-01\", nodes = 1 }}]"),
            end,
        ),
    ] {
        let job = windows(&closes);
        assert_eq!(job.nodes_until, Some(nodes), "{closes}");
        assert_eq!(job.done_by_nodes_until, Some(job.done_by_end));
    }
    let later = windows("available = [{ from = \"2026-12-01\", to = \"2026-12-04\" }]");
    assert!(later.done_by_nodes_until > Some(0.9), "{later:?}");
}

/// What is cut off when its nodes are gone is not done by any later deadline, and nothing that waits for
/// it is, be that planned for long after.
#[test]
fn a_job_that_is_cut_off_is_never_done() {
    let jobs = "[[jobs]]\nmodel = \"gpt-1b\"\ndeadline = \"2026-12-04\"\n[jobs.search]\ngpus = [16]\n\
                [[jobs]]\nmodel = \"gpt-350m\"\nafter = \"gpt-1b\"\ndeadline = \"2026-12-08\"\n\
                [jobs.search]\ngpus = [8]\n";
    let (schedule, _) = of(&format!(
        "minimise = \"cost\"\n[schedule.clusters.r7z2]\ncapacity_nodes = 2\n\
         available = [{{ from = \"2026-12-01\", to = \"2026-12-02T18:30Z\" }},\n\
         {{ from = \"2026-12-05\", to = \"2026-12-08\" }}]\n{jobs}"
    ));
    let [first, next] = schedule.jobs.as_slice() else {
        panic!("{schedule:?}");
    };
    let sure = first.done_by_nodes_until.unwrap();
    assert!((0.3..0.9).contains(&sure), "{sure} tells little");
    assert_eq!(first.done_by_deadline, Some(sure));
    assert!(first.done_by_end <= sure);
    // By itself the next is as good as certain.
    let by_deadline = next.done_by_deadline.unwrap();
    assert!((by_deadline - sure).abs() < 1e-3, "{by_deadline} {sure}");
    assert!(next.done_by_end <= sure, "{next:?}");
    // Deadlines before the nodes are gone are met as surely as ever.
    let sooner = jobs.replace("2026-12-04", "2026-12-02T18:29Z");
    let (free, _) = of(&format!(
        "{sooner}[schedule.clusters.r7z2]\ncapacity_nodes = 2\n"
    ));
    let (closing, _) = of(&format!(
        "{sooner}[schedule.clusters.r7z2]\ncapacity_nodes = 2\n\
         available = [{{ from = \"2026-12-01\", to = \"2026-12-08\" }}]\n"
    ));
    assert_eq!(
        free.jobs[0].done_by_deadline,
        closing.jobs[0].done_by_deadline
    );
}
