//! A fit as text.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::presets::rows_and_presets;
use super::{EMBEDDED, FORMAT, FitFile, embedded_sha256, sha256};
use crate::diagnostic::Diagnostic;
use crate::throughput::LayerSummary;
use crate::throughput::coefficients::COEFFICIENTS;

/// Ends the line after which every byte counts.
pub(super) const SEAL: &str = "sha256 = ";

pub(super) fn to_toml(file: &FitFile) -> Result<String, Diagnostic> {
    let body = body(file)?;
    let mut text = String::from(
        "# A fit of tminus to measured rows. `--fit` takes it; `tminus fit` makes it anew.\n",
    );
    line(&mut text, "format", Value::Integer(FORMAT.into()));
    text += "# Of all that follows: what was edited is refused.\n";
    line(
        &mut text,
        SEAL.trim_end_matches(" = "),
        string(&sha256(&body)),
    );
    Ok(text + &body)
}

/// Everything below the seal.
fn body(file: &FitFile) -> Result<String, Diagnostic> {
    let (csv, presets) = rows_and_presets(&file.rows)?;
    let mut text = String::new();
    line(&mut text, "program", string(&file.program));
    line(&mut text, "name", string(&file.name));
    if !file.is_alone() {
        text += "\n# What the rows below were fitted on top of.\n[base]\n";
        line(&mut text, "table", string(EMBEDDED));
        line(&mut text, "rows", count(file.embedded));
        line(&mut text, "sha256", string(&embedded_sha256()));
    }
    for source in &file.sources {
        text += "\n[[tables]]\n";
        line(&mut text, "name", string(&source.name));
        line(&mut text, "rows", count(source.rows));
        line(&mut text, "sha256", string(&source.sha256));
    }
    if let Some(held_out) = &file.held_out {
        text += "\n# How rows fare that the fit has not seen, as shares.\n[held_out]\n";
        line(&mut text, "protocol", string(&held_out.protocol));
        line(&mut text, "rows", count(held_out.rows));
        line(&mut text, "mape", Value::Float(held_out.mape));
        line(&mut text, "coverage", Value::Float(held_out.coverage));
        if let Some(mape) = held_out.embedded_mape {
            line(&mut text, "embedded_mape", Value::Float(mape));
        }
        if let Some(mape) = held_out.on_top_mape {
            line(&mut text, "on_top_mape", Value::Float(mape));
        }
    }
    for layer in file.own_layers() {
        fit_text(&mut text, file, &layer);
    }
    text += "\n# The rows; the fit is made again from them, and must come out as above.\n[rows]\n";
    text += &csv_text(&csv);
    text += &presets_text(presets)?;
    Ok(text)
}

fn fit_text(text: &mut String, file: &FitFile, layer: &LayerSummary<'_>) {
    text.push_str("\n[[fits]]\n");
    // The embedded layer is of many places.
    if let Some(row) = layer.example.filter(|_| layer.hypothesis.is_some()) {
        line(text, "gpu", string(&row.cluster.gpu.name));
        line(text, "stack", string(&row.stack.name));
    }
    line(text, "rows", count(file.own_rows_of(layer)));
    if let Some(hypothesis) = layer.hypothesis {
        line(text, "differs_in", string(hypothesis.name()));
    }
    if !layer.links.is_empty() {
        text.push_str("# What links between nodes carry, as a share of what is stated of them.\n");
        line(text, "node_links", node_links(layer));
    }
    line(text, "steps", count(layer.termination.steps));
    line(text, "last_change", Value::Float(layer.termination.change));
    line(text, "condition", Value::Float(layer.termination.condition));
    text.push_str("[fits.coefficients]\n");
    for coefficient in &COEFFICIENTS {
        let value = Value::Float(layer.values[coefficient.id]);
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{} = {value} # {}",
            coefficient.name, coefficient.unit
        );
    }
}

/// The share where there is one cluster, else that of each cluster it is known of.
fn node_links(layer: &LayerSummary<'_>) -> Value {
    match layer.links[..] {
        [(_, share)] if layer.clusters.len() == 1 => Value::Float(share),
        _ => {
            let each = layer.links.iter();
            let each = each.map(|(cluster, share)| ((*cluster).to_owned(), Value::Float(*share)));
            Value::Table(each.collect())
        }
    }
}

fn line(text: &mut String, key: &str, value: impl Into<Value>) {
    let _ = writeln!(text, "{key} = {}", value.into());
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn count(count: usize) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The rows as they are where TOML can hold them so, else escaped.
fn csv_text(csv: &str) -> String {
    let plain = |c: char| !c.is_control() || c == '\n';
    if csv.contains("'''") || !csv.chars().all(plain) {
        format!("csv = {}\n", Value::String(csv.to_owned()))
    } else {
        format!("csv = '''\n{csv}'''\n")
    }
}

fn presets_text(presets: Table) -> Result<String, Diagnostic> {
    if presets.is_empty() {
        return Ok(String::new());
    }
    let mut table = Table::new();
    table.insert("presets".to_owned(), Value::Table(presets));
    let text = toml::to_string(&table)
        .map_err(|error| Diagnostic::new(format!("the presets can't be written: {error}")))?;
    Ok(format!(
        "\n# What the rows name and the program doesn't know.\n{text}"
    ))
}
