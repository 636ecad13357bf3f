//! Flags and files become one request: defaults < presets < job file < flags.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::diagnostic::Diagnostic;
use crate::fit_file::FitFile;
use crate::job::{
    JobFile, Ladder, ModelChoice, PriceSettings, ReliabilitySettings, Request, Settings, Sourced,
    resolve,
};
use crate::preset::Catalog;
use crate::throughput::Fit;

use super::args::{ConfidenceArgs, FitArgs, ForecastArgs, JobArgs, RankingArgs};
use super::catalog::{catalog_with, located, with_named};
use super::fit_source;
use super::input::read_text;
use super::output::Output;

/// What the flags set.
pub(super) fn settings(
    job: &JobArgs,
    ranking: Option<&RankingArgs>,
    confidence: &ConfidenceArgs,
) -> Settings {
    let clusters: Vec<Sourced<String>> = job
        .cluster
        .iter()
        .map(|name| Sourced::flag("--cluster", name.clone()))
        .collect();
    Settings {
        model: flag("--model", job.model.clone().map(ModelChoice::Named)),
        tokens: flag("--tokens", job.tokens),
        clusters: (!clusters.is_empty()).then_some(clusters),
        stack: flag("--stack", job.stack.clone()),
        gpus: flag("--gpus", job.gpus.clone()),
        seq_len: flag("--seq-len", job.seq_len.clone()),
        micro_batch: flag("--micro-batch", job.micro_batch.clone()),
        grad_accum: flag("--grad-accum", job.grad_accum.clone()),
        checkpointing: flag("--checkpointing", job.checkpointing.map(Into::into)),
        global_batch: flag("--global-batch", job.global_batch),
        sort: flag("--sort", ranking.and_then(|r| r.sort).map(Into::into)),
        confidence: flag("--confidence", confidence.confidence),
        allow_tight: flag(
            "--allow-tight",
            ranking.is_some_and(|r| r.allow_tight).then_some(true),
        ),
        ..Settings::default()
    }
}

/// What the flags about time and cost set, on top of `settings`. Their texts are read here, where
/// errors can name the flag.
///
/// # Errors
/// A text that isn't what its flag takes.
pub(super) fn with_forecast(
    settings: Settings,
    args: &ForecastArgs,
) -> Result<Settings, Diagnostic> {
    Ok(Settings {
        reliability: ReliabilitySettings {
            base: read("--reliability", args.reliability.as_deref())?,
            failures_per_1000_node_days: read("--failure-rate", args.failure_rate.as_deref())?,
            checkpoint_interval: read(
                "--checkpoint-interval",
                args.checkpoint_interval.as_deref(),
            )?,
            spares: read("--spares", args.spares.as_deref())?,
            ..ReliabilitySettings::default()
        },
        prices: PriceSettings {
            usd_per_gpu_hour: read("--usd-per-gpu-hour", args.usd_per_gpu_hour.as_deref())?,
            price_type: flag("--price-type", args.price_type.clone()),
            provider: flag("--provider", args.provider.clone()),
            region: flag("--region", args.region.clone()),
            as_of: read("--as-of", args.as_of.as_deref())?,
        },
        ..settings
    })
}

