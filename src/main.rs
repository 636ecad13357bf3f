//! The `tminus` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tminus::cli::run(std::env::args_os())
}
