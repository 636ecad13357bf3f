mod prices;
mod refusals;

use proptest::prelude::*;
use proptest::sample::Index;

use super::{
    JobFile, Objective, Request, Settings, Sourced, TokenBudget, resolve, resolve_ladder, template,
};
use crate::diagnostic::Diagnostic;
use crate::preset::Catalog;
use crate::preset::tests::damaged;
use crate::search::{Axis, Switch};

fn planned_with(flags: Settings, text: &str) -> Result<Request, Diagnostic> {
    let file = JobFile::parse("job.toml", text)?;
    let catalog = file.extend(Catalog::embedded())?;
    resolve(flags.over(file.settings), &catalog)
}

fn planned(text: &str) -> Result<Request, Diagnostic> {
    planned_with(Settings::default(), text)
}

/// A model of one's own on a cluster of one's own, as short as it gets.
const OWN: &str = r#"
[models.my-llama]
architecture = "llama"
d_model = 4096
n_layers = 32
n_heads = 32
d_ff = 11008
vocab_size = 32000
[clusters.lab]
gpu = "h100"
max_gpus = 64
inter_node_gbps = 3200
"#;

#[test]
fn a_model_and_a_cluster_of_ones_own_in_twelve_lines() {
    let request = planned(OWN).unwrap();
    // The Llama-2-7B shape: its published count.
    assert_eq!(request.model.params(), 6_738_415_616);
    assert_eq!(request.model.name, "my-llama");
    assert_eq!(request.tokens.get(), 20 * 6_738_415_616);
    let names: Vec<&str> = request.clusters.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["lab"]);
}

#[test]
fn the_template_plans_as_it_stands_and_with_everything_uncommented() {
    let request = planned(template()).unwrap();
    assert_eq!(request.model.name, "gpt-7b");
    assert_eq!(request.tokens.get(), 134_000_000_000);

    // The comments of the lower half show defaults and examples: each must be valid too.
    let (one, several) = template().split_once("# Several jobs").unwrap();
    let text = uncommented(one);
    let request = planned(&text).unwrap();
    assert_eq!(request.clusters[0].name, "lab");
    assert_eq!(request.seq_len, Axis::List(vec![2048]));
    assert!(text.lines().filter(|l| l.contains(" = ")).count() > 25);

    let text = uncommented(several.split_once('\n').unwrap().1);
    let file = JobFile::parse("jobs.toml", &text).unwrap();
    let ladder = file.ladder.unwrap();
    let agenda = resolve_ladder(ladder, &file.settings, &Catalog::embedded()).unwrap();
    assert_eq!(agenda.jobs[1].after, [0]);
    assert_eq!(agenda.sites[0].nodes, 16);
}

