//! What a row's software does otherwise than any stack here: other sharding, fp8, offloading.

use crate::diagnostic::Diagnostic;
use crate::stack::Stack;

use super::column::{Column, normalised};
use super::grid::Cell;
use super::notes::Notes;
use super::parallelism;
use super::row::{Row, is_no, is_yes};

/// By how much fp8's peak is above that of bf16, on every GPU that has both.
const FP8_PEAK: f64 = 2.0;

/// The most FLOP/s that a stack can reach, as a share of the dense bf16 peak.
pub(crate) fn peak_share(stack: &Stack) -> f64 {
    if stack.multiplies_in_fp8() {
        FP8_PEAK
    } else {
        1.0
    }
}

/// The same of one that keeps something in the CPU's memory, and what it does.
pub(super) const OFFLOAD: &str = "offload";
pub(super) const OFFLOADED: &str = "something offloaded to the CPU";

/// How else than over all GPUs a stack shards what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sharding {
    /// What is added to the stack's name.
    pub(super) suffix: &'static str,
    /// What it does.
    pub(super) what: &'static str,
}

const SHARDINGS: [Sharding; 5] = [
    Sharding {
        suffix: "hsdp",
        what: "sharded within groups of GPUs",
    },
    Sharding {
        suffix: "hsdp2",
        what: "gradients and optimizer states sharded within groups of GPUs",
    },
    Sharding {
        suffix: "zero2",
        what: "only gradients and optimizer states sharded",
    },
    Sharding {
        suffix: "zero1",
        what: "only optimizer states sharded",
    },
    Sharding {
        suffix: "zero0",
        what: "nothing sharded",
    },
];

/// A sharding, and where it is told.
pub(super) type Told<'a> = (Column, &'a Cell, &'static Sharding);

impl Sharding {
    /// The one whose stacks' names have such a part.
    pub(super) fn of_suffix(part: &str) -> Option<&'static Self> {
        SHARDINGS.iter().find(|sharding| sharding.suffix == part)
    }

    /// What it comes to on so many nodes: within one node, a group is all there is.
    pub(super) fn on(&'static self, nodes: u64) -> Option<&'static Self> {
        match (self.suffix, nodes) {
            ("hsdp", ..=1) => None,
            ("hsdp2", ..=1) => Self::of_suffix("zero2"),
            _ => Some(self),
        }
    }

    /// That of a row and where it says so; `None` where all is sharded over all GPUs, or where it
    /// isn't known, which is noted.
    pub(super) fn of<'a>(row: &Row<'a>, notes: &mut Notes) -> Option<Told<'a>> {
        let in_words = parallelism::told(row);
        let stage = row.cell(Column::ZeroStage);
        let stage = stage.filter(|_| row.cell(Column::Sharding).is_none());
        if let Some((column, cell, told)) = in_words
            && told.says_nothing()
            && stage.is_none()
        {
            let header = row.spelled(column, Some(cell));
            let text = format!(
                "`{header}` {} doesn't tell what is sharded, which is taken as FULL_SHARD, the only one \
                 modelled",
                cell.text
            );
            notes.warn(row.line(), text);
        }
        let in_words =
            in_words.and_then(|(column, cell, told)| Some((column, cell, told.sharding?)));
        let told = stage.and_then(|cell| Self::by_stage(cell, row, notes));
        Self::kept(row, told.or(in_words), notes)
    }

    /// The same where gathered parameters may be kept for the backward pass.
    fn kept<'a>(row: &Row<'a>, told: Option<Told<'a>>, notes: &mut Notes) -> Option<Told<'a>> {
        let column = Column::Reshard;
        let Some(cell) = row.cell(column) else {
            return told;
        };
        let text = cell.text.to_lowercase();
        if !is_no(&text) && text != "never" {
            if !matches!(
                text.as_str(),
                "true" | "yes" | "1" | "always" | "default" | "-"
            ) {
                let header = row.spelled(column, Some(cell));
                let text = format!(
                    "`{header}` {} is not used, though it may change the speed: expected true or false",
                    cell.text
                );
                notes.warn(row.line(), text);
            }
            return told;
        }
        let suffix = match told {
            None => "zero2",
            Some((.., sharding)) if sharding.suffix == "hsdp" => "hsdp2",
            told => return told,
        };
        Self::of_suffix(suffix).map(|sharding| (column, cell, sharding))
    }

    /// The one of a stage of `ZeRO`.
    pub(super) fn of_stage(stage: u64) -> Option<&'static Self> {
        match stage {
            0 => Self::of_suffix("zero0"),
            1 => Self::of_suffix("zero1"),
            2 => Self::of_suffix("zero2"),
            _ => None,
        }
    }

    /// The one that a column of its stage tells.
    fn by_stage<'a>(cell: &'a Cell, row: &Row<'a>, notes: &mut Notes) -> Option<Told<'a>> {
        let key = normalised(cell.text.trim_end_matches(".0"));
        let stage = key.trim_start_matches("zero").trim_start_matches("stage");
        let stage = if is_no(&cell.text) {
            Some(0)
        } else {
            stage.parse::<u64>().ok().filter(|stage| *stage <= 3)
        };
        let Some(stage) = stage else {
            let text = format!(
                "{} `{}` is not known and taken as FULL_SHARD, the only one modelled",
                called(Column::ZeroStage),
                cell.text
            );
            notes.warn(row.line(), text);
            return None;
        };
        Self::of_stage(stage).map(|sharding| (Column::ZeroStage, cell, sharding))
    }
}

