//! Words with variables in them: `apt-${CACHE_ID:-default}`.
//!
//! Reads a value like BuildKit's shell lexer (`ProcessWord` in `frontend/dockerfile/shell/lex.go`), but keeps the parts,
//! so that rules can ask for the variables of an id and their forms.

use bstr::ByteSlice as _;

use crate::budget;

/// A value as text and variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The parts in order; text is unquoted and stands in runs of its own.
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(Vec<u8>),
    Variable(Variable),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name; for `$1` or `$?` the digit or sign.
    pub name: String,
    /// The form of the reference.
    pub form: Form,
}

/// The forms of a reference. `or_empty` is the colon: an empty value counts as unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// `$NAME` or `${NAME}`.
    Plain,
    /// `${NAME-word}`, `${NAME:-word}`: the word where the variable is unset.
    Default {
        /// True with the colon.
        or_empty: bool,
        word: Word,
    },
    /// `${NAME+word}`, `${NAME:+word}`: the word where the variable is set, else nothing.
    Alternative {
        /// True with the colon.
        or_empty: bool,
        word: Word,
    },
    /// `${NAME?word}`, `${NAME:?word}`: an error where the variable is unset.
    Required(Word),
    /// `#`, `%` and `/`, which change the value; the word starts with the sign.
    Other(Word),
}

impl Form {
    pub const fn word(&self) -> Option<&Word> {
        match self {
            Self::Plain => None,
            Self::Default { word, .. }
            | Self::Alternative { word, .. }
            | Self::Required(word)
            | Self::Other(word) => Some(word),
        }
    }
}

/// A value that BuildKit's lexer refuses (`${`, an open quote), or that nests too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl Word {
    /// Reads `value`, whose instruction-level quotes are gone already, with the file's escape character.
    ///
    /// # Errors
    /// [`Unreadable`] where BuildKit's lexer reports an error.
    pub fn read(value: &[u8], escape: u8) -> Result<Self, Unreadable> {
        budget::spend(1 + value.len());
        if Self::is_text(value, escape) {
            return Ok(Self {
                parts: vec![Part::Text(value.into())],
            });
        }
        WordReader {
            value,
            at: 0,
            escape,
        }
        .until(None)
    }

    /// Returns whether `value` is obviously plain text to BuildKit's lexer.
    pub fn is_text(value: &[u8], escape: u8) -> bool {
        memchr::memchr3(b'$', b'\'', b'"', value).is_none()
            && memchr::memchr(escape, value).is_none()
    }

    /// Returns the variables of the word, nested ones behind the one around them.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        let mut open = vec![self.parts.iter()];
        std::iter::from_fn(move || {
            loop {
                match open.last_mut()?.next() {
                    None => drop(open.pop()),
                    Some(Part::Text(_)) => {}
                    Some(Part::Variable(variable)) => {
                        open.extend(variable.form.word().map(|word| word.parts.iter()));
                        return Some(variable);
                    }
                }
            }
        })
    }

    /// Returns whether the word refers to the variable `name`, at any depth.
    pub fn mentions(&self, name: &str) -> bool {
        self.variables().any(|variable| variable.name == name)
    }

    pub fn has_variable(&self) -> bool {
        self.variables().next().is_some()
    }

    /// Returns whether it is nothing, whatever its variables are.
    pub fn is_empty(&self) -> bool {
        let is_empty = |part: &Part| matches!(part, Part::Text(text) if text.is_empty());
        self.parts.iter().all(is_empty)
    }

    /// Returns the word's text; `None` with a variable.
    pub fn text_alone(&self) -> Option<Vec<u8>> {
        let text = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Variable(_) => None,
        };
        let texts: Option<Vec<_>> = self.parts.iter().map(text).collect();
        texts.map(|texts| texts.concat())
    }

    /// Returns the word with every `$NAME` as `${NAME}`, so that words that always expand alike read alike.
    pub fn canonical(&self) -> Vec<u8> {
        // A literal dollar must not read like a variable.
        self.spelled("\\$")
    }

    /// Returns the word without quotes and escapes, every variable as `${NAME}` and every other dollar as `dollar`.
    pub fn spelled(&self, dollar: &str) -> Vec<u8> {
        let mut text = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(piece) => text.extend(piece.replace("$", dollar)),
                Part::Variable(Variable { name, form }) => {
                    let operator = match form {
                        Form::Plain => "",
                        Form::Default { or_empty: true, .. } => ":-",
                        Form::Default { .. } => "-",
                        Form::Alternative { or_empty: true, .. } => ":+",
                        Form::Alternative { .. } => "+",
                        Form::Required(_) => "?",
                        Form::Other(_) => "/",
                    };
                    text.extend_from_slice(format!("${{{name}{operator}").as_bytes());
                    let inner = form.word().map(|word| word.spelled(dollar));
                    text.extend(inner.unwrap_or_default());
                    text.push(b'}');
                }
            }
        }
        text
    }

    /// Returns the word's value with variables from `lookup` (`None`: unset); `None` where it has a form that cannot be
    /// expanded here.
    pub fn expand(&self, lookup: &mut impl FnMut(&str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for part in &self.parts {
            let before = text.len();
            match part {
                Part::Text(piece) => text.extend_from_slice(piece),
                Part::Variable(variable) => {
                    let value = lookup(&variable.name);
                    let is_set =
                        |or_empty: bool| value.as_ref().is_some_and(|v| !or_empty || !v.is_empty());
                    match &variable.form {
                        Form::Plain => text.extend(value.unwrap_or_default()),
                        Form::Default { or_empty, .. } if is_set(*or_empty) => {
                            text.extend(value.unwrap_or_default());
                        }
                        Form::Alternative { or_empty, .. } if !is_set(*or_empty) => {}
                        Form::Default { word, .. } | Form::Alternative { word, .. } => {
                            text.extend(word.expand(lookup)?);
                        }
                        Form::Required(_) if is_set(false) => {
                            text.extend(value.unwrap_or_default());
                        }
                        Form::Required(_) | Form::Other(_) => return None,
                    }
                }
            }
            if !budget::spend(1 + text.len() - before) {
                return None;
            }
        }
        Some(text)
    }
}

