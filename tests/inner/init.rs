//! `cachelane init`: the files that it writes, and the bytes of others that it keeps.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use cachelane::config::{Config, Overrides, template};
use cachelane::finding::RuleId;
use cachelane::init::{HookOutcome, REPO, add_hook, snippet};
use proptest::prelude::*;
use yaml_serde::Value;

use crate::command::cachelane;
use crate::effort;

/// Every key of a configuration, except for the names of rules.
const KEYS: &[&str] = &[
    "arg",
    "default",
    "isolating-args",
    "include",
    "exclude",
    "namespace",
    "require-syntax",
    "keep-default",
    "include-generated",
    "builders",
    "profile",
    "rules",
    "per-file",
    "exempt",
];

/// Returns the template with every setting taken out of its comment.
fn uncommented() -> String {
    let setting =
        |line: &&str| line.starts_with('#') && !line.starts_with("# ") && !line.starts_with("#:");
    let lines = template();
    lines
        .lines()
        .map(|line| if setting(&line) { &line[1..] } else { line })
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[test]
fn a_new_configuration_sets_nothing() {
    assert!(
        toml::from_str::<toml::Table>(&template())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_new_configuration_knows_every_setting() {
    let table: toml::Table = toml::from_str(&uncommented()).unwrap();
    assert_eq!(
        table.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        KEYS.iter().copied().collect()
    );
    let rules = table["rules"].as_table().unwrap();
    assert_eq!(rules.len(), RuleId::ALL.len());
    for rule in RuleId::ALL.iter().map(|rule| rule.meta()) {
        assert_eq!(rules[rule.name].as_str(), Some(rule.severity.as_str()));
    }
    let per_file = table["per-file"].as_array().unwrap()[0].as_table().unwrap();
    assert_eq!(per_file.keys().collect::<Vec<_>>(), ["path", "rules"]);
    let exempt = table["exempt"].as_array().unwrap()[0].as_table().unwrap();
    assert_eq!(exempt.keys().collect::<Vec<_>>(), ["id", "reason", "rules"]);
    for (key, default) in [("arg", "CACHE_ID"), ("default", "default")] {
        assert_eq!(table[key].as_str(), Some(default));
    }
    for key in [
        "namespace",
        "require-syntax",
        "keep-default",
        "include-generated",
    ] {
        assert_eq!(table[key].as_bool(), Some(false), "{key}");
    }
    for key in ["isolating-args", "include", "exclude"] {
        assert!(table[key].as_array().unwrap().is_empty(), "{key}");
    }
}

#[test]
fn what_it_shows_are_the_defaults() {
    let read = |text: &str| {
        let config = Config::read(text, Overrides::default()).unwrap();
        format!("{:?}", config.settings(std::path::Path::new("Dockerfile")))
    };
    let table: toml::Table = toml::from_str(&uncommented()).unwrap();
    for (key, value) in &table {
        // The entries of lists of tables are examples, and so are builders and profile.
        let is_list = value.as_array().is_some_and(Vec::is_empty);
        if value.is_str() || value.is_bool() || is_list {
            let text = format!("{key} = {}\n", serde_json::to_string(value).unwrap());
            let is_example = ["builders", "profile"].contains(&key.as_str());
            assert_eq!(read(&text) == read(""), !is_example, "{text}");
        }
    }
}

#[test]
fn every_setting_has_a_line_on_what_it_does() {
    let text = template();
    let lines: Vec<&str> = text.lines().collect();
    for key in KEYS {
        let is_setting =
            |line: &&str| line.trim_start_matches(['#', '[']).split([' ', ']']).next() == Some(key);
        let at = lines
            .iter()
            .position(|line| !line.starts_with("# ") && is_setting(line))
            .unwrap();
        assert!(
            lines[at - 1].starts_with("# "),
            "{key} has no line above it"
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 125));
    }
}

/// Parses `text`, without a byte-order mark.
fn read(text: &str) -> Value {
    yaml_serde::from_str(text.trim_start_matches('\u{feff}')).unwrap()
}

/// Adds the hook to `text`, and checks that it makes one insertion and one entry.
fn added(text: &str) -> String {
    let HookOutcome::Added(new) = add_hook(text, "1.2.3") else {
        panic!("nothing added: {:?}", add_hook(text, "1.2.3"))
    };
    let (mut old, mut now): (Value, Value) = (read(text), read(&new));
    let is_first = old["repos"].as_sequence().is_none_or(Vec::is_empty);
    let line =
        |line: &&str| !(is_first && line.trim_start_matches('\u{feff}').starts_with("repos"));
    let rest = |text: &str| text.split_inclusive('\n').filter(line).collect::<String>();
    let (text, whole, new) = (&rest(text), &new, &rest(&new));
    let before = text
        .bytes()
        .zip(new.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let most = text.len() - before;
    let behind = text
        .bytes()
        .rev()
        .zip(new.bytes().rev())
        .take(most)
        .take_while(|(a, b)| a == b)
        .count();
    assert_eq!(before + behind, text.len(), "another byte changed:\n{new}");
    if is_first {
        old["repos"] = Value::Sequence(Vec::new());
    }
    let entry = now["repos"].as_sequence_mut().unwrap().pop().unwrap();
    assert_eq!(now, old);
    assert_eq!(entry["repo"].as_str(), Some(REPO));
    assert_eq!(entry["rev"].as_str(), Some("v1.2.3"));
    assert_eq!(entry["hooks"][0]["id"].as_str(), Some("cachelane"));
    assert_eq!(add_hook(whole, "1.2.3"), HookOutcome::Present);
    whole.clone()
}

#[test]
fn the_hook_is_written_like_its_neighbours() {
    let indented = "repos:\n  - repo: https://x/y\n    rev: v1\n    hooks:\n      - id: a\n";
    let ours = "  - repo: https://github.com/cachelane/cachelane\n    rev: v1.2.3\n    hooks:\n      - id: cachelane\n";
    assert_eq!(added(indented), format!("{indented}{ours}"));

    let flush = "# See the manual\nrepos:\n-   repo: https://x/y\n    rev: v1\n    hooks:\n    -   id: a\n        args: [--b]\n";
    let ours = "-   repo: https://github.com/cachelane/cachelane\n    rev: v1.2.3\n    hooks:\n    -   id: cachelane\n";
    assert_eq!(added(flush), format!("{flush}{ours}"));

    let airy = "repos:\n- repo: https://x/y\n  rev: v1\n  hooks: [{id: a}]\n\n# The linter\n- repo: https://x/z\n  rev: v1\n  hooks:\n  - id: a\n\nci:\n  skip: [a]\n";
    let (head, tail) = airy.split_at(airy.find("\nci:").unwrap());
    let ours = "\n- repo: https://github.com/cachelane/cachelane\n  rev: v1.2.3\n  hooks:\n  - id: cachelane\n";
    assert_eq!(added(airy), format!("{head}{ours}{tail}"));
}

#[test]
fn line_endings_comments_and_a_missing_last_newline_stay() {
    let crlf = "repos:\r\n  - repo: local\r\n    hooks:\r\n      - id: a\r\n";
    let new = added(crlf);
    assert!(
        new.lines().count() == 8 && new.split_inclusive('\n').all(|line| line.ends_with("\r\n")),
        "{new:?}"
    );

    let unended = "repos:\n- repo: local\n  hooks:\n  - id: a";
    assert_eq!(
        added(unended),
        format!(
            "{unended}\n- repo: https://github.com/cachelane/cachelane\n  rev: v1.2.3\n  hooks:\n  - id: cachelane"
        )
    );

    let commented = "repos:\n  - repo: local # ours\n    hooks:\n      - id: a\n      # - id: b\n  # - repo: later\n# end\n";
    let new = added(commented);
    assert!(
        new.contains("      # - id: b\n  - repo: https://github.com/cachelane/cachelane\n"),
        "{new}"
    );
    assert!(
        new.ends_with("      - id: cachelane\n  # - repo: later\n# end\n"),
        "{new}"
    );

    let first = "---\ndefault_language_version:\n  python: python3\nrepos:\n  -\n    repo: local\n    hooks:\n      - id: a\nfail_fast: true\n";
    added(first);
    added("\u{feff}repos:\n- repo: local\n  hooks:\n  - id: größe\n");
    added(
        "repos:\n- &x\n  repo: local\n  hooks:\n  - id: a\n- repo: meta\n  hooks: &h\n  - id: b\n",
    );
    added("repos:\n- {repo: local, hooks: [{id: a}]}\n");
    added("repos:\n- repo: local\n  hooks:\n  - id: a\n    entry: |\n      # a\n      b\n");
    added("repos:\n- repo: local\n  hooks:\n  - id: a\n    entry: |\n      b\n      # c\n...\n");
}

#[test]
fn what_cannot_be_added_to_is_left_alone() {
    for text in [
        "",
        "# nothing yet\n",
        "repos: &x []\n",
        "{repos: []}\n",
        "x: &x []\nrepos: *x\n",
        "repos: [\n]\n",
        "? repos\n: []\n",
        "repos: [{repo: local, hooks: [{id: a}]}]\n",
        "{repos: [{repo: local, hooks: [{id: a}]}]}\n",
        "minimum_pre_commit_version: '3'\n",
        "repos: *x\n",
        "x: &x\n- repo: local\n  hooks: []\nrepos: *x\n",
        "repos:\n- repo: local\n  hooks: []\n---\nrepos: []\n",
        "repos:\n- a: 1\n  a: 2\n",
        "repos:\n\t- repo: local\n",
        "- repo: local\n",
        "repos: text\n",
    ] {
        let answer = add_hook(text, "1.2.3");
        assert!(
            matches!(
                answer,
                HookOutcome::ByHand(_) | HookOutcome::ByHandInList(..)
            ),
            "{text:?} became {answer:?}"
        );
    }
    // A text to paste into an existing list does not begin it anew.
    let HookOutcome::ByHandInList(_, entry) =
        add_hook("repos: [{repo: local, hooks: [{id: a}]}]\n", "1.2.3")
    else {
        panic!()
    };
    let pasted = format!(
        "repos: [{{repo: local, hooks: [{{id: a}}]}}, {}]\n",
        entry.trim_end()
    );
    assert_eq!(add_hook(&pasted, "1.2.3"), HookOutcome::Present, "{pasted}");
    let HookOutcome::ByHandInList(_, entry) =
        add_hook("x: &x\n- repo: local\n  hooks: []\nrepos: *x\n", "1.2.3")
    else {
        panic!()
    };
    assert_eq!(format!("repos:\n{entry}"), snippet("1.2.3"));
}

#[test]
fn an_empty_list_gets_its_first_entry() {
    let ours = snippet("1.2.3");
    for text in ["repos: []\n", "repos:\n", "repos:   [ ]   \n", "repos: ~\n"] {
        if text.contains('~') {
            assert!(
                matches!(add_hook(text, "1.2.3"), HookOutcome::ByHandInList(..)),
                "{text:?}"
            );
        } else {
            assert_eq!(added(text), ours, "{text:?}");
        }
    }
    assert_eq!(added("repos: []"), ours.trim_end());
    assert_eq!(
        added("# a\nrepos: [] # none yet\nfail_fast: true\n"),
        format!(
            "# a\n{}fail_fast: true\n",
            ours.replace("repos:", "repos: # none yet")
        )
    );
    assert_eq!(
        added("repos: []\r\nci: {}\r\n"),
        format!("{}ci: {{}}\r\n", ours.replace('\n', "\r\n"))
    );
    added("\u{feff}---\nrepos:\n# later\n");
}

#[test]
fn a_hook_that_is_there_is_seen() {
    for text in [
        "repos: [{repo: https://github.com/cachelane/cachelane, rev: v0.1.0, hooks: [{id: cachelane-fix}]}]\n",
        "repos:\n- repo: git@example.org:fork/cachelane.git\n  rev: v0\n  hooks:\n  - id: x\n",
        "repos:\n- repo: local\n  hooks:\n  - id: a\n  - id: cachelane\n    entry: cachelane check\n",
    ] {
        assert_eq!(add_hook(text, "1.2.3"), HookOutcome::Present, "{text}");
    }
}

#[test]
fn what_is_to_be_pasted_is_a_configuration() {
    let value: Value = yaml_serde::from_str(&snippet("1.2.3")).unwrap();
    assert_eq!(
        value["repos"][0]["hooks"][0]["id"].as_str(),
        Some("cachelane")
    );
    assert_eq!(add_hook(&snippet("1.2.3"), "1.2.3"), HookOutcome::Present);
}

proptest! {
    #![proptest_config(effort::cases(100))]

    /// No file makes it panic, and [`added`] checks each result without the product's proof.
    #[test]
    fn odd_files_are_left_alone_or_get_one_entry(sound in any::<bool>(), pieces in prop::collection::vec(prop::sample::select(vec![
        "repos:", "repos: ", "\n", "\r\n", "- ", "-   ", "  - ", "    ", "  ", "repo: local\n", "repo: x\n", "hooks:\n", "- id: a\n",
        "hooks: []\n", "{", "}", "[", "]", "# c\n", "\n\n", "---\n", "...\n", "|\n", ">-\n", "&a ", "*a", "\"", "'", "ö: ", "ci: 1\n",
        "\t", "? ", ": ", "!!x ", "\u{feff}", "repos:\n- repo: x\n  hooks:\n  - id: a\n", "repos:\n  -   repo: x\n", ", ",
    ]), 0..14)) {
        let start = if sound { "repos:\n  - repo: x\n    hooks:\n      - id: a\n" } else { "" };
        let text = format!("{start}{}", pieces.concat());
        // Pre-commit refuses what the strict reader refuses, before and after.
        let sound = yaml_serde::from_str::<Value>(text.trim_start_matches('\u{feff}')).is_ok();
        if let (true, HookOutcome::Added(_)) = (sound, add_hook(&text, "1.2.3")) {
            added(&text);
        }
    }
}

fn init(folder: &std::path::Path) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cachelane"))
        .arg("init")
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[test]
fn init_writes_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".pre-commit-config.yaml");
    fs::write(&path, "repos:\n- repo: local\n  hooks: []\n").unwrap();
    let (output, text) = init(folder.path());
    assert!(
        output.status.success() && text.contains("the hook `cachelane` was added"),
        "{text}"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("cachelane.toml")).unwrap(),
        template()
    );
    let hooked = fs::read_to_string(&path).unwrap();
    assert!(hooked.contains(&format!("rev: v{}", env!("CARGO_PKG_VERSION"))));

    let (output, text) = init(folder.path());
    assert!(
        output.status.success() && text.matches("there already").count() == 2,
        "{text}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), hooked);
}

#[test]
fn init_leaves_what_it_does_not_understand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".pre-commit-config.yaml");
    fs::write(&path, "ci: {}\n").unwrap();
    fs::write(folder.path().join(".cachelane.toml"), "arg = \"X\"\n").unwrap();
    let (output, text) = init(folder.path());
    // A change left to the user is reported, and is no error.
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text.contains("it is left as it is. Put this into it:"),
        "{text}"
    );
    assert!(text.contains(&snippet(env!("CARGO_PKG_VERSION"))), "{text}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "ci: {}\n");
    fs::write(&path, "repos: [{repo: local, hooks: []}]\n").unwrap();
    let text = init(folder.path()).1;
    assert!(
        text.contains("Put this into that list:\n\n{repo: "),
        "{text}"
    );
    assert!(!text.contains("\nrepos:"), "{text}");
    assert!(!folder.path().join("cachelane.toml").exists());
}

