//! What a fit file's rows name that the embedded presets don't have, as tables of presets.

use serde::Serialize;
use toml::{Table, Value};

use crate::diagnostic::Diagnostic;
use crate::hardware::{Cluster, Gpu};
use crate::measure::{self, Measurement};
use crate::model::Shape;
use crate::preset::Catalog;
use crate::stack::Stack;

/// Name the rows' CSV goes by.
pub(super) const ROWS: &str = "rows.csv";

/// Rows as CSV with the presets needed to read them back unchanged.
pub(super) fn rows_and_presets(rows: &[Measurement]) -> Result<(String, Table), Diagnostic> {
    let csv = measure::to_csv(rows);
    let mut presets = hardware(rows);
    let read = read_back(&csv, &presets)?;
    let mut models = Table::new();
    for (row, again) in rows.iter().zip(&read) {
        if row.shape != again.shape {
            models.insert(row.model.clone(), Value::Table(model(&row.shape)?));
        }
    }
    put(&mut presets, "models", models);
    let read = read_back(&csv, &presets)?;
    match rows
        .iter()
        .zip(&read)
        .find(|(row, again)| !same(row, again))
    {
        None if rows.len() == read.len() => Ok((csv, presets)),
        changed => {
            let line = changed.map_or(0, |(row, _)| row.line);
            Err(Diagnostic::new(format!(
                "the row of line {line} would read back differently: a preset of its names \
                 another model, GPU or cluster than the embedded one of that name"
            ))
            .help("give your own models, clusters and stacks names of their own, in the table too"))
        }
    }
}

/// The rows of a CSV text under the embedded presets and these.
fn read_back(csv: &str, presets: &Table) -> Result<Vec<Measurement>, Diagnostic> {
    let text = toml::to_string(presets)
        .map_err(|error| Diagnostic::new(format!("the presets can't be written: {error}")))?;
    let catalog = Catalog::embedded().with_file("presets", &text)?;
    Ok(measure::read(ROWS, csv, &catalog)?.rows)
}

/// Whether two rows are the same to every prediction.
fn same(a: &Measurement, b: &Measurement) -> bool {
    a.model == b.model
        && a.shape == b.shape
        && a.configuration == b.configuration
        && a.throughput_tok_s.to_bits() == b.throughput_tok_s.to_bits()
        && same_cluster(&a.cluster, &b.cluster)
        && a.stack.is_same_as(&b.stack)
}

fn same_cluster(a: &Cluster, b: &Cluster) -> bool {
    a.name == b.name && same_gpu(&a.gpu, &b.gpu) && a.is_linked_as(b)
}

fn same_gpu(a: &Gpu, b: &Gpu) -> bool {
    let figures = |gpu: &Gpu| {
        [
            gpu.peak_flops,
            gpu.hbm_bytes_per_s,
            gpu.usable_gib,
            gpu.intra_node_bytes_per_s,
        ]
        .map(f64::to_bits)
    };
    a.name == b.name && figures(a) == figures(b)
}

/// The GPUs, clusters and stacks of rows that the embedded presets don't have.
fn hardware(rows: &[Measurement]) -> Table {
    let known = Catalog::embedded();
    let (mut gpus, mut clusters, mut stacks) = (Table::new(), Table::new(), Table::new());
    for row in rows {
        let (cluster, stack) = (&row.cluster, &row.stack);
        if !known
            .gpu(&cluster.gpu.name)
            .is_ok_and(|gpu| same_gpu(gpu, &cluster.gpu))
        {
            gpus.insert(cluster.gpu.name.clone(), Value::Table(gpu(&cluster.gpu)));
        }
        if !reads_back(&known, cluster) {
            clusters.insert(cluster_key(cluster), Value::Table(nodes(cluster)));
        }
        if !known
            .stack(&stack.name)
            .is_ok_and(|known| known.is_same_as(stack))
        {
            stacks.insert(stack.name.clone(), Value::Table(policy(stack)));
        }
    }
    let mut presets = Table::new();
    put(&mut presets, "gpus", gpus);
    put(&mut presets, "clusters", clusters);
    put(&mut presets, "stacks", stacks);
    presets
}

