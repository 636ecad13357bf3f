//! Where a row ran and on which stack.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::hardware::{Cluster, Gpu};
use crate::preset::Catalog;
use crate::quantity::{MAX_COUNT, display_whole};
use crate::stack::Stack;

use super::column::Column;
use super::grid::Cell;
use super::notes::Notes;
use super::row::Row;
use super::split::{self, Split};

/// The stack of rows that don't tell theirs: that of the embedded tables.
const DEFAULT_STACK: &str = "fp32-gather";

/// The same on GPUs that the embedded tables don't hold: the common setting of the software that
/// runs there.
const LATER_DEFAULT_STACK: &str = "bf16-gather";

/// What is added to the name of a stack that multiplies matrices in fp8.
const FP8: &str = "fp8";

/// A cluster met, and whether the catalog knows the name it was met by.
#[derive(Clone)]
struct Met {
    cluster: Arc<Cluster>,
    known: bool,
}

/// Clusters and stacks met so far; rows share them.
pub(super) struct Places<'a> {
    catalog: &'a Catalog,
    clusters: BTreeMap<(String, String), Met>,
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
        let met = match self.clusters.get(&key) {
            Some(met) => met.clone(),
            None => Met {
                cluster: Arc::new(self.find_cluster(row, named, gpu.as_deref())?),
                known: named.is_none_or(|cell| self.catalog.cluster(&cell.text).is_ok()),
            },
        };
        if !met.known {
            let text = format!(
                "cluster `{}` is not known; its rows are taken as generic nodes of {}",
                key.0, met.cluster.gpu.name
            );
            notes.add(row.line(), text);
        }
        self.clusters.insert(key, met.clone());
        Ok(met.cluster)
    }

    /// Says what is assumed of the links between the nodes of a row, where its cluster isn't known.
    pub(super) fn note_links(
        &self,
        row: &Row<'_>,
        cluster: &Cluster,
        gpus: u64,
        notes: &mut Notes,
    ) {
        // A GPU's name is one of its clusters' too.
        let known = !cluster.stands_for_gpu() && self.catalog.cluster(&cluster.name).is_ok();
        let Some(rate) = cluster.inter_node_bytes_per_s.filter(|_| !known) else {
            return;
        };
        if cluster.nodes(gpus) > 1 {
            let text = format!(
                "the nodes of {} are taken to be linked at {} Gbit/s, unless rows show less: \
                 `inter_node_gbps` of a `[clusters.NAME]` in a file for `--presets`, and a `cluster` \
                 column, tell yours",
                cluster.name,
                display_whole(rate * 8.0 / 1e9)
            );
            notes.add(row.line(), text);
        }
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

    /// The stack a row names, or the one its mixed-precision mode stands for; one of its own where
    /// the model is split as well.
    pub(super) fn stack(
        &mut self,
        row: &Row<'_>,
        gpu: &Gpu,
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
        note_unmodelled(row, notes)?;
        let base = self.unsplit_stack(row, gpu, notes)?;
        let Some(suffix) = Split::of(row)?.suffix() else {
            return Ok(base);
        };
        match split::suffix_of(&base.name) {
            Some(named) if named == suffix => return Ok(base),
            Some(named) => {
                let message = format!(
                    "stack `{}` is split otherwise than the row: {suffix}",
                    base.name
                );
                let factors = [Column::TensorParallel, Column::PipelineParallel];
                let expected = format!("`{named}` in its name");
                return Err(row.contradiction(Column::Stack, &message, &expected, &factors));
            }
            None => {}
        }
        let name = format!("{}-{suffix}", base.name);
        let text = format!(
            "tensor and pipeline parallelism are not modelled: such rows are a stack of their own, \
             `{name}`, taken as sharded over all GPUs"
        );
        notes.add(row.line(), text);
        Ok(self.apart(&base, &name, "the model split over GPUs"))
    }

    fn unsplit_stack(
        &mut self,
        row: &Row<'_>,
        gpu: &Gpu,
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
        let precision = row.cell(Column::Precision);
        if let Some(cell) = row.cell(Column::Stack) {
            let stack = self
                .named_stack(&cell.text, row, notes)
                .map_err(|unknown| row.located(unknown, cell, Column::Stack))?;
            return Ok(match precision {
                Some(told) if is_fp8(&told.text) && !stack.name.ends_with(FP8) => {
                    self.in_fp8(&stack, row, notes)
                }
                Some(told) if !is_fp8(&told.text) && !is_half(&told.text) => {
                    let text = format!("precision `{}` is not used: the stack says it", told.text);
                    notes.add(row.line(), text);
                    stack
                }
                _ => stack,
            });
        }
        if precision.is_some_and(|cell| is_fp8(&cell.text)) {
            let base = self.mode_stack(row, gpu, notes)?;
            return Ok(self.in_fp8(&base, row, notes));
        }
        if let Some(cell) = precision.filter(|cell| !is_half(&cell.text)) {
            return self.known_stack(&cell.text).map_err(|_| {
                let expected = "expected bf16 or the name of a stack";
                row.refuse(cell, Column::Precision, expected)
                    .help("other precisions are not modelled: leave their rows out")
            });
        }
        self.mode_stack(row, gpu, notes)
    }

    /// The stack that a row's mixed-precision mode stands for, or the usual one on its GPU.
    fn mode_stack(
        &mut self,
        row: &Row<'_>,
        gpu: &Gpu,
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
        let usual = if gpu.measured {
            DEFAULT_STACK
        } else {
            LATER_DEFAULT_STACK
        };
        let Some(cell) = row.cell(Column::MpMode) else {
            let text = format!("the stack is not told and taken as `{usual}`");
            notes.add(row.line(), text);
            return self.known_stack(usual);
        };
        // `PURE` moves parameters and gradients in bf16 (the optimizer's states stay fp32).
        let name = match cell.text.to_uppercase().as_str() {
            "DEFAULT" => usual,
            "PURE" => "pure-bf16",
            _ => {
                let expected = "expected DEFAULT or PURE, or a `stack` column";
                return Err(row.refuse(cell, Column::MpMode, expected));
            }
        };
        let text = format!("MP mode {} is read as stack `{name}`", cell.text);
        notes.add(row.line(), text);
        self.known_stack(name)
    }

    /// A stack with its matrices multiplied in fp8: one of its own, so that its rows say nothing
    /// about others.
    fn in_fp8(&mut self, base: &Stack, row: &Row<'_>, notes: &mut Notes) -> Arc<Stack> {
        let name = format!("{}-{FP8}", base.name);
        let text = format!(
            "fp8 is not modelled: its rows are a stack of their own, `{name}`, whose matrix \
             efficiency is a share of the bf16 peak"
        );
        notes.add(row.line(), text);
        self.apart(base, &name, "matrices multiplied in fp8")
    }

    /// A stack that does something else than one of the catalog's, under a name of its own.
    fn apart(&mut self, base: &Stack, name: &str, what: &str) -> Arc<Stack> {
        if let Ok(stack) = self.known_stack(name) {
            return stack;
        }
        let stack = || Stack {
            name: name.to_owned(),
            measured: false,
            description: format!("{}, {what}", base.name),
            ..base.clone()
        };
        let known = self.stacks.entry(name.to_owned());
        Arc::clone(known.or_insert_with(|| Arc::new(stack())))
    }

    /// The stack of that name: the catalog's, or one of them in fp8 or split, as rows of them are
    /// named.
    fn named_stack(
        &mut self,
        name: &str,
        row: &Row<'_>,
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
        let Some((base, last)) = name.rsplit_once('-').filter(|_| name.len() < LONGEST_STACK)
        else {
            return self.known_stack(name);
        };
        match self.known_stack(name) {
            Err(_) if last == FP8 => {
                let base = self.named_stack(base, row, notes)?;
                Ok(self.in_fp8(&base, row, notes))
            }
            Err(_) if split::is_suffix(last) => {
                let base = self.named_stack(base, row, notes)?;
                Ok(self.apart(&base, name, "the model split over GPUs"))
            }
            found => found,
        }
    }

    /// The stack of that name, shared by the rows that name it.
    fn known_stack(&mut self, name: &str) -> Result<Arc<Stack>, Diagnostic> {
        if let Some(known) = self.stacks.get(name) {
            return Ok(Arc::clone(known));
        }
        let stack = Arc::new(self.catalog.stack(name)?.clone());
        self.stacks.insert(name.to_owned(), Arc::clone(&stack));
        Ok(stack)
    }
}

/// No name of a stack is longer.
const LONGEST_STACK: usize = 200;

/// Whether a precision is 8 bits wide.
fn is_fp8(precision: &str) -> bool {
    matches!(
        precision.to_lowercase().as_str(),
        "amp_fp8" | "fp8" | "te_fp8"
    )
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
    if let Some(cell) = row.cell(Column::ZeroStage)
        && !["3", "zero-3", "stage 3"].contains(&&*cell.text.trim_end_matches(".0").to_lowercase())
    {
        let text = format!(
            "ZeRO stage `{}` is taken as stage 3 (FULL_SHARD), the only one modelled",
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
pub(super) fn split_count(text: &str) -> (Option<u64>, &str) {
    let Some((count, name)) = text.split_once(['x', 'X', '×']) else {
        return (None, text);
    };
    match count.trim().parse() {
        Ok(count) => (Some(count), name.trim()),
        Err(_) => (None, text),
    }
}
