//! Which columns a table has, by its header.

use crate::diagnostic::{Diagnostic, Origin};

use super::accumulation;
use super::checkpointing;
use super::column::{Column, normalised};
use super::grid::{Cell, Grid, Record};
use super::notes::Notes;
use super::row::is_no;
use super::speed;
use super::spellings::recompute;

/// Spellings of tokens per second that some programs print for one GPU and others for all.
const PER_GPU_ELSEWHERE: &[&str] = &["tps", "wps"];

/// What a header that isn't known may hold of something that changes the speed.
const MATTERS: [&str; 9] = [
    "offload",
    "expert",
    "moe",
    "parallel",
    "fp8",
    "float8",
    "recompute",
    "ckpt",
    "checkpoint",
];

/// The same of what changes it wherever rows differ in it, and is no other stack.
const MATTERS_WHERE_IT_DIFFERS: [&str; 3] = ["compile", "flash", "attnimpl"];

/// Headers that head something near what they stand for where a table has a column for that itself.
const NEARLY: [&str; 16] = [
    "nameorpath",
    "modelnameorpath",
    "micro",
    "seq",
    "paddedvocabsize",
    "devicebatchsize",
    "modelparallelsize",
    "numnodes",
    "nnodes",
    "nodecount",
    "maxseqlength",
    "maxsequencelength",
    TRAIN_BATCH,
    TOTAL_BATCH,
    "numdevices",
    "kvchannels",
];

/// A batch of all GPUs, or of one beside either of the two below.
const TRAIN_BATCH: &str = "trainbatchsize";
/// A header beside which it is the same again, and not used.
const OF_ONE_DEVICE: &str = "perdevicetrainbatchsize";
/// The batch of all GPUs in model cards of transformers, beside which it is that of one.
const TOTAL_BATCH: &str = "totaltrainbatchsize";

/// What the column at `at` holds, where its name is one of several things.
fn named(header: &Record, at: usize, of_nano_gpt: bool) -> Option<Column> {
    let text = &header.cells.get(at)?.text;
    let key = normalised(text);
    let has = |name: &str| {
        header
            .cells
            .iter()
            .any(|cell| normalised(&cell.text) == name)
    };
    let of_one = key == "batchsize" && of_nano_gpt || key == TRAIN_BATCH && has(TOTAL_BATCH);
    if of_one {
        Some(Column::MicroBatch)
    } else {
        Column::parse(text)
    }
}

/// Whether a header heads something near what another says by its own name.
fn gives_way(header: &Record, at: usize, column: Column) -> bool {
    let is_nearly = |text: &str| {
        let key = normalised(text);
        // The name of a setting that ends as another column is called.
        NEARLY.contains(&key.as_str()) || !column.repeats() && Column::spelled(&key).is_none()
    };
    let mut cells = header.cells.iter().enumerate();
    if column == Column::GlobalBatchSeqs
        && let Some(cell) = header.cells.get(at)
        && normalised(&cell.text) == TRAIN_BATCH
        && cells.any(|(_, cell)| normalised(&cell.text) == OF_ONE_DEVICE)
    {
        return true;
    }
    let mut cells = header.cells.iter().enumerate();
    let own = header
        .cells
        .get(at)
        .is_some_and(|cell| is_nearly(&cell.text));
    own && cells.any(|(other, cell)| {
        other != at && Column::parse(&cell.text) == Some(column) && !is_nearly(&cell.text)
    })
}

/// Whether what stands in the column at `at`, which isn't known, may change the speed.
fn may_matter(grid: &Grid, at: usize, header: &str) -> bool {
    let key = normalised(header);
    let holds = |words: &[&str]| words.iter().any(|word| key.contains(word));
    let spoken_of = recompute::is_spoken_of(header);
    let by_name = (spoken_of || holds(&MATTERS)) && !recompute::is_of_saving(header);
    let mut below = grid.rows.iter().filter_map(|row| row.cells.get(at));
    let first = below.next().map(|cell| &cell.text);
    let differs = below.any(|cell| Some(&cell.text) != first);
    by_name && !grid.all_below(at, is_no) || differs && holds(&MATTERS_WHERE_IT_DIFFERS)
}

/// Whether a header has any column that tells a throughput.
pub(super) fn has_throughput(header: &Record) -> bool {
    let mut columns = header
        .cells
        .iter()
        .filter_map(|cell| Column::parse(&cell.text));
    columns.any(|column| speed::COLUMNS.contains(&column))
}

