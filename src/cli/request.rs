//! Flags and files become one request: defaults < presets < job file < flags.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::job::{JobFile, ModelChoice, Request, Settings, Sourced, resolve};
use crate::preset::Catalog;

use super::args::{ConfidenceArgs, JobArgs, RankingArgs};
use super::catalog_with;
use super::input::read_text;

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

/// Reads the job file and the preset files, and resolves them with what the flags set; the catalog
/// is that of all files together.
///
/// # Errors
/// A file that can't be read or used, an unknown name, a value out of range.
pub(super) fn load(
    job_file: Option<&Path>,
    flags: Settings,
    presets: &[PathBuf],
) -> Result<(Request, Catalog), Diagnostic> {
    let Some(path) = job_file else {
        let catalog = catalog_with(Catalog::embedded(), presets)?;
        return Ok((resolve(flags, &catalog)?, catalog));
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
    Ok((resolve(flags.over(file.settings), &catalog)?, catalog))
}
