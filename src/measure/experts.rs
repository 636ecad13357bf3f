//! Rows of a mixture of experts, by whatever tells one: the shapes here are of dense models, all of
//! whose parameters every token passes.

use crate::diagnostic::Diagnostic;
use crate::preset::Catalog;

use super::column::{Column, normalised};
use super::grid::Cell;
use super::number::without_groups;
use super::row::{Row, is_no};

/// What such models, and no dense ones, are called, as [`normalised`].
const NAMES: [&str; 6] = [
    "moe",
    "mixtral",
    "dbrx",
    "gptoss",
    "deepseekv2",
    "deepseekv3",
];

/// What stands beside a `top_k` that words are drawn with, as [`normalised`]: it is none of experts.
const DRAWING: [&str; 4] = ["topp", "temperature", "dosample", "numbeams"];

/// Refuses a row of a mixture of experts: by its name, by a number of experts above 1, or by parameters
/// that not every token passes.
///
/// # Errors
/// The cell that tells it, and what is no number of experts.
pub(super) fn refuse(row: &Row<'_>, catalog: &Catalog) -> Result<(), Diagnostic> {
    let refusal = |cell: &Cell, column, expected: &str| {
        let refusal = row.refuse(cell, column, expected);
        Err(refusal.help("leave the rows of such models out"))
    };
    for cell in row.cells(Column::Experts) {
        if !is_one(&cell.text) && !cell.text.eq_ignore_ascii_case("dense") {
            let expected = "expected at most one expert: a mixture of experts is not modelled";
            return refusal(cell, Column::Experts, expected);
        }
    }
    // Whoever describes a model of that name as a dense one knows.
    if let Some(cell) = row.cell(Column::Model)
        && is_name(&cell.text)
        && catalog.model(&cell.text).is_err()
    {
        let expected = "expected a dense model: a mixture of experts is not modelled";
        return refusal(cell, Column::Model, expected);
    }
    if let Some(cell) = row.cell(Column::ActiveParams) {
        let all = row.cell(Column::Params);
        let same = |all: &Cell| without_groups(&all.text) == without_groups(&cell.text);
        if !is_none(&cell.text) && !all.is_some_and(same) {
            let expected = "expected as many as all parameters, in a column `n_params`: a mixture of \
                            experts is not modelled";
            return refusal(cell, Column::ActiveParams, expected);
        }
    }
    let mut unread = row.unread();
    let top_k = unread.find(|(header, cell)| normalised(header) == "topk" && !is_one(&cell.text));
    let draws = |header: &str| DRAWING.contains(&normalised(header).as_str());
    match top_k {
        Some((_, cell)) if !row.headers().any(draws) => {
            let expected = "expected at most one expert: a mixture of experts is not modelled";
            refusal(cell, Column::Experts, expected)
        }
        _ => Ok(()),
    }
}

/// Whether a cell tells of nothing.
fn is_none(text: &str) -> bool {
    is_no(text) || matches!(text.to_lowercase().as_str(), "-" | "n/a" | "na" | "nan")
}

/// Whether a cell tells of at most one expert.
fn is_one(text: &str) -> bool {
    let text = text.trim_end_matches(".0");
    text == "1" || is_none(text)
}

/// Whether a model's name is one of a mixture of experts: `8x7B`, `30B-A3B`.
fn is_name(name: &str) -> bool {
    let key = normalised(name);
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !(c.is_alphanumeric() || c == '.'));
    let is_size = |text: &str| {
        let size = text
            .strip_suffix('b')
            .and_then(|size| size.parse::<f64>().ok());
        size.is_some()
    };
    NAMES.iter().any(|known| key.contains(known))
        || words.any(|word| {
            let of_each = word.split_once('x').filter(|(experts, _)| {
                let experts = experts.parse::<u64>();
                experts.is_ok_and(|experts| experts > 1)
            });
            of_each.is_some_and(|(_, size)| is_size(size))
                || word.strip_prefix('a').is_some_and(is_size)
        })
}
