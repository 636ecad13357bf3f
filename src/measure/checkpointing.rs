//! Whether a row recomputed its activations, under whatever header it says so.

use crate::diagnostic::Diagnostic;
use crate::model::Shape;

use super::column::{Column, normalised};
use super::notes::Notes;
use super::row::{Row, is_no, is_yes};
use super::spellings::recompute::{is_of_saving, is_spoken_of};

/// Models up to this many parameters were trained without activation checkpointing by the
/// measured family's launch scripts, larger ones with it.
const UNCHECKPOINTED_PARAMS: u64 = 900_000_000;

/// Whether a cell says that something is done or that it isn't, and no number of anything.
pub(super) fn is_on_or_off(text: &str) -> bool {
    const WORDS: [&str; 8] = [
        "on", "off", "true", "false", "yes", "no", "enabled", "disabled",
    ];
    WORDS.contains(&text.to_lowercase().as_str())
}

/// Whether an unread column may have told what is assumed in its place.
fn may_have_told(header: &str, cell: &str) -> bool {
    let key = normalised(header);
    let named = key.contains("ckpt") || key.contains("checkpoint");
    is_spoken_of(header) && !is_no(cell) || named && !is_of_saving(header) && is_on_or_off(cell)
}

/// What a cell says under a header that is not this project's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    On,
    Off,
    /// A part of each block, or of the blocks.
    Part,
    /// Neither.
    Nothing,
    Unknown,
}

impl Said {
    fn by(header: &str, text: &str) -> Self {
        let key = normalised(header);
        let text = text.to_lowercase();
        let no = is_no(&text) || matches!(text.as_str(), "-" | "n/a" | "na" | "nan" | "never");
        let yes = is_yes(&text);
        match text.as_str() {
            // Without that part, all of it may still be recomputed.
            _ if no && key.contains("selective") => Self::Nothing,
            _ if no => Self::Off,
            // Megatron's flag of that name recomputes attention alone.
            _ if yes && (key.ends_with("recomputeactivations") || key.contains("selective")) => {
                Self::Part
            }
            _ if yes => Self::On,
            "full" | "uniform" | "all" => Self::On,
            "selective" | "op" | "block" | "partial" => Self::Part,
            _ => Self::Unknown,
        }
    }
}

/// Whether activations are recomputed: as told, or else as the launch scripts of the measured family
/// have it.
pub(super) fn read(
    row: &Row<'_>,
    shape: &Shape,
    seq_len: u64,
    notes: &mut Notes,
) -> Result<bool, Diagnostic> {
    let told = row.flag(Column::Checkpointing)?;
    let mut found = told;
    for cell in row.cells(Column::Recompute) {
        let header = row.spelled(Column::Recompute, Some(cell));
        match Said::by(header, &cell.text) {
            Said::Nothing => {}
            Said::On if told == Some(false) => {
                let says = row.spelled(Column::Checkpointing, row.cell(Column::Checkpointing));
                let expected = format!("expected none, as `{says}` says");
                return Err(row.refuse(cell, Column::Recompute, &expected));
            }
            Said::On => found = Some(true),
            // One way of it is off; another may be on.
            Said::Off if told == Some(true) => {
                let text = format!(
                    "`{header}` {} is not used: another column says that activations are recomputed",
                    cell.text
                );
                notes.warn(row.line(), text);
            }
            Said::Off => found = found.or(Some(false)),
            Said::Part | Said::Unknown if told.is_some() => {
                let text = format!(
                    "`{header}` {} is not used, though it may change the speed: another column says \
                     whether activations are recomputed",
                    cell.text
                );
                notes.warn(row.line(), text);
            }
            Said::Part => {
                let refusal = row.refuse(cell, Column::Recompute, "expected false, none or full");
                return Err(refusal.help(
                    "what recomputes a part of each block, as Megatron's `--recompute-activations`, is not \
                     modelled: leave its rows out, or say `full` where it was all of each block",
                ));
            }
            Said::Unknown => {
                let refusal = row.refuse(cell, Column::Recompute, "expected false, none or full");
                return Err(refusal
                    .help("a column `activation_checkpointing` of true or false says it too"));
            }
        }
    }
    Ok(found.unwrap_or_else(|| assumed(row, shape, seq_len, notes)))
}

fn assumed(row: &Row<'_>, shape: &Shape, seq_len: u64, notes: &mut Notes) -> bool {
    let on = shape.params(seq_len) > UNCHECKPOINTED_PARAMS;
    let as_usual = if on {
        "taken as on, the launch scripts' default for models of 1B parameters and more"
    } else {
        "taken as off, the launch scripts' default for models below 1B parameters"
    };
    let mut unread = row.unread();
    match unread.find(|(header, cell)| may_have_told(header, &cell.text)) {
        Some((header, _)) => notes.warn(
            row.line(),
            format!(
                "activation checkpointing is {as_usual}: `{header}` doesn't tell whether it is, and a \
                 column `activation_checkpointing` would"
            ),
        ),
        None => notes.add(
            row.line(),
            format!("activation checkpointing is not told and {as_usual}"),
        ),
    }
    on
}
