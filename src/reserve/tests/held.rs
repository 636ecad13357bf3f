//! What is said beside the figures of a booking: what its price binds to, why nodes are spare, and what
//! was left out.

use super::{answer, answer_to};
use crate::report::{Answer, Bookings};
use crate::reserve::{ReserveError, Role, RuledOut};

/// A budget that a part of a commitment keeps is told to be kept by that alone.
#[test]
fn a_budget_kept_by_a_part_of_a_commitment_says_so() {
    let job = |price_type: &str| {
        answer_to(&format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"a2-highgpu-8g\"\n\
             price_type = \"{price_type}\"\n\
             [reserve]\nproduct = \"on-demand\"\nbudget = 80000\nstart = \"2026-12-01\"\n"
        ))
        .unwrap()
    };
    let found = job("commit-3y");
    let booking = found.recommended().unwrap();
    let (part, all) = (
        booking.committed_usd.unwrap(),
        booking.commitment_usd.unwrap(),
    );
    assert!(part <= 80_000.0 && all > 800_000.0, "{part} {all}");
    let told = |reservation| {
        let bookings = Bookings { reservation };
        let document = format!("{:?}", bookings.document());
        let besides = bookings.besides().join("\n");
        [document, besides].map(|text| text.contains("by this run's part of a commitment alone"))
    };
    assert_eq!(told(&found), [true, true]);
    let plain = job("on-demand");
    assert_eq!(plain.recommended().unwrap().commitment_usd, None);
    assert_eq!(told(&plain), [false, false]);
}

/// Nodes that only the multiples sold make spares say so, and what training on them does.
#[test]
fn spares_of_a_multiple_are_told() {
    let notes = |nodes: u64| {
        let found = answer_to(&format!(
            "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"quad\"\n\
             [clusters.quad]\ngpu = \"h100\"\ngpus_per_node = 4\nmax_gpus = 132\ninter_node_gbps = 1600\n\
             [products.tog]\nclusters = [\"quad\"]\nlengths = [{{ step = \"5d\", up_to = \"20d\" }}]\n\
             gpu_multiple = 24\n\
             [reserve]\nproduct = \"tog\"\nnodes = {nodes}\nstart = \"2026-12-01T10:00Z\"\n"
        ));
        found.unwrap().bookings.remove(0).notes.join("\n")
    };
    let told = notes(7);
    let why = "5 of the 5 spare nodes are there because GPUs of quad are sold in multiples of 24: 12 nodes \
               are the fewest that hold 7";
    assert!(told.contains(why), "{told}");
    assert!(told.contains("training on 12 of them needs"), "{told}");
    assert!(!notes(12).contains("multiples"));
}

/// The smallest has the fewest GPUs, in however many nodes.
#[test]
fn the_smallest_has_the_fewest_gpus() {
    let found = answer_to(
        "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = [\"p4d.24xlarge\", \"lab\"]\n\
         [clusters.lab]\ngpu = \"a100-80gb\"\ngpus_per_node = 4\nmax_gpus = 4000\ninter_node_gbps = 800\n\
         usd_per_gpu_hour = 1.8\n\
         [reserve]\ndeadline = \"14d\"\nstart = \"2026-12-01\"\n",
    )
    .unwrap();
    let gpus = found.bookings.iter().map(|booking| booking.booked_gpus);
    let fewest = gpus.min().unwrap();
    let smallest = |role: &Role| *role == Role::Smallest;
    for booking in &found.bookings {
        let is = booking.overall_roles.iter().any(smallest);
        let own = booking.roles.iter().any(smallest);
        assert_eq!(is, own && booking.booked_gpus == fewest, "{booking:?}");
    }
}

/// A cluster that has no node beside the spares is ruled out, and the others answer.
#[test]
fn too_many_spares_for_one_cluster_rule_it_out_alone() {
    let found = answer_to(
        "model = \"gpt-7b\"\ntokens = \"134B\"\n\
         cluster = [\"r1z1\", \"gpu_8x_a100_80gb_sxm4\"]\n[reliability]\nspares = 2\n\
         [reserve]\ndeadline = \"14d\"\n",
    )
    .unwrap();
    assert!(
        found
            .bookings
            .iter()
            .all(|booking| booking.cluster == "r1z1")
    );
    let out = found.ruled_out.iter();
    let mut out = out.filter(|out| out.cluster == "gpu_8x_a100_80gb_sxm4");
    assert!(
        out.any(|out| out.reason.contains("spares")),
        "{:?}",
        found.ruled_out
    );
}

