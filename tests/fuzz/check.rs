//! What must hold of any text, by entry point: an answer or an error that says something, never a
//! panic, never a number that isn't finite.

use std::sync::LazyLock;

use serde_json::Value;
use tminus::diagnostic::Diagnostic;
use tminus::fit_file::{FitFile, embedded_fit};
use tminus::job::{GlobalBatch, JobFile, Request, Settings, TokenBudget, resolve};
use tminus::measure::{Measurement, read, to_csv};
use tminus::plan::{PlanError, Planner};
use tminus::preset::Catalog;
use tminus::quantity::{Bytes, Confidence, MAX_COUNT, Tokens};
use tminus::search::Axis;
use tminus::throughput::Fit;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);
static FIT: LazyLock<Fit> = LazyLock::new(|| embedded_fit().unwrap());

/// An error about `input` says something, and nothing that only programmers know.
fn says_something(error: &Diagnostic, input: &str) {
    assert!(!error.message.trim().is_empty());
    let labels = error.labels.iter().map(|label| &label.text);
    for text in labels.chain(&error.help).chain([&error.message]) {
        for internal in [
            "tminus::",
            "serde",
            "f64",
            "u64",
            "struct ",
            "Option<",
            "ParseIntError",
        ] {
            let quoted = input.contains(internal);
            assert!(
                quoted || !text.contains(internal),
                "internal name in: {text}"
            );
        }
    }
}

pub(super) fn quantities(text: &str) {
    if let Ok(tokens) = text.parse::<Tokens>() {
        assert_eq!(tokens.to_string().parse::<Tokens>().unwrap(), tokens);
    }
    if let Ok(bytes) = text.parse::<Bytes>() {
        assert!(bytes.as_f64().is_finite());
    }
    if let Ok(budget) = text.parse::<TokenBudget>() {
        assert_eq!(budget.to_string().parse::<TokenBudget>().unwrap(), budget);
        if let Ok(tokens) = budget.resolve(6_658_404_352) {
            assert!((1..=MAX_COUNT).contains(&tokens.get()));
        }
    }
    if let Ok(batch) = text.parse::<GlobalBatch>() {
        assert_eq!(batch.to_string().parse::<GlobalBatch>().unwrap(), batch);
    }
    if let Ok(confidence) = text.parse::<Confidence>() {
        assert!((0.01..=0.999).contains(&confidence.get()));
    }
}

pub(super) fn axes(text: &str) {
    match text.parse::<Axis>() {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(axis) => {
            assert_eq!(axis.to_string().parse::<Axis>().unwrap(), axis);
            assert!(axis.is_empty() || axis.get(axis.len() - 1).is_some());
            assert_eq!(axis.get(axis.len()), None);
        }
    }
}

fn resolved(text: &str) -> Result<Request, Diagnostic> {
    let file = JobFile::parse("fuzz.toml", text)?;
    let catalog = file.extend(CATALOG.clone())?;
    resolve(Settings::default().over(file.settings), &catalog)
}

pub(super) fn job(text: &str) {
    if let Err(error) = resolved(text) {
        says_something(&error, text);
    }
}

pub(super) fn presets(text: &str) {
    if let Err(error) = CATALOG.clone().with_file("fuzz.toml", text) {
        says_something(&error, text);
    }
}

/// What was read, written and read again is the same; its numbers are numbers.
fn reads_back(rows: &[Measurement]) {
    let again = read("again.csv", &to_csv(rows), &CATALOG).unwrap().rows;
    assert_eq!(rows.len(), again.len());
    for (row, again) in rows.iter().zip(&again) {
        assert!(row.throughput_tok_s.is_finite() && row.throughput_tok_s > 0.0);
        let speeds = [row, again].map(|row| row.throughput_tok_s.to_bits());
        assert_eq!(speeds[0], speeds[1]);
        assert_eq!(row.configuration, again.configuration);
    }
}

fn table(name: &str, text: &str) {
    match read(name, text, &CATALOG) {
        Ok(table) => reads_back(&table.rows),
        Err(error) => says_something(&error, text),
    }
}

pub(super) fn csv(text: &str) {
    table("fuzz.csv", text);
}

pub(super) fn markdown(text: &str) {
    table("fuzz.md", text);
}

pub(super) fn fit_file(text: &str) {
    match FitFile::from_toml("fuzz.toml", text) {
        Ok(file) => {
            let written = file.to_toml().unwrap();
            let again = FitFile::from_toml("again.toml", &written).unwrap();
            assert_eq!(again.to_toml().unwrap(), written);
        }
        Err(error) => says_something(&error, text),
    }
}

