//! The configuration: the effect of each key, the messages on bad ones, and no panic for any text.

use std::fs;
use std::path::Path;

use cachelane::config::{Config, Overrides, schema};
use cachelane::finding::{RuleId, Severity};
use proptest::prelude::*;

use crate::command::cachelane;
use crate::effort;

fn read(text: &str) -> Config {
    Config::read(text, Overrides::default())
        .unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

/// Returns the messages about `text`, each with the text at its place.
fn problems(text: &str) -> Vec<(String, String)> {
    let problems = Config::read(text, Overrides::default())
        .map(|_| ())
        .unwrap_err();
    let shown = |problem: cachelane::config::Problem| {
        (
            String::from_utf8_lossy(problem.span.of(text.as_bytes())).into_owned(),
            problem.message,
        )
    };
    problems.into_iter().map(shown).collect()
}

#[test]
fn every_key_has_its_effect() {
    let config = read(
        "arg = \"JOB\"\ndefault = \"local\"\nisolating-args = [\"ROS_DISTRO\"]\nnamespace = true\nbuilders = \"per-job\"\nrequire-syntax = true\n\
         keep-default = true\nprofile = \"railway\"\n",
    );
    let settings = config.settings(Path::new("Dockerfile"));
    assert_eq!(
        (settings.arg.as_str(), settings.default.as_str()),
        ("JOB", "local")
    );
    assert_eq!(settings.isolating, ["ROS_DISTRO"]);
    assert!(settings.namespace && settings.require_syntax && settings.keep_default);
    assert_eq!(settings.own_builders, Some(true));
    assert_eq!(
        settings.profile.map(|profile| profile.name),
        Some("railway")
    );
}

#[test]
fn later_entries_win_and_options_win_over_all() {
    let text = "[rules]\nshared-lock = \"off\"\nearly-arg = \"info\"\n[[per-file]]\npath = [\"a/**\", \"b\"]\n\
                rules = { shared-lock = \"warning\" }\n[[per-file]]\npath = \"a/x/*\"\nrules = { shared-lock = \"info\" }\n";
    let config = read(text);
    let level = |path: &str| {
        let settings = config.settings(Path::new(path));
        settings
            .is_on(RuleId::SharedLock)
            .then(|| settings.severities.get(&RuleId::SharedLock).copied())
    };
    assert_eq!(level("c/Dockerfile"), None);
    assert_eq!(level("a/Dockerfile"), Some(Some(Severity::Warning)));
    assert_eq!(level("a/x/Dockerfile"), Some(Some(Severity::Info)));
    assert_eq!(
        config
            .settings(Path::new("c"))
            .severities
            .get(&RuleId::EarlyArg),
        Some(&Severity::Info)
    );

    let overrides = Overrides {
        rules: vec![RuleId::SharedLock],
        arg: Some("LANE".into()),
        ..Overrides::default()
    };
    let settings = Config::read(text, overrides)
        .unwrap()
        .settings(Path::new("c/Dockerfile"));
    assert!(settings.is_on(RuleId::SharedLock) && !settings.is_on(RuleId::EarlyArg));
    assert_eq!(
        (
            settings.arg.as_str(),
            settings.severities.get(&RuleId::SharedLock)
        ),
        ("LANE", None)
    );

    let overrides = Overrides {
        ignore: vec![RuleId::EarlyArg],
        ..Overrides::default()
    };
    assert!(
        !Config::read("", overrides)
            .unwrap()
            .settings(Path::new("c"))
            .is_on(RuleId::EarlyArg)
    );
}

#[test]
fn a_severity_that_is_written_holds_for_all_findings_of_its_rule() {
    let config = read(
        "[rules]\nunpassed-arg = \"error\"\nearly-arg = \"info\"\n[[per-file]]\npath = \"a/*\"\n\
         rules = { early-arg = \"warning\", unpassed-arg = \"off\" }\n",
    );
    let levels = |path: &str| {
        let settings = config.settings(Path::new(path));
        [RuleId::UnpassedArg, RuleId::EarlyArg, RuleId::SharedLock]
            .map(|rule| settings.severities.get(&rule).copied())
    };
    assert_eq!(
        levels("b"),
        [Some(Severity::Error), Some(Severity::Info), None]
    );
    // A rule's own level counts as configured, too.
    assert_eq!(levels("a/b"), [None, Some(Severity::Warning), None]);
    assert!(!config.settings(Path::new("a/b")).is_on(RuleId::UnpassedArg));

    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    write(
        "Dockerfile",
        "FROM debian\nARG CACHE_ID=default\nRUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked true\n",
    );
    write("compose.yaml", "services:\n  app:\n    build: .\n");
    let severities = |args: &[&str]| {
        let (_, out, err) = cachelane(
            folder.path(),
            &[&["check", "--format", "concise", "--quiet"], args].concat(),
        );
        out.lines()
            .filter_map(|line| Some(line.split(": ").nth(1)?.split('[').next()?.to_owned()))
            .collect::<Vec<_>>()
            .join(" ")
            + &err
    };
    assert_eq!(severities(&[]), "warning");
    write("cachelane.toml", "[rules]\nunpassed-arg = \"error\"\n");
    assert_eq!(severities(&[]), "error");
    assert_eq!(severities(&["--rules", "unpassed-arg"]), "error");
    assert_eq!(severities(&["--no-config"]), "warning");
    write(
        "cachelane.toml",
        "[rules]\nunpassed-arg = \"info\"\n[[per-file]]\npath = \"*.yaml\"\nrules.unpassed-arg = \"error\"\n",
    );
    assert_eq!(severities(&[]), "error");
}

#[test]
fn what_is_shown_can_be_pasted() {
    let page = cachelane(tempfile::tempdir().unwrap().path(), &["config", "show"]).1;
    let read_again = read(&page).settings(Path::new("Dockerfile"));
    // The rules with two severities keep both.
    assert!(
        page.contains("#unpassed-arg = \"error\" ")
            && page.contains("built in; \"warning\" outside"),
        "{page}"
    );
    assert_eq!(read_again.severities.get(&RuleId::UnpassedArg), None);
    assert_eq!(
        read_again.severities.get(&RuleId::UndeclaredArg),
        Some(&Severity::Error)
    );
}

#[test]
fn globs_for_what_is_there_are_not_called_idle() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| put(folder.path(), path, text);
    let said = || {
        let err = cachelane(folder.path(), &["check", "--format", "concise"]).2;
        err.lines()
            .filter_map(|line| line.split("no file matches ").nth(1).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    write(".gitignore", "vendor/\n");
    write("docker/Dockerfile.dev", LOCKED);
    write("deploy/compose.yaml", "services: {}\n");
    write("deploy/docker/Dockerfile", LOCKED);
    write(
        "deploy/cachelane.toml",
        "include = [\"docker/*\", \"compose.yaml\", \"*.tmpl\"]\n",
    );
    // `docker/*` and `compose.yaml` match files that are found by name anyway.
    write("cachelane.toml", "include = [\"docker/*\", \"none/*\"]\n");
    assert_eq!(said(), ["`none/*`", "`*.tmpl`"]);
    write("deploy/cachelane.toml", "");
    // `vendor/` may come and go, and `empty/` has nothing in it; `vendr/` is a slip.
    fs::create_dir(folder.path().join("empty")).unwrap();
    write(
        "cachelane.toml",
        "exclude = [\"vendor/\", \"empty/**\", \"vendr/\", \"docker/\"]\n",
    );
    assert_eq!(said(), ["`vendr/`"]);
    write("vendor/Dockerfile", LOCKED);
    assert_eq!(said(), ["`vendr/`"]);
    fs::write(folder.path().join(".gitignore"), "").unwrap();
    assert_eq!(said(), ["`vendr/`"]);
}

#[test]
fn everything_wrong_is_said_with_its_place() {
    for (text, place, part) in [
        ("exlude = []", "exlude", "unknown field"),
        ("arg = 3", "3", "expected a string"),
        (
            "arg = \"PATH\"",
            "\"PATH\"",
            "means something to builds already",
        ),
        ("default = \"a b\"", "\"a b\"", "would break"),
        (
            "isolating-args = [\"A\", \"1\"]",
            "\"1\"",
            "a letter or underscore",
        ),
        ("profile = \"heroku\"", "\"heroku\"", "no profile"),
        (
            "[rules]\nshared-lok = \"off\"",
            "shared-lok",
            "Did you mean `shared-lock`",
        ),
        (
            "[rules]\nearly-arg = \"warn\"",
            "\"warn\"",
            "unknown variant",
        ),
        ("exclude = [\"a\", \"[\"]", "\"[\"", "not a glob"),
        ("[[per-file]]\npath = \"\"", "\"\"", "empty glob"),
        (
            "[[per-file]]\nrules = {}",
            "[[per-file]]\nrules = {}",
            "missing field `path`",
        ),
        ("namespace = \"yes\"", "\"yes\"", "expected a boolean"),
        ("arg = \"A\"\narg = \"B\"", "arg", "duplicate key"),
        ("arg = \"A", "", ""),
    ] {
        let found = problems(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].1.contains(part), "{text}: {found:?}");
        assert!(
            place.is_empty() || found[0].0.contains(place.trim()) || place.contains(&found[0].0),
            "{text}: {found:?}"
        );
    }
    assert_eq!(
        problems("arg = \"PATH\"\nprofile = \"x\"\ndefault = \"\"\n[rules]\nx = \"off\"").len(),
        4
    );
}

#[test]
fn what_stands_in_the_wrong_place_is_told_the_right_one() {
    let helps = |text: &str| -> Vec<Option<String>> {
        let problems = Config::read(text, Overrides::default())
            .map(|_| ())
            .unwrap_err();
        problems.into_iter().map(|problem| problem.help).collect()
    };
    for (text, part) in [
        (
            "[[per-file]]\npath = \"a\"\nexclude = [\"b\"]",
            "`exclude` is for all files: put it at the top",
        ),
        (
            "[[per-file]]\npath = \"a\"\narg = \"b\"",
            "put it at the top",
        ),
        (
            "[[per-file]]\npath = \"a\"\nshared-lock = \"off\"",
            "rules = { shared-lock =",
        ),
        ("[rules]\nnamespace = \"off\"", "put it at the top"),
        ("shared-lock = \"error\"", "under `[rules]`"),
        ("path = \"a\"", "under `[[per-file]]`"),
        ("exlude = []", "did you mean `exclude`?"),
        ("requiresyntax = true", "did you mean `require-syntax`?"),
        (
            "[[per-file]]\npath = \"a\"\nruls = {}",
            "did you mean `rules`?",
        ),
    ] {
        let helps = helps(text);
        assert!(
            helps.len() == 1 && helps[0].as_ref().is_some_and(|help| help.contains(part)),
            "{text}: {helps:?}"
        );
    }
    // Only near words are suggested, and never the word itself.
    for text in [
        "zzz = 1",
        "[rules]\nrules = \"off\"",
        "[rules]\nzzz = \"off\"",
        "[[per-file]]\npath = \"a\"\nper-file = 1",
    ] {
        assert_eq!(helps(text), [None], "{text}");
    }
}

#[test]
fn each_glob_of_a_list_has_its_own_place() {
    let text =
        "[[per-file]]\npath = [\"a\", \"[\", \"b\", \"\"]\n[[per-file]]\npath = [\"c\", 3]\n";
    assert_eq!(
        problems(text),
        [(
            "3".into(),
            "invalid type: integer `3`, expected a string".to_owned()
        )]
    );
    let text = text.replace(", 3", "");
    let places: Vec<String> = problems(&text)
        .into_iter()
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, ["\"[\"", "\"\""]);
    let text = text.replace("\"[\", ", "").replace(", \"\"", "");
    let config = read(&text);
    let _ = config.settings(Path::new("b"));
    let idle = config.idle(|_| false);
    let places: Vec<&[u8]> = idle
        .iter()
        .map(|problem| problem.span.of(text.as_bytes()))
        .collect();
    assert_eq!(places, [b"\"a\"", b"\"c\""]);
    assert_eq!(
        problems("[[per-file]]\npath = 3"),
        [(
            "3".into(),
            "invalid type: integer `3`, expected a glob or a list of globs".to_owned()
        )]
    );
}

