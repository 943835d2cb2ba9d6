//! Giving a target of a bake file its argument: a variable with the lane's default, and an argument with its value.

use super::value::Field;
use super::{File, Target, is_json, read};
use crate::fix::{Edit, Fix, apply};
use crate::text::{Span, line_ending};
use crate::wiring::{Build, Lane, What};

/// Passes the lane to the target of `build`: `variable "CACHE_ID" { default = "default" }`, where there is none yet, and
/// `CACHE_ID = CACHE_ID` among its arguments; in JSON `"CACHE_ID": "${CACHE_ID}"`.
///
/// # Errors
/// Why a person has to do it.
pub fn pass(source: &str, build: &Build, lane: &Lane<'_>) -> Result<Fix, String> {
    let file = File::read(source).map_err(|error| error.message)?;
    let target = file.targets.iter().find(|target| target.span == build.span).ok_or("its target is not there")?;
    let writer = Writer { source, json: is_json(source), lane };
    let mut edits = writer.argument(&file, target, build)?;
    edits.extend(writer.variable(&file));
    let fix = Fix::safe(format!("pass `{}` to {}", lane.arg, build.name), edits);
    checked(source, &fix, build, lane)?;
    Ok(fix)
}

/// Whether the fixed file says what it should: the same builds, those of this target with one argument more.
fn checked(source: &str, fix: &Fix, build: &Build, lane: &Lane<'_>) -> Result<(), String> {
    let fixed = String::from_utf8(apply(source.as_bytes(), &[fix]).bytes).unwrap_or_default();
    let (before, after) = (read(source).unwrap_or_default().builds, read(&fixed).unwrap_or_default().builds);
    let same = |pair: (&Build, &Build)| (&pair.0.name, &pair.0.what) == (&pair.1.name, &pair.1.what);
    let passes = |build: &Build| build.args.iter().any(|arg| arg.name == lane.arg);
    let right = before.len() == after.len()
        && before.iter().zip(&after).all(same)
        && after.iter().filter(|found| found.name == build.name).all(passes);
    if right { Ok(()) } else { Err("it is laid out in an unusual way".to_owned()) }
}

struct Writer<'a> {
    source: &'a str,
    json: bool,
    lane: &'a Lane<'a>,
}

