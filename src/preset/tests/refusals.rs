//! What is refused, and how it is said.

use super::OWN_GPU;
use crate::preset::Catalog;

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
        (
            model_with("name = \"One\"") + &model_with("name = \"one\"").replace("mine", "other"),
            "two spellings of one name",
        ),
        (
            model_with("positions = \"rotary\"\nrotary_share = 0.0"),
            "0 is not a share above 0 and up to 1",
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
        (
            "[clusters.\"a\\nb\"]\ngpu = \"h100\"\nmax_gpus = 8\n".into(),
            "it holds a control character",
        ),
        (model_with("name = \"\\u001b[31mred\""), "mine.toml:6:8"),
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
    let message = catalog.cluster("r1z1,r7z2").unwrap_err().to_string();
    assert!(message.contains("`--cluster` again"), "{message}");
    let message = catalog.cluster("a100-80gb").unwrap_err().to_string();
    assert!(
        message.contains("is a GPU") && message.contains("r1z1"),
        "{message}"
    );
}

/// The day of a price is written as any other: in quotes, or as TOML writes dates.
#[test]
fn the_day_of_a_price_is_a_date() {
    let price = |as_of: &str| {
        format!("[[prices]]\ninstance = \"r7z2\"\nusd_per_gpu_hour = 1\nas_of = {as_of}\n")
    };
    for (written, day) in [
        ("2026-11-01", "2026-11-01"),
        ("\"2026-11-01\"", "2026-11-01"),
        ("\"2026-11\"", "2026-11"),
        ("\"unknown\"", "unknown"),
    ] {
        let catalog = Catalog::embedded().with_file("mine.toml", &price(written));
        let catalog = catalog.unwrap();
        assert_eq!(catalog.cluster("r7z2").unwrap().prices[0].as_of, day);
    }
    for written in ["2026-11-01T09:00:00Z", "\"yesterday\"", "2026"] {
        let message = refusal(&price(written));
        let told = "the date of a price such as";
        assert!(message.contains(told), "{written}: {message}");
        assert!(message.contains("\"unknown\""), "{written}: {message}");
    }
}

/// What is no TOML at all is told to be what it is, and where it belongs.
#[test]
fn a_file_in_another_form_is_told_so() {
    for (text, form, help) in [
        ("provider,instance\naws,p4d\n", "CSV", "`[[prices]]`"),
        (
            "\"provider\",\"instance\"\n\"aws\",\"p4d\"\n",
            "CSV",
            "`[[prices]]`",
        ),
        ("\u{feff}model;gpus\ngpt-7b;8\n", "CSV", "`tminus fit`"),
        (
            "Throughput, and more.\n\n| a | b |\n|---|---|\n",
            "Markdown",
            "`tminus fit`",
        ),
        ("{\"prices\": []}\n", "JSON", "`tminus schema presets`"),
        ("[ {\"instance\": \"p4d\"} ]\n", "JSON", "`key = value`"),
    ] {
        let message = refusal(text);
        assert!(
            message.contains(&format!("it looks like {form}")),
            "{message}"
        );
        assert!(message.contains(help), "{message}");
        assert!(message.contains("mine.toml:"), "{message}");
    }
    // A mistake in what is meant as TOML is told as before.
    for text in [
        "prices = [1, 2\n",
        "[models.a,b]\n",
        "# a, b\nc\n",
        "clusters [\"r1z1\", \"r7z2\"]\n",
    ] {
        assert!(!refusal(text).contains("looks like"), "{text}");
    }
}
