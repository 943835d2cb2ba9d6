//! Finds locks in text that is no Dockerfile: a RUN in a script, a code string or a YAML block. They are reported, so
//! that a migration misses none, and never changed.
//!
//! The language around the text is unknown. Regular expressions find a RUN with its mounts, or a mount at the start of a
//! string or value; doubtful ones are skipped. That includes every id with an interpolation, which may be the lane.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use regex::bytes::{Captures, Regex};

use crate::builds::Inline;
use crate::dockerfile;
use crate::finding::{Finding, RuleId, Severity};
use crate::rules::Settings;
use crate::rules::shared_lock;
use crate::rules::variables::PLATFORM_ARGS;
use crate::suppress::{self, Covers, Table};
use crate::text::{Span, pattern};

use super::check::has_mount;
use super::model::{Checked, FileReport};

const RULE: RuleId = RuleId::SharedLock;

/// The name endings of documents and recordings.
const DOCUMENTS: &[&str] = &[
    "adoc",
    "asciidoc",
    "csv",
    "diff",
    "dockerignore",
    "golden",
    "htm",
    "html",
    "log",
    "markdown",
    "md",
    "mdx",
    "org",
    "patch",
    "rst",
    "snap",
    "svg",
    "tex",
    "txt",
];

/// The number of bytes of a line examined before a mount.
const MAX_BEFORE: usize = 2048;

/// An interpolation: `${X}`, `$X`, `$(command)`, `{x}`, `{{ x }}`, `${{ x }}`, `@(x)`, `#{x}`, `\(x)`, `<%= x %>`.
const INTERPOLATION: &str =
    r"(?:\\*[$@#%\\]?(?:\{\{[^{}\n]*\}\}|\{[^{}\n]*\}|\([^()\n]*\))|\\*\$\w+|<%[^%\n]*%>)";

/// A continuation of a text in another literal, or on another line.
const JOIN: &str = r#"(?:["'](?:\s|[\\+.&])*[rRbBuUfF]{0,2}["']|\\+\r?\n[ \t]*)"#;

/// The text allowed between words of a RUN: blanks, escapes and line ends, a comment line, the end of a literal and the
/// start of the next one.
const BETWEEN: &str =
    r#"(?:\n[ \t]*#[^\n]*|\s|\\+[nrt]?|["'](?:\s|[\\,+.&])*[rRbBuUfF]{0,2}["'])+"#;

/// A RUN with its flags, or flags at the start of a literal or value. `.1` is the RUN with the flags.
static FLAGS: LazyLock<Regex> = LazyLock::new(|| {
    let start = r#"^[ \t]*(?:-[ \t]+)?(?:["']?[\w.-]+["']?[ \t]*(?::|[:?+]?=)[ \t]*)?["'`]*|^[^"'`\n]*["']+|[=(,\[{}:+<>|&;][ \t]*\$?[a-zA-Z]{0,3}["'`]+|\\n|\becho[ \t]+(?:-\w+[ \t]+)*["']*|\}"#;
    let bare = r#"[:=][ \t]*|["'`]"#;
    let flags = format!(
        r"(?:--[a-z]+=(?:{INTERPOLATION}|{JOIN}|[^\s\x22'`\\])+(?:{BETWEEN})?|{INTERPOLATION}{BETWEEN})+"
    );
    pattern(&format!(
        r"(?im)(?:(?:{start})[ \t]*((?:ONBUILD{BETWEEN})?RUN{BETWEEN}{flags})|(?:{bare})[ \t]*({flags}))"
    ))
});

static MOUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"--mount=((?:{INTERPOLATION}|{JOIN}|[^\s\x22'`\\])+)"
    ))
});

/// A field of a mount: the name before its `=`, if any, and the value.
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{JOIN}*(?:(\w+)=)?((?:{INTERPOLATION}|{JOIN}|[^\s,\x22'`\\])+)"
    ))
});

static JOINS: LazyLock<Regex> = LazyLock::new(|| pattern(JOIN));
static INTERPOLATIONS: LazyLock<Regex> = LazyLock::new(|| pattern(INTERPOLATION));
static WORDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z_]\w*"));

/// The start of a line before a RUN in a comment.
static COMMENT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?:#|//|/\*|\*|--\s|;|%|<!--|(?i:rem)\s)|\s(?:#|//|--|/\*)\s"));

static DOCSTRING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:\A\s*(?:#[^\n]*\n\s*)*|[)\w\]]:[ \t]*\r?\n\s*)[rRuU]?(?:"""(?s:.*?)"""|'''(?s:.*?)''')"#,
    )
});

