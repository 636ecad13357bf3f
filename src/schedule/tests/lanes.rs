//! What lanes can hold, by hand.

use crate::schedule::bound::dual_feasible;
use crate::schedule::bound::lanes::{Lanes, Told};
use crate::schedule::problem::{Aim, Caps, END_OF_TIME, Free, Mode, Piece, Problem, Task};

/// Whether lanes tell that jobs, of so many nodes and steps each, don't fit on nodes until an end, and
/// whether functions of their nodes and steps do.
fn told_by_lanes(end: i64, nodes: i64, jobs: &[(i64, i64)]) -> (bool, bool) {
    let tasks = jobs.iter().map(|(nodes, steps)| Task {
        modes: vec![Mode {
            site: 0,
            nodes: *nodes,
            steps: *steps,
            cost: 0,
        }],
        release: 0,
        due: None,
        after: vec![],
    });
    let piece = |from, to, nodes| Piece { from, to, nodes };
    let pieces = vec![piece(0, END_OF_TIME, nodes)];
    let problem = Problem {
        tasks: tasks.collect(),
        sites: vec![Free { pieces }],
        aim: Aim::Makespan,
    };
    let caps = Caps {
        end,
        cost: None,
        late: None,
    };
    let jobs = problem.tasks.iter().map(|task| task.modes.clone());
    let lanes = Lanes::new(&problem, caps, jobs).unwrap();
    let mut known = Vec::new();
    let told = lanes.told(&lanes.open(), &mut known, lanes.start(), &mut 0);
    (
        matches!(told, Told::Exceeded),
        dual_feasible::excludes(&problem, caps),
    )
}

#[test]
fn lanes_hold_a_job_once_and_no_longer_than_there_is_time() {
    // 3 and 2 one after another, twice.
    assert!(!told_by_lanes(5, 2, &[(1, 3), (1, 3), (1, 2), (1, 2)]).0);
    // As much time as there is, but no two of them fit into a lane.
    assert!(told_by_lanes(9, 2, &[(1, 8), (1, 4), (1, 6)]).0);
    // Beside one on both nodes that leaves 2 of 5 steps, two of 2 do and one of 3 doesn't.
    assert!(!told_by_lanes(5, 2, &[(2, 3), (1, 2), (1, 2)]).0);
    assert!(told_by_lanes(5, 2, &[(2, 3), (1, 3)]).0);
    // Of 3 of 6 steps, two fit into a lane, but not one job's two: that takes both lanes, and the
    // other, of 4, needs one of its own.
    assert_eq!(told_by_lanes(6, 2, &[(2, 3), (1, 4)]), (true, false));
}
