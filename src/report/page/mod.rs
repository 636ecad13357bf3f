//! The report as one HTML page: no file beside it, no network, no script needed to read it.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use super::chart::{self, Chart};
use super::{Answer, Approval, Block, Grid, ReportError, Tone};

/// How many of the leading candidates the bar charts show.
const LEADING: usize = 5;

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
    Table {
        head: Vec<HeadCell<'a>>,
        rows: Vec<Vec<BodyCell<'a>>>,
    },
    Verbatim {
        text: &'a str,
    },
    Notes {
        notes: &'a [(String, String)],
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

impl Approval<'_> {
    /// The page.
    ///
    /// # Errors
    /// When the template can't be rendered.
    pub fn html(&self) -> Result<String, ReportError> {
        let document = self.document();
        let (lead, rest) = document
            .blocks
            .split_first()
            .map_or((None, &[][..]), |(lead, rest)| {
                let lead = match lead {
                    Block::Text(text) => Some(text.as_str()),
                    _ => None,
                };
                (lead, rest)
            });
        let parts: Vec<Part<'_>> = rest.iter().map(part).collect();
        let (summary, sections) = parts.split_at(parts.len().min(1));
        let mut page = Environment::new();
        page.set_auto_escape_callback(|_| AutoEscape::Html);
        page.add_template("page.html", include_str!("page.html"))?;
        let style = Value::from_safe_string(include_str!("style.css").to_owned());
        let charts: Vec<Value> = self.charts().into_iter().map(figure).collect();
        let text = page.get_template("page.html")?.render(context! {
            title => document.title,
            lead,
            summary => Value::from(Serde(summary)),
            sections => Value::from(Serde(sections)),
            charts,
            style,
            version => env!("CARGO_PKG_VERSION"),
        })?;
        Ok(text + "\n")
    }

    fn charts(&self) -> Vec<Chart> {
        let by_count = &self.plan.best_by_gpu_count;
        let leading: Vec<_> = self.plan.candidates.iter().take(LEADING).cloned().collect();
        let mut charts = vec![
            chart::cost_time(by_count),
            chart::scaling(by_count, &self.measured_speeds()),
            chart::time_bars(&leading),
            chart::memory_bars(&leading),
        ];
        if let Some(found) = self.accuracy {
            charts.push(chart::accuracy(&found.predictions, "its model"));
        }
        charts
    }

    /// Measured throughputs of this model at the sequence length of the first candidate.
    fn measured_speeds(&self) -> Vec<(u64, f64)> {
        let seq_len = self.plan.candidates.first().map(|best| best.seq_len);
        let same = |row: &&crate::measure::Measurement| {
            row.model == self.plan.request.model
                && Some(row.configuration.seq_len) == seq_len
                && row.stack.name == self.plan.request.stack
        };
        let rows = self.measured.iter().filter(same);
        rows.map(|row| (row.configuration.gpus, row.throughput_tok_s))
            .collect()
    }
}

/// A chart as the template takes it: its drawing is markup, everything else is text.
fn figure(chart: Chart) -> Value {
    context! {
        svg => Value::from_safe_string(chart.svg),
        title => chart.title,
        caption => chart.caption,
        legend => Value::from(Serde(&chart.legend)),
    }
}

fn part(block: &Block) -> Part<'_> {
    match block {
        Block::Heading(text) => Part::Heading { text },
        Block::Text(text) => Part::Text { text },
        Block::Verbatim(text) => Part::Verbatim { text },
        Block::Notes(notes) => Part::Notes { notes },
        Block::Grid(grid) => table(grid),
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
