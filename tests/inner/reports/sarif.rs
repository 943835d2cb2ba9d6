//! SARIF: its fixes equal cachelane's.

use bstr::ByteSlice as _;
use cachelane::fix;
use cachelane::report::sarif;
use serde_json::Value;

use crate::made_reports::{rendered, tree};

#[test]
fn every_finding_knows_its_rule() {
    let log: Value = serde_json::from_str(&rendered(sarif::render, &tree())).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &run["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
        assert!(
            rule["help"]["markdown"]
                .as_str()
                .unwrap()
                .contains("## Why")
        );
        assert!(
            !rule["fullDescription"]["text"]
                .as_str()
                .unwrap()
                .contains('\n')
        );
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(place["uriBaseId"], "%SRCROOT%");
    }
}

/// GitHub shows only related locations that the text links.
#[test]
fn related_places_are_linked() {
    let log: Value = serde_json::from_str(&rendered(sarif::render, &tree())).unwrap();
    let mut elsewhere = 0;
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let (own, text) = (
            &result["locations"][0],
            result["message"]["text"].as_str().unwrap(),
        );
        for related in result["relatedLocations"].as_array().into_iter().flatten() {
            assert!(text.contains(&format!("]({}): ", related["id"])), "{text}");
            let artifact = |place: &Value| place["physicalLocation"]["artifactLocation"].clone();
            elsewhere += usize::from(artifact(related) != artifact(own));
        }
    }
    assert!(elsewhere > 0, "nothing is related to another file");
}

/// Returns the byte of `line` and `column` in `source`, both from 1, counted independently: lines end at `\n`, columns
/// are code points without the byte-order mark.
fn offset(source: &[u8], line: &Value, column: &Value) -> usize {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let start: usize = source
        .split_inclusive(|byte| *byte == b'\n')
        .take(number(line) - 1)
        .map(<[u8]>::len)
        .sum();
    let mark = if number(line) == 1 && source.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    let rest = &source[start + mark..];
    let ends = rest
        .char_indices()
        .map(|(start, _, _)| start)
        .chain([rest.len()]);
    start + mark + ends.take(number(column)).last().unwrap()
}

#[test]
fn its_fixes_are_cachelanes() {
    let reports = tree();
    let log: Value = serde_json::from_str(&rendered(sarif::render, &reports)).unwrap();
    let mut results = log["runs"][0]["results"].as_array().unwrap().iter();
    let mut fixes = 0;
    for report in &reports {
        for finding in &report.checked.findings {
            let result = results.next().unwrap();
            let Some(fix) = &finding.fix else {
                assert!(result.get("fixes").is_none());
                continue;
            };
            let change = &result["fixes"][0]["artifactChanges"][0];
            assert_eq!(
                change["artifactLocation"],
                result["locations"][0]["physicalLocation"]["artifactLocation"],
                "a fix changes its own file"
            );
            let mut fixed = report.source.clone();
            for replacement in change["replacements"].as_array().unwrap().iter().rev() {
                let region = &replacement["deletedRegion"];
                let start = offset(&report.source, &region["startLine"], &region["startColumn"]);
                let end = offset(&report.source, &region["endLine"], &region["endColumn"]);
                let text = replacement["insertedContent"]["text"]
                    .as_str()
                    .unwrap_or_default();
                fixed.splice(start..end, text.bytes());
            }
            assert_eq!(
                fixed.as_bstr(),
                fix::apply(&report.source, &[fix]).bytes.as_bstr()
            );
            let (name, about) = (
                format!("{:?}", fix.applicability()),
                &result["fixes"][0]["description"]["text"],
            );
            assert!(
                about
                    .as_str()
                    .unwrap()
                    .contains(&format!("({}", name.to_lowercase())),
                "{about}"
            );
            fixes += 1;
        }
    }
    assert!(results.next().is_none() && fixes > 5);
}
