//! Dockerfiles within other files: from places in their text to places in the file, and edits likewise.

use super::model::{Escapes, Inline, Piece};
use crate::fix::Edit;
use crate::text::Span;

/// Where `span` of the Dockerfile stands in the file: from its first byte that stands there to its last. `None` where it
/// has no places.
#[must_use]
pub fn to_file(inline: &Inline, span: Span) -> Option<Span> {
    let pieces = &inline.pieces;
    let first = pieces
        .iter()
        .find(|piece| end(piece).text > span.start)
        .or(pieces.last())?;
    let start = first.file + span.start.saturating_sub(first.text).min(first.len);
    if span.is_empty() {
        return Some(Span::at(start));
    }
    let last = pieces
        .iter()
        .rfind(|piece| piece.text < span.end)
        .unwrap_or(first);
    Some(Span::new(
        start,
        last.file + (span.end.saturating_sub(last.text)).min(last.len),
    ))
}

/// Returns the byte of the file that is byte `at` of the text of `pieces`.
#[must_use]
pub fn byte(pieces: &[Piece], at: usize) -> Option<usize> {
    let behind = pieces.partition_point(|piece| piece.text <= at);
    let piece = pieces.get(behind.checked_sub(1)?)?;
    (at < piece.text + piece.len).then(|| piece.file + at - piece.text)
}

/// Returns where a stretch of the text of `pieces` stands in the file, where both its ends stand there.
#[must_use]
pub fn stretch(pieces: &[Piece], span: Span) -> Option<Span> {
    let last = byte(pieces, span.end.checked_sub(1)?)?;
    let start = byte(pieces, span.start)?;
    (start <= last).then(|| Span::new(start, last + 1))
}

/// Turns edits on the Dockerfile's text into edits on the file: lines that come in get the block's indentation, and what
/// the file would take for its own is escaped.
///
/// # Errors
/// Why a person has to do it.
pub fn edits(inline: &Inline, fix_edits: &[Edit]) -> Result<Vec<Edit>, String> {
    if inline.pieces.is_empty() {
        return Err("it is written with escapes or folded lines".to_owned());
    }
    fix_edits
        .iter()
        .map(|edit| to_file_edit(inline, edit))
        .collect()
}

fn to_file_edit(inline: &Inline, edit: &Edit) -> Result<Edit, String> {
    let (start, end) = (edit.span().start, edit.span().end);
    let text = inline.text.as_bytes();
    if end > text.len() {
        return Err("it lies outside of the Dockerfile".to_owned());
    }
    check(inline, edit)?;
    let at_line = start == 0 || text[start - 1] == b'\n';
    let lines = edit.text().is_empty() || edit.text().ends_with('\n');
    let whole = lines && start < end && at_line && text[end - 1] == b'\n';
    let made = if whole {
        whole_lines(inline, edit)
    } else {
        within(inline, edit)
    };
    made.ok_or_else(|| "the value of a variable stands there".to_owned())
}

/// An edit that takes whole lines away: their indentation goes too.
fn whole_lines(inline: &Inline, edit: &Edit) -> Option<Edit> {
    let before =
        |piece: &Piece| piece.file - piece.indent.saturating_sub(piece.missing).min(piece.file);
    let (start, end) = (edit.span().start, edit.span().end);
    let first = starting(inline, start)?;
    let to = if let Some(next) = starting(inline, end) {
        before(next)
    } else {
        let last = inline.pieces.iter().rfind(|piece| piece.text < end)?;
        let reaches = self::end(last);
        let newline = if reaches.text == end {
            0
        } else {
            inline.newline.len()
        };
        (reaches.text + usize::from(newline > 0) == end).then_some(reaches.file + newline)?
    };
    let mut text = String::new();
    for line in edit.text().split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        indent(&mut text, if content.is_empty() { 0 } else { first.indent });
        text.push_str(&escaped(inline, content));
        text.push_str(if content.len() < line.len() {
            inline.newline
        } else {
            ""
        });
    }
    Some(Edit::replace(Span::new(before(first), to), text))
}

/// Any other edit: the first line goes on where it stands.
fn within(inline: &Inline, edit: &Edit) -> Option<Edit> {
    let (start, end) = (edit.span().start, edit.span().end);
    let (from, columns, missing) = position(inline, start)?;
    let to = if start == end {
        from
    } else {
        position(inline, end)?.0
    };
    let mut text = String::new();
    for (number, line) in edit.text().split('\n').enumerate() {
        let last = number == edit.text().matches('\n').count();
        // What follows the edit's last line: nothing that needs an indentation where it is the end of a line.
        let bare = line.is_empty()
            && (!last || matches!(inline.text.as_bytes().get(end), None | Some(b'\n')));
        if number > 0 {
            text.push_str(inline.newline);
        }
        let blanks = if number > 0 { columns } else { missing };
        indent(&mut text, if bare { 0 } else { blanks });
        text.push_str(&escaped(inline, line));
    }
    Some(Edit::replace(Span::new(from, to), text))
}

