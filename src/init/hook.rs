//! The hook in `.pre-commit-config.yaml`: one entry more, and not another byte changed.
//!
//! `yamlpath` says where things stand. The entry is written here, because what appends to a sequence in `yamlpatch` knows
//! neither the file's line endings nor how it indents. The result is proved by reading it again with an ordinary YAML
//! reader; what cannot be proved is left alone.

use yaml_serde::Value;
use yamlpath::{Component, Document, Feature, FeatureKind, Route};

/// Where pre-commit gets the hook from.
pub const REPO: &str = "https://github.com/OWNER/cachelane";

/// The ids of the hooks that cachelane has.
const HOOKS: &[&str] = &["cachelane", "cachelane-fix"];

/// What became of a `.pre-commit-config.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hooked {
    /// The file's new text.
    Added(String),
    /// The hook is in it.
    There,
    /// It has to be added by hand, for this reason.
    Left(&'static str),
}

/// How a file writes the entries of a block sequence.
struct Look {
    /// What stands before a dash.
    indent: String,
    /// What stands behind it.
    gap: String,
    /// What stands before the dashes of the hooks.
    hook_indent: String,
    /// What stands behind those.
    hook_gap: String,
}

/// The whole of a `.pre-commit-config.yaml` with nothing but the hook, to paste. `version` is that of the hook.
#[must_use]
pub fn snippet(version: &str) -> String {
    let look = Look { indent: "  ".into(), gap: " ".into(), hook_indent: "      ".into(), hook_gap: " ".into() };
    format!("repos:\n{}", entry(&look, version, "\n"))
}

/// Adds the hook to `text`, a `.pre-commit-config.yaml`. `version` is that of the hook.
#[must_use]
pub fn add_hook(text: &str, version: &str) -> Hooked {
    const MARK: char = '\u{feff}';
    if let Some(text) = text.strip_prefix(MARK) {
        // pre-commit reads over a byte-order mark, the reader here does not.
        return match add_hook(text, version) {
            Hooked::Added(new) => Hooked::Added(format!("{MARK}{new}")),
            other => other,
        };
    }
    let Ok(old) = yaml_serde::from_str::<Value>(text) else { return Hooked::Left("it cannot be read as YAML") };
    if old.is_null() {
        return Hooked::Left("there is nothing in it");
    }
    let Some(repos) = old.get("repos").and_then(Value::as_sequence) else {
        return Hooked::Left("it has no list `repos`");
    };
    if repos.iter().any(is_there) {
        return Hooked::There;
    }
    match insert(text, repos.len(), version) {
        Some(new) if is_proved(&new, &old) => Hooked::Added(new),
        _ => Hooked::Left("its list `repos` is not written as one entry below the other"),
    }
}

/// Whether an entry of `repos` brings the hook already: from wherever, under either name.
fn is_there(entry: &Value) -> bool {
    let hooks = entry.get("hooks").and_then(Value::as_sequence);
    let mut ids = hooks.into_iter().flatten().filter_map(|hook| hook.get("id")?.as_str());
    let repo = entry.get("repo").and_then(Value::as_str).unwrap_or_default();
    repo.trim_end_matches(".git").trim_end_matches('/').ends_with("/cachelane") || ids.any(|id| HOOKS.contains(&id))
}

/// Whether `new` says what `old` says, with one entry more at the end of `repos`.
fn is_proved(new: &str, old: &Value) -> bool {
    let Ok(mut new) = yaml_serde::from_str::<Value>(new) else { return false };
    let Some(repos) = new.get_mut("repos").and_then(Value::as_sequence_mut) else { return false };
    let added = repos.pop();
    added.is_some_and(|added| is_there(&added) && added.get("repo").and_then(Value::as_str) == Some(REPO))
        && new == *old
}

/// `text` with the entry behind the last of the `entries` of `repos`; nothing where those are not a block.
fn insert(text: &str, entries: usize, version: &str) -> Option<String> {
    let document = Document::new(text).ok()?;
    let route = Route::default().with_key("repos");
    let repos = document.query_exact(&route).ok()??;
    if repos.kind() != FeatureKind::BlockSequence {
        return None;
    }
    let last = route.with_key(Component::Index(entries.checked_sub(1)?));
    let look = look(&document, &repos, &last)?;
    let newline = if text.find('\n').is_some_and(|at| text[..at].ends_with('\r')) { "\r\n" } else { "\n" };
    let at = end(text, &document, &repos, look.indent.len())?;
    let mut entry = entry(&look, version, newline);
    if is_airy(text, &document, &last, &look.indent) {
        entry.insert_str(0, newline);
    }
    let mut new = text.to_owned();
    if at > 0 && !text[..at].ends_with('\n') {
        // The file's last line has no end, and will have none.
        entry.insert_str(0, newline);
        entry.truncate(entry.trim_end().len());
    }
    new.insert_str(at, &entry);
    Some(new)
}

