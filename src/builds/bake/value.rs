//! The values of a bake file, from HCL and JSON alike, and what they come to as far as the file itself says.

use std::collections::{HashMap, HashSet};

use crate::budget;
use crate::builds::model::NO_VARIABLE;
use crate::text::{SourceMap, Span};

/// A value as it is written.
#[derive(Clone, Debug)]
pub struct Ast {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// A string, a heredoc; a number or a boolean, as they are written.
    Text(Vec<Part>),
    List(Vec<Ast>),
    Object(Vec<Field>),
    Null,
    /// A variable, and the attributes that are taken of it.
    Reference(Vec<String>),
    /// A function, a condition, …
    Other,
}

impl Kind {
    /// Makes a text that is written as it is.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(vec![Part::literal(text)])
    }
}

/// A stretch of a string.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text, and where its bytes stand, as far as they do so byte for byte.
    Literal(String, SourceMap),
    /// `${…}`, and how it is written.
    Hole(Ast, String),
}

impl Part {
    /// Makes a text whose bytes have no places.
    pub(super) fn literal(text: impl Into<String>) -> Self {
        Self::Literal(text.into(), SourceMap::default())
    }
}

#[derive(Clone, Debug)]
pub struct Field {
    /// `None` where it is computed.
    pub key: Option<String>,
    pub key_span: Span,
    pub value: Ast,
}

/// What a value comes to.
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
        match self {
            Self::Text(text) => 1 + text.len(),
            Self::List(values) => 1 + values.iter().map(Self::size).sum::<usize>(),
            Self::Object(fields) => {
                1 + fields
                    .iter()
                    .map(|(key, value)| key.len() + value.size())
                    .sum::<usize>()
            }
            Self::Null | Self::Unknown => 1,
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The values of a list, where it is one.
    pub fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }
}

impl Ast {
    /// The fields, where it is an object.
    pub fn fields(&self) -> Option<&[Field]> {
        match &self.kind {
            Kind::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// The variable that it is or has in it first, where there is one.
    pub fn variable(&self) -> Option<&str> {
        match &self.kind {
            Kind::Reference(names) => names.first().map(String::as_str),
            Kind::Text(parts) => parts.iter().find_map(|part| match part {
                Part::Hole(ast, _) => ast.variable(),
                Part::Literal(..) => None,
            }),
            _ => None,
        }
    }
}

/// What the variables of a file come to.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    /// Those of the file, with their defaults.
    declared: HashMap<&'a str, Option<&'a Ast>>,
    /// Those of them that the environment may set.
    open: HashSet<&'a str>,
    known: HashMap<&'a str, Value>,
    /// Those of a target's matrix.
    pub matrix: Vec<(String, Value)>,
}

impl<'a> Scope<'a> {
    /// The scope of a file with these variables and their defaults, of which the environment may set `open`.
    pub fn new(
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

    /// Finds out what a variable comes to, and first those that it is made of.
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
            let mut names = Vec::new();
            references(ast, &mut names);
            for name in names {
                let _ = budget::nested(|| self.declare(name));
            }
            let value = self.value(ast);
            self.known.insert(name, value);
        }
    }

    /// What `ast` comes to, where every variable has its default.
    pub fn value(&self, ast: &Ast) -> Value {
        match &ast.kind {
            Kind::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    let before = text.len();
                    match part {
                        Part::Literal(literal, _) => text.push_str(literal),
                        Part::Hole(ast, _) => match self.value(ast) {
                            Value::Text(value) => text.push_str(&value),
                            _ => return Value::Unknown,
                        },
                    }
                    if !budget::spend(4 * (1 + text.len() - before)) {
                        return Value::Unknown;
                    }
                }
                Value::Text(text)
            }
            Kind::List(values) => {
                Value::List(values.iter().map(|value| self.value(value)).collect())
            }
            Kind::Object(fields) => {
                let known = |field: &Field| Some((field.key.clone()?, self.value(&field.value)));
                fields
                    .iter()
                    .map(known)
                    .collect::<Option<_>>()
                    .map_or(Value::Unknown, Value::Object)
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

    /// The variables that `ast` is made of, and those that these are made of: whoever sets one of them in the environment
    /// changes it. For an attribute alone, that no variable has a part in, [`NO_VARIABLE`].
    pub fn variables(&self, ast: &Ast) -> Vec<String> {
        let (mut found, mut open) = (Vec::new(), vec![ast]);
        while let Some(ast) = open.pop().filter(|_| budget::spend(1 + found.len())) {
            let mut names = Vec::new();
            references(ast, &mut names);
            for name in names {
                let axis = self.matrix.iter().any(|(axis, _)| axis == name);
                if let Some(default) = self.declared.get(name).filter(|_| !axis)
                    && !found.iter().any(|found| found == name)
                {
                    found.push(name.to_owned());
                    open.extend(*default);
                }
            }
        }
        let is_attribute = !found.is_empty() && matches!(ast.kind, Kind::Reference(_));
        found.retain(|name| self.open.contains(name.as_str()));
        if found.is_empty() && is_attribute {
            found.push(NO_VARIABLE.to_owned());
        }
        found
    }

    fn reference(&self, names: &[String]) -> Option<&Value> {
        let (first, rest) = names.split_first()?;
        let axis = self
            .matrix
            .iter()
            .find(|(name, _)| name == first)
            .map(|(_, value)| value);
        rest.iter().try_fold(
            axis.or_else(|| self.known.get(first.as_str()))?,
            |value, name| match value {
                Value::Object(fields) => fields
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value),
                _ => None,
            },
        )
    }
}

fn references<'a>(ast: &'a Ast, found: &mut Vec<&'a str>) {
    match &ast.kind {
        Kind::Reference(names) => found.extend(names.first().map(String::as_str)),
        Kind::Text(parts) => {
            for part in parts {
                if let Part::Hole(ast, _) = part {
                    references(ast, found);
                }
            }
        }
        Kind::List(values) => values.iter().for_each(|value| references(value, found)),
        Kind::Object(fields) => fields
            .iter()
            .for_each(|field| references(&field.value, found)),
        Kind::Null | Kind::Other => {}
    }
}
