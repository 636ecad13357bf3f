use std::path::Path;

use proptest::prelude::*;

use super::{Catalog, EMBEDDED, Kind, parse};
use crate::diagnostic::Origin;

/// Exact parameter counts as published: the sum of tensor sizes of the released checkpoints, which
/// model hubs print, or the paper where it gives the exact number.
const PUBLISHED: &[(&str, u64, &str)] = &[
    ("gpt2", 124_439_808, "checkpoint"),
    ("gpt2-medium", 354_823_168, "checkpoint"),
    ("gpt2-large", 774_030_080, "checkpoint"),
    ("gpt2-xl", 1_557_611_200, "checkpoint"),
    ("pythia-70m", 70_426_624, "Pythia README, total parameters"),
    ("pythia-160m", 162_322_944, "Pythia README"),
    ("pythia-410m", 405_334_016, "Pythia README"),
    ("pythia-1b", 1_011_781_632, "Pythia README"),
    ("pythia-1.4b", 1_414_647_808, "Pythia README"),
    ("pythia-2.8b", 2_775_208_960, "Pythia README"),
    ("pythia-6.9b", 6_857_302_016, "Pythia README"),
    ("pythia-12b", 11_846_072_320, "Pythia README"),
    ("gpt-neox-20b", 20_554_567_680, "GPT-NeoX-20B model card"),
    ("mpt-7b", 6_649_286_656, "checkpoint"),
    ("llama-2-7b", 6_738_415_616, "checkpoint"),
    ("llama-2-13b", 13_015_864_320, "checkpoint"),
    ("llama-2-70b", 68_976_648_192, "checkpoint"),
    ("llama-3-8b", 8_030_261_248, "checkpoint"),
    ("llama-3-70b", 70_553_706_496, "checkpoint"),
    ("llama-3.1-405b", 405_853_388_800, "checkpoint"),
    ("llama-3.2-1b", 1_235_814_400, "checkpoint"),
    ("llama-3.2-3b", 3_212_749_824, "checkpoint"),
    ("tinyllama-1.1b", 1_100_048_384, "checkpoint"),
    ("mistral-7b", 7_241_732_096, "checkpoint"),
    ("qwen2.5-0.5b", 494_032_768, "checkpoint"),
    ("qwen2.5-1.5b", 1_543_714_304, "checkpoint"),
    ("qwen2.5-3b", 3_085_938_688, "checkpoint"),
    ("qwen2.5-7b", 7_615_616_512, "checkpoint"),
    ("qwen2.5-14b", 14_770_033_664, "checkpoint"),
    ("qwen2.5-32b", 32_763_876_352, "checkpoint"),
    ("qwen2.5-72b", 72_706_203_648, "checkpoint"),
    ("smollm2-135m", 134_515_008, "checkpoint"),
    ("smollm2-360m", 361_821_120, "checkpoint"),
    ("smollm2-1.7b", 1_711_376_384, "checkpoint"),
    ("gemma-2b", 2_506_172_416, "checkpoint"),
    ("gemma-7b", 8_537_680_896, "checkpoint"),
];

/// `ParamCount` of the measured tables, by sequence length.
const MEASURED: &[(&str, u64, u64)] = &[
    ("gpt-125m", 16_384, 136_236_288),
    ("gpt-125m", 8_192, 129_944_832),
];

#[test]
fn parameter_counts_are_the_published_ones() {
    let catalog = Catalog::embedded();
    for (name, count, source) in PUBLISHED {
        let model = catalog.model(name).unwrap();
        assert_eq!(model.params(), *count, "{name}: {source}");
    }
    for (name, seq_len, count) in MEASURED {
        let model = catalog.model(name).unwrap();
        assert_eq!(model.shape.params(*seq_len), *count, "{name} at {seq_len}");
    }
    // The MPT-30B model card rounds: 29.95B.
    let mpt_30b = catalog.model("mpt-30b").unwrap().params();
    assert_eq!(mpt_30b / 10_000_000, 2_995);
}

