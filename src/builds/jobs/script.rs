//! A script, with the place of each byte: gathered from values of a YAML file, or a piece of another one.

use crate::budget;
use crate::builds::command;
use crate::builds::yaml::{Node, Style};
use crate::text::{SourceMap, Span};

pub struct Script<'y> {
    text: String,
    lines: Vec<Line<'y>>,
}

struct Line<'y> {
    origin: Origin<'y>,
    /// The start of its text in the script's.
    base: usize,
    map: SourceMap,
}

#[derive(Clone, Copy)]
enum Origin<'y> {
    Value(Node<'y>),
    Piece(Write),
}

/// Returns a text for a script as its file has to have it.
pub type Write = fn(&str) -> String;

/// A script of a file that is not YAML.
#[derive(Clone, Debug)]
pub struct Piece {
    pub text: String,
    pub map: SourceMap,
    pub write: Write,
}

impl<'y> Script<'y> {
    /// Makes the script of `nodes`, which are scalars.
    pub fn new(nodes: &[Node<'y>]) -> Self {
        let mut script = Self {
            text: String::new(),
            lines: Vec::new(),
        };
        for &node in nodes {
            let Some(text) = node.text() else { continue };
            // A line can be in many scripts, or in one many times.
            if !budget::spend(16 * text.len()) {
                break;
            }
            // The places are only needed for scripts that build.
            let map = if command::may_build(text) {
                node.map()
            } else {
                SourceMap::default()
            };
            script.lines.push(Line {
                origin: Origin::Value(node.resolved()),
                base: script.text.len(),
                map,
            });
            script.text.push_str(text);
            if !text.ends_with('\n') {
                script.text.push('\n');
            }
        }
        script
    }

    /// Makes the script that is a piece of a file.
    pub fn of(piece: Piece) -> Self {
        Self {
            text: piece.text,
            lines: vec![Line {
                origin: Origin::Piece(piece.write),
                base: 0,
                map: piece.map,
            }],
        }
    }

    /// Returns the text, every value ended by a newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn line(&self, at: usize) -> Option<&Line<'y>> {
        let behind = self.lines.partition_point(|line| line.base <= at);
        self.lines.get(behind.checked_sub(1)?)
    }

    /// Returns the value that byte `at` stands in, in a YAML file.
    pub fn node(&self, at: usize) -> Option<Node<'y>> {
        match self.line(at)?.origin {
            Origin::Value(node) => Some(node),
            Origin::Piece(_) => None,
        }
    }

    /// Returns `text` as it is written in the file at byte `at` of the script; `None` where that is unclear.
    pub fn written(&self, at: usize, text: String) -> Option<String> {
        match self.line(at)?.origin {
            Origin::Piece(write) => Some(write(&text)),
            Origin::Value(node) => match node.style()? {
                Style::Double => Some(text.replace('\\', "\\\\").replace('"', "\\\"")),
                Style::Single => Some(text.replace('\'', "''")),
                Style::Plain if text.contains(": ") || text.contains(" #") => None,
                _ => Some(text),
            },
        }
    }

    pub fn byte(&self, at: usize) -> Option<usize> {
        let line = self.line(at)?;
        line.map.get(at - line.base)
    }

    /// Returns the place of `span` in the file; its whole value where that is unclear.
    pub fn in_file(&self, span: Span) -> Span {
        let last = span.end.checked_sub(1).and_then(|last| self.byte(last));
        match (self.byte(span.start), last) {
            (Some(start), Some(last)) if start <= last => Span::new(start, last + 1),
            _ => self
                .line(span.start)
                .map_or(Span::at(0), |line| match line.origin {
                    Origin::Value(node) => node.span(),
                    Origin::Piece(_) => line.map.to_source(span).unwrap_or(Span::at(0)),
                }),
        }
    }
}
