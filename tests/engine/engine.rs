//! A running engine, and what it can be asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::build::{Built, Job, Running};
use crate::guard::Guard;

/// How long an engine may take to start, and to answer a question.
const PATIENCE: Duration = Duration::from_secs(60);

/// The engines that the facts are measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Docker 20.10 of Debian 12, whose Dockerfile frontend is older than 1.3.
    D20,
    /// Docker 26.1 of Debian 13.
    D26,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::D20, Self::D26];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::D20 => "Docker 20.10",
            Self::D26 => "Docker 26.1",
        }
    }

    const fn release(self) -> &'static str {
        match self {
            Self::D20 => "bookworm",
            Self::D26 => "trixie",
        }
    }
}

/// A Docker daemon that runs as long as this lives.
pub struct Engine {
    /// Which one it is.
    pub version: Version,
    /// The version that it reports itself.
    pub reported: String,
    guard: Guard,
    pid: String,
    docker: PathBuf,
    files: AtomicU64,
    asking: Mutex<()>,
}

impl Engine {
    /// Starts the engine of the tree in `cache`.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn start(version: Version, cache: &Path) -> Outcome<Self> {
        let tree = cache.join(version.release());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/dockerd.sh");
        let guard = Guard::start(
            version.release(),
            cache,
            &[script.as_ref(), tree.as_os_str()],
        )?;
        let mut engine = Self {
            version,
            reported: String::new(),
            guard,
            pid: String::new(),
            docker: cache.join(Version::D20.release()).join("usr/bin/docker"),
            files: AtomicU64::new(0),
            asking: Mutex::new(()),
        };
        engine.come_up().map_err(|error| {
            format!(
                "{} did not start: {error}\n{}",
                version.name(),
                engine.guard.tail()
            )
        })?;
        engine.furnish(&tree)?;
        Ok(engine)
    }

    fn come_up(&mut self) -> Outcome {
        let started = Instant::now();
        while started.elapsed() < PATIENCE && !self.guard.ended() {
            if self.guard.state.join("socket").exists() {
                let pid = fs::read_to_string(self.guard.state.join("pid"))
                    .map_err(|error| error.to_string())?;
                pid.trim().clone_into(&mut self.pid);
                if let Ok(version) = self.ask(&["version", "--format", "{{.Server.Version}}"]) {
                    version.trim().clone_into(&mut self.reported);
                    return Ok(());
                }
            }
            sleep(Duration::from_millis(100));
        }
        Err("its socket does not answer".into())
    }

    /// Puts down what the images are made of, for no image can be pulled, and cachelane.
    fn furnish(&self, tree: &Path) -> Outcome {
        let context = self.guard.state.join("context");
        let probe = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/probe");
        fs::create_dir(&context)
            .and_then(|()| fs::copy(tree.join("usr/bin/busybox"), context.join("busybox")))
            .and_then(|_| fs::copy(probe, context.join("probe")))
            .and_then(|_| {
                fs::copy(
                    env!("CARGO_BIN_EXE_cachelane"),
                    self.guard.state.join("cachelane"),
                )
            })
            .map_err(|error| format!("the files for builds: {error}"))?;
        self.build(&Job::new("FROM base\nRUN probe nothing\n"))
            .map(drop)
    }

    /// The folder that the engine and its client see as `/srv`.
    pub fn state(&self) -> &Path {
        &self.guard.state
    }

    /// The docker client, run by `runner` if that is a command, in the engine's namespaces; it is killed when its time is
    /// over.
    pub fn client(&self, limit: Duration, runner: &[String]) -> Command {
        let mut client = Command::new("nsenter");
        client.args([
            "--target",
            &self.pid,
            "--mount",
            "--pid",
            "--net",
            "--",
            "/usr/bin/env",
            "-i",
        ]);
        client.args([
            "PATH=/usr/sbin:/usr/bin",
            "HOME=/root",
            "LC_ALL=C.UTF-8",
            "DOCKER_BUILDKIT=1",
        ]);
        client.args([
            "DOCKER_HOST=unix:///srv/socket",
            "timeout",
            "--signal=INT",
            "--kill-after=3",
        ]);
        client
            .arg(limit.as_secs().to_string())
            .args(runner)
            .arg("docker");
        client
    }

    /// Where those who are not in the engine's namespaces reach it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.guard.state.join("socket").display())
    }

    /// A docker client for them: the older one, which runs on a machine with an older C library, too.
    pub fn docker(&self) -> &Path {
        &self.docker
    }

    /// What the docker client says to that.
    ///
    /// # Errors
    /// What it says when it fails.
    pub fn ask(&self, arguments: &[&str]) -> Outcome<String> {
        let output = self
            .client(PATIENCE, &[])
            .args(arguments)
            .output()
            .map_err(|error| format!("nsenter: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(text)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Starts a build.
    ///
    /// # Errors
    /// If the client does not start.
    pub fn start_build(&self, job: &Job) -> Outcome<Running> {
        let folder = format!("build-{}", self.files.fetch_add(1, Ordering::Relaxed));
        Running::start(
            self.client(job.limit, &job.runner),
            &self.guard.state.join(&folder),
            &format!("/srv/{folder}"),
            job,
        )
    }

    /// Builds, whatever comes of it.
    ///
    /// # Errors
    /// If the client does not start.
    pub fn try_build(&self, job: &Job) -> Outcome<Built> {
        self.start_build(job)?.wait()
    }

    /// Builds what has to succeed.
    ///
    /// # Errors
    /// The build's log, if it fails.
    pub fn build(&self, job: &Job) -> Outcome<Built> {
        self.try_build(job)?.succeeded()
    }

    /// The real ids of the builder's cache mounts that contain `word`, sorted, each as often as there are caches with it.
    /// Docker 20.10 does not show them.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub fn ids(&self, word: &str) -> Outcome<Vec<String>> {
        // The engine gives an answer that it is working on to everyone who asks meanwhile; it may miss the last build.
        let _alone = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let list = self.ask(&[
            "buildx",
            "du",
            "--verbose",
            "--filter",
            "type=exec.cachemount",
        ])?;
        let ids = list
            .lines()
            .filter_map(|line| line.rsplit_once(" with id \"")?.1.strip_suffix('"'));
        // In front of the id stands the namespace, and a slash.
        let ids = ids
            .filter_map(|id| id.split_once('/'))
            .map(|(_, id)| id.to_owned());
        let mut ids: Vec<String> = ids.filter(|id| id.contains(word)).collect();
        ids.sort();
        Ok(ids)
    }
}
