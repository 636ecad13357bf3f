//! What a prediction rests on: the cell itself, cells around it, or none near.

use schemars::JsonSchema;
use serde::Serialize;

use super::axes::axes_left;
use super::residual::{Cell, distance, padded};
use crate::configuration::{Configuration, Setting};
use crate::measure::Measurement;
use crate::model::Shape;
use crate::quantity::{Interval, median};

/// How many nearest rows are named.
const NEAREST: usize = 3;

/// What a prediction rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// That cell is in the tables: same shape (its vocabulary padded or not), stack, hardware and
    /// links, number of GPUs, sequence length and micro-batch. Its gradient accumulation may
    /// differ, which only spreads the known cost per step.
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
    /// Distance in the residual correction's length scales, another GPU type, stack, link between
    /// nodes, kind of shape or choice of checkpointing counting as one each: 0 is the same cell;
    /// beyond about 2 the row says little about the configuration.
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
    /// Tokens per second measured of this very run (their middle, where it was measured again) that no
    /// run like it is expected to have: other rows
    /// say otherwise, so that the fit takes it for a bad run or a mistake. `null` where there is none.
    pub not_followed_tok_s: Option<f64>,
}

/// What a fit knows around a setting.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    /// The rows that a prediction can rest on.
    pub(crate) rows: Vec<&'a (Measurement, Cell)>,
    /// Those that hold what they say of the setting too.
    pub(crate) speak: Vec<&'a (Measurement, Cell)>,
    /// What the links between the nodes of these carry, as a share of what is stated, where that was
    /// found and isn't believed of the setting's.
    pub(crate) other_links: Option<f64>,
    /// The cluster whose rows over several nodes show what the links of the setting's carry, whatever is
    /// stated.
    pub(crate) shown_links: Option<&'a str>,
    /// Whether its GPU was measured, under other stacks.
    pub(crate) other_stacks: bool,
}

/// The basis of a configuration: the nearest rows, and what those that speak for its setting make of
/// it; `expected` is the range of tokens per second that nearly all runs like it have.
pub(crate) fn basis(
    known: &Known<'_>,
    setting: &Setting<'_>,
    configuration: &Configuration,
    expected: Interval,
) -> (Basis, BasisDetail) {
    let cell = Cell::new(setting, configuration);
    let nearest = nearest(&known.rows, &cell, (setting, configuration));
    let one_node = setting.cluster.nodes(configuration.gpus) == 1;
    let here = |row: &Measurement| {
        same_shape(&row.shape, setting.shape)
            && row.stack.is_same_as(setting.stack)
            && match known.shown_links.filter(|_| !one_node) {
                Some(shown) => row.cluster.name == shown,
                None => linked_alike(row, setting, configuration),
            }
            && (one_node || known.other_links.is_none())
    };
    let of_cell = known
        .speak
        .iter()
        .filter(|(row, at)| *at == cell && here(row));
    let measured = of_cell.clone().next().is_some();
    let of_this = of_cell
        .filter(|(row, _)| row.configuration == *configuration)
        .map(|(row, _)| row.throughput_tok_s);
    let axes = if measured {
        Vec::new()
    } else {
        axes_left(known, setting, configuration)
    };
    let basis = match (measured, axes.is_empty()) {
        (true, _) => Basis::Measured,
        (false, true) => Basis::Interpolated,
        (false, false) => Basis::Extrapolated,
    };
    let detail = BasisDetail {
        axes,
        nearest,
        not_followed_tok_s: median(of_this).filter(|speed| !expected.contains(*speed)),
    };
    (basis, detail)
}

/// Whether two shapes are one model: padding a vocabulary makes no other of it.
pub(super) fn same_shape(a: &Shape, b: &Shape) -> bool {
    let padded = |shape: &Shape| Shape {
        vocab_size: padded(shape.vocab_size),
        ..*shape
    };
    padded(a) == padded(b)
}

/// Whether a row ran over links like a configuration's: inside one node both, or over nodes that
/// are linked alike.
fn linked_alike(row: &Measurement, setting: &Setting<'_>, configuration: &Configuration) -> bool {
    let of_row = row.cluster.nodes(row.configuration.gpus);
    let nodes = setting.cluster.nodes(configuration.gpus);
    (of_row == 1 && nodes == 1) || row.cluster.is_linked_as(setting.cluster)
}

/// The nearest cells, each by its row of the nearest gradient accumulation.
fn nearest(
    rows: &[&(Measurement, Cell)],
    cell: &Cell,
    (setting, configuration): (&Setting<'_>, &Configuration),
) -> Vec<NearestRow> {
    let apart = |row: &Measurement, at: &Cell| {
        let switches = [
            row.stack.is_same_as(setting.stack),
            linked_alike(row, setting, configuration),
        ];
        let switched = switches.iter().filter(|same| !**same).count();
        distance(cell, at).hypot((switched as f64).sqrt())
    };
    let accum_gap = |row: &Measurement| {
        let ratio = row.configuration.grad_accum as f64 / configuration.grad_accum as f64;
        ratio.ln().abs()
    };
    let mut order: Vec<(f64, f64, usize)> = rows
        .iter()
        .enumerate()
        .map(|(index, (row, at))| (apart(row, at), accum_gap(row), index))
        .collect();
    order.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.cmp(&b.2))
    });
    let mut nearest: Vec<(NearestRow, &Cell)> = Vec::with_capacity(NEAREST);
    for (distance, _, index) in order {
        let Some((row, at)) = rows.get(index).copied() else {
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
