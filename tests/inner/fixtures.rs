//! Checks the cases of `fixtures/rules`, in the form of `pages`, against their records by `tests/bless`.

use std::collections::BTreeMap;
use std::sync::Arc;

use cachelane::finding::{RuleId, Subject};
use cachelane::lint::{self, FileReport};
use cachelane::report::human::{self, Style};
use cachelane::rules::Settings;

use crate::{pages, record};

fn report(source: &[u8], settings: &Settings) -> (String, Vec<&'static str>) {
    let checked = lint::check(source, settings);
    let settings = Arc::new(settings.clone());
    let mut reports = [FileReport::new(
        "Dockerfile".as_ref(),
        source,
        &settings,
        checked,
    )];
    lint::relate_reports(&mut reports, true, |_| "Dockerfile".into());
    let rules = reports[0]
        .checked
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect();
    let text = human::findings(
        &reports,
        Style {
            color: false,
            width: None,
            why_not_fixed: false,
            links: false,
        },
    );
    (text, rules)
}

#[test]
fn every_case_reports_and_fixes_as_recorded() {
    let mut records = Vec::new();
    for case in pages::cases("rules") {
        let place = case.place();
        let [file] = &case.files[..] else {
            panic!("{place}: one Dockerfile, in a block `dockerfile`");
        };
        let source = &file.bytes();
        let (settings, level) = pages::settings(source);
        let (text, rules) = report(source, &settings);
        let fixed = lint::fix(None, source, &settings, level);
        assert!(fixed.dropped.is_empty(), "{place}: {:?}", fixed.dropped);
        let again = lint::fix(None, &fixed.bytes, &settings, level);
        assert!(
            again.bytes == fixed.bytes,
            "{place}: fixing the fixed file changes it"
        );
        let left = lint::check_alone(&fixed.bytes, &settings).findings;
        assert!(
            !left.iter().any(cachelane::finding::Finding::is_fixable),
            "{place}: a fixable finding is left"
        );
        assert!(
            rules.contains(&case.rule()) != case.is_near_miss(),
            "{place}: a hit must show {} and a near miss must not: {rules:?}",
            case.rule()
        );
        let diff = record::diff(file, &fixed.bytes);
        records.push((case, record::record(&text, &diff)));
    }
    record::hold(&records);
}

#[test]
fn every_rule_has_as_many_near_misses_as_hits() {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for case in pages::cases("rules") {
        let (hits, misses) = counts.entry(case.rule().to_owned()).or_default();
        *(if case.is_near_miss() { misses } else { hits }) += 1;
    }
    // Rules on builds have their cases in fixtures/builds.
    let own = |rule: &&RuleId| !matches!(rule.meta().subject, Subject::Build | Subject::Clearing);
    for name in RuleId::ALL.iter().filter(own).map(|rule| rule.as_str()) {
        let (hits, misses) = counts.remove(name).unwrap_or_default();
        assert!(
            hits > 0 && misses >= hits,
            "{name}: {hits} hits and {misses} near misses"
        );
    }
    assert!(counts.is_empty(), "pages without a rule: {counts:?}");
}
