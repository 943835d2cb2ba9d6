//! Suppressions in files other than Dockerfiles: YAML, HCL, and any text.

use bstr::ByteSlice as _;

use crate::text::Span;

use super::model::{Covers, Ignore};
use super::read::read;

/// Returns the suppressions of such a file, in order; each covers the next line and the deeper lines behind it.
pub fn read_outline(source: &[u8]) -> Vec<Ignore> {
    let mut ignores = read(source, None);
    // The block of the suppression below, shared where only comments stand between.
    let mut below: Option<(usize, Covers)> = None;
    let open = ignores.iter_mut().rev();
    for ignore in open.filter(|ignore| ignore.covers == Covers::Nothing) {
        let from = ignore.line.end;
        let comments = |end: &usize| {
            let mut lines = source[from..*end].lines();
            lines.all(|line| is_comment(line.trim_start()))
        };
        ignore.covers = match below.filter(|(start, _)| comments(start)) {
            Some((_, covers)) => covers,
            None => block_below(source, from).map_or(Covers::Nothing, Covers::Instruction),
        };
        below = Some((ignore.line.start, ignore.covers));
    }
    ignores
}

fn is_comment(text: &[u8]) -> bool {
    text.starts_with(b"#") || text.starts_with(b"//")
}

/// Returns the block that begins with the first line from byte `from` on that is no comment.
fn block_below(source: &[u8], from: usize) -> Option<Span> {
    let indent = |line: &[u8]| line.iter().take_while(|b| **b == b' ').count();
    let is_item = |text: &[u8]| text == b"-" || text.starts_with(b"- ");
    // A list may be indented like its key; another item of a list belongs to none before it.
    let mut has_list = false;
    let mut block: Option<(Span, usize)> = None;
    let mut at = from;
    for line in source[from..].split_inclusive(|b| *b == b'\n') {
        let (text, end) = (line.trim(), at + line.len());
        match &mut block {
            None if text.is_empty() => return None,
            None if is_comment(text) => {}
            None => {
                // Only a comment may follow its colon.
                let key = text
                    .find(b" #")
                    .map_or(text, |comment| text[..comment].trim_end());
                has_list = !is_item(text) && key.ends_with(b":");
                block = Some((Span::new(at, end), indent(line)));
            }
            Some(_) if text.is_empty() => {}
            Some((span, depth)) => {
                let is_own = has_list && indent(line) == *depth && is_item(text);
                if indent(line) <= *depth && !is_own {
                    break;
                }
                span.end = end;
            }
        }
        at = end;
    }
    block.map(|(span, _)| span)
}
