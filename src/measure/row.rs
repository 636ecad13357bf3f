//! Rows: cells looked up by column, read as what the column holds, and refused by name and place.

use crate::diagnostic::{Diagnostic, Origin};
use crate::quantity::Tokens;

use super::column::Column;
use super::grid::{Cell, Record};
use super::meant;
use super::notes::Notes;
use super::number::{self, Printed, without_groups};
use super::speed;

/// Whether a cell says that something isn't done.
pub(super) fn is_no(text: &str) -> bool {
    const NO: [&str; 8] = ["false", "no", "off", "0", "0.0", "none", "null", "disabled"];
    NO.contains(&text.to_lowercase().as_str())
}

/// Whether a cell says that something is done.
pub(super) fn is_yes(text: &str) -> bool {
    const YES: [&str; 6] = ["true", "yes", "on", "1", "1.0", "enabled"];
    YES.contains(&text.to_lowercase().as_str())
}

/// A refusal of a number, with what to write instead where that is plain.
fn with_hint(refusal: Diagnostic, cell: &Cell) -> Diagnostic {
    number::hint(&cell.text)
        .into_iter()
        .fold(refusal, Diagnostic::help)
}

/// One row, with its header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) header: &'a Record,
    pub(super) columns: &'a [Option<Column>],
    pub(super) record: &'a Record,
    /// What the table's column of GPUs says of each node, where it may count those.
    pub(super) gpus_of_a_node: Option<u64>,
    /// Whether the table counts the gradient accumulation of all GPUs together.
    pub(super) accumulates_of_all: bool,
    pub(super) origin: &'a Origin,
}

impl<'a> Row<'a> {
    /// Its line in the file, from 1.
    pub(super) fn line(&self) -> usize {
        self.record.line
    }

