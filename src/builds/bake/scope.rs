//! The variables, functions and targets that the expressions of a bake file can name.

use std::collections::{HashMap, HashSet};

use hcl_edit::expr::{Expression, FuncCall, ObjectKey};
use hcl_edit::visit::{Visit, visit_expr, visit_func_call};

use super::functions;
use super::value::{Ast, Field, Kind, Value};
use crate::budget;
use crate::builds::jobs;
use crate::builds::model::ValueSource;

/// A `function` block.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) params: Vec<String>,
    /// The name of the list of all further arguments.
    pub(super) rest: Option<String>,
    pub(super) result: Ast,
}

#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) default: Option<Ast>,
    /// True for a `variable` block, which takes the environment's value, unlike an attribute.
    pub(super) is_block: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct BakeScope<'a> {
    /// The text of a file in HCL.
    pub(super) source: &'a str,
    /// The variables and attributes of the file, with their values.
    declared: HashMap<&'a str, Option<&'a Ast>>,
    /// The variables that the environment may set.
    open: HashSet<&'a str>,
    pub(super) functions: HashMap<&'a str, &'a Function>,
    /// The attributes of each target.
    pub(super) targets: HashMap<&'a str, &'a [Field]>,
    pub(super) known: HashMap<&'a str, Value>,
    /// The variables of a target's matrix.
    pub(super) matrix: Vec<(String, Value)>,
}

/// The names in an expression.
#[derive(Default)]
struct Names {
    variables: Vec<String>,
    functions: Vec<String>,
}

impl Visit for Names {
    fn visit_expr(&mut self, expression: &Expression) {
        if let Expression::Variable(name) = expression {
            self.variables.push(name.to_string());
        }
        visit_expr(self, expression);
    }

    fn visit_object_key(&mut self, key: &ObjectKey) {
        // A name alone is a key, not a variable.
        if let ObjectKey::Expression(expression) = key
            && !matches!(expression, Expression::Variable(_))
        {
            self.visit_expr(expression);
        }
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        self.functions.push(call.name.name.to_string());
        visit_func_call(self, call);
    }
}

impl Names {
    fn add(&mut self, ast: &Ast) {
        match &ast.kind {
            Kind::List(values) => values.iter().for_each(|value| self.add(value)),
            Kind::Object(fields) => fields.iter().for_each(|field| self.add(&field.value)),
            Kind::Other(expression) => self.visit_expr(expression),
        }
    }
}

impl<'a> BakeScope<'a> {
    /// Makes the scope of a file, whose text is `source` where that is HCL.
    pub(super) fn new(
        source: &'a str,
        variables: &'a [Variable],
        functions: &'a HashMap<String, Function>,
        targets: impl Iterator<Item = (&'a str, &'a [Field])>,
    ) -> Self {
        let default = |variable: &'a Variable| (variable.name.as_str(), variable.default.as_ref());
        let blocks = variables.iter().filter(|variable| variable.is_block);
        let mut scope = Self {
            source,
            declared: variables.iter().map(default).collect(),
            open: blocks.map(|variable| variable.name.as_str()).collect(),
            functions: functions
                .iter()
                .map(|(name, it)| (name.as_str(), it))
                .collect(),
            targets: targets.collect(),
            ..Self::default()
        };
        for name in scope.declared.keys().copied().collect::<Vec<_>>() {
            scope.compute(name);
        }
        scope
    }

    /// Returns the default of a variable or attribute, and whether the environment may set it.
    pub(super) fn declared(&self, name: &str) -> Option<(Option<&'a Ast>, bool)> {
        Some((*self.declared.get(name)?, self.open.contains(name)))
    }

    /// Computes a variable, after those that it is made of.
    fn compute(&mut self, name: &str) {
        let Some((&name, &default)) = self.declared.get_key_value(name) else {
            return;
        };
        if self.known.contains_key(name) {
            return;
        }
        // A variable that is made of itself finds itself unknown.
        self.known.insert(name, Value::Unknown);
        let value = match default {
            Some(ast) => {
                for name in self.names(ast).variables {
                    let _ = budget::nested(|| self.compute(&name));
                }
                self.value(ast)
            }
            None => Value::Text(String::new()),
        };
        self.known.insert(name, value);
    }

    /// Returns the names in `ast`, and in the functions of the file that it calls.
    fn names(&self, ast: &Ast) -> Names {
        let mut names = Names::default();
        names.add(ast);
        let (mut at, mut seen) = (0, HashSet::new());
        while let Some(name) = names
            .functions
            .get(at)
            .filter(|_| budget::spend(16))
            .cloned()
        {
            at += 1;
            let function = self.functions.get(name.as_str());
            if let Some(function) = function.filter(|_| seen.insert(name)) {
                let mut inner = Names::default();
                inner.add(&function.result);
                inner
                    .variables
                    .retain(|name| !function.params.contains(name));
                names.variables.extend(inner.variables);
                names.functions.extend(inner.functions);
            }
        }
        names
    }

    /// Returns the defaults of all variables that `ast` is made of, as written.
    pub(super) fn defaults(&self, ast: &Ast) -> String {
        let all = self.reached(ast).into_iter();
        let defaults = all.filter_map(|name| *self.declared.get(name.as_str())?);
        let texts = defaults
            .map(|default| String::from_utf8_lossy(default.span.of(self.source.as_bytes())));
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Returns all variables of the file that `ast` is made of, through others too.
    fn reached(&self, ast: &Ast) -> Vec<String> {
        let (mut found, mut open) = (Vec::new(), vec![ast]);
        while let Some(ast) = open.pop().filter(|_| budget::spend(1 + found.len())) {
            for name in self.names(ast).variables {
                let is_axis = jobs::value(&self.matrix, &name).is_some();
                if let Some(default) = self.declared.get(name.as_str()).filter(|_| !is_axis)
                    && !found.contains(&name)
                {
                    found.push(name);
                    open.extend(*default);
                }
            }
        }
        found
    }

    /// Returns all variables that change `ast` when the environment sets them, through others too.
    pub(super) fn variables(&self, ast: &Ast) -> ValueSource {
        let mut found = self.reached(ast);
        let is_name = matches!(
            ast.kind,
            Kind::Other(Expression::Variable(_) | Expression::Traversal(_))
        );
        let is_name = is_name && !found.is_empty();
        found.retain(|name| self.open.contains(name.as_str()));
        if found.is_empty() && is_name {
            return ValueSource::Attribute;
        }
        ValueSource::Variables(found)
    }

    /// Returns what keeps the value of `ast` unknown.
    pub(super) fn obstacle(&self, ast: &Ast) -> String {
        let names = self.names(ast);
        let is_unknown = |name: &&String| {
            let known = jobs::value(&self.matrix, name.as_str()).or(self.known.get(name.as_str()));
            known.is_none_or(|value| !value.is_known()) && *name != "target"
        };
        let is_foreign = |name: &&String| {
            !self.functions.contains_key(name.as_str()) && !functions::is_known(name)
        };
        if let Some(name) = names.functions.iter().find(is_foreign) {
            return format!("is what `{name}()` returns, which cachelane does not compute");
        }
        match names.variables.iter().find(is_unknown) {
            Some(name) => format!("is named by the variable `{name}`"),
            None => "is an expression that is not computed".to_owned(),
        }
    }
}
