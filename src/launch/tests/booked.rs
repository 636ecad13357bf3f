//! What launch files say of a booking that they can't name.

use super::{FIT, Launch, Target, planned, text};
use crate::plan::Planner;
use crate::preset::Catalog;
use crate::quantity::display_whole;
use crate::reserve::{Ask, reserve};

/// The files of what the first booking runs, and what it costs.
fn launched(
    cluster: &str,
    product: &str,
    target: Target,
    name: &str,
) -> (String, Vec<String>, f64) {
    let job = format!(
        "model = \"gpt-1b\"\ntokens = \"26B\"\ncluster = \"{cluster}\"\n[reserve]\nnodes = 4\n\
         product = \"{product}\"\nstart = \"2026-12-01T09:00Z\"\n"
    );
    let (_, request) = planned(&job);
    let ask = Ask::new(&request, &Catalog::embedded()).unwrap();
    let found = reserve(&Planner::new(&FIT), &request, &ask).unwrap();
    let booking = found.recommended().unwrap();
    let launch = Launch::new(&booking.candidate, &request, "tminus launch").unwrap();
    let files = launch.on(Some(booking)).files(target).unwrap();
    let cost = booking.cost_usd.map_or(0.0, |cost| cost.expected);
    (text(&files, name), files.notes, cost)
}

#[test]
fn nodes_are_to_be_started_in_what_is_paid_for() {
    for (cluster, product, configured, infra) in [
        (
            "p4d.24xlarge",
            "capacity-block",
            "`aws.specific_reservations: [cr-…]`",
            "infra: aws/us-east-2\n",
        ),
        (
            "a2-highgpu-8g",
            "gcp-calendar",
            "`gcp.specific_reservations: [",
            "infra: gcp\n",
        ),
    ] {
        let told = |target, name| launched(cluster, product, target, name);
        let (task, notes, _) = told(Target::Skypilot, "task.yaml");
        assert!(task.contains(configured) && task.contains(infra), "{task}");
        let (script, other, _) = told(Target::Slurm, "job.sbatch");
        for (text, notes) in [(&task, &notes), (&script, &other)] {
            assert!(text.contains("# NOTE: nothing here names the "), "{text}");
            assert!(notes[0].contains("start the nodes in it"), "{notes:?}");
        }
    }
    let (task, notes, _) = launched("a2-highgpu-8g", "on-demand", Target::Skypilot, "task.yaml");
    assert!(!task.contains("nothing here names") && !notes[0].contains("start the nodes in it"));
}

/// What is paid is the booking's cost, and the run's own stands nowhere beside it.
#[test]
fn the_cost_is_that_of_the_booking() {
    let (script, _, cost) = launched(
        "p4d.24xlarge",
        "capacity-block",
        Target::Slurm,
        "job.sbatch",
    );
    let paid = format!("${} upfront", display_whole(cost));
    let with_cost: Vec<&str> = script.lines().filter(|line| line.contains('$')).collect();
    assert!(script.contains(&paid), "{script}");
    let predicted = script
        .lines()
        .find(|line| line.contains("predicted,"))
        .unwrap();
    assert!(!predicted.contains('$'), "{with_cost:?}");
}
