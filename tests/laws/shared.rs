//! What jobs share of a cluster: what they need of it, and what can be kept to spare.

use proptest::prelude::*;
use tminus::plan::Planner;
use tminus::report::{Grounds, LadderApproval, Markdown, Report};
use tminus::schedule::{Schedule, ScheduleError, schedule};
use tminus::search::Watch;

use super::FIT;
use super::calendar::{agenda, scheduled};

/// One job on clusters of which so many nodes are shared.
fn alone(shared: &[(&str, u64)], of_job: &str) -> Result<Schedule, ScheduleError> {
    let names: Vec<String> = shared
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let sites = shared
        .iter()
        .map(|(name, nodes)| format!("[schedule.clusters.{name}]\ncapacity_nodes = {nodes}\n"));
    let text = format!(
        "clusters = [{}]\n[schedule]\nstart = \"2026-12-01\"\n{}[[jobs]]\n{of_job}\n",
        names.join(", "),
        sites.collect::<String>()
    );
    scheduled(&agenda(&text), 2, &Watch::new())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// As many nodes as a job is said to need are enough, and one less is not.
    #[test]
    fn the_nodes_said_to_be_needed_are_the_fewest(
        model in prop::sample::select(vec!["gpt-13b", "gpt-30b", "gpt-70b"]),
        nodes in 1_u64..16,
    ) {
        let of_job = format!("model = \"{model}\"\ntokens = \"1B\"");
        let refused = alone(&[("r7z2", nodes)], &of_job);
        if let Err(ScheduleError::NoRoom { needed, free, .. }) = refused {
            prop_assert_eq!(free, nodes);
            prop_assert!(alone(&[("r7z2", needed)], &of_job).is_ok(), "{}", needed);
            if needed - 1 > nodes {
                prop_assert!(alone(&[("r7z2", needed - 1)], &of_job).is_err(), "{}", needed);
            }
        }
    }

    /// Spares that nobody asked for are kept as far as there is room, and refuse no job.
    #[test]
    fn spares_that_there_is_no_room_for_are_left_out(nodes in 18_u64..26) {
        let of_job = format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\nglobal_batch = \"1Mi..4Mi\"\n\
             [jobs.search]\ngpus = [{}]", 8 * nodes
        );
        for (shared, spares) in [(nodes, 0), (nodes + 1, 1), (nodes + 2, 1)] {
            let schedule = alone(&[("r1z1", shared)], &of_job).unwrap();
            let kept = if nodes < 20 { 0 } else { spares };
            prop_assert_eq!(schedule.jobs[0].candidate.spare_nodes, kept);
            let told = schedule.notes.iter().any(|note| note.contains("spare nodes can be kept"));
            prop_assert_eq!(told, nodes >= 20 && kept == 0, "{:?}", schedule.notes);
        }
    }
}

/// What is missing is told of the cluster on which the least is, whatever the order of the file.
#[test]
fn the_smallest_change_is_told_whichever_cluster_comes_first() {
    let of_job = "model = \"gpt-1b\"\ntokens = \"10B\"\n[jobs.search]\ngpus = [64]";
    let shared = [("r7z2", 7), ("r1z1", 2)];
    for shared in [shared, [shared[1], shared[0]]] {
        let refused = alone(&shared, of_job);
        let Err(ScheduleError::NoRoom {
            cluster, needed, ..
        }) = refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!((cluster.as_str(), needed), ("r7z2", 8));
    }
}

/// A cluster without a price beside makes no job dearer that has its own.
#[test]
fn a_cluster_without_a_price_leaves_other_jobs_cheap() {
    let cost = |clusters: &str, sites: &str| {
        let agenda = agenda(&format!(
            "[schedule]\nstart = \"2026-12-01\"\n{sites}\
             [[jobs]]\nmodel = \"gpt-3b\"\ntokens = \"100B\"\nclusters = [{clusters}]\n\
             [jobs.search]\ngpus = [8, 32]\n\
             [[jobs]]\nmodel = \"gpt-350m\"\ntokens = \"5B\"\nclusters = [\"r7z2\", \"r1z1\"]\n\
             [jobs.search]\ngpus = [8]\n"
        ));
        let schedule = scheduled(&agenda, 2, &Watch::new()).unwrap();
        assert_eq!(schedule.jobs[0].candidate.cluster, "r1z1");
        assert_eq!(schedule.jobs[1].candidate.cluster, "r7z2");
        (schedule.makespan_h, schedule.cost_usd)
    };
    let shared = "\"r1z1\", \"h100-cluster\"";
    let (alone, beside) = (
        cost("\"r1z1\"", ""),
        cost(
            shared,
            "[schedule.clusters.h100-cluster]\ncapacity_nodes = 1\n",
        ),
    );
    assert!(
        beside.0 <= alone.0 && beside.1 == alone.1,
        "{alone:?} {beside:?}"
    );
}

/// Whoever approves a schedule reads whatever is told of it.
#[test]
fn a_report_tells_every_note_of_the_schedule() {
    let agenda = agenda(
        "clusters = [\"h100-cluster\"]\nusd_per_gpu_hour = 2.5\n\
         [reliability]\nfailures_per_1000_node_days = 400\nspares = 0\nrestart = \"1h\"\n\
         [schedule]\nstart = \"2026-12-01\"\n\
         [[jobs]]\nmodel = \"gpt-3b\"\npriority = 2\n[jobs.search]\ngpus = [504]\n\
         [[jobs]]\nmodel = \"gpt-1b\"\nallow_tight = true\n[jobs.search]\ngpus = [512]\n",
    );
    let schedule = schedule(&agenda, &Planner::new(&FIT), &FIT).unwrap();
    assert!(schedule.notes.len() > 3, "{:?}", schedule.notes);
    let report = LadderApproval {
        schedule: &schedule,
        agenda: &agenda,
        grounds: Grounds {
            command: "tminus report ladder.toml -o ladder.md",
            fit_file: None,
            accuracy: None,
        },
    };
    let plain = |text: &str| text.replace(['\\', '`', '*', '_'], "");
    let text = plain(&Markdown.render(&report).unwrap());
    for note in &schedule.notes {
        assert_eq!(text.matches(&plain(note)).count(), 1, "{note}: {text}");
    }
    let short = schedule.jobs.iter();
    let mut short = short.filter(|job| job.candidate.global_batch_shortfall > 0.0);
    assert!(
        short.next().is_some() && text.contains("below the"),
        "{text}"
    );
}