/// The column of each header cell; `None` is ignored, with a note. `GPUs` heads counts and types
/// alike: `names_gpu` says whether the first cell below a header is a type.
///
/// # Errors
/// A column that appears twice.
pub(super) fn columns(
    grid: &Grid,
    names_gpu: &dyn Fn(usize) -> bool,
    origin: &Origin,
    notes: &mut Notes,
) -> Result<Vec<Option<Column>>, Diagnostic> {
    let header = &grid.header;
    let of_nano_gpt =
        accumulation::is_of_nano_gpt(header.cells.iter().map(|cell| cell.text.as_str()));
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(header.cells.len());
    for (at, cell) in header.cells.iter().enumerate() {
        let column = match named(header, at, of_nano_gpt) {
            Some(Column::Gpus) if names_gpu(at) => Some(Column::Gpu),
            // Whether tensor parallelism shares sequences too is no number of GPUs that do.
            Some(Column::SequenceParallel) if grid.all_below(at, is_switch) => None,
            column => column.filter(|column| !gives_way(header, at, *column)),
        };
        // A bare `ckpt` is of activations or of files: what stands below it tells.
        let recomputes = || {
            recompute::is_told_in_short(&cell.text)
                && !grid.all_below(at, str::is_empty)
                && grid.all_below(at, checkpointing::is_on_or_off)
        };
        let column = column.or_else(|| recomputes().then_some(Column::Recompute));
        columns.push(column);
        let first = column
            .filter(|column| !column.repeats())
            .and_then(|column| {
                columns
                    .iter()
                    .position(|known| *known == Some(column))
                    .filter(|first| *first < at)
            });
        if let Some(first) = first {
            let unused = one_of_two(grid, first, at, origin)?;
            if let Some(unused) = columns.get_mut(unused) {
                *unused = None;
            }
        }
    }
    for (at, (cell, column)) in header.cells.iter().zip(&columns).enumerate() {
        note(grid, at, cell, *column, notes);
    }
    Ok(columns)
}

fn is_switch(text: &str) -> bool {
    checkpointing::is_on_or_off(text) || is_no(text)
}

/// Which of two columns of the same gives way: one that nothing stands below, or a setting's that
/// says what the other does.
///
/// # Errors
/// None does.
fn one_of_two(
    grid: &Grid,
    first: usize,
    again: usize,
    origin: &Origin,
) -> Result<usize, Diagnostic> {
    let cells = &grid.header.cells;
    let (Some(one), Some(other)) = (cells.get(first), cells.get(again)) else {
        return Ok(again);
    };
    let says_the_same = || {
        let text = |row: &Record, at: usize| row.cells.get(at).map(|cell| cell.text.clone());
        Column::spelled(&normalised(&other.text)).is_none()
            && grid
                .rows
                .iter()
                .all(|row| text(row, first) == text(row, again))
    };
    if grid.all_below(again, str::is_empty) || says_the_same() {
        return Ok(again);
    }
    if grid.all_below(first, str::is_empty) {
        return Ok(first);
    }
    let column = Column::parse(&other.text).map_or("", Column::name);
    Err(Diagnostic::new(format!(
        "line {}: column `{column}` stands twice in the header",
        grid.header.line,
    ))
    .in_text(origin.clone())
    .at(other.span.clone(), "again here")
    .at(one.span.clone(), "first here")
    .help("remove or rename one of them"))
}

/// Says what is made of a column, where its name doesn't.
fn note(grid: &Grid, at: usize, cell: &Cell, column: Option<Column>, notes: &mut Notes) {
    let line = grid.header.line;
    let header = &cell.text;
    let said = match column {
        None if header.is_empty() => return,
        None => {
            let text = format!("column `{header}` is not used");
            if may_matter(grid, at, header) {
                let why = "though it may change the speed: rows that differ in it alone are taken as \
                           alike";
                notes.warn(line, format!("{text}, {why}"));
            } else {
                notes.add(line, text);
            }
            return;
        }
        Some(Column::Recompute) => "is read as whether activations are recomputed",
        Some(Column::DataParallel) => "is not used but to compare it with the number of GPUs",
        Some(Column::Techniques) => {
            "is searched for fp8, sharding, parallelism and offloading alone"
        }
        Some(Column::TokensPerS) if PER_GPU_ELSEWHERE.contains(&&*normalised(header)) => {
            "is read as tokens/s of all GPUs together; `tok/s/gpu` heads those of one"
        }
        Some(_) => return,
    };
    notes.add(line, format!("column `{header}` {said}"));
}
