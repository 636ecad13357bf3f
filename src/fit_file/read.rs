//! Text as a fit.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::caution::caution;
use super::presets::ROWS;
use super::write::SEAL;
use super::{EMBEDDED, FORMAT, FitFile, HeldOut, MAX_ROWS, Source};
use super::{embedded_count, embedded_fit, embedded_sha256, fitted, program, sha256};
use crate::diagnostic::{Diagnostic, Origin};
use crate::measure;
use crate::preset::{Catalog, Tables, parse};
use crate::throughput::coefficients::COEFFICIENTS;
use crate::throughput::{Hypothesis, LayerSummary};

/// How far a coefficient may be from the one written down, relative to it: rounding moves it by
/// far less, another version of the model by far more.
const TOLERANCE: f64 = 1e-6;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "format")]
    _format: u32,
    program: String,
    name: String,
    sha256: String,
    base: Option<Base>,
    #[serde(default)]
    tables: Vec<Source>,
    held_out: Option<HeldOut>,
    #[serde(default)]
    fits: Vec<FitTable>,
    rows: Rows,
    presets: Option<Tables>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Base {
    table: String,
    rows: usize,
    sha256: String,
}

/// One place the rows speak for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FitTable {
    #[serde(rename = "gpu")]
    _gpu: Option<String>,
    #[serde(rename = "stack")]
    _stack: Option<String>,
    #[serde(rename = "rows")]
    _rows: usize,
    differs_in: Option<String>,
    #[serde(default)]
    node_links: NodeLinks,
    #[serde(rename = "steps")]
    _steps: usize,
    #[serde(rename = "last_change")]
    _last_change: f64,
    #[serde(rename = "condition")]
    _condition: f64,
    coefficients: BTreeMap<String, f64>,
}

/// What links between nodes carry, as a share of what is stated of them: on the one cluster there is, or
/// by cluster.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NodeLinks {
    Everywhere(f64),
    Each(BTreeMap<String, f64>),
}

impl Default for NodeLinks {
    fn default() -> Self {
        Self::Each(BTreeMap::new())
    }
}

impl NodeLinks {
    /// Each cluster whose links carry something else than is stated, with the share found and that written.
    fn beside<'a>(&'a self, found: &'a [(&str, f64)]) -> Vec<(&'a str, f64, f64)> {
        let written = |cluster: &str| match self {
            Self::Everywhere(share) => *share,
            Self::Each(each) => each.get(cluster).copied().unwrap_or(1.0),
        };
        let all = found
            .iter()
            .map(|(cluster, share)| (*cluster, *share, written(cluster)));
        let missing = match self {
            Self::Everywhere(share) if found.is_empty() => vec![("every cluster", 1.0, *share)],
            Self::Everywhere(_) => Vec::new(),
            Self::Each(each) => {
                let known = |cluster: &String| found.iter().any(|(found, _)| *found == cluster);
                let missing = each.iter().filter(|(cluster, _)| !known(cluster));
                missing
                    .map(|(cluster, share)| (cluster.as_str(), 1.0, *share))
                    .collect()
            }
        };
        all.chain(missing).collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    csv: String,
}

pub(super) fn from_toml(name: &str, text: &str) -> Result<FitFile, Diagnostic> {
    let origin = Origin {
        name: name.to_owned(),
        text: text.into(),
    };
    check_format(&origin)?;
    let document: Document = parse(&origin).map_err(remake)?;
    check_seal(&document, &origin)?;
    check_base(document.base.as_ref(), &origin)?;
    check_errors(document.held_out.as_ref(), &origin)?;
    let mut catalog = Catalog::embedded();
    if let Some(presets) = &document.presets {
        catalog = catalog.with_tables(presets, &origin)?;
    }
    let rows = measure::read(ROWS, &document.rows.csv, &catalog)
        .map_err(remake)?
        .rows;
    if rows.len() > MAX_ROWS {
        let message = format!(
            "{} rows are more than a fit file holds, {MAX_ROWS}",
            rows.len()
        );
        return Err(refused(&message, &origin));
    }
    let alone = document.base.is_none();
    let held_out = document.held_out.as_ref();
    let mape = held_out.map(|held_out| held_out.mape);
    let fit = fitted(&document.name, alone, &rows)
        .map_err(|error| remake(error.in_text(origin.clone())))?;
    let caution = caution((&fit, &embedded_fit()?), held_out, alone, &rows);
    let fit = fit.with_held_out(mape, caution);
    let file = FitFile {
        name: document.name,
        program: document.program,
        sources: document.tables,
        embedded: embedded_count(alone)?,
        rows,
        held_out: document.held_out,
        strays: Vec::new(),
        fit,
    };
    check_fits(&file, &document.fits, &origin)?;
    Ok(file)
}

