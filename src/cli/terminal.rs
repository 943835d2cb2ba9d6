//! Standard output and standard error: colours, widths, broken pipes.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::Problem;
use crate::finding::Severity;
use crate::report;
use crate::report::human::{self, Style};
use crate::text::{inert, printable};

use super::args::Color;
use super::outcome::{ConfigError, Error};

static COLOR: OnceLock<Color> = OnceLock::new();

/// Set once output got lost, for example on a full disk.
static LOST: AtomicBool = AtomicBool::new(false);

pub fn set_color(color: Color) {
    let _ = COLOR.set(color);
}

pub fn color() -> bool {
    takes_color(is_terminal())
}

/// Returns whether colours are wanted: always, or on a terminal where nothing forbids them.
fn takes_color(terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match COLOR.get() {
        Some(Color::Always) => true,
        Some(Color::Never) => false,
        _ if is_set("NO_COLOR") => false,
        _ if is_set("CLICOLOR_FORCE") || is_set("FORCE_COLOR") => true,
        _ => terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// Returns the style of findings in a file.
pub fn plain_style() -> Style {
    Style {
        color: false,
        width: None,
        why_not_fixed: false,
        links: false,
    }
}

pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns the width of standard output, in columns: what `COLUMNS` says, or the terminal; `None` where neither does.
pub fn width() -> Option<usize> {
    let set = std::env::var("COLUMNS").ok();
    let set = set.and_then(|columns| columns.parse().ok());
    let of_terminal = || is_terminal().then(terminal_size::terminal_size).flatten();
    let columns = set.or_else(|| of_terminal().map(|(width, _)| usize::from(width.0)));
    columns.map(|columns| columns.max(40))
}

/// Returns the style of findings on standard output.
pub fn style(why_not_fixed: bool) -> Style {
    let links = || supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
    Style {
        color: color(),
        width: width(),
        why_not_fixed,
        links: color() && links(),
    }
}

/// Writes `bytes` to standard output. A closed reader (`| head`) is no error; any other error is printed, once, and
/// recorded for [`lost`].
pub fn print(bytes: impl AsRef<[u8]>) {
    let mut out = io::stdout().lock();
    let printed = out.write_all(bytes.as_ref()).and_then(|()| out.flush());
    drop(out);
    note_loss(printed);
}

/// Writes `text`, which has been made safe to print, to standard output.
pub fn print_text(text: &str) {
    print(inert(text).as_bytes());
}

/// Prints and records that output got lost.
pub fn note_loss(printed: io::Result<()>) {
    let Err(error) = printed else { return };
    if error.kind() != io::ErrorKind::BrokenPipe && !LOST.swap(true, Ordering::Relaxed) {
        warn(&format!("cannot write to standard output: {error}"));
    }
}

pub fn lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Writes a warning of one line to standard error.
pub fn warn(message: &str) {
    let message = printable(message);
    let _ = writeln!(io::stderr().lock(), "cachelane: {}", inert(&message));
}

/// Writes `text`, which has been made safe to print, to standard error.
pub fn warn_text(text: &str) {
    let _ = io::stderr().lock().write_all(inert(text).as_bytes());
}

/// Writes a note of one line to standard error.
pub fn print_note(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", inert(&printable(message)));
}

pub fn print_error(error: &Error) {
    match error {
        Error::Config(error) => warn_config(error),
        other => warn(&other.to_string()),
    }
}

pub fn warn_config(error: &ConfigError) {
    warn_problems(&error.path, &error.text, &error.problems, Severity::Error);
    warn(&error.to_string());
}

/// Writes the first problems with the configuration `text` at `path` to standard error, and how many there are beside them:
/// each shows its place in the text, and nobody reads thousands.
pub fn warn_problems(path: &Path, text: &str, problems: &[Problem], severity: Severity) {
    const SHOWN: usize = 20;
    for problem in problems.iter().take(SHOWN) {
        warn_problem(path, text, problem, severity);
    }
    if problems.len() > SHOWN {
        let more = problems.len() - SHOWN;
        warn(&format!("{}: and {more} more of them", report::path(path)));
    }
}

/// Writes a problem with the configuration `text` at `path` to standard error.
fn warn_problem(path: &Path, text: &str, problem: &Problem, severity: Severity) {
    let style = Style {
        color: takes_color(io::stderr().is_terminal()),
        ..plain_style()
    };
    let (name, message) = (report::path(path), problem.message.as_str());
    let help = problem.help.as_deref();
    let (span, shown) = (problem.span, human::problem);
    warn_text(&shown(&name, text, span, message, help, severity, style));
}
