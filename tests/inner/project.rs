//! The library: a project finds and fixes what the command does, and again after a change.

use std::fs;
use std::path::Path;

use cachelane::finding::RuleId;
use cachelane::text::LineIndex;
use cachelane::{Applicability, Error, Project, Settings};

use crate::command::cachelane;
use crate::pages;

const LOCKED: &str = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";

/// Returns the findings of `project` in the form of `check --format concise`, up to the message.
fn found(project: &Project) -> Vec<String> {
    let mut lines = Vec::new();
    for file in project.check().files {
        let (index, path) = (
            LineIndex::new(project.bytes(&file.path).unwrap()),
            file.path.to_str().unwrap(),
        );
        lines.extend(file.findings.iter().map(|finding| {
            let (rule, severity) = (finding.rule, finding.severity.as_str());
            format!(
                "{path}:{}: {severity}[{rule}]",
                index.line(finding.span.start)
            )
        }));
    }
    lines
}

#[test]
fn a_path_in_other_words_is_the_same_file() {
    let mut project = Project::new(Settings::default());
    project.replace("a/../Dockerfile", "FROM a\n");
    project.replace("./Dockerfile", "FROM b\n");
    assert_eq!(
        project.bytes(Path::new("Dockerfile")),
        Some(&b"FROM b\n"[..])
    );
    assert_eq!(
        project.remove(Path::new("./Dockerfile")),
        Some(b"FROM b\n".to_vec())
    );
}

#[test]
fn a_path_that_leads_out_of_the_project_is_another_file() {
    let mut project = Project::new(Settings::default());
    project.replace("../Dockerfile", LOCKED);
    project.replace("a/../../x/Dockerfile", LOCKED.replace("id=x", "id=y"));
    assert_eq!(project.bytes(Path::new("Dockerfile")), None);
    let dockerfiles = [
        "../Dockerfile:2: error[shared-lock]",
        "../x/Dockerfile:2: error[shared-lock]",
    ];
    assert_eq!(found(&project), dockerfiles);
    // Builds find it, and no other.
    project.replace(
        "ci/compose.yaml",
        "services:\n  a: { build: ../.. }\n  b: { build: . }\n",
    );
    for file in project.fix(Applicability::Safe).files {
        project.replace(file.path, file.bytes);
    }
    let compose = String::from_utf8_lossy(project.bytes(Path::new("ci/compose.yaml")).unwrap());
    assert_eq!(compose.matches("CACHE_ID").count(), 2, "{compose}");
}

#[test]
fn it_finds_and_fixes_what_the_command_does() {
    // A file that only a build leads to is for the command to find.
    let is_searched = |path: &str| path == "cachelane.toml" || Project::takes(Path::new(path));
    let cases = pages::cases("builds");
    let mut cases: Vec<_> = cases.iter().collect();
    cases.retain(|case| case.files.iter().all(|file| is_searched(&file.path)));
    // The others go through the same code: a sample is enough.
    for case in cases.iter().step_by(9) {
        let work = tempfile::tempdir().unwrap();
        fs::create_dir(work.path().join(".git")).unwrap();
        let config = case.files.iter().find(|file| file.path == "cachelane.toml");
        let config = config.map(|file| String::from_utf8(file.bytes()).unwrap());
        let mut project = Project::with_config(&config.unwrap_or_default()).unwrap();
        for file in &case.files {
            let path = work.path().join(&file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.bytes()).unwrap();
            if Project::takes(Path::new(&file.path)) {
                project.replace(&file.path, file.bytes());
            }
        }
        let (_, said, _) = cachelane(
            work.path(),
            &[
                "check",
                "--quiet",
                "--min-severity",
                "info",
                "--format",
                "concise",
            ],
        );
        let said: Vec<String> = said.lines().map(without_column).collect();
        assert_eq!(found(&project), said, "{}", case.place());
        cachelane(work.path(), &["fix", "--quiet"]);
        for file in project.fix(Applicability::Safe).files {
            let written = fs::read(work.path().join(&file.path)).unwrap();
            assert!(file.bytes == written, "{}: {file:?}", case.place());
            project.replace(file.path, file.bytes);
        }
        let (_, said, _) = cachelane(
            work.path(),
            &[
                "check",
                "--quiet",
                "--min-severity",
                "info",
                "--format",
                "concise",
            ],
        );
        let said: Vec<String> = said.lines().map(without_column).collect();
        assert_eq!(found(&project), said, "{}", case.place());
    }
}

