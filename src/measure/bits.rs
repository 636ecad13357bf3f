//! In how many bits a row computes, and moves parameters and gradients.

use crate::stack::Precision;

use super::column::Column;
use super::grid::Cell;
use super::notes::Notes;
use super::row::{Row, is_no};

/// A precision's name without the program's that prints it.
fn plain(precision: &str) -> String {
    let lower = precision.to_lowercase();
    lower.trim_start_matches("torch.").to_owned()
}

/// Whether a precision says only that matrices are multiplied in 16 bits, as on every stack.
pub(super) fn is_half(precision: &str) -> bool {
    matches!(
        plain(precision).as_str(),
        "amp_bf16"
            | "bf16"
            | "bfloat16"
            | "bf16-mixed"
            | "bf16-true"
            | "amp_fp16"
            | "fp16"
            | "float16"
            | "16-mixed"
    )
}

/// Whether a precision says that parameters are held in 32 bits.
pub(super) fn is_full(precision: &str) -> bool {
    matches!(
        plain(precision).as_str(),
        "fp32" | "float32" | "32" | "32-true"
    )
}

/// Whether a precision says that parameters are held in bf16 too, as Lightning calls it.
pub(super) fn is_all_half(precision: &Cell) -> bool {
    precision.text.eq_ignore_ascii_case("bf16-true")
}

/// The mixed-precision mode of a row: a precision, which Accelerate has under the same name, is none.
pub(super) fn mode<'a>(row: &Row<'a>) -> Option<&'a Cell> {
    let is_precision = |cell: &&Cell| is_half(&cell.text) || super::variant::is_fp8(&cell.text);
    row.cells(Column::MpMode).find(|cell| !is_precision(cell))
}

/// How the numbers that a row's parameters and gradients are moved in move them, and what says so.
///
/// Without those of the gradients, they are reduced in fp32, as torchtitan's default has it.
pub(super) fn of_dtypes(row: &Row<'_>, notes: &mut Notes) -> Option<(Precision, String)> {
    let told = |column| row.cell(column).filter(|cell| !is_no(&cell.text));
    let (params, reduced) = (told(Column::ParamDtype), told(Column::ReduceDtype));
    let shown =
        |column, cell: &Cell| format!("`{}` {}", row.spelled(column, Some(cell)), cell.text);
    let words: Vec<String> = [(Column::ParamDtype, params), (Column::ReduceDtype, reduced)]
        .into_iter()
        .filter_map(|(column, cell)| Some(shown(column, cell?)))
        .collect();
    let words = words.join(" with ");
    let params = params.map(|cell| (is_half(&cell.text), is_full(&cell.text)));
    let reduced = reduced.map(|cell| (is_half(&cell.text), is_full(&cell.text)));
    let precision = match (params, reduced) {
        (None, None) => return None,
        (Some((true, _)), None | Some((_, true))) => Precision::Bf16Gather,
        (Some((true, _)), Some((true, _))) => Precision::PureBf16,
        (Some((_, true)), None | Some((true, _) | (_, true))) => Precision::Fp32Gather,
        _ => {
            let text = format!("{words} is not used, though it may change the speed");
            notes.warn(row.line(), text);
            return None;
        }
    };
    Some((precision, words))
}

/// Warns where a row moves its parameters and gradients otherwise than the stack that it names.
pub(super) fn compare(row: &Row<'_>, stack: Precision, notes: &mut Notes) {
    let mode = mode(row)
        .filter(|cell| cell.text.eq_ignore_ascii_case("pure") && stack != Precision::PureBf16);
    let mode = mode.map(|cell| format!("MP mode {}", cell.text));
    let dtypes = of_dtypes(row, notes).filter(|(precision, _)| *precision != stack);
    for told in mode.into_iter().chain(dtypes.map(|(_, told)| told)) {
        let text = format!("{told} is not used: the stack says otherwise");
        notes.warn(row.line(), text);
    }
}
