//! Texts: bytes and lines, places within a file, and printing.
//!
//! Everything inside cachelane uses *bytes* ([`Span`]); only reports and JSON use lines and columns ([`Pos`]), all
//! computed here so that no two reports disagree.

mod lines;
mod map;
pub mod marks;
mod pattern;
#[cfg(feature = "cli")]
mod show;
mod span;

pub use lines::{LineIndex, Pos, Range, indentation, line_ending};
pub use map::{Mapped, Run, SourceMap};
pub use pattern::pattern;
#[cfg(feature = "cli")]
pub use show::{inert, is_unprintable, printable, visible};
pub use span::{BOM, Span, bom};

/// Returns whether a variable can have this name.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && name_prefix(text) == text
}

/// Returns the name of a variable that `text` begins with, which may be empty.
pub fn name_prefix(text: &str) -> &str {
    let end = text.find(|ch: char| !ch.is_ascii_alphanumeric() && ch != '_');
    let name = &text[..end.unwrap_or(text.len())];
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return "";
    }
    name
}

/// Splits what stands behind the `$` of `$NAME` or `${NAME}` into the name and the rest; `None` where it is no variable.
pub fn split_variable(text: &str) -> Option<(&str, &str)> {
    let (name, behind) = match text.strip_prefix('{') {
        Some(braced) => braced.split_once('}')?,
        None => text.split_at(name_prefix(text).len()),
    };
    is_name(name).then_some((name, behind))
}

/// Returns the name in `$NAME` or `${NAME}`, where the text is nothing else.
pub fn variable(text: &str) -> Option<&str> {
    let (name, behind) = split_variable(text.strip_prefix('$')?)?;
    behind.is_empty().then_some(name)
}

/// Returns `n` with its noun, in the plural unless it is one.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// Returns `texts` with a line for each.
pub fn in_lines<T: std::fmt::Display>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(T::to_string).collect();
    texts.join("\n")
}

/// Returns a path as findings and reports print it: without a leading `./`, and on Windows with `/`, as git has it.
pub fn path_text(path: &std::path::Path) -> String {
    path.strip_prefix(".")
        .unwrap_or(path)
        .to_string_lossy()
        .replace(std::path::MAIN_SEPARATOR, "/")
}
