//! A script, gathered from values of a YAML file, with the place of each byte.

use crate::budget;
use crate::builds::command;
use crate::builds::yaml::Node;
use crate::text::{SourceMap, Span};

pub struct Script<'y> {
    text: String,
    lines: Vec<Line<'y>>,
}

struct Line<'y> {
    node: Node<'y>,
    /// The start of its text in the script's.
    base: usize,
    map: SourceMap,
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
                node: node.resolved(),
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

    /// Returns the text, every value ended by a newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn line(&self, at: usize) -> Option<&Line<'y>> {
        let behind = self.lines.partition_point(|line| line.base <= at);
        self.lines.get(behind.checked_sub(1)?)
    }

    pub fn node(&self, at: usize) -> Option<Node<'y>> {
        Some(self.line(at)?.node)
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
            _ => self.node(span.start).map_or(Span::at(0), Node::span),
        }
    }
}
