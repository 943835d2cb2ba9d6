//! The rules and variables of a Makefile.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crate::budget;
use crate::builds::model::{Arg, Source, ValueSource};
use crate::builds::paths;
use crate::text::Span;

/// A Makefile, as far as its text alone tells what it does: what an included file, a condition or a function decides stays
/// unknown.
pub struct Makefile<'s> {
    pub(super) source: &'s str,
    pub recipes: Vec<Recipe>,
    /// Each target with those that are made before it.
    pub rules: Vec<(String, Vec<String>)>,
    /// The target that make builds where none is named.
    pub default: Option<String>,
    pub(super) variables: HashMap<&'s str, Variable>,
    /// The bodies of `define`, by name.
    pub defines: Vec<(&'s str, Span)>,
    /// The names of those that recipes call.
    pub used: RefCell<HashSet<String>>,
    /// True where another file may set variables.
    pub(super) includes: bool,
    /// The paths in its `include` lines.
    included: Vec<Span>,
    exports: HashSet<&'s str>,
    exports_all: bool,
    /// The variables that recipes do not get, even if the environment has them.
    unexports: HashSet<&'s str>,
    /// True where a whole recipe is one script.
    pub(super) one_shell: bool,
}

/// The commands of a rule.
pub struct Recipe {
    pub targets: Vec<String>,
    pub(super) before: Vec<String>,
    /// The lines, continued ones as a whole, without the tab that begins them.
    pub(super) lines: Vec<Span>,
}

pub(super) struct Variable {
    /// The place of its value; `None` where that is set more than once, or only sometimes.
    pub(super) value: Option<Span>,
    /// True where the environment goes before it.
    pub(super) is_default: bool,
    pub(super) made: Made,
    /// True for the lines of a `define`.
    pub(super) is_define: bool,
}

/// How make gets the value of a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// Anew wherever the variable is used: `=`.
    Used,
    /// Once, where it stands: `:=`.
    Once,
    /// As what a command prints: `NAME != command`.
    Command,
}

/// A line outside of recipes.
enum Line<'s> {
    Variable(&'s str, &'s str, Span),
    Rule { targets: Span, rest: Span },
    Other,
}

impl<'s> Makefile<'s> {
    pub fn read(source: &'s str) -> Self {
        let mut file = Self {
            source,
            recipes: Vec::new(),
            rules: Vec::new(),
            default: None,
            variables: HashMap::new(),
            defines: Vec::new(),
            used: RefCell::new(HashSet::new()),
            includes: false,
            included: Vec::new(),
            exports: HashSet::new(),
            exports_all: false,
            unexports: HashSet::new(),
            one_shell: false,
        };
        if budget::spend(16 * source.len()) {
            file.lines();
        }
        file
    }

    /// Returns whether the file sets a variable anywhere.
    pub fn has(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// Returns whether make computes the value of a variable before it reads any file that this one includes.
    pub(super) fn is_set_before_includes(&self, name: &str) -> bool {
        let set = self
            .variables
            .get(name)
            .filter(|set| set.made == Made::Once);
        let place = set.and_then(|set| set.value);
        let first = self.included.first();
        place.is_some_and(|place| first.is_none_or(|first| place.end < first.start))
    }

    /// Returns whether the file sets a variable, so that the environment's value does not count.
    pub fn sets(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|set| !set.is_default)
    }

