use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::Body;

use super::file::{File, Target};
use super::heredoc::of;
use super::scope::Variable;
use super::value::{Ast, Field, Kind};
use crate::budget;
use crate::builds::lines;
use crate::builds::model::ReadError;
use crate::text::Span;

pub(super) fn file(source: &str) -> Result<File, ReadError> {
    let body = parse(source)?;
    let mut file = File::default();
    let mut is_top = true;
    for block in body.blocks() {
        let kind = block.ident.as_str();
        if kind == "variable" && is_top {
            file.variables_end = Some(of(block.span()).end);
        }
        is_top &= kind == "variable" || file.variables_end.is_none();
        let Some(label) = block.labels.first() else {
            continue;
        };
        let fields = block.body.attributes().map(|attribute| Field {
            key: Some(attribute.key.to_string()),
            key_span: of(attribute.key.span()),
            value: ast(&attribute.value),
        });
        let block = Target {
            name: label.as_str().to_owned(),
            span: of(label.span()),
            body: of(block.span()),
            fields: fields.collect(),
        };
        file.push(kind, block);
    }
    // The blocks come first: of a name that has both, the attribute is the default.
    let attributes = body.attributes().map(|attribute| Variable {
        name: attribute.key.to_string(),
        default: Some(ast(&attribute.value)),
        is_block: false,
    });
    file.variables.extend(attributes);
    Ok(file)
}

/// The parser's error for too deep a nesting.
const TOO_DEEP: &str = "invalid nesting depth";

fn parse(source: &str) -> Result<Body, ReadError> {
    hcl_edit::parser::parse_body(source).map_err(|error| {
        let message = error.message().to_owned();
        if message.contains(TOO_DEEP) {
            budget::exhaust();
        }
        let place = error.location();
        let at = lines::place(source, place.line(), place.column());
        ReadError {
            span: Span::at(at),
            message,
        }
    })
}

fn ast(expression: &Expression) -> Ast {
    let span = of(expression.span());
    let kind = match expression {
        Expression::Array(values) => Kind::List(values.iter().map(ast).collect()),
        Expression::Object(fields) => {
            let fields = fields.iter();
            Kind::Object(
                fields
                    .map(|(key, value)| field(key, value.expr()))
                    .collect(),
            )
        }
        Expression::Parenthesis(inner) => ast(inner.inner()).kind,
        other => Kind::Other(other.clone()),
    };
    Ast { span, kind }
}

fn field(key: &ObjectKey, value: &Expression) -> Field {
    let (key, span) = match key {
        // A name alone is a key, not a variable.
        ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => {
            (Some(name.to_string()), name.span())
        }
        ObjectKey::Expression(Expression::String(name)) => (Some(name.to_string()), name.span()),
        ObjectKey::Expression(other) => (None, other.span()),
    };
    Field {
        key,
        key_span: of(span),
        value: ast(value),
    }
}
