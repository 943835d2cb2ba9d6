//! What people see at the width of their terminal, on one project.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::reports::lasting;

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
}

/// Those for other programs know no width.
const MACHINES: &[(&str, &[&str])] = &[
    ("check.concise", &["check", "--format", "concise"]),
    ("check.json", &["check", "--format", "json"]),
    ("check.sarif", &["check", "--format", "sarif"]),
    ("check.github", &["check", "--format", "github"]),
    ("check.gitlab", &["check", "--format", "gitlab"]),
    ("check.junit", &["check", "--format", "junit"]),
    ("check.checkstyle", &["check", "--format", "checkstyle"]),
    ("fix.json", &["fix", "--diff", "--format", "json"]),
    ("locks.dot", &["locks", "--format", "dot"]),
    ("locks.json", &["locks", "--format", "json"]),
    ("locks.mermaid", &["locks", "--format", "mermaid"]),
    ("list.json", &["list", "--format", "json"]),
    ("builds.json", &["builds", "--format", "json"]),
];

#[test]
fn every_format_of_the_project_is_as_recorded() {
    for (name, args) in MACHINES {
        let text = printed(&project(), args, 80);
        assert_eq!(text, printed(&project(), args, 200), "{name}");
        insta::assert_snapshot!(*name, lasting(&text));
    }
    let work = tempfile::tempdir().unwrap();
    let page = work.path().join("page.md");
    Command::new(env!("CARGO_BIN_EXE_cachelane"))
        .args(["check", "--format", "github"])
        .current_dir(project())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &page)
        .output()
        .unwrap();
    insta::assert_snapshot!("check.github-summary", fs::read_to_string(page).unwrap());
}

/// Writes a repository of ten images, built by the rows of a matrix, with ten locked mounts each.
fn hundred() -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    let write = |path: &str, text: String| {
        let path = work.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    fs::create_dir(work.path().join(".git")).unwrap();
    let mount = |id: &str, target: &str| {
        format!("--mount=type=cache,id={id},target={target},sharing=locked")
    };
    let apt = format!(
        "RUN {} \\\n    {} \\\n    apt-get update && apt-get install -y git\n",
        mount("apt", "/var/cache/apt"),
        mount("lists", "/var/lib/apt")
    );
    for image in 0..10 {
        let own = format!("image-{image}-build-tree");
        let make = format!("RUN {} make\n", mount(&own, "/src/target")).repeat(2);
        let text = format!(
            "FROM debian AS build\n{apt}{make}FROM build AS test\n{}{apt}",
            apt.repeat(2)
        );
        write(&format!("services/image-{image}/Dockerfile"), text);
    }
    let images: Vec<String> = (0..10).map(|image| format!("image-{image}")).collect();
    let workflow = format!(
        "on: push\njobs:\n  image:\n    runs-on: self-hosted\n    strategy:\n      matrix:\n        image: [{}]\n    steps:\n      \
         - uses: actions/checkout@v4\n      - run: docker build services/${{{{ matrix.image }}}}\n",
        images.join(", ")
    );
    write(".github/workflows/images.yml", workflow);
    work
}

#[test]
fn a_repository_of_a_hundred_findings_is_as_recorded() {
    let work = hundred();
    let found = printed(work.path(), &["check", "--format", "concise"], 80);
    assert!(found.lines().count() >= 100, "{found}");
    for (name, args) in [("locks", "locks"), ("check", "check"), ("builds", "builds")] {
        let text = printed(work.path(), &[args], 80);
        insta::assert_snapshot!(format!("hundred-{name}-80"), text);
        for width in [60, 80, 200] {
            no_row_is_wider(name, &printed(work.path(), &[args], width), width);
        }
    }
    // Each finding is in each format for programs.
    let document = printed(work.path(), &["check", "--format", "json"], 80);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let number = document["findings"].as_array().unwrap().len();
    for (format, mark) in [
        ("sarif", "\"ruleId\":"),
        ("github", "::"),
        ("gitlab", "\"fingerprint\":"),
        ("junit", "<testcase "),
        ("checkstyle", "<error "),
    ] {
        let text = printed(work.path(), &["check", "--format", format], 80);
        let lines = text.lines().map(str::trim_start);
        let found = if format == "github" {
            lines.filter(|line| line.starts_with(mark)).count()
        } else {
            text.matches(mark).count()
        };
        assert!(found >= number, "{format}: {found} of {number}");
    }
    let fixed = printed(work.path(), &["fix"], 80);
    insta::assert_snapshot!("hundred-fix-80", fixed);
}

/// The last line of a report is a sentence, which a terminal folds.
#[test]
fn no_row_is_wider_than_the_terminal() {
    for (name, args) in COMMANDS {
        for width in [60, 80, 100, 200] {
            no_row_is_wider(name, &printed(&project(), args, width), width);
        }
    }
}

fn no_row_is_wider(name: &str, text: &str, width: usize) {
    let (rows, _) = text.rsplit_once("\n\n").unwrap_or((text, ""));
    let is_sentence = |line: &&str| line.ends_with('.');
    for line in rows.lines().filter(|line| !is_sentence(line)) {
        assert!(line.chars().count() <= width, "{name} at {width}: {line}");
    }
}

/// A label that has no room beside its arm is folded, or stands below.
#[test]
fn a_label_is_folded() {
    let folder = tempfile::tempdir().unwrap();
    for stage in ["a", "the-builder-of-all-the-things-that-are", "build"] {
        for before in [0, 15, 30, 45] {
            let mount = "RUN --mount=type=cache,id=tree,target=/tree,sharing=locked";
            let mount = mount.replace(
                "RUN",
                &format!("RUN {}", "--network=none ".repeat(before / 15)),
            );
            let source = format!(
                "FROM debian AS {stage}\n{mount} make\nFROM debian AS other\n{mount} make all\nFROM debian\n\
                 COPY --from={stage} / /\nCOPY --from=other / /\n"
            );
            fs::write(folder.path().join("Dockerfile"), source).unwrap();
            for width in [60, 80, 200] {
                let text = printed(folder.path(), &["check", "-v"], width);
                no_row_is_wider("check", &text, width);
                let said = text
                    .split_whitespace()
                    .filter(|word| !matches!(*word, "·" | "│"));
                let said = said.collect::<Vec<_>>().join(" ");
                assert!(
                    said.contains(&format!("locked by `{stage}` here")),
                    "{text}"
                );
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
        fs::write(
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
    fs::write(
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
            fs::write(folder.path().join("Dockerfile"), source).unwrap();
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