/// The template with its examples no longer comments.
fn uncommented(template: &str) -> String {
    template
        .lines()
        .filter(|line| !line.starts_with("clusters = "))
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.split(' ').nth(1) == Some("=") => {
                format!("{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn what_is_left_open_gets_the_documented_default() {
    let request = planned("model = 'gpt7b'").unwrap();
    let names: Vec<&str> = request.clusters.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["r7z2", "r1z1"]);
    assert_eq!(request.tokens.get(), 20 * request.model.params());
    assert_eq!(request.stack.name, "fp32-gather");
    assert_eq!(request.seq_len, Axis::List(vec![2048]));
    assert_eq!(request.gpus, Axis::Auto);
    assert_eq!(request.activation_checkpointing, Switch::Auto);
    assert_eq!(
        (request.global_batch.min, request.global_batch.max),
        (1 << 21, 1 << 21)
    );
    assert_eq!((request.sort, request.top), (Objective::Time, 10));
    assert!((request.confidence.get() - 0.9).abs() < f64::EPSILON);
    assert!(!request.allow_tight);
}

#[test]
fn flags_override_the_file() {
    let flags = Settings {
        tokens: Some(Sourced::parse_flag("--tokens", "1T").unwrap()),
        clusters: Some(vec![Sourced::flag("--cluster", "p4d".to_owned())]),
        ..Settings::default()
    };
    let text = "model = 'gpt-7b'\ntokens = '134B'\nclusters = ['r7z2']\ntop = 3\n";
    let request = planned_with(flags, text).unwrap();
    assert_eq!(request.tokens.get(), 1_000_000_000_000);
    assert_eq!(request.clusters[0].name, "p4d.24xlarge");
    assert_eq!(request.top, 3);
}

#[test]
fn axes_are_written_as_integers_arrays_or_text() {
    let text = "model = 'gpt-7b'\n[search]\ngpus = 8\nseq_len = [2048, 4096]\n\
        micro_batch = '1..8'\ngrad_accum = '2..8:2'\ncheckpointing = false\n";
    let request = planned(text).unwrap();
    assert_eq!(request.gpus, Axis::List(vec![8]));
    assert_eq!(request.seq_len, Axis::List(vec![2048, 4096]));
    assert_eq!(request.micro_batch, Axis::Doubling { low: 1, high: 8 });
    assert_eq!(
        request.grad_accum,
        Axis::Stepped {
            low: 2,
            high: 8,
            step: 2
        }
    );
    assert_eq!(request.activation_checkpointing, Switch::Off);
}

#[test]
fn amounts_are_written_as_numbers_or_text() {
    for (tokens, count) in [
        ("134_000_000_000", 134_000_000_000),
        ("134e9", 134_000_000_000),
        ("'134B'", 134_000_000_000),
        // Of the 124,439,808 parameters of GPT-2.
        ("'2.5x'", 311_099_520),
    ] {
        let request = planned(&format!("model = 'gpt2'\ntokens = {tokens}")).unwrap();
        assert_eq!(request.tokens.get(), count, "{tokens}");
    }
    let request = planned("model = 'gpt2'\nglobal_batch = '1M..4M'").unwrap();
    assert_eq!(
        (request.global_batch.min, request.global_batch.max),
        (1_000_000, 4_000_000)
    );
}

#[test]
fn objectives_and_amounts_print_as_they_parse() {
    for text in ["time", "cost", "gpu-hours", "throughput"] {
        assert_eq!(text.parse::<Objective>().unwrap().to_string(), text);
    }
    for text in ["20x", "1.5x", "134B"] {
        assert_eq!(text.parse::<TokenBudget>().unwrap().to_string(), text);
    }
    for text in ["20X", "20×", " 20x "] {
        assert_eq!(text.parse::<TokenBudget>().unwrap().to_string(), "20x");
    }
    for text in ["2Mi", "1M..4M"] {
        assert_eq!(
            text.parse::<super::GlobalBatch>().unwrap().to_string(),
            text
        );
    }
}

#[test]
fn the_schemas_know_every_key() {
    let job = serde_json::to_value(super::json_schema()).unwrap();
    for key in [
        "model", "tokens", "cluster", "clusters", "search", "models", "prices",
    ] {
        assert!(job["properties"].get(key).is_some(), "{key} in {job}");
    }
    assert_eq!(job["additionalProperties"], false);
    let preset = serde_json::to_value(crate::preset::json_schema()).unwrap();
    let model = &preset["$defs"]["ModelTable"];
    assert_eq!(model["properties"]["d_model"]["minimum"], 1, "{preset}");
    let required = model["required"].as_array().unwrap();
    assert!(required.contains(&"d_model".into()) && !required.contains(&"d_ff".into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_a_job_or_an_error(text in "\\PC{0,120}") {
        if let Err(error) = planned(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_damaged_job_is_a_job_or_an_error(
        own in any::<bool>(), start in any::<Index>(), length in 0..20_usize, insert in "[\\PC\n]{0,8}",
    ) {
        let text = damaged(if own { OWN } else { template() }, start, length, &insert);
        match planned(&text) {
            Err(error) => prop_assert!(!error.to_string().is_empty()),
            Ok(request) => prop_assert!(!request.clusters.is_empty() && request.top > 0),
        }
    }

    #[test]
    fn any_number_is_an_amount_or_an_error(value in any::<i64>(), ratio in any::<f64>()) {
        for line in [
            format!("tokens = {value}"),
            format!("tokens = '{ratio}x'"),
            format!("top = {value}"),
            format!("global_batch = {value}"),
            format!("confidence = {ratio:?}"),
        ] {
            let _ = planned(&format!("model = 'gpt-125m'\n{line}"));
        }
    }
}

/// What a file may say as a string, it may say by the schema too.
#[test]
fn the_schema_takes_every_spelling_that_is_read() {
    planned("model = \"gpt-1b\"\nconfidence = \"0.9\"\n[reserve]\nprobability = \"0.95\"\n")
        .unwrap();
    planned("model = \"gpt-1b\"\n[reliability]\nfailures_per_1000_node_days = \"5\"\n").unwrap();
    let schema = serde_json::to_value(super::json_schema()).unwrap();
    // As the file writes it, or as a flag does.
    let types = |of: &serde_json::Value| -> Vec<String> {
        let types = of["type"].as_array().unwrap();
        types
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let in_table = |table: &str, key: &str| {
        let table = schema["$defs"][table]["properties"][key].clone();
        assert!(table.is_object(), "{key}");
        table
    };
    for property in [
        schema["properties"]["confidence"].clone(),
        in_table("ReserveTable", "probability"),
        in_table("ReliabilityTable", "failures_per_1000_node_days"),
    ] {
        let types = types(&property);
        for name in ["string", "number"] {
            assert!(types.iter().any(|known| known == name), "{property}");
        }
    }
}

#[test]
fn users_of_a_reservation_are_one_name_or_several() {
    let users = |written: &str| {
        let text = format!("model = \"gpt-1b\"\n[reserve]\nusers = {written}\n");
        let request = planned(&text)?;
        Ok::<_, Diagnostic>(request.reserve.users.unwrap().as_str().to_owned())
    };
    for (written, read) in [
        ("\"ana\"", "ana"),
        ("\"ana,ben\"", "ana,ben"),
        ("[\"ana\", \"ben\"]", "ana,ben"),
    ] {
        assert_eq!(users(written).unwrap(), read);
    }
    for wrong in ["[]", "3", "\"an a\"", "[\"ana\", \"b n\"]"] {
        assert!(users(wrong).is_err(), "{wrong}");
    }
}