#[test]
fn globs_that_match_nothing_are_known() {
    let config = read("exclude = [\"vendor/\", \"gone/\"]\n[[per-file]]\npath = \"legacy/**\"\n");
    assert!(config.excludes(Path::new("vendor/a/Dockerfile"), None));
    let _ = config.settings(Path::new("a/Dockerfile"));
    let idle = |left_out: &str| -> Vec<String> {
        let idle = config.idle(|path| path == Path::new(left_out));
        idle.into_iter().map(|problem| problem.message).collect()
    };
    let all = idle("");
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(
        all[0].contains("`gone/`") && all[1].contains("`legacy/**`"),
        "{all:?}"
    );
    // Globs for files that no search meets need not match; the others have to.
    assert_eq!(idle("gone"), all[1..]);
    assert_eq!(idle("legacy"), all);
}

#[test]
fn the_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cachelane.schema.json");
    if std::env::var_os("CACHELANE_BLESS").is_some() {
        fs::write(&path, schema()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(
        written,
        schema(),
        "docs/cachelane.schema.json is not what the code makes"
    );
}

#[test]
fn globs_of_names_match_anywhere_and_paths_from_the_folder() {
    let excludes = |glob: &str, path: &str| {
        let config = read(&format!("exclude = [\"{glob}\"]"));
        config.excludes(Path::new(path), None)
    };
    for (glob, path) in [
        ("vendor/", "vendor/a/Dockerfile"),
        ("vendor", "a/vendor/b/Dockerfile"),
        ("/vendor", "vendor/Dockerfile"),
        ("a/*/Dockerfile", "a/b/Dockerfile"),
        ("./a/**", "a/b/c/Dockerfile"),
        ("*.tmpl", "a/x.tmpl"),
        ("**/old/*", "a/old/Dockerfile"),
    ] {
        assert!(excludes(glob, path), "{glob} {path}");
    }
    for (glob, path) in [
        ("/vendor", "a/vendor/Dockerfile"),
        ("a/*", "b/a/Dockerfile"),
        ("*.tmpl", "a/x.tmpl2"),
        ("a/*/Dockerfile", "a/b/c/Dockerfile"),
    ] {
        assert!(!excludes(glob, path), "{glob} {path}");
    }
    let (path, root) = (Path::new("vendor/a/Dockerfile"), Some(Path::new("vendor")));
    assert!(!read("exclude = [\"vendor\"]").excludes(path, root));
    assert!(read("exclude = [\"vendor\", \"a\"]").excludes(path, root));
}

#[test]
fn some_globs_are_paths() {
    for (glob, path) in [
        ("vendor/", "vendor"),
        ("./a/b", "a/b"),
        ("/vendor/**", "vendor"),
        ("**/node_modules/*", "node_modules"),
        ("*.old", ""),
        ("a/*/b", ""),
        ("{a,b}", ""),
    ] {
        let config = read(&format!("exclude = [\"{glob}\"]"));
        let idle = config.idle(|left_out| left_out == Path::new(path));
        assert_eq!(idle.len(), usize::from(path.is_empty()), "{glob}");
    }
}

fn put(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const LOCKED: &str = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";

#[test]
fn the_nearest_one_holds_alone() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| put(folder.path(), path, text);
    for path in [
        "Dockerfile",
        "a/Dockerfile",
        "a/b/Dockerfile",
        "c/Dockerfile",
        "c/vendor/Dockerfile",
    ] {
        write(path, LOCKED);
    }
    write("c/deploy/image.tmpl", LOCKED);
    write(
        "cachelane.toml",
        "arg = \"ROOT\"\n[rules]\nshared-lock = \"info\"\n",
    );
    write("a/.cachelane.toml", "arg = \"INNER\"\n");
    write(
        "c/cachelane.toml",
        "include = [\"*.tmpl\"]\nexclude = [\"vendor\"]\n[rules]\nshared-lock = \"warning\"\n",
    );
    let (code, out, err) = cachelane(folder.path(), &["check", "--format", "json"]);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let mut found: Vec<(String, String, bool)> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let help = f["help"].as_str().unwrap();
            let text = |key: &str| f[key].as_str().unwrap().to_owned();
            (text("path"), text("severity"), help.contains("INNER"))
        })
        .collect();
    found.sort();
    let expect = |path: &str, severity: &str, inner| (path.to_owned(), severity.to_owned(), inner);
    let expected = [
        expect("Dockerfile", "info", false),
        expect("a/Dockerfile", "error", true),
        expect("a/b/Dockerfile", "error", true),
        expect("c/Dockerfile", "warning", false),
        expect("c/deploy/image.tmpl", "warning", false),
    ];
    assert_eq!(found, expected);

    // Named files are checked, unless the user applies exclusions to them too.
    assert_eq!(
        cachelane(folder.path(), &["check", "c/vendor/Dockerfile"]).0,
        1
    );
    assert_eq!(cachelane(folder.path(), &["check", "c/vendor"]).0, 1);
    assert_eq!(
        cachelane(
            folder.path(),
            &["check", "--force-exclude", "c/vendor/Dockerfile"]
        )
        .0,
        0
    );
    assert_eq!(
        cachelane(folder.path(), &["check", "--force-exclude", "c/vendor"]).0,
        0
    );
    let args = ["check", "-v", "--config", "cachelane.toml", "a"];
    let (_, out, _) = cachelane(folder.path(), &args);
    assert!(out.contains("ROOT") && !out.contains("INNER"), "{out}");
    let (_, out, _) = cachelane(folder.path(), &["check", "--no-config", "a"]);
    assert!(out.contains("CACHE_ID") && !out.contains("INNER"), "{out}");
}

