//! Paths and ids made to break out of a format: nothing gets out or lost.

use std::collections::BTreeSet;

use cachelane::report::{concise, gitlab};
use cachelane::text::is_unprintable;
use serde_json::Value;

use super::FORMATS;
use crate::made_reports::{hostile, rendered, shown};

#[test]
fn no_format_holds_a_control_character() {
    let reports = hostile();
    for (name, render) in FORMATS {
        let text = rendered(*render, &reports);
        let raw: BTreeSet<char> = text
            .chars()
            .filter(|ch| *ch != '\n' && is_unprintable(*ch))
            .collect();
        assert!(raw.is_empty(), "{name} holds {raw:?}");
    }
}

#[test]
fn concise_is_one_line_each_and_no_command() {
    let reports = hostile();
    let text = rendered(concise::render, &reports);
    assert_eq!(text.lines().count(), shown(&reports).len());
    for line in text.lines() {
        assert!(
            !line.trim_start().starts_with("::") && !line.contains("##["),
            "{line}"
        );
    }
    assert!(text.contains("./::error::x/Dockerfile:2:27: error[shared-lock] "));
}

#[test]
fn gitlab_says_what_was_found() {
    let reports = hostile();
    let issues: Vec<Value> = serde_json::from_str(&rendered(gitlab::render, &reports)).unwrap();
    let pairs = issues.iter().map(|issue| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&issue["location"]["path"]),
            text(&issue["description"]),
        )
    });
    assert_eq!(pairs.collect::<Vec<_>>(), shown(&reports));
}
