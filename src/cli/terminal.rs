//! Standard output and standard error: colours, widths, broken pipes.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::report::human::Style;
use crate::text::{inert, printable};

use super::args::Color;

/// Columns where there is no terminal to ask.
const WIDTH: usize = 100;

/// What `--color` says.
static COLOR: OnceLock<Color> = OnceLock::new();

/// Whether something that was to be printed got lost: on a full disk, say.
static LOST: AtomicBool = AtomicBool::new(false);

/// Keeps in mind what `--color` says.
pub(super) fn set_color(color: Color) {
    let _ = COLOR.set(color);
}

/// Whether standard output takes colours.
pub(super) fn color() -> bool {
    takes_color(is_terminal())
}

/// Whether colours are wanted: always, or where there is a terminal and nobody said no.
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

/// How to show what is wrong with a configuration on standard error.
pub(super) fn style_for_errors() -> Style {
    Style {
        color: takes_color(io::stderr().is_terminal()),
        width: WIDTH,
        why_not_fixed: false,
    }
}

/// How to show findings in a file.
pub(super) fn plain_style() -> Style {
    Style {
        color: false,
        width: WIDTH,
        why_not_fixed: false,
    }
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How to show findings on standard output.
pub(super) fn style(why_not_fixed: bool) -> Style {
    let columns = if is_terminal() {
        terminal_size::terminal_size()
    } else {
        None
    };
    let width = columns.map_or(WIDTH, |(width, _)| usize::from(width.0).max(40));
    Style {
        color: color(),
        width,
        why_not_fixed,
    }
}

/// Writes `bytes` to standard output. A reader that has gone away (`| head`) is no error; all else is said, once, and
/// [`lost`] knows of it.
pub(super) fn print(bytes: impl AsRef<[u8]>) {
    let mut out = io::stdout().lock();
    let printed = out.write_all(bytes.as_ref()).and_then(|()| out.flush());
    drop(out);
    note_loss(printed);
}

/// Writes `text`, which is for people, to standard output. It has been made safe to print.
pub(super) fn tell(text: &str) {
    print(inert(text).as_bytes());
}

/// Keeps in mind, and says, that something could not be `printed`.
pub(super) fn note_loss(printed: io::Result<()>) {
    let Err(error) = printed else { return };
    if error.kind() != io::ErrorKind::BrokenPipe && !LOST.swap(true, Ordering::Relaxed) {
        complain(&format!("cannot write to standard output: {error}"));
    }
}

/// Whether something that was to be printed got lost. It has been said.
pub(super) fn lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Writes one line to standard error.
pub(super) fn complain(message: &str) {
    let _ = writeln!(
        io::stderr().lock(),
        "cachelane: {}",
        inert(&printable(message))
    );
}

/// Writes `text`, which is for people, to standard error. It has been made safe to print.
pub(super) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(inert(text).as_bytes());
}

/// Writes one line of news to standard error.
pub(super) fn note(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", inert(&printable(message)));
}
