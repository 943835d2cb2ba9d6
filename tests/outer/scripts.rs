//! Beside make and bash: `fix` adds the argument to the commands of recipes and scripts, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::cachelane;
use crate::loud::left_out;
use crate::pages;

/// What `fix` adds to a command, as a shell gets it.
const ADDED: [&str; 3] = [
    " --build-arg CACHE_ID=\"${CACHE_ID:-default}\"",
    " --build-arg CACHE_ID",
    " --build-arg BUILDKIT_CACHE_MOUNT_NS",
];

/// Returns whether the program is there.
fn is_there(program: &str) -> bool {
    let ran = Command::new(program).arg("--version").output();
    ran.is_ok_and(|output| output.status.success())
}

/// Returns the commands that `make -n` prints for each target of a Makefile.
fn commands(folder: &Path, path: &str) -> Vec<String> {
    let path = Path::new(path);
    let folder = folder.join(path.parent().unwrap());
    let name = path.file_name().unwrap();
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let heads = text.lines().filter(|line| !line.starts_with('\t'));
    let heads = heads.filter_map(|line| line.split_once(':'));
    let is_name = |name: &&str| {
        !name.starts_with('.')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let targets: BTreeSet<&str> = heads
        .flat_map(|(names, _)| names.split(' '))
        .filter(|name| !name.is_empty())
        .filter(is_name)
        .collect();
    let run = |target: &&str| {
        let mut make = Command::new("make");
        // A recipe may call its own target.
        make.args([
            "--dry-run",
            "--no-print-directory",
            "MAKE=echo make",
            "--file",
        ]);
        let output = make
            .arg(name)
            .arg(target)
            .env_remove("CACHE_ID")
            .current_dir(&folder)
            .output()
            .unwrap();
        format!(
            "{target}: {}\n{}",
            output.status.success(),
            String::from_utf8_lossy(&output.stdout)
        )
    };
    targets.iter().map(run).collect()
}

/// Returns whether bash can read a script.
fn is_read(script: &Path) -> bool {
    let mut bash = Command::new("bash");
    bash.arg("-n").arg(script).status().unwrap().success()
}

/// Returns `text` without what `fix` adds, and how often that stands in it.
fn without(text: &str) -> (String, usize) {
    let (mut left, mut count) = (text.to_owned(), 0);
    for added in ADDED {
        count += left.matches(added).count();
        left = left.replace(added, "");
    }
    (left, count)
}

#[test]
fn fixed_recipes_and_scripts_run_what_they_ran() {
    for program in ["make", "bash"] {
        if !is_there(program) {
            return left_out(
                "the test of fixed recipes and scripts",
                &format!("it needs {program}"),
            );
        }
    }
    let (mut recipes, mut scripts) = (0, 0);
    for case in pages::cases("builds/unpassed-arg") {
        let work = tempfile::tempdir().unwrap();
        fs::create_dir(work.path().join(".git")).unwrap();
        for file in &case.files {
            let path = work.path().join(&file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.bytes()).unwrap();
        }
        let has_ending =
            |path: &str, ending: &str| Path::new(path).extension().is_some_and(|it| it == ending);
        let is_makefile = |path: &str| path.ends_with("akefile") || has_ending(path, "mk");
        let own = case.files.iter();
        let own: Vec<&pages::File> = own
            .filter(|file| is_makefile(&file.path) || has_ending(&file.path, "sh"))
            .collect();
        let before: Vec<Vec<String>> = own
            .iter()
            .map(|file| {
                if is_makefile(&file.path) {
                    commands(work.path(), &file.path)
                } else {
                    Vec::new()
                }
            })
            .collect();
        cachelane(work.path(), &["fix", "--quiet"]);
        for (file, before) in own.iter().zip(before) {
            let path = work.path().join(&file.path);
            let now = fs::read_to_string(&path).unwrap();
            if now.as_bytes() == file.bytes() {
                continue;
            }
            let place = format!("{}: {}", case.place(), file.path);
            if is_makefile(&file.path) {
                let after = commands(work.path(), &file.path);
                let (left, count) = without(&after.concat());
                assert_eq!(left, before.concat(), "{place}");
                assert!(count > 0, "{place}: no command has got it:\n{now}");
                recipes += 1;
            } else {
                let (left, count) = without(&now);
                assert_eq!(left.as_bytes(), file.bytes(), "{place}");
                assert!(count > 0 && is_read(&path), "{place}:\n{now}");
                scripts += 1;
            }
        }
    }
    assert!(
        recipes > 8 && scripts > 4,
        "{recipes} Makefiles, {scripts} scripts"
    );
}
