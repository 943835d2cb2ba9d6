//! Turns edits of a Dockerfile within another file into edits of that file.

use super::lines;
use super::model::{Escapes, Inline};
use crate::fix::Edit;
use crate::text::Span;

const IN_VARIABLE: &str = "the value of a variable stands there";

/// Turns edits of the Dockerfile's text into edits of the file `source`: new lines get the block's indentation, and
/// what the file would interpret is escaped.
pub fn edits(inline: &Inline, source: &str, edits: &[Edit]) -> Result<Vec<Edit>, String> {
    if inline.map.is_empty() {
        let why = "it is written with escapes or folded lines (the numbers here are those of the Dockerfile's own lines)";
        return Err(why.to_owned());
    }
    let block = Block {
        inline,
        source,
        indent: lines::block_indent(&inline.text, &inline.map, source),
    };
    let mut edits = edits.iter();
    edits.try_fold(Vec::new(), |mut moved, edit| {
        moved.push(block.edit(edit)?);
        Ok(moved)
    })
}

struct Block<'i> {
    inline: &'i Inline,
    source: &'i str,
    indent: usize,
}

struct Gap {
    at: usize,
    /// The number of blanks needed before the text.
    missing: usize,
}

impl Block<'_> {
    fn edit(&self, edit: &Edit) -> Result<Edit, String> {
        let (start, end) = (edit.span().start, edit.span().end);
        let text = self.inline.text.as_bytes();
        if end > text.len() {
            return Err("it lies outside of the Dockerfile".to_owned());
        }
        self.check(edit)?;
        let is_lines = |text: &[u8]| text.is_empty() || text.ends_with(b"\n");
        let whole = start < end && is_lines(edit.text().as_bytes());
        let whole = whole && is_lines(&text[..start]) && is_lines(&text[..end]);
        let made = if whole {
            self.whole_lines(edit)
        } else {
            self.within(edit)
        };
        made.ok_or_else(|| IN_VARIABLE.to_owned())
    }

    /// Makes an edit that removes whole lines with their indentation.
    fn whole_lines(&self, edit: &Edit) -> Option<Edit> {
        let map = &self.inline.map;
        let line = |at: usize| Some(lines::start(self.source, map.get(at)?));
        let end = edit.span().end;
        let to = line(end).or_else(|| self.behind(end))?;
        let mut text = String::new();
        for line in edit.text().split_inclusive('\n') {
            let content = line.strip_suffix('\n').unwrap_or(line);
            self.put(
                &mut text,
                content,
                if content.is_empty() { 0 } else { self.indent },
            );
            if content.len() < line.len() {
                text.push_str(self.inline.newline);
            }
        }
        Some(Edit::replace(Span::new(line(edit.span().start)?, to), text))
    }

    /// Makes any other edit: its first line continues the line where it stands.
    fn within(&self, edit: &Edit) -> Option<Edit> {
        let (start, end) = (edit.span().start, edit.span().end);
        let from = self.place(start)?;
        let to = if start == end {
            from.at
        } else {
            self.place(end)?.at
        };
        // What follows the last line needs no indentation where it is the end of a line.
        let ends = matches!(self.inline.text.as_bytes().get(end), None | Some(b'\n'));
        let mut text = String::new();
        let mut lines = edit.text().split('\n').peekable();
        let mut blanks = from.missing;
        while let Some(line) = lines.next() {
            let bare = line.is_empty() && (lines.peek().is_some() || ends);
            self.put(&mut text, line, if bare { 0 } else { blanks });
            if lines.peek().is_some() {
                text.push_str(self.inline.newline);
            }
            blanks = self.indent;
        }
        Some(Edit::replace(Span::new(from.at, to), text))
    }

    fn put(&self, text: &mut String, line: &str, blanks: usize) {
        text.extend(std::iter::repeat_n(' ', blanks));
        text.push_str(&escaped(self.inline, line));
    }

    fn place(&self, at: usize) -> Option<Gap> {
        let before = self.inline.text.as_bytes()[..at].last();
        let starts_line = matches!(before, None | Some(b'\n'));
        let place = |at, indented| Gap {
            at,
            missing: if starts_line {
                self.indent.saturating_sub(indented)
            } else {
                0
            },
        };
        if let Some(found) = self.inline.map.get(at) {
            return Some(place(found, found - lines::start(self.source, found)));
        }
        let torn = self.inline.escapes == Escapes::Dollar && before == Some(&b'$');
        self.behind(at).filter(|_| !torn).map(|at| place(at, 0))
    }

    /// Returns the byte of the file behind byte `at - 1` of the text, which may be a line end of two bytes in the file.
    fn behind(&self, at: usize) -> Option<usize> {
        let map = &self.inline.map;
        let last = at.checked_sub(1)?;
        if let Some(found) = map.get(last) {
            return Some(found + 1);
        }
        let is_newline =
            self.inline.text.as_bytes()[last] == b'\n' && self.inline.newline == "\r\n";
        Some(map.get(last.checked_sub(1)?)? + 3).filter(|_| is_newline)
    }

    /// Returns whether all of the option's value before byte `at` of the text are variables without a known value.
    fn may_be_empty_above(&self, at: usize) -> bool {
        let text = &self.inline.text[..at];
        let value = text.rfind(['=', '"', '\'']).map_or(0, |before| before + 1);
        let mut rest = &text[value..];
        while let Some((_, behind)) =
            hole_at(rest).filter(|_| is_hole(self.inline, at - rest.len()))
        {
            rest = behind;
        }
        value < at && rest.is_empty()
    }

    /// Fails where more than indentation and escapes lies between the bytes of the edit, or where it splits an escape.
    fn check(&self, edit: &Edit) -> Result<(), String> {
        let (start, end) = (edit.span().start, edit.span().end);
        let Inline { map, newline, .. } = self.inline;
        let text = self.inline.text.as_bytes();
        for pair in map.runs().windows(2) {
            let gap = Span::new(pair[0].text_end(), pair[1].text);
            if gap.start <= start || gap.end >= end {
                continue;
            }
            let mark = matches!(text[gap.start - 1], b'\n' | b'$' | b'%');
            if !(gap.is_empty() && mark || gap.of(text) == b"\n" && *newline == "\r\n") {
                return Err("the value of a variable stands in it".to_owned());
            }
        }
        let before = text[..start].last().copied();
        let behind = text.get(end).copied();
        if behind.is_none() && text.ends_with(b"\n") && !edit.text().ends_with('\n') {
            // What follows in the file has to begin a line of its own.
            let lines = edit.text().is_empty() && matches!(before, None | Some(b'\n'));
            if !lines {
                return Err("it takes the end of the last line away".to_owned());
            }
        }
        if edit.text().starts_with(['-', '$']) && self.may_be_empty_above(start) {
            return Err(
                "the variable may be empty, and the target is the id then: give it a default here first"
                    .to_owned(),
            );
        }
        let first = edit.text().bytes().next().or(behind);
        let last = edit.text().bytes().last().or(before);
        let is_mark = |byte| matches!(byte, Some(b'$' | b'%'));
        let pairs = [
            (before, text.get(start).copied()),
            (before, first),
            (last, behind),
        ];
        let torn = pairs
            .iter()
            .any(|pair| is_mark(pair.0) && pair.1 == Some(b'{'));
        // A mark before a template that the file has there would escape it.
        let inside = end.checked_sub(1).and_then(|last| map.get(last));
        let inside = inside.is_some_and(|last| map.get(end) == Some(last + 1));
        if (torn || is_mark(last) && !inside) && self.inline.escapes == Escapes::Template {
            return Err("the file would take it for a template".to_owned());
        }
        Ok(())
    }
}

