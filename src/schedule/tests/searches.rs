//! The searches behind the solver, each by itself: they answer alike, and as trying everything does.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::alike::{caps, few_kinds};
use super::{problem, tried};
use crate::schedule::bound;
use crate::schedule::bound::late::{self, Waiting};
use crate::schedule::bound::market::Market;
use crate::schedule::due::Due;
use crate::schedule::problem::{Aim, Caps, END_OF_TIME, Free, Mode, Piece, Placed, Problem, Task};
use crate::schedule::room::Room;
use crate::schedule::solve::exact;
use crate::schedule::solve::question::{Answer, Effort};
use crate::schedule::solve::tree::{self, Figure, Outcome};
use crate::schedule::solve::{list, starts, ways};
use crate::search::Watch;

/// Whether `caps` are kept, by what the problem itself says of a schedule.
fn keeps(problem: &Problem, caps: Caps, placed: &[Placed]) -> bool {
    let ends = placed.iter().enumerate();
    let mut ends = ends.map(|(job, placed)| problem.end(job, *placed));
    let worth = problem.worth(placed);
    problem.flaw(placed).is_none()
        && worth.missed == 0
        && ends.all(|end| end <= caps.end)
        && (problem.aim != Aim::Cost || caps.cost.is_none_or(|most| worth.first <= most))
        && caps.late.is_none_or(|most| worth.first <= most)
}

/// Jobs of two kinds that differ by a little, some alike, some due or after others, on one or two
/// sites with or without a window.
fn nearly_alike() -> impl Strategy<Value = Problem> {
    let kind = (70..=140_i64, 0..=20_i64, prop::option::of(2..=9_i64));
    let more = prop::collection::vec((0..=3_i64, 0..=3_i64), 8);
    let site = (2..=4_i64, prop::option::of((5..=40_i64, 0..=2_i64)));
    let aim = prop::sample::select(vec![Aim::Makespan, Aim::Cost, Aim::Lateness]);
    let kinds = prop::collection::vec(kind, 2);
    let jobs = prop::collection::vec((any::<bool>(), more), 5..=6);
    let sites = prop::collection::vec(site, 1..=2);
    (kinds, jobs, sites, aim, any::<bool>()).prop_map(|(kinds, jobs, sites, aim, waits)| {
        let all: i64 = kinds.iter().map(|(work, ..)| work).sum();
        let tasks = jobs.iter().map(|(small, more)| {
            let (work, release, due) = kinds[usize::from(*small)];
            let ways = sites.iter().enumerate();
            let ways =
                ways.flat_map(|(site, (nodes, _))| (1..=*nodes).map(move |nodes| (site, nodes)));
            let modes = ways.zip(more).map(|((site, nodes), (steps, cost))| Mode {
                site,
                nodes,
                steps: (work * (10 + nodes)) / (11 * nodes) + steps,
                cost: 100 + 2 * nodes + cost,
            });
            Task {
                modes: modes.collect(),
                release,
                due: due.map(|tenths| Due::new(10 * release + all * tenths, 10, 1)),
                after: vec![],
            }
        });
        let mut tasks: Vec<Task> = tasks.collect();
        tasks[3].modes = tasks[0].modes.clone();
        if waits {
            tasks[4].after = vec![0, 1];
        }
        let sites = sites.iter().map(|(nodes, window)| {
            let piece = |from, to, nodes| Piece { from, to, nodes };
            let pieces = match window {
                None => vec![piece(0, END_OF_TIME, *nodes)],
                Some((until, fewer)) => vec![
                    piece(0, *until, nodes - fewer),
                    piece(*until, END_OF_TIME, *nodes),
                ],
            };
            Free { pieces }
        });
        Problem {
            tasks,
            sites: sites.collect(),
            aim,
        }
    })
}

/// Jobs on nodes that are free for long, due late if at all: many run some way that leaves no node, or
/// too few, to any other. Some are alike, some wait for others.
fn wide() -> impl Strategy<Value = Problem> {
    let mode = (1..=12_i64, 1..=30_i64, 1..=9_i64);
    let modes = prop::collection::vec(mode, 1..=3);
    let jobs = prop::collection::vec((modes, any::<bool>()), 4..=6);
    let links = prop::collection::vec(any::<prop::sample::Index>(), 0..=5);
    let aim = prop::sample::select(vec![Aim::Makespan, Aim::Cost, Aim::Lateness]);
    let dates = (
        prop::option::of(40..=160_i64),
        prop::option::of(20..=80_i64),
    );
    (2..=8_i64, jobs, links, aim, dates).prop_map(|(nodes, jobs, links, aim, (due, until))| {
        let mut tasks: Vec<Task> = Vec::new();
        for (modes, like_last) in jobs {
            let modes = modes.into_iter().map(|(wide, steps, cost)| Mode {
                site: 0,
                nodes: wide.min(nodes),
                steps,
                cost,
            });
            let last = tasks.last().filter(|_| like_last);
            tasks.push(Task {
                modes: last.map_or_else(|| modes.collect(), |last| last.modes.clone()),
                release: 0,
                due: due
                    .filter(|due| due % 3 == 0 || tasks.len() == 1)
                    .map(|due| Due::new(due, 2, 1)),
                after: vec![],
            });
        }
        for link in links {
            let job = link.index(tasks.len());
            if job > 0 {
                tasks[job].after = vec![link.index(job)];
            }
        }
        let piece = |from, to, nodes| Piece { from, to, nodes };
        let pieces = match until {
            None => vec![piece(0, END_OF_TIME, nodes)],
            Some(until) => vec![
                piece(0, until, nodes),
                piece(until, until + 9, nodes - 1),
                piece(until + 9, END_OF_TIME, nodes),
            ],
        };
        let sites = vec![Free { pieces }];
        Problem { tasks, sites, aim }
    })
}

