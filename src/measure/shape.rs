//! Which model a row trained.

use crate::diagnostic::Diagnostic;
use crate::model::{MAX_LAYERS, MAX_WIDTH, Model, Shape};
use crate::preset::Catalog;
use crate::quantity::{MAX_COUNT, display_count};

use super::column::Column;
use super::grid::Cell;
use super::notes::Notes;
use super::row::Row;

/// How far a printed parameter count may be from the shape's: padding a vocabulary to a multiple
/// of 128 or leaving positions out moves small models by a few percent, another shape by more.
const PARAMS_TOLERANCE: f64 = 0.05;

/// Most entries that padding adds to a vocabulary: it makes it a multiple of 1024 at most.
const MOST_PADDING: u64 = 1024;

/// Vocabulary of `MosaicML`'s MPT models: GPT-NeoX's tokenizer, padded (llm-foundry).
const MPT_VOCABULARY: u64 = 50_368;

/// Shape columns of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Given {
    d_model: Option<u64>,
    n_layers: Option<u64>,
    n_heads: Option<u64>,
    vocab_size: Option<u64>,
    n_kv_heads: Option<u64>,
    d_ff: Option<u64>,
}

impl Given {
    fn read(row: &Row<'_>) -> Result<Self, Diagnostic> {
        Ok(Self {
            d_model: row.integer(Column::DModel, MAX_WIDTH)?,
            n_layers: row.integer(Column::NLayers, MAX_LAYERS)?,
            n_heads: row.integer(Column::NHeads, MAX_WIDTH)?,
            vocab_size: row.integer(Column::VocabSize, 1 << 32)?,
            n_kv_heads: row.integer(Column::NKvHeads, MAX_WIDTH)?,
            d_ff: row.integer(Column::DFf, 16 * MAX_WIDTH)?,
        })
    }
}

/// The model's name and shape: a preset's, the columns', or a preset's with what the columns say
/// otherwise.
pub(super) fn read(
    row: &Row<'_>,
    catalog: &Catalog,
    notes: &mut Notes,
) -> Result<(String, Shape), Diagnostic> {
    let cell = row.required(Column::Model)?;
    let mut given = Given::read(row)?;
    match find(catalog, &cell.text) {
        Ok(model) => {
            if !same_name(&model.name, &cell.text) {
                let text = format!("model `{}` is taken as `{}`", cell.text, model.name);
                notes.add(row.line(), text);
            }
            if is_mpt(&cell.text) && !is_mpt(&model.name) {
                given.vocab_size.get_or_insert(MPT_VOCABULARY);
            }
            let shape = adjusted(row, cell, &model.shape, &given)?;
            if shape != model.shape {
                let text = format!(
                    "`{}` is not the preset here: its shape has {}",
                    model.name,
                    differences(&model.shape, &shape)
                );
                notes.add(row.line(), text);
            }
            Ok((model.name.clone(), shape))
        }
        Err(unknown) => {
            from_columns(row, cell, &given, unknown, notes).map(|shape| (cell.text.clone(), shape))
        }
    }
}

/// The model of that name, of that size in the measured family (`7b`), or of that size where
/// another family's isn't known (`mpt-70b`).
fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Model, Diagnostic> {
    let lower = name.to_lowercase();
    let size = lower.strip_prefix("mpt").unwrap_or(&lower);
    let size = size.trim_start_matches(['-', '_', ' ']);
    catalog.model(name).or_else(|unknown| {
        let is_size = size.starts_with(|c: char| c.is_ascii_digit());
        let in_family = is_size.then(|| catalog.model(&format!("gpt-{size}")).ok());
        in_family.flatten().ok_or(unknown)
    })
}

fn is_mpt(name: &str) -> bool {
    name.to_lowercase().starts_with("mpt")
}

