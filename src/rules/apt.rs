//! The apt folders that a RUN mounts, and its calls of apt.

use std::cell::OnceCell;

use bstr::ByteSlice as _;

use crate::dockerfile::Dockerfile;

#[derive(Debug, Default)]
pub(super) struct Apt {
    /// True where one is locked for all builds.
    pub(super) locked: bool,
    /// True where one is locked for the builds of a lane.
    pub(super) locked_in_a_lane: bool,
    /// The indices of the caches without lock and lane.
    pub(super) open: Vec<usize>,
    called: OnceCell<bool>,
}

impl Apt {
    /// Returns whether the RUN `instruction`, whose folders these are, calls apt.
    pub(super) fn is_called(&self, file: &Dockerfile<'_>, instruction: usize) -> bool {
        *self.called.get_or_init(|| calls_apt(file, instruction))
    }
}

/// Subcommands that take locks.
const COMMANDS: &str = "update install upgrade full-upgrade dist-upgrade remove purge autoremove clean autoclean \
    build-dep satisfy download source check reinstall";

/// Returns whether a RUN calls apt or apt-get, in its command or in a heredoc. (dpkg takes no lock in apt's folders.)
fn calls_apt(file: &Dockerfile<'_>, instruction: usize) -> bool {
    let run = &file.instructions[instruction];
    let bodies = run
        .heredocs
        .iter()
        .map(|heredoc| heredoc.body.of(file.source));
    let texts = std::iter::once(run.arguments()).chain(bodies);
    let mut lines = texts.flat_map(|text| text.lines());
    lines.any(|line| !line.trim_start().starts_with(b"#") && is_call(line))
}

fn is_call(line: &[u8]) -> bool {
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    let mut words = line.split(|b| !part(*b)).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let command = word.strip_prefix(b"/usr/bin/").unwrap_or(word);
        let mut after = words.clone().filter(|word| !word.starts_with(b"-"));
        if matches!(command, b"apt" | b"apt-get")
            && after
                .next()
                .is_some_and(|word| COMMANDS.split(' ').any(|known| known.as_bytes() == word))
        {
            return true;
        }
    }
    false
}
