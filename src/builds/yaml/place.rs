//! The end of a value, and places for new ones.

use super::node::{Data, Node, Style};
use super::scalar::quoted;
use crate::builds::lines;
use crate::fix::Edit;
use crate::text::{Span, line_ending};

const UNUSUAL: &str = "it is laid out in an unusual way";

/// A value to add.
#[derive(Clone, Copy, Debug)]
pub enum NewValue<'a> {
    Scalar(&'a str),
    /// One line of a list, in a block where there are no brackets around.
    Line(&'a str),
}

impl Node<'_> {
    /// Returns one past its last byte, without a block's trailing blank lines and comments.
    pub(super) fn end(self) -> usize {
        match self.last().filter(|_| !self.is_flow()) {
            Some(last) => last.end(),
            None => trimmed(self.yaml.source, self.item().span),
        }
    }

    /// Returns the column, in bytes, of a mapping's keys or of a list's dashes, for lines that are added to it. `None`
    /// for a collection in brackets, or with an unusual beginning.
    pub fn indent(self) -> Option<usize> {
        if self.is_alias() || self.in_brackets() {
            return None;
        }
        let start = match &self.item().data {
            Data::Map(pairs) => self.with(pairs.first()?.0).item().span.start,
            Data::List(_) => self.item().span.start,
            Data::Scalar(..) | Data::Alias(_) => return None,
        };
        let source = self.yaml.source;
        let before = &source[lines::start(source, start)..start];
        let before = before.strip_prefix('\u{FEFF}').unwrap_or(before);
        let dash = !self.is_list() || source[start..].starts_with('-');
        (dash && before.bytes().all(|byte| matches!(byte, b' ' | b'-'))).then_some(before.len())
    }

    /// Returns whether it is in brackets, its own or those of a value around it.
    pub fn in_brackets(self) -> bool {
        std::iter::successors(Some(self), |node| node.parent())
            .any(|node| !node.is_alias() && node.is_flow())
    }

    /// Adds a value to a mapping, under `keys`: all but the last are mappings to be made.
    pub fn put(self, keys: &[&str], value: NewValue<'_>) -> Result<Edit, String> {
        let in_brackets = self.in_brackets();
        let value = match value {
            NewValue::Line(line) if !in_brackets => format!("|\n  {line}"),
            NewValue::Line(text) | NewValue::Scalar(text) => quoted(text, in_brackets),
        };
        let (last, outer) = keys.split_last().ok_or("it has no key")?;
        let blanks = format!("\n{}", " ".repeat(self.step()));
        let entry = outer
            .iter()
            .rfold(format!("{last}: {value}"), |entry, key| {
                if in_brackets {
                    format!("{key}: {{{entry}}}")
                } else {
                    format!("{key}:{blanks}{}", entry.replace('\n', &blanks))
                }
            });
        self.add_entry(&entry)
    }

    /// Returns a line end and a line with `text`, so many levels deeper than the mapping.
    pub fn line(self, levels: usize, text: &str) -> Result<String, String> {
        let newline = line_ending(self.yaml.source.as_bytes(), self.item().span.start);
        let blanks = " ".repeat(self.indent().ok_or(UNUSUAL)? + levels * self.step());
        Ok(format!("{newline}{blanks}{text}"))
    }

    /// Returns the number of blanks by which it is deeper than what is around it; 2 where that is unusual.
    fn step(self) -> usize {
        let mut outer = std::iter::successors(self.parent(), |outer| outer.parent());
        let outer = outer.find_map(Node::indent).unwrap_or(0);
        let step = self.indent().unwrap_or(0).saturating_sub(outer);
        if (1..=8).contains(&step) { step } else { 2 }
    }

    /// Adds an entry behind a mapping's last: `KEY: VALUE` as YAML, of one line in brackets, else with its further
    /// lines indented as below the key.
    pub fn add_entry(self, entry: &str) -> Result<Edit, String> {
        if !self.is_map() {
            return Err("it is not a mapping".to_owned());
        }
        self.add(entry, "")
    }

    /// Adds a value, of one line, behind a list's last.
    pub fn add_item(self, item: &str) -> Result<Edit, String> {
        if !self.is_list() {
            return Err("it is not a list".to_owned());
        }
        self.add(item, "- ")
    }

    fn add(self, text: &str, dash: &str) -> Result<Edit, String> {
        if self.is_alias() {
            return Err("it stands elsewhere: an alias refers to it".to_owned());
        }
        let source = self.yaml.source;
        if self.is_flow() {
            if text.contains('\n') {
                return Err("it is written in brackets".to_owned());
            }
            return Ok(match self.last() {
                Some(last) => Edit::insert(last.end(), format!(", {text}")),
                None => Edit::insert(self.item().span.start + 1, text),
            });
        }
        let indent = self.indent().ok_or(UNUSUAL)?;
        let newline = line_ending(source.as_bytes(), self.item().span.start);
        let blanks = " ".repeat(indent);
        let line = |line: &str| format!("{blanks}{line}").trim_end().to_owned();
        let text = format!("{dash}{text}");
        let lines: Vec<String> = text.split('\n').map(line).collect();
        let lines = lines.join(newline);
        let Some(end) = self.kept_end() else {
            let end = self.end();
            let end = end + lines::rest(source, end).len();
            return Ok(Edit::insert(end, format!("{newline}{lines}")));
        };
        let before = if source[..end].ends_with('\n') {
            ""
        } else {
            newline
        };
        Ok(Edit::insert(end, format!("{before}{lines}{newline}")))
    }

    fn last(self) -> Option<Self> {
        match &self.item().data {
            Data::List(ids) => ids.last().copied(),
            Data::Map(pairs) => pairs.last().map(|&(_, value)| value),
            Data::Scalar(..) | Data::Alias(_) => None,
        }
        .map(|id| self.with(id))
    }

    /// Returns the end of its last line, if that is of a block which keeps its blank lines, `|+`.
    fn kept_end(self) -> Option<usize> {
        let item = self.item();
        if !matches!(item.data, Data::Scalar(_, Style::Literal | Style::Folded)) {
            return self.last().filter(|_| !self.is_flow())?.kept_end();
        }
        let header = self.yaml.source[item.span.start..].lines().next()?;
        // The parser's end lies behind the blanks that start the next line.
        let text = self.yaml.source.get(..item.span.end)?;
        let lines = text.trim_end_matches(' ');
        let end = if lines.ends_with('\n') { lines } else { text };
        header.split('#').next()?.contains('+').then_some(end.len())
    }
}

/// Returns the end of `span` without trailing blanks and line ends.
fn trimmed(source: &str, span: Span) -> usize {
    let text = source.get(span.start..span.end).unwrap_or_default();
    span.start + text.trim_end_matches([' ', '\t', '\r', '\n']).len()
}
