//! Finds the heredocs that an instruction opens, as BuildKit does.
//!
//! BuildKit runs its shell lexer over the whole instruction, without any variable set and with quotes and escapes kept,
//! and takes every word of the form `[n]<<[-]NAME` as the start of a heredoc, and none where that lexer gives up (an
//! open quote, a bad `${`). This follows `frontend/dockerfile/shell/lex.go` to the letter, so that no body is taken for
//! instructions.

use bstr::ByteSlice as _;

use crate::budget;
use crate::text::Span;

use super::ast::Heredoc;

/// Returns the heredocs that the instruction `text` opens, in order, without their bodies.
pub fn openers(text: &[u8]) -> Vec<Heredoc> {
    if text.find(b"<<").is_none() {
        return Vec::new();
    }
    let Some(words) = Lexer::new(text, true).words() else {
        return Vec::new();
    };
    words.iter().filter_map(|word| opener(word)).collect()
}

/// Reads `word` as `[n]<<[-]NAME`; the name may hold no `<`.
fn opener(word: &str) -> Option<Heredoc> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let rest = word[digits..].strip_prefix("<<")?;
    let (chomp, rest) = rest
        .strip_prefix('-')
        .map_or((false, rest), |rest| (true, rest));
    let spaced = rest.starts_with(['\t', '\n', '\x0C', '\r', ' ']);
    let rest = rest.trim_start_matches(['\t', '\n', '\x0C', '\r', ' ']);
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    // A second pass takes quotes and escapes off.
    let mut words = Lexer::new(rest.as_bytes(), false).words()?;
    let name = words.pop().filter(|_| words.is_empty())?;
    Some(Heredoc {
        name,
        chomp,
        spaced,
        body: Span::at(0),
    })
}

/// BuildKit's word splitting with no variable set: an unset variable stays in the text as it was written.
struct Lexer {
    chars: Vec<char>,
    at: usize,
    raw_quotes: bool,
    raw_escapes: bool,
    /// The word being built. Nested `${…}` share it and empty it, as in BuildKit.
    word: String,
}

/// Decodes `text` as Go does: each byte of an invalid sequence is one U+FFFD.
fn chars(text: &[u8]) -> Vec<char> {
    let mut chars = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        chars.extend(chunk.valid().chars());
        chars.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    chars
}

/// An error that BuildKit's lexer would report.
struct LexError;

/// The words of one nesting level.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    open: bool,
}

impl Lexer {
    fn new(text: &[u8], raw: bool) -> Self {
        // Go's `text/scanner` drops a byte-order mark at the start of whatever it reads.
        let text = text.strip_prefix(crate::text::BOM).unwrap_or(text);
        Self {
            chars: chars(text),
            at: 0,
            raw_quotes: raw,
            raw_escapes: raw,
            word: String::new(),
        }
    }

    fn words(mut self) -> Option<Vec<String>> {
        self.until(None, self.raw_escapes)
            .ok()
            .map(|(_, words)| words)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let ch = self.peek()?;
        self.at += 1;
        Some(ch)
    }

