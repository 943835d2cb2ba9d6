//! Folders that contain caches, and facts about the tools that fill them.

use Processes::{Alone, Concurrent, ConcurrentMaybe, Unknown};

use crate::finding::RuleId;

use super::apt;
use super::commands::Call;

/// The behaviour of concurrent processes of a tool on one cache.
#[derive(Clone, Copy)]
enum Processes {
    /// Supported by the tool's own documents, which the page of `needless-lock` cites.
    Concurrent,
    /// Supported, in a folder too generic to call other content a mix-up.
    ConcurrentMaybe,
    /// One at a time: with more, builds fail or wait. The page of `unlocked-cache` has the evidence.
    Alone(&'static Tool),
    /// Unknown.
    Unknown,
}

/// A tool that needs its cache for itself.
#[derive(Debug)]
pub(super) struct Tool {
    /// The rule about its caches without a lock.
    pub(super) rule: RuleId,
    /// The calls that use the cache.
    pub(super) calls: &'static [Call],
    /// The fate of parallel builds without a lock.
    pub(super) fails: &'static str,
}

static APT: Tool = Tool {
    rule: RuleId::UnlockedApt,
    calls: apt::LOCKING,
    fails: "parallel builds fail here with \"Could not get lock\": apt's folder is shared without one",
};

static CARGO: Tool = Tool {
    rule: RuleId::UnlockedCache,
    calls: &[
        Call {
            programs: "cargo cross",
            words: "build|check|test|run|install|fetch|clippy|doc|bench|package|rustc|cook|update|vendor|nextest|zigbuild|\
                xwin|auditable|leptos|tauri|llvm-cov|generate-lockfile",
            without: "",
        },
        Call {
            programs: "cargo-chef",
            words: "cook",
            without: "",
        },
        Call {
            programs: "maturin wasm-pack trunk",
            words: "build|develop|publish",
            without: "",
        },
    ],
    fails: "parallel builds can fail here with \".cargo-ok: File exists\": cargo's own lock is not in this folder",
};

static GRADLE: Tool = Tool {
    rule: RuleId::UnlockedCache,
    calls: &[Call {
        programs: "gradle gradlew",
        words: "",
        without: "-v --version -h --help --stop",
    }],
    fails: "parallel builds can fail here with \"Timeout waiting to lock\": Gradle's own locks cannot be handed over \
        between containers",
};

static MAVEN: Tool = Tool {
    rule: RuleId::UnlockedCache,
    calls: &[Call {
        programs: "mvn mvnd mvnw",
        words: "",
        without: "-v --version -h --help -Daether.syncContext.named.factory=file-lock",
    }],
    fails: "parallel builds can leave broken files here: Maven 3 locks its repository only within one process",
};

static PLAYWRIGHT: Tool = Tool {
    rule: RuleId::UnlockedCache,
    calls: &[Call {
        programs: "playwright playwright-core",
        words: "install",
        without: "--dry-run",
    }],
    fails: "parallel builds wait here for Playwright's `__dirlock`, and fail when that takes too long",
};

/// A folder that is a tool's cache.
struct CacheFolder {
    cache: &'static str,
    /// The end of the targets; below `/var` their beginning.
    target: &'static str,
    processes: Processes,
}

const fn folder(cache: &'static str, target: &'static str, processes: Processes) -> CacheFolder {
    CacheFolder {
        cache,
        target,
        processes,
    }
}

const FOLDERS: &[CacheFolder] = &[
    folder("apt's archives", "/var/cache/apt", Alone(&APT)),
    folder("apt's lists", "/var/lib/apt", Alone(&APT)),
    folder("pip's cache", "/.cache/pip", Unknown),
    folder("uv's cache", "/.cache/uv", Concurrent),
    folder("npm's cache", "/.npm", Concurrent),
    folder("npm's cache", "/.npm/_cacache", ConcurrentMaybe),
    folder("yarn's cache", "/.cache/yarn", Unknown),
    folder("pnpm's store", "/pnpm/store", Unknown),
    folder("Go's build cache", "/.cache/go-build", Concurrent),
    folder("Go's build cache", "/go-build", ConcurrentMaybe),
    folder("Go's module cache", "/go/pkg/mod", Concurrent),
    folder("Go's module cache", "$GOPATH/pkg/mod", ConcurrentMaybe),
    folder("Go's module cache", "${GOPATH}/pkg/mod", ConcurrentMaybe),
    folder("cargo's registry", "/cargo/registry", Alone(&CARGO)),
    folder("cargo's registry", "/.cargo/registry", Alone(&CARGO)),
    folder("cargo's registry", "$CARGO_HOME/registry", Alone(&CARGO)),
    folder("cargo's registry", "${CARGO_HOME}/registry", Alone(&CARGO)),
    folder("cargo's git checkouts", "/cargo/git", Unknown),
    folder("cargo's git checkouts", "/.cargo/git", Unknown),
    folder("Maven's repository", "/.m2", Alone(&MAVEN)),
    folder("Maven's repository", "/.m2/repository", Alone(&MAVEN)),
    folder("yum's cache", "/var/cache/yum", Unknown),
    folder("Gradle's cache", "/.gradle", Alone(&GRADLE)),
    folder("Gradle's cache", "/.gradle/caches", Alone(&GRADLE)),
    folder(
        "Playwright's browsers",
        "/ms-playwright",
        Alone(&PLAYWRIGHT),
    ),
    folder("ccache's cache", "/.ccache", Concurrent),
    folder("ccache's cache", "/.cache/ccache", ConcurrentMaybe),
    folder("dnf's cache", "/var/cache/dnf", Unknown),
    folder("apk's cache", "/var/cache/apk", Unknown),
];

/// Returns the folders that match the cleaned `target`.
fn folders(target: &[u8]) -> impl Iterator<Item = &'static CacheFolder> {
    FOLDERS.iter().filter(move |folder| {
        let folder = folder.target.as_bytes();
        if folder.starts_with(b"/var/") {
            let below = target.strip_prefix(folder);
            below.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
        } else {
            target.ends_with(folder)
        }
    })
}

/// Returns the name of the cache at `target`, where it is known.
pub fn content(target: &[u8]) -> Option<&'static str> {
    folders(target)
        .find(|folder| !matches!(folder.processes, ConcurrentMaybe))
        .map(|folder| folder.cache)
}

/// Returns the cache at `target`, where its tool supports concurrent processes.
pub(super) fn concurrent(target: &[u8]) -> Option<&'static str> {
    folders(target)
        .find(|folder| matches!(folder.processes, Concurrent | ConcurrentMaybe))
        .map(|folder| folder.cache)
}

/// Returns the tool that needs the cache at `target` for itself.
pub(super) fn alone(target: &[u8]) -> Option<&'static Tool> {
    folders(target).find_map(|folder| match folder.processes {
        Alone(tool) => Some(tool),
        _ => None,
    })
}
