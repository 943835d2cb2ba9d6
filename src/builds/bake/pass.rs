//! Giving a target of a bake file its argument: a variable with the lane's default, and an argument with its value.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::value::{Field, Scope, Value};
use super::{File, Target, is_json};
use crate::builds::format::{Inserter, Insertion};
use crate::builds::lines;
use crate::builds::model::{Build, Lane, Subject};
use crate::fix::{Edit, Fix};
use crate::text::{Span, line_ending};

/// What passes lanes to targets: `variable "CACHE_ID" { default = "default" }`, where there is none yet, and
/// `CACHE_ID = CACHE_ID` among its arguments; in JSON `"CACHE_ID": "${CACHE_ID}"`.
pub(super) fn passer<'d>(source: &'d str, file: &'d File) -> Inserter<'d> {
    let targets = Targets::new(source, file);
    // Where the variable goes, by its name and default: the same for all targets.
    let variables: RefCell<HashMap<(String, String), Declared>> = RefCell::default();
    Box::new(move |build, lane| {
        let target = targets
            .places
            .get(&build.span)
            .ok_or("its target is not there")?;
        let writer = Writer {
            source,
            json: is_json(source),
            lane,
        };
        let key = (lane.arg.to_owned(), lane.default.to_owned());
        let variable = variables
            .borrow_mut()
            .entry(key)
            .or_insert_with(|| writer.variable(file, &targets.scope))
            .clone()?;
        let mut edits = writer.argument(&targets, target, build)?;
        edits.extend(variable);
        let fix = Fix::safe(format!("pass `{}` to {}", lane.arg, build.name), edits);
        // What its variable comes to is the file's affair.
        Ok(Insertion { fix, value: None })
    })
}

/// The edit that declares the variable, where one is needed; or why there can be none.
type Declared = Result<Option<Edit>, String>;

/// The targets of a file, with what is asked of each build.
struct Targets<'d> {
    file: &'d File,
    scope: Scope<'d>,
    places: HashMap<Span, &'d Target>,
    /// Where those stand that somebody builds.
    built: HashSet<Span>,
    /// What all builds that inherit from a target build, by its name; `None` where that is not the same.
    whats: HashMap<&'d str, Option<Subject>>,
}

impl<'d> Targets<'d> {
    fn new(source: &str, file: &'d File) -> Self {
        let scope = file.scope();
        let places: HashMap<Span, &Target> = file
            .targets
            .iter()
            .rev()
            .map(|target| (target.span, target))
            .collect();
        let built = file
            .built(&scope)
            .into_iter()
            .map(|target| target.span)
            .collect();
        let mut whats: HashMap<&str, Option<Subject>> = HashMap::new();
        for build in super::of(source, file).builds {
            let Some(target) = places.get(&build.span) else {
                continue;
            };
            for ancestor in file.lineage(target, &scope).0 {
                let what = whats
                    .entry(&ancestor.name)
                    .or_insert_with(|| Some(build.subject.clone()));
                if what.as_ref() != Some(&build.subject) {
                    *what = None;
                }
            }
        }
        Self {
            file,
            scope,
            places,
            built,
            whats,
        }
    }

    /// Whether all builds that inherit from `ancestor` build the same Dockerfile: then they all want the argument.
    fn alone(&self, ancestor: &Target, what: &Subject) -> bool {
        self.whats
            .get(ancestor.name.as_str())
            .is_none_or(|all| all.as_ref() == Some(what))
    }
}

struct Writer<'a> {
    source: &'a str,
    json: bool,
    lane: &'a Lane<'a>,
}

