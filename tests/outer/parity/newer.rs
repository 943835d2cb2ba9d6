//! What BuildKit reads otherwise today than the version inside the package does, and what cachelane reads otherwise on
//! purpose: the only differences that are no disagreements.
//!
//! Everything here is decided by the text that both readers agree on, as narrowly as it can be told.

use bstr::ByteSlice as _;
use cachelane::dockerfile::expression::Reach;
use cachelane::dockerfile::template::is_control_line;
use cachelane::dockerfile::{Dockerfile, Keyword, SyntaxError, SyntaxErrorKind, expression};
use cachelane::text::BOM;

use super::compare::Field;
use super::reading::{self, Item};

/// Why `ours` and `theirs` may differ in `field`, if they may.
pub fn excuse(
    field: Field,
    ours: &Item,
    theirs: &Item,
    file: &Dockerfile<'_>,
) -> Option<&'static str> {
    if within_tags(ours, file) {
        return Some(TAGS);
    }
    match field {
        Field::Name | Field::Text => None,
        Field::Heredocs | Field::Lines => heredoc(ours, theirs).or_else(|| template(ours, file)),
        // Behind the flags of ONBUILD stands the inner instruction, so what it does may follow from them.
        Field::Flags | Field::Arguments | Field::Keyword | Field::Onbuild => {
            template(ours, file).or_else(|| escaped_trigger(ours, file))
        }
        Field::Variables => template(ours, file)
            .or_else(|| escaped_trigger(ours, file))
            .or_else(|| declaration(ours, file)),
    }
}

/// Why the official parser may read a file, `theirs`, that we refuse.
pub fn excuse_refusal(error: &SyntaxError, source: &[u8], theirs: &[Item]) -> Option<&'static str> {
    let line = source[..error.span.start].find_iter(b"\n").count() + 1;
    let above = || theirs.iter().take_while(|item| item.lines.0 <= line);
    if error.kind != SyntaxErrorKind::Empty && error.kind != SyntaxErrorKind::LongLine {
        // Where a heredoc begins for one reader only, both are out of step from there on.
        if let Some(excuse) = above().find_map(|item| heredoc(item, item)) {
            return Some(excuse);
        }
    }
    let last = source[..error.span.end].find_iter(b"\n").count() + 1;
    if source.lines().take(last).any(is_control_line) {
        return Some(TAGS);
    }
    if error.kind == SyntaxErrorKind::NotStrings {
        // The array is where the arguments begin, and that depends on where the flags end.
        if reading::refused_with_escapes_swapped(source) {
            return Some(ESCAPES);
        }
        if above()
            .last()
            .is_some_and(|item| may_have_template_flag(&item.text))
        {
            return Some(TEMPLATE);
        }
    }
    directives(source)
}

/// The escape character in a flag decides where it ends.
const ESCAPES: &str =
    "since 0.21, `# escape=` counts in flags, and so for where the arguments begin";

/// Whether the flags of ONBUILD itself, which hide what the trigger does, hold an escape character of the file's own.
fn escaped_trigger(ours: &Item, file: &Dockerfile<'_>) -> Option<&'static str> {
    let outer = ours.name.eq_ignore_ascii_case(b"ONBUILD") && ours.text.contains_str("--");
    (outer && file.escape == b'`' && ours.text.contains(&b'`')).then_some(ESCAPES)
}

/// Why one reader may find heredocs that the other does not.
fn heredoc(ours: &Item, theirs: &Item) -> Option<&'static str> {
    let text = ours.text.as_bytes();
    let openers: Vec<&[u8]> = text.find_iter(b"<<").map(|at| &text[at + 2..]).collect();
    if openers.is_empty() {
        return None;
    }
    if openers
        .iter()
        .any(|rest| matches!(rest.first(), Some(b' ' | b'\t' | b'\r')))
    {
        return Some("since 0.22, white space may stand between `<<` and the name");
    }
    if expansions(text).any(|rest| matches!(rest[0], b'#' | b'%' | b'/')) {
        return Some(
            "since 0.13, the lexer knows `${a#b}`, `${a%b}` and `${a/b/c}`, and gives up no more",
        );
    }
    if expansions(text).any(|rest| rest.contains(&b'\\')) {
        return Some(
            "since 0.13, an escape inside of `${a:-b}` is gone when a heredoc's name is read",
        );
    }
    if expansions(text).any(|rest| matches!(rest, [b':', b'#' | b'%', ..])) {
        return Some("since 0.16, the lexer gives up at `${a:#b}` and `${a:%b}`");
    }
    if text
        .find_iter(b"${")
        .any(|at| !name(&text[at + 2..]).is_ascii())
    {
        return Some(
            "beyond ASCII, Go counts other characters as letters and digits than Rust does",
        );
    }
    let word = |rest: &[u8]| {
        rest.fields_with(char::is_whitespace)
            .next()
            .map(<[u8]>::to_vec)
            .unwrap_or_default()
    };
    if openers
        .iter()
        .any(|rest| expansions(&word(rest)).next().is_some())
    {
        return Some("since 0.15, the word in front of a `${a:-b}` is lost");
    }
    (theirs.json && !whole_json(ours))
        .then_some("since 0.15, text behind a JSON array makes it a command in shell form")
}

