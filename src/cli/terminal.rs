//! Standard output and standard error: colours, widths, broken pipes.

use std::io::{self, IsTerminal as _, Write as _};

use crate::report::human::Style;
use crate::text::printable;

/// Columns where there is no terminal to ask.
const WIDTH: usize = 100;

/// Whether standard output takes colours: it is a terminal, and nobody said no.
pub(super) fn color() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How many threads may work at once.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// How to show findings on standard output.
pub(super) fn style(why_not_fixed: bool) -> Style {
    let columns = if is_terminal() { terminal_size::terminal_size() } else { None };
    let width = columns.map_or(WIDTH, |(width, _)| usize::from(width.0).max(40));
    Style { color: color(), width, why_not_fixed }
}

/// Writes `bytes` to standard output. A reader that has gone away (`| head`) is no error.
pub(super) fn print(bytes: impl AsRef<[u8]>) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes.as_ref()).and_then(|()| out.flush());
}

/// Writes one line to standard error.
pub(super) fn complain(message: &str) {
    let _ = writeln!(io::stderr().lock(), "cachelane: {}", printable(message));
}

/// Writes `text` to standard error as it is. It has been made safe to print.
pub(super) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
