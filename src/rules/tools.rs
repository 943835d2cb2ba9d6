//! Folders that contain caches, and facts about the tools that fill them.

use Processes::{Concurrent, ConcurrentMaybe, Locking, Unknown};

/// The behaviour of concurrent processes of a tool on one cache.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Processes {
    /// Supported by the tool's own documents, which the page of `needless-lock` cites.
    Concurrent,
    /// Supported, in a folder too generic to call other content a mix-up.
    ConcurrentMaybe,
    /// Refused: the tool takes its own locks there, and fails where they are taken.
    Locking,
    /// Unknown.
    Unknown,
}

/// The name of a cache, the end of its targets (below `/var` their beginning), and its [`Processes`].
type Folder = (&'static str, &'static str, Processes);

const FOLDERS: &[Folder] = &[
    ("apt's archives", "/var/cache/apt", Locking),
    ("apt's lists", "/var/lib/apt", Locking),
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
    ("cargo's registry", "/cargo/registry", Unknown),
    ("cargo's registry", "/.cargo/registry", Unknown),
    ("cargo's git checkouts", "/cargo/git", Unknown),
    ("cargo's git checkouts", "/.cargo/git", Unknown),
    ("Maven's repository", "/.m2", Unknown),
    ("Maven's repository", "/.m2/repository", Unknown),
    ("yum's cache", "/var/cache/yum", Unknown),
    ("Gradle's cache", "/.gradle", Unknown),
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
    let mut known = folders(target).filter(|(_, _, processes)| *processes != ConcurrentMaybe);
    known.next().map(|(cache, ..)| *cache)
}

/// Returns the cache at `target`, where its tool supports concurrent processes.
pub(super) fn concurrent(target: &[u8]) -> Option<&'static str> {
    let is_made = |folder: &&Folder| matches!(folder.2, Concurrent | ConcurrentMaybe);
    folders(target).find(is_made).map(|(cache, ..)| *cache)
}

pub(super) fn is_apt(target: &[u8]) -> bool {
    folders(target).any(|(_, _, processes)| *processes == Locking)
}