fn indent(text: &mut String, columns: usize) {
    text.extend(std::iter::repeat_n(' ', columns));
}

/// Whether nothing but indentation and escapes lies between the pieces that the edit touches, and no escape is torn.
fn check(inline: &Inline, edit: &Edit) -> Result<(), String> {
    let (start, end) = (edit.span().start, edit.span().end);
    let text = inline.text.as_bytes();
    for pair in inline.pieces.windows(2) {
        let gap = Span::new(self::end(&pair[0]).text, pair[1].text);
        if gap.start <= start || gap.end >= end {
            continue;
        }
        let mark = matches!(text[gap.start - 1], b'\n' | b'$' | b'%');
        if !(gap.is_empty() && mark || gap.of(text) == b"\n" && inline.newline == "\r\n") {
            return Err("the value of a variable stands in it".to_owned());
        }
    }
    if end == text.len() && text.ends_with(b"\n") && !edit.text().ends_with('\n') {
        // What follows in the file has to begin a line of its own.
        let lines = edit.text().is_empty() && (start == 0 || text[start - 1] == b'\n');
        if !lines {
            return Err("it takes the end of the last line away".to_owned());
        }
    }
    let before = text[..start].last().copied();
    let behind = text.get(end).copied();
    let pairs = [
        (before, text.get(start).copied()),
        (before, edit.text().bytes().next().or(behind)),
        (edit.text().bytes().last().or(before), behind),
    ];
    let torn = pairs
        .iter()
        .any(|pair| matches!(pair, (Some(b'$' | b'%'), Some(b'{'))));
    // A mark before a template that the file has there would escape it.
    let marks = matches!(edit.text().bytes().last().or(before), Some(b'$' | b'%'));
    let inside = inline
        .pieces
        .iter()
        .any(|piece| piece.text < end && end < self::end(piece).text);
    let torn = torn || marks && !inside;
    if torn && inline.escapes == Escapes::Template {
        return Err("the file would take it for a template".to_owned());
    }
    Ok(())
}

/// Advice on the Dockerfile, with what it quotes as one has to type it in the file around.
#[must_use]
pub fn advice(inline: &Inline, text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| {
        if at % 2 == 1 {
            escaped(inline, part)
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

fn escaped(inline: &Inline, text: &str) -> String {
    match inline.escapes {
        Escapes::Dollar => text.replace('$', "$$"),
        Escapes::Template => text.replace("${", "$${").replace("%{", "%%{"),
    }
}

/// A place in both.
struct Both {
    text: usize,
    file: usize,
}

const fn end(piece: &Piece) -> Both {
    Both {
        text: piece.text + piece.len,
        file: piece.file + piece.len,
    }
}

fn starting(inline: &Inline, at: usize) -> Option<&Piece> {
    inline
        .pieces
        .iter()
        .find(|piece| piece.text == at && piece.len > 0)
}

/// Where byte `at` of the text is in the file, the indentation of lines there, and how much of it is missing.
fn position(inline: &Inline, at: usize) -> Option<(usize, usize, usize)> {
    if let Some(piece) = starting(inline, at) {
        return Some((piece.file, piece.indent, piece.missing));
    }
    let piece = inline.pieces.iter().rfind(|piece| piece.text < at)?;
    let reaches = end(piece);
    if at < reaches.text {
        return Some((piece.file + (at - piece.text), piece.indent, 0));
    }
    let before = inline.text.as_bytes()[..at].last();
    if at == reaches.text {
        // Behind the last line, a new one begins at the margin.
        let missing = if before == Some(&b'\n') {
            piece.indent
        } else {
            0
        };
        let torn = inline.escapes == Escapes::Dollar && before == Some(&b'$');
        return (!torn).then_some((reaches.file, piece.indent, missing));
    }
    let newline = at == reaches.text + 1 && before == Some(&b'\n') && inline.newline == "\r\n";
    newline.then_some((reaches.file + 2, piece.indent, piece.indent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_spelled_as_the_file_around_has_it() {
        let said = "write `id=a-${CACHE_ID}-$B`, for `ARG B=${{x}` costs $5; `%{C}`, and `ARG D=d`";
        for (escapes, expected) in [
            (
                Escapes::Dollar,
                "write `id=a-$${CACHE_ID}-$$B`, for `ARG B=$${{x}` costs $5; `%{C}`, and `ARG D=d`",
            ),
            (
                Escapes::Template,
                "write `id=a-$${CACHE_ID}-$B`, for `ARG B=$${{x}` costs $5; `%%{C}`, and `ARG D=d`",
            ),
        ] {
            let (text, pieces, span) = (String::new(), Vec::new(), Span::at(0));
            assert_eq!(
                advice(
                    &Inline {
                        text,
                        pieces,
                        span,
                        escapes,
                        newline: "\n"
                    },
                    said
                ),
                expected
            );
        }
    }
}
