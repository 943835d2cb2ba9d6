//! A repository whose Makefile, script and Compose file build its Dockerfile, as cachelane leaves it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Outcome;
use crate::build::{BASE, Job};
use crate::engine::Engine;

use super::Record;
use super::monorepo::fix;

/// The image that the Dockerfile starts from.
const IMAGE: &str = "callers-base";

const FILES: &[(&str, &str)] = &[
    // Says what it finds in the cache, and leaves a file there.
    (
        "Dockerfile",
        "FROM callers-base\nARG FILE\n\
         RUN --network=none --mount=type=cache,id=callers,target=/c,sharing=locked probe list /c && probe put /c/$FILE\n",
    ),
    (
        "Makefile",
        "image:\n\tdocker build --build-arg FILE -t made .\n",
    ),
    (
        "build.sh",
        "#!/bin/sh\nset -e\ndocker build --build-arg FILE -t made .\n",
    ),
    (
        "compose.yaml",
        "services:\n  app:\n    image: made\n    build:\n      context: .\n      args:\n        - FILE\n",
    ),
];

/// What builds, and what people type for it, in the order of the builds.
const COMMANDS: &[(&str, &[&str])] = &[
    ("make", &["make", "image"]),
    ("script", &["sh", "build.sh"]),
    ("compose", &["docker", "compose", "build"]),
];

pub fn lanes(engine: &Engine, record: &mut Record) -> Outcome {
    engine.build(&Job::whole(BASE.to_owned()).tagged(IMAGE))?;
    let repository = Repository::new(engine)?;
    let make = COMMANDS[0].1;
    repository.run(make, Some("a"), "written")?;
    let found = repository.run(make, Some("b"), "again")?;
    record.equal(
        "as written, `make` with `CACHE_ID=b` after one with `CACHE_ID=a` finds",
        &found,
        "written",
    )?;
    record.equal("real ids", &engine.ids("callers")?.join(" "), "callers")?;
    fix(repository.folder.path())?;
    for (lane, value) in [("a", Some("a")), ("b", Some("b")), ("default", None)] {
        // What those before have left in this lane.
        let mut left = Vec::new();
        for (name, words) in COMMANDS {
            let file = format!("{name}-{lane}");
            let found = repository.run(words, value, &file)?;
            let with = value.map_or("without CACHE_ID".into(), |value| {
                format!("with `CACHE_ID={value}`")
            });
            record.equal(
                &format!("fixed, {name} {with} finds"),
                &found,
                &left.join(" "),
            )?;
            left.push(file);
            left.sort();
        }
    }
    record.equal(
        "real ids",
        &engine.ids("callers")?.join(" "),
        "callers callers-a callers-b callers-default",
    )
}

struct Repository<'a> {
    engine: &'a Engine,
    folder: TempDir,
    /// The home of the docker client, beside the repository.
    home: TempDir,
}

impl<'a> Repository<'a> {
    fn new(engine: &'a Engine) -> Outcome<Self> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        let repository = Self {
            engine,
            folder,
            home,
        };
        let plugins = plugins()?;
        repository
            .furnish(&plugins)
            .map_err(|error| error.to_string())?;
        Ok(repository)
    }

    #[cfg(unix)]
    fn furnish(&self, plugins: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::symlink;
        let (root, home) = (self.folder.path(), self.home.path());
        fs::create_dir(root.join(".git"))?;
        for (name, text) in FILES {
            fs::write(root.join(name), text)?;
        }
        fs::create_dir(home.join("bin"))?;
        symlink(self.engine.docker(), home.join("bin/docker"))?;
        fs::create_dir(home.join(".docker"))?;
        symlink(plugins, home.join(".docker/cli-plugins"))
    }

    #[cfg(not(unix))]
    fn furnish(&self, _: &Path) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Runs a command in the repository, with these variables and few others; returns what its build found in the cache.
    fn run(&self, words: &[&str], lane: Option<&str>, file: &str) -> Outcome<String> {
        let path = format!("{}:/usr/bin:/bin", self.home.path().join("bin").display());
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=3", "90"])
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home.path())
            .env("LC_ALL", "C.UTF-8")
            .env("DOCKER_HOST", self.engine.host())
            .env("DOCKER_BUILDKIT", "1")
            .env("BUILDKIT_PROGRESS", "plain")
            .env("FILE", file)
            .envs(lane.map(|lane| ("CACHE_ID", lane)));
        let output = command
            .output()
            .map_err(|error| format!("timeout: {error}"))?;
        let log = [output.stdout, output.stderr].concat();
        let log = String::from_utf8_lossy(&log);
        let found = log
            .lines()
            .find_map(|line| line.split_once("@list /c:"))
            .filter(|_| output.status.success());
        found
            .map(|(_, list)| list.trim().to_owned())
            .ok_or_else(|| format!("`{}` did not build:\n{log}", words.join(" ")))
    }
}

/// Docker's plugins, which come from Debian the first time.
fn plugins() -> Outcome<PathBuf> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docker-plugins");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outer/build_tools.sh");
    let output = Command::new("sh").arg(script).arg(&cache).output();
    let output = output.map_err(|error| format!("sh: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("Docker's plugins could not be had:\n{why}"));
    }
    Ok(cache.join("root/usr/libexec/docker/cli-plugins"))
}
