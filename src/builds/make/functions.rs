//! Make's functions, as far as their results show in the file: `if`, `foreach`, `call`.

use super::file::Makefile;
use super::out::{Automatic, Out};
use crate::budget;
use crate::builds::command;
use crate::builds::jobs::OWN_FOLDER;
use crate::builds::shell::{self, Dialect};

/// The variable of the folder that make runs in.
const CURDIR: &str = "CURDIR";

/// A call of a function within a text.
pub(super) struct Function<'t> {
    /// All of it, for messages.
    pub(super) whole: &'t str,
    name: &'t str,
    /// The arguments, each with its place in the file, if any.
    arguments: Vec<(&'t str, Option<usize>)>,
}

impl<'t> Function<'t> {
    /// Reads `$(name argument,…)`, which stands at byte `place` of the file, if anywhere.
    pub(super) fn read(whole: &'t str, place: Option<usize>) -> Option<Self> {
        let inner = whole.get(2..whole.len().checked_sub(1)?)?;
        let (name, behind) = inner.split_once([' ', '\t'])?;
        let text = behind.trim_start();
        let place = place.map(|place| place + 2 + (inner.len() - text.len()));
        let (mut arguments, mut start, mut depth) = (Vec::new(), 0, 0_usize);
        let most = match name {
            "if" | "foreach" | "patsubst" => 3,
            "call" => usize::MAX,
            _ => 1,
        };
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'(' | b'{' => depth += 1,
                b')' | b'}' => depth = depth.saturating_sub(1),
                b',' if depth == 0 && arguments.len() + 1 < most => {
                    arguments.push((&text[start..at], place.map(|place| place + start)));
                    start = at + 1;
                }
                _ => {}
            }
        }
        arguments.push((&text[start..], place.map(|place| place + start)));
        Some(Self {
            whole,
            name,
            arguments,
        })
    }
}

/// Splits a path behind the folder that it begins with: `${CURDIR}`; `None` for any other, and for several.
fn of_folder(path: &str) -> Option<(&str, &str)> {
    let (folder, rest) = path.split_at(path.find('}')? + 1);
    let name = folder.strip_prefix("${")?.strip_suffix('}')?;
    let is_plain = rest.is_empty() || rest.starts_with('/');
    let is_one = is_plain && !rest.contains([' ', '\t', '$', '`']);
    (is_one && matches!(name, CURDIR | OWN_FOLDER)).then_some((folder, rest))
}

impl Makefile<'_> {
    /// Returns whether make has read no other file behind this one when it computes what `out` is made of.
    fn is_last_read(&self, out: &Out) -> bool {
        let mut open = out.open.iter();
        open.any(|name| self.is_set_before_includes(name))
    }

    /// Adds the result of a function; returns false for one that is not computed.
    pub(super) fn function(
        &self,
        function: &Function<'_>,
        automatic: Option<Automatic<'_>>,
        out: &mut Out,
    ) -> bool {
        let known = |out: &Out, text: &str| {
            let text = self.within(text, automatic, out);
            (!text.contains(['$', '`'])).then_some(text)
        };
        match (function.name, &function.arguments[..]) {
            ("if", [(condition, _), branches @ ..]) => {
                let Some(condition) = known(out, condition.trim()) else {
                    let builds = |(branch, _): &(&str, _)| self.builds(branch, automatic, out);
                    let any = branches.iter().any(builds);
                    return any
                        && out.unseen(format!(
                            "whether it is built depends on `{}`",
                            function.whole
                        ));
                };
                let chosen = branches.get(usize::from(condition.trim().is_empty()));
                if let Some((text, place)) = chosen {
                    self.expand(text, *place, automatic, out);
                }
                true
            }
            ("foreach", [(name, _), (list, _), (body, place)]) => {
                let Some(list) = known(out, list) else {
                    return self.builds(body, automatic, out)
                        && out.unseen(format!("what it is built for is `{list}`"));
                };
                for word in list.split_whitespace() {
                    if !budget::spend(64 + body.len()) {
                        break;
                    }
                    out.locals.push((name.trim().to_owned(), word.to_owned()));
                    self.expand(body, *place, automatic, out);
                    out.locals.pop();
                    out.push(" ", None);
                }
                true
            }
            ("call", [(name, _), arguments @ ..]) => {
                let name = self.within(name.trim(), automatic, out);
                let arguments = arguments.iter().enumerate();
                let locals = arguments.map(|(at, (text, _))| {
                    let text = self.within(text, automatic, out);
                    ((at + 1).to_string(), text)
                });
                let locals = locals.collect();
                let outer = std::mem::replace(&mut out.locals, locals);
                let done = self.body(&name, automatic, out);
                out.locals = outer;
                done
            }
            ("firstword" | "lastword", [(list, _)]) => {
                let is_last = function.name == "lastword";
                let folder = match list.trim() {
                    "$(MAKEFILE_LIST)" | "${MAKEFILE_LIST}" if !is_last => CURDIR,
                    "$(MAKEFILE_LIST)" | "${MAKEFILE_LIST}" if self.is_last_read(out) => OWN_FOLDER,
                    _ => return false,
                };
                out.push(&format!("${{{folder}}}/Makefile"), None);
                true
            }
            ("abspath" | "realpath" | "dir", [(path, _)])
            | ("patsubst", [("%/", _), ("%", _), (path, _)]) => {
                let path = self.within(path.trim(), automatic, out);
                let Some((folder, rest)) = of_folder(&path) else {
                    return false;
                };
                let rest = match function.name {
                    "dir" => &rest[..rest.rfind('/').map_or(0, |at| at + 1)],
                    _ => rest.trim_end_matches('/'),
                };
                out.push(folder, None);
                out.push(rest, None);
                true
            }
            ("strip", [(text, place)]) => {
                self.expand(text, *place, automatic, out);
                true
            }
            ("eval" | "info" | "warning" | "error", _) => true,
            _ => false,
        }
    }

    /// Returns whether a text has a command that builds.
    pub(super) fn builds(&self, text: &str, automatic: Option<Automatic<'_>>, out: &Out) -> bool {
        let text = self.within(text, automatic, out);
        let text = text.trim_start_matches(['@', '-', '+', ' ', '\t']);
        if !command::names_builder(text.as_bytes()) {
            return false;
        }
        let commands = shell::read(text, Some(""), Dialect::Posix, &|_| None);
        let commands = command::all(commands, &|_| None);
        let mut found = commands.found.iter();
        found.any(|found| !found.command.tool.runs_others()) || !commands.unknown.is_empty()
    }
}
