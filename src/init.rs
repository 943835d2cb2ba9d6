//! Adds the hook of `cachelane init` to `.pre-commit-config.yaml`, without changing another byte.
//!
//! The entry takes its neighbours' indentation, line endings and blank lines. The result is proved by reading it again;
//! a file where that fails is left alone.

use crate::builds::yaml::{Node, Yaml};

pub const REPO: &str = "https://github.com/OWNER/cachelane";

const HOOKS: &[&str] = &["cachelane", "cachelane-fix"];

/// The outcome for a `.pre-commit-config.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hooked {
    Added(String),
    /// The hook is already there.
    There,
    /// The hook has to be added by hand, for this reason.
    Left(&'static str),
    /// The hook has to be added by hand to the list `repos`, for this reason and as this text.
    LeftList(&'static str, String),
}

struct Look {
    /// The blanks before a dash.
    indent: String,
    gap: String,
    hook_indent: String,
    hook_gap: String,
}

/// Returns a whole `.pre-commit-config.yaml` with nothing but the hook, to paste. `version` is the hook's.
pub fn snippet(version: &str) -> String {
    format!("repos:\n{}", entry(&plain(), version, "\n"))
}

/// Returns the layout without entries to follow.
fn plain() -> Look {
    Look {
        indent: "  ".into(),
        gap: " ".into(),
        hook_indent: "      ".into(),
        hook_gap: " ".into(),
    }
}

/// Adds the hook to `text`, a `.pre-commit-config.yaml`. `version` is the hook's.
pub fn add_hook(text: &str, version: &str) -> Hooked {
    const MARK: char = '\u{feff}';
    if let Some(text) = text.strip_prefix(MARK) {
        // pre-commit reads over a byte-order mark, the reader here does not.
        return match add_hook(text, version) {
            Hooked::Added(new) => Hooked::Added(format!("{MARK}{new}")),
            other => other,
        };
    }
    let readable = Yaml::read(text)
        .ok()
        .filter(|yaml| !yaml.roots().any(names_twice));
    let Some(old) = readable else {
        return Hooked::Left("it cannot be read as YAML");
    };
    let Some(root) = old.root().filter(|root| !root.is_null()) else {
        return Hooked::Left("there is nothing in it");
    };
    let is_list = |repos: &Node<'_>| repos.is_list() || repos.is_null();
    let Some(repos) = root
        .get("repos")
        .filter(|repos| is_list(repos) && old.roots().count() == 1)
    else {
        return Hooked::Left("it has no list `repos`");
    };
    if repos.items().into_iter().any(is_there) {
        return Hooked::There;
    }
    let new = if repos.items().is_empty() {
        insert_first(text, root, version)
    } else {
        insert(text, repos, version)
    };
    match new {
        Some(new) if is_proved(&new, root) => Hooked::Added(new),
        _ if repos.is_flow() => {
            let entry = format!(
                "{{repo: {REPO}, rev: v{version}, hooks: [{{id: {}}}]}}\n",
                HOOKS[0]
            );
            Hooked::LeftList(
                "its list `repos` is not written as one entry below the other",
                entry,
            )
        }
        _ => Hooked::LeftList(
            "how its list `repos` is written cannot be followed",
            entry(&plain(), version, "\n"),
        ),
    }
}

/// Returns whether a mapping within `node` has a key twice: pre-commit refuses that.
fn names_twice(node: Node<'_>) -> bool {
    if node.is_alias() {
        return false;
    }
    let entries = node.own_entries();
    let mut keys: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry.key.text())
        .collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
        || entries
            .into_iter()
            .map(|entry| entry.value)
            .chain(node.items())
            .any(names_twice)
}

/// Returns whether an entry of `repos` has the hook, from any repository and under either name.
fn is_there(entry: Node<'_>) -> bool {
    let hooks = entry.get("hooks").map(Node::items).unwrap_or_default();
    let mut ids = hooks.into_iter().filter_map(|hook| hook.get_text("id"));
    let repo = entry.get_text("repo").unwrap_or_default();
    repo.trim_end_matches(".git")
        .trim_end_matches('/')
        .ends_with("/cachelane")
        || ids.any(|id| HOOKS.contains(&id))
}

