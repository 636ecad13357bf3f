//! Measured tables: what they span, and their rows.

use std::collections::BTreeSet;

use crate::configuration::on_off;
use crate::measure::Measurement;

use super::listing::Section;
use super::{Cell, Column, Grid};

/// One line for each cluster of the table: what was measured there.
#[must_use]
pub fn summary(name: &str, rows: &[Measurement]) -> Section {
    let mut clusters: Vec<&str> = Vec::new();
    for row in rows {
        if !clusters.contains(&row.cluster.name.as_str()) {
            clusters.push(&row.cluster.name);
        }
    }
    let line = |cluster: &&str| -> Vec<Cell> {
        let mine = || rows.iter().filter(|row| row.cluster.name == **cluster);
        let models: BTreeSet<&str> = mine().map(|row| row.model.as_str()).collect();
        let gpu = mine()
            .next()
            .map_or("", |row| row.cluster.gpu.name.as_str());
        vec![
            name.into(),
            (*cluster).into(),
            gpu.into(),
            mine().count().to_string().into(),
            span(mine().map(|row| row.configuration.gpus)).into(),
            span(mine().map(|row| row.configuration.seq_len)).into(),
            models.into_iter().collect::<Vec<_>>().join(", ").into(),
        ]
    };
    Section {
        heading: "tables".to_owned(),
        grid: Grid {
            columns: vec![
                Column::left("table"),
                Column::left("cluster"),
                Column::left("GPU"),
                Column::right("rows"),
                Column::right("GPUs"),
                Column::right("seq"),
                Column::left("models"),
            ],
            rows: clusters.iter().map(line).collect(),
        },
    }
}

/// `8–32`, or `8` when there is one value.
fn span(values: impl Iterator<Item = u64> + Clone) -> String {
    match (values.clone().min(), values.max()) {
        (Some(min), Some(max)) if min < max => format!("{min}–{max}"),
        (Some(min), _) => min.to_string(),
        _ => String::new(),
    }
}

/// Every row.
#[must_use]
pub fn rows(name: &str, rows: &[Measurement]) -> Section {
    let line = |row: &Measurement| -> Vec<Cell> {
        let configuration = row.configuration;
        let count = |value: u64| Cell::from(value.to_string());
        vec![
            row.model.as_str().into(),
            row.cluster.name.as_str().into(),
            row.cluster.gpu.name.as_str().into(),
            count(configuration.gpus),
            count(configuration.seq_len),
            count(configuration.micro_batch),
            count(configuration.grad_accum),
            on_off(configuration.activation_checkpointing).into(),
            // In full for programs: rounded, `evaluate` and `fit` could not tell whose rows they are.
            Cell::from(row.throughput_tok_s.to_string())
                .short(format!("{:.0}", row.throughput_tok_s)),
        ]
    };
    Section {
        heading: name.to_owned(),
        grid: Grid {
            columns: vec![
                Column::left("model"),
                Column::left("cluster"),
                Column::left("gpu"),
                Column::right("gpus"),
                Column::right("seq_len"),
                Column::right("micro_batch"),
                Column::right("grad_accum"),
                Column::left("checkpointing"),
                Column::right("throughput_tok_s"),
            ],
            rows: rows.iter().map(line).collect(),
        },
    }
}
