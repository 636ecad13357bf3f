//! Where a row ran and on which stack.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::hardware::Cluster;
use crate::preset::Catalog;
use crate::quantity::MAX_COUNT;
use crate::stack::Stack;

use super::column::Column;
use super::grid::Cell;
use super::notes::Notes;
use super::row::Row;

/// The stack of rows that don't tell theirs: that of the embedded tables.
const DEFAULT_STACK: &str = "fp32-gather";

/// Clusters and stacks met so far; rows share them.
pub(super) struct Places<'a> {
    catalog: &'a Catalog,
    clusters: BTreeMap<(String, String), Arc<Cluster>>,
    stacks: BTreeMap<String, Arc<Stack>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            clusters: BTreeMap::new(),
            stacks: BTreeMap::new(),
        }
    }

    /// The cluster a row names, or a generic one of its GPU.
    pub(super) fn cluster(
        &mut self,
        row: &Row<'_>,
        notes: &mut Notes,
    ) -> Result<Arc<Cluster>, Diagnostic> {
        let gpu = self.gpu_name(row)?;
        let named = row.cell(Column::Cluster);
        let key = (
            named.map(|cell| cell.text.clone()).unwrap_or_default(),
            gpu.clone().unwrap_or_default(),
        );
        let known = self.clusters.get(&key).map(Arc::clone);
        let cluster = match known {
            Some(known) => known,
            None => Arc::new(self.find_cluster(row, named, gpu.as_deref())?),
        };
        if named.is_some_and(|cell| self.catalog.cluster(&cell.text).is_err()) {
            let text = format!(
                "cluster `{}` is not known; its rows are taken as generic nodes of {}",
                key.0, cluster.gpu.name
            );
            notes.add(row.line(), text);
        }
        self.clusters.insert(key, Arc::clone(&cluster));
        Ok(cluster)
    }

    fn find_cluster(
        &self,
        row: &Row<'_>,
        named: Option<&Cell>,
        gpu: Option<&str>,
    ) -> Result<Cluster, Diagnostic> {
        match (named, gpu) {
            (Some(cell), gpu) => match (self.catalog.cluster(&cell.text), gpu) {
                (Ok(cluster), Some(gpu)) if cluster.gpu.name != gpu => Err(row.contradiction(
                    Column::Gpu,
                    &format!(
                        "cluster `{}` has {}, not {gpu}",
                        cluster.name, cluster.gpu.name
                    ),
                    &format!("expected {}", cluster.gpu.name),
                    &[Column::Cluster],
                )),
                (Ok(cluster), _) => Ok(cluster.clone()),
                (Err(_), Some(gpu)) => {
                    let mut generic = self.catalog.generic_cluster(gpu)?;
                    generic.name.clone_from(&cell.text);
                    Ok(generic)
                }
                (Err(unknown), None) => Err(row.located(unknown, cell, Column::Cluster).help(
                    "a `gpu` column would do: unknown clusters are taken as generic nodes of it",
                )),
            },
            (None, Some(gpu)) => self.catalog.generic_cluster(gpu),
            (None, None) => Err(row.missing(Column::Gpu, "`gpu` (nor `cluster`)")),
        }
    }

    /// Canonical name of the GPU; a repeated column must name the same one.
    fn gpu_name(&self, row: &Row<'_>) -> Result<Option<String>, Diagnostic> {
        let mut found: Option<String> = None;
        for cell in row.cells(Column::Gpu) {
            let (_, name) = split_count(&cell.text);
            let gpu = self
                .catalog
                .gpu(name)
                .map_err(|unknown| row.located(unknown, cell, Column::Gpu))?;
            match &found {
                Some(first) if *first != gpu.name => {
                    let expected = format!("expected {first} as in the other GPU column");
                    return Err(row.refuse(cell, Column::Gpu, &expected));
                }
                _ => found = Some(gpu.name.clone()),
            }
        }
        Ok(found)
    }

    /// The stack a row names, or the one its mixed-precision mode stands for.
    pub(super) fn stack(
        &mut self,
        row: &Row<'_>,
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
        note_unmodelled(row, notes)?;
        let policy = row
            .cell(Column::Precision)
            .filter(|cell| !is_half(&cell.text));
        let (cell, name) = match (row.cell(Column::Stack), row.cell(Column::MpMode), policy) {
            (Some(cell), ..) => (Some(cell), cell.text.clone()),
            (None, _, Some(cell)) => (Some(cell), cell.text.clone()),
            (None, Some(cell), None) => {
                let name = mode_stack(&cell.text).ok_or_else(|| {
                    let expected = "expected DEFAULT or PURE, or a `stack` column";
                    row.refuse(cell, Column::MpMode, expected)
                })?;
                let text = format!("MP mode {} is read as stack `{name}`", cell.text);
                notes.add(row.line(), text);
                (None, name.to_owned())
            }
            (None, None, None) => {
                let text = format!("the stack is not told and taken as `{DEFAULT_STACK}`");
                notes.add(row.line(), text);
                (None, DEFAULT_STACK.to_owned())
            }
        };
        if let Some(known) = self.stacks.get(&name) {
            return Ok(Arc::clone(known));
        }
        let column = match row.cell(Column::Stack) {
            Some(_) => Column::Stack,
            None => Column::Precision,
        };
        let stack = self.catalog.stack(&name).map_err(|unknown| match cell {
            Some(cell) => row.located(unknown, cell, column),
            None => unknown,
        })?;
        let stack = Arc::new(stack.clone());
        self.stacks.insert(name, Arc::clone(&stack));
        Ok(stack)
    }
}

