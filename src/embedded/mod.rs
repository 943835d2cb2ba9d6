//! Dockerfile text in files that are none: strings of Python code, strings and heredocs of shell scripts, blocks of YAML,
//! examples in Markdown.
//!
//! Such text is found, with the place of each of its bytes, so that a migration leaves nothing behind unseen; it is never
//! rewritten. What counts is decided in two steps: the readers of this module cut a file into [`Piece`]s, and [`regions`]
//! finds the lines among a piece's that are instructions. A string that is no Dockerfile has none.

mod markdown;
mod python;
mod region;
mod shell;
mod yaml;

use crate::dockerfile::Mapped;
use crate::text::Span;

pub use region::regions;

/// A kind of file that may hold Dockerfile text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Python code.
    Python,
    /// A shell script.
    Shell,
    /// YAML that says nothing about builds by itself: a `ConfigMap`, a chart; also the scripts of pipelines.
    Yaml,
    /// Markdown.
    Markdown,
}

/// What a piece is to the file that it stands in: what has to be escaped in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A string of Python code.
    PythonString,
    /// A string that Python puts values into by braces: an f-string, or one with `.format(…)` behind it.
    PythonFormat,
    /// A string of shell code.
    ShellString,
    /// A string of shell code in which the shell puts variables.
    ShellExpandingString,
    /// A heredoc of shell code that is taken as it stands.
    Heredoc,
    /// A heredoc of shell code in which the shell puts variables.
    ExpandingHeredoc,
    /// Text of a YAML file.
    Yaml,
    /// A code block of a Markdown file.
    Fence,
}

/// Text within a file that may hold instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text as the program that reads the file has it (escapes taken off), with its places in the file. Where the
    /// program puts a value, the text holds an expression in double braces.
    pub text: Mapped<'static>,
    /// The whole of it in the file, quotes and all.
    pub extent: Span,
    /// What it is.
    pub holder: Holder,
}

/// The kind of a file by its name; `None` for all that are not looked into.
#[must_use]
pub fn kind(name: &[u8]) -> Option<Kind> {
    let ends = |end: &str| name.ends_with(end.as_bytes());
    if ends(".py") {
        Some(Kind::Python)
    } else if ends(".sh") || ends(".bash") {
        Some(Kind::Shell)
    } else if ends(".yaml") || ends(".yml") {
        Some(Kind::Yaml)
    } else if ends(".md") {
        Some(Kind::Markdown)
    } else {
        None
    }
}

/// Whether `source` can hold a cache mount at all: most files are not read any further.
#[must_use]
pub fn is_of_interest(source: &[u8]) -> bool {
    has(source, "--mount") && has(source, "type=cache")
}

/// The pieces of `source` that hold a `--mount`. Where two overlap, the earlier in the list knows better.
#[must_use]
pub fn find(kind: Kind, source: &[u8]) -> Vec<Piece> {
    let file = Mapped::borrowed(source, Span::new(0, source.len()));
    let mut pieces = Vec::new();
    match kind {
        Kind::Python => python::find(&file, &mut pieces),
        Kind::Shell => shell::find(&file, &mut pieces),
        Kind::Yaml => yaml::find(&file, &mut pieces),
        Kind::Markdown => markdown::find(&file, &mut pieces),
    }
    pieces.retain(|piece| has(piece.text.bytes(), "--mount"));
    pieces
}

/// The code of a shell script that may as well be a Dockerfile: what stands in a block of YAML or Markdown. Heredocs come
/// first, then the block as it stands, then its strings.
fn script(block: Mapped<'static>, extent: Span, holder: Holder, pieces: &mut Vec<Piece>) {
    let mut inner = Vec::new();
    shell::find(&block, &mut inner);
    let is_heredoc =
        |piece: &Piece| matches!(piece.holder, Holder::Heredoc | Holder::ExpandingHeredoc);
    let (heredocs, strings): (Vec<Piece>, Vec<Piece>) = inner.into_iter().partition(is_heredoc);
    pieces.extend(heredocs);
    pieces.push(Piece {
        text: block,
        extent,
        holder,
    });
    pieces.extend(strings);
}

/// Adds `from[start..end]` to `to`, with its places.
fn copy(from: &Mapped<'_>, start: usize, end: usize, to: &mut Mapped<'static>) {
    let mut at = start;
    // Within a line, a text runs as its file does, but for what was taken out of it.
    for line in from.bytes()[start..end].split_inclusive(|b| *b == b'\n') {
        let mut rest = at..at + line.len();
        at = rest.end;
        while !rest.is_empty() {
            let first = from.source(rest.start);
            let same = rest
                .clone()
                .take_while(|at| from.source(*at) == first + (at - rest.start))
                .count()
                .max(1);
            to.push(&from.bytes()[rest.start..rest.start + same], first);
            rest.start += same;
        }
    }
}

/// The lines of `bytes`, each with its newline, as ranges.
fn lines(bytes: &[u8]) -> impl Iterator<Item = Span> + '_ {
    let mut at = 0;
    bytes.split_inclusive(|b| *b == b'\n').map(move |line| {
        let span = Span::new(at, at + line.len());
        at = span.end;
        span
    })
}

fn has(bytes: &[u8], word: &str) -> bool {
    memchr::memmem::find(bytes, word.as_bytes()).is_some()
}
