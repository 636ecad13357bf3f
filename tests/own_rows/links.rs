//! Links between nodes that rows show, or that none does.

use serde_json::Value;

use super::{Fitted, SLOW_LINKS, expected, near};

/// Three rows on a network half as fast as that of the embedded tables, without what their
/// cluster is called.
const SLOW_NETWORK: [&str; 3] = [
    "gpt-13b,a100-80gb,8,2048,8,2,on,12903.84020340112",
    "gpt-7b,a100-80gb,8,2048,8,4,on,23372.100733684536",
    "gpt-3b,a100-80gb,8,2048,8,4,on,50456.53022346323",
];

/// These rows on a cluster, or on one that isn't named.
fn slow_network(cluster: Option<&str>) -> Fitted {
    let (column, cell) = match cluster {
        Some(name) => ("cluster,", format!("{name},")),
        None => ("", String::new()),
    };
    let rows = SLOW_NETWORK.map(|row| format!("{cell}{row}\n")).concat();
    Fitted::to(&format!(
        "{column}model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,\
         throughput_tok_s\n{rows}"
    ))
}

fn slow_cell(fitted: &Fitted, cluster: &str) -> Value {
    fitted.json(&format!(
        "predict --model gpt-13b --cluster {cluster} --gpus 8 --seq-len 2048 --micro-batch 8 \
         --grad-accum 2 --checkpointing on"
    ))
}

#[test]
fn a_network_measured_on_no_named_cluster_is_that_of_every_cluster_of_its_gpu() {
    let fitted = slow_network(None);
    assert!(
        fitted
            .said
            .contains("on every cluster of a100-80gb (rows name none)"),
        "{}",
        fitted.said
    );
    let cell = slow_cell(&fitted, "r1z1");
    assert!(near(expected(&cell), 12_904.0, 0.01), "{cell}");
    // As if the table had named it.
    let named = slow_cell(&slow_network(Some("r1z1")), "r1z1");
    assert!(near(expected(&cell), expected(&named), 1e-9));
}

#[test]
fn a_network_measured_elsewhere_is_not_taken_over_unsaid() {
    let fitted = slow_network(Some("hpc7"));
    let elsewhere = slow_cell(&fitted, "r1z1");
    assert!(expected(&elsewhere) > 13_500.0, "{elsewhere}");
    let note = elsewhere["notes"][0].as_str().unwrap();
    assert!(
        note.contains("no say on r1z1") && note.contains("on hpc7"),
        "{note}"
    );
    // The cluster of the rows can be named, though no preset describes it.
    let there = slow_cell(&fitted, "hpc7");
    assert!(near(expected(&there), 12_904.0, 0.01), "{there}");
    assert!(!there["notes"].to_string().contains("no say"), "{there}");
}

#[test]
fn cells_of_a_slowly_linked_cluster_are_not_measured_on_another() {
    let fitted = Fitted::to(SLOW_LINKS);
    let cell = |cluster: &str, gpus: u64| {
        fitted.json(&format!(
            "predict --model gpt-7b --cluster {cluster} --gpus {gpus} --micro-batch 32 --grad-accum 1 \
             --checkpointing on"
        ))
    };
    assert_eq!(cell("lab", 64)["basis"], "measured");
    let elsewhere = cell("h100-cluster", 64);
    assert_eq!(elsewhere["basis"], "extrapolated", "{elsewhere}");
    let axes = elsewhere["basis_detail"]["axes"].to_string();
    assert!(axes.contains("links between nodes as stated"), "{axes}");
    // One node needs no links.
    assert_eq!(cell("h100-cluster", 8)["basis"], "measured");
}
