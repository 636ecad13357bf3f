//! Markdown: every table of a file that has a throughput column.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::diagnostic::{Diagnostic, Origin};

use super::delimited::trimmed;
use super::grid::{Cell, Grid, Lines, Record};
use super::header;
use super::notes::Notes;
use super::speed;

/// The tables of measurements in a file; other tables are left out with a note.
pub(super) fn grids(origin: &Origin, notes: &mut Notes) -> Result<Vec<Grid>, Diagnostic> {
    let mut grids = Vec::new();
    let mut others = Vec::new();
    for (header, rows) in tables(&origin.text) {
        if header::has_throughput(&header) {
            grids.push(Grid::new(header, rows, origin)?);
        } else {
            others.push(header);
        }
    }
    if grids.is_empty() {
        return Err(no_table(origin, &others));
    }
    for header in others {
        notes.add(
            header.line,
            "a table without a throughput column is left out",
        );
    }
    Ok(grids)
}

fn no_table(origin: &Origin, others: &[Record]) -> Diagnostic {
    let Some(header) = others.first() else {
        return Diagnostic::new(format!("`{}` holds no table", origin.name))
            .help("expected CSV with a header, or Markdown with a table of measured runs");
    };
    let found = header.cells.iter().map(|cell| cell.text.as_str());
    let found: Vec<&str> = found.filter(|text| !text.is_empty()).collect();
    let flops = found.iter().find(|header| speed::is_of_flops(header));
    let refusal = Diagnostic::new(format!(
        "`{}` has no table with a throughput column",
        origin.name
    ));
    let refusal = flops
        .map(|header| speed::how_from_flops(header))
        .into_iter()
        .fold(refusal, Diagnostic::help);
    refusal
        .in_text(origin.clone())
        .at(
            header.span(),
            "expected a column such as `Throughput (T/s)` or `throughput_tok_s`",
        )
        .help(format!("columns found: {}", found.join(", ")))
}

/// Whether a line is the one under a Markdown table's header.
pub(super) fn is_delimiter_row(line: &str) -> bool {
    line.contains("---")
        && line.contains('|')
        && line
            .chars()
            .all(|c| matches!(c, '|' | '-' | ':') || c.is_whitespace())
}

/// Headers and rows of all tables.
fn tables(text: &str) -> Vec<(Record, Vec<Record>)> {
    let lines = Lines::of(text);
    let mut tables: Vec<(Record, Vec<Record>)> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut span = 0..0;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                texts.clear();
                span = range;
            }
            Event::Start(Tag::TableCell) => texts.push(String::new()),
            Event::InlineHtml(tag) if is_line_break(&tag) => {
                if let Some(cell) = texts.last_mut() {
                    cell.push(' ');
                }
            }
            Event::Text(piece) | Event::Code(piece) | Event::InlineHtml(piece) => {
                if let Some(cell) = texts.last_mut() {
                    cell.push_str(&piece);
                }
            }
            Event::End(TagEnd::TableHead) => {
                let header = record(text, &span, &texts, &lines);
                tables.push((header, Vec::new()));
            }
            Event::End(TagEnd::TableRow) => {
                if let Some((_, rows)) = tables.last_mut() {
                    rows.push(record(text, &span, &texts, &lines));
                }
            }
            _ => {}
        }
    }
    tables
}

/// Whether a tag breaks the line of a cell (`<br>`, `<br/>`).
fn is_line_break(tag: &str) -> bool {
    let name = tag.trim_matches(|c: char| !c.is_ascii_alphabetic());
    name.eq_ignore_ascii_case("br")
}

/// A row with as many cells as its source has: the parser pads short rows and cuts long ones.
fn record(text: &str, span: &Range<usize>, texts: &[String], lines: &Lines) -> Record {
    let cells = cell_spans(text, span.clone())
        .into_iter()
        .enumerate()
        .map(|(index, span)| Cell {
            text: texts.get(index).map_or("", |cell| cell.trim()).to_owned(),
            span,
        })
        .collect();
    Record {
        line: lines.line(span.start),
        cells,
    }
}

/// Where the cells between unescaped bars stand.
fn cell_spans(text: &str, row: Range<usize>) -> Vec<Range<usize>> {
    let row = trimmed(text, row);
    let Some(source) = text.get(row.clone()) else {
        return Vec::new();
    };
    let mut escaped = false;
    let mut bars = Vec::new();
    for (at, byte) in source.bytes().enumerate() {
        if byte == b'|' && !escaped {
            bars.push(row.start + at);
        }
        escaped = byte == b'\\' && !escaped;
    }
    let mut start = row.start;
    let mut spans = Vec::new();
    for bar in bars {
        if bar > row.start {
            spans.push(trimmed(text, start..bar));
        }
        start = bar + 1;
    }
    if start < row.end {
        spans.push(trimmed(text, start..row.end));
    }
    spans
}
