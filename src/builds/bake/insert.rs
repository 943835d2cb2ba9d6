use std::collections::{HashMap, HashSet};

use super::builds::builds;
use super::file::{Braces, File, Json, Target};
use super::scope::BakeScope;
use super::value::Value;
use crate::builds::format::{Inserter, Insertion};
use crate::builds::lines;
use crate::builds::model::{Build, Lane, Subject};
use crate::fix::{Edit, Fix};
use crate::text::{Span, line_ending};

/// Hands the inserter for `variable "CACHE_ID" { default = "default" }`, where it is missing, and `CACHE_ID = CACHE_ID`
/// among the target's arguments to `then`; in JSON `"CACHE_ID": "${CACHE_ID}"`.
pub(super) fn inserter(source: &str, file: &File, then: &mut dyn FnMut(Inserter<'_>)) {
    let targets = Targets::new(source, file);
    then(&|build, lane| {
        let target = targets.places.get(&build.span);
        let target = target.ok_or("its target is not there")?;
        let writer = Writer { source, file, lane };
        let variable = writer.variable(&targets.scope)?;
        let mut edits = writer.argument(&targets, target, build)?;
        edits.extend(variable);
        let fix = Fix::safe(format!("pass `{}` to {}", lane.arg, build.name), edits);
        // The value of its variable is the file's affair.
        Ok(Insertion { fix, value: None })
    });
}

struct Targets<'d> {
    file: &'d File,
    scope: BakeScope<'d>,
    places: HashMap<Span, &'d Target>,
    /// The places of the targets that are built.
    built: HashSet<Span>,
    /// The one subject of all builds that inherit from a target, by its name; `None` where they differ.
    subjects: HashMap<&'d str, Option<Subject>>,
}

impl<'d> Targets<'d> {
    fn new(source: &'d str, file: &'d File) -> Self {
        let scope = file.scope(source);
        let targets = file.targets.iter().rev();
        let places: HashMap<Span, &Target> = targets.map(|target| (target.span, target)).collect();
        let built = file.built(&scope).into_iter().map(|target| target.span);
        let built = built.collect();
        let mut subjects: HashMap<&str, Option<Subject>> = HashMap::new();
        for build in builds(source, file).builds {
            let Some(target) = places.get(&build.span) else {
                continue;
            };
            for ancestor in file.lineage(target, &scope).all {
                let subject = subjects
                    .entry(&ancestor.name)
                    .or_insert_with(|| Some(build.subject.clone()));
                if subject.as_ref() != Some(&build.subject) {
                    *subject = None;
                }
            }
        }
        Self {
            file,
            scope,
            places,
            built,
            subjects,
        }
    }

    /// Returns whether all builds that inherit from `ancestor` build the same Dockerfile: then they all want the
    /// argument.
    fn alone(&self, ancestor: &Target, subject: &Subject) -> bool {
        let all = self.subjects.get(ancestor.name.as_str());
        all.is_none_or(|all| all.as_ref() == Some(subject))
    }
}

/// Writes an entry, by the indentation of its line and the file's step; both are empty on a single line.
type Entry<'e> = &'e dyn Fn(&str, &str) -> String;

struct Writer<'a> {
    source: &'a str,
    file: &'a File,
    lane: &'a Lane<'a>,
}