/// Returns `PATH:LINE: SEVERITY[RULE]` of a line `PATH:LINE:COLUMN: SEVERITY[RULE] …`.
fn without_column(line: &str) -> String {
    let (place, rest) = line.split_once(": ").unwrap();
    let (place, _) = place.rsplit_once(':').unwrap();
    format!("{place}: {}", rest.split(' ').next().unwrap())
}

#[test]
fn a_file_that_is_replaced_is_looked_at_again() {
    let mut project = Project::new(Settings::default());
    project.replace("a/Dockerfile", LOCKED);
    project.replace("b/Dockerfile", LOCKED.replace("id=x", "id=y"));
    let related = |project: &Project| {
        let files = project.check().files;
        let related = files[0].findings[0].related.iter();
        related
            .map(|location| location.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(related(&project), [""; 0]);
    project.replace("b/Dockerfile", LOCKED);
    assert_eq!(related(&project), ["takes the same lock"]);
    assert_eq!(
        project.remove(Path::new("b/Dockerfile")).unwrap(),
        LOCKED.as_bytes()
    );
    assert_eq!(related(&project), [""; 0]);
    project.replace("a/Dockerfile", LOCKED.replace("locked", "shared"));
    assert!(project.check().files.is_empty());
}

#[test]
fn a_configuration_holds_for_the_files_that_it_names() {
    let text = "exclude = [\"vendor\"]\n[[per-file]]\npath = \"old/*\"\nrules = { shared-lock = \"info\" }\n";
    let mut project = Project::with_config(text).unwrap();
    for folder in ["new", "old", "vendor"] {
        project.replace(format!("{folder}/Dockerfile"), LOCKED);
    }
    let expected = [
        "new/Dockerfile:2: error[shared-lock]",
        "old/Dockerfile:2: info[shared-lock]",
    ];
    assert_eq!(found(&project), expected);
    let text = "arg = 1\n";
    let problems = Project::with_config(text).unwrap_err();
    assert_eq!(problems.0[0].span.of(text.as_bytes()), b"1");
    // It goes through `?`, with all that is wrong.
    let wrong = || -> Result<Project, Box<dyn std::error::Error>> {
        Ok(Project::with_config("arg = \"9\"\ndefault = \"\"\n")?)
    };
    let said = wrong().unwrap_err().to_string();
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn a_build_file_that_cannot_be_read_is_an_error_and_a_template_of_one_is_none() {
    let mut project = Project::new(Settings::default());
    project.replace("compose.yaml", "services:\n  a: { build: . \n  b: 1\n");
    project.replace(
        "docker-bake.hcl",
        "{% if x %}\ntarget \"a\" {}\n{% endif %}\n",
    );
    project.replace("Dockerfile", LOCKED);
    let report = project.check();
    let [error @ Error::Unread { path, line: 3, .. }] = &report.errors[..] else {
        panic!("{:?}", report.errors);
    };
    assert_eq!(path, Path::new("compose.yaml"));
    let said = "compose.yaml:3: its builds cannot be read: ";
    assert!(error.to_string().starts_with(said), "{error}");
    assert_eq!(report.files[0].findings[0].rule, RuleId::SharedLock);
    assert_eq!(project.fix(Applicability::Safe).errors, report.errors);
}

#[test]
fn a_file_that_is_too_much_is_an_error_and_the_others_are_checked() {
    let mut project = Project::new(Settings::default());
    let deep: String = (0..150)
        .flat_map(|depth| [" ".repeat(depth), "x:\n".into()])
        .collect();
    project.replace(
        "compose.yaml",
        format!("{deep}services: {{ a: {{ build: . }} }}\n"),
    );
    project.replace("Dockerfile", LOCKED);
    let report = project.check();
    assert_eq!(report.errors, [Error::File("compose.yaml".into())]);
    assert_eq!(report.files[0].findings[0].rule, RuleId::SharedLock);
    assert_eq!(project.fix(Applicability::Safe).errors, report.errors);
}