    /// The cells of a column that aren't empty; only repeated columns have more than one.
    pub(super) fn cells(&self, column: Column) -> impl Iterator<Item = &'a Cell> {
        self.columns
            .iter()
            .zip(&self.record.cells)
            .filter(move |(held, cell)| **held == Some(column) && !cell.text.is_empty())
            .map(|(_, cell)| cell)
    }

    /// The cell of a column, unless it is empty or there is no such column.
    pub(super) fn cell(&self, column: Column) -> Option<&'a Cell> {
        self.cells(column).next()
    }

    /// The cell of a column that every row must have.
    pub(super) fn required(&self, column: Column) -> Result<&'a Cell, Diagnostic> {
        self.cell(column)
            .ok_or_else(|| self.missing(column, &format!("`{}`", column.name())))
    }

    /// A positive whole number up to `max`.
    pub(super) fn integer(&self, column: Column, max: u64) -> Result<Option<u64>, Diagnostic> {
        let Some(cell) = self.cell(column) else {
            return Ok(None);
        };
        match without_groups(&cell.text).parse::<Tokens>() {
            Ok(value) if value.get() <= max => Ok(Some(value.get())),
            Ok(_) => Err(self.refuse(cell, column, &format!("expected at most {max}"))),
            Err(error) => {
                let problem = match error.reason.as_str() {
                    "it is not a whole number" => "is not a whole number".to_owned(),
                    reason => format!("is not a whole number: {reason}"),
                };
                let expected = "expected a whole number such as 2048";
                let refusal = self.refuse_as(cell, column, &problem, expected);
                Err(with_hint(refusal, cell))
            }
        }
    }

    /// A sequence length: a positive whole number, in which `8K` is 8192 and `1M` is 1,048,576 (nobody
    /// trains on 8000 tokens).
    pub(super) fn seq_len(&self, max: u64, notes: &mut Notes) -> Result<Option<u64>, Diagnostic> {
        let column = Column::SeqLen;
        let cell = self.cell(column);
        let binary = cell.and_then(|cell| {
            let (number, unit) = match cell.text.strip_suffix(['k', 'K']) {
                Some(number) => (number, 1 << 10),
                None => (cell.text.strip_suffix(['m', 'M'])?, 1 << 20),
            };
            number.trim_end().parse::<u64>().ok()?.checked_mul(unit)
        });
        let (Some(cell), Some(binary)) = (cell, binary.filter(|binary| (1..=max).contains(binary)))
        else {
            return self.integer(column, max);
        };
        let text = format!("sequence length `{}` is read as {binary}", cell.text);
        notes.add(self.line(), text);
        Ok(Some(binary))
    }

    /// A positive number.
    pub(super) fn number(&self, column: Column) -> Result<Option<Printed>, Diagnostic> {
        let Some(cell) = self.cell(column) else {
            return Ok(None);
        };
        Printed::parse(&cell.text).map(Some).ok_or_else(|| {
            let refusal = self.refuse(cell, column, "expected a number greater than zero");
            if cell.text.contains(|c: char| c.is_ascii_digit()) {
                with_hint(refusal, cell)
            } else {
                refusal.help(speed::NO_SPEED)
            }
        })
    }

    /// Whether a cell holds no number at all: `n/a`, `-`.
    pub(super) fn has_no_digit(&self, column: Column) -> bool {
        let cell = self.cell(column);
        cell.is_some_and(|cell| !cell.text.contains(|letter: char| letter.is_ascii_digit()))
    }

    /// Whether a number is printed as zero.
    pub(super) fn rounds_to_zero(&self, column: Column) -> bool {
        self.cell(column)
            .and_then(|cell| cell.text.parse::<f64>().ok())
            .is_some_and(|value| value == 0.0)
    }

    /// Yes or no; a repeated column must say the same.
    pub(super) fn flag(&self, column: Column) -> Result<Option<bool>, Diagnostic> {
        let mut found = None;
        for cell in self.cells(column) {
            let told = match cell.text.to_lowercase().as_str() {
                text if is_yes(text) || text == "full" => true,
                text if is_no(text) || text == "-" => false,
                "selective" | "op" => {
                    return Err(self.refuse(cell, column, "expected true or false").help(
                        "what recomputes a part of each block is not modelled: leave its rows out",
                    ));
                }
                _ => return Err(self.refuse(cell, column, "expected true or false")),
            };
            if found.is_some_and(|found| found != told) {
                let expected = format!("expected {} as in the other such column", !told);
                return Err(self.refuse(cell, column, &expected));
            }
            found = Some(told);
        }
        Ok(found)
    }

    /// The cells that aren't empty of columns that aren't read, with their headers.
    pub(super) fn unread(&self) -> impl Iterator<Item = (&'a str, &'a Cell)> {
        self.columns
            .iter()
            .zip(self.headers().zip(&self.record.cells))
            .filter(|(held, (_, cell))| held.is_none() && !cell.text.is_empty())
            .map(|(_, unread)| unread)
    }

    /// The headers of all columns.
    pub(super) fn headers(&self) -> impl Iterator<Item = &'a str> {
        self.header.cells.iter().map(|header| header.text.as_str())
    }

    /// A column's name as the table spells it above `cell`, or else as this project does.
    pub(super) fn spelled(&self, column: Column, cell: Option<&Cell>) -> &'a str {
        let at = cell.and_then(|cell| self.record.cells.iter().position(|held| held == cell));
        at.and_then(|at| self.header.cells.get(at))
            .map_or(column.name(), |header| header.text.as_str())
    }

    /// The error for a cell that isn't what its column holds.
    pub(super) fn refuse(&self, cell: &Cell, column: Column, expected: &str) -> Diagnostic {
        self.refuse_as(
            cell,
            column,
            &format!("can't be used: {expected}"),
            expected,
        )
    }

    /// [`Row::refuse`] with a message of its own.
    fn refuse_as(&self, cell: &Cell, column: Column, problem: &str, expected: &str) -> Diagnostic {
        Diagnostic::new(format!(
            "line {}, column `{}`: `{}` {problem}",
            self.line(),
            self.spelled(column, Some(cell)),
            cell.text
        ))
        .in_text(self.origin.clone())
        .at(cell.span.clone(), expected)
    }

    /// Adds the place of `cell` to an error that has none, such as an unknown name.
    pub(super) fn located(&self, mut error: Diagnostic, cell: &Cell, column: Column) -> Diagnostic {
        error.message = format!(
            "line {}, column `{}`: {}",
            self.line(),
            self.spelled(column, Some(cell)),
            error.message
        );
        error
            .in_text(self.origin.clone())
            .at(cell.span.clone(), "not known")
    }

    /// The error for columns of this row that contradict each other: `message` at the cell of
    /// `column`, and the cells of `context` marked too.
    pub(super) fn contradiction(
        &self,
        column: Column,
        message: &str,
        expected: &str,
        context: &[Column],
    ) -> Diagnostic {
        let mut error = Diagnostic::new(format!(
            "line {}, column `{}`: {message}",
            self.line(),
            self.spelled(column, self.cell(column))
        ))
        .in_text(self.origin.clone());
        // A preset or another column may have told what this one would have.
        let place = self.cell(column).map(|cell| cell.span.clone());
        error = error.at(place.unwrap_or_else(|| self.record.span()), expected);
        for other in context {
            if let Some(cell) = self.cell(*other) {
                error = error.at(cell.span.clone(), self.spelled(*other, Some(cell)));
            }
        }
        error
    }

    /// The error for something a row must tell: an empty cell where the table has the column,
    /// else a missing column. `wanted` names the columns that would do.
    pub(super) fn missing(&self, column: Column, wanted: &str) -> Diagnostic {
        let at = self.columns.iter().position(|held| *held == Some(column));
        if let Some(cell) = at.and_then(|at| self.record.cells.get(at)) {
            return self.refuse_as(cell, column, "is empty", "expected a value");
        }
        let found: Vec<&str> = self
            .header
            .cells
            .iter()
            .map(|cell| cell.text.as_str())
            .filter(|text| !text.is_empty())
            .collect();
        let mut unread = self.unread().map(|(header, _)| header);
        let meant = unread.find_map(|header| meant::remedy(column, header));
        let refusal = Diagnostic::new(format!(
            "line {}: the table has no column {wanted}",
            self.header.line
        ));
        let refusal = meant.into_iter().fold(refusal, Diagnostic::help);
        refusal
        .in_text(self.origin.clone())
        .at(self.header.span(), format!("expected a column {wanted}"))
        .help(if let ([only], 1) = (found.as_slice(), self.header.cells.len()) {
            format!(
                "the header is the one column `{only}`: columns are told apart by commas, or by tabs or \
                 semicolons where the header has no comma"
            )
        } else {
            format!("columns found: {}", found.join(", "))
        })
    }
}
