use std::rc::Rc;

use crate::budget;
use crate::builds::paths::Text;
use crate::text::{Span, is_name};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `sh`, `bash`, `dash`, `zsh`.
    #[default]
    Posix,
    /// PowerShell and `cmd`: a backslash is an ordinary letter.
    Windows,
}

impl Dialect {
    /// Returns the grammar of a shell, by its name or path; `None` for an unknown one.
    pub fn of(shell: &str) -> Option<Self> {
        match shell.rsplit('/').next()? {
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" => Some(Self::Posix),
            "pwsh" | "powershell" | "cmd" => Some(Self::Windows),
            _ => None,
        }
    }
}

/// One simple command; assignments that stand alone are one without words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// The words without redirections, keywords and leading assignments.
    pub words: Vec<Word>,
    /// The assignments before it: `A=1` of `A=1 docker build .`.
    pub sets: Vec<(String, Word)>,
    /// The folder it runs in, relative to the script's; `None` where unknown.
    pub folder: Option<String>,
    /// True where a word inserted here reaches the shell as written: not within double quotes or backticks.
    pub open: bool,
    /// True within a `case`: which part of that runs, only a run knows.
    pub is_choice: bool,
    /// True where a variable stood before its words that may be `sudo`, or nothing.
    pub behind_variable: bool,
    /// The file that its standard input is: `cat FILE | docker build -`, `docker build - < FILE`.
    pub input: Option<Word>,
}

/// A variable that a script sets for the commands below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// `None` where it keeps its value.
    pub value: Option<Word>,
    /// True where the commands below get it in their environment, even if it was not there before.
    pub exported: bool,
    /// True where it is no variable any more.
    pub unset: bool,
}

/// The variable that stands for `$(git rev-parse --show-toplevel)`, the root of the repository.
pub const REPOSITORY: &str = "CACHELANE_REPOSITORY";

/// Commands that set variables by `NAME=value` words.
pub(super) const SETTERS: &[&str] = &["export", "readonly", "local", "declare", "typeset"];

