//! What prices of nodes tell, held against searches that know nothing of them.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::alike::caps;
use super::problem;
use super::searches::{asked, market};
use crate::schedule::due::Due;
use crate::schedule::problem::{Aim, Caps, END_OF_TIME, Free, Mode, Piece, Problem, Task};
use crate::schedule::solve::question::Answer;
use crate::schedule::solve::{exact, list, tree};
use crate::search::Watch;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    /// No schedule is less late than what the market tells, and one that is as late as that or a bit more
    /// starts each job when that is open: the solver, which doesn't know of prices, finds no other.
    #[test]
    fn prices_leave_every_schedule_open_that_is_good_enough(
        problem in problem(5),
        more in 0..40_i64,
    ) {
        let problem = Problem { aim: Aim::Lateness, ..problem };
        let Some(market) = market(&problem) else { return Ok(()) };
        let ask = |most| asked(|effort| exact::ask(&problem, caps(&problem, most), None, effort));
        if market.bound() > 0 {
            prop_assert_eq!(ask(market.bound() - 1), Answer::Impossible);
        }
        let most = market.bound() + more;
        if let Answer::Found(placed) = ask(most) {
            for (job, placed) in placed.iter().enumerate() {
                let open = market.open(job, placed.mode, most);
                let kept = open.iter().any(|(from, to)| (from..=to).contains(&&placed.start));
                prop_assert!(kept, "job {} at {:?}: {:?}", job, placed, open);
            }
        }
    }

    /// No later than the best that is known, and sooner done: prices, which know nothing of the end, take
    /// no such schedule away.
    #[test]
    fn prices_leave_schedules_open_that_end_sooner(problem in problem(4), part in 0.5..=1.0_f64) {
        let problem = Problem { aim: Aim::Lateness, ..problem };
        let (Some(market), Some(listed)) = (market(&problem), list::best(&problem, &Watch::new())) else {
            return Ok(());
        };
        let worth = problem.worth(&listed);
        #[expect(clippy::cast_possible_truncation, reason = "a small number")]
        let end = (worth.second as f64 * part) as i64;
        let within = Caps { end, ..caps(&problem, worth.first) };
        let ask = |market| asked(|effort| exact::ask(&problem, within, market, effort));
        let tree = |market| asked(|effort| tree::ask(&problem, within, None, market, effort));
        let found = |answer: &Answer| matches!(answer, Answer::Found(_));
        prop_assert_eq!(found(&ask(None)), found(&ask(Some(&market))));
        prop_assert_eq!(found(&tree(None).answer()), found(&tree(Some(&market)).answer()));
    }
}

/// Jobs on one node that does one after another, from the start on.
fn one_by_one(jobs: impl IntoIterator<Item = (i64, Option<Due>, Vec<usize>)>) -> Problem {
    let tasks = jobs.into_iter().map(|(steps, due, after)| Task {
        modes: vec![Mode {
            site: 0,
            nodes: 1,
            steps,
            cost: 0,
        }],
        release: 0,
        due,
        after,
    });
    let pieces = vec![Piece {
        from: 0,
        to: END_OF_TIME,
        nodes: 1,
    }];
    Problem {
        tasks: tasks.collect(),
        sites: vec![Free { pieces }],
        aim: Aim::Lateness,
    }
}

/// On one node that does one job after another, where all are late, prices tell nearly all: by Smith's
/// rule (1956) those that take least for what they count come first.
#[test]
fn prices_tell_how_late_jobs_are_one_after_another() {
    let mut steps = [70, 20, 40, 110, 30, 90];
    let due = Some(Due::new(0, 1, 1));
    let problem = one_by_one(steps.map(|steps| (steps, due, vec![])));
    steps.sort_unstable();
    let ends = steps.iter().scan(0, |end, steps| {
        *end += steps;
        Some(*end)
    });
    let least: i64 = ends.sum();
    let told = market(&problem).unwrap().bound();
    assert!(
        told <= least && told * 100 > least * 97,
        "{told} of {least}"
    );
}

/// What a job does that is never late itself, but that others wait for, is priced too: of pairs, one
/// after the other is done before the next begins.
#[test]
fn prices_tell_how_late_jobs_are_that_wait_for_others() {
    let due = Some(Due::new(0, 1, 1));
    let pairs = 0..4;
    let jobs = pairs.clone().flat_map(|pair| {
        let waits = (20, due, vec![2 * pair]);
        [(100, None, vec![]), waits]
    });
    let problem = one_by_one(jobs);
    let least: i64 = pairs
        .scan(0, |end, _| {
            *end += 120;
            Some(*end)
        })
        .sum();
    let told = market(&problem).unwrap().bound();
    assert!(
        told <= least && told * 100 > least * 95,
        "{told} of {least}"
    );
}