/// Nothing is merged: an outer configuration's `include` and `exclude` end at a nearer one.
#[test]
fn what_is_searched_is_for_the_nearest_one_to_say() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| put(folder.path(), path, text);
    for path in [
        "vendor/Dockerfile",
        "n/vendor/Dockerfile",
        "n/build.txt",
        "build.txt",
        "n/skip/deep/Dockerfile",
    ] {
        write(path, LOCKED);
    }
    write(
        "cachelane.toml",
        "include = [\"*.txt\"]\nexclude = [\"**/vendor\"]\n",
    );
    write("n/cachelane.toml", "exclude = [\"skip\"]\n");
    write("n/skip/deep/cachelane.toml", "");
    let (_, out, err) = cachelane(folder.path(), &["check", "--format", "concise", "--quiet"]);
    let found: Vec<&str> = out
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        (found, err.as_str()),
        (vec!["build.txt", "n/vendor/Dockerfile"], "")
    );
}

#[test]
fn a_broken_one_leaves_its_files_out_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("bad/deep")).unwrap();
    fs::write(folder.path().join("Dockerfile"), LOCKED).unwrap();
    fs::write(folder.path().join("bad/deep/Dockerfile"), LOCKED).unwrap();
    fs::write(
        folder.path().join("bad/cachelane.toml"),
        "arg = \"A\"\nnonsense = 1\n",
    )
    .unwrap();
    for command in ["check", "fix", "list"] {
        let (code, out, err) = cachelane(folder.path(), &[command]);
        assert_eq!(code, 2, "{out}{err}");
        assert!(
            err.contains("bad/cachelane.toml:2:1") && err.contains("nonsense"),
            "{err}"
        );
        assert!(
            out.contains("Dockerfile") && !out.contains("bad/deep"),
            "{out}"
        );
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("bad/deep/Dockerfile")).unwrap(),
        LOCKED
    );
}

