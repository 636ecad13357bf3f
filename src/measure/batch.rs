//! How a row was launched: GPUs, sequence length, batch, checkpointing.

use crate::configuration::Configuration;
use crate::diagnostic::Diagnostic;
use crate::model::{MAX_SEQ_LEN, Shape};
use crate::quantity::MAX_COUNT;

use super::accumulation;
use super::checkpointing;
use super::column::{Column, normalised};
use super::notes::Notes;
use super::row::Row;
use super::split::{self, Split};

/// The launch configuration of a row on so many GPUs.
pub(super) fn read(
    row: &Row<'_>,
    gpus: u64,
    shape: &Shape,
    notes: &mut Notes,
) -> Result<Configuration, Diagnostic> {
    row.required(Column::SeqLen)?;
    let seq_len = row.seq_len(MAX_SEQ_LEN, notes)?.unwrap_or(1);
    let (micro_batch, grad_accum) = match Split::of(row)?.gpus() {
        1 => split_batch(row, gpus, seq_len, notes)?,
        copy => batch_of_copies(row, gpus, copy, seq_len, notes)?,
    };
    let configuration = Configuration {
        gpus,
        seq_len,
        micro_batch,
        grad_accum,
        activation_checkpointing: checkpointing::read(row, shape, seq_len, notes)?,
    };
    check_global_batch(row, &configuration, notes)?;
    Ok(configuration)
}

/// Micro-batch and gradient accumulation; one of them may follow from the global batch.
fn split_batch(
    row: &Row<'_>,
    gpus: u64,
    seq_len: u64,
    notes: &mut Notes,
) -> Result<(u64, u64), Diagnostic> {
    let micro_batch = row.integer(Column::MicroBatch, MAX_COUNT)?;
    let grad_accum = accumulation::read(row, gpus, notes)?;
    let (known, absent) = match (micro_batch, grad_accum) {
        (Some(micro_batch), Some(grad_accum)) => return Ok((micro_batch, grad_accum)),
        (Some(micro_batch), None) => (micro_batch, Column::GradAccum),
        (None, Some(grad_accum)) => (grad_accum, Column::MicroBatch),
        (None, None) => return Err(row.missing(Column::MicroBatch, "`micro_batch`")),
    };
    let share = gpus.saturating_mul(known);
    let Some((column, sequences)) = global_batch_seqs(row, seq_len, share, notes)? else {
        let wanted = format!(
            "`{}` (nor `global_batch_size` or `global_batch_tokens`, which would tell it)",
            absent.name()
        );
        return Err(row.missing(absent, &wanted));
    };
    let unit = u128::from(gpus) * u128::from(known);
    if !u128::from(sequences).is_multiple_of(unit) {
        return Err(row.contradiction(
            column,
            &format!(
                "a global batch of {sequences} sequences is not a whole number of {gpus} GPUs × {known}, \
                 so `{}` doesn't follow from it",
                absent.name()
            ),
            &format!("expected a multiple of {unit} sequences"),
            &[],
        ));
    }
    let quotient = u64::try_from(u128::from(sequences) / unit).unwrap_or(MAX_COUNT);
    Ok(match absent {
        Column::MicroBatch => (quotient, known),
        _ => (known, quotient),
    })
}

/// Micro-batch and accumulation that give each GPU its share of the global batch, where a copy of the
/// model is split over several: their columns are those of a copy.
fn batch_of_copies(
    row: &Row<'_>,
    gpus: u64,
    copy: u64,
    seq_len: u64,
    notes: &mut Notes,
) -> Result<(u64, u64), Diagnostic> {
    let whole = gpus.is_multiple_of(copy).then(|| gpus / copy);
    let copies = whole.ok_or_else(|| {
        let message =
            format!("{gpus} GPUs are no whole number of copies split over {copy} GPUs each");
        row.contradiction(
            Column::Gpus,
            &message,
            "expected a multiple",
            &split::COLUMNS,
        )
    })?;
    let (micro_batch, grad_accum) = split_batch(row, copies, seq_len, notes)?;
    let sequences = micro_batch
        .saturating_mul(grad_accum)
        .saturating_mul(copies);
    if !sequences.is_multiple_of(gpus) {
        let message = format!(
            "{copies} copies × {micro_batch} × {grad_accum} sequences are no whole number for each of \
             {gpus} GPUs"
        );
        let refusal = row.contradiction(Column::MicroBatch, &message, "can't be shared", &[]);
        return Err(
            refusal.help("such rows can't be taken as sharded over all GPUs: leave them out")
        );
    }
    let share = sequences / gpus;
    let micro = num_integer::gcd(micro_batch, share).max(1);
    let told = if copies == 1 {
        "1 copy".to_owned()
    } else {
        format!("{copies} copies")
    };
    let text = format!(
        "{told} × {micro_batch} × {grad_accum} sequences are taken as {gpus} GPUs × {micro} × {}",
        share / micro
    );
    notes.add(row.line(), text);
    Ok((micro, share / micro))
}

