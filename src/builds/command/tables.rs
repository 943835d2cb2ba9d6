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
pub(super) struct Prefix {
    pub(super) name: &'static str,
    /// The letters of its options that take a value.
    pub(super) letters: &'static str,
    /// The number of its positional words before the command.
    pub(super) words: usize,
}

const fn prefix(name: &'static str, letters: &'static str, words: usize) -> Prefix {
    Prefix {
        name,
        letters,
        words,
    }
}

pub(super) const PREFIXES: &[Prefix] = &[
    prefix("sudo", "ugpCDRTUhr", 0),
    prefix("doas", "uC", 0),
    prefix("env", "uCS", 0),
    prefix("time", "fo", 0),
    prefix("exec", "a", 0),
    prefix("command", "", 0),
    prefix("eval", "", 0),
    prefix("nohup", "", 0),
    prefix("setsid", "", 0),
    prefix("flock", "wE", 1),
    prefix("nice", "n", 0),
    prefix("ionice", "cnp", 0),
    prefix("stdbuf", "ioe", 0),
    prefix("unbuffer", "", 0),
    prefix("timeout", "ks", 1),
    prefix("retry", "tmsdn", 0),
    prefix("travis_retry", "", 0),
    prefix("travis_wait", "", 0),
    prefix("xargs", "IiLnPsdaE", 0),
    prefix("npx", "p", 0),
    prefix("uv", "p", 1),
    prefix("uvx", "p", 0),
    prefix("pipx", "", 1),
    prefix("pixi", "e", 1),
    prefix("poetry", "CP", 1),
    prefix("&", "", 0),
];