impl Simple {
    pub fn variables(&self) -> Vec<Variable> {
        let variable = |name: &str, value, exported| Variable {
            name: name.to_owned(),
            value,
            exported,
            unset: false,
        };
        let Some((first, rest)) = self.words.split_first() else {
            let plain = |(name, word): &(String, Word)| variable(name, Some(word.clone()), false);
            return self.sets.iter().map(plain).collect();
        };
        let first = first.text().unwrap_or_default();
        if first == "unset" {
            let names = rest.iter().filter_map(Word::text);
            let names = names.filter(|name| is_name(name));
            let unset = |name| Variable {
                unset: true,
                ..variable(name, None, false)
            };
            return names.map(unset).collect();
        }
        if !SETTERS.contains(&first) {
            return Vec::new();
        }
        let exported = first == "export" || rest.iter().any(|word| word.text() == Some("-x"));
        let set = |word: &Word| match word.assignment() {
            Some((name, value)) => Some(variable(name, Some(value), exported)),
            None => Some(variable(
                word.text().filter(|name| is_name(name))?,
                None,
                exported,
            )),
        };
        rest.iter().filter_map(set).collect()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The place in the script, quotes included.
    pub span: Span,
    /// The pieces in order, without quotes and escapes.
    pub pieces: Vec<Piece>,
    /// The scripts of `$(…)` and backticks.
    pub(super) inner: Vec<Inner>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    /// The file that the command before it reads: `< FILE`.
    Input(Word),
    /// An operator, or the end of a line as `\n`.
    Op(&'static str),
}

impl Token {
    pub(super) const fn word(&self) -> Option<&Word> {
        match self {
            Self::Word(word) => Some(word),
            Self::Input(_) | Self::Op(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) tokens: Vec<Token>,
    /// As [`Simple::open`].
    pub(super) open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// As written, without quotes and escapes.
    pub raw: String,
    pub quoted: bool,
    pub kind: PieceKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceKind {
    Text,
    /// `$NAME` or `${NAME}`, with the script's value for it.
    Variable(String, Assigned),
    /// An expression of the CI system: `${{ matrix.os }}`, `$[[ inputs.tag ]]`, `{{matrix}}`.
    Expression,
    /// Anything else that only a run can know: `$(date)`, `${A:-b}`, `$@`.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assigned {
    Not,
    /// Once, before any use, on every path of the script.
    To(Rc<Word>),
    /// More than once, or on some paths only.
    Unclear,
}

/// A value that a word needs from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'n> {
    /// A variable that the script does not set.
    Variable(&'n str),
    /// An expression as written, its marks included.
    Expression(&'n str),
}

/// Returns the value of a variable or an expression, where known.
pub type Values<'v> = dyn Fn(Lookup<'_>) -> Option<Text> + 'v;

impl Piece {
    fn text(text: impl Into<String>) -> Self {
        Self {
            raw: text.into(),
            quoted: false,
            kind: PieceKind::Text,
        }
    }

    fn is_text(&self) -> bool {
        self.kind == PieceKind::Text
    }

    fn lookup(&self) -> Option<Lookup<'_>> {
        match &self.kind {
            PieceKind::Variable(name, Assigned::Not) => Some(Lookup::Variable(name)),
            PieceKind::Expression => Some(Lookup::Expression(&self.raw)),
            _ => None,
        }
    }

    fn splits(&self) -> bool {
        let lists =
            self.kind == PieceKind::Unknown && (self.raw == "$@" || self.raw.contains("[@]"));
        !self.is_text() && (!self.quoted || lists)
    }
}

impl Word {
    /// Makes a word of an `argv`, without a place.
    pub fn plain(text: &str) -> Self {
        Self {
            pieces: vec![Piece::text(text)],
            ..Self::default()
        }
    }

    /// Returns the text, where all of it is known.
    pub fn text(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [piece] if piece.is_text() => Some(&piece.raw),
            _ => None,
        }
    }

    pub fn written(&self) -> String {
        self.pieces.iter().map(|piece| piece.raw.as_str()).collect()
    }

    /// Returns the text with the known values; `None` where a piece stays unknown.
    pub fn resolve(&self, values: &Values<'_>) -> Option<Text> {
        let mut text = Text::default();
        for piece in &self.pieces {
            if !budget::spend(1 + text.text.len()) {
                return None;
            }
            text.push(&match &piece.kind {
                PieceKind::Text => piece.raw.as_str().into(),
                PieceKind::Variable(_, Assigned::To(word)) => {
                    budget::nested(|| word.resolve(values))??
                }
                _ => values(piece.lookup()?)?,
            })?;
        }
        Some(text)
    }

    /// Returns the value, as written, of a word that is one known variable; the word as written otherwise.
    pub fn value(&self, written: &dyn Fn(Lookup<'_>) -> Option<String>) -> String {
        let [piece] = self.pieces.as_slice() else {
            return self.written();
        };
        if let PieceKind::Variable(_, Assigned::To(word)) = &piece.kind {
            return budget::nested(|| word.value(written)).unwrap_or_default();
        }
        let known = piece.lookup().and_then(written);
        known.unwrap_or_else(|| piece.raw.clone())
    }

    /// Returns whether it can turn into several words, or none: an unquoted `$ARGS`, `"$@"`.
    pub fn may_be_several(&self) -> bool {
        let is_empty = |piece: &Piece| piece.is_text() && piece.raw.is_empty();
        let mut pieces = self.pieces.iter();
        pieces.clone().any(Piece::splits) && pieces.all(|piece| piece.splits() || is_empty(piece))
    }

    /// Returns the known text that it begins with.
    pub fn head(&self) -> &str {
        let first = self.pieces.first().filter(|piece| piece.is_text());
        first.map_or("", |piece| &piece.raw)
    }

    /// Returns the word behind its first `bytes` bytes, which must be known text.
    pub fn behind(&self, bytes: usize) -> Option<Self> {
        let rest = self.head().get(bytes..)?;
        let others = self.pieces.get(1..).unwrap_or_default();
        let first = (!rest.is_empty() || others.is_empty()).then(|| Piece::text(rest));
        Some(Self {
            span: self.span,
            pieces: first.into_iter().chain(others.iter().cloned()).collect(),
            inner: Vec::new(),
        })
    }

    /// Splits `NAME=value`, where the text before the first `=` is known.
    pub fn assignment(&self) -> Option<(&str, Self)> {
        let (name, _) = self.head().split_once('=')?;
        Some((name, self.behind(name.len() + 1)?))
    }

    /// Adds a piece; an empty text, which quotes leave, stays only in an otherwise empty word.
    pub(super) fn push(&mut self, piece: Piece) {
        match self.pieces.last() {
            Some(last) if last.is_text() && piece.is_text() && piece.raw.is_empty() => return,
            Some(last) if last.is_text() && last.raw.is_empty() => drop(self.pieces.pop()),
            _ => {}
        }
        self.pieces.push(piece);
    }

    pub(super) fn push_quotes(&mut self) {
        self.push(Piece::text(""));
    }

    pub(super) fn push_letter(&mut self, letter: char) {
        match self.pieces.last_mut() {
            Some(last) if last.is_text() => last.raw.push(letter),
            _ => self.pieces.push(Piece::text(letter)),
        }
    }
}
