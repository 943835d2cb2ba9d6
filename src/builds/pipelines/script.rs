//! A script, gathered from values of a YAML file, that knows where each of its bytes stands there.

use super::super::command;
use super::super::yaml::Node;
use super::Language;
use crate::text::{SourceMap, Span};

/// The values that one shell runs, one below the other.
pub(super) struct Script<'y> {
    text: String,
    lines: Vec<Line<'y>>,
    /// What was replaced in `text` by something as long: what it says now, and what it said.
    masked: Vec<(String, String)>,
}

/// One value.
pub(super) struct Line<'y> {
    pub(super) node: Node<'y>,
    /// Where its text begins in the script's.
    pub(super) base: usize,
    map: SourceMap,
}

impl<'y> Script<'y> {
    /// The script of `nodes`, which are scalars.
    pub(super) fn new(nodes: &[Node<'y>], format: &Language) -> Self {
        let mut script = Self {
            text: String::new(),
            lines: Vec::new(),
            masked: Vec::new(),
        };
        for &node in nodes {
            let Some(text) = node.text() else { continue };
            // Where each byte stands is only asked for scripts that build.
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
        script.mask(format.mask);
        script
    }

    fn mask(&mut self, mask: fn(&str) -> Option<(Span, String)>) {
        let mut at = 0;
        while let Some((span, with)) = self.text.get(at..).and_then(mask) {
            let span = Span::new(at + span.start, at + span.end);
            let Some(was) = self
                .text
                .get(span.start..span.end)
                .filter(|was| was.len() == with.len())
            else {
                return;
            };
            if !self.masked.iter().any(|(now, _)| *now == with) {
                self.masked.push((with.clone(), was.to_owned()));
            }
            self.text.replace_range(span.start..span.end, &with);
            at = span.end;
        }
    }

    /// Its text, every value ended by a newline.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// `text` as the file has it.
    pub(super) fn unmasked(&self, text: &str) -> String {
        self.masked
            .iter()
            .fold(text.to_owned(), |text, (now, was)| text.replace(now, was))
    }

    /// The value with byte `at`.
    pub(super) fn line(&self, at: usize) -> Option<&Line<'y>> {
        let behind = self.lines.partition_point(|line| line.base <= at);
        self.lines.get(behind.checked_sub(1)?)
    }

    /// Where a byte stands in the file.
    pub(super) fn byte(&self, at: usize) -> Option<usize> {
        let line = self.line(at)?;
        line.map.get(at - line.base)
    }

    /// Where a stretch of it stands in the file; its value as a whole where that cannot be said.
    pub(super) fn in_file(&self, span: Span) -> Span {
        let end = span
            .end
            .checked_sub(1)
            .and_then(|last| self.byte(last))
            .map(|last| last + 1);
        match (self.byte(span.start), end) {
            (Some(start), Some(end)) if start < end => Span::new(start, end),
            _ => self
                .line(span.start)
                .map_or(Span::at(0), |line| line.node.span()),
        }
    }
}
