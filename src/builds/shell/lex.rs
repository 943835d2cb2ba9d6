//! The script as tokens: words with their places, and operators.

use super::{Dialect, Piece, Word};
use crate::budget;
use crate::text::Span;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word.
    Word(Word),
    /// An operator, or the end of a line as `\n`.
    Op(&'static str),
}

/// A script within a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inner {
    /// Its tokens.
    pub(super) tokens: Vec<Token>,
    /// Whether it stands in the open: see [`super::Simple::open`].
    pub(super) open: bool,
}

/// The operators, longer ones first.
const OPERATORS: &[&str] = &[";;", "&&", "||", "|&", ";", "&", "|", "(", ")"];

/// Whether `name` is one that a shell variable can have.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Cuts what stands `within` a place of `script` into tokens.
pub(super) fn tokens(script: &str, within: Span, dialect: Dialect) -> Vec<Token> {
    Lexer {
        script,
        at: within.start,
        end: within.end,
        dialect,
        heredocs: Vec::new(),
    }
    .all(false)
}

pub(super) struct Lexer<'s> {
    pub(super) script: &'s str,
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) dialect: Dialect,
    /// The heredocs that begin behind this line: their last line, and whether tabs before it are cut off.
    pub(super) heredocs: Vec<(String, bool)>,
}

