//! XML 1.0 documents in which no text can be markup, and no character is one that XML forbids.

use std::io;

use quick_xml::events::{BytesDecl, Event};
use quick_xml::writer::Writer;

use crate::text::printable;

/// Where the elements go.
pub(super) type Xml = Writer<Vec<u8>>;

/// The document whose root element `root` writes.
pub(super) fn document(root: impl FnOnce(&mut Xml) -> io::Result<()>) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    let declared = xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    // Writing into memory cannot fail.
    let _ = declared.and_then(|()| root(&mut xml));
    // Outside of texts, XML has no `##`; a build server's log takes some of these for commands.
    let mut text = String::from_utf8(xml.into_inner())
        .unwrap_or_default()
        .replace("##", "#&#35;");
    text.push('\n');
    text
}

/// `text` with stand-ins for what XML forbids: control characters, which are unprintable anyway, and two others. The
/// writer turns `<` and its like into entities.
pub(super) fn safe(text: &str) -> String {
    printable(text).replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}

/// [`safe`] for texts that stand on lines of their own.
pub(super) fn safe_lines(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| safe(line)).collect();
    lines.join("\n")
}
