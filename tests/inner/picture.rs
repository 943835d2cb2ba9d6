//! The picture at the top of the README, a terminal with cachelane's output. `tests/bless` draws it anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use anstyle_svg::Term;

const FILE: &str = "snippet.Dockerfile";

/// The colours of an old terminal, and brighter ones for a dark screen.
const COLOURS: &[(&str, &str)] = &[
    ("fill: #AAAAAA", "fill: #d4dae0"),
    ("fill: #000000", "fill: #12161c"),
    ("fill: #00AAAA", "fill: #56c8d8"),
    ("fill: #AA00AA", "fill: #e0a0f0"),
    ("fill: #AA0000", "fill: #ff7b72"),
    ("opacity: 0.4", "opacity: 0.65"),
];

/// Returns the output of a command in the shipped example.
fn printed(root: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    command
        .args(args)
        .args(["--color", "always"])
        .current_dir(root.join("example"))
        .env("COLUMNS", "100")
        .env_remove("GITHUB_ACTIONS");
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn the_picture_shows_what_the_command_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let prompt = |command: &str| format!("\u{1b}[1m$ cachelane {command}\u{1b}[0m\n");
    let screen = [
        prompt("locks"),
        printed(root, &["locks"]),
        "\n".into(),
        prompt(&format!("check {FILE}")),
        printed(root, &["check", FILE]),
    ]
    .concat();
    // A dark screen reads the same on a light page and on a dark one.
    let picture = Term::new().render_svg(screen.trim_end());
    let picture: String = picture
        .lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect();
    let picture = COLOURS.iter().fold(picture, |picture, (dull, clear)| {
        picture.replacen(dull, clear, 1)
    });
    assert!(
        COLOURS.iter().all(|(_, clear)| picture.contains(clear)),
        "a colour is not where it was:\n{picture}"
    );
    let path = root.join("docs/picture.svg");
    if std::env::var_os("CACHELANE_BLESS").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        picture,
        "docs/picture.svg does not show what cachelane says"
    );
}
