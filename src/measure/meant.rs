//! What a header that isn't read may be meant for, where a table lacks a column.

use crate::diagnostic::nearest_names;

use super::column::{Column, normalised};
use super::speed;
use super::spellings;

/// Words for a GPU in headers of what one of them does.
pub(super) const GPU_WORDS: [&str; 4] = ["gpu", "device", "chip", "accelerator"];

/// Times of a step whose header doesn't say in what, as [`normalised`].
const TIMES: [&str; 10] = [
    "steptime",
    "itertime",
    "iterationtime",
    "timeperstep",
    "timeperiter",
    "timeperiteration",
    "timestep",
    "timeiter",
    "timeiteration",
    "elapsedtimeperiteration",
];

/// Steps that are counted, as [`normalised`] headers begin.
const STEPS: [&str; 7] = [
    "throughputbatches",
    "batches",
    "trainsteps",
    "steps",
    "iterations",
    "iters",
    "it",
];

/// In how much time, as they end.
const A_SECOND: [&str; 6] = ["s", "sec", "second", "persec", "persecond", "pers"];

/// What to do about a header that isn't read where `column` is missing; `None` where it is plainly of
/// something else.
pub(super) fn remedy(column: Column, header: &str) -> Option<String> {
    if speed::is_of_flops(header) {
        return None;
    }
    // Neither the best of several steps nor the worst is how fast a run goes.
    if column == Column::TokensPerS && words(header).any(|word| is_of_spread(&word)) {
        return None;
    }
    let of_speed = (column == Column::TokensPerS).then(|| in_another_unit(header));
    if let Some(remedy) = of_speed.flatten() {
        return Some(remedy);
    }
    let name_it = |names: &str| {
        Some(format!(
            "`{header}` is not read: name it {names} where it is that"
        ))
    };
    // A batch of no unit is one of sequences or of tokens.
    if normalised(header) == "globalbatch" {
        let names = [Column::GlobalBatchSeqs, Column::GlobalBatchTokens].map(Column::name);
        return name_it(&format!("`{}`, or `{}`", names[0], names[1]));
    }
    let middle = words(header).filter(|word| !MIDDLE.contains(&&**word));
    let of_middle = middle.collect::<Vec<String>>().join(" ");
    (is_nearly(column, header) || is_nearly(column, &of_middle))
        .then(|| name_it(&format!("`{}`", column.name())))
        .flatten()
}

/// Whether a header is nearly one of those that a column has.
fn is_nearly(column: Column, header: &str) -> bool {
    let own = spellings::all().filter(|(known, ..)| *known == column);
    let known = own.flat_map(|(_, name, others)| others.iter().chain([name]).copied());
    let known: Vec<String> = known.map(normalised).collect();
    !nearest_names(&normalised(header), known.iter().map(String::as_str)).is_empty()
}

/// How to write what a header tells of the speed in a unit that isn't read.
fn in_another_unit(header: &str) -> Option<String> {
    let key = normalised(header);
    if let Some(header) = time(header) {
        return Some(format!(
            "`{header}` doesn't say in what: `step_time_s` heads seconds, `step_time_ms` milliseconds"
        ));
    }
    if counts_steps(header) {
        return Some(format!(
            "`{header}` counts steps: `step_time_s` heads the seconds of one, which are 1 over it"
        ));
    }
    if !key.contains("tok") {
        return None;
    }
    let of_one = GPU_WORDS.iter().any(|word| key.contains(word));
    let column = if of_one {
        Column::TokensPerSGpu
    } else {
        Column::TokensPerS
    };
    let name = column.name();
    let many = words(header).find_map(|word| match &*word {
        "k" | "thousand" | "thousands" => Some("multiplied by 1,000"),
        "m" | "million" | "millions" => Some("multiplied by 1,000,000"),
        "b" | "g" | "billion" | "billions" => Some("multiplied by 1,000,000,000"),
        _ => None,
    });
    let long = if key.contains("day") {
        Some("divided by 86,400")
    } else if key.contains("hour") {
        Some("divided by 3,600")
    } else {
        None
    };
    let scale: Vec<&str> = many.into_iter().chain(long).collect();
    if scale.is_empty() {
        return of_one.then(|| {
            format!("`{header}` is not read: name it `{name}` where it is tokens/s of one GPU")
        });
    }
    let scale = scale.join(" and ");
    Some(format!("`{header}` is not read: `{name}` heads it {scale}"))
}

/// The words of a header; what tokens are counted in stands alone where it stands before them (`ktok`).
fn words(header: &str) -> impl Iterator<Item = String> {
    let words = header.split(|letter: char| !letter.is_alphanumeric());
    words.map(|word| {
        let word = word.to_lowercase();
        let unit = word
            .split_once("tok")
            .map(|(unit, _)| unit)
            .filter(|unit| !unit.is_empty());
        unit.map(str::to_owned).unwrap_or(word)
    })
}

/// Words of a header for the middle of several runs or steps.
const MIDDLE: [&str; 5] = ["median", "mean", "avg", "average", "p50"];

/// Words of a header for what most runs or steps are not like: their spread, or an end of it.
const SPREAD: [&str; 20] = [
    "min", "max", "best", "peak", "worst", "std", "stddev", "stdev", "var", "variance", "p0", "p1",
    "p5", "p10", "p25", "p75", "p90", "p95", "p99", "p100",
];

/// Whether a word of a header is for what most runs or steps are not like.
fn is_of_spread(word: &str) -> bool {
    SPREAD.contains(&word)
}

/// A header of the time of a step that doesn't say in what.
fn time(header: &str) -> Option<&str> {
    let name = header.rsplit('/').next().unwrap_or(header);
    let told = [header, name];
    let is_time = told
        .iter()
        .any(|text| TIMES.contains(&normalised(text).as_str()));
    is_time.then_some(header)
}

/// Whether a header tells steps in a second.
pub(super) fn counts_steps(header: &str) -> bool {
    let key = normalised(header);
    let a_second = |rest: &str| A_SECOND.contains(&rest);
    let counts = STEPS
        .iter()
        .any(|steps| key.strip_prefix(steps).is_some_and(a_second));
    counts && (header.contains('/') || key.contains("per"))
}
