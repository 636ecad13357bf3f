//! Measured tables that a user names, with what has to be said of them.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::configuration::Configuration;
use crate::diagnostic::{Diagnostic, Origin};
use crate::fit_file::Source;
use crate::measure::{self, Measurement, Table};
use crate::model::Shape;
use crate::preset::Catalog;
use crate::throughput::{Fit, doubts};

use super::input::{TABLE_START, read_text_or};

/// What measured tables hold together.
pub(super) struct Tables {
    /// Their rows, one table after the other.
    pub(super) rows: Vec<Measurement>,
    /// The tables.
    pub(super) sources: Vec<Source>,
    /// What was ignored or assumed.
    pub(super) notes: Vec<String>,
}

/// Reads a measured table; what is doubted of its rows, by what `fit` expects, is among the notes.
///
/// # Errors
/// What can't be understood in it.
pub(super) fn read_table(
    origin: &Origin,
    catalog: &Catalog,
    fit: &Fit,
) -> Result<Table, Diagnostic> {
    let mut table = measure::read(&origin.name, &origin.text, catalog)?;
    // What may be wrong comes before what was assumed.
    let doubts = doubts(fit, &table.rows).into_iter();
    let doubts = doubts.map(|doubt| doubt.to_string());
    table.notes.splice(0..0, doubts);
    Ok(table)
}

/// All that tells one measured run from another, its speed to the last digit.
type Digits = (Configuration, Shape, [String; 3], u64);

fn to_the_digit(row: &Measurement) -> Digits {
    let (cluster, gpu, stack) = row.place();
    (
        row.configuration,
        row.shape,
        [cluster, gpu, stack].map(str::to_owned),
        row.throughput_tok_s.to_bits(),
    )
}

/// Reads measured tables, each as [`read_table`] does.
///
/// # Errors
/// A file that can't be read, and what can't be understood in it.
pub(super) fn read_tables(
    files: &[PathBuf],
    catalog: &Catalog,
    fit: &Fit,
) -> Result<Tables, Diagnostic> {
    let mut tables = Tables {
        rows: Vec::new(),
        sources: Vec::new(),
        notes: Vec::new(),
    };
    let mut known: HashSet<Digits> = HashSet::new();
    for file in files {
        let origin = read_text_or(file, TABLE_START)?;
        let table = read_table(&origin, catalog, fit)?;
        let named = |note: String| {
            if files.len() > 1 {
                format!("{}: {note}", origin.name)
            } else {
                note
            }
        };
        let name = file.file_name().map_or_else(
            || origin.name.clone(),
            |name| name.to_string_lossy().into_owned(),
        );
        let source = Source::new(name, &origin.text, table.rows.len());
        let same = |known: &&Source| known.sha256 == source.sha256;
        if let Some(known) = tables.sources.iter().find(same) {
            let text = format!(
                "{} is the same table as {}: read once",
                source.name, known.name
            );
            tables.notes.push(text);
            continue;
        }
        let rows: Vec<Digits> = table.rows.iter().map(to_the_digit).collect();
        match rows.iter().filter(|row| known.contains(*row)).count() {
            0 => {}
            rows => tables.notes.push(format!(
                "{}: {} of {} rows stand in a table before it to the digit, and count twice",
                source.name,
                rows,
                table.rows.len(),
            )),
        }
        let once: HashSet<&Digits> = rows.iter().collect();
        match rows.len() - once.len() {
            0 => {}
            again => tables.notes.push(format!(
                "{}: {again} of {} rows repeat another of it to the digit, and count twice",
                source.name,
                rows.len(),
            )),
        }
        known.extend(rows);
        tables.sources.push(source);
        tables.notes.extend(table.notes.into_iter().map(named));
        tables.rows.extend(table.rows);
    }
    Ok(tables)
}
