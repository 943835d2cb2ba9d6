//! `cachelane init`

use std::path::{Path, PathBuf};

use crate::config::{self, Config, NAMES, Overrides, PYPROJECT};
use crate::init::{self, HookOutcome};
use crate::lint::matching::OwnBuilders;
use crate::report;
use crate::text::printable;
use crate::workspace::config as disk;
use crate::workspace::file::{self, FileError};
use crate::workspace::tree::repository;

use super::args::{Common, FixSettings, InitArgs, Select};
use super::outcome::{CommandResult, Error, Outcome};
use super::run::{Run, Texts};
use super::terminal;

const PRE_COMMIT: &str = ".pre-commit-config.yaml";

/// The first run of the hook.
const RUN_HOOK: &str = "pre-commit run cachelane --all-files";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Lines to type next, and a flag for errors.
#[derive(Default)]
struct Initialized {
    next: Vec<&'static str>,
    failed: bool,
}

pub fn run(args: &InitArgs) -> CommandResult {
    let folder = args.folder.as_deref().unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Error::of_file(folder, "it is not a folder"));
    }
    let mut done = Initialized::default();
    done.add_configuration(folder);
    propose_builders(folder)?;
    done.add_hook(folder);
    done.next.extend([
        "cachelane check          what makes builds wait",
        "cachelane fix --diff     what cachelane would change",
    ]);
    terminal::print(format!("\nNext:\n  {}\n", done.next.join("\n  ")));
    Ok(Outcome::new(done.failed, false).into())
}

impl Initialized {
    /// Writes a configuration where there is none.
    fn add_configuration(&mut self, folder: &Path) {
        let mut paths = NAMES.iter().map(|name| folder.join(name));
        if let Some(path) = paths.find(|path| path.symlink_metadata().is_ok()) {
            print(&path, "it is there already, and is left as it is");
            return;
        }
        let path = folder.join(PYPROJECT);
        let has_table = disk::read_found(&absolute(&path)).is_ok_and(|text| has_table(&text));
        if has_table {
            print(
                &path,
                "it has a table `[tool.cachelane]`, and is left as it is",
            );
            return;
        }
        let path = folder.join(NAMES[0]);
        match file::create(&path, config::template().as_bytes()) {
            Ok(()) => print(
                &path,
                "written; every setting is there with its default, after a `#`",
            ),
            Err(error) => self.warn(&path, &error),
        }
    }

    /// Adds the hook to pre-commit's configuration, or prints the text to paste.
    fn add_hook(&mut self, folder: &Path) {
        let root = root(folder);
        let path = root.join(PRE_COMMIT);
        let old = match file::read(&path, file::MAX_SIZE) {
            Ok(old) => old,
            Err(FileError::Read(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return match file::create(&path, init::snippet(VERSION).as_bytes()) {
                    Ok(()) => {
                        print(&path, "written, with the hook `cachelane` in it");
                        self.next.push(RUN_HOOK);
                    }
                    Err(error) => self.warn(&path, &error),
                };
            }
            Err(error) => return self.warn(&path, &error),
        };
        let hooked = match std::str::from_utf8(&old) {
            Ok(text) => init::add_hook(text, VERSION),
            Err(_) => HookOutcome::ByHand("it is not UTF-8"),
        };
        match hooked {
            HookOutcome::Present => print(
                &path,
                "the hook is there already; the file is left as it is",
            ),
            HookOutcome::ByHand(why) => {
                let why = format!("{why}: it is left as it is. Put this into it:");
                paste(&path, &why, &init::snippet(VERSION));
            }
            HookOutcome::ByHandInList(why, entry) => {
                let why = format!("{why}: it is left as it is. Put this into that list:");
                paste(&path, &why, &entry);
            }
            HookOutcome::Added(new) => {
                let roots = std::slice::from_ref(&root);
                if let Err(error) = file::replace(&path, &old, new.as_bytes(), roots) {
                    return self.warn(&path, &error);
                }
                print(
                    &path,
                    "the hook `cachelane` was added at the end of `repos`",
                );
                self.next.push(RUN_HOOK);
            }
        }
    }

    fn warn(&mut self, path: &Path, error: &FileError) {
        terminal::warn(&format!("{}: {error}", report::path(path)));
        self.failed = true;
    }
}

/// Proposes the setting that says that each job has a builder of its own, where all builds below `folder` that are known
/// have one, and a lock is shared.
fn propose_builders(folder: &Path) -> Result<(), Error> {
    let common = Common::of(folder);
    let run = Run::new(
        &common,
        &Select::default(),
        FixSettings::default(),
        Texts::None,
    )?
    .first_pass();
    let (checked, _) = run.check();
    if let Some(own) = OwnBuilders::of(&checked.results).filter(|own| own.is_for_all) {
        terminal::print_text(&format!(
            "`builders = \"per-job\"` in {} fits: what builds the locked caches here {}, and nothing waits there\n",
            NAMES[0],
            own.place()
        ));
    }
    Ok(())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Returns whether the text of a `pyproject.toml` has a configuration, be it a broken one.
fn has_table(text: &str) -> bool {
    !matches!(Config::read_pyproject(text, Overrides::default()), Ok(None))
}

/// Returns the root of the repository around `folder`, where pre-commit looks; `folder` itself outside of one.
fn root(folder: &Path) -> PathBuf {
    let full = absolute(folder);
    match repository(&full) {
        Some(root) if root != full.as_path() => root.to_path_buf(),
        _ => folder.to_path_buf(),
    }
}

/// Prints the text to paste into the file at `path`, with the reason.
fn paste(path: &Path, why: &str, text: &str) {
    print(path, why);
    terminal::print(format!("\n{text}"));
}

fn print(path: &Path, what: &str) {
    terminal::print(format!("{}: {what}\n", printable(&report::path(path))));
}
