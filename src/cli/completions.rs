//! `cachelane completions`: from the table that parses the arguments, so that a shell knows what the command knows.

use clap::CommandFactory as _;

use super::args::{Args, CompletionsArgs};
use super::terminal;

pub fn run(args: &CompletionsArgs) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "cachelane", &mut script);
    terminal::print(script);
}
