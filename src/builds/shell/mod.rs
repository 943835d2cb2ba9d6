//! Shell scripts, as far as it takes to see which commands they run with which words.
//!
//! [`read`] gives the simple commands of a script in order, each with the folder it runs in. Nothing is expanded that
//! only a run can know: such a piece of a word stays as it is written. The grammar is that of the POSIX shell ("Shell
//! Command Language"), with what is common in pipelines: `[[`, here-strings, expressions of CI systems
//! (`${{ … }}`), which are replaced before any shell runs, and the lines that PowerShell and `cmd` continue with `` ` `` and
//! `^`.

mod expand;
mod lex;
mod track;

use std::rc::Rc;

use crate::budget;
use crate::text::Span;

pub use lex::is_name;
pub use track::{ROOT, join, read};

/// The grammar that a script is read by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `sh`, `bash`, `dash`, `zsh`.
    #[default]
    Posix,
    /// PowerShell and `cmd`: a backslash is a letter like any other.
    Windows,
}

impl Dialect {
    /// Returns what a shell reads, by its name or path; `None` for what is no shell known here.
    #[must_use]
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
    /// Its words; redirections, keywords and leading assignments are not among them.
    pub words: Vec<Word>,
    /// The assignments before it: `A=1` of `A=1 docker build .`.
    pub sets: Vec<(String, Word)>,
    /// The folder it runs in, relative to what the script starts from; `None` where that cannot be known.
    pub folder: Option<String>,
    /// Whether a word that is put into it reaches the shell as it is written: not within double quotes or backticks.
    pub open: bool,
}

/// A variable that a script sets for what comes below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; `None` where it keeps the one that it has.
    pub value: Option<Word>,
    /// Whether the commands below get it in their environment, if it was not there before.
    pub exported: bool,
}

impl Simple {
    /// The variables that it sets for what comes below.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable> {
        let Some((first, rest)) = self.words.split_first() else {
            let plain = |(name, value): &(String, Word)| Variable {
                name: name.clone(),
                value: Some(value.clone()),
                exported: false,
            };
            return self.sets.iter().map(plain).collect();
        };
        let first = first.text().unwrap_or_default();
        if !track::SETTERS.contains(&first) {
            return Vec::new();
        }
        let exported = first == "export" || rest.iter().any(|word| word.text() == Some("-x"));
        let set = |word: &Word| {
            if let Some((name, value)) = word.assignment() {
                return Some(Variable {
                    name: name.to_owned(),
                    value: Some(value),
                    exported,
                });
            }
            let name = word.text().filter(|name| is_name(name))?.to_owned();
            Some(Variable {
                name,
                value: None,
                exported,
            })
        };
        rest.iter().filter_map(set).collect()
    }
}

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Where it stands in the script, its quotes included.
    pub span: Span,
    /// Its pieces in order, quotes and escapes taken off.
    pub pieces: Vec<Piece>,
    /// The scripts within it: those of `$(…)` and backticks.
    pub(crate) inner: Vec<lex::Inner>,
}

/// A piece of a [`Word`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands for itself.
    Text(String),
    /// `$NAME` or `${NAME}`.
    Variable {
        /// Its name.
        name: String,
        /// As written.
        raw: String,
        /// Whether it stands in double quotes.
        quoted: bool,
        /// What the script has set it to.
        set: Set,
    },
    /// An expression of the CI system, as written: `${{ matrix.os }}`.
    Expression {
        /// As written.
        raw: String,
        /// Whether it stands in quotes.
        quoted: bool,
    },
    /// Anything else that only a run can know, as written: `$(date)`, `${A:-b}`, `$@`.
    Unknown {
        /// As written.
        raw: String,
        /// Whether it stands in double quotes.
        quoted: bool,
    },
}

/// What a script has set a variable to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Set {
    /// It does not set it.
    Not,
    /// Once, before any use, whatever way the script takes.
    To(Rc<Word>),
    /// More than once, or on some ways only.
    Unclear,
}

