//! In what a place differs from the embedded tables, in words.

use super::NAMED;
use crate::report::number::{percent, significant};
use crate::throughput::coefficients::Id;
use crate::throughput::{Hypothesis, LayerSummary};

/// What differs from the embedded tables.
pub(super) fn in_words(layer: &LayerSummary<'_>) -> String {
    let ratio = |id: Id| layer.values[id] / layer.before[id];
    match layer.hypothesis {
        None => "fitted to these rows alone".to_owned(),
        Some(Hypothesis::Same) => "more rows of the kind the embedded tables hold".to_owned(),
        Some(Hypothesis::Scale) => uniform(ratio(Id::Scale)),
        Some(Hypothesis::Network) => {
            let moved = [
                (Id::BusBandwidth, "the bandwidth"),
                (Id::NodeLatency, "the latency a layer"),
                (Id::Synchronization, "the wait for the slowest node"),
            ];
            network(&clusters(layer), &moved.map(|(id, what)| (ratio(id), what)))
                + &between_nodes(layer)
        }
        Some(Hypothesis::Stack) => {
            "the software looks different: kernels, overlap or launch overheads".to_owned()
                + &between_nodes(layer)
        }
        Some(Hypothesis::Later) => {
            "the software looks later than the stack's name says: gathers in bf16, later kernels; \
             with `stack = \"bf16-gather\"` in its column and in the job, memory is predicted for it too"
                .to_owned()
                + &between_nodes(layer)
        }
        Some(Hypothesis::Gpu) => {
            "a GPU the embedded tables never saw: kernels, memory and links may all differ"
                .to_owned()
                + &between_nodes(layer)
        }
    }
}

/// That the network is another, and what of it moved.
pub(super) fn network(clusters: &str, ratios: &[(f64, &str)]) -> String {
    let moved = ratios.iter().filter(|(ratio, _)| ratio.ln().abs() > NAMED);
    let moved: Vec<String> = moved
        .map(|(ratio, what)| format!("{} times {what}", significant(*ratio)))
        .collect();
    let looks = format!("the network looks different on {clusters}");
    if moved.is_empty() {
        looks
    } else {
        format!("{looks}: {}", moved.join(", "))
    }
}

/// What the links between nodes carry, where that isn't what is stated.
fn between_nodes(layer: &LayerSummary<'_>) -> String {
    let of_cluster = |(name, share): &(&str, f64)| {
        let cluster = layer.clusters.iter().find(|cluster| cluster.name == *name);
        let bytes_per_s = cluster.and_then(|cluster| cluster.inter_node_bytes_per_s);
        let rate = bytes_per_s.map_or_else(String::new, |rate| {
            let gbit_per_s = significant(share * rate * 8.0 / 1e9);
            format!("about {gbit_per_s} Gbit/s a node, ")
        });
        let whose = if cluster.is_some_and(|cluster| cluster.stands_for_gpu()) {
            format!("{name} (rows name no cluster)")
        } else {
            (*name).to_owned()
        };
        let why = if *share > 1.0 {
            ": is that the rate of one network card?"
        } else {
            ""
        };
        format!(
            "; the links between nodes of {whose} carry {rate}{} times what is stated or assumed of them{why}",
            significant(*share)
        )
    };
    layer.links.iter().map(of_cluster).collect()
}

/// The clusters that a different network was seen on, which are those it is believed of.
fn clusters(layer: &LayerSummary<'_>) -> String {
    let names = layer.clusters.iter().map(|cluster| {
        if cluster.stands_for_gpu() {
            format!("every cluster of {} (rows name none)", cluster.name)
        } else {
            cluster.name.clone()
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

fn uniform(ratio: f64) -> String {
    let share = (ratio - 1.0).abs();
    if share < NAMED {
        return "these rows look as the embedded tables predict, within 1 %".to_owned();
    }
    let direction = if ratio > 1.0 { "faster" } else { "slower" };
    format!(
        "these rows look uniformly {} % {direction} than the embedded tables predict",
        percent(share)
    )
}
