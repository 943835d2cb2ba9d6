//! `dockerfile_inline`: the text that the engine gets, and where its bytes stand.

use super::interpolate::{Segment, interpolated, segments};
use crate::builds::model::{Escapes, Inline, Piece};
use crate::builds::yaml::{Node, Style};

/// The Dockerfile that `node` is. Only the lines of a literal block have places.
pub fn read(source: &str, node: Node<'_>) -> Option<Inline> {
    let raw = node.text()?;
    let places = if node.style() == Some(Style::Literal) {
        node.pieces()
    } else {
        Vec::new()
    };
    // YAML takes a carriage return alone for the end of a line: then the text is not what stands there.
    let alike =
        |at: &Piece| source.get(at.file..at.file + at.len) == raw.get(at.text..at.text + at.len);
    let places = if places.iter().all(alike) {
        places
    } else {
        Vec::new()
    };
    let mut inline = Inline {
        text: String::new(),
        pieces: Vec::new(),
        span: node.resolved().span(),
        escapes: Escapes::Dollar,
        newline: crate::text::line_ending(source.as_bytes(), node.resolved().span().start),
    };
    let mut places = places.as_slice();
    for (start, segment) in segments(raw) {
        match segment {
            Segment::Literal(text) => {
                add(&mut inline, &mut places, start, text.len());
                inline.text.push_str(text);
            }
            Segment::Dollar => {
                // The first of both: a span that begins here takes both of them.
                add(&mut inline, &mut places, start, 1);
                inline.text.push('$');
            }
            // What is not known looks like the expression of a template: the Dockerfile's reader lets it be anything.
            Segment::Variable(name, default) => match default.map(interpolated) {
                Some(Ok(value)) => inline.text.push_str(&value),
                _ => inline.text.push_str(&format!("{{{{ {name} }}}}")),
            },
        }
    }
    Some(inline)
}

/// Takes over the places of `len` bytes from `start` on of the raw text, which come next in the Dockerfile.
fn add(inline: &mut Inline, places: &mut &[Piece], start: usize, len: usize) {
    let end = start + len;
    while let Some(piece) = places.first() {
        let (from, to) = (piece.text.max(start), (piece.text + piece.len).min(end));
        if from < to {
            inline.pieces.push(Piece {
                text: inline.text.len() + (from - start),
                file: piece.file + (from - piece.text),
                len: to - from,
                indent: piece.indent,
                missing: if from == piece.text { piece.missing } else { 0 },
            });
        }
        if piece.text + piece.len > end {
            break;
        }
        *places = &places[1..];
    }
}
