//! Changes to a text that keep it nearly right: of characters, of values, of whole lines.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Fragments that parsers stumble over.
const FRAGMENTS: [&str; 54] = [
    "0",
    "-1",
    "1",
    "NaN",
    "inf",
    "-inf",
    "1e308",
    "1e-308",
    "1e400",
    "1e-400",
    "0.0",
    "-0.0",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "1e18",
    "1_000",
    "1__0",
    "0x10",
    "..",
    "...",
    "8..128",
    "128..8",
    "1..1000000000000:1",
    "8,16",
    ",",
    ":",
    ":0",
    "20x",
    "B",
    "Ki",
    "Ei",
    "T",
    "%",
    "auto",
    "true",
    "\"",
    "\"\"\"",
    "'",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    "#",
    "\n",
    "\r\n",
    "|",
    "\u{feff}",
    "\0",
    "é",
    "𝟙",
];

/// Values of every type and size, in the spellings of all formats.
const VALUES: [&str; 48] = [
    "0",
    "-0",
    "-1",
    "1",
    "0.5",
    "1e-9",
    "1e-320",
    "1e9",
    "1e15",
    "1e18",
    "1e308",
    "-1e308",
    "1e400",
    "NaN",
    "nan",
    "inf",
    "-inf",
    "Infinity",
    "null",
    "true",
    "false",
    "1000000",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "\"\"",
    "\" \"",
    "\"auto\"",
    "\"none\"",
    "\"optimal\"",
    "\"NaN\"",
    "\"1e9\"",
    "\"20x\"",
    "\"100%\"",
    "\"1s\"",
    "\"26000w\"",
    "\"1..1000000:1\"",
    "\"1970-01-01\"",
    "2999-12-31T23:59:59Z",
    "\"é𝟙\\u0000\\n\"",
    "\"r7z2\"",
    "[]",
    "[1, 2]",
    "{}",
    "{ a = 1 }",
    "{\"a\": 1}",
];

/// One change to a text.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Characters replaced by a fragment.
    Replace(Index, usize, &'static str),
    /// Characters replaced by anything.
    Garble(Index, usize, String),
    /// A stretch of the text once more.
    Repeat(Index, usize, usize),
    /// A word replaced by another word of the text.
    Swap(Index, Index),
    /// A value replaced by one of another type or size.
    Value(Index, &'static str),
    /// A number made longer, or cut to its first digit.
    Digits(Index, usize),
    /// A value within many brackets.
    Nest(Index, &'static str, &'static str, usize),
    /// A line of any seed put anywhere: keys twice, or where they don't belong.
    Line(Index, Index, Index),
    /// A line left out.
    Drop(Index),
    /// Two values that change places.
    Exchange(Index, Index),
    /// All from here on left out.
    Cut(Index),
}

pub(super) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<Index>;
    let nests = select(vec![
        ("[", "]"),
        ("{\"a\":", "}"),
        ("{ a = ", "}"),
        ("\"", "\""),
    ]);
    let change = prop_oneof![
        3 => (at(), 0..8_usize, select(FRAGMENTS.to_vec()))
            .prop_map(|(at, length, text)| Change::Replace(at, length, text)),
        1 => (at(), 0..30_usize, "[\\PC\n\t]{0,6}")
            .prop_map(|(at, length, text)| Change::Garble(at, length, text)),
        1 => (at(), 0..60_usize, 1..4_usize)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        2 => (at(), at()).prop_map(|(from, to)| Change::Swap(from, to)),
        5 => (at(), select(VALUES.to_vec())).prop_map(|(at, value)| Change::Value(at, value)),
        4 => (at(), 0..7_usize).prop_map(|(at, longer)| Change::Digits(at, longer)),
        1 => (at(), nests, 1..200_usize)
            .prop_map(|(at, (open, close), depth)| Change::Nest(at, open, close, depth)),
        3 => (at(), at(), at()).prop_map(|(seed, line, to)| Change::Line(seed, line, to)),
        2 => at().prop_map(Change::Drop),
        2 => (at(), at()).prop_map(|(one, other)| Change::Exchange(one, other)),
        1 => at().prop_map(Change::Cut),
    ];
    prop::collection::vec(change, 0..6)
}

/// A seed after its changes; lines come from any of the `seeds`.
pub(super) fn changed(text: &str, changes: &[Change], seeds: &[String]) -> String {
    changes
        .iter()
        .fold(text.to_owned(), |text, change| change.made(text, seeds))
}