/// The code before a literal that is compared, searched for, or shown to users.
static COMPARED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\w*(?:assert|expect|match|replace|starts_?with|ends_?with|contains?\b)|\.(?:count|find|index|includes?)\w*\(|\b(?:grep|sed)\b|\b(?:log|warn|error|raise|throw|usage|hint|help|example)|(?:error|exception)\(",
    )
});

/// The code behind such a literal.
static COMPARED_WITH: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"\A[^"'`\n]*["'`]+\s*(?:(?:not\s+)?in\b|[!=]=)"#));

/// The code around a mount that appends to it: `"…,sharing=locked" + more`, or `"…"$MORE` in a shell.
static APPENDED_TO: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\A["'`]+(?:[\w${]|\s*[+.&%])"#));

static EMPTY_LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\n\s*\n"));

/// Returns whether the file at `path` is a document or a recording, from which nothing is built.
fn is_document(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    end.is_some_and(|end| DOCUMENTS.contains(&end.to_ascii_lowercase().as_str()))
}

/// Returns whether the file at `path`, relative to the searched folder, may hold text that is built. Documents do not,
/// and tests hold texts to compare with.
#[cfg(feature = "cli")]
pub fn may_hold_locks(path: &Path) -> bool {
    static TEST: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:^|[/\\])(?:(?:tests?|__tests__|specs?|testdata|fixtures)[/\\]|test_[^/\\]*$|conftest\.)|(?:[._-](?:test|spec)s?|Tests?)\.\w+$",
        )
    });
    !is_document(path) && !TEST.is_match(path.as_os_str().as_encoded_bytes())
}

/// Returns the locks in the file at `path`, which is no Dockerfile; `None` without any.
pub fn check_text(path: &Path, source: &[u8], settings: &Arc<Settings>) -> Option<FileReport> {
    if is_document(path) {
        return None;
    }
    let mut findings = find(source, settings);
    if findings.is_empty() {
        return None;
    }
    if path.extension().is_some_and(|end| end == "py") {
        let docstrings: Vec<_> = DOCSTRING
            .find_iter(source)
            .map(|text| text.range())
            .collect();
        let is_within = |at: usize| docstrings.iter().any(|text| text.contains(&at));
        findings.retain(|found| !is_within(found.span.start));
        if findings.is_empty() {
            return None;
        }
    }
    let mut ignores = suppress::read_outline(source);
    for ignore in &mut ignores {
        // A heredoc's lines are no deeper than the command above them, which the comment covers.
        if let Covers::Instruction(span) = &mut ignore.covers {
            let below = EMPTY_LINE.find_at(source, span.start);
            let end = below.map_or(source.len(), |line| line.start());
            span.end = span.end.max(end);
        }
    }
    // Suppressions of rules that do not run here are not idle.
    let settings = Settings {
        rules: Some(vec![RULE]),
        ..Settings::clone(settings)
    };
    let checked = Checked {
        findings,
        ignores,
        ..Checked::default()
    };
    let settings = Arc::new(settings);
    Some(FileReport {
        is_text: true,
        ..FileReport::new(path, source, &settings, checked)
    })
}

/// Returns the locks in a build file outside of the Dockerfiles `within` it. Suppressed ones go to `checked`, so that
/// their suppressions do not count as idle.
pub(super) fn beside(
    source: &[u8],
    settings: &Settings,
    within: &[Inline],
    checked: &mut Checked,
) -> Vec<Finding> {
    let mut findings = find(source, settings);
    let is_within = |at: usize| within.iter().any(|inline| inline.span.contains(at));
    findings.retain(|found| !is_within(found.span.start));
    let table = Table::new(&checked.ignores);
    let (suppressed, findings): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|found| table.suppressing(RULE, found.span).is_some());
    checked.findings.extend(suppressed);
    findings
}

