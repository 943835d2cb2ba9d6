//! Completions in a real shell, man pages in a real reader.
//!
//! A tool that is missing is said loudly, and fails where `CI` is set: `.ci/run` brings what is needed.

use std::fs;
use std::process::{Command, Output};

use crate::loud::left_out;

const COMMANDS: &[&str] = &[
    "check",
    "fix",
    "list",
    "rules",
    "explain",
    "config",
    "init",
    "builds",
    "locks",
    "id",
    "run",
    "completions",
    "man",
];

fn cachelane(args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_cachelane"))
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// Whether `tool` is there; where it is not, that is said, and is a failure in CI.
fn has(tool: &str) -> bool {
    let there = Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        left_out(
            "completions and man pages",
            &format!("there is no `{tool}` here"),
        );
    }
    there
}

/// What bash offers when `words` are typed and the last one is to be completed.
fn completed(script: &str, words: &[&str]) -> Vec<String> {
    let (last, before) = words.split_last().unwrap();
    let ask = r#"
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        handler=$(complete -p cachelane | sed 's/.*-F \([^ ]*\).*/\1/')
        "$handler" cachelane "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", ask, "bash", script])
        .args(before)
        .arg(last);
    let output = bash.output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    if !has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("cachelane.bash");
    fs::write(&script, cachelane(&["completions", "bash"]).stdout).unwrap();
    let script = script.to_str().unwrap();
    assert_eq!(completed(script, &["cachelane", "che"]), ["check"]);
    assert_eq!(
        completed(script, &["cachelane", "fix", "--dif"]),
        ["--diff"]
    );
    assert!(
        completed(script, &["cachelane", "check", "--format", "js"]).contains(&"json".to_owned())
    );
    assert_eq!(
        completed(script, &["cachelane", "completions", "fi"]),
        ["fish"]
    );
    let all = completed(script, &["cachelane", ""]);
    for command in COMMANDS {
        assert!(
            all.iter().any(|word| word == command),
            "{command} is not offered: {all:?}"
        );
    }
}

#[test]
fn every_shell_gets_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = String::from_utf8(cachelane(&["completions", shell]).stdout).unwrap();
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: nothing about {command}");
        }
    }
}

#[test]
fn man_pages_render_without_a_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let said = String::from_utf8(cachelane(&["man", pages.to_str().unwrap()]).stdout).unwrap();
    let mut names: Vec<String> = COMMANDS
        .iter()
        .map(|command| format!("cachelane-{command}.1"))
        .collect();
    names.push("cachelane.1".into());
    assert_eq!(said.lines().count(), names.len(), "{said}");
    assert_eq!(fs::read_dir(&pages).unwrap().count(), names.len());
    let groff = has("groff");
    for name in names {
        let path = pages.join(&name);
        assert!(
            said.contains(&format!("{}: written\n", path.display())),
            "{name}: {said}"
        );
        let page = fs::read(&path).unwrap();
        assert!(page.is_ascii() && page.starts_with(b".ie"), "{name}");
        if groff {
            let output = Command::new("groff")
                .args(["-man", "-Tutf8", "-ww", "-P-cbou"])
                .arg(&path)
                .output()
                .unwrap();
            assert!(
                output.status.success() && output.stderr.is_empty(),
                "{name}: {output:?}"
            );
            let text = String::from_utf8(output.stdout).unwrap();
            for part in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"] {
                assert!(
                    text.lines().any(|line| line == part),
                    "{name} has no {part}:\n{text}"
                );
            }
        }
    }
    // What is there already is written anew.
    fs::write(pages.join("cachelane.1"), "old").unwrap();
    cachelane(&["man", pages.to_str().unwrap()]);
    assert!(fs::read(pages.join("cachelane.1")).unwrap().len() > 100);
}