/// What a word needs from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need<'n> {
    /// The value of a variable that the script does not set.
    Variable(&'n str),
    /// The value of an expression, given as it is written, `${{` and `}}` included.
    Expression(&'n str),
}

/// Says what a variable or an expression stands for, where that is known.
pub type Values<'v> = dyn Fn(Need<'_>) -> Option<String> + 'v;

impl Piece {
    /// As written, quotes and escapes taken off.
    fn raw(&self) -> &str {
        match self {
            Self::Text(raw)
            | Self::Variable { raw, .. }
            | Self::Expression { raw, .. }
            | Self::Unknown { raw, .. } => raw,
        }
    }

    /// Whether it can turn into several words, or none.
    fn splits(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Variable { quoted, .. } | Self::Expression { quoted, .. } => !quoted,
            Self::Unknown { raw, quoted } => !quoted || raw == "$@" || raw.contains("[@]"),
        }
    }
}

impl Word {
    /// A word that is just `text`, without a place: of an `argv`.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self {
            span: Span::at(0),
            pieces: vec![Piece::Text(text.into())],
            inner: Vec::new(),
        }
    }

    /// Its text, where nothing in it is unknown.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// As written, quotes and escapes taken off.
    #[must_use]
    pub fn written(&self) -> String {
        self.pieces.iter().map(Piece::raw).collect()
    }

    /// Its text, with what `values` knows put in; `None` where a piece stays unknown.
    #[must_use]
    pub fn resolve(&self, values: &Values<'_>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.pieces {
            if !budget::spend(1 + text.len()) {
                return None;
            }
            match piece {
                Piece::Text(known) => text.push_str(known),
                Piece::Variable {
                    set: Set::To(word), ..
                } => text.push_str(&budget::nested(|| word.resolve(values))??),
                Piece::Variable {
                    name,
                    set: Set::Not,
                    ..
                } => text.push_str(&values(Need::Variable(name))?),
                Piece::Expression { raw, .. } => text.push_str(&values(Need::Expression(raw))?),
                Piece::Variable { .. } | Piece::Unknown { .. } => return None,
            }
        }
        Some(text)
    }

    /// As written; where it is one variable whose value is known, that value, as that is written.
    #[must_use]
    pub fn value(&self, values: &Values<'_>) -> String {
        match self.pieces.as_slice() {
            [
                Piece::Variable {
                    set: Set::To(word), ..
                },
            ] => budget::nested(|| word.value(values)).unwrap_or_default(),
            [
                Piece::Variable {
                    name,
                    raw,
                    set: Set::Not,
                    ..
                },
            ] => values(Need::Variable(name)).unwrap_or_else(|| raw.clone()),
            [Piece::Expression { raw, .. }] => {
                values(Need::Expression(raw)).unwrap_or_else(|| raw.clone())
            }
            _ => self.written(),
        }
    }

    /// Whether it can turn into several words, or none: an unquoted `$ARGS`, `"$@"`.
    #[must_use]
    pub fn may_be_several(&self) -> bool {
        let only_known = |piece: &Piece| matches!(piece, Piece::Text(text) if text.is_empty());
        self.pieces.iter().any(Piece::splits)
            && self
                .pieces
                .iter()
                .all(|piece| piece.splits() || only_known(piece))
    }

    /// The text it begins with, as far as that is known.
    #[must_use]
    pub fn head(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// The word behind its first `bytes` bytes, which must be known text.
    #[must_use]
    pub fn behind(&self, bytes: usize) -> Option<Self> {
        let rest = self.head().get(bytes..)?;
        let mut pieces = vec![Piece::Text(rest.into())];
        pieces.extend(self.pieces.iter().skip(1).cloned());
        if rest.is_empty() && pieces.len() > 1 {
            pieces.remove(0);
        }
        Some(Self {
            span: self.span,
            pieces,
            inner: Vec::new(),
        })
    }

    /// Cuts `NAME=value` in two, where what stands before the first `=` is known.
    #[must_use]
    pub fn assignment(&self) -> Option<(&str, Self)> {
        let (name, _) = self.head().split_once('=')?;
        Some((name, self.behind(name.len() + 1)?))
    }
}
