//! Copies of the model, as tables count them beside what it is split over: they go into the GPUs.

use crate::diagnostic::Diagnostic;
use crate::quantity::counted;

use super::column::Column;
use super::grid::Cell;
use super::notes::Notes;
use super::parallelism;
use super::row::Row;
use super::split::{self, Split};
use super::variant::Sharding;

/// How a row that counts copies shards them otherwise than over all GPUs, and where it says so.
///
/// # Errors
/// Numbers of copies and of what splits them that are not those of the row's GPUs.
pub(super) fn sharding<'a>(
    row: &Row<'a>,
    gpus: u64,
    notes: &mut Notes,
) -> Result<Option<(Column, &'a Cell, &'static Sharding)>, Diagnostic> {
    // What a stack's name says of a split is counted there.
    let named = row.cell(Column::Stack);
    if named.is_some_and(|cell| split::suffix_of(&cell.text).is_some()) {
        return Ok(None);
    }
    let split = Split::of(row)?;
    if let Some((cell, copies)) = degree(row, Column::DataParallel, notes) {
        // All GPUs, where copies and what splits them are not told apart.
        let mut of_a_copy = split.counts().chain([1]);
        if !of_a_copy.any(|ways| copies.checked_mul(ways) == Some(gpus)) {
            if copies == 1 {
                let header = row.spelled(Column::DataParallel, Some(cell));
                let text = format!(
                    "`{header}` 1 is not used: {gpus} GPUs are taken as sharded over by something else"
                );
                notes.warn(row.line(), text);
            } else {
                return Err(contradiction(
                    row,
                    Column::DataParallel,
                    copies,
                    split,
                    gpus,
                ));
            }
        }
    }
    groups(row, split, gpus, notes)
}

/// How it is where groups of GPUs, each of which shards a copy, are told.
fn groups<'a>(
    row: &Row<'a>,
    split: Split,
    gpus: u64,
    notes: &mut Notes,
) -> Result<Option<(Column, &'a Cell, &'static Sharding)>, Diagnostic> {
    let in_words = |told: fn(&parallelism::Told) -> Option<u64>| {
        let (column, cell, words) = parallelism::told(row)?;
        Some((column, cell, told(&words)?))
    };
    let column = |column, (cell, degree)| (column, cell, degree);
    let replicas = degree(row, Column::Replicas, notes)
        .map(|told| column(Column::Replicas, told))
        .or_else(|| in_words(|told| told.replicas));
    let shards = degree(row, Column::Shards, notes)
        .map(|told| column(Column::Shards, told))
        .or_else(|| in_words(|told| told.shards));
    let (column, cell, told) = match (replicas, shards) {
        (Some((column, cell, replicas)), Some((.., shards))) => {
            (column, cell, replicas.saturating_mul(shards))
        }
        (Some(told), None) | (None, Some(told)) => told,
        (None, None) => return Ok(None),
    };
    let is_whole = replicas.is_some() && shards.is_some();
    let left = split.counts().find_map(|ways| {
        let product = told.checked_mul(ways).filter(|product| *product > 0)?;
        let left = gpus.is_multiple_of(product).then(|| gpus / product)?;
        (left == 1 || !is_whole).then_some(left)
    });
    let Some(left) = left else {
        return Err(contradiction(row, column, told, split, gpus));
    };
    // The one that isn't told has what is left.
    let replicas = replicas.map_or(left, |(.., replicas)| replicas);
    let shards = shards.map_or(left, |(.., shards)| shards);
    let suffix = match (replicas, shards) {
        (1, _) => return Ok(None),
        (_, 1) => "zero0",
        _ => "hsdp",
    };
    Ok(Sharding::of_suffix(suffix).map(|sharding| (column, cell, sharding)))
}

/// The number in a column, unless it leaves the number open (`-1`, `auto`).
fn degree<'a>(row: &Row<'a>, column: Column, notes: &mut Notes) -> Option<(&'a Cell, u64)> {
    let cell = row.cell(column)?;
    let text = cell.text.trim_end_matches(".0");
    if let Ok(degree) = text.parse::<u64>() {
        return (degree > 0).then_some((cell, degree));
    }
    if !matches!(
        text.to_lowercase().as_str(),
        "-1" | "-" | "auto" | "none" | "null" | "n/a" | "nan"
    ) {
        let header = row.spelled(column, Some(cell));
        let text = format!(
            "`{header}` {} is no number of copies and not used",
            cell.text
        );
        notes.warn(row.line(), text);
    }
    None
}

fn contradiction(
    row: &Row<'_>,
    column: Column,
    copies: u64,
    split: Split,
    gpus: u64,
) -> Diagnostic {
    let ways = split.gpus();
    let product = counted(copies.saturating_mul(ways), "GPU");
    let message = if ways == 1 {
        format!("{copies} copies are {product}, not {gpus}, unless something splits or shards them")
    } else {
        format!("{copies} copies, each split over {ways} GPUs, are {product}, not {gpus}")
    };
    let expected = format!("expected {}", (gpus / ways.max(1)).max(1));
    let mut context = vec![Column::Gpus];
    context.extend(split::COLUMNS);
    row.contradiction(column, &message, &expected, &context).help(
        "columns `gpus` (all of them), `tp`, `pp`, `cp` and `ep` tell what splits the model, `dp_replicate` \
         and `dp_shard` groups that shard it",
    )
}
