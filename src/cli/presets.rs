//! `tminus presets`: what can be named in a job.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, did_you_mean, nearest_names};
use crate::fit_file::{EMBEDDED, embedded_rows};
use crate::forecast::{RELIABILITY_SETTINGS, ReliabilitySetting};
use crate::preset::{Catalog, Kind};
use crate::report::tables::{self, MeasuredRow};
use crate::report::{Listing, Shelf, settings, shelf};

use super::Failure;
use super::args::{OutputArgs, paths};
use super::catalog::catalog_with;
use super::output::Output;

/// Flags of `tminus presets`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
JSON holds every field of a preset, CSV the columns of the table.

Examples:
  tminus presets                        every preset
  tminus presets models                 the models
  tminus presets models llama-3-8b      one of them, with its source
  tminus presets prices --format csv    the prices, for a spreadsheet
  tminus presets tables mosaicgpt-2023  the measured rows predictions are fitted to")]
pub(crate) struct PresetsArgs {
    /// Kind to list; every kind when left out.
    #[arg(value_name = "KIND")]
    kind: Option<PresetKind>,

    /// Name to show, with where its figures come from.
    #[arg(value_name = "NAME", requires = "kind")]
    name: Option<String>,

    /// File with your own models, GPUs, clusters, stacks, prices or products; repeatable.
    #[arg(long, value_name = "FILE")]
    presets: Vec<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

/// Kinds of presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PresetKind {
    /// Models and their shapes.
    Models,
    /// GPUs and their datasheet figures.
    Gpus,
    /// Clusters: nodes, links, sizes.
    Clusters,
    /// Training stacks.
    Stacks,
    /// Prices with date and source.
    Prices,
    /// Products that let one book nodes, and their rules.
    Products,
    /// What failures, checkpoints and spares cost: settings of the job file.
    Reliability,
    /// Measured tables that predictions are fitted to.
    Tables,
}

impl PresetKind {
    /// The catalog's kind; tables are none.
    fn of_catalog(self) -> Option<Kind> {
        match self {
            Self::Models => Some(Kind::Models),
            Self::Gpus => Some(Kind::Gpus),
            Self::Clusters => Some(Kind::Clusters),
            Self::Stacks => Some(Kind::Stacks),
            Self::Prices => Some(Kind::Prices),
            Self::Products => Some(Kind::Products),
            Self::Reliability | Self::Tables => None,
        }
    }
}

impl PresetsArgs {
    /// The file the presets go to.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output.output.as_deref()
    }

    /// The files that are read.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        paths(&self.presets)
    }
}

pub(super) fn run(args: &PresetsArgs, output: &Output) -> Result<(), Failure> {
    let catalog = catalog_with(Catalog::embedded(), &args.presets)?;
    let listing = match (args.kind.map(PresetKind::of_catalog), &args.name) {
        (None, _) => everything(&catalog)?,
        (Some(Some(kind)), None) => one_kind(&catalog, kind)?,
        (Some(Some(kind)), Some(name)) => one_preset(&catalog, kind, name)?,
        (Some(None), name) if args.kind == Some(PresetKind::Reliability) => {
            reliability(name.as_deref())?
        }
        (Some(None), name) => measured_table(name.as_deref())?,
    };
    output.report(args.output.format(), &listing)
}

fn everything(catalog: &Catalog) -> Result<Listing, Failure> {
    let mut json = Map::new();
    let mut sections = Vec::new();
    for kind in Kind::ALL {
        let shelf = kept(catalog, kind, |_| true)?;
        json.insert(kind.to_string(), shelf.json);
        sections.push(shelf.section);
    }
    let settings = settings::reliability(&RELIABILITY_SETTINGS);
    json.insert(
        "reliability".to_owned(),
        json_of("settings", RELIABILITY_SETTINGS)?,
    );
    sections.push(settings);
    let rows = embedded_rows()?;
    let measured = tables::measured(EMBEDDED, &rows);
    json.insert("tables".to_owned(), json_of("tables", &measured)?);
    sections.push(tables::summary(&measured));
    Ok(Listing {
        title: "Presets".to_owned(),
        sections,
        notes: vec![(
            "more".to_owned(),
            "`tminus presets KIND NAME` shows one with its source; `--presets FILE` adds your own"
                .to_owned(),
        )],
        json: Value::Object(json),
    })
}

fn one_kind(catalog: &Catalog, kind: Kind) -> Result<Listing, Failure> {
    let shelf = kept(catalog, kind, |_| true)?;
    Ok(Listing {
        title: format!("{} {kind}", shelf.sources.len()),
        sections: vec![shelf.section],
        notes: Vec::new(),
        json: shelf.json,
    })
}

