//! Whether a changed file still says all that it said.

use super::{Node, Yaml};

/// Whether the YAML file `after` has every value of `before`, in order and in its place: more entries and items may have
/// come, and text within texts, and what was nothing may be something. A text may have become the `context` of a mapping,
/// as Compose's `build: .` does.
pub fn is_kept(before: &str, after: &str) -> bool {
    let (Ok(before), Ok(after)) = (Yaml::read(before), Yaml::read(after)) else { return false };
    let (before, after): (Vec<_>, Vec<_>) = (before.roots().collect(), after.roots().collect());
    before.len() == after.len() && before.into_iter().zip(after).all(|(before, after)| kept(before, after))
}

fn kept(before: Node<'_>, after: Node<'_>) -> bool {
    if before.is_alias() || after.is_alias() {
        return before.is_alias() && after.is_alias();
    }
    if before.tag() != after.tag() || before.is_anchored() != after.is_anchored() {
        return false;
    }
    if before.is_list() {
        let mut items = after.items().into_iter();
        return after.is_list() && before.items().into_iter().all(|old| items.any(|new| kept(old, new)));
    }
    if before.is_map() {
        let mut entries = after.own_entries().into_iter();
        return after.is_map()
            && before.own_entries().into_iter().all(|old| {
                let same = entries.find(|new| new.key.text() == old.key.text());
                same.is_some_and(|new| kept(old.value, new.value))
            });
    }
    match (before.text(), after.text()) {
        // Every byte of the old text comes in the new one, in order.
        (Some(old), Some(new)) => {
            let mut rest = new.bytes();
            old.bytes().all(|byte| rest.any(|other| other == byte))
        }
        (Some(old), None) => before.is_null() || after.get_text("context") == Some(old),
        (None, new) => new.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_may_come_and_nothing_may_go() {
        for (before, after) in [
            ("a: 1\nb: [x, z]\n", "a: 1\nc: 2\nb: [x, y, z]\n"),
            ("build: .\n", "build:\n  context: .\n  args: [A]\n"),
            ("args:\n", "args:\n  A: b\n"),
            ("args: |\n  A=1\n", "args: |\n  A=1\n  B=2\n"),
            ("a: &x {b: 1}\nc: *x\n", "a: &x {b: 1, d: 2}\nc: *x\n"),
        ] {
            assert!(is_kept(before, after), "{before}{after}");
        }
        for (before, after) in [
            ("a: 1\nb: 2\n", "b: 2\na: 1\n"),
            ("a: 1\nb: 2\n", "a: 1\n"),
            ("a: [x, y]\n", "a: [y, x]\n"),
            ("a: |+\n\n\n", "a: |+\n\n"),
            ("a: &x 1\nb: *x\n", "a: &x 1\nb: 1\n"),
            ("a: !x 1\n", "a: 1\n"),
            ("build: .\n", "build:\n  context: ..\n"),
            ("a: {b: 1}\n", "a: [b, 1]\n"),
        ] {
            assert!(!is_kept(before, after), "{before}{after}");
        }
    }
}
