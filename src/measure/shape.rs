//! Which model a row trained.

use crate::diagnostic::Diagnostic;
use crate::model::{Biases, FeedForward, MAX_LAYERS, MAX_WIDTH, Model, Norm, Positions, Shape};
use crate::preset::Catalog;

use super::column::{Column, normalised};
use super::grid::Cell;
use super::notes::Notes;
use super::row::{Row, is_no};

/// Vocabulary of `MosaicML`'s MPT models: GPT-NeoX's tokenizer, padded (llm-foundry).
const MPT_VOCABULARY: u64 = 50_368;

/// Megatron's number of groups of queries, as [`normalised`].
const UNGROUPED: &str = "numquerygroups";

/// What a row trained.
pub(super) struct Trained {
    /// The model's name, as the catalog spells it where it is known there.
    pub(super) model: String,
    /// Its shape: a preset's, or else a GPT block of the columns' sizes.
    pub(super) shape: Shape,
    /// What the same columns may stand for where no preset tells: nothing where one does.
    pub(super) others: Vec<Shape>,
}

/// Shape columns of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Given {
    d_model: Option<u64>,
    n_layers: Option<u64>,
    n_heads: Option<u64>,
    vocab_size: Option<u64>,
    n_kv_heads: Option<u64>,
    head_dim: Option<u64>,
    d_ff: Option<u64>,
}

impl Given {
    fn read(row: &Row<'_>, notes: &mut Notes) -> Result<Self, Diagnostic> {
        // What a program leaves at its default is printed as `None`.
        let or_none = |column: Column, max: u64| match row.cell(column) {
            Some(cell) if is_no(&cell.text) => Ok(None),
            _ => row.integer(column, max),
        };
        Ok(Self {
            d_model: row.integer(Column::DModel, MAX_WIDTH)?,
            n_layers: row.integer(Column::NLayers, MAX_LAYERS)?,
            n_heads: row.integer(Column::NHeads, MAX_WIDTH)?,
            vocab_size: row.integer(Column::VocabSize, 1 << 32)?,
            n_kv_heads: kv_heads(row, notes)?,
            head_dim: or_none(Column::HeadDim, MAX_WIDTH)?,
            d_ff: or_none(Column::DFf, 16 * MAX_WIDTH)?,
        })
    }
}

/// Key and value heads.
fn kv_heads(row: &Row<'_>, notes: &mut Notes) -> Result<Option<u64>, Diagnostic> {
    let column = Column::NKvHeads;
    let Some(cell) = row.cell(column).filter(|cell| !is_no(&cell.text)) else {
        return Ok(None);
    };
    let told = row.integer(column, MAX_WIDTH)?;
    let header = row.spelled(column, Some(cell));
    if told == Some(1) && normalised(header) == UNGROUPED {
        let text = format!(
            "`{header}` 1 is what Megatron prints where queries are not grouped, and not used; \
             `n_kv_heads` tells otherwise"
        );
        notes.add(row.line(), text);
        return Ok(None);
    }
    Ok(told)
}

/// The model's name and shape: a preset's, the columns', or a preset's with what the columns say
/// otherwise.
pub(super) fn read(
    row: &Row<'_>,
    catalog: &Catalog,
    notes: &mut Notes,
) -> Result<Trained, Diagnostic> {
    let cell = row.required(Column::Model)?;
    let mut given = Given::read(row, notes)?;
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
            Ok(Trained {
                model: model.name.clone(),
                shape,
                others: Vec::new(),
            })
        }
        Err(unknown) => from_columns(row, cell, &given, unknown, notes),
    }
}

/// The model of that name, of that size in the measured family (`7b`), or of that size where
/// another family's isn't known (`mpt-70b`); what is made of it is of its shape (`-instruct`).
fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Model, Diagnostic> {
    let lower = name.to_lowercase();
    let size = lower.strip_prefix("mpt").unwrap_or(&lower);
    let size = size.trim_start_matches(['-', '_', ' ']);
    catalog.model(name).or_else(|unknown| {
        if let Some(model) = plain_name(&lower).and_then(|plain| catalog.model(plain).ok()) {
            return Ok(model);
        }
        let is_size = size.starts_with(|c: char| c.is_ascii_digit());
        let in_family = is_size.then(|| catalog.model(&format!("gpt-{size}")).ok());
        in_family.flatten().ok_or(unknown)
    })
}

