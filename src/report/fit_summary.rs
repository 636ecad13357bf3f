//! A fit to a user's rows: what `fit` says.

mod difference;

use schemars::JsonSchema;
use serde::Serialize;

use crate::fit_file::{EMBEDDED, FitFile, HeldOut};
use crate::quantity::plural;
use crate::throughput::coefficients::{COEFFICIENTS, Coefficient};
use crate::throughput::{Hypothesis, LayerSummary, Termination};

use super::number::{percent, significant};
use super::{Answer, Cell, Column, Document, Grid, Records, Tone};

/// Coefficients named as those that moved most.
const MOVED: usize = 4;

/// Smallest change worth naming, on the coefficient's fitted scale: about 1 %.
const NAMED: f64 = 0.01;

/// Rows of fewer than which nobody can see how uneven they are.
const SHOWING: usize = 5;
/// Scatter that is taken of no rows before they show it.
const FAR_MORE: f64 = 0.06;
/// Scatter up to which rows may as well agree: as much is taken of some that do.
const UNEVEN: f64 = 0.02;

/// A fit with what was said while its tables were read.
#[derive(Debug, Clone, Copy)]
pub struct FitSummary<'a> {
    /// The fit.
    pub file: &'a FitFile,
    /// Where it was written.
    pub target: &'a str,
    /// What was ignored or assumed in its tables.
    pub notes: &'a [String],
}

/// What `fit --format json` prints.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FitSummary")]
pub(crate) struct Summary<'a> {
    /// Version of this JSON; it grows when a field changes meaning.
    schema_version: u32,
    /// Name of the fit.
    name: &'a str,
    /// The file it was written to.
    file: &'a str,
    /// The embedded tables it was fitted on top of; `null` when made alone.
    on_top_of: Option<&'static str>,
    /// Measured rows of one's own.
    rows: usize,
    /// Errors on rows held out of it; `null` where too few are left to tell.
    held_out: Option<&'a HeldOut>,
    /// Why it is to be used with care, where it is.
    caution: Option<&'a str>,
    /// What was learnt of each place.
    fits: Vec<Place>,
    /// What was ignored or assumed in its tables, and rows that it doesn't follow.
    notes: &'a [String],
}

/// What was learnt of one place.
#[derive(Serialize, JsonSchema)]
struct Place {
    /// GPU type; `null` where rows of several places were fitted together.
    gpu: Option<String>,
    /// All types of GPU in it: cards that differ in memory alone are one place.
    #[serde(skip)]
    gpus: Vec<String>,
    /// Training stack; `null` where rows of several places were fitted together.
    stack: Option<String>,
    /// Rows of one's own of it.
    rows: usize,
    /// In what it differs from the embedded tables; `null` where it doesn't, or alone.
    differs_in: Option<&'static str>,
    /// Standard deviation by which the rows stray beyond the noise of single runs, as a share; of
    /// few rows, what is taken of any.
    scatter: f64,
    /// What was learnt, in words.
    in_words: String,
    /// The coefficients that moved most.
    moved: Vec<Moved>,
    /// Steps that the fit took.
    steps: usize,
    /// The last change of a coefficient, on its fitted scale.
    last_change: f64,
    /// Condition number of what was solved last.
    condition: f64,
}

/// A coefficient that the rows moved.
#[derive(Serialize, JsonSchema)]
struct Moved {
    /// Its name.
    coefficient: &'static str,
    /// Its unit.
    unit: &'static str,
    /// What it was.
    from: f64,
    /// What it is.
    to: f64,
}

impl Place {
    fn new(file: &FitFile, layer: &LayerSummary<'_>) -> Self {
        let Termination {
            steps,
            change,
            condition,
        } = layer.termination;
        let joined = layer.hypothesis.is_none() && !file.is_alone();
        // The embedded layer is of many places.
        let row = layer.example.filter(|_| layer.hypothesis.is_some());
        let mut gpus: Vec<String> = Vec::new();
        for cluster in &layer.clusters {
            if !gpus.contains(&cluster.gpu.name) {
                gpus.push(cluster.gpu.name.clone());
            }
        }
        Self {
            gpu: row.map(|row| row.cluster.gpu.name.clone()),
            gpus,
            stack: row.map(|row| row.stack.name.clone()),
            rows: file.own_rows_of(layer),
            differs_in: layer.hypothesis.map(Hypothesis::name),
            in_words: if joined {
                format!("these rows look like those of {EMBEDDED}: they joined them")
            } else {
                difference::in_words(layer)
            },
            scatter: layer.scatter,
            moved: if joined { Vec::new() } else { moved(layer) },
            steps,
            last_change: change,
            condition,
        }
    }

    /// Its rows, and how uneven they look where that says something.
    fn counted(&self) -> String {
        let rows = format!("{} {}", self.rows, plural(self.rows as u64, "row"));
        // Of few rows it is what is taken of any, not what they show, unless it is far more.
        let shown = self.rows >= SHOWING || self.scatter > FAR_MORE;
        if self.scatter < UNEVEN || !shown {
            return rows;
        }
        format!(
            "{rows}, which stray by about {:.1} % beyond the noise of single runs",
            self.scatter * 100.0
        )
    }

