//! The scripts of recipes, with make's variables put in.

use super::file::{Made, Makefile, Recipe};
use super::functions::Function;
use super::out::{Automatic, MARKS, Out, Scripts};
use crate::budget;
use crate::builds::jobs::Piece;
use crate::text::{Span, is_name};

/// The usual ways to name the folder that recipes run in, and the root of the repository, each with that of a shell.
const FOLDERS: &[(&str, &str)] = &[
    ("$(shell pwd)", "${CURDIR}"),
    ("$(abspath .)", "${CURDIR}"),
    ("$(realpath .)", "${CURDIR}"),
    (
        "$(shell git rev-parse --show-toplevel)",
        "$(git rev-parse --show-toplevel)",
    ),
];

impl Makefile<'_> {
    /// Returns the scripts that a recipe runs for `target`, one after the other.
    pub fn scripts(&self, recipe: &Recipe, target: &str) -> Scripts {
        let automatic = Automatic {
            target,
            before: &recipe.before,
        };
        let (mut scripts, mut unseen) = (Vec::new(), Vec::new());
        let mut out = Out::default();
        for line in &recipe.lines {
            let text = self.text(*line);
            let rest = text.trim_start_matches(MARKS);
            let rest = rest[self.quiet(rest)..].trim_start_matches(MARKS);
            let start = line.start + (text.len() - rest.len());
            self.expand(rest, Some(start), Some(automatic), &mut out);
            let place = Span::new(start, start + rest.trim_end().len());
            unseen.extend(out.unseen.drain(..).map(|why| (place, why)));
            if !self.one_shell {
                std::mem::take(&mut out).split(start, &mut scripts);
            }
        }
        if self.one_shell {
            scripts.push((out.text, out.map));
        }
        let piece = |(text, map)| Piece {
            text,
            map,
            write: |text| text.replace('$', "$$"),
        };
        Scripts {
            pieces: scripts.into_iter().map(piece).collect(),
            unseen,
        }
    }

    /// Returns the length of a reference before a command that stands for such a mark, or for nothing: `$(Q)docker`.
    fn quiet(&self, line: &str) -> usize {
        let len = if line.starts_with('$') {
            reference(line)
        } else {
            0
        };
        let is_glued =
            line[len..].starts_with(|next: char| next.is_ascii_alphabetic() || next == '$');
        let name = line[..len].trim_start_matches(['$', '(', '{']);
        let name = name.trim_end_matches([')', '}']);
        let value = self.value(name).unwrap_or_default();
        if is_glued && is_name(name) && value.chars().all(|mark| "@-+ ".contains(mark)) {
            len
        } else {
            0
        }
    }

    /// Returns `text` as a shell gets it within what `out` is made of.
    pub(super) fn within(&self, text: &str, automatic: Option<Automatic<'_>>, out: &Out) -> String {
        let mut inner = Out {
            open: out.open.clone(),
            locals: out.locals.clone(),
            ..Out::default()
        };
        let _ = budget::nested(|| self.expand(text, None, automatic, &mut inner));
        inner.text
    }

    /// Adds what the variable `name` has, by `$(call name,…)` or `$(name)`; returns false where that is not known.
    pub(super) fn body(&self, name: &str, automatic: Option<Automatic<'_>>, out: &mut Out) -> bool {
        let is_open = out.open.iter().any(|open| open == name);
        let Some(set) = self.variables.get(name).filter(|_| !is_open) else {
            return false;
        };
        let Some(span) = set
            .value
            .filter(|_| set.made != Made::Command && budget::spend(name.len()))
        else {
            return false;
        };
        if set.is_define {
            self.used.borrow_mut().insert(name.to_owned());
        }
        out.open.push(name.to_owned());
        let place = set.is_define.then_some(span.start);
        let done = budget::nested(|| self.expand(self.text(span), place, automatic, out));
        out.open.pop();
        done.is_some()
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
        if set.made == Made::Command {
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
    pub(super) fn expand(
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
                self.reference(own, here(rest), automatic, out);
            }
            rest = &rest[len..];
        }
        let end = place.map(|place| place + (text.len() - rest.len()));
        out.push(rest, end);
    }

    /// Adds what a reference stands for. What the environment has is a shell's variable then, and what is unknown a
    /// command's output.
    fn reference(
        &self,
        own: &str,
        place: Option<usize>,
        automatic: Option<Automatic<'_>>,
        out: &mut Out,
    ) {
        if let Some((_, folder)) = FOLDERS.iter().find(|(text, _)| *text == own) {
            return out.push(folder, None);
        }
        if let Some(function) = Function::read(own, place) {
            let done = budget::nested(|| self.function(&function, automatic, out));
            if done != Some(true) {
                out.push(&unknown(own, own), None);
            }
            return;
        }
        let name = own.trim_start_matches('$');
        let inner = name.strip_prefix(['(', '{']);
        let inner = inner.and_then(|inner| inner.strip_suffix([')', '}']));
        let name = inner.unwrap_or(name);
        let local = out.locals.iter().rev().find(|(local, _)| local == name);
        let local = local.map(|(_, value)| value.clone());
        let known = match (name, automatic) {
            _ if local.is_some() => local,
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
        let is_define = self.variables.get(name).is_some_and(|set| set.is_define);
        if is_define && self.body(name, automatic, out) {
            return;
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