#[test]
fn every_model_is_checked_against_a_published_count() {
    let rounded = ["mpt-30b"];
    for model in Catalog::embedded().models() {
        let family = model.name.starts_with("gpt-") && !model.name.contains("neox");
        let published = PUBLISHED.iter().any(|(name, ..)| *name == model.name);
        assert!(
            family || published || rounded.contains(&model.name.as_str()),
            "{} has no published count to check against",
            model.name
        );
    }
}

/// Every row of the tables: name as spelled there, and its `ParamCount`.
#[test]
fn the_family_reproduces_the_tables() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/source/mosaicgpt-throughput.md");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared is not here");
        return;
    };
    let catalog = Catalog::embedded();
    let mut checked = 0;
    for line in text.lines().filter(|line| {
        line.split('|')
            .nth(1)
            .is_some_and(|cell| cell.trim().starts_with("gpt"))
    }) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let model = catalog.model(cells[1]).unwrap();
        let seq_len: u64 = cells[2].parse().unwrap();
        let params = model.shape.params(seq_len).to_string();
        assert!(cells.contains(&params.as_str()), "{line}");
        checked += 1;
    }
    assert_eq!(checked, 300);
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
        let tables: super::Tables = parse(&origin).unwrap();
        let spellings = |entries: Vec<(&str, &[String])>| {
            let mut keys: Vec<String> = entries
                .iter()
                .flat_map(|(name, aliases)| {
                    let mut keys: Vec<String> = aliases
                        .iter()
                        .map(String::as_str)
                        .chain([*name])
                        .map(super::name::normalised)
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
    }
}

#[test]
fn every_preset_has_a_source_and_a_summary() {
    let catalog = Catalog::embedded();
    for kind in Kind::ALL {
        let listed = catalog.list(kind);
        assert!(!listed.is_empty(), "{kind}");
        for preset in listed {
            assert!(
                preset.source.len() > 5,
                "{kind} {} has no source",
                preset.name
            );
            assert!(!preset.summary.is_empty(), "{kind} {}", preset.name);
        }
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

const OWN_GPU: &str = "[gpus.mi300x]\npeak_tflops = 1307\nhbm_tb_per_s = 5.3\n\
    usable_gib = 190\nintra_node_gb_per_s = 448\n";

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
    let prices: Vec<f64> = r7z2.prices.iter().map(|p| p.usd_per_gpu_hour).collect();
    assert_eq!(prices.first(), Some(&1.5));
    let lab = catalog.cluster("lab").unwrap();
    assert_eq!(lab.prices.len(), 1);
    assert_eq!(lab.inter_node_bytes_per_s, Some(400e9));
    // The overridden GPU reaches the clusters made of it, also under its other spelling.
    assert_eq!(catalog.cluster("p4d").unwrap().gpu.peak_flops, 300e12);
    assert_eq!(catalog.gpu("a100-40gb").unwrap().peak_flops, 300e12);
}

/// A model file with one line changed.
fn model_with(line: &str) -> String {
    let key = line.split('=').next().unwrap().trim();
    let lines = [
        "d_model = 4096",
        "n_layers = 32",
        "n_heads = 32",
        "vocab_size = 50257",
    ];
    let kept: Vec<&str> = lines
        .into_iter()
        .filter(|kept| !kept.starts_with(&format!("{key} ")))
        .collect();
    format!("[models.mine]\n{}\n{line}\n", kept.join("\n"))
}

fn refusal(text: &str) -> String {
    match Catalog::embedded().with_file("mine.toml", text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(diagnostic) => diagnostic.to_string(),
    }
}

#[test]
fn heads_that_do_not_divide_point_at_both_keys() {
    insta::assert_snapshot!(refusal(&model_with("n_heads = 30")));
}

#[test]
fn a_misspelt_key_finds_the_nearest() {
    insta::assert_snapshot!(refusal(&model_with("n_head = 32")));
}

#[test]
fn refusals_name_place_and_remedy() {
    for (text, expected) in [
        (model_with("d_model = -4096"), "mine.toml:5:11"),
        (model_with("n_layers = 0"), "at least 1"),
        (model_with("n_layers = 1.5"), "a whole number"),
        (model_with("n_layers = 99999"), "from 1 to 65536"),
        (
            model_with("d_model = 99999999999999999999999999"),
            "mine.toml:5:11",
        ),
        (
            model_with("positions = \"rotery\""),
            "did you mean `rotary`?",
        ),
        (model_with("n_kv_heads = 5"), "4 divides 32"),
        (model_with("feed_forward = \"gated\""), "11008"),
        (model_with("global_batch = \"2X\""), "unknown suffix `x`"),
        (
            model_with("max_positions = 1024\nseq_len = 2048"),
            "longer than the learned position",
        ),
        (
            "[models.x]\nd_model = 8\nn_heads = 1\nvocab_size = 5\n".into(),
            "`n_layers` is missing",
        ),
        (
            "[models.a-b]\n".to_owned() + &model_with("x=1"),
            "mine.toml",
        ),
        ("[gpu.x]\n".into(), "did you mean `gpus`"),
        (
            "[clusters.x]\ngpu = \"h10\"\nmax_gpus = 8\n".into(),
            "did you mean `h100`",
        ),
        (
            "[clusters.x]\ngpu = \"h100\"\nmax_gpus = 16\n".into(),
            "inter_node_gbps",
        ),
        (
            "[clusters.x]\ngpu = \"h100\"\nmax_gpus = 8\nusd_per_gpu_hour = -1\n".into(),
            "greater than 0",
        ),
        (
            "[clusters.x]\ngpu = \"h100\"\nmax_gpus = 8\nusd_per_gpu_hour = nan\n".into(),
            "greater than 0",
        ),
        (
            "[[prices]]\ninstance = \"r7z3\"\nusd_per_gpu_hour = 1\n".into(),
            "did you mean `r7z2`",
        ),
        ("[stacks.x]\nprecision = \"fp8\"\n".into(), "fp32-gather"),
        (
            "[stacks.x]\nprecision = \"pure-bf16\"\nprecision = \"pure-bf16\"\n".into(),
            "duplicate key",
        ),
        (
            OWN_GPU.to_owned() + &OWN_GPU.replace("mi300x", "MI300-X"),
            "two spellings",
        ),
        ("[models".into(), "mine.toml:1"),
    ] {
        let message = refusal(&text);
        assert!(message.contains(expected), "{expected} not in:\n{message}");
        assert!(message.contains("mine.toml:"), "no place in:\n{message}");
    }
}

#[test]
fn an_unknown_name_lists_the_nearest_and_how_to_see_all() {
    let catalog = Catalog::embedded();
    let message = catalog.model("gpt-8b").unwrap_err().to_string();
    assert!(message.contains("unknown model `gpt-8b`"), "{message}");
    assert!(message.contains("`gpt-7b`"), "{message}");
    assert!(message.contains("tminus presets models"), "{message}");
    let message = catalog.cluster("a100-80gb").unwrap_err().to_string();
    assert!(
        message.contains("is a GPU") && message.contains("r1z1"),
        "{message}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_a_catalog_or_an_error(text in "\\PC{0,200}") {
        if let Err(error) = Catalog::embedded().with_file("any.toml", &text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_damaged_file_is_a_catalog_or_an_error(
        file in 0..EMBEDDED.len(), at in 0.0..1.0_f64, length in 0..40_usize, insert in "\\PC{0,6}",
    ) {
        let text: Vec<char> = EMBEDDED[file].1.chars().collect();
        let start = (text.len() as f64 * at) as usize;
        let end = (start + length).min(text.len());
        let damaged: String = text[..start].iter().copied()
            .chain(insert.chars())
            .chain(text[end..].iter().copied())
            .collect();
        if let Err(error) = Catalog::embedded().with_file("damaged.toml", &damaged) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