pub(super) fn asked<T>(ask: impl FnOnce(&mut Effort<'_>) -> T) -> T {
    let watch = Watch::new();
    ask(&mut Effort {
        spent: 0,
        allowed: 50_000_000,
        watch: &watch,
    })
}

/// What each search answers, of those that can be asked; the tree first.
fn answers(problem: &Problem, caps: Caps) -> Vec<(&'static str, Answer)> {
    let answer = |outcome: Outcome| outcome.answer();
    let market = market(problem);
    let market = market.as_ref();
    let starts = (problem.aim == Aim::Makespan).then(|| {
        let starts = asked(|effort| answer(starts::ask(problem, caps, effort)));
        ("starts", starts)
    });
    let others = [
        (
            "tree",
            asked(|effort| answer(tree::ask(problem, caps, None, None, effort))),
        ),
        (
            "ways",
            asked(|effort| answer(ways::ask(problem, caps, effort))),
        ),
        (
            "lanes",
            asked(|effort| answer(ways::ask_by_lanes(problem, caps, effort))),
        ),
        (
            "solver",
            asked(|effort| exact::ask(problem, caps, None, effort)),
        ),
        (
            "tree at prices",
            asked(|effort| answer(tree::ask(problem, caps, None, market, effort))),
        ),
        (
            "solver at prices",
            asked(|effort| exact::ask(problem, caps, market, effort)),
        ),
    ];
    others.into_iter().chain(starts).collect()
}

/// What nodes cost where jobs are late in a list schedule.
pub(super) fn market(problem: &Problem) -> Option<Market> {
    let listed = list::best(problem, &Watch::new())?;
    let worth = problem.worth(&listed);
    let late = problem.aim == Aim::Lateness && worth.first > 0;
    late.then(|| Market::new(problem, worth)).flatten()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    /// Just as good as the best of all schedules can be found, and nothing better.
    #[test]
    fn each_search_finds_the_best_and_nothing_better(problem in problem(3)) {
        let Some(best) = tried(&problem, problem.horizon()) else {
            let open = caps(&problem, problem.horizon() * 100);
            for (search, answer) in answers(&problem, Caps { end: problem.horizon(), ..open }) {
                prop_assert_eq!(answer, Answer::Impossible, "{}", search);
            }
            return Ok(());
        };
        let within = caps(&problem, best.first);
        for (search, answer) in answers(&problem, within) {
            let Answer::Found(placed) = answer else {
                return Err(TestCaseError::fail(format!("{search}: {answer:?}")));
            };
            prop_assert!(keeps(&problem, within, &placed), "{}: {:?}", search, placed);
        }
        // Less than nothing is not asked for.
        if best.first > 0 {
            for (search, answer) in answers(&problem, caps(&problem, best.first - 1)) {
                prop_assert_eq!(answer, Answer::Impossible, "{}", search);
            }
        }
    }

    /// More jobs than can be tried one by one: whatever is asked for, all give the same answer, and
    /// what the tree lowers step by step ends where there is nothing better.
    #[test]
    fn the_searches_agree(problem in problem(7), share in 0.0..=1.0_f64) {
        agree(&problem, share)?;
    }

    #[test]
    fn the_searches_agree_on_jobs_that_are_alike(
        problem in few_kinds(3, 5..=8),
        share in 0.0..=1.0_f64,
    ) {
        agree(&problem, share)?;
    }

    #[test]
    fn the_searches_agree_on_jobs_that_run_alone(problem in wide(), share in 0.0..=1.0_f64) {
        agree(&problem, share)?;
    }

    /// No schedule is less late than its jobs are together, on units of as many nodes as any takes: the
    /// solver, which doesn't know of that, finds none.
    #[test]
    fn jobs_are_no_less_late_than_they_are_together(problem in problem(6)) {
        let problem = Problem { aim: Aim::Lateness, ..problem };
        let rooms: Vec<Room> = problem.sites.iter().map(Room::new).collect();
        let ends = bound::earliest_ends(&problem);
        for unit in problem.widths() {
            let jobs = problem.tasks.iter().zip(&ends);
            let jobs = jobs.filter_map(|(task, end)| Waiting::of(task, unit, *end));
            let mut jobs: Vec<Waiting> = jobs.collect();
            let least = late::together(&mut jobs, &late::free(&rooms, unit));
            #[expect(clippy::cast_possible_truncation, reason = "a small number")]
            let less = least.ceil() as i64 - 1;
            if less >= 0 {
                let none = asked(|effort| exact::ask(&problem, caps(&problem, less), None, effort));
                prop_assert_eq!(none, Answer::Impossible, "{} in units of {}", least, unit);
            }
        }
    }

    /// Little effort may leave a question open, but answers no other than all of it does; and it is
    /// the same answer for the same effort on any number of threads.
    #[test]
    fn little_effort_answers_the_same_or_nothing(
        problem in few_kinds(4, 5..=8),
        share in 0.0..=1.0_f64,
        allowed in 1..20_000_u64,
        by_lanes in any::<bool>(),
    ) {
        let Some(caps) = between(&problem, share) else { return Ok(()) };
        let asked_on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let watch = Watch::new();
                let mut effort = Effort { spent: 0, allowed, watch: &watch };
                let ask = if by_lanes { ways::ask_by_lanes } else { ways::ask };
                (ask(&problem, caps, &mut effort), effort.spent)
            })
        };
        let (outcome, spent) = asked_on(1);
        prop_assert_eq!(&(outcome.clone(), spent), &asked_on(3));
        // The last decisions are paid when they have been made.
        prop_assert!(spent <= allowed + 10_000, "{spent} of {allowed}");
        let whole = asked(|effort| ways::ask(&problem, caps, effort));
        match outcome.answer() {
            Answer::Found(placed) => prop_assert!(keeps(&problem, caps, &placed)),
            Answer::Impossible => prop_assert_eq!(whole.answer(), Answer::Impossible),
            Answer::Open => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    /// Jobs that are taken for one another until that is in the way.
    #[test]
    fn the_searches_agree_on_jobs_that_are_nearly_alike(
        problem in nearly_alike(),
        share in 0.0..=1.0_f64,
    ) {
        let Some(within) = between(&problem, share) else { return Ok(()) };
        let answers = answers(&problem, within);
        let tree = &answers[0].1;
        let by_kinds = answers.iter().filter(|(search, _)| ["ways", "lanes", "starts"].contains(search));
        for (search, answer) in by_kinds {
            match (tree, answer) {
                (Answer::Found(_), Answer::Found(placed)) => {
                    prop_assert!(keeps(&problem, within, placed), "{}", search);
                }
                (tree, answer) => prop_assert_eq!(tree, answer, "{}", search),
            }
        }
    }
}

