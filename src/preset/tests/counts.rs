//! Shapes against published parameter counts.

use std::path::Path;

use crate::preset::Catalog;

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
