//! Words, and the options of mounts.

use cachelane::dockerfile::{Unreadable, Word, clean};

fn read(value: &str) -> Word {
    Word::read(value.as_bytes(), b'\\').unwrap()
}

fn expanded(value: &str, set: &[(&str, &str)]) -> String {
    let mut lookup = |name: &str| {
        set.iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v.as_bytes().to_vec())
    };
    String::from_utf8(read(value).expand(&mut lookup).unwrap()).unwrap()
}

#[test]
fn expansion_follows_the_forms() {
    assert_eq!(expanded("a-${X}", &[("X", "1")]), "a-1");
    assert_eq!(expanded("a-${X}", &[]), "a-");
    assert_eq!(expanded("a-${X:-d}${X-e}", &[("X", "")]), "a-d");
    assert_eq!(expanded("a${X:+-${X}}", &[("X", "1")]), "a-1");
    assert_eq!(expanded("a${X:+-${X}}", &[]), "a");
    assert_eq!(expanded("a$", &[]), "a$");
}

#[test]
fn what_buildkit_refuses_is_unreadable() {
    for value in [
        "${", "${}", "${:x}", "${X", "${X:=a}", "${X:-a", "'a", "\"a", "${{a}}",
    ] {
        assert_eq!(
            Word::read(value.as_bytes(), b'\\'),
            Err(Unreadable),
            "{value}"
        );
    }
    let deep = "${a:-".repeat(10_000) + &"}".repeat(10_000);
    assert_eq!(Word::read(deep.as_bytes(), b'\\'), Err(Unreadable));
}

#[test]
fn paths_are_cleaned_like_go_does() {
    for (path, cleaned) in [
        ("", "."),
        ("/..", "/"),
        ("a/..", "."),
        ("../a", "../a"),
        ("//a//b/", "/a/b"),
    ] {
        assert_eq!(*clean(path.as_bytes()), *cleaned.as_bytes(), "{path}");
    }
    // All paths of up to seven of these, beside the plainest way to say it.
    let mut paths = vec![String::new()];
    while let Some(path) = paths.pop() {
        let mut parts = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
                ".." if path.starts_with('/') => {}
                part => parts.push(part),
            }
        }
        let expected = if path.starts_with('/') {
            format!("/{}", parts.join("/"))
        } else {
            parts.join("/")
        };
        let expected = if expected.is_empty() { "." } else { &expected };
        assert_eq!(*clean(path.as_bytes()), *expected.as_bytes(), "{path}");
        if path.len() < 7 {
            paths.extend(["a", ".", "/"].map(|more| format!("{path}{more}")));
        }
    }
}
