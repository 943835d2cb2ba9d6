//! The values of GitHub's expressions, and their operators.
//!
//! By GitHub's "Evaluate expressions": texts are compared in any case, values of two types as numbers; `&&` and `||`
//! return one of their operands; null, false, 0 and the empty text are false.
//!
//! A name whose value is the same in all runs that can overlap stands between [`SAME`]. A value made of it stays
//! an expression, also between [`SAME`], which can be computed again by whoever knows more.

use std::cmp::Ordering;

use super::expression::is_name_byte;
use crate::budget;
use crate::builds::model::AxisPath;
use crate::builds::paths::Text;
use crate::text::marks::SAME;

/// The function by which an expression marks what other runs may have another value of.
pub const OWN: &str = "own";

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(Text),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
    Unknown,
}

#[derive(Clone, Debug)]
pub struct Operand {
    pub value: Value,
    /// True where another run that can overlap may have another value.
    pub is_own: bool,
}

/// Gives the value of a property of a context; of a function that only a run computes without a path.
pub type Resolve<'r> = &'r dyn Fn(&str, Option<&AxisPath>) -> Option<Operand>;

impl Value {
    /// Reads a value of a matrix that is no text.
    pub fn untyped(text: &str) -> Self {
        match text {
            "" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            _ => match text
                .strip_prefix('[')
                .and_then(|text| text.strip_suffix(']'))
            {
                Some(items) => {
                    let items = items.split(',').map(|item| Self::Text(item.into()));
                    Self::List(items.collect())
                }
                None => text.parse().map_or(Self::Unknown, Self::Number),
            },
        }
    }

    pub const fn is_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::Object(_))
    }

    pub fn is_symbolic(&self) -> bool {
        matches!(self, Self::Text(text) if text.text.contains(SAME))
    }

    /// Returns the text that stands in place of the expression; of a list its items, since labels may be one.
    pub fn text(self) -> Option<Text> {
        Some(match self {
            Self::Null => Text::default(),
            Self::Bool(is) => is.to_string().into(),
            Self::Number(number) => number.to_string().into(),
            Self::Text(text) => text,
            Self::List(items) => {
                let texts: Option<Vec<String>> =
                    items.into_iter().map(|item| item.text()?.plain()).collect();
                format!("[{}]", texts?.join(",")).into()
            }
            Self::Object(_) => "Object".into(),
            Self::Unknown => return None,
        })
    }

    /// Returns whether it counts as true.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Null => Some(false),
            Self::Bool(is) => Some(*is),
            Self::Number(number) => Some(*number != 0.0 && !number.is_nan()),
            Self::Text(text) if text.from_root => Some(true),
            Self::Text(text) => {
                let mut parts = text.text.split(SAME).enumerate();
                let is_full = parts.any(|(at, part)| match at % 2 {
                    0 => !part.is_empty(),
                    _ => is_never_empty(part),
                });
                (is_full || !self.is_symbolic()).then_some(is_full)
            }
            Self::List(_) | Self::Object(_) => Some(true),
            Self::Unknown => None,
        }
    }

    pub fn number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(is) => f64::from(u8::from(*is)),
            Self::Number(number) => *number,
            Self::Text(text) => {
                let text = text.text.trim();
                let hex = text
                    .strip_prefix("0x")
                    .map(|hex| i64::from_str_radix(hex, 16));
                match hex {
                    _ if text.is_empty() => 0.0,
                    #[expect(
                        clippy::cast_precision_loss,
                        reason = "a number of GitHub's is a double, too"
                    )]
                    Some(hex) => hex.map_or(f64::NAN, |hex| hex as f64),
                    None if text.ends_with(|ch: char| ch.is_ascii_alphabetic()) => f64::NAN,
                    None => text.parse().unwrap_or(f64::NAN),
                }
            }
            _ => f64::NAN,
        }
    }
}

/// Returns whether GitHub sets the value of `name` in every run.
fn is_never_empty(name: &str) -> bool {
    let of = name.strip_prefix("github.");
    let is_atom = name.bytes().all(is_name_byte);
    let may_be_empty =
        |name: &str| name.starts_with("event.") || matches!(name, "head_ref" | "base_ref");
    is_atom && (of.is_some_and(|name| !may_be_empty(name)) || name.starts_with("runner."))
}

impl Operand {
    pub const fn unknown() -> Self {
        Self::of(Value::Unknown, false)
    }

    pub const fn of(value: Value, is_own: bool) -> Self {
        Self { value, is_own }
    }

