//! The input edge: the only place that reads files.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Origin, nearest_names};

/// The largest file read. A job file is a few hundred bytes; a table of a million rows fits.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a text file; `-` is stdin.
///
/// # Errors
/// When there is no such file, it is a directory, empty, not UTF-8, or larger than 64 MiB.
pub(crate) fn read_text(path: &Path) -> Result<Origin, Diagnostic> {
    read_text_or(path, starting_point(&path.to_string_lossy()))
}

/// Where a file of presets can be had from.
pub(super) const PRESETS_START: &str =
    "it holds tables such as `[models.<name>]`: `tminus schema presets` describes them";

/// Where a table of measurements can be had from.
pub(super) const TABLE_START: &str = "`tminus advise --format csv` prints a table to fill in, \
     `tminus presets tables mosaicgpt-2023 --format csv` one that is filled";

/// The same of a file of a kind that its name doesn't tell: `start` says where one can be had from.
///
/// # Errors
/// As [`read_text`].
pub(super) fn read_text_or(path: &Path, start: &str) -> Result<Origin, Diagnostic> {
    let origin = read_any(path, start)?;
    if origin.text.trim().is_empty() {
        return Err(empty(&origin, start));
    }
    Ok(origin)
}

/// The file behind a path, whatever else it is called; `None` where there is none, as of stdin.
pub(super) fn real(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

fn empty(origin: &Origin, start: &str) -> Diagnostic {
    Diagnostic::new(format!("`{}` is empty", origin.name)).help(start)
}

fn read_any(path: &Path, start: &str) -> Result<Origin, Diagnostic> {
    if path == Path::new("-") {
        return read_from(std::io::stdin().lock(), "stdin");
    }
    let name = path.display().to_string();
    if path.is_dir() {
        return Err(
            Diagnostic::new(format!("`{name}` is a directory where a file is expected"))
                .help("name a file in it"),
        );
    }
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(path, start),
        _ => unreadable(&name, &error),
    })?;
    read_from(file, &name)
}

fn read_from(source: impl Read, name: &str) -> Result<Origin, Diagnostic> {
    let mut bytes = Vec::new();
    source
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(name, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Diagnostic::new(format!(
            "`{name}` is larger than {} MiB, the most that is read",
            MAX_BYTES >> 20
        ))
        .help("split it into smaller files"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error
            .as_bytes()
            .iter()
            .take(good)
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        Diagnostic::new(format!(
            "`{name}` is not UTF-8 text: line {line} holds a byte that no text has (offset {good})"
        ))
        .help(if is_of_sheets(name) {
            "export it as CSV"
        } else {
            "save the file as UTF-8"
        })
    })?;
    Ok(Origin {
        name: name.to_owned(),
        text: text.into(),
    })
}

/// Whether a file's name says that it holds sheets or columns in a form of their own.
fn is_of_sheets(name: &str) -> bool {
    let ending = Path::new(name).extension().unwrap_or_default();
    let known = ["xlsx", "xls", "ods", "numbers", "parquet"];
    known.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn unreadable(name: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("`{name}` could not be read: {error}"))
        .help("check the path and its permissions")
}

/// No such file; names a neighbour that looks like it, or says where one can be had from.
fn missing(path: &Path, start: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("there is no file `{}`", path.display()));
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Ok(entries) = fs::read_dir(directory) else {
        return diagnostic.help(format!(
            "there is no directory `{}` either",
            directory.display()
        ));
    };
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    match nearest_names(&wanted, names.iter().map(String::as_str)).first() {
        Some(name) => diagnostic.help(format!(
            "a similar file is there: `{}`",
            path.with_file_name(name).display()
        )),
        None => diagnostic.help(start),
    }
}

/// Where a file of this name can be had from.
fn starting_point(name: &str) -> &'static str {
    let ending = Path::new(name).extension().unwrap_or_default();
    if ending.eq_ignore_ascii_case("json") {
        "write a plan with `tminus plan … --format json -o plan.json`"
    } else if ending.eq_ignore_ascii_case("csv") || ending.eq_ignore_ascii_case("md") {
        TABLE_START
    } else {
        "`tminus init` prints a commented job file to start from"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(path: &Path) -> String {
        read_text(path).unwrap_err().to_string()
    }

    #[test]
    fn each_refusal_says_what_and_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        assert!(message(directory.path()).contains("is a directory"));
        fs::write(at("job.toml"), "").unwrap();
        assert!(message(&at("job.toml")).contains("is empty"));
        assert!(message(&at("jbo.toml")).contains("job.toml"));
        assert!(message(&at("absent/job.toml")).contains("no directory"));
        fs::write(at("latin1"), b"a\nb = \"\xe9\"").unwrap();
        let text = message(&at("latin1"));
        assert!(text.contains("line 2") && text.contains("UTF-8"), "{text}");
        fs::write(at("runs.xlsx"), b"PK\x03\x04\xe9").unwrap();
        assert!(message(&at("runs.xlsx")).contains("export it as CSV"));
    }

    #[test]
    fn a_file_without_end_is_refused_with_the_limit() {
        let error = read_from(std::io::repeat(b'a'), "endless").unwrap_err();
        assert!(error.message.contains("64 MiB"), "{error}");
    }
}