impl Writer<'_> {
    /// The edits that put the argument where the target's arguments stand.
    fn argument(
        &self,
        targets: &Targets<'_>,
        target: &Target,
        build: &Build,
    ) -> Result<Vec<Edit>, String> {
        let (lineage, _) = targets.file.lineage(target, &targets.scope);
        let entry = self.entry();
        for ancestor in &lineage {
            let Some(args) = ancestor.field("args") else {
                continue;
            };
            let own = ancestor.name == target.name;
            match args.value.fields() {
                Some(fields) if own || targets.alone(ancestor, &build.subject) => {
                    return Ok(vec![
                        self.add(args.value.span, fields, &|_, _| entry.clone()),
                    ]);
                }
                None if own => return Err("its `args` is an expression".to_owned()),
                _ => {}
            }
        }
        // Of targets that build the same and inherit from one another, the first gets it for all.
        let mut first = lineage.iter().rev();
        let first = first.find(|ancestor| {
            targets.built.contains(&ancestor.span) && targets.alone(ancestor, &build.subject)
        });
        let target = first.copied().unwrap_or(target);
        let block = |indent: &str, step: &str| self.block(indent, step, &entry);
        if self.json {
            return Ok(vec![self.add(
                target.body,
                &target.fields,
                &|indent, step| format!("\"args\": {}", block(indent, step)),
            )]);
        }
        self.attribute(target, &|indent, step| {
            format!("args = {}", block(indent, step))
        })
    }

    fn entry(&self) -> String {
        let arg = self.lane.arg;
        if self.json {
            format!("\"{arg}\": \"${{{arg}}}\"")
        } else {
            format!("{arg} = {arg}")
        }
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
                let (base, step) = (lines::margin(source, object.start), "  ");
                let indent = format!("{base}{step}");
                return Edit::insert(
                    object.start + 1,
                    format!("{newline}{indent}{}", entry(&indent, step)),
                );
            }
            let (before, behind) = if self.json {
                ("", "")
            } else {
                (" ", if inner.is_empty() { " " } else { "" })
            };
            return Edit::insert(
                object.start + 1,
                format!("{before}{}{behind}", entry("", "")),
            );
        };
        let end = last.value.span.end;
        if !source[object.start..first.key_span.start].contains('\n') {
            return Edit::insert(end, format!(", {}", entry("", "")));
        }
        let indent = lines::margin(source, first.key_span.start);
        let step = indent
            .strip_prefix(lines::margin(source, object.start))
            .filter(|step| !step.is_empty())
            .unwrap_or("  ");
        let entry = entry(indent, step);
        if self.json {
            return Edit::insert(end, format!(",{newline}{indent}{entry}"));
        }
        let rest = lines::rest(source, end);
        let bare = rest.trim_start();
        let (comma, bare) = bare
            .strip_prefix(',')
            .map_or(("", bare), |bare| (",", bare.trim_start()));
        if bare.is_empty() || bare.starts_with('#') || bare.starts_with("//") {
            return Edit::insert(end + rest.len(), format!("{newline}{indent}{entry}{comma}"));
        }
        Edit::insert(end, format!(", {entry}"))
    }

    /// Puts an attribute behind the last of a target's block.
    fn attribute(
        &self,
        target: &Target,
        attribute: &dyn Fn(&str, &str) -> String,
    ) -> Result<Vec<Edit>, String> {
        let source = self.source;
        let close = target.body.end.saturating_sub(1);
        let open = target.span.end
            + source[target.span.end..]
                .find('{')
                .ok_or("its block has no braces")?;
        if source.as_bytes().get(close) != Some(&b'}') || open >= close {
            return Err("its block has no braces".to_owned());
        }
        let newline = line_ending(source.as_bytes(), open);
        let base = lines::margin(source, target.body.start);
        let first = target
            .fields
            .first()
            .map(|field| lines::margin(source, field.key_span.start));
        let step = first
            .and_then(|first| first.strip_prefix(base))
            .filter(|step| !step.is_empty())
            .unwrap_or("  ");
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
            Edit::replace(
                Span::new(start + bare.len(), close),
                format!("{newline}{indent}{text}{newline}{base}"),
            ),
        ])
    }

    /// The edit that declares the variable, where it is not declared: with the lane that a build which passes nothing has,
    /// so that whoever sets none keeps it.
    fn variable(&self, file: &File, scope: &Scope<'_>) -> Declared {
        let Lane { arg, default, .. } = *self.lane;
        let mut own = file
            .variables
            .iter()
            .filter(|variable| variable.name == arg);
        let Some(last) = own.clone().next_back() else {
            return Ok(if self.json {
                self.json_variable()
            } else {
                Some(self.hcl_variable())
            });
        };
        let typed = if self.json {
            format!(
                "`\"variable\": {{\"{arg}\": {{\"default\": {}}}}}`",
                self.default()
            )
        } else {
            format!("`variable \"{arg}\" {{ default = {} }}`", self.default())
        };
        if !own.any(|variable| variable.is_block) {
            return Err(format!(
                "`{arg}` is an attribute, which no job can set: write {typed} in its place"
            ));
        }
        let value = last
            .default
            .as_ref()
            .map_or_else(|| Value::Text(String::new()), |ast| scope.value(ast));
        match value.text() {
            Some(value) if value == default => Ok(None),
            Some("") => Err(format!(
                "the variable `{arg}` is empty where no job sets it, and so would the lane be: {typed}"
            )),
            Some(value) => Err(format!(
                "whoever sets no `{arg}` would go from the lane `{default}` to `{value}`, and find that cache cold: {typed}"
            )),
            None => Err(format!(
                "what the variable `{arg}` is where no job sets it is not known: {typed}"
            )),
        }
    }

    /// The lane's default, as a text of the file.
    fn default(&self) -> String {
        let text = self.lane.default.replace("${", "$${").replace("%{", "%%{");
        if self.json {
            return serde_json::Value::from(text).to_string();
        }
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }

    fn json_variable(&self) -> Option<Edit> {
        let yaml = crate::builds::yaml::Yaml::read(self.source).ok()?;
        let root = yaml.root()?;
        let default = self.default();
        let body = |indent: &str, step: &str| {
            format!(
                "\"{}\": {}",
                self.lane.arg,
                self.block(indent, step, &format!("\"default\": {default}"))
            )
        };
        let variables = root
            .own_entry("variable")
            .map(|entry| entry.value)
            .filter(|value| value.is_map());
        if let Some(variables) = variables {
            return Some(self.add(variables.span(), &super::json::fields(variables), &body));
        }
        Some(
            self.add(root.span(), &super::json::fields(root), &|indent, step| {
                let inner = if step.is_empty() {
                    String::new()
                } else {
                    format!("{indent}{step}")
                };
                format!(
                    "\"variable\": {}",
                    self.block(indent, step, &body(&inner, step))
                )
            }),
        )
    }

    /// Behind the first variables; where there is none, at the top, behind a comment that stands alone.
    fn hcl_variable(&self) -> Edit {
        let source = self.source;
        let newline = line_ending(source.as_bytes(), 0);
        let block = format!(
            "variable \"{}\" {{{newline}  default = {}{newline}}}",
            self.lane.arg,
            self.default()
        );
        if let Some(end) = super::hcl::variables_end(source) {
            let rest = lines::rest(source, end);
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
