//! Files of builds that cannot be read, and the templates among them.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::builds::{Around, BuildFile, FormatRef, ReadError};
use crate::text::{Span, pattern};

/// A file of builds that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The place where reading it failed.
    pub span: Span,
    pub why: String,
    /// True where a template's expression explains it: what the template makes may well be read.
    pub is_template: bool,
}

/// A template's expression where a text is no YAML, HCL or JSON because of it: one that begins a line or a value, or a tag.
/// (Within a value it is a text like others; so is the `{{.ID}}` in the scripts of whole files.)
static EXPRESSION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)(?:^|[:=-][ \t])[ \t]*(?:\{\{|@[(\[{])|\{%[-+ ]|<%[-=# ]"));

/// One in the line that cannot be read, for example with quotes in it; not GitHub's `${{ }}`.
static WITHIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^$])\{\{[- ]"));

/// Reads the builds of a file of this `format` within a whole.
pub fn read(format: FormatRef, source: &[u8], around: &Around) -> Result<BuildFile, Unread> {
    let text = text(source)?;
    let read = format.read_within(text, around);
    read.map_err(|error| unread(source, error))
}

/// Returns why a file of this `format` cannot be read, even one in which no word builds anything.
#[cfg(feature = "cli")]
pub fn find(format: FormatRef, source: &[u8]) -> Option<Unread> {
    let parsed = text(source).and_then(|text| {
        let parsed = format.parse(text);
        parsed.map_err(|error| unread(source, error))
    });
    parsed.err()
}

fn text(source: &[u8]) -> Result<&str, Unread> {
    std::str::from_utf8(source).map_err(|error| Unread {
        span: Span::at(error.valid_up_to()),
        why: format!("it is not UTF-8: {error}"),
        is_template: false,
    })
}

fn unread(source: &[u8], error: ReadError) -> Unread {
    Unread {
        span: error.span,
        why: error.message,
        is_template: EXPRESSION.is_match(source) || WITHIN.is_match(line(source, error.span.start)),
    }
}

/// Returns the line of byte `at`.
fn line(source: &[u8], at: usize) -> &[u8] {
    let (before, behind) = source.split_at(at.min(source.len()));
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let end = memchr::memchr(b'\n', behind).map_or(source.len(), |end| before.len() + end);
    &source[start..end]
}
