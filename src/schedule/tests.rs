//! The solver against all schedules there are, and laws that every schedule keeps.

mod alike;
mod lanes;
mod prices;
mod searches;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::bound;
use super::due::Due;
use super::error::Failure;
use super::problem::{Aim, END_OF_TIME, Free, Mode, Piece, Placed, Problem, Task, Worth};
use super::solve::{Depth, Unsolved, list, solve};
use super::steps::Grid;
use crate::job::{Agenda, JobFile, resolve_ladder};
use crate::preset::Catalog;
use crate::search::Watch;

/// Nothing is free in the small cases from this step on.
const SHORT: i64 = 9;

fn free(nodes: &[i64], endless: bool) -> Free {
    let mut pieces: Vec<Piece> = Vec::new();
    for (step, nodes) in (0..).zip(nodes) {
        match pieces.last_mut() {
            Some(last) if last.nodes == *nodes => last.to = step + 1,
            _ => pieces.push(Piece {
                from: step,
                to: step + 1,
                nodes: *nodes,
            }),
        }
    }
    let last = if endless { *nodes.last().unwrap() } else { 0 };
    match pieces.last_mut() {
        Some(piece) if piece.nodes == last => piece.to = END_OF_TIME,
        _ => pieces.push(Piece {
            from: SHORT,
            to: END_OF_TIME,
            nodes: last,
        }),
    }
    Free { pieces }
}

/// Deadlines lie between steps too.
const PARTS: i64 = 3;

fn task(sites: usize) -> impl Strategy<Value = Task> {
    let mode =
        (0..sites, 1..=3_i64, 1..=4_i64, 1..=9_i64).prop_map(|(site, nodes, steps, cost)| Mode {
            site,
            nodes,
            steps,
            cost,
        });
    (
        prop::collection::vec(mode, 1..=3),
        0..=2_i64,
        prop::option::weighted(0.6, 2 * PARTS..=8 * PARTS),
        1..=3_i64,
    )
        .prop_map(|(modes, release, due, weight)| Task {
            modes,
            release,
            due: due.map(|at| Due::new(at, PARTS, weight)),
            after: Vec::new(),
        })
}

fn problem(most: usize) -> impl Strategy<Value = Problem> {
    let steps = usize::try_from(SHORT).unwrap();
    (1..=2_usize).prop_flat_map(move |sites| {
        let nodes = prop::collection::vec(prop::collection::vec(0..=4_i64, steps), sites);
        let tasks = prop::collection::vec(task(sites), 1..=most);
        let links = prop::collection::vec(any::<prop::sample::Index>(), 0..=2);
        let aim = prop::sample::select(vec![Aim::Makespan, Aim::Cost, Aim::Lateness]);
        (nodes, tasks, links, aim, any::<bool>()).prop_map(
            move |(nodes, mut tasks, links, aim, endless)| {
                // A job may only wait for an earlier one, so that there is no cycle.
                for link in links {
                    let job = link.index(tasks.len());
                    if job > 0 {
                        tasks[job].after = vec![link.index(job)];
                    }
                }
                let sites = nodes.iter().map(|nodes| free(nodes, endless)).collect();
                Problem { tasks, sites, aim }
            },
        )
    })
}

/// The best worth of all schedules, tried one by one; `None` when there is none. It looks at each
/// step by itself, and shares nothing with what it checks but the types.
fn tried(problem: &Problem, horizon: i64) -> Option<Worth> {
    let steps = usize::try_from(horizon).unwrap();
    let room: Vec<Vec<i64>> = problem
        .sites
        .iter()
        .map(|site| {
            (0..horizon)
                .map(|at| {
                    site.pieces
                        .iter()
                        .find(|p| p.from <= at && at < p.to)
                        .unwrap()
                        .nodes
                })
                .collect()
        })
        .collect();
    assert!(room.iter().all(|room| room.len() == steps));
    let mut best = None;
    place(problem, horizon, &room, &mut Vec::new(), &mut best);
    best
}

