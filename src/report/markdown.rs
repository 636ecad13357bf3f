//! Markdown, for pasting into a document.

use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Style};

use super::{Answer, Block, Column, Grid, Report, ReportError};

/// GitHub-flavoured Markdown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markdown;

impl Report for Markdown {
    fn render(&self, answer: &dyn Answer) -> Result<String, ReportError> {
        let document = answer.document();
        let mut parts = vec![format!("## {}\n", escaped(&document.title))];
        parts.extend(document.blocks.iter().map(block_text));
        let text = parts.join("\n");
        Ok(text)
    }
}

fn block_text(block: &Block) -> String {
    match block {
        Block::Heading(heading) => format!("### {}\n", escaped(heading)),
        Block::Text(paragraph) => format!("{}\n", escaped(paragraph)),
        Block::Code(command) => fenced(command),
        Block::Grid(grid) => grid_text(grid),
        Block::Notes(notes) => {
            let lines = notes
                .iter()
                .map(|(label, note)| (escaped(label), escaped(note)));
            let lines: Vec<String> = lines
                .map(|(label, note)| format!("- **{label}**: {note}"))
                .collect();
            lines.join("\n") + "\n"
        }
    }
}

/// A block of code; its fence is longer than any run of backticks in it.
fn fenced(code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}sh\n{code}\n{fence}\n")
}

/// Keeps names and notes from being read as markup or as the end of a cell.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '<' | '`' | '\\' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

fn grid_text(grid: &Grid) -> String {
    let mut builder = Builder::default();
    builder.push_record(
        grid.columns
            .iter()
            .map(|Column { header, .. }| escaped(header)),
    );
    for row in &grid.rows {
        builder.push_record(row.iter().map(|cell| escaped(&cell.text)));
    }
    let mut table = builder.build();
    table.with(Style::markdown());
    for (index, column) in grid.columns.iter().enumerate() {
        if column.right {
            table.modify(Columns::one(index), Alignment::right());
        }
    }
    format!("{table}\n")
}
