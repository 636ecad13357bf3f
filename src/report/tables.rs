//! Measured tables: what they span, and their rows.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::configuration::on_off;
use crate::measure::Measurement;

use super::listing::Section;
use super::{Cell, Column, Grid};

/// What a table has of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MeasuredThere<'a> {
    /// The table's name.
    table: &'a str,
    cluster: &'a str,
    #[serde(rename = "GPU")]
    gpu: &'a str,
    /// How many rows.
    rows: usize,
    #[serde(rename = "GPUs")]
    gpus: Span,
    /// Sequence lengths.
    seq: Span,
    models: BTreeSet<&'a str>,
}

/// From the least to the most of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Span {
    least: u64,
    most: u64,
}

impl Span {
    fn of(values: impl Iterator<Item = u64> + Clone) -> Option<Self> {
        let (least, most) = (values.clone().min()?, values.max()?);
        Some(Self { least, most })
    }

    /// `8–32`, or `8` when there is one value.
    fn words(self) -> String {
        let Self { least, most } = self;
        if least < most {
            format!("{least}–{most}")
        } else {
            least.to_string()
        }
    }
}

/// What a table has of each of its clusters, in the order they come.
#[must_use]
pub fn measured<'a>(table: &'a str, rows: &'a [Measurement]) -> Vec<MeasuredThere<'a>> {
    let mut clusters: Vec<&str> = Vec::new();
    for row in rows {
        if !clusters.contains(&row.cluster.name.as_str()) {
            clusters.push(&row.cluster.name);
        }
    }
    let there = |cluster: &'a str| {
        let mine = || rows.iter().filter(move |row| row.cluster.name == cluster);
        Some(MeasuredThere {
            table,
            cluster,
            gpu: mine().next()?.cluster.gpu.name.as_str(),
            rows: mine().count(),
            gpus: Span::of(mine().map(|row| row.configuration.gpus))?,
            seq: Span::of(mine().map(|row| row.configuration.seq_len))?,
            models: mine().map(|row| row.model.as_str()).collect(),
        })
    };
    clusters.into_iter().filter_map(there).collect()
}

/// One line for each cluster: what was measured there.
#[must_use]
pub fn summary(measured: &[MeasuredThere<'_>]) -> Section {
    let line = |there: &MeasuredThere<'_>| -> Vec<Cell> {
        let models: Vec<&str> = there.models.iter().copied().collect();
        vec![
            there.table.into(),
            there.cluster.into(),
            there.gpu.into(),
            there.rows.to_string().into(),
            there.gpus.words().into(),
            there.seq.words().into(),
            models.join(", ").into(),
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
            rows: measured.iter().map(line).collect(),
        },
    }
}

/// A row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeasuredRow<'a> {
    model: &'a str,
    cluster: &'a str,
    gpu: &'a str,
    gpus: u64,
    seq_len: u64,
    micro_batch: u64,
    grad_accum: u64,
    checkpointing: &'static str,
    throughput_tok_s: f64,
}

impl<'a> From<&'a Measurement> for MeasuredRow<'a> {
    fn from(row: &'a Measurement) -> Self {
        let configuration = row.configuration;
        Self {
            model: &row.model,
            cluster: &row.cluster.name,
            gpu: &row.cluster.gpu.name,
            gpus: configuration.gpus,
            seq_len: configuration.seq_len,
            micro_batch: configuration.micro_batch,
            grad_accum: configuration.grad_accum,
            checkpointing: on_off(configuration.activation_checkpointing),
            throughput_tok_s: row.throughput_tok_s,
        }
    }
}

/// Every row.
#[must_use]
pub fn rows(name: &str, rows: &[MeasuredRow<'_>]) -> Section {
    let line = |row: &MeasuredRow<'_>| -> Vec<Cell> {
        let count = |value: u64| Cell::from(value.to_string());
        vec![
            row.model.into(),
            row.cluster.into(),
            row.gpu.into(),
            count(row.gpus),
            count(row.seq_len),
            count(row.micro_batch),
            count(row.grad_accum),
            row.checkpointing.into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{MOSAICGPT_2023, read};
    use crate::preset::Catalog;

    #[test]
    fn a_span_is_one_for_programs_whatever_it_spans() {
        let table = read("t.csv", MOSAICGPT_2023, &Catalog::embedded()).unwrap();
        let told = serde_json::to_value(measured("t", &table.rows)).unwrap();
        let there = told.as_array().unwrap();
        assert!(there.len() > 1);
        for there in there {
            for span in ["GPUs", "seq"] {
                assert!(there[span]["least"].is_u64(), "{there}");
                assert!(there[span]["most"].is_u64(), "{there}");
            }
        }
    }
}
