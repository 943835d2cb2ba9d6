//! The lane of a job: the table of cases for all implementations, and properties of any input.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use cachelane::builds::ci::{
    self, CIS, JobLane, LONGEST, MatrixError, Part, Source, Typed, is_lane,
};
use proptest::prelude::*;
use serde::Deserialize;

use crate::effort;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "about")]
    _about: String,
    cases: Vec<Case>,
    errors: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    note: String,
    argument: Option<String>,
    matrix: Option<String>,
    env: BTreeMap<String, String>,
    lane: Option<String>,
    source: Option<String>,
    error: Option<String>,
}

fn table() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("integrations/lane-cases.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl Case {
    fn lane(&self) -> Result<JobLane, MatrixError> {
        let typed = Typed {
            lane: self.argument.as_deref().map(str::as_bytes),
            matrix: self.matrix.as_deref().map(str::as_bytes),
            repository: false,
        };
        ci::lane(typed, |name| {
            self.env.get(name).map(|value| value.clone().into_bytes())
        })
    }
}

fn of(text: &[u8]) -> String {
    let typed = Typed {
        lane: Some(text),
        ..Typed::default()
    };
    ci::lane(typed, |_| None).unwrap().name
}

/// Returns one word for the source of a lane, or the CI's name.
fn name(source: &Source) -> &'static str {
    match source {
        Source::Argument => "argument",
        Source::Variable(name) | Source::Ci { name, .. } => name,
        Source::Matrix => "matrix",
        Source::Nothing => "default",
    }
}

#[test]
fn every_case_of_the_table() {
    let table = table();
    assert!(table.cases.len() >= 80, "{} cases", table.cases.len());
    for case in &table.cases {
        let lane = case
            .lane()
            .unwrap_or_else(|error| panic!("{}: {error}", case.note));
        assert_eq!(
            Some(lane.name.as_str()),
            case.lane.as_deref(),
            "{}",
            case.note
        );
        assert_eq!(
            Some(name(&lane.source)),
            case.source.as_deref(),
            "{}",
            case.note
        );
        assert!(
            is_lane(lane.name.as_bytes()),
            "{}: {}",
            case.note,
            lane.name
        );
    }
    for case in &table.errors {
        let found = match case.lane() {
            Err(MatrixError::Json(_)) => "json",
            Err(MatrixError::NoObject(_)) => "object",
            Err(MatrixError::Deep) => "deep",
            Ok(lane) => panic!("{}: {}", case.note, lane.name),
        };
        assert_eq!(Some(found), case.error.as_deref(), "{}", case.note);
    }
}

#[test]
fn the_table_has_every_ci() {
    let sources: BTreeSet<String> = table()
        .cases
        .into_iter()
        .filter_map(|case| case.source)
        .collect();
    for ci in CIS {
        assert!(sources.contains(ci.name), "no case for {}", ci.name);
    }
}

/// The process prints what the library returns, in some cases through the real environment.
#[test]
fn the_command_prints_the_same() {
    for case in table()
        .cases
        .iter()
        .filter(|case| !case.env.values().any(|value| value.contains('\0')))
        .step_by(7)
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        command.arg("id").env_clear().envs(&case.env);
        command.args(
            case.matrix
                .iter()
                .map(|matrix| format!("--matrix={matrix}")),
        );
        command.args(case.argument.iter().flat_map(|argument| ["--", argument]));
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            case.note,
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim_end_matches('\n'),
            case.lane.as_deref().unwrap()
        );
    }
}

