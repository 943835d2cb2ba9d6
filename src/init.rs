//! Adds the hook of `cachelane init` to `.pre-commit-config.yaml`, without changing another byte.
//!
//! The entry takes its neighbours' indentation, line endings and blank lines. The result is proved by reading it again;
//! a file where that fails is left alone.

use crate::builds::yaml::{Addition, Node, Yaml, is_kept};
use crate::fix::{self, Edit, Fix};
use crate::text::{Span, line_ending};

pub const REPO: &str = env!("CARGO_PKG_REPOSITORY");

const HOOKS: &[&str] = &["cachelane", "cachelane-fix"];

/// The outcome for a `.pre-commit-config.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookOutcome {
    Added(String),
    /// The hook is already there.
    Present,
    /// The hook has to be added by hand, for this reason.
    ByHand(&'static str),
    /// The hook has to be added by hand to the list `repos`, for this reason and as this text.
    ByHandInList(&'static str, String),
}

/// Returns a whole `.pre-commit-config.yaml` with nothing but the hook, to paste. `version` is the hook's.
pub fn snippet(version: &str) -> String {
    format!("repos:\n{}", plain(version, "\n"))
}

/// Returns the entry with two blanks a step, for a list without entries to follow.
fn plain(version: &str, newline: &str) -> String {
    let entry = entry(version, 2, 4, 1).replace('\n', &format!("{newline}  "));
    format!("  - {entry}{newline}")
}

/// Returns the entry without its dash. Its keys stand in the column `keys`, counted from the dash, its hook's dash in
/// the column `hook`, with `gap` blanks behind it.
fn entry(version: &str, keys: usize, hook: usize, gap: usize) -> String {
    let [keys, hook, gap] = [keys, hook, gap].map(|width| " ".repeat(width));
    let first = keys.get(2..).unwrap_or_default();
    let id = HOOKS[0];
    format!("{first}repo: {REPO}\n{keys}rev: v{version}\n{keys}hooks:\n{hook}-{gap}id: {id}")
}

/// Adds the hook to `text`, a `.pre-commit-config.yaml`. `version` is the hook's.
pub fn add_hook(text: &str, version: &str) -> HookOutcome {
    const MARK: char = '\u{feff}';
    if let Some(text) = text.strip_prefix(MARK) {
        // pre-commit reads over a byte-order mark, the reader here does not.
        return match add_hook(text, version) {
            HookOutcome::Added(new) => HookOutcome::Added(format!("{MARK}{new}")),
            other => other,
        };
    }
    let readable = Yaml::read(text)
        .ok()
        .filter(|yaml| !yaml.roots().any(names_twice));
    let Some(old) = readable else {
        return HookOutcome::ByHand("it cannot be read as YAML");
    };
    let Some(root) = old.root().filter(|root| !root.is_null()) else {
        return HookOutcome::ByHand("there is nothing in it");
    };
    let is_list = |repos: &Node<'_>| repos.is_list() || repos.is_null();
    let Some(repos) = root
        .get("repos")
        .filter(|repos| is_list(repos) && old.roots().count() == 1)
    else {
        return HookOutcome::ByHand("it has no list `repos`");
    };
    if repos.items().into_iter().any(is_there) {
        return HookOutcome::Present;
    }
    let new = if repos.items().is_empty() {
        insert_first(text, root, version)
    } else {
        insert(text, repos, version)
    };
    match new {
        Some(new) if is_proved(text, &new, repos.items().len()) => HookOutcome::Added(new),
        _ if repos.is_flow() => {
            let entry = format!(
                "{{repo: {REPO}, rev: v{version}, hooks: [{{id: {}}}]}}\n",
                HOOKS[0]
            );
            HookOutcome::ByHandInList(
                "its list `repos` is not written as one entry below the other",
                entry,
            )
        }
        _ => HookOutcome::ByHandInList(
            "how its list `repos` is written cannot be followed",
            plain(version, "\n"),
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
        || ids.any(|id| HOOKS.contains(&id.trim_end_matches("-src")))
}

/// Returns whether `new` differs from `old` in nothing but one more entry at the end of `repos`, which had `count`.
fn is_proved(old: &str, new: &str, count: usize) -> bool {
    let Ok(yaml) = Yaml::read(new) else {
        return false;
    };
    let repos = yaml.root().and_then(|root| root.get("repos"));
    let repos = repos.map(Node::items).unwrap_or_default();
    let is_ours = |entry: &Node<'_>| {
        let hooks = entry.get("hooks").map(Node::items).unwrap_or_default();
        entry.get_text("repo") == Some(REPO)
            && entry.own_entries().len() == 3
            && hooks.len() == 1
            && hooks[0].own_entries().len() == 1
    };
    repos.len() == count + 1
        && repos.last().is_some_and(is_ours)
        && is_kept(old, new, Addition::Entries)
}

/// Returns `text` with the entry behind the last of `repos`, laid out like that; `None` where those are not a block.
fn insert(text: &str, repos: Node<'_>, version: &str) -> Option<String> {
    let column = |at: usize| at - text[..at].rfind('\n').map_or(0, |end| end + 1);
    let of = |node: Node<'_>| column(node.span().start);
    let (items, dash) = (repos.items(), repos.indent()?);
    let last = *items.last()?;
    let keys = of(last).checked_sub(dash).filter(|keys| *keys > 1)?;
    let hooks = last.get("hooks").filter(|hooks| hooks.is_list());
    let hook = hooks.and_then(|hooks| Some((hooks.indent()?, of(*hooks.items().first()?))));
    let (hook, id) = hook
        .and_then(|(hook, id)| Some((hook.checked_sub(dash)?, id.checked_sub(dash)?)))
        .filter(|(hook, id)| *hook >= keys && id > hook)
        .unwrap_or((keys + 2, keys + 4));
    let edit = repos.add_item(&entry(version, keys, hook, id - hook - 1));
    let edit = edit.ok()?;
    let (mut at, mut added) = (edit.span().start, edit.text().to_owned());
    if added.starts_with(['\r', '\n']) {
        // Comments indented more than the dashes belong to the last entry.
        let is_own = |line: &&str| {
            let comment = line.trim_start_matches(' ');
            comment.starts_with('#') && line.len() - comment.len() > dash
        };
        let own = text[at..].split('\n').skip(1).take_while(is_own);
        at += own.map(|line| line.len() + 1).sum::<usize>();
        if is_airy(text, last, dash) {
            added.insert_str(0, line_ending(text.as_bytes(), at));
        }
    }
    Some(edited(text, Edit::insert(at, added)))
}

fn edited(text: &str, edit: Edit) -> String {
    let applied = fix::apply(text.as_bytes(), &[&Fix::safe("", vec![edit])]);
    String::from_utf8_lossy(&applied.bytes).into_owned()
}

/// Returns `text` with the entry below `repos:` or `repos: []`, on a line with nothing else but a comment.
fn insert_first(text: &str, root: Node<'_>, version: &str) -> Option<String> {
    let key = root.own_entry("repos")?.key.span();
    let newline = line_ending(text.as_bytes(), key.end);
    let line = text.get(key.end..)?.split('\n').next()?;
    let value = line.split('#').next()?;
    let is_empty = matches!(&*value.replace([' ', '\t', '\r'], ""), ":" | ":[]");
    if !is_empty || !(key.start == 0 || text[..key.start].ends_with('\n')) {
        return None;
    }
    let comment = line[value.len()..].trim_end();
    let blank = if comment.is_empty() { "" } else { " " };
    let mut list = format!(":{blank}{comment}{newline}{}", plain(version, newline));
    let end = key.end + line.len() + 1;
    if end > text.len() {
        list.truncate(list.trim_end().len());
    }
    let line = Span::new(key.end, end.min(text.len()));
    Some(edited(text, Edit::replace(line, list)))
}

/// Returns whether a blank line stands before the last entry.
fn is_airy(text: &str, last: Node<'_>, indent: usize) -> bool {
    let above = text.get(..last.span().start);
    let above = above.and_then(|above| above.rsplit_once('\n'));
    // Comments above the entry go with it.
    let is_own = |line: &&str| {
        let comment = line.trim_start_matches(' ');
        comment.starts_with('#') && line.len() - comment.len() >= indent
    };
    let mut above = above.into_iter().flat_map(|(above, _)| above.lines().rev());
    above
        .find(|line| !is_own(line))
        .is_some_and(|line| line.trim().is_empty())
}
