//! Beside real shells: how a line is split into words, and a line that `cachelane run` prints.

use std::process::Command;

use cachelane::builds::shell::{self, Dialect};
use proptest::prelude::*;

use crate::effort;

proptest! {
    #![proptest_config(effort::cases(40))]

    /// Quotes, escapes, continuations and comments split a line into the words that the system's shell splits it into.
    #[test]
    fn words_are_those_of_a_real_shell(pieces in proptest::collection::vec(proptest::sample::select(vec![
        "a", "b=", "-c", " ", " ", "'", "'", "\"", "\"", "\\", "\\\n", "\t", "#", "\\'", "\\\"", "'x y'", "\"x y\"", "=",
    ]), 0..14)) {
        let script = format!("docker build {}\n", pieces.concat());
        let shell = format!("set -f\ndocker() {{ for word; do printf '%s\\037' \"$word\"; done; }}\n{script}");
        let output = Command::new("sh").arg("-c").arg(shell).output().unwrap();
        if output.status.success() {
            let expected = String::from_utf8(output.stdout).unwrap();
            let found = shell::read(&script, Some(""), Dialect::Posix, &|_| None);
            let words: String = found[0].words[1..].iter().map(|word| word.written() + "\u{1f}").collect();
            prop_assert_eq!(words, expected, "{}", script);
        }
    }
}

#[test]
fn a_dry_run_can_be_pasted() {
    let awkward = [
        "a b",
        "it's",
        "$HOME",
        "*",
        "",
        "~",
        "a\nb",
        "\u{1b}[2J",
        "größe",
        "#x",
        "a=b",
    ];
    let dry = Command::new(env!("CARGO_BIN_EXE_cachelane"))
        .args(["run", "--lane", "l", "--dry-run", "--", "printf", "%s|"])
        .args(awkward)
        .output()
        .unwrap();
    assert!(dry.status.success());
    assert!(
        !dry.stdout.contains(&0x1b),
        "what a terminal obeys is not printed raw"
    );
    let line = String::from_utf8(dry.stdout).unwrap();
    let pasted = Command::new("bash").arg("-c").arg(&line).output().unwrap();
    let expected = awkward.map(|word| format!("{word}|")).concat();
    assert_eq!(String::from_utf8_lossy(&pasted.stdout), expected, "{line}");
}
