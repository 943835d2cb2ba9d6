use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::node::{Data, Item, Style, Yaml};
use crate::budget;
use crate::builds::lines;
use crate::builds::model::ReadError;
use crate::text::Span;

impl<'a> Yaml<'a> {
    pub fn read(source: &'a str) -> Result<Self, ReadError> {
        let mark = source.len() - source.trim_start_matches('\u{FEFF}').len();
        let mut text = Cow::Borrowed(&source[mark..]);
        loop {
            budget::spend(OF_BYTE * text.len());
            let error = match Self::parsed(source, &text, mark) {
                Ok(yaml) => return Ok(yaml),
                Err(error) => error,
            };
            let joined = if error.message == OUTDENTED && !budget::is_spent() {
                joined(&text, error.span.start - mark)
            } else {
                None
            };
            text = Cow::Owned(joined.ok_or(error)?);
        }
    }

    /// Reads the tree of `text`, which stands for `source` from byte `mark` on.
    fn parsed(source: &'a str, text: &str, mark: usize) -> Result<Self, ReadError> {
        let mut builder = Builder {
            yaml: Self {
                source,
                items: Vec::new(),
                roots: Vec::new(),
                keys: OnceLock::new(),
            },
            offsets: Offsets::new(text, mark),
            open: Vec::new(),
            anchors: HashMap::new(),
            last: mark,
        };
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                if error.info() == TOO_DEEP {
                    budget::exhaust();
                }
                ReadError {
                    span: Span::at(builder.offsets.byte(*error.marker())),
                    message: error.info().to_owned(),
                }
            })?;
            let span = Span::new(
                builder.offsets.byte(span.start),
                builder.offsets.byte(span.end),
            );
            builder.event(event, span)?;
        }
        Ok(builder.yaml)
    }
}

/// The steps that reading a byte takes, or a value in memory, aliases expanded.
const OF_BYTE: usize = 8;
const OF_VALUE: usize = 256;
/// The parser's error for a line in brackets that is not indented more than the key before them, as YAML 1.2 demands;
/// the parsers of Go, .NET and Ruby, which read these files, accept `]` below its key.
const OUTDENTED: &str = "invalid indentation";

/// The parser's error for too deeply nested brackets.
const TOO_DEEP: &str = "recursion limit exceeded";

/// Returns `text` with the line of byte `at` joined to the one before, in as many bytes.
fn joined(text: &str, at: usize) -> Option<String> {
    let mut start = at;
    if !text.get(lines::start(text, at)..at)?.trim().is_empty() {
        return None;
    }
    while start > 0 {
        let line = lines::start(text, start);
        let bare = uncommented(&text[line..start]).trim_end();
        start = line + bare.len();
        if !bare.is_empty() {
            break;
        }
        start = line.saturating_sub(1);
    }
    (start < at).then(|| {
        format!(
            "{}{}{}",
            &text[..start],
            " ".repeat(at - start),
            &text[at..]
        )
    })
}