#[test]
fn init_in_a_folder_finds_the_hooks_of_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let (sub, path) = (
        folder.path().join("docker"),
        folder.path().join(".pre-commit-config.yaml"),
    );
    fs::create_dir(&sub).unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(&path, "repos:\n- repo: local\n  hooks: []\n").unwrap();
    let (output, text) = init(&sub);
    assert!(
        output.status.success() && text.contains("pre-commit run cachelane"),
        "{text}"
    );
    assert!(fs::read_to_string(&path).unwrap().contains("id: cachelane"));
    assert!(sub.join("cachelane.toml").exists() && !sub.join(".pre-commit-config.yaml").exists());
}

#[test]
fn builders_of_their_own_are_proposed_where_all_builds_have_them() {
    let said = |runners: [&str; 2], more: Option<(&str, &str)>| {
        let folder = tempfile::tempdir().unwrap();
        let workflows = folder.path().join(".github/workflows");
        fs::create_dir_all(&workflows).unwrap();
        let mut text = "on: push\njobs:\n".to_owned();
        for (file, runner) in ["a", "b"].iter().zip(runners) {
            text += &format!(
                "  {file}:\n    runs-on: {runner}\n    steps:\n      - run: docker build -f {file}.Dockerfile .\n"
            );
        }
        fs::write(workflows.join("ci.yml"), text).unwrap();
        for file in ["a", "b"] {
            let run = format!("RUN --mount=type=cache,id={file},target=/x,sharing=locked true\n");
            let path = folder.path().join(format!("{file}.Dockerfile"));
            fs::write(path, format!("FROM debian\n{run}")).unwrap();
        }
        if let Some((name, text)) = more {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let (code, out, err) = cachelane(folder.path(), &["init"]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        out
    };
    let proposal = "`builders = \"per-job\"` in cachelane.toml fits: what builds the locked caches here run on machines of \
                    their own (ubuntu-24.04, ubuntu-latest), and nothing waits there\n";
    let hosted = ["ubuntu-latest", "ubuntu-24.04"];
    assert!(
        said(hosted, None).contains(proposal),
        "{}",
        said(hosted, None)
    );
    let old = "builders = \"per-job\"\n";
    for (runners, more) in [
        (["ubuntu-latest", "self-hosted"], None),
        (["self-hosted", "self-hosted"], None),
        (hosted, Some(("cachelane.toml", old))),
        (
            hosted,
            Some((
                "compose.yml",
                "services:\n  a:\n    build: {dockerfile: a.Dockerfile}\n",
            )),
        ),
    ] {
        let out = said(runners, more);
        assert!(!out.contains("builders"), "{runners:?} {more:?}: {out}");
    }
}

#[test]
fn init_writes_the_hooks_of_a_repository_without_any() {
    let folder = tempfile::tempdir().unwrap();
    let table = "[tool.cachelane]\narg = \"JOB\"\n";
    fs::write(folder.path().join("pyproject.toml"), table).unwrap();
    let (output, text) = init(folder.path());
    assert!(
        output.status.success()
            && text.contains(".pre-commit-config.yaml: written, with the hook `cachelane` in it")
            && text.contains("pre-commit run cachelane")
            && text.contains("pyproject.toml: it has a table `[tool.cachelane]`"),
        "{text}"
    );
    let hooks = fs::read_to_string(folder.path().join(".pre-commit-config.yaml")).unwrap();
    assert_eq!(hooks, snippet(env!("CARGO_PKG_VERSION")));
    assert!(!folder.path().join("cachelane.toml").exists());
}