#[test]
fn notes_are_for_those_who_need_them() {
    let notes = |argument: Option<&str>, matrix: Option<&str>, env: &[(&str, &str)]| {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let [argument, matrix] = [argument, matrix].map(|text| text.map(str::to_owned));
        let case = Case {
            note: String::new(),
            argument,
            matrix,
            env,
            lane: None,
            source: None,
            error: None,
        };
        case.lane().unwrap().notes.join("\n")
    };
    let github = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_WORKFLOW", "CI"),
        ("GITHUB_JOB", "build"),
    ];
    let with = |name, value| [&github[..], &[(name, value)]].concat();
    assert!(notes(None, None, &github).contains("`CACHELANE_MATRIX: ${{ toJSON(matrix) }}`"));
    // Nothing tells a process which caller of a reusable workflow it runs for.
    let is_of_callers = |notes: String| {
        notes.starts_with("if this is a job of a reusable workflow") && !notes.contains('\n')
    };
    for matrix in [r#"{"a":"b"}"#, "null", "{}"] {
        assert!(
            is_of_callers(notes(None, Some(matrix), &github)),
            "{matrix}"
        );
        let told = with("CACHELANE_MATRIX", matrix);
        assert!(is_of_callers(notes(None, None, &told)), "{matrix}");
    }
    assert_eq!(notes(Some("py310"), None, &github), "");
    assert_eq!(notes(None, None, &with("CACHE_ID", "py310")), "");
    assert!(
        notes(None, None, &with("CACHE_ID", "py 310"))
            .starts_with("CACHE_ID `py 310` cannot be a lane")
    );
    assert!(notes(Some("py 310"), None, &[]).starts_with("the lane `py 310` cannot be a lane"));
    assert!(
        notes(None, Some(r#"{"a":"b"}"#), &[("CACHE_ID", "x")])
            .contains("the matrix has no part in it")
    );
    assert_eq!(
        notes(
            None,
            None,
            &[("CACHE_ID", "x"), ("CACHELANE_MATRIX", r#"{"a":"b"}"#)]
        ),
        ""
    );
    assert!(
        notes(None, None, &[("GITHUB_ACTIONS", "true")]).contains("does not say which job it is")
    );
    assert_eq!(notes(None, None, &[]), "");
}

/// Names of a run, a commit or a time, which must have no part in a lane.
#[test]
fn no_variable_changes_from_run_to_run() {
    for ci in CIS {
        let names = ci.parts.iter().flat_map(|part| match part {
            Part::Is(name) | Part::Index(name, _) | Part::WithoutBranch(name, _) => vec![*name],
            Part::Either(name, other) => vec![*name, *other],
            // Its part behind the dot does not change.
            Part::BehindDot(_) => Vec::new(),
        });
        for name in names.filter(|name| *name != "APPVEYOR_JOB_NUMBER") {
            let words = [
                "RUN_",
                "BUILD_NUM",
                "SHA",
                "COMMIT",
                "UUID",
                "_ID",
                "TIME",
                "DATE",
                "ATTEMPT",
                "NUMBER",
            ];
            assert!(
                !words.iter().any(|word| name.contains(word)),
                "{}: {name}",
                ci.name
            );
        }
    }
}

#[test]
fn the_page_has_every_variable() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lane.md"))
        .unwrap();
    for ci in CIS {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| {} |", ci.name)));
        let row = row.unwrap_or_else(|| panic!("docs/lane.md has no row for {}", ci.name));
        for part in ci.parts {
            let names = match part {
                Part::Is(name) | Part::BehindDot(name) => vec![*name],
                Part::Either(name, other)
                | Part::Index(name, other)
                | Part::WithoutBranch(name, other) => vec![*name, *other],
            };
            for name in names {
                assert!(
                    row.contains(&format!("`{name}`")),
                    "docs/lane.md: {}: {name}",
                    ci.name
                );
            }
        }
    }
}

/// Returns clean, nearly clean and arbitrary parts of lanes.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[A-Za-z0-9_.-]{1,70}".prop_map(String::into_bytes),
        "[ab.\\- /]{1,6}".prop_map(String::into_bytes),
        "[ab-]{1,3}-[0-9a-f]{8}".prop_map(String::into_bytes),
        "a{50,60}[ab \\-]{0,20}".prop_map(String::into_bytes),
        "\\PC{1,40}".prop_map(String::into_bytes),
        prop::collection::vec(1u8.., 1..100),
    ]
    .prop_filter("blank is none", |text| {
        !text.iter().all(u8::is_ascii_whitespace) && text.iter().any(|byte| *byte != 11)
    })
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        "[a-z0-9.]{0,5}".prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        (0..9i32).prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let value = leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..2).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[ab]", inner, 0..2)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[abc]", value, 1..3)
        .prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
}

fn of_matrix(matrix: &serde_json::Value) -> String {
    let matrix = matrix.to_string();
    ci::lane(
        Typed {
            matrix: Some(matrix.as_bytes()),
            ..Typed::default()
        },
        |_| None,
    )
    .unwrap()
    .name
}

fn of_job(workflow: &[u8], job: &[u8]) -> String {
    let look_up = |name: &str| match name {
        "GITHUB_ACTIONS" => Some(b"true".to_vec()),
        "GITHUB_WORKFLOW" => Some(workflow.to_vec()),
        "GITHUB_JOB" => Some(job.to_vec()),
        _ => None,
    };
    ci::lane(Typed::default(), look_up).unwrap().name
}

proptest! {
    #![proptest_config(effort::cases(100))]

    #[test]
    fn a_lane_is_valid_and_stays(text in text()) {
        let lane = of(&text);
        prop_assert!(is_lane(lane.as_bytes()), "{lane}");
        prop_assert!((1..=LONGEST).contains(&lane.len()));
        prop_assert_eq!(of(&text), lane.clone());
        prop_assert_eq!(of(lane.as_bytes()), lane.clone(), "a lane is its own lane");
        if is_lane(&text) {
            prop_assert_eq!(lane.as_bytes(), text);
        }
    }

    #[test]
    fn two_texts_have_two_lanes(one in text(), other in text()) {
        let (a, b) = (of(&one), of(&other));
        // Only a lane itself is the lane of two.
        let is_output = one == b.as_bytes() || other == a.as_bytes();
        prop_assert!(one == other || is_output || a != b, "{a}");
    }

    #[test]
    fn two_jobs_have_two_lanes(one in (text(), text()), other in (text(), text())) {
        prop_assert!(one == other || of_job(&one.0, &one.1) != of_job(&other.0, &other.1));
    }

    #[test]
    fn where_a_name_is_split_makes_two_jobs(text in "[a-c-]{4,12}", at in 1..3usize, other in 1..3usize) {
        let (one, two) = (text.split_at(at), text.split_at(other));
        let lanes = [of_job(one.0.as_bytes(), one.1.as_bytes()), of_job(two.0.as_bytes(), two.1.as_bytes())];
        prop_assert_eq!(at == other, lanes[0] == lanes[1]);
    }

    #[test]
    fn two_matrices_have_two_lanes(one in json(), other in json()) {
        prop_assert_eq!(one == other, of_matrix(&one) == of_matrix(&other), "{} {}", one, other);
    }

    #[test]
    fn a_matrix_of_any_bytes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let lane = ci::lane(Typed { matrix: Some(&bytes), ..Typed::default() }, |_| None);
        prop_assert!(lane.is_err() || is_lane(lane.unwrap().name.as_bytes()));
    }
}

#[test]
fn a_deep_matrix_is_refused_at_once() {
    let deep = "[".repeat(20_000);
    let matrix = format!("{{\"a\":{deep}{}}}", deep.replace('[', "]"));
    let lane = ci::lane(
        Typed {
            matrix: Some(matrix.as_bytes()),
            ..Typed::default()
        },
        |_| None,
    );
    assert_eq!(lane.map(|lane| lane.name), Err(MatrixError::Deep));
}
