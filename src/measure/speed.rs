//! How fast a row went, and whether that can be true.

use crate::configuration::{Configuration, Setting};
use crate::diagnostic::Diagnostic;
use crate::hardware::Cluster;
use crate::model::Shape;
use crate::quantity::MAX_COUNT;
use crate::stack::Stack;
use crate::utilization::{Convention, utilization as used};

use super::accumulation;
use super::column::{Column, normalised};
use super::notes::Notes;
use super::number::{self, Printed};
use super::row::Row;
use super::units::Unit;
use super::utilization;
use super::variant::peak_share;

/// Utilizations outside of this range come from wrong units, not from slow or fast runs.
pub(crate) const PLAUSIBLE_MFU: std::ops::RangeInclusive<f64> = 0.001..=1.0;

/// What to do with a row that has no speed.
pub(super) const NO_SPEED: &str =
    "a run that tells no such number, as one out of memory, says nothing: leave its row out";

/// The columns that tell a speed.
pub(super) const COLUMNS: [Column; 6] = [
    Column::TokensPerS,
    Column::TokensPerSGpu,
    Column::SeqsPerS,
    Column::SeqsPerSGpu,
    Column::StepS,
    Column::StepMs,
];

/// Share by which the time of one step may be off the mean of many, which tokens/s tell.
const ONE_STEP: f64 = 0.1;

/// Tokens per second over all GPUs: as told, or from tokens per second and GPU, from sequences per
/// second or from the time of a step. What a row tells twice must agree; `None` when it tells nothing.
pub(super) fn read(
    row: &Row<'_>,
    shape: &Shape,
    (cluster, stack): (&Cluster, &Stack),
    configuration: &Configuration,
    notes: &mut Notes,
) -> Result<Option<f64>, Diagnostic> {
    let mut told: Option<(Column, Printed)> = None;
    let step = configuration.global_batch_tokens() as f64;
    let tokens_of_gpus = configuration.seq_len as f64 * configuration.gpus as f64;
    for (column, factor) in [
        (Column::TokensPerS, 1.0),
        (Column::TokensPerSGpu, configuration.gpus as f64),
        (Column::SeqsPerS, configuration.seq_len as f64),
        (Column::SeqsPerSGpu, tokens_of_gpus),
        (Column::StepS, step),
        (Column::StepMs, step * 1e3),
    ] {
        let is_time = matches!(column, Column::StepS | Column::StepMs);
        if told.is_some() && row.rounds_to_zero(column) {
            continue; // Long sequences at less than half a sequence a second, printed as `0`.
        }
        if told.is_some() && is_time && row.has_no_digit(column) {
            continue; // What is known otherwise may be left open.
        }
        let Some(number) = row.number(column)? else {
            continue;
        };
        let number = if is_time {
            number.rate_of(factor)
        } else {
            number.times(factor)
        };
        match told {
            None => told = Some((column, number)),
            // One step may take longer than the mean of many.
            Some((_, tokens))
                if is_time && (number.value / tokens.value - 1.0).abs() < ONE_STEP => {}
            Some((first, tokens)) if !tokens.agrees(number) => {
                let message = format!(
                    "this is {:.2} tokens/s over all GPUs, but `{}` says {:.2}",
                    number.value,
                    row.spelled(first, row.cell(first)),
                    tokens.value
                );
                let told = if is_time {
                    factor / tokens.value
                } else {
                    tokens.value / factor
                };
                let expected = format!("expected about {}", plain(told));
                return Err(row.contradiction(column, &message, &expected, &[first]));
            }
            Some(_) => {}
        }
    }
    if let Some((column, tokens)) = told {
        check_units(row, column, tokens.value, shape, cluster, configuration)?;
        let setting = Setting {
            shape,
            cluster,
            stack,
        };
        check_hardware(row, column, tokens.value, &setting, configuration)?;
        utilization::compare(row, tokens.value, shape, cluster, configuration, notes);
        compare_steps(row, column, tokens, step, notes);
    }
    Ok(told.map(|(_, tokens)| tokens.value))
}

/// Warns of steps per second, which no speed is read from, that aren't those of the row's step: its batch,
/// accumulation or GPUs are others than they are taken for.
fn compare_steps(row: &Row<'_>, column: Column, tokens: Printed, step: f64, notes: &mut Notes) {
    let Some((header, steps)) = accumulation::steps_per_second(row) else {
        return;
    };
    let told = steps.times(step);
    let agrees = |parts: f64| {
        let rounded = told.unit / parts + tokens.unit;
        (told.value / parts - tokens.value).abs() <= ONE_STEP * tokens.value + rounded
    };
    // Progress bars count micro-batches.
    let accumulated = row.integer(Column::GradAccum, MAX_COUNT).ok().flatten();
    if agrees(1.0) || accumulated.is_some_and(|parts| agrees(parts as f64)) {
        return;
    }
    let text = format!(
        "`{header}` {} and `{}` say that a step is of about {:.0} tokens, but GPUs × micro-batch × \
         accumulation × sequence length are {step}: check each of these",
        steps.value,
        row.spelled(column, row.cell(column)),
        tokens.value / steps.value,
    );
    notes.warn(row.line(), text);
}

