//! Reads and computes GitHub's expressions, as far as their parts are known.

use super::expression::is_name_byte;
use super::functions;
use super::value::{Operand, Resolve, Value};
use crate::budget;
use crate::builds::model::AxisPath;
use crate::builds::paths::Text;

/// GitHub's own limit to the depth of an expression.
const MAX_DEPTH: usize = 50;

/// Returns the value of an expression; `None` where a part that counts is unknown.
pub fn evaluated(expression: &str, resolve: Resolve<'_>) -> Option<Operand> {
    let mut parser = Parser {
        rest: expression.trim_start(),
        depth: 0,
        resolve,
    };
    let operand = parser.operand(0)?;
    let is_known = parser.rest.is_empty() && operand.value != Value::Unknown;
    is_known.then_some(operand)
}

/// The name of a property.
enum Name {
    Absent,
    Is(String),
    /// Only a run knows it, or it is all of them.
    Unknown,
}

struct Parser<'e, 'r> {
    rest: &'e str,
    depth: usize,
    resolve: Resolve<'r>,
}

/// The operators of two operands, those that bind least first.
const OPERATORS: &[&[&str]] = &[&["||"], &["&&"], &["==", "!="], &["<=", "<", ">=", ">"]];

impl Parser<'_, '_> {
    fn eat(&mut self, token: &str) -> bool {
        let behind = self.rest.strip_prefix(token);
        self.rest = behind.map_or(self.rest, str::trim_start);
        behind.is_some()
    }

    /// Reads what the operators of `level` and above bind; `None` where it is malformed.
    fn operand(&mut self, level: usize) -> Option<Operand> {
        let Some(operators) = OPERATORS.get(level) else {
            return self.unary();
        };
        let mut all = self.operand(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.eat(operator)) {
            let other = self.operand(level + 1)?;
            all = match level {
                0 | 1 => all.and_or(operator, other),
                _ => all.compared(operator, &other),
            };
        }
        Some(all)
    }

    fn unary(&mut self) -> Option<Operand> {
        self.depth += 1;
        if self.depth > MAX_DEPTH || !budget::spend(16) {
            return None;
        }
        let read = if !self.rest.starts_with("!=") && self.eat("!") {
            self.unary()?.not()
        } else {
            self.access()?
        };
        self.depth -= 1;
        Some(read)
    }

    fn access(&mut self) -> Option<Operand> {
        if self.eat("(") {
            let inner = self.operand(0)?;
            return if self.eat(")") {
                self.within(inner)
            } else {
                None
            };
        }
        if let Some(inner) = self.rest.strip_prefix('\'') {
            let (text, behind) = quoted(inner)?;
            self.rest = behind.trim_start();
            return Some(Operand::text(text, false));
        }
        let end = self
            .rest
            .bytes()
            .position(|byte| !is_name_byte(byte) && byte != b'+');
        let word = &self.rest[..end.unwrap_or(self.rest.len())];
        if word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
            self.rest = self.rest[word.len()..].trim_start();
            let number = Value::Text(word.into()).number();
            return (!number.is_nan()).then(|| Operand::of(Value::Number(number), false));
        }
        let name = word
            .split(['.', '+'])
            .next()
            .filter(|name| !name.is_empty())?;
        self.rest = self.rest[name.len()..].trim_start();
        let value = match name {
            "true" | "false" => Value::Bool(name == "true"),
            "null" => Value::Null,
            "NaN" => Value::Number(f64::NAN),
            "Infinity" => Value::Number(f64::INFINITY),
            _ if self.eat("(") => {
                let called = self.call(name)?;
                return self.within(called);
            }
            _ => return self.property(name),
        };
        Some(Operand::of(value, false))
    }

    /// Reads the arguments of a function, and computes it.
    fn call(&mut self, name: &str) -> Option<Operand> {
        let start = self.rest;
        let mut args = Vec::new();
        while !self.eat(")") {
            args.push(self.operand(0)?);
            if !self.eat(",") && !self.rest.starts_with(')') {
                return None;
            }
        }
        let written = start[..start.len() - self.rest.len()].trim_end();
        Some(functions::call(name, &args, written, self.resolve))
    }

    /// Reads the name of a property behind a value; `None` where it is malformed.
    fn name(&mut self) -> Option<Name> {
        let known = |name: Option<String>| name.map_or(Name::Unknown, Name::Is);
        if self.eat("[") {
            let index = self.operand(0)?;
            let is_known = !index.value.is_symbolic();
            let name = index.value.text().filter(|_| is_known);
            return self.eat("]").then(|| known(name.and_then(Text::plain)));
        }
        if !self.eat(".") {
            return Some(Name::Absent);
        }
        if self.eat("*") {
            return Some(Name::Unknown);
        }
        let end = self
            .rest
            .bytes()
            .position(|byte| byte == b'.' || !is_name_byte(byte));
        let name = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = self.rest[name.len()..].trim_start();
        (!name.is_empty()).then(|| Name::Is(name.to_owned()))
    }

    /// Reads the way to a property of `context`.
    fn property(&mut self, context: &str) -> Option<Operand> {
        let context = context.to_ascii_lowercase();
        let mut path: Option<AxisPath> = None;
        let mut is_known = true;
        loop {
            match self.name()? {
                Name::Absent => break,
                Name::Unknown => is_known = false,
                Name::Is(name) => {
                    path =
                        Some(path.map_or_else(|| AxisPath::from(&name), |path| path.within(&name)));
                }
            }
        }
        let value = (self.resolve)(&context, path.as_ref()).filter(|_| is_known);
        Some(value.unwrap_or_else(Operand::unknown))
    }

    /// Reads the way to a value within `outer`.
    fn within(&mut self, mut outer: Operand) -> Option<Operand> {
        loop {
            let value = match (outer.value, self.name()?) {
                (value, Name::Absent) => {
                    outer.value = value;
                    return Some(outer);
                }
                (Value::Object(fields), Name::Is(name)) => {
                    let mut fields = fields.into_iter();
                    fields
                        .find(|(key, _)| key.eq_ignore_ascii_case(&name))
                        .map(|(_, value)| value)
                }
                (Value::List(mut items), Name::Is(name)) => {
                    let at = name.parse().ok().filter(|at| *at < items.len());
                    at.map(|at: usize| items.swap_remove(at))
                }
                (Value::Unknown | Value::Text(_), _) | (_, Name::Unknown) => Some(Value::Unknown),
                _ => None,
            };
            outer.value = value.unwrap_or(Value::Null);
        }
    }
}

/// Splits a text from what follows its last quote.
fn quoted(inner: &str) -> Option<(String, &str)> {
    let (mut text, mut rest) = (String::new(), inner);
    loop {
        let (part, behind) = rest.split_once('\'')?;
        text.push_str(part);
        let Some(more) = behind.strip_prefix('\'') else {
            return Some((text, behind));
        };
        text.push('\'');
        rest = more;
    }
}
