//! Computes expressions, as far as the file itself determines them.

use hcl_edit::Decorated;
use hcl_edit::expr::{
    BinaryOp, BinaryOperator, Expression, ForExpr, FuncCall, ObjectKey, Traversal,
    TraversalOperator, UnaryOperator,
};
use hcl_edit::template::{Directive, Element, Strip, Template};

use super::functions;
use super::heredoc;
use super::scope::BakeScope;
use super::value::{Ast, Evaluated, Failed, Field, Kind, Value, bool_of, number_of};
use crate::budget;
use crate::builds::jobs;

/// The calls of functions and the targets that a value may go through: a function may call itself.
const MAX_HOPS: usize = 32;

/// The cost of an operation, in steps of the budget.
const STEPS: usize = 64;

/// The names that a function or a `for` adds to those of the file.
#[derive(Clone, Copy)]
struct Locals<'l> {
    own: &'l [(String, Value)],
    outer: Option<&'l Locals<'l>>,
    hops: usize,
}

impl<'l> Locals<'l> {
    fn with<'i>(&'i self, own: &'i [(String, Value)]) -> Locals<'i> {
        Locals {
            own,
            outer: Some(self),
            hops: self.hops,
        }
    }

    fn get(&self, name: &str) -> Option<&'l Value> {
        let own = jobs::value(self.own, name);
        own.or_else(|| self.outer?.get(name))
    }
}

