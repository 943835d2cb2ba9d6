//! Builds: what goes in, and what can be read from the log.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use cachelane::fix::Applicability;
use cachelane::lint;
use cachelane::rules::Settings;

use crate::Outcome;

/// The image that every Dockerfile here starts from.
pub const BASE: &str = "\
FROM scratch AS base
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY probe /bin/probe
";

/// Where the engine has cachelane.
const CACHELANE: &str = "/srv/cachelane";

/// How long a build may take, unless it says otherwise.
const LIMIT: Duration = Duration::from_secs(90);

/// One build to be.
#[derive(Clone)]
pub struct Job {
    file: String,
    arguments: Vec<(String, String)>,
    options: Vec<String>,
    tag: Option<String>,
    /// What runs the client.
    pub runner: Vec<String>,
    /// When it is cancelled.
    pub limit: Duration,
}

impl Job {
    /// A build of the stages in `file`, which stand behind one that is named `base`.
    pub fn new(file: &str) -> Self {
        Self::whole(format!("{BASE}{file}"))
    }

    /// A build of `file` as it is.
    pub fn whole(file: String) -> Self {
        Self {
            file,
            arguments: Vec::new(),
            options: Vec::new(),
            tag: None,
            runner: Vec::new(),
            limit: LIMIT,
        }
    }

    /// The image gets a name.
    #[must_use]
    pub fn tagged(mut self, name: &str) -> Self {
        self.tag = Some(name.into());
        self
    }

    /// With `lines` before the first FROM.
    #[must_use]
    pub fn global(mut self, lines: &str) -> Self {
        self.file.insert_str(0, lines);
        self
    }

    /// With a build argument.
    #[must_use]
    pub fn arg(mut self, name: &str, value: &str) -> Self {
        self.arguments.push((name.into(), value.into()));
        self
    }