fn find(source: &[u8], settings: &Settings) -> Vec<Finding> {
    if !settings.is_on(RULE)
        || settings.namespace
        || settings.has_own_builders()
        || !has_mount(source)
    {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for found in FLAGS.captures_iter(source) {
        let Some(run) = found.get(1).or(found.get(2)) else {
            continue;
        };
        if is_meant(source, run.start(), run.end()) {
            let mounts = MOUNT.captures_iter(run.as_bytes());
            let mounts = mounts.filter_map(|found| Some(found.get(1)?.range()));
            let spans = mounts.map(|at| Span::new(run.start() + at.start, run.start() + at.end));
            findings.extend(spans.filter_map(|mount| lock(source, mount, settings)));
        }
    }
    findings
}

/// Returns whether the RUN at these bytes is text for a Dockerfile: neither a comment nor a literal to compare with or
/// to show.
fn is_meant(source: &[u8], start: usize, end: usize) -> bool {
    // Endless lines, as programs write them, are not read in full for each of their mounts.
    let line = |at: usize| {
        let near = at.saturating_sub(MAX_BEFORE);
        memchr::memrchr(b'\n', &source[near..at]).map_or(near, |newline| near + newline + 1)
    };
    let mut from = line(start);
    let before = &source[from..start];
    if COMMENT.is_match(before) {
        return false;
    }
    if !before.iter().any(|byte| b"\"'`".contains(byte)) {
        return true;
    }
    // The call may have begun above.
    for _ in 0..3 {
        let above = &source[..from.saturating_sub(1)];
        if above.ends_with(b"(") || above.ends_with(b",") {
            from = line(above.len());
        }
    }
    !COMPARED.is_match(&source[from..start]) && !COMPARED_WITH.is_match(&source[end..])
}

/// Returns the finding on the `mount` at these bytes, which begin behind its `=`, where it is a lock without a lane.
fn lock(source: &[u8], mount: Span, settings: &Settings) -> Option<Finding> {
    let (mut is_cache, mut is_locked, mut id, mut target) = (false, false, None, None);
    for field in FIELD.captures_iter(mount.of(source)) {
        let value = field.get(2)?;
        let span = Span::new(mount.start + value.start(), mount.start + value.end());
        let text = JOINS.replace_all(value.as_bytes(), &b""[..]).into_owned();
        let text = String::from_utf8(text).ok()?;
        let name = field
            .get(1)
            .map(|name| name.as_bytes().to_ascii_lowercase());
        match name.as_deref() {
            Some(b"type") => is_cache = text.eq_ignore_ascii_case("cache"),
            Some(b"sharing") => is_locked = text.eq_ignore_ascii_case("locked"),
            Some(b"id") => id = Some((span, text)),
            Some(b"target" | b"dst" | b"destination") => target = Some((span, text)),
            // The interpolation may be the id.
            None if INTERPOLATIONS.is_match(text.as_bytes()) => return None,
            _ => {}
        }
    }
    // Without a target it is no mount: prose and search patterns have none, or one that is no folder's name.
    let (place, folder) = target?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:~-+".contains(byte);
    let known = INTERPOLATIONS.replace_all(folder.as_bytes(), &b""[..]);
    let is_folder =
        folder.bytes().any(|byte| byte.is_ascii_alphanumeric()) && known.iter().all(is_plain);
    let own = id.is_some();
    let (span, id) = id.unwrap_or((place, folder.clone()));
    let stand_in = INTERPOLATIONS.replace_all(id.as_bytes(), stand_in);
    let names = |arg: &String| id.contains(arg.as_str());
    let may_have_lane = (own && !stand_in.iter().all(is_plain))
        || settings.isolating.iter().any(names)
        || names(&settings.arg);
    let is_lock = is_cache && is_locked && is_folder && !may_have_lane;
    if !is_lock || APPENDED_TO.is_match(&source[mount.end..]) {
        return None;
    }
    // As `list` shows it in a Dockerfile: a target used as the id is cleaned.
    let listed = if own {
        id.as_bytes().into()
    } else {
        dockerfile::clean(id.as_bytes())
    };
    if settings.exempt.of(&listed).contains(&RULE) {
        return None;
    }
    let (arg, suffix) = (&settings.arg, settings.suffix(&settings.arg));
    let message = format!(
        "parallel builds wait for each other: the lock `{id}` is the same for all (in text that is no Dockerfile)"
    );
    let help = format!(
        "write `id={id}{suffix}` as this file spells it, and `ARG {arg}={}` on a line of its own in the stage, above the RUN",
        settings.default
    );
    let mut finding = Finding::new(RULE, span, message).help(help);
    finding.tip = Some(shared_lock::tip(arg));
    finding.severity = Severity::Info;
    finding.unfixed = Some("it stands in text that is no Dockerfile: change it by hand".into());
    Some(finding)
}

/// Returns the stand-in for an interpolation in an id: empty for the platform, which is no lane.
fn stand_in(found: &Captures<'_>) -> &'static [u8] {
    let mut words = WORDS
        .find_iter(&found[0])
        .map(|word| word.as_bytes())
        .peekable();
    let is_platform = |word: &[u8]| PLATFORM_ARGS.iter().any(|name| name.as_bytes() == word);
    if words.peek().is_some() && words.all(is_platform) {
        b""
    } else {
        b"?"
    }
}