/// Returns whether `new` differs from `old` in nothing but one more entry at the end of `repos`.
fn is_proved(new: &str, old: Node<'_>) -> bool {
    let Ok(new) = Yaml::read(new) else {
        return false;
    };
    let (Some(root), 1) = (new.root(), new.roots().count()) else {
        return false;
    };
    let (was, is) = (old.entries(), root.entries());
    let entry = |(a, b): (
        &crate::builds::yaml::Entry<'_>,
        &crate::builds::yaml::Entry<'_>,
    )| {
        if b.key.text() != Some("repos") {
            return same(a.key, b.key) && same(a.value, b.value);
        }
        let (was, mut is) = (a.value.items(), b.value.items());
        let added = is.pop();
        added.is_some_and(|added| is_there(added) && added.get_text("repo") == Some(REPO))
            && was.len() == is.len()
            && was.into_iter().zip(is).all(|(a, b)| same(a, b))
    };
    was.len() == is.len() && was.iter().zip(&is).all(entry)
}

fn same(a: Node<'_>, b: Node<'_>) -> bool {
    if a.is_alias() || b.is_alias() {
        // The alias's anchor is compared in its own place.
        return a.is_alias() == b.is_alias();
    }
    let (entries, others) = (a.own_entries(), b.own_entries());
    let (items, other_items) = (a.items(), b.items());
    (a.text(), a.tag(), a.is_null()) == (b.text(), b.tag(), b.is_null())
        && entries.len() == others.len()
        && entries
            .iter()
            .zip(&others)
            .all(|(a, b)| same(a.key, b.key) && same(a.value, b.value))
        && items.len() == other_items.len()
        && items.into_iter().zip(other_items).all(|(a, b)| same(a, b))
}

