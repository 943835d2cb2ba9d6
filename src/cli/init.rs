//! `cachelane init`

use std::path::{Path, PathBuf};

use crate::config::NAMES;
use crate::finding::RuleId;
use crate::init::{self, Hooked};
use crate::report;
use crate::text::printable;
use crate::workspace::file::{self, FileError};

use super::args::InitArgs;
use super::{Outcome, terminal};

/// Where pre-commit looks for its configuration.
const PRE_COMMIT: &str = ".pre-commit-config.yaml";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a person has to fill in before the hook can be fetched.
const OWNER: Option<&str> =
    Some("replace OWNER in .pre-commit-config.yaml by whose cachelane it is to be");

/// What was done, and what there is to type next.
#[derive(Default)]
struct Said {
    next: Vec<&'static str>,
    trouble: bool,
}

pub(super) fn run(args: &InitArgs) -> Outcome {
    let folder = args.folder.as_deref().unwrap_or(Path::new("."));
    if !folder.is_dir() {
        terminal::complain(&format!("{}: it is not a folder", report::path(folder)));
        return Outcome::Trouble;
    }
    let mut said = Said::default();
    said.configuration(folder);
    said.hook(folder);
    said.next
        .push("cachelane check          what makes builds wait");
    said.next
        .push("cachelane fix --diff     what cachelane would change");
    terminal::print(format!("\nNext:\n  {}\n", said.next.join("\n  ")));
    if said.trouble {
        Outcome::Trouble
    } else {
        Outcome::Clean
    }
}

impl Said {
    /// Writes a configuration where there is none.
    fn configuration(&mut self, folder: &Path) {
        let paths = NAMES.iter().map(|name| folder.join(name));
        if let Some(path) = paths
            .into_iter()
            .find(|path| path.symlink_metadata().is_ok())
        {
            say(&path, "it is there already, and is left as it is");
            return;
        }
        let rule = |rule: &RuleId| {
            let meta = rule.meta();
            (meta.name, meta.severity.as_str(), meta.other_severity)
        };
        let rules: Vec<_> = RuleId::ALL.iter().map(rule).collect();
        let path = folder.join(NAMES[0]);
        match file::create(&path, init::configuration(&rules).as_bytes()) {
            Ok(()) => say(
                &path,
                "written; every setting is there with its default, behind a `#`",
            ),
            Err(error) => self.complain(&path, &error.to_string()),
        }
    }

    /// Adds the hook to pre-commit's configuration, or says what to paste.
    fn hook(&mut self, folder: &Path) {
        let root = root(folder);
        let path = root.join(PRE_COMMIT);
        let old = match file::read(&path, file::MAX_SIZE) {
            Ok(old) => old,
            Err(FileError::Read(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                say(
                    &path,
                    "there is none. If you use pre-commit, write one with this in it:",
                );
                self.paste();
                return;
            }
            Err(error) => return self.complain(&path, &error.to_string()),
        };
        let hooked = match std::str::from_utf8(&old) {
            Ok(text) => init::add_hook(text, VERSION),
            Err(_) => Hooked::Left("it is not UTF-8"),
        };
        match hooked {
            Hooked::There => say(
                &path,
                "the hook is there already; the file is left as it is",
            ),
            Hooked::Left(why) => {
                say(
                    &path,
                    &format!("{why}: it is left as it is. Put this into it:"),
                );
                self.paste();
            }
            Hooked::LeftList(why, entry) => {
                say(
                    &path,
                    &format!("{why}: it is left as it is. Put this into that list:"),
                );
                terminal::print(format!("\n{entry}"));
                self.next.extend(OWNER);
            }
            Hooked::Added(new) => {
                match file::replace(&path, &old, new.as_bytes(), std::slice::from_ref(&root)) {
                    Ok(()) => {
                        say(
                            &path,
                            "the hook `cachelane` was added at the end of `repos`",
                        );
                        self.next.extend(OWNER);
                        self.next.push("pre-commit run cachelane --all-files");
                    }
                    Err(error) => self.complain(&path, &error.to_string()),
                }
            }
        }
    }

    /// Prints what a person has to put in.
    fn paste(&mut self) {
        terminal::print(format!("\n{}", init::snippet(VERSION)));
        self.next.extend(OWNER);
    }

    fn complain(&mut self, path: &Path, what: &str) {
        terminal::complain(&format!("{}: {what}", report::path(path)));
        self.trouble = true;
    }
}

/// The root of the repository that `folder` lies in, where pre-commit looks; `folder` itself outside of one.
fn root(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    match absolute
        .ancestors()
        .find(|folder| folder.join(".git").exists())
    {
        Some(root) if root != absolute.as_path() => root.to_path_buf(),
        _ => folder.to_path_buf(),
    }
}

fn say(path: &Path, what: &str) {
    terminal::print(format!("{}: {what}\n", printable(&report::path(path))));
}
