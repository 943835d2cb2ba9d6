//! The command line: the only part that prints, writes files, reads the environment and exits.

mod adopt;
mod args;
mod builds;
mod check;
mod completions;
mod config;
mod fix;
mod id;
mod init;
mod list;
mod man;
mod output;
mod repository;
mod rules;
mod run;
mod run_command;
mod settled;
mod since;
mod slips;
mod terminal;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing that fails the gate.
    Clean,
    /// Findings that fail the gate, or a diff.
    Findings,
    /// Something could not be read, written or understood.
    Trouble,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Clean => 0,
            Outcome::Findings => 1,
            Outcome::Trouble => 2,
        })
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return slips::answer(&error),
    };
    let code: ExitCode = match &args.command {
        Command::Check(args) => check::run(args).into(),
        Command::Fix(args) => fix::run(args).into(),
        Command::List(args) => list::run(args).into(),
        Command::Builds(args) => builds::run(args).into(),
        Command::Rules(args) => rules::list(args).into(),
        Command::Explain(args) => rules::explain(args).into(),
        Command::Config(command) => config::run(command).into(),
        Command::Init(args) => init::run(args).into(),
        Command::Id(args) => id::run(args).into(),
        Command::Run(args) => run_command::run(args),
        Command::Completions(args) => completions::run(args).into(),
        Command::Man(args) => man::run(args).into(),
    };
    // A report that nobody got is no clean bill, whatever it said.
    if terminal::lost() {
        Outcome::Trouble.into()
    } else {
        code
    }
}
