//! `[[exempt]]` entries: findings that they silence, files that `fix` leaves alone, and messages on bad and idle ones.

use std::fs;
use std::path::Path;

use cachelane::config::{Config, Overrides};
use tempfile::TempDir;

use crate::command::cachelane;

/// A Dockerfile with a lock that has an id, one that has none, and one that no test exempts.
const DOCKERFILE: &str = "FROM debian\n\
    RUN --mount=type=cache,id=cargo-registry,target=/usr/local/cargo/registry,sharing=locked cargo fetch\n\
    RUN --mount=type=cache,target=/root/./.gradle/,sharing=locked gradle build\n\
    RUN --mount=type=cache,id=other,target=/o,sharing=locked make\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Returns the findings in `folder`, `file:line rule` each, and the number of suppressed ones.
fn findings(folder: &Path, args: &[&str]) -> (Vec<String>, u64) {
    let (_, out, err) = cachelane(folder, &[&["check", "--format", "json"], args].concat());
    assert_eq!(err, "");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let found = report["findings"].as_array().unwrap().iter().map(|found| {
        let text = |key: &str| found[key].as_str().unwrap();
        format!(
            "{}:{} {}",
            text("path"),
            found["start"]["line"],
            text("rule")
        )
    });
    let mut found: Vec<String> = found.collect();
    found.sort();
    (found, report["summary"]["suppressed"].as_u64().unwrap())
}

fn entry(id: &str, rules: &str) -> String {
    format!("[[exempt]]\nid = '{id}'\n{rules}\nreason = \"shared on purpose\"\n")
}

#[test]
fn a_written_id_and_a_target_in_its_place_match_whole() {
    let config = entry("cargo-.*", "") + &entry(r"/root/\.gradle", "");
    let folder = folder(&[("Dockerfile", DOCKERFILE), ("cachelane.toml", &config)]);
    let locks = |lines: &[usize]| -> Vec<String> {
        lines
            .iter()
            .map(|line| format!("Dockerfile:{line} shared-lock"))
            .collect()
    };
    assert_eq!(findings(folder.path(), &[]), (locks(&[4]), 2));
    // `list` shows the ids that patterns match.
    let list = cachelane(folder.path(), &["list"]).1;
    assert!(
        list.contains(" cargo-registry ") && list.contains(" (/root/.gradle) "),
        "{list}"
    );

    let near = entry("cargo|other|registry", "") + &entry("/root/[.]gradle/", "");
    fs::write(folder.path().join("near.toml"), near).unwrap();
    let args = &["--config", "near.toml", "Dockerfile"];
    assert_eq!(findings(folder.path(), args), (locks(&[2, 3]), 1));
    assert_eq!(
        findings(folder.path(), &["--no-config"]),
        (locks(&[2, 3, 4]), 0)
    );
}

#[test]
fn fix_leaves_them_alone_and_changes_the_others() {
    let config = entry("cargo-.*", "") + &entry(r"/root/\.gradle", "");
    let folder = folder(&[("Dockerfile", DOCKERFILE), ("cachelane.toml", &config)]);
    for options in [&["fix"][..], &["fix", "--unsafe"]] {
        let (code, out, err) = cachelane(folder.path(), options);
        assert_eq!(code, 0, "{out}{err}");
        let fixed = fs::read_to_string(folder.path().join("Dockerfile")).unwrap();
        let expected = DOCKERFILE
            .replace("id=other", "id=other-${CACHE_ID}")
            .replace(
                "RUN --mount=type=cache,id=other",
                "ARG CACHE_ID=default\nRUN --mount=type=cache,id=other",
            );
        assert_eq!(fixed, expected);
    }
}

/// A build needs no argument for a Dockerfile without a lane.
#[test]
fn no_lane_is_asked_of_builds() {
    let locked = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked make\n";
    let folder = folder(&[
        ("Dockerfile", locked),
        (
            "compose.yaml",
            "services:\n  a:\n    build: .\n  b:\n    build:\n      context: .\n",
        ),
        ("cachelane.toml", &entry("x", "")),
    ]);
    assert_eq!(findings(folder.path(), &[]), (vec![], 1));
    assert_eq!(cachelane(folder.path(), &["fix"]).0, 0);
    assert_eq!(
        fs::read_to_string(folder.path().join("Dockerfile")).unwrap(),
        locked
    );
}

