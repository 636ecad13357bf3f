//! Whose gradient accumulation a table counts: that of each GPU, or, as nanoGPT has it, that of all
//! together (`train.py`: `gradient_accumulation_steps //= ddp_world_size`). One table counts it one way.

use crate::diagnostic::Diagnostic;
use crate::preset::Catalog;
use crate::quantity::MAX_COUNT;

use super::column::{Column, normalised};
use super::meant;
use super::notes::Notes;
use super::number::Printed;
use super::place::Places;
use super::row::Row;
use super::split::Split;

/// What programs have, as [`normalised`], that nanoGPT has not: the Trainer of transformers, whose examples
/// have a `block_size` too, and lit-gpt. These count the accumulation of each GPU.
const OF_OTHERS: [&str; 12] = [
    "perdevicetrainbatchsize",
    "perdeviceevalbatchsize",
    "perdevicebatchsize",
    "totaltrainbatchsize",
    "modelnameorpath",
    "nameorpath",
    "trainsamplespersecond",
    "trainstepspersecond",
    "traintokenspersecond",
    "trainruntime",
    "numtrainepochs",
    "microbatchsize",
];

/// Settings of transformers that whoever adds a column to a table of nanoGPT's may call so, too.
const OF_ANY: [&str; 6] = [
    "gradientcheckpointing",
    "bf16",
    "fp16",
    "fsdp",
    "deepspeed",
    "optim",
];
/// What nanoGPT calls a micro-batch, and none of the others does.
const BATCH: &str = "batchsize";

/// How far the sequences of a step may be off by what its speed and its time are printed to: an
/// assumption, less than what two GPUs and one are apart.
const NEAR: f64 = 0.25;

/// Whether the headers of a table are of nanoGPT's settings: two that it shares with few, and none that
/// only one of these has.
pub(super) fn is_of_nano_gpt<'a>(headers: impl Iterator<Item = &'a str>) -> bool {
    let last = |header: &str| normalised(header.rsplit(['.', '/']).next().unwrap_or(header));
    let keys: Vec<(String, String)> = headers
        .map(|header| (normalised(header), last(header)))
        .collect();
    let has = |name: &str| keys.iter().any(|(key, _)| key == name);
    let is_set = |name: &str| keys.iter().any(|(key, last)| key == name || last == name);
    has("blocksize")
        && has("gradientaccumulationsteps")
        && !OF_OTHERS.into_iter().any(is_set)
        && (has(BATCH) || !OF_ANY.into_iter().any(is_set))
}

/// Whether the rows of a table count the accumulation of all GPUs together: nanoGPT's do, unless one of
/// them contradicts it.
pub(super) fn is_of_all<'a>(
    mut rows: impl Iterator<Item = Row<'a>> + Clone,
    catalog: &Catalog,
    notes: &mut Notes,
) -> bool {
    let is_candidate = rows
        .clone()
        .next()
        .is_some_and(|row| is_of_nano_gpt(row.headers()));
    if !is_candidate {
        return false;
    }
    let mut places = Places::new(catalog);
    let contradiction = rows.find_map(|row| {
        // Whatever is wrong in a row is told when it is read.
        let (_, gpus) = places.cluster(&row, &mut Notes::default()).ok()?;
        Some((row, contradiction(&row, gpus)?))
    });
    if let Some((row, why)) = &contradiction {
        let header = row.spelled(Column::GradAccum, row.cell(Column::GradAccum));
        notes.add(
            row.line(),
            format!("`{header}` is read as that of each GPU: {why}"),
        );
    }
    contradiction.is_none()
}

