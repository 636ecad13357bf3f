//! The output gate: the only place that writes to a terminal, a pipe or a file.
//!
//! stdout carries the result alone; notes and errors go to stderr. A result for a file is written
//! beside its target and then renamed over it, so that the old file or the new one is there,
//! whole, whatever happens in between.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::adapter::strip_str;
use tempfile::NamedTempFile;

use crate::diagnostic::Diagnostic;
use crate::report::{Answer, Csv, Json, Markdown, Report, Table};

use super::Failure;
use super::args::{ColorWhen, Format};

/// Where the result goes and who hears what.
#[derive(Debug)]
pub(crate) struct Output {
    target: Option<PathBuf>,
    quiet: bool,
}

impl Output {
    /// Chooses colours for the whole process and checks the target before any work is done; `inputs`
    /// are the files that the command reads.
    ///
    /// # Errors
    /// When `target` is a directory, lies in a directory that isn't there, or is one of the `inputs`.
    pub(crate) fn open(
        target: Option<&Path>,
        inputs: &[&Path],
        color: ColorWhen,
        quiet: bool,
    ) -> Result<Self, Diagnostic> {
        choose_color(color);
        // As for input, `-` is the standard stream.
        let target = target.filter(|path| *path != Path::new("-"));
        let target = target.map(check_target).transpose()?;
        let output = Self { target, quiet };
        inputs.iter().try_for_each(|input| output.keep(input))?;
        Ok(output)
    }

    /// Refuses to write over a file that is read, also where its name is only learnt on the way.
    ///
    /// # Errors
    /// When the target is that file.
    pub(super) fn keep(&self, input: &Path) -> Result<(), Diagnostic> {
        match &self.target {
            Some(target) => keep(target, input),
            None => Ok(()),
        }
    }

    /// Hands over the result.
    ///
    /// # Errors
    /// When it could not be written; a reader that went away is not an error.
    pub(crate) fn result(&self, text: &str) -> Result<(), Diagnostic> {
        let Some(target) = &self.target else {
            return match write_all(anstream::stdout().lock(), text) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Diagnostic::new(
                    format!("the result could not be written to stdout: {error}"),
                )),
                _ => Ok(()),
            };
        };
        replace(target, &strip_str(text).to_string()).map_err(|error| refused(target, &error))
    }

    /// Hands over an answer in the format asked for.
    ///
    /// # Errors
    /// When it has no such form or could not be written.
    pub(crate) fn report(&self, format: Format, answer: &dyn Answer) -> Result<(), Failure> {
        let report: &dyn Report = match format {
            Format::Table => &Table,
            Format::Json => &Json,
            Format::Csv => &Csv,
            Format::Markdown => &Markdown,
        };
        self.form(report, answer)
    }

    /// Hands over an answer in a form; what that has no place for is told on stderr.
    ///
    /// # Errors
    /// When it has no such form or could not be written.
    pub(crate) fn form(&self, form: &dyn Report, answer: &dyn Answer) -> Result<(), Failure> {
        let text = form
            .render(answer)
            .map_err(|error| Diagnostic::new(error.to_string()))?;
        if !form.tells_all() {
            answer.besides().iter().for_each(|note| self.note(note));
        }
        self.result(&text)?;
        Ok(())
    }

    /// Says on stderr what was asked for besides the result.
    #[expect(clippy::unused_self, reason = "what is said goes through the gate")]
    pub(crate) fn aside(&self, text: &str) {
        let _ = write_all(anstream::stderr().lock(), &format!("{text}\n"));
    }

    /// Says something about the result; silent under `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            // stderr is the last resort: when it is gone, there is nobody left to tell.
            let _ = write_all(anstream::stderr().lock(), &format!("note: {text}\n"));
        }
    }
}

/// Shows an error on stderr.
pub(crate) fn show_error(diagnostic: &Diagnostic) {
    let _ = write_all(
        anstream::stderr().lock(),
        &format!("{}\n", diagnostic.render(true)),
    );
}