/// More tokens than any published run takes a step: twice the 60 million of the largest batches of
/// 2024 (`DeepSeek-V3` technical report: 15,360 sequences of 4096).
const MOST_STEP_TOKENS: u64 = 1 << 27;

/// More micro-batches than a step is made of, and the most that are a few: assumptions.
const MANY: u64 = 256;
const FEW: u64 = 64;

/// Whether a global batch of so many is of tokens, though its column is usually of sequences: they
/// would be more than anybody trains on at once, and are enough for the `unit` sequences of a step.
fn is_of_tokens(batch: u64, seq_len: u64, unit: u64) -> bool {
    let step = unit as f64 * seq_len as f64;
    batch.saturating_mul(seq_len) >= MOST_STEP_TOKENS && batch as f64 >= (1.0 - ROUNDED) * step
}

/// Whether it is by what it would be made of: a few steps of the tokens of `unit` sequences, and far too
/// many of `unit` sequences. A column that says sequences in its name is believed.
fn is_few_steps_of_tokens(row: &Row<'_>, batch: u64, seq_len: u64, unit: u64) -> bool {
    let column = Column::GlobalBatchSeqs;
    let header = normalised(row.spelled(column, row.cell(column)));
    let says = header.contains("seq") || header.ends_with("sizes");
    let steps = unit
        .checked_mul(seq_len)
        .filter(|step| batch.is_multiple_of(*step))
        .map(|step| batch / step);
    !says && steps.is_some_and(|steps| (1..=FEW).contains(&steps)) && batch / unit.max(1) > MANY
}

/// A global batch is printed rounded (4M tokens for 4,194,304) to within this share.
const ROUNDED: f64 = 0.05;
/// What a rounded batch is a multiple of.
const ROUND: u64 = 100_000;
const MILLION: u64 = 1_000_000;

/// Whether a batch may be printed as `told`.
fn is_rounded(told: u64, batch: u64) -> bool {
    told.is_multiple_of(ROUND) && (told as f64 / batch as f64 - 1.0).abs() <= ROUNDED
}

/// The sequences of a batch of tokens: a whole number that `unit` sequences share, where the batch
/// may be a rounded one. Else what it says, for whoever refuses it.
fn sequences_of(
    row: &Row<'_>,
    tokens: u64,
    seq_len: u64,
    unit: u64,
    notes: &mut Notes,
) -> Option<u64> {
    let whole = tokens.is_multiple_of(seq_len).then(|| tokens / seq_len);
    if whole.is_some_and(|sequences| sequences.is_multiple_of(unit)) {
        return whole;
    }
    let step = unit.checked_mul(seq_len)?;
    // 4M is 4Mi where steps can be of so many, and else what they can be of near it.
    let binary = tokens
        .is_multiple_of(MILLION)
        .then(|| (tokens / MILLION).checked_mul(1 << 20))
        .flatten()
        .filter(|binary| binary.is_multiple_of(step));
    let nearest = (tokens.saturating_add(step / 2) / step).checked_mul(step)?;
    let batch = binary.unwrap_or(nearest);
    if !is_rounded(tokens, batch.max(1)) {
        return whole;
    }
    note_rounded(row, tokens, batch, notes);
    Some(batch / seq_len)
}

fn note_rounded(row: &Row<'_>, told: u64, batch: u64, notes: &mut Notes) {
    let text =
        format!("a global batch of {told} tokens is taken as the {batch} that it is rounded from");
    notes.add(row.line(), text);
}

fn note_tokens(row: &Row<'_>, batch: u64, notes: &mut Notes) {
    let text = format!(
        "a global batch of {batch} is read as tokens: so many sequences are more than anyone trains \
         on in a step"
    );
    notes.add(row.line(), text);
}

