//! The command line: the only part that prints, writes files, reads the environment and exits.

mod add_ignores;
mod args;
mod builds;
mod check;
mod completions;
mod config;
mod config_resolver;
mod diff;
mod disk;
mod fix;
mod fix_output;
mod id;
mod init;
mod list;
mod locks;
mod man;
mod notes;
mod outcome;
mod outcomes;
mod output;
mod repository;
mod rules;
mod run;
mod run_command;
mod since;
mod terminal;
mod usage_errors;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};
use outcome::Outcome;

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage_errors::answer(&error),
    };
    let done = match &args.command {
        Command::Check(args) => check::run(args),
        Command::Fix(args) => fix::run(args),
        Command::List(args) => list::run(args),
        Command::Builds(args) => builds::run(args),
        Command::Locks(args) => locks::run(args),
        Command::Rules(args) => {
            rules::list(args);
            Ok(ExitCode::SUCCESS)
        }
        Command::Explain(args) => rules::explain(args).map(|()| ExitCode::SUCCESS),
        Command::Config(command) => config::run(command).map(|()| ExitCode::SUCCESS),
        Command::Init(args) => init::run(args),
        Command::Id(args) => id::run(args).map(|()| ExitCode::SUCCESS),
        Command::Run(args) => run_command::run(args),
        Command::Completions(args) => {
            completions::run(args);
            Ok(ExitCode::SUCCESS)
        }
        Command::Man(args) => man::run(args).map(|()| ExitCode::SUCCESS),
    };
    let code = done.unwrap_or_else(|error| {
        terminal::print_error(&error);
        Outcome::Failed.into()
    });
    // Output got lost, so the exit code must not say that all is well.
    if terminal::lost() {
        Outcome::Failed.into()
    } else {
        code
    }
}
