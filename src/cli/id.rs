//! `cachelane id`

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::builds::ci::{self, JobLane, Typed};
use crate::rules::Settings;

use super::args::{FixSettings, IdArgs, LaneArgs, LaneFormat, Select, SettingsArgs};
use super::config_resolver::ConfigResolver;
use super::outcome::Error;
use super::terminal;

/// The variable with the path of the environment file for a job's later steps.
const GITHUB_ENV: &str = "GITHUB_ENV";

pub fn run(args: &IdArgs) -> Result<(), Error> {
    let lane = lane(args.lane.as_deref(), &args.source)?;
    if args.explain {
        terminal::print_note(&format!("`{}`: {}", lane.name, lane.source.explain()));
    }
    let line = if args.format == LaneFormat::Plain {
        lane.name
    } else {
        let settings = settings(args.source.arg.as_deref())?;
        if args.format != LaneFormat::BuildArg {
            check_variable(&settings.arg, &args.source)?;
        }
        format!("{}={}", settings.arg, lane.name)
    };
    match args.format {
        LaneFormat::BuildArg => terminal::print(format!("--build-arg {line}\n")),
        LaneFormat::GithubEnv => add_for_later_steps(&line)?,
        LaneFormat::Plain | LaneFormat::Env => terminal::print(format!("{line}\n")),
    }
    Ok(())
}

pub fn lane(typed: Option<&OsStr>, source: &LaneArgs) -> Result<JobLane, Error> {
    let typed = Typed {
        lane: typed.map(OsStr::as_encoded_bytes),
        matrix: source.matrix.as_deref().map(OsStr::as_encoded_bytes),
        repository: source.repository,
    };
    let lane = ci::lane(typed, |name| {
        std::env::var_os(name).map(OsString::into_encoded_bytes)
    });
    let lane = lane.map_err(|error| Error::Input(error.to_string()))?;
    lane.notes.iter().for_each(|note| terminal::warn(note));
    Ok(lane)
}

/// Returns the settings for this folder, with `arg` for the lane's argument where given.
pub fn settings(arg: Option<&str>) -> Result<Arc<Settings>, Error> {
    let typed = SettingsArgs {
        arg: arg.map(str::to_owned),
        ..SettingsArgs::default()
    };
    let configs = ConfigResolver::new(&typed, &Select::default(), FixSettings::default())?;
    let path = Path::new("Dockerfile");
    Ok(configs.at(path)?.settings(path))
}

/// Fails where the configuration has a variable of the name `arg` set that a program may read: a shell runs the file that
/// `BASH_ENV` names, and no list has all such names. Whoever types a name means it.
pub fn check_variable(arg: &str, source: &LaneArgs) -> Result<(), Error> {
    const ENDS: [&str; 4] = ["_ID", "_LANE", "_NS", "_KEY"];
    if source.arg.is_some() || ENDS.iter().any(|end| arg.ends_with(end)) {
        return Ok(());
    }
    Err(Error::Input(format!(
        "the configuration names the argument {arg}, and no variable is set by that name, since programs may read it: \
         type `--arg {arg}` if that is meant, or use a name that ends in {}",
        ENDS.join(", ")
    )))
}

/// Adds `line` to the environment of the job's later steps.
fn add_for_later_steps(line: &str) -> Result<(), Error> {
    let path = std::env::var_os(GITHUB_ENV).filter(|path| !path.is_empty());
    let Some(path) = path.map(PathBuf::from) else {
        let why = "is not set: this is not a step of a job on GitHub Actions";
        return Err(Error::Input(format!("{GITHUB_ENV} {why}")));
    };
    append(&path, line)
        .map_err(|error| Error::of_file(&path, format!("cannot be written: {error}")))?;
    terminal::print_note(&format!(
        "{line} is in the environment of the job's next steps"
    ));
    Ok(())
}

/// Appends `line` on a line of its own.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let start = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{start}{line}\n").as_bytes())
}
