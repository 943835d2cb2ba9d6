//! The ids of exemptions, and the lanes that are never reused.

use cachelane::Project;
use cachelane::finding::RuleId;
use cachelane::rules::{Exemptions, Settings};

use crate::command::cachelane;

fn of(pattern: &str, id: &str) -> bool {
    let exempt = Exemptions::new(vec![(pattern, vec![RuleId::SharedLock])]).unwrap();
    let is_exempt = !exempt.of(id.as_bytes()).is_empty();
    assert_eq!(exempt.idle().count(), usize::from(!is_exempt));
    is_exempt
}

#[test]
fn a_pattern_matches_whole_ids() {
    for (pattern, id) in [
        ("apt", "apt"),
        ("a|apt", "apt"),
        ("^apt$", "apt"),
        ("(?i)APT-.*", "apt-lists"),
        (r"/root/\.cargo/.*", "/root/.cargo/registry"),
        (r"apt-\$\{TARGETARCH\}", "apt-${TARGETARCH}"),
        ("x.+", "x\u{e9}"),
    ] {
        assert!(of(pattern, id), "{pattern} {id}");
    }
    for (pattern, id) in [
        ("apt", "apt-lists"),
        ("apt", "my-apt"),
        ("apt|x", "apt-x"),
        ("APT", "apt"),
        ("", "apt"),
    ] {
        assert!(!of(pattern, id), "{pattern} {id}");
    }
}

#[test]
fn what_is_no_pattern_is_said_in_one_line() {
    let wrong = |patterns: &[&str]| {
        let entries = patterns.iter().map(|pattern| (*pattern, vec![])).collect();
        let wrong = Exemptions::new(entries).unwrap_err().0.into_iter();
        wrong
            .map(|wrong| (wrong.entry, wrong.fault))
            .collect::<Vec<_>>()
    };
    let unclosed = || "unclosed group".to_owned();
    assert_eq!(
        wrong(&["a", "b(", "c("]),
        [(1, unclosed()), (2, unclosed())]
    );
    // What would be one within the parentheses around it is none by itself.
    assert_eq!(wrong(&["a)(?:b"]), [(0, "unopened group".to_owned())]);
    assert!(wrong(&["((a{999}){999}){999}"])[0].1.contains("memory"));
    assert!(wrong(&[r"[a-z]{900}"; 900])[0].1.contains("memory"));
    let (many, long) = ([""; 1001], "a".repeat(65537));
    assert!(wrong(&many)[0].1.contains("more than 1000"));
    assert!(wrong(&[&long])[0].1.contains("more than 1000"));
}

/// Returns what differs in every run in a lane with this `value`.
fn volatile(value: &str) -> String {
    let mut project = Project::new(Settings::default());
    project.replace(
        "Dockerfile",
        "FROM a\nARG CACHE_ID\nRUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked y\n",
    );
    let lane = serde_json::to_string(&format!("CACHE_ID={value}")).unwrap();
    project.replace(
        ".github/workflows/a.yml",
        format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n    - uses: docker/build-push-action@v6\n      with:\n        build-args: {lane}\n"
        ),
    );
    let report = project.check();
    let mut found = report.files.iter().flat_map(|file| &file.findings);
    let found = found.find(|finding| finding.rule == RuleId::LaneNeverReused);
    let what = found.and_then(|found| found.message.split_once("(`")?.1.split_once("`)"));
    what.map(|(what, _)| what.to_owned()).unwrap_or_default()
}

#[test]
fn what_changes_and_what_stays() {
    for (value, what) in [
        ("${{ github.run_id }}", "github.run_id"),
        ("${{ matrix.py }}-${{ github.sha }}", "github.sha"),
        ("${{github.RUN_NUMBER}}", "github.run_number"),
        ("$CI_PIPELINE_ID", "CI_PIPELINE_ID"),
        ("a-${CI_COMMIT_SHORT_SHA:0:4}", "CI_COMMIT_SHORT_SHA"),
        ("$RANDOM", "RANDOM"),
        ("job-$(date +%s)", "$(date…)"),
        ("`uuidgen`", "$(uuidgen…)"),
        ("$( git rev-parse HEAD )", "$(git rev-parse…)"),
        ("$(git rev-parse --short HEAD)", "$(git rev-parse…)"),
        ("$(git describe --tags)", "$(git describe…)"),
        ("$(date)", "$(date…)"),
        ("$(date -u +%Y%m%d%H%M)", "$(date…)"),
        ("$(date -Iseconds)", "$(date…)"),
        ("$(date +%Y)-$(uuidgen)", "$(uuidgen…)"),
        ("$(date -I)", "$(date…)"),
        ("`date -u +%F`", "$(date…)"),
    ] {
        assert_eq!(volatile(value), what, "{value}");
    }
    for value in [
        "${{ matrix.python }}",
        "${{ github.job }}",
        "${{ github.ref_name }}",
        "${{ github.event.number }}",
        "${{ hashFiles('requirements.txt') }}",
        "$CI_JOB_NAME_SLUG",
        "$(cachelane id)",
        "random",
        "build_id",
        "$(update_lane)",
        "$(git rev-parse --abbrev-ref HEAD)",
        "$(git rev-parse HEAD:requirements)",
        "$(git rev-parse --show-toplevel)",
        "$(git describe --tags --abbrev=0)",
        "$(date +%Y)",
        "$(date +%G-%V)",
        "$(date_of_build)",
        "${BUILD_ID_PREFIX}",
        "py313",
    ] {
        assert_eq!(volatile(value), "", "{value}");
    }
}

#[test]
fn a_platform_goes_to_all_mounts_of_a_cache_or_to_none() {
    // The first stage runs once for all platforms: below an ARG for the platform it would run for each.
    let stage = |name: &str| {
        format!(
            "FROM debian AS {name}\nARG TARGETARCH\nARG CACHE_ID=default\n\
             RUN --mount=type=cache,id=tree-${{CACHE_ID}},target=/tree,sharing=locked make {name}\n"
        )
    };
    let first = "FROM --platform=$BUILDPLATFORM debian\nARG CACHE_ID=default\n\
                 RUN --mount=type=cache,id=tree-${CACHE_ID},target=/tree,sharing=locked \
                 --mount=type=cache,id=own-${CACHE_ID},target=/own,sharing=locked \
                 --mount=type=cache,id=two-${CACHE_ID},target=/two,sharing=locked make\n";
    let source = [first, &stage("a"), &stage("b")].concat();
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("Dockerfile");
    std::fs::write(&path, &source).unwrap();
    let (_, _, said) = cachelane(work.path(), &["fix", "--unsafe"]);
    assert!(!said.contains("was not made"), "{said}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), source);
}
