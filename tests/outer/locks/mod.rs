//! The pictures of the map of locks, drawn by the programs that people draw them with: Graphviz, and Mermaid from npm.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, str};

use serde_json::Value;

use crate::command::cachelane;
use crate::pages;

/// The packages that `parse.mjs` needs, pinned.
const PACKAGES: &[&str] = &["mermaid@11.12.2", "jsdom@26.1.0"];

/// A map in each format.
struct Pictures {
    /// For messages.
    name: String,
    mermaid: String,
    dot: String,
}

impl Pictures {
    fn of(name: String, folder: &Path) -> Self {
        let locks = |format: &str| {
            let (code, out, err) = cachelane(folder, &["locks", "--format", format]);
            assert!(code == 0 || code == 2, "{name}: {err}");
            out
        };
        Self {
            mermaid: locks("mermaid"),
            dot: locks("dot"),
            name,
        }
    }

    /// Returns the number of boxes and of arrows, by the beginnings of the lines of the graph.
    fn size(&self) -> (usize, usize) {
        let is_of = |line: &&str, next: &str| {
            let rest = line.strip_prefix("  n").unwrap_or_default();
            rest.trim_start_matches(|ch: char| ch.is_ascii_digit())
                .starts_with(next)
        };
        let count = |next: &str| self.dot.lines().filter(|line| is_of(line, next)).count();
        (count(" [label="), count(" -> "))
    }
}

/// Returns the pictures of the cases of rules on builds, of the project of `tests/cmd`, and of names made to break out.
fn pictures() -> Vec<Pictures> {
    let mut all = Vec::new();
    for case in pages::cases("builds").iter().step_by(5) {
        let work = tempfile::tempdir().unwrap();
        fs::create_dir(work.path().join(".git")).unwrap();
        for file in &case.files {
            let path = work.path().join(&file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.bytes()).unwrap();
        }
        all.push(Pictures::of(case.place(), work.path()));
    }
    let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/locks.in");
    all.push(Pictures::of("tests/cmd/locks.in".into(), &shown));
    let work = tempfile::tempdir().unwrap();
    let ids = [
        "\"]; n0 --> n9",
        "</text><script>",
        "end",
        "a#quot;b",
        "%% x",
        "subgraph",
        "`x`",
        "\\\\\" -> n7",
        "é↵…",
        "n0:::waits",
    ];
    for (number, id) in ids.iter().enumerate() {
        let folder = work.path().join(format!("{number} end\"]--x"));
        fs::create_dir(&folder).unwrap();
        let id = id.replace(',', "");
        let text = format!(
            "FROM debian AS end\nRUN --mount=type=cache,\"id={}\",target=/x,sharing=locked x\n",
            id.replace('"', "\\\"")
        );
        fs::write(folder.join("Dockerfile"), text).unwrap();
    }
    let hostile = Pictures::of("hostile names".into(), work.path());
    assert!(hostile.size().0 > 7, "{}", hostile.mermaid);
    all.push(hostile);
    all
}

#[test]
fn the_map_of_locks_is_drawn() {
    let all = pictures();
    let drawn = all.iter().filter(|one| one.size() > (2, 0)).count();
    assert!(drawn > 30, "{drawn} of {}", all.len());
    let texts: Vec<&str> = all.iter().map(|one| one.mermaid.as_str()).collect();
    let answers = said(
        Command::new("node")
            .arg(own("parse.mjs"))
            .current_dir(packages()),
        &serde_json::to_string(&texts).unwrap(),
    );
    let answers: Vec<Value> = serde_json::from_str(&answers).unwrap();
    assert_eq!(answers.len(), all.len());
    for (one, answer) in all.iter().zip(&answers) {
        assert_eq!(answer["error"], "", "{}\n{}", one.name, one.mermaid);
        let (boxes, arrows) = one.size();
        assert_eq!(
            (&answer["boxes"], &answer["arrows"]),
            (&boxes.into(), &arrows.into()),
            "{}\n{}",
            one.name,
            one.mermaid
        );
    }
    let dots: String = all.iter().map(|one| one.dot.as_str()).collect();
    let drawn = said(Command::new("dot").arg("-Tplain"), &dots);
    let graphs: Vec<&str> = drawn
        .split("stop\n")
        .filter(|graph| !graph.is_empty())
        .collect();
    assert_eq!(graphs.len(), all.len());
    for (one, graph) in all.iter().zip(graphs) {
        let count = |what: &str| graph.lines().filter(|line| line.starts_with(what)).count();
        let size = (count("node "), count("edge "));
        assert_eq!(size, one.size(), "{}\n{}", one.name, one.dot);
    }
}

fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/outer/locks")
        .join(name)
}

/// Returns the folder with Mermaid, made on first use and kept from one run to the next.
fn packages() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("locks-npm");
    let (marker, wanted) = (folder.join("complete"), PACKAGES.join("\n"));
    if fs::read_to_string(&marker).is_ok_and(|there| there == wanted) {
        return folder;
    }
    fs::create_dir_all(&folder).unwrap();
    let npm = [
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--silent",
        "--prefix",
    ];
    said(
        Command::new("npm").args(npm).arg(&folder).args(PACKAGES),
        "",
    );
    fs::write(&marker, wanted).unwrap();
    folder
}

/// Returns what `command` says about `input`; where it cannot start or fails, so does the test.
fn said(command: &mut Command, input: &str) -> String {
    const NEEDS: &str = "The pictures are drawn by Graphviz, and by Mermaid on Node (Debian: graphviz, nodejs, npm)";
    let started = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut process = started.unwrap_or_else(|error| panic!("{NEEDS}: {command:?}: {error}"));
    let mut stdin = process.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = stdin.write_all(input.as_bytes());
        });
        process.wait_with_output().unwrap()
    });
    let err = str::from_utf8(&output.stderr).unwrap_or_default();
    assert!(output.status.success(), "{NEEDS}: {command:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}