/// Whether two spellings differ in case and punctuation alone.
fn same_name(left: &str, right: &str) -> bool {
    let letters = |name: &str| -> String {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    letters(left) == letters(right)
}

/// A preset's shape with what the columns say otherwise.
fn adjusted(
    row: &Row<'_>,
    cell: &Cell,
    preset: &Shape,
    given: &Given,
) -> Result<Shape, Diagnostic> {
    let d_model = given.d_model.unwrap_or(preset.d_model);
    let n_heads = given.n_heads.unwrap_or(preset.n_heads);
    let head_dim = if (d_model, n_heads) == (preset.d_model, preset.n_heads) {
        preset.head_dim
    } else {
        head_dim(row, d_model, n_heads)?
    };
    let kv_heads = if preset.n_kv_heads == preset.n_heads {
        n_heads
    } else {
        preset.n_kv_heads
    };
    let d_ff = preset.d_ff.saturating_mul(d_model) / preset.d_model.max(1);
    let shape = Shape {
        d_model,
        n_layers: given.n_layers.unwrap_or(preset.n_layers),
        n_heads,
        n_kv_heads: given.n_kv_heads.unwrap_or(kv_heads),
        head_dim,
        d_ff: given.d_ff.unwrap_or(d_ff.max(1)),
        vocab_size: given.vocab_size.unwrap_or(preset.vocab_size),
        ..*preset
    };
    valid(row, cell, shape)
}

/// The shape of a model that is no preset: a GPT block of the columns' sizes.
fn from_columns(
    row: &Row<'_>,
    cell: &Cell,
    given: &Given,
    unknown: Diagnostic,
    notes: &mut Notes,
) -> Result<Shape, Diagnostic> {
    let Given {
        d_model: Some(d_model),
        n_layers: Some(n_layers),
        n_heads: Some(n_heads),
        vocab_size: Some(vocab_size),
        ..
    } = *given
    else {
        return Err(row
            .located(unknown, cell, Column::Model)
            .help("or give its shape in the columns d_model, n_layers, n_heads and vocab_size"));
    };
    head_dim(row, d_model, n_heads)?;
    let gpt = Shape::gpt(d_model, n_layers, n_heads, vocab_size)
        .map_err(|error| row.refuse(cell, Column::Model, &error.to_string()))?;
    let shape = Shape {
        n_kv_heads: given.n_kv_heads.unwrap_or(n_heads),
        d_ff: given.d_ff.unwrap_or(gpt.d_ff),
        ..gpt
    };
    let text = format!(
        "`{}` is no preset: its shape columns are taken as a GPT block (learned positions, tied \
         head, biases)",
        cell.text
    );
    notes.add(row.line(), text);
    valid(row, cell, shape)
}

fn head_dim(row: &Row<'_>, d_model: u64, n_heads: u64) -> Result<u64, Diagnostic> {
    if d_model.is_multiple_of(n_heads) {
        return Ok(d_model / n_heads);
    }
    Err(row.contradiction(
        Column::NHeads,
        &format!("{n_heads} heads don't divide a model width of {d_model}"),
        &format!("expected a divisor of {d_model}"),
        &[Column::DModel],
    ))
}

fn valid(row: &Row<'_>, cell: &Cell, shape: Shape) -> Result<Shape, Diagnostic> {
    shape
        .validate()
        .map_err(|error| row.refuse(cell, Column::Model, &error.to_string()))
}

/// The fields in which two shapes differ, for a note.
fn differences(preset: &Shape, shape: &Shape) -> String {
    let fields = [
        ("d_model", preset.d_model, shape.d_model),
        ("n_layers", preset.n_layers, shape.n_layers),
        ("n_heads", preset.n_heads, shape.n_heads),
        ("n_kv_heads", preset.n_kv_heads, shape.n_kv_heads),
        ("d_ff", preset.d_ff, shape.d_ff),
        ("vocab_size", preset.vocab_size, shape.vocab_size),
    ];
    let changed: Vec<String> = fields
        .into_iter()
        .filter(|(_, before, now)| before != now)
        .map(|(name, before, now)| format!("{name} {now} (preset: {before})"))
        .collect();
    changed.join(", ")
}

/// The shape, compared with the printed parameter count. Where the two differ by a padded
/// vocabulary alone, the count says which.
///
/// # Errors
/// More than 5 % apart, where neither the count is rounded by as much nor the model called by it: the
/// shape is another model's.
pub(super) fn checked(
    row: &Row<'_>,
    model: &str,
    shape: Shape,
    seq_len: u64,
    notes: &mut Notes,
) -> Result<Shape, Diagnostic> {
    let Some(told) = row.integer(Column::Params, MAX_COUNT)? else {
        return Ok(shape);
    };
    let params = shape.params(seq_len);
    // Learned positions of long sequences are a tenth of a small model, and not always counted.
    let unpositioned = shape.params(1);
    let apart = |params: u64| (told as f64 / params as f64 - 1.0).abs();
    let rounding = rounding(told);
    let printed = |params: u64| told.abs_diff(params) <= rounding;
    if apart(params).min(apart(unpositioned)) > PARAMS_TOLERANCE
        && !printed(params)
        && !is_named(model, told)
    {
        return Err(row.contradiction(
            Column::Params,
            &format!("{told} parameters contradict the shape of `{model}`, which has {params}"),
            &format!("expected about {params}"),
            &[Column::Model],
        ));
    }
    if told == params {
        return Ok(shape);
    }
    let unsaid = row.cell(Column::VocabSize).is_none();
    if let Some(padded) = padded(&shape, seq_len, told).filter(|_| unsaid) {
        let text = format!(
            "the vocabulary of `{model}` is taken as padded to {}, as its parameter count says",
            padded.vocab_size
        );
        notes.add(row.line(), text);
        return Ok(padded);
    }
    let text = format!("the parameter count of `{model}` is not exactly its shape's");
    notes.add(row.line(), text);
    Ok(shape)
}

/// How far rounding may have moved a count: half a unit of its last digit that isn't zero, and no
/// more than a tenth, since whole tens are not always rounded to.
fn rounding(count: u64) -> u64 {
    let units = std::iter::successors(Some(1_u64), |unit| unit.checked_mul(10));
    let last = units.take_while(|unit| count.is_multiple_of(*unit)).last();
    (last.unwrap_or(1) / 2).min(count / 10)
}

/// Whether a count is in a model's name, as people call it: 7B of `gemma-7b`, which has 8.5B.
fn is_named(model: &str, count: u64) -> bool {
    let shown = display_count(count as f64).to_lowercase();
    let number = shown.trim_end_matches(char::is_alphabetic);
    let suffix = shown.strip_prefix(number).unwrap_or_default();
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    let called = format!("{number}{suffix}");
    model.to_lowercase().split('-').any(|part| part == called)
}

/// The same shape with the larger vocabulary that makes its parameters as many as told; `None`
/// when no padding does.
fn padded(shape: &Shape, seq_len: u64, told: u64) -> Option<Shape> {
    let with = |vocab_size: u64| Shape {
        vocab_size,
        ..*shape
    };
    let params = shape.params(seq_len);
    let per_entry = with(shape.vocab_size + 1).params(seq_len) - params;
    let more = told.checked_sub(params)?;
    let entries = more / per_entry.max(1);
    (entries <= MOST_PADDING && more.is_multiple_of(per_entry))
        .then(|| with(shape.vocab_size + entries))
}
