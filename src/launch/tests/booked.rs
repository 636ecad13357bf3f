//! What launch files say of a booking that they can't name.

use super::{FIT, Launch, Target, planned, text};
use crate::plan::Planner;
use crate::preset::Catalog;
use crate::reserve::{Ask, reserve};

/// The files of what the first booking runs.
fn launched(cluster: &str, product: &str, target: Target, name: &str) -> (String, Vec<String>) {
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
    (text(&files, name), files.notes)
}

#[test]
fn nodes_are_to_be_started_in_what_is_paid_for() {
    for (cluster, product, configured) in [
        (
            "p4d.24xlarge",
            "capacity-block",
            "`aws.specific_reservations: [cr-…]`",
        ),
        (
            "a2-highgpu-8g",
            "gcp-calendar",
            "`gcp.specific_reservations: [",
        ),
    ] {
        let told = |target, name| launched(cluster, product, target, name);
        let (task, notes) = told(Target::Skypilot, "task.yaml");
        assert!(task.contains(configured), "{task}");
        let (script, other) = told(Target::Slurm, "job.sbatch");
        for (text, notes) in [(&task, &notes), (&script, &other)] {
            assert!(text.contains("# NOTE: nothing here names the "), "{text}");
            assert!(notes[0].contains("start the nodes in it"), "{notes:?}");
        }
    }
    let (task, notes) = launched("a2-highgpu-8g", "on-demand", Target::Skypilot, "task.yaml");
    assert!(!task.contains("nothing here names") && !notes[0].contains("start the nodes in it"));
}