/// Returns good and bad pieces of configurations.
fn piece() -> impl Strategy<Value = String> {
    let keys = "arg|default|isolating-args|include|exclude|namespace|require-syntax|keep-default|profile|rules|path|id|reason|x";
    let value = prop_oneof![
        "\"[a-zA-Z_*/.\\[{!?-]{0,8}\"",
        "(true|false|1|1.5|\"\"|''|\\[\\]|\\{\\}|1979-05-27)",
        "\\[(\"[a-zA-Z_*/]{0,6}\"(, )?){0,3}\\]",
        "\\{ ?(shared-lock|lock-order|x) = \"(off|info|warning|error|warn)\" ?\\}",
        "\"(railway|CACHE_ID|PATH|vendor/|\\*\\*/a|a\\[b|\\u00e9)\"",
    ];
    prop_oneof![
        5 => (keys, value).prop_map(|(key, value)| format!("{key} = {value}\n")),
        1 => Just("[rules]\n".to_owned()),
        1 => Just("[[per-file]]\n".to_owned()),
        1 => Just("[[exempt]]\n".to_owned()),
        2 => "(shared-lock|early-arg|x) = \"(off|info|warning|error|warn)\"\n",
        1 => "#[ -~]{0,20}\n",
        1 => "[ -~\u{e9}\u{1b}\n]{0,12}",
    ]
}

