//! The options of the tools that build, as far as needed to tell an option's value from a positional word.
//!
//! From the tools' own option parsers (docker/cli, docker/buildx, docker/compose, containerd/nerdctl,
//! containers/podman, containers/buildah, devcontainers/cli, osrf/rocker). Only switches are listed; every other option
//! takes a value.

/// Options that take no value.
pub(super) struct Options {
    /// Long names, separated by blanks.
    pub(super) switches: &'static str,
    /// Short names, one letter each.
    pub(super) letters: &'static str,
}

/// Before the subcommand: `docker`, `podman`, `buildah`, `nerdctl`.
pub(super) const GLOBAL: Options = Options {
    switches: "debug debug-full experimental help insecure-registry kube-hide-dupe remote \
        rootless-netns selinux-enabled syslog tls tlsverify transient-store version",
    letters: "Ddhrv",
};

/// Of `docker compose` and `docker-compose`, before the subcommand.
pub(super) const COMPOSE: Options = Options {
    switches: "all-resources compatibility debug dry-run help no-ansi skip-hostname-check tls \
        tlsverify verbose version",
    letters: "Dhv",
};

/// Of every tool's `build`.
pub(super) const BUILD: Options = Options {
    switches: "all-platforms check compat-volumes compress created-annotation debug \
        disable-compression disable-content-trust force-compression force-rm help http-proxy \
        identity-label inherit-annotations inherit-labels layers load log-rusage logsplit \
        no-cache no-hostname no-hosts omit-history pull pull-always pull-never push quiet \
        rewrite-timestamp rm save-stages skip-unused-stages squash squash-all stage-labels stdin \
        stream tls-verify",
    letters: "Dhq",
};

pub(super) const BAKE: Options = Options {
    switches: "check debug help list-targets list-variables load no-cache print pull push",
    letters: "Dh",
};

pub(super) const COMPOSE_BUILD: Options = Options {
    switches: "check compress dry-run force-rm help no-cache no-rm parallel print pull push \
        quiet with-dependencies",
    letters: "hq",
};

pub(super) const COMPOSE_UP: Options = Options {
    switches: "abort-on-container-exit abort-on-container-failure always-recreate-deps \
        attach-dependencies build detach dry-run force-recreate help menu no-build no-color \
        no-deps no-log-prefix no-recreate no-start quiet-build quiet-pull remove-orphans \
        renew-anon-volumes timestamps wait watch yes",
    letters: "dhVwy",
};

pub(super) const COMPOSE_RUN: Options = Options {
    switches: "build detach dry-run help interactive no-TTY no-deps no-tty quiet quiet-build \
        quiet-pull remove-orphans rm service-ports tty use-aliases",
    letters: "dhiPqTt",
};

pub(super) const COMPOSE_WATCH: Options = Options {
    switches: "dry-run help no-up prune quiet",
    letters: "h",
};

/// Of `devcontainer build` and `up`.
pub(super) const DEVCONTAINER: Options = Options {
    switches: "build-no-cache help include-configuration include-merged-configuration \
        mount-workspace-git-root no-cache no-lockfile omit-config-remote-env-from-metadata \
        omit-syntax-directive prebuild push remove-existing-container skip-feature-auto-mapping \
        skip-non-blocking-commands skip-persisting-customizations-from-features \
        skip-post-attach skip-post-create version",
    letters: "h",
};

pub(super) const MAKE: Options = Options {
    switches: "always-make dry-run environment-overrides help ignore-errors jobs just-print keep-going \
        no-builtin-rules no-builtin-variables no-keep-going no-print-directory no-silent print-data-base \
        print-directory question quiet recon silent stop touch trace version warn-undefined-variables",
    letters: "BRSbdehijklnpqrstvw0123456789",
};

/// Of `docker buildx create`.
pub(super) const CREATE: Options = Options {
    switches: "append bootstrap debug help leave use",
    letters: "Dh",
};

/// Of `rocker` and its own extensions.
pub(super) const ROCKER: Options = Options {
    switches: "cuda detach dev-helpers git group-add help home nocache nocleanup noexecute \
        nvidia persist-image privileged pull pulse ssh strict-extension-selection user version \
        x11",
    letters: "h",
};

pub(super) const CACHELANE_RUN: Options = Options {
    switches: "dry-run help",
    letters: "h",
};

/// A command that runs the one behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    pub name: &'static str,
    /// The letters of its options that take a value.
    letters: &'static str,
    /// The number of its positional words before the command.
    words: usize,
    pub runs: Wrapped,
}

/// The words that a [`Prefix`] wraps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wrapped {
    /// A command, as without it.
    Command,
    /// A command that a package may bring, or that gets other settings.
    Package,
    /// The same, or a script by its name.
    Script,
}

use crate::text::is_name;
use Wrapped::{Command, Package, Script};

const fn prefix(name: &'static str, letters: &'static str, words: usize, runs: Wrapped) -> Prefix {
    Prefix {
        name,
        letters,
        words,
        runs,
    }
}

