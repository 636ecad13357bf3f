//! `tminus init`: a commented job file to start from.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::Diagnostic;
use crate::job;

use super::Failure;
use super::output::Output;

/// Flags of `tminus init`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tminus init                 print it
  tminus init -o job.toml     write it, unless the file is there already
  tminus plan job.toml        plan it")]
pub(crate) struct InitArgs {
    /// Write the job file to FILE instead of stdout; an existing file is kept.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Replace FILE if it is there.
    #[arg(long, requires = "output")]
    force: bool,
}

pub(super) fn run(args: &InitArgs, output: &Output) -> Result<(), Failure> {
    let existing = args.output.as_deref().filter(|file| file.is_file());
    if let (Some(file), false) = (existing, args.force) {
        return Err(kept(file).into());
    }
    output.result(job::template())?;
    // What goes to stdout is seen there.
    let target = args
        .output
        .as_deref()
        .filter(|file| *file != Path::new("-"));
    if let Some(file) = target {
        let file = file.display();
        output.note(&format!("wrote {file}; `tminus plan {file}` plans it"));
    }
    Ok(())
}

fn kept(file: &Path) -> Diagnostic {
    Diagnostic::new(format!(
        "`{}` is there already; it was kept",
        file.display()
    ))
    .help("--force replaces it; or name another file with -o")
}