/// Plans what the job asks for; spaces too large to walk are no trouble.
pub(super) fn plans(text: &str) {
    let Ok(request) = resolved(text) else {
        return;
    };
    match Planner::new(&FIT).plan(&request) {
        Ok(plan) => {
            let json = serde_json::to_value(&plan).unwrap();
            finite(&json, "plan");
            let best = &plan.candidates[0];
            let interval = best.time_to_budget_h;
            assert!(interval.low <= interval.expected && interval.expected <= interval.high);
        }
        Err(error @ PlanError::NotFinite { .. }) => panic!("{error}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// JSON has no NaN: one would show as `null` where a number belongs.
fn finite(value: &Value, key: &str) {
    match value {
        Value::Null => assert!(
            key == "cost_usd" || key.contains("held_out") || key.contains("bad_day"),
            "`{key}` is null"
        ),
        Value::Array(items) => items.iter().for_each(|item| finite(item, key)),
        Value::Object(fields) => fields.iter().for_each(|(key, item)| finite(item, key)),
        _ => {}
    }
}

/// Texts that are right.
pub(super) mod seeds {
    use tminus::fit_file::FitFile;
    use tminus::job::template;
    use tminus::measure::{MOSAICGPT_2023, read};

    use super::CATALOG;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    pub(crate) fn quantities() -> Vec<String> {
        owned(&[
            "134B",
            "2Mi",
            "1.5e9",
            "1_000_000",
            "80GiB",
            "39.5 GiB",
            "0.25T",
            "20x",
            "1M..4M",
            "0.9",
            "1000000000000000000",
        ])
    }

    pub(crate) fn axes() -> Vec<String> {
        owned(&[
            "8",
            "8,16,32",
            "8..128",
            "8..128:8",
            "auto",
            "1..1_000_000_000_000:1",
            "1Ki..4Ki",
        ])
    }

    const OWN: &str = r#"
model = { architecture = "llama", d_model = 2048, n_layers = 24, n_heads = 32, n_kv_heads = 8, d_ff = 5632, vocab_size = 32000, seq_len = 4096 }
tokens = "20x"
cluster = ["lab", "r1z1"]
stack = "bf16-gather"
global_batch = "1Mi..4Mi"
sort = "cost"
top = 3
confidence = 0.8
allow_tight = true

[search]
gpus = "8..64:8"
seq_len = [2048, 4096]
micro_batch = "1..8:1"
grad_accum = "auto"
checkpointing = "auto"

[gpus.mi300x]
peak_tflops = 1307
hbm_tb_per_s = 5.3
usable_gib = 190
intra_node_gb_per_s = 448

[clusters.lab]
gpu = "mi300x"
gpus_per_node = 8
max_gpus = 64
inter_node_gbps = 800
usd_per_gpu_hour = 1.8
"#;

    pub(crate) fn job() -> Vec<String> {
        owned(&[template(), OWN])
    }

    pub(crate) fn plans() -> Vec<String> {
        let small = "model = \"gpt-1b\"\ntokens = \"26B\"\nclusters = [\"r7z2\"]\n";
        owned(&[template(), OWN, small])
    }

    pub(crate) fn presets() -> Vec<String> {
        let own = OWN.find("[gpus").map_or("", |start| &OWN[start..]);
        let model = "[models.my]\nd_model = 64\nn_layers = 2\nn_heads = 4\nvocab_size = 100\nseq_len = 128\n";
        let price = "[[prices]]\ncluster = \"r7z2\"\nprovider = \"us\"\nusd_per_gpu_hour = 1.5\n";
        owned(&[own, model, price])
    }

    pub(crate) fn csv() -> Vec<String> {
        let few: String = MOSAICGPT_2023.split_inclusive('\n').take(6).collect();
        let own = "model,gpus,gpu,seq_len,micro_batch,grad_accum,activation_checkpointing,\
                   throughput_tok_s\ngpt-1b,8,h100,2048,8,4,on,150000\n";
        owned(&[&few, own, &few.replace(',', ";"), &few.replace(',', "\t")])
    }

    pub(crate) fn markdown() -> Vec<String> {
        owned(&[
            "# Runs\n\n| Model | SeqLen (T) | # GPUs | GPU | MicroBatchSize (S) | GradAccum | \
                 Throughput (T/s) |\n| --- | --- | --- | --- | --- | --- | --- |\n\
                 | gpt-1b | 2048 | 8 | a100_80gb | 16 | 4 | 113000 |\n",
        ])
    }

    pub(crate) fn fit_file() -> Vec<String> {
        let few: String = MOSAICGPT_2023.split_inclusive('\n').take(4).collect();
        let rows = read("own.csv", &few, &CATALOG).unwrap().rows;
        let source = tminus::fit_file::Source::new("own.csv", &few, rows.len());
        let file = FitFile::on_top("own", vec![source], rows);
        vec![file.unwrap().to_toml().unwrap()]
    }
}
