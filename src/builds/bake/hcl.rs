//! Bake files in HCL.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::{Block, Body};
use hcl_edit::template::{Element, HeredocTemplate, Template};

use super::value::{Ast, Field, Kind, Part};
use super::{File, Target, Variable};
use crate::budget;
use crate::builds::model::{Piece, ReadError};
use crate::text::Span;

/// Reads `source`.
pub fn file(source: &str) -> Result<File, ReadError> {
    let body = parse(source)?;
    let mut file = File::default();
    for block in body.blocks() {
        let Some((label, label_span)) = block
            .labels
            .first()
            .map(|label| (label.as_str().to_owned(), of(label.span())))
        else {
            continue;
        };
        match block.ident.as_str() {
            "variable" => {
                let default = block
                    .body
                    .get_attribute("default")
                    .map(|attribute| ast(source, &attribute.value));
                file.variables.push(Variable {
                    name: label,
                    default,
                    is_block: true,
                });
            }
            "group" => {
                let targets = block
                    .body
                    .get_attribute("targets")
                    .map(|attribute| ast(source, &attribute.value));
                file.groups.extend(targets.map(|targets| (label, targets)));
            }
            "target" => file.targets.push(target(source, label, label_span, block)),
            _ => {}
        }
    }
    // Behind the blocks: of a name that has both, the attribute is the default.
    for attribute in body.attributes() {
        let default = Some(ast(source, &attribute.value));
        file.variables.push(Variable {
            name: attribute.key.to_string(),
            default,
            is_block: false,
        });
    }
    Ok(file)
}

/// The stack that the parser takes at most, which calls itself at each level: a worker's thread has less.
const STACK: usize = 64 << 20;

/// What the parser says of more than it reads.
const TOO_DEEP: &str = "invalid nesting depth";

/// The body of `source`, with the spans of all that is in it.
pub fn parse(source: &str) -> Result<Body, ReadError> {
    let body = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, || hcl_edit::parser::parse_body(source));
        thread.ok().and_then(|thread| thread.join().ok())
    });
    let body = body.ok_or_else(|| ReadError {
        span: Span::at(0),
        message: "there is no memory to read it".to_owned(),
    })?;
    body.map_err(|error| {
        let (line, column) = (error.location().line(), error.location().column());
        let start: usize = source
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        // Columns count bytes, and may end within a character.
        let at = (start + column.saturating_sub(1)).min(source.len());
        let at = (0..=at)
            .rev()
            .find(|at| source.is_char_boundary(*at))
            .unwrap_or(0);
        let message = error.message().to_owned();
        if message.contains(TOO_DEEP) {
            budget::exhaust();
        }
        ReadError {
            span: Span::at(at),
            message,
        }
    })
}

/// Where the first variables end, those that stand together.
pub fn variables_end(source: &str) -> Option<usize> {
    let body = parse(source).ok()?;
    let is_variable = |block: &&Block| block.ident.as_str() == "variable";
    let first = body.blocks().skip_while(|block| !is_variable(block));
    let end = first
        .take_while(is_variable)
        .last()
        .map(|block| of(block.span()).end);
    end.filter(|&end| source[..end].ends_with('}'))
}

fn target(source: &str, name: String, span: Span, block: &Block) -> Target {
    let fields = block.body.attributes().map(|attribute| Field {
        key: Some(attribute.key.to_string()),
        key_span: of(attribute.key.span()),
        value: ast(source, &attribute.value),
    });
    Target {
        name,
        span,
        body: of(block.span()),
        fields: fields.collect(),
    }
}

/// The parser's span as ours.
pub fn of(range: Option<std::ops::Range<usize>>) -> Span {
    range.map_or(Span::at(0), |range| Span::new(range.start, range.end))
}

fn ast(source: &str, expression: &Expression) -> Ast {
    let span = of(expression.span());
    let literal = |text: String| Kind::Text(vec![Part::Literal(text, Vec::new())]);
    let kind = match expression {
        Expression::Null(_) => Kind::Null,
        Expression::Bool(value) => literal(value.to_string()),
        Expression::Number(value) => literal(value.to_string()),
        Expression::String(value) => literal(value.to_string()),
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
        Expression::Traversal(traversal) => {
            reference(source, &traversal.expr, &traversal.operators)
        }
        _ => Kind::Other,
    };
    Ast { span, kind }
}

fn field(source: &str, key: &ObjectKey, value: &Expression) -> Field {
    let (name, span) = match key {
        // A name alone is a key, not a variable.
        ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => {
            (Some(name.to_string()), of(name.span()))
        }
        ObjectKey::Expression(Expression::String(name)) => {
            (Some(name.to_string()), of(name.span()))
        }
        ObjectKey::Expression(other) => (None, of(other.span())),
    };
    Field {
        key: name,
        key_span: span,
        value: ast(source, value),
    }
}

