//! Which of a command's words is the one that says that an image is built.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What a command takes a lane by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// `--build-arg NAME=VALUE`
    Argument {
        /// Whether it is BuildKit that builds.
        buildkit: bool,
    },
    /// Bake's `--set *.args.NAME=VALUE`
    Set,
    /// `--cache-id VALUE` of rocker's extension
    CacheId,
    /// Only its environment, for this reason.
    Environment(&'static str),
}

/// What a command is.
pub(super) struct Found {
    pub(super) takes: Takes,
    /// What to call it.
    pub(super) what: String,
    /// The index of the word behind the one that says that an image is built.
    pub(super) at: usize,
    /// Whether a Compose file says what is built.
    pub(super) compose: bool,
    /// The program before it that gives it an environment of its own.
    pub(super) drops_environment: Option<String>,
}

/// Programs that run the command behind their options: their options that take the next word, and how many other words
/// they take.
const WRAPPERS: &[(&str, &[&str], usize)] = &[
    ("sudo", &["-C", "-D", "-g", "-h", "-p", "-R", "-r", "-T", "-t", "-U", "-u", "--user", "--group", "--chdir"], 0),
    ("doas", &["-C", "-u"], 0),
    ("env", &["-u", "--unset", "-C", "--chdir"], 0),
    ("nice", &["-n", "--adjustment"], 0),
    ("ionice", &["-c", "--class", "-n", "--classdata"], 0),
    ("nohup", &[], 0),
    ("setsid", &[], 0),
    ("stdbuf", &["-i", "-o", "-e"], 0),
    ("time", &["-f", "-o"], 0),
    ("timeout", &["-s", "--signal", "-k", "--kill-after"], 1),
];