/// A cluster that no product asked for sells is named, with what it is booked by.
#[test]
fn a_cluster_that_is_not_sold_so_is_ruled_out() {
    let of = |product: &str| {
        answer(&format!(
            "clusters = [\"p4d.24xlarge\", \"r1z1\"]\n[reserve]\nnodes = 2\n{product}\
             start = \"2026-12-01T09:00Z\"\n",
        ))
        .unwrap()
    };
    let found = of("product = \"on-demand\"\n");
    let out: Vec<&RuledOut> = found.ruled_out.iter().filter(|out| !out.sold).collect();
    let [out] = out[..] else {
        panic!("{:?}", found.ruled_out);
    };
    assert_eq!((&*out.cluster, &*out.product), ("r1z1", "on-demand"));
    assert!(out.reason.contains("booked by slurm"), "{}", out.reason);
    // Sold by one of two, it is booked by that one, and nothing is left out.
    for product in ["", "product = [\"on-demand\", \"slurm\"]\n"] {
        let found = of(product);
        assert!(
            found.ruled_out.iter().all(|out| out.sold),
            "{:?}",
            found.ruled_out
        );
        assert!(
            found
                .bookings
                .iter()
                .any(|booking| booking.cluster == "r1z1")
        );
    }
}

/// A run that outlasts one term of a commitment is bound by as many as it takes.
#[test]
fn a_commitment_is_of_as_many_terms_as_the_run_takes() {
    for (tokens, terms, told) in [
        ("26B", 1.0, "nodes for 8,760 h"),
        ("260B", 2.0, "2 terms of 8,760 h"),
    ] {
        let found = answer_to(&format!(
            "model = \"gpt-13b\"\ntokens = \"{tokens}\"\ncluster = \"a2-highgpu-8g\"\n\
             price_type = \"commit-1y\"\n\
             [reserve]\nproduct = \"on-demand\"\nnodes = 2\nstart = \"2026-12-01\"\n"
        ));
        let booking = found.unwrap().bookings.remove(0);
        let rate = booking.price.as_ref().unwrap().usd_per_gpu_hour * booking.booked_gpus as f64;
        let hours = booking.commitment_usd.unwrap() / rate;
        assert!((hours - terms * 8_760.0).abs() < 1e-6, "{hours}");
        assert!(hours >= booking.needed_h && hours < booking.needed_h + 8_760.0);
        let says = |note: &String| note.contains(told);
        assert!(booking.notes.iter().any(says), "{:?}", booking.notes);
    }
}

/// Nodes that are too many only in the multiples sold say so, and what they are told to be instead can be
/// booked.
#[test]
fn nodes_are_too_many_in_the_multiples_they_are_sold_in() {
    let job = |most: u64, goal: &str| {
        format!(
            "model = \"gpt-3b\"\ntokens = \"60B\"\ncluster = \"r1z1\"\n[products.x]\n\
             clusters = [\"r1z1\"]\nlengths = [{{ step = \"1h\" }}]\nmax_nodes = {most}\n\
             gpu_multiple = 64\n[reserve]\nproduct = \"x\"\n{goal}\n"
        )
    };
    let refused = |most: u64, goal: &str| match answer_to(&job(most, goal)) {
        Err(ReserveError::NotSold { message, help }) => (message, help.join("\n")),
        other => panic!("{other:?}"),
    };
    let (message, help) = refused(6, "nodes = 5");
    let why = "5 nodes are sold as 8, since GPUs are sold in multiples of 64: more than the 6 of one booking";
    assert!(message.contains(why), "{message}");
    assert!(
        !help.contains("`--nodes`") && help.contains("`--product`"),
        "{help}"
    );
    let (message, help) = refused(6, "deadline = \"30d\"");
    assert!(message.contains("1 node is sold as 8"), "{message}");
    assert!(!help.contains("`--gpus`"), "{help}");
    let (message, help) = refused(20, "nodes = 18");
    assert!(message.contains("18 nodes are sold as 24"), "{message}");
    assert!(help.contains("at most 16 nodes (`--nodes`)"), "{help}");
    let (message, _) = refused(20, "nodes = 32");
    assert!(
        message.contains("32 nodes are more than the 20 of one booking"),
        "{message}"
    );
    let booking = answer_to(&job(20, "nodes = 16"))
        .unwrap()
        .bookings
        .remove(0);
    assert_eq!(booking.booked_nodes, 16);
}