/// Shows what the argument parser has to say: help and version on stdout, usage errors on stderr.
pub(crate) fn show_usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn choose_color(color: ColorWhen) {
    let choice = match color {
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

fn write_all(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Refuses to write over a file that is read: the result would take its place.
///
/// # Errors
/// When both paths lead to one file that is there.
pub(super) fn keep(target: &Path, input: &Path) -> Result<(), Diagnostic> {
    // What is no file of its own, such as a terminal, is read and written side by side.
    let real = |path: &Path| fs::canonicalize(path).ok().filter(|found| found.is_file());
    if input == Path::new("-") || real(input).is_none_or(|found| real(target) != Some(found)) {
        return Ok(());
    }
    Err(Diagnostic::new(format!(
        "`{}` is read by this command: the result would take its place",
        input.display()
    ))
    .help("nothing was written; name another file with `-o`"))
}

/// The file to write: `path`, or what it links to.
fn check_target(path: &Path) -> Result<PathBuf, Diagnostic> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Diagnostic::new(format!("`{shown}` is a directory"))
            .help("name a file in it: `-o DIRECTORY/plan.json`"));
    }
    let target = follow_link(path);
    let parent = parent(&target);
    if parent.is_dir() {
        Ok(target)
    } else {
        Err(Diagnostic::new(format!(
            "`{shown}` can't be written: there is no directory `{}`",
            parent.display()
        ))
        .help("create the directory first, or name another file"))
    }
}

/// A link is written through, not replaced; one that leads nowhere is followed by one step.
fn follow_link(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| match fs::read_link(path) {
        Ok(link) => parent(path).join(link),
        Err(_) => path.to_owned(),
    })
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes beside `target` and renames; a device or a pipe is written to directly.
fn replace(target: &Path, text: &str) -> io::Result<()> {
    let existing = fs::metadata(target).ok();
    if existing.as_ref().is_some_and(|found| !found.is_file()) {
        let file = fs::OpenOptions::new().write(true).open(target)?;
        return match write_all(file, text) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        };
    }
    if existing
        .as_ref()
        .is_some_and(|found| found.permissions().readonly())
    {
        return Err(io::Error::new(
            ErrorKind::PermissionDenied,
            "the file is read-only",
        ));
    }
    let mut file = temporary_beside(target)?;
    file.write_all(text.as_bytes())?;
    if let Some(found) = existing {
        file.as_file().set_permissions(found.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// What went wrong, without the name of the temporary file it went wrong with.
pub(super) fn problem(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((problem, _)) => problem.to_owned(),
        None => text,
    }
}

/// A temporary file with the permissions a new file has (the umask still applies).
pub(super) fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tminus-");
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(parent(target))
}

fn refused(target: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(format!(
        "`{}` could not be written: {}",
        target.display(),
        problem(error)
    ))
    .help("nothing was changed there; name another file with `-o`, or leave `-o` out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(target: &Path, text: &str) -> Result<(), Diagnostic> {
        Output::open(Some(target), &[], ColorWhen::Auto, false)?.result(text)
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("with space.json");
        fs::write(&target, "a much longer text than the new one").unwrap();
        write(&target, "\u{1b}[1mnew\u{1b}[0m").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn directories_are_refused_before_the_work() {
        let directory = tempfile::tempdir().unwrap();
        let open = |path: &Path| Output::open(Some(path), &[], ColorWhen::Auto, false);
        let error = open(directory.path()).unwrap_err();
        assert!(error.message.contains("is a directory"), "{error}");
        let error = open(&directory.path().join("absent/plan.json")).unwrap_err();
        assert!(error.message.contains("there is no directory"), "{error}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_written_through() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real"), directory.path().join("link"));
        symlink("real", &link).unwrap();
        write(&link, "through a dangling link").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        write(&link, "through a link").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "through a link");
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }

    #[test]
    fn what_is_read_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("table.csv"), "measured").unwrap();
        fs::create_dir(at("inner")).unwrap();
        let open = |target: &Path, input: &Path| {
            Output::open(Some(target), &[input], ColorWhen::Auto, false)
        };
        let around = at("inner/../table.csv");
        let error = open(&around, &at("table.csv")).unwrap_err().to_string();
        assert!(error.contains("table.csv` is read"), "{error}");
        open(&at("new.csv"), &at("table.csv")).unwrap();
        open(&at("table.csv"), Path::new("-")).unwrap();
        let late = open(&at("table.csv"), &at("job.toml")).unwrap();
        late.keep(&at("table.csv")).unwrap_err();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("table.csv", at("link.csv")).unwrap();
            open(&at("link.csv"), &at("table.csv")).unwrap_err();
        }
        assert_eq!(fs::read_to_string(at("table.csv")).unwrap(), "measured");
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_to() {
        write(Path::new("/dev/null"), "gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
