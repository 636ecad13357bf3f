//! Fits as files: a user's own measurements, fitted once and used everywhere.
//!
//! A fit file is TOML that a person can read: what it was made from, how well it predicts rows it
//! has not seen, how each fit ended, the coefficients. It also holds the rows themselves, and when
//! it is read the fit is made again from them, which reproduces every prediction and takes about a
//! second for 250 different runs, several for 1000; the coefficients written down are then compared
//! with the ones found. A file that was edited, or that another version of the model would read
//! differently, is refused.
//!
//! ```
//! use tminus::fit_file::{FitFile, Source, embedded_rows};
//! let rows: Vec<_> = embedded_rows().unwrap().into_iter().take(3).collect();
//! let file = FitFile::on_top("mine", vec![Source::new("mine.csv", "…", 3)], rows).unwrap();
//! let read = FitFile::from_toml("mine.fit.toml", &file.to_toml().unwrap()).unwrap();
//! assert_eq!(read.fit().rows(), 303);
//! ```

mod caution;
mod copies;
mod embedded;
mod held_out;
mod presets;
mod read;
mod stray;
mod write;

use sha2::{Digest, Sha256};

use crate::diagnostic::Diagnostic;
use crate::measure::Measurement;
use crate::quantity::{Confidence, Interval};
use crate::throughput::{Fit, FitError, LayerSummary};

pub(crate) use copies::is_copy;
pub use copies::without_copies;
pub use embedded::{
    EMBEDDED, HeldOutErrors, Provenance, embedded_fit, embedded_rows, embedded_sha256, provenance,
};
pub use held_out::HeldOut;

/// Version of the file format; it grows when a field changes its meaning.
pub const FORMAT: u32 = 1;

/// The most rows a fit file is made from: its time grows with the cube of the cells.
pub const MAX_ROWS: usize = 2000;

/// A table that a fit was made from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name, as it was given.
    pub name: String,
    /// Rows of it.
    pub rows: usize,
    /// SHA-256 of its text.
    pub sha256: String,
}

impl Source {
    /// A table of that name, contents and number of rows.
    #[must_use]
    pub fn new(name: impl Into<String>, contents: &str, rows: usize) -> Self {
        Self {
            name: name.into(),
            rows,
            sha256: sha256(contents),
        }
    }
}

/// A fit to a user's rows, with its provenance.
#[derive(Debug, Clone)]
pub struct FitFile {
    name: String,
    program: String,
    sources: Vec<Source>,
    /// Embedded rows it was fitted on top of; none when alone.
    embedded: usize,
    rows: Vec<Measurement>,
    held_out: Option<HeldOut>,
    /// Places of rows that the others don't lead to expect, with the tokens per second that a fit without
    /// them expects; none in a file that was read.
    strays: Vec<(usize, Interval)>,
    fit: Fit,
}

impl FitFile {
    /// Fits rows on top of the embedded table.
    ///
    /// # Errors
    /// Too many rows, or a fit that stalls.
    pub fn on_top(
        name: impl Into<String>,
        sources: Vec<Source>,
        rows: Vec<Measurement>,
    ) -> Result<Self, Diagnostic> {
        Self::new(name.into(), sources, false, rows)
    }

    /// Fits rows alone: no embedded row has a say.
    ///
    /// # Errors
    /// Too many rows, or a fit that stalls.
    pub fn alone(
        name: impl Into<String>,
        sources: Vec<Source>,
        rows: Vec<Measurement>,
    ) -> Result<Self, Diagnostic> {
        Self::new(name.into(), sources, true, rows)
    }

    fn new(
        name: String,
        sources: Vec<Source>,
        alone: bool,
        rows: Vec<Measurement>,
    ) -> Result<Self, Diagnostic> {
        if rows.len() > MAX_ROWS {
            return Err(Diagnostic::new(format!(
                "{} rows are more than a fit is made from, {MAX_ROWS}",
                rows.len()
            ))
            .help("leave repeats out, or average them"));
        }
        let fit = fitted(&name, alone, &rows)?;
        let (held_out, judged) = HeldOut::of(alone, &rows)?.unzip();
        let judged = judged.unwrap_or_default();
        let said = |place: usize| Some((place, judged.get(place)?.predicted_tok_s));
        let mape = held_out.as_ref().map(|held_out| held_out.mape);
        let caution = caution::caution((&fit, &embedded_fit()?), held_out.as_ref(), alone, &rows);
        Ok(Self {
            program: program(),
            fit: fit.with_held_out(mape, caution),
            name,
            sources,
            embedded: embedded_count(alone)?,
            rows,
            held_out,
            strays: stray::strays(&judged)
                .into_iter()
                .filter_map(said)
                .collect(),
        })
    }