/// What a column that tells a sharding is called in a sentence.
pub(super) fn called(column: Column) -> &'static str {
    match column {
        Column::ZeroStage => "ZeRO stage",
        Column::Replicas => "dp_replicate",
        Column::Shards => "dp_shard",
        Column::Reshard => "reshard_after_forward",
        _ => "sharding strategy",
    }
}

/// Whether a stack's name has such a part.
pub(super) fn has_part(name: &str, part: &str) -> bool {
    name.split('-').any(|held| held == part)
}

/// Whether a precision is 8 bits wide.
pub(super) fn is_fp8(precision: &str) -> bool {
    let key = normalised(precision);
    let key = key.trim_start_matches("torch").trim_start_matches("amp");
    matches!(
        key,
        "fp8"
            | "tefp8"
            | "mxfp8"
            | "fp8mixed"
            | "fp8hybrid"
            | "fp8e4m3"
            | "float8"
            | "float8e4m3"
            | "float8e4m3fn"
            | "transformerengine"
    )
}

/// Whether a row says that its matrices are multiplied in fp8: by its precision, in a column of its
/// own, or among other techniques.
pub(super) fn tells_fp8(row: &Row<'_>) -> Result<bool, Diagnostic> {
    const HOW: [&str; 5] = ["hybrid", "e4m3", "tensorwise", "rowwise", "delayed"];

    let mut precisions = row
        .cells(Column::Precision)
        .chain(row.cells(Column::MpMode));
    let mut told = precisions.any(|cell| is_fp8(&cell.text));
    for cell in row.cells(Column::Techniques) {
        let key = normalised(&cell.text);
        told |= key.contains("fp8") || key.contains("float8");
    }
    Ok(told | any_told(row, Column::Fp8, |text| HOW.contains(&text) || is_fp8(text))?)
}

/// Whether a row says that something is offloaded to the CPU.
pub(super) fn tells_offload(row: &Row<'_>) -> Result<bool, Diagnostic> {
    let in_words = parallelism::told(row).is_some_and(|(.., told)| told.offload);
    let told = any_told(row, Column::CpuOffload, |text| {
        matches!(text, "cpu" | "nvme")
    })?;
    Ok(in_words || told)
}

/// Whether any cell of a column says yes, which `also` tells of other words than yes.
fn any_told(
    row: &Row<'_>,
    column: Column,
    also: impl Fn(&str) -> bool,
) -> Result<bool, Diagnostic> {
    let mut told = false;
    for cell in row.cells(column) {
        let text = cell.text.to_lowercase();
        told |= match text.as_str() {
            text if is_yes(text) || text == "full" => true,
            text if is_no(text) || text == "-" => false,
            text if also(text) => true,
            _ => return Err(row.refuse(cell, column, "expected true or false")),
        };
    }
    Ok(told)
}
