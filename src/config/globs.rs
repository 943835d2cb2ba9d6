//! Globs relative to a configuration's folder, which record whether they ever matched.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use toml::Spanned;

use crate::budget;
use crate::text::Span;

use super::keys::span;
use super::model::Problem;

/// The most globs of a list, and the most bytes in them: each takes kilobytes of memory.
const MAX_GLOBS: usize = 1000;
const MAX_LEN: usize = 64 * 1024;

/// Globs. One without a `/` (except at its end) matches a name in any folder, the others match from the configuration's
/// folder on. `*` stays within a folder, `**` does not.
#[derive(Debug, Default)]
pub struct Globs {
    set: GlobSet,
    patterns: Vec<(String, Span)>,
    matched: Vec<AtomicBool>,
}

impl Globs {
    /// Reads `patterns`; malformed ones go to `problems`.
    pub fn new(patterns: &[Spanned<String>], problems: &mut Vec<Problem>) -> Self {
        let mut set = GlobSetBuilder::new();
        let mut kept = Vec::new();
        let bytes: usize = patterns.iter().map(|text| text.get_ref().len()).sum();
        if patterns.len() > MAX_GLOBS || bytes > MAX_LEN {
            let most = MAX_LEN / 1024;
            let message = format!(
                "there are {} globs, of {bytes} bytes: no more than {MAX_GLOBS} of {most} KiB in all are read",
                patterns.len()
            );
            let first = patterns.first().map_or(Span::at(0), span);
            problems.push(Problem::new(first, message));
            return Self::default();
        }
        for pattern in patterns {
            let (text, span) = (pattern.get_ref(), span(pattern));
            // Each level of braces is a level of the stack while globs are read.
            if !budget::is_shallow(text.matches('{').count()) {
                problems.push(Problem::new(span, "it has more braces than are read"));
                continue;
            }
            let rooted = rooted(text);
            let glob = GlobBuilder::new(&rooted).literal_separator(true).build();
            match glob {
                Ok(glob) if !text.trim_matches('/').is_empty() => {
                    set.add(glob);
                    kept.push((text.clone(), span));
                }
                Ok(_) => problems.push(Problem::new(span, "an empty glob matches nothing")),
                Err(error) => {
                    let message = format!("`{text}` is not a glob: {}", error.kind());
                    problems.push(Problem::new(span, message));
                }
            }
        }
        let set = set.build().unwrap_or_else(|error| {
            let message = format!("these globs are too much at once: {error}");
            let first = kept.first().map_or(Span::at(0), |(_, span)| *span);
            problems.push(Problem::new(first, message));
            GlobSet::empty()
        });
        let matched = kept.iter().map(|_| AtomicBool::new(false)).collect();
        Self {
            set,
            patterns: kept,
            matched,
        }
    }

    pub fn matches(&self, path: &Path) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let by = self.set.matches(path);
        for index in &by {
            self.matched[*index].store(true, Ordering::Relaxed);
        }
        !by.is_empty()
    }

    /// Returns whether a glob matches `path`, or a folder around it that lies below `root`.
    pub fn matches_around(&self, path: &Path, root: Option<&Path>) -> bool {
        let below = |folder: &&Path| {
            root.is_none_or(|root| folder != &root) && !folder.as_os_str().is_empty()
        };
        let any = |matches: bool, path: &Path| self.matches(path) || matches;
        !self.patterns.is_empty() && path.ancestors().take_while(below).fold(false, any)
    }

    /// Returns the globs that have matched nothing so far, with their places.
    #[cfg(feature = "cli")]
    pub fn idle(&self) -> impl Iterator<Item = (&str, Span)> {
        let all = self.patterns.iter().zip(&self.matched);
        all.filter(|(_, matched)| !matched.load(Ordering::Relaxed))
            .map(|((text, span), _)| (text.as_str(), *span))
    }
}

/// Returns `pattern` as matched against a path from the configuration's folder.
fn rooted(pattern: &str) -> String {
    let inner = pattern
        .strip_prefix("./")
        .unwrap_or(pattern)
        .trim_end_matches('/');
    match inner.strip_prefix('/') {
        Some(rest) => rest.into(),
        None if inner.contains('/') => inner.into(),
        None => format!("**/{inner}"),
    }
}

/// Returns the path of a `pattern` that is nothing more: `vendor` of `vendor/`, `**/vendor` and `vendor/**`.
#[cfg(feature = "cli")]
pub fn literal(pattern: &str) -> Option<&str> {
    let inner = pattern
        .strip_prefix("./")
        .or_else(|| pattern.strip_prefix("**/"))
        .unwrap_or(pattern);
    let inner = inner
        .strip_suffix("/**")
        .or_else(|| inner.strip_suffix("/*"))
        .unwrap_or(inner)
        .trim_matches('/');
    (!inner.contains(['*', '?', '[', '{', '\\'])).then_some(inner)
}