fn place(
    problem: &Problem,
    horizon: i64,
    room: &[Vec<i64>],
    placed: &mut Vec<Placed>,
    best: &mut Option<Worth>,
) {
    let job = placed.len();
    if job == problem.tasks.len() {
        let worth = problem.worth(placed);
        if worth.missed == 0 && best.is_none_or(|best| worth < best) {
            *best = Some(worth);
        }
        return;
    }
    let task = &problem.tasks[job];
    let ready = task.after.iter().map(|before| {
        placed[*before].start + problem.tasks[*before].modes[placed[*before].mode].steps
    });
    let ready = ready.max().unwrap_or(0).max(task.release);
    for (mode, way) in task.modes.iter().enumerate() {
        for start in ready..=(horizon - way.steps) {
            let mut room = room.to_vec();
            let span = usize::try_from(start).unwrap()..usize::try_from(start + way.steps).unwrap();
            let span = &mut room[way.site][span];
            for room in span.iter_mut() {
                *room -= way.nodes;
            }
            if span.iter().all(|room| *room >= 0) {
                placed.push(Placed { mode, start });
                place(problem, horizon, &room, placed, best);
                placed.pop();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn small_cases_are_solved_as_well_as_by_trying_everything(problem in problem(3)) {
        let horizon = problem.horizon();
        match (solve(&problem, None, Depth::Proof, &Watch::new()), tried(&problem, horizon)) {
            (Ok(solved), Some(best)) => {
                prop_assert_eq!(problem.flaw(&solved.placed), None);
                prop_assert_eq!(solved.worth, best);
                prop_assert_eq!(solved.bound, best.first, "not proven");
            }
            (Err(unsolved), None) => prop_assert_eq!(unsolved, Unsolved::Impossible),
            (found, best) => prop_assert!(false, "{found:?} against {best:?}"),
        }
    }

    #[test]
    fn every_schedule_keeps_the_rules(problem in problem(9)) {
        if let Some(placed) = list::best(&problem, &Watch::new()) {
            prop_assert_eq!(problem.flaw(&placed), None);
            let worth = problem.worth(&placed);
            prop_assert!(worth.missed > 0 || bound::first(&problem) <= worth.first);
        }
        if let Ok(solved) = solve(&problem, None, Depth::Proof, &Watch::new()) {
            prop_assert_eq!(problem.flaw(&solved.placed), None);
            prop_assert_eq!(problem.worth(&solved.placed), solved.worth);
            prop_assert_eq!(solved.worth.missed, 0);
            prop_assert!(bound::first(&problem) <= solved.bound);
            prop_assert!(solved.bound <= solved.worth.first);
            let again = solve(&problem, None, Depth::Proof, &Watch::new()).unwrap();
            prop_assert_eq!(again.placed, solved.placed);
        }
    }
}

/// A calendar, of which no more is used here than that there is one.
fn any_agenda() -> Agenda {
    let text = "[schedule]\nstart = \"2026-12-01\"\n[[jobs]]\nmodel = \"gpt-1b\"\n";
    let file = JobFile::parse("ladder.toml", text).unwrap();
    resolve_ladder(file.ladder.unwrap(), &file.settings, &Catalog::embedded()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Where the search for a schedule found none, but there is one, the search for what is late tells
    /// of it, and it is made as good as any.
    #[test]
    fn a_schedule_that_is_come_upon_late_is_taken(problem in problem(3)) {
        let horizon = problem.horizon();
        let best = tried(&problem, horizon);
        prop_assume!(best.is_some());
        let agenda = any_agenda();
        let failure = Failure::Unsolved(
            Grid::finest(&agenda, &[]),
            problem.clone(),
            Unsolved::Unknown,
        );
        let (_, _, solved) = failure.settled(&agenda, &Watch::new()).unwrap();
        prop_assert_eq!(problem.flaw(&solved.placed), None);
        prop_assert_eq!(Some(solved.worth), best);
    }

    /// Ended at once there is still a schedule, where there is one that keeps the rules without
    /// searching; and its bound holds.
    #[test]
    fn what_is_ended_early_keeps_the_rules_too(problem in problem(9)) {
        let watch = Watch::new();
        watch.cancel();
        match (solve(&problem, None, Depth::Proof, &watch), solve(&problem, None, Depth::Proof, &Watch::new())) {
            (Ok(early), Ok(whole)) => {
                prop_assert!(early.partial && !whole.partial);
                prop_assert_eq!(problem.flaw(&early.placed), None);
                prop_assert!(whole.worth <= early.worth);
                prop_assert!(early.bound <= whole.worth.first);
            }
            (Ok(early), Err(unsolved)) => prop_assert!(false, "{early:?}, then {unsolved:?}"),
            (Err(_), _) => {
                let listed = list::best(&problem, &watch);
                prop_assert!(listed.is_none_or(|placed| problem.worth(&placed).missed > 0));
            }
        }
    }
}

/// Four jobs, every objective: the smallest of the cases above, with one more job.
#[test]
fn four_jobs_are_solved_as_well_as_by_trying_everything() {
    let modes = |list: &[(i64, i64, i64)]| -> Vec<Mode> {
        list.iter()
            .map(|&(nodes, steps, cost)| Mode {
                site: 0,
                nodes,
                steps,
                cost,
            })
            .collect()
    };
    let task = |modes, due: Option<i64>, after| Task {
        modes,
        release: 0,
        due: due.map(|step| Due::new(step, 1, 2)),
        after,
    };
    for aim in [Aim::Makespan, Aim::Cost, Aim::Lateness] {
        let problem = Problem {
            tasks: vec![
                task(modes(&[(2, 3, 6), (4, 2, 8)]), Some(6), vec![]),
                task(modes(&[(1, 4, 4), (2, 2, 5)]), None, vec![0]),
                task(modes(&[(3, 2, 6)]), Some(7), vec![]),
                task(modes(&[(1, 2, 2), (2, 1, 3)]), Some(4), vec![]),
            ],
            sites: vec![free(&[4, 4, 4, 2, 2, 4, 4, 4, 4], true)],
            aim,
        };
        let solved = solve(&problem, None, Depth::Proof, &Watch::new()).unwrap();
        assert_eq!(Some(solved.worth), tried(&problem, 12), "{aim:?}");
        assert_eq!(solved.bound, solved.worth.first, "{aim:?}");
    }
}

/// Numbers beyond what the solver counts in leave a schedule with a bound, and no panic.
#[test]
fn numbers_too_large_for_the_solver_are_scheduled_all_the_same() {
    let mode = Mode {
        site: 0,
        nodes: 1 << 30,
        steps: 1 << 34,
        cost: 1 << 36,
    };
    let task = Task {
        modes: vec![mode; 2],
        release: 5,
        due: None,
        after: vec![],
    };
    for aim in [Aim::Makespan, Aim::Cost, Aim::Lateness] {
        let problem = Problem {
            tasks: vec![
                task.clone(),
                Task {
                    due: Some(Due::new(7, 1, 1000)),
                    ..task.clone()
                },
            ],
            sites: vec![Free {
                pieces: vec![Piece {
                    from: 0,
                    to: END_OF_TIME,
                    nodes: 1 << 30,
                }],
            }],
            aim,
        };
        match solve(&problem, None, Depth::Proof, &Watch::new()) {
            Ok(solved) => assert_eq!(problem.flaw(&solved.placed), None),
            Err(unsolved) => {
                assert_eq!((unsolved, aim == Aim::Lateness), (Unsolved::Unknown, false));
            }
        }
    }
}