/// Returns the advice with its quotes escaped as the file needs them.
pub fn advice(inline: &Inline, text: &str) -> String {
    quoted(text, |part| escaped(inline, part))
}

/// Returns the message with the file's own variables.
pub fn message(inline: &Inline, text: &str) -> String {
    quoted(text, |part| written(inline, part))
}

/// Returns text of the Dockerfile with the file's own variables.
pub fn written(inline: &Inline, text: &str) -> String {
    with_holes(inline, text, str::to_owned)
}

fn quoted(text: &str, change: impl Fn(&str) -> String) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| {
        if at % 2 == 1 {
            change(part)
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

fn escaped(inline: &Inline, text: &str) -> String {
    with_holes(inline, text, |text| match inline.escapes {
        Escapes::Dollar => text.replace('$', "$$"),
        Escapes::Template => text.replace("${", "$${").replace("%{", "%%{"),
    })
}

const HOLE: &str = "{{ ";
const HOLE_END: &str = " }}";

/// Returns the text that stands for a variable of the file whose value is unknown: it looks like a template's
/// expression, which the Dockerfile's reader lets be anything.
pub(super) fn hole(name: &str) -> String {
    [HOLE, name, HOLE_END].concat()
}

/// Returns the variable of the expression that `text` begins with, and what is behind it.
fn hole_at(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(HOLE)?.split_once(HOLE_END)
}

/// Returns whether an expression at byte `at` of the Dockerfile stands for a variable of the file around it.
fn is_hole(inline: &Inline, at: usize) -> bool {
    inline.text[at..].starts_with(HOLE) && inline.map.get(at).is_none()
}

/// Returns `text` with the file's own variables, and `change` made to all else.
fn with_holes(inline: &Inline, text: &str, change: impl Fn(&str) -> String) -> String {
    let mut made = String::new();
    let mut rest = text;
    let holes = text.match_indices(HOLE).filter_map(|(at, _)| {
        let (name, behind) = hole_at(&text[at..])?;
        let found = inline.text.find(&hole(name))?;
        is_hole(inline, found).then_some((at, name, behind))
    });
    for (at, name, behind) in holes {
        let before = text.len() - rest.len();
        if let Some(before) = text.get(before..at) {
            made.extend([&change(before), "${", name, "}"]);
            rest = behind;
        }
    }
    made + &change(rest)
}