impl Writer<'_> {
    /// The edits that put the argument where the target's arguments stand.
    fn argument(&self, file: &File, target: &Target, build: &Build) -> Result<Vec<Edit>, String> {
        let scope = file.scope();
        let (lineage, _) = file.lineage(target, &scope);
        let entry = self.entry();
        for ancestor in &lineage {
            let Some(args) = ancestor.field("args") else {
                continue;
            };
            let own = ancestor.name == target.name;
            match args.value.fields() {
                Some(fields) if own || self.alone(file, ancestor, &build.what) => {
                    return Ok(vec![self.add(args.value.span, fields, &|_, _| entry.clone())]);
                }
                None if own => return Err("its `args` is an expression".to_owned()),
                _ => {}
            }
        }
        // Of targets that build the same and inherit from one another, the first gets it for all.
        let built = file.built(&scope);
        let first = lineage.iter().rev().find(|ancestor| {
            built.iter().any(|built| built.span == ancestor.span) && self.alone(file, ancestor, &build.what)
        });
        let target = first.copied().unwrap_or(target);
        let block = |indent: &str, step: &str| self.block(indent, step, &entry);
        if self.json {
            return Ok(vec![
                self.add(target.body, &target.fields, &|indent, step| format!("\"args\": {}", block(indent, step))),
            ]);
        }
        self.attribute(target, &|indent, step| format!("args = {}", block(indent, step)))
    }

    /// Whether all builds that inherit from `ancestor` build the same Dockerfile: then they all want the argument.
    fn alone(&self, file: &File, ancestor: &Target, what: &What) -> bool {
        let scope = file.scope();
        let builds = read(self.source).unwrap_or_default().builds;
        let inherits = |build: &&Build| {
            let target = file.targets.iter().find(|target| target.span == build.span);
            target.is_some_and(|target| file.lineage(target, &scope).0.iter().any(|of| of.name == ancestor.name))
        };
        builds.iter().filter(inherits).all(|build| build.what == *what)
    }

    fn entry(&self) -> String {
        let arg = self.lane.arg;
        if self.json { format!("\"{arg}\": \"${{{arg}}}\"") } else { format!("{arg} = {arg}") }
    }

    /// `{ entry }`, on lines of its own where `indent` says how these begin.
    fn block(&self, indent: &str, step: &str, entry: &str) -> String {
        let newline = line_ending(self.source.as_bytes(), 0);
        match (step.is_empty(), self.json) {
            (true, true) => format!("{{{entry}}}"),
            (true, false) => format!("{{ {entry} }}"),
            (false, _) => format!("{{{newline}{indent}{step}{entry}{newline}{indent}}}"),
        }
    }

    /// Puts an entry behind the last of an object in braces. `entry` gets the indentation of its line and the file's
    /// step; both are empty where all stands on one line.
    fn add(&self, object: Span, fields: &[Field], entry: &dyn Fn(&str, &str) -> String) -> Edit {
        let source = self.source;
        let newline = line_ending(source.as_bytes(), object.start);
        let (Some(first), Some(last)) = (fields.first(), fields.last()) else {
            let inner = &source[object.start + 1..object.end.max(object.start + 2) - 1];
            if inner.contains('\n') {
                let (base, step) = (margin(source, object.start), "  ");
                let indent = format!("{base}{step}");
                return Edit::insert(object.start + 1, format!("{newline}{indent}{}", entry(&indent, step)));
            }
            let (before, behind) = if self.json { ("", "") } else { (" ", if inner.is_empty() { " " } else { "" }) };
            return Edit::insert(object.start + 1, format!("{before}{}{behind}", entry("", "")));
        };
        let end = last.value.span.end;
        if !source[object.start..first.key_span.start].contains('\n') {
            return Edit::insert(end, format!(", {}", entry("", "")));
        }
        let indent = margin(source, first.key_span.start);
        let step = indent.strip_prefix(margin(source, object.start)).filter(|step| !step.is_empty()).unwrap_or("  ");
        let entry = entry(indent, step);
        if self.json {
            return Edit::insert(end, format!(",{newline}{indent}{entry}"));
        }
        let rest = source[end..].split(['\r', '\n']).next().unwrap_or_default();
        let bare = rest.trim_start();
        let (comma, bare) = bare.strip_prefix(',').map_or(("", bare), |bare| (",", bare.trim_start()));
        if bare.is_empty() || bare.starts_with('#') || bare.starts_with("//") {
            return Edit::insert(end + rest.len(), format!("{newline}{indent}{entry}{comma}"));
        }
        Edit::insert(end, format!(", {entry}"))
    }

    /// Puts an attribute behind the last of a target's block.
    fn attribute(&self, target: &Target, attribute: &dyn Fn(&str, &str) -> String) -> Result<Vec<Edit>, String> {
        let source = self.source;
        let close = target.body.end.saturating_sub(1);
        let open = target.span.end + source[target.span.end..].find('{').ok_or("its block has no braces")?;
        if source.as_bytes().get(close) != Some(&b'}') || open >= close {
            return Err("its block has no braces".to_owned());
        }
        let newline = line_ending(source.as_bytes(), open);
        let base = margin(source, target.body.start);
        let first = target.fields.first().map(|field| margin(source, field.key_span.start));
        let step = first.and_then(|first| first.strip_prefix(base)).filter(|step| !step.is_empty()).unwrap_or("  ");
        let indent = format!("{base}{step}");
        let text = attribute(&indent, step);
        let inner = &source[open + 1..close];
        if inner.contains('\n') {
            let line = close - (inner.len() - inner.trim_end_matches([' ', '\t']).len());
            if source[..line].ends_with('\n') {
                return Ok(vec![Edit::insert(line, format!("{indent}{text}{newline}"))]);
            }
            return Err("it is laid out in an unusual way".to_owned());
        }
        let bare = inner.trim();
        if bare.is_empty() {
            return Ok(vec![Edit::replace(
                Span::new(open + 1, close),
                format!("{newline}{indent}{text}{newline}{base}"),
            )]);
        }
        // HCL allows one attribute in a block of one line.
        let start = open + 1 + (inner.len() - inner.trim_start().len());
        Ok(vec![
            Edit::replace(Span::new(open + 1, start), format!("{newline}{indent}")),
            Edit::replace(Span::new(start + bare.len(), close), format!("{newline}{indent}{text}{newline}{base}")),
        ])
    }

    /// The edit that declares the variable, where it is not declared.
    fn variable(&self, file: &File) -> Option<Edit> {
        if file.variables.iter().any(|(name, _)| name == self.lane.arg) {
            return None;
        }
        if self.json { self.json_variable() } else { Some(self.hcl_variable()) }
    }

    fn json_variable(&self) -> Option<Edit> {
        let yaml = crate::wiring::yaml::Yaml::read(self.source).ok()?;
        let root = yaml.root()?;
        let default = serde_json::Value::from(self.lane.default.replace("${", "$${").replace("%{", "%%{"));
        let body = |indent: &str, step: &str| {
            format!("\"{}\": {}", self.lane.arg, self.block(indent, step, &format!("\"default\": {default}")))
        };
        let variables = root.own_entry("variable").map(|entry| entry.value).filter(|value| value.is_map());
        if let Some(variables) = variables {
            return Some(self.add(variables.span(), &super::json::fields(variables), &body));
        }
        Some(self.add(root.span(), &super::json::fields(root), &|indent, step| {
            let inner = if step.is_empty() { String::new() } else { format!("{indent}{step}") };
            format!("\"variable\": {}", self.block(indent, step, &body(&inner, step)))
        }))
    }

    /// Behind the first variables; where there is none, at the top, behind a comment that stands alone.
    fn hcl_variable(&self) -> Edit {
        let source = self.source;
        let newline = line_ending(source.as_bytes(), 0);
        let default = self.lane.default.replace('\\', "\\\\").replace('"', "\\\"");
        let default = default.replace("${", "$${").replace("%{", "%%{");
        let block = format!("variable \"{}\" {{{newline}  default = \"{default}\"{newline}}}", self.lane.arg);
        if let Some(end) = super::hcl::variables_end(source) {
            let rest = source[end..].split(['\r', '\n']).next().unwrap_or_default();
            return Edit::insert(end + rest.len(), format!("{newline}{newline}{block}"));
        }
        let mut at = source.len() - source.trim_start_matches('\u{FEFF}').len();
        let mut end = at;
        for line in source[at..].split_inclusive('\n') {
            end += line.len();
            match line.trim_start() {
                "" => {
                    at = end;
                    break;
                }
                comment if comment.starts_with('#') || comment.starts_with("//") => {}
                _ => break,
            }
        }
        Edit::insert(at, format!("{block}{newline}{newline}"))
    }
}

/// The blanks that the line of byte `at` begins with.
fn margin(source: &str, at: usize) -> &str {
    let start = memchr::memrchr(b'\n', &source.as_bytes()[..at]).map_or(0, |newline| newline + 1);
    let line = &source[start..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