#[test]
fn rules_say_what_is_silent() {
    // Two files with a circle of locks, and one id with two modes and at two targets.
    let a = "FROM debian\nRUN --mount=type=cache,id=x,target=/1,sharing=locked \
             --mount=type=cache,id=y,target=/2,sharing=locked make\n\
             RUN --mount=type=cache,id=z,target=/var/cache/apt,sharing=private make\n";
    let b = "FROM debian\nRUN --mount=type=cache,id=y,target=/1,sharing=locked \
             --mount=type=cache,id=x,target=/2,sharing=locked make\n\
             RUN --mount=type=cache,id=z,target=/root/.npm make\n";
    let folder = folder(&[("a/Dockerfile", a), ("b/Dockerfile", b)]);
    let about = |config: &str, rule: &str| {
        fs::write(folder.path().join("cachelane.toml"), config).unwrap();
        let (found, suppressed) = findings(folder.path(), &["--rules", rule]);
        (found.len(), suppressed)
    };
    for (rule, id, other, count, silent) in [
        ("shared-lock", "x", "y", 4, 2),
        ("lock-order", "y", "z", 1, 1),
        ("mixed-sharing", "z", "x", 1, 1),
        ("id-collision", "z", "x", 1, 1),
        ("private-cache", "z", "x", 1, 1),
    ] {
        let rules = format!("rules = [\"{rule}\"]");
        assert_eq!(about("", rule), (count, 0), "{rule}");
        assert_eq!(
            about(&entry(other, &rules), rule).0,
            if rule == "shared-lock" { 2 } else { count }
        );
        assert_eq!(
            about(&entry(id, "rules = [\"split-cache\"]"), rule),
            (count, 0),
            "{rule}"
        );
        // A circle without one of its locks is none: there is no finding to count.
        let counted = if rule == "lock-order" { 0 } else { silent };
        let left = (count - usize::try_from(silent).unwrap(), counted);
        assert_eq!(about(&entry(id, &rules), rule), left, "{rule}");
    }
    // By default, rules about waiting are silent.
    let default = entry("[xyz]", "");
    assert_eq!(about(&default, "shared-lock"), (0, 4));
    assert_eq!(about(&default, "mixed-sharing"), (1, 0));
}

#[test]
fn another_fix_gives_no_lane_to_what_may_stay_shared() {
    let apt = "FROM debian\nRUN --mount=type=cache,id=apt,target=/var/cache/apt apt-get update\n";
    let folder = folder(&[("Dockerfile", apt), ("cachelane.toml", &entry("apt", ""))]);
    assert_eq!(cachelane(folder.path(), &["fix", "--unsafe"]).0, 0);
    let fixed = fs::read_to_string(folder.path().join("Dockerfile")).unwrap();
    assert_eq!(
        fixed,
        apt.replace("/apt apt-get", "/apt,sharing=locked apt-get")
    );
}

#[test]
fn text_that_is_no_dockerfile_is_no_exception() {
    let script = "echo 'RUN --mount=type=cache,id=x,target=/x,sharing=locked make'\n\
                  echo 'RUN --mount=type=cache,target=/y/,sharing=locked make'\n";
    let folder = folder(&[("make.sh", script), ("cachelane.toml", "")]);
    assert_eq!(findings(folder.path(), &["--embedded"]).0.len(), 2);
    let config = entry("x|/y", "");
    fs::write(folder.path().join("cachelane.toml"), config).unwrap();
    assert_eq!(findings(folder.path(), &["--embedded"]).0, [""; 0]);
}

#[test]
fn the_nearest_configuration_counts_alone() {
    let folder = folder(&[
        ("cachelane.toml", &entry("other", "")),
        ("Dockerfile", DOCKERFILE),
        ("a/cachelane.toml", &entry("cargo-registry", "")),
        ("a/Dockerfile", DOCKERFILE),
    ]);
    let expected = [
        "Dockerfile:2",
        "Dockerfile:3",
        "a/Dockerfile:3",
        "a/Dockerfile:4",
    ];
    let expected = expected.map(|place| format!("{place} shared-lock"));
    assert_eq!(findings(folder.path(), &[]), (expected.to_vec(), 2));
}

