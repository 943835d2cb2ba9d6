//! The words and strings of Groovy.

use crate::builds::jobs::Piece;
use crate::text::{SourceMap, Span, is_name};

/// A place in a text of Groovy.
pub struct Scanner<'y> {
    pub source: &'y str,
    pub at: usize,
}

/// A string, without its quotes.
pub struct Quoted {
    pub span: Span,
    pub quote: &'static str,
}

impl<'y> Scanner<'y> {
    pub fn rest(&self) -> &'y str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Skips what of `letters` stands here; returns whether `next` follows.
    pub fn skip(&mut self, letters: &[char], next: &str) -> bool {
        let rest = self.rest();
        let skipped = rest.trim_start_matches(letters);
        self.at += rest.len() - skipped.len();
        skipped.starts_with(next)
    }

    /// Skips blanks and line ends; returns whether `next` follows.
    pub fn skip_blanks(&mut self, next: &str) -> bool {
        self.skip(&[' ', '\t', '\n', '\r'], next)
    }

    /// Reads a word, whose parts are joined by dots; `None` where none begins here.
    pub fn word(&mut self) -> Option<&'y str> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        if !first.is_alphabetic() && first != '_' {
            return None;
        }
        let end = rest.find(|ch: char| !ch.is_alphanumeric() && ch != '_' && ch != '.');
        let word = &rest[..end.unwrap_or(rest.len())];
        self.at += word.len();
        Some(word)
    }

    /// Skips a comment, or reads a string that begins here.
    pub fn quoted(&mut self) -> Option<Quoted> {
        let rest = self.rest();
        let comment = match rest.get(..2) {
            Some("//") => rest.find('\n'),
            Some("/*") => rest.find("*/").map(|end| end + 1),
            _ => None,
        };
        if let Some(end) = comment {
            self.at += end;
            return None;
        }
        let quote = ["'''", "\"\"\"", "'", "\""]
            .into_iter()
            .find(|quote| rest.starts_with(quote))?;
        let start = self.at + quote.len();
        let mut end = start;
        loop {
            let rest = self.source.get(end..).unwrap_or_default();
            if rest.is_empty() || (quote.len() == 1 && rest.starts_with('\n')) {
                // No string after all.
                return None;
            }
            if rest.starts_with(quote) {
                break;
            }
            let escaped = rest.starts_with('\\');
            let mut letters = rest.chars();
            end += letters
                .by_ref()
                .take(1 + usize::from(escaped))
                .map(char::len_utf8)
                .sum::<usize>();
        }
        self.at = end + quote.len();
        Some(Quoted {
            span: Span::new(start, end),
            quote,
        })
    }

    pub fn text(&self, quoted: &Quoted) -> &'y str {
        &self.source[quoted.span.start..quoted.span.end]
    }

    /// Returns the text of a string in which Groovy puts nothing.
    pub fn plain(&self, quoted: &Quoted) -> Option<&'y str> {
        let text = self.text(quoted);
        let is_single = quoted.quote.starts_with('\'');
        let is_plain = !text.contains('\\') && (is_single || !text.contains('$'));
        is_plain.then_some(text)
    }

    /// Returns a string as the shell gets it, behind `start`; the environment has the names of which `is_variable` is true.
    pub fn piece(&self, start: &str, quoted: &Quoted, is_variable: &dyn Fn(&str) -> bool) -> Piece {
        let (own, place) = (self.text(quoted), quoted.span.start);
        let is_double = quoted.quote.starts_with('"');
        let (mut text, mut map) = (start.to_owned(), SourceMap::default());
        let mut letters = own.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            let mut push = |text: &mut String, part: &str, at: Option<usize>| {
                if let Some(at) = at {
                    map.push(text.len(), place + at, part.len());
                }
                text.push_str(part);
            };
            match (letter, letters.peek().copied()) {
                ('\\', None) => {}
                // Groovy joins the lines.
                ('\\', Some((_, '\n'))) => drop(letters.next()),
                ('\\', Some((at, escaped))) => {
                    letters.next();
                    match escaped {
                        'n' => push(&mut text, "\n", None),
                        't' => push(&mut text, "\t", None),
                        _ => push(&mut text, escaped.encode_utf8(&mut [0; 4]), Some(at)),
                    }
                }
                // What Groovy puts in is no variable of the shell's.
                ('$', Some((_, next)))
                    if is_double && (next == '{' || is_name(&next.to_string())) =>
                {
                    let rest = &own[at + 1..];
                    let end = match rest.strip_prefix('{') {
                        Some(inner) => inner.find('}').map_or(rest.len(), |end| end + 2),
                        None => rest
                            .find(|ch: char| !ch.is_alphanumeric() && !"_.".contains(ch))
                            .unwrap_or(rest.len()),
                    };
                    let name = rest[..end].trim_matches(['{', '}']);
                    // The environment is the shell's, too.
                    let variable = name
                        .strip_prefix("env.")
                        .or(is_variable(name).then_some(name));
                    let own = match variable.filter(|name| is_name(name)) {
                        Some(name) => format!("${{{name}}}"),
                        None => format!("$({})", name.replace(['(', ')', '"', '\''], "")),
                    };
                    push(&mut text, &own, None);
                    while letters.peek().is_some_and(|(next, _)| *next <= at + end) {
                        letters.next();
                    }
                }
                _ => push(&mut text, letter.encode_utf8(&mut [0; 4]), Some(at)),
            }
        }
        Piece {
            text,
            map,
            write: if is_double { in_double } else { in_single },
        }
    }
}

fn in_single(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

fn in_double(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\$")
}
