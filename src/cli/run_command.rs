//! `cachelane run`: a command with this job's lane.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::builds::NAMESPACE;
use crate::builds::argv::{self, Ask, Passed, quoted};

use super::args::{RunArgs, Via};
use super::{Outcome, id, terminal};

/// What the shell and `env` give for a command that is not there, and for one that cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// The most bytes of a script's first line.
const FIRST_LINE: u64 = 4096;

pub(super) fn run(args: &RunArgs) -> ExitCode {
    let Some(passed) = passed(args) else {
        return Outcome::Trouble.into();
    };
    for note in &passed.notes {
        terminal::complain(note);
    }
    if args.dry_run {
        terminal::print(line(&passed));
        return Outcome::Clean.into();
    }
    let Some((program, words)) = passed.words.split_first() else {
        return Outcome::Trouble.into();
    };
    let mut command = Command::new(program);
    command.args(words).envs(passed.set.clone());
    let error = match start(&mut command) {
        Ok(code) => return code,
        Err(error) => error,
    };
    let program = program.to_string_lossy();
    if error.kind() == io::ErrorKind::NotFound {
        terminal::complain(&format!("there is no command `{program}`"));
        ExitCode::from(NOT_FOUND)
    } else {
        terminal::complain(&format!("`{program}` cannot be run: {error}"));
        ExitCode::from(NOT_RUN)
    }
}

/// The command with its lane. `None` where something could not be understood, which has been said.
fn passed(args: &RunArgs) -> Option<Passed> {
    let lane = id::lane(args.lane.as_deref(), args.source.matrix.as_deref())?;
    let settings = id::settings(args.source.arg.as_deref())?;
    let namespace = match args.via {
        Some(via) => via == Via::Namespace,
        None => settings.namespace && args.source.arg.is_none(),
    };
    if namespace && args.source.arg.is_some() {
        terminal::complain(&format!(
            "`--via namespace` passes {NAMESPACE}, and so no argument that `--arg` could name"
        ));
        return None;
    }
    let ask = Ask {
        lane: &lane.name,
        arg: if namespace { NAMESPACE } else { &settings.arg },
    };
    argv::pass(&args.command, ask, is_extended)
        .map_err(|error| terminal::complain(&error))
        .ok()
}

/// The command as a shell reads it.
fn line(passed: &Passed) -> String {
    let set = passed
        .set
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let words = passed
        .words
        .iter()
        .map(|word| quoted(word.as_encoded_bytes()));
    let mut line = set.chain(words).collect::<Vec<_>>().join(" ");
    line.push('\n');
    line
}

/// Becomes the command: so its signals, streams and exit code are its own.
#[cfg(unix)]
fn start(command: &mut Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

/// Runs the command, and hands on its exit code.
#[cfg(not(unix))]
fn start(command: &mut Command) -> io::Result<ExitCode> {
    let code = command.status()?.code();
    Ok(code
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Whether the Python of the script `program` has the package `rocker-cachelane`: asked of the disk, since rocker itself
/// takes seconds to answer.
fn is_extended(program: &OsStr) -> bool {
    let Some(script) = on_path(program) else {
        return false;
    };
    let mut prefixes = BTreeSet::new();
    let interpreter = interpreter(&script);
    let real = fs::canonicalize(&script).ok();
    for file in [Some(script), real, interpreter].into_iter().flatten() {
        prefixes.extend(file.parent().and_then(Path::parent).map(Path::to_path_buf));
    }
    if !prefixes
        .iter()
        .any(|prefix| prefix.join("pyvenv.cfg").is_file())
    {
        prefixes.extend(std::env::home_dir().map(|home| home.join(".local")));
    }
    prefixes
        .iter()
        .flat_map(|prefix| packages(prefix))
        .any(|folder| has_extension(&folder))
}

/// The file that `program` stands for.
fn on_path(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return Some(path.to_path_buf());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(path))
        .find(|path| path.is_file())
}

/// What a script names as its interpreter.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut line = Vec::new();
    BufReader::new(File::open(script).ok()?.take(FIRST_LINE))
        .read_until(b'\n', &mut line)
        .ok()?;
    let line = String::from_utf8_lossy(&line);
    line.strip_prefix("#!")?
        .split_whitespace()
        .next()
        .map(PathBuf::from)
}

/// The folders below `prefix` in which Python keeps packages.
fn packages(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("Lib/site-packages")];
    for library in ["lib", "lib64", "local/lib"] {
        let versions = fs::read_dir(prefix.join(library))
            .into_iter()
            .flatten()
            .flatten();
        let versions =
            versions.filter(|entry| entry.file_name().to_string_lossy().starts_with("python"));
        for version in versions.map(|entry| entry.path()) {
            folders.extend(["site-packages", "dist-packages"].map(|folder| version.join(folder)));
        }
    }
    folders
}

fn has_extension(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| {
        let name = entry
            .file_name()
            .to_string_lossy()
            .to_lowercase()
            .replace('-', "_");
        name.starts_with("rocker_cachelane_")
            && (name.ends_with(".dist_info") || name.ends_with(".egg_info"))
    })
}
