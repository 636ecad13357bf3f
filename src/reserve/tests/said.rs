//! What a refusal or a note says holds.

use super::answer_to;
use crate::report::{Answer, Bookings};
use crate::reserve::{Reservation, ReserveError};

/// What is suggested instead works: with the node count that goes with the GPUs, and without spares
/// only where that helps.
#[test]
fn what_is_suggested_for_a_node_count_can_be_had() {
    let of = |product: &str, nodes: u64, more: &str| {
        answer_to(&format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"p4d\"\n\
             [reserve]\nproduct = \"{product}\"\nnodes = {nodes}\n{more}"
        ))
    };
    let said = |answer: Result<Reservation, ReserveError>| match answer {
        Err(
            ReserveError::NotSold { message, help } | ReserveError::NotEnough { message, help },
        ) => {
            format!("{message}\n{}", help.join("\n"))
        }
        other => panic!("{other:?}"),
    };
    let gpus = said(of("on-demand", 13, "[search]\ngpus = 104\n"));
    assert!(gpus.contains("(`--gpus 112`) and `--nodes 14`"), "{gpus}");
    // No start helps where there are fewer nodes.
    let many = said(of("capacity-block", 70, ""));
    assert!(
        many.contains("more than the 64") && !many.contains("--start"),
        "{many}"
    );
    let odd = said(of("on-demand", 11, "[reliability]\nspares = 60\n"));
    assert!(
        !odd.contains("--spares none") && odd.contains("exactly 11 nodes"),
        "{odd}"
    );
    assert!(said(of("on-demand", 14, "[reliability]\nspares = 60\n")).contains("--spares none"));
    let pairs = said(answer_to(
        "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"lab\"\n[clusters.lab]\ngpu = \"h100\"\n\
         max_gpus = 8\n[products.pairs]\nclusters = [\"lab\"]\nlengths = [{ step = \"1h\" }]\n\
         gpu_multiple = 16\n[reliability]\nspares = 0\n[reserve]\nproduct = \"pairs\"\nnodes = 3\n",
    ));
    assert!(pairs.contains("smallest booking has 2 nodes"), "{pairs}");
}

/// A cluster that has fewer nodes left than would be kept as spares says so.
#[test]
fn spares_that_there_are_no_nodes_for_are_told() {
    let notes = |nodes: u64| {
        let job = format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"p4d\"\n\
             [reserve]\nproduct = \"on-demand\"\nnodes = {nodes}\n"
        );
        answer_to(&job).unwrap().bookings.remove(0).notes.join("\n")
    };
    let told = "1 of 3 spare nodes can be kept: p4d.24xlarge has 64 nodes";
    assert!(notes(63).contains(told), "{}", notes(63));
    assert!(!notes(42).contains("spare nodes can be kept"));
}

/// One that trains below the global batch asked for says so, by how much.
#[test]
fn a_missed_global_batch_is_told() {
    let job = |nodes: u64| {
        let found = answer_to(&format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"p4d\"\nglobal_batch = \"2Mi\"\n\
             [reserve]\nproduct = \"on-demand\"\nnodes = {nodes}\n[reliability]\nspares = 0\n"
        ));
        found.unwrap().bookings.remove(0).notes.join("\n")
    };
    let short = job(7);
    assert!(
        short.contains("1.6 % below the 2,097,152 asked for"),
        "{short}"
    );
    assert!(!job(8).contains("below"));
}

/// Hours and minutes that read alike don't say why one is too short; and what is suggested is no
/// longer than it takes.
#[test]
fn a_deadline_missed_by_a_minute_is_seen_to_be() {
    let of = |deadline: &str| {
        answer_to(&format!(
            "model = \"gpt-125m\"\ntokens = \"125K\"\ncluster = \"r1z1\"\n[reserve]\ndeadline = \"{deadline}\"\n"
        ))
    };
    let Err(ReserveError::NotEnough { help, .. }) = of("5m") else {
        panic!("start-up alone takes 5 minutes");
    };
    let told = help.join("\n");
    assert!(
        told.contains("needs 6 min, and only 5 min are left"),
        "{told}"
    );
    assert!(told.contains("`--deadline 6m`"), "{told}");
    assert!(of("6m").is_ok());
}

