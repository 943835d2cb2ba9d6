//! Errors in every format: present, and inert for any names.

use cachelane::report::{github, gitlab, json, sarif};
use serde_json::Value;

use super::FORMATS;
use crate::made_reports::rendered_troubles as rendered;

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
