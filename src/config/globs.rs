//! Globs of a configuration: relative to its folder, and each with the knowledge whether it ever matched.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use toml::Spanned;

use crate::budget;
use crate::text::Span;

use super::Problem;

/// Some globs. One without a `/` (but at its end) matches a name in any folder; others match from the configuration's
/// folder on. `*` stays within a folder, `**` does not.
#[derive(Debug, Default)]
pub(super) struct Globs {
    set: GlobSet,
    patterns: Vec<(String, Span)>,
    matched: Vec<AtomicBool>,
}

impl Globs {
    /// Reads `patterns`; those that are no globs go to `problems`.
    pub(super) fn new(patterns: &[Spanned<String>], problems: &mut Vec<Problem>) -> Self {
        let mut set = GlobSetBuilder::new();
        let mut kept = Vec::new();
        for pattern in patterns {
            let (text, span) = (
                pattern.get_ref(),
                Span::new(pattern.span().start, pattern.span().end),
            );
            // Each level of them is a level of the stack while globs are read.
            if !budget::is_shallow(text.matches('{').count()) {
                problems.push(Problem {
                    span,
                    message: "it has more braces than are read".into(),
                    help: None,
                });
                continue;
            }
            match GlobBuilder::new(&rooted(text))
                .literal_separator(true)
                .build()
            {
                Ok(glob) if !text.trim_matches('/').is_empty() => {
                    set.add(glob);
                    kept.push((text.clone(), span));
                }
                Ok(_) => problems.push(Problem {
                    span,
                    message: "an empty glob matches nothing".into(),
                    help: None,
                }),
                Err(error) => {
                    let message = format!("`{text}` is no glob: {}", error.kind());
                    problems.push(Problem {
                        span,
                        message,
                        help: None,
                    });
                }
            }
        }
        let set = set.build().unwrap_or_else(|error| {
            let message = format!("these globs are too much at once: {error}");
            problems.push(Problem {
                span: kept.first().map_or(Span::at(0), |(_, span)| *span),
                message,
                help: None,
            });
            GlobSet::empty()
        });
        let matched = kept.iter().map(|_| AtomicBool::new(false)).collect();
        Self {
            set,
            patterns: kept,
            matched,
        }
    }

    /// Whether one of them matches `path`.
    pub(super) fn matches(&self, path: &Path) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let by = self.set.matches(path);
        for index in &by {
            self.matched[*index].store(true, Ordering::Relaxed);
        }
        !by.is_empty()
    }

    /// Whether one of them matches `path`, or a folder that it lies in, as long as that lies below `root`.
    pub(super) fn matches_around(&self, path: &Path, root: Option<&Path>) -> bool {
        let below = |folder: &&Path| {
            root.is_none_or(|root| folder != &root) && !folder.as_os_str().is_empty()
        };
        let any = |matches: bool, path: &Path| self.matches(path) || matches;
        !self.patterns.is_empty() && path.ancestors().take_while(below).fold(false, any)
    }

    /// Those that have matched nothing so far, with their places.
    pub(super) fn idle(&self) -> impl Iterator<Item = (&str, Span)> {
        let all = self.patterns.iter().zip(&self.matched);
        all.filter(|(_, matched)| !matched.load(Ordering::Relaxed))
            .map(|((text, span), _)| (text.as_str(), *span))
    }
}

/// `pattern` as it is to be matched against a path from the configuration's folder.
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

/// The path that `pattern` is about, where it is one and no more: `vendor` of `vendor/`, `**/vendor` and `vendor/**`.
pub(super) fn literal(pattern: &str) -> Option<&str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(patterns: &[&str]) -> Globs {
        let mut problems = Vec::new();
        let patterns: Vec<_> = patterns
            .iter()
            .map(|p| Spanned::new(0..p.len(), (*p).to_owned()))
            .collect();
        let globs = Globs::new(&patterns, &mut problems);
        assert_eq!(problems, []);
        globs
    }

    #[test]
    fn names_match_anywhere_and_paths_from_the_folder() {
        let matches = |glob: &str, path: &str| globs(&[glob]).matches_around(Path::new(path), None);
        for (glob, path) in [
            ("vendor/", "vendor/a/Dockerfile"),
            ("vendor", "a/vendor/b/Dockerfile"),
            ("/vendor", "vendor/Dockerfile"),
            ("a/*/Dockerfile", "a/b/Dockerfile"),
            ("./a/**", "a/b/c/Dockerfile"),
            ("*.tmpl", "a/x.tmpl"),
            ("**/old/*", "a/old/Dockerfile"),
        ] {
            assert!(matches(glob, path), "{glob} {path}");
        }
        for (glob, path) in [
            ("/vendor", "a/vendor/Dockerfile"),
            ("a/*", "b/a/Dockerfile"),
            ("*.tmpl", "a/x.tmpl2"),
            ("a/*/Dockerfile", "a/b/c/Dockerfile"),
        ] {
            assert!(!matches(glob, path), "{glob} {path}");
        }
        let path = Path::new("vendor/a/Dockerfile");
        assert!(!globs(&["vendor"]).matches_around(path, Some(Path::new("vendor"))));
        assert!(globs(&["vendor", "a"]).matches_around(path, Some(Path::new("vendor"))));
    }

    #[test]
    fn some_are_paths() {
        for (glob, path) in [
            ("vendor/", Some("vendor")),
            ("./a/b", Some("a/b")),
            ("/vendor/**", Some("vendor")),
            ("**/node_modules/*", Some("node_modules")),
            ("*.old", None),
            ("a/*/b", None),
            ("{a,b}", None),
        ] {
            assert_eq!(literal(glob), path, "{glob}");
        }
    }

    #[test]
    fn idle_ones_are_known() {
        let globs = globs(&["a", "b/**", "c"]);
        assert!(
            globs.matches_around(Path::new("b/x"), None)
                && !globs.matches_around(Path::new("d"), None)
        );
        assert_eq!(
            globs.idle().map(|(pattern, _)| pattern).collect::<Vec<_>>(),
            ["a", "c"]
        );
    }
}
