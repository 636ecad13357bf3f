//! The report as one HTML page: no file beside it, no network, no script needed to read it.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use crate::fit_file::FitFile;
use crate::measure::Measurement;
use crate::plan::Candidate;
use crate::quantity::display_thousands;

use super::chart::{self, Booking, Calendar, Chart, Lane, Measured};
use super::{Approval, Block, Grid, ReportError, Tone};

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
    Code {
        text: &'a str,
    },
    Table {
        head: Vec<HeadCell<'a>>,
        rows: Vec<Vec<BodyCell<'a>>>,
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
        let (opening, sections) = (self.opening(), self.sections());
        let (lead, opening) = match opening.split_first() {
            Some((Block::Text(lead), rest)) => (lead.as_str(), rest),
            _ => ("", opening.as_slice()),
        };
        let parts = |blocks: &[Block]| {
            let parts: Vec<Part<'_>> = blocks.iter().map(part).collect();
            Value::from(Serde(&parts))
        };
        let mut page = Environment::new();
        page.set_auto_escape_callback(|_| AutoEscape::Html);
        page.add_template("page.html", include_str!("page.html"))?;
        let style = Value::from_safe_string(include_str!("style.css").to_owned());
        let charts: Vec<Value> = self.charts().into_iter().map(figure).collect();
        let text = page.get_template("page.html")?.render(context! {
            title => self.title(),
            lead,
            opening => parts(opening),
            sections => parts(&sections),
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
            chart::cost_time(by_count, self.best()),
            chart::scaling(by_count, &self.measured_speeds()),
        ];
        charts.extend(self.best().map(|best| chart::calendar(&self.booking(best))));
        charts.push(chart::time_bars(&leading));
        charts.push(chart::memory_bars(&leading));
        charts.extend(
            self.accuracy
                .map(|found| chart::accuracy(found, "its model")),
        );
        charts
    }

    /// The recommended booking.
    fn booking(&self, best: &Candidate) -> Calendar {
        Calendar {
            start: self.start,
            lanes: vec![Lane {
                name: best.cluster.clone(),
                bookings: vec![Booking {
                    label: format!(
                        "{}: {} GPUs",
                        self.plan.request.model,
                        display_thousands(best.gpus.into())
                    ),
                    from_h: 0.0,
                    to_h: best.time_to_budget_h,
                }],
            }],
        }
    }

    /// Measured throughputs of this model at the sequence length of the first candidate, on GPUs
    /// that the job may run on.
    fn measured_speeds(&self) -> Vec<Measured> {
        let seq_len = self.best().map(|best| best.seq_len);
        let clusters = self.request.clusters.iter();
        let gpus: Vec<&str> = clusters.map(|cluster| cluster.gpu.name.as_str()).collect();
        let own = self.fit_file.map_or(&[][..], FitFile::rows);
        let same = |row: &&Measurement| {
            row.model == self.plan.request.model
                && Some(row.configuration.seq_len) == seq_len
                && row.stack.name == self.plan.request.stack
                && gpus.contains(&row.cluster.gpu.name.as_str())
        };
        let rows = self.measured.iter().chain(own).filter(same);
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
        Block::Code(text) => Part::Code { text },
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
