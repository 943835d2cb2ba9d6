//! Bake files in JSON: HCL's JSON form, in which every string is a template.

use super::hcl;
use super::value::{Ast, Field, Kind, Part};
use super::{File, Target, Variable};
use crate::budget;
use crate::builds::model::ReadError;
use crate::builds::yaml::{Node, Style, Yaml};
use crate::text::Span;

/// Reads `source`. JSON is YAML in brackets, and so has places; but not all YAML that begins so is JSON.
pub fn file(source: &str) -> Result<File, ReadError> {
    if let Err(error) =
        serde_json::from_str::<serde::de::IgnoredAny>(source.trim_start_matches('\u{FEFF}'))
    {
        let line = source
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum::<usize>();
        let at = (line + error.column().saturating_sub(1)).min(source.len());
        let at = (0..=at)
            .rev()
            .find(|at| source.is_char_boundary(*at))
            .unwrap_or_default();
        let message = error.to_string();
        if message.starts_with("recursion limit") {
            budget::exhaust();
        }
        return Err(ReadError {
            span: Span::at(at),
            message,
        });
    }
    let yaml = Yaml::read(source)?;
    let mut file = File::default();
    let Some(root) = yaml.root() else {
        return Ok(file);
    };
    let mut attributes = Vec::new();
    for entry in root.own_entries() {
        if let Some(name) = entry.key.text().filter(|_| entry.value.text().is_some()) {
            attributes.push(Variable {
                name: name.to_owned(),
                default: Some(ast(entry.value)),
                is_block: false,
            });
        }
        for (key, body) in blocks(entry.value) {
            let Some(name) = key.text().map(str::to_owned) else {
                continue;
            };
            match entry.key.text() {
                Some("variable") => {
                    let default = body.get("default").map(ast);
                    file.variables.push(Variable {
                        name,
                        default,
                        is_block: true,
                    });
                }
                Some("group") => file
                    .groups
                    .extend(body.get("targets").map(|targets| (name, ast(targets)))),
                Some("target") => {
                    file.targets.push(Target {
                        name,
                        span: key.span(),
                        body: body.span(),
                        fields: fields(body),
                    });
                }
                _ => {}
            }
        }
    }
    file.variables.extend(attributes);
    Ok(file)
}

/// The labels and bodies of blocks: a list stands for several, at each level.
pub fn blocks(node: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    fn each(node: Node<'_>) -> Vec<Node<'_>> {
        if node.is_list() {
            node.items()
        } else {
            vec![node]
        }
    }
    let entries = each(node).into_iter().flat_map(Node::own_entries);
    entries
        .flat_map(|entry| {
            each(entry.value)
                .into_iter()
                .map(move |body| (entry.key, body))
        })
        .collect()
}

/// The entries of an object.
pub fn fields(node: Node<'_>) -> Vec<Field> {
    let field = |entry: crate::builds::yaml::Entry<'_>| Field {
        key: entry.key.text().map(str::to_owned),
        key_span: entry.key.span(),
        // The reader bounds how deep this goes.
        value: ast(entry.value),
    };
    node.own_entries().into_iter().map(field).collect()
}

fn ast(node: Node<'_>) -> Ast {
    let kind = match node.text() {
        Some(_) if node.is_null() => Kind::Null,
        Some(text) if node.style() == Some(Style::Double) => template(text),
        Some(text) => Kind::Text(vec![Part::Literal(text.to_owned(), Vec::new())]),
        None if node.is_list() => Kind::List(node.items().into_iter().map(ast).collect()),
        None => Kind::Object(fields(node)),
    };
    Ast {
        span: node.span(),
        kind,
    }
}

fn template(text: &str) -> Kind {
    if !text.contains("${") && !text.contains("%{") {
        return Kind::Text(vec![Part::Literal(text.to_owned(), Vec::new())]);
    }
    hcl_edit::parser::parse_template(text).map_or(Kind::Other, |template| {
        let kind = hcl::parts(text, template.iter());
        // What stands alone in a string is itself, not text: a reference may be to a list.
        match kind {
            Kind::Text(mut parts) => match (parts.len(), parts.pop()) {
                (1, Some(Part::Hole(ast, _))) => ast.kind,
                (_, last) => {
                    parts.extend(last);
                    Kind::Text(parts)
                }
            },
            other => other,
        }
    })
}