impl BakeScope<'_> {
    /// Returns the value of `ast`, where every variable has its default.
    pub(super) fn value(&self, ast: &Ast) -> Value {
        self.ast(ast, &self.global()).unwrap_or(Value::Unknown)
    }

    /// Returns the value of an expression, in the same way.
    pub(super) fn hole(&self, expression: &Expression) -> Value {
        let value = self.expression(expression, &self.global());
        value.unwrap_or(Value::Unknown)
    }

    fn global(&self) -> Locals<'_> {
        Locals {
            own: &self.matrix,
            outer: None,
            hops: 0,
        }
    }

    fn ast(&self, ast: &Ast, locals: &Locals<'_>) -> Evaluated {
        let value = |ast: &Ast| self.ast(ast, locals).unwrap_or(Value::Unknown);
        Ok(match &ast.kind {
            Kind::List(values) => Value::List(values.iter().map(value).collect()),
            Kind::Object(fields) => {
                let known = |field: &Field| Some((field.key.clone()?, value(&field.value)));
                let fields: Option<_> = fields.iter().map(known).collect();
                fields.map_or(Value::Unknown, Value::object)
            }
            Kind::Other(expression) => return self.expression(expression, locals),
        })
    }

    fn expression(&self, expression: &Expression, locals: &Locals<'_>) -> Evaluated {
        let is_paid = budget::spend(STEPS);
        let value = is_paid.then(|| budget::nested(|| self.computed(expression, locals)));
        value.flatten().unwrap_or(Ok(Value::Unknown))
    }

    fn all<'e>(
        &self,
        expressions: impl IntoIterator<Item = &'e Expression>,
        locals: &Locals<'_>,
    ) -> Result<Vec<Value>, Failed> {
        let value = |expression| self.expression(expression, locals);
        expressions.into_iter().map(value).collect()
    }

    fn computed(&self, expression: &Expression, locals: &Locals<'_>) -> Evaluated {
        Ok(match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(value) => Value::Bool(*value.value()),
            Expression::Number(value) => {
                let number = value.value().as_f64();
                number.map_or(Value::Unknown, Value::Number)
            }
            Expression::String(text) => Value::Text(text.to_string()),
            Expression::StringTemplate(template) => {
                let mut elements = template.iter();
                if let (Some(Element::Interpolation(only)), None) =
                    (elements.next(), elements.next())
                {
                    return self.expression(&only.expr, locals);
                }
                self.template(template.iter(), locals)?
            }
            Expression::HeredocTemplate(_) => match heredoc::parts(self.source, expression) {
                Some(parts) => self.parts(&parts, locals)?,
                None => Value::Unknown,
            },
            Expression::Array(values) => Value::List(self.all(values.iter(), locals)?),
            Expression::Object(fields) => {
                let mut all = Vec::new();
                for (key, value) in fields {
                    let key = match key {
                        ObjectKey::Ident(name)
                        | ObjectKey::Expression(Expression::Variable(name)) => name.to_string(),
                        ObjectKey::Expression(key) => match self.expression(key, locals)? {
                            Value::Unknown => return Ok(Value::Unknown),
                            key => key.text().ok_or(Failed)?.into_owned(),
                        },
                    };
                    all.push((key, self.expression(value.expr(), locals)?));
                }
                Value::object(all)
            }
            Expression::Parenthesis(inner) => self.expression(inner.inner(), locals)?,
            Expression::Variable(name) => self.variable(name.as_str(), locals),
            Expression::Traversal(traversal) => self.traversal(traversal, locals)?,
            Expression::Conditional(choice) => match self.expression(&choice.cond_expr, locals)? {
                Value::Unknown => {
                    let one = self.expression(&choice.true_expr, locals)?;
                    let other = self.expression(&choice.false_expr, locals)?;
                    if one == other { one } else { Value::Unknown }
                }
                is if bool_of(&is)? => self.expression(&choice.true_expr, locals)?,
                _ => self.expression(&choice.false_expr, locals)?,
            },
            Expression::FuncCall(call) => self.call(call, locals)?,
            Expression::UnaryOp(op) => {
                let value = self.expression(&op.expr, locals)?;
                match op.operator.value() {
                    _ if value == Value::Unknown => value,
                    UnaryOperator::Not => Value::Bool(!bool_of(&value)?),
                    UnaryOperator::Neg => Value::Number(-number_of(&value)?),
                }
            }
            Expression::BinaryOp(op) => self.binary(op, locals)?,
            Expression::ForExpr(each) => self.each(each, locals)?,
        })
    }

    fn variable(&self, name: &str, locals: &Locals<'_>) -> Value {
        let value = locals.get(name).or_else(|| self.known.get(name));
        let value = value.filter(|value| budget::spend(4 * value.size()));
        match (value, name) {
            (Some(value), _) => value.clone(),
            // The folder that bake is started in.
            (None, "BAKE_CMD_CONTEXT") => Value::Text("cwd://".to_owned()),
            // Another file of the same call may declare it.
            (None, _) => Value::Unknown,
        }
    }

    fn traversal(&self, traversal: &Traversal, locals: &Locals<'_>) -> Evaluated {
        let mut operators = traversal.operators.iter().map(Decorated::value);
        let mut value = match &traversal.expr {
            Expression::Variable(name)
                if name.as_str() == "target" && locals.get("target").is_none() =>
            {
                let mut name = || match operators.next()? {
                    TraversalOperator::GetAttr(name) => Some(name.to_string()),
                    TraversalOperator::Index(Expression::String(name)) => Some(name.to_string()),
                    _ => None,
                };
                let (target, key) = (name(), name());
                self.attribute(target.as_deref(), key.as_deref(), locals.hops)
            }
            other => self.expression(other, locals)?,
        };
        let operators: Vec<&TraversalOperator> = operators.collect();
        for (at, operator) in operators.iter().enumerate() {
            let key = match operator {
                TraversalOperator::GetAttr(name) => Value::Text(name.to_string()),
                TraversalOperator::Index(index) => self.expression(index, locals)?,
                TraversalOperator::LegacyIndex(index) => {
                    Value::count(usize::try_from(**index).map_err(|_| Failed)?)
                }
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    return splat(value, &operators[at + 1..]);
                }
            };
            value = functions::item(value, &key)?;
        }
        Ok(value)
    }

    /// Returns an attribute of another target.
    fn attribute(&self, target: Option<&str>, key: Option<&str>, hops: usize) -> Value {
        let fields = target.and_then(|target| self.targets.get(target));
        let mut fields = fields.into_iter().copied().flatten().rev();
        let field = fields.find(|field| key.is_some() && field.key.as_deref() == key);
        let value = field.filter(|_| hops < MAX_HOPS).map(|field| {
            let locals = Locals {
                own: &[],
                outer: None,
                hops: hops + 1,
            };
            self.ast(&field.value, &locals)
        });
        value.and_then(Result::ok).unwrap_or(Value::Unknown)
    }

    fn binary(&self, op: &BinaryOp, locals: &Locals<'_>) -> Evaluated {
        let left = self.expression(&op.lhs_expr, locals)?;
        let right = self.expression(&op.rhs_expr, locals)?;
        let operator = *op.operator.value();
        let one = match operator {
            BinaryOperator::And => Some(Value::Bool(false)),
            BinaryOperator::Or => Some(Value::Bool(true)),
            _ => None,
        };
        // One side may be enough.
        if let Some(one) = one.filter(|one| left == *one || right == *one) {
            return Ok(one);
        }
        if !left.is_known() || !right.is_known() {
            return Ok(Value::Unknown);
        }
        let name = match operator {
            BinaryOperator::Eq => "equal",
            BinaryOperator::NotEq => "notequal",
            BinaryOperator::LessEq => "lessthanorequalto",
            BinaryOperator::GreaterEq => "greaterthanorequalto",
            BinaryOperator::Less => "lessthan",
            BinaryOperator::Greater => "greaterthan",
            BinaryOperator::Plus => "add",
            BinaryOperator::Minus => "subtract",
            BinaryOperator::Mul => "multiply",
            BinaryOperator::Div => "divide",
            BinaryOperator::Mod => "modulo",
            BinaryOperator::And => "and",
            BinaryOperator::Or => "or",
        };
        functions::call(name, vec![left, right])
    }

    fn call(&self, call: &FuncCall, locals: &Locals<'_>) -> Evaluated {
        let name = call.name.name.as_str();
        if matches!(name, "try" | "can") {
            for arg in &call.args {
                match self.expression(arg, locals) {
                    Ok(Value::Unknown) => return Ok(Value::Unknown),
                    Ok(_) if name == "can" => return Ok(Value::Bool(true)),
                    Ok(value) => return Ok(value),
                    Err(Failed) => {}
                }
            }
            return if name == "can" {
                Ok(Value::Bool(false))
            } else {
                Err(Failed)
            };
        }
        let mut args = self.all(call.args.iter(), locals)?;
        if call.args.expand_final() {
            match args.pop() {
                Some(Value::List(last)) => args.extend(last),
                Some(Value::Unknown) => return Ok(Value::Unknown),
                _ => return Err(Failed),
            }
        }
        let Some(function) = self.functions.get(name) else {
            return functions::call(name, args);
        };
        if args.len() < function.params.len() || locals.hops >= MAX_HOPS {
            return Err(Failed);
        }
        let rest = args.split_off(function.params.len());
        let mut own: Vec<_> = function.params.iter().cloned().zip(args).collect();
        match &function.rest {
            Some(name) => own.push((name.clone(), Value::List(rest))),
            None if rest.is_empty() => {}
            None => return Err(Failed),
        }
        let locals = Locals {
            own: &own,
            outer: None,
            hops: locals.hops + 1,
        };
        self.ast(&function.result, &locals)
    }

    fn each(&self, each: &ForExpr, locals: &Locals<'_>) -> Evaluated {
        let intro = &each.intro;
        let key_name = intro.key_var.as_ref().map(|name| name.as_str());
        let Some(rows) = rows(self.expression(&intro.collection_expr, locals)?)? else {
            return Ok(Value::Unknown);
        };
        let (mut list, mut fields) = (Vec::new(), Vec::new());
        for row in rows {
            let own = named(key_name, intro.value_var.as_str(), row);
            let locals = locals.with(&own);
            if let Some(cond) = &each.cond {
                match self.expression(&cond.expr, &locals)? {
                    Value::Unknown => return Ok(Value::Unknown),
                    is if bool_of(&is)? => {}
                    _ => continue,
                }
            }
            let value = self.expression(&each.value_expr, &locals)?;
            match &each.key_expr {
                None => list.push(value),
                Some(key) => match self.expression(key, &locals)? {
                    Value::Unknown => return Ok(Value::Unknown),
                    key => fields.push((key.text().ok_or(Failed)?.into_owned(), value)),
                },
            }
        }
        if each.key_expr.is_none() {
            return Ok(Value::List(list));
        }
        if each.grouping {
            let mut groups: Vec<(String, Value)> = Vec::new();
            for (key, value) in fields.into_iter().take_while(|_| budget::spend(16)) {
                match groups.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, Value::List(group))) => group.push(value),
                    _ => groups.push((key, Value::List(vec![value]))),
                }
            }
            fields = groups;
        }
        Ok(Value::object(fields))
    }

    fn parts(&self, parts: &[heredoc::Part<'_>], locals: &Locals<'_>) -> Evaluated {
        let mut text = String::new();
        for part in parts {
            match part {
                heredoc::Part::Literal(literal, _) => text.push_str(literal),
                heredoc::Part::Hole(hole) => match self.expression(hole, locals)? {
                    Value::Unknown => return Ok(Value::Unknown),
                    value => text.push_str(&value.text().ok_or(Failed)?),
                },
            }
        }
        Ok(paid(text))
    }

    fn template<'e>(
        &self,
        elements: impl Iterator<Item = &'e Element>,
        locals: &Locals<'_>,
    ) -> Evaluated {
        let mut text = String::new();
        for element in elements {
            let value = match element {
                Element::Literal(literal) => {
                    text.push_str(literal);
                    continue;
                }
                // Blanks that a mark strips are rare.
                Element::Interpolation(hole) if hole.strip != Strip::None => Value::Unknown,
                Element::Interpolation(hole) => self.expression(&hole.expr, locals)?,
                Element::Directive(directive) => self.directive(directive, locals)?,
            };
            if value == Value::Unknown {
                return Ok(value);
            }
            text.push_str(&value.text().ok_or(Failed)?);
        }
        Ok(paid(text))
    }

    fn directive(&self, directive: &Directive, locals: &Locals<'_>) -> Evaluated {
        let inner = |template: &Template, locals: &Locals<'_>| {
            let text = budget::nested(|| self.template(template.iter(), locals));
            text.unwrap_or(Ok(Value::Unknown))
        };
        if is_stripping(directive) {
            return Ok(Value::Unknown);
        }
        match directive {
            Directive::If(choice) => match self.expression(&choice.if_expr.cond_expr, locals)? {
                Value::Unknown => Ok(Value::Unknown),
                is if bool_of(&is)? => inner(&choice.if_expr.template, locals),
                _ => match &choice.else_expr {
                    Some(other) => inner(&other.template, locals),
                    None => Ok(Value::Text(String::new())),
                },
            },
            Directive::For(each) => {
                let each = &each.for_expr;
                let key_name = each.key_var.as_ref().map(|name| name.as_str());
                let Some(rows) = rows(self.expression(&each.collection_expr, locals)?)? else {
                    return Ok(Value::Unknown);
                };
                let mut text = String::new();
                for row in rows {
                    let own = named(key_name, each.value_var.as_str(), row);
                    match inner(&each.template, &locals.with(&own))? {
                        Value::Text(part) => text.push_str(&part),
                        _ => return Ok(Value::Unknown),
                    }
                }
                Ok(paid(text))
            }
        }
    }
}

