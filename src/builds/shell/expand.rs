//! What stands for something else in a script: variables, substitutions, expressions of CI systems.

use super::lex::{Inner, Lexer, Token, is_name, push, text};
use super::{Piece, Set, Word};
use crate::budget;

impl Lexer<'_> {
    /// What begins with `$` or `` ` ``.
    pub(super) fn expansion(&mut self, word: &mut Word, quoted: bool) {
        let start = self.at;
        let rest = self.rest();
        let raw = |end: usize| self.script.get(start..end).unwrap_or_default().to_owned();
        if rest.starts_with("${{") {
            let end = rest.find("}}").map_or(self.end, |at| start + at + 2);
            self.at = end;
            push(
                word,
                Piece::Expression {
                    raw: raw(end),
                    quoted,
                },
            );
        } else if rest.starts_with("$(") || rest.starts_with('`') {
            let tokens = if rest.starts_with('`') {
                self.backticks()
            } else {
                self.substitution()
            };
            let open = rest.starts_with('$');
            word.inner.push(Inner { tokens, open });
            push(
                word,
                Piece::Unknown {
                    raw: self.script.get(start..self.at).unwrap_or_default().into(),
                    quoted,
                },
            );
        } else if rest.starts_with("${") {
            self.at += 2;
            self.braces();
            let raw = self
                .script
                .get(start..self.at)
                .unwrap_or_default()
                .to_owned();
            let name = raw
                .strip_prefix("${")
                .and_then(|raw| raw.strip_suffix('}'))
                .unwrap_or_default();
            if is_name(name) {
                let name = name.to_owned();
                push(
                    word,
                    Piece::Variable {
                        name,
                        raw,
                        quoted,
                        set: Set::Not,
                    },
                );
            } else {
                push(word, Piece::Unknown { raw, quoted });
            }
        } else {
            self.variable(word, quoted);
        }
    }

    /// `$NAME`, `$env:NAME`, `$1`, or a dollar that is only one.
    fn variable(&mut self, word: &mut Word, quoted: bool) {
        let start = self.at;
        self.at += 1;
        if let Some(env) = self
            .rest()
            .get(..4)
            .filter(|env| env.eq_ignore_ascii_case("env:"))
        {
            self.at += env.len();
            let name = self.name();
            let raw = self
                .script
                .get(start..self.at)
                .unwrap_or_default()
                .to_owned();
            push(
                word,
                Piece::Variable {
                    name,
                    raw,
                    quoted,
                    set: Set::Not,
                },
            );
            return;
        }
        let name = self.name();
        let is_name = !name.is_empty();
        if !is_name {
            match self.peek() {
                Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => self.at += 1,
                _ => return text(word, '$'),
            }
        }
        let raw = self
            .script
            .get(start..self.at)
            .unwrap_or_default()
            .to_owned();
        if is_name {
            push(
                word,
                Piece::Variable {
                    name,
                    raw,
                    quoted,
                    set: Set::Not,
                },
            );
        } else {
            push(word, Piece::Unknown { raw, quoted });
        }
    }

    fn substitution(&mut self) -> Vec<Token> {
        self.at += 2;
        // A line that ends in here is not one that a heredoc from outside begins behind.
        let outer = std::mem::take(&mut self.heredocs);
        let tokens = self.nested();
        self.heredocs = outer;
        tokens
    }

    fn backticks(&mut self) -> Vec<Token> {
        let inner = self.at + 1;
        let bytes = self.script.as_bytes();
        let mut close = inner;
        while close < self.end && bytes[close] != b'`' {
            close += if bytes[close] == b'\\' { 2 } else { 1 };
        }
        let close = close.min(self.end);
        self.at = (close + 1).min(self.end);
        if !self.script.is_char_boundary(close) {
            return Vec::new();
        }
        let mut lexer = Lexer {
            script: self.script,
            at: inner,
            end: close,
            dialect: self.dialect,
            heredocs: Vec::new(),
        };
        budget::nested(|| lexer.all(false)).unwrap_or_default()
    }

    /// Goes behind the `}` of a `${`.
    fn braces(&mut self) {
        let mut depth = 1_usize;
        let bytes = self.script.as_bytes();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' if self.peek().is_some() => self.at += 1,
                b'$' if self.peek() == Some(b'{') => {
                    self.at += 1;
                    depth += 1;
                }
                b'\'' => {
                    let close = bytes
                        .get(self.at..self.end)
                        .and_then(|rest| memchr::memchr(b'\'', rest));
                    self.at += close.map_or(0, |at| at + 1);
                }
                b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        while !self.script.is_char_boundary(self.at) {
            self.at += 1;
        }
    }
}
