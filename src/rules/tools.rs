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
            programs: "cargo",
            words: "build|check|test|run|install|fetch|clippy|doc|bench|package|rustc|cook|update|vendor|nextest|zigbuild|\
                xwin|auditable|leptos|tauri|llvm-cov|generate-lockfile",
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
        programs: "mvn mvnw",
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

/// The name of a cache, the end of its targets (below `/var` their beginning), and its [`Processes`].
type Folder = (&'static str, &'static str, Processes);

const FOLDERS: &[Folder] = &[
    ("apt's archives", "/var/cache/apt", Alone(&APT)),
    ("apt's lists", "/var/lib/apt", Alone(&APT)),
    ("pip's cache", "/.cache/pip", Unknown),
    ("uv's cache", "/.cache/uv", Concurrent),
    ("npm's cache", "/.npm", Concurrent),
    ("npm's cache", "/.npm/_cacache", ConcurrentMaybe),
    ("yarn's cache", "/.cache/yarn", Unknown),
    ("pnpm's store", "/pnpm/store", Unknown),
    ("Go's build cache", "/.cache/go-build", Concurrent),
    ("Go's build cache", "/go-build", ConcurrentMaybe),
    ("Go's module cache", "/go/pkg/mod", Concurrent),
    ("Go's module cache", "$GOPATH/pkg/mod", ConcurrentMaybe),
    ("Go's module cache", "${GOPATH}/pkg/mod", ConcurrentMaybe),
    ("cargo's registry", "/cargo/registry", Alone(&CARGO)),
    ("cargo's registry", "/.cargo/registry", Alone(&CARGO)),
    ("cargo's registry", "$CARGO_HOME/registry", Alone(&CARGO)),
    ("cargo's registry", "${CARGO_HOME}/registry", Alone(&CARGO)),
    ("cargo's git checkouts", "/cargo/git", Unknown),
    ("cargo's git checkouts", "/.cargo/git", Unknown),
    ("Maven's repository", "/.m2", Alone(&MAVEN)),
    ("Maven's repository", "/.m2/repository", Alone(&MAVEN)),
    ("yum's cache", "/var/cache/yum", Unknown),
    ("Gradle's cache", "/.gradle", Alone(&GRADLE)),
    ("Gradle's cache", "/.gradle/caches", Alone(&GRADLE)),
    (
        "Playwright's browsers",
        "/ms-playwright",
        Alone(&PLAYWRIGHT),
    ),
    ("ccache's cache", "/.ccache", Concurrent),
    ("ccache's cache", "/.cache/ccache", ConcurrentMaybe),
    ("dnf's cache", "/var/cache/dnf", Unknown),
    ("apk's cache", "/var/cache/apk", Unknown),
];

/// Returns the folders that match the cleaned `target`.
fn folders(target: &[u8]) -> impl Iterator<Item = &'static Folder> {
    FOLDERS.iter().filter(move |(_, folder, _)| {
        let folder = folder.as_bytes();
        if folder.starts_with(b"/var/") {
            let below = target.strip_prefix(folder);
            below.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
        } else {
            target.ends_with(folder)
        }
    })
}

/// Returns the name of the cache at `target`, where it is known.
pub(super) fn content(target: &[u8]) -> Option<&'static str> {
    let mut known = folders(target).filter(|(.., processes)| !matches!(processes, ConcurrentMaybe));
    known.next().map(|(cache, ..)| *cache)
}

/// Returns the cache at `target`, where its tool supports concurrent processes.
pub(super) fn concurrent(target: &[u8]) -> Option<&'static str> {
    let is_made = |folder: &&Folder| matches!(folder.2, Concurrent | ConcurrentMaybe);
    folders(target).find(is_made).map(|(cache, ..)| *cache)
}

/// Returns the tool that needs the cache at `target` for itself.
pub(super) fn alone(target: &[u8]) -> Option<&'static Tool> {
    folders(target).find_map(|(.., processes)| match processes {
        Alone(tool) => Some(*tool),
        _ => None,
    })
}
