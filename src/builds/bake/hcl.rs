use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::structure::Body;
use hcl_edit::template::{Element, HeredocTemplate, Strip, Template};

use super::file::{File, Target, Variable};
use super::value::{Ast, Field, Kind, Part};
use crate::budget;
use crate::builds::lines;
use crate::builds::model::ReadError;
use crate::text::{SourceMap, Span};

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
            value: ast(source, &attribute.value),
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
        default: Some(ast(source, &attribute.value)),
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

fn of(range: Option<std::ops::Range<usize>>) -> Span {
    range.map_or(Span::at(0), |range| Span::new(range.start, range.end))
}

fn ast(source: &str, expression: &Expression) -> Ast {
    let span = of(expression.span());
    let kind = match expression {
        Expression::Null(_) => Kind::Null,
        Expression::Bool(value) => Kind::text(value.to_string()),
        Expression::Number(value) => Kind::text(value.to_string()),
        Expression::String(value) => Kind::text(value.to_string()),
        Expression::StringTemplate(template) => parts(source, template.iter()),
        Expression::HeredocTemplate(template) => heredoc(source, span, template),
        Expression::Array(values) => {
            Kind::List(values.iter().map(|value| ast(source, value)).collect())
        }
        Expression::Object(fields) => Kind::Object(
            fields
                .iter()
                .map(|(key, value)| field(source, key, value.expr()))
                .collect(),
        ),
        Expression::Parenthesis(inner) => {
            return Ast {
                span,
                ..ast(source, inner.inner())
            };
        }
        Expression::Variable(name) => Kind::Reference(vec![name.to_string()]),
        Expression::Traversal(traversal) => reference(source, traversal),
        _ => Kind::Other,
    };
    Ast { span, kind }
}

fn field(source: &str, key: &ObjectKey, value: &Expression) -> Field {
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
        value: ast(source, value),
    }
}

fn reference(source: &str, traversal: &Traversal) -> Kind {
    let Kind::Reference(mut names) = ast(source, &traversal.expr).kind else {
        return Kind::Other;
    };
    for operator in &traversal.operators {
        match operator.value() {
            TraversalOperator::GetAttr(name) => names.push(name.to_string()),
            TraversalOperator::Index(Expression::String(name)) => names.push(name.to_string()),
            _ => return Kind::Other,
        }
    }
    Kind::Reference(names)
}

pub(super) fn parts<'a>(source: &str, elements: impl Iterator<Item = &'a Element>) -> Kind {
    let mut parts = Vec::new();
    for element in elements {
        match element {
            Element::Literal(text) => parts.push(Part::literal(text.as_str())),
            Element::Interpolation(hole) => parts.push(self::hole(source, &hole.expr)),
            Element::Directive(_) => return Kind::Other,
        }
    }
    Kind::Text(parts)
}

fn hole(source: &str, expression: &Expression) -> Part {
    let ast = ast(source, expression);
    let written = String::from_utf8_lossy(ast.span.of(source.as_bytes())).into_owned();
    Part::Hole(ast, written)
}

/// Reads a heredoc. `<<-` removes the blanks common to all its lines; lines of blanks alone are neither counted nor
/// shortened (HCL's `flushHeredocTemplateParts`).
fn heredoc(source: &str, span: Span, heredoc: &HeredocTemplate) -> Kind {
    let is_stripped = |element: &Element| match element {
        Element::Interpolation(hole) => hole.strip != Strip::None,
        Element::Literal(_) | Element::Directive(_) => false,
    };
    if heredoc.template.iter().any(is_stripped) {
        return Kind::Other;
    }
    let is_indented = span.of(source.as_bytes()).starts_with(b"<<-");
    let indent = if is_indented {
        margin(source, &heredoc.template)
    } else {
        0
    };
    let mut parts = Vec::new();
    let mut starts_line = true;
    for element in &heredoc.template {
        match element {
            Element::Literal(text) => {
                parts.push(literal(source, of(text.span()), indent, &mut starts_line));
            }
            Element::Interpolation(hole) => {
                starts_line = false;
                parts.push(self::hole(source, &hole.expr));
            }
            Element::Directive(_) => return Kind::Other,
        }
    }
    Kind::Text(parts)
}

/// Returns the number of blanks common to all lines of a heredoc.
fn margin(source: &str, template: &Template) -> usize {
    let mut margins = Vec::new();
    let mut starts_line = true;
    for element in template {
        let Element::Literal(text) = element else {
            margins.extend(starts_line.then_some(0));
            starts_line = false;
            continue;
        };
        for line in slice(source, of(text.span())).split_inclusive('\n') {
            let blanks = line.chars().take_while(|ch| ch.is_whitespace()).count();
            let counts = starts_line && !is_blank(line);
            margins.extend(counts.then_some(blanks));
            starts_line = line.ends_with('\n');
        }
    }
    margins.into_iter().min().unwrap_or(0)
}

fn is_blank(line: &str) -> bool {
    line.ends_with('\n') && line.trim().is_empty()
}

fn slice(source: &str, span: Span) -> &str {
    source.get(span.start..span.end).unwrap_or_default()
}

/// Reads `span` of a heredoc. `starts_line` tells whether a line begins there, and then whether one begins behind it.
fn literal(source: &str, span: Span, indent: usize, starts_line: &mut bool) -> Part {
    let mut text = String::new();
    let mut map = SourceMap::default();
    let mut file = span.start;
    for line in slice(source, span).split_inclusive('\n') {
        let is_cut = *starts_line && !is_blank(line);
        let cut = line.chars().take(if is_cut { indent } else { 0 });
        let mut at: usize = cut.map(char::len_utf8).sum();
        for end in marks(line).chain([line.len()]) {
            if at < end {
                map.push(text.len(), file + at, end - at);
                text.push_str(&line[at..end]);
            }
            at = end + 1;
        }
        file += line.len();
        *starts_line = line.ends_with('\n');
    }
    Part::Literal(text, map)
}

/// Returns the places of the marks that only escape: the second of `$${` and of `%%{`.
fn marks(line: &str) -> impl Iterator<Item = usize> + '_ {
    let escapes = |at: &usize| line[..*at].ends_with("$$") || line[..*at].ends_with("%%");
    let braces = line.match_indices('{').map(|(at, _)| at);
    braces.filter(escapes).map(|at| at - 1)
}