fn uncommented(line: &str) -> &str {
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in line.bytes().enumerate() {
        match (quote, byte) {
            (None, b'#') if matches!(before, b' ' | b'\t') => return &line[..at],
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
        before = byte;
    }
    line
}

/// Turns the parser's places, which count characters, into bytes.
struct Offsets {
    /// The byte of each character, if any is longer than one.
    bytes: Option<Vec<usize>>,
    /// The place of the first one in the file.
    first: usize,
    len: usize,
}

impl Offsets {
    fn new(text: &str, first: usize) -> Self {
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self {
            bytes,
            first,
            len: text.len(),
        }
    }

    fn byte(&self, marker: Marker) -> usize {
        let index = marker.index();
        let at = self
            .bytes
            .as_ref()
            .map_or(index, |bytes| bytes.get(index).copied().unwrap_or(self.len));
        self.first + at.min(self.len)
    }
}

struct Open {
    id: usize,
    /// The key without a value so far.
    key: Option<usize>,
}

struct Builder<'a> {
    yaml: Yaml<'a>,
    offsets: Offsets,
    open: Vec<Open>,
    /// The values with an anchor, by the parser's number for it.
    anchors: HashMap<usize, usize>,
    /// One past the last byte of the previous value, bracket or document mark.
    last: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), ReadError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let span = self.of_scalar(&text, style.into(), span);
                let data = Data::Scalar(text.into_owned(), style.into());
                let id = self.add(data, span, anchor, tag.as_deref())?;
                self.yaml.items[id].size = 1;
            }
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::SequenceStart(anchor, tag) => {
                self.start(Data::List(Vec::new()), span, anchor, tag.as_deref())?;
            }
            Event::MappingStart(anchor, tag) => {
                self.start(Data::Map(Vec::new()), span, anchor, tag.as_deref())?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            _ => self.last = self.last.max(span.end),
        }
        Ok(())
    }

    /// Returns a scalar's own bytes. The parser's begin with anchor and tag, for a block only behind its header, and go
    /// on to the line's end where quotes are.
    fn of_scalar(&self, text: &str, style: Style, span: Span) -> Span {
        let source = self.yaml.source;
        match style {
            Style::Plain if text.is_empty() => self.of_nothing(),
            Style::Plain => Span::new(skipped(source, span.start, b""), span.end),
            Style::Single | Style::Double => {
                let start = skipped(source, span.start, b"");
                Span::new(start, closed(source, start, style))
            }
            Style::Literal | Style::Folded => {
                Span::new(skipped(source, self.last, b":-?"), span.end)
            }
        }
    }

    /// Returns the place of an empty value: behind its key's colon, or its dash.
    fn of_nothing(&self) -> Span {
        let source = self.yaml.source;
        let in_list = self.open.last().is_some_and(|open| open.key.is_none());
        let mark = if in_list {
            skipped(source, self.last, b"")
        } else {
            self.last
        };
        let rest = source.get(mark..).unwrap_or_default();
        let blanks = if in_list {
            0
        } else {
            rest.len() - rest.trim_start_matches([' ', '\t']).len()
        };
        let found = rest[blanks..].starts_with(if in_list { '-' } else { ':' });
        Span::at(if found { mark + blanks + 1 } else { self.last })
    }

    fn add(
        &mut self,
        data: Data,
        span: Span,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<usize, ReadError> {
        let id = self.yaml.items.len();
        if !budget::spend(OF_VALUE) {
            return Err(too_much(span));
        }
        let parent = self.open.last().map(|open| open.id);
        let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
        self.yaml.items.push(Item {
            data,
            span,
            parent,
            key: None,
            tag,
            anchored: anchor > 0,
            size: 0,
        });
        self.last = self.last.max(span.end);
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
        let Some(open) = self.open.last_mut() else {
            self.yaml.roots.push(id);
            return Ok(id);
        };
        match &mut self.yaml.items[open.id].data {
            Data::List(ids) => ids.push(id),
            Data::Map(pairs) => match open.key.take() {
                Some(key) => {
                    pairs.push((key, id));
                    self.yaml.items[id].key = Some(key);
                }
                None => open.key = Some(id),
            },
            Data::Scalar(..) | Data::Alias(_) => {}
        }
        Ok(id)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), ReadError> {
        let target = self.anchors.get(&anchor).copied();
        let size = target.map_or(0, |target| self.yaml.items[target].size);
        let Some(target) = target.filter(|_| size > 0) else {
            return Err(ReadError {
                span,
                message: "this alias stands for a value that contains it".to_owned(),
            });
        };
        if !budget::spend(OF_VALUE.saturating_mul(size)) {
            return Err(too_much(span));
        }
        let id = self.add(Data::Alias(target), span, 0, None)?;
        self.yaml.items[id].size = size;
        Ok(())
    }

    fn start(
        &mut self,
        data: Data,
        span: Span,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), ReadError> {
        // For a list that is not indented below its key, the parser starts behind the first dash.
        let of_key = matches!(data, Data::List(_))
            && self.open.last().is_some_and(|open| open.key.is_some());
        let source = self.yaml.source;
        let start = if of_key {
            skipped(source, self.last, b":")
        } else {
            skipped(source, span.start, b"")
        };
        let open = matches!(source.as_bytes().get(start), Some(b'[' | b'{'));
        let own = Span::new(start, start + usize::from(open));
        let id = self.add(data, own, anchor, tag)?;
        if !budget::is_shallow(self.open.len()) {
            return Err(too_much(span));
        }
        self.open.push(Open { id, key: None });
        Ok(())
    }

    fn end(&mut self, span: Span) {
        let Some(Open { id, .. }) = self.open.pop() else {
            return;
        };
        let item = &mut self.yaml.items[id];
        if !item.span.is_empty() {
            item.span.end = span.start + usize::from(!span.is_empty());
            self.last = self.last.max(item.span.end);
        }
        let ids: Vec<usize> = match &item.data {
            Data::List(ids) => ids.clone(),
            Data::Map(pairs) => pairs
                .iter()
                .flat_map(|&(key, value)| [key, value])
                .collect(),
            Data::Scalar(..) | Data::Alias(_) => Vec::new(),
        };
        let within: usize = ids.iter().map(|&id| self.yaml.items[id].size).sum();
        let source = self.yaml.source;
        let item = &mut self.yaml.items[id];
        item.size = within + 1;
        // A mapping whose key is one is a template's expression for a text.
        let text = source.get(item.span.start..item.span.end);
        if let Some(text) = text.filter(|text| text.starts_with("{{")) {
            item.data = Data::Scalar(text.to_owned(), Style::Plain);
        }
    }
}

/// Skips blanks, comments, anchors, tags and `marks` from byte `at` on.
fn skipped(source: &str, at: usize, marks: &[u8]) -> usize {
    let bytes = source.as_bytes();
    let until = |at: usize, stop: fn(&u8) -> bool| {
        at + bytes[at..]
            .iter()
            .position(stop)
            .unwrap_or(bytes.len() - at)
    };
    let mut at = at.min(bytes.len());
    loop {
        at = match bytes.get(at) {
            Some(b' ' | b'\t' | b'\r' | b'\n') => at + 1,
            Some(b'#') => until(at, |&byte| byte == b'\n'),
            Some(b'&' | b'!') => until(at, u8::is_ascii_whitespace),
            Some(byte) if marks.contains(byte) => at + 1,
            _ => return at,
        };
    }
}

/// Returns one past the quote that closes the one at byte `at`.
fn closed(source: &str, at: usize, style: Style) -> usize {
    let bytes = source.as_bytes();
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        end += match (style, byte) {
            (Style::Double, b'\\') => 2,
            (Style::Single, b'\'') if bytes.get(end + 1) == Some(&b'\'') => 2,
            (Style::Double, b'"') | (Style::Single, b'\'') => return end + 1,
            _ => 1,
        };
    }
    bytes.len()
}

/// Makes the error of a file that is silently left alone.
fn too_much(span: Span) -> ReadError {
    ReadError {
        span,
        message: "it has more values than are read".to_owned(),
    }
}

impl From<ScalarStyle> for Style {
    fn from(style: ScalarStyle) -> Self {
        match style {
            ScalarStyle::Plain => Self::Plain,
            ScalarStyle::SingleQuoted => Self::Single,
            ScalarStyle::DoubleQuoted => Self::Double,
            ScalarStyle::Literal => Self::Literal,
            ScalarStyle::Folded => Self::Folded,
        }
    }
}
