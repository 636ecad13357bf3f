//! What the embedded catalog holds, and how files add to it.

use std::path::Path;

use super::OWN_GPU;
use crate::diagnostic::Origin;
use crate::preset::{Catalog, EMBEDDED, Tables, parse};

/// What is described otherwise keeps the names it is found by, and a model of a name of its own that of
/// its table.
#[test]
fn other_names_outlive_a_new_description() {
    let text = "[clusters.\"p4d.24xlarge\"]\ngpu = \"a100-40gb\"\nmax_gpus = 64\n\
                inter_node_gbps = 400\naliases = [\"ours\"]\n\
                [models.mine]\nname = \"My Model\"\narchitecture = \"llama\"\nd_model = 2048\n\
                n_layers = 16\nn_heads = 16\nd_ff = 5632\nvocab_size = 50304\nrotary_share = 1.0\n";
    let catalog = Catalog::embedded().with_file("mine.toml", text).unwrap();
    for name in ["p4d", "aws-p4d", "ours"] {
        assert_eq!(catalog.cluster(name).unwrap().max_gpus, 64, "{name}");
    }
    assert_eq!(catalog.model("mine").unwrap().name, "My Model");
}

#[test]
fn names_are_found_as_people_spell_them() {
    let catalog = Catalog::embedded();
    for spelling in [
        "gpt-7b",
        "gpt7b",
        "GPT-7B",
        "gpt_7b",
        "mosaicgpt-7b",
        "MosaicGPT 7b",
    ] {
        assert_eq!(
            catalog.model(spelling).unwrap().name,
            "gpt-7b",
            "{spelling}"
        );
    }
    for spelling in ["a100_40gb", "A100-40GB", "a100-sxm4-40gb"] {
        assert_eq!(
            catalog.gpu(spelling).unwrap().name,
            "a100-40gb",
            "{spelling}"
        );
    }
    for spelling in ["h100-80gb", "h100_80gb", "H100-SXM", "h100"] {
        assert_eq!(catalog.gpu(spelling).unwrap().name, "h100", "{spelling}");
    }
    assert_eq!(catalog.cluster("aws-p4d").unwrap().name, "p4d.24xlarge");
    assert_eq!(catalog.cluster("ND96asr_v4").unwrap().name, "nd96asr_v4");
    assert_eq!(
        catalog.model("meta-llama/Llama-2-7b-hf").unwrap().name,
        "llama-2-7b"
    );
}

#[test]
fn no_two_presets_share_a_spelling() {
    for (file, text) in EMBEDDED {
        let origin = Origin {
            name: file.to_owned(),
            text: text.into(),
        };
        let tables: Tables = parse(&origin).unwrap();
        let spellings = |entries: Vec<(&str, &[String])>| {
            let mut keys: Vec<String> = entries
                .iter()
                .flat_map(|(name, aliases)| {
                    let mut keys: Vec<String> = aliases
                        .iter()
                        .map(String::as_str)
                        .chain([*name])
                        .map(crate::preset::name::normalised)
                        .collect();
                    keys.sort();
                    keys.dedup();
                    keys
                })
                .collect();
            keys.sort();
            let all = keys.len();
            keys.dedup();
            assert_eq!(keys.len(), all, "{file}: {keys:?}");
        };
        spellings(
            tables
                .models
                .0
                .iter()
                .map(|(n, t)| (n.value.as_str(), t.aliases.as_slice()))
                .collect(),
        );
        spellings(
            tables
                .gpus
                .0
                .iter()
                .map(|(n, t)| (n.value.as_str(), t.aliases.as_slice()))
                .collect(),
        );
        spellings(
            tables
                .clusters
                .0
                .iter()
                .map(|(n, t)| (n.value.as_str(), t.aliases.as_slice()))
                .collect(),
        );
        spellings(
            tables
                .products
                .0
                .iter()
                .map(|(n, t)| (n.value.as_str(), t.aliases.as_slice()))
                .collect(),
        );
    }
}

#[test]
fn prices_are_those_of_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/prices.csv");
    let Ok(mut reader) = csv::Reader::from_path(path) else {
        println!("skipped: ../shared is not here");
        return;
    };
    let catalog = Catalog::embedded();
    let mut rows = 0;
    for row in reader.records() {
        let row = row.unwrap();
        let cluster = catalog.cluster(&row[1]).unwrap();
        assert_eq!(cluster.gpus_per_node.to_string(), row[2]);
        assert_eq!(cluster.gpu.name, row[3]);
        if !row[8].is_empty() {
            let gbps = cluster.inter_node_bytes_per_s.unwrap() * 8.0 / 1e9;
            assert_eq!(format!("{gbps:.0}"), row[8]);
        }
        let usd: f64 = row[5].parse().unwrap();
        assert!(
            cluster.prices.iter().any(|price| {
                (price.usd_per_gpu_hour - usd).abs() < 1e-9
                    && price.provider == row[0]
                    && price.instance == row[1]
                    && price.price_type == row[4]
                    && price.region == row[6]
                    && price.as_of == row[7]
                    && price.source == row[9]
            }),
            "{row:?}"
        );
        rows += 1;
    }
    assert_eq!(catalog.prices().count(), rows);
}

#[test]
fn a_generic_cluster_stands_for_every_gpu() {
    let catalog = Catalog::embedded().with_file("mine.toml", OWN_GPU).unwrap();
    for gpu in catalog.gpus() {
        let cluster = catalog.generic_cluster(&gpu.name).unwrap();
        assert_eq!((&cluster.name, cluster.gpus_per_node), (&gpu.name, 8));
        assert!(cluster.inter_node_bytes_per_s.is_some());
    }
    let measured = catalog.cluster("r7z2").unwrap().inter_node_bytes_per_s;
    let generic = catalog.generic_cluster("a100_40gb").unwrap();
    assert_eq!(generic.inter_node_bytes_per_s, measured);
}

#[test]
fn a_user_file_adds_and_overrides() {
    let text = "\
[gpus.a100_40gb]
peak_tflops = 300
hbm_tb_per_s = 1.5
usable_gib = 39
intra_node_gb_per_s = 300

[clusters.R7Z2]
gpu = 'a100-40gb'
max_gpus = 256
inter_node_gbps = 800

[clusters.lab]
gpu = 'h100'
max_gpus = 16
inter_node_gbps = 3200
usd_per_gpu_hour = 2.2

[[prices]]
instance = 'r7z2'
usd_per_gpu_hour = 1.5
";
    let catalog = Catalog::embedded().with_file("mine.toml", text).unwrap();
    let before = Catalog::embedded().clusters().count();
    assert_eq!(catalog.clusters().count(), before + 1);
    let r7z2 = catalog.cluster("r7z2").unwrap();
    assert_eq!(r7z2.max_gpus, 256);
    // The new price first, the one known before after it.
    let prices: Vec<f64> = r7z2.prices.iter().map(|p| p.usd_per_gpu_hour).collect();
    assert_eq!(prices, [1.5, 2.0]);
    let lab = catalog.cluster("lab").unwrap();
    assert_eq!(lab.prices.len(), 1);
    assert_eq!(lab.inter_node_bytes_per_s, Some(400e9));
    // The overridden GPU reaches the clusters made of it, also under its other spelling.
    for gpu in [
        &catalog.cluster("p4d").unwrap().gpu,
        catalog.gpu("a100-40gb").unwrap(),
    ] {
        assert!((gpu.peak_flops - 300e12).abs() < 1.0);
    }
}
