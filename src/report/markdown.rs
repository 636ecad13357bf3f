//! Markdown, for pasting into a document.

use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Style};

use super::{Answer, Block, Grid, Report, ReportError};

/// GitHub-flavoured Markdown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markdown;

impl Report for Markdown {
    fn render(&self, answer: &dyn Answer) -> Result<String, ReportError> {
        let document = answer.document();
        let mut parts = vec![format!("## {}\n", escaped(&document.title))];
        let blocks = document.blocks.iter();
        let written = blocks.filter(|block| !matches!(block, Block::Charts(_)));
        parts.extend(written.map(block_text));
        let text = parts.join("\n");
        Ok(text)
    }
}

fn block_text(block: &Block) -> String {
    match block {
        Block::Heading(heading) => format!("### {}\n", escaped(heading)),
        Block::Text(paragraph) => format!("{}\n", prose(paragraph)),
        Block::Verbatim(lines) => fenced(lines),
        Block::Grid(grid) => grid_text(grid),
        Block::Notes(notes) => {
            let lines = notes
                .iter()
                .map(|(label, note)| (escaped(label), prose(note)));
            let lines: Vec<String> = lines
                .map(|(label, note)| format!("- **{label}**: {note}"))
                .collect();
            lines.join("\n") + "\n"
        }
        Block::Charts(_) => String::new(),
    }
}

/// A fence longer than any run of tildes inside.
fn fenced(text: &str) -> String {
    let runs = text.split(|c| c != '~').map(str::len).max().unwrap_or(0);
    let fence = "~".repeat(runs.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
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

/// A sentence: what it has in backticks is code, everything else is [`escaped`].
fn prose(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    let is_code =
        |piece: &str| !piece.is_empty() && piece.trim() == piece && !piece.contains(['\n', '\r']);
    // Backticks that don't come in pairs around something are but characters.
    let paired = pieces.len() % 2 == 1 && pieces.iter().skip(1).step_by(2).all(|p| is_code(p));
    if !paired {
        return escaped(text);
    }
    let pieces = pieces.into_iter().enumerate();
    pieces
        .map(|(place, piece)| match place % 2 {
            0 => escaped(piece),
            _ => format!("`{piece}`"),
        })
        .collect()
}

fn grid_text(grid: &Grid) -> String {
    let told = || grid.columns.iter().filter(|column| !column.bars);
    let mut builder = Builder::default();
    builder.push_record(told().map(|column| escaped(&column.header)));
    for row in &grid.rows {
        let cells = row.iter().zip(&grid.columns);
        let cells = cells.filter(|(_, column)| !column.bars);
        builder.push_record(cells.map(|(cell, _)| escaped(&cell.text)));
    }
    let mut table = builder.build();
    table.with(Style::markdown());
    for (index, column) in told().enumerate() {
        if column.right {
            table.modify(Columns::one(index), Alignment::right());
        }
    }
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_in_a_sentence_stays_code() {
        for (text, written) in [
            (
                "`--spares none` books *none*",
                "`--spares none` books \\*none\\*",
            ),
            ("set `a_b` or `c*d`", "set `a_b` or `c*d`"),
            ("a job called `x", "a job called \\`x"),
            ("``, `x`", "\\`\\`, \\`x\\`"),
        ] {
            assert_eq!(prose(text), written);
        }
    }
}
