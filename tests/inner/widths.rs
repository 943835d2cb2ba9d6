//! What people see at the width of their terminal, on one project.

use std::path::Path;
use std::process::Command;

/// Returns what a command prints at a width, in columns.
fn printed(folder: &Path, args: &[&str], width: usize) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cachelane"))
        .args(args)
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .env("COLUMNS", width.to_string())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn project() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/locks.in")
}

const COMMANDS: &[(&str, &[&str])] = &[
    ("locks", &["locks"]),
    ("check", &["check"]),
    ("list", &["list"]),
    ("builds", &["builds"]),
    ("rules", &["rules"]),
    ("statistics", &["check", "--statistics"]),
];

#[test]
fn every_command_is_as_recorded_at_each_width() {
    for (name, args) in COMMANDS {
        for width in [60, 80, 200] {
            insta::assert_snapshot!(format!("{name}-{width}"), printed(&project(), args, width));
        }
    }
    for format in ["dot", "json"] {
        insta::assert_snapshot!(
            format!("locks.{format}"),
            printed(&project(), &["locks", "--format", format], 80)
        );
    }
}

/// The last line of a report is a sentence, which a terminal folds.
#[test]
fn no_row_is_wider_than_the_terminal() {
    for (name, args) in COMMANDS {
        for width in [60, 80, 100, 200] {
            let text = printed(&project(), args, width);
            let (rows, _) = text.rsplit_once("\n\n").unwrap_or((&text, ""));
            let is_sentence = |line: &&str| line.ends_with('.');
            for line in rows.lines().filter(|line| !is_sentence(line)) {
                assert!(line.chars().count() <= width, "{name} at {width}: {line}");
            }
        }
    }
}

/// Locks that the same RUN takes are one block.
#[test]
fn the_locks_of_one_run_are_one_block() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |id: &str| format!("--mount=type=cache,id={id},target=/{id},sharing=locked");
    let both = format!("RUN {} \\\n    {} make\n", mount("apt"), mount("lists"));
    let text = |runs: &str| {
        std::fs::write(
            folder.path().join("Dockerfile"),
            format!("FROM debian\n{runs}"),
        )
        .unwrap();
        printed(folder.path(), &["check", "--rules", "shared-lock"], 80)
    };
    let one = text(&both.repeat(2));
    assert_eq!(one.matches("wait for each other").count(), 1, "{one}");
    assert!(one.contains("the same for `lists`"), "{one}");
    assert!(one.contains("the same on line 4"), "{one}");
    assert!(one.contains("4 findings in 1 file"), "{one}");
    // Where another RUN takes one of them only, each has its places.
    let two = text(&format!("{both}RUN {} make\n", mount("lists")));
    assert_eq!(two.matches("wait for each other").count(), 2, "{two}");
}

/// A hundred findings on three locks are a few blocks.
#[test]
fn a_lock_of_many_runs_is_one_block() {
    let folder = tempfile::tempdir().unwrap();
    let run = |id: &str| {
        format!("RUN --mount=type=cache,id={id},target=/{id},sharing=locked make {id}\n")
    };
    let runs: String = ["a", "b", "c"].map(|id| run(id).repeat(34)).concat();
    std::fs::write(
        folder.path().join("Dockerfile"),
        format!("FROM debian\n{runs}"),
    )
    .unwrap();
    let text = printed(folder.path(), &["check", "--rules", "shared-lock"], 80);
    assert_eq!(text.matches("wait for each other").count(), 3, "{text}");
    assert_eq!(text.matches("--build-arg CACHE_ID=").count(), 1, "{text}");
    assert!(
        text.contains("102 findings in 1 file") && text.lines().count() < 60,
        "{text}"
    );
    assert!(text.contains("and 21 more"), "{text}");
}

/// Wherever a line is cut, the mark below it stands under the id.
#[test]
fn a_long_line_is_cut_around_the_id() {
    let folder = tempfile::tempdir().unwrap();
    for before in [0, 20, 60, 70, 100, 300] {
        for behind in [0, 10, 50, 200] {
            let source = format!(
                "FROM debian\nRUN {}--mount=type=cache,id=tree,target=/tree,sharing=locked make {}\n",
                "--network=none ".repeat(before / 15),
                "é".repeat(behind)
            );
            std::fs::write(folder.path().join("Dockerfile"), source).unwrap();
            for width in [60, 80, 100] {
                let text = printed(folder.path(), &["check"], width);
                let lines: Vec<Vec<char>> =
                    text.lines().map(|line| line.chars().collect()).collect();
                let mark = lines
                    .iter()
                    .position(|line| line.iter().filter(|ch| **ch == '─').count() == 4);
                let mark = mark.unwrap_or_else(|| panic!("{text}"));
                let from = lines[mark].iter().position(|ch| *ch == '─').unwrap();
                let above: String = lines[mark - 1].iter().skip(from).take(4).collect();
                assert_eq!(above, "tree", "{text}");
                let shown = lines.iter().filter(|line| line.contains(&'│'));
                let widest = shown.map(Vec::len).max().unwrap();
                assert!(widest <= width, "{widest} at {width}:\n{text}");
            }
        }
    }
}
