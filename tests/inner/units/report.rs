//! The texts and places of reports.

use cachelane::finding::Severity;
use cachelane::report::human::{self, Style};
use cachelane::report::{Run, RunError, Summary, sarif};
use cachelane::text::Span;

/// Returns how people see a problem with `span` of `source`.
fn shown(source: &str, span: Span) -> String {
    let style = Style {
        color: false,
        width: None,
        why_not_fixed: false,
        links: false,
    };
    human::problem("x", source, span, "no", None, Severity::Error, style)
}

#[test]
fn a_long_line_is_cut() {
    let source = format!("{}\nRUN x", "a".repeat(100_000));
    let last = shown(&source, Span::new(source.len() - 1, source.len()));
    assert!(last.len() < 2000 && last.contains("a…\n"), "{last}");
    let lines: Vec<&str> = last.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("RUN x"))
        .unwrap();
    let column = |line: &str, of: &[char]| line.chars().position(|ch| of.contains(&ch));
    assert_eq!(
        column(lines[at], &['x']),
        column(lines[at + 1], &['─', '┬', '▲']),
        "{last}"
    );
    assert!(shown(&source, Span::new(0, 100_000)).len() < 4000);
}

#[test]
fn places_follow_the_stand_ins() {
    let source = "\u{feff}a\x1b[2J\r\nRUN \x07x";
    let x = source.find('x').unwrap();
    let shown = shown(source, Span::new(x, x + 1));
    assert!(
        shown.contains("a␛[2J\n") && shown.contains("RUN ␇x\n"),
        "{shown}"
    );
}

#[test]
fn a_path_is_one_uri_in_sarif() {
    for (path, uri, base) in [
        ("a b/ß%.Dockerfile", "a%20b/%C3%9F%25.Dockerfile", true),
        ("http://x?y#z\n", "http%3A//x%3Fy%23z%0A", true),
        ("/srv/x y", "file:///srv/x%20y", false),
        ("-", "file:///dev/stdin", false),
    ] {
        let errors = [RunError::with(path.into(), "no")];
        let log = sarif::render(&Run {
            reports: &[],
            summary: Summary::default(),
            rules: &[],
            errors: &errors,
            notes: &[],
        });
        let log: serde_json::Value = serde_json::from_str(&log).unwrap();
        let notes = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"];
        let place = &notes[0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(place["uri"], uri);
        assert_eq!(place["uriBaseId"] == "%SRCROOT%", base, "{path}");
    }
}
