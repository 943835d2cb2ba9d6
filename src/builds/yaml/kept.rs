//! Whether a changed file still says all that it said.

use super::node::{Entry, Node, Yaml};

/// What a change may have brought, each of these what the ones before it may, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum More {
    /// Comments alone.
    Comments,
    /// Something within texts.
    Text,
    /// Entries and items; something in place of nothing; and a mapping in place of a text that is its `context` now, as of
    /// Compose's `build: .`.
    Entries,
}

/// Whether the YAML file `after` has every value of `before`, in order and in its place, and `more` at most.
pub fn is_kept(before: &str, after: &str, more: More) -> bool {
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

fn kept(before: Node<'_>, after: Node<'_>, more: More) -> bool {
    if before.is_alias() || after.is_alias() {
        return before.is_alias() && after.is_alias();
    }
    let styled = more == More::Entries || before.style() == after.style();
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
            && (more == More::Entries || new.next().is_none());
    }
    if before.is_map() {
        let mut new = after.own_entries().into_iter();
        return after.is_map()
            && before.own_entries().into_iter().all(|old| {
                // An alias can be a key, too, which is what it stands for.
                let is_same = |new: &Entry<'_>| {
                    old.key.text() == new.key.text() && kept(old.key, new.key, More::Comments)
                };
                let same = next(&mut new, more, is_same);
                same.is_some_and(|new| kept(old.value, new.value, more))
            })
            && (more == More::Entries || new.next().is_none());
    }
    match (before.text(), after.text()) {
        (Some(old), Some(new)) if more == More::Comments => old == new,
        // Every byte of the old text comes in the new one, in order.
        (Some(old), Some(new)) => {
            let mut rest = new.bytes();
            old.bytes().all(|byte| rest.any(|other| other == byte))
        }
        (Some(old), None) => {
            more == More::Entries && (before.is_null() || after.get_text("context") == Some(old))
        }
        (None, new) => new.is_none(),
    }
}

/// The next of `news` that is the `same`: where entries may come, those before it are left out.
fn next<T>(
    news: &mut impl Iterator<Item = T>,
    more: More,
    mut same: impl FnMut(&T) -> bool,
) -> Option<T> {
    if more == More::Entries {
        news.find(|new| same(new))
    } else {
        news.next().filter(|new| same(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use More::{Comments, Entries, Text};

    #[test]
    fn more_may_come_and_nothing_may_go() {
        for (before, after, least) in [
            ("a: 1\nb: 2\n", "# c\na: 1 # c\nb: 2\n", Comments),
            (
                "a: docker build .\n",
                "a: docker build --build-arg A .\n",
                Text,
            ),
            ("args: |\n  A=1\n", "args: |\n  A=1\n  B=2\n", Text),
            ("a: 1\nb: [x, z]\n", "a: 1\nc: 2\nb: [x, y, z]\n", Entries),
            ("a: 1\nb: [x]\n", "a: 1\nb: [x, y]\n", Entries),
            ("a: 1\n", "a: 1\nb: 2\n", Entries),
            ("build: .\n", "build:\n  context: .\n  args: [A]\n", Entries),
            ("args:\n", "args:\n  A: b\n", Entries),
            ("args: A\n", "args: \"A\"\n", Entries),
            (
                "a: &x {b: 1}\nc: *x\n",
                "a: &x {b: 1, d: 2}\nc: *x\n",
                Entries,
            ),
        ] {
            for more in [Comments, Text, Entries] {
                assert_eq!(
                    is_kept(before, after, more),
                    more >= least,
                    "{more:?}\n{before}{after}"
                );
            }
        }
        for (before, after) in [
            ("a: 1\nb: 2\n", "b: 2\na: 1\n"),
            ("a: 1\nb: 2\n", "a: 1\n"),
            ("a: 1\n", "aa: 1\n"),
            ("a: [x, y]\n", "a: [y, x]\n"),
            ("a: |+\n\n\n", "a: |+\n\n"),
            ("a: &x 1\nb: *x\n", "a: &x 1\nb: 1\n"),
            ("a: &x 1\n", "a: 1\n"),
            ("a: &x 1\nb: {*x : c}\n", "a: &x 12\nb: {*x : c}\n"),
            ("a: !x 1\n", "a: 1\n"),
            ("build: .\n", "build:\n  context: ..\n"),
            ("a: {b: 1}\n", "a: [b, 1]\n"),
            ("a: 1\n", "a: 1\n---\nb: 1\n"),
        ] {
            assert!(!is_kept(before, after, Entries), "{before}{after}");
        }
    }
}
