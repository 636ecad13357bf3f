//! The command line: arguments and commands.
//!
//! One file a command. A command turns its flags into what the core takes, runs it, and hands
//! text to the output gate. Files are read in one place and written in one place.

mod advise;
mod args;
mod catalog;
mod compare;
mod completions;
mod evaluate;
mod failure;
mod files;
mod fit;
mod fit_source;
mod init;
mod input;
mod launch;
mod live;
mod output;
mod plan;
mod planned;
mod predict;
mod presets;
mod report;
mod request;
mod reserve;
mod schedule;
mod schema;
mod tables;
mod threads;
mod timing;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use args::GlobalArgs;
use failure::Failure;
use output::Output;

/// Plan large language model training before you book: which launch configuration finishes
/// first or cheapest, whether it fits in memory, how long it takes and what it costs.
#[derive(Debug, Parser)]
#[command(
    name = "tminus",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(after_help = "\
Exit status: 0 a result; 1 nothing feasible, with the smallest change that would make it so; 2 bad \
usage or input. stdout carries the result alone.

Start with:
  tminus plan --model gpt-7b --tokens 134B --cluster r7z2 --cluster r1z1")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    global: GlobalArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rank launch configurations of a job.
    Plan(Box<plan::PlanArgs>),
    /// Explain one configuration: time, memory, utilization and what the prediction rests on.
    Predict(Box<predict::PredictArgs>),
    /// Book a cluster: turn a deadline, a budget or a node count into nodes, dates and cost.
    Reserve(Box<reserve::ReserveArgs>),
    /// Write the document that a budget is approved by.
    Report(Box<report::ReportArgs>),
    /// Write the files that launch one candidate of a plan.
    Launch(Box<launch::LaunchArgs>),
    /// Show how accurate predictions are: on held-out rows, or against measured tables.
    Evaluate(Box<evaluate::EvaluateArgs>),
    /// Fit to your own measurements, on top of the embedded ones or alone.
    Fit(Box<fit::FitCommandArgs>),
    /// Name the measurements that would narrow a plan's answer most.
    Advise(Box<advise::AdviseArgs>),
    /// Compare a launched run with its plan: as planned, if not why, and when it is done.
    Compare(Box<compare::CompareArgs>),
    /// List the models, GPUs, clusters, stacks, prices and tables that are built in, or show one.
    Presets(presets::PresetsArgs),
    /// Print JSON Schema of the files that are read and written.
    Schema(schema::SchemaArgs),
    /// Print or write a commented job file to start from.
    Init(init::InitArgs),
    /// Print a script that completes commands and flags in your shell.
    Completions(completions::CompletionsArgs),
}

/// Runs the command line and returns the process's exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = command_line(&arguments);
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return output::show_usage(&error),
    };
    match cli.execute(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Infeasible(diagnostic)) => {
            output::show_error(&diagnostic);
            ExitCode::from(1)
        }
        Err(Failure::Refused(diagnostic)) => {
            output::show_error(&diagnostic);
            ExitCode::from(2)
        }
    }
}

impl Cli {
    fn execute(&self, command: &str) -> Result<(), Failure> {
        let global = &self.global;
        let open = |target: Option<&Path>, inputs: &[&Path]| {
            Output::open(target, inputs, global.color, global.quiet)
        };
        let stdout = || open(None, &[]);
        match &self.command {
            Command::Plan(args) => plan::run(args, global, &open(args.output(), &args.inputs())?),
            Command::Predict(args) => predict::run(args, &open(args.output(), &args.inputs())?),
            Command::Reserve(args) => {
                reserve::run(args, global, &open(args.output(), &args.inputs())?)
            }
            Command::Report(args) => {
                let output = open(Some(args.output()), &args.inputs())?;
                report::run(args, global, command, &output)
            }
            Command::Launch(args) => launch::run(args, global, command, &stdout()?),
            Command::Evaluate(args) => {
                evaluate::run(args, global, &open(args.output(), &args.inputs())?)
            }
            Command::Fit(args) => {
                fit::run(args, global, &open(Some(args.target()), &args.inputs())?)
            }
            Command::Advise(args) => {
                advise::run(args, global, &open(args.output(), &args.inputs())?)
            }
            // The row goes to a file that isn't there yet.
            Command::Compare(args) => compare::run(args, &open(args.output(), &[])?, &stdout()?),
            Command::Schema(args) => schema::run(args, &open(args.output.as_deref(), &[])?),
            Command::Init(args) => init::run(args, &open(args.output.as_deref(), &[])?),
            Command::Presets(args) => presets::run(args, &open(args.output(), &args.inputs())?),
            Command::Completions(args) => completions::run(args, &stdout()?),
        }
    }
}

/// The command as a person would type it again, without the flags that change nothing of its result.
/// What came from standard input isn't in it: it says so.
fn command_line(arguments: &[OsString]) -> String {
    let mut words = vec!["tminus".to_owned()];
    let mut given = arguments.iter().skip(1).map(|word| word.to_string_lossy());
    let mut reads_input = false;
    while let Some(word) = given.next() {
        match &*word {
            "--threads" | "--color" => drop(given.next()),
            "-" => {
                let to = words.last().map(String::as_str);
                reads_input |= !matches!(to, Some("-o" | "--output"));
                words.push("-".to_owned());
            }
            "--quiet" | "-q" => {}
            word if word.starts_with("--threads=") || word.starts_with("--color=") => {}
            word => words.push(crate::shell::quoted(word)),
        }
    }
    if reads_input {
        words.push(" # with the same standard input".to_owned());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_told_without_what_changes_no_result() {
        let told = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            command_line(&words)
        };
        let plain = "tminus report job.toml -o a.md";
        assert_eq!(told(plain), plain);
        for flags in ["--threads 8", "--threads=8 -q", "--color always --quiet"] {
            assert_eq!(
                told(&format!("tminus {flags} report job.toml -o a.md")),
                plain
            );
        }
    }

    #[test]
    fn a_command_that_reads_standard_input_says_so() {
        let told = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            command_line(&words)
        };
        assert_eq!(
            told("tminus report - -o a.md"),
            "tminus report - -o a.md  # with the same standard input"
        );
        let to = "tminus report job.toml -o -";
        assert_eq!(told(to), to);
    }
}
