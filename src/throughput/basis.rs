//! What a prediction rests on: the cell itself, cells around it, or none near.

use schemars::JsonSchema;
use serde::Serialize;

use super::residual::{Cell, distance};
use crate::configuration::{Configuration, Setting};
use crate::measure::Measurement;
use crate::quantity::display_count;

/// How many nearest rows are named.
const NEAREST: usize = 3;

/// What a prediction rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// That cell is in the tables: same shape, hardware, sequence length and micro-batch. Its
    /// gradient accumulation may differ, which only spreads the known cost per step.
    Measured,
    /// Inside the range measured on that GPU type, on every axis.
    Interpolated,
    /// Outside it on at least one axis.
    Extrapolated,
}

/// A measured row near a configuration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NearestRow {
    /// Model of the row.
    pub model: String,
    /// GPU type of the row.
    pub gpu: String,
    /// GPUs.
    pub gpus: u64,
    /// Sequence length.
    pub seq_len: u64,
    /// Micro-batch.
    pub micro_batch: u64,
    /// Gradient accumulation.
    pub grad_accum: u64,
    /// Distance in the residual correction's length scales: 0 is the same cell; beyond about 2
    /// the row says little about the configuration.
    pub distance: f64,
    /// What was measured there.
    pub measured_tok_s: f64,
}

/// Why a prediction has the basis it has.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BasisDetail {
    /// Axes that left the measured range, in words.
    pub axes: Vec<String>,
    /// The nearest measured rows, nearest first.
    pub nearest: Vec<NearestRow>,
}

/// The basis of a configuration among measured rows, whose cells are `cells`.
pub(crate) fn basis(
    rows: &[(Measurement, Cell)],
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> (Basis, BasisDetail) {
    let cell = Cell::new(setting, configuration);
    let nearest = nearest(rows, &cell, configuration);
    let here = |row: &Measurement| {
        row.shape == *setting.shape && row.stack.precision == setting.stack.precision
    };
    let measured = rows.iter().any(|(row, at)| *at == cell && here(row));
    let axes = if measured {
        Vec::new()
    } else {
        axes_left(rows, setting, configuration)
    };
    let basis = match (measured, axes.is_empty()) {
        (true, _) => Basis::Measured,
        (false, true) => Basis::Interpolated,
        (false, false) => Basis::Extrapolated,
    };
    (basis, BasisDetail { axes, nearest })
}

/// The nearest cells, each by its row of the nearest gradient accumulation.
fn nearest(
    rows: &[(Measurement, Cell)],
    cell: &Cell,
    configuration: &Configuration,
) -> Vec<NearestRow> {
    let accum_gap = |row: &Measurement| {
        let ratio = row.configuration.grad_accum as f64 / configuration.grad_accum as f64;
        ratio.ln().abs()
    };
    let mut order: Vec<(f64, f64, usize)> = rows
        .iter()
        .enumerate()
        .map(|(index, (row, at))| (distance(cell, at), accum_gap(row), index))
        .collect();
    order.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.cmp(&b.2))
    });
    let mut nearest: Vec<(NearestRow, &Cell)> = Vec::with_capacity(NEAREST);
    for (distance, _, index) in order {
        let Some((row, at)) = rows.get(index) else {
            continue;
        };
        if !nearest.iter().any(|(_, known)| *known == at) {
            nearest.push((nearest_row(row, distance), at));
        }
        if nearest.len() == NEAREST {
            break;
        }
    }
    nearest.into_iter().map(|(row, _)| row).collect()
}

fn nearest_row(row: &Measurement, distance: f64) -> NearestRow {
    NearestRow {
        model: row.model.clone(),
        gpu: row.cluster.gpu.name.clone(),
        gpus: row.configuration.gpus,
        seq_len: row.configuration.seq_len,
        micro_batch: row.configuration.micro_batch,
        grad_accum: row.configuration.grad_accum,
        distance,
        measured_tok_s: row.throughput_tok_s,
    }
}

/// The axes on which a configuration is outside what was measured on its GPU type and stack.
fn axes_left(
    rows: &[(Measurement, Cell)],
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Vec<String> {
    let gpu = &setting.cluster.gpu.name;
    let on_gpu: Vec<&Measurement> = rows
        .iter()
        .map(|(row, _)| row)
        .filter(|row| row.cluster.gpu.name == *gpu)
        .collect();
    if on_gpu.is_empty() {
        return vec![format!("GPU type {gpu} (none measured)")];
    }
    let mut axes = Vec::new();
    let mut check = |name: &str, value: f64, of: &dyn Fn(&Measurement) -> f64| {
        let low = on_gpu
            .iter()
            .map(|row| of(row))
            .fold(f64::INFINITY, f64::min);
        let high = on_gpu.iter().map(|row| of(row)).fold(0.0, f64::max);
        if !(low..=high).contains(&value) {
            let range = if display_count(low) == display_count(high) {
                display_count(low)
            } else {
                format!("{} to {}", display_count(low), display_count(high))
            };
            axes.push(format!(
                "{name} {} (measured on {gpu}: {range})",
                display_count(value)
            ));
        }
    };
    let params = |row: &Measurement| row.shape.params(row.configuration.seq_len) as f64;
    let own_params = setting.shape.params(configuration.seq_len) as f64;
    check("parameters", own_params, &params);
    check("sequence length", configuration.seq_len as f64, &|row| {
        row.configuration.seq_len as f64
    });
    check(
        "tokens per micro-batch",
        configuration.micro_batch_tokens() as f64,
        &|row| row.configuration.micro_batch_tokens() as f64,
    );
    check("GPUs", configuration.gpus as f64, &|row| {
        row.configuration.gpus as f64
    });
    if !on_gpu
        .iter()
        .any(|row| row.stack.precision == setting.stack.precision)
    {
        axes.push(format!(
            "stack {} (not measured on {gpu})",
            setting.stack.name
        ));
    }
    let recomputes = configuration.activation_checkpointing;
    if !on_gpu
        .iter()
        .any(|row| row.configuration.activation_checkpointing == recomputes)
    {
        let choice = if recomputes { "on" } else { "off" };
        axes.push(format!(
            "activation checkpointing {choice} (not measured on {gpu})"
        ));
    }
    axes
}
