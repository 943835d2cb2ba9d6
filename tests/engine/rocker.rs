//! rocker, with the extension of `integrations/rocker`, on an engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Outcome;
use crate::build::Job;
use crate::engine::Engine;

/// The image that rocker starts from.
const IMAGE: &str = "rocker-base";

/// What makes it: rocker wants a user `root` by name.
const BASE: &str = "\
FROM base
RUN busybox mkdir -p /etc && echo root:x:0:0:root:/:/bin/sh >/etc/passwd && echo root:x:0: >/etc/group
";

/// Where rocker is run, and what for.
pub struct Rocker<'a> {
    engine: &'a Engine,
    folder: TempDir,
    programs: PathBuf,
}

impl<'a> Rocker<'a> {
    /// Installs rocker, unless it is, and gives the engine an image to start from.
    ///
    /// # Errors
    /// If one of them fails.
    pub fn new(engine: &'a Engine) -> Outcome<Self> {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("rocker");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/integrations/rocker/venv");
        let made = Command::new("sh")
            .arg(script)
            .arg(&place)
            .output()
            .map_err(|error| format!("sh: {error}"))?;
        if !made.status.success() {
            return Err(format!(
                "rocker could not be installed:\n{}",
                String::from_utf8_lossy(&made.stderr)
            ));
        }
        engine.build(&Job::new(BASE).tagged(IMAGE))?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let rocker = Self {
            engine,
            folder,
            programs: place.join("venv/bin"),
        };
        rocker.furnish().map_err(|error| error.to_string())?;
        Ok(rocker)
    }

    /// deps-rocker looks for a docker client.
    #[cfg(unix)]
    fn furnish(&self) -> std::io::Result<()> {
        fs::create_dir(self.folder.path().join("bin"))?;
        std::os::unix::fs::symlink(self.engine.docker(), self.folder.path().join("bin/docker"))
    }

    #[cfg(not(unix))]
    fn furnish(&self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Writes a snippet, as `cachelane fix` with `options` writes it.
    ///
    /// # Errors
    /// If it is not all right then, or does not contain `expected`.
    pub fn fixed(&self, snippet: &str, options: &[&str], expected: &str) -> Outcome {
        self.snippet(snippet)?;
        let path = self.folder.path().join("snippet.Dockerfile");
        let mut cachelane = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        let output = cachelane
            .arg("fix")
            .args(options)
            .arg(&path)
            .current_dir(self.folder.path())
            .output();
        let output = output.map_err(|error| format!("cachelane: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "cachelane: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        if text.contains(expected) {
            Ok(())
        } else {
            Err(format!("no `{expected}` in:\n{text}"))
        }
    }

    /// Writes a snippet.
    ///
    /// # Errors
    /// If that fails.
    pub fn snippet(&self, text: &str) -> Outcome {
        let path = self.folder.path().join("snippet.Dockerfile");
        fs::write(path, text).map_err(|error| error.to_string())
    }

    /// `rocker --mode dry-run` with these options, in this environment and no other. It builds, too.
    ///
    /// # Errors
    /// If it does not get as far as to print a Dockerfile.
    pub fn dry_run(&self, options: &[&str], environment: &[(&str, &str)]) -> Outcome<DryRun> {
        let folder = self.folder.path();
        let mut rocker = Command::new("timeout");
        rocker
            .args(["--kill-after=3", "90"])
            .arg(self.programs.join("rocker"))
            .args(["--mode", "dry-run"]);
        rocker
            .args(options)
            .args([IMAGE, "true"])
            .current_dir(folder)
            .env_clear();
        rocker
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", folder.join("bin").display()),
            )
            .env("HOME", folder);
        rocker
            .env("LC_ALL", "C.UTF-8")
            .env("DOCKER_HOST", self.engine.host())
            .envs(environment.iter().copied());
        let output = rocker
            .output()
            .map_err(|error| format!("timeout: {error}"))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let between = |start: &str, end: &str| {
            Some(printed.split_once(start)?.1.split_once(end)?.0.to_owned())
        };
        let Some(dockerfile) = between("vvvvvv\n", "^^^^^^\n") else {
            return Err(format!(
                "rocker: {printed}{}",
                String::from_utf8_lossy(&output.stderr)
            ));
        };
        let arguments =
            between("\nBuilding docker file with arguments: ", "\n").unwrap_or_default();
        let arguments = arguments
            .split_once("'buildargs': ")
            .map_or("", |(_, rest)| rest.trim_end_matches('}'));
        Ok(DryRun {
            dockerfile,
            arguments: arguments.trim_start_matches('{').to_owned(),
            built: output.status.success(),
            printed: printed.clone(),
        })
    }
}

/// What a dry run says.
pub struct DryRun {
    /// The Dockerfile.
    pub dockerfile: String,
    /// The arguments of the build, as rocker prints them.
    pub arguments: String,
    /// Whether it could be built.
    pub built: bool,
    /// All of it.
    pub printed: String,
}

impl DryRun {
    /// What stands before the first FROM, without comments.
    pub fn above(&self) -> String {
        let lines = self
            .dockerfile
            .lines()
            .take_while(|line| !line.starts_with("FROM "));
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// The build of its Dockerfile.
    pub fn job(&self) -> Job {
        Job::whole(self.dockerfile.clone())
    }

    /// Fails unless it built an image.
    ///
    /// # Errors
    /// What it printed.
    pub fn succeeded(self) -> Outcome<Self> {
        if self.built {
            Ok(self)
        } else {
            Err(format!("rocker did not build:\n{}", self.printed))
        }
    }
}