    fn name(&self) -> String {
        match (&self.gpu, &self.stack) {
            (Some(_), Some(stack)) => format!("{}, {stack}", self.gpus.join(" and ")),
            _ => "All places".to_owned(),
        }
    }
}

/// The coefficients that moved most, on their fitted scales.
fn moved(layer: &LayerSummary<'_>) -> Vec<Moved> {
    let distance = |coefficient: &Coefficient| {
        (layer.values.log(coefficient.id) - layer.before.log(coefficient.id)).abs()
    };
    let mut order: Vec<&Coefficient> = COEFFICIENTS
        .iter()
        .filter(|coefficient| distance(coefficient) > NAMED)
        .collect();
    order.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
    let told = order.into_iter().take(MOVED).map(|coefficient| Moved {
        coefficient: coefficient.name,
        unit: coefficient.unit,
        from: layer.before[coefficient.id],
        to: layer.values[coefficient.id],
    });
    told.collect()
}

impl Summary<'_> {
    /// Version of the JSON that `fit` prints.
    const SCHEMA_VERSION: u32 = 1;
}

impl FitSummary<'_> {
    fn summary(&self) -> Summary<'_> {
        let layers = self.file.own_layers();
        Summary {
            schema_version: Summary::SCHEMA_VERSION,
            name: self.file.fit().name(),
            file: self.target,
            on_top_of: (!self.file.is_alone()).then_some(EMBEDDED),
            rows: self.file.rows().len(),
            held_out: self.file.held_out(),
            caution: self.file.fit().caution(),
            fits: layers.map(|layer| Place::new(self.file, &layer)).collect(),
            notes: self.notes,
        }
    }

    fn held_out(&self) -> String {
        let Some(held_out) = self.file.held_out() else {
            return "not determined: too few rows are left when some are held out".to_owned();
        };
        let mut text = format!(
            "{} % mean error, {} % of rows inside their 90 % interval ({})",
            percent(held_out.mape),
            percent(held_out.coverage),
            held_out.protocol,
        );
        if let Some(embedded) = held_out.embedded_mape {
            text = format!(
                "{text}; the embedded fit alone is {} % off",
                percent(embedded)
            );
        }
        text
    }
}

impl Answer for FitSummary<'_> {
    fn document(&self) -> Document {
        let summary = self.summary();
        let base = if self.file.is_alone() {
            "alone".to_owned()
        } else {
            format!("on top of {EMBEDDED}")
        };
        let rows = plural(summary.rows as u64, "measured row");
        let title = format!("{}: {} {rows} fitted {base}", summary.name, summary.rows);
        let mut document =
            Document::new(title).text(format!("on rows held out: {}", self.held_out()));
        if let Some(caution) = self.file.fit().caution() {
            document = document.text(format!("careful: {caution}"));
        }
        for place in &summary.fits {
            document = document.heading(place.name()).text(format!(
                "{}; {}",
                place.in_words,
                place.counted()
            ));
            if !place.moved.is_empty() {
                document = document.grid(moved_grid(&place.moved));
            }
        }
        let mut notes: Vec<(String, String)> = self
            .notes
            .iter()
            .map(|note| ("note".to_owned(), note.clone()))
            .collect();
        let written = format!("{}; `--fit {}` predicts with it", self.target, self.target);
        notes.push(("written".to_owned(), written));
        document.heading("Notes").notes(notes)
    }

    fn besides(&self) -> Vec<String> {
        let caution = self.file.fit().caution().map(str::to_owned);
        caution
            .into_iter()
            .chain(self.notes.iter().cloned())
            .collect()
    }

    fn records(&self) -> Records {
        let summary = self.summary();
        let header = ["gpu", "stack", "rows", "differs_in", "in_words"];
        let rows = summary.fits.into_iter().map(|place| {
            vec![
                place.gpu.unwrap_or_default(),
                place.stack.unwrap_or_default(),
                place.rows.to_string(),
                place.differs_in.unwrap_or_default().to_owned(),
                place.in_words,
            ]
        });
        Records {
            header: header.map(str::to_owned).to_vec(),
            rows: rows.collect(),
        }
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&self.summary())
    }
}

fn moved_grid(moved: &[Moved]) -> Grid {
    let line = |moved: &Moved| {
        vec![
            moved.coefficient.into(),
            significant(moved.from).into(),
            Cell::from(significant(moved.to)).tone(Tone::Strong),
            moved.unit.into(),
        ]
    };
    Grid {
        columns: vec![
            Column::left("moved most"),
            Column::right("from"),
            Column::right("to"),
            Column::left("unit"),
        ],
        rows: moved.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::difference::network;

    #[test]
    fn what_did_not_move_is_left_out() {
        let said = network("here", &[(1.2, "a"), (1.001, "b"), (0.5, "c")]);
        assert_eq!(
            said,
            "the network looks different on here: 1.20 times a, 0.500 times c"
        );
        let said = network("here", &[(1.0, "a")]);
        assert_eq!(said, "the network looks different on here");
    }
}
