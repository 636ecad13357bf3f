//! Measurements as CSV that [`super::read`] understands.

use super::{Measurement, stacks};
use crate::hardware::Cluster;
use crate::stack::Stack;

const HEADER: [&str; 17] = [
    "model",
    "d_model",
    "n_layers",
    "n_heads",
    "n_kv_heads",
    "head_dim",
    "d_ff",
    "vocab_size",
    "cluster",
    "gpu",
    "stack",
    "gpus",
    "seq_len",
    "micro_batch",
    "grad_accum",
    "activation_checkpointing",
    "throughput_tok_s",
];

/// The rows as CSV with a header. Numbers are written so that they read back unchanged; of a shape
/// only the sizes are written, so a model that is no preset reads back as a GPT block.
///
/// ```
/// use tminus::measure::{MOSAICGPT_2023, read, to_csv};
/// use tminus::preset::Catalog;
///
/// let catalog = Catalog::embedded();
/// let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &catalog).unwrap();
/// let again = read("again.csv", &to_csv(&table.rows), &catalog).unwrap();
/// assert_eq!(again.rows.len(), 300);
/// ```
#[must_use]
pub fn to_csv(rows: &[Measurement]) -> String {
    write(rows, |row| row.throughput_tok_s.to_string())
}

/// The rows as CSV to be filled in: as [`to_csv`], with the throughput left empty.
#[must_use]
pub fn to_blank_csv(rows: &[Measurement]) -> String {
    write(rows, |_| String::new())
}

fn write(rows: &[Measurement], throughput: impl Fn(&Measurement) -> String) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory can't fail, and every record has the header's length.
    let _ = writer.write_record(HEADER);
    for row in rows {
        let _ = writer.write_record(record(row, throughput(row)));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn record(row: &Measurement, throughput: String) -> [String; HEADER.len()] {
    let (shape, configuration) = (&row.shape, &row.configuration);
    [
        row.model.clone(),
        shape.d_model.to_string(),
        shape.n_layers.to_string(),
        shape.n_heads.to_string(),
        shape.n_kv_heads.to_string(),
        shape.head_dim.to_string(),
        shape.d_ff.to_string(),
        shape.vocab_size.to_string(),
        cluster_name(row),
        row.cluster.gpu.name.clone(),
        stack_name(row),
        configuration.gpus.to_string(),
        configuration.seq_len.to_string(),
        configuration.micro_batch.to_string(),
        configuration.grad_accum.to_string(),
        configuration.activation_checkpointing.to_string(),
        throughput,
    ]
}

/// The stack's name, or nothing where its row doesn't tell it and it is the one that rows of its GPU
/// are read as: who reads it again knows then that it was not told.
fn stack_name(row: &Measurement) -> String {
    if !row.stack_told && is_usual(&row.cluster, &row.stack) {
        String::new()
    } else {
        row.stack.name.clone()
    }
}

/// Whether rows of a cluster that name no stack are of this one: the measured one on the GPUs of the
/// embedded tables, that of later software on others.
pub(crate) fn is_usual(cluster: &Cluster, stack: &Stack) -> bool {
    stack.name == stacks::usual_on(&cluster.gpu)
}

/// The cluster's name, or nothing where it only stands for its GPU (as it will again).
fn cluster_name(row: &Measurement) -> String {
    if row.cluster.stands_for_gpu() {
        String::new()
    } else {
        row.cluster.name.clone()
    }
}
