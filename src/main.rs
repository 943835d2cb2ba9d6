//! The `cachelane` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    cachelane::main()
}
