//! Texts that are right, by entry point.

use tminus::fit_file::FitFile;
use tminus::job::template;
use tminus::measure::{MOSAICGPT_2023, read};
use tminus::plan::{Plan, Planner, Predicted, PredictedFit, PredictedRequest};

use super::check::{CATALOG, FIT, resolved};

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn quantities() -> Vec<String> {
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
        "25k",
        "$25_000 USD",
    ])
}

pub(super) fn dates() -> Vec<String> {
    owned(&[
        "2026-12-01",
        "2026-12-01T09:00Z",
        "2026-12-01T10:00:59.5+01:00",
        "1970-01-01T00:00:00",
        "2999-12-31T23:59:59Z",
        "14d",
        "36h",
        "1.5 w",
        "90m",
        "86400s",
        "11:30",
    ])
}

pub(super) fn axes() -> Vec<String> {
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

[reliability]
failures_per_1000_node_days = 7.7
restart = "20m"
checkpoint_interval = "optimal"
spares = "5%"
replacement = "1d"

[[prices]]
instance = "lab"
price_type = "spot"
usd_per_gpu_hour = 1.1
as_of = "2026-01"
"#;

/// What the other tables of a job file hold, each key once.
const TABLES: &str = r#"
price_type = "on-demand"
as_of = "2026-11-01"
usd_per_gpu_hour = 2.5

[reliability]
base = "default"
failures_per_1000_node_days = 5.15
restart = "15m"
start_up = "5m"
checkpoint_bytes_per_param = 14
write_gb_per_s_node = 1.2
checkpoint_interval = "30m"
spares = 2
replacement = "4h"

[reserve]
deadline = "30d"
start = "2026-12-01T09:00Z"
probability = 0.95
product = ["own-block", "slurm"]
users = "alice"
zone = "us-central1-a"

[launch]
name = "a run"
image = "registry.example/llm-foundry:latest"
workdir = "/opt/llm foundry/scripts"
data = "/data/c4"
checkpoints = "s3://bucket/gpt"
tokenizer = "gpt2"
learning_rate = 1.2e-4
setup = ["nvidia-smi", "echo 'quoted $HOME'"]
launcher = "torchrun"
script = "train.py"
args = ["--flag", "it's"]
gpu_type = "A100"
time_limit = "2d"
partition = "gpu"
account = "me"
qos = "high"
constraint = "a100_80gb"
reservation = "mine"
infra = "aws/us-east-1"
use_spot = true
cluster = "r1z1"
priority = "high"
runtime = "torch-distributed"
namespace = "ml"
env = { NCCL_DEBUG = "WARN", B = "\u00e9" }

[products.own-block]
title = "block"
provider = "lab"
form = "capacity-block"
clusters = ["r1z1", "r7z2"]
price_type = "block"
lengths = [{ step = "1d", up_to = "14d" }, { step = "7d", up_to = "182d" }]
max_nodes = 64
max_nodes_in_all = 256
gpu_multiple = 8
ends_at = "11:30"
stops_before_end = "30m"
book_ahead = "56d"
billing = "upfront"
cancel = "no"
caution = "none"
aliases = ["block"]
source = "made up"

[[prices]]
instance = "r1z1"
price_type = "block"
usd_per_gpu_hour = 1.1
as_of = "2026-01"
"#;

const SMALL: &str = "model = \"gpt-1b\"\ntokens = \"26B\"\nclusters = [\"r7z2\"]\n";

fn with_tables() -> String {
    format!("{SMALL}{TABLES}")
}

pub(super) fn job() -> Vec<String> {
    vec![template().to_owned(), OWN.to_owned(), with_tables()]
}

pub(super) fn plans() -> Vec<String> {
    [job(), owned(&[SMALL])].concat()
}

pub(super) fn launches() -> Vec<String> {
    let composer = with_tables().replace("torchrun", "composer");
    vec![with_tables(), composer, OWN.to_owned()]
}

pub(super) fn bookings() -> Vec<String> {
    let text = with_tables();
    vec![
        text.replace("deadline = \"30d\"", "budget = \"25k\""),
        text.replace("deadline = \"30d\"", "nodes = 4"),
        text.replace("product = [\"own-block\", \"slurm\"]", ""),
        text,
    ]
}

/// Two jobs, and all that a calendar may say.
const JOBS: &str = r#"
clusters = ["r7z2", "r1z1"]
tokens = "20x"
confidence = 0.9

[schedule]
start = "2026-12-01T09:00Z"
minimise = "lateness"
probability = 0.9

[schedule.clusters.r7z2]
capacity_nodes = 2
booked = [{ from = "2026-12-02", to = "2026-12-03", nodes = 1 }]

[schedule.clusters.r1z1]
max_gpus = 64
available = [{ from = "2026-12-02", to = "2026-12-24", nodes = 2 }]

[[jobs]]
name = "first"
model = "gpt-350m"
deadline = "6h"
priority = 3

[[jobs]]
model = "gpt-760m"
cluster = "r7z2"
after = ["first"]
earliest = "2026-12-01T12:00Z"
deadline = "2026-12-13"

[jobs.search]
gpus = "8..16"
checkpointing = "on"
"#;

pub(super) fn jobs() -> Vec<String> {
    vec![JOBS.to_owned(), JOBS.replace("lateness", "cost")]
}

pub(super) fn schedules() -> Vec<String> {
    let makespan = JOBS
        .replace("lateness", "makespan")
        .replace("\"6h\"", "\"20d\"");
    [jobs(), vec![makespan]].concat()
}

fn planned() -> Plan {
    let (mut request, _) = resolved(SMALL).unwrap();
    request.top = 2;
    Planner::new(&FIT).plan(&request).unwrap()
}

pub(super) fn plan_file() -> Vec<String> {
    let plan = planned();
    let predicted = Predicted {
        candidate: plan.candidates[0].clone(),
        notes: Vec::new(),
        schema_version: plan.schema_version,
        request: PredictedRequest {
            model: plan.request.model.clone(),
            params: plan.request.params,
            stack: plan.request.stack.clone(),
            tokens: plan.request.tokens,
            confidence: plan.request.confidence,
            reliability: plan.request.reliability,
        },
        fit: PredictedFit {
            name: plan.fit.name.clone(),
            rows: plan.fit.rows,
        },
    };
    vec![
        serde_json::to_string_pretty(&plan).unwrap(),
        serde_json::to_string(&plan).unwrap(),
        serde_json::to_string_pretty(&predicted).unwrap(),
    ]
}

pub(super) fn comparisons() -> Vec<String> {
    let plan = planned();
    let best = &plan.candidates[0];
    let json = serde_json::to_string_pretty(&plan).unwrap();
    let speed = best.throughput_tok_s.expected;
    let row = |speed: f64, micro_batch: u64, grad_accum: u64| {
        let checkpointing = if best.activation_checkpointing {
            "on"
        } else {
            "off"
        };
        format!(
            "{},{},{},{micro_batch},{grad_accum},{checkpointing},{speed}\n",
            best.gpus, best.gpu, best.seq_len,
        )
    };
    let (micro_batch, grad_accum) = (best.micro_batch, best.grad_accum);
    let table =
        "model,gpus,gpu,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s\n";
    let rows = [
        row(speed * 0.7, micro_batch, grad_accum),
        row(speed * 0.6, micro_batch.div_ceil(2), grad_accum * 2),
    ];
    let rows = format!("gpt-1b,{}gpt-1b,{}", rows[0], rows[1]);
    let dates = "\n===\n10B\n===\n2026-12-01T09:00Z\n";
    vec![
        format!("{json}\n===\n{}{dates}", speed * 0.7),
        format!("{json}\n===\n{speed}\n"),
        format!("{json}\n===\n{table}{rows}{dates}"),
    ]
}

pub(super) fn presets() -> Vec<String> {
    let own = OWN.find("[gpus").map_or("", |start| &OWN[start..]);
    let model =
        "[models.my]\nd_model = 64\nn_layers = 2\nn_heads = 4\nvocab_size = 100\nseq_len = 128\n";
    let price = "[[prices]]\ncluster = \"r7z2\"\nprovider = \"us\"\nusd_per_gpu_hour = 1.5\n";
    let product = TABLES
        .find("[products")
        .map_or("", |start| &TABLES[start..]);
    owned(&[own, model, price, product])
}

pub(super) fn csv() -> Vec<String> {
    let few: String = MOSAICGPT_2023.split_inclusive('\n').take(6).collect();
    let own = "model,gpus,gpu,seq_len,micro_batch,grad_accum,activation_checkpointing,\
               throughput_tok_s\ngpt-1b,8,h100,2048,8,4,on,150000\n";
    let shape = "model,d_model,n_layers,n_heads,vocab_size,n_params,gpus,gpu,seq_len,micro_batch,\
                 grad_accum,global_batch_tokens,activation_checkpointing,throughput_tok_s,cluster\n\
                 own,2048,24,16,50257,1315723264,8,h100,2048,8,4,524288,on,150000,lab\n";
    owned(&[
        &few,
        own,
        shape,
        &few.replace(',', ";"),
        &few.replace(',', "\t"),
    ])
}

pub(super) fn markdown() -> Vec<String> {
    owned(&[
        "# Runs\n\n| Model | SeqLen (T) | # GPUs | GPU | MicroBatchSize (S) | GradAccum | \
             Throughput (T/s) |\n| --- | --- | --- | --- | --- | --- | --- |\n\
             | gpt-1b | 2048 | 8 | a100_80gb | 16 | 4 | 113000 |\n",
    ])
}

pub(super) fn fit_file() -> Vec<String> {
    let few: String = MOSAICGPT_2023.split_inclusive('\n').take(4).collect();
    let rows = read("own.csv", &few, &CATALOG).unwrap().rows;
    let source = tminus::fit_file::Source::new("own.csv", &few, rows.len());
    let file = FitFile::on_top("own", vec![source], rows);
    vec![file.unwrap().to_toml().unwrap()]
}
