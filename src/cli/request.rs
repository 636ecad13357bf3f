//! Flags and files become one request: defaults < presets < job file < flags.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::fit_file::FitFile;
use crate::job::{JobFile, ModelChoice, Request, Settings, Sourced, resolve};
use crate::preset::Catalog;
use crate::throughput::Fit;

use super::args::{ConfidenceArgs, FitArgs, JobArgs, RankingArgs};
use super::input::read_text;
use super::{catalog_with, fit};

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
        top: flag("--top", ranking.and_then(|r| r.top)),
        confidence: flag("--confidence", confidence.confidence),
        allow_tight: flag(
            "--allow-tight",
            ranking.is_some_and(|r| r.allow_tight).then_some(true),
        ),
        ..Settings::default()
    }
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
    /// The fit file that the flags or else the job file name.
    fit_file: Option<PathBuf>,
}

impl Loaded {
    /// The fit that predictions rest on.
    ///
    /// # Errors
    /// A fit file that can't be read or used.
    pub(super) fn fit(&self) -> Result<Fit, Diagnostic> {
        fit::chosen(self.fit_file.as_deref())
    }

    /// The user's own fit, where they named one.
    ///
    /// # Errors
    /// A fit file that can't be read or used.
    pub(super) fn fit_file(&self) -> Result<Option<FitFile>, Diagnostic> {
        self.fit_file.as_deref().map(fit::read).transpose()
    }
}

/// Reads the job file and the preset files, and resolves them with what the flags set.
///
/// # Errors
/// A file that can't be read or used, an unknown name, a value out of range.
pub(super) fn load(
    job_file: Option<&Path>,
    flags: Settings,
    presets: &[PathBuf],
    fit: &FitArgs,
) -> Result<Loaded, Diagnostic> {
    let Some(path) = job_file else {
        let catalog = catalog_with(Catalog::embedded(), presets)?;
        return Ok(Loaded {
            request: resolve(flags, &catalog)?,
            catalog,
            fit_file: fit.fit.clone(),
        });
    };
    let origin = read_text(path)?;
    let file = JobFile::parse(&origin.name, &origin.text)?;
    let beside = path.parent().unwrap_or(Path::new(""));
    let named: Vec<PathBuf> = file
        .settings
        .presets
        .iter()
        .map(|named| beside.join(&named.value))
        .collect();
    let catalog = catalog_with(Catalog::embedded(), &named)?;
    let catalog = catalog_with(file.extend(catalog)?, presets)?;
    let named = file
        .settings
        .fit
        .as_ref()
        .map(|fit| beside.join(&fit.value));
    Ok(Loaded {
        request: resolve(flags.over(file.settings), &catalog)?,
        catalog,
        fit_file: fit.fit.clone().or(named),
    })
}