impl Writer<'_> {
    fn is_json(&self) -> bool {
        self.file.json.is_some()
    }

    fn argument(
        &self,
        targets: &Targets<'_>,
        target: &Target,
        build: &Build,
    ) -> Result<Vec<Edit>, String> {
        let lineage = targets.file.lineage(target, &targets.scope).all;
        let arg = self.lane.arg;
        let entry = if self.is_json() {
            format!("\"{arg}\": \"${{{arg}}}\"")
        } else {
            format!("{arg} = {arg}")
        };
        for ancestor in &lineage {
            let Some(args) = ancestor.field("args") else {
                continue;
            };
            let own = ancestor.name == target.name;
            match args.value.fields() {
                Some(fields) if own || targets.alone(ancestor, &build.subject) => {
                    let braces = Braces::new(args.value.span, fields);
                    return Ok(vec![self.add(braces, &|_, _| entry.clone())]);
                }
                None if own => return Err("its `args` is an expression".to_owned()),
                _ => {}
            }
        }
        // Of related targets that build the same, the first ancestor gets it for all.
        let mut first = lineage.iter().rev();
        let first = first.find(|ancestor| {
            targets.built.contains(&ancestor.span) && targets.alone(ancestor, &build.subject)
        });
        let target = first.copied().unwrap_or(target);
        let block = |indent: &str, step: &str| self.block(indent, step, &entry);
        if !self.is_json() {
            return self.attribute(target, &|indent, step| {
                format!("args = {}", block(indent, step))
            });
        }
        let braces = Braces::new(target.body, &target.fields);
        Ok(vec![self.add(braces, &|indent, step| {
            format!("\"args\": {}", block(indent, step))
        })])
    }

    /// Writes `{ entry }`, on lines of its own where `indent` gives their indentation.
    fn block(&self, indent: &str, step: &str, entry: &str) -> String {
        let newline = line_ending(self.source.as_bytes(), 0);
        match (step.is_empty(), self.is_json()) {
            (true, true) => format!("{{{entry}}}"),
            (true, false) => format!("{{ {entry} }}"),
            (false, _) => format!("{{{newline}{indent}{step}{entry}{newline}{indent}}}"),
        }
    }

    fn add(&self, Braces { span, entries }: Braces, entry: Entry<'_>) -> Edit {
        let source = self.source;
        let newline = line_ending(source.as_bytes(), span.start);
        let base = lines::margin(source, span.start);
        let Some(entries) = entries else {
            let at = span.start + 1;
            let inner = &source[at..span.end.max(at + 1) - 1];
            if inner.contains('\n') {
                let indent = format!("{base}{STEP}");
                let text = format!("{newline}{indent}{}", entry(&indent, STEP));
                return Edit::insert(at, text);
            }
            let before = if self.is_json() { "" } else { " " };
            let behind = if inner.is_empty() { before } else { "" };
            return Edit::insert(at, format!("{before}{}{behind}", entry("", "")));
        };
        let end = entries.end;
        let rest = lines::rest(source, end);
        let behind = rest.trim_start();
        let (comma, behind) = match behind.strip_prefix(',') {
            Some(behind) => (",", behind.trim_start()),
            None => ("", behind),
        };
        let is_last = behind.is_empty() || behind.starts_with('#') || behind.starts_with("//");
        let is_line = source[span.start..entries.start].contains('\n');
        if !is_line || !(self.is_json() || is_last) {
            return Edit::insert(end, format!(", {}", entry("", "")));
        }
        let indent = lines::margin(source, entries.start);
        let entry = entry(indent, step(base, indent));
        if self.is_json() {
            return Edit::insert(end, format!(",{newline}{indent}{entry}"));
        }
        Edit::insert(end + rest.len(), format!("{newline}{indent}{entry}{comma}"))
    }

    fn attribute(&self, target: &Target, attribute: Entry<'_>) -> Result<Vec<Edit>, String> {
        const BRACES: &str = "its block has no braces";
        let source = self.source;
        let close = target.body.end.saturating_sub(1);
        let open = source[target.span.end..].find('{').ok_or(BRACES)? + target.span.end;
        if source.as_bytes().get(close) != Some(&b'}') || open >= close {
            return Err(BRACES.to_owned());
        }
        let newline = line_ending(source.as_bytes(), open);
        let base = lines::margin(source, target.body.start);
        let first = target.fields.first();
        let first = first.map_or("", |field| lines::margin(source, field.key_span.start));
        let step = step(base, first);
        let indent = format!("{base}{step}");
        let text = attribute(&indent, step);
        let inner = &source[open + 1..close];
        if inner.contains('\n') {
            let line = lines::start(source, close);
            if !source[line..close].trim_matches([' ', '\t']).is_empty() {
                return Err("it is laid out in an unusual way".to_owned());
            }
            return Ok(vec![Edit::insert(line, format!("{indent}{text}{newline}"))]);
        }
        let behind = format!("{newline}{indent}{text}{newline}{base}");
        if inner.trim().is_empty() {
            return Ok(vec![Edit::replace(Span::new(open + 1, close), behind)]);
        }
        // HCL allows one attribute in a block of one line.
        let start = close - inner.trim_start().len();
        let end = open + 1 + inner.trim_end().len();
        Ok(vec![
            Edit::replace(Span::new(open + 1, start), format!("{newline}{indent}")),
            Edit::replace(Span::new(end, close), behind),
        ])
    }

    /// Declares the variable where it is missing, with the lane of a build that passes nothing: a user who sets none
    /// keeps that lane.
    fn variable(&self, scope: &BakeScope<'_>) -> Result<Option<Edit>, String> {
        let Lane { arg, default, .. } = *self.lane;
        let Some((own, is_block)) = scope.declared(arg) else {
            return Ok(Some(match &self.file.json {
                Some(json) => self.json_variable(json),
                None => self.hcl_variable(),
            }));
        };
        let quoted = self.default();
        let typed = if self.is_json() {
            format!("`\"variable\": {{\"{arg}\": {{\"default\": {quoted}}}}}`")
        } else {
            format!("`variable \"{arg}\" {{ default = {quoted} }}`")
        };
        if !is_block {
            return Err(format!(
                "`{arg}` is an attribute, which no job can set: write {typed} in its place"
            ));
        }
        let value = own.map(|ast| scope.value(ast));
        match value
            .unwrap_or(Value::Text(String::new()))
            .text()
            .as_deref()
        {
            Some(value) if value == default => Ok(None),
            Some("") => Err(format!(
                "the variable `{arg}` is empty where no job sets it, and so would the lane be: {typed}"
            )),
            Some(value) => Err(format!(
                "a build that sets no `{arg}` would go from the lane `{default}` to `{value}`, and start with an empty cache: {typed}"
            )),
            None => Err(format!(
                "it is not known what `{arg}` is where no job sets it: {typed}"
            )),
        }
    }

    fn default(&self) -> String {
        let text = self.lane.default.replace("${", "$${").replace("%{", "%%{");
        // HCL has JSON's escapes.
        serde_json::Value::from(text).to_string()
    }

    fn json_variable(&self, json: &Json) -> Edit {
        let default = format!("\"default\": {}", self.default());
        let body = |indent: &str, step: &str| {
            let block = self.block(indent, step, &default);
            format!("\"{}\": {block}", self.lane.arg)
        };
        if let Some(variables) = json.variables {
            return self.add(variables, &body);
        }
        self.add(json.root, &|indent, step| {
            let inner = body(&format!("{indent}{step}"), step);
            format!("\"variable\": {}", self.block(indent, step, &inner))
        })
    }

    /// Declares the variable behind the first group of variables, or at the top, behind a comment that stands alone.
    fn hcl_variable(&self) -> Edit {
        let source = self.source;
        let newline = line_ending(source.as_bytes(), 0);
        let block = format!(
            "variable \"{}\" {{{newline}{STEP}default = {}{newline}}}",
            self.lane.arg,
            self.default()
        );
        let end = self.file.variables_end;
        if let Some(end) = end.filter(|&end| source[..end].ends_with('}')) {
            let end = end + lines::rest(source, end).len();
            return Edit::insert(end, format!("{newline}{newline}{block}"));
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

const STEP: &str = "  ";

/// Returns the blanks that the lines at `indent` have more than those at `base`.
fn step<'s>(base: &str, indent: &'s str) -> &'s str {
    let step = indent.strip_prefix(base);
    step.filter(|step| !step.is_empty()).unwrap_or(STEP)
}