#[test]
fn an_entry_that_matches_nothing_is_named() {
    let config = entry("other", "") + &entry("gone", "");
    let folder = folder(&[("Dockerfile", DOCKERFILE), ("cachelane.toml", &config)]);
    for command in ["check", "list", "builds", "fix"] {
        let err = cachelane(folder.path(), &[command]).2;
        assert!(
            err.contains("cachelane.toml:6:6") && err.contains("`gone`"),
            "{command}: {err}"
        );
        assert!(!err.contains("`other`"), "{command}: {err}");
    }
    // With one file named, other files may hold matches.
    assert!(
        !cachelane(folder.path(), &["check", "Dockerfile"])
            .2
            .contains("gone")
    );
}

#[test]
fn a_bad_entry_is_said_with_its_place() {
    for (text, place, message, help) in [
        (
            "[[exempt]]\nid = \"a\"",
            "[[exempt]]",
            "missing field `reason`",
            "say why",
        ),
        (
            "[[exempt]]\nreason = \"a\"",
            "[[exempt]]",
            "missing field `id`",
            "",
        ),
        (
            "[[exempt]]\nid = \"a\"\nreason = \" \"",
            "\" \"",
            "the reason is blank",
            "",
        ),
        (
            "[[exempt]]\nid = \"a(\"\nreason = \"a\"",
            "\"a(\"",
            "this pattern of ids cannot be read: unclosed group",
            "",
        ),
        (
            "[[exempt]]\nid = \"a\"\nreason = \"a\"\nrules = [\"shared-lok\"]",
            "\"shared-lok\"",
            "Did you mean `shared-lock`?",
            "",
        ),
        (
            "[[exempt]]\nid = \"a\"\nreason = \"a\"\nrules = [\"early-arg\"]",
            "\"early-arg\"",
            "nothing about how a cache is shared",
            "",
        ),
        (
            "[[exempt]]\nid = \"a\"\nreason = \"a\"\nrules = []",
            "[]",
            "an empty list",
            "",
        ),
        (
            "[[exempt]]\nid = \"a\"\nreson = \"a\"",
            "reson",
            "unknown field",
            "did you mean `reason`?",
        ),
        (
            "[[exempt]]\nid = \"a\"\nshared-lock = \"off\"",
            "shared-lock",
            "unknown field",
            "rules = [\"shared-lock\"]",
        ),
        (
            "[[exempt]]\nid = \"a\"\npath = \"a\"",
            "path",
            "unknown field",
            "under `[[per-file]]`",
        ),
        (
            "reason = \"a\"",
            "reason",
            "unknown field",
            "under `[[exempt]]`",
        ),
        (
            "[[exempt]]\nid = \"((a{999}){999}){999}\"\nreason = \"a\"",
            "\"((a",
            "memory",
            "",
        ),
    ] {
        let problems = Config::read(text, Overrides::default())
            .map(|_| ())
            .unwrap_err();
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        let problem = &problems[0];
        let at = &text[problem.span.start..problem.span.end];
        assert!(
            at.starts_with(place) && problem.message.contains(message),
            "{text}: {at} {problem:?}"
        );
        assert!(!problem.message.contains('\n'), "{problem:?}");
        let given = problem.help.as_deref().unwrap_or_default();
        assert!(
            given.contains(help) && given.is_empty() == help.is_empty(),
            "{text}: {problem:?}"
        );
    }
}

#[test]
fn what_is_shown_can_be_read_again() {
    let config = entry("a-.*", "rules = [\"lock-order\"]") + &entry(r"b\.c", "");
    let folder = folder(&[("cachelane.toml", &config)]);
    let page = cachelane(folder.path(), &["config", "show"]).1;
    let line = r#"exempt = [{ id = "a-.*", rules = ["lock-order"], reason = "shared on purpose" }, { id = "b\\.c", reason = "shared on purpose" }]"#;
    assert!(
        page.contains(line) && page.contains("cachelane.toml:2"),
        "{page}"
    );
    let read = Config::read(&page, Overrides::default()).unwrap();
    assert_eq!(read.idle(|_| false).len(), 2);
}