/// The entry, as text of its own lines.
fn entry(look: &Look, version: &str, newline: &str) -> String {
    let Look { indent, gap, hook_indent, hook_gap } = look;
    let inner = format!("{indent} {gap}");
    let lines = [
        format!("{indent}-{gap}repo: {REPO}"),
        format!("{inner}rev: v{version}"),
        format!("{inner}hooks:"),
        format!("{hook_indent}-{hook_gap}id: {}", HOOKS[0]),
    ];
    lines.iter().flat_map(|line| [line.as_str(), newline]).collect()
}

/// How the last entry of `repos` is written; where that says nothing, two blanks at each step.
fn look(document: &Document, repos: &Feature, last: &Route) -> Option<Look> {
    let (indent, gap) = dash(document.source(), repos.location.byte_span.0)?;
    let (_, gap) = document
        .query_exact(last)
        .ok()
        .flatten()
        .and_then(|entry| dash_before(document.source(), entry.location.byte_span.0))
        .filter(|(of_last, _)| *of_last == indent)
        .unwrap_or((indent.clone(), gap));
    let inner = format!("{indent} {gap}");
    let hooks = document.query_exact(&last.with_key("hooks")).ok().flatten();
    let hooks = hooks.filter(|hooks| hooks.kind() == FeatureKind::BlockSequence);
    let (hook_indent, hook_gap) = hooks
        .and_then(|hooks| dash(document.source(), hooks.location.byte_span.0))
        .filter(|(hook_indent, _)| hook_indent.len() >= inner.len())
        .unwrap_or((format!("{inner}  "), " ".into()));
    Some(Look { indent, gap, hook_indent, hook_gap })
}

/// What stands around the dash at `at` of its line: blanks before, blanks behind.
fn dash(text: &str, at: usize) -> Option<(String, String)> {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let indent = text.get(line..at)?;
    let rest = text.get(at..)?.strip_prefix('-')?;
    let gap = &rest[..rest.len() - rest.trim_start_matches(' ').len()];
    let gap = if gap.is_empty() || rest[gap.len()..].starts_with(['\r', '\n', '#']) { " " } else { gap };
    indent.bytes().all(|byte| byte == b' ').then(|| (indent.to_owned(), gap.to_owned()))
}

/// The same for the dash before the value at `at`, on the same line.
fn dash_before(text: &str, at: usize) -> Option<(String, String)> {
    let before = text.get(..at)?.trim_end_matches(' ');
    before.ends_with('-').then(|| dash(text, before.len() - 1)).flatten()
}

/// Where an entry behind those of `repos` belongs, in bytes: below the last line of content, and below comments that are
/// indented more than the dashes at `indent`, for they belong to the last entry.
fn end(text: &str, document: &Document, repos: &Feature, indent: usize) -> Option<usize> {
    let mut at = yamlpatch::find_content_end(repos, document);
    if let Some(last) = at.checked_sub(1)
        && text.as_bytes().get(last) != Some(&b'\n')
    {
        at = text.get(at..)?.find('\n').map_or(text.len(), |end| at + end + 1);
    }
    for line in text.get(at..)?.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        if !content.starts_with('#') || line.len() - content.len() <= indent {
            break;
        }
        at += line.len();
    }
    Some(at)
}

/// Whether a blank line stands before the last entry.
fn is_airy(text: &str, document: &Document, last: &Route, indent: &str) -> bool {
    let Some(entry) = document.query_exact(last).ok().flatten() else { return false };
    let Some(line) = text.get(..entry.location.byte_span.0).and_then(|before| before.rfind('\n')) else { return false };
    // Comments above the entry go with it.
    let mut above =
        text[..line].lines().rev().skip_while(|line| line.starts_with(indent) && line.trim_start().starts_with('#'));
    above.next().is_some_and(|line| line.trim().is_empty())
}