    /// Returns the variables that recipes get in their environment, those whose values are known, and those that they do
    /// not get.
    pub fn exported(&self) -> Vec<Arg> {
        let all = self.variables.iter();
        let all = all.filter(|(name, set)| {
            !set.is_define && (self.exports_all || self.exports.contains(*name))
        });
        let mut all: Vec<_> = all
            .filter_map(|(name, set)| Some((*name, self.value(name)?, set)))
            // What a command prints is no path, and only says that it differs.
            .filter(|(_, value, _)| !value.contains(['$', '`']) || value.contains("$(shell "))
            .collect();
        all.sort_by_key(|(_, _, set)| set.value);
        let arg = |(name, value, set): (&str, String, &Variable)| {
            let names = set.is_default.then(|| name.to_owned());
            Arg {
                from: ValueSource::Variables(names.into_iter().collect()),
                ..Arg::new(name, Some(value), set.value.unwrap_or(Span::at(0)))
            }
        };
        let unexports = self.unexports.difference(&self.exports);
        let mut taken: Vec<&str> = unexports.copied().collect();
        taken.sort_unstable();
        let taken = taken.into_iter();
        let taken = taken.map(|name| Arg::taken(name, Span::at(0)));
        all.into_iter().map(arg).chain(taken).collect()
    }

    /// Returns the files of the repository that it includes, those whose names are known.
    pub fn included(&self) -> Vec<Source> {
        let source = |span: &Span| {
            let text = self.text(*span);
            let text = without_wildcard(text.split(" #").next().unwrap_or(text));
            let text = self.expanded(&text, None);
            let paths = text.split_whitespace().map(str::to_owned);
            let paths: Vec<String> = paths.collect();
            let is_plain = |path: &String| {
                let path = path.strip_prefix("${CURDIR}/").unwrap_or(path);
                !path.contains(['$', '%', '\\', '`'])
            };
            let paths = paths.into_iter().filter(is_plain);
            let source = |path: String| {
                let path = paths::join("", path.strip_prefix("${CURDIR}/").unwrap_or(&path))?;
                let (span, is_optional) = (*span, true);
                Some(Source {
                    span,
                    path,
                    extended: None,
                    is_optional,
                })
            };
            paths.filter_map(source).collect::<Vec<_>>()
        };
        self.included.iter().flat_map(source).collect()
    }

    fn lines(&mut self) {
        let (mut at, mut depth, mut is_open) = (0, 0_usize, false);
        let mut defines: Option<(&'s str, usize)> = None;
        let mut prefix = '\t';
        while at < self.source.len() {
            let line = self.logical(at);
            at = line.end;
            let text = &self.source[line.start..line.end];
            if is_open && defines.is_none() && text.starts_with(prefix) {
                let line = Span::new(line.start + prefix.len_utf8(), line.end);
                if let Some(recipe) = self.recipes.last_mut() {
                    recipe.lines.push(line);
                }
                continue;
            }
            let mut words = text.split_whitespace();
            let first = words.next().unwrap_or_default();
            if let Some((name, start)) = defines {
                if first == "endef" {
                    let body = Span::new(start, line.start);
                    self.defines.push((name, body));
                    self.set(name, "define", body, depth > 0);
                    defines = None;
                }
                continue;
            }
            match first {
                "" => {}
                _ if first.starts_with('#') => {}
                "define" => {
                    is_open = false;
                    defines = Some((words.next().unwrap_or_default(), line.end));
                }
                "ifeq" | "ifneq" | "ifdef" | "ifndef" => depth += 1,
                _ if first.starts_with("ifeq(") || first.starts_with("ifneq(") => depth += 1,
                "endif" => depth = depth.saturating_sub(1),
                "else" => {}
                "include" | "-include" | "sinclude" => {
                    (self.includes, is_open) = (true, false);
                    let end = line.start + text.trim_end().len();
                    let start = end - text.trim().len() + first.len();
                    self.included.push(Span::new(start, end));
                }
                "unexport" => {
                    is_open = false;
                    self.unexports.extend(words.filter(|_| depth == 0));
                }
                "vpath" | "undefine" => is_open = false,
                ".RECIPEPREFIX" => {
                    is_open = self.statement(line, depth > 0);
                    let set = self.variables.get(first).and_then(|set| set.value);
                    let value = set.and_then(|value| self.text(value).chars().next());
                    // Set once more, or only sometimes, what begins a recipe's line is unknown.
                    prefix = value.unwrap_or('\0');
                }
                _ => is_open = self.statement(line, depth > 0),
            }
        }
        if let Some(goal) = self.variables.get(".DEFAULT_GOAL") {
            let text = goal.value.map(|span| self.text(span).trim().to_owned());
            self.default = text.filter(|text| !text.contains('$'));
        }
    }

    /// Returns the line that begins at `start`, with those that continue it.
    fn logical(&self, start: usize) -> Span {
        let bytes = self.source.as_bytes();
        let mut at = start;
        loop {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
            let line = self.source[at..end].trim_end_matches(['\n', '\r']);
            let marks = line.len() - line.trim_end_matches('\\').len();
            at = end;
            if marks.is_multiple_of(2) || end == bytes.len() {
                return Span::new(start, end);
            }
        }
    }

    /// Returns the lines within `span`, continued ones as a whole, without blanks and marks around.
    pub fn lines_of(&self, span: Span) -> Vec<Span> {
        let mut lines = Vec::new();
        let mut at = span.start;
        while at < span.end && budget::spend(16) {
            let line = self.logical(at);
            at = line.end;
            let text = self.text(line).trim_end();
            let own = text.trim_start_matches([' ', '\t', '@', '-', '+']);
            if !own.is_empty() {
                let end = line.start + text.len();
                lines.push(Span::new(end - own.len(), end));
            }
        }
        lines
    }

    pub(super) fn text(&self, span: Span) -> &'s str {
        &self.source[span.start..span.end]
    }

