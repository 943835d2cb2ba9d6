//! Places in a text, and what of it is printed.

use cachelane::text::{LineIndex, Mapped, Pos, SourceMap, Span, inert, line_ending, printable};
use proptest::prelude::*;

#[test]
fn columns_count_characters_and_leave_out_the_byte_order_mark() {
    let source = "\u{FEFF}RUN ä\n\tß x".as_bytes();
    let index = LineIndex::new(source);
    assert_eq!(
        index.pos(source, 3),
        Pos {
            line: 1,
            column: 1,
            offset: 3
        }
    );
    assert_eq!(
        index.pos(source, 9),
        Pos {
            line: 1,
            column: 6,
            offset: 9
        }
    );
    assert_eq!(
        index.pos(source, 13),
        Pos {
            line: 2,
            column: 3,
            offset: 13
        }
    );
    assert_eq!(index.pos(source, 999).line, 2);
}

#[test]
fn an_invalid_byte_is_one_column() {
    let source = b"a\xFFb";
    assert_eq!(LineIndex::new(source).pos(source, 2).column, 3);
}

#[test]
fn a_line_without_an_end_takes_after_the_one_above() {
    assert_eq!(line_ending(b"a\r\nb", 3), "\r\n");
    assert_eq!(line_ending(b"a\nb\r\n", 0), "\n");
    assert_eq!(line_ending(b"b", 0), "\n");
}

/// Makes a text of `file`: of each piece (how much, and how much is left out behind it), and a `?` where one says so.
fn made(file: &[u8], pieces: &[(usize, usize, bool)]) -> (Vec<u8>, SourceMap) {
    let (mut text, mut map, mut at) = (Vec::new(), SourceMap::default(), 0);
    for &(len, skip, more) in pieces {
        let len = len.min(file.len() - at);
        map.push(text.len(), at, len);
        text.extend_from_slice(&file[at..at + len]);
        text.extend(more.then_some(b'?'));
        at = (at + len + skip).min(file.len());
    }
    (text, map)
}

proptest! {
    #[test]
    fn a_place_comes_back(
        pieces in prop::collection::vec((0..6_usize, 0..3_usize, any::<bool>()), 1..12),
        again in prop::collection::vec((0..6_usize, 0..3_usize, any::<bool>()), 1..12),
        cut in (0..60_usize, 0..60_usize),
    ) {
        let file: Vec<u8> = (b'0'..b'z').filter(|byte| *byte != b'?').collect();
        let (text, map) = made(&file, &pieces);
        let (inner, second) = made(&text, &again);
        let whole = second.compose(&map);
        for (at, byte) in inner.iter().enumerate() {
            let through = second.get(at).and_then(|at| map.get(at));
            prop_assert_eq!(whole.get(at), through);
            prop_assert!(through.is_none_or(|place| file[place] == *byte
                && whole.near(at) == place && whole.near_in_text(place) == at));
            prop_assert!(through.is_some() || *byte == b'?');
        }
        let (start, end) = (cut.0.min(text.len()), cut.1.min(text.len()));
        let span = Span::new(start, end);
        let mut piece = SourceMap::default();
        piece.append(3, &map, span);
        for at in 0..span.len() {
            prop_assert_eq!(piece.get(3 + at), map.get(start + at));
        }
        if let Some(place) = map.exact(span) {
            prop_assert_eq!(map.to_source(span), Some(place));
        }
    }
}

#[test]
fn a_joined_text_points_back_into_the_file() {
    let source = b"ab\\\ncd";
    let mut text = Mapped::empty(0);
    text.push(&source[0..2], 0);
    text.push(&source[4..6], 4);
    assert_eq!(text.bytes(), b"abcd");
    assert_eq!(text.span(0, 4), Span::new(0, 6));
    assert_eq!(text.span(2, 2), Span::at(2));
    assert_eq!(text.slice(1, 3).span(1, 2), Span::new(4, 5));
}

#[test]
fn a_log_takes_no_line_for_a_command() {
    for (text, expected) in [
        ("a::b # ## c ###", "a::b # ## c ###"),
        (
            "::error::x\n  ::set-output name=a::b",
            "./::error::x\n  ./::set-output name=a::b",
        ),
        ("x ##[add-mask]y", "x ## [add-mask]y"),
        (
            "###[a] ##VSO[task.setvariable]x ##teamcity[a]",
            "### [a] ## VSO[task.setvariable]x ## teamcity[a]",
        ),
        ("\u{3000}::debug::", "\u{3000}./::debug::"),
    ] {
        assert_eq!(inert(text), expected);
    }
}

#[test]
fn control_characters_become_pictures() {
    assert_eq!(printable("a\u{1b}[2J\nb"), "a␛[2J␊b");
    assert_eq!(printable("größe"), "größe");
}
