//! The corpus of the fuzzer, `fuzz/corpus/`, run through what its targets check, without any fuzzer; and what fuzzing has
//! found, each with its name.

mod invariants;
#[path = "../fuzz/src/targets.rs"]
mod targets;
#[path = "../fuzz/src/wires.rs"]
mod wires;

use std::fs;
use std::panic;
use std::path::Path;

use bstr::BStr;
use cachelane::fix::{Applicability, apply};
use cachelane::lint;
use cachelane::rules::Settings;
use cachelane::wiring::{Kind, Lane, pass, read};

/// A target's name, and what it does with an input.
type Target = (&'static str, fn(&[u8]));

/// Every target. The official parser is asked by `tests/parity`, not here.
const TARGETS: &[Target] = &[
    ("reader", targets::reader),
    ("parity", targets::reader),
    ("fix", targets::fix),
    ("config", targets::config),
    ("ignores", targets::ignores),
    ("lane", targets::lane),
    ("github", wires::github),
    ("pipelines", wires::pipelines),
    ("compose", wires::compose),
    ("bake", wires::bake),
];

#[test]
fn the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("fuzz/corpus/{name}: {error}")) {
            let path = entry.unwrap().path();
            let input = fs::read(&path).unwrap();
            let held = panic::catch_unwind(|| target(&input));
            assert!(held.is_ok(), "{name} fails for {}: {:?}", path.display(), BStr::new(&input));
            count += 1;
        }
        assert!(count >= 5, "{name} has a corpus of {count}");
    }
}

#[test]
fn every_target_is_here() {
    let listed = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets")).unwrap().count();
    assert_eq!(listed, TARGETS.len());
}

/// Found by `fix` and `ignores`: the line went as a whole, with the word that is no variable's name on it. The proof did
/// not let that through, and nothing was fixed.
#[test]
fn an_arg_line_with_a_word_that_is_no_name_is_not_taken_for_one_with_the_lane_alone() {
    for word in ["VERSION-A=1", "1A", "A.B"] {
        let head = "FROM debian:12\n";
        let tail = "RUN true\n";
        let run = "RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update\n";
        let source = format!("{head}ARG CACHE_ID=default {word}\n{tail}{run}");
        let fixed = lint::fix(source.as_bytes(), &Settings::default(), Applicability::Safe, &[]);
        assert_eq!(fixed.dropped, []);
        let expected = format!("{head}ARG {word}\n{tail}ARG CACHE_ID=default\n{run}");
        assert_eq!(BStr::new(&fixed.bytes), BStr::new(&expected));
    }
}

/// Found by `compose`: the argument was put before the blank line that ends the Dockerfile within, which lost it.
#[test]
fn a_blank_line_that_ends_a_dockerfile_within_a_compose_file_stays_its_own() {
    let source =
        "services:\n  web:\n    build:\n      dockerfile_inline: |\n        FROM debian\n         \nvolumes: {}\n";
    let before = read(Kind::Compose, source).unwrap();
    let lane = Lane { arg: "CACHE_ID", default: "default", shared: true };
    let new = match pass(Kind::Compose, source, &before.builds[0], &lane) {
        Ok(fix) => String::from_utf8(apply(source.as_bytes(), &[&fix]).bytes).unwrap(),
        Err(_) => source.to_owned(),
    };
    let after = read(Kind::Compose, &new).unwrap();
    assert_eq!(before.inline[0].text, after.inline[0].text, "{new}");
    wires::compose(source.as_bytes());
}
