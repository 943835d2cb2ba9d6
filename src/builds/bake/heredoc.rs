//! The text of strings, with its places: heredocs, and the holes in templates.

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::template::{Element, HeredocTemplate, Strip, Template};

use crate::text::{SourceMap, Span};

pub(super) enum Part<'e> {
    /// Text, with the places of those bytes that stand in the file as they are.
    Literal(String, SourceMap),
    /// `${…}`
    Hole(&'e Expression),
}

/// Returns the text of a string of the file `source`; `None` where it is none, or has more than holes in it.
pub(super) fn parts<'e>(source: &str, expression: &'e Expression) -> Option<Vec<Part<'e>>> {
    match expression {
        Expression::String(text) => {
            let text = text.to_string();
            Some(vec![Part::Literal(text, SourceMap::default())])
        }
        Expression::StringTemplate(template) => {
            let part = |element: &'e Element| match element {
                Element::Literal(text) => {
                    Some(Part::Literal(text.to_string(), SourceMap::default()))
                }
                Element::Interpolation(hole) if hole.strip == Strip::None => {
                    Some(Part::Hole(&hole.expr))
                }
                Element::Interpolation(_) | Element::Directive(_) => None,
            };
            template.iter().map(part).collect()
        }
        // In JSON, a heredoc's places are not those of the file.
        Expression::HeredocTemplate(template) if !source.is_empty() => {
            heredoc(source, of(expression.span()), template)
        }
        _ => None,
    }
}

/// Reads a heredoc. `<<-` removes the blanks common to all its lines; lines of blanks alone are neither counted nor
/// shortened (HCL's `flushHeredocTemplateParts`).
fn heredoc<'e>(source: &str, span: Span, heredoc: &'e HeredocTemplate) -> Option<Vec<Part<'e>>> {
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
            Element::Interpolation(hole) if hole.strip == Strip::None => {
                starts_line = false;
                parts.push(Part::Hole(&hole.expr));
            }
            Element::Interpolation(_) | Element::Directive(_) => return None,
        }
    }
    Some(parts)
}

/// Returns the span of an expression or a text.
pub(super) fn of(range: Option<std::ops::Range<usize>>) -> Span {
    range.map_or(Span::at(0), |range| Span::new(range.start, range.end))
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
fn literal(source: &str, span: Span, indent: usize, starts_line: &mut bool) -> Part<'static> {
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
