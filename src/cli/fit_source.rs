//! The fit that predictions rest on, and what else its rows make known.

use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::fit_file::{FitFile, embedded_fit};
use crate::measure::is_apart;
use crate::preset::Catalog;
use crate::throughput::Fit;

use super::input::read_text_or;

/// The fit a user asked for, or else the embedded one.
///
/// # Errors
/// An embedded table that can't be fitted.
pub(super) fn of(file: Option<&FitFile>) -> Result<Fit, Diagnostic> {
    match file {
        Some(file) => Ok(file.fit().clone()),
        None => embedded_fit(),
    }
}

/// The catalog with the stacks and clusters that the rows of a fit were measured on.
pub(super) fn known_to(catalog: Catalog, file: Option<&FitFile>) -> Catalog {
    let rows = file.map_or(&[][..], FitFile::rows).iter();
    catalog.with_measured(rows.map(|row| {
        (
            row.cluster.as_ref(),
            row.stack.as_ref(),
            !is_apart(&row.stack),
        )
    }))
}

/// Reads a fit file.
///
/// # Errors
/// A fit file that can't be read or used.
pub(super) fn read(file: &Path) -> Result<FitFile, Diagnostic> {
    let origin = read_text_or(file, "`tminus fit TABLE… -o FILE` makes a fit file")?;
    FitFile::from_toml(&origin.name, &origin.text)
}