fn reference<'a, T>(source: &str, start: &Expression, operators: T) -> Kind
where
    T: IntoIterator<Item = &'a hcl_edit::Decorated<TraversalOperator>>,
{
    let Kind::Reference(mut names) = ast(source, start).kind else {
        return Kind::Other;
    };
    for operator in operators {
        match operator.value() {
            TraversalOperator::GetAttr(name) => names.push(name.to_string()),
            TraversalOperator::Index(Expression::String(name)) => names.push(name.to_string()),
            _ => return Kind::Other,
        }
    }
    Kind::Reference(names)
}

/// The parts of a string between quotes.
pub fn parts<'a>(source: &str, elements: impl Iterator<Item = &'a Element>) -> Kind {
    let mut parts = Vec::new();
    for element in elements {
        match element {
            Element::Literal(text) => parts.push(Part::Literal(text.to_string(), Vec::new())),
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

/// A heredoc. That of `<<-` loses the blanks that all its lines begin with, lines of nothing but blanks not counted and
/// not shortened (HCL's `flushHeredocTemplateParts`).
fn heredoc(source: &str, span: Span, heredoc: &HeredocTemplate) -> Kind {
    let template: &Template = &heredoc.template;
    let strips = |element: &Element| match element {
        Element::Interpolation(hole) => hole.strip != hcl_edit::template::Strip::None,
        Element::Literal(_) | Element::Directive(_) => false,
    };
    if template.iter().any(strips) {
        return Kind::Other;
    }
    let raw = span.of(source.as_bytes());
    let indent = if raw.starts_with(b"<<-") {
        margin(source, template)
    } else {
        0
    };
    let mut parts = Vec::new();
    let mut fresh = true;
    for element in template {
        match element {
            Element::Literal(text) => {
                let (text, pieces) = lines(source, of(text.span()), indent, &mut fresh);
                parts.push(Part::Literal(text, pieces));
            }
            Element::Interpolation(hole) => {
                fresh = false;
                parts.push(self::hole(source, &hole.expr));
            }
            Element::Directive(_) => return Kind::Other,
        }
    }
    Kind::Text(parts)
}

/// How many blanks all lines of a heredoc begin with.
fn margin(source: &str, template: &Template) -> usize {
    let mut least: Option<usize> = None;
    let mut fresh = true;
    for element in template {
        let Element::Literal(text) = element else {
            least = if fresh { Some(0) } else { least };
            fresh = false;
            continue;
        };
        for line in slice(source, of(text.span())).split_inclusive('\n') {
            let blanks = line.chars().take_while(|ch| ch.is_whitespace()).count();
            if fresh && !(line.ends_with('\n') && line.trim().is_empty()) {
                least = Some(least.map_or(blanks, |least| least.min(blanks)));
            }
            fresh = line.ends_with('\n');
        }
    }
    least.unwrap_or(0)
}

fn slice(source: &str, span: Span) -> &str {
    source.get(span.start..span.end).unwrap_or_default()
}

/// The text that `span` of a heredoc stands for, and where its bytes stand. `fresh` is whether a line begins here.
fn lines(source: &str, span: Span, indent: usize, fresh: &mut bool) -> (String, Vec<Piece>) {
    let mut text = String::new();
    let mut pieces = Vec::new();
    let mut file = span.start;
    for line in slice(source, span).split_inclusive('\n') {
        let blank = line.ends_with('\n') && line.trim().is_empty();
        let cut = if *fresh && !blank { indent } else { 0 };
        let cut: usize = line.chars().take(cut).map(char::len_utf8).sum();
        let mut missing = if *fresh && blank { indent } else { 0 };
        let mut at = cut;
        // `$${` is `${`, `%%{` is `%{`: the second mark of the three goes.
        for end in marks(line).chain([line.len()]) {
            if at < end {
                pieces.push(Piece {
                    text: text.len(),
                    file: file + at,
                    len: end - at,
                    indent,
                    missing,
                });
                text.push_str(&line[at..end]);
            }
            missing = 0;
            at = end + 1;
        }
        file += line.len();
        *fresh = line.ends_with('\n');
    }
    (text, pieces)
}

/// Where the marks stand that only escape.
fn marks(line: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = line.as_bytes();
    memchr::memmem::find_iter(bytes, b"{")
        .filter(move |&at| at >= 2 && matches!(&bytes[at - 2..at], b"$$" | b"%%"))
        .map(|at| at - 1)
}
