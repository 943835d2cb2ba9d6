//! The test that a changed file keeps its content.

use super::node::{Entry, Node, Yaml};

/// The changes that are allowed; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Addition {
    Comments,
    /// Insertions within texts.
    Text,
    /// Entries and items; a value in place of nothing; and a mapping in place of a text that is its `context` now, as
    /// of Compose's `build: .`.
    Entries,
}

/// Returns whether the YAML file `after` has every value of `before`, in order and in its place, and `more` at most.
pub fn is_kept(before: &str, after: &str, more: Addition) -> bool {
    let (Ok(before), Ok(after)) = (Yaml::read(before), Yaml::read(after)) else {
        return false;
    };
    let (before, after): (Vec<_>, Vec<_>) = (before.roots().collect(), after.roots().collect());
    before.len() == after.len()
        && before
            .into_iter()
            .zip(after)
            .all(|(before, after)| kept(before, after, more))
}

fn kept(before: Node<'_>, after: Node<'_>, more: Addition) -> bool {
    if before.is_alias() || after.is_alias() {
        return before.is_alias() && after.is_alias();
    }
    let styled = more == Addition::Entries || before.style() == after.style();
    if before.tag() != after.tag() || before.is_anchored() != after.is_anchored() || !styled {
        return false;
    }
    if before.is_list() {
        let (old, new) = (before.items(), after.items());
        let mut new = new.into_iter();
        return after.is_list()
            && old
                .into_iter()
                .all(|old| next(&mut new, more, |new| kept(old, *new, more)).is_some())
            && (more == Addition::Entries || new.next().is_none());
    }
    if before.is_map() {
        let mut new = after.own_entries().into_iter();
        return after.is_map()
            && before.own_entries().into_iter().all(|old| {
                // An alias can be a key, too, with its value's text.
                let is_same = |new: &Entry<'_>| {
                    old.key.text() == new.key.text() && kept(old.key, new.key, Addition::Comments)
                };
                let same = next(&mut new, more, is_same);
                same.is_some_and(|new| kept(old.value, new.value, more))
            })
            && (more == Addition::Entries || new.next().is_none());
    }
    match (before.text(), after.text()) {
        (Some(old), Some(new)) if more == Addition::Comments => old == new,
        // Every byte of the old text is in the new one, in order.
        (Some(old), Some(new)) => {
            let mut rest = new.bytes();
            old.bytes().all(|byte| rest.any(|other| other == byte))
        }
        (Some(old), None) => {
            more == Addition::Entries
                && (before.is_null() || after.get_text("context") == Some(old))
        }
        (None, new) => new.is_none(),
    }
}

/// Returns the next of `news` that is the `same`; where entries are allowed, it skips those before it.
fn next<T>(
    news: &mut impl Iterator<Item = T>,
    more: Addition,
    mut same: impl FnMut(&T) -> bool,
) -> Option<T> {
    if more == Addition::Entries {
        news.find(|new| same(new))
    } else {
        news.next().filter(|new| same(new))
    }
}
