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
        let mut text = format!("## {}\n", escaped(&document.title));
        for block in &document.blocks {
            text.push('\n');
            match block {
                Block::Heading(heading) => text += &format!("### {}\n", escaped(heading)),
                Block::Text(paragraph) => text += &format!("{}\n", escaped(paragraph)),
                Block::Grid(grid) => text += &grid_text(grid),
                Block::Notes(notes) => {
                    for (label, note) in notes {
                        text += &format!("- **{}**: {}\n", escaped(label), escaped(note));
                    }
                }
            }
        }
        Ok(text)
    }
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
