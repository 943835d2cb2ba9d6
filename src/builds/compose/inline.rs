//! `dockerfile_inline`: the text that the engine gets, and the places of its bytes.

use super::interpolate::{Segment, interpolated, segments};
use super::variables::Variables;
use crate::builds::inline::hole;
use crate::builds::model::{Escapes, Inline};
use crate::builds::yaml::{Node, Style};
use crate::text::{SourceMap, Span, line_ending};

/// Reads the Dockerfile in `node`. Only the lines of a literal block have places.
pub(super) fn read(source: &str, node: Node<'_>) -> Option<Inline> {
    let raw = node.text()?;
    let places = if node.style() == Some(Style::Literal) {
        node.map()
    } else {
        SourceMap::default()
    };
    // YAML takes a carriage return alone for a line end: then the text is not as in the file.
    let mut runs = places.runs().iter();
    let is_alike = runs
        .all(|run| source.get(run.source..run.source_end()) == raw.get(run.text..run.text_end()));
    let span = node.resolved().span();
    let (mut text, mut map) = (String::new(), SourceMap::default());
    for (start, segment) in segments(raw) {
        let (len, known) = match segment {
            Segment::Literal(text) => (text.len(), text.into()),
            // A span that begins at the first of both covers the two.
            Segment::Dollar => (1, "$".into()),
            Segment::Instead(name) => (0, hole(name)),
            Segment::Variable(name, default) => {
                let default = default.map(|text| interpolated(text, &Variables::default()));
                match default {
                    Some(Ok(value)) => (0, value),
                    _ => (0, hole(name)),
                }
            }
        };
        if is_alike {
            map.append(text.len(), &places, Span::new(start, start + len));
        }
        text.push_str(&known);
    }
    Some(Inline {
        text,
        map,
        span,
        escapes: Escapes::Dollar,
        newline: line_ending(source.as_bytes(), span.start),
    })
}
