//! What launch files say of a booking that they can't name.

use super::{FIT, Launch, Target, planned, text, written_on_booking};
use crate::plan::Planner;
use crate::preset::Catalog;
use crate::quantity::display_whole;
use crate::reserve::{Ask, Named, reserve};

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
    let ask = Ask::new(&request, &Catalog::embedded(), Named::ByFlag).unwrap();
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

fn job(cluster: &str, product: &str, more: &str) -> String {
    format!(
        "model = \"gpt-1b\"\ntokens = \"26B\"\ncluster = \"{cluster}\"\n{more}[reserve]\n\
         product = \"{product}\"\nstart = \"2026-12-01T09:00Z\"\n"
    )
}

/// Nodes are started in the zone they are reserved in, wherever the price is from.
#[test]
fn what_is_reserved_in_a_zone_is_started_there() {
    let quote = "[[prices]]\ninstance = \"a2-highgpu-8g\"\nprovider = \"gcp\"\n\
                 price_type = \"calendar\"\nusd_per_gpu_hour = 2.1\nregion = \"us-central1\"\n";
    let job = job("a2-highgpu-8g", "gcp-calendar", quote);
    let infra = |zone: &str| {
        let files = written_on_booking(&format!("{job}nodes = 4\n{zone}"), Target::Skypilot);
        text(&files, "task.yaml")
    };
    let away = infra("zone = \"europe-west4-a\"\n");
    assert!(away.contains("infra: gcp/europe-west4\n"), "{away}");
    assert!(infra("").contains("infra: gcp/us-central1\n"));
}

/// Where nodes stay until the run is done, a probability is by the deadline, and says so.
#[test]
fn a_probability_is_told_with_the_date_it_is_of() {
    let head = |cluster: &str, product: &str, deadline: &str| {
        let job = job(cluster, product, "");
        let job = format!("{job}deadline = \"{deadline}\"\n");
        let script = text(&written_on_booking(&job, Target::Slurm), "job.sbatch");
        let line = script.lines().find(|line| line.starts_with("# booking: "));
        line.unwrap().to_owned()
    };
    let by = head("nd96asr_v4", "on-demand", "2026-12-15");
    let told = "; done by the deadline, 2026-12-15T00:00:00Z, with a probability of ";
    assert!(by.contains(told), "{by}");
    let within = head("nd96asr_v4", "on-demand", "14d");
    assert!(
        within.contains("; done within the 14 d asked for with a"),
        "{within}"
    );
    let whole = head("p4d.24xlarge", "capacity-block", "2026-12-15");
    assert!(
        whole.contains("; done in time with a probability of "),
        "{whole}"
    );
}

/// Money and probability are of nodes that stay, unless spot nodes are planned for.
#[test]
fn spot_nodes_beside_figures_of_others_are_told() {
    let said = |product: &str, more: &str| {
        let job = job("p4d.24xlarge", product, more);
        let job = format!("{job}nodes = 4\n[launch]\nuse_spot = true\n");
        let files = written_on_booking(&job, Target::Skypilot);
        assert!(text(&files, "task.yaml").contains("use_spot: true"));
        files.notes.join("\n")
    };
    let told = "`use_spot` in [launch] starts spot nodes";
    for product in ["on-demand", "capacity-block"] {
        assert!(said(product, "").contains(told), "{product}");
    }
    assert!(!said("on-demand", "price_type = \"spot\"\n").contains(told));
}
