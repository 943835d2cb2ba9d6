//! Two mounts with variables in their ids: same cache or not.

use cachelane::dockerfile::Dockerfile;
use cachelane::finding::LockKey;
use cachelane::rules::{Context, Settings};

fn key(source: &str) -> std::sync::Arc<LockKey> {
    let source = format!("{source}\nRUN --mount=type=cache,target=$D,sharing=locked x");
    let file = Dockerfile::read(source.as_bytes()).unwrap();
    let settings = Settings {
        isolating: vec!["LANE".into()],
        ..Settings::default()
    };
    let cx = Context::new(&file, &settings);
    cx.caches()[0].key.clone()
}

#[test]
fn one_name_with_one_value_is_one_cache() {
    for (a, b) in [
        ("FROM a\nENV D=/a", "FROM b\nENV D /a/"),
        ("FROM a\nENV D=/a", "FROM a AS x\nENV D=/a\nFROM x"),
        ("FROM a\nARG D=/a", "ARG D=/a\nFROM b\nARG D"),
        ("FROM golang:1", "FROM golang:1\nRUN y"),
        ("RUN y", "RUN z"),
        ("FROM a\nARG D=/a\nRUN y", "FROM a\nARG D=\"/a\""),
    ] {
        assert_eq!(key(a), key(b), "{a:?} {b:?}");
    }
    assert_eq!(key("FROM a\nENV D=/a/").id, b"/a");
}

#[test]
fn one_name_with_other_values_is_not() {
    for (a, b) in [
        ("FROM a\nENV D=/a", "FROM a\nENV D=/b"),
        ("FROM a\nARG D=/a", "FROM a\nARG D=/b"),
        ("FROM a\nARG D", "FROM b\nARG D"),
        ("FROM a\nENV D=/a", "FROM a\nARG D=/a"),
        ("FROM a\nENV D=$HOME", "FROM b\nENV D=$HOME"),
        ("FROM golang:1", "FROM rust:1"),
        ("ARG V=1\nFROM golang:$V", "ARG V=2\nFROM golang:$V"),
    ] {
        assert_ne!(key(a), key(b), "{a:?} {b:?}");
    }
}

#[test]
fn lanes_and_platforms_go_by_their_names() {
    let key = |name: &str, source: &str| {
        let source = format!("{source}\nRUN --mount=type=cache,id=a-${name},target=/a x");
        let file = Dockerfile::read(source.as_bytes()).unwrap();
        let settings = Settings {
            isolating: vec!["LANE".into()],
            ..Settings::default()
        };
        let cx = Context::new(&file, &settings);
        cx.caches()[0].key.clone()
    };
    for name in ["CACHE_ID", "LANE", "TARGETARCH"] {
        let declared = format!("FROM b\nARG {name}=x");
        assert_eq!(key(name, "FROM a"), key(name, &declared), "{name}");
    }
}