/// What a model is made from whose name tells what was made of it: `Mistral-7B-Instruct-v0.3`.
fn plain_name(name: &str) -> Option<&str> {
    const MADE: [&str; 6] = ["instruct", "base", "chat", "hf", "it", "pretrained"];

    let mut plain = name;
    while let Some((rest, last)) = plain.rsplit_once('-') {
        let version = last.strip_prefix('v').unwrap_or_default();
        let is_version = version.starts_with("0.") && version.parse::<f64>().is_ok();
        if !(is_version || MADE.contains(&last)) {
            break;
        }
        plain = rest;
    }
    (plain != name).then_some(plain)
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
    let head_dim = if let Some(head_dim) = given.head_dim {
        head_dim
    } else if (d_model, n_heads) == (preset.d_model, preset.n_heads) {
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

/// A model that is no preset: a GPT block of the columns' sizes, or what else they may stand for.
fn from_columns(
    row: &Row<'_>,
    cell: &Cell,
    given: &Given,
    unknown: Diagnostic,
    notes: &mut Notes,
) -> Result<Trained, Diagnostic> {
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
    let head_dim = match given.head_dim {
        Some(head_dim) => head_dim,
        None => head_dim(row, d_model, n_heads)?,
    };
    let gpt = Shape::gpt_block(d_model, n_layers, (n_heads, head_dim), vocab_size);
    let gpt = Shape {
        n_kv_heads: given.n_kv_heads.unwrap_or(n_heads),
        d_ff: given.d_ff.unwrap_or(gpt.d_ff),
        ..gpt
    };
    let shape = valid(row, cell, gpt)?;
    let told = row.unread();
    let told = told.filter(|(header, cell)| is_no_gpt(header, &cell.text));
    for (header, _) in told {
        let text = format!(
            "column `{header}` is not used, though it may change the shape of `{}`: {DESCRIBE}",
            cell.text
        );
        notes.warn(row.line(), text);
    }
    Ok(Trained {
        model: cell.text.clone(),
        shape,
        others: llamas(&shape, given.d_ff),
    })
}

/// Whether a column that isn't read says that a shape is no GPT block.
fn is_no_gpt(header: &str, text: &str) -> bool {
    const HEADERS: [&str; 7] = [
        "swiglu",
        "geglu",
        "gatedlinear",
        "untie",
        "rope",
        "rotary",
        "rmsnorm",
    ];
    const VALUES: [&str; 6] = ["swiglu", "silu", "rope", "rotary", "alibi", "rmsnorm"];

    let (key, value) = (normalised(header), normalised(text));
    if key.starts_with("tie") {
        return is_no(text);
    }
    let in_header = HEADERS.iter().any(|word| key.contains(word));
    in_header && !is_no(text) || VALUES.contains(&value.as_str())
}

/// How to tell the shape of a model that is no GPT block.
pub(super) const DESCRIBE: &str = "a `[models.NAME]` with `architecture = \"llama\"` in a file for \
                                   `--presets` describes what is no GPT block";

/// Llama blocks of the sizes of a GPT block, with a head of their own and with a tied one.
fn llamas(gpt: &Shape, d_ff: Option<u64>) -> Vec<Shape> {
    // Llama's rule: 8/3 of the width, in whole multiples of 256.
    let usual = || (gpt.d_model.saturating_mul(8) / 3).next_multiple_of(256);
    let llama = |tied_head: bool| Shape {
        d_ff: d_ff.unwrap_or_else(usual),
        positions: Positions::Rotary,
        tied_head,
        biases: Biases::None,
        norm: Norm::RmsNorm,
        feed_forward: FeedForward::Gated,
        ..*gpt
    };
    let shapes = [false, true].map(llama).into_iter();
    shapes.filter_map(|shape| shape.validate().ok()).collect()
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
        ("head_dim", preset.head_dim, shape.head_dim),
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
