//! Cells and where they stand, whatever the format they came from.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Origin};
use crate::quantity::{counted, plural};

/// A cell's text, and the bytes of the file it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// A line of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Line of the file, from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<Cell>,
}

impl Record {
    /// Whether nothing stands in it.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.text.is_empty())
    }

    /// The bytes from its first cell to its last.
    pub(super) fn span(&self) -> Range<usize> {
        let start = self.cells.first().map_or(0, |cell| cell.span.start);
        start..self.cells.last().map_or(start, |cell| cell.span.end)
    }
}

/// A header, and rows with as many cells as it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) header: Record,
    pub(super) rows: Vec<Record>,
}

impl Grid {
    /// A grid of rows as long as the header; blank ones, as spreadsheets end in, are left out.
    ///
    /// # Errors
    /// The first row that is longer or shorter.
    pub(super) fn new(
        header: Record,
        mut rows: Vec<Record>,
        origin: &Origin,
    ) -> Result<Self, Diagnostic> {
        rows.retain(|row| !row.is_blank());
        for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
            if let Some(word) = in_words(&cell.text) {
                word.clone_into(&mut cell.text);
            }
        }
        let expected = header.cells.len();
        match rows.iter().find(|row| row.cells.len() != expected) {
            None => Ok(Self { header, rows }),
            Some(ragged) => {
                let found = ragged.cells.len();
                let message = format!(
                    "line {} has {found} {}, but the header on line {} has {expected}",
                    ragged.line,
                    plural(found as u64, "cell"),
                    header.line,
                );
                Err(Diagnostic::new(message)
                    .in_text(origin.clone())
                    .at(ragged.span(), format!("expected {}", counted(expected as u64, "cell")))
                    .help("give every row one cell for each column; leave a cell empty where nothing is known"))
            }
        }
    }

    /// Whether all cells of a column that aren't empty are such.
    pub(super) fn all_below(&self, at: usize, is_such: impl Fn(&str) -> bool) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.cells.get(at));
        cells.all(|cell| cell.text.is_empty() || is_such(&cell.text))
    }
}

/// What a mark that stands alone in a cell says.
fn in_words(text: &str) -> Option<&'static str> {
    match text.trim_end_matches('\u{fe0f}') {
        "✓" | "✔" | "✅" | "☑" => Some("yes"),
        "✗" | "✘" | "✕" | "❌" | "☐" => Some("no"),
        _ => None,
    }
}

/// Line numbers of byte offsets.
#[derive(Debug)]
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// The line, from 1, of the byte at `offset`.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}
