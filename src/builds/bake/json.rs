//! Bake files in JSON: HCL's JSON form, in which every string is a template.

use hcl_edit::Number;
use hcl_edit::expr::Expression;
use hcl_edit::template::Element;
use serde::de::IgnoredAny;

use super::file::{Braces, File, Json, Target};
use super::scope::Variable;
use super::value::{Ast, Field, Kind};
use crate::budget;
use crate::builds::lines;
use crate::builds::model::ReadError;
use crate::builds::yaml::{Entry, Node, Style, Yaml};
use crate::text::Span;

/// Reads `source`. JSON is YAML in brackets, and so has places; but not all YAML that begins so is JSON.
pub(super) fn file(source: &str) -> Result<File, ReadError> {
    let json = source.trim_start_matches('\u{FEFF}');
    if let Err(error) = serde_json::from_str::<IgnoredAny>(json) {
        let message = error.to_string();
        if message.starts_with("recursion limit") {
            budget::exhaust();
        }
        let at = lines::place(source, error.line(), error.column());
        let span = Span::at(at);
        return Err(ReadError { span, message });
    }
    let yaml = Yaml::read(source)?;
    let mut file = File::default();
    let Some(root) = yaml.root() else {
        return Ok(file);
    };
    let variables = root.own_entry("variable").map(|entry| entry.value);
    file.json = Some(Json {
        root: braces(root),
        variables: variables.filter(|node| node.is_map()).map(braces),
    });
    let mut attributes = Vec::new();
    for entry in root.own_entries() {
        let kind = entry.key.text();
        if let Some(name) = kind.filter(|_| entry.value.text().is_some()) {
            attributes.push(Variable {
                name: name.to_owned(),
                default: Some(ast(entry.value)),
                is_block: false,
            });
        }
        for Entry { key, value: body } in blocks(entry.value) {
            if let (Some(kind), Some(name)) = (kind, key.text()) {
                let block = Target {
                    name: name.to_owned(),
                    span: key.span(),
                    body: body.span(),
                    fields: fields(body),
                };
                file.push(kind, block);
            }
        }
    }
    file.variables.extend(attributes);
    Ok(file)
}

/// Returns the labels and bodies of blocks: a list stands for several, at each level.
fn blocks(node: Node<'_>) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    for entry in node.listed().into_iter().flat_map(Node::own_entries) {
        let bodies = entry.value.listed().into_iter();
        found.extend(bodies.map(|value| Entry { value, ..entry }));
    }
    found
}

fn braces(node: Node<'_>) -> Braces {
    let entries = node.own_entries();
    let ends = entries.first().zip(entries.last());
    let entries =
        ends.map(|(first, last)| Span::new(first.key.span().start, last.value.span().end));
    let span = node.span();
    Braces { span, entries }
}

fn fields(node: Node<'_>) -> Vec<Field> {
    let field = |entry: Entry<'_>| Field {
        key: entry.key.text().map(str::to_owned),
        key_span: entry.key.span(),
        // The reader bounds the depth.
        value: ast(entry.value),
    };
    node.own_entries().into_iter().map(field).collect()
}

fn ast(node: Node<'_>) -> Ast {
    let kind = match node.text() {
        Some(_) if node.is_null() => Kind::Other(Expression::null()),
        Some(text) if node.style() == Some(Style::Double) => Kind::Other(template(text)),
        Some(text) => Kind::Other(match (text.parse::<bool>(), text.parse::<f64>()) {
            (Ok(is), _) => is.into(),
            (_, Ok(number)) => Number::from_f64(number).map_or(text.into(), Expression::from),
            _ => text.into(),
        }),
        None if node.is_list() => Kind::List(node.items().into_iter().map(ast).collect()),
        None => Kind::Object(fields(node)),
    };
    let span = node.span();
    Ast { span, kind }
}

fn template(text: &str) -> Expression {
    if !text.contains("${") && !text.contains("%{") {
        return text.into();
    }
    let Ok(template) = hcl_edit::parser::parse_template(text) else {
        return text.into();
    };
    // A template alone in a string is its value, not text: a reference may be to a list.
    match template.as_single_element() {
        Some(Element::Interpolation(hole)) => hole.expr.clone(),
        _ => Expression::StringTemplate(template.into_iter().collect::<Vec<_>>().into()),
    }
}
