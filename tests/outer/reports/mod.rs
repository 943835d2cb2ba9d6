//! The reports for other programs: valid by the schemas that others publish, and all of one mind.

mod hostile;
mod outside;
mod read;

use cachelane::lint::FileReport;
use cachelane::report::{Run, Summary, checkstyle, concise, github, gitlab, json, junit, sarif};
use serde_json::Value;

use crate::made_reports::{check, rendered, rendered_troubles, summary_page, tree};
use read::{Element, Place};

/// Where the findings of `reports` are, by the JSON report.
fn places(reports: &[FileReport]) -> Vec<Place> {
    let summary = Summary::new(reports, reports.len());
    let run = Run {
        reports,
        summary,
        rules: &[],
        errors: &[],
        notes: &[],
    };
    let document: Value = serde_json::from_str(&json::findings(&run)).unwrap();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let place = |finding: &Value| Place {
        path: finding["path"].as_str().unwrap().to_owned(),
        line: number(&finding["start"]["line"]),
        column: number(&finding["start"]["column"]),
        rule: finding["rule"].as_str().unwrap().to_owned(),
    };
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(place)
        .collect()
}

#[test]
fn all_formats_name_the_same_places() {
    let reports = tree();
    let expected = places(&reports);
    assert!(expected.len() > 10);
    assert_eq!(
        read::concise(&rendered(concise::render, &reports)),
        expected,
        "concise"
    );
    assert_eq!(
        read::github(&rendered(github::render, &reports)),
        expected,
        "github"
    );
    assert_eq!(
        read::sarif(&rendered(sarif::render, &reports)),
        expected,
        "sarif"
    );
    assert_eq!(
        read::checkstyle(&outside::ask(
            "xml",
            &rendered(checkstyle::render, &reports)
        )),
        expected,
        "checkstyle"
    );
    assert_eq!(
        read::junit(&outside::ask("xml", &rendered(junit::render, &reports))),
        expected,
        "junit"
    );
    // GitLab knows no columns.
    let lines = |places: &[Place]| -> Vec<(String, usize, String)> {
        places
            .iter()
            .map(|place| (place.path.clone(), place.line, place.rule.clone()))
            .collect()
    };
    assert_eq!(
        lines(&read::gitlab(&rendered(gitlab::render, &reports))),
        lines(&expected),
        "gitlab"
    );
}

#[test]
fn junit_is_valid_by_jenkins_schema() {
    for reports in [tree(), Vec::new()] {
        let text = rendered(junit::render, &reports);
        assert_eq!(outside::errors("junit", &text), Vec::<String>::new());
        let root: Element = outside::ask("xml", &text);
        root.counts_are_right();
        for suite in &root.children {
            suite.counts_are_right();
        }
    }
    let broken = rendered(junit::render, &tree()).replace(" tests=", " test=");
    assert!(
        !outside::errors("junit", &broken).is_empty(),
        "the schema accepts anything"
    );
}

#[test]
fn a_run_without_findings_is_a_test_that_passes() {
    let root: Element = outside::ask("xml", &rendered(junit::render, &[]));
    let case = &root.children[0].children[0];
    assert!(root.children.len() == 1 && case.name == "testcase" && case.children.is_empty());
    assert_eq!(
        (root.attribute("tests"), root.attribute("failures")),
        ("1", "0")
    );
}

#[test]
fn infos_fail_no_junit_test() {
    let root: Element = outside::ask("xml", &rendered(junit::render, &tree()));
    let cases = root.children.iter().flat_map(|suite| &suite.children);
    let (infos, others): (Vec<_>, Vec<_>) = cases
        .map(|case| &case.children[0])
        .partition(|outcome| outcome.attribute("type") == "private-cache");
    assert!(infos.len() == 1 && infos[0].name == "skipped");
    assert!(!others.is_empty() && others.iter().all(|outcome| outcome.name == "failure"));
}

#[test]
fn the_summary_page_is_bounded() {
    let long = "<`|".repeat(4_000);
    let run = |n: usize| {
        format!("RUN --mount=type=cache,id=i{n}{long},target=/t{n},sharing=locked make\n")
    };
    let source: String = std::iter::once("FROM debian\n".to_owned())
        .chain((0..500).map(run))
        .collect();
    let reports = check(&[("d".repeat(4_000).as_str(), source.into_bytes())]);
    assert_eq!(places(&reports).len(), 500);
    let page = rendered(summary_page, &reports);
    assert!(page.len() < 1024 * 1024, "{} bytes", page.len());
    assert!(page.ends_with("\n… and 300 more findings.\n"));
    let rows = outside::ask::<read::Page>("markdown", &page).rows;
    assert!(rows.iter().all(|row| row.len() == 4));
    // The locks, with a head, and the findings.
    let head = rows.iter().position(|row| row[0] == "Severity");
    assert_eq!((head, rows.len()), (Some(21), 21 + 201));
}

#[test]
fn sarif_is_valid_by_the_published_schema() {
    let locked = b"FROM debian\nRUN --mount=type=cache,target=/x,sharing=locked make\n".to_vec();
    let odd = [
        "-",
        "/srv/a b/Dockerfile",
        "../ä:%/Dockerfile",
        "a:b",
        "x?y#z\n",
    ]
    .map(|path| (path, locked.clone()));
    for reports in [tree(), check(&odd), Vec::new()] {
        assert_eq!(
            outside::errors("sarif", &rendered(sarif::render, &reports)),
            Vec::<String>::new()
        );
    }
    let text = rendered(sarif::render, &tree());
    for (good, bad) in [
        ("\"ruleId\"", "\"rule\""),
        ("\"note\"", "\"info\""),
        ("%C3%BC", "%ü "),
        ("2.1.0\"", "2.1\""),
    ] {
        let broken = text.replace(good, bad);
        assert!(
            broken != text && !outside::errors("sarif", &broken).is_empty(),
            "the schema accepts {bad}"
        );
    }
}

#[test]
fn reports_that_tell_of_troubles_are_valid() {
    assert_eq!(
        outside::errors("sarif", &rendered_troubles(sarif::render)),
        Vec::<String>::new()
    );
    assert_eq!(
        outside::errors("junit", &rendered_troubles(junit::render)),
        Vec::<String>::new()
    );
    let root: Element = outside::ask("xml", &rendered_troubles(junit::render));
    root.counts_are_right();
    root.children.iter().for_each(Element::counts_are_right);
    assert_eq!(root.attribute("errors"), "3");
    let root: Element = outside::ask("xml", &rendered_troubles(checkstyle::render));
    assert!(
        root.children[1].attribute("name") == "cachelane.toml"
            && root.children[1].children[0].attribute("line") == "3"
    );
}