fn put(presets: &mut Table, kind: &str, tables: Table) {
    if !tables.is_empty() {
        presets.insert(kind.to_owned(), Value::Table(tables));
    }
}

/// Whether a cluster's name alone, or none, brings the same nodes back.
fn reads_back(known: &Catalog, cluster: &Cluster) -> bool {
    match known.cluster(&cluster.name) {
        // Of a larger one there are rows that it would not have.
        Ok(named) => same_cluster(named, cluster) && named.max_gpus == cluster.max_gpus,
        Err(_) => known
            .generic_cluster(&cluster.gpu.name)
            .is_ok_and(|it| it.is_linked_as(cluster) && it.max_gpus == cluster.max_gpus),
    }
}

/// The name a cluster is written under. One that only stands for its GPU gets its nodes from the
/// first cluster of that GPU, whatever its name.
fn cluster_key(cluster: &Cluster) -> String {
    if cluster.stands_for_gpu() {
        format!("nodes of {}", cluster.name)
    } else {
        cluster.name.clone()
    }
}

fn gpu(gpu: &Gpu) -> Table {
    let mut table = Table::new();
    if let Some(fp8) = gpu.fp8 {
        table.insert("fp8".to_owned(), Value::Boolean(fp8));
    }
    let mut put = |key: &str, value: f64| table.insert(key.to_owned(), Value::Float(value));
    put("peak_tflops", divided(gpu.peak_flops, 1e12));
    put("hbm_tb_per_s", divided(gpu.hbm_bytes_per_s, 1e12));
    put("usable_gib", gpu.usable_gib);
    put(
        "intra_node_gb_per_s",
        divided(gpu.intra_node_bytes_per_s, 1e9),
    );
    table
}

fn nodes(cluster: &Cluster) -> Table {
    let mut table = Table::new();
    table.insert("gpu".to_owned(), Value::String(cluster.gpu.name.clone()));
    table.insert("gpus_per_node".to_owned(), whole(cluster.gpus_per_node));
    table.insert("max_gpus".to_owned(), whole(cluster.max_gpus));
    if let Some(link) = cluster.inter_node_bytes_per_s {
        let gbps = divided(link, 1e9 / 8.0);
        table.insert("inter_node_gbps".to_owned(), Value::Float(gbps));
    }
    table
}

fn policy(stack: &Stack) -> Table {
    let mut table = Table::new();
    table.extend(spelled("precision", stack.precision));
    if let Some(overlap) = stack.overlap {
        table.insert("overlap".to_owned(), Value::Float(overlap));
    }
    table
}

fn model(shape: &Shape) -> Result<Table, Diagnostic> {
    let mut table = Table::new();
    let sizes = [
        ("d_model", Some(shape.d_model)),
        ("n_layers", Some(shape.n_layers)),
        ("n_heads", Some(shape.n_heads)),
        ("n_kv_heads", Some(shape.n_kv_heads)),
        ("head_dim", Some(shape.head_dim)),
        ("d_ff", Some(shape.d_ff)),
        ("vocab_size", Some(shape.vocab_size)),
        ("max_positions", shape.max_positions),
    ];
    for (key, size) in sizes {
        if let Some(size) = size {
            table.insert(key.to_owned(), whole(size));
        }
    }
    table.extend(spelled("positions", shape.positions));
    table.extend(spelled("biases", shape.biases));
    table.extend(spelled("norm", shape.norm));
    table.extend(spelled("feed_forward", shape.feed_forward));
    table.insert("tied_head".to_owned(), Value::Boolean(shape.tied_head));
    shape
        .validate()
        .map_err(|error| Diagnostic::new(error.to_string()))?;
    Ok(table)
}

fn whole(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A key whose value is one of a few names.
fn spelled(key: &str, value: impl Serialize) -> Option<(String, Value)> {
    Some((key.to_owned(), Value::try_from(value).ok()?))
}

/// The number of `unit`s that is exactly `value` when multiplied again.
fn divided(value: f64, unit: f64) -> f64 {
    let quotient = value / unit;
    [quotient, quotient.next_up(), quotient.next_down()]
        .into_iter()
        .find(|candidate| (candidate * unit).to_bits() == value.to_bits())
        .unwrap_or(quotient)
}
