//! The tokens of a script: words with their places, and operators.

use super::word::{Assigned, Dialect, Inner, Piece, PieceKind, REPOSITORY, Token, Word};
use crate::budget;
use crate::text::{Span, is_name, name_prefix};

/// The marks of what a CI system replaces before any shell runs: an expression of GitHub's, an input of GitLab's, a matrix
/// value of Buildkite's.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("${{", "}}"),
    ("$[[", "]]"),
    ("{{matrix", "}}"),
    ("{{ matrix", "}}"),
];

const OPERATORS: &[&str] = &[";;", "&&", "||", "|&", ";", "&", "|", "(", ")"];

/// Splits the part `within` of `script` into tokens.
pub(super) fn tokens(script: &str, within: Span, dialect: Dialect) -> Vec<Token> {
    let mut lexer = Lexer {
        script: script.get(..within.end).unwrap_or_default(),
        at: within.start,
        dialect,
        heredocs: Vec::new(),
    };
    lexer.all(false)
}

struct Lexer<'s> {
    /// Cut off at the end of the part to read.
    script: &'s str,
    at: usize,
    dialect: Dialect,
    /// The heredocs that begin behind this line: their last line, and whether tabs before it are removed.
    heredocs: Vec<(String, bool)>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.script.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.script.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, letters: &[char]) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(letters).len();
    }

    /// Returns the byte behind the mark of a continued line, if one is here.
    fn continuation(&self) -> Option<usize> {
        let mark = self.peek()?;
        if !matches!(mark, b'\\' | b'`' | b'^') {
            return None;
        }
        let rest = &self.rest()[1..];
        // Only the marks of PowerShell and `cmd` may have blanks behind them.
        let rest = if mark == b'\\' {
            rest
        } else {
            rest.trim_start_matches([' ', '\t'])
        };
        let rest = rest.strip_prefix('\r').unwrap_or(rest).strip_prefix('\n')?;
        Some(self.script.len() - rest.len())
    }

    /// Returns all tokens up to the end, or, if `nested`, up to an unopened `)`.
    fn all(&mut self, nested: bool) -> Vec<Token> {
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
                let rest = self.rest();
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if matches!(byte, b'<' | b'>') || self.rest().starts_with("&>") {
                tokens.extend(self.redirection().map(Token::Input));
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

    /// Skips a redirection and its target; records a heredoc. Returns the file that becomes the standard input.
    fn redirection(&mut self) -> Option<Word> {
        let rest = self.rest();
        if rest.starts_with("<(") || rest.starts_with(">(") {
            // A process substitution is a word; the commands in it read or write a pipe.
            self.at += 2;
            self.nested();
            return None;
        }
        let is_input = rest.starts_with('<') && !rest.starts_with("<<") && !rest.starts_with("<&");
        let heredoc = rest.starts_with("<<") && !rest.starts_with("<<<");
        self.skip(&['<', '>', '&', '|']);
        let tabs = heredoc && self.peek() == Some(b'-');
        self.at += usize::from(tabs);
        self.skip(&[' ', '\t']);
        if matches!(self.peek(), None | Some(b'\n' | b';' | b'|' | b')')) {
            return None;
        }
        let target = self.word();
        if heredoc {
            self.heredocs.push((target.written(), tabs));
        }
        is_input.then_some(target)
    }

    fn skip_heredocs(&mut self) {
        for (last, tabs) in std::mem::take(&mut self.heredocs) {
            let mut length = 0;
            for line in self.rest().split_inclusive('\n') {
                length += line.len();
                let content = line.trim_end_matches(['\n', '\r']);
                let cut = if tabs {
                    content.trim_start_matches('\t')
                } else {
                    content
                };
                if cut == last {
                    break;
                }
            }
            budget::spend(length);
            self.at += length;
        }
    }

    /// Returns the tokens of a nested script, from behind its `(` to its `)`.
    fn nested(&mut self) -> Vec<Token> {
        let tokens = budget::nested(|| self.all(true));
        if tokens.is_none() {
            self.at = self.script.len();
        }
        self.at = (self.at + 1).min(self.script.len());
        tokens.unwrap_or_default()
    }

    fn word(&mut self) -> Word {
        let mut word = Word::default();
        let start = self.at;
        let mut end = start;
        while let Some(byte) = self.peek() {
            if let Some(next) = self.continuation() {
                self.at = next;
                continue;
            }
            match byte {
                // `(` as well: no relevant command is behind that of `a=(…)` or `f()`.
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                    break;
                }
                b'\'' | b'"' => self.quoted(&mut word, byte),
                b'$' => self.expansion(&mut word, false),
                b'{' if self.expression().is_some() => self.expansion(&mut word, false),
                b'`' if self.dialect == Dialect::Posix => self.expansion(&mut word, false),
                b'\\' if self.dialect == Dialect::Posix => {
                    self.at += 1;
                    self.letter(&mut word);
                }
                b'@' if self.dialect == Dialect::Windows && word.pieces.is_empty() => {
                    // A splat: `@arguments`.
                    let splat = self.at;
                    self.at += 1;
                    self.name();
                    self.push(&mut word, splat, false, PieceKind::Unknown);
                }
                _ => self.letter(&mut word),
            }
            end = self.at;
        }
        if self.at == start {
            // Takes any letter, to advance.
            self.letter(&mut word);
            end = self.at;
        }
        word.span = Span::new(start, end);
        word
    }

    /// Adds the piece from byte `start` on.
    fn push(&self, word: &mut Word, start: usize, quoted: bool, kind: PieceKind) {
        let raw = self.script.get(start..self.at).unwrap_or_default();
        let raw = raw.to_owned();
        word.push(Piece { raw, quoted, kind });
    }

    fn letter(&mut self, word: &mut Word) {
        match self.rest().chars().next() {
            Some(letter) => {
                self.at += letter.len_utf8();
                word.push_letter(letter);
            }
            // The lexer must always advance.
            None => self.at = self.script.len(),
        }
    }

    fn quoted(&mut self, word: &mut Word, quote: u8) {
        self.at += 1;
        word.push_quotes();
        let double = quote == b'"';
        let escapes = double && self.dialect == Dialect::Posix;
        while let Some(byte) = self.peek() {
            match byte {
                _ if byte == quote => {
                    self.at += 1;
                    return;
                }
                b'\\' if escapes => {
                    if let Some(next) = self.continuation() {
                        self.at = next;
                        continue;
                    }
                    let next = self.rest().as_bytes().get(1);
                    self.at += usize::from(matches!(next, Some(b'$' | b'`' | b'"' | b'\\')));
                    self.letter(word);
                }
                b'`' if escapes => self.expansion(word, true),
                b'$' if double => self.expansion(word, true),
                b'$' | b'{' if self.expression().is_some() => self.expansion(word, true),
                _ => self.letter(word),
            }
        }
    }

    /// Returns the mark that closes the expression which begins here.
    fn expression(&self) -> Option<&'static str> {
        let marks = EXPRESSIONS.iter();
        let mut opened = marks.filter(|(open, _)| self.rest().starts_with(open));
        opened.next().map(|(_, close)| *close)
    }

    /// Reads a name, which may be empty.
    fn name(&mut self) -> &'s str {
        let name = name_prefix(self.rest());
        self.at += name.len();
        name
    }

    fn expansion(&mut self, word: &mut Word, quoted: bool) {
        let start = self.at;
        let rest = self.rest();
        let kind = if let Some(close) = self.expression() {
            let end = rest.find(close).map(|at| start + at + close.len());
            self.at = end.unwrap_or(self.script.len());
            PieceKind::Expression
        } else if rest.starts_with("$(") || rest.starts_with('`') {
            let open = rest.starts_with('$');
            let tokens = if open {
                self.substitution()
            } else {
                self.backticks()
            };
            let folder = folder_of(&tokens);
            let is_root = is_root(&tokens);
            word.inner.push(Inner { tokens, open });
            if let Some(folder) = folder {
                for piece in folder {
                    word.push(Piece {
                        quoted: quoted || piece.quoted,
                        ..piece
                    });
                }
                return;
            }
            if is_root {
                variable(REPOSITORY)
            } else {
                PieceKind::Unknown
            }
        } else if rest.starts_with("${") {
            self.at += 2;
            self.braces();
            let inner = self.script.get(start + 2..self.at);
            let name = inner.and_then(|inner| inner.strip_suffix('}'));
            name.filter(|name| is_name(name))
                .map_or(PieceKind::Unknown, variable)
        } else {
            self.at += 1;
            match self.dollar() {
                Some(kind) => kind,
                None => return word.push_letter('$'),
            }
        };
        self.push(word, start, quoted, kind);
    }

    /// Reads `NAME`, `env:NAME` or `1` behind a dollar; `None` where that is only a dollar.
    fn dollar(&mut self) -> Option<PieceKind> {
        let env = self.rest().get(..4);
        if env.is_some_and(|env| env.eq_ignore_ascii_case("env:")) {
            self.at += 4;
            return Some(variable(self.name()));
        }
        let name = self.name();
        if !name.is_empty() {
            return Some(variable(name));
        }
        let special = b"0123456789@*#?-$!".contains(&self.peek()?);
        self.at += usize::from(special);
        special.then_some(PieceKind::Unknown)
    }

    fn substitution(&mut self) -> Vec<Token> {
        self.at += 2;
        // Outer heredocs do not begin behind a line in here.
        let outer = std::mem::take(&mut self.heredocs);
        let tokens = self.nested();
        self.heredocs = outer;
        tokens
    }

    fn backticks(&mut self) -> Vec<Token> {
        let inner = self.at + 1;
        let bytes = self.script.as_bytes();
        let mut close = inner;
        while bytes.get(close).is_some_and(|byte| *byte != b'`') {
            close += if bytes[close] == b'\\' { 2 } else { 1 };
        }
        let close = close.min(bytes.len());
        self.at = (close + 1).min(bytes.len());
        if !self.script.is_char_boundary(close) {
            return Vec::new();
        }
        budget::nested(|| tokens(self.script, Span::new(inner, close), self.dialect))
            .unwrap_or_default()
    }

    /// Skips to behind the `}` of a `${`.
    fn braces(&mut self) {
        let mut depth = 1_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' if self.peek().is_some() => self.at += 1,
                b'$' if self.peek() == Some(b'{') => {
                    self.at += 1;
                    depth += 1;
                }
                b'\'' => {
                    let rest = self.script.as_bytes().get(self.at..).unwrap_or_default();
                    self.at += memchr::memchr(b'\'', rest).map_or(0, |at| at + 1);
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

fn variable(name: &str) -> PieceKind {
    PieceKind::Variable(name.to_owned(), Assigned::Not)
}

/// Returns the words of a script that is one command, or several with `&&` between them.
fn commands(tokens: &[Token]) -> Option<Vec<Vec<&Word>>> {
    let mut commands = vec![Vec::new()];
    for token in tokens {
        match token {
            Token::Word(word) => commands.last_mut()?.push(word),
            Token::Op("&&") => commands.push(Vec::new()),
            Token::Op("\n") => {}
            Token::Op(_) | Token::Input(_) => return None,
        }
    }
    Some(commands)
}

/// Returns the folder that `cd FOLDER && pwd` prints, where a variable begins it: what is written would be seen from
/// another folder.
fn folder_of(tokens: &[Token]) -> Option<Vec<Piece>> {
    let commands = commands(tokens)?;
    let [cd, pwd] = commands.as_slice() else {
        return None;
    };
    let ([cd, folder], [pwd, ..]) = (cd.as_slice(), pwd.as_slice()) else {
        return None;
    };
    let is_it = cd.text() == Some("cd") && pwd.text() == Some("pwd");
    let first = folder.pieces.first()?;
    (is_it && matches!(first.kind, PieceKind::Variable(..))).then(|| folder.pieces.clone())
}

/// Returns whether it prints the root of the repository.
fn is_root(tokens: &[Token]) -> bool {
    let commands = commands(tokens).unwrap_or_default();
    let [command] = commands.as_slice() else {
        return false;
    };
    let words: Vec<Option<&str>> = command.iter().map(|word| word.text()).collect();
    words == [Some("git"), Some("rev-parse"), Some("--show-toplevel")]
}