/// The stack of a mixed-precision mode of `MosaicML`'s trainer. `PURE` moves parameters and gradients in
/// bf16 (the optimizer's states stay fp32).
fn mode_stack(mode: &str) -> Option<&'static str> {
    match mode.to_uppercase().as_str() {
        "DEFAULT" => Some(DEFAULT_STACK),
        "PURE" => Some("pure-bf16"),
        _ => None,
    }
}

/// Whether a precision says only that matrices are multiplied in 16 bits, as on every stack.
fn is_half(precision: &str) -> bool {
    matches!(
        precision.to_lowercase().as_str(),
        "amp_bf16" | "bf16" | "bfloat16" | "bf16-mixed" | "amp_fp16" | "fp16"
    )
}

/// Says what a row did that no stack here does.
fn note_unmodelled(row: &Row<'_>, notes: &mut Notes) -> Result<(), Diagnostic> {
    if let Some(cell) = row.cell(Column::Sharding)
        && !cell.text.eq_ignore_ascii_case("FULL_SHARD")
    {
        let text = format!(
            "sharding strategy `{}` is taken as FULL_SHARD, the only one modelled",
            cell.text
        );
        notes.add(row.line(), text);
    }
    if row.flag(Column::CpuOffload)? == Some(true) {
        notes.add(
            row.line(),
            "CPU offload is not modelled, its time is taken as computing",
        );
    }
    Ok(())
}

/// GPUs of a row: told in a column, or in front of the GPU's name (`32xA100_40GB`).
pub(super) fn gpu_count(row: &Row<'_>) -> Result<u64, Diagnostic> {
    let mut count = row.integer(Column::Gpus, MAX_COUNT)?;
    for cell in row.cells(Column::Gpu) {
        match (count, split_count(&cell.text).0) {
            (Some(told), Some(prefix)) if told != prefix => {
                let expected = format!("expected {told} GPUs as told by the row");
                return Err(row.refuse(cell, Column::Gpu, &expected));
            }
            (None, Some(0)) => {
                return Err(row.refuse(cell, Column::Gpu, "expected at least one GPU"));
            }
            (told, prefix) => count = told.or(prefix),
        }
    }
    count.ok_or_else(|| row.missing(Column::Gpus, "`gpus`"))
}

/// Splits `32xA100_40GB` into 32 and `A100_40GB`.
fn split_count(text: &str) -> (Option<u64>, &str) {
    let Some((count, name)) = text.split_once(['x', 'X', '×']) else {
        return (None, text);
    };
    match count.trim().parse() {
        Ok(count) => (Some(count), name.trim()),
        Err(_) => (None, text),
    }
}
