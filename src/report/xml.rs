//! XML 1.0 documents in which texts are no markup and hold no character that XML forbids.

use std::io;

use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::writer::Writer;

use crate::text::printable;

pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: Option<String>,
    elements: Vec<Element>,
}

impl Element {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            text: None,
            elements: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: &dyn ToString) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// Adds a text, line by line.
    pub(super) fn text(mut self, text: String) -> Self {
        self.text = Some(text);
        self
    }

    pub(super) fn around(mut self, elements: impl IntoIterator<Item = Self>) -> Self {
        self.elements.extend(elements);
        self
    }

    fn write(&self, xml: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let mut element = xml.create_element(self.name);
        for (name, value) in &self.attributes {
            element = element.with_attribute((*name, safe(value).as_str()));
        }
        match &self.text {
            Some(text) => {
                let lines: Vec<String> = text.lines().map(safe).collect();
                element.write_text_content(BytesText::new(&lines.join("\n")))?;
            }
            None if self.elements.is_empty() => {
                element.write_empty()?;
            }
            None => {
                element.write_inner_content(|xml| {
                    self.elements.iter().try_for_each(|inner| inner.write(xml))
                })?;
            }
        }
        Ok(())
    }
}

pub(super) fn document(root: &Element) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    let declared = xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    // Writing into memory cannot fail.
    let _ = declared.and_then(|()| root.write(&mut xml));
    // Outside of texts, XML has no `##`; a build server's log takes some of these for commands.
    let mut text = String::from_utf8(xml.into_inner())
        .unwrap_or_default()
        .replace("##", "#&#35;");
    text.push('\n');
    text
}

/// Returns `text` with stand-ins for characters that XML forbids: control characters, which are unprintable anyway, and
/// two others. The writer escapes `<` and its like.
fn safe(text: &str) -> String {
    printable(text).replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}