fn remake(error: Diagnostic) -> Diagnostic {
    error.help("make the file anew from its tables: `tminus fit TABLE… -o FILE`")
}

fn refused(message: &str, origin: &Origin) -> Diagnostic {
    remake(Diagnostic::new(message).in_text(origin.clone()))
}

/// Only what every format has is looked at, so that a later one is told apart from a mistake.
fn check_format(origin: &Origin) -> Result<(), Diagnostic> {
    #[derive(Deserialize)]
    struct Any {
        format: Option<toml::Value>,
    }
    let any: Any = parse(origin).map_err(|error| remake(error.help("a fit file is TOML")))?;
    match any.format {
        Some(toml::Value::Integer(format)) if format == i64::from(FORMAT) => Ok(()),
        Some(format) => Err(refused(
            &format!("a fit file of format {format}; this program reads format {FORMAT}"),
            origin,
        )),
        None => Err(refused(
            "not a fit file: it doesn't say `format`, as all of them do",
            origin,
        )),
    }
}

/// Compares the text below the seal with it.
fn check_seal(document: &Document, origin: &Origin) -> Result<(), Diagnostic> {
    let sealed = origin
        .text
        .find(&format!("\n{SEAL}"))
        .and_then(|at| origin.text.get(at + 1..))
        .and_then(|rest| rest.split_once('\n'));
    match sealed {
        Some((_, body)) if sha256(body) == document.sha256 => Ok(()),
        _ => Err(refused(
            "the file was edited: its contents don't match their checksum",
            origin,
        )),
    }
}

fn check_base(base: Option<&Base>, origin: &Origin) -> Result<(), Diagnostic> {
    let Some(base) = base else {
        return Ok(());
    };
    if base.table != EMBEDDED {
        let message = format!(
            "fitted on top of table `{}`, which this program doesn't hold; it holds `{EMBEDDED}`",
            base.table
        );
        return Err(refused(&message, origin));
    }
    if base.sha256 != embedded_sha256() {
        let message = format!(
            "fitted on top of {} rows of `{EMBEDDED}` that are not those of this program",
            base.rows
        );
        return Err(refused(&message, origin));
    }
    Ok(())
}

/// A share that is no number would be shown wherever the fit is.
fn check_errors(held_out: Option<&HeldOut>, origin: &Origin) -> Result<(), Diagnostic> {
    let Some(held_out) = held_out else {
        return Ok(());
    };
    let shares = [
        Some(held_out.mape),
        Some(held_out.coverage),
        held_out.embedded_mape,
        held_out.on_top_mape,
    ];
    match shares
        .into_iter()
        .flatten()
        .find(|share| !(0.0..1e9).contains(share))
    {
        Some(share) => Err(refused(
            &format!("`held_out` holds {share}, no share"),
            origin,
        )),
        None => Ok(()),
    }
}

/// Compares the fit with the one written down.
fn check_fits(file: &FitFile, written: &[FitTable], origin: &Origin) -> Result<(), Diagnostic> {
    let layers: Vec<LayerSummary<'_>> = file.own_layers().collect();
    let changed = if layers.len() == written.len() {
        layers
            .iter()
            .zip(written)
            .find_map(|(layer, written)| difference(layer, written))
    } else {
        Some(format!(
            "{} places instead of {}",
            layers.len(),
            written.len()
        ))
    };
    match changed {
        None => Ok(()),
        Some(changed) => Err(refused(
            &format!(
                "the fit comes out differently than when it was made ({changed}): it was made by \
                 {}, this is {}",
                file.program,
                program()
            ),
            origin,
        )),
    }
}

fn difference(layer: &LayerSummary<'_>, written: &FitTable) -> Option<String> {
    let found = layer.hypothesis.map(Hypothesis::name);
    if found != written.differs_in.as_deref() {
        let name = |name: Option<&str>| name.unwrap_or("nothing").to_owned();
        return Some(format!(
            "differs in {} instead of {}",
            name(found),
            name(written.differs_in.as_deref())
        ));
    }
    let links = written.node_links.beside(&layer.links);
    let moved =
        |(_, found, before): &&(&str, f64, f64)| (found - before).abs() > TOLERANCE * found.abs();
    if let Some((cluster, found, before)) = links.iter().find(moved) {
        return Some(format!(
            "node_links of {cluster} {found} instead of {before}"
        ));
    }
    let mut coefficients = COEFFICIENTS.iter().map(|coefficient| {
        let before = written.coefficients.get(coefficient.name);
        (coefficient.name, layer.values[coefficient.id], before)
    });
    coefficients.find_map(|(name, found, before)| match before {
        Some(before) if (found - before).abs() <= TOLERANCE * found.abs() => None,
        Some(before) => Some(format!("{name} {found} instead of {before}")),
        None => Some(format!("{name} is new")),
    })
}
