//! CSV and TSV: one table a file, its header first.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Origin};

use super::column::Column;
use super::grid::{Cell, Grid, Lines, Record};
use super::notes::Notes;

/// Columns that tell a header below a title from a row: no table has fewer.
const COLUMNS: usize = 3;

/// The one table of a comma-separated file; where its header holds tabs or semicolons and no comma,
/// they separate it, as what is copied from a spreadsheet, and those of many countries, are written.
pub(super) fn csv_grids(origin: &Origin, notes: &mut Notes) -> Result<Vec<Grid>, Diagnostic> {
    let mut lines = origin.text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.clone().next().unwrap_or_default();
    // A title may stand above the header.
    let header = lines.find(|line| line.contains([',', ';', '\t']));
    let header = match told_delimiter(first) {
        Some(_) => first,
        None => header.unwrap_or(first),
    };
    if let Some(told) = told_delimiter(header) {
        return grids(origin, told, notes);
    }
    let header = header.as_bytes();
    let other = [b'\t', b';']
        .into_iter()
        .find(|other| header.contains(other) && !header.contains(&b','));
    grids(origin, other.unwrap_or(b','), notes)
}

/// What separates the cells by the line `sep=;` that Excel writes in front of them.
fn told_delimiter(line: &str) -> Option<u8> {
    let line = line.trim_start_matches('\u{feff}').trim_matches('"');
    match line.strip_prefix("sep=")?.as_bytes() {
        [delimiter @ (b',' | b';' | b'\t' | b'|'), ..] => Some(*delimiter),
        _ => None,
    }
}

/// The one table of a file.
pub(super) fn grids(
    origin: &Origin,
    delimiter: u8,
    notes: &mut Notes,
) -> Result<Vec<Grid>, Diagnostic> {
    let text = origin.text.as_ref();
    let lines = Lines::of(text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            Diagnostic::new(format!(
                "`{}` can't be read as a table: {error}",
                origin.name
            ))
        })?;
        let from = record
            .position()
            .and_then(|position| usize::try_from(position.byte()).ok())
            .unwrap_or(0);
        let spans = cell_spans(text, from, record.len(), delimiter);
        records.push(Record {
            line: spans.first().map_or(1, |span| lines.line(span.start)),
            cells: record
                .iter()
                .zip(spans)
                .map(|(text, span)| Cell {
                    text: text.trim_start_matches('\u{feff}').to_owned(),
                    span,
                })
                .collect(),
        });
    }
    let records: Vec<Record> = records
        .into_iter()
        .filter(|record| !record.is_blank())
        .skip_while(|record| {
            let first = record.cells.first();
            first.is_some_and(|cell| cell.text.starts_with("sep="))
        })
        .collect();
    let titles = titles(&records);
    for record in records.iter().take(titles) {
        notes.add(record.line, "what stands above the header is left out");
    }
    let mut records = records.into_iter().skip(titles);
    let header = records.next().ok_or_else(|| {
        Diagnostic::new(format!("`{}` is empty", origin.name))
            .help("a table has a header and one measured run a line")
    })?;
    Grid::new(header, records.collect(), origin).map(|grid| vec![grid])
}

/// Lines of one cell above the first that has the columns of a header: titles and comments.
fn titles(records: &[Record]) -> usize {
    let is_title = |record: &&Record| {
        let mut held = record.cells.iter().filter(|cell| !cell.text.is_empty());
        let first = held.next();
        held.next().is_none() && first.is_none_or(|cell| Column::parse(&cell.text).is_none())
    };
    let titles = records.iter().take_while(is_title).count();
    let is_header = |record: &Record| {
        let known = record
            .cells
            .iter()
            .filter(|cell| Column::parse(&cell.text).is_some());
        known.count() >= COLUMNS
    };
    if records.get(titles).is_some_and(is_header) {
        titles
    } else {
        0
    }
}

/// Where the `count` cells of the record that starts after `from` stand, surrounding spaces
/// left out. The reader unquotes cells but doesn't say where they were.
fn cell_spans(text: &str, from: usize, count: usize, delimiter: u8) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = from;
    while matches!(bytes.get(start), Some(b'\n' | b'\r')) {
        start += 1;
    }
    let mut spans = Vec::with_capacity(count);
    let mut quoted = false;
    let mut at = start;
    while spans.len() < count {
        match bytes.get(at) {
            Some(b'"') => quoted = !quoted,
            Some(byte) if quoted || (*byte != delimiter && !matches!(byte, b'\n' | b'\r')) => {}
            end => {
                spans.push(trimmed(text, start..at));
                if end.is_none() {
                    spans.resize(count, at..at);
                }
                start = at + 1;
            }
        }
        at += 1;
    }
    spans
}

/// `span` without the white space at its ends.
pub(super) fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let Some(cell) = text.get(span.clone()) else {
        return span;
    };
    let start = span.start + (cell.len() - cell.trim_start().len());
    start..(start + cell.trim().len())
}
