//! The YAML reader: places, and where values go.

use cachelane::budget;
use cachelane::builds::yaml::Addition::{Comments, Entries, Text};
use cachelane::builds::yaml::{Node, Yaml, is_kept, quoted};
use cachelane::fix::{Edit, Fix, apply};

fn at<'y>(yaml: &'y Yaml<'y>, path: &[&str]) -> Node<'y> {
    path.iter().fold(yaml.root().unwrap(), |node, key| {
        match key.parse::<usize>() {
            Ok(index) => node.items()[index],
            Err(_) => node.get(key).unwrap(),
        }
    })
}

fn made(source: &str, edit: Edit) -> String {
    String::from_utf8(apply(source.as_bytes(), &[&Fix::safe("", vec![edit])]).bytes).unwrap()
}

#[test]
fn spans_are_those_of_the_values() {
    let source = "\u{FEFF}# ä\nä: &x 'b c'   # no\nl:\n- one\n-   two words\n  more\nm: {k: [1, 2], z: }\ne:\nn: *x\nb: |\n  q\n\n# end\n";
    let yaml = Yaml::read(source).unwrap();
    let root = yaml.root().unwrap();
    let text = |path: &[&str]| {
        let span = at(&yaml, path).span();
        &source[span.start..span.end]
    };
    assert_eq!(text(&["ä"]), "'b c'");
    assert_eq!(text(&["l"]), "- one\n-   two words\n  more");
    assert_eq!(text(&["l", "1"]), "two words\n  more");
    assert_eq!(at(&yaml, &["l", "1"]).text(), Some("two words more"));
    assert_eq!(text(&["m"]), "{k: [1, 2], z: }");
    assert_eq!(text(&["m", "k"]), "[1, 2]");
    assert_eq!(text(&["e"]), "");
    assert_eq!(
        &source[..at(&yaml, &["e"]).span().start],
        &source[..source.find("\nn:").unwrap()]
    );
    assert_eq!(text(&["n"]), "*x");
    assert_eq!(at(&yaml, &["n"]).text(), Some("b c"));
    assert_eq!(text(&["b"]), "|\n  q");
    assert_eq!(root.indent(), Some(0));
    assert!(root.get("e").unwrap().is_null() && root.get("m").unwrap().is_flow());
}

#[test]
fn merge_keys_are_followed_and_do_not_win() {
    let source = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 0\n";
    let yaml = Yaml::read(source).unwrap();
    let map = at(&yaml, &["c"]);
    let found: Vec<_> = map
        .entries()
        .iter()
        .map(|e| (e.key.text().unwrap(), e.value.text().unwrap()))
        .collect();
    assert_eq!(found, [("x", "0"), ("y", "2"), ("z", "4")]);
    assert!(map.own_entry("y").is_none() && map.get("z").is_some());
}

#[test]
fn what_multiplies_or_contains_itself_is_refused() {
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    for n in 1..40 {
        bomb.push_str(&format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1));
    }
    let read = |source: &str| budget::within(source.len(), || Yaml::read(source).map(|_| ()));
    assert_eq!(read(&bomb), Err(budget::Spent));
    assert!(
        Yaml::read("a: &a [*a]")
            .unwrap_err()
            .message
            .contains("contains it")
    );
    let brackets = |count: usize| format!("{}{}", "[".repeat(count), "]".repeat(count));
    assert_eq!(read(&brackets(100)), Ok(Ok(())));
    for deep in [
        brackets(150),
        brackets(5000),
        "[".repeat(5000),
        "- ".repeat(5000),
    ] {
        assert_eq!(read(&deep), Err(budget::Spent));
    }
    assert!(Yaml::read("a: [").is_err());
}

#[test]
fn pieces_run_alike() {
    let source = "p: one two\nf: one\n  two\n\n  three\ns: 'it''s\n  so'\nd: \"a\\tb \\\n   c ä\\u00e4 d\"\nl: |2\n    x\n\n   y\n  z\n\nk: >-\n  a b\n  c\n\n  d\ncr: |\r\n  a\r\n  b\r\n";
    let yaml = Yaml::read(source).unwrap();
    for entry in yaml.root().unwrap().entries() {
        let node = entry.value;
        let text = node.text().unwrap();
        let map = node.map();
        let mut covered = 0;
        for run in map.runs() {
            let there = &source[run.source..run.source_end()];
            assert_eq!(&text[run.text..run.text_end()], there, "{text:?}");
            assert!(run.text >= covered);
            covered = run.text_end();
        }
        assert_eq!(map.is_empty(), text.is_empty(), "{text:?}");
        assert!(text[covered..].trim().is_empty(), "{text:?} {map:?}");
    }
    assert_eq!(at(&yaml, &["l"]).text(), Some("  x\n\n y\nz\n"));
    let map = at(&yaml, &["l"]).map();
    assert_eq!((map.runs()[0].len, map.runs()[1].len), (5, 3));
}

