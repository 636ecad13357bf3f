//! On which stack a row ran.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::hardware::{Cluster, Gpu};
use crate::preset::Catalog;
use crate::stack::{FP8, Precision, Stack};

use super::bits::{self, is_full, is_half};
use super::column::Column;
use super::copies;
use super::grid::Cell;
use super::notes::Notes;
use super::row::Row;
use super::split::{self, Split};
use super::variant::{self, OFFLOAD, OFFLOADED, Sharding};

/// The stack of rows that don't tell theirs, and of a job that names none: that of the embedded
/// tables.
pub(crate) const DEFAULT_STACK: &str = "fp32-gather";

/// The same on GPUs that the embedded tables don't hold: the common setting of the software that
/// runs there.
pub(crate) const LATER_DEFAULT_STACK: &str = "bf16-gather";

/// The stack that moves parameters and gradients in bf16.
const PURE: &str = "pure-bf16";

/// What a stack of rows of a split model does otherwise.
const SPLIT: &str = "the model split over GPUs";

/// No name of a stack is longer.
const LONGEST_STACK: usize = 200;

/// The stack of rows on a GPU that don't tell theirs.
pub(super) fn usual_on(gpu: &Gpu) -> &'static str {
    if gpu.measured {
        DEFAULT_STACK
    } else {
        LATER_DEFAULT_STACK
    }
}

/// The stack that moves parameters and gradients so.
fn stack_of(precision: Precision) -> &'static str {
    match precision {
        Precision::Fp32Gather => DEFAULT_STACK,
        Precision::Bf16Gather => LATER_DEFAULT_STACK,
        Precision::PureBf16 => PURE,
    }
}

/// Stacks met so far; rows share them.
pub(super) struct Stacks<'a> {
    catalog: &'a Catalog,
    met: BTreeMap<String, Arc<Stack>>,
}

