//! Every case under `fixtures/rules/<rule>/<case>/`: a `Dockerfile`, the `report` that `check` prints for it, and, where
//! `fix` changes it, the file that it becomes in `fixed`.
//!
//! A case named `ok-…` is a near miss: its rule must be silent on it (another may have something to say). With
//! `# settings: NAME DEFAULT` a case names another lane argument, and behind that what else is settled: `keep-default`,
//! `namespace`, `require-syntax`, `profile=NAME`, `isolating=NAME,NAME`. With `# unsafe` it is fixed with all fixes. After a
//! change that is meant, `CACHELANE_BLESS=1 cargo test fixtures::` writes `report` and `fixed` anew; read the diff
//! before you commit it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cachelane::fix::Applicability;
use cachelane::lint::{self, FileReport};
use cachelane::report::human::{self, Style};
use cachelane::rules::{RULES, Settings, profile};

fn cases() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let folders = |folder: &Path| {
        let mut found: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        found.sort();
        found
    };
    let rules = folders(&root).into_iter();
    rules
        .flat_map(|rule| {
            let name = rule.file_name().unwrap().to_string_lossy().into_owned();
            folders(&rule)
                .into_iter()
                .map(move |case| (name.clone(), case))
        })
        .collect()
}

/// What is settled for a case: what its line `# settings: NAME DEFAULT …` says.
fn settings(source: &[u8]) -> Settings {
    let text = String::from_utf8_lossy(source);
    let Some(line) = text
        .lines()
        .find_map(|line| line.strip_prefix("# settings: "))
    else {
        return Settings::default();
    };
    let mut words = line.split_whitespace();
    let [arg, default] = [words.next(), words.next()].map(Option::unwrap);
    let mut settings = Settings {
        arg: arg.into(),
        default: default.into(),
        ..Settings::default()
    };
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("keep-default", "") => settings.keep_default = true,
            ("namespace", "") => settings.namespace = true,
            ("require-syntax", "") => settings.require_syntax = true,
            ("profile", name) => settings.profile = Some(profile::by_name(name).unwrap()),
            ("isolating", names) => settings.isolating = names.split(',').map(Into::into).collect(),
            _ => panic!("`{word}` is no setting"),
        }
    }
    settings
}

fn report(source: &[u8], settings: &Settings) -> (String, Vec<&'static str>) {
    let checked = lint::check(source, settings);
    let (path, settings) = ("Dockerfile".into(), Arc::new(settings.clone()));
    let mut reports = [FileReport {
        path,
        source: source.to_vec(),
        settings,
        checked,
        wires: None,
    }];
    lint::relate_reports(&mut reports, true, |_| "Dockerfile".into());
    let rules = reports[0]
        .checked
        .findings
        .iter()
        .map(|finding| finding.rule)
        .collect();
    let text = human::findings(
        &reports,
        Style {
            color: false,
            width: 100,
            why_not_fixed: false,
        },
    );
    (text, rules)
}

fn compare(path: &Path, now: Option<&[u8]>, failures: &mut Vec<String>) {
    let then = fs::read(path).ok();
    if then.as_deref() == now {
        return;
    }
    if std::env::var_os("CACHELANE_BLESS").is_some() {
        match now {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        return;
    }
    let show = |bytes: Option<&[u8]>| {
        bytes.map_or("(no file)".into(), |b| {
            String::from_utf8_lossy(b).into_owned()
        })
    };
    failures.push(format!(
        "{}\n--- is\n{}\n--- now\n{}",
        path.display(),
        show(then.as_deref()),
        show(now)
    ));
}

#[test]
fn every_case_reports_and_fixes_as_recorded() {
    let mut failures = Vec::new();
    for (rule, case) in cases() {
        let source = fs::read(case.join("Dockerfile"))
            .unwrap_or_else(|error| panic!("{}: {error}", case.display()));
        let settings = settings(&source);
        let (text, rules) = report(&source, &settings);
        compare(&case.join("report"), Some(text.as_bytes()), &mut failures);
        let review = source.starts_with(b"# unsafe")
            || String::from_utf8_lossy(&source).contains("\n# unsafe\n");
        let level = if review {
            Applicability::Unsafe
        } else {
            Applicability::Safe
        };
        let fixed = lint::fix(&source, &settings, level, &[]);
        assert!(
            fixed.dropped.is_empty(),
            "{}: {:?}",
            case.display(),
            fixed.dropped
        );
        let changed = (fixed.bytes != source).then_some(fixed.bytes.as_slice());
        compare(&case.join("fixed"), changed, &mut failures);
        let again = lint::fix(&fixed.bytes, &settings, level, &[]);
        assert!(
            again.bytes == fixed.bytes,
            "{}: fixing the fixed file changes it",
            case.display()
        );
        let left = lint::check_alone(&fixed.bytes, &settings).findings;
        assert!(
            !left.iter().any(cachelane::finding::Finding::is_fixable),
            "{}: a fixable finding is left",
            case.display()
        );
        // A case shows its own rule, or it is a near miss and shows nothing.
        let near_miss = case
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("ok-");
        let found = rules.contains(&rule.as_str());
        assert!(
            found != near_miss,
            "{}: a hit must show its rule and a near miss must not: {rules:?}",
            case.display()
        );
    }
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

#[test]
fn every_rule_has_as_many_near_misses_as_hits() {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (rule, case) in cases() {
        let near_miss = case
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("ok-");
        let (hits, misses) = counts.entry(rule).or_default();
        *(if near_miss { misses } else { hits }) += 1;
    }
    // Those that speak about builds have theirs in fixtures/wiring: tests/inner/wiring.rs.
    let own = |name: &&str| !matches!(*name, "unpassed-arg" | "lane-never-reused");
    for name in RULES.iter().map(|rule| rule.meta().name).filter(own) {
        let (hits, misses) = counts.remove(name).unwrap_or_default();
        assert!(
            hits > 0 && misses >= hits,
            "{name}: {hits} hits and {misses} near misses"
        );
    }
    assert!(counts.is_empty(), "folders without a rule: {counts:?}");
}