/// Beyond what the forecast of failures holds for, it says so.
#[test]
fn failures_faster_than_nodes_are_replaced_are_told() {
    let job = |rate: f64| {
        let found = answer_to(&format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"p4d\"\n\
             [reserve]\nproduct = \"on-demand\"\nnodes = 21\n\
             [reliability]\nspares = 1\nfailures_per_1000_node_days = {rate}\n"
        ));
        found.unwrap().bookings.remove(0).notes.join("\n")
    };
    assert!(job(1000.0).contains("are optimistic"), "{}", job(1000.0));
    assert!(!job(50.0).contains("optimistic"), "{}", job(50.0));
}

/// A time limit of the launch stops a run that the figures know nothing of.
#[test]
fn a_time_limit_shorter_than_the_run_is_told() {
    let notes = |limit: &str| {
        let found = answer_to(&format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"r1z1\"\n\
             [reserve]\ndeadline = \"14d\"\n[launch]\ntime_limit = \"{limit}\"\n"
        ));
        found.unwrap().bookings.remove(0).notes.join("\n")
    };
    let told = "the `time_limit` of [launch], 24.0 h: what stops there cost";
    assert!(notes("24h").contains(told), "{}", notes("24h"));
    assert!(!notes("60d").contains("time_limit"));
}

/// A price of another region than the zone that is booked says so.
#[test]
fn a_price_from_elsewhere_than_the_zone_is_told() {
    let notes = |zone: &str| {
        let found = answer_to(&format!(
            "model = \"gpt-1b\"\ntokens = \"26B\"\ncluster = \"a2-highgpu-8g\"\n[[prices]]\n\
             instance = \"a2-highgpu-8g\"\nprovider = \"gcp\"\nprice_type = \"calendar\"\n\
             usd_per_gpu_hour = 2.1\nregion = \"us-central1\"\n[reserve]\nnodes = 4\n\
             product = \"gcp-calendar\"\nstart = \"2026-12-01\"\nzone = \"{zone}\"\n"
        ));
        found.unwrap().bookings.remove(0).notes.join("\n")
    };
    let told = "the price is of us-central1, and europe-west4-a is in europe-west4";
    assert!(notes("europe-west4-a").contains(told));
    assert!(!notes("us-central1-a").contains("the price is of us-central1"));
}

/// A start as far ahead as can be booked can be.
#[test]
fn the_last_day_that_can_be_booked_is_one() {
    let of = |as_of: &str| {
        answer_to(&format!(
            "model = \"gpt-1b\"\ntokens = \"26B\"\ncluster = \"p4d\"\n[reserve]\nnodes = 4\n\
             product = \"capacity-block\"\nstart = \"2026-12-01\"\nas_of = \"{as_of}\"\n"
        ))
    };
    // Eight weeks before.
    assert!(of("2026-10-06").is_ok());
    assert!(of("2026-10-05").is_err());
}

/// What is told to suffice as a budget does, to the dollar, and a budget is told as it was typed.
#[test]
fn a_budget_is_told_as_typed_and_what_suffices_is_enough() {
    let job = |budget: &str| {
        format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"bm.gpu4.8\"\n[reserve]\nbudget = {budget}\n"
        )
    };
    // It takes 38,375.30 dollars.
    let found = answer_to(&job("38375.6")).unwrap();
    let usd = found.bookings[0].committed_usd.unwrap();
    assert!(usd > 38_375.2 && usd < 38_375.5, "{usd}");
    let bookings = Bookings {
        reservation: &found,
    };
    let document = format!("{:?}", bookings.document());
    assert!(
        document.contains("as fast as $38,375.60 allows"),
        "{document}"
    );
    assert!(document.contains("\"38,376\""), "{document}");
    assert!(answer_to(&job("38376")).is_ok());
    let Err(ReserveError::NotEnough { message, help }) = answer_to(&job("38375.2")) else {
        panic!("it takes more");
    };
    assert!(message.contains("for $38,375.20 "), "{message}");
    let help = help.join("\n");
    for told in ["takes $38,376 with", "`--budget 38376`", "$38,375.20 buys"] {
        assert!(help.contains(told), "{told} in {help}");
    }
}
