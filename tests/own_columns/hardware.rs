//! Which hardware a row ran on: GPUs, nodes, clusters.

use std::fs;
use std::process::Command;

use tminus::fit_file::embedded_fit;
use tminus::measure::read;
use tminus::throughput::doubts;

use super::{CATALOG, refused, table, told};

/// One name of a cluster that isn't known may stand for nodes of several GPUs.
#[test]
fn a_cluster_that_is_not_known_is_of_the_gpu_of_each_row() {
    let text = "model,gpus,seq_len,micro_batch,grad_accum,ac,cluster,gpu,nodes,stack,tok/s\n\
                gpt-7b,16,2048,4,4,on,mine,a100-40gb,4,bf16-gather,40000\n\
                gpt-7b,16,2048,4,4,on,mine,h100,4,bf16-gather,120000\n";
    let rows = read("t.csv", text, &CATALOG).unwrap().rows;
    let gpus: Vec<&str> = rows.iter().map(|row| &*row.cluster.gpu.name).collect();
    assert_eq!(gpus, ["a100-40gb", "h100"]);
    let said: Vec<String> = doubts(&embedded_fit().unwrap(), &rows)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn nodes_and_gpus_go_together() {
    // A node's eight GPUs, written before their name.
    let of = |headers: &str, cells: &str| {
        let text = table(headers, cells).replace(",h100,", ",8xH100,");
        let table = read("t.csv", &text, &CATALOG).unwrap();
        (table.rows[0].configuration.gpus, table.notes.join("\n"))
    };
    let (gpus, note) = of("nodes", "8");
    assert_eq!(gpus, 64);
    assert!(note.contains("64 together"), "{note}");
    assert_eq!(of("nodes,gpus", "8,64").0, 64);
    // Nodes of other GPUs than usual are another cluster, by whose name they are read back.
    for (headers, cells) in [
        ("nodes,gpus_per_node", "16,4"),
        ("nodes,gpus", "16,64"),
        ("gpus,gpus_per_node", "64,4"),
    ] {
        let (row, note) = told(headers, cells);
        assert_eq!(row.configuration.gpus, 64);
        assert_eq!(row.cluster.gpus_per_node, 4, "{headers}");
        assert_eq!(row.cluster.name, "h100-nodes-of-4");
        assert!(note.contains("a cluster of their own"), "{note}");
    }
    for (headers, cells) in [
        ("nodes,gpus", "8,64"),
        ("nodes,gpus,gpus_per_node", "8,60,8"),
        ("nodes,gpus", "node[1-8],64"),
    ] {
        assert!(told(headers, cells).0.cluster.stands_for_gpu(), "{headers}");
    }
    for (headers, cells, said) in [
        (
            "nodes,gpus_per_node,gpus",
            "2,8,8",
            "8 GPUs contradict 2 nodes of 8",
        ),
        ("nodes,gpus", "1,64", "64 GPUs on 1 node are not 8 a node"),
        ("nodes,gpus", "5,64", "expected 8"),
        ("nodes,gpus,cluster", "16,64,h100-cluster", "have 8"),
    ] {
        let refusal = refused(headers, cells);
        assert!(refusal.contains(said), "{headers}: {refusal}");
    }
}

#[test]
fn gpus_that_stay_while_nodes_grow_are_of_each_node() {
    let gpus = |rows: [&str; 2]| -> Vec<u64> {
        let rows = rows.map(|row| format!("gpt-7b,a100-80gb,2048,4,2,on,{row},bf16-gather,20000"));
        let header = "model,gpu,seq_len,mbs,gas,ac,nodes,gpus,stack,tok/s";
        let text = format!("{header}\n{}\n", rows.join("\n"));
        let rows = read("t.csv", &text, &CATALOG).unwrap().rows;
        rows.iter().map(|row| row.configuration.gpus).collect()
    };
    assert_eq!(gpus(["4,8", "2,8"]), [32, 16]);
    assert_eq!(gpus(["1,8", "2,8"]), [8, 16]);
    assert_eq!(gpus(["4,32", "2,16"]), [32, 16]);
    // Nodes of fewer GPUs than usual.
    assert_eq!(gpus(["2,8", "2,8"]), [8, 8]);
    assert_eq!(gpus(["4,4", "2,4"]), [4, 4]);
}

/// Rows that run on other nodes are not one cell, and a fit of them can be kept.
#[test]
fn a_fit_holds_rows_of_other_nodes() {
    let dir = tempfile::tempdir().unwrap();
    let text = "model,gpu,nodes,gpus_per_node,seq_len,micro_batch,grad_accum,ac,tok/s,stack\n\
                gpt-7b,h100,4,4,2048,4,2,on,100000,bf16-gather\n\
                gpt-7b,h100,2,8,2048,4,2,on,120000,bf16-gather\n";
    fs::write(dir.path().join("own.csv"), text).unwrap();
    let run = |arguments: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_tminus"))
            .current_dir(dir.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    };
    let said = run(&["fit", "own.csv", "-o", "own.fit.toml"]);
    assert!(!said.contains("one configuration"), "{said}");
    run(&[
        "predict",
        "--model",
        "gpt-7b",
        "--cluster",
        "h100-nodes-of-4",
        "--gpus",
        "16",
        "--fit",
        "own.fit.toml",
    ]);
}

#[test]
fn copies_go_into_the_gpus() {
    for (headers, cells) in [
        ("gpus,dp,tp,pp", "64,16,2,2"),
        ("gpus,data_parallel_size", "64,64"),
        ("gpus,dp,tp", "64,64,8"),
        // Megatron counts those of a sequence among the copies.
        ("gpus,dp,tp,cp", "64,8,4,2"),
        ("gpus,dp,tp,cp", "64,16,4,2"),
        ("gpus,dp,tp,ep", "64,2,4,8"),
        ("gpus,dp", "64,-1"),
        ("gpus,parallelism.data_parallel_degree", "64,64"),
    ] {
        // A batch that every GPU can have its share of.
        let cells = cells.to_owned();
        let text = table(headers, &cells).replace(",8192,1,2,", ",8192,1,64,");
        let table = read("t.csv", &text, &CATALOG);
        assert!(table.is_ok(), "{headers} {cells}: {table:?}");
    }
    for (headers, cells, said) in [
        (
            "gpus,dp,tp,pp",
            "64,4,2,2",
            "4 copies, each split over 4 GPUs, are 16 GPUs, not 64",
        ),
        ("gpus,dp", "64,8", "8 copies are 8 GPUs, not 64"),
        ("gpus,dp_replicate,dp_shard", "64,4,8", "not 64"),
    ] {
        let refusal = refused(headers, cells);
        assert!(refusal.contains(said), "{headers}: {refusal}");
    }
}

#[test]
fn another_card_is_not_offered_for_one_that_is_not_known() {
    for name in ["V100", "H100 PCIe", "H100 NVL", "GH200", "A10G", "TPU v4"] {
        let text = table("gpus", "64").replace(",h100,", &format!(",{name},"));
        let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
        assert!(!refusal.contains("did you mean"), "{refusal}");
        assert!(refusal.contains("[gpus."), "{refusal}");
    }
    let text = table("gpus", "64").replace(",h100,", ",A100,");
    let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
    assert!(refusal.contains("did you mean `a100-40gb`"), "{refusal}");
}

/// Who makes a GPU is no part of its name, and no other architecture is offered in its place.
#[test]
fn a_gpus_vendor_is_no_part_of_its_name() {
    for (name, gpu) in [
        ("NVIDIA H100 80GB", "h100"),
        ("NVIDIA H100", "h100"),
        ("nvidia-h200-141gb", "h200"),
        ("NVIDIA A100 80GB", "a100-80gb"),
    ] {
        let text =
            format!("model,gpu,gpus,seq_len,mbs,ga,ac,tps\ngpt-7b,{name},8,2048,4,2,on,25000\n");
        let rows = read("t.csv", &text, &CATALOG).unwrap().rows;
        assert_eq!(rows[0].cluster.gpu.name, gpu, "{name}");
    }
    let text = "model,gpu,gpus,seq_len,mbs,ga,ac,tps\ngpt-7b,H100 80GB foo,8,2048,4,2,on,25000\n";
    let refusal = read("t.csv", text, &CATALOG).unwrap_err().to_string();
    assert!(!refusal.contains("a100"), "{refusal}");
}
