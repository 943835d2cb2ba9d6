//! Commands that cannot outlive this process, nor leave anything behind: `guard.sh` runs them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Outcome;

/// How much of a log a message shows.
const TAIL: usize = 15;

/// A command in namespaces of its own, and the folder it works in. Dropping it ends the command and removes the folder.
pub struct Guard {
    process: Child,
    /// The folder, which is there once the command runs.
    pub state: PathBuf,
    log: PathBuf,
}

impl Guard {
    /// Starts `command`, whose last argument will be the folder.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(name: &str, cache: &Path, command: &[&OsStr]) -> Outcome<Self> {
        let state =
            std::env::temp_dir().join(format!("cachelane-engine-{}-{name}", std::process::id()));
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("engine-{name}.log"));
        let output = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let mut guard = Command::new("sh");
        guard.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/engine/guard.sh"
        ));
        guard
            .arg(cache.join("lock"))
            .arg(&state)
            .arg("sh")
            .args(command)
            .arg(&state);
        guard.stdin(Stdio::piped()).stdout(output).stderr(errors);
        // A Ctrl-C is for this process only; the guard sees the end of its standard input.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut guard, 0);
        let process = guard.spawn().map_err(|error| format!("sh: {error}"))?;
        Ok(Self {
            process,
            state,
            log,
        })
    }

    /// Waits until the command has ended by itself.
    ///
    /// # Errors
    /// The end of its log, if it failed.
    pub fn wait(&mut self) -> Outcome {
        // Child::wait would close standard input first, and so end the command.
        let input = self.process.stdin.take();
        let status = self.process.wait();
        drop(input);
        match status {
            Ok(status) if status.success() => Ok(()),
            _ => Err(self.tail()),
        }
    }

    /// Whether the command has ended.
    pub fn ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// The end of what the command has said so far, and where the rest is.
    pub fn tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        format!(
            "{}\n(all of it: {})",
            lines[lines.len().saturating_sub(TAIL)..].join("\n"),
            self.log.display()
        )
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}
