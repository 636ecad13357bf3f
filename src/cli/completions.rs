//! `tminus completions`: a script that teaches a shell the commands and flags.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

use crate::diagnostic::Diagnostic;

use super::output::Output;
use super::{Cli, Failure};

/// Flags of `tminus completions`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tminus completions bash > ~/.local/share/bash-completion/completions/tminus
  tminus completions zsh > ~/.zfunc/_tminus
  tminus completions fish > ~/.config/fish/completions/tminus.fish")]
pub(crate) struct CompletionsArgs {
    /// Shell to print them for.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, output: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tminus", &mut script);
    let script = String::from_utf8(script).map_err(|_| {
        let shell = args.shell.to_possible_value();
        let shell = shell.as_ref().map_or("", |value| value.get_name());
        Diagnostic::new(format!("the completions for {shell} are not text"))
    })?;
    output.result(&script)?;
    Ok(())
}
