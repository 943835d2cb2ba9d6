//! The values of a bake file, and its expressions with their places, from HCL and JSON alike.

use std::borrow::Cow;

use hcl_edit::expr::Expression;

use crate::text::Span;

/// An expression of the file.
#[derive(Clone, Debug)]
pub(super) struct Ast {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    List(Vec<Ast>),
    Object(Vec<Field>),
    Other(Expression),
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    /// `None` where the key is computed.
    pub(super) key: Option<String>,
    pub(super) key_span: Span,
    pub(super) value: Ast,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    Bool(bool),
    List(Vec<Value>),
    /// The keys are in alphabetical order.
    Object(Vec<(String, Value)>),
    Null,
    /// A value that the file alone does not determine.
    Unknown,
}

impl Value {
    pub(super) fn count(count: usize) -> Self {
        Self::Number(u32::try_from(count).unwrap_or(u32::MAX).into())
    }

    /// Returns the object of `fields`, of which the last with a name counts.
    pub(super) fn object(mut fields: Vec<(String, Self)>) -> Self {
        fields.reverse();
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        fields.dedup_by(|(one, _), (other, _)| one == other);
        Self::Object(fields)
    }

    /// Returns its size in bytes, roughly.
    pub(super) fn size(&self) -> usize {
        let size = |(key, value): &(String, Self)| key.len() + value.size();
        1 + match self {
            Self::Text(text) => text.len(),
            Self::List(values) => values.iter().map(Self::size).sum(),
            Self::Object(fields) => fields.iter().map(size).sum(),
            Self::Number(_) | Self::Bool(_) | Self::Null | Self::Unknown => 0,
        }
    }

    /// Returns whether it is known as a whole.
    pub(super) fn is_known(&self) -> bool {
        match self {
            Self::List(values) => values.iter().all(Self::is_known),
            Self::Object(fields) => fields.iter().all(|(_, value)| value.is_known()),
            value => *value != Self::Unknown,
        }
    }

    /// Returns the text that it is as an attribute or within a template.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Number(number) => Some(number.to_string().into()),
            Self::Bool(is) => Some(is.to_string().into()),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn fields(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// Returns the texts of a list.
    pub(super) fn texts(&self) -> Vec<String> {
        let values = self.list().unwrap_or_default().iter();
        values
            .filter_map(|value| Some(value.text()?.into_owned()))
            .collect()
    }
}

/// The expression cannot be evaluated: bake would refuse the file, or `try` its next argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed;

pub(super) type Evaluated = Result<Value, Failed>;

pub(super) fn bool_of(value: &Value) -> Result<bool, Failed> {
    match (value, value.text().as_deref()) {
        (Value::Bool(is), _) => Ok(*is),
        (_, Some("true")) => Ok(true),
        (_, Some("false")) => Ok(false),
        _ => Err(Failed),
    }
}

pub(super) fn number_of(value: &Value) -> Result<f64, Failed> {
    let number = match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite()).ok_or(Failed)
}

/// Returns a whole number.
pub(super) fn whole_of(value: &Value) -> Result<i64, Failed> {
    number_of(value)?.to_string().parse().map_err(|_| Failed)
}

impl Ast {
    pub(super) fn fields(&self) -> Option<&[Field]> {
        match &self.kind {
            Kind::Object(fields) => Some(fields),
            _ => None,
        }
    }
}
