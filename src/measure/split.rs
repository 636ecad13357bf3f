//! Rows whose model is split over GPUs: tensor, pipeline, context and expert parallelism, which no
//! stack here does.

use crate::diagnostic::Diagnostic;

use super::checkpointing;
use super::column::Column;
use super::parallelism;
use super::row::{Row, is_no};

/// The columns that tell it.
pub(super) const COLUMNS: [Column; 4] = [
    Column::TensorParallel,
    Column::PipelineParallel,
    Column::ContextParallel,
    Column::ExpertParallel,
];

/// What splits a model.
pub(super) const MODES: &str = "tensor, pipeline, context and expert parallelism are";

/// How each is called in the name of a stack.
const PREFIXES: [&str; 4] = ["tp", "pp", "cp", "ep"];

/// Over how many GPUs one copy of the model is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    /// In the order of [`COLUMNS`].
    ways: [u64; 4],
}

impl Split {
    /// What a row tells of it.
    pub(super) fn of(row: &Row<'_>) -> Result<Self, Diagnostic> {
        let in_words = parallelism::told(row);
        let mut split = Self { ways: [1; 4] };
        for (at, (column, found)) in COLUMNS.into_iter().zip(&mut split.ways).enumerate() {
            *found = ways(row, column)?;
            let told =
                in_words.and_then(|(held, cell, told)| Some((held, cell, (*told.ways.get(at)?)?)));
            let Some((held, cell, told)) = told.filter(|(.., told)| told != found) else {
                continue;
            };
            let counted = row.cell(column).is_some();
            if told == 0 && !counted {
                let expected =
                    "expected over how many GPUs one copy of the model is split, such as TP 8";
                return Err(row.refuse(cell, held, expected));
            }
            if told > 0 && counted {
                let header = row.spelled(column, row.cell(column));
                let expected = format!("expected {found}, as `{header}` says");
                return Err(row.refuse(cell, held, &expected));
            }
            *found = told.max(*found);
        }
        split.share_sequences(row)?;
        Ok(split)
    }

    /// GPUs that share a sequence are those of context parallelism, unless tensor parallelism has them
    /// do so, as Megatron's.
    fn share_sequences(&mut self, row: &Row<'_>) -> Result<(), Diagnostic> {
        let column = Column::SequenceParallel;
        let [tensor, _, context, _] = &mut self.ways;
        let is_switch = row
            .cell(column)
            .is_some_and(|cell| checkpointing::is_on_or_off(&cell.text));
        if !is_switch {
            let shared = ways(row, column)?;
            if shared != *tensor && shared > *context {
                *context = shared;
            }
        }
        Ok(())
    }

    /// GPUs of one copy of the model. Experts are spread over copies.
    pub(super) fn gpus(self) -> u64 {
        let [tensor, pipeline, context, _] = self.ways;
        tensor.saturating_mul(pipeline).saturating_mul(context)
    }

    /// How many GPUs a copy may be counted to have: those of context and expert parallelism are often
    /// counted among the copies.
    pub(super) fn counts(self) -> impl Iterator<Item = u64> {
        let [tensor, pipeline, _, expert] = self.ways;
        let least = tensor.saturating_mul(pipeline);
        [
            self.gpus(),
            least,
            self.gpus().saturating_mul(expert),
            least.saturating_mul(expert),
        ]
        .into_iter()
    }

    /// What the name of a stack ends in that does so: `tp8-pp4`; `None` where nothing is split.
    pub(super) fn suffix(self) -> Option<String> {
        let parts = PREFIXES.into_iter().zip(self.ways);
        let parts: Vec<String> = parts
            .filter(|(_, ways)| *ways > 1)
            .map(|(name, ways)| format!("{name}{ways}"))
            .collect();
        (!parts.is_empty()).then(|| parts.join("-"))
    }
}

fn ways(row: &Row<'_>, column: Column) -> Result<u64, Diagnostic> {
    let Some(cell) = row.cell(column) else {
        return Ok(1);
    };
    let text = cell.text.trim_end_matches(".0").to_lowercase();
    if is_no(&text) || matches!(text.as_str(), "1" | "-") {
        return Ok(1);
    }
    let ways = text.parse().ok().filter(|ways| *ways > 0);
    ways.ok_or_else(|| {
        let expected = "expected over how many GPUs one copy of the model is split, such as 8";
        row.refuse(cell, column, expected)
    })
}

/// Whether a part of a stack's name says that its rows are split: `tp8`.
pub(super) fn is_suffix(part: &str) -> bool {
    let mut ways = PREFIXES
        .iter()
        .filter_map(|prefix| part.strip_prefix(prefix));
    ways.any(|ways| ways.parse::<u64>().is_ok())
}

/// What a stack's name says of it: `tp8-pp4`; `None` where it says nothing.
pub(super) fn suffix_of(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('-').filter(|part| is_suffix(part)).collect();
    (!parts.is_empty()).then(|| parts.join("-"))
}
