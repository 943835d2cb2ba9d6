//! Which files are Dockerfiles: by their names, and by their beginnings where a name leaves a doubt.

use crate::dockerfile::{Dockerfile, Instruction, Keyword, expression};

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

/// The endings of prose, data and source code, in lower case: `Dockerfile.md` is as likely about Dockerfiles as one.
const DOUBTFUL: &[&str] = &[
    "adoc",
    "asciidoc",
    "awk",
    "bash",
    "bat",
    "bats",
    "c",
    "cc",
    "cfg",
    "cjs",
    "clj",
    "cmd",
    "conf",
    "cpp",
    "cs",
    "css",
    "csv",
    "d",
    "dart",
    "diff",
    "el",
    "erl",
    "ex",
    "exs",
    "fish",
    "fs",
    "gemspec",
    "go",
    "golden",
    "gradle",
    "groovy",
    "h",
    "hcl",
    "hpp",
    "hs",
    "htm",
    "html",
    "ini",
    "ipynb",
    "java",
    "jl",
    "js",
    "json",
    "jsonc",
    "jsx",
    "kt",
    "kts",
    "lock",
    "log",
    "lua",
    "markdown",
    "md",
    "mdx",
    "mjs",
    "ml",
    "mli",
    "mts",
    "nim",
    "nix",
    "opam",
    "org",
    "patch",
    "php",
    "pl",
    "pm",
    "properties",
    "proto",
    "ps1",
    "py",
    "pyi",
    "r",
    "rb",
    "rej",
    "rkt",
    "rs",
    "rst",
    "scala",
    "sh",
    "snap",
    "sql",
    "svelte",
    "svg",
    "swift",
    "tcl",
    "tex",
    "tf",
    "toml",
    "ts",
    "tsp",
    "tsx",
    "txt",
    "vim",
    "vue",
    "xml",
    "yaml",
    "yml",
    "zig",
    "zsh",
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

/// Returns whether a file of this name is a Dockerfile. One that could as well be prose, source code or a script is
/// asked to begin with FROM or ARG.
pub fn is_dockerfile(name: &[u8], source: &[u8]) -> bool {
    may_be_dockerfile(name) && (!is_doubtful(name, source) || begins_like_one(source))
}

fn is_doubtful(name: &[u8], source: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let mut parts = name.rsplitn(2, |byte| *byte == b'.');
    let (Some(end), Some(_)) = (parts.next(), parts.next()) else {
        let is_plain = name == b"dockerfile" || name == b"containerfile";
        return !is_plain && source.starts_with(b"#!");
    };
    DOUBTFUL.iter().any(|known| known.as_bytes() == end)
}

/// Returns whether the first instruction, behind those of a template, is a FROM or an ARG with arguments that BuildKit
/// would take; `from x import y` is none.
fn begins_like_one(source: &[u8]) -> bool {
    let Ok(file) = Dockerfile::read(source) else {
        return false;
    };
    let is_tag = |one: &&Instruction<'_>| {
        one.keyword == Keyword::Opaque && expression::at(one.text.bytes(), 0).is_some()
    };
    let first = file.instructions.iter().find(|one| !is_tag(one));
    first.is_some_and(|first| {
        let words = words(first.arguments());
        match (first.keyword, &words[..]) {
            (Keyword::From, [_]) => true,
            (Keyword::From, [_, word, _]) => word.eq_ignore_ascii_case(b"as"),
            (Keyword::Arg, [name, ..]) => is_assignment(name),
            _ => false,
        }
    })
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
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && !name[0].is_ascii_digit() && name.iter().all(is_letter)
}
