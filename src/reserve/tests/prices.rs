//! Which price a product's hours are billed at.

use super::{answer, answer_to, asked_of};
use crate::reserve::{Booking, ReserveError};

/// A price of one's own, by cluster and kind.
fn own(cluster: &str, kind: &str) -> String {
    format!(
        "[[prices]]\ninstance = \"{cluster}\"\nprice_type = \"{kind}\"\nusd_per_gpu_hour = 1.5\n"
    )
}

/// Products and what a GPU-hour of each is billed at, once each.
fn rates(bookings: &[Booking]) -> Vec<(&str, Option<f64>)> {
    let rate = |booking: &Booking| booking.price.as_ref().map(|price| price.usd_per_gpu_hour);
    let mut rates: Vec<_> = bookings
        .iter()
        .map(|booking| (booking.product.as_str(), rate(booking)))
        .collect();
    rates.sort_by(|a, b| a.0.cmp(b.0));
    rates.dedup();
    rates
}

/// What a plan says an hour costs is what hours are billed at, whatever the price is called.
#[test]
fn hours_are_billed_at_what_a_plan_is_costed_at() {
    for (kind, usd) in [
        ("pay-as-you-go", 1.5),
        ("payg", 1.5),
        ("list", 1.5),
        ("standard", 1.5),
        ("On Demand", 1.5),
        ("on_demand", 1.5),
        ("1yr", 1.5),
        ("savings-plan-3y", 1.5),
        ("spot", 2.745),
        ("commit-1y", 2.745),
        ("Capacity_Block", 2.745),
    ] {
        let job = format!(
            "model = \"gpt-1b\"\ntokens = \"26B\"\ncluster = \"p4d.24xlarge\"\n\
             [reserve]\nproduct = \"on-demand\"\ndeadline = \"40d\"\n{}",
            own("p4d.24xlarge", kind)
        );
        let (request, _) = asked_of(&job);
        let planned = request.pricing.price(&request.clusters[0]).unwrap();
        assert!((planned.usd_per_gpu_hour - usd).abs() < 1e-9, "{kind}");
        let found = answer_to(&job).unwrap();
        assert_eq!(rates(&found.bookings), [("on-demand", Some(usd))], "{kind}");
        // A kind that doesn't say what it is of is told with the price.
        let unsaid = found.bookings[0].notes.iter();
        let unsaid = unsaid.filter(|note| note.contains("it is taken for hours on demand"));
        let says = ["1yr", "savings-plan-3y"].contains(&kind);
        assert_eq!(unsaid.count(), usize::from(says), "{kind}");
    }
}

/// A price of one's own is enough to buy hours at, and to hold a budget against.
#[test]
fn hours_are_sold_where_one_s_own_price_is_the_only_one() {
    let job = |kind: &str, more: &str| {
        format!(
            "cluster = \"h100-cluster\"\n{more}[reserve]\nbudget = 9000\n{}",
            own("h100-cluster", kind)
        )
    };
    for (kind, more) in [
        ("On-Demand", ""),
        ("pay-as-you-go", ""),
        ("quote", ""),
        ("spot", "price_type = \"spot\"\n"),
    ] {
        let found = answer(&job(kind, more)).unwrap();
        assert_eq!(rates(&found.bookings), [("on-demand", Some(1.5))], "{kind}");
    }
    // Spot nodes that nobody asked for are no hours on demand.
    let refused = answer(&job("spot", ""));
    assert!(matches!(refused, Err(ReserveError::NotSold { .. })));
}

/// A price of one's own cluster doesn't make it one that somebody sells, unless it says so.
#[test]
fn one_s_own_cluster_is_booked_as_before() {
    for (kind, product) in [
        ("internal", "slurm"),
        ("spot", "slurm"),
        ("On-Demand", "on-demand"),
    ] {
        let found = answer(&format!(
            "cluster = \"lab\"\n[clusters.lab]\ngpu = \"a100-80gb\"\nmax_gpus = 64\n\
             inter_node_gbps = 1600\n[reserve]\ndeadline = \"20d\"\n{}",
            own("lab", kind)
        ));
        assert_eq!(
            rates(&found.unwrap().bookings),
            [(product, Some(1.5))],
            "{kind}"
        );
    }
    let found = answer("cluster = \"r1z1\"\n[reserve]\ndeadline = \"20d\"\n").unwrap();
    assert_eq!(rates(&found.bookings), [("slurm", Some(2.5))]);
}

/// A kind of price that another product has for its hours is not that of hours on demand.
#[test]
fn a_product_of_hours_keeps_its_own_kind() {
    let found = answer(&format!(
        "cluster = \"a2-highgpu-8g\"\n[products.flex]\nclusters = [\"a2-highgpu-8g\"]\n\
         price_type = \"flex\"\nlengths = [{{ step = \"1h\", up_to = \"7d\" }}]\nbilling = \"used\"\n\
         [reserve]\nproduct = [\"flex\", \"on-demand\"]\ndeadline = \"20d\"\n{}",
        own("a2-highgpu-8g", "Flex")
    ));
    assert_eq!(
        rates(&found.unwrap().bookings),
        [("flex", Some(1.5)), ("on-demand", Some(3.673))]
    );
}

/// Where hours on demand have no price in a region, those of spot nodes are none.
#[test]
fn hours_on_demand_are_not_billed_at_whatever_is_known() {
    let found = answer(&format!(
        "cluster = \"p4d.24xlarge\"\nregion = \"us-west-2\"\n[reserve]\nproduct = \"on-demand\"\n\
         deadline = \"40d\"\n{}region = \"us-west-2\"\n",
        own("p4d.24xlarge", "spot")
    ))
    .unwrap();
    assert_eq!(rates(&found.bookings), [("on-demand", None)]);
    let why =
        |note: &String| note.contains("no on-demand price is known for p4d.24xlarge in us-west-2");
    assert!(found.bookings[0].notes.iter().any(why));
}