    /// The fit, ready to predict with.
    #[must_use]
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// The rows it was made from, the embedded ones aside.
    #[must_use]
    pub fn rows(&self) -> &[Measurement] {
        &self.rows
    }

    /// The tables it was made from.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Whether no embedded row has a say.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.embedded == 0
    }

    /// What its own rows were fitted to: a layer for each place that differs from the embedded
    /// table, and the table's own where rows of the same kind joined it (or none of it has a say).
    pub fn own_layers(&self) -> impl Iterator<Item = LayerSummary<'_>> {
        let own =
            |layer: &LayerSummary<'_>| layer.hypothesis.is_some() || layer.rows != self.embedded;
        self.fit.layers().filter(own)
    }

    /// Rows of its own among those of a layer.
    #[must_use]
    pub fn own_rows_of(&self, layer: &LayerSummary<'_>) -> usize {
        match layer.hypothesis {
            Some(_) => layer.rows,
            None => layer.rows.saturating_sub(self.embedded),
        }
    }

    /// Rows of its own that it takes for bad runs or mistakes: outside of nearly every run that it
    /// expects there; each with what it expects.
    #[must_use]
    pub fn set_aside(&self) -> Vec<(&Measurement, Interval)> {
        let said = self.rows.iter().map(|row| {
            let predicted =
                self.fit
                    .predict(&row.setting(), &row.configuration, Confidence::NEARLY_ALL);
            (row, predicted.throughput_tok_s)
        });
        said.filter(|(row, said)| !said.contains(row.throughput_tok_s))
            .collect()
    }

    /// Rows of its own that the others don't lead to expect, by more than chance, and that it follows in
    /// part all the same; each with the tokens per second that a fit without it expects. None in a file
    /// that was read, whose rows were judged when it was made.
    #[must_use]
    pub fn strays(&self) -> Vec<(&Measurement, Interval)> {
        let aside = self.set_aside();
        let followed =
            |row: &Measurement| !aside.iter().any(|(known, _)| std::ptr::eq(*known, row));
        let strays = self.strays.iter();
        let strays = strays.filter_map(|(place, said)| Some((self.rows.get(*place)?, *said)));
        strays.filter(|(row, _)| followed(row)).collect()
    }

    /// How well rows held out of it are predicted; `None` where too few rows are left to tell.
    #[must_use]
    pub fn held_out(&self) -> Option<&HeldOut> {
        self.held_out.as_ref()
    }

    /// A fit made in the same way from other rows: what held-out protocols need.
    ///
    /// # Errors
    /// As [`Fit::new`] and [`Fit::on_top`]; nothing can be fitted to no rows alone.
    pub fn refit(&self, base: &Fit, rows: Vec<Measurement>) -> Result<Fit, FitError> {
        refit(self.is_alone(), base, &self.name, rows)
    }

    /// As text; see the module's documentation.
    ///
    /// # Errors
    /// A row that the file could not hold unchanged, and why.
    pub fn to_toml(&self) -> Result<String, Diagnostic> {
        write::to_toml(self)
    }

    /// Reads a fit file and makes its fit again; `name` is what people know the file by.
    ///
    /// # Errors
    /// A file that is none, of another version, edited, or whose fit comes out differently.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, Diagnostic> {
        read::from_toml(name, text)
    }
}

/// What makes fit files: their coefficients may differ between versions.
fn program() -> String {
    format!("tminus {}", env!("CARGO_PKG_VERSION"))
}

/// Embedded rows that a fit is made on top of.
fn embedded_count(alone: bool) -> Result<usize, Diagnostic> {
    if alone {
        Ok(0)
    } else {
        Ok(embedded_rows()?.len())
    }
}

fn fitted(name: &str, alone: bool, rows: &[Measurement]) -> Result<Fit, Diagnostic> {
    let base = embedded_fit()?;
    if rows.is_empty() {
        return Err(Diagnostic::new("there are no rows to fit to"));
    }
    refit(alone, &base, name, rows.to_vec()).map_err(|error| {
        Diagnostic::new(format!("the fit can't be used: {error}"))
            .help("`tminus evaluate TABLE` shows which rows are far from what is expected")
    })
}

fn refit(alone: bool, base: &Fit, name: &str, rows: Vec<Measurement>) -> Result<Fit, FitError> {
    if alone {
        Fit::alone(name, rows)
    } else if rows.is_empty() {
        Ok(base.clone())
    } else {
        base.on_top(name, &rows)
    }
}

/// SHA-256 of a text, in hexadecimal; line ends of any kind count as one.
fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.replace("\r\n", "\n").as_bytes());
    digest
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