fn read<T>(name: &'static str, text: Option<&str>) -> Result<Option<Sourced<T>>, Diagnostic>
where
    T: FromStr<Err: fmt::Display>,
{
    text.map(|text| Sourced::parse_flag(name, text)).transpose()
}

fn flag<T>(name: &'static str, value: Option<T>) -> Option<Sourced<T>> {
    value.map(|value| Sourced::flag(name, value))
}

/// What a command works with.
pub(super) struct Loaded {
    /// What is asked for.
    pub(super) request: Request,
    /// The presets of all files together.
    pub(super) catalog: Catalog,
    /// The fit that the flags or else the job file name.
    fit_file: Option<FitFile>,
}

impl Loaded {
    /// The fit that predictions rest on.
    ///
    /// # Errors
    /// An embedded table that can't be fitted.
    pub(super) fn fit(&self) -> Result<Fit, Diagnostic> {
        fit_source::of(self.fit_file.as_ref())
    }

    /// The user's own fit, where they named one.
    pub(super) fn fit_file(&self) -> Option<&FitFile> {
        self.fit_file.as_ref()
    }
}

/// What was read, before it is resolved.
pub(super) struct Opened {
    /// The job file, if there is one.
    pub(super) file: Option<JobFile>,
    /// The presets of all files together.
    pub(super) catalog: Catalog,
    /// The fit that the flags or else the job file name.
    fit_file: Option<FitFile>,
    /// The files that the job file names.
    named: Vec<PathBuf>,
}

/// Reads the job file and the preset files.
///
/// # Errors
/// A file that can't be read or used.
pub(super) fn open(
    job_file: Option<&Path>,
    presets: &[PathBuf],
    fit: &FitArgs,
) -> Result<Opened, Diagnostic> {
    let Some(path) = job_file else {
        let catalog = catalog_with(Catalog::embedded(), presets)?;
        return Opened::new(None, catalog, fit.fit.as_deref());
    };
    let origin = read_text(path)?;
    let file = JobFile::parse(&origin.name, &origin.text)?;
    let beside = path.parent().unwrap_or(Path::new(""));
    let catalog = with_named(Catalog::embedded(), &file, path)?;
    let catalog = catalog_with(file.extend(catalog)?, presets)?;
    let own = file.settings.fit.clone().filter(|_| fit.fit.is_none());
    let of_job = own.iter().chain(&file.settings.presets);
    let named = of_job.map(|named| beside.join(&named.value)).collect();
    let path = own.as_ref().map(|named| beside.join(&named.value));
    let path = path.as_deref().or(fit.fit.as_deref());
    let opened = Opened::new(Some(file), catalog, path).map_err(|error| match &own {
        Some(named) => located(error, named),
        None => error,
    })?;
    Ok(Opened { named, ..opened })
}

impl Opened {
    /// The job with the fit of that file, whose stacks the catalog then knows too.
    fn new(
        file: Option<JobFile>,
        catalog: Catalog,
        fit_file: Option<&Path>,
    ) -> Result<Self, Diagnostic> {
        let fit_file = fit_file.map(fit_source::read).transpose()?;
        Ok(Self {
            file,
            catalog: fit_source::known_to(catalog, fit_file.as_ref()),
            fit_file,
            named: Vec::new(),
        })
    }

    /// The same, unless `output` would take the place of a file that the job file names.
    ///
    /// # Errors
    /// When it would.
    pub(super) fn kept(self, output: &Output) -> Result<Self, Diagnostic> {
        self.named.iter().try_for_each(|file| output.keep(file))?;
        Ok(self)
    }

    /// The one job that the file and the flags describe.
    ///
    /// # Errors
    /// An unknown name, a value out of range, a file of several jobs.
    pub(super) fn single(self, flags: Settings) -> Result<Loaded, Diagnostic> {
        let settings = match self.file {
            None => flags,
            Some(file) => match file.ladder {
                None => flags.over(file.settings),
                Some(ladder) => return Err(several(&ladder, &file.settings)),
            },
        };
        Ok(Loaded {
            request: resolve(settings, &self.catalog)?,
            catalog: self.catalog,
            fit_file: self.fit_file,
        })
    }

    /// The fit that predictions rest on.
    ///
    /// # Errors
    /// An embedded table that can't be fitted.
    pub(super) fn fit(&self) -> Result<Fit, Diagnostic> {
        fit_source::of(self.fit_file.as_ref())
    }

    /// The user's own fit, where they named one.
    pub(super) fn fit_file(&self) -> Option<&FitFile> {
        self.fit_file.as_ref()
    }
}

fn several(ladder: &Ladder, defaults: &Settings) -> Diagnostic {
    let first = ladder.jobs.first();
    let keys = first.map_or_else(String::new, |job| {
        format!(
            "; the first has {}",
            keys(job.settings.clone().over(defaults.clone()))
        )
    });
    let refusal = Diagnostic::new("the file holds several jobs, but one is asked about")
        .help("`tminus plan` and `tminus report` schedule them together")
        .help(format!(
            "to ask about one alone, put it into a file of its own, without `[schedule]` and \
             `[[jobs]]`{keys}"
        ));
    match first {
        Some(job) => job.place.refuse(refusal, "the first of them"),
        None => refusal,
    }
}

/// A key and its value, as a line of a file.
fn text<T: fmt::Display>(key: &str, set: Option<Sourced<T>>) -> Option<String> {
    set.map(|set| format!("{key} = \"{}\"", set.value))
}

/// What a file of one job says of it: each of its keys that a line can hold.
fn keys(job: Settings) -> String {
    // In full, so that none is dropped that comes to be.
    let Settings {
        model,
        tokens,
        clusters,
        stack,
        gpus,
        seq_len,
        micro_batch,
        grad_accum,
        checkpointing,
        global_batch,
        allow_tight,
        // These rank the configurations of one job,
        sort: _,
        top: _,
        // and these hold for all jobs of a file, at its top level.
        confidence: _,
        fit: _,
        presets: _,
        launch: _,
        reliability: _,
        prices: _,
        reserve: _,
    } = job;
    let model = match model.map(|set| set.value) {
        Some(ModelChoice::Named(name)) => format!("`model = {name:?}`"),
        Some(ModelChoice::Inline(_)) | None => "its own `model`".to_owned(),
    };
    let clusters = clusters.map(|sets| {
        let names: Vec<&str> = sets.iter().map(|set| set.value.as_str()).collect();
        // `clusters` may be taken by tables that describe some.
        format!("cluster = {names:?}")
    });
    let tight = allow_tight.map(|set| format!("allow_tight = {}", set.value));
    let axes: Vec<String> = [
        text("gpus", gpus),
        text("seq_len", seq_len),
        text("micro_batch", micro_batch),
        text("grad_accum", grad_accum),
        text("checkpointing", checkpointing),
    ]
    .into_iter()
    .flatten()
    .collect();
    let search = (!axes.is_empty()).then(|| format!("search = {{ {} }}", axes.join(", ")));
    let keys = [
        text("tokens", tokens),
        clusters,
        text("stack", stack),
        text("global_batch", global_batch),
        tight,
        search,
    ];
    let keys = keys.into_iter().flatten().map(|key| format!("`{key}`"));
    let keys: Vec<String> = std::iter::once(model).chain(keys).collect();
    keys.join(", ")
}