#[test]
fn entries_go_behind_the_last() {
    for (source, path, text, expected) in [
        (
            "a:\n  b: 1 # x\n\n# y\nc: 2\n",
            &["a"][..],
            "k: v\nw:\n  z: 1",
            "a:\n  b: 1 # x\n  k: v\n  w:\n    z: 1\n\n# y\nc: 2\n",
        ),
        (
            "a:\r\n  b: 1\r\n",
            &["a"],
            "k: v",
            "a:\r\n  b: 1\r\n  k: v\r\n",
        ),
        ("- b: 1", &["0"], "k: v", "- b: 1\n  k: v"),
        (
            "a:\n  b: |+\n    x\n\nc: 1\n",
            &["a"],
            "k: v",
            "a:\n  b: |+\n    x\n\n  k: v\nc: 1\n",
        ),
        (
            "a:\n  b: |\n    x\n\nc: 1\n",
            &["a"],
            "k: v",
            "a:\n  b: |\n    x\n  k: v\n\nc: 1\n",
        ),
        (
            "a:\n  b:\nc: 1\n",
            &["a"],
            "k: v",
            "a:\n  b:\n  k: v\nc: 1\n",
        ),
        ("a: { b: 1 }", &["a"], "k: v", "a: { b: 1, k: v }"),
        ("a: {b}", &["a"], "k: v", "a: {b, k: v}"),
        ("a: {}", &["a"], "k: v", "a: {k: v}"),
    ] {
        let yaml = Yaml::read(source).unwrap();
        assert_eq!(
            made(source, at(&yaml, path).add_entry(text).unwrap()),
            expected
        );
    }
}

#[test]
fn items_go_behind_the_last() {
    for (source, expected) in [
        ("a:\n- b\n- c # x\nd: 1\n", "a:\n- b\n- c # x\n- v\nd: 1\n"),
        ("a:\n  -   b\n  -\n", "a:\n  -   b\n  -\n  - v\n"),
        ("a: [b, 'c']\n", "a: [b, 'c', v]\n"),
        ("a:\n  - &x b\n", "a:\n  - &x b\n  - v\n"),
        ("a:\n  - - b\n", "a:\n  - - b\n  - v\n"),
    ] {
        let yaml = Yaml::read(source).unwrap();
        assert_eq!(
            made(source, at(&yaml, &["a"]).add_item("v").unwrap()),
            expected
        );
    }
}

#[test]
fn brackets_may_close_below_their_key() {
    let source =
        "a:\n  b: [ # ä 'c\n    1, 'x # y', # z\n\n    # w\n  ]\n  c: {\n  d: 2\n  }\ne: 3\n";
    let yaml = Yaml::read(source).unwrap();
    assert_eq!(at(&yaml, &["a", "b", "1"]).text(), Some("x # y"));
    assert_eq!(at(&yaml, &["a", "c", "d"]).text(), Some("2"));
    let span = at(&yaml, &["a", "b"]).span();
    assert!(
        source[span.start..span.end].starts_with('[')
            && source[span.start..span.end].ends_with(']')
    );
    assert_eq!(at(&yaml, &["e"]).text(), Some("3"));
}

#[test]
fn odd_layouts_are_left_to_people() {
    for (source, path) in [
        ("[a: b]", &["0"][..]),
        ("? a\n: b\n", &[]),
        ("a: *b", &["a"]),
        ("&k a: 1\n", &[]),
    ] {
        let source = format!(
            "{}{source}",
            if source.contains("*b") {
                "x: &b {}\n"
            } else {
                ""
            }
        );
        let yaml = Yaml::read(&source).unwrap();
        assert!(at(&yaml, path).add_entry("k: v").is_err(), "{source}");
    }
}

#[test]
fn quotes_are_put_where_they_are_needed() {
    assert_eq!(quoted("${A:-b}", false), "${A:-b}");
    assert_eq!(quoted("${A:-b}", true), "\"${A:-b}\"");
    for value in ["", "1", "no", "a: b", "a #b", " a", "*a", "a\"\n\u{7}", "-"] {
        let source = format!("a: {}", quoted(value, false));
        assert_eq!(
            at(&Yaml::read(&source).unwrap(), &["a"]).text(),
            Some(value),
            "{source}"
        );
        assert!(source.ends_with('"'));
    }
}

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
