//! Links between nodes that rows show, or that none does.

use std::fs;

use serde_json::Value;

use super::{Fitted, SLOW_LINKS, expected, near, run, text};

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

/// Two clusters of H100 nodes, one linked as on its datasheet and one at an eighth of that.
const CLUSTERS: &str = "\
[clusters.slow]
gpu = \"h100\"
gpus_per_node = 8
max_gpus = 1024
inter_node_gbps = 400
source = \"ours\"

[clusters.fast]
gpu = \"h100\"
gpus_per_node = 8
max_gpus = 1024
inter_node_gbps = 3200
source = \"ours\"
";

/// Rows of one node, on a cluster, with others below them.
fn on_one_node(cluster: &str, more: &str) -> Fitted {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("clusters.toml"), CLUSTERS).unwrap();
    let rows = [
        "gpt-1b,2048,8,32,4,405510",
        "gpt-1b,2048,8,32,16,405271",
        "gpt-3b,2048,8,32,4,208381",
        "gpt-3b,8192,8,8,4,170634",
        "gpt-7b,2048,8,16,8,89844",
        "gpt-7b,8192,8,4,8,78964",
        more,
    ];
    let rows = rows.iter().filter(|row| !row.is_empty());
    let rows: Vec<String> = rows
        .map(|row| format!("{cluster},on,pure-bf16,{row}\n"))
        .collect();
    let rows = rows.concat();
    let header = "cluster,activation_checkpointing,stack,model,seq_len,gpus,micro_batch,grad_accum,\
                  throughput_tok_s\n";
    fs::write(dir.path().join("own.csv"), format!("{header}{rows}")).unwrap();
    let command = "fit own.csv --presets clusters.toml -o own.fit.toml";
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let said = run(dir.path(), &arguments);
    assert!(said.status.success(), "{}", text(&said.stderr));
    let said = text(&said.stdout);
    Fitted { dir, said }
}

/// A small global batch on 64 nodes.
fn on_64_nodes(fitted: &Fitted, cluster: &str) -> Value {
    fitted.json(&format!(
        "predict --model gpt-7b --cluster {cluster} --gpus 512 --seq-len 2048 --micro-batch 2 \
         --grad-accum 1 --checkpointing off --stack pure-bf16 --tokens 134B --presets clusters.toml"
    ))
}

/// What a prediction says of links that no row ran across.
fn unshown(prediction: &Value) -> Option<String> {
    let notes = prediction["notes"].as_array().unwrap();
    let mut notes = notes.iter().filter_map(Value::as_str);
    let note = notes.find(|note| note.contains("no row of the fit ran across"));
    note.map(str::to_owned)
}

#[test]
fn communication_over_links_that_no_row_ran_across_is_told() {
    let fitted = on_one_node("slow", "");
    let told = on_64_nodes(&fitted, "slow");
    let note = unshown(&told).unwrap();
    // Each GPU's share of 6 bytes a parameter over 50 GB/s, less what compute may hide.
    let step_s = told["step_time_s"]["expected"].as_f64().unwrap();
    let part = told["time_parts_s"]["communication"].as_f64().unwrap();
    assert!(part < 6.0 * 6.7e9 / 45e9, "{part}");
    assert!(part / step_s > 0.5, "{told}");
    let share = format!("is {:.0} % of its step", 100.0 * part / step_s);
    for words in [
        &share,
        "those of slow",
        "400 Gbit/s stated",
        "--max-gpus 16",
    ] {
        assert!(note.contains(words), "{words}: {note}");
    }
    // A plan says the same; links as fast as those inside a node, and one node, are no bottleneck.
    let plan = fitted.json(
        "plan --model gpt-7b --cluster slow --gpus 512 --global-batch 2Mi --stack pure-bf16 \
         --tokens 134B --presets clusters.toml",
    );
    assert!(unshown(&plan).unwrap().starts_with("rank "), "{plan}");
    assert_eq!(unshown(&on_64_nodes(&fitted, "fast")), None);
    let one_node = fitted.json(
        "predict --model gpt-7b --cluster slow --gpus 8 --seq-len 2048 --micro-batch 2 \
         --grad-accum 1 --checkpointing on --stack pure-bf16 --tokens 134B --presets clusters.toml",
    );
    assert_eq!(unshown(&one_node), None);
    // A row across them is what settles it.
    let shown = on_one_node("slow", "gpt-7b,2048,16,2,1,46000");
    assert_eq!(unshown(&on_64_nodes(&shown, "slow")), None);
}

/// Rows of one node say as little of the links out of it as rows of another cluster do.
#[test]
fn rows_of_one_node_leave_links_out_of_it_open() {
    let ends = |fitted: &Fitted| {
        let speed = &on_64_nodes(fitted, "slow")["throughput_tok_s"];
        ["low", "high"].map(|end| (speed[end].as_f64().unwrap() / expected_of(speed)).ln())
    };
    let [low, high] = ends(&on_one_node("slow", ""));
    let [elsewhere_low, elsewhere_high] = ends(&on_one_node("fast", ""));
    assert!(low < 0.95 * elsewhere_low, "{low} {elsewhere_low}");
    assert!(high > 0.95 * elsewhere_high, "{high} {elsewhere_high}");
}

fn expected_of(speed: &Value) -> f64 {
    speed["expected"].as_f64().unwrap()
}
