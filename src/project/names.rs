//! Tells Dockerfiles from other files: by their names, and by their beginnings where a name leaves a doubt.

use crate::dockerfile::{Dockerfile, Instruction, Keyword, SyntaxError, expression};
use crate::text::is_name;

/// The endings of backups, and of a list that stands beside a Dockerfile.
const BESIDE: &[&[u8]] = &[b".dockerignore", b".bak", b".orig"];

/// The endings of templates, which stand behind that of a Dockerfile.
const TEMPLATES: &[&[u8]] = &[
    b".em",
    b".erb",
    b".in",
    b".j2",
    b".jinja",
    b".jinja2",
    b".mustache",
    b".template",
    b".tmpl",
    b".tpl",
];

/// Endings of prose, data and source code, in which an instruction may be quoted.
const OTHERS: &[&[u8]] = &[
    b".bzl", b".c", b".cpp", b".cs", b".css", b".go", b".h", b".html", b".java", b".js", b".json",
    b".kt", b".lua", b".md", b".mjs", b".php", b".pl", b".ps1", b".py", b".rb", b".rego", b".rs",
    b".rst", b".sh", b".sql", b".swift", b".tf", b".toml", b".ts", b".txt", b".xml", b".yaml",
    b".yml",
];

/// Returns whether a file of this name may be a Dockerfile: `Dockerfile`, `Dockerfile.*`, `Dockerfile-*`,
/// `Dockerfile_*`, `*.Dockerfile`, `*.Dockerfile.em` and the like, the same with `Containerfile`, whatever the case of the
/// word; no backup, and never `*.dockerignore`.
///
/// The `files` of `.pre-commit-hooks.yaml` and `.pre-commit-config.yaml` say the same as a regular expression, for
/// pre-commit passes no folders: they change together, and `tests/outer/precommit` compares them.
pub fn may_be_dockerfile(name: &[u8]) -> bool {
    let is = |word: &[u8]| {
        let head = name.get(..word.len());
        let is_separator = || matches!(name.get(word.len()), None | Some(b'.' | b'-' | b'_'));
        let template = TEMPLATES.iter().find_map(|end| name.strip_suffix(*end));
        let mut parts = template.unwrap_or(name).rsplit(|byte| *byte == b'.');
        let end = parts.next().filter(|_| parts.next().is_some());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word)) && is_separator()
            || end.is_some_and(|end| end.eq_ignore_ascii_case(word))
    };
    (is(b"dockerfile") || is(b"containerfile")) && !BESIDE.iter().any(|end| name.ends_with(end))
}

/// Returns whether a file of this name is a Dockerfile. One that has more behind the word than a template's ending could
/// as well be prose, data or source code: its instructions tell.
pub fn is_dockerfile(name: &[u8], source: &[u8]) -> bool {
    let words: [&[u8]; 2] = [b"dockerfile", b"containerfile"];
    let end = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let is_plain = || words.iter().any(|word| end.eq_ignore_ascii_case(word));
    let lower = name.to_ascii_lowercase();
    let ends = |ends: &[&[u8]]| ends.iter().any(|end| lower.ends_with(end));
    let is_one = || is_plain() || ends(TEMPLATES) || reads_like_one(source, ends(OTHERS));
    may_be_dockerfile(name) && is_one()
}

/// Returns whether the first instruction, behind those of a template, is a FROM or an ARG with arguments that BuildKit
/// would take (`from x import y` is none), or, where that is not asked for (`only_whole`), each begins with a word in
/// capitals, as in a snippet, and where one is misspelled.
fn reads_like_one(source: &[u8], only_whole: bool) -> bool {
    // A heredoc may have no end.
    let up_to = |error: SyntaxError| Dockerfile::read(&source[..error.span.start]);
    let Ok(file) = Dockerfile::read(source).or_else(up_to) else {
        return false;
    };
    let is_tag = |one: &&Instruction<'_>| {
        one.keyword == Keyword::Opaque && expression::at(one.text.bytes(), 0).is_some()
    };
    let mut own = file.instructions.iter().filter(|one| !is_tag(one));
    let Some(first) = own.clone().next() else {
        return false;
    };
    begins(first) || (!only_whole && own.all(|one| is_in_capitals(one, source)))
}

/// Returns whether a Dockerfile can begin with this instruction.
fn begins(first: &Instruction<'_>) -> bool {
    let words = words(first.arguments());
    match (first.keyword, &words[..]) {
        (Keyword::From, [_]) => true,
        (Keyword::From, [_, word, _]) => word.eq_ignore_ascii_case(b"as"),
        (Keyword::Arg, [name, ..]) => is_assignment(name),
        _ => false,
    }
}

/// Returns whether it is a word in capitals with something behind it that sets no variable (`RUN = "x"`); a FROM with
/// many words is a sentence, unless a stage's name, a flag or a comment is among them.
fn is_in_capitals(one: &Instruction<'_>, source: &[u8]) -> bool {
    let words = words(one.text.bytes());
    if !one.name.of(source).iter().all(u8::is_ascii_uppercase) {
        return false;
    }
    if one.keyword == Keyword::From {
        let is_sign = |word: &&[u8]| {
            word.eq_ignore_ascii_case(b"as") || word.starts_with(b"#") || word.starts_with(b"--")
        };
        return words.len() < 5 || words.iter().any(is_sign);
    }
    words.get(1).is_some_and(|word| word[0] != b'=')
}

/// Splits `text` at blanks outside of template expressions.
fn words(text: &[u8]) -> Vec<&[u8]> {
    let (mut words, mut start, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        if let Some(expression::Reach::Closed(end)) = expression::at(text, at) {
            at = end;
            continue;
        }
        if text[at].is_ascii_whitespace() {
            words.push(&text[start..at]);
            start = at + 1;
        }
        at += 1;
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// Returns whether `word` is `NAME` or `NAME=value`.
fn is_assignment(word: &[u8]) -> bool {
    let name = word.split(|byte| *byte == b'=').next().unwrap_or_default();
    std::str::from_utf8(name).is_ok_and(is_name)
}