    pub fn text(text: impl Into<Text>, is_own: bool) -> Self {
        Self::of(Value::Text(text.into()), is_own)
    }

    /// Makes that of an expression whose value is the same in all runs that can overlap.
    pub fn same(expression: &str, is_own: bool) -> Self {
        if !budget::spend(expression.len()) {
            return Self::unknown();
        }
        Self::text(format!("{SAME}{expression}{SAME}"), is_own)
    }

    /// Returns it as a part of an expression.
    fn written(&self) -> Option<String> {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let inner = |part: &str| {
            if part.bytes().all(is_name_byte) {
                part.to_owned()
            } else {
                format!("({part})")
            }
        };
        let text = match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(is) => is.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) if !text.from_root => {
                let parts: Vec<&str> = text.text.split(SAME).collect();
                match parts.as_slice() {
                    [text] => quoted(text),
                    ["", part, ""] => inner(part),
                    _ => {
                        let (mut format, mut args) = (String::new(), Vec::new());
                        for (at, part) in parts.into_iter().enumerate() {
                            if at % 2 == 0 {
                                format += &part.replace('{', "{{").replace('}', "}}");
                            } else {
                                format += &format!("{{{}}}", args.len());
                                args.push(inner(part));
                            }
                        }
                        format!("format({}, {})", quoted(&format), args.join(", "))
                    }
                }
            }
            _ => return None,
        };
        Some(if self.is_own {
            format!("{OWN}({text})")
        } else {
            text
        })
    }

    /// Makes that of a call or an operator of which a part is only known to be the same in all runs.
    pub fn open(operands: &[&Self], expression: impl Fn(&[String]) -> String) -> Self {
        let written: Option<Vec<String>> = operands.iter().map(|one| one.written()).collect();
        let is_own = operands.iter().any(|one| one.is_own);
        written.map_or_else(Self::unknown, |written| {
            Self::same(&expression(&written), is_own)
        })
    }

    pub fn and_or(self, operator: &str, other: Self) -> Self {
        match self.value.truth() {
            Some(is) if is == (operator == "||") => self,
            Some(_) => Self::of(other.value, self.is_own || other.is_own),
            None if self.value == Value::Unknown => self,
            None if self.value == other.value => other,
            None => Self::open(&[&self, &other], |all| all.join(&format!(" {operator} "))),
        }
    }

    pub fn not(self) -> Self {
        match self.value.truth() {
            Some(is) => Self::of(Value::Bool(!is), self.is_own),
            None => Self::open(&[&self], |all| format!("!{}", all[0])),
        }
    }

    /// Compares as `operator` says: `==`, `!=`, `<` and the like.
    pub fn compared(&self, operator: &str, other: &Self) -> Self {
        let (own, its) = (&self.value, &other.value);
        let is = |value: bool| Self::of(Value::Bool(value), self.is_own || other.is_own);
        let equality = matches!(operator, "==" | "!=");
        if own.is_symbolic() || its.is_symbolic() {
            if own == its && equality {
                return is(operator == "==");
            }
            return Self::open(&[self, other], |all| all.join(&format!(" {operator} ")));
        }
        if !are_comparable(own, its) {
            return Self::unknown();
        }
        let order = order(own, its);
        is(match operator {
            "==" => order == Some(Ordering::Equal),
            "!=" => order != Some(Ordering::Equal),
            "<" => order.is_some_and(Ordering::is_lt),
            "<=" => order.is_some_and(Ordering::is_le),
            ">" => order.is_some_and(Ordering::is_gt),
            _ => order.is_some_and(Ordering::is_ge),
        })
    }
}

/// Returns whether two values can be compared without a run. Two lists are equal where they are one.
fn are_comparable(own: &Value, its: &Value) -> bool {
    let is_open = |value: &Value| match value {
        Value::Text(text) => text.from_root,
        value => *value == Value::Unknown,
    };
    !(is_open(own) || is_open(its) || own.is_list() && its.is_list())
}

/// Compares two values as GitHub does; `None` where one is no number.
fn order(own: &Value, its: &Value) -> Option<Ordering> {
    match (own, its) {
        (Value::Text(own), Value::Text(its)) => {
            Some(own.text.to_uppercase().cmp(&its.text.to_uppercase()))
        }
        _ => own.number().partial_cmp(&its.number()),
    }
}

/// Returns whether two values are equal, as `==` has it.
pub fn are_equal(own: &Value, its: &Value) -> bool {
    are_comparable(own, its) && order(own, its) == Some(Ordering::Equal)
}