    /// With another option of the client.
    #[must_use]
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.into());
        self
    }

    /// The client is run by `cachelane run` with these options, as a job of GitLab CI that is called `job`.
    #[must_use]
    pub fn by_cachelane(mut self, job: &str, options: &[&str]) -> Self {
        let job = format!("CI_JOB_NAME={job}");
        let words = ["env", "GITLAB_CI=true", &job, CACHELANE, "run"];
        self.runner = words
            .iter()
            .chain(options)
            .chain(&["--"])
            .map(|word| (*word).to_owned())
            .collect();
        self
    }

    /// With a value of `FRESH` that no other build has, so that a stage with `ARG FRESH` is built anew. `--no-cache` does
    /// not do: with it, builds that start at once may each get a cache of their own.
    #[must_use]
    pub fn fresh(self) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        self.arg("FRESH", &COUNT.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Cancelled after that many seconds.
    #[must_use]
    pub fn within(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// The same build of the file that `cachelane fix` writes.
    ///
    /// # Errors
    /// If cachelane fails.
    pub fn fixed(self) -> Outcome<Self> {
        self.repaired(&["fix"])
    }

    /// The same build of the file that `cachelane fix --unsafe` writes.
    ///
    /// # Errors
    /// If cachelane fails.
    pub fn fixed_unsafely(self) -> Outcome<Self> {
        self.repaired(&["fix", "--unsafe"])
    }

    /// The same build of the file that cachelane writes where `keep-default` is settled.
    ///
    /// # Errors
    /// If a fix could not be made.
    pub fn keeping_ids(mut self) -> Outcome<Self> {
        let settings = Settings {
            keep_default: true,
            ..Settings::default()
        };
        let fixed = lint::fix(None, self.file.as_bytes(), &settings, Applicability::Safe);
        if let Some(dropped) = fixed.dropped.first() {
            return Err(format!("cachelane: {}", dropped.reason));
        }
        self.file = String::from_utf8(fixed.bytes).map_err(|error| error.to_string())?;
        Ok(self)
    }

    fn repaired(mut self, command: &[&str]) -> Outcome<Self> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("Dockerfile");
        fs::write(&path, &self.file).map_err(|error| error.to_string())?;
        let mut cachelane = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        let output = cachelane
            .args(command)
            .arg(&path)
            .current_dir(folder.path())
            .output();
        let output = output.map_err(|error| format!("cachelane: {error}"))?;
        // 1 is what remains to be done by hand.
        if !matches!(output.status.code(), Some(0 | 1)) {
            return Err(format!(
                "cachelane: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        self.file = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok(self)
    }

    /// What is built, without the base.
    fn stages(&self) -> String {
        self.file.replace(BASE, "")
    }

    /// Fails unless what is built contains `text`.
    ///
    /// # Errors
    /// What is built instead.
    pub fn containing(self, text: &str) -> Outcome<Self> {
        if self.file.contains(text) {
            Ok(self)
        } else {
            Err(format!("no `{text}` in:\n{}", self.stages()))
        }
    }
}

/// A build on its way. Dropping it kills the client, which cancels the build.
pub struct Running {
    client: Child,
    log: PathBuf,
    started: Instant,
}

impl Running {
    /// Starts it, with its files in `folder`, which the engine sees as `path`.
    ///
    /// # Errors
    /// If the client does not start.
    pub fn start(mut client: Command, folder: &Path, path: &str, job: &Job) -> Outcome<Self> {
        let say = |error: std::io::Error| format!("a build could not be started: {error}");
        fs::create_dir(folder)
            .and_then(|()| fs::write(folder.join("Dockerfile"), &job.file))
            .map_err(say)?;
        let log = folder.join("log");
        let output = File::create(&log).map_err(say)?;
        client.args([
            "build",
            "--progress=plain",
            "--network=host",
            "--file",
            &format!("{path}/Dockerfile"),
        ]);
        for (name, value) in &job.arguments {
            client.arg("--build-arg").arg(format!("{name}={value}"));
        }
        client.args(&job.options);
        client.args(job.tag.iter().map(|tag| format!("--tag={tag}")));
        client
            .arg("/srv/context")
            .stdout(output.try_clone().map_err(say)?)
            .stderr(output);
        let started = Instant::now();
        Ok(Self {
            client: client.spawn().map_err(say)?,
            log,
            started,
        })
    }

    /// Waits until the log contains `text`.
    ///
    /// # Errors
    /// If the build ends before.
    pub fn until(&mut self, text: &str) -> Outcome {
        loop {
            let ended = !matches!(self.client.try_wait(), Ok(None));
            let log = self.log();
            if log.contains(text) {
                return Ok(());
            }
            if ended {
                return Err(format!("no `{text}` in:\n{log}"));
            }
            sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If the client is gone.
    pub fn wait(mut self) -> Outcome<Built> {
        let status = self
            .client
            .wait()
            .map_err(|error| format!("nsenter: {error}"))?;
        Ok(Built {
            status,
            seconds: self.started.elapsed().as_secs_f64(),
            log: self.log(),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.client.kill());
        drop(self.client.wait());
    }
}

/// A build that has ended.
pub struct Built {
    status: ExitStatus,
    /// How long it took, as its user sees it.
    pub seconds: f64,
    /// What the client printed.
    pub log: String,
}

impl Built {
    /// Whether its time was over.
    pub fn cancelled(&self) -> bool {
        matches!(self.status.code(), Some(124 | 137))
    }

    /// Fails unless the build succeeded.
    ///
    /// # Errors
    /// The log.
    pub fn succeeded(self) -> Outcome<Self> {
        if self.status.success() {
            Ok(self)
        } else {
            Err(format!("the build failed ({}):\n{}", self.status, self.log))
        }
    }

    /// What the engine gave as the reason for its failure.
    ///
    /// # Errors
    /// If it did not fail.
    pub fn refusal(&self) -> Outcome<&str> {
        let lines = || self.log.lines().map(str::trim);
        let reason = lines()
            .rfind(|line| line.starts_with("ERROR: ") || line.starts_with("failed to solve"));
        if self.status.success() {
            Err("the build succeeded".into())
        } else {
            Ok(reason.unwrap_or("no reason"))
        }
    }

    /// What the probe printed behind `mark`, in every line that has it.
    pub fn marks(&self, mark: &str) -> Vec<&str> {
        let lines = self
            .log
            .lines()
            .filter_map(|line| line.split_once(' ')?.1.split_once(' '));
        lines
            .filter_map(|(_, text)| text.strip_prefix(mark))
            .map(str::trim)
            .collect()
    }

    /// The names that the probe listed in `folder`.
    pub fn listed(&self, folder: &str) -> String {
        self.marks(&format!("@list {folder}:")).join(" ")
    }

    /// The time that the probe printed behind `mark`.
    pub fn time(&self, mark: &str) -> Option<f64> {
        self.marks(mark).first()?.parse().ok()
    }

    /// From when to when the probe held, in seconds of the machine's clock.
    ///
    /// # Errors
    /// If it did not.
    pub fn window(&self) -> Outcome<(f64, f64)> {
        self.time("@start")
            .zip(self.time("@end"))
            .ok_or_else(|| format!("the probe did not hold:\n{}", self.log))
    }

    /// How many of its RUNs came from the layer cache, and how many it has.
    pub fn reused(&self) -> (usize, usize) {
        let number = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        let mut runs: Vec<String> = self
            .log
            .lines()
            .filter(|line| line.contains("] RUN "))
            .map(number)
            .collect();
        runs.dedup();
        let cached = |run: &&String| self.log.lines().any(|line| line == format!("{run} CACHED"));
        (runs.iter().filter(cached).count(), runs.len())
    }
}
