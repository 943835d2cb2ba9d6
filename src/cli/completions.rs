//! `cachelane completions`, from clap's own table of arguments.

use clap::CommandFactory as _;

use super::args::{Args, CompletionsArgs};
use super::terminal;

pub fn run(args: &CompletionsArgs) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "cachelane", &mut script);
    terminal::print(script);
}
