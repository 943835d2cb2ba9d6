//! The machines that runs are on, by the labels of their runners.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::text::marks::same_in;

/// The beginnings of the values that a run's number has, in small letters: GitHub's, GitLab's.
const OF_RUN: &[&str] = &["run ", "ci_pipeline_i"];

/// A run's machine, as its labels describe it: indices into [`SYSTEMS`] and [`ARCHITECTURES`].
#[derive(Clone, Copy, Default)]
pub(super) struct Machine {
    system: Option<usize>,
    architecture: Option<usize>,
    /// The hash of labels with the number of the run: the machine is made for it.
    made: Option<u64>,
}

/// The words of labels of which a machine has one, as GitHub's runners of one's own get them, and their other names.
const SYSTEMS: &[&[&str]] = &[
    &["linux", "ubuntu"],
    &["windows", "win"],
    &["macos", "mac", "osx", "darwin"],
];
const ARCHITECTURES: &[&[&str]] = &[&["x64", "amd64", "x86_64"], &["arm64", "aarch64", "arm"]];

impl Machine {
    /// Returns what these labels say.
    pub(super) fn of(labels: &str) -> Self {
        let labels = labels.to_lowercase();
        let mut names = same_in(&labels);
        let made = names.any(|name| OF_RUN.iter().any(|start| name.starts_with(start)));
        let made = made.then(|| {
            let mut hasher = DefaultHasher::new();
            labels.hash(&mut hasher);
            hasher.finish()
        });
        Self {
            system: named(&labels, SYSTEMS),
            architecture: named(&labels, ARCHITECTURES),
            made,
        }
    }

    /// Returns whether it cannot be the same machine as `other`.
    pub(super) fn is_other(self, other: Self) -> bool {
        let differ = |a: Option<usize>, b: Option<usize>| a.zip(b).is_some_and(|(a, b)| a != b);
        differ(self.system, other.system)
            || differ(self.architecture, other.architecture)
            || self.made.zip(other.made).is_some_and(|(a, b)| a != b)
    }
}

/// Returns the one of `kinds` of which a word is in `labels`; `None` where several have one, since that says nothing.
fn named(labels: &str, kinds: &[&[&str]]) -> Option<usize> {
    let is_word = |name: &&str| {
        labels.match_indices(*name).any(|(at, _)| {
            let behind = &labels[at + name.len()..];
            !behind.starts_with(char::is_alphanumeric)
                && !labels[..at].ends_with(char::is_alphanumeric)
        })
    };
    let all = kinds.iter().enumerate();
    let mut named = all.filter(|(_, names)| names.iter().any(is_word));
    let (kind, _) = named.next()?;
    named.next().is_none().then_some(kind)
}