impl<'a> Stacks<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            met: BTreeMap::new(),
        }
    }

    /// The stack a row names, or the one its mixed-precision mode stands for; one of its own where
    /// the row did something else than any stack of the catalog.
    pub(super) fn stack(
        &mut self,
        row: &Row<'_>,
        (cluster, gpus): (&Cluster, u64),
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
        let mut stack = self.base(row, &cluster.gpu, notes)?;
        if variant::tells_fp8(row)? && !stack.multiplies_in_fp8() {
            stack = self.in_fp8(&stack, row, notes);
        }
        let groups = copies::sharding(row, gpus, notes)?;
        let told = Sharding::of(row, notes)
            .and_then(|(column, cell, told)| Some((column, cell, told.on(cluster.nodes(gpus))?)));
        // One GPU holds all there is, whatever it is sharded by.
        if let Some((column, cell, sharding)) = told.or(groups).filter(|_| gpus > 1) {
            stack = self.sharded(&stack, (column, cell), sharding, row, notes)?;
        }
        if variant::tells_offload(row)? && !variant::has_part(&stack.name, OFFLOAD) {
            stack = self.offloaded(&stack, row, notes);
        }
        self.split(stack, row, notes)
    }

    /// The stack that a row names, without what its other columns say.
    fn base(
        &mut self,
        row: &Row<'_>,
        gpu: &Gpu,
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
        let in_fewer_bits = |told: &Cell| variant::is_fp8(&told.text) || is_half(&told.text);
        // What is held in fp32 and computed in bf16 is mixed precision.
        let mut precisions = row
            .cells(Column::Precision)
            .chain(row.cells(Column::MpMode));
        let mixed = bits::mode(row).is_some() || precisions.any(in_fewer_bits);
        let other = row
            .cells(Column::Precision)
            .find(|told| !(in_fewer_bits(told) || mixed && is_full(&told.text)));
        if let Some(cell) = row.cell(Column::Stack) {
            if let Some(told) = other {
                let text = format!("precision `{}` is not used: the stack says it", told.text);
                notes.add(row.line(), text);
            }
            let named = self
                .named_stack(&cell.text, row, notes)
                .map_err(|unknown| {
                    row.located(unknown, cell, Column::Stack).help(
                        "`[stacks.NAME]` with its `precision`, in a file for `--presets`, defines another",
                    )
                })?;
            bits::compare(row, named.precision, notes);
            return Ok(named);
        }
        if let Some(cell) = other {
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
        let usual = usual_on(gpu);
        if let Some(cell) = bits::mode(row) {
            // `PURE` moves parameters and gradients in bf16 (the optimizer's states stay fp32).
            let name = match cell.text.to_uppercase().as_str() {
                "DEFAULT" => usual,
                "PURE" => PURE,
                _ => {
                    let expected = "expected DEFAULT or PURE, or a `stack` column";
                    return Err(row.refuse(cell, Column::MpMode, expected));
                }
            };
            let text = format!("MP mode {} is read as stack `{name}`", cell.text);
            notes.add(row.line(), text);
            return self.known_stack(name);
        }
        if let Some((precision, told)) = bits::of_dtypes(row, notes) {
            let name = stack_of(precision);
            notes.add(row.line(), format!("{told} is read as stack `{name}`"));
            return self.known_stack(name);
        }
        if let Some(told) = row
            .cells(Column::Precision)
            .find(|told| bits::is_all_half(told))
        {
            let text = format!("precision {} is read as stack `{PURE}`", told.text);
            notes.add(row.line(), text);
            return self.known_stack(PURE);
        }
        let text = format!("the stack is not told and taken as `{usual}`");
        notes.add(row.line(), text);
        self.known_stack(usual)
    }

    /// A stack whose parameters, gradients or optimizer states are not all sharded over all GPUs: one
    /// of its own.
    fn sharded(
        &mut self,
        base: &Arc<Stack>,
        (column, cell): (Column, &Cell),
        sharding: &Sharding,
        row: &Row<'_>,
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
        let suffix = sharding.suffix;
        match base.name.split('-').find_map(Sharding::of_suffix) {
            Some(named) if named.suffix == suffix => return Ok(Arc::clone(base)),
            Some(named) => {
                let message = format!(
                    "stack `{}` is sharded otherwise than the row: {suffix}",
                    base.name
                );
                let expected = format!("`{}` in its name", named.suffix);
                return Err(row.contradiction(column, &message, &expected, &[Column::Stack]));
            }
            None => {}
        }
        let name = format!("{}-{suffix}", base.name);
        let text = format!(
            "{} `{}` is not modelled: such rows are a stack of their own, `{name}`, taken as sharded \
             over all GPUs",
            variant::called(column),
            cell.text
        );
        notes.add(row.line(), text);
        Ok(self.apart(base, &name, sharding.what))
    }

    /// A stack of its own where the model is split over GPUs.
    fn split(
        &mut self,
        base: Arc<Stack>,
        row: &Row<'_>,
        notes: &mut Notes,
    ) -> Result<Arc<Stack>, Diagnostic> {
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
                let expected = format!("`{named}` in its name");
                return Err(row.contradiction(Column::Stack, &message, &expected, &split::COLUMNS));
            }
            None => {}
        }
        let name = format!("{}-{suffix}", base.name);
        let text = format!(
            "{} not modelled: such rows are a stack of their own, `{name}`, taken as sharded over all \
             GPUs",
            split::MODES
        );
        notes.add(row.line(), text);
        Ok(self.apart(&base, &name, SPLIT))
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

    /// A stack that keeps something in the CPU's memory: one of its own, since moving it takes time that
    /// no model here knows of.
    fn offloaded(&mut self, base: &Stack, row: &Row<'_>, notes: &mut Notes) -> Arc<Stack> {
        let name = format!("{}-{OFFLOAD}", base.name);
        let text = format!(
            "CPU offload is not modelled: such rows are a stack of their own, `{name}`, whose time is \
             taken as computing"
        );
        notes.add(row.line(), text);
        self.apart(base, &name, OFFLOADED)
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
        let known = self.met.entry(name.to_owned());
        Arc::clone(known.or_insert_with(|| Arc::new(stack())))
    }

    /// The stack of that name: the catalog's, or one of them in fp8, sharded otherwise, offloaded or
    /// split, as rows of them are named.
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
        let found = self.known_stack(name);
        if found.is_ok() {
            return found;
        }
        let what = match last {
            FP8 => {
                let base = self.named_stack(base, row, notes)?;
                return Ok(self.in_fp8(&base, row, notes));
            }
            OFFLOAD => OFFLOADED,
            split if split::is_suffix(split) => SPLIT,
            other => match Sharding::of_suffix(other) {
                Some(sharding) => sharding.what,
                None => return found,
            },
        };
        let base = self.named_stack(base, row, notes)?;
        Ok(self.apart(&base, name, what))
    }

    /// The stack of that name, shared by the rows that name it.
    fn known_stack(&mut self, name: &str) -> Result<Arc<Stack>, Diagnostic> {
        if let Some(known) = self.met.get(name) {
            return Ok(Arc::clone(known));
        }
        let stack = Arc::new(self.catalog.stack(name)?.clone());
        self.met.insert(name.to_owned(), Arc::clone(&stack));
        Ok(stack)
    }
}