impl Change {
    fn made(&self, mut text: String, seeds: &[String]) -> String {
        match self {
            Self::Replace(at, length, new) => text.replace_range(stretch(&text, *at, *length), new),
            Self::Garble(at, length, new) => text.replace_range(stretch(&text, *at, *length), new),
            Self::Repeat(at, length, times) => {
                let again = stretch(&text, *at, *length);
                let copy = text[again.clone()].repeat(*times);
                text.insert_str(again.start, &copy);
            }
            Self::Swap(from, to) => {
                let words: Vec<&str> = text.split_whitespace().collect();
                if !words.is_empty() {
                    let (from, to) = (words[from.index(words.len())], words[to.index(words.len())]);
                    text = text.replacen(to, from, 1);
                }
            }
            Self::Value(at, new) => replace(&mut text, *at, |_| (*new).to_owned()),
            Self::Nest(at, open, close, depth) => replace(&mut text, *at, |value| {
                open.repeat(*depth) + value + &close.repeat(*depth)
            }),
            Self::Digits(at, longer) => lengthen(&mut text, *at, *longer),
            Self::Line(seed, line, to) => {
                let lines: Vec<&str> = seeds[seed.index(seeds.len())]
                    .split_inclusive('\n')
                    .collect();
                if !lines.is_empty() {
                    let to = line_start(&text, *to);
                    text.insert_str(to, lines[line.index(lines.len())]);
                }
            }
            Self::Drop(at) => {
                let start = line_start(&text, *at);
                let length = text[start..]
                    .find('\n')
                    .map_or(text.len() - start, |end| end + 1);
                text.replace_range(start..start + length, "");
            }
            Self::Exchange(one, other) => {
                let values = values(&text);
                if !values.is_empty() {
                    let ranges = [one, other].map(|at| values[at.index(values.len())].clone());
                    let [one, other] = ranges.map(|range| text[range].to_owned());
                    text = text
                        .replacen(&one, "\0", 1)
                        .replacen(&other, &one, 1)
                        .replacen('\0', &other, 1);
                }
            }
            Self::Cut(at) => text.truncate(stretch(&text, *at, 0).start),
        }
        text
    }
}

/// So many characters, as bytes.
fn stretch(text: &str, at: Index, length: usize) -> Range<usize> {
    let place = at.index(text.len() + 1);
    let start = (0..=place)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let end = text[start..]
        .char_indices()
        .nth(length)
        .map_or(text.len(), |(at, _)| start + at);
    start..end
}

fn line_start(text: &str, at: Index) -> usize {
    let place = stretch(text, at, 0).start;
    text[..place].rfind('\n').map_or(0, |end| end + 1)
}

fn replace(text: &mut String, at: Index, new: impl Fn(&str) -> String) {
    let values = values(text);
    if !values.is_empty() {
        let range = values[at.index(values.len())].clone();
        let new = new(&text[range.clone()]);
        text.replace_range(range, &new);
    }
}

fn lengthen(text: &mut String, at: Index, longer: usize) {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (place, _) in text.match_indices(|c: char| c.is_ascii_digit()) {
        match runs.last_mut() {
            Some(run) if run.end == place => run.end = place + 1,
            _ => runs.push(place..place + 1),
        }
    }
    if !runs.is_empty() {
        let run = runs[at.index(runs.len())].clone();
        if longer == 0 {
            text.replace_range(run.start + 1..run.end, "");
        } else {
            text.insert_str(run.end, &"0".repeat(longer));
        }
    }
}

/// Where numbers, quoted texts that are no keys, and other words stand that are values in TOML,
/// JSON or a table.
fn values(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(start) = text[rest..].find(|c: char| c == '"' || c.is_ascii_digit() || c == '-')
    {
        let start = rest + start;
        let quoted = text[start..].starts_with('"');
        let after = &text[start + 1..];
        let length = if quoted {
            after.find(['"', '\n']).map_or(after.len(), |end| {
                end + usize::from(after[end..].starts_with('"'))
            })
        } else {
            let more = |c: char| c.is_ascii_alphanumeric() || "_.+-:%".contains(c);
            after.find(|c| !more(c)).unwrap_or(after.len())
        };
        rest = start + 1 + length;
        let key = quoted && text[rest..].trim_start().starts_with(':');
        let inside = text[..start].ends_with(|c: char| c.is_ascii_alphabetic() || "-_".contains(c));
        if !key && (quoted || !inside) {
            found.push(start..rest);
        }
    }
    found
}
