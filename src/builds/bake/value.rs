//! The values of a bake file, from HCL and JSON alike, as far as the file itself determines them.

use std::collections::{HashMap, HashSet};

use crate::budget;
use crate::builds::jobs;
use crate::builds::model::ValueSource;
use crate::text::{SourceMap, Span};

#[derive(Clone, Debug)]
pub struct Ast {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// A string, a heredoc, a number or a boolean, as written.
    Text(Vec<Part>),
    List(Vec<Ast>),
    Object(Vec<Field>),
    Null,
    /// A variable, and the path of attributes behind it.
    Reference(Vec<String>),
    Other,
}

impl Kind {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(vec![Part::literal(text)])
    }
}

#[derive(Clone, Debug)]
pub enum Part {
    /// Text, with the places of those bytes that stand in the file as they are.
    Literal(String, SourceMap),
    /// `${…}`, and its source text.
    Hole(Ast, String),
}

impl Part {
    pub(super) fn literal(text: impl Into<String>) -> Self {
        Self::Literal(text.into(), SourceMap::default())
    }
}

#[derive(Clone, Debug)]
pub struct Field {
    /// `None` where the key is computed.
    pub key: Option<String>,
    pub key_span: Span,
    pub value: Ast,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
    Null,
    Unknown,
}

impl Value {
    fn size(&self) -> usize {
        let size = |(key, value): &(String, Self)| key.len() + value.size();
        1 + match self {
            Self::Text(text) => text.len(),
            Self::List(values) => values.iter().map(Self::size).sum(),
            Self::Object(fields) => fields.iter().map(size).sum(),
            Self::Null | Self::Unknown => 0,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }
}

impl Ast {
    pub(super) fn fields(&self) -> Option<&[Field]> {
        match &self.kind {
            Kind::Object(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn variable(&self) -> Option<&str> {
        self.variables().first().copied()
    }

    fn variables(&self) -> Vec<&str> {
        let (mut found, mut open) = (Vec::new(), vec![self]);
        while let Some(ast) = open.pop() {
            let before = open.len();
            match &ast.kind {
                Kind::Reference(names) => found.extend(names.first().map(String::as_str)),
                Kind::Text(parts) => open.extend(parts.iter().filter_map(|part| match part {
                    Part::Hole(ast, _) => Some(ast),
                    Part::Literal(..) => None,
                })),
                Kind::List(values) => open.extend(values),
                Kind::Object(fields) => open.extend(fields.iter().map(|field| &field.value)),
                Kind::Null | Kind::Other => {}
            }
            open[before..].reverse();
        }
        found
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Scope<'a> {
    /// The variables of the file, with their defaults.
    declared: HashMap<&'a str, Option<&'a Ast>>,
    /// The variables that the environment may set.
    open: HashSet<&'a str>,
    known: HashMap<&'a str, Value>,
    /// The variables of a target's matrix.
    pub(super) matrix: Vec<(String, Value)>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        variables: impl Iterator<Item = (&'a str, Option<&'a Ast>)>,
        open: HashSet<&'a str>,
    ) -> Self {
        let mut scope = Self {
            declared: variables.collect(),
            open,
            ..Self::default()
        };
        for name in scope.declared.keys().copied().collect::<Vec<_>>() {
            scope.declare(name);
        }
        scope
    }

    /// Returns the default of a variable or attribute, and whether the environment may set it.
    pub(super) fn declared(&self, name: &str) -> Option<(Option<&'a Ast>, bool)> {
        Some((*self.declared.get(name)?, self.open.contains(name)))
    }

    /// Computes a variable, after those that it is made of.
    fn declare(&mut self, name: &str) {
        let Some((&name, &default)) = self.declared.get_key_value(name) else {
            return;
        };
        if self.known.contains_key(name) {
            return;
        }
        // A variable that is made of itself finds itself unknown.
        self.known.insert(name, Value::Unknown);
        if let Some(ast) = default {
            for name in ast.variables() {
                let _ = budget::nested(|| self.declare(name));
            }
            let value = self.value(ast);
            self.known.insert(name, value);
        }
    }

    /// Returns the value of `ast`, where every variable has its default.
    pub(super) fn value(&self, ast: &Ast) -> Value {
        match &ast.kind {
            Kind::Text(parts) => self.text(parts).map_or(Value::Unknown, Value::Text),
            Kind::List(values) => {
                let values = values.iter().map(|value| self.value(value));
                Value::List(values.collect())
            }
            Kind::Object(fields) => {
                let known = |field: &Field| Some((field.key.clone()?, self.value(&field.value)));
                let fields: Option<_> = fields.iter().map(known).collect();
                fields.map_or(Value::Unknown, Value::Object)
            }
            Kind::Null => Value::Null,
            Kind::Reference(names) => {
                let value = self.reference(names);
                let value = value.filter(|value| budget::spend(4 * value.size()));
                value.cloned().unwrap_or(Value::Unknown)
            }
            Kind::Other => Value::Unknown,
        }
    }

    fn text(&self, parts: &[Part]) -> Option<String> {
        let mut text = String::new();
        for part in parts {
            let before = text.len();
            match part {
                Part::Literal(literal, _) => text.push_str(literal),
                Part::Hole(ast, _) => text.push_str(self.value(ast).text()?),
            }
            budget::spend(4 * (1 + text.len() - before)).then_some(())?;
        }
        Some(text)
    }

    /// Returns all variables that change `ast` when the environment sets them, through others too.
    pub(super) fn variables(&self, ast: &Ast) -> ValueSource {
        let (mut found, mut open) = (Vec::new(), vec![ast]);
        while let Some(ast) = open.pop().filter(|_| budget::spend(1 + found.len())) {
            for name in ast.variables() {
                let is_axis = jobs::value(&self.matrix, name).is_some();
                if let Some(default) = self.declared.get(name).filter(|_| !is_axis)
                    && !found.iter().any(|found| found == name)
                {
                    found.push(name.to_owned());
                    open.extend(*default);
                }
            }
        }
        let is_name = !found.is_empty() && matches!(ast.kind, Kind::Reference(_));
        found.retain(|name| self.open.contains(name.as_str()));
        if found.is_empty() && is_name {
            return ValueSource::Attribute;
        }
        ValueSource::Variables(found)
    }

    fn reference(&self, names: &[String]) -> Option<&Value> {
        let (first, rest) = names.split_first()?;
        let axis = jobs::value(&self.matrix, first);
        let value = axis.or_else(|| self.known.get(first.as_str()))?;
        rest.iter().try_fold(value, |value, name| match value {
            Value::Object(fields) => jobs::value(fields, name),
            _ => None,
        })
    }
}
