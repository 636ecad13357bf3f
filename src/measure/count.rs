//! The parameter count that a row prints, against the shape of what it trained.

use crate::diagnostic::Diagnostic;
use crate::model::{FeedForward, Shape};
use crate::quantity::{MAX_COUNT, display_count};

use super::column::Column;
use super::notes::Notes;
use super::row::Row;
use super::shape::{DESCRIBE, Trained};

/// How far a printed parameter count may be from the shape's: padding a vocabulary to a multiple
/// of 128 or leaving positions out moves small models by a few percent, another shape by more.
const PARAMS_TOLERANCE: f64 = 0.05;

/// Most entries that padding adds to a vocabulary: it makes it a multiple of 1024 at most.
const MOST_PADDING: u64 = 1024;

/// A printed count.
#[derive(Debug, Clone, Copy)]
struct Count {
    told: u64,
    seq_len: u64,
}

impl Count {
    /// How far it is from a shape's. Learned positions of long sequences are a tenth of a small model,
    /// and not always counted.
    fn apart(self, shape: &Shape) -> f64 {
        let apart = |params: u64| (self.told as f64 / params as f64 - 1.0).abs();
        apart(shape.params(self.seq_len)).min(apart(shape.params(1)))
    }

    fn is_exact(self, shape: &Shape) -> bool {
        [shape.params(self.seq_len), shape.params(1)].contains(&self.told)
    }

    /// Whether the shape's may be printed so.
    fn fits(self, shape: &Shape) -> bool {
        let off = self.told.abs_diff(shape.params(self.seq_len));
        self.apart(shape) <= PARAMS_TOLERANCE || off <= rounding(self.told)
    }

    /// Whether it is what a model of that shape may be called by: the 7B of `gemma-7b` leave out its
    /// embeddings and more, the 1B of `gpt-1b` a third.
    fn names(self, shape: &Shape) -> bool {
        let heads = if shape.tied_head { 1 } else { 2 };
        let embeddings = shape.vocab_size.saturating_mul(shape.d_model) * heads;
        let least = shape.params(1).saturating_sub(embeddings);
        let unit = if self.told < 1_000_000_000 {
            1_000_000
        } else {
            1_000_000_000
        };
        let off = (self.told / 8).max((unit / 2).min(self.told / 3));
        let most = shape.params(self.seq_len);
        (least.saturating_sub(off)..=most.saturating_add(off)).contains(&self.told)
    }
}

/// The shape of what a row trained, compared with the printed parameter count. Where no preset tells
/// the shape, the count tells a Llama block from a GPT block; where it differs by a padded
/// vocabulary alone, it says which.
///
/// # Errors
/// More than 5 % apart, where neither the count is rounded by as much nor the model called by it: the
/// shape is another model's.
pub(super) fn checked(
    row: &Row<'_>,
    trained: &Trained,
    seq_len: u64,
    notes: &mut Notes,
) -> Result<Shape, Diagnostic> {
    let told = row.integer(Column::Params, MAX_COUNT)?;
    let count = told.map(|told| Count { told, seq_len });
    let shape = if trained.others.is_empty() {
        trained.shape
    } else {
        of_count(row, trained, count, notes)
    };
    let Some(count) = count else {
        return Ok(shape);
    };
    let model = &trained.model;
    let params = shape.params(seq_len);
    let told = count.told;
    let is_named = trained.others.is_empty() && count.names(&shape) && is_in_name(model, told);
    if !count.fits(&shape) && !is_named {
        let refusal = row.contradiction(
            Column::Params,
            &format!("{told} parameters contradict the shape of `{model}`, which has {params}"),
            &format!("expected about {params}"),
            &[Column::Model],
        );
        return Err(match trained.others.first() {
            None => refusal,
            Some(llama) => refusal.help(format!(
                "its shape columns are taken as a GPT block, and a Llama block of them has {}: \
                 {DESCRIBE}",
                llama.params(seq_len)
            )),
        });
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

/// The shape of a model that is no preset: a GPT block, unless its parameter count says that it is a
/// Llama block.
fn of_count(row: &Row<'_>, trained: &Trained, count: Option<Count>, notes: &mut Notes) -> Shape {
    let Trained {
        model,
        shape: gpt,
        others,
    } = trained;
    let found = count.and_then(|count| {
        let exactly = others.iter().find(|other| count.is_exact(other));
        if count.fits(gpt) {
            return exactly.filter(|_| !count.is_exact(gpt));
        }
        let nearest = others
            .iter()
            .min_by(|a, b| count.apart(a).total_cmp(&count.apart(b)));
        nearest.filter(|other| count.fits(other))
    });
    // Fewer heads of keys and values came with gated blocks, whose width is no multiple of four.
    let grouped = gpt.n_kv_heads < gpt.n_heads;
    let wide = gpt.d_ff != gpt.d_model.saturating_mul(4);
    let looks_gated = count.is_none() && grouped && wide && gpt.feed_forward == FeedForward::Gelu;
    let why = if looks_gated {
        "key and value heads and feed-forward width look like those of"
    } else {
        "parameter count says that its shape columns are those of"
    };
    if let Some(llama) = found.or(others.first().filter(|_| looks_gated)) {
        let head = if llama.tied_head {
            "tied head"
        } else {
            "head of its own"
        };
        let text = format!(
            "`{model}` is no preset: its {why} a Llama block (rotary positions, {head}, no biases, gated \
             feed-forward of width {})",
            llama.d_ff
        );
        notes.add(row.line(), text);
        return *llama;
    }
    let block = "its shape columns are taken as a GPT block (learned positions, tied head, biases)";
    if (grouped || wide) && count.is_none() && gpt.feed_forward == FeedForward::Gelu {
        let text = format!(
            "`{model}` is no preset: {block}, though its {} key and value heads and feed-forward of width \
             {} may be those of a Llama block; a column `n_params` would tell, and {DESCRIBE}",
            gpt.n_kv_heads, gpt.d_ff
        );
        notes.warn(row.line(), text);
    } else {
        notes.add(row.line(), format!("`{model}` is no preset: {block}"));
    }
    *gpt
}

/// How far rounding may have moved a count: half a unit of its last digit that isn't zero, and no
/// more than a tenth, since whole tens are not always rounded to.
fn rounding(count: u64) -> u64 {
    let units = std::iter::successors(Some(1_u64), |unit| unit.checked_mul(10));
    let last = units.take_while(|unit| count.is_multiple_of(*unit)).last();
    (last.unwrap_or(1) / 2).min(count / 10)
}

/// Whether a count is in a model's name, as people call it: 7B of `gemma-7b`, which has 8.5B.
fn is_in_name(model: &str, count: u64) -> bool {
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