/// The refusal of a row that doesn't tell how fast it went, with how to make it do so.
pub(super) fn missing(row: &Row<'_>) -> Diagnostic {
    let is_left_open = |column: &Column| row.columns.contains(&Some(*column));
    if let Some(column) = COLUMNS.into_iter().find(is_left_open) {
        return row.missing(column, "").help(NO_SPEED);
    }
    let refusal = row.missing(Column::TokensPerS, "`throughput_tok_s`");
    let counted = [Column::Tflops, Column::Mfu, Column::Hfu]
        .into_iter()
        .find_map(|column| Some(row.spelled(column, Some(row.cell(column)?))));
    let mut unread = row.unread().map(|(header, _)| header);
    match counted.or_else(|| unread.find(|header| is_of_flops(header))) {
        Some(header) => refusal.help(how_from_flops(header)),
        None => refusal,
    }
}

/// Whether a header speaks of FLOPs.
pub(super) fn is_of_flops(header: &str) -> bool {
    normalised(header).contains("flop")
}

/// How a speed follows from FLOPs, which alone don't tell it.
pub(super) fn how_from_flops(header: &str) -> String {
    format!(
        "`{header}` alone doesn't tell it, since FLOPs are counted in several ways: tokens/s are the \
         global batch's tokens over the seconds of a step (`step_time_s` heads these), or the FLOP/s of all GPUs over the FLOPs of a \
         token as they were counted (about 6 for each parameter, and attention's)"
    )
}

/// A number with as many digits as a person compares.
fn plain(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.4}")
    }
}

/// The MFU of so many tokens per second, all GPUs together.
pub(crate) fn mfu(
    tok_s: f64,
    shape: &Shape,
    cluster: &Cluster,
    configuration: &Configuration,
) -> f64 {
    let flops = Convention::Mosaic2022.flops_per_token(shape, configuration.seq_len, false);
    let per_gpu = tok_s / configuration.gpus as f64;
    flops.utilization(per_gpu, cluster.gpu.peak_flops).mfu
}

fn check_units(
    row: &Row<'_>,
    column: Column,
    tok_s: f64,
    shape: &Shape,
    cluster: &Cluster,
    configuration: &Configuration,
) -> Result<(), Diagnostic> {
    let mfu = |tok_s: f64| mfu(tok_s, shape, cluster, configuration);
    let here = mfu(tok_s);
    if PLAUSIBLE_MFU.contains(&here) {
        return Ok(());
    }
    let slow = here < *PLAUSIBLE_MFU.start();
    let looks_like = match column {
        Column::StepS | Column::StepMs if slow => "too long for a step".to_owned(),
        Column::StepS | Column::StepMs => "too short for a step".to_owned(),
        Column::SeqsPerS | Column::SeqsPerSGpu if slow => "too slow for samples/s".to_owned(),
        Column::SeqsPerS | Column::SeqsPerSGpu => "too fast for samples/s".to_owned(),
        _ if slow => match Unit::by_mfu(here, configuration).as_slice() {
            [] => "too slow for tokens/s".to_owned(),
            [unit] => format!("this looks like {unit}"),
            [unit, other, ..] => format!("this looks like {unit}, or {other}"),
        },
        Column::TokensPerSGpu => "this looks like tokens/s of all GPUs".to_owned(),
        _ => "too fast for tokens/s".to_owned(),
    };
    let message = format!(
        "units look wrong: {looks_like} ({tok_s} tokens/s of `{}` GPUs would be an MFU of {} %)",
        cluster.gpu.name,
        percent(here)
    );
    let refusal = row.contradiction(column, &message, "expected an MFU from 0.1 % to 100 %", &[]);
    let other = row
        .cell(column)
        .and_then(|cell| number::other_reading(&cell.text));
    Err(other.into_iter().fold(refusal, Diagnostic::help))
}

/// Refuses what needs more FLOP/s than there are, with what is computed once more.
fn check_hardware(
    row: &Row<'_>,
    column: Column,
    tok_s: f64,
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Result<(), Diagnostic> {
    let hfu = used(Convention::Mosaic2022, setting, configuration, tok_s).hfu;
    // Where it isn't told, it may be that nothing was.
    let told = [Column::Checkpointing, Column::Recompute].map(|column| row.cell(column));
    if hfu <= peak_share(setting.stack) || told.iter().all(Option::is_none) {
        return Ok(());
    }
    let message = format!(
        "too fast: {tok_s} tokens/s of {} `{}` with activations recomputed would be an HFU of {} %",
        configuration.gpus,
        setting.cluster.gpu.name,
        percent(hfu)
    );
    let expected = format!(
        "expected an HFU of at most {} %",
        percent(peak_share(setting.stack))
    );
    let context = [
        Column::Gpus,
        Column::Nodes,
        Column::Checkpointing,
        Column::Recompute,
    ];
    let refusal = row.contradiction(column, &message, &expected, &context);
    Err(refusal.help(
        "`gpus` counts all GPUs, not those of a node (a column `gpus_per_node` has these); \
         `activation_checkpointing` false says that nothing is recomputed",
    ))
}

/// A share in percent, with as many digits as say something.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if (0.001..1e6).contains(&percent) {
        let decimals = if percent < 1.0 { 3 } else { 0 };
        format!("{percent:.decimals$}")
    } else {
        format!("{percent:.1e}")
    }
}
