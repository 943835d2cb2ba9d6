//! Lines of a text, found by a byte in them.

/// Returns the first byte of the line of byte `at`.
#[must_use]
pub fn start(source: &str, at: usize) -> usize {
    memchr::memrchr(b'\n', &source.as_bytes()[..at]).map_or(0, |newline| newline + 1)
}

/// Returns what stands on the line from byte `at` on, without the line's end.
#[must_use]
pub fn rest(source: &str, at: usize) -> &str {
    let rest = source.get(at..).unwrap_or_default();
    rest.split(['\r', '\n']).next().unwrap_or_default()
}

/// Returns the blanks that the line of byte `at` begins with.
#[must_use]
pub fn margin(source: &str, at: usize) -> &str {
    let line = &source[start(source, at)..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