    /// Reads up to `stop` or the end; returns the text and its words.
    fn until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
    ) -> Result<(String, Vec<String>), LexError> {
        let outer = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let read = budget::nested(|| self.until_inner(stop)).unwrap_or(Err(LexError));
        self.raw_escapes = outer;
        read
    }

    fn until_inner(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), LexError> {
        let mut text = String::new();
        let mut words = Words::default();
        self.word.clear();
        while let Some(ch) = self.peek() {
            if Some(ch) == stop {
                self.at += 1;
                self.close(&mut words);
                return Ok((text, words.done));
            }
            match ch {
                '$' => {
                    let piece = self.dollar()?;
                    piece.chars().for_each(|ch| self.add(&mut words, ch));
                    text.push_str(&piece);
                }
                '\'' | '"' | '<' => {
                    let piece = match ch {
                        '\'' => self.single_quoted()?,
                        '"' => self.double_quoted()?,
                        _ => self.angle(),
                    };
                    self.word.push_str(&piece);
                    words.open = true;
                    text.push_str(&piece);
                }
                '\\' => {
                    self.at += 1;
                    if self.raw_escapes {
                        self.word.push('\\');
                        words.open = true;
                        text.push('\\');
                    }
                    let Some(escaped) = self.next() else { break };
                    self.word.push(escaped);
                    words.open = true;
                    text.push(escaped);
                }
                _ => {
                    self.at += 1;
                    self.add(&mut words, ch);
                    text.push(ch);
                }
            }
        }
        if stop.is_some() {
            return Err(LexError);
        }
        self.close(&mut words);
        Ok((text, words.done))
    }

    fn add(&mut self, words: &mut Words, ch: char) {
        if !ch.is_whitespace() {
            self.word.push(ch);
            words.open = true;
        } else if words.open && !self.word.is_empty() {
            words.done.push(std::mem::take(&mut self.word));
            words.open = false;
        }
    }

    fn close(&mut self, words: &mut Words) {
        if !self.word.is_empty() {
            words.done.push(std::mem::take(&mut self.word));
            words.open = false;
        }
    }

    fn single_quoted(&mut self) -> Result<String, LexError> {
        self.at += 1;
        let close = self.chars[self.at..]
            .iter()
            .position(|&ch| ch == '\'')
            .ok_or(LexError)?
            + self.at;
        let body: String = self.chars[self.at..close].iter().collect();
        self.at = close + 1;
        Ok(if self.raw_quotes {
            format!("'{body}'")
        } else {
            body
        })
    }

    fn double_quoted(&mut self) -> Result<String, LexError> {
        self.at += 1;
        let quote = if self.raw_quotes { "\"" } else { "" };
        let mut text = String::from(quote);
        loop {
            match self.peek().ok_or(LexError)? {
                '"' => {
                    self.at += 1;
                    return Ok(text + quote);
                }
                '$' => text.push_str(&self.dollar()?),
                '\\' => {
                    self.at += 1;
                    if self.raw_escapes {
                        text.push('\\');
                    }
                    match self.peek() {
                        None => {}
                        Some(ch @ ('"' | '$' | '\\')) => {
                            self.at += 1;
                            text.push(ch);
                        }
                        Some(_) => text.push('\\'),
                    }
                }
                ch => {
                    self.at += 1;
                    text.push(ch);
                }
            }
        }
    }

    /// Reads `<` and what follows: white space between `<<` and a word belongs to the word.
    fn angle(&mut self) -> String {
        self.at += 1;
        if self.peek() != Some('<') {
            return "<".into();
        }
        self.at += 1;
        let mut text = String::from("<<");
        while let Some(ch @ ('\t' | '\r' | ' ')) = self.peek() {
            text.push(ch);
            self.at += 1;
        }
        text
    }

    /// Reads a variable and returns it as written, since none is set.
    fn dollar(&mut self) -> Result<String, LexError> {
        self.at += 1;
        if self.peek() != Some('{') {
            return Ok(format!("${}", self.name()));
        }
        self.at += 1;
        if matches!(self.peek(), None | Some('{' | '}' | ':')) {
            return Err(LexError);
        }
        let name = self.name();
        let mut operator = String::new();
        match self.next().ok_or(LexError)? {
            '}' => return Ok(format!("${{{name}}}")),
            '/' => return self.replacement(&name),
            ':' => {
                operator.push(':');
                let ch = self.next().ok_or(LexError)?;
                if matches!(ch, '#' | '%') {
                    return Err(LexError);
                }
                operator.push(ch);
            }
            ch @ ('+' | '-' | '?' | '#' | '%') => operator.push(ch),
            _ => return Err(LexError),
        }
        let (word, _) = self.until(Some('}'), matches!(operator.as_str(), "#" | "%"))?;
        Ok(format!("${{{name}{operator}{word}}}"))
    }

    fn replacement(&mut self, name: &str) -> Result<String, LexError> {
        if self.peek() == Some('/') {
            self.at += 1;
        }
        let (pattern, _) = self.until(Some('/'), true)?;
        let (replacement, _) = self.until(Some('}'), true)?;
        Ok(format!("${{{name}/{pattern}/{replacement}}}"))
    }

    fn name(&mut self) -> String {
        let start = self.at;
        match self.peek() {
            Some(ch) if ch.is_numeric() => {
                while self.peek().is_some_and(char::is_numeric) {
                    self.at += 1;
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => self.at += 1,
            _ => {
                while self
                    .peek()
                    .is_some_and(|ch| ch.is_alphanumeric() || ch == '_')
                {
                    self.at += 1;
                }
            }
        }
        self.chars[start..self.at].iter().collect()
    }
}
