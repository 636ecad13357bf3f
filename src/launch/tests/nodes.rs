//! The nodes that a `SkyPilot` task asks for.

use super::trainers::all;
use super::{JOB, text, written_on_booking};
use crate::launch::Target;

/// A stated price is of the kind asked for, and a kind is the same in any case.
#[test]
fn spot_nodes_are_taken_where_the_price_is_for_them() {
    let own = "[[prices]]\ninstance = \"r1z1\"\nprovider = \"me\"\nregion = \"here\"\n\
               price_type = \"Spot\"\nusd_per_gpu_hour = 1.0\nas_of = \"2026-07\"\nsource = \"me\"\n";
    assert!(all(JOB, Target::Skypilot).contains("use_spot: false"));
    let stated = "model = \"gpt-1b\"\nclusters = \"r1z1\"\nprice_type = \"spot\"\n\
                  usd_per_gpu_hour = 1.5\n[search]\ngpus = 8\n";
    assert!(all(stated, Target::Skypilot).contains("use_spot: true"));
    let named = format!(
        "model = \"gpt-1b\"\nclusters = \"r1z1\"\nprice_type = \"Spot\"\n{own}[search]\ngpus = 8\n"
    );
    assert!(all(&named, Target::Skypilot).contains("use_spot: true"));
}

/// A booking has a price of its own, whatever kind the job asks for.
#[test]
fn what_is_booked_whole_is_no_spot_node() {
    let spot = |cluster: &str, product: &str, stated: &str| {
        let job = format!(
            "model = \"gpt-1b\"\ntokens = \"26B\"\ncluster = \"{cluster}\"\nprice_type = \"spot\"\n\
             {stated}[reserve]\ndeadline = \"9d\"\nstart = \"2026-12-01\"\nproduct = \"{product}\"\n"
        );
        let files = written_on_booking(&job, Target::Skypilot);
        text(&files, "task.yaml").contains("use_spot: true")
    };
    assert!(!spot("p4d.24xlarge", "ec2-capacity-block", ""));
    assert!(!spot(
        "p4d.24xlarge",
        "ec2-capacity-block",
        "usd_per_gpu_hour = 2\n"
    ));
    assert!(spot("a2-highgpu-8g", "on-demand", ""));
    assert!(spot("p4d.24xlarge", "on-demand", "usd_per_gpu_hour = 2\n"));
}

#[test]
fn nodes_are_started_where_their_price_holds() {
    let infra = |cluster: &str, more: &str| {
        let job =
            format!("model = \"gpt-1b\"\nclusters = \"{cluster}\"\n{more}[search]\ngpus = 8\n");
        let task = all(&job, Target::Skypilot);
        let line = task.lines().find(|line| line.contains("infra:"));
        line.map(|line| line.trim().to_owned())
    };
    let told = |text: &str| Some(text.to_owned());
    let asked = infra("a2-highgpu-8g", "region = \"us-central1\"\n");
    assert_eq!(asked, told("infra: gcp/us-central1"));
    assert_eq!(infra("bm.gpu4.8", ""), told("infra: oci"));
    // A price of one's own holds nowhere in particular.
    let own = infra("a2-highgpu-8g", "usd_per_gpu_hour = 1.5\n");
    assert_eq!(own, told("infra: gcp"));
}

/// Who sells nodes of eight GPUs has none of four.
#[test]
fn a_part_of_a_node_is_run_on_a_whole_one() {
    let job = "model = \"gpt-1b\"\nclusters = \"p4d.24xlarge\"\n[search]\ngpus = 4\n";
    let task = all(job, Target::Skypilot);
    assert!(task.contains("accelerators: A100:8\n"), "{task}");
    assert!(task.contains("composer -n 4"), "{task}");
}