    /// Takes a line that is no recipe's; returns whether it opens a rule.
    fn statement(&mut self, line: Span, is_conditional: bool) -> bool {
        let (line, directives) = self.directives(line);
        let exports = directives.contains(&"export");
        match self.parsed(line) {
            Line::Variable(name, op, value) => {
                if exports {
                    self.exports.insert(name);
                }
                if directives.contains(&"override") {
                    self.variables.remove(name);
                }
                self.set(name, op, value, is_conditional);
                false
            }
            Line::Rule { .. } if exports => false,
            Line::Rule { targets, rest } => self.rule(targets, rest),
            Line::Other => {
                let mut names = self.text(line).split_whitespace();
                if directives.contains(&"override") && names.next() == Some("undefine") {
                    for name in names {
                        self.variables.remove(name);
                    }
                } else if exports {
                    let names = self.text(line).split_whitespace();
                    self.exports_all |= names.clone().next().is_none();
                    self.exports.extend(names);
                }
                false
            }
        }
    }

    /// Skips `export`, `override` and `private`; returns those that were there.
    fn directives(&self, mut line: Span) -> (Span, Vec<&'static str>) {
        let mut found = Vec::new();
        loop {
            let text = self.text(line);
            line.start += text.len() - text.trim_start().len();
            let text = text.trim_start();
            let words = ["export", "override", "private"];
            let word = words.into_iter().find(|word| {
                let rest = text.strip_prefix(*word);
                rest.is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])
                })
            });
            let Some(word) = word else {
                return (line, found);
            };
            found.push(word);
            line.start += word.len();
        }
    }

    /// Returns what the line sets or makes, by its first `:` or `=` outside of references.
    fn parsed(&self, line: Span) -> Line<'s> {
        let text = self.text(line);
        let bytes = text.as_bytes();
        let mut depth = 0_usize;
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'(' | b'{' => depth += 1,
                b')' | b'}' => depth = depth.saturating_sub(1),
                b'#' if depth == 0 => return Line::Other,
                b'=' if depth == 0 => return self.assignment(line, at),
                b':' if depth == 0 => {
                    let rest = text[at..].trim_start_matches(':');
                    let colons = text[at..].len() - rest.len();
                    if rest.starts_with('=') {
                        return self.assignment(line, at + colons);
                    }
                    let start = line.start + at + colons;
                    return Line::Rule {
                        targets: Span::new(line.start, line.start + at),
                        rest: Span::new(start, line.end),
                    };
                }
                _ => {}
            }
        }
        Line::Other
    }

    /// Returns the assignment whose `=` is at byte `at` of the line.
    fn assignment(&self, line: Span, at: usize) -> Line<'s> {
        let text = self.text(line);
        let name = text[..at].trim_end_matches([':', '?', '+', '!']);
        let op = &text[name.len()..=at];
        let name = name.trim();
        let behind = &text[at + 1..];
        let end = behind.find(" #").unwrap_or(behind.len());
        let value = behind[..end].trim();
        let start = line.start + at + 1 + (behind.len() - behind.trim_start().len()).min(end);
        if name.is_empty() || name.contains([' ', '\t', '$']) {
            return Line::Other;
        }
        Line::Variable(name, op, Span::new(start, start + value.len()))
    }

    fn set(&mut self, name: &'s str, op: &str, value: Span, is_conditional: bool) {
        let is_known =
            matches!(op, "=" | ":=" | "::=" | ":::=" | "?=" | "!=" | "define") && !is_conditional;
        let is_default = op == "?=";
        let new = Variable {
            value: is_known.then_some(value),
            is_default,
            made: match op {
                ":=" | "::=" | ":::=" => Made::Once,
                "!=" => Made::Command,
                _ => Made::Used,
            },
            is_define: op == "define",
        };
        self.variables
            .entry(name)
            .and_modify(|set| {
                // A default for what is set changes nothing.
                if !(is_default && set.value.is_some() && !set.is_default) {
                    set.value = None;
                    set.is_default &= is_default;
                }
            })
            .or_insert(new);
    }

    /// Takes a rule; returns whether the lines below may be its recipe.
    fn rule(&mut self, targets: Span, rest: Span) -> bool {
        let (mut before, mut command) = (rest, None);
        if let Some(at) = self.text(rest).find(';') {
            before = Span::new(rest.start, rest.start + at);
            command = Some(Span::new(before.end + 1, rest.end));
        }
        // A variable of the targets alone.
        if let Line::Variable(name, ..) = self.parsed(self.directives(before).0) {
            self.set(name, "", Span::at(before.start), true);
            return false;
        }
        let words = |text: &str| -> Vec<String> {
            let text = self.expanded(text, None);
            let mut depth = 0_usize;
            let words = text.split(|ch: char| {
                match ch {
                    '(' => depth += 1,
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && ch.is_whitespace()
            });
            let words = words.filter(|word| !word.is_empty()).map(str::to_owned);
            words
                .filter(|word| !word.contains('$') && word != "|" && word != "\\")
                .collect()
        };
        let targets = words(self.text(targets).trim_end_matches('&'));
        let text = self.text(before);
        let text = text.rsplit_once(':').map_or(text, |(_, behind)| behind);
        let before = words(text.split(" #").next().unwrap_or_default());
        self.one_shell |= targets.iter().any(|name| name == ".ONESHELL");
        self.exports_all |= targets.iter().any(|name| name == ".EXPORT_ALL_VARIABLES");
        let is_usual = |name: &&String| !name.starts_with('.') && !name.contains('%');
        if self.default.is_none() {
            self.default = targets.iter().find(is_usual).cloned();
        }
        for target in &targets {
            if budget::spend(64 * (1 + before.len())) {
                self.rules.push((target.clone(), before.clone()));
            }
        }
        self.recipes.push(Recipe {
            targets,
            before,
            lines: command.into_iter().collect(),
        });
        true
    }
}

/// Returns the words of an `include` with the patterns themselves in place of `$(wildcard …)`, as `include` expands them, too.
fn without_wildcard(text: &str) -> String {
    let mut parts = text.split("$(wildcard ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (patterns, behind) = part.rsplit_once(')').unwrap_or((part, ""));
        plain.extend([patterns, behind]);
    }
    plain
}
