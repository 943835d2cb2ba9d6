//! The `cachelane` command. All of it is in [`cachelane::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cachelane::cli::main()
}
