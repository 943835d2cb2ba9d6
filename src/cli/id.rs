//! `cachelane id`

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::builds::ci::{self, JobLane, Typed};
use crate::report;
use crate::rules::Settings;

use super::args::{IdArgs, LaneFormat, SettingsArgs};
use super::settled::Settled;
use super::{Outcome, terminal};

/// The variable that names the file for the environment of a job's later steps.
const GITHUB_ENV: &str = "GITHUB_ENV";

pub(super) fn run(args: &IdArgs) -> Outcome {
    let Some(lane) = lane(args.lane.as_deref(), args.source.matrix.as_deref()) else {
        return Outcome::Trouble;
    };
    if args.explain {
        terminal::note(&format!("`{}`: {}", lane.name, lane.source.explain()));
    }
    if args.format == LaneFormat::Plain {
        terminal::print(format!("{}\n", lane.name));
        return Outcome::Clean;
    }
    let Some(settings) = settings(args.source.arg.as_deref()) else {
        return Outcome::Trouble;
    };
    let line = format!("{}={}", settings.arg, lane.name);
    match args.format {
        LaneFormat::BuildArg => terminal::print(format!("--build-arg {line}\n")),
        LaneFormat::GithubEnv => return for_later_steps(&line),
        LaneFormat::Plain | LaneFormat::Env => terminal::print(format!("{line}\n")),
    }
    Outcome::Clean
}

/// This job's lane. `None` where something could not be understood, which has been said.
pub(super) fn lane(typed: Option<&OsStr>, matrix: Option<&OsStr>) -> Option<JobLane> {
    let typed = Typed {
        lane: typed.map(OsStr::as_encoded_bytes),
        matrix: matrix.map(OsStr::as_encoded_bytes),
    };
    let lane = ci::lane(typed, |name| {
        std::env::var_os(name).map(OsString::into_encoded_bytes)
    });
    match lane {
        Ok(lane) => {
            for note in &lane.notes {
                terminal::complain(note);
            }
            Some(lane)
        }
        Err(error) => {
            terminal::complain(&error.to_string());
            None
        }
    }
}

/// What holds in this folder. `None` where its configuration is broken, which has been said.
pub(super) fn settings(arg: Option<&str>) -> Option<Arc<Settings>> {
    let typed = SettingsArgs {
        config: None,
        no_config: false,
        arg: arg.map(str::to_owned),
        default: None,
    };
    let path = Path::new("Dockerfile");
    Some(
        Settled::new(&typed, typed.overrides(None, false))?
            .of(path)?
            .settings(path),
    )
}

/// Puts `line` into the environment of the job's later steps.
fn for_later_steps(line: &str) -> Outcome {
    let Some(path) = std::env::var_os(GITHUB_ENV)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
    else {
        terminal::complain(&format!(
            "{GITHUB_ENV} is not set: this is no step of a job on GitHub Actions"
        ));
        return Outcome::Trouble;
    };
    if let Err(error) = append(&path, line) {
        terminal::complain(&format!(
            "{}: cannot be written: {error}",
            report::path(&path)
        ));
        return Outcome::Trouble;
    }
    terminal::note(&format!(
        "{line} is in the environment of the job's next steps"
    ));
    Outcome::Clean
}

/// Appends `line` to a file, below what is there.
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
