//! The catalog with what the user's files add.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::job::{JobFile, Sourced};
use crate::preset::Catalog;

use super::input;

/// The catalog with the user's preset files over it, in the order given. Of a job file it takes
/// what the file describes: its model, clusters, stacks, and the preset files it names.
pub(super) fn catalog_with(catalog: Catalog, files: &[PathBuf]) -> Result<Catalog, Diagnostic> {
    let mut files = files.iter();
    files.try_fold(catalog, |catalog, file| with_file(catalog, file, &[]))
}

/// The catalog with the preset files over it that the job file at `path` names.
pub(super) fn with_named(
    catalog: Catalog,
    job: &JobFile,
    path: &Path,
) -> Result<Catalog, Diagnostic> {
    with_named_by(catalog, job, path, &[])
}

/// Readers are the job files that are being read, each named by the one before it.
fn with_file(catalog: Catalog, file: &Path, readers: &[PathBuf]) -> Result<Catalog, Diagnostic> {
    let origin = input::read_text_or(file, input::PRESETS_START)?;
    let as_presets = catalog.clone().with_file(&origin.name, &origin.text);
    // What is neither is most likely a preset file with a mistake in it.
    match (as_presets, JobFile::parse(&origin.name, &origin.text)) {
        (Err(_), Ok(job)) => {
            let catalog = job.extend(with_named_by(catalog, &job, file, readers)?)?;
            Ok(match job.own_model() {
                Some(model) => catalog.with_model(model.clone()),
                None => catalog,
            })
        }
        (read, _) => read,
    }
}

fn with_named_by(
    catalog: Catalog,
    job: &JobFile,
    path: &Path,
    readers: &[PathBuf],
) -> Result<Catalog, Diagnostic> {
    let beside = path.parent().unwrap_or(Path::new(""));
    let own = input::real(path);
    let readers: Vec<PathBuf> = readers.iter().cloned().chain(own.clone()).collect();
    let mut named = job.settings.presets.iter();
    named.try_fold(catalog, |catalog, named| {
        let file = beside.join(&named.value);
        match input::real(&file) {
            Some(real) if readers.contains(&real) => {
                Err(named_in_a_ring(named, &file, own == Some(real)))
            }
            _ => with_file(catalog, &file, &readers).map_err(|error| located(error, named)),
        }
    })
}

/// A file that could only be read once it has been.
fn named_in_a_ring(named: &Sourced<String>, file: &Path, itself: bool) -> Diagnostic {
    let refusal = if itself {
        Diagnostic::new(format!("`{}` names itself in `presets`", file.display()))
            .help("leave it out: what a job file describes, it knows")
    } else {
        Diagnostic::new(format!(
            "`{}` names a file in `presets` that names it in turn",
            file.display()
        ))
        .help("put what both need into a file of presets that both name")
    };
    named.refuse(refusal, "named here")
}

/// A refusal that has no place of its own gets that of the key which names the file.
pub(super) fn located<T>(error: Diagnostic, named: &Sourced<T>) -> Diagnostic {
    if error.origin.is_some() {
        error
    } else {
        named.refuse(error, "named here")
    }
}