struct WordReader<'v> {
    value: &'v [u8],
    at: usize,
    escape: u8,
}

impl WordReader<'_> {
    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn until(&mut self, stop: Option<u8>) -> Result<Word, Unreadable> {
        budget::nested(|| self.until_inner(stop)).unwrap_or(Err(Unreadable))
    }

    fn until_inner(&mut self, stop: Option<u8>) -> Result<Word, Unreadable> {
        let mut word = Word::default();
        loop {
            match self.peek() {
                None if stop.is_some() => return Err(Unreadable),
                None => break,
                Some(byte) if Some(byte) == stop => {
                    self.at += 1;
                    break;
                }
                Some(b'\'') => self.single_quoted(&mut word)?,
                Some(b'"') => self.double_quoted(&mut word)?,
                Some(b'$') => self.dollar(&mut word)?,
                Some(byte) => {
                    self.at += 1;
                    if byte != self.escape {
                        word.text(byte);
                    } else if let Some(escaped) = self.next() {
                        word.text(escaped);
                    }
                }
            }
        }
        Ok(word)
    }

    fn single_quoted(&mut self, word: &mut Word) -> Result<(), Unreadable> {
        self.at += 1;
        loop {
            match self.next().ok_or(Unreadable)? {
                b'\'' => return Ok(()),
                byte => word.text(byte),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut Word) -> Result<(), Unreadable> {
        self.at += 1;
        loop {
            match self.peek().ok_or(Unreadable)? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'$' => self.dollar(word)?,
                byte => {
                    self.at += 1;
                    match self.peek() {
                        Some(next)
                            if byte == self.escape
                                && (matches!(next, b'"' | b'$') || next == self.escape) =>
                        {
                            self.at += 1;
                            word.text(next);
                        }
                        None if byte == self.escape => {}
                        _ => word.text(byte),
                    }
                }
            }
        }
    }

    fn dollar(&mut self, word: &mut Word) -> Result<(), Unreadable> {
        self.at += 1;
        if self.peek() != Some(b'{') {
            match self.name() {
                name if name.is_empty() => word.text(b'$'),
                name => word.parts.push(Part::Variable(Variable {
                    name,
                    form: Form::Plain,
                })),
            }
            return Ok(());
        }
        self.at += 1;
        if matches!(self.peek(), None | Some(b'{' | b'}' | b':')) {
            return Err(Unreadable);
        }
        let name = self.name();
        let mut operator = self.next().ok_or(Unreadable)?;
        let or_empty = operator == b':';
        if or_empty {
            operator = self.next().ok_or(Unreadable)?;
        }
        let form = match operator {
            b'-' => Form::Default {
                or_empty,
                word: self.until(Some(b'}'))?,
            },
            b'+' => Form::Alternative {
                or_empty,
                word: self.until(Some(b'}'))?,
            },
            b'?' => Form::Required(self.until(Some(b'}'))?),
            _ if or_empty => return Err(Unreadable),
            b'}' => Form::Plain,
            b'#' | b'%' => Form::Other(self.until(Some(b'}'))?.behind(operator)),
            b'/' => {
                self.at += usize::from(self.peek() == Some(b'/'));
                let mut change = self.until(Some(b'/'))?.behind(operator);
                let replacement = self.until(Some(b'}'))?.behind(operator);
                change.parts.extend(replacement.parts);
                Form::Other(change)
            }
            _ => return Err(Unreadable),
        };
        word.parts.push(Part::Variable(Variable { name, form }));
        Ok(())
    }

    /// Reads a name behind `$` or `${`: letters, digits and underscores, a number, or a special sign of the shell.
    fn name(&mut self) -> String {
        let start = self.at;
        match self.peek() {
            Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => self.at += 1,
            first => {
                let digits = first.is_some_and(|byte| byte.is_ascii_digit());
                let is_part = |byte: u8| {
                    byte.is_ascii_digit() || !digits && (byte.is_ascii_alphabetic() || byte == b'_')
                };
                while self.peek().is_some_and(is_part) {
                    self.at += 1;
                }
            }
        }
        String::from_utf8_lossy(&self.value[start..self.at]).into_owned()
    }
}

impl Word {
    /// Appends `-${name}`.
    pub fn with_suffix(mut self, name: &str) -> Self {
        self.text(b'-');
        self.parts.push(Part::Variable(Variable {
            name: name.into(),
            form: Form::Plain,
        }));
        self
    }

    /// Appends `${name:+-${name}}`, which is empty where the variable is unset or empty.
    pub fn with_optional_suffix(mut self, name: &str) -> Self {
        let form = Form::Alternative {
            or_empty: true,
            word: Self::default().with_suffix(name),
        };
        self.parts.push(Part::Variable(Variable {
            name: name.into(),
            form,
        }));
        self
    }

    /// Prepends `sign`, which distinguishes the operators of one form.
    fn behind(mut self, sign: u8) -> Self {
        self.parts.insert(0, Part::Text(vec![sign]));
        self
    }

    fn text(&mut self, byte: u8) {
        if let Some(Part::Text(text)) = self.parts.last_mut() {
            text.push(byte);
        } else {
            self.parts.push(Part::Text(vec![byte]));
        }
    }
}