/// One after another on one node, jobs that are all late are so by Smith's rule, to the step; one that
/// can be in time is left out.
#[test]
fn jobs_one_after_another_are_as_late_together_as_by_smiths_rule() {
    let late = |jobs: &[(i64, i64, i64)]| {
        let jobs = jobs.iter().map(|(steps, weight, due)| Waiting {
            due: Due::new(*due, 1, *weight),
            steps: *steps,
            area: *steps,
            alone: (steps - due).max(0) * weight,
        });
        let mut jobs: Vec<Waiting> = jobs.collect();
        late::together(&mut jobs, &[(0, 1)])
    };
    let near = |one: f64, other: f64| (one - other).abs() < 1e-6;
    // Ends at 1, 3 and 6.
    assert!(near(late(&[(3, 1, 0), (1, 1, 0), (2, 1, 0)]), 10.0));
    // Three times as urgent: ends at 3 before 5.
    assert!(near(late(&[(2, 1, 0), (3, 3, 0)]), 14.0));
    assert!(near(late(&[(2, 1, 0), (3, 3, 0), (4, 1, 100)]), 14.0));
}

/// Caps that far between the simplest bound and a list schedule.
fn between(problem: &Problem, share: f64) -> Option<Caps> {
    let listed = list::best(problem, &Watch::new())?;
    let (low, high) = (bound::first(problem), problem.worth(&listed).first);
    #[expect(clippy::cast_possible_truncation, reason = "a small number")]
    let first = low + ((high - low) as f64 * share) as i64;
    Some(caps(problem, first))
}

fn agree(problem: &Problem, share: f64) -> Result<(), TestCaseError> {
    let Some(within) = between(problem, share) else {
        return Ok(());
    };
    let answers = answers(problem, within);
    let found = |answer: &Answer| match answer {
        Answer::Found(placed) => Some(keeps(problem, within, placed)),
        Answer::Impossible => None,
        Answer::Open => Some(false),
    };
    for (search, answer) in &answers {
        prop_assert_eq!(
            found(answer),
            found(&answers[0].1),
            "{}: {:?}",
            search,
            answers
        );
        prop_assert!(found(answer) != Some(false), "{search}: {answer:?}");
    }
    let lowered = asked(|effort| tree::ask(problem, within, Some(Figure::First), None, effort));
    prop_assert!(lowered.settled);
    if let Some(placed) = lowered.found
        && problem.worth(&placed).first > 0
    {
        let better = caps(problem, problem.worth(&placed).first - 1);
        let none = asked(|effort| ways::ask(problem, better, effort));
        prop_assert_eq!(none.answer(), Answer::Impossible);
    }
    Ok(())
}
