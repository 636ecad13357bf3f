//! An answer as one HTML page: no file beside it, no network, no script needed to read it.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use super::chart::Chart;
use super::{Answer, Block, Document, Grid, Report, ReportError, Tone};

/// One HTML file. What stands before the charts is the page's head, its first paragraph the lead.
#[derive(Debug, Clone, Copy, Default)]
pub struct Html;

impl Report for Html {
    fn render(&self, answer: &dyn Answer) -> Result<String, ReportError> {
        let Document { title, blocks } = answer.document();
        let drawn = |block: &Block| matches!(block, Block::Charts(_));
        let head = blocks.iter().position(drawn).unwrap_or(blocks.len());
        let (opening, sections) = blocks.split_at(head);
        let (lead, opening) = match opening.split_first() {
            Some((Block::Text(lead), rest)) => (lead.as_str(), rest),
            _ => ("", opening),
        };
        let parts = |blocks: &[Block]| {
            let parts: Vec<Part<'_>> = blocks.iter().map(part).collect();
            Value::from(Serde(&parts))
        };
        let mut page = Environment::new();
        page.set_auto_escape_callback(|_| AutoEscape::Html);
        page.add_template("page.html", include_str!("page.html"))?;
        let text = page.get_template("page.html")?.render(context! {
            title,
            lead,
            opening => parts(opening),
            sections => parts(sections),
            style => Value::from_safe_string(include_str!("style.css").to_owned()),
            version => env!("CARGO_PKG_VERSION"),
        })?;
        Ok(text + "\n")
    }
}

/// A block of the page.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Part<'a> {
    Heading {
        text: &'a str,
    },
    Text {
        text: &'a str,
    },
    Verbatim {
        text: &'a str,
    },
    Table {
        head: Vec<HeadCell<'a>>,
        rows: Vec<Vec<BodyCell<'a>>>,
    },
    Notes {
        notes: &'a [(String, String)],
    },
    Charts {
        charts: &'a [Chart],
    },
}

#[derive(Debug, Serialize)]
struct HeadCell<'a> {
    text: &'a str,
    class: &'static str,
}

#[derive(Debug, Serialize)]
struct BodyCell<'a> {
    text: &'a str,
    class: String,
    name: &'a str,
}

fn part(block: &Block) -> Part<'_> {
    match block {
        Block::Heading(text) => Part::Heading { text },
        Block::Text(text) => Part::Text { text },
        Block::Verbatim(text) => Part::Verbatim { text },
        Block::Notes(notes) => Part::Notes { notes },
        Block::Grid(grid) => table(grid),
        Block::Charts(charts) => Part::Charts { charts },
    }
}

fn table(grid: &Grid) -> Part<'_> {
    let side = |right: bool| if right { "right" } else { "left" };
    let head = grid.columns.iter().map(|column| HeadCell {
        text: &column.header,
        class: side(column.right),
    });
    let rows = grid.rows.iter().map(|cells| {
        cells
            .iter()
            .zip(&grid.columns)
            .map(|(cell, column)| BodyCell {
                text: &cell.text,
                class: format!("{} {}", side(column.right), tone_class(cell.tone)),
                name: &column.header,
            })
            .collect()
    });
    Part::Table {
        head: head.collect(),
        rows: rows.collect(),
    }
}

fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Strong => "strong",
        Tone::Faint => "faint",
        Tone::Good => "good",
        Tone::Caution => "caution",
        Tone::Bad => "bad",
    }
}