proptest! {
    #![proptest_config(effort::cases(100))]

    #[test]
    fn no_configuration_makes_it_panic(pieces in prop::collection::vec(piece(), 0..8), path in "[a-z/*]{0,12}") {
        let text = pieces.concat();
        match Config::read(&text, Overrides::default()) {
            Ok(config) => {
                let path = Path::new(&path);
                let _ = config.settings(path);
                prop_assert!(!config.show(path, &text).is_empty());
                let _ = config.excludes(path, None);
                let _ = config.includes(path);
                let _ = config.idle(|_| false);
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(problem.span.end <= text.len() && !problem.message.is_empty());
                }
            }
        }
    }
}

/// A configuration that a repository brought never shows what lies outside of it, nor waits for a pipe.
#[cfg(unix)]
#[test]
fn a_configuration_is_not_read_from_outside() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("environ");
    fs::write(&secret, "TOKEN=hunter2\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (here, config) = (folder.path(), folder.path().join("sub/cachelane.toml"));
    fs::create_dir_all(here.join(".git")).unwrap();
    fs::create_dir(here.join("sub")).unwrap();
    let locked = "FROM debian\nRUN --mount=type=cache,id=a,target=/x,sharing=locked true\n";
    fs::write(here.join("sub/Dockerfile"), locked).unwrap();
    let commands: [&[&str]; 6] = [
        &["check", "sub"],
        &["fix", "--diff", "sub"],
        &["list", "sub"],
        &["config", "show", "sub"],
        &["id", "--format", "env"],
        &["run", "--dry-run", "--", "docker", "build", "."],
    ];
    for target in [secret.as_path(), Path::new("/nowhere/at/all")] {
        symlink(target, &config).unwrap();
        for args in commands {
            let at = if args.contains(&"sub") {
                here.to_path_buf()
            } else {
                here.join("sub")
            };
            let (code, out, err) = cachelane(&at, args);
            assert!(
                !format!("{out}{err}").contains("hunter2"),
                "{args:?}: {out}{err}"
            );
            assert!(
                err.contains("cannot read the configuration"),
                "{args:?}: {err}"
            );
            assert!(args[0] != "check" || code == 2, "{args:?}: {code}");
        }
        fs::remove_file(&config).unwrap();
    }
    // One that stays in the repository is read.
    fs::write(here.join("all.toml"), "arg = \"JOB\"\n").unwrap();
    symlink("../all.toml", &config).unwrap();
    let (_, out, _) = cachelane(here, &["check", "sub"]);
    assert!(out.contains("${JOB}"), "{out}");
}

