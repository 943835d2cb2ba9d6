//! The machines that runs are on, by the labels of their runners.

/// What the labels of a run's machine say of it: indices into [`SYSTEMS`] and [`ARCHITECTURES`].
#[derive(Clone, Copy, Default)]
pub(super) struct Machine {
    system: Option<usize>,
    architecture: Option<usize>,
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
        Self {
            system: named(&labels, SYSTEMS),
            architecture: named(&labels, ARCHITECTURES),
        }
    }

    /// Returns whether it cannot be the same machine as `other`.
    pub(super) fn is_other(self, other: Self) -> bool {
        let differ = |a: Option<usize>, b: Option<usize>| a.zip(b).is_some_and(|(a, b)| a != b);
        differ(self.system, other.system) || differ(self.architecture, other.architecture)
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
