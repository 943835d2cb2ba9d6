//! `cachelane run`: a command with this job's lane.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::builds::NAMESPACE;
use crate::builds::argv::{self, LaneArg, LaneCommand, quoted};

use super::args::{RunArgs, Via};
use super::outcome::{CommandResult, Error, Outcome};
use super::{id, terminal};

/// The exit codes of the shell and `env` for a command that is not there, and for one that cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// The limit of a script's first line, in bytes.
const FIRST_LINE: u64 = 4096;

pub fn run(args: &RunArgs) -> CommandResult {
    let passed = passed(args)?;
    passed.notes.iter().for_each(|note| terminal::warn(note));
    if args.dry_run {
        terminal::print(line(&passed));
        return Ok(Outcome::Clean.into());
    }
    let Some((program, words)) = passed.words.split_first() else {
        return Ok(Outcome::Failed.into());
    };
    let mut command = Command::new(program);
    let variables = passed.variable.iter();
    command
        .args(words)
        .envs(variables.map(|it| (&it.name, &it.value)));
    let error = match start(&mut command) {
        Ok(code) => return Ok(code),
        Err(error) => error,
    };
    let program = program.to_string_lossy();
    let (code, why) = if error.kind() == io::ErrorKind::NotFound {
        (NOT_FOUND, format!("there is no command `{program}`"))
    } else {
        (NOT_RUN, format!("`{program}` cannot be run: {error}"))
    };
    terminal::warn(&why);
    Ok(ExitCode::from(code))
}

fn passed(args: &RunArgs) -> Result<LaneCommand, Error> {
    let lane = id::lane(args.lane.as_deref(), &args.source)?;
    let settings = id::settings(args.source.arg.as_deref())?;
    let is_named = args.source.arg.is_some();
    let namespace = match args.via {
        Some(via) => via == Via::Namespace,
        None => settings.namespace && !is_named,
    };
    if namespace && is_named {
        return Err(Error::Input(format!(
            "`--via namespace` passes {NAMESPACE}, and so no argument that `--arg` could name"
        )));
    }
    let ask = LaneArg {
        lane: &lane.name,
        arg: if namespace { NAMESPACE } else { &settings.arg },
    };
    let passed = argv::pass(&args.command, ask, is_extended)
        .map_err(|error| Error::Input(error.to_string()))?;
    if passed.variable.is_some() && !namespace {
        id::check_variable(&settings.arg, &args.source)?;
    }
    Ok(passed)
}

/// Returns the command quoted for a shell.
fn line(passed: &LaneCommand) -> String {
    let set = passed.variable.iter();
    let set = set.map(|it| format!("{}={}", it.name, it.value));
    let words = passed.words.iter();
    let words = words.map(|word| quoted(word.as_encoded_bytes()));
    set.chain(words).collect::<Vec<_>>().join(" ") + "\n"
}

/// Becomes the command, so that signals, streams and exit code are its own.
#[cfg(unix)]
fn start(command: &mut Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

/// Runs the command, and returns its exit code.
#[cfg(not(unix))]
fn start(command: &mut Command) -> io::Result<ExitCode> {
    let code = command.status()?.code();
    Ok(code
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Returns whether the Python of the script `program` has the package `rocker-cachelane`, by a look at the disk, since
/// rocker itself takes seconds to answer.
fn is_extended(program: &OsStr) -> bool {
    let Some(script) = on_path(program) else {
        return false;
    };
    let files = [
        interpreter(&script),
        script.canonicalize().ok(),
        Some(script),
    ];
    let prefix = |file: &PathBuf| file.parent()?.parent().map(Path::to_path_buf);
    let mut prefixes: BTreeSet<PathBuf> = files.iter().flatten().filter_map(prefix).collect();
    let is_venv = |prefix: &PathBuf| prefix.join("pyvenv.cfg").is_file();
    if !prefixes.iter().any(is_venv) {
        prefixes.extend(std::env::home_dir().map(|home| home.join(".local")));
    }
    let mut folders = prefixes.iter().flat_map(|prefix| packages(prefix));
    folders.any(|folder| has_extension(&folder))
}

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

/// Returns the file that a script names as its interpreter.
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

/// Returns the folders below `prefix` in which Python keeps packages.
fn packages(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("Lib/site-packages")];
    for library in ["lib", "lib64", "local/lib"] {
        for version in entries(&prefix.join(library)) {
            if version.file_name().to_string_lossy().starts_with("python") {
                let path = version.path();
                folders.extend(["site-packages", "dist-packages"].map(|name| path.join(name)));
            }
        }
    }
    folders
}

fn has_extension(folder: &Path) -> bool {
    entries(folder).any(|entry| {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let name = name.replace('-', "_");
        name.starts_with("rocker_cachelane_")
            && (name.ends_with(".dist_info") || name.ends_with(".egg_info"))
    })
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}
