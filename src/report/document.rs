//! JSON documents that a build server's log takes for no command, and values whose objects keep their order.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::text::{inert, is_unprintable};

pub(super) enum Json {
    /// A text, number or flag; null is a field that an object leaves out.
    Plain(Value),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

/// A [`Json`] object, its fields in this order.
macro_rules! object {
    ($($key:literal: $value:expr),* $(,)?) => {
        Json::Object(vec![$(($key, Json::from($value))),*])
    };
}
pub(super) use object;

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(to),
            Self::List(items) => items.serialize(to),
            Self::Object(fields) => {
                let there = |(_, value): &&(_, Json)| !matches!(value, Self::Plain(Value::Null));
                to.collect_map(fields.iter().filter(there).map(|(key, value)| (key, value)))
            }
        }
    }
}

impl Json {
    pub(super) fn list(items: impl Iterator<Item = Self>) -> Self {
        Self::List(items.collect())
    }

    pub(super) fn maybe(value: Option<Self>) -> Self {
        value.unwrap_or(Self::Plain(Value::Null))
    }

    /// Returns the list of `items`; an empty one is absent.
    pub(super) fn some(items: impl Iterator<Item = Self>) -> Self {
        let mut items = items.peekable();
        if items.peek().is_some() {
            Self::list(items)
        } else {
            Self::Plain(Value::Null)
        }
    }
}

impl<T: Into<Value>> From<T> for Json {
    fn from(value: T) -> Self {
        Self::Plain(value.into())
    }
}

/// Returns the fields of `content` behind the version of all documents of cachelane, as [`json_text`] writes them.
pub(super) fn document(content: impl Serialize) -> String {
    #[derive(Serialize)]
    struct Document<T> {
        version: u32,
        #[serde(flatten)]
        content: T,
    }
    json_text(&Document {
        version: 1,
        content,
    })
}

/// Returns the document with this one list.
pub(super) fn list_document<T: Serialize>(name: &str, items: &[T]) -> String {
    document(std::collections::BTreeMap::from([(name, items)]))
}

/// Returns `value` as a JSON document that ends with a newline, with `\u…` for control characters, also those that JSON
/// allows, and for what a build server's log would take for a command ([`inert`]).
pub(super) fn json_text(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    // Strings, numbers and lists of them always have a JSON form, and a vector takes it.
    let _ = write_json(value, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes what [`json_text`] returns, piece by piece: a report may be larger than all that it is made from.
pub(super) fn write_json(value: &impl Serialize, to: &mut dyn Write) -> io::Result<()> {
    let mut safe = Safe(to);
    serde_json::to_writer_pretty(&mut safe, value)?;
    safe.0.write_all(b"\n")
}

/// Passes on what `serde_json` writes: whole characters, in pieces that end only where something is escaped.
struct Safe<'w>(&'w mut dyn Write);

impl Write for Safe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        // Outside of strings, JSON has no `#`; no line of it starts with a colon.
        let text = if text.contains("##") && inert(&text) != text {
            text.replace("##", "#\\u0023").into()
        } else {
            text
        };
        let mut rest = &*text;
        // Only strings hold these after `serde_json`, except for the ends of lines.
        while let Some(at) = rest.find(|ch| ch != '\n' && is_unprintable(ch)) {
            let (before, from) = rest.split_at(at);
            self.0.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            for unit in chars.next().unwrap_or_default().encode_utf16(&mut [0; 2]) {
                write!(self.0, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        self.0.write_all(rest.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
