//! The catalog with what the user's files add.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::job::{JobFile, Sourced};
use crate::preset::Catalog;

use super::input;

/// The catalog with the user's preset files over it, in the order given. Of a job file it takes
/// what the file describes: its model, clusters, stacks, and the preset files it names. One that
/// describes nothing is refused.
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
        // What it sets would be left out without a word.
        (Err(unknown), Ok(job)) if !job.brings_presets() => Err(unknown
            .help("it is a job file that describes nothing: what it sets is not read from here")
            .help("give it in the place of JOB.toml, or a file of presets here")),
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A job file where presets belong is taken for what it describes, and never for nothing.
    #[test]
    fn a_job_file_that_describes_nothing_is_no_file_of_presets() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("job.toml");
        let read = |text: &str| {
            fs::write(&file, text).unwrap();
            catalog_with(Catalog::embedded(), std::slice::from_ref(&file))
        };
        let refused = read("tokens = \"134B\"\nmodel = \"gpt-7b\"\n").unwrap_err();
        let said = refused.render(false);
        assert!(
            said.contains("unknown key `model`") && said.contains("job.toml:2:1"),
            "{said}"
        );
        assert!(said.contains("in the place of JOB.toml"), "{said}");
        let own = "[[prices]]\ninstance = \"r1z1\"\nusd_per_gpu_hour = 2\n";
        for described in [
            own,
            "[clusters.lab]\ngpu = \"a100-80gb\"\ngpus_per_node = 8\nmax_gpus = 8\n",
        ] {
            assert!(read(&format!("model = \"gpt-7b\"\n{described}")).is_ok());
        }
    }
}