/// The options of docker before its subcommand that take the next word.
const DOCKER: &[&str] =
    &["--config", "-c", "--context", "-H", "--host", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey"];
const BUILDX: &[&str] = &["--builder"];
const COMPOSE: &[&str] = &[
    "--ansi",
    "--env-file",
    "-f",
    "--file",
    "--parallel",
    "--podman-args",
    "--profile",
    "--progress",
    "--project-directory",
    "-p",
    "--project-name",
];
const PODMAN: &[&str] = &[
    "--cgroup-manager",
    "--config",
    "--conmon",
    "-c",
    "--connection",
    "--events-backend",
    "--hooks-dir",
    "--identity",
    "--imagestore",
    "--log-level",
    "--module",
    "--namespace",
    "--network-cmd-path",
    "--network-config-dir",
    "--out",
    "--root",
    "--runroot",
    "--runtime",
    "--runtime-flag",
    "--ssh",
    "--storage-driver",
    "--storage-opt",
    "--tmpdir",
    "--url",
    "--userns-gid-map",
    "--userns-uid-map",
    "--volumepath",
];
const NERDCTL: &[&str] = &[
    "-a",
    "--address",
    "--bridge-ip",
    "--cgroup-manager",
    "--cni-netconfpath",
    "--cni-path",
    "--data-root",
    "-H",
    "--host",
    "--host-gateway-ip",
    "--hosts-dir",
    "-n",
    "--namespace",
    "--snapshotter",
    "--storage-driver",
];

const NO_BUILD: &str = "is no build";
const UNKNOWN: &str = "is no build command that cachelane knows";
const NO_ARGUMENTS: &str = "takes no build arguments";

/// Looks for the build in `words`.
pub(super) fn find(words: &[OsString]) -> Found {
    let (program, drops_environment) = unwrap(words);
    let name = words.get(program).map(|word| name(word)).unwrap_or_default();
    let mut reading = Reading { words, at: program + 1, what: name.clone(), compose: false };
    let takes = match name.as_str() {
        "docker" => reading.docker(),
        "docker-buildx" => reading.buildx(),
        "docker-compose" => reading.compose(true),
        "podman" => reading.engine(PODMAN, false),
        "podman-compose" => reading.compose(false),
        "nerdctl" => reading.engine(NERDCTL, true),
        "buildah" => match reading.word(PODMAN).as_str() {
            "build" | "bud" | "build-using-dockerfile" => Takes::Argument { buildkit: false },
            _ => Takes::Environment(NO_BUILD),
        },
        "rocker" | "rockerc" => Takes::CacheId,
        "devcontainer" => Takes::Environment(NO_ARGUMENTS),
        _ => Takes::Environment(UNKNOWN),
    };
    Found { takes, what: reading.what, at: reading.at, compose: reading.compose, drops_environment }
}

/// The index of the program that `words` run in the end, and the program before it that gives it another environment.
fn unwrap(words: &[OsString]) -> (usize, Option<String>) {
    let (mut at, mut drops) = (0, None);
    while let Some(word) = words.get(at) {
        let program = name(word);
        let Some((wrapper, values, others)) = WRAPPERS.iter().find(|(wrapper, ..)| *wrapper == program) else { break };
        let mut next = behind_options(words, at + 1, values);
        while matches!(*wrapper, "env" | "sudo") && words.get(next).is_some_and(|word| is_assignment(word)) {
            next += 1;
        }
        if matches!(*wrapper, "sudo" | "doas") {
            drops = Some(program);
        }
        at = next + others;
    }
    // A wrapper on its own is a program like any other.
    if at < words.len() { (at, drops) } else { (0, None) }
}

fn is_assignment(word: &OsStr) -> bool {
    word.to_string_lossy().split_once('=').is_some_and(|(name, _)| !name.is_empty())
}

/// The index of the first word from `at` on that is no option; an option in `values` takes the next word too.
fn behind_options(words: &[OsString], mut at: usize, values: &[&str]) -> usize {
    while let Some(word) = words.get(at).map(|word| word.to_string_lossy()).filter(|word| word.starts_with('-')) {
        at += if values.contains(&word.as_ref()) { 2 } else { 1 };
        if word == "--" {
            break;
        }
    }
    at
}

/// The program's name: without folders and `.exe`.
fn name(word: &OsStr) -> String {
    let name = Path::new(word).file_name().unwrap_or(word).to_string_lossy().into_owned();
    name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
}

struct Reading<'w> {
    words: &'w [OsString],
    /// The index of the next word.
    at: usize,
    /// The words that were understood.
    what: String,
    compose: bool,
}

impl Reading<'_> {
    /// The next word that is no option.
    fn word(&mut self, values: &[&str]) -> String {
        let at = behind_options(self.words, self.at, values);
        let Some(word) = self.words.get(at).map(|word| word.to_string_lossy().into_owned()) else {
            return String::new();
        };
        self.at = at + 1;
        self.what.push(' ');
        self.what.push_str(&word);
        word
    }

    fn docker(&mut self) -> Takes {
        let before = (self.at, self.what.clone());
        if self.word(DOCKER) == "buildx" {
            return self.buildx();
        }
        (self.at, self.what) = before;
        self.engine(DOCKER, true)
    }

    fn engine(&mut self, values: &[&str], buildkit: bool) -> Takes {
        let builds = match self.word(values).as_str() {
            "build" => true,
            "image" | "builder" | "buildx" => self.word(&[]) == "build",
            "compose" => return self.compose(buildkit),
            _ => false,
        };
        if builds { Takes::Argument { buildkit } } else { Takes::Environment(NO_BUILD) }
    }

    fn buildx(&mut self) -> Takes {
        match self.word(BUILDX).as_str() {
            "build" | "b" => Takes::Argument { buildkit: true },
            "bake" | "f" => Takes::Set,
            _ => Takes::Environment(NO_BUILD),
        }
    }

    fn compose(&mut self, buildkit: bool) -> Takes {
        self.compose = true;
        match self.word(COMPOSE).as_str() {
            "build" => Takes::Argument { buildkit },
            "up" | "run" | "create" | "watch" => Takes::Environment(NO_ARGUMENTS),
            _ => Takes::Environment(NO_BUILD),
        }
    }
}