#[test]
fn pythons_file_of_tools_may_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir_all(here.join("a/b")).unwrap();
    fs::write(
        here.join("a/b/Dockerfile"),
        "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n",
    )
    .unwrap();
    let put = |path: &str, text: &str| fs::write(here.join(path), text).unwrap();
    let code = || cachelane(here, &["check", "-q"]).0;
    let said = || cachelane(here, &["check"]).2;
    let table = "[project]\nname = \"x\"\n\n[tool.cachelane]\nexclude = [\"old\"]\n\n[tool.cachelane.rules]\n";
    put(
        "pyproject.toml",
        &format!("{table}shared-lock = \"info\"\n"),
    );
    assert_eq!(code(), 0);
    assert_eq!(
        cachelane(here, &["check", "-q", "--config", "pyproject.toml", "a"]).0,
        0
    );
    // The file of its own wins beside it, and the nearer one.
    put("cachelane.toml", "");
    assert_eq!(code(), 1);
    fs::remove_file(here.join("cachelane.toml")).unwrap();
    put(
        "a/pyproject.toml",
        "tool = { cachelane = { rules = { shared-lock = \"error\" } } }\n",
    );
    assert_eq!(code(), 1);
    // What is of other tools says nothing, broken or not.
    for other in [
        "[tool.black]\n",
        "[project]\ndependencies = [\"cachelane\"]\n",
        "cachelane = [\n",
        "[tool.black\n",
        "\u{0}",
    ] {
        put("a/pyproject.toml", other);
        assert_eq!(code(), 0, "{other:?}: {}", said());
    }
    // Problems have their place in the whole file.
    put(
        "a/pyproject.toml",
        &format!("{table}shared-lok = \"info\"\n"),
    );
    assert_eq!(code(), 2);
    assert!(said().contains("[a/pyproject.toml:8:1]"), "{}", said());
    put("a/pyproject.toml", "[tool.cachelane]\narg = \n");
    assert!(said().contains("[a/pyproject.toml:2:"), "{}", said());
    put("a/pyproject.toml", "[tool.black]\n");
    let (code, _, err) = cachelane(here, &["check", "--config", "a/pyproject.toml"]);
    assert!(
        code == 2 && err.contains("it has no table `[tool.cachelane]`"),
        "{err}"
    );
}