fn note_few_steps(row: &Row<'_>, batch: u64, notes: &mut Notes) {
    let text = format!(
        "a global batch of {batch} is read as tokens: so many sequences would be more than {MANY} \
         micro-batches a step; `global_batch_seqs` heads sequences"
    );
    notes.add(row.line(), text);
}

/// Sequences in the global batch, and the column that says so.
fn global_batch_seqs(
    row: &Row<'_>,
    seq_len: u64,
    unit: u64,
    notes: &mut Notes,
) -> Result<Option<(Column, u64)>, Diagnostic> {
    let (column, tokens) = match row.integer(Column::GlobalBatchSeqs, MAX_COUNT)? {
        Some(batch) if is_of_tokens(batch, seq_len, unit) => {
            note_tokens(row, batch, notes);
            (Column::GlobalBatchSeqs, batch)
        }
        Some(batch) if is_few_steps_of_tokens(row, batch, seq_len, unit) => {
            note_few_steps(row, batch, notes);
            (Column::GlobalBatchSeqs, batch)
        }
        Some(batch) => return Ok(Some((Column::GlobalBatchSeqs, batch))),
        None => match row.integer(Column::GlobalBatchTokens, MAX_COUNT)? {
            Some(tokens) => (Column::GlobalBatchTokens, tokens),
            None => return Ok(None),
        },
    };
    match sequences_of(row, tokens, seq_len, unit, notes) {
        Some(sequences) => Ok(Some((column, sequences))),
        None => Err(row.contradiction(
            column,
            &format!("{tokens} tokens are not a whole number of sequences of {seq_len}"),
            &format!("expected a multiple of {seq_len}"),
            &[Column::SeqLen],
        )),
    }
}

/// GPUs × micro-batch × accumulation must be the global batch where the row tells one, and a
/// number of tokens that can be counted in any case.
fn check_global_batch(
    row: &Row<'_>,
    configuration: &Configuration,
    notes: &mut Notes,
) -> Result<(), Diagnostic> {
    let Configuration {
        gpus,
        seq_len,
        micro_batch,
        grad_accum,
        ..
    } = *configuration;
    let factors = [Column::Gpus, Column::MicroBatch, Column::GradAccum];
    let sequences = [micro_batch, grad_accum]
        .into_iter()
        .try_fold(gpus, u64::checked_mul)
        .filter(|sequences| *sequences <= MAX_COUNT / seq_len)
        .ok_or_else(|| {
            row.contradiction(
                Column::MicroBatch,
                &format!(
                    "{gpus} GPUs × {micro_batch} × {grad_accum} sequences of {seq_len} are more than {MAX_COUNT} tokens a step"
                ),
                "too large",
                &factors,
            )
        })?;
    for (column, unit, product) in [
        (Column::GlobalBatchSeqs, "sequences", sequences),
        (Column::GlobalBatchTokens, "tokens", sequences * seq_len),
    ] {
        let told = row.integer(column, MAX_COUNT)?;
        let tokens = sequences * seq_len;
        let is_batch = |told: u64| told == tokens || is_rounded(told, tokens);
        let in_tokens = column == Column::GlobalBatchSeqs
            && told.is_some_and(|told| is_batch(told) && is_of_tokens(told, seq_len, sequences));
        let in_few_steps = column == Column::GlobalBatchSeqs
            && told.is_some_and(|told| is_few_steps_of_tokens(row, told, seq_len, sequences));
        if in_tokens {
            note_tokens(row, told.unwrap_or(tokens), notes);
        } else if in_few_steps && told == Some(tokens) {
            note_few_steps(row, tokens, notes);
            continue;
        }
        let rounded = told.filter(|told| *told != tokens && is_rounded(*told, tokens));
        let rounded = rounded.filter(|_| in_tokens || column == Column::GlobalBatchTokens);
        if let Some(told) = rounded {
            note_rounded(row, told, tokens, notes);
        }
        if in_tokens || rounded.is_some() {
            continue;
        }
        if let Some(told) = told.filter(|told| *told != product) {
            let message = format!(
                "a global batch of {told} {unit} contradicts {gpus} GPUs × {micro_batch} × {grad_accum} \
                 sequences of {seq_len} tokens: that is {product}"
            );
            let expected = format!("expected {product}");
            return Err(row.contradiction(column, &message, &expected, &factors));
        }
    }
    Ok(())
}
