//! The content of a bake file, in HCL and JSON alike.

use std::collections::{HashMap, HashSet};

use hcl_edit::expr::Expression;

use super::scope::{BakeScope, Function, Variable};
use super::value::{Ast, Field, Kind, Value};
use crate::budget;
use crate::builds::model::Group;
use crate::text::Span;

#[derive(Debug, Default)]
pub(super) struct File {
    /// The objects of JSON that a variable can go into.
    pub(super) json: Option<Json>,
    pub(super) variables: Vec<Variable>,
    functions: HashMap<String, Function>,
    pub(super) groups: Vec<(String, Ast)>,
    pub(super) targets: Vec<Target>,
    names: HashMap<String, Vec<usize>>,
    /// The end of the first group of `variable` blocks in HCL.
    pub(super) variables_end: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Json {
    pub(super) root: Braces,
    pub(super) variables: Option<Braces>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Braces {
    pub(super) span: Span,
    pub(super) entries: Option<Span>,
}

impl Braces {
    pub(super) fn new(span: Span, fields: &[Field]) -> Self {
        let ends = fields.first().zip(fields.last());
        let entries =
            ends.map(|(first, last)| Span::new(first.key_span.start, last.value.span.end));
        Self { span, entries }
    }
}

#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) span: Span,
    /// The block: in JSON its braces, in HCL all of it.
    pub(super) body: Span,
    pub(super) fields: Vec<Field>,
}

impl File {
    /// Adds a block, which looks like a target.
    pub(super) fn push(&mut self, kind: &str, block: Target) {
        let value = |key: &str| Some(block.field(key)?.value.clone());
        match kind {
            "variable" => self.variables.push(Variable {
                // One with a type is `null`, others are empty.
                default: value("default").or_else(|| {
                    let span = block.field("type")?.key_span;
                    let kind = Kind::Other(Expression::null());
                    Some(Ast { span, kind })
                }),
                name: block.name,
                is_block: true,
            }),
            "function" => {
                let names = |key: &str| block.field(key).map(|field| names(&field.value));
                if let Some(result) = value("result") {
                    let function = Function {
                        params: names("params").unwrap_or_default(),
                        rest: names("variadic_params").and_then(|names| names.into_iter().next()),
                        result,
                    };
                    self.functions.insert(block.name, function);
                }
            }
            "group" => {
                let targets = value("targets");
                self.groups
                    .extend(targets.map(|targets| (block.name, targets)));
            }
            "target" => {
                let same = self.names.entry(block.name.clone()).or_default();
                same.push(self.targets.len());
                self.targets.push(block);
            }
            _ => {}
        }
    }

    /// Returns the blocks of a name: they are one target, of which the last counts first.
    fn named(&self, name: &str) -> impl Iterator<Item = &Target> {
        let indices = self.names.get(name).into_iter().flatten().rev();
        indices.map(|&index| &self.targets[index])
    }

    /// Returns what the expressions of the file, whose text is `source`, can name.
    pub(super) fn scope<'a>(&'a self, source: &'a str) -> BakeScope<'a> {
        // The places of JSON are those of its own reader.
        let source = if self.json.is_some() { "" } else { source };
        let targets = self.targets.iter();
        let targets = targets.map(|target| (target.name.as_str(), target.fields.as_slice()));
        BakeScope::new(source, &self.variables, &self.functions, targets)
    }

    /// Returns the groups with their members.
    pub(super) fn groups(&self, scope: &BakeScope<'_>) -> Vec<Group> {
        let group = |(name, targets): &(String, Ast)| Group {
            name: name.clone(),
            members: scope.value(targets).texts(),
        };
        self.groups.iter().map(group).collect()
    }

    /// Returns the targets that are built, without those that others only inherit from.
    pub(super) fn built(&self, scope: &BakeScope<'_>) -> Vec<&Target> {
        let names = |ast: &Ast| scope.value(ast).texts();
        let mut named: HashSet<String> = HashSet::from(["default".to_owned()]);
        named.extend(self.groups.iter().flat_map(|(_, targets)| names(targets)));
        let mut inherited: HashSet<String> = HashSet::new();
        for target in &self.targets {
            inherited.extend(target.get("inherits").map(names).unwrap_or_default());
            let contexts = target.get("contexts").map(|ast| scope.value(ast));
            named.extend(contexts.iter().flat_map(after));
        }
        let is_built =
            |target: &&Target| named.contains(&target.name) || !inherited.contains(&target.name);
        self.targets.iter().filter(is_built).collect()
    }

    pub(super) fn lineage<'a>(&'a self, target: &'a Target, scope: &BakeScope<'_>) -> Lineage<'a> {
        let mut found: Vec<&Target> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        let mut known = true;
        let mut left = vec![target];
        while let Some(target) = left.pop() {
            if !seen.insert(&target.name) {
                continue;
            }
            if !budget::spend(16) {
                break;
            }
            found.extend(self.named(&target.name));
            let Some(inherits) = target.get("inherits") else {
                continue;
            };
            let values = scope.value(inherits);
            known &= values.list().is_some();
            for value in values.list().unwrap_or_default() {
                let parent = value.text();
                let parent = parent.and_then(|name| self.named(&name).next());
                known &= parent.is_some();
                // Of the parents, the last counts first.
                left.extend(parent);
            }
        }
        Lineage {
            target,
            all: found,
            known,
        }
    }
}

/// Returns the names in a list of names, which are no variables there.
fn names(ast: &Ast) -> Vec<String> {
    let name = |ast: &Ast| match &ast.kind {
        Kind::Other(Expression::Variable(name)) => Some(name.to_string()),
        Kind::Other(Expression::String(name)) => Some(name.to_string()),
        _ => None,
    };
    match &ast.kind {
        Kind::List(names) => names.iter().filter_map(name).collect(),
        _ => name(ast).into_iter().collect(),
    }
}

/// Returns the names of the targets whose results `contexts` take.
pub(super) fn after(contexts: &Value) -> Vec<String> {
    let fields = contexts.fields().unwrap_or_default().iter();
    let name =
        |(_, value): &(String, Value)| Some(value.text()?.strip_prefix("target:")?.to_owned());
    fields.filter_map(name).collect()
}

/// A target with its ancestors.
pub(super) struct Lineage<'f> {
    pub(super) target: &'f Target,
    /// The target's blocks and its ancestors, those whose attributes count first.
    pub(super) all: Vec<&'f Target>,
    /// True where no ancestor is unknown.
    pub(super) known: bool,
}

impl Target {
    /// Returns the attribute of this name, `null` or not.
    pub(super) fn field(&self, key: &str) -> Option<&Field> {
        let mut fields = self.fields.iter();
        fields.rfind(|field| field.key.as_deref() == Some(key))
    }

    /// Returns the value of the attribute of this name, unless that is `null`.
    pub(super) fn get(&self, key: &str) -> Option<&Ast> {
        let value = self.field(key).map(|field| &field.value);
        value.filter(|value| !matches!(value.kind, Kind::Other(Expression::Null(_))))
    }
}