/// One preset, by any of its spellings.
fn one_preset(catalog: &Catalog, kind: Kind, name: &str) -> Result<Listing, Failure> {
    let canonical = match kind {
        Kind::Models => catalog.model(name)?.name.clone(),
        Kind::Gpus => catalog.gpu(name)?.name.clone(),
        Kind::Clusters => catalog.cluster(name)?.name.clone(),
        Kind::Stacks => catalog.stack(name)?.name.clone(),
        Kind::Prices => priced_cluster(catalog, name)?,
        Kind::Products => catalog.product(name)?.name.clone(),
    };
    let shelf = kept(catalog, kind, |other| other == canonical)?;
    let json = match shelf.json {
        Value::Array(mut items) if items.len() == 1 => items.remove(0),
        several => several,
    };
    let mut sources: Vec<(String, String)> = Vec::new();
    for (_, source) in shelf.sources {
        if !source.is_empty() && sources.iter().all(|(_, known)| *known != source) {
            sources.push(("source".to_owned(), source));
        }
    }
    Ok(Listing {
        title: canonical,
        sections: vec![shelf.section],
        notes: sources,
        json,
    })
}

/// The embedded table: a summary, or by its name every row.
fn measured_table(name: Option<&str>) -> Result<Listing, Failure> {
    let rows = embedded_rows()?;
    let (title, section, json) = match name {
        None => {
            let measured = tables::measured(EMBEDDED, &rows);
            let json = json_of("tables", &measured)?;
            ("1 table".to_owned(), tables::summary(&measured), json)
        }
        Some(name) if name.eq_ignore_ascii_case(EMBEDDED) => {
            let rows: Vec<MeasuredRow<'_>> = rows.iter().map(MeasuredRow::from).collect();
            let title = format!("{EMBEDDED}: {} rows", rows.len());
            (
                title,
                tables::rows(EMBEDDED, &rows),
                json_of("rows", &rows)?,
            )
        }
        Some(name) => {
            return Err(Diagnostic::new(format!("unknown table `{name}`"))
                .help(format!("the only one embedded is `{EMBEDDED}`"))
                .into());
        }
    };
    Ok(Listing {
        title,
        sections: vec![section],
        notes: Vec::new(),
        json,
    })
}

/// The settings of reliability with their defaults, or one with its source.
fn reliability(name: Option<&str>) -> Result<Listing, Failure> {
    let chosen: Vec<ReliabilitySetting> = RELIABILITY_SETTINGS
        .into_iter()
        .filter(|setting| name.is_none_or(|name| setting.name == name))
        .collect();
    if let (Some(name), true) = (name, chosen.is_empty()) {
        let known = RELIABILITY_SETTINGS.map(|setting| setting.name);
        return Err(did_you_mean(name, known)
            .into_iter()
            .fold(
                Diagnostic::new(format!("unknown setting `{name}`")),
                Diagnostic::help,
            )
            .help(format!("known are {}", known.join(", ")))
            .into());
    }
    let json = json_of("settings", &chosen)?;
    Ok(Listing {
        title: "Settings of the job file's table [reliability]".to_owned(),
        sections: vec![settings::reliability(&chosen)],
        notes: chosen
            .iter()
            .map(|setting| {
                let text = format!("{}; {}", setting.meaning, setting.source);
                (setting.name.to_owned(), text)
            })
            .collect(),
        json,
    })
}

fn priced_cluster(catalog: &Catalog, name: &str) -> Result<String, Diagnostic> {
    let cluster = catalog.cluster(name)?;
    if !cluster.prices.is_empty() {
        return Ok(cluster.name.clone());
    }
    let mut priced: Vec<&str> = catalog.prices().map(|(c, _)| c.name.as_str()).collect();
    priced.dedup();
    let near = nearest_names(name, priced.iter().copied());
    let shown = if near.is_empty() { priced } else { near };
    Err(
        Diagnostic::new(format!("no price is known for `{}`", cluster.name))
            .help(format!("prices are known for {}", shown.join(", ")))
            .help("add your own in a file with `[[prices]]`, given by --presets FILE"),
    )
}

fn kept(catalog: &Catalog, kind: Kind, keep: impl Fn(&str) -> bool) -> Result<Shelf, Failure> {
    shelf(catalog, kind, keep).map_err(|error| no_json(&kind.to_string(), &error))
}

/// What programs read of `things`, which are called `what`.
fn json_of(what: &str, things: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(things).map_err(|error| no_json(what, &error))
}

fn no_json(what: &str, error: &serde_json::Error) -> Failure {
    Diagnostic::new(format!("the {what} have no JSON form: {error}")).into()
}
