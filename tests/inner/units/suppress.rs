//! What a suppression covers.

use cachelane::dockerfile::Dockerfile;
use cachelane::finding::RuleId;
use cachelane::suppress::{Table, read, read_outline};
use cachelane::text::Span;

#[test]
fn blocks_of_yaml_stand_within_one_another() {
    let mut source = "# cachelane: ignore[shared-lock]\njob:\n".to_owned();
    for step in 0..70 {
        source.push_str(&format!(
            "  # cachelane: ignore[early-arg]\n  s{step}:\n    x: 1\n"
        ));
    }
    source.push_str("  last:\n    x: 2\nother:\n");
    let found = read_outline(source.as_bytes());
    let table = Table::new(&found);
    let covered = |text: &str| {
        let span = source.find(text).map(|at| Span::new(at, at + 1)).unwrap();
        let by = |rule| table.suppressing(rule, span).is_some();
        (by(RuleId::SharedLock), by(RuleId::EarlyArg))
    };
    assert_eq!(covered("x: 2"), (true, false));
    assert_eq!(covered("s3:"), (true, true));
    assert_eq!(covered("other"), (false, false));
}

#[test]
fn a_list_belongs_to_the_key_above_it() {
    let covered = |source: &str, text: &str| {
        let found = read_outline(source.as_bytes());
        let at = source.find(text).unwrap();
        let table = Table::new(&found);
        table
            .suppressing(RuleId::SharedLock, Span::new(at, at + 1))
            .is_some()
    };
    let list = "job:\n  # cachelane: ignore[shared-lock]\n  script:\n  - one\n  - two\n  after:\n  - three\n";
    assert!(covered(list, "one") && covered(list, "two") && !covered(list, "three"));
    let item = "steps:\n# cachelane: ignore[shared-lock]\n- one\n  more\n- two\n";
    assert!(covered(item, "one") && covered(item, "more") && !covered(item, "two"));
    assert!(!covered(
        "# cachelane: ignore[shared-lock]\nkey: text\n- one\n",
        "one"
    ));
}

#[test]
fn what_holds_a_directive_up() {
    let file = "# cachelane: ignore-file[a]\n";
    for (above, below, guards) in [
        ("", "# cachelane: ignore-file[b]\n# syntax=x\n", true),
        ("# escape=\\\n", "# syntax=x\n", true),
        ("", "\u{FEFF}", true),
        ("\u{FEFF}", "\u{FEFF}", false),
        ("# a\n", "# syntax=x\n", false),
        ("", "# a b=c\n", false),
        ("", "# b=c\n", false),
        ("", "// syntax=x\n", true),
        // BuildKit looks for the frontend below a line for the kernel, too.
        ("", "#!/x\n# syntax=x\n", true),
        ("", "#!/x\n# cachelane: ignore-file[b]\n# syntax=x\n", true),
        ("", "#!/x\n# b\n# syntax=x\n", false),
        // A line that ends with a suppression is none.
        ("", "# syntax=x # cachelane: ignore[a]\n", true),
        ("", "# x # cachelane: ignore[a]\n# syntax=x\n", false),
    ] {
        let source = format!("{above}{file}{below}FROM x\n");
        let ignores = read(
            source.as_bytes(),
            Some(&Dockerfile::read(source.as_bytes()).unwrap()),
        );
        assert!(
            ignores.iter().all(|ignore| ignore.guards == guards),
            "{source}"
        );
    }
}
