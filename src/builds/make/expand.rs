//! The scripts of recipes, with make's variables put in.

use super::file::{Makefile, Recipe};
use crate::budget;
use crate::builds::jobs::Piece;
use crate::text::{SourceMap, is_name};

/// The values of `$@`, `$<` and `$^`.
#[derive(Clone, Copy)]
pub(super) struct Automatic<'r> {
    target: &'r str,
    before: &'r [String],
}

/// A text for the shell, with the places of what stands in the file.
#[derive(Default)]
struct Out {
    text: String,
    map: SourceMap,
    /// The variables that it is the value of, each of the one before.
    open: Vec<String>,
}

impl Out {
    fn push(&mut self, text: &str, place: Option<usize>) {
        if let Some(place) = place {
            self.map.push(self.text.len(), place, text.len());
        }
        self.text.push_str(text);
    }
}

impl Makefile<'_> {
    /// Returns the scripts that a recipe runs for `target`, one after the other.
    pub fn scripts(&self, recipe: &Recipe, target: &str) -> Vec<Piece> {
        let automatic = Automatic {
            target,
            before: &recipe.before,
        };
        let mut scripts = Vec::new();
        let mut out = Out::default();
        for line in &recipe.lines {
            let text = self.text(*line);
            // `@` hides the command, `-` ignores its failure, `+` runs it always.
            let rest = text.trim_start_matches([' ', '\t', '@', '-', '+']);
            let start = line.start + (text.len() - rest.len());
            self.expand(rest, Some(start), Some(automatic), &mut out);
            if !self.one_shell {
                scripts.push(std::mem::take(&mut out));
            }
        }
        scripts.push(out);
        let piece = |out: Out| Piece {
            text: out.text,
            map: out.map,
            write: |text| text.replace('$', "$$"),
        };
        scripts.into_iter().map(piece).collect()
    }

    /// Returns `text` as a shell gets it.
    pub(super) fn expanded(&self, text: &str, automatic: Option<Automatic<'_>>) -> String {
        let mut out = Out::default();
        self.expand(text, None, automatic, &mut out);
        out.text
    }

    /// Returns the value of a variable that is set once for all.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        self.value_in(name, &[])
    }

    /// Returns the value of a variable that stands within the values of `open`.
    fn value_in(&self, name: &str, open: &[String]) -> Option<String> {
        // One that is made of itself has no value, and make refuses it.
        let is_open = open.iter().any(|open| open == name);
        let set = self.variables.get(name).filter(|_| !is_open)?;
        let text = self.text(set.value?);
        let mut text = text.replace("\\\r\n", " ").replace("\\\n", " ");
        if set.is_command {
            text = format!("$(shell {text})");
        }
        let mut out = Out {
            open: [open, &[name.to_owned()]].concat(),
            ..Out::default()
        };
        budget::nested(|| self.expand(&text, None, None, &mut out))?;
        Some(out.text)
    }

    /// Adds `text`, which stands at byte `place` of the file, if anywhere.
    fn expand(
        &self,
        text: &str,
        place: Option<usize>,
        automatic: Option<Automatic<'_>>,
        out: &mut Out,
    ) {
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let here = |rest: &str| place.map(|place| place + (text.len() - rest.len()));
            if !budget::spend(16 + out.text.len() / 64) {
                return;
            }
            out.push(&rest[..at], here(rest));
            rest = &rest[at..];
            let len = reference(rest);
            let own = &rest[..len];
            if own == "$$" {
                out.push("$", here(&rest[1..]));
            } else {
                self.reference(own, automatic, out);
            }
            rest = &rest[len..];
        }
        let end = place.map(|place| place + (text.len() - rest.len()));
        out.push(rest, end);
    }

    /// Adds what a reference stands for. What the environment has is a shell's variable then, and what is unknown a
    /// command's output.
    fn reference(&self, own: &str, automatic: Option<Automatic<'_>>, out: &mut Out) {
        let name = own.trim_start_matches('$');
        let inner = name.strip_prefix(['(', '{']);
        let inner = inner.and_then(|inner| inner.strip_suffix([')', '}']));
        let name = inner.unwrap_or(name);
        let known = match (name, automatic) {
            ("@", Some(auto)) if !auto.target.contains('%') => Some(auto.target.to_owned()),
            ("<", Some(auto)) => auto
                .before
                .first()
                .cloned()
                .filter(|name| !name.contains('%')),
            ("^" | "+", Some(auto)) if !auto.before.iter().any(|name| name.contains('%')) => {
                Some(auto.before.join(" "))
            }
            ("MAKE", _) => Some("make".to_owned()),
            ("CURDIR" | "PWD", _) => Some("${CURDIR}".to_owned()),
            _ => None,
        };
        if let Some(known) = known {
            return out.push(&known, None);
        }
        let Some(set) = self.variables.get(name) else {
            let is_environment = is_name(name) && !self.includes;
            let text = if is_environment {
                format!("${{{name}}}")
            } else {
                unknown(own, name)
            };
            return out.push(&text, None);
        };
        match self
            .value_in(name, &out.open)
            .filter(|_| budget::spend(own.len()))
        {
            Some(value) if set.is_default && is_argument(&out.text) && is_plain(&value) => {
                out.push(&format!("${{{name}:-{value}}}"), None);
            }
            // What the environment may set instead is no command's output.
            Some(value) if !(set.is_default && value.contains("$(shell ")) => {
                out.push(&value, None);
            }
            _ => out.push(&unknown(own, name), None),
        }
    }
}

fn unknown(own: &str, name: &str) -> String {
    if own.starts_with("$(") || !is_name(name) && own.starts_with("${") {
        own.to_owned()
    } else {
        format!("$({name})")
    }
}

/// Returns whether a script ends in the value of a build argument, which the environment may set.
fn is_argument(script: &str) -> bool {
    let word = script.rsplit([' ', '\t']).next().unwrap_or_default();
    let before = script[..script.len() - word.len()].trim_end();
    let word = word.strip_prefix("--build-arg=").unwrap_or(word);
    (before.ends_with("--build-arg") || script.ends_with(&format!("--build-arg={word}")))
        && word.contains('=')
}

fn is_plain(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/@-".contains(&byte);
    value.bytes().all(plain)
}

/// Returns the length of the reference that `text` begins with: `$$`, `$@`, `$(NAME)`, `${NAME}`.
fn reference(text: &str) -> usize {
    let (open, close) = match text.as_bytes().get(1) {
        Some(b'(') => (b'(', b')'),
        Some(b'{') => (b'{', b'}'),
        Some(_) => return 1 + text[1..].chars().next().map_or(0, char::len_utf8),
        None => return 1,
    };
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    text.len()
}
