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