const PREFIXES: &[Prefix] = &[
    prefix("sudo", "ugpCDRTUhr", 0, Command),
    prefix("doas", "uC", 0, Command),
    prefix("env", "uCS", 0, Command),
    prefix("time", "fo", 0, Command),
    prefix("exec", "a", 0, Command),
    prefix("command", "", 0, Command),
    prefix("nohup", "", 0, Command),
    prefix("setsid", "", 0, Command),
    prefix("nice", "n", 0, Command),
    prefix("ionice", "cnp", 0, Command),
    prefix("stdbuf", "ioe", 0, Command),
    prefix("timeout", "ks", 1, Command),
    prefix("retry", "tmsdn", 0, Command),
    prefix("xargs", "IiLnPsdaE", 0, Command),
    prefix("eatmydata", "", 0, Command),
    prefix("flock", "wE", 1, Command),
    prefix("gosu", "", 1, Command),
    prefix("su-exec", "", 1, Command),
    prefix("fakeroot", "", 0, Command),
    prefix("chronic", "", 0, Command),
    prefix("eval", "", 0, Package),
    prefix("unbuffer", "", 0, Package),
    prefix("travis_retry", "", 0, Package),
    prefix("travis_wait", "", 0, Package),
    prefix("npx", "p", 0, Package),
    prefix("uv", "p", 1, Package),
    prefix("uvx", "p", 0, Package),
    prefix("pipx", "", 1, Package),
    prefix("pixi", "e", 1, Package),
    prefix("poetry", "CP", 1, Package),
    prefix("&", "", 0, Package),
    prefix("mold", "", 0, Package),
    prefix("dumb-init", "", 0, Package),
    prefix("tini", "", 0, Package),
    prefix("bunx", "", 0, Package),
    prefix("pipenv", "", 1, Package),
    prefix("yarn", "", 0, Script),
    prefix("npm", "", 1, Script),
    prefix("pnpm", "", 1, Script),
    prefix("bun", "", 1, Script),
    prefix("python", "", 0, Script),
    prefix("python3", "", 0, Script),
    prefix("rustup", "", 2, Script),
];

impl Prefix {
    /// Returns the one at a path, also with a version behind its name.
    pub fn of(word: &str) -> Option<&'static Self> {
        let name = program_name(word);
        PREFIXES.iter().find(|prefix| prefix.name == name)
    }

    /// Returns the number of `words` behind it that are before the command.
    fn own(&self, words: &[&str]) -> usize {
        let (mut at, mut left) = (0, self.words);
        while let Some(word) = words.get(at) {
            let letter = word.strip_prefix('-').filter(|letter| letter.len() == 1);
            if word.starts_with('-') && word.len() > 1 {
                at += usize::from(letter.is_some_and(|letter| self.letters.contains(letter)));
            } else if !assigns(word) {
                if left == 0 && !word.starts_with(|first: char| first.is_ascii_digit()) {
                    break;
                }
                left = left.saturating_sub(1);
            }
            at += 1;
        }
        at
    }
}

/// Returns whether a word with this known beginning sets a variable.
fn assigns(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Returns the number of `words` before the program: the prefixes that `is_taken` returns true for, and their words.
pub fn before_program(words: &[&str], is_taken: impl Fn(&Prefix) -> bool) -> usize {
    let mut at = 0;
    while let Some(prefix) = words.get(at).and_then(|word| Prefix::of(word))
        && is_taken(prefix)
    {
        at += 1 + prefix.own(&words[at + 1..]);
    }
    at.min(words.len())
}

/// Returns whether the words before a program leave it the environment: `sudo` does not without `-E`, nor does `env -i`.
pub fn keep_environment(words: &[&str]) -> bool {
    let is_one_of = |names: &[&str]| words.iter().any(|word| names.contains(&program_name(word)));
    let has = |letter: char, long: &str| {
        let is_it = |word: &&str| match word.strip_prefix("--") {
            Some(name) => name.starts_with(long),
            None => word
                .strip_prefix('-')
                .is_some_and(|letters| letters.contains(letter)),
        };
        words.iter().any(is_it)
    };
    let is_reset = is_one_of(&["sudo", "doas"]) && !has('E', "preserve-env");
    let is_empty = is_one_of(&["env"]) && (has('i', "ignore-environment") || words.contains(&"-"));
    !is_reset && !is_empty
}

/// Returns the variables that words before a program take out of its environment: `env -u NAME`, `env --unset=NAME`.
pub fn taken_names<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let start = words.iter().position(|word| program_name(word) == "env");
    let own = start.map_or(&[][..], |start| &words[start + 1..]);
    let mut names = Vec::new();
    for (at, word) in own.iter().enumerate() {
        let name = word.strip_prefix("--unset=").or(match *word {
            "-u" | "--unset" => own.get(at + 1).copied(),
            _ => word.strip_prefix("-u"),
        });
        names.extend(name.filter(|name| is_name(name)));
    }
    names
}

/// Returns the name of the program at a path, without the version of `npx tool@1.2`.
pub fn program_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('@').map_or(name, |(name, _)| name)
}
