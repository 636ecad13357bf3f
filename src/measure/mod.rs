//! Measured rows: what a run was, and how fast it went.
//!
//! [`read`] takes CSV or Markdown, in the spellings people publish such tables in, and either
//! understands every row or says which cell it doesn't understand. Text becomes grids of cells
//! (`grid`, `delimited`, `markdown`), headers become columns (`column`), and rows become
//! measurements (`rows`, `row`, `batch`, `place`, `shape`, …); what had to be assumed is said in
//! [`Table::notes`].

mod accumulation;
mod batch;
mod bits;
mod checkpointing;
mod column;
mod copies;
mod count;
mod delimited;
mod experts;
mod grid;
mod header;
mod markdown;
mod meant;
mod nodes;
mod notes;
mod number;
mod parallelism;
mod place;
mod row;
mod rows;
mod shape;
mod speed;
mod spellings;
mod split;
mod stacks;
mod training;
mod units;
mod utilization;
mod variant;
mod write;

use std::sync::Arc;

use crate::configuration::{Configuration, Setting};
use crate::diagnostic::{Diagnostic, Origin};
use crate::hardware::{Cluster, Gpu};
use crate::model::Shape;
use crate::preset::Catalog;
use crate::stack::Stack;

use grid::Grid;
use rows::Speed;

pub(crate) use number::with_decimal_point;
pub(crate) use speed::{PLAUSIBLE_MFU, mfu, percent};
pub use units::Unit;
pub(crate) use write::is_usual;
pub use write::{to_blank_csv, to_csv};

/// The measured tables of `MosaicGPT` training, every column of the published document
/// (`mosaicml/examples`, `llm/throughput`, 2023): 300 rows, CSV with a header.
///
/// `gpu_type` and `gpu` are its two `GPUType` columns, the first with the GPU count in it; the
/// utilization columns assume recomputed activations on every row.
pub const MOSAICGPT_2023: &str = include_str!("../../presets/tables/mosaicgpt-2023.csv");

/// One measured row.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The model's name, as the catalog spells it where it is known there.
    pub model: String,
    /// Its shape.
    pub shape: Shape,
    /// Where it ran.
    pub cluster: Arc<Cluster>,
    /// On which stack.
    pub stack: Arc<Stack>,
    /// Whether the row names it; else it is the one that rows of its GPU are usually of.
    pub stack_told: bool,
    /// How it was launched.
    pub configuration: Configuration,
    /// Measured tokens per second, all GPUs together.
    pub throughput_tok_s: f64,
    /// Line of the table it stands in, from 1.
    pub line: usize,
}

impl Measurement {
    /// What ran, as the models take it.
    #[must_use]
    pub fn setting(&self) -> Setting<'_> {
        Setting {
            shape: &self.shape,
            cluster: &self.cluster,
            stack: &self.stack,
        }
    }

    /// Whether it is the same run as another, measured again.
    pub(crate) fn is_repeat_of(&self, other: &Self) -> bool {
        self.configuration == other.configuration
            && self.shape == other.shape
            && self.place() == other.place()
    }

    /// Where it ran, for whatever tells places apart: cluster, GPU and stack. A cluster's name alone
    /// doesn't tell its GPU, since one that isn't known is taken as nodes of the GPU of its row.
    pub(crate) fn place(&self) -> (&str, &str, &str) {
        (&self.cluster.name, &self.cluster.gpu.name, &self.stack.name)
    }

    /// Whether it ran over links between nodes.
    pub(crate) fn spans_nodes(&self) -> bool {
        self.cluster.nodes(self.configuration.gpus) > 1
    }

    /// Whether one copy of the model is split over several GPUs, which no model here knows of.
    pub(crate) fn is_split(&self) -> bool {
        self.stack.name.rsplit('-').any(split::is_suffix)
    }
}

pub(crate) use stacks::{DEFAULT_STACK, LATER_DEFAULT_STACK};
pub(crate) use variant::peak_share;

/// Whether a stack does what no launch file here asks for, and no memory model knows: it splits the
/// model, shards it otherwise or keeps part of it in the CPU's memory.
pub(crate) fn is_apart(stack: &Stack) -> bool {
    let apart = |part| {
        split::is_suffix(part)
            || variant::Sharding::of_suffix(part).is_some()
            || part == variant::OFFLOAD
    };
    stack.name.rsplit('-').any(apart)
}

/// Whether a GPU can run a stack, as far as is known: not all multiply matrices in fp8, which a stack's
/// name tells.
pub(crate) fn runs_on(stack: &Stack, gpu: &Gpu) -> bool {
    gpu.fp8 != Some(false) || !stack.multiplies_in_fp8()
}

/// What a file of measurements holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its rows, in the file's order.
    pub rows: Vec<Measurement>,
    /// What was ignored or assumed, one sentence each, in the order met.
    pub notes: Vec<String>,
}

/// Reads the measurements in `text`; `name` is what people know it by, and its extension (`.csv`,
/// `.tsv`, `.md`) says how to read it. Without one of these, the text itself does.
///
/// # Errors
/// The first thing that can't be understood: a missing or repeated column, a ragged row, a cell
/// that is not what its column holds, a name that is not in the catalog, or columns of one row
/// that contradict each other. Line, column, value and what was expected are named.
pub fn read(name: &str, text: &str, catalog: &Catalog) -> Result<Table, Diagnostic> {
    read_as(Speed::Told, name, text, catalog)
}

/// The same of runs some or all of which are still to be measured: where a row doesn't tell its
/// throughput, it is 0.
///
/// # Errors
/// As [`read`].
pub fn read_runs(name: &str, text: &str, catalog: &Catalog) -> Result<Table, Diagnostic> {
    read_as(Speed::Open, name, text, catalog)
}

fn read_as(speed: Speed, name: &str, text: &str, catalog: &Catalog) -> Result<Table, Diagnostic> {
    let origin = Origin {
        name: name.to_owned(),
        text: text.into(),
    };
    let mut notes = notes::Notes::default();
    let mut rows = Vec::new();
    for grid in grids(&origin, &mut notes)? {
        rows::read_grid((&grid, speed), &origin, catalog, &mut notes, &mut rows)?;
    }
    if rows.is_empty() {
        return Err(Diagnostic::new(format!("`{name}` holds no measured row"))
            .help("a table has a header and one measured run a line"));
    }
    Ok(Table {
        rows,
        notes: notes.finish(),
    })
}

/// The tables of measurements in a file, by its extension or else its contents.
fn grids(origin: &Origin, notes: &mut notes::Notes) -> Result<Vec<Grid>, Diagnostic> {
    let extension = origin
        .name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase());
    match extension.as_deref() {
        Some("md" | "markdown") => markdown::grids(origin, notes),
        Some("csv") => delimited::csv_grids(origin, notes),
        Some(kind @ ("json" | "jsonl" | "ndjson" | "xlsx" | "xls" | "ods")) => {
            Err(Diagnostic::new(format!(
                "`{}` is no table: {} is not read as measurements",
                origin.name,
                kind.to_uppercase()
            ))
            .help("export it as CSV: a header, and one measured run a line"))
        }
        Some("tsv") => delimited::grids(origin, b'\t', notes),
        _ if origin.text.lines().any(markdown::is_delimiter_row) => markdown::grids(origin, notes),
        _ => delimited::csv_grids(origin, notes),
    }
}