/// Returns `text` with the entry behind the last of `repos`; `None` where those are not a block.
fn insert(text: &str, repos: Node<'_>, version: &str) -> Option<String> {
    if repos.is_flow() || repos.is_alias() {
        return None;
    }
    let last = *repos.items().last()?;
    let look = look(text, repos, last)?;
    let newline = newline(text);
    let at = end(text, last, look.indent.len())?;
    let mut entry = entry(&look, version, newline);
    if is_airy(text, last, &look.indent) {
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

/// Returns `text` with the entry below `repos:` or `repos: []`, on a line with nothing else but a comment.
fn insert_first(text: &str, root: Node<'_>, version: &str) -> Option<String> {
    let key = root
        .own_entries()
        .into_iter()
        .find(|entry| entry.key.text() == Some("repos"))?
        .key
        .span();
    let (before, behind) = (text.get(..key.end)?, text.get(key.end..)?);
    let line = &behind[..behind.find('\n').unwrap_or(behind.len())];
    let value = line.trim_start().strip_prefix(':')?.trim_start();
    let rest = value
        .strip_prefix('[')
        .and_then(|inner| inner.trim_start().strip_prefix(']'))
        .unwrap_or(value)
        .trim();
    let is_alone = rest.is_empty() || rest.starts_with('#');
    if !is_alone || !(key.start == 0 || text[..key.start].ends_with('\n')) {
        return None;
    }
    let newline = if line.ends_with('\r') {
        "\r\n"
    } else {
        newline(text)
    };
    let entry = entry(&plain(), version, newline);
    let comment = if rest.is_empty() {
        String::new()
    } else {
        format!(" {rest}")
    };
    Some(match behind.get(line.len() + 1..) {
        Some(below) => format!("{before}:{comment}{newline}{entry}{below}"),
        None => format!("{before}:{comment}{newline}{}", entry.trim_end()),
    })
}

fn newline(text: &str) -> &'static str {
    if text.find('\n').is_some_and(|at| text[..at].ends_with('\r')) {
        "\r\n"
    } else {
        "\n"
    }
}

fn entry(look: &Look, version: &str, newline: &str) -> String {
    let Look {
        indent,
        gap,
        hook_indent,
        hook_gap,
    } = look;
    let inner = format!("{indent} {gap}");
    let lines = [
        format!("{indent}-{gap}repo: {REPO}"),
        format!("{inner}rev: v{version}"),
        format!("{inner}hooks:"),
        format!("{hook_indent}-{hook_gap}id: {}", HOOKS[0]),
    ];
    lines
        .iter()
        .flat_map(|line| [line.as_str(), newline])
        .collect()
}

/// Returns the layout of the last entry of `repos`, with two blanks a step by default.
fn look(text: &str, repos: Node<'_>, last: Node<'_>) -> Option<Look> {
    let first = *repos.items().first()?;
    let (indent, gap) = dash_before(text, first.span().start)?;
    let (_, gap) = dash_before(text, last.span().start)
        .filter(|(of_last, _)| *of_last == indent)
        .unwrap_or((indent.clone(), gap));
    let inner = format!("{indent} {gap}");
    let hooks = last
        .get("hooks")
        .filter(|hooks| hooks.is_list() && !hooks.is_flow());
    let (hook_indent, hook_gap) = hooks
        .and_then(|hooks| dash_before(text, hooks.items().first()?.span().start))
        .filter(|(hook_indent, _)| hook_indent.len() >= inner.len())
        .unwrap_or((format!("{inner}  "), " ".into()));
    Some(Look {
        indent,
        gap,
        hook_indent,
        hook_gap,
    })
}

/// Returns the blanks before and behind the dash at `at` of its line.
fn dash(text: &str, at: usize) -> Option<(String, String)> {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let indent = text.get(line..at)?;
    let rest = text.get(at..)?.strip_prefix('-')?;
    let gap = &rest[..rest.len() - rest.trim_start_matches(' ').len()];
    let gap = if gap.is_empty() || rest[gap.len()..].starts_with(['\r', '\n', '#']) {
        " "
    } else {
        gap
    };
    indent
        .bytes()
        .all(|byte| byte == b' ')
        .then(|| (indent.to_owned(), gap.to_owned()))
}

/// Returns the same for the dash before the value at `at`: on its line, or above comments and blank lines.
fn dash_before(text: &str, at: usize) -> Option<(String, String)> {
    let mut before = text.get(..at)?.trim_end();
    loop {
        if before.ends_with('-') {
            return dash(text, before.len() - 1);
        }
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let word = before.rfind([' ', '\n']).map_or(0, |end| end + 1);
        if before[word..].starts_with(['&', '!']) {
            // An anchor or a tag.
            before = before[..word].trim_end();
            continue;
        }
        let comment = before[line..].find('#')?;
        before = before[..line + comment].trim_end();
    }
}

/// Returns the byte where an entry behind those of `repos` belongs: below the last line of content, and below comments
/// indented more than the dashes at `indent`, which belong to the last entry.
fn end(text: &str, last: Node<'_>, indent: usize) -> Option<usize> {
    let content = text.get(..last.span().end)?.trim_end().len();
    let mut at = text
        .get(content..)?
        .find('\n')
        .map_or(text.len(), |end| content + end + 1);
    for line in text.get(at..)?.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        if !content.starts_with('#') || line.len() - content.len() <= indent {
            break;
        }
        at += line.len();
    }
    Some(at)
}

/// Returns whether a blank line stands before the last entry.
fn is_airy(text: &str, last: Node<'_>, indent: &str) -> bool {
    let Some(line) = text
        .get(..last.span().start)
        .and_then(|before| before.rfind('\n'))
    else {
        return false;
    };
    // Comments above the entry go with it.
    let mut above = text[..line]
        .lines()
        .rev()
        .skip_while(|line| line.starts_with(indent) && line.trim_start().starts_with('#'));
    above.next().is_some_and(|line| line.trim().is_empty())
}
