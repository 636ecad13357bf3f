//! Which of several prices a job is costed at.

use super::planned_with;
use crate::job::{PriceSettings, Settings, Sourced};

const SPOT: &str = "[[prices]]\ninstance = \"p4d.24xlarge\"\nprice_type = \"spot\"\n\
                    usd_per_gpu_hour = 1.1\n";
const LAB: &str = "[clusters.lab]\ngpu = \"h100\"\nmax_gpus = 8\nusd_per_gpu_hour = 1.8\n";
const UNTYPED: &str = "[[prices]]\ninstance = \"a2-highgpu-8g\"\nusd_per_gpu_hour = 2.2\n";

fn of_type(price_type: &str) -> Settings {
    Settings {
        prices: PriceSettings {
            price_type: Some(Sourced::flag("--price-type", price_type.to_owned())),
            ..PriceSettings::default()
        },
        ..Settings::default()
    }
}

/// Dollars, the kind, and what is said of it.
fn priced(flags: Settings, job: &str) -> (String, String, String) {
    let request = planned_with(flags, &format!("model = \"gpt-7b\"\n{job}")).unwrap();
    let (pricing, cluster) = (&request.pricing, &request.clusters[0]);
    let price = pricing.price(cluster).unwrap();
    let notes = pricing.notes(cluster).join("\n");
    let usd = price.usd_per_gpu_hour.to_string();
    (usd, price.price_type.clone(), notes)
}

#[test]
fn a_quote_for_spot_nodes_displaces_no_price_of_nodes_that_stay() {
    let p4d = format!("cluster = \"p4d.24xlarge\"\n{SPOT}");
    assert_eq!(priced(Settings::default(), &p4d).1, "on-demand");
    assert_eq!(priced(of_type("spot"), &p4d).0, "1.1");
    // However it is spelled.
    for kind in ["on_demand", "On Demand"] {
        assert_eq!(priced(of_type(kind), &p4d).1, "on-demand");
    }
    let lab = format!("{LAB}{}", SPOT.replace("p4d.24xlarge", "lab"));
    assert_eq!(priced(Settings::default(), &lab).0, "1.8");
    // What is all that is known is better than nothing.
    let alone = lab.replace("usd_per_gpu_hour = 1.8\n", "");
    assert_eq!(priced(Settings::default(), &alone).0, "1.1");
}

#[test]
fn the_kind_asked_for_goes_before_what_is_stated_without_one() {
    let a2 = format!("cluster = \"a2-highgpu-8g\"\n{UNTYPED}");
    assert_eq!(priced(Settings::default(), &a2).0, "2.2");
    assert_eq!(priced(of_type("spot"), &a2).0, "1.928");
    let file = "cluster = \"a2-highgpu-8g\"\nusd_per_gpu_hour = 3\n";
    assert_eq!(priced(of_type("spot"), file).0, "1.928");
    // Both set at one place are one price.
    let both = format!("price_type = \"spot\"\n{file}");
    let (usd, _, notes) = priced(Settings::default(), &both);
    assert!(usd == "3" && notes.contains("for spot nodes"), "{notes}");
}

#[test]
fn what_stands_in_for_a_price_not_known_is_called_what_it_is() {
    let (usd, _, notes) = priced(of_type("commit-3y"), LAB);
    let told =
        "no commit-3y price of lab is known: the one stated for it is taken, $1.80 per GPU-hour";
    assert!(usd == "1.8" && notes == told, "{notes}");
    let (_, _, notes) = priced(of_type("spot"), LAB);
    assert!(!notes.contains("for spot nodes"), "{notes}");
    let (_, _, notes) = priced(Settings::default(), LAB);
    assert_eq!(notes, "");
}

/// A kind whose name says that its nodes are taken back is no price of nodes that stay, whoever
/// sells it; and one that says nothing is told to be taken for one.
#[test]
fn a_kind_is_what_its_name_says() {
    let priced = |kind: &str| {
        let quote = SPOT.replace("\"spot\"", &format!("\"{kind}\""));
        priced(
            Settings::default(),
            &format!("cluster = \"p4d.24xlarge\"\n{quote}"),
        )
    };
    for kind in ["preemptible", "low-priority", "Spot", "commit-1yr"] {
        assert_eq!(priced(kind).1, "on-demand", "{kind}");
    }
    let free = priced("no-commitment");
    assert_eq!((free.0.as_str(), free.1.as_str()), ("1.1", "no-commitment"));
    assert!(!free.2.contains("no-commitment"), "{}", free.2);
    let (usd, _, notes) = priced("quote");
    assert!(
        usd == "1.1" && notes.contains("is `quote`, which says nothing of whether its nodes stay"),
        "{notes}"
    );
}

/// Everywhere is everywhere, however it is spelled, and no region to ask for.
#[test]
fn a_price_of_all_regions_is_one_of_any() {
    for all in ["all", "All"] {
        let job = format!(
            "cluster = \"p4d.24xlarge\"\nregion = \"us-east-1\"\n{}region = \"{all}\"\n",
            SPOT.replace("spot", "on-demand")
        );
        assert_eq!(priced(Settings::default(), &job).0, "1.1", "{all}");
        let asked = job.replace("us-east-1", all);
        assert!(
            planned_with(Settings::default(), &format!("model = \"gpt-7b\"\n{asked}")).is_err()
        );
    }
}