impl<'s> Lexer<'s> {
    pub(super) fn rest(&self) -> &'s str {
        self.script.get(self.at..self.end).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.script
            .as_bytes()
            .get(self.at)
            .copied()
            .filter(|_| self.at < self.end)
    }

    /// The byte behind a continued line's mark, where the one here is such a mark.
    fn continuation(&self) -> Option<usize> {
        let mark = self.peek()?;
        if !matches!(mark, b'\\' | b'`' | b'^') {
            return None;
        }
        let rest = &self.rest()[1..];
        // Only what is no shell's of ours may have blanks behind its mark.
        let rest = if mark == b'\\' {
            rest
        } else {
            rest.trim_start_matches([' ', '\t'])
        };
        let rest = rest.strip_prefix('\r').unwrap_or(rest).strip_prefix('\n')?;
        Some(self.end - rest.len())
    }

    /// All tokens up to the end, or up to a `)` that is not opened here.
    pub(super) fn all(&mut self, nested: bool) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut parentheses = 0_usize;
        while let Some(byte) = self.peek() {
            if let Some(next) = self.continuation() {
                self.at = next;
            } else if byte == b'\n' {
                self.at += 1;
                self.skip_heredocs();
                tokens.push(Token::Op("\n"));
            } else if matches!(byte, b' ' | b'\t' | b'\r') {
                self.at += 1;
            } else if byte == b'#' {
                self.at = memchr::memchr(b'\n', self.rest().as_bytes())
                    .map_or(self.end, |at| self.at + at);
            } else if self.is_redirection() {
                self.redirection();
            } else if let Some(op) = OPERATORS.iter().find(|op| self.rest().starts_with(**op)) {
                match *op {
                    ")" if nested && parentheses == 0 => return tokens,
                    ")" => parentheses = parentheses.saturating_sub(1),
                    "(" => parentheses += 1,
                    _ => {}
                }
                self.at += op.len();
                tokens.push(Token::Op(op));
            } else {
                let word = self.word();
                let number = word.span.len() <= 2
                    && word.text().is_some_and(|text| text.parse::<u8>().is_ok());
                if !(number && matches!(self.peek(), Some(b'<' | b'>'))) {
                    tokens.push(Token::Word(word));
                }
            }
        }
        tokens
    }

    fn is_redirection(&self) -> bool {
        match self.peek() {
            Some(b'<' | b'>') => true,
            _ => self.rest().starts_with("&>"),
        }
    }

    /// Goes over a redirection and its target; notes a heredoc.
    fn redirection(&mut self) {
        let rest = self.rest();
        if rest.starts_with("<(") || rest.starts_with(">(") {
            // A process substitution is a word; the commands in it read or write a pipe.
            self.at += 2;
            self.nested();
            return;
        }
        let heredoc = rest.starts_with("<<") && !rest.starts_with("<<<");
        let sign = rest
            .bytes()
            .take_while(|byte| matches!(byte, b'<' | b'>' | b'&' | b'|'))
            .count();
        self.at += sign;
        let tabs = heredoc && self.peek() == Some(b'-');
        self.at += usize::from(tabs);
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        if matches!(self.peek(), None | Some(b'\n' | b';' | b'|' | b')')) {
            return;
        }
        let target = self.word();
        if heredoc {
            self.heredocs.push((target.written(), tabs));
        }
    }

    fn skip_heredocs(&mut self) {
        for (last, tabs) in std::mem::take(&mut self.heredocs) {
            let rest = self.rest();
            let mut length = rest.len();
            let mut at = 0;
            for line in rest.split_inclusive('\n') {
                at += line.len();
                let content = line.trim_end_matches(['\n', '\r']);
                let content = if tabs {
                    content.trim_start_matches('\t')
                } else {
                    content
                };
                if content == last {
                    length = at;
                    break;
                }
            }
            budget::spend(length);
            self.at += length;
        }
    }

    /// The tokens of a nested script, whose `(` is behind us, and its `)`.
    pub(super) fn nested(&mut self) -> Vec<Token> {
        let tokens = budget::nested(|| self.all(true)).unwrap_or_else(|| {
            self.at = self.end;
            Vec::new()
        });
        self.at = (self.at + 1).min(self.end);
        tokens
    }

    fn word(&mut self) -> Word {
        let mut word = Word {
            span: Span::at(self.at),
            pieces: Vec::new(),
            inner: Vec::new(),
        };
        let start = self.at;
        let mut end = start;
        while let Some(byte) = self.peek() {
            if let Some(next) = self.continuation() {
                self.at = next;
                continue;
            }
            match byte {
                // `(` as well: no command of ours is behind that of `a=(…)` or `f()`.
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                    break;
                }
                b'\'' => self.single_quoted(&mut word),
                b'"' => self.double_quoted(&mut word),
                b'$' => self.expansion(&mut word, false),
                b'`' if self.dialect == Dialect::Posix => self.expansion(&mut word, false),
                b'\\' if self.dialect == Dialect::Posix => {
                    self.at += 1;
                    self.letter(&mut word);
                }
                b'@' if self.dialect == Dialect::Windows && word.pieces.is_empty() => {
                    // A splat: `@arguments`.
                    self.at += 1;
                    let name = self.name();
                    push(
                        &mut word,
                        Piece::Unknown {
                            raw: format!("@{name}"),
                            quoted: false,
                        },
                    );
                }
                _ => self.letter(&mut word),
            }
            end = self.at;
        }
        if self.at == start {
            // Whatever it is, go on behind it.
            self.letter(&mut word);
            end = self.at;
        }
        word.span = Span::new(start, end);
        word
    }

    /// Takes one character as it is.
    fn letter(&mut self, word: &mut Word) {
        match self.rest().chars().next() {
            Some(letter) => {
                self.at += letter.len_utf8();
                text(word, letter);
            }
            // Nothing of this may ever stand still.
            None => self.at = self.end,
        }
    }

    fn single_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        push(word, Piece::Text(String::new()));
        while let Some(byte) = self.peek() {
            if byte == b'\'' {
                self.at += 1;
                return;
            }
            if self.rest().starts_with("${{") {
                self.expansion(word, true);
            } else {
                self.letter(word);
            }
        }
    }

    fn double_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        push(word, Piece::Text(String::new()));
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' if self.dialect == Dialect::Posix => {
                    if let Some(next) = self.continuation() {
                        self.at = next;
                        continue;
                    }
                    if matches!(
                        self.rest().as_bytes().get(1),
                        Some(b'$' | b'`' | b'"' | b'\\')
                    ) {
                        self.at += 1;
                    }
                    self.letter(word);
                }
                b'$' => self.expansion(word, true),
                b'`' if self.dialect == Dialect::Posix => self.expansion(word, true),
                _ => self.letter(word),
            }
        }
    }

    pub(super) fn name(&mut self) -> String {
        let name: String = self
            .rest()
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
            .collect();
        if name.starts_with(|letter: char| letter.is_ascii_digit()) {
            return String::new();
        }
        self.at += name.len();
        name
    }
}

pub(super) fn push(word: &mut Word, piece: Piece) {
    match (word.pieces.last(), &piece) {
        (Some(Piece::Text(_)), Piece::Text(text)) if text.is_empty() => return,
        (Some(Piece::Text(text)), _) if text.is_empty() => drop(word.pieces.pop()),
        _ => {}
    }
    word.pieces.push(piece);
}

pub(super) fn text(word: &mut Word, letter: char) {
    if let Some(Piece::Text(text)) = word.pieces.last_mut() {
        text.push(letter);
    } else {
        word.pieces.push(Piece::Text(letter.into()));
    }
}
