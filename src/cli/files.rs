//! Several files that appear together or not at all.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::diagnostic::Diagnostic;

use super::output::{problem, temporary_beside};

/// A file to write.
#[derive(Debug, Clone)]
pub(super) struct NewFile<'a> {
    pub(super) path: PathBuf,
    pub(super) text: &'a str,
    pub(super) executable: bool,
}

/// Writes the files into `directory`, which is created when it isn't there; without `force` none
/// of them may exist.
///
/// # Errors
/// When one can't be written: then nothing was changed.
pub(super) fn write_together(
    directory: &Path,
    files: &[NewFile<'_>],
    force: bool,
) -> Result<(), Diagnostic> {
    if directory.exists() && !directory.is_dir() {
        let shown = directory.display();
        return Err(Diagnostic::new(format!(
            "`{shown}` is a file, but the files go into a directory"
        ))
        .help("nothing was written; name a directory with `-o`"));
    }
    for file in files {
        check(&file.path, force)?;
    }
    let created = create(directory)?;
    let result = staged(files).and_then(|staged| put_in_place(staged, force));
    if result.is_err() && created {
        let _ = fs::remove_dir(directory);
    }
    result.map_err(|(path, error)| failed(&path, &error))
}

fn check(path: &Path, force: bool) -> Result<(), Diagnostic> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(found) if found.is_dir() => Err(Diagnostic::new(format!("`{shown}` is a directory"))
            .help("nothing was written; name another directory with `-o`")),
        Ok(_) if force => Ok(()),
        Ok(_) => Err(Diagnostic::new(format!("`{shown}` is already there"))
            .help("nothing was written; --force replaces it, `-o` names another directory")),
    }
}

/// Creates the directory; whether it had to.
fn create(directory: &Path) -> Result<bool, Diagnostic> {
    if directory.is_dir() {
        return Ok(false);
    }
    fs::create_dir(directory).map(|()| true).map_err(|error| {
        Diagnostic::new(format!(
            "the directory `{}` could not be created: {error}",
            directory.display()
        ))
        .help("name one whose parent is there")
    })
}

type Refusal = (PathBuf, io::Error);

/// Every text in a temporary file beside its place.
fn staged(files: &[NewFile<'_>]) -> Result<Vec<(NamedTempFile, PathBuf)>, Refusal> {
    let stage = |file: &NewFile<'_>| -> io::Result<NamedTempFile> {
        let mut temporary = temporary_beside(&file.path)?;
        temporary.write_all(file.text.as_bytes())?;
        #[cfg(unix)]
        if file.executable {
            use std::os::unix::fs::PermissionsExt;
            let mut permissions = temporary.as_file().metadata()?.permissions();
            // Whoever may read it may run it.
            permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
            temporary.as_file().set_permissions(permissions)?;
        }
        temporary.as_file().sync_all()?;
        Ok(temporary)
    };
    files
        .iter()
        .map(|file| match stage(file) {
            Ok(temporary) => Ok((temporary, file.path.clone())),
            Err(error) => Err((file.path.clone(), error)),
        })
        .collect()
}

/// A file in its place, and the one it replaced.
struct Placed {
    path: PathBuf,
    replaced: Option<TempPath>,
}

/// Moves every file to its place; takes all back when one can't be moved.
fn put_in_place(staged: Vec<(NamedTempFile, PathBuf)>, force: bool) -> Result<(), Refusal> {
    let mut placed: Vec<Placed> = Vec::new();
    for (temporary, path) in staged {
        match place(temporary, &path, force) {
            Ok(replaced) => placed.push(Placed { path, replaced }),
            Err(error) => {
                for done in placed {
                    take_back(done);
                }
                return Err((path, error));
            }
        }
    }
    Ok(())
}

fn place(temporary: NamedTempFile, path: &Path, force: bool) -> io::Result<Option<TempPath>> {
    if !force {
        temporary
            .persist_noclobber(path)
            .map_err(|error| error.error)?;
        return Ok(None);
    }
    // A copy of the old file is kept until all new ones are in place; at no moment is there none.
    let aside = temporary_beside(path)?.into_temp_path();
    let replaced = match fs::copy(path, &aside) {
        Ok(_) => Some(aside),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    temporary.persist(path).map_err(|refused| refused.error)?;
    Ok(replaced)
}

fn take_back(done: Placed) {
    // There is nobody to tell if this fails too.
    let _ = match done.replaced {
        Some(old) => old.persist(&done.path).map_err(|error| error.error),
        None => fs::remove_file(&done.path),
    };
}

fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(format!(
        "`{}` could not be written: {}",
        path.display(),
        problem(error)
    ))
    .help("nothing was changed; name another directory with `-o`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(directory: &Path) -> [NewFile<'static>; 2] {
        ["a.yaml", "b.sh"].map(|name| NewFile {
            path: directory.join(name),
            text: "new",
            executable: name == "b.sh",
        })
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_appear_and_nothing_is_left_beside_them() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("new");
        write_together(&directory, &files(&directory), false).unwrap();
        assert_eq!(names(&directory), ["a.yaml", "b.sh"]);
        write_together(&directory, &files(&directory), true).unwrap();
        assert_eq!(names(&directory), ["a.yaml", "b.sh"]);
    }

    #[test]
    fn a_file_is_no_directory() {
        let root = tempfile::tempdir().unwrap();
        let taken = root.path().join("taken");
        fs::write(&taken, "old").unwrap();
        let error = write_together(&taken, &files(&taken), true).unwrap_err();
        assert!(error.message.contains("is a file"), "{error}");
    }

    #[test]
    fn one_that_is_there_keeps_all_away() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("b.sh"), "old").unwrap();
        let error = write_together(root.path(), &files(root.path()), false).unwrap_err();
        assert!(error.message.contains("already there"), "{error}");
        assert_eq!(names(root.path()), ["b.sh"]);
        write_together(root.path(), &files(root.path()), true).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("b.sh")).unwrap(), "new");
    }

    /// The second file can't be moved over a directory that appears after the check.
    #[test]
    fn what_was_replaced_comes_back_when_a_later_file_fails() {
        let root = tempfile::tempdir().unwrap();
        let [first, second] = files(root.path());
        fs::write(&first.path, "old").unwrap();
        let staged = staged(&[first.clone(), second.clone()]).unwrap();
        fs::create_dir_all(second.path.join("inner")).unwrap();
        fs::write(second.path.join("inner/x"), "x").unwrap();
        put_in_place(staged, true).unwrap_err();
        assert_eq!(fs::read_to_string(&first.path).unwrap(), "old");
        assert!(second.path.is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn programs_can_be_run() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let new = files(root.path());
        write_together(root.path(), &new, false).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&new[0].path) & 0o111, 0);
        assert_ne!(mode(&new[1].path) & 0o100, 0);
    }
}
