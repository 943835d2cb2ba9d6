//! The code blocks of Markdown: Dockerfiles, blocks that do not say what they are, and code that writes a Dockerfile.

use bstr::ByteSlice as _;

use super::{Holder, Piece, copy, lines, python, script, yaml};
use crate::dockerfile::Mapped;
use crate::text::Span;

/// Adds the code blocks of `file`.
pub(super) fn find(file: &Mapped<'_>, pieces: &mut Vec<Piece>) {
    let bytes = file.bytes();
    let mut fence: Option<Fence> = None;
    for span in lines(bytes) {
        let line = span.of(bytes);
        match &mut fence {
            None => fence = Fence::open(line, span),
            Some(open) if open.is_closed_by(line) => {
                if let Some(fence) = fence.take() {
                    fence.add(file, span.end, pieces);
                }
            }
            Some(open) => open.lines.push(Span::new(
                span.start + blanks(line).min(open.indent),
                span.end,
            )),
        }
    }
    if let Some(fence) = fence {
        fence.add(file, bytes.len(), pieces);
    }
}

struct Fence {
    start: usize,
    mark: u8,
    width: usize,
    indent: usize,
    language: String,
    lines: Vec<Span>,
}

fn blanks(line: &[u8]) -> usize {
    line.iter().take_while(|b| **b == b' ').count()
}

impl Fence {
    fn open(line: &[u8], span: Span) -> Option<Self> {
        let indent = blanks(line);
        let text = line[indent..].trim();
        let mark = *text.first().filter(|b| matches!(b, b'`' | b'~'))?;
        let width = text.iter().take_while(|b| **b == mark).count();
        let info = &text[width..];
        if width < 3 || (mark == b'`' && info.contains(&b'`')) {
            return None;
        }
        let word: Vec<u8> = info
            .trim_start()
            .iter()
            .copied()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'-')
            .collect();
        let language = String::from_utf8_lossy(&word).to_ascii_lowercase();
        Some(Self {
            start: span.start + indent,
            mark,
            width,
            indent,
            language,
            lines: Vec::new(),
        })
    }

    fn is_closed_by(&self, line: &[u8]) -> bool {
        let text = line.trim();
        text.len() >= self.width && text.iter().all(|b| *b == self.mark)
    }

    /// Adds what stands in it; blocks of other languages are left alone, and so are differences.
    fn add(self, file: &Mapped<'_>, end: usize, pieces: &mut Vec<Piece>) {
        let mut text = Mapped::empty(0);
        for line in &self.lines {
            copy(file, line.start, line.end, &mut text);
        }
        let extent = file.span(self.start, end);
        match self.language.as_str() {
            "" | "dockerfile" | "docker" | "containerfile" => {
                pieces.push(Piece {
                    text,
                    extent,
                    holder: Holder::Fence,
                });
            }
            "sh" | "bash" | "shell" | "zsh" | "console" => {
                script(text, extent, Holder::Fence, pieces)
            }
            "python" | "py" => python::find(&text, pieces),
            "yaml" | "yml" => yaml::find(&text, pieces),
            _ => {}
        }
    }
}