/// Returns whether a mark of the directive strips blanks.
fn is_stripping(directive: &Directive) -> bool {
    let marks = match directive {
        Directive::If(choice) => {
            let other = choice.else_expr.as_ref();
            let other = other.map_or(Strip::None, |other| other.strip);
            [choice.if_expr.strip, other, choice.endif_expr.strip]
        }
        Directive::For(each) => [each.for_expr.strip, Strip::None, each.endfor_expr.strip],
    };
    marks.iter().any(|mark| *mark != Strip::None)
}

/// Pays for a text that was made of others.
fn paid(text: String) -> Value {
    if budget::spend(4 * text.len()) {
        Value::Text(text)
    } else {
        Value::Unknown
    }
}

/// Returns the values of a collection with their keys; `None` where it is unknown.
fn rows(collection: Value) -> Result<Option<Vec<(Value, Value)>>, Failed> {
    Ok(Some(match collection {
        Value::Unknown => return Ok(None),
        Value::List(values) => {
            let numbers = (0..).map(Value::count);
            numbers.zip(values).collect()
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields
                .map(|(key, value)| (Value::Text(key), value))
                .collect()
        }
        _ => return Err(Failed),
    }))
}

/// Returns the names that a row of a `for` has.
fn named(key_name: Option<&str>, name: &str, (key, value): (Value, Value)) -> Vec<(String, Value)> {
    let key = key_name.map(|name| (name.to_owned(), key));
    key.into_iter().chain([(name.to_owned(), value)]).collect()
}

/// Applies the operators behind a `*` to each value of a list.
fn splat(value: Value, operators: &[&TraversalOperator]) -> Evaluated {
    let values = match value {
        Value::Unknown => return Ok(value),
        Value::List(values) => values,
        Value::Null => Vec::new(),
        value => vec![value],
    };
    let each = |value: Value| {
        operators
            .iter()
            .try_fold(value, |value, operator| match operator {
                TraversalOperator::GetAttr(name) => {
                    functions::item(value, &Value::Text(name.to_string()))
                }
                _ => Ok(Value::Unknown),
            })
    };
    let values: Result<Vec<_>, Failed> = values.into_iter().map(each).collect();
    Ok(Value::List(values?))
}