/// What follows the names in `${name…}`, other than a closing brace.
fn expansions(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let behind = text
        .find_iter(b"${")
        .map(|at| &text[at + 2..])
        .map(|rest| &rest[name(rest).len()..]);
    behind.filter(|rest| !matches!(rest.first(), None | Some(b'}')))
}

/// The variable's name that `text` starts with.
fn name(text: &[u8]) -> &[u8] {
    let special = text.first().is_some_and(|first| b"@*#?-$!".contains(first));
    let letters = text
        .chars()
        .take_while(|ch| ch.is_alphanumeric() || *ch == '_')
        .map(char::len_utf8);
    &text[..if special { 1 } else { letters.sum() }]
}

fn whole_json(ours: &Item) -> bool {
    ours.arguments
        .as_ref()
        .is_some_and(|text| serde_json::from_slice::<serde_json::Value>(text).is_ok())
}

/// cachelane reads a template's expression in a flag as part of the word it stands in; the parser knows no templates.
const TEMPLATE: &str = "a template's expression stands in a flag";

fn template(ours: &Item, file: &Dockerfile<'_>) -> Option<&'static str> {
    let in_flag = ours.flags.iter().flatten().any(|flag| has_expression(flag));
    // Our reading does not keep the flags of ONBUILD itself.
    let outer = ours.name.eq_ignore_ascii_case(b"ONBUILD") && may_have_template_flag(&ours.text);
    // Between flags, tags are no words; in an ARG or ENV, an expression is one piece of a value.
    let flags = ours.flags.iter().flatten().next().is_some() && may_have_template_flag(&ours.text);
    let values = matches!(ours.keyword, Keyword::Arg | Keyword::Env) && has_expression(&ours.text);
    // A lone `--` behind them ends the flags. Flags part at these bytes, of whatever character they are.
    let is_space = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xA0);
    let is_lone = |rest: &[u8]| {
        let dashes = rest
            .iter()
            .position(|byte| !is_space(byte))
            .and_then(|at| rest[at..].strip_prefix(b"--"));
        dashes.is_some_and(|behind| behind.first().is_none_or(is_space))
    };
    let ended = expression::all(&ours.text)
        .any(|(_, reach)| matches!(reach, Reach::Closed(behind) if is_lone(&ours.text[behind..])));
    let between = flags || values || ended;
    (file.template && (in_flag || outer || between)).then_some(TEMPLATE)
}

/// So it does in what an ARG or ENV declares: `ARG A=<%= b c %>` declares no `c`.
fn declaration(ours: &Item, file: &Dockerfile<'_>) -> Option<&'static str> {
    let declares = matches!(ours.keyword, Keyword::Arg | Keyword::Env);
    (file.template && declares && has_expression(&ours.text))
        .then_some("a template's expression stands in a declaration")
}

/// A template's lines within an instruction are none of its lines, and a RUN behind `{% if x %}` is one.
const TAGS: &str = "a template's tags stand before or within an instruction";

fn within_tags(ours: &Item, file: &Dockerfile<'_>) -> bool {
    let (first, last) = ours.lines;
    let own = file.source.lines().skip(first - 1).take(last + 1 - first);
    // Until the engine has run, the line is an instruction called `{%`.
    let starts_with_one = || matches!(expression::at(&ours.text, 0), Some(Reach::Closed(_)));
    let behind_tag = ours.keyword == Keyword::Run && starts_with_one();
    // An expression that makes a FROM begins a stage.
    let makes_from = ours.keyword == Keyword::From && !ours.name.eq_ignore_ascii_case(b"FROM");
    file.template && (behind_tag || makes_from || own.skip(1).any(is_control_line))
}

fn may_have_template_flag(text: &[u8]) -> bool {
    text.contains_str("--") && has_expression(text)
}

fn has_expression(text: &[u8]) -> bool {
    expression::all(text).any(|(_, reach)| reach != Reach::Open)
}

/// Why the directives of `source` may differ: a line of theirs that only one of the readers takes for one.
pub fn directives(source: &[u8]) -> Option<&'static str> {
    let lines = source.strip_prefix(BOM).unwrap_or(source).lines();
    for line in lines.map_while(|line| line.trim_start().strip_prefix(b"#")) {
        let name = line.trim_start();
        if name
            .get(..5)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"check"))
        {
            return Some("since 0.14, `# check=` is a directive, and others may follow it");
        }
        if line[..line.len() - name.len()]
            .find_not_byteset(b"\t\n\x0C\r ")
            .is_some()
        {
            return Some(
                "since 0.27, any Unicode white space may stand between `#` and a directive",
            );
        }
    }
    None
}
