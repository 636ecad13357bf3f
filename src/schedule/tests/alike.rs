//! Ladders of jobs that are alike, or nearly: small ones against all schedules there are, dozens
//! until they are proven.

use proptest::prelude::*;

use super::{free, problem, task, tried};
use crate::schedule::bound::dual_feasible::{self, Function};
use crate::schedule::bound::merged::alike;
use crate::schedule::due::Due;
use crate::schedule::problem::{Aim, Caps, END_OF_TIME, Free, Mode, Piece, Problem, Task};
use crate::schedule::solve::{Depth, Solved, solve};
use crate::search::Watch;

/// So many jobs of so many kinds, at most, on one or two sites, some with windows.
pub(super) fn few_kinds(
    most: usize,
    jobs: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Problem> {
    (1..=2_usize).prop_flat_map(move |sites| {
        let nodes = prop::collection::vec(prop::collection::vec(1..=4_i64, 9), sites);
        let kinds = prop::collection::vec(task(sites), 1..=most);
        let which = prop::collection::vec(any::<prop::sample::Index>(), jobs.clone());
        let aim = prop::sample::select(vec![Aim::Makespan, Aim::Cost, Aim::Lateness]);
        (nodes, kinds, which, aim, any::<bool>()).prop_map(|(nodes, kinds, which, aim, endless)| {
            Problem {
                tasks: which.iter().map(|kind| kind.get(&kinds).clone()).collect(),
                sites: nodes.iter().map(|nodes| free(nodes, endless)).collect(),
                aim,
            }
        })
    })
}

/// The caps of a schedule as good as `first`.
pub(super) fn caps(problem: &Problem, first: i64) -> Caps {
    let open = Caps {
        end: problem.horizon(),
        cost: None,
        late: None,
    };
    match problem.aim {
        Aim::Makespan => Caps { end: first, ..open },
        Aim::Cost => Caps {
            cost: Some(first),
            ..open
        },
        Aim::Lateness => Caps {
            late: Some(first),
            ..open
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn jobs_that_are_alike_are_solved_as_well_as_by_trying_everything(problem in few_kinds(2, 3..=4)) {
        // A longer calendar would take minutes to try.
        prop_assume!(problem.horizon() <= 13);
        match (solve(&problem, None, Depth::Proof, &Watch::new()), tried(&problem, problem.horizon())) {
            (Ok(solved), Some(best)) => {
                prop_assert_eq!(problem.flaw(&solved.placed), None);
                prop_assert_eq!(solved.worth, best);
                prop_assert_eq!(solved.bound, best.first, "not proven");
            }
            (Err(_), None) => {}
            (found, best) => prop_assert!(false, "{found:?} against {best:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn merged_jobs_have_a_schedule_no_worse(problem in few_kinds(4, 3..=4), kinds in 1..=3_usize) {
        prop_assume!(problem.horizon() <= 13);
        if let Some(best) = tried(&problem, problem.horizon()) {
            let merged = alike(&problem, kinds);
            let relaxed = tried(&merged, problem.horizon()).unwrap();
            prop_assert!(relaxed.first <= best.first, "{relaxed:?} against {best:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn dual_feasible_functions_exclude_no_schedule_there_is(problem in problem(3)) {
        if let Some(best) = tried(&problem, problem.horizon()) {
            prop_assert!(!dual_feasible::excludes(&problem, caps(&problem, best.first)));
        }
    }

    /// Parts that fit into the whole still do when each counts as its share.
    #[test]
    fn shares_of_a_whole_add_up_to_no_more_than_all(
        parts in prop::collection::vec(1..=40_i64, 1..=8),
        rest in 0..=20_i64,
        size in 2..=60_i64,
        number in 1..=6_i64,
    ) {
        let whole = parts.iter().sum::<i64>() + rest;
        let mut functions = vec![Function::Identity, Function::Up(number)];
        if size * 2 <= whole {
            functions.extend([Function::Threshold(size), Function::Down(size)]);
        }
        for function in functions {
            let all: f64 = parts.iter().map(|part| function.of(*part, whole)).sum();
            prop_assert!(all <= 1.0 + 1e-12, "{function:?}: {all}");
        }
    }
}

/// The ways to run so much work, in node-steps, on 1, 2, 4, … nodes: each doubling loses 2.6 %.
fn moldable(work: f64, capacity: i64, site: usize, speed: f64) -> Vec<Mode> {
    let doublings = (0..).take_while(|doublings| 1_i64 << doublings <= capacity.min(16));
    doublings
        .map(|doublings| {
            let nodes = 1_i64 << doublings;
            let loss = 1.0 + 0.026 * f64::from(doublings);
            #[expect(clippy::cast_possible_truncation, reason = "a few thousand steps")]
            let steps = (work * loss / (nodes as f64 * speed)).ceil() as i64;
            Mode {
                site,
                nodes,
                steps,
                cost: steps * nodes,
            }
        })
        .collect()
}

fn ladder(works: &[f64], capacities: &[i64], aim: Aim, due: Option<i64>) -> Problem {
    let tasks = works.iter().map(|work| {
        let sites = capacities.iter().zip([1.0, 1.4]).enumerate();
        Task {
            modes: sites
                .flat_map(|(site, (capacity, speed))| moldable(*work, *capacity, site, speed))
                .collect(),
            release: 0,
            due: due.map(|step| Due::new(step, 1, 1)),
            after: vec![],
        }
    });
    let sites = capacities.iter().map(|nodes| Free {
        pieces: vec![Piece {
            from: 0,
            to: END_OF_TIME,
            nodes: *nodes,
        }],
    });
    Problem {
        tasks: tasks.collect(),
        sites: sites.collect(),
        aim,
    }
}

fn proven(problem: &Problem, what: &str) -> Solved {
    let solved = solve(problem, None, Depth::Proof, &Watch::new()).unwrap();
    assert_eq!(problem.flaw(&solved.placed), None, "{what}");
    assert_eq!(solved.bound, solved.worth.first, "{what}: not proven");
    solved
}

const IDENTICAL: [f64; 12] = [2958.0; 12];

#[test]
fn dozens_of_identical_jobs_are_proven_shortest() {
    for capacity in [4, 8, 9, 16, 23, 64] {
        for count in [2, 3, 7, 11, 12] {
            let problem = ladder(&IDENTICAL[..count], &[capacity], Aim::Makespan, None);
            proven(&problem, &format!("{count} on {capacity} nodes"));
        }
    }
}

#[test]
fn dozens_of_identical_jobs_are_proven_on_two_clusters() {
    for capacities in [[4, 4], [8, 4], [9, 16]] {
        let problem = ladder(&IDENTICAL, &capacities, Aim::Makespan, None);
        proven(&problem, &format!("{capacities:?}"));
    }
}

#[test]
fn groups_of_identical_jobs_are_proven_shortest() {
    let two: Vec<f64> = [2958.0, 1331.0]
        .iter()
        .flat_map(|work| [*work; 6])
        .collect();
    let three: Vec<f64> = [2958.0, 1331.0, 592.0]
        .iter()
        .flat_map(|work| [*work; 4])
        .collect();
    for capacity in [4, 8, 16] {
        for works in [&two, &three] {
            let problem = ladder(works, &[capacity], Aim::Makespan, None);
            proven(&problem, &format!("{works:?} on {capacity} nodes"));
        }
    }
}

#[test]
fn dozens_of_identical_jobs_are_proven_cheapest_and_least_late() {
    for (capacity, due) in [(4, 9000), (8, 4600), (16, 2400)] {
        let cost = ladder(&IDENTICAL, &[capacity], Aim::Cost, Some(due));
        proven(&cost, &format!("cost on {capacity} nodes"));
        let late = ladder(&IDENTICAL, &[capacity], Aim::Lateness, Some(due * 2 / 3));
        proven(&late, &format!("lateness on {capacity} nodes"));
    }
}

/// Booked nodes, a job that waits for others and jobs that are released later.
#[test]
fn dozens_of_identical_jobs_are_proven_beside_bookings() {
    let mut problem = ladder(&IDENTICAL, &[8], Aim::Makespan, None);
    problem.sites[0].pieces = vec![
        Piece {
            from: 0,
            to: 900,
            nodes: 8,
        },
        Piece {
            from: 900,
            to: 1800,
            nodes: 5,
        },
        Piece {
            from: 1800,
            to: END_OF_TIME,
            nodes: 8,
        },
    ];
    problem.tasks[11].after = vec![0, 1];
    for task in &mut problem.tasks[8..11] {
        task.release = 600;
    }
    proven(&problem, "with bookings");
}

#[test]
fn dozens_of_nearly_identical_jobs_are_proven_shortest() {
    let works: Vec<f64> = (0..12_u8)
        .map(|job| 2958.0 * (1.0 + 0.004 * f64::from(job * 7 % 12)))
        .collect();
    for capacity in [4, 8, 9, 23, 64] {
        let problem = ladder(&works, &[capacity], Aim::Makespan, None);
        proven(&problem, &format!("on {capacity} nodes"));
    }
}

/// A dozen jobs of which the largest is fifty times the smallest, no two alike.
#[test]
fn dozens_of_different_jobs_are_proven_shortest() {
    let works: [f64; 12] = [
        120.0, 260.0, 410.0, 700.0, 940.0, 1300.0, 1510.0, 2090.0, 2630.0, 3370.0, 4790.0, 6110.0,
    ];
    for capacity in [4, 8, 9, 16] {
        let problem = ladder(&works, &[capacity], Aim::Makespan, None);
        proven(&problem, &format!("on {capacity} nodes"));
    }
    let mut waiting = ladder(&works, &[8], Aim::Makespan, None);
    for (job, before) in [(11, vec![2, 5]), (9, vec![0]), (10, vec![9])] {
        waiting.tasks[job].after = before;
    }
    proven(&waiting, "some after others");
    let due = ladder(&works, &[8], Aim::Cost, Some(3900));
    proven(&due, "cheapest by a date");
    let two = ladder(&works, &[8, 4], Aim::Makespan, None);
    proven(&two, "on two clusters");
}
