//! What went wrong, in every format: said, valid by the published schemas, and inert whatever the names.

use cachelane::report::{Run, Summary, Trouble, checkstyle, github, gitlab, json, junit, sarif};
use serde_json::Value;

use super::read::Element;
use super::{FORMATS, outside, tree};

fn troubles() -> Vec<Trouble> {
    let odd = "a\n::error::<b a=\"x\">\u{1b}[2J,%0A]]>|";
    vec![
        Trouble::of_run("git knows no revision `x`"),
        Trouble {
            path: Some("cachelane.toml".into()),
            line: Some(3),
            message: "there is no rule `x`".into(),
        },
        Trouble::with(odd.into(), odd),
    ]
}

fn rendered(render: fn(&Run<'_>) -> String) -> String {
    let (reports, troubles) = (tree(), troubles());
    render(&Run {
        reports: &reports,
        summary: Summary::new(&reports, reports.len()),
        rules: &[],
        troubles: &troubles,
    })
}

#[test]
fn reports_that_tell_of_troubles_are_valid() {
    assert_eq!(
        outside::errors("sarif", &rendered(sarif::render)),
        Vec::<String>::new()
    );
    assert_eq!(
        outside::errors("junit", &rendered(junit::render)),
        Vec::<String>::new()
    );
    let root: Element = outside::ask("xml", &rendered(junit::render));
    root.counts_are_right();
    root.children.iter().for_each(Element::counts_are_right);
    assert_eq!(root.attribute("errors"), "3");
    let root: Element = outside::ask("xml", &rendered(checkstyle::render));
    assert!(
        root.children[1].attribute("name") == "cachelane.toml"
            && root.children[1].children[0].attribute("line") == "3"
    );
}

#[test]
fn every_trouble_is_told() {
    let log: Value = serde_json::from_str(&rendered(sarif::render)).unwrap();
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let told = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(told.len(), 3);
    assert_eq!(
        told[1]["locations"][0]["physicalLocation"]["region"]["startLine"],
        3
    );
    let document: Value = serde_json::from_str(&rendered(json::findings)).unwrap();
    let errors = document["errors"].as_array().unwrap();
    assert!(errors.len() == 3 && errors[0]["path"].is_null() && errors[1]["line"] == 3);
    let issues: Vec<Value> = serde_json::from_str(&rendered(gitlab::render)).unwrap();
    assert_eq!(
        issues
            .iter()
            .filter(|issue| issue["severity"] == "blocker")
            .count(),
        3
    );
    let text = rendered(github::render);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("title=cachelane::"))
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[1],
        "::error file=cachelane.toml,line=3,title=cachelane::there is no rule `x`"
    );
    assert!(lines.iter().all(|line| line.starts_with("::error ")));
}

#[test]
fn nothing_gets_out_of_a_trouble() {
    for (name, render) in FORMATS {
        let text = rendered(*render);
        let markup = matches!(name.rsplit('.').next(), Some("xml" | "md"));
        assert!(!text.contains('\u{1b}'), "{name}: {text}");
        assert!(!markup || !text.contains("<b a="), "{name}: {text}");
        assert!(
            !text
                .lines()
                .any(|line| line.trim_start().starts_with("::error::")),
            "{name}: {text}"
        );
    }
}