/// Why a row can't count the accumulation of all its GPUs together.
fn contradiction(row: &Row<'_>, gpus: u64) -> Option<String> {
    let integer = |column| row.integer(column, MAX_COUNT).ok().flatten();
    let told = integer(Column::GradAccum).filter(|_| gpus > 1)?;
    if Split::of(row).ok()?.gpus() > 1 {
        return Some("a copy of the model is split over several GPUs".to_owned());
    }
    if !told.is_multiple_of(gpus) {
        return Some(format!("{told} is no multiple of {gpus} GPUs"));
    }
    let seq_len = row.seq_len(MAX_COUNT, &mut Notes::default()).ok()?? as f64;
    let batch = integer(Column::GlobalBatchSeqs).map(|batch| batch as f64);
    let batch = batch.or_else(|| Some(integer(Column::GlobalBatchTokens)? as f64 / seq_len));
    let of_each = told as f64 * gpus as f64;
    // A batch that all GPUs together can share so is shared by each as well: that contradicts nothing.
    let micro_batch = integer(Column::MicroBatch)?;
    let found = batch.or_else(|| Some(per_second(row, gpus as f64, seq_len)? * step_s(row)?))?;
    let expected = of_each * micro_batch as f64;
    ((found / expected - 1.0).abs() < NEAR).then(|| {
        format!("its steps are of about {found:.0} sequences, {gpus} GPUs × {micro_batch} × {told}")
    })
}

/// Sequences per second, all GPUs together.
fn per_second(row: &Row<'_>, gpus: f64, seq_len: f64) -> Option<f64> {
    let number = |column| row.number(column).ok().flatten().map(|told| told.value);
    let tokens = number(Column::TokensPerS)
        .or_else(|| Some(number(Column::TokensPerSGpu)? * gpus))
        .map(|tokens| tokens / seq_len);
    let sequences = || number(Column::SeqsPerS);
    tokens
        .or_else(sequences)
        .or_else(|| Some(number(Column::SeqsPerSGpu)? * gpus))
}

/// Seconds of a step, by whatever tells them.
fn step_s(row: &Row<'_>) -> Option<f64> {
    let number = |column| row.number(column).ok().flatten().map(|told| told.value);
    number(Column::StepS)
        .or_else(|| Some(number(Column::StepMs)? / 1e3))
        .or_else(|| Some(1.0 / steps_per_second(row)?.1.value))
}

/// Steps per second under a header that tells them, which isn't read as a speed.
pub(super) fn steps_per_second<'a>(row: &Row<'a>) -> Option<(&'a str, Printed)> {
    let mut unread = row.unread();
    unread.find_map(|(header, cell)| {
        let counts = meant::counts_steps(header);
        Some((header, Printed::parse(&cell.text).filter(|_| counts)?))
    })
}

/// Gradient accumulation of each GPU, as a row on so many tells it.
///
/// # Errors
/// What is no positive whole number.
pub(super) fn read(row: &Row<'_>, gpus: u64, notes: &mut Notes) -> Result<Option<u64>, Diagnostic> {
    let told = row.integer(Column::GradAccum, MAX_COUNT)?;
    let Some(all) = told.filter(|told| row.accumulates_of_all && gpus > 1 && told % gpus == 0)
    else {
        return Ok(told);
    };
    let header = row.spelled(Column::GradAccum, row.cell(Column::GradAccum));
    let text = format!(
        "`{header}` {all} is read as nanoGPT's, of all {gpus} GPUs together: {} of each; `grad_accum` heads \
         those of each",
        all / gpus
    );
    notes.warn(row.line(), text);
    Ok(Some(all / gpus))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column more makes no other program of nanoGPT's settings, unless only the other has it.
    #[test]
    fn settings_are_told_apart_by_what_one_program_has_alone() {
        let shared = ["block_size", "gradient_accumulation_steps"];
        let of_nano_gpt = |more: &[&'static str]| {
            let headers = shared.into_iter().chain(more.iter().copied());
            is_of_nano_gpt(headers)
        };
        for more in [
            &["batch_size"][..],
            &["batch_size", "bf16", "optim"],
            &["batch_size", "gradient_checkpointing"],
            &["n_layer"],
        ] {
            assert!(of_nano_gpt(more), "{more:?}");
        }
        for more in [
            &["bf16"][..],
            &["gradient_checkpointing"],
            &["batch_size", "per_device_train_batch_size"],
            &["train_samples_per_second"],
        ] {
            assert!(!of_nano_gpt(more), "{more:?}");
        }
    }
}
