//! What a row trains, and in how many bits: all parameters in 16, or it is no run modelled here.

use crate::diagnostic::Diagnostic;

use super::checkpointing::is_on_or_off;
use super::column::{Column, normalised};
use super::grid::Cell;
use super::notes::Notes;
use super::row::{Row, is_no};

/// What is trained in place of all parameters, as part of what it is called.
const ADAPTERS: [&str; 8] = [
    "lora",
    "dora",
    "peft",
    "adapter",
    "prompttuning",
    "prefixtuning",
    "ia3",
    "freeze",
];

/// What an optimizer is called that holds more or less than two states in fp32 for each parameter, or
/// doesn't hold them in the GPU's memory.
const OTHER_STATES: [&str; 10] = [
    "8bit",
    "4bit",
    "fp8",
    "paged",
    "adafactor",
    "lion",
    "muon",
    "sgd",
    "shampoo",
    "galore",
];

/// Refuses what is trained otherwise, and warns of what is held otherwise.
///
/// # Errors
/// A row that trains a few parameters, or computes in fp32.
pub(super) fn check(row: &Row<'_>, notes: &mut Notes) -> Result<(), Diagnostic> {
    refuse_adapters(row)?;
    refuse_fp32(row)?;
    for cell in row.cells(Column::Optimizer) {
        let key = normalised(&cell.text);
        if OTHER_STATES.iter().any(|known| key.contains(known)) {
            let text = format!(
                "`{}` {} is taken as AdamW with states in fp32: its own memory and step are not modelled",
                row.spelled(Column::Optimizer, Some(cell)),
                cell.text
            );
            notes.warn(row.line(), text);
        }
    }
    Ok(())
}

fn refuse_adapters(row: &Row<'_>) -> Result<(), Diagnostic> {
    let header = |cell: &Cell| normalised(row.spelled(Column::Adapter, Some(cell)));
    let names_one = |text: &str| ADAPTERS.iter().any(|known| text.contains(known));
    // A rank is exported where nothing of it is trained, too.
    let is_rank = |cell: &Cell| header(cell) == "lorar" || header(cell).ends_with("rank");
    let told = row.cells(Column::Adapter).any(|cell| !is_rank(cell));
    for cell in row.cells(Column::Adapter) {
        let is_on = if is_rank(cell) {
            !told && !is_no(&cell.text) && cell.text != "-"
        } else {
            let switched = is_on_or_off(&cell.text) || cell.text == "1";
            let on = switched && !is_no(&cell.text);
            names_one(&normalised(&cell.text)) || on && names_one(&header(cell))
        };
        if is_on {
            let expected = "expected the training of all parameters: adapters are not modelled";
            let refusal = row.refuse(cell, Column::Adapter, expected);
            return Err(refusal.help("leave the rows of LoRA and other adapters out"));
        }
    }
    Ok(())
}

/// Neither of the two kinds of 16 bits is fp32, unless something else says more.
fn refuse_fp32(row: &Row<'_>) -> Result<(), Diagnostic> {
    let is_off = |column| row.cell(column).filter(|cell| is_no(&cell.text));
    let otherwise = [
        Column::Stack,
        Column::Precision,
        Column::MpMode,
        Column::Fp8,
    ];
    let told = otherwise
        .into_iter()
        .any(|column| row.cell(column).is_some());
    match (is_off(Column::Bf16), is_off(Column::Fp16)) {
        (Some(cell), Some(_)) if !told => {
            let expected = "expected bf16 or fp16 to be on: training in fp32 is not modelled";
            let refusal = row.refuse(cell, Column::Bf16, expected);
            Err(refusal
                .help("leave such rows out, or say in a `precision` column what they ran in"))
        }
        _ => Ok(()),
    }
}
